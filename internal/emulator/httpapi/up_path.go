package httpapi

import (
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/qiniu/terraform-provider-kodo/internal/emulator/engine"
	"github.com/qiniu/terraform-provider-kodo/internal/emulator/policy"
)

// pathWords reads what the path of putb64 or mkfile says: the size, and after it
// pairs of a name and a value, in whatever order. Names that nobody knows are passed
// over (fact:upload-path-names).
func (c *call) pathWords() (size int64, said words, err error) {
	arguments, err := c.allArguments()
	if err != nil {
		return 0, words{}, err
	}
	if len(arguments)%2 == 0 {
		return 0, words{}, invalidArgument()
	}
	if size, err = strconv.ParseInt(arguments[0], 10, 64); err != nil || size < -1 {
		return 0, words{}, invalidArgument()
	}
	for i := 1; i < len(arguments); i += 2 {
		if err := said.addSegment(arguments[i], arguments[i+1]); err != nil {
			return 0, words{}, err
		}
	}
	return size, said, nil
}

// addSegment notes a pair of a path. All values but crc32 are URL-safe base64.
func (w *words) addSegment(name, segment string) error {
	if name == "crc32" {
		w.crc32 = segment
		return nil
	}
	_, isMeta := metaName(name)
	_, isHeader := standardHeader(name)
	if name != "key" && name != "mimeType" && name != "fname" && !isMeta && !isHeader && !strings.HasPrefix(name, "x:") {
		return nil
	}
	value, err := decodeText(segment)
	if err != nil {
		return err
	}
	switch name {
	case "key":
		w.key = &value
	case "mimeType":
		w.mimeType = value
	case "fname":
		w.fileName = value
	default:
		w.add(name, value)
	}
	return nil
}

// tokenTarget is what an upload is about whose bucket only its token names, and whose
// key its path names, if it does.
func tokenTarget(c *call) []target {
	p, ok := policyOf(headerToken(c.r))
	if !ok {
		return nil
	}
	if _, said, err := c.pathWords(); err == nil && said.key != nil {
		return []target{{bucket: p.Bucket(), key: *said.key, keyed: true, made: true}}
	}
	return []target{{bucket: p.Bucket()}}
}

// policyOf reads the policy of a token, whoever has signed it.
func policyOf(token string) (policy.Policy, bool) {
	parsed, err := policy.ParseToken(token)
	if err != nil {
		return policy.Policy{}, false
	}
	p, err := policy.Parse(parsed.Policy)
	return p, err == nil
}

// base64Upload serves POST /putb64/<size>[/key/<key>][/…], whose body is base64 of
// the usual alphabet. The size is that of the content, or -1.
func (s *Server) base64Upload(c *call) (any, error) {
	size, said, err := c.pathWords()
	if err != nil {
		return nil, err
	}
	granted, err := c.grant(headerToken(c.r))
	if err != nil {
		return nil, err
	}
	if err := granted.policy.CheckLimit(size); err != nil {
		return nil, err
	}
	blob, head, err := granted.receive(s, &base64Body{base64.NewDecoder(base64.StdEncoding, c.r.Body)})
	if err != nil {
		return nil, err
	}
	defer blob.Discard()
	if size >= 0 && size != blob.Size {
		return nil, &engine.Error{Code: http.StatusBadRequest, Message: "the content has another size than the path says"}
	}
	if err := said.checkCRC32(blob); err != nil {
		return nil, err
	}
	return c.deliver(&delivery{grant: granted, words: said, api: policy.Form, head: head, store: s.storing(blob)})
}

// storing returns how a delivery that is one blob becomes an object.
func (s *Server) storing(blob *engine.Blob) func(engine.Put) (engine.Object, error) {
	return func(put engine.Put) (engine.Object, error) {
		put.Blob = blob
		return s.engine.PutObject(put)
	}
}

// base64Body tells a text that is no base64 from one that did not come whole.
type base64Body struct{ io.Reader }

func (b *base64Body) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	var broken *brokenBodyError
	if err != nil && err != io.EOF && !errors.As(err, &broken) { //nolint:errorlint // Readers return io.EOF itself.
		err = &engine.Error{Code: http.StatusBadRequest, Message: "the body is not base64"}
	}
	return n, err
}
