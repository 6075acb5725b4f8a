package httpapi_test

import (
	"io"
	"mime"
	"mime/multipart"
	"strings"
	"testing"
	"time"
)

func TestPublicDownload(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	c.wantStatus("upload", c.upload(field("token", c.token(policy("public"))), field("key", "dir/ü +&.txt"),
		field("x-qn-meta-author", "me"), field("x-qn-meta-!Cache-Control", "no-store"), field("x-qn-meta-!X-Reqid", "mine"),
		field("x-qn-meta-!Content-Length", "1"), formPart{"file", "f", "text/x", "hello"}), 200)
	const target = "/dir/%C3%BC%20+&.txt"
	tests := map[string]struct {
		method, target string
		header         []string
		status         int
		body           string
		want           map[string]string
	}{
		"whole": {"GET", target, nil, 200, "hello", map[string]string{
			"Content-Type": "text/x", "Content-Length": "5", "Etag": `"` + helloHash + `"`, "Accept-Ranges": "bytes",
			"X-Qn-Meta-Author": "me", "Cache-Control": "no-store", "Content-Disposition": "",
		}},
		"head":           {"HEAD", target, nil, 200, "", map[string]string{"Content-Length": "5", "Etag": `"` + helloHash + `"`}},
		"range":          {"GET", target, []string{"Range", "bytes=1-3"}, 206, "ell", map[string]string{"Content-Range": "bytes 1-3/5", "Content-Length": "3"}},
		"last bytes":     {"GET", target, []string{"Range", "bytes=-2"}, 206, "lo", map[string]string{"Content-Range": "bytes 3-4/5"}},
		"open range":     {"GET", target, []string{"Range", "bytes=4-"}, 206, "o", nil},
		"long range":     {"GET", target, []string{"Range", "bytes=0-99"}, 206, "hello", nil},
		"beyond":         {"GET", target, []string{"Range", "bytes=5-"}, 416, `{"error":"requested range not satisfiable"}`, map[string]string{"Content-Range": "bytes */5"}},
		"other unit":     {"GET", target, []string{"Range", "lines=1-2"}, 200, "hello", map[string]string{"Content-Length": "5"}},
		"no range":       {"GET", target, []string{"Range", "bytes=x"}, 416, `{"error":"requested range not satisfiable"}`, nil},
		"head of range":  {"HEAD", target, []string{"Range", "bytes=1-3"}, 206, "", map[string]string{"Content-Range": "bytes 1-3/5"}},
		"not modified":   {"GET", target, []string{"If-None-Match", `"` + helloHash + `"`}, 304, "", nil},
		"modified":       {"GET", target, []string{"If-None-Match", `"x"`}, 200, "hello", nil},
		"precondition":   {"GET", target, []string{"If-Match", `"x"`}, 412, `{"error":"precondition failed"}`, nil},
		"if range":       {"GET", target, []string{"Range", "bytes=1-3", "If-Range", `"x"`}, 200, "hello", nil},
		"since":          {"GET", target, []string{"If-Modified-Since", time.Now().Add(time.Hour).UTC().Format("Mon, 02 Jan 2006 15:04:05 GMT")}, 304, "", nil},
		"attachment":     {"GET", target + "?attname=a%22ü.txt", nil, 200, "hello", map[string]string{"Content-Disposition": `attachment; filename="a__.txt"; filename*=utf-8''a%22%C3%BC.txt`}},
		"own attachment": {"GET", target + "?attname=", nil, 200, "hello", map[string]string{"Content-Disposition": `attachment; filename="_ +&.txt"; filename*=utf-8''%C3%BC%20+&.txt`}},
		"missing":        {"GET", "/dir/x", nil, 404, `{"error":"Document not found"}`, map[string]string{"Content-Type": "application/json"}},
		"missing, head":  {"HEAD", "/dir/x", nil, 404, "", nil},
		"no cleaning":    {"GET", "/dir/../" + target, nil, 404, `{"error":"Document not found"}`, nil},
		"admin":          {"GET", "/_emulator/health", nil, 404, `{"error":"Document not found"}`, nil},
		"method":         {"POST", target, nil, 405, `{"error":"method not allowed"}`, nil},
		"main port":      {"GET", target, []string{"Host", "public.localhost:1234"}, 200, "hello", nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := &client{t: t, e: c.e, account: c.account}
			res := c.download(tt.method, "public", tt.target, tt.header...)
			if res.err != nil || res.status != tt.status || res.body != tt.body {
				t.Errorf("%d %q %v, want %d %q", res.status, res.body, res.err, tt.status, tt.body)
			}
			for name, want := range tt.want {
				if got := res.header.Get(name); got != want {
					t.Errorf("%s = %q, want %q", name, got, want)
				}
			}
			if got := res.header.Get("X-Reqid"); got == "mine" {
				t.Error("metadata has set X-Reqid")
			}
		})
	}
}

