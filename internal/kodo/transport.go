package kodo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"time"
)

// maxAnswer bounds what is read of one answer. The largest are pages of 1000 objects, of some 2 KiB each.
const maxAnswer = 32 << 20

// An Exchange is one request and what came of it, for a line of log. It holds no query, header or body, and so no
// key, token or signature.
type Exchange struct {
	Method    string
	Service   string // "uc", "up", "rs", "rsf", "cdn"
	Host      string
	Path      string        // without the query
	Status    int           // 0 if no answer came
	RequestID string        // Kodo's X-Reqid
	Duration  time.Duration // from the first byte sent to the last byte received
	Sent      int64         // bytes of the request's body
	Received  int64         // bytes of the answer's body
	Err       error         // why no complete answer came
}

// exchange is what one attempt's request came to; the SDK's errors do not say it all.
type exchange struct {
	service   service
	host      string
	sent      bool // a request went out, or was about to
	status    int
	requestID string
	kodo      bool  // the answer bears the marks of Kodo
	err       error // why no complete answer came
}

// markedID returns the request id of an answer of Kodo; "" for an answer of somebody else.
func (x *exchange) markedID() string {
	if x.kodo && x.requestID == "" {
		return "unknown" // marked as Kodo's by X-Log alone
	}
	return x.requestID
}

type exchangeKey struct{}

func (x *exchange) within(ctx context.Context) context.Context {
	return context.WithValue(ctx, exchangeKey{}, x)
}

// exchangeIn returns the exchange of the attempt that the context belongs to.
func exchangeIn(ctx context.Context) *exchange {
	if x, ok := ctx.Value(exchangeKey{}).(*exchange); ok {
		return x
	}
	return &exchange{} // nobody asks for it
}

// recorder sends requests, reads their answers whole, and records each exchange in its context and in the log.
// Every answer that the Client asks for is small, so that a cut one is known here, before anybody decodes it.
type recorder struct {
	base      http.RoundTripper
	userAgent string
	log       func(context.Context, Exchange)
}

func newTransport(config Config) *http.Transport {
	dialer := net.Dialer{Timeout: config.IdleTimeout}
	return &http.Transport{
		// Proxy stays nil: nothing of the environment redirects the Client.
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := dialer.DialContext(ctx, network, address)
			if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
				// A timeout of the dialer's own. Whoever asks an error for that means the caller's deadline.
				return nil, errors.New(err.Error())
			}
			if err != nil {
				return nil, err
			}
			return newIdleConn(conn, config.IdleTimeout), nil
		},
		TLSHandshakeTimeout: config.IdleTimeout,
		MaxIdleConns:        0, // no bound but the one for each host
		MaxIdleConnsPerHost: config.Concurrency,
		// Shorter than the connection's own deadline, so that a connection never dies while it is taken from the pool.
		IdleConnTimeout:    config.IdleTimeout / 2,
		DisableCompression: true,
		// A small file leaves in one write, and the answer to a batch comes in few reads.
		WriteBufferSize: connBuffer,
		ReadBufferSize:  connBuffer,
	}
}

// RoundTrip implements http.RoundTripper.
func (r *recorder) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx := req.Context()
	seen := exchangeIn(ctx)
	seen.host, seen.sent = req.URL.Host, true
	var sent atomic.Int64
	out := req.Clone(ctx)
	out.Header.Set("User-Agent", r.userAgent)
	countBody(out, &sent)

	start := time.Now()
	resp, body, err := r.exchange(out)
	if resp != nil {
		seen.status = resp.StatusCode
		seen.requestID = resp.Header.Get("X-Reqid")
		seen.kodo = seen.requestID != "" || resp.Header.Get("X-Log") != ""
	}
	seen.err = err
	if r.log != nil {
		r.log(ctx, Exchange{
			Method: req.Method, Service: string(seen.service), Host: req.URL.Host, Path: req.URL.EscapedPath(),
			Status: seen.status, RequestID: seen.requestID, Duration: time.Since(start),
			Sent: sent.Load(), Received: int64(len(body)), Err: err,
		})
	}
	if err != nil {
		return nil, err
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return resp, nil
}

// exchange sends a request and reads the whole answer. The response is there with an error if only its head came.
func (r *recorder) exchange(req *http.Request) (*http.Response, []byte, error) {
	resp, err := r.base.RoundTrip(req)
	if err != nil {
		return nil, nil, err
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if closed := resp.Body.Close(); err == nil {
		err = closed
	}
	if err == nil && len(body) > maxAnswer {
		err = fmt.Errorf("the answer is longer than %d bytes", maxAnswer)
	}
	return resp, body, err
}

// countBody counts what is read of the request's body, also when the transport begins it anew on another connection.
func countBody(req *http.Request, sent *atomic.Int64) {
	if req.Body == nil || req.Body == http.NoBody {
		return
	}
	req.Body = countingBody{req.Body, sent}
	if again := req.GetBody; again != nil {
		req.GetBody = func() (io.ReadCloser, error) {
			body, err := again()
			if err != nil {
				return nil, err
			}
			return countingBody{body, sent}, nil
		}
	}
}

type countingBody struct {
	io.ReadCloser
	n *atomic.Int64
}

func (b countingBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.n.Add(int64(n))
	return n, err
}

// connBuffer is what a connection gathers in bytes, each way.
const connBuffer = 32 << 10

// sendBuffer bounds what the system takes over before it is sent: those bytes have not moved yet. On a slow link a
// large buffer would take longer to drain than the connection may be idle.
const sendBuffer = 256 << 10

// idleConn is a connection that fails when no byte has moved for some time, in either direction: while a large body
// is being sent the server is silent, and while the server works nothing is sent.
type idleConn struct {
	net.Conn
	idle time.Duration
}

func newIdleConn(conn net.Conn, idle time.Duration) *idleConn {
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetWriteBuffer(sendBuffer) // a wish; the system may know better
	}
	c := &idleConn{conn, idle}
	c.push()
	return c
}

func (c *idleConn) push() {
	// The deadline of a closed connection cannot be set; the read or write that follows says so.
	_ = c.SetDeadline(time.Now().Add(c.idle))
}

func (c *idleConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if n > 0 {
		c.push()
	}
	return n, err
}

// Write is given at most 32 KiB at a time by the HTTP client, so that each call moves bytes if the link does.
func (c *idleConn) Write(p []byte) (int, error) {
	c.push() // a connection from the pool has been idle
	n, err := c.Conn.Write(p)
	c.push()
	return n, err
}
