package httpapi

import (
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/qiniu/terraform-provider-kodo/internal/emulator/engine"
	"github.com/qiniu/terraform-provider-kodo/internal/emulator/policy"
)

// grant is an upload token whose signature is good.
type grant struct {
	owner  string
	policy policy.Policy
}

// grant verifies an upload token: who signed it, that the policy can be
// enforced, and that it has not expired. From then on the body comes as fast as
// the policy allows (fact:upload-traffic-limit). Kodo checks the deadline when the
// object comes into being, and before that (fact:upload-deadline-each-call).
func (c *call) grant(text string) (grant, error) {
	token, err := policy.ParseToken(text)
	if err != nil {
		return grant{}, err
	}
	if err := c.verifier().Signature(token.AccessKey, token.Sign, token.Policy); err != nil {
		return grant{}, err
	}
	p, err := policy.Parse(token.Policy)
	if err != nil {
		return grant{}, err
	}
	if err := c.verifier().Expired(p.Deadline); err != nil {
		return grant{}, err
	}
	c.incoming.limit = p.TrafficLimit
	return grant{owner: token.AccessKey, policy: p}, c.checkRegion(p.Bucket())
}

// checkRegion refuses a bucket of another region than that of the host by which
// the request came (fact:request-region-host).
func (c *call) checkRegion(name string) error {
	if c.region == "" {
		return nil
	}
	bucket, err := c.s.engine.AnyBucket(name)
	if err != nil {
		return err
	}
	if bucket.Region != c.region {
		return incorrectRegion(bucket.Region)
	}
	return nil
}

// headerToken returns the token of "Authorization: UpToken <token>", empty if
// there is none.
func headerToken(r *http.Request) string {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if scheme != "UpToken" {
		return ""
	}
	return token
}

// words are what a client says of what it uploads: in fields of a form, of a path or
// of JSON.
type words struct {
	key      *string // nil: absent, which is not the same as empty
	fileName string
	mimeType string
	crc32    string            // decimal, IEEE
	custom   map[string]string // custom variables, by names that begin with "x:"
	meta     map[string]string
}

// add notes a field that is a custom variable, metadata, or a response header, which
// is kept as metadata. An empty header is none.
func (w *words) add(field, value string) {
	if strings.HasPrefix(field, "x:") {
		w.custom = with(w.custom, field, value)
	} else if name, ok := metaName(field); ok {
		w.meta = with(w.meta, name, value)
	} else if header, ok := standardHeader(field); ok && value != "" {
		w.meta = with(w.meta, "!"+header, value)
	}
}

// with adds to a map, which is made when it is needed.
func with(m map[string]string, name, value string) map[string]string {
	if m == nil {
		m = map[string]string{}
	}
	m[name] = value
	return m
}

// checkCRC32 holds content against the checksum that came with it, if one did.
func (w *words) checkCRC32(blob *engine.Blob) error {
	if w.crc32 == "" {
		return nil
	}
	want, err := strconv.ParseUint(w.crc32, 10, 32)
	if err != nil {
		return invalidArgument()
	}
	if uint32(want) != blob.CRC32 {
		return &engine.Error{Code: http.StatusNotAcceptable, Message: "CRC32 mismatch"}
	}
	return nil
}

// receive reads content up to the policy's limit, and remembers its first bytes.
func (g grant) receive(s *Server, r io.Reader) (blob *engine.Blob, head []byte, err error) {
	content := &limited{Reader: r, policy: g.policy}
	blob, err = s.engine.NewBlob(content)
	return blob, content.head, err
}

// limited reads content as far as a policy allows.
type limited struct {
	io.Reader
	policy policy.Policy
	size   int64
	head   []byte
}

func (l *limited) Read(p []byte) (int, error) {
	n, err := l.Reader.Read(p)
	if missing := engine.HeadSize - len(l.head); missing > 0 {
		l.head = append(l.head, p[:min(n, missing)]...)
	}
	l.size += int64(n)
	if refused := l.policy.CheckLimit(l.size); refused != nil {
		return n, refused
	}
	return n, err
}
