package httpapi

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/qiniu/terraform-provider-kodo/internal/emulator/engine"
)

// corsRequest returns what a browser asks for a page of another origin, and
// whether the request is one at all.
func corsRequest(r *http.Request) (request engine.CORSRequest, ok bool) {
	request = engine.CORSRequest{
		Origin: r.Header.Get("Origin"), Method: r.Header.Get("Access-Control-Request-Method"),
	}
	request.Preflight = r.Method == http.MethodOptions && request.Method != ""
	for name := range strings.SplitSeq(r.Header.Get("Access-Control-Request-Headers"), ",") {
		if name = strings.TrimSpace(name); name != "" {
			request.Headers = append(request.Headers, name)
		}
	}
	return request, request.Origin != ""
}

// allowOrigin answers a page of another origin as the bucket's rules have it, and
// reports whether they permit the request. The two headers by which Kodo's support
// finds a request are always exposed (documented).
func allowOrigin(header http.Header, bucket engine.Bucket, request engine.CORSRequest) bool {
	if len(bucket.CORS) > 0 {
		header.Add("Vary", "Origin")
	}
	rule, ok := bucket.CORSFor(request)
	if !ok {
		return false
	}
	origin := request.Origin
	if slices.Contains(rule.Origins, "*") {
		origin = "*"
	}
	header.Set("Access-Control-Allow-Origin", origin)
	header.Set("Access-Control-Expose-Headers", strings.Join(append([]string{"X-Log", "X-Reqid"}, rule.Exposed...), ", "))
	if !request.Preflight {
		return true
	}
	header.Add("Vary", "Access-Control-Request-Method, Access-Control-Request-Headers")
	header.Set("Access-Control-Allow-Methods", strings.Join(rule.Methods, ", "))
	if len(request.Headers) > 0 {
		header.Set("Access-Control-Allow-Headers", strings.Join(request.Headers, ", "))
	}
	if rule.MaxAge > 0 {
		header.Set("Access-Control-Max-Age", strconv.FormatInt(rule.MaxAge, 10))
	}
	return true
}

// allowUpload answers a page of any origin: a preflight of a form upload names no
// bucket whose rules could be asked (fact:request-cors-upload).
func allowUpload(header http.Header, request engine.CORSRequest) {
	allowOrigin(header, engine.Bucket{}, request)
	if request.Preflight {
		header.Set("Access-Control-Allow-Methods", "OPTIONS, HEAD, POST, GET, PUT, DELETE")
		header.Set("Access-Control-Max-Age", "2592000")
	}
}

// permitted is the answer to a preflight. Its headers are set already.
type permitted struct{}

func (permitted) stream(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Length", "0")
	w.WriteHeader(http.StatusOK)
}

// preflightUpload is the route of a browser that asks before it uploads.
func preflightUpload() route {
	return route{service: serviceUp, targets: nowhere, handle: func(*call) (any, error) { return permitted{}, nil }}
}
