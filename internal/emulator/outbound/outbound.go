// Package outbound sends the requests that Kodo itself makes: callbacks of
// uploads, notifications of events, downloads for fetch.
//
// Whoever may upload chooses where they go, so they go to loopback addresses
// only, unless the emulator was started with leave for others. The address is
// looked at when the connection is made, after names were resolved: a name
// cannot stand for one address when it is checked and for another when it is
// used. The package must never know what it sends.
package outbound

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"syscall"
	"time"

	"github.com/qiniu/terraform-provider-kodo/internal/emulator/auth"
)

const (
	// patience is how long a POST may take, and how long the header of a GET.
	patience = 10 * time.Second
	// maxAnswer bounds the body of an answer to a POST, in bytes.
	maxAnswer = 1 << 20
)

// ErrNotLoopback is why a request was not sent to another machine.
var ErrNotLoopback = errors.New("only loopback addresses are allowed, unless the emulator is started with --allow-remote")

// Config is what a Client needs.
type Config struct {
	Verifier    *auth.Verifier // signs for the accounts
	AllowRemote bool           // connect to other machines, too
}

// Client sends requests until it is closed. It uses no proxy.
type Client struct {
	verifier *auth.Verifier
	http     *http.Client
	ctx      context.Context // ends with Close
	close    context.CancelFunc
}

// New returns a Client, which must be closed.
func New(config Config) *Client {
	dialer := &net.Dialer{Timeout: patience}
	if !config.AllowRemote {
		dialer.Control = onlyLoopback
	}
	c := &Client{
		verifier: config.Verifier,
		http: &http.Client{
			Transport: &http.Transport{
				DialContext: dialer.DialContext, TLSHandshakeTimeout: patience, ResponseHeaderTimeout: patience,
				DisableKeepAlives: true, // So that nothing stays open.
			},
		},
	}
	c.ctx, c.close = context.WithCancel(context.Background())
	return c
}

// Close ends the requests under way and fails later ones.
func (c *Client) Close() { c.close() }

// onlyLoopback is called with the address that is about to be connected to.
func onlyLoopback(_, address string, _ syscall.RawConn) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil {
		return err
	}
	if !to.Addr().Unmap().IsLoopback() {
		return fmt.Errorf("connect to %s: %w", to, ErrNotLoopback)
	}
	return nil
}

// Message is a POST.
type Message struct {
	URL         string // http or https
	Host        string // the Host header, that of URL when empty
	ContentType string
	Body        []byte
	// Scheme and AccessKey say how to sign, and for which account. Without a Scheme
	// it is not signed.
	Scheme    auth.Scheme
	AccessKey string
}

// Answer is what a server said to a Message.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// Post sends a message and reads the answer, whatever its status. It follows no
// redirect, which nobody has signed.
func (c *Client) Post(ctx context.Context, m Message) (Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	defer context.AfterFunc(c.ctx, cancel)()
	req, err := newRequest(ctx, http.MethodPost, m.URL, m.Host, m.Body)
	if err != nil {
		return Answer{}, err
	}
	req.Header.Set("Content-Type", m.ContentType)
	if m.Scheme != "" {
		authorization, err := c.verifier.Sign(m.Scheme, m.AccessKey, auth.Request{
			Method: req.Method, Host: req.Host, RawPath: req.URL.EscapedPath(), Path: req.URL.Path,
			RawQuery: req.URL.RawQuery, Header: req.Header, Body: m.Body,
		})
		if err != nil {
			return Answer{}, err
		}
		req.Header.Set("Authorization", authorization)
	}
	stay := *c.http
	stay.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	res, err := stay.Do(req)
	if err != nil {
		return Answer{}, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))
	if err == nil && len(body) > maxAnswer {
		err = fmt.Errorf("the answer is longer than %d bytes", maxAnswer)
	}
	return Answer{Status: res.StatusCode, Header: res.Header, Body: body}, err
}

// Get asks for a URL, following redirects, and returns the answer with its body
// to read, for as long as ctx lasts and the Client is open. The caller closes
// the body. host is the Host header, that of the URL when empty.
func (c *Client) Get(ctx context.Context, url, host string) (*http.Response, error) {
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(c.ctx, cancel)
	end := func() { stop(); cancel() }
	req, err := newRequest(ctx, http.MethodGet, url, host, nil)
	if err != nil {
		end()
		return nil, err
	}
	res, err := c.http.Do(req)
	if err != nil {
		end()
		return nil, err
	}
	res.Body = &endingBody{ReadCloser: res.Body, end: end}
	return res, nil
}

// endingBody lets go of a request's context when it is closed.
type endingBody struct {
	io.ReadCloser
	end func()
}

func (b *endingBody) Close() error {
	defer b.end()
	return b.ReadCloser.Close()
}

func newRequest(ctx context.Context, method, target, host string, body []byte) (*http.Request, error) {
	parsed, err := url.Parse(target)
	if err != nil {
		return nil, err
	}
	if (parsed.Scheme != "http" && parsed.Scheme != "https") || parsed.Host == "" {
		return nil, fmt.Errorf("%q is not an http or https URL", target)
	}
	req, err := http.NewRequestWithContext(ctx, method, target, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	if host != "" {
		req.Host = host
	}
	if req.URL.Path == "" {
		req.URL.Path = "/" // As it is sent, and so signed.
	}
	req.Header.Set("User-Agent", "kodo-emulator")
	return req, nil
}
