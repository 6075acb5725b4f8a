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
		candidates = qiniuCandidates(r, v.strict)
	case "QBox":
		candidates = qboxCandidates(r, v.strict)
	default:
		return "", badToken()
	}
	if !slices.ContainsFunc(candidates, func(data string) bool { return signed(secret, data, sign) }) {
		return "", badToken()
	}
	return accessKey, v.checkDates(r)
}

// paths returns the two spellings that clients sign: Python signs the path as
// it is sent, which is the documented way, Go the decoded one.
func (r Request) paths() []string { return []string{r.RawPath, r.Path} }

// hosts returns what clients sign for the Host: Node adds the port to a Host that
// has it already.
func (r Request) hosts() []string {
	hosts := []string{r.Host}
	if _, port, err := net.SplitHostPort(r.Host); err == nil {
		hosts = append(hosts, r.Host+":"+port)
	}
	return hosts
}

// contentTypes returns what clients sign for the content type: Node signs that of
// a form, whatever it sends.
func (r Request) contentTypes() []string {
	return []string{r.Header.Get("Content-Type"), formType}
}

func (r Request) withQuery(path string) string {
	if r.RawQuery == "" {
		return path
	}
	return path + "?" + r.RawQuery
}

// withBody returns the texts that may be signed of one that the body may belong
// to: with the body as documented, and without it as some clients do.
func (r Request) withBody(text string, belongs, strict bool) []string {
	switch {
	case len(r.Body) == 0 || !belongs:
		return []string{text}
	case strict:
		return []string{text + string(r.Body)}
	}
	return []string{text + string(r.Body), text}
}

// qboxCandidates returns the texts that a QBox signature may cover. The body
// belongs to it when it is a form, but some clients set the content type only
// after signing.
func qboxCandidates(r Request, strict bool) []string {
	var all []string
	for _, path := range spellings(r.paths(), strict) {
		all = append(all, r.withBody(r.withQuery(path)+"\n", mediaType(r.Header) == formType, strict)...)
	}
	return all
}

// qiniuCandidates returns the texts that a Qiniu signature may cover. Go leaves
// out bodies that are neither form nor JSON.
func qiniuCandidates(r Request, strict bool) []string {
	xqiniu := xQiniuLines(r.Header)
	var all []string
	for _, path := range spellings(r.paths(), strict) {
		for _, host := range spellings(r.hosts(), strict) {
			for _, ct := range spellings(r.contentTypes(), strict) {
				text := r.Method + " " + r.withQuery(path) + "\nHost: " + host + "\n"
				if ct != "" {
					text += "Content-Type: " + ct + "\n"
				}
				all = append(all, r.withBody(text+xqiniu+"\n", ct != "" && ct != binaryType, strict)...)
			}
		}
	}
	return all
}

// spellings returns each way of writing something once, or only the first, which
// is the documented one.
func spellings(ways []string, strict bool) []string {
	if strict {
		return ways[:1]
	}
	return slices.Compact(ways)
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
// be good. An expiry replaces the check of the date (fact:request-date).
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
