package httpapi_test

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

// The tests of this file send what official clients that no test runs send first,
// in the form in which their sources build it.

// wire is a request as it goes over the wire.
type wire struct {
	method, target string
	header         []string
	body           string
}

// sendWire sends a request with these headers and no others of its own.
func (c *client) sendWire(w wire) response {
	c.t.Helper()
	req := c.request(w.method, w.target, strings.NewReader(w.body))
	for i := 0; i < len(w.header); i += 2 {
		req.Header[w.header[i]] = []string{w.header[i+1]}
	}
	return c.send(req)
}

// qiniu is a Qiniu authorization of text, which ends before the signed body.
func (c *client) qiniu(text string) string {
	return "Qiniu " + c.account.AccessKey + ":" + c.hmac(text)
}

func (c *client) host() string { return strings.TrimPrefix(c.e.Endpoint(), "http://") }

// TestPythonClient: its requests of uc and rs are POSTs with a form type and no
// body, signed with the path as it is sent; it lists by GET with a form type.
func TestPythonClient(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	c.put("public", "k", "hello")
	date := time.Now().UTC().Format("20060102T150405Z")
	signed := func(method, target, body string) response {
		text := method + " " + target + "\nHost: " + c.host() + "\nContent-Type: " + formType + "\nX-Qiniu-Date: " + date + "\n\n" + body
		return c.sendWire(wire{method, target, []string{
			"Content-Type", formType, "X-Qiniu-Date", date, "Authorization", c.qiniu(text),
			"User-Agent", "QiniuPython/7.18.2 (Linux; x86_64; ) Python/3.12", "Accept", "*/*", "Accept-Encoding", "gzip, deflate",
		}, body})
	}
	c.wantStatus("discovery", c.sendWire(wire{"GET", "/v4/query?ak=" + c.account.AccessKey + "&bucket=public", nil, ""}), 200)
	c.wantStatus("mkbucketv3", signed("POST", "/mkbucketv3/python-bucket/region/z1", ""), 200)
	c.wantStatus("buckets", signed("POST", "/buckets", ""), 200)
	c.wantStatus("list_bucket", signed("POST", "/v3/buckets?region=z1", ""), 200)
	c.wantStatus("list_domains", signed("POST", "/v2/domains?tbl=public", ""), 200)
	c.wantStatus("change_bucket_permission", signed("POST", "/private", "bucket=python-bucket&private=1"), 200)
	c.wantStatus("stat", signed("POST", "/stat/"+entry("public", "k"), ""), 200)
	c.wantStatus("list", signed("GET", "/list?bucket=public&limit=1", ""), 200)
	c.wantStatus("batch", signed("POST", "/batch", "op=stat%2F"+strings.ReplaceAll(entry("public", "k"), "=", "%3D")+"&op=delete%2F"+strings.ReplaceAll(entry("public", "x"), "=", "%3D")), 298)

	// A part that is sent twice, and JSON nulls for what is not set.
	token := c.token(policy("public:big"))
	u := c.begin("public", b64("big"), token)
	u.mustPart(1, strings.Repeat("x", mib))
	parts := []string{u.mustPart(1, strings.Repeat("x", mib)), u.mustPart(2, "y")}
	c.wantStatus("complete", u.complete(parts, `,"fname":null,"mimeType":null,"customVars":null,"metadata":null`), 200)
}

// TestNodeClient: it appends the port to a Host that has one, and signs a form
// type whatever it sends.
func TestNodeClient(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	_, port, _ := strings.Cut(c.host(), ":")
	const rules = `[{"allowed_origin":["*"],"allowed_method":["GET"]}]`
	text := "POST /corsRules/set/public\nHost: " + c.host() + ":" + port + "\nContent-Type: " + formType + "\n\n" + rules
	c.wantStatus("putCorsRules", c.sendWire(wire{"POST", "/corsRules/set/public", []string{
		"Content-Type", "application/json", "Authorization", c.qiniu(text),
	}, rules}), 200)
	text = "POST /v2/bucketInfo?bucket=public\nHost: " + c.host() + ":" + port + "\nContent-Type: " + formType + "\n\n"
	c.wantStatus("getBucketInfo", c.sendWire(wire{"POST", "/v2/bucketInfo?bucket=public", []string{
		"Content-Type", formType, "Authorization", c.qiniu(text),
	}, ""}), 200)
}

