package httpapi

import (
	"encoding/base64"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/qiniu/terraform-provider-kodo/internal/emulator/auth"
	"github.com/qiniu/terraform-provider-kodo/internal/emulator/engine"
)

// maxManagementBody bounds the body of a management call. The largest is a
// batch of 1000 operations with two long keys each, escaped: some 6 MiB.
const maxManagementBody = 16 << 20

// call is one request on its way through the server.
type call struct {
	s     *Server
	w     *response
	r     *http.Request
	route route
	admin bool // neither recorded nor delayed, and out of the faults' reach

	incoming  *pacedBody // the body of r
	path      string     // as sent, escapes and all
	target    string     // path and query as sent
	region    string     // of the upload host that the request is for, if it is one of Kodo's own
	command   string     // which route
	arguments []string   // the segments after the command, still escaped

	body   []byte     // of a management call
	params url.Values // of the query and of a form
	owner  string     // the account that signed a management call

	fault *Fault // what is still to happen to the answer
}

func (s *Server) newCall(w http.ResponseWriter, r *http.Request) *call {
	target := r.RequestURI
	if _, rest, ok := strings.Cut(target, "://"); ok && target[0] != '/' { // As sent to a proxy.
		_, target, _ = strings.Cut(rest, "/")
		target = "/" + target
	}
	path, _, _ := strings.Cut(target, "?")
	c := &call{s: s, r: r, path: path, target: target, params: r.URL.Query()}
	c.w = newResponse(w, s.config.Idle, func(status int) {
		if !c.admin {
			s.Log.add(Request{Method: r.Method, Service: c.route.service, Path: path, Status: status})
		}
	})
	c.incoming = &pacedBody{ReadCloser: &idleBody{ReadCloser: r.Body, conn: c.w.conn, idle: s.config.Idle}, call: c}
	r.Body = c.incoming
	return c
}

// run lets the request meet the faults, checks who signed it, and has it
// handled.
func (c *call) run() (any, error) {
	if !c.admin {
		if err := c.s.wait(c.r.Context(), c.s.config.Latency, nil); err != nil {
			return nil, err
		}
	}
	if c.route.signed {
		if err := c.readBody(); err != nil {
			return nil, err
		}
	}
	if c.route.targets != nil {
		if err := c.arrive(func() []target { return c.route.targets(c) }); err != nil {
			return nil, err
		}
	}
	if c.route.signed {
		if err := c.authenticate(); err != nil {
			return nil, err
		}
	}
	return c.route.handle(c)
}

// readBody reads the body of a management call and the parameters in it.
func (c *call) readBody() error {
	body, err := io.ReadAll(io.LimitReader(c.r.Body, maxManagementBody+1))
	if err != nil {
		return err
	}
	if len(body) > maxManagementBody {
		return &engine.Error{Code: http.StatusRequestEntityTooLarge, Message: "request body too large"}
	}
	c.body = body
	contentType, _, _ := strings.Cut(c.r.Header.Get("Content-Type"), ";")
	if !strings.EqualFold(strings.TrimSpace(contentType), "application/x-www-form-urlencoded") {
		return nil
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return invalidArgument()
	}
	for name, values := range form {
		c.params[name] = append(c.params[name], values...)
	}
	return nil
}

// authenticate finds out whose management call this is.
func (c *call) authenticate() error {
	owner, err := c.verifier().Management(auth.Request{
		Method: c.r.Method, Host: c.r.Host, RawPath: c.path, Path: c.r.URL.Path,
		RawQuery: c.r.URL.RawQuery, Header: c.r.Header, Body: c.body,
	})
	c.owner = owner
	return err
}

// verifier is the server's, by a clock that a fault may have set wrong.
func (c *call) verifier() *auth.Verifier {
	if c.fault != nil && c.fault.Do == FaultClockSkew {
		return c.s.verifier.Ahead(c.fault.Skew.Duration())
	}
	return c.s.verifier
}

// arrive lets the faults have their way with the request, once what it is
// about is known and before anything has happened.
func (c *call) arrive(targets func() []target) error {
	if c.admin {
		return nil
	}
	fault, removed := c.s.Faults.next(c.route.service, c.r.Method, c.path, targets)
	if fault == nil {
		return nil
	}
	if err := c.s.wait(c.r.Context(), fault.Delay.Duration(), removed); err != nil {
		return err
	}
	switch fault.Do {
	case FaultStatus:
		return &engine.Error{Code: fault.Status, Message: fault.Error}
	case FaultDropBefore:
		return errHangUp
	case FaultRate:
		return &engine.Error{Code: rateCode(c.route.service), Message: fault.Error}
	case FaultNoSpace:
		return &engine.Error{Code: 599, Message: "internal error: no space left on device"}
	case FaultWrongRegion:
		return c.wrongRegion(fault, targets())
	case FaultInvisible:
		if err := c.unseen(fault, targets()); err != nil {
			return err
		}
	}
	c.fault = fault
	return nil
}

// rateCode is how a service refuses what comes too fast.
func rateCode(service string) int {
	if service == serviceCDN {
		return 403024
	}
	return 573
}

// wrongRegion is how Kodo refuses an upload to a host of another region.
func (c *call) wrongRegion(fault *Fault, targets []target) error {
	text := fault.Error
	for _, t := range targets {
		if bucket, err := c.s.engine.AnyBucket(t.bucket); err == nil && text == "" {
			return incorrectRegion(bucket.Region)
		}
	}
	if text == "" {
		return incorrectRegion("z0")
	}
	return &engine.Error{Code: http.StatusBadRequest, Message: text}
}

