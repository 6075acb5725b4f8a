package httpapi

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/qiniu/terraform-provider-kodo/internal/emulator/engine"
)

// The services, by their short names in the request log and in faults.
const (
	serviceUC  = "uc"
	serviceUp  = "up"
	serviceRS  = "rs"
	serviceRSF = "rsf"
	serviceIO  = "io"
	serviceAPI = "api"
	serviceCDN = "cdn"
)

// route says how one command of Kodo's path space is served.
type route struct {
	service string
	methods []string // empty: all
	// signed is whether the call carries a management signature. Such a call
	// has a small body, which is read before the handler runs.
	signed bool
	// targets returns what the request is about, for the faults that ask for
	// it. Where it is nil, the handler itself calls arrive when it knows.
	targets func(*call) []target
	handle  func(*call) (any, error)
}

// table returns the routes by command: the first segment of the path, or the
// first two where the first is a version or a family of calls.
func (s *Server) table() map[string]route {
	get := []string{http.MethodGet}
	post := []string{http.MethodPost}
	either := []string{http.MethodGet, http.MethodPost}
	return map[string]route{
		"v1/query": {serviceUC, get, false, bucketParam, s.queryV1},
		"v2/query": {serviceUC, get, false, bucketParam, s.queryV2},
		"v4/query": {serviceUC, get, false, bucketParam, s.queryV4},
		"regions":  {serviceUC, get, true, nowhere, s.regions},

		"mkbucketv3":     {serviceUC, post, true, newBucketArgument, s.createBucket},
		"drop":           {serviceUC, post, true, bucketArgument, s.dropBucket},
		"buckets":        {serviceUC, either, true, allBuckets, s.buckets},
		"v2/buckets":     {serviceUC, either, true, allBuckets, s.bucketRows},
		"v3/buckets":     {serviceUC, either, true, allBuckets, s.bucketRows},
		"v2/bucketInfo":  {serviceUC, either, true, bucketParam, s.bucketInfo},
		"v2/bucketInfos": {serviceUC, either, true, allBuckets, s.bucketInfos},
		"v2/domains":     {serviceUC, either, true, bucketParam, s.domainNames},
		"v3/domains":     {serviceUC, either, true, bucketParam, s.domains},
		"v6/domain":      {serviceAPI, either, true, bucketParam, s.domainList},
		"v7/domain":      {serviceAPI, either, true, bucketParam, s.domainList},
		"publish":        {serviceUC, post, true, bucketParam, s.publish},
		"private":        {serviceUC, post, true, bucketParam, s.setPrivate},
		"noIndexPage":    {serviceUC, post, true, bucketParam, s.setNoIndexPage},
		"maxAge":         {serviceUC, post, true, bucketParam, s.setMaxAge},
		"referAntiLeech": {serviceUC, post, true, bucketParam, s.setReferer},
		"accessMode":     {serviceUC, post, true, bucketArgument, s.setAccessMode},
		"setbucketquota": {serviceUC, post, true, bucketArgument, s.setQuota},
		"getbucketquota": {serviceUC, either, true, bucketArgument, s.getQuota},
		"corsRules/set":  {serviceUC, post, true, bucketArgument, s.setCORS},
		"corsRules/get":  {serviceUC, either, true, bucketArgument, s.getCORS},
		"buckets?remark": {serviceUC, []string{http.MethodPut}, true, bucketArgument, s.setRemark},
		"rules/add":      {serviceUC, post, true, bucketParam, s.addRule},
		"rules/update":   {serviceUC, post, true, bucketParam, s.updateRule},
		"rules/delete":   {serviceUC, post, true, bucketParam, s.deleteRule},
		"rules/get":      {serviceUC, either, true, bucketParam, s.getRules},
		"events/add":     {serviceUC, post, true, bucketParam, s.addEventRule},
		"events/update":  {serviceUC, post, true, bucketParam, s.updateEventRule},
		"events/delete":  {serviceUC, post, true, bucketParam, s.deleteEventRule},
		"events/get":     {serviceUC, either, true, bucketParam, s.getEventRules},
		"bucketTagging":  {serviceUC, []string{http.MethodGet, http.MethodPut, http.MethodDelete}, true, bucketParam, s.tagging},

		"stat":            {serviceRS, either, true, entryArgument, s.operation},
		"delete":          {serviceRS, post, true, entryArgument, s.operation},
		"chgm":            {serviceRS, post, true, entryArgument, s.operation},
		"copy":            {serviceRS, post, true, entryArgument, s.operation},
		"move":            {serviceRS, post, true, entryArgument, s.operation},
		"chtype":          {serviceRS, post, true, entryArgument, s.operation},
		"chstatus":        {serviceRS, post, true, entryArgument, s.operation},
		"restoreAr":       {serviceRS, post, true, entryArgument, s.operation},
		"deleteAfterDays": {serviceRS, post, true, entryArgument, s.operation},
		"lifecycle":       {serviceRS, post, true, entryArgument, s.operation},
		"batch":           {serviceRS, post, true, batchTargets, s.batch},

		"list":    {serviceRSF, either, true, objectsOfBucketParam, s.list},
		"v2/list": {serviceRSF, either, true, objectsOfBucketParam, s.listV2},

		"fetch": {serviceIO, post, true, fetchTarget, s.fetch},

		"pfop":       {serviceAPI, post, true, pfopTarget, s.processObject},
		"status/get": {serviceAPI, either, false, nowhere, s.processState},

		"v2/tune": {serviceCDN, post, true, nowhere, s.tune},

		"putb64":          {serviceUp, post, false, tokenTarget, s.base64Upload},
		"mkblk":           {serviceUp, post, false, tokenTarget, s.makeBlock},
		"bput":            {serviceUp, post, false, tokenTarget, s.putBlock},
		"mkfile":          {serviceUp, post, false, tokenTarget, s.makeFile},
		"":                {serviceUp, post, false, nil, s.formUpload},
		"buckets/objects": {serviceUp, []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete}, false, uploadTarget, s.multipart},
	}
}

