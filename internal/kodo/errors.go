package kodo

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/qiniu/go-sdk/v7/client"

	"github.com/qiniu/terraform-provider-kodo/internal/qetag"
)

// Kodo's codes are HTTP statuses, some of its own making. These are the ones that the Client acts on.
const (
	codeNotImplemented  = 501
	codeBandwidthLimit  = 509
	codeThrottledObject = 571
	codeThrottled       = 573
	codeCallbackFailed  = 579
	codeGone            = 612 // no such object; no such multipart upload; in discovery, no such bucket or access key
	codeExists          = 614
	codeNoSuchBucket    = 631
)

// A Step is the part of an operation that failed.
type Step string

const (
	// StepDiscovery is finding out which hosts serve a bucket. Its codes say nothing about an object.
	StepDiscovery Step = "discovery"
	// StepCall is the operation itself.
	StepCall Step = "call"
)

// An Error is an operation that did not succeed, with all that is known for whoever looks into it. It never holds a
// key, a token or a signature.
type Error struct {
	Op       string // what was asked for, such as "stat"
	Step     Step
	Service  string // "uc", "up", "rs", "rsf", "cdn"
	Host     string // host[:port] that was asked; "" if none was known yet
	Bucket   string // "" if no single one is concerned
	Key      string
	Attempts int

	Code      int    // the HTTP status, or the CDN's own code of six digits; 0 if no complete answer came
	Reason    string // Kodo's error_code, such as "BucketNotEmpty"; mostly ""
	Message   string // Kodo's text
	RequestID string // X-Reqid; "" means that what answered is not Kodo
	Err       error  // the cause where there is one: of the network, or of the context

	lost bool // the request may have reached a server, whose answer is not known
}

// Error implements error. The text names the operation, who answered, the code, Kodo's text and the request id.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Op)
	if e.Step == StepDiscovery {
		fmt.Fprintf(&b, ": finding the hosts of bucket %q", e.Bucket)
	}
	switch {
	case e.Code == 0 && e.Host == "":
		b.WriteString(": not asked")
	case e.Code == 0:
		fmt.Fprintf(&b, ": no answer from %s", e.Host)
	case e.RequestID == "":
		fmt.Fprintf(&b, ": %s answered %d without a request id, so what answered is not Kodo", e.Host, e.Code)
	default:
		fmt.Fprintf(&b, ": %s answered %d", e.Host, e.Code)
		if e.Message != "" {
			fmt.Fprintf(&b, " %s", e.Message)
		}
		if e.Reason != "" {
			fmt.Fprintf(&b, " (%s)", e.Reason)
		}
		fmt.Fprintf(&b, ", request id %s", e.RequestID)
	}
	if e.Attempts > 1 {
		fmt.Fprintf(&b, ", after %d attempts", e.Attempts)
	}
	if e.Err != nil {
		fmt.Fprintf(&b, ": %s", strings.ReplaceAll(e.Err.Error(), "\n", ": "))
	}
	return b.String()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// explain fills in what came of an attempt, from what was seen on the wire and from what the SDK made of it.
func (e *Error) explain(seen *exchange, err error) {
	var urlError *url.Error
	if errors.As(err, &urlError) {
		err = urlError.Err // without the URL: the query of discovery holds the access key
	}
	if seen.err != nil || seen.status == 0 {
		e.Err, e.lost = err, seen.sent
		return
	}
	e.Code = seen.status
	if e.RequestID = seen.markedID(); e.RequestID == "" {
		return
	}
	var answer *client.ErrorInfo
	if errors.As(err, &answer) {
		e.Message, e.Reason = clip(answer.Err), answer.ErrorCode
		return
	}
	e.Message = unreadable
	e.Err = err
}

// unreadable is the Message of an Error of Kodo's answer that makes no sense.
const unreadable = "an answer that cannot be read"

// clip keeps a text of the server at a length that a message can hold.
func clip(text string) string {
	const longest = 300
	if len(text) <= longest {
		return text
	}
	return strings.ToValidUTF8(text[:longest], "") + "…"
}

// CodeOf returns the code that Kodo answered, or 0 if err is no *Error or no answer came.
func CodeOf(err error) int {
	var failed *Error
	if errors.As(err, &failed) {
		return failed.Code
	}
	return 0
}

