package auth

import (
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Download verifies a signed download URL, given by the Host header and the
// request target as they were sent, and returns the access key that signed it.
//
// The signature covers the URL with its scheme up to "&token=" ("?token="
// cannot be, because the deadline "e" comes before it). A server behind
// another cannot see which scheme the client used, so both are tried.
func (v *Verifier) Download(host, target string) (accessKey string, err error) {
	at := strings.LastIndex(target, "&token=")
	if at < 0 {
		return "", badToken()
	}
	covered := target[:at]
	token, err := url.QueryUnescape(target[at+len("&token="):])
	if err != nil {
		return "", badToken()
	}
	accessKey, secret, sign, ok := v.split(token)
	if !ok {
		return "", badToken()
	}
	if !signed(secret, "http://"+host+covered, sign) && !signed(secret, "https://"+host+covered, sign) {
		return "", badToken()
	}
	deadline, ok := deadlineOf(covered)
	if !ok {
		return "", badToken()
	}
	if v.now().Unix() > deadline {
		return "", expiredToken()
	}
	return accessKey, nil
}

// deadlineOf returns the parameter e, the unix second up to which a URL is
// good.
func deadlineOf(target string) (int64, bool) {
	_, rawQuery, _ := strings.Cut(target, "?")
	e, err := strconv.ParseInt((&url.URL{RawQuery: rawQuery}).Query().Get("e"), 10, 64)
	return e, err == nil
}

// Expired returns the refusal of a token whose deadline, in unix seconds, has
// passed, and nil before that.
func (v *Verifier) Expired(deadline int64) error {
	if v.now().After(time.Unix(deadline, 0)) {
		return expiredToken()
	}
	return nil
}
