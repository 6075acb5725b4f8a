package httpapi

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/qiniu/terraform-provider-kodo/internal/emulator/engine"
)

// downloadRoute serves everything that comes in by a bucket's download domain.
// An empty name is that of a domain whose bucket is gone. domain is empty where there
// is no CDN.
func downloadRoute(bucket, domain string) route {
	return route{
		service: serviceIO,
		targets: func(c *call) []target { return []target{{bucket: bucket, key: downloadKey(c.r), keyed: true}} },
		handle:  func(c *call) (any, error) { return c.s.download(c, bucket, domain) },
	}
}

// downloadKey is the decoded path without the slash that every path begins
// with: further slashes belong to the key.
func downloadKey(r *http.Request) string { return strings.TrimPrefix(r.URL.Path, "/") }

func (s *Server) download(c *call, name, domain string) (any, error) {
	bucket, err := s.engine.AnyBucket(name)
	if codeOf(err) == 631 {
		return nil, &engine.Error{Code: http.StatusNotFound, Message: "no such domain"}
	}
	if err != nil {
		return nil, err
	}
	request, cross := corsRequest(c.r)
	allowed := cross && allowOrigin(c.w.Header(), bucket, request)
	switch {
	case cross && request.Preflight && !allowed: // fact:request-cors-refusal
		return nil, &engine.Error{Code: http.StatusForbidden, Message: "the cross-origin request is not allowed"}
	case cross && request.Preflight:
		return permitted{}, nil
	case c.r.Method != http.MethodGet && c.r.Method != http.MethodHead:
		return nil, &engine.Error{Code: http.StatusMethodNotAllowed, Message: "method not allowed"}
	case !bucket.Referer.Permits(refererHost(c.r)): // fact:bucket-referer-refusal
		return nil, &engine.Error{Code: http.StatusForbidden, Message: "the referer is not allowed"}
	}
	if bucket.Private {
		if err := s.checkSignedURL(c, bucket); err != nil {
			return nil, err
		}
	}
	content, err := s.open(bucket, domain, downloadKey(c.r))
	if codeOf(err) == 612 || codeOf(err) == 631 {
		return nil, &engine.Error{Code: http.StatusNotFound, Message: "Document not found"} // fact:request-download-texts
	}
	if err != nil {
		return nil, err
	}
	if content.Object.Disabled && !bucket.Private { // fact:object-disabled-download
		if err := s.checkSignedURL(c, bucket); err != nil {
			return nil, errors.Join(err, content.Close())
		}
	}
	return &download{Content: content, attachment: attachment(c, content.Object.Key), cacheSeconds: bucket.CacheSeconds()}, nil
}

// refererHost returns the host of the page that a download comes from, empty if
// none is named.
func refererHost(r *http.Request) string {
	referer := r.Referer()
	if page, err := url.Parse(referer); err == nil && page.Host != "" {
		return page.Hostname()
	}
	return referer // It names a page that has no host.
}

// checkSignedURL wants a URL that the bucket's owner has signed.
func (s *Server) checkSignedURL(c *call, bucket engine.Bucket) error {
	if !c.params.Has("token") {
		// fact:request-download-unsigned
		return &engine.Error{Code: http.StatusUnauthorized, Message: "download token not specified"}
	}
	signer, err := c.verifier().Download(c.r.Host, c.target)
	if err != nil {
		return err
	}
	if signer != bucket.Owner {
		return &engine.Error{Code: http.StatusUnauthorized, Message: "bad token", ErrorCode: "BadToken"}
	}
	return nil
}

// open finds the object, or the index page of a folder if the bucket has them; by a
// domain, what the CDN has of it if it keeps anything.
func (s *Server) open(bucket engine.Bucket, domain, key string) (*engine.Content, error) {
	if domain != "" && s.engine.CDN().Stale {
		return s.engine.OpenCached(domain, bucket, key)
	}
	content, err := s.engine.OpenContent(bucket.Name, key)
	if page, ok := bucket.IndexPage(key); codeOf(err) == 612 && ok {
		return s.engine.OpenContent(bucket.Name, page)
	}
	return content, err
}