// unimplemented returns the commands of Kodo that are answered with 501, by
// service.
func unimplemented() map[string][]string {
	return map[string][]string{
		serviceUC: {
			"v3/query", "bucket", "image", "unimage",
		},
		serviceIO:  {"prefetch"},
		serviceAPI: {"sisyphus", "status", "shares"},
		serviceCDN: {"domain", "sslcert"},
	}
}

// lookup finds the route of a request to the API and cuts the path into the
// command and its arguments. What nobody serves gets a route that says so.
func (s *Server) lookup(c *call) route {
	segments := strings.Split(strings.TrimPrefix(c.path, "/"), "/")
	if len(segments) > 2 && segments[0] == "buckets" && segments[2] == "objects" {
		c.command, c.arguments = "buckets/objects", append([]string{segments[1]}, segments[3:]...)
	} else if len(segments) == 2 && segments[0] == "buckets" && c.params.Has("remark") {
		c.command, c.arguments = "buckets?remark", segments[1:]
	} else if len(segments) > 1 && (isVersion(segments[0]) || slices.Contains([]string{"rules", "events", "corsRules", "status"}, segments[0])) {
		c.command, c.arguments = segments[0]+"/"+segments[1], segments[2:]
	} else {
		c.command, c.arguments = segments[0], segments[1:]
	}
	found, ok := s.routes[c.command]
	if !ok {
		found = missing(c.command, c.r.Method)
	}
	if request, cross := corsRequest(c.r); cross && found.service == serviceUp {
		allowUpload(c.w.Header(), request)
		if request.Preflight {
			return preflightUpload()
		}
	}
	switch {
	case !ok:
		return found
	case c.command == "buckets" && (len(c.arguments) > 0 || !slices.Contains(found.methods, c.r.Method)):
		return missing("buckets/<bucket>", c.r.Method) // The remark of a bucket.
	case c.command == "" && (c.path != "/" || c.r.Method != http.MethodPost):
		return missing("/", c.r.Method)
	case !slices.Contains(found.methods, c.r.Method):
		found.targets, found.signed = nowhere, false
		found.handle = func(*call) (any, error) {
			return nil, &engine.Error{Code: http.StatusMethodNotAllowed, Message: "method not allowed"}
		}
	}
	return found
}

func isVersion(segment string) bool { return len(segment) == 2 && segment[0] == 'v' }

// missing is the route of what the emulator does not serve. A path that no
// call of Kodo has is counted as a download if it could be one.
func missing(command, method string) route {
	service := serviceUC
	if method == http.MethodGet || method == http.MethodHead {
		service = serviceIO
	}
	for name, commands := range unimplemented() {
		if slices.Contains(commands, command) {
			service = name
		}
	}
	return route{service: service, targets: nowhere, handle: func(*call) (any, error) {
		return nil, notImplemented(method + " " + command)
	}}
}

func notImplemented(name string) error {
	return &engine.Error{Code: http.StatusNotImplemented, Message: fmt.Sprintf("%s is not implemented by this emulator", name)}
}
