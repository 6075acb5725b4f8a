package auth

import (
	"mime"
	"net"
	"net/http"
	"net/textproto"
	"net/url"
	"slices"
	"strings"
	"time"
)

const (
	formType   = "application/x-www-form-urlencoded"
	binaryType = "application/octet-stream"
	dateHeader = "X-Qiniu-Date"
	endHeader  = "X-Qiniu-Expires"
	dateFormat = "20060102T150405Z"

	// maxSkew is how far X-Qiniu-Date may be from the server's clock.
	maxSkew = 15 * time.Minute
)

// Request is what a management signature may cover: the request as it was
// sent.
type Request struct {
	Method   string
	Host     string // the Host header
	RawPath  string // the path of the request line, escapes and all
	Path     string // the path with its escapes decoded
	RawQuery string
	Header   http.Header
	Body     []byte
}

// Management verifies the Authorization header of a management call and
// returns the access key that signed it. Both schemes are good on every call.
func (v *Verifier) Management(r Request) (accessKey string, err error) {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	accessKey, secret, sign, ok := v.split(token)
	if !ok {
		return "", badToken()
	}
	var candidates []string
	switch scheme {
	case "Qiniu":
		candidates = qiniuCandidates(r)
	case "QBox":
		candidates = qboxCandidates(r)
	default:
		return "", badToken()
	}
	if !slices.ContainsFunc(candidates, func(data string) bool { return signed(secret, data, sign) }) {
		return "", badToken()
	}
	return accessKey, v.checkDates(r)
}

// paths returns the two spellings that clients sign: Python signs the path as
// it is sent, Go the decoded one.
func (r Request) paths() []string {
	if r.RawPath == r.Path {
		return []string{r.RawPath}
	}
	return []string{r.RawPath, r.Path}
}

func (r Request) withQuery(path string) string {
	if r.RawQuery == "" {
		return path
	}
	return path + "?" + r.RawQuery
}

// qboxCandidates returns the texts that a QBox signature may cover. The body
// belongs to it when it is a form, but some clients set the content type only
// after signing.
func qboxCandidates(r Request) []string {
	var all []string
	for _, path := range r.paths() {
		data := r.withQuery(path) + "\n"
		all = append(all, data)
		if len(r.Body) > 0 && mediaType(r.Header) == formType {
			all = append(all, data+string(r.Body))
		}
	}
	return all
}

// qiniuCandidates returns the texts that a Qiniu signature may cover. Besides
// the documented one there are those of the official clients: Node adds the
// port to a Host that has it already, and signs a form content type whatever
// it sends; Go leaves out bodies that are neither form nor JSON.
func qiniuCandidates(r Request) []string {
	hosts := []string{r.Host}
	if _, port, err := net.SplitHostPort(r.Host); err == nil {
		hosts = append(hosts, r.Host+":"+port)
	}
	contentType := r.Header.Get("Content-Type")
	types := []string{contentType}
	if contentType != formType {
		types = append(types, formType)
	}
	xqiniu := xQiniuLines(r.Header)

	var all []string
	for _, path := range r.paths() {
		for _, host := range hosts {
			for _, ct := range types {
				data := r.Method + " " + r.withQuery(path) + "\nHost: " + host + "\n"
				if ct != "" {
					data += "Content-Type: " + ct + "\n"
				}
				data += xqiniu + "\n"
				all = append(all, data)
				if len(r.Body) > 0 && ct != "" && ct != binaryType {
					all = append(all, data+string(r.Body))
				}
			}
		}
	}
	return all
}

// xQiniuLines returns the header lines X-Qiniu-… in canonical spelling and
// sorted, each with its first value.
func xQiniuLines(h http.Header) string {
	const prefix = "X-Qiniu-"
	var names []string
	for name := range h {
		if len(name) > len(prefix) && strings.HasPrefix(name, prefix) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	var lines strings.Builder
	for _, name := range names {
		lines.WriteString(textproto.CanonicalMIMEHeaderKey(name) + ": " + h.Get(name) + "\n")
	}
	return lines.String()
}

// mediaType returns the content type without its parameters.
func mediaType(h http.Header) string {
	mediaType, _, err := mime.ParseMediaType(h.Get("Content-Type"))
	if err != nil {
		return h.Get("Content-Type")
	}
	return mediaType
}

// checkDates holds X-Qiniu-Date and X-Qiniu-Expires against the clock. Each
// may come as a header, as a query parameter, or as both, and then both must
// be good. An expiry replaces the check of the date.
func (v *Verifier) checkDates(r Request) error {
	// URL.Query passes over pairs that cannot be decoded; they are the
	// handler's business.
	query := (&url.URL{RawQuery: r.RawQuery}).Query()
	if ends := given(r.Header, query, endHeader); len(ends) > 0 {
		for _, text := range ends {
			end, err := time.Parse(dateFormat, text)
			if err != nil {
				return &Error{Status: http.StatusBadRequest, Text: "invalid " + endHeader}
			}
			if v.now().After(end) {
				return &Error{Status: http.StatusForbidden, Text: "token is expired"}
			}
		}
		return nil
	}
	for _, text := range given(r.Header, query, dateHeader) {
		date, err := time.Parse(dateFormat, text)
		if err != nil {
			return &Error{Status: http.StatusBadRequest, Text: "invalid " + dateHeader}
		}
		if skew := v.now().Sub(date).Abs(); skew > maxSkew {
			return &Error{Status: http.StatusForbidden, Text: "request time is too skewed"}
		}
	}
	return nil
}

func given(h http.Header, query url.Values, name string) []string {
	var texts []string
	if _, ok := h[name]; ok {
		texts = append(texts, h.Get(name))
	}
	if query.Has(name) {
		texts = append(texts, query.Get(name))
	}
	return texts
}