func codeOf(err error) int {
	var refused *engine.Error
	if errors.As(err, &refused) {
		return refused.Code
	}
	return 0
}

// attachment returns the file name that ?attname= asks for; empty there means
// the name of the key (fact:request-download-attname).
func attachment(c *call, key string) string {
	if !c.params.Has("attname") {
		return ""
	}
	if name := c.params.Get("attname"); name != "" {
		return name
	}
	return path.Base("/" + key)
}

// download is an object on its way to the client.
type download struct {
	*engine.Content

	attachment   string
	cacheSeconds int64
}

// stream sends the object, as far as ranges and conditions ask for it
// (fact:request-download-ranges).
func (d *download) stream(w http.ResponseWriter, r *http.Request) {
	defer d.Close() //nolint:errcheck // It was only read.
	object, header := d.Object, w.Header()
	header.Set("Content-Type", object.MimeType)
	header.Set("Etag", `"`+object.Hash+`"`)
	header.Set("Content-Length", strconv.FormatInt(object.Size, 10))
	header.Set("Cache-Control", fmt.Sprintf("public, max-age=%d", d.cacheSeconds)) // fact:bucket-max-age-served
	modified := time.UnixMicro(object.PutTime / 10)
	for name, value := range object.Meta {
		override, ok := strings.CutPrefix(name, "!")
		switch {
		case !ok:
			header.Set("X-Qn-Meta-"+name, value)
		case strings.EqualFold(override, "Last-Modified"):
			if t, err := http.ParseTime(value); err == nil {
				modified = t
			}
		case !ownHeader(override):
			header.Set(override, value)
		}
	}
	if d.attachment != "" {
		header.Set("Content-Disposition", fmt.Sprintf("attachment; filename=%q; filename*=utf-8''%s",
			strings.Map(asciiOnly, d.attachment), url.PathEscape(d.attachment)))
	}
	http.ServeContent(&rangeErrors{ResponseWriter: w}, knownRange(r), "", modified, d)
}

// knownRange leaves out a range of another unit than bytes, as HTTP demands of
// servers; http.ServeContent takes it for one that cannot be satisfied.
func knownRange(r *http.Request) *http.Request {
	if unit, _, _ := strings.Cut(r.Header.Get("Range"), "="); unit == "bytes" {
		return r
	}
	whole := r.Clone(r.Context())
	whole.Header.Del("Range")
	return whole
}

// asciiOnly keeps a character in a plain file name, for old browsers.
func asciiOnly(r rune) rune {
	if r < ' ' || r > '~' || r == '"' || r == '\\' {
		return '_'
	}
	return r
}

// ownHeader reports whether a header belongs to the connection or the server,
// so that metadata cannot set it.
func ownHeader(name string) bool {
	switch http.CanonicalHeaderKey(name) {
	case "Connection", "Content-Length", "Content-Range", "Date", "Etag", "Keep-Alive", "Trailer",
		"Transfer-Encoding", "Upgrade", "X-Log", "X-Reqid":
		return true
	}
	return false
}

// rangeErrors gives a range that cannot be satisfied a JSON body like that of
// other errors.
type rangeErrors struct {
	http.ResponseWriter

	failed bool
}

func (w *rangeErrors) WriteHeader(status int) {
	if status < http.StatusBadRequest {
		w.ResponseWriter.WriteHeader(status)
		return
	}
	w.failed = true
	w.Header().Del("Content-Encoding") // The object's, not that of this body.
	writeError(w.ResponseWriter, &engine.Error{Code: status, Message: strings.ToLower(http.StatusText(status))})
}

func (w *rangeErrors) Write(p []byte) (int, error) {
	if w.failed {
		return len(p), nil
	}
	return w.ResponseWriter.Write(p)
}