// TestManyRanges asks for several ranges: they come as parts, unless they are more
// than the whole.
func TestManyRanges(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	c.put("public", "k", "hello, world")
	res := c.download("GET", "public", "/k", "Range", "bytes=0-1,-2")
	mediaType, params, err := mime.ParseMediaType(res.header.Get("Content-Type"))
	if res.status != 206 || mediaType != "multipart/byteranges" || err != nil {
		t.Fatalf("%d %v %v", res.status, res.header, err)
	}
	parts := multipart.NewReader(strings.NewReader(res.body), params["boundary"])
	for _, want := range [][2]string{{"bytes 0-1/12", "he"}, {"bytes 10-11/12", "ld"}} {
		part, err := parts.NextPart()
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(part)
		if part.Header.Get("Content-Range") != want[0] || string(body) != want[1] || err != nil {
			t.Errorf("%v %q %v, want %q", part.Header, body, err, want)
		}
	}
	if res := c.download("GET", "public", "/k", "Range", "bytes=0-,0-,0-"); res.status != 200 || res.body != "hello, world" {
		t.Errorf("overlapping ranges: %d %q, want the whole", res.status, res.body)
	}
}

// TestDownloadKeys gets keys byte for byte, however they look in a path.
func TestDownloadKeys(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	for _, bucket := range []string{"public", "private"} {
		host, err := c.e.DownloadHost(bucket)
		if err != nil {
			t.Fatal(err)
		}
		for key, target := range map[string]string{
			"/":                "//",
			"//":               "///",
			"/a":               "//a",
			"a//b":             "/a//b",
			"a/":               "/a/",
			"a/./../b":         "/a/./../b",
			"..":               "/..",
			"a b":              "/a%20b",
			"a+b":              "/a+b",
			"a%b":              "/a%25b",
			"a%2Fb":            "/a%252Fb",
			"a/b":              "/a%2Fb",
			"?":                "/%3F",
			"a?b=c&d#e":        "/a%3Fb=c&d%23e",
			"a:b@c;d,e=f":      "/a:b@c;d,e=f",
			"\u6e2f\u53e3.txt": "/%E6%B8%AF%E5%8F%A3.txt",
			"\u5730\u56fe":     "/\u5730\u56fe",
			"\r\n":             "/%0D%0A",
			"_emulator/x":      "/_emulator/x",
			"stat/x":           "/stat/x",
		} {
			c.put(bucket, key, "content of "+key)
			if bucket == "private" {
				target = c.signed(host, target, time.Now().Add(time.Hour))
			}
			if res := c.download("GET", bucket, target); res.status != 200 || res.body != "content of "+key {
				t.Errorf("GET %s from %s: %d %q, want the object %q", target, bucket, res.status, res.body, key)
			}
		}
	}
	for _, target := range []string{"/%FF", "/%00", "/a%2fb%FF"} {
		c.wantError(target, c.download("GET", "public", target), 404, "Document not found")
	}
	c.wantError("another signature's path", c.download("GET", "private", strings.Replace(c.signed("h", "/a%2Fb", time.Now().Add(time.Hour)), "%2F", "/", 1), "Host", "private.localhost"), 401, "bad token")
}

func TestOverriddenHeaders(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	c.wantStatus("upload", c.upload(field("token", c.token(policy("public"))), field("key", "k"),
		field("x-qn-meta-!Last-Modified", "Mon, 02 Jan 2006 15:04:05 GMT"), field("x-qn-meta-!Content-Encoding", "gzip"),
		field("x-qn-meta-!Content-Type", "text/y"), file("f", "hello")), 200)
	res := c.download("GET", "public", "/k", "Accept-Encoding", "identity")
	for name, want := range map[string]string{
		"Last-Modified": "Mon, 02 Jan 2006 15:04:05 GMT", "Content-Encoding": "gzip", "Content-Type": "text/y", "Content-Length": "5",
	} {
		if got := res.header.Get(name); got != want {
			t.Errorf("%s = %q, want %q", name, got, want)
		}
	}
	for name, want := range map[string]int{"If-Match": 412, "Range": 416} {
		refused := c.download("GET", "public", "/k", "Accept-Encoding", "identity", name, "bytes=9-")
		if got := refused.header.Get("Content-Encoding"); refused.status != want || got != "" {
			t.Errorf("a refusal by %s: %d in the encoding %q, want %d in none", name, refused.status, got, want)
		}
	}
}