// TestJavaClient: it sends an upload's begin without a content type, an MD5 with
// each part, metadata in another case, and a marker of parts in another spelling.
func TestJavaClient(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	token := c.token(policy("public:k"))
	key := b64("k")
	begun, _ := c.sendWire(wire{"POST", "/buckets/public/objects/" + key + "/uploads", []string{"Authorization", "UpToken " + token}, ""}).json(t).(map[string]any)
	id, _ := begun["uploadId"].(string)
	base := "/buckets/public/objects/" + key + "/uploads/" + id
	part := c.sendWire(wire{"PUT", base + "/1", []string{
		"Authorization", "UpToken " + token, "Content-Type", "application/octet-stream", "Content-Md5", "5d41402abc4b2a76b9719d911017c592",
	}, "hello"})
	etag, _ := part.json(t).(map[string]any)["etag"].(string)
	c.wantStatus("list parts", c.sendWire(wire{"GET", base + "?max-parts=10&part-number-marker=0", []string{"Authorization", "UpToken " + token}, ""}), 200)
	c.wantStatus("complete", c.sendWire(wire{"POST", base, []string{"Authorization", "UpToken " + token, "Content-Type", "application/json"},
		`{"parts":[{"etag":"` + etag + `","partNumber":1}],"fname":"f","mimeType":"text/x","metadata":{"X-Qn-Meta-Author":"me"},"customVars":{}}`}), 200)
	if stat, _ := c.get("/stat/" + entry("public", "k")).json(t).(map[string]any); stat["x-qn-meta"].(map[string]any)["Author"] != "me" {
		t.Errorf("stat: %v", stat)
	}
	// Settings are in the query of a POST without a body.
	target := "/referAntiLeech?bucket=public&mode=0&norefer=1&pattern=*&source_enabled=0"
	text := "POST " + target + "\nHost: " + c.host() + "\nContent-Type: " + formType + "\n\n"
	c.wantStatus("putReferAntiLeech", c.sendWire(wire{"POST", target, []string{"Content-Type", formType, "Authorization", c.qiniu(text)}, ""}), 200)
}

// TestRustClient: it sends JSON bodies with a charset in their type, lists by GET
// without a content type, and asks for parts in the query of a stat.
func TestRustClient(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	c.put("public", "k", "hello")
	for _, target := range []string{"/stat/" + entry("public", "k") + "?needparts=true", "/v2/list?bucket=public", "/v4/query?ak=" + c.account.AccessKey + "&bucket=public"} {
		text := "GET " + target + "\nHost: " + c.host() + "\n\n"
		c.wantStatus(target, c.sendWire(wire{"GET", target, []string{"Authorization", c.qiniu(text)}, ""}), 200)
	}
	const tags = `{"Tags":[{"Key":"a","Value":"b"}]}`
	text := "PUT /bucketTagging?bucket=public\nHost: " + c.host() + "\nContent-Type: application/json; charset=utf-8\n\n" + tags
	c.wantStatus("tags", c.sendWire(wire{"PUT", "/bucketTagging?bucket=public", []string{
		"Content-Type", "application/json; charset=utf-8", "Authorization", c.qiniu(text),
	}, tags}), 200)
}

// TestQshellClient: it sends an operation on one object as a batch of one, spells
// out what is the default, and pages through buckets by 50.
func TestQshellClient(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	c.put("public", "k", "hello")
	batch := func(op string) response {
		body := "op=" + strings.NewReplacer("/", "%2F", "=", "%3D").Replace(op)
		text := "POST /batch\nHost: " + c.host() + "\nContent-Type: " + formType + "\n\n" + body
		return c.sendWire(wire{"POST", "/batch", []string{"Content-Type", formType, "Authorization", c.qiniu(text)}, body})
	}
	for op, want := range map[string]string{
		"/copy/" + entry("public", "k") + "/" + entry("public", "k2") + "/force/false": `[{"code":200}]`,
		"/chgm/" + entry("public", "k") + "/mime/" + b64("text/x"):                     `[{"code":200}]`,
		"/delete/" + entry("public", "x"):                                              `[{"code":612,"data":{"error":"no such file or directory"}}]`,
	} {
		if res := batch(op); res.body != want {
			t.Errorf("%s: %d %s, want %s", op, res.status, res.body, want)
		}
	}
	c.wantStatus("mkbucket", c.post("/mkbucketv3/qshell-bucket/region/z1/private/false"), 200)
	c.wantStatus("buckets", c.get("/buckets?apiVersion=v4&limit=50"), 200)
	c.wantStatus("buckets --detail", c.post("/v3/buckets?shared=rd"), 200)
	c.wantStatus("stat", c.post("/stat/"+entry("public", "k")+"?needparts=false"), 200)
	info, _ := c.post("/v2/bucketInfo?bucket=public").json(t).(map[string]any)
	if _, err := time.Parse(time.RFC3339, info["ctime"].(string)); err != nil {
		t.Errorf("bucketInfo: %v, want a ctime that qshell can parse", err)
	}
	// A QBox signature of a call that has a content type and no body.
	req := c.request(http.MethodPost, "/buckets", nil)
	req.Header.Set("Content-Type", formType)
	req.Header.Set("Authorization", "QBox "+c.account.AccessKey+":"+c.hmac("/buckets\n"))
	c.wantStatus("QBox", c.send(req), 200)
}
