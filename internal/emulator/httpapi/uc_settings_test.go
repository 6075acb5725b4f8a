package httpapi_test

import (
	"net/url"
	"strings"
	"testing"
)

// infoOf returns a field of bucketInfo.
func (c *client) infoOf(bucket, field string) any {
	c.t.Helper()
	info, ok := c.get("/v2/bucketInfo?bucket=" + bucket).json(c.t).(map[string]any)
	if !ok {
		c.t.Fatal("bucketInfo is no object")
	}
	value, ok := info[field]
	if !ok {
		c.t.Fatalf("bucketInfo has no %s", field)
	}
	return value
}

func TestMaxAge(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	c.put("public", "k", "hello")
	c.wantStatus("upload", c.upload(field("token", c.token(policy("public"))), field("key", "own"),
		field("x-qn-meta-!Cache-Control", "no-store"), file("f", "hello")), 200)
	if got := c.download("GET", "public", "/k").header.Get("Cache-Control"); got != "public, max-age=31536000" {
		t.Errorf("before it was ever set: Cache-Control %q", got)
	}
	for sent, want := range map[string]struct {
		info   float64
		header string
	}{
		"0": {0, "public, max-age=31536000"}, "-54321": {-54321, "public, max-age=31536000"},
		"8": {8, "public, max-age=8"}, "2147483647": {2147483647, "public, max-age=2147483647"},
	} {
		c.wantStatus(sent, c.post("/maxAge?bucket=public&maxAge="+sent), 200)
		if got := c.infoOf("public", "max_age"); got != want.info {
			t.Errorf("max age %s: %v in bucketInfo, want %v", sent, got, want.info)
		}
		if got := c.download("GET", "public", "/k").header.Get("Cache-Control"); got != want.header {
			t.Errorf("max age %s: Cache-Control %q, want %q", sent, got, want.header)
		}
		if got := c.download("GET", "public", "/own").header.Get("Cache-Control"); got != "no-store" {
			t.Errorf("max age %s: Cache-Control %q of an object that has its own", sent, got)
		}
	}
	c.wantError("no number", c.post("/maxAge?bucket=public"), 400, "invalid argument")
	if got := c.download("GET", "public", "/missing").header.Get("Cache-Control"); got != "" {
		t.Errorf("a refusal may be cached: %q", got)
	}
	if got := c.download("GET", "public", "/k", "Range", "bytes=9-"); got.status != 416 || got.header.Get("Cache-Control") != "" {
		t.Errorf("a refused range, %d, may be cached: %q", got.status, got.header.Get("Cache-Control"))
	}
}

func TestRemarkAndProtection(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	remark := func(body string) response { return c.manage("PUT", "/buckets/public?remark", "application/json", body) }
	c.wantStatus("remark", remark(`{"remark":"备注"}`), 200)
	c.wantError("long", remark(`{"remark":"`+strings.Repeat("x", 101)+`"}`), 400, "remark is longer than 100 characters")
	c.wantError("no JSON", remark("x"), 400, "invalid argument")
	c.wantError("another's", c.as(other).manage("PUT", "/buckets/public?remark", "application/json", `{}`), 631, "no such bucket")
	if got := c.infoOf("public", "remark"); got != "备注" {
		t.Errorf("remark = %v", got)
	}
	c.wantStatus("empty", remark(`{"remark":""}`), 200)
	if got := c.infoOf("public", "remark"); got != "" {
		t.Errorf("remark = %v after it was emptied", got)
	}
	c.wantStatus("GET of a remark", c.get("/buckets/public?remark"), 405)
	c.wantStatus("PUT of something else", c.manage("PUT", "/buckets/public?acl", "", ""), 501)

	c.wantStatus("protect", c.post("/accessMode/public/mode/1"), 200)
	if got := c.infoOf("public", "protected"); got != 1.0 {
		t.Errorf("protected = %v", got)
	}
	c.wantStatus("unprotect", c.post("/accessMode/public/mode/0"), 200)
	if got := c.infoOf("public", "protected"); got != 0.0 {
		t.Errorf("protected = %v", got)
	}
	for _, bad := range []string{"/accessMode/public", "/accessMode/public/mode/2", "/accessMode/public/mood/1", "/accessMode", "/accessMode/public/mode/1/x"} {
		c.wantError(bad, c.post(bad), 400, "invalid argument")
	}
}

