// Package auth verifies who sent a request: management tokens (Qiniu and the
// older QBox), signatures of upload tokens, and signed download URLs.
//
// It follows Kodo's published signing rules and the habits of the official
// clients, and shares no code with any signer: a signer of ours that is wrong
// must be refused here. It knows secrets and the wall clock, nothing of
// buckets or objects.
package auth

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"net/http"
	"strings"
	"time"
)

// Error is a refusal as Kodo words it.
type Error struct {
	Status int    // HTTP status
	Text   string // the answer's "error"
	Code   string // the answer's "error_code", often empty
}

// Error returns Kodo's text.
func (e *Error) Error() string { return e.Text }

func badToken() *Error {
	return &Error{Status: http.StatusUnauthorized, Text: "bad token", Code: "BadToken"}
}

func expiredToken() *Error {
	return &Error{Status: http.StatusUnauthorized, Text: "expired token"}
}

// Verifier checks signatures against the secrets of the accounts it knows.
type Verifier struct {
	secret func(accessKey string) (secretKey string, ok bool)
	now    func() time.Time
	strict bool // only as documented
}

// NewVerifier returns a Verifier. secret tells the secret key of an access
// key; now is the wall clock, which every date and deadline is held against.
func NewVerifier(secret func(accessKey string) (string, bool), now func() time.Time) *Verifier {
	return &Verifier{secret: secret, now: now}
}

// Strict returns a Verifier that accepts management signatures only as they are
// documented, and none of the clients' habits.
func (v *Verifier) Strict() *Verifier {
	strict := *v
	strict.strict = true
	return &strict
}

// Ahead returns a Verifier whose clock is ahead by d.
func (v *Verifier) Ahead(d time.Duration) *Verifier {
	ahead := *v
	ahead.now = func() time.Time { return v.now().Add(d) }
	return &ahead
}

// Known reports whether there is an account of this access key.
func (v *Verifier) Known(accessKey string) bool {
	_, ok := v.secret(accessKey)
	return ok
}

// Signature verifies that sign is accessKey's signature of data, as in
// "<access key>:<sign>:<data>" of an upload token.
func (v *Verifier) Signature(accessKey, sign, data string) error {
	secret, ok := v.secret(accessKey)
	if !ok || !signed(secret, data, sign) {
		return badToken()
	}
	return nil
}

// split takes "<access key>:<sign>" apart and finds the key's secret.
func (v *Verifier) split(token string) (accessKey, secret, sign string, ok bool) {
	accessKey, sign, ok = strings.Cut(token, ":")
	if !ok {
		return "", "", "", false
	}
	secret, ok = v.secret(accessKey)
	return accessKey, secret, sign, ok
}

// signed reports whether sign is the padded URL-safe base64 of the HMAC-SHA1
// of data. The text is compared, not the decoded bytes, because Kodo refuses
// a signature whose padding was stripped.
func signed(secret, data, sign string) bool {
	return hmac.Equal([]byte(signature(secret, data)), []byte(sign))
}

func signature(secret, data string) string {
	mac := hmac.New(sha1.New, []byte(secret))
	mac.Write([]byte(data))
	return base64.URLEncoding.EncodeToString(mac.Sum(nil))
}
