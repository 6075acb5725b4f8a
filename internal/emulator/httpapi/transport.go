package httpapi

import (
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"
)

// brokenBodyError is a request body that could not be read to its end.
type brokenBodyError struct{ err error }

func (e *brokenBodyError) Error() string { return "cannot read the request body: " + e.err.Error() }
func (e *brokenBodyError) Unwrap() error { return e.err }

// idleBody reads a request body and gives up when no byte arrives for a while,
// however long the whole takes. How it has ended it says again to all that ask:
// net/http tells only once that a body was cut, and io.EOF after that.
type idleBody struct {
	io.ReadCloser
	conn   *http.ResponseController
	idle   time.Duration
	pushed time.Time
	end    error // nil before the end
}

func (b *idleBody) Read(p []byte) (int, error) {
	if b.end != nil {
		return 0, b.end
	}
	if now := time.Now(); now.Sub(b.pushed) > b.idle/8 { // Not at each of many small reads.
		b.pushed = now
		b.setDeadline(now.Add(b.idle))
	}
	n, err := b.ReadCloser.Read(p)
	switch {
	case err == io.EOF:
		// net/http goes on reading to notice that the client leaves; a deadline
		// would look like that.
		b.setDeadline(time.Time{})
	case err != nil:
		err = &brokenBodyError{err}
	}
	b.end = err
	return n, err
}

// pacedBody reads a request body no faster than an upload token allows, seen from
// where the token was known.
type pacedBody struct {
	io.ReadCloser
	call  *call
	limit int64     // bits a second, 0 for no limit
	due   time.Time // when what was read under the limit may have come
}

func (b *pacedBody) Read(p []byte) (int, error) {
	if b.limit == 0 {
		return b.ReadCloser.Read(p)
	}
	if b.due.IsZero() {
		b.due = time.Now()
	}
	n, err := b.ReadCloser.Read(p)
	b.due = b.due.Add(time.Duration(n) * 8 * time.Second / time.Duration(b.limit))
	if err := b.call.s.wait(b.call.r.Context(), time.Until(b.due), nil); err != nil {
		return 0, &brokenBodyError{err}
	}
	return n, err
}

// setDeadline has no say where there is no connection, or it is closed: then
// reading tells.
func (b *idleBody) setDeadline(t time.Time) {
	b.conn.SetReadDeadline(t) //nolint:errcheck // See above.
}

// response records the status when it is known, which is before the client can
// know it, and gives up on clients that do not read.
type response struct {
	http.ResponseWriter
	conn     *http.ResponseController
	idle     time.Duration
	record   func(status int)
	recorded bool

	wrongHash bool  // of a fault: name another Etag
	truncate  bool  // of a fault: cut the body in the middle
	left      int64 // how much of it is still to be written, if truncate
}

func newResponse(w http.ResponseWriter, idle time.Duration, record func(int)) *response {
	res := &response{ResponseWriter: w, conn: http.NewResponseController(w), idle: idle, record: record}
	res.pushDeadline() // The one before may have been for the last answer.
	return res
}

// Unwrap gives http.ResponseController the connection.
func (w *response) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *response) pushDeadline() {
	w.conn.SetWriteDeadline(time.Now().Add(w.idle)) //nolint:errcheck // Writing tells, as with idleBody.
}

func (w *response) note(status int) {
	if !w.recorded {
		w.recorded = true
		w.record(status)
	}
}

// WriteHeader records the status and sends the header.
func (w *response) WriteHeader(status int) {
	w.note(status)
	if w.truncate {
		length, err := strconv.ParseInt(w.Header().Get("Content-Length"), 10, 64)
		if err != nil {
			length = 2
		}
		w.left = length / 2
	}
	if w.wrongHash && w.Header().Get("Etag") != "" {
		w.Header().Set("Etag", `"`+wrongETag+`"`)
	}
	w.ResponseWriter.WriteHeader(status)
}

// errTruncated ends an answer that a fault cuts.
var errTruncated = errors.New("cut by a fault")

// Write sends a part of the body.
func (w *response) Write(p []byte) (int, error) {
	if !w.recorded {
		w.WriteHeader(http.StatusOK)
	}
	w.pushDeadline()
	if w.truncate && int64(len(p)) > w.left {
		n, err := w.ResponseWriter.Write(p[:w.left])
		w.left = 0
		return n, errors.Join(err, errTruncated)
	}
	n, err := w.ResponseWriter.Write(p)
	w.left -= int64(n)
	return n, err
}

// hangUp closes the connection, after what was written so far. A request that
// got no answer is recorded with status 0.
func (w *response) hangUp() {
	if w.recorded {
		w.conn.Flush() //nolint:errcheck // The client may have left.
	}
	w.note(0)
	conn, _, err := w.conn.Hijack()
	if err != nil {
		// Without a connection of its own there is only the sanctioned panic,
		// which ends the answer as brokenly as it can.
		panic(http.ErrAbortHandler)
	}
	conn.Close() //nolint:errcheck // That is the point.
}