// IsGone reports whether err proves that an object does not exist: Kodo itself answered 612 for that very key. The
// same code from discovery, or any 404, proves nothing.
func IsGone(err error) bool {
	var failed *Error
	return errors.As(err, &failed) && failed.Step == StepCall && failed.Service == string(serviceRS) &&
		failed.Code == codeGone && failed.RequestID != ""
}

// IsNoBucket reports whether Kodo answered that there is no such bucket. It says the same of a bucket of another
// account, so that alone does not prove that the bucket is gone.
func IsNoBucket(err error) bool {
	code := CodeOf(err)
	return code == codeNoSuchBucket || code == codeGone
}

// An ExistsError refuses a Put that would have replaced an object with other content.
type ExistsError struct {
	Bucket string
	Object Object // as it is now
}

// Error implements error.
func (e *ExistsError) Error() string {
	how := "with other content"
	if qetag.IsV2(e.Object.ETag) {
		how = "with other content, or with the same in other parts" // which make for another hash
	}
	return fmt.Sprintf("the object %q exists in bucket %q %s (hash %s, %d bytes, put at %s)",
		e.Object.Key, e.Bucket, how, e.Object.ETag, e.Object.Size, e.Object.PutTime)
}

// A ChangedError refuses a Put or a Change because the object is not the one that it was meant for.
type ChangedError struct {
	Bucket, Key string
	Want        PutTime // of the object that was to be replaced
	Have        *Object // as it is now; nil if it is gone
}

// Error implements error.
func (e *ChangedError) Error() string {
	if e.Have == nil {
		return fmt.Sprintf("the object %q in bucket %q, put at %s, is gone", e.Key, e.Bucket, e.Want)
	}
	return fmt.Sprintf("the object %q in bucket %q was put at %s, not at %s", e.Key, e.Bucket, e.Have.PutTime, e.Want)
}

// A SourceChangedError refuses to copy an object that is not the one that was meant.
type SourceChangedError struct {
	Bucket string
	Object Object // as it is now
	Want   string // the hash that it was to have
}

// Error implements error.
func (e *SourceChangedError) Error() string {
	return fmt.Sprintf("the object %q in bucket %q was to have the hash %s and has %s", e.Object.Key, e.Bucket, e.Want, e.Object.ETag)
}

// A FrozenError refuses to change or copy an object of an archive that is not restored.
type FrozenError struct {
	Bucket string
	Object Object
}

// Error implements error.
func (e *FrozenError) Error() string {
	state := "frozen"
	if e.Object.Restore == Restoring {
		state = "still being restored"
	}
	return fmt.Sprintf("the object %q in bucket %q is %s in the storage class %s", e.Object.Key, e.Bucket, state, e.Object.StorageClass)
}

// A ContentChangedError stops an upload whose local content is not what it was: nothing was stored.
type ContentChangedError struct {
	Want   string // the hash that the content was to have, "" if none was given
	Have   string // the hash of what was read, "" if it could not be read to its end
	Reason string
}

// Error implements error.
func (e *ContentChangedError) Error() string {
	if e.Want != "" && e.Have != "" {
		return fmt.Sprintf("the content has changed: its hash was to be %s and is %s", e.Want, e.Have)
	}
	return "the content has changed: " + e.Reason
}

// A HashError says that Kodo's hash of an object is not the hash of the bytes that were sent.
type HashError struct {
	Bucket, Key string
	Sent        string // hash of what was read and sent
	Stored      string // hash that Kodo answered
}

// Error implements error.
func (e *HashError) Error() string {
	return fmt.Sprintf("Kodo answered the hash %s for the object %q in bucket %q, but what was sent has the hash %s",
		e.Stored, e.Key, e.Bucket, e.Sent)
}

// A DoomedError refuses a Put of a key whose object this Client was to delete and could not: a later apply would delete
// what was stored or adopted now.
type DoomedError struct{ Bucket, Key string }

// Error implements error.
func (e *DoomedError) Error() string {
	return fmt.Sprintf("the object %q in bucket %q was to be deleted by another resource of this apply, which failed", e.Key, e.Bucket)
}
