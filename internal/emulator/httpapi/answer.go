package httpapi

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"

	"github.com/qiniu/terraform-provider-kodo/internal/emulator/auth"
	"github.com/qiniu/terraform-provider-kodo/internal/emulator/engine"
	"github.com/qiniu/terraform-provider-kodo/internal/emulator/policy"
)

// Handlers return values. A value is written as JSON with status 200, nil as
// {}, with these exceptions.
type (
	// coded is a value with a status or a content type of its own.
	coded struct {
		status      int
		contentType string // application/json when empty
		value       any
	}
	// lines is written as JSON with each value on a line of its own.
	lines []any
	// streamed writes itself: a download.
	streamed interface {
		stream(w http.ResponseWriter, r *http.Request)
	}
)

// errHangUp makes serve close the connection without an answer.
var errHangUp = errors.New("hang up")

// maxDrain is how much of a body that nobody wants is read all the same. A
// server that answers and closes while the client is still sending makes the
// client see a broken connection instead of the answer.
const maxDrain = 64 << 20

// serve runs the call and writes its answer. It is the only place that does.
func (c *call) serve() {
	header := c.w.Header()
	header.Set("X-Reqid", newRequestID())
	header.Set("X-Log", "kodo-emulator")
	value, err := c.run()
	if errors.Is(err, errHangUp) || c.struckBy(FaultApplyThenDrop) {
		if closer, ok := value.(io.Closer); ok {
			closer.Close() //nolint:errcheck // Nothing was read from it.
		}
		c.w.hangUp()
		return
	}
	if err != nil {
		c.incoming.limit = 0                     // What is refused need not be slow.
		io.CopyN(io.Discard, c.r.Body, maxDrain) //nolint:errcheck // Whatever is left is left.
	}
	c.w.truncate, c.w.wrongHash = c.struckBy(FaultTruncate), c.struckBy(FaultWrongHash)
	if c.struckBy(FaultNoReqid) {
		header.Del("X-Reqid")
		header.Del("X-Log")
	}
	c.write(value, err)
	if c.w.truncate {
		c.w.hangUp()
	}
}

func (c *call) struckBy(kind FaultKind) bool { return c.fault != nil && c.fault.Do == kind }

func (c *call) write(value any, err error) {
	if err != nil {
		writeError(c.w, refusal(err))
		return
	}
	switch value := value.(type) {
	case nil:
		c.writeValue(coded{status: http.StatusOK, value: struct{}{}})
	case coded:
		c.writeValue(value)
	case streamed:
		value.stream(c.w, c.r)
	default:
		c.writeValue(coded{status: http.StatusOK, value: value})
	}
}

func (c *call) writeValue(answer coded) {
	if c.struckBy(FaultWrongHash) {
		value, err := withWrongHashes(answer.value)
		if err != nil {
			writeError(c.w, refusal(err))
			return
		}
		answer.value = value
	}
	writeJSON(c.w, answer)
}

// writeJSON writes a value, whole, so that its length is known.
func writeJSON(w http.ResponseWriter, answer coded) {
	values, inLines := answer.value.(lines)
	if !inLines {
		values = lines{answer.value}
	}
	var body bytes.Buffer
	encoder := json.NewEncoder(&body)
	encoder.SetEscapeHTML(false)
	for _, value := range values {
		if err := encoder.Encode(value); err != nil {
			writeError(w, refusal(err))
			return
		}
	}
	if !inLines {
		body.Truncate(body.Len() - 1) // The encoder's newline.
	}
	contentType := answer.contentType
	if contentType == "" {
		contentType = "application/json"
	}
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Content-Length", strconv.Itoa(body.Len()))
	w.WriteHeader(answer.status)
	w.Write(body.Bytes()) //nolint:errcheck // The client is gone, or a fault cut it off.
}

// errorBody is the JSON of every refusal.
type errorBody struct {
	Error     string `json:"error"`
	ErrorCode string `json:"error_code,omitempty"`
}

func writeError(w http.ResponseWriter, e *engine.Error) {
	if isCDNCode(e.Code) {
		writeJSON(w, coded{status: http.StatusOK, value: cdnResult{Code: e.Code, Error: e.Message}})
		return
	}
	writeJSON(w, coded{status: e.Code, value: errorBody{Error: e.Message, ErrorCode: e.ErrorCode}})
}

// refusal turns any error into what Kodo would answer. What is no refusal is a
// request that broke off, or a failure of ours, for which Kodo has 599.
func refusal(err error) *engine.Error {
	if known := knownRefusal(err); known != nil {
		return known
	}
	return &engine.Error{Code: 599, Message: "internal error: " + err.Error()}
}

// knownRefusal is refusal, but nil for a failure of ours.
func knownRefusal(err error) *engine.Error {
	var (
		fromEngine *engine.Error
		fromAuth   *auth.Error
		fromPolicy *policy.Error
		broken     *brokenBodyError
	)
	switch {
	case errors.As(err, &fromEngine):
		return fromEngine
	case errors.As(err, &fromAuth):
		return &engine.Error{Code: fromAuth.Status, Message: fromAuth.Text, ErrorCode: fromAuth.Code}
	case errors.As(err, &fromPolicy):
		return &engine.Error{Code: fromPolicy.Status, Message: fromPolicy.Text, ErrorCode: fromPolicy.Code}
	case errors.As(err, &broken):
		return &engine.Error{Code: http.StatusBadRequest, Message: broken.Error()}
	}
	return nil
}

// newRequestID returns an id in the form of Kodo's: 16 characters of URL-safe
// base64.
func newRequestID() string {
	var id [12]byte
	rand.Read(id[:]) //nolint:errcheck // It never fails.
	return base64.URLEncoding.EncodeToString(id[:])
}
