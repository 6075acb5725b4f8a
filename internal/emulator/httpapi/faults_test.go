package httpapi_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/qiniu/terraform-provider-kodo/internal/emulator"
)

// fail adds a fault by way of the admin interface.
func (c *client) fail(fault string) {
	c.t.Helper()
	c.wantStatus(fault, c.send(c.request("POST", "/_emulator/faults", strings.NewReader(fault))), 200)
}

// last returns how the last request was recorded.
func (c *client) last() emulator.Request {
	c.t.Helper()
	all := c.e.Requests()
	if len(all) == 0 {
		c.t.Fatal("no request was recorded")
	}
	return all[len(all)-1]
}

func TestFaultStatus(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	c.put("public", "k", "hello")
	c.fail(`{"match":{"service":"rs","method":"POST","path":"/delete/*"},"skip":0,"times":2,"do":"status","status":573,"error":"slow down"}`)
	c.wantStatus("other service", c.get("/buckets"), 200)
	c.wantStatus("other method and path", c.get("/stat/"+entry("public", "k")), 200)
	for range 2 {
		c.wantError("struck", c.post("/delete/"+entry("public", "k")), 573, "slow down")
	}
	if got := c.last(); got.Status != 573 {
		t.Errorf("recorded as %+v, want 573", got)
	}
	c.wantStatus("used up", c.post("/delete/"+entry("public", "k")), 200)
}