func TestPrivateDownload(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	c.put("private", "k", "hello")
	host, err := c.e.DownloadHost("private")
	if err != nil {
		t.Fatal(err)
	}
	later, earlier := time.Now().Add(time.Hour), time.Now().Add(-time.Minute)
	wrong := c.account
	wrong.SecretKey = "wrong"
	get := func(target string, header ...string) response { return c.download("GET", "private", target, header...) }

	c.wantStatus("signed", get(c.signed(host, "/k", later)), 200)
	c.wantStatus("signed with a query", get(c.signed(host, "/k?attname=x", later)), 200)
	c.wantStatus("signed and missing", get(c.signed(host, "/x", later)), 404)
	c.wantError("unsigned", get("/k"), 401, "download token not specified")
	c.wantError("unsigned and missing", get("/x"), 401, "download token not specified")
	c.wantError("expired", get(c.signed(host, "/k", earlier)), 401, "expired token")
	c.wantError("wrong key", get(c.as(wrong).signed(host, "/k", later)), 401, "bad token")
	c.wantError("another account", get(c.as(other).signed(host, "/k", later)), 401, "bad token")
	c.wantError("another path", get(strings.Replace(c.signed(host, "/k", later), "/k", "/x", 1)), 401, "bad token")
	c.wantError("another host", get(c.signed("example.com", "/k", later)), 401, "bad token")
	c.wantStatus("https before a proxy", get(c.signedAs("https://"+host, "/k", later)), 200)
	c.wantStatus("name on the main port", c.onMain(c.signed("private.localhost", "/k", later), "private.localhost"), 200)
	c.wantStatus("bound domain with its port", c.onMain(c.signed("cdn.example.com:8080", "/k", later), "cdn.example.com:8080"), 200)
}

func TestDownloadHosts(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	c.put("public", "k", "hello")
	for _, host := range []string{"public.localhost", "public.localhost:80", "cdn.example.com", "CDN.example.com", "cdn.example.com:9999"} {
		if res := c.onMain("/k", host); res.status != 200 || res.body != "hello" {
			t.Errorf("Host %s: %d %s", host, res.status, res.body)
		}
	}
	c.wantError("no bucket", c.onMain("/k", "missing.localhost"), 404, "no such domain")
	c.wantError("the port of another", c.onMain("/k", "cdn.example.com:8080"), 401, "download token not specified")

	// A connection to a bucket that is gone.
	host, err := c.e.DownloadHost("public")
	if err != nil {
		t.Fatal(err)
	}
	c.wantStatus("delete", c.post("/delete/"+entry("public", "k")), 200)
	c.wantStatus("drop", c.post("/drop/public"), 200)
	req := c.request("GET", "/k", nil)
	req.URL.Host = host
	if res := c.send(req); res.err == nil {
		t.Errorf("the listener of a dropped bucket answers %d", res.status)
	}
}

func TestIndexPage(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	c.put("public", "index.html", "home")
	c.put("public", "dir/index.html", "folder")
	c.wantError("off", c.download("GET", "public", "/"), 404, "Document not found")
	c.wantStatus("turn on", c.post("/noIndexPage?bucket=public&noIndexPage=0"), 200)
	for target, want := range map[string]string{"/": "home", "/dir/": "folder"} {
		if res := c.download("GET", "public", target); res.status != 200 || res.body != want {
			t.Errorf("GET %s: %d %s, want %s", target, res.status, res.body, want)
		}
	}
	c.wantError("no slash", c.download("GET", "public", "/dir"), 404, "Document not found")
	c.wantError("no page", c.download("GET", "public", "/other/"), 404, "Document not found")
	c.put("public", "dir/", "itself")
	if res := c.download("GET", "public", "/dir/"); res.body != "itself" {
		t.Errorf("GET /dir/: %s, want the object of that key", res.body)
	}
}

// onMain sends a download to the main address under another Host.
func (c *client) onMain(target, host string) response {
	c.t.Helper()
	req := c.request("GET", target, nil)
	req.Host = host
	return c.send(req)
}

// signedAs is signed for a base URL of any scheme.
func (c *client) signedAs(base, target string, deadline time.Time) string {
	at := strings.LastIndex(c.signed("", target, deadline), "&token=")
	target = c.signed("", target, deadline)[:at]
	return target + "&token=" + c.account.AccessKey + ":" + c.hmac(base+target)
}
