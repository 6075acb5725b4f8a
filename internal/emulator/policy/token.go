// Package policy reads upload tokens and decides what their put policies
// allow. All of it is pure: strings and numbers in, a decision out.
//
// It must never know of HTTP, of storage, or of secrets; that a token's
// signature is good is for package auth to say.
package policy

import (
	"net/http"
	"strings"
)

// Error is a refusal as Kodo words it.
type Error struct {
	Status int    // HTTP status
	Text   string // the answer's "error"
	Code   string // the answer's "error_code", often empty
}

// Error returns Kodo's text.
func (e *Error) Error() string { return e.Text }

// Token is an upload token taken apart. Nothing in it is verified.
type Token struct {
	AccessKey string
	Sign      string // signature of Policy as it stands here
	Policy    string // the put policy, URL-safe base64 of JSON
}

// ParseToken takes "<access key>:<sign>:<policy>" apart. As in the official
// clients, two more segments may come first, the first of them empty.
func ParseToken(token string) (Token, error) {
	if token == "" {
		return Token{}, &Error{Status: http.StatusUnauthorized, Text: "token not specified"}
	}
	segments := strings.Split(token, ":")
	if len(segments) == 5 && segments[0] == "" {
		segments = segments[2:]
	}
	if len(segments) != 3 || segments[0] == "" {
		return Token{}, &Error{Status: http.StatusUnauthorized, Text: "bad token", Code: "BadToken"}
	}
	return Token{AccessKey: segments[0], Sign: segments[1], Policy: segments[2]}, nil
}
