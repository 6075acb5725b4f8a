package policy

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"strings"
)

// Policy is a put policy as far as it is enforced. Field names are Kodo's.
type Policy struct {
	Scope           string // "<bucket>", "<bucket>:<key>", or "<bucket>:<prefix>" if IsPrefixalScope
	IsPrefixalScope int64
	Deadline        int64 // unix seconds
	InsertOnly      int64
	EndUser         string
	FsizeMin        int64 // bytes
	FsizeLimit      int64 // bytes, 0 for no limit
	DetectMime      int64 // 0, or -1: the content type is what the client says
	FileType        int64 // storage class, 0 to 5
	DeleteAfterDays int64 // 0: the object stays
}

// unenforced names the fields that Kodo knows and this package does not
// enforce. A token that uses one is refused: an upload that was let through
// although its policy forbids it would be a lie that nobody notices.
func unenforced() []string {
	return []string{
		"returnUrl", "returnBody",
		"callbackUrl", "callbackHost", "callbackBody", "callbackBodyType", "callbackFetchKey",
		"persistentOps", "persistentNotifyUrl", "persistentPipeline", "persistentType", "persistentWorkflowTemplateID",
		"forceSaveKey", "saveKey", "mimeLimit", "trafficLimit", "keylimit",
		"transform", "transformFallbackMode", "transformFallbackKey",
	}
}

// Parse decodes the policy of a token. Kodo answers 401 "invalid put policy
// encoding" when a number is sent as a string, among others.
func Parse(encoded string) (Policy, error) {
	invalid := &Error{Status: http.StatusUnauthorized, Text: "invalid put policy encoding"}
	raw, err := base64.URLEncoding.DecodeString(encoded)
	if err != nil {
		return Policy{}, invalid
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(raw, &fields); err != nil {
		return Policy{}, invalid
	}
	// Names are matched without regard to case, by encoding/json as by ours.
	for name, value := range fields {
		for _, field := range unenforced() {
			if strings.EqualFold(name, field) && !isZero(value) {
				return Policy{}, notImplemented(field)
			}
		}
	}
	var p Policy
	if err := json.Unmarshal(raw, &p); err != nil || p.Scope == "" {
		return Policy{}, invalid
	}
	if p.FileType < 0 || p.FileType > 5 {
		return Policy{}, contradiction("fileType must be 0 to 5")
	}
	if p.DeleteAfterDays < 0 || p.DeleteAfterDays > math.MaxInt32 {
		return Policy{}, contradiction("deleteAfterDays must not be negative")
	}
	if p.DetectMime != 0 && p.DetectMime != -1 {
		return Policy{}, notImplemented("detectMime")
	}
	return p, nil
}

// contradiction is the refusal of a policy that can be read but not be followed
// (fact:upload-policy-contradiction).
func contradiction(text string) *Error {
	return &Error{Status: http.StatusBadRequest, Text: "invalid put policy: " + text}
}

func notImplemented(field string) *Error {
	return &Error{
		Status: http.StatusNotImplemented,
		Text:   fmt.Sprintf("the put policy field %q is not implemented by this emulator", field),
	}
}

// isZero reports whether a JSON value is what an absent field means.
func isZero(value json.RawMessage) bool {
	switch string(value) {
	case "null", `""`, "0", "false", "[]":
		return true
	}
	return false
}

// Bucket returns the bucket that the token is for.
func (p Policy) Bucket() string {
	bucket, _, _ := strings.Cut(p.Scope, ":")
	return bucket
}

// Overwrites reports whether an upload under this policy may replace an object
// that has other content. A scope without a key and a prefix scope never do.
// "<bucket>:" names one key, the empty one.
func (p Policy) Overwrites() bool {
	return p.InsertOnly == 0 && p.IsPrefixalScope == 0 && strings.Contains(p.Scope, ":")
}

// CheckKey refuses a key that the scope does not cover.
func (p Policy) CheckKey(key string) error {
	_, scope, named := strings.Cut(p.Scope, ":")
	switch {
	case !named, key == scope, p.IsPrefixalScope != 0 && strings.HasPrefix(key, scope):
		return nil
	}
	return keyMismatch()
}

// CheckNoKey refuses an upload that leaves the key to Kodo, which will be the
// hash of content that is not there yet, under a scope that names a key or a
// prefix. That no prefix of a hash occurs is an assumption.
func (p Policy) CheckNoKey() error {
	_, scope, named := strings.Cut(p.Scope, ":")
	if named && (p.IsPrefixalScope == 0 || scope != "") {
		return keyMismatch()
	}
	return nil
}

func keyMismatch() *Error {
	return &Error{Status: http.StatusForbidden, Text: "key doesn't match with scope"}
}

// CheckSize refuses content that is too small or too large.
func (p Policy) CheckSize(size int64) error {
	switch {
	case size < p.FsizeMin:
		return &Error{Status: http.StatusForbidden, Text: "request entity size is smaller than FsizeMin"}
	case p.FsizeLimit > 0 && size > p.FsizeLimit:
		return &Error{Status: http.StatusRequestEntityTooLarge, Text: "exceed FsizeLimit"}
	}
	return nil
}
