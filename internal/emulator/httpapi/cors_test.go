package httpapi_test

import (
	"bytes"
	"testing"
)

// The headers of a CORS answer, in the order of wantCORS.
var corsHeaders = []string{
	"Access-Control-Allow-Origin", "Access-Control-Allow-Methods", "Access-Control-Allow-Headers",
	"Access-Control-Expose-Headers", "Access-Control-Max-Age",
}

func (c *client) wantCORS(name string, res response, status int, want ...string) {
	c.t.Helper()
	c.wantStatus(name, res, status)
	for i, header := range corsHeaders {
		wanted := ""
		if i < len(want) {
			wanted = want[i]
		}
		if got := res.header.Get(header); got != wanted {
			c.t.Errorf("%s: %s = %q, want %q", name, header, got, wanted)
		}
	}
}

func (c *client) setCORS(rules string) {
	c.t.Helper()
	c.wantStatus("set "+rules, c.manage("POST", "/corsRules/set/public", "application/json", rules), 200)
}

func TestCORSRules(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	want := func(body string) {
		t.Helper()
		for _, res := range []response{c.get("/corsRules/get/public"), c.post("/corsRules/get/public")} {
			if res.status != 200 || res.body != body {
				t.Errorf("%d %s, want %s", res.status, res.body, body)
			}
		}
	}
	want(`[]`)
	for _, rules := range []string{
		`[{"allowed_origin":["*"],"allowed_method":[""],"allowed_header":[],"exposed_header":[],"max_age":0}]`,
		`[{"allowed_origin":[""],"allowed_method":["GET","POST"],"allowed_header":["testheader"],"exposed_header":["a","b"],"max_age":20}]`,
		`[]`,
	} {
		c.setCORS(rules)
		want(rules)
	}
	c.setCORS(`[{"allowed_origin":["http://a.com"],"allowed_method":["GET"]}]`)
	absent := `[{"allowed_origin":["http://a.com"],"allowed_method":["GET"],"allowed_header":[],"exposed_header":[],"max_age":0}]`
	want(absent)
	for _, bad := range []string{`{}`, ``, `[1]`, `[{"max_age":"x"}]`, `[{},{},{},{},{},{},{},{},{},{},{}]`} {
		c.wantStatus(bad, c.manage("POST", "/corsRules/set/public", "application/json", bad), 400)
	}
	want(absent)
	c.setCORS(`null`)
	want(`[]`)
	c.wantError("another's", c.as(other).get("/corsRules/get/public"), 631, "no such bucket")
	c.wantError("no bucket", c.get("/corsRules/get"), 400, "invalid argument")
	c.wantStatus("another call", c.get("/corsRules/list/public"), 501)
}

func TestCORSDownload(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	c.put("public", "k", "hello")
	c.put("private", "k", "hello")
	get := func(origin string) response { return c.download("GET", "public", "/k", "Origin", origin) }
	ask := func(bucket, origin, method, headers string) response {
		return c.download("OPTIONS", bucket, "/k", "Origin", origin, "Access-Control-Request-Method", method, "Access-Control-Request-Headers", headers)
	}

	// Without rules everything is permitted, also before a signature is looked at.
	c.wantCORS("no rules", get("http://a.com"), 200, "*", "", "", "X-Log, X-Reqid")
	c.wantCORS("preflight without rules", ask("private", "http://a.com", "GET", "range, x-a"), 200, "*", "GET", "range, x-a", "X-Log, X-Reqid")
	c.wantCORS("no origin", c.download("GET", "public", "/k"), 200)
	c.wantCORS("missing", c.download("GET", "public", "/missing", "Origin", "http://a.com"), 404, "*", "", "", "X-Log, X-Reqid")

	c.setCORS(`[
		{"allowed_origin":["http://*.a.com"],"allowed_method":["GET","HEAD"],"allowed_header":["Range"],"exposed_header":["Etag"],"max_age":60},
		{"allowed_origin":["*"],"allowed_method":["GET"]}]`)
	c.wantCORS("first rule", get("http://x.a.com"), 200, "http://x.a.com", "", "", "X-Log, X-Reqid, Etag")
	c.wantCORS("second rule", get("http://b.com"), 200, "*", "", "", "X-Log, X-Reqid")
	preflight := ask("public", "http://x.a.com", "HEAD", "RANGE")
	c.wantCORS("preflight", preflight, 200, "http://x.a.com", "GET, HEAD", "RANGE", "X-Log, X-Reqid, Etag", "60")
	if preflight.body != "" || len(preflight.header.Values("Vary")) != 2 {
		t.Errorf("preflight: body %q, Vary %q", preflight.body, preflight.header.Values("Vary"))
	}
	c.wantCORS("preflight of another method", ask("public", "http://b.com", "PUT", ""), 403)
	c.wantCORS("preflight of another header", ask("public", "http://b.com", "GET", "x-b"), 403)

	c.setCORS(`[{"allowed_origin":["http://a.com"],"allowed_method":["GET"]}]`)
	refused := get("http://b.com") // The browser keeps it from the page.
	c.wantCORS("no rule", refused, 200)
	if got := refused.header.Get("Vary"); got != "Origin" {
		t.Errorf("Vary = %q, want Origin", got)
	}
	c.wantError("preflight", ask("public", "http://b.com", "GET", ""), 403, "the cross-origin request is not allowed")
	c.wantError("OPTIONS that asks for nothing", c.download("OPTIONS", "public", "/k", "Origin", "http://a.com"), 405, "method not allowed")
}

func TestCORSUpload(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	c.setCORS(`[{"allowed_origin":["http://a.com"],"allowed_method":["GET"]}]`) // Is about downloads.
	const methods, exposed = "OPTIONS, HEAD, POST, GET, PUT, DELETE", "X-Log, X-Reqid"
	for _, path := range []string{"/", "/buckets/public/objects/~/uploads", "/mkblk/4194304", "/putb64/-1"} {
		ask := c.request("OPTIONS", path, nil)
		ask.Header.Set("Origin", "http://b.com")
		ask.Header.Set("Access-Control-Request-Method", "POST")
		ask.Header.Set("Access-Control-Request-Headers", "authorization, content-type")
		c.wantCORS(path, c.send(ask), 200, "*", methods, "authorization, content-type", exposed, "2592000")
	}
	contentType, body := form(t, field("token", "x"), file("f", "hello"))
	send := c.request("POST", "/", bytes.NewReader(body))
	send.Header.Set("Content-Type", contentType)
	send.Header.Set("Origin", "http://b.com")
	c.wantCORS("a refused upload", c.send(send), 401, "*", "", "", exposed)

	other := c.request("OPTIONS", "/v2/bucketInfo?bucket=public", nil)
	other.Header.Set("Origin", "http://b.com")
	other.Header.Set("Access-Control-Request-Method", "POST")
	c.wantCORS("a management call", c.send(other), 405)
}
