package policy

import (
	"encoding/base64"
	"encoding/json"
	"math"
	"net/http"
	"slices"
	"strings"
)

// Policy is a put policy. Its fields are Kodo's, named without regard to case.
type Policy struct {
	Scope           string // "<bucket>", "<bucket>:<key>", or "<bucket>:<prefix>" if IsPrefixalScope
	IsPrefixalScope int64
	Deadline        int64 // unix seconds
	InsertOnly      int64
	EndUser         string

	ReturnURL  string // where a form upload sends the browser to
	ReturnBody string // template of the answer

	CallbackURL      string // one or more, separated by ";"; before ReturnURL and ReturnBody
	CallbackHost     string // Host header of the callback
	CallbackBody     string // template
	CallbackBodyType string // formType when empty, or jsonType
	CallbackFetchKey int64  // the answer to the callback names the object

	PersistentOps                string
	PersistentNotifyURL          string
	PersistentPipeline           string
	PersistentType               int64
	PersistentWorkflowTemplateID string

	SaveKey         string // template of the key for who names none
	ForceSaveKey    bool   // for everybody
	FsizeMin        int64  // bytes
	FsizeLimit      int64  // bytes, 0 for no limit
	DetectMime      int64  // see Mime
	MimeLimit       string // see CheckMime
	FileType        int64  // storage class, 0 to 5
	DeleteAfterDays int64  // 0: the object stays
	TrafficLimit    int64  // bits a second, 0 for no limit
	KeyLimit        []string

	// What Kodo no longer has, and nobody should believe to have been done.
	Transform             string
	TransformFallbackMode string
	TransformFallbackKey  string
}

// The content types of a callback.
const (
	formType = "application/x-www-form-urlencoded"
	jsonType = "application/json"
)

// Parse decodes the policy of a token. Kodo answers 401 "invalid put policy
// encoding" when a number is sent as a string, among others.
func Parse(encoded string) (Policy, error) {
	invalid := &Error{Status: http.StatusUnauthorized, Text: "invalid put policy encoding"}
	raw, err := base64.URLEncoding.DecodeString(encoded)
	if err != nil {
		return Policy{}, invalid
	}
	var p Policy
	if err := json.Unmarshal(raw, &p); err != nil || p.Scope == "" {
		return Policy{}, invalid
	}
	if p.Transform != "" || p.TransformFallbackMode != "" || p.TransformFallbackKey != "" {
		return Policy{}, &Error{
			Status: http.StatusNotImplemented,
			Text:   `the put policy field "transform" is not implemented by this emulator`,
		}
	}
	if text := p.contradiction(); text != "" {
		// fact:upload-policy-contradiction
		return Policy{}, &Error{Status: http.StatusBadRequest, Text: "invalid put policy: " + text}
	}
	return p, nil
}

// contradiction says why a policy that can be read cannot be followed, empty if it
// can.
func (p Policy) contradiction() string {
	const (
		minTraffic = 819200    // bits a second: 100 KB/s
		maxTraffic = 838860800 // 100 MB/s
		maxKeys    = 20
	)
	persistent := p.PersistentOps != "" || p.PersistentWorkflowTemplateID != ""
	for _, rule := range []struct {
		broken bool
		text   string
	}{
		{p.FileType < 0 || p.FileType > 5, "fileType must be 0 to 5"},
		{p.DeleteAfterDays < 0 || p.DeleteAfterDays > math.MaxInt32, "deleteAfterDays must not be negative"},
		{p.DetectMime < -1 || p.DetectMime > 1, "detectMime must be -1, 0 or 1"},
		{p.TrafficLimit != 0 && (p.TrafficLimit < minTraffic || p.TrafficLimit > maxTraffic), "trafficLimit must be 819200 to 838860800"},
		{len(p.KeyLimit) > maxKeys, "keylimit has more than 20 keys"},
		{p.ForceSaveKey && p.SaveKey == "", "forceSaveKey needs saveKey"},
		{p.CallbackURL != "" && p.CallbackBody == "", "callbackUrl needs callbackBody"},
		{p.CallbackBodyType != "" && p.CallbackBodyType != formType && p.CallbackBodyType != jsonType, "callbackBodyType must be " + formType + " or " + jsonType},
		{p.CallbackFetchKey != 0 && p.CallbackURL == "", "callbackFetchKey needs callbackUrl"},
		{p.PersistentOps != "" && p.PersistentWorkflowTemplateID != "", "persistentOps and persistentWorkflowTemplateID exclude each other"},
		{p.PersistentType != 0 && p.PersistentType != 1, "persistentType must be 0 or 1"},
		{p.ReturnBody != "" && !isJSONTemplate(p.ReturnBody), "returnBody must be JSON"},
		{p.CallbackBodyType == jsonType && !isJSONTemplate(p.CallbackBody), "callbackBody must be JSON"},
		{persistent && (p.FileType == 2 || p.FileType == 3), "an archived object cannot be processed"},
	} {
		if rule.broken {
			return rule.text
		}
	}
	return ""
}

// Bucket returns the bucket that the token is for.
func (p Policy) Bucket() string {
	bucket, _, _ := strings.Cut(p.Scope, ":")
	return bucket
}

// API is an interface of Kodo's for uploads.
type API int

// The interfaces, of which the putb64 call is as form uploads are.
const (
	Form API = iota
	V1       // mkblk, bput, mkfile
	V2       // multipart
)

// Overwrites reports whether an upload under this policy may replace an object
// that has other content. A scope without a key does not, but for the older
// resumable uploads (fact:upload-v1-overwrites), and a prefix scope never does.
// "<bucket>:" names one key, the empty one.
func (p Policy) Overwrites(api API) bool {
	if p.InsertOnly != 0 || p.IsPrefixalScope != 0 {
		return false
	}
	return api == V1 || strings.Contains(p.Scope, ":")
}

// SavesKey reports whether the policy names the object, whatever the client says:
// nil if it gives no key.
func (p Policy) SavesKey(given *string) bool {
	return p.SaveKey != "" && (given == nil || p.ForceSaveKey)
}

// CheckKey refuses a key that the scope does not cover, with 403, and the older
// resumable uploads with 401 (fact:upload-v1-scope).
func (p Policy) CheckKey(api API, key string) error {
	_, scope, named := strings.Cut(p.Scope, ":")
	if named && key != scope && (p.IsPrefixalScope == 0 || !strings.HasPrefix(key, scope)) {
		mismatch := keyMismatch()
		if api == V1 {
			mismatch.Status = http.StatusUnauthorized
		}
		return mismatch
	}
	if len(p.KeyLimit) > 0 && !slices.Contains(p.KeyLimit, key) { // fact:upload-keylimit
		return &Error{Status: http.StatusForbidden, Text: "key doesn't match with keylimit"}
	}
	return nil
}

// CheckNoKey refuses an upload that leaves the key to Kodo, which will be the
// hash of content that is not there yet, under a scope that names a key or a
// prefix (fact:upload-hash-prefix).
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
	if size < p.FsizeMin {
		return &Error{Status: http.StatusForbidden, Text: "request entity size is smaller than FsizeMin"}
	}
	return p.CheckLimit(size)
}

// CheckLimit refuses content of which so much has come that it is too large.
func (p Policy) CheckLimit(size int64) error {
	if p.FsizeLimit > 0 && size > p.FsizeLimit {
		return &Error{Status: http.StatusRequestEntityTooLarge, Text: "exceed FsizeLimit"}
	}
	return nil
}