func TestReferer(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	c.put("public", "k", "hello")
	get := func(referer string) response {
		if referer == "" {
			return c.download("GET", "public", "/k")
		}
		return c.download("GET", "public", "/k", "Referer", referer)
	}
	wantInfo := func(step string, want map[string]string) {
		t.Helper()
		body := c.get("/v2/bucketInfo?bucket=public").body
		for field, value := range want {
			if !strings.Contains(body, `"`+field+`":`+value) {
				t.Errorf("%s: bucketInfo has not %s %s: %s", step, field, value, body)
			}
		}
	}
	c.wantStatus("allow", c.post("/referAntiLeech?bucket=public&mode=1&norefer=0&pattern=foo.com%3B*.bar.com%3B&source_enabled=1"), 200)
	wantInfo("allow", map[string]string{
		"anti_leech_mode": "1", "refer_wl": `["foo.com","*.bar.com"]`, "refer_bl": "null", "source_enabled": "true",
		"no_refer": "false", "allow_empty_referer": "false",
	})
	for _, page := range []string{"http://foo.com/x?y", "https://FOO.com:8443", "http://www.bar.com/", "foo.com"} {
		c.wantStatus(page, get(page), 200)
	}
	for _, page := range []string{"", "http://bar.com/", "http://foo.com.evil.com/", "http://evil.com/foo.com", "%zz", "http://foo.com@evil.com/"} {
		c.wantError(page, get(page), 403, "the referer is not allowed")
	}
	c.wantError("missing object", c.download("GET", "public", "/missing"), 403, "the referer is not allowed")

	c.wantStatus("deny", c.postForm("/referAntiLeech", url.Values{
		"bucket": {"public"}, "mode": {"2"}, "norefer": {"1"}, "pattern": {"evil.com"}, "source_enabled": {"1"},
	}), 200)
	wantInfo("deny", map[string]string{"anti_leech_mode": "2", "refer_wl": "null", "refer_bl": `["evil.com"]`, "no_refer": "true", "allow_empty_referer": "true"})
	c.wantStatus("no page", get(""), 200)
	c.wantError("the page", get("http://evil.com/"), 403, "the referer is not allowed")

	c.wantStatus("for the CDN only", c.post("/referAntiLeech?bucket=public&mode=2&pattern=evil.com"), 200)
	c.wantStatus("the page", get("http://evil.com/"), 200)
	c.wantStatus("off", c.post("/referAntiLeech?bucket=public&mode=0&norefer=1&pattern=*&source_enabled=1"), 200)
	wantInfo("off", map[string]string{"anti_leech_mode": "0", "refer_wl": "null", "refer_bl": "null", "no_refer": "false", "source_enabled": "false"})
	for _, bad := range []string{"", "&mode=x", "&mode=1&norefer=2", "&mode=1&source_enabled=true"} {
		c.wantStatus(bad, c.post("/referAntiLeech?bucket=public"+bad), 400)
	}
}

func TestQuota(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	want := func(step, body string) {
		t.Helper()
		for _, res := range []response{c.get("/getbucketquota/public"), c.post("/getbucketquota/public")} {
			if res.status != 200 || res.body != body {
				t.Errorf("%s: %d %s, want %s", step, res.status, res.body, body)
			}
		}
	}
	want("at first", `{"size":-1,"count":-1}`)
	c.wantStatus("both", c.post("/setbucketquota/public/size/10/count/2"), 200)
	want("both", `{"size":10,"count":2}`)
	c.wantStatus("nothing", c.post("/setbucketquota/public"), 200)
	c.wantStatus("unchanged", c.post("/setbucketquota/public/count/0"), 200)
	want("unchanged", `{"size":10,"count":2}`)
	c.put("public", "a", "12345")
	send := func(key, content string) response {
		return c.upload(field("token", c.token(policy("public"))), field("key", key), file("f", content))
	}
	c.wantError("too large", send("b", "123456"), 403, "the quota of the bucket is exceeded")
	c.wantStatus("the last byte", send("b", "12345"), 200)
	c.wantError("too many", send("c", ""), 403, "the quota of the bucket is exceeded")
	c.wantStatus("none", c.post("/setbucketquota/public/size/-1/count/-1"), 200)
	want("none", `{"size":-1,"count":-1}`)
	c.wantStatus("too many", send("c", "123456"), 200)

	c.wantError("-2", c.post("/setbucketquota/public/size/-2/count/-2"), 400, "invalid arguments")
	for _, bad := range []string{"/setbucketquota", "/setbucketquota/public/size", "/setbucketquota/public/size/x", "/setbucketquota/public/bytes/1", "/getbucketquota"} {
		c.wantError(bad, c.post(bad), 400, "invalid argument")
	}
	c.wantError("another's", c.as(other).post("/setbucketquota/public/size/1"), 631, "no such bucket")
	c.wantError("missing", c.get("/getbucketquota/missing"), 631, "no such bucket")
}