func incorrectRegion(region string) error {
	return &engine.Error{
		Code: http.StatusBadRequest, Message: "incorrect region, please use up-" + region + ".qiniup.com",
	}
}

// unseen refuses a request about one thing that a fault hides. What batches and
// listings see, they ask the fault for themselves.
func (c *call) unseen(fault *Fault, targets []target) error {
	switch {
	case c.command == "batch", targets[0].allBuckets(), targets[0].listed && fault.Match.Key != nil:
		return nil
	case c.route.service == serviceIO:
		return &engine.Error{Code: http.StatusNotFound, Message: "Document not found"}
	case fault.Match.Key == nil:
		return noSuchBucket()
	}
	return noSuchObject()
}

func noSuchBucket() error { return &engine.Error{Code: 631, Message: "no such bucket"} }

func noSuchObject() error { return &engine.Error{Code: 612, Message: "no such file or directory"} }

// argument returns a positional argument with its escapes decoded.
func (c *call) argument(i int) (string, error) {
	if i >= len(c.arguments) {
		return "", invalidArgument()
	}
	text, err := url.PathUnescape(c.arguments[i])
	if err != nil {
		return "", invalidArgument()
	}
	return text, nil
}

// allArguments returns the positional arguments with their escapes decoded.
func (c *call) allArguments() ([]string, error) {
	var arguments []string
	for i := range c.arguments {
		argument, err := c.argument(i)
		if err != nil {
			return nil, err
		}
		arguments = append(arguments, argument)
	}
	return arguments, nil
}

// number returns a decimal parameter, or otherwise if it is absent or empty.
func (c *call) number(name string, otherwise int) (int, error) {
	text := c.params.Get(name)
	if text == "" {
		return otherwise, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		return 0, invalidArgument()
	}
	return n, nil
}

// flag returns a parameter that must be 0 or 1.
func (c *call) flag(name string) (bool, error) {
	switch c.params.Get(name) {
	case "0":
		return false, nil
	case "1":
		return true, nil
	}
	return false, invalidArgument()
}

// optionalFlag is flag for one that may be absent or empty, which is 0.
func (c *call) optionalFlag(name string) (bool, error) {
	if c.params.Get(name) == "" {
		return false, nil
	}
	return c.flag(name)
}

func invalidArgument() error {
	return &engine.Error{Code: http.StatusBadRequest, Message: "invalid argument"}
}

// decodeText decodes a segment of URL-safe base64. Kodo's clients pad it.
func decodeText(segment string) (string, error) {
	raw, err := base64.URLEncoding.DecodeString(segment)
	if err != nil {
		return "", invalidArgument()
	}
	return string(raw), nil
}

// decodeEntry decodes "<bucket>:<key>". The first colon splits; the key may
// hold anything. Without a colon it names no object, which Kodo answers as a
// bucket that does not exist (fact:object-entry-without-key).
func decodeEntry(segment string) (bucket, key string, err error) {
	entry, err := decodeText(segment)
	if err != nil {
		return "", "", err
	}
	bucket, key, ok := strings.Cut(entry, ":")
	if !ok {
		return "", "", noSuchBucket()
	}
	if !utf8.ValidString(key) {
		return "", "", &engine.Error{Code: http.StatusBadRequest, Message: "key must be utf8 encoding"}
	}
	return bucket, key, nil
}

// target is a bucket, or an object if keyed, that a request is about.
type target struct {
	bucket, key string
	keyed       bool
	made        bool // the request is the one that makes it
	listed      bool // all objects of the bucket, or all buckets if none is named
}

func (t target) allBuckets() bool { return t.listed && t.bucket == "" }

func nowhere(*call) []target { return nil }

func allBuckets(*call) []target { return []target{{listed: true}} }

func bucketArgument(c *call) []target {
	bucket, err := c.argument(0)
	if err != nil {
		return nil
	}
	return []target{{bucket: bucket}}
}

func newBucketArgument(c *call) []target {
	targets := bucketArgument(c)
	for i := range targets {
		targets[i].made = true
	}
	return targets
}

func objectsOfBucketParam(c *call) []target {
	targets := bucketParam(c)
	for i := range targets {
		targets[i].listed = true
	}
	return targets
}

func bucketParam(c *call) []target {
	for _, name := range []string{"bucket", "tbl"} {
		if c.params.Has(name) {
			return []target{{bucket: c.params.Get(name)}}
		}
	}
	return nil
}

func entryArgument(c *call) []target {
	var arguments []string
	for i := range c.arguments {
		if argument, err := c.argument(i); err == nil {
			arguments = append(arguments, argument)
		}
	}
	return entriesOf(c.command, arguments)
}

// entriesOf returns the objects that an operation is about: the entry, and the one
// that copy and move make.
func entriesOf(op string, arguments []string) []target {
	if len(arguments) == 0 {
		return nil
	}
	targets := entryTarget(arguments[0])
	if (op == "copy" || op == "move") && len(arguments) > 1 {
		for _, t := range entryTarget(arguments[1]) {
			t.made = true
			targets = append(targets, t)
		}
	}
	return targets
}

func entryTarget(segment string) []target {
	bucket, key, err := decodeEntry(segment)
	if err != nil {
		return nil
	}
	return []target{{bucket: bucket, key: key, keyed: true}}
}