func TestFaultStatusOnUploads(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	if _, err := c.e.Fail(emulator.Fault{Match: emulator.Match{Service: "up"}, Do: "status", Status: 503}); err != nil {
		t.Fatal(err)
	}
	large := strings.Repeat("x", 8*mib)
	token := c.token(policy("public"))
	c.wantError("form", c.upload(field("token", token), field("key", "k"), file("f", large)), 503, "fault injected: status 503")
	c.wantError("part", c.multipart("PUT", "/buckets/public/objects/~/uploads/x/1", token, large), 503, "fault injected: status 503")
	// A client that listens only when it has said all.
	conn, err := net.Dial("tcp", strings.TrimPrefix(c.e.Endpoint(), "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_, err = fmt.Fprintf(conn, "PUT /buckets/public/objects/~/uploads/x/1 HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n%s%s%s%s",
		4*len(large), large, large, large, large)
	if err != nil {
		t.Errorf("the part was not read to its end: %v", err)
	}
	if res, err := http.ReadResponse(bufio.NewReader(conn), nil); err != nil || res.StatusCode != 503 {
		t.Errorf("part: %v, %v, want 503", res, err)
	}
	if keys, err := c.e.Keys("public"); err != nil || len(keys) > 0 {
		t.Errorf("Keys() = %q, %v, want none", keys, err)
	}
	waitFor(t, "the files to go", func() bool { return len(contentFiles(t, c.e.Dir())) == 0 })
}

func TestFaultDelay(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	c.fail(`{"match":{"path":"/buckets"},"times":1,"do":"delay","delay":"80ms"}`)
	begin := time.Now()
	c.wantStatus("delayed", c.get("/buckets"), 200)
	if took := time.Since(begin); took < 80*time.Millisecond {
		t.Errorf("the answer came after %v, want at least 80ms", took)
	}
	// A delay ends with its fault.
	done := make(chan response)
	for _, end := range []func(id string){func(id string) { c.e.RemoveFault(id) }, func(string) { c.e.ClearFaults() }} {
		c.fail(`{"match":{"path":"/buckets"},"do":"delay","delay":"1h"}`)
		go func() { done <- c.get("/buckets") }()
		last := func() emulator.FaultState { faults := c.e.Faults(); return faults[len(faults)-1] }
		waitFor(t, "the request to arrive", func() bool { return last().Hits == 1 })
		end(last().ID)
		if res := <-done; res.status != 200 {
			t.Errorf("the delayed request was answered %d, %v", res.status, res.err)
		}
	}
	// A delay ends with the server.
	c.fail(`{"match":{"path":"/buckets"},"do":"delay","delay":"1h"}`)
	go func() { done <- c.get("/buckets") }()
	waitFor(t, "the request to arrive", func() bool { return c.e.Faults()[0].Hits == 1 })
	if err := c.e.Close(); err != nil {
		t.Errorf("Close() = %v", err)
	}
	if res := <-done; res.err == nil {
		t.Errorf("the delayed request was answered %d", res.status)
	}
}

func TestFaultDropBefore(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	c.fail(`{"match":{"method":"POST"},"times":3,"do":"drop_before"}`)
	if res := c.post("/mkbucketv3/bucket-a"); res.err == nil {
		t.Errorf("create was answered %d", res.status)
	}
	if got := c.last(); got.Status != 0 || got.Path != "/mkbucketv3/bucket-a" {
		t.Errorf("recorded as %+v, want status 0", got)
	}
	token := c.token(policy("public"))
	if res := c.upload(field("token", token), field("key", "k"), file("f", "hello")); res.err == nil {
		t.Errorf("the upload was answered %d", res.status)
	}
	if res := c.multipart("POST", "/buckets/public/objects/~/uploads", token, ""); res.err == nil {
		t.Errorf("the begin was answered %d", res.status)
	}
	if res := c.get("/buckets"); res.body != `["private","public"]` {
		t.Errorf("/buckets: %s, want nothing new", res.body)
	}
	if keys, err := c.e.Keys("public"); err != nil || len(keys) > 0 {
		t.Errorf("Keys() = %q, %v, want none", keys, err)
	}
}

func TestFaultApplyThenDrop(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	c.fail(`{"match":{"bucket":"bucket-a"},"times":1,"do":"apply_then_drop"}`)
	if res := c.post("/mkbucketv3/bucket-a"); res.err == nil {
		t.Errorf("create was answered %d", res.status)
	}
	c.wantError("create again", c.post("/mkbucketv3/bucket-a"), 614, "the bucket already exists and you own it.")

	c.fail(`{"match":{"bucket":"public","key":"k"},"do":"apply_then_drop"}`)
	if res := c.upload(file("f", "hello"), field("key", "k"), field("token", c.token(policy("public")))); res.err == nil {
		t.Errorf("the upload was answered %d", res.status)
	}
	if got := c.last(); got.Status != 0 || got.Service != "up" {
		t.Errorf("recorded as %+v, want status 0", got)
	}
	if content, err := c.e.Content("public", "k"); err != nil || string(content) != "hello" {
		t.Errorf("Content() = %q, %v, want what was uploaded", content, err)
	}
	u := c.begin("public", b64("other"), c.token(policy("public")))
	part := u.mustPart(1, "world")
	c.e.ClearFaults()
	c.fail(`{"match":{"method":"POST","path":"/buckets/*/uploads/*"},"do":"apply_then_drop"}`)
	if res := u.complete([]string{part}, ""); res.err == nil {
		t.Errorf("complete was answered %d", res.status)
	}
	c.fail(`{"match":{"service":"io"},"do":"apply_then_drop"}`)
	if res := c.download("GET", "public", "/other"); res.err == nil {
		t.Errorf("the download was answered %d", res.status)
	}
	if keys, err := c.e.Keys("public"); err != nil || cmp.Diff([]string{"k", "other"}, keys) != "" {
		t.Errorf("Keys() = %q, %v", keys, err)
	}
}

func TestFaultTruncate(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	content := strings.Repeat("x", 3*mib)
	c.put("public", "k", content)
	c.fail(`{"match":{"key":"k"},"do":"truncate"}`)
	stat := c.get("/stat/" + entry("public", "k"))
	if stat.err == nil || stat.status != 200 || !strings.HasPrefix(stat.body, `{"hash":`) || json.Valid([]byte(stat.body)) {
		t.Errorf("stat: %d %q %v, want half of an answer", stat.status, stat.body, stat.err)
	}
	download := c.download("GET", "public", "/k")
	if download.err == nil || download.status != 200 || len(download.body) != len(content)/2 || download.header.Get("Content-Length") != "3145728" {
		t.Errorf("download: %d, %d bytes, %v, want half of the content", download.status, len(download.body), download.err)
	}
	if got := c.last(); got.Status != 200 || got.Service != "io" || got.Path != "/k" {
		t.Errorf("recorded as %+v", got)
	}
	if object, err := c.e.Engine().Stat(c.account.AccessKey, "public", "k"); err != nil || object.Size != 3*mib {
		t.Errorf("Stat() = %+v, %v", object, err)
	}
}

func TestFaultMatches(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	for _, key := range []string{"", "a", "dir/b"} {
		c.put("public", key, "hello")
	}
	strikes := func(match string, call func() response) bool {
		t.Helper()
		c.e.ClearFaults()
		c.fail(`{"match":` + match + `,"do":"status","status":599}`)
		res := call()
		hits := c.e.Faults()[0].Hits
		if (res.status == 599) != (hits == 1) {
			t.Errorf("%s: status %d with %d hits", match, res.status, hits)
		}
		return hits == 1
	}
	stat := func(key string) func() response {
		return func() response { return c.get("/stat/" + entry("public", key)) }
	}
	batch := func() response {
		return c.postForm("/batch", url.Values{"op": {"stat/" + entry("public", "a"), "/stat/" + entry("public", "dir/b")}})
	}
	download := func(target string) func() response {
		return func() response { return c.download("GET", "public", target) }
	}
	for _, tt := range []struct {
		match string
		call  func() response
		want  bool
	}{
		{`{}`, stat("a"), true},
		{`{"key":""}`, stat(""), true},
		{`{"key":""}`, stat("a"), false},
		{`{"bucket":"public","key":"a"}`, stat("a"), true},
		{`{"bucket":"private","key":"a"}`, stat("a"), false},
		{`{"bucket":"public"}`, stat("dir/b"), true},
		{`{"key":"dir/b"}`, batch, true},
		{`{"key":"other"}`, batch, false},
		{`{"key":"copied"}`, func() response {
			return c.post("/copy/" + entry("public", "a") + "/" + strings.ReplaceAll(entry("public", "copied"), "=", "%3D"))
		}, true},
		{`{"key":"moved"}`, func() response {
			return c.postForm("/batch", url.Values{"op": {"/move/" + entry("public", "copied") + "/" + entry("public", "moved")}})
		}, true},
		{`{"bucket":"public"}`, batch, true},
		{`{"service":"io"}`, download("/a"), true},
		{`{"service":"io"}`, stat("a"), false},
		{`{"key":"dir/b"}`, download("/dir/b"), true},
		{`{"path":"/dir/?"}`, download("/dir/b"), true},
		{`{"path":"/dir/"}`, download("/dir/b"), false},
		{`{"path":"*b"}`, download("/dir/b"), true},
		{`{"path":"/d[i]r/b"}`, download("/dir/b"), false},
		{`{"bucket":"public"}`, func() response { return c.get("/list?bucket=public") }, true},
		{`{"bucket":"public"}`, func() response { return c.postForm("/private", url.Values{"bucket": {"public"}}) }, true},
		{`{"bucket":"public"}`, func() response { return c.get("/v2/domains?tbl=public") }, true},
		{`{"bucket":"public","key":"a"}`, func() response { return c.get("/list?bucket=public") }, false},
		{`{"service":"uc","path":"/v4/query"}`, func() response { return c.send(c.request("GET", "/v4/query?ak=x&bucket=public", nil)) }, true},
		{`{"method":"PUT","path":"/buckets/public/*"}`, func() response {
			return c.multipart("PUT", "/buckets/public/objects/~/uploads/x/1", "", "x")
		}, true},
		{`{"bucket":"public","key":"k"}`, func() response {
			return c.multipart("POST", "/buckets/public/objects/"+b64("k")+"/uploads", "", "")
		}, true},
		{`{"path":"/_emulator/*"}`, func() response { return c.send(c.request("GET", "/_emulator/health", nil)) }, false},
	} {
		if got := strikes(tt.match, tt.call); got != tt.want {
			t.Errorf("%s strikes: %v, want %v", tt.match, got, tt.want)
		}
	}
}

func TestFaultCounts(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	c.fail(`{"match":{"path":"/buckets"},"skip":1,"times":2,"do":"status","status":599}`)
	c.fail(`{"match":{"path":"/buckets"},"times":1,"do":"status","status":573}`)
	var statuses []int
	for range 5 {
		statuses = append(statuses, c.get("/buckets").status)
	}
	if diff := cmp.Diff([]int{573, 599, 599, 200, 200}, statuses); diff != "" {
		t.Errorf("statuses (-want +got)\n%s", diff)
	}
	want := `[{"id":"1","match":{"path":"/buckets"},"skip":1,"times":2,"do":"status","status":599,"error":"fault injected: status 599","seen":5,"hits":2},` +
		`{"id":"2","match":{"path":"/buckets"},"skip":0,"times":1,"do":"status","status":573,"error":"fault injected: status 573","seen":3,"hits":1}]`
	if res := c.send(c.request("GET", "/_emulator/faults", nil)); res.body != want {
		t.Errorf("faults: %s, want %s", res.body, want)
	}
	c.wantStatus("clear", c.send(c.request("DELETE", "/_emulator/faults", nil)), 200)
	if res := c.send(c.request("GET", "/_emulator/faults", nil)); res.body != `[]` {
		t.Errorf("faults: %s, want none", res.body)
	}
}

// TestFaultWithoutTimes adds faults that do not say how often they strike: they
// do so until they are cleared.
func TestFaultWithoutTimes(t *testing.T) {
	t.Parallel()
	for _, fault := range []string{`{"do":"status","status":599}`, `{"times":0,"do":"status","status":599}`} {
		c := newClient(t)
		c.fail(fault)
		for range 5 {
			c.wantStatus(fault, c.get("/buckets"), 599)
		}
		c.wantStatus("clear", c.send(c.request("DELETE", "/_emulator/faults", nil)), 200)
		c.wantStatus("cleared", c.get("/buckets"), 200)
	}
}

func TestRefusedFaults(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	for _, bad := range []string{
		``, `x`, `[]`, `{}`, `{"do":"explode"}`, `{"do":"status"}`, `{"do":"status","status":99}`, `{"do":"status","status":1000}`,
		`{"do":"delay"}`, `{"do":"delay","delay":"fast"}`, `{"do":"drop_before","skip":-1}`, `{"do":"drop_before","times":-1}`,
		`{"do":"drop_before","delay":"-1s"}`, `{"do":"drop_before","tmies":1}`, `{"do":"drop_before"}{}`, `{"do":"invisible"}`,
		`{"do":"rate","rate":-1}`, `{"do":"clock_skew","skew":"late"}`,
	} {
		c.wantStatus(bad, c.send(c.request("POST", "/_emulator/faults", strings.NewReader(bad))), 400)
	}
	if got := c.e.Faults(); len(got) > 0 {
		t.Errorf("Faults() = %+v, want none", got)
	}
}

func TestAdmin(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	admin := func(method, path, body string) response {
		return c.send(c.request(method, "/_emulator/"+path, strings.NewReader(body)))
	}
	if res := admin("GET", "health", ""); res.status != 200 || res.body != `{"status":"ok"}` {
		t.Errorf("health: %d %s", res.status, res.body)
	}
	c.put("public", "k", "hello")
	c.get("/buckets?secret=1")
	c.download("GET", "public", "/k?token=secret")
	c.download("HEAD", "public", "/missing")
	want := `[{"method":"POST","service":"up","path":"/","status":200},{"method":"GET","service":"uc","path":"/buckets","status":200},` +
		`{"method":"GET","service":"io","path":"/k","status":200},{"method":"HEAD","service":"io","path":"/missing","status":404}]`
	if res := admin("GET", "requests", ""); res.body != want {
		t.Errorf("requests: %s, want %s", res.body, want)
	}
	c.wantStatus("reset", admin("DELETE", "requests", ""), 200)
	if res := admin("GET", "requests", ""); res.body != "[]" {
		t.Errorf("requests: %s, want none", res.body)
	}
	c.wantStatus("unknown", admin("GET", "nothing", ""), 501)

	before := c.e.Engine().Now()
	res := admin("POST", "clock", `{"advance":"24h"}`)
	answer, _ := res.json(t).(map[string]any)
	text, _ := answer["now"].(string)
	now, err := time.Parse(time.RFC3339Nano, text)
	if moved := now.Sub(before); res.status != 200 || err != nil || moved < 24*time.Hour || moved > 25*time.Hour {
		t.Errorf("clock: %d %s, moved by %v", res.status, res.body, moved)
	}
	c.wantStatus("signatures go by the wall clock", c.get("/buckets"), 200)
	for _, bad := range []string{``, `{}`, `{"advance":"-1h"}`, `{"advance":"tomorrow"}`, `{"advanec":"1h"}`} {
		c.wantStatus(bad, admin("POST", "clock", bad), 400)
	}
}

// TestOddRequests sends what no client of Kodo sends.
func TestOddRequests(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	raw := func(text string) (status string) {
		t.Helper()
		conn, err := net.Dial("tcp", strings.TrimPrefix(c.e.Endpoint(), "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if _, err := io.WriteString(conn, text); err != nil {
			t.Fatal(err)
		}
		answer, err := io.ReadAll(conn)
		if err != nil {
			t.Fatal(err)
		}
		line, _, _ := strings.Cut(string(answer), "\r\n")
		return line
	}
	const end = " HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"
	for text, want := range map[string]string{
		"GET /%zz" + end:  "HTTP/1.1 400 Bad Request",
		"OPTIONS *" + end: "HTTP/1.1 501 Not Implemented",
		"GET //" + end:    "HTTP/1.1 501 Not Implemented",
		"POST //" + end:   "HTTP/1.1 501 Not Implemented",
		"POST //x" + end:  "HTTP/1.1 501 Not Implemented",
		"GET http://uc.qbox.me/v4/query?ak=x" + end:   "HTTP/1.1 612 status code 612",
		"GET http://public.localhost/k" + end:         "HTTP/1.1 404 Not Found",
		"CONNECT h:443" + end:                         "HTTP/1.1 501 Not Implemented",
		"POST /?" + strings.Repeat("a=b&", 100) + end: "HTTP/1.1 400 Bad Request",
		"POST /stat/%2F%00" + end:                     "HTTP/1.1 401 Unauthorized",
		"GET /stat/a\r\n\r\n":                         "HTTP/1.1 400 Bad Request",
	} {
		if got := raw(text); got != want {
			t.Errorf("%.40q: %q, want %q", text, got, want)
		}
	}
	req := c.request("PUT", "/bucketTagging?bucket=public", bytes.NewReader(make([]byte, 17*mib)))
	req.Header.Set("Authorization", "Qiniu a:b")
	c.wantError("too much", c.send(req), http.StatusRequestEntityTooLarge, "request body too large")
}
