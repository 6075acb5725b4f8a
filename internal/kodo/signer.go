package kodo

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/qiniu/go-sdk/v7/storagev2/credentials"
)

// A Signer signs what is handed to others: upload tokens and download links. It sends nothing.
type Signer struct {
	keys *credentials.Credentials
}

// NewSigner returns a Signer for a pair of keys.
func NewSigner(accessKey, secretKey string) *Signer {
	return &Signer{keys: credentials.NewCredentials(accessKey, secretKey)}
}

// UploadToken returns a token with which anybody can make the uploads that the policy allows, until its deadline.
func (s *Signer) UploadToken(policy PutPolicy) (string, error) {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false) // templates and processing commands hold & and <
	if err := encoder.Encode(policy); err != nil {
		return "", err
	}
	return s.keys.SignWithData(bytes.TrimSuffix(text.Bytes(), []byte("\n"))), nil
}

// CheckLink says why a URL is none that can be signed: it must be http(s)://host[:port]/… with its key and query
// escaped already, and without the parameters that a signature adds.
func CheckLink(link string) error {
	parsed, err := parseLink(link)
	if err != nil {
		return err
	}
	return CheckLinkQuery(parsed.RawQuery)
}

// parseLink reads http(s)://host[:port]… that is escaped already.
func parseLink(link string) (*url.URL, error) {
	parsed, err := url.Parse(link)
	switch {
	case err != nil:
		return nil, errors.New("it is not a URL, or not escaped as one")
	case parsed.Scheme != "http" && parsed.Scheme != "https" || parsed.Host == "":
		return nil, errors.New("it must begin with http:// or https:// and a host")
	case parsed.User != nil:
		return nil, errors.New("it must hold no user name and no password")
	case parsed.Fragment != "" || strings.Contains(link, "#"):
		return nil, errors.New("it must hold no #: what follows one never reaches a server")
	case strings.ContainsFunc(link, func(r rune) bool { return r <= ' ' || r >= 0x7f }):
		return nil, errors.New("it must be escaped, without spaces and other characters than ASCII")
	}
	return parsed, nil
}

// CheckLinkQuery says why a text cannot be the query of a signed link: it must be escaped, without a leading "?", and
// without the parameters e and token, which the signature adds. Commands such as "imageView2/2/w/200" are queries.
func CheckLinkQuery(query string) error {
	if strings.HasPrefix(query, "?") || strings.HasPrefix(query, "&") {
		return fmt.Errorf("the query must not begin with %q", query[:1])
	}
	if strings.ContainsFunc(query, func(r rune) bool { return r <= ' ' || r >= 0x7f || r == '#' }) {
		return errors.New("the query must be escaped, without spaces, # and other characters than ASCII")
	}
	for pair := range strings.SplitSeq(query, "&") {
		if name, _, _ := strings.Cut(pair, "="); name == "e" || name == "token" {
			return fmt.Errorf("the query must not hold the parameter %s, which the signature adds", name)
		}
	}
	return nil
}

// PrivateURL signs a link that CheckLink accepts, so that it can be downloaded from a private bucket until the
// deadline, which Kodo knows in whole seconds. The signature covers every byte before it: a link that is changed in
// any way is refused.
func (s *Signer) PrivateURL(link string, deadline time.Time) string {
	covered := AddLinkQuery(link, "e="+strconv.FormatInt(deadline.Unix(), 10))
	return covered + "&token=" + s.keys.Sign([]byte(covered))
}

// AddLinkQuery adds a query, already escaped, to what a link has of one.
func AddLinkQuery(link, query string) string {
	if strings.Contains(link, "?") {
		return link + "&" + query
	}
	return link + "?" + query
}

// EscapeQuery escapes a text for the value of a parameter, a space as %20: not every server takes a plus for one.
func EscapeQuery(text string) string {
	return strings.ReplaceAll(url.QueryEscape(text), "+", "%20")
}
