package httpapi

import (
	"net/http"
	"path"
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
// enforced, and that it has not expired. Kodo checks the deadline when the
// object comes into being, so this is called when all bytes are there.
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

// uploaded is the answer to an upload whose policy says nothing about it.
type uploaded struct {
	Hash string `json:"hash"`
	Key  string `json:"key"`
}

func uploadedAs(o engine.Object) uploaded { return uploaded{Hash: o.Hash, Key: o.Key} }

// addMeta notes a field of an upload that is metadata, or a response header, which
// is kept as metadata. An empty header is none.
func addMeta(meta map[string]string, field, value string) {
	if name, ok := metaName(field); ok {
		meta[name] = value
	} else if header, ok := standardHeader(field); ok && value != "" {
		meta["!"+header] = value
	}
}

// mimeOf returns the content type by Kodo's default order: what the client
// says, the extension of its file name, that of the key, the content. Under a
// policy with detectMime -1 the client's word is all there is.
func mimeOf(p policy.Policy, given, fileName, key string, head []byte) string {
	if given != "" {
		return given
	}
	if p.DetectMime == -1 {
		return "application/octet-stream"
	}
	for _, name := range []string{fileName, key} {
		if byName := mimeByExtension(path.Ext(name)); byName != "" {
			return byName
		}
	}
	if len(head) == 0 {
		return "application/octet-stream"
	}
	sniffed, _, _ := strings.Cut(http.DetectContentType(head), ";")
	return sniffed
}

// mimeByExtension is a table of its own, because that of package mime differs
// from machine to machine.
func mimeByExtension(extension string) string {
	switch strings.ToLower(extension) {
	case ".html", ".htm":
		return "text/html"
	case ".css":
		return "text/css"
	case ".txt":
		return "text/plain"
	case ".md":
		return "text/markdown"
	case ".csv":
		return "text/csv"
	case ".js", ".mjs":
		return "application/javascript"
	case ".json":
		return "application/json"
	case ".xml":
		return "application/xml"
	case ".pdf":
		return "application/pdf"
	case ".zip":
		return "application/zip"
	case ".gz":
		return "application/gzip"
	case ".wasm":
		return "application/wasm"
	case ".png":
		return "image/png"
	case ".jpg", ".jpeg":
		return "image/jpeg"
	case ".gif":
		return "image/gif"
	case ".svg":
		return "image/svg+xml"
	case ".webp":
		return "image/webp"
	case ".ico":
		return "image/x-icon"
	case ".mp3":
		return "audio/mpeg"
	case ".mp4":
		return "video/mp4"
	case ".woff":
		return "font/woff"
	case ".woff2":
		return "font/woff2"
	case ".ttf":
		return "font/ttf"
	}
	return ""
}
