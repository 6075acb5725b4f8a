package httpapi_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// source serves what is fetched.
func source(t *testing.T) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/hello":
			w.Header().Set("Content-Type", "text/x")
			fmt.Fprint(w, "hello")
		case "/plain":
			w.Header()["Content-Type"] = nil
			fmt.Fprint(w, "hello")
		case "/host":
			fmt.Fprint(w, r.Host+"?"+r.URL.RawQuery)
		case "/moved":
			http.Redirect(w, r, "/hello", http.StatusFound)
		case "/cut":
			w.Header().Set("Content-Length", "100")
			fmt.Fprint(w, "hello")
		case "/forbidden":
			w.WriteHeader(http.StatusForbidden)
		case "/partial":
			w.WriteHeader(http.StatusPartialContent)
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func TestFetch(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	from := source(t)
	fetch := func(url, to, more string) response {
		t.Helper()
		return c.post("/fetch/" + b64(url) + "/to/" + to + more)
	}
	answer := func(key, mimeType string) string {
		return fmt.Sprintf(`{"hash":"%s","key":"%s","fsize":5,"mimeType":"%s"}`, helloHash, key, mimeType)
	}
	for name, tt := range map[string]struct {
		res  response
		want string
	}{
		"with a key":      {fetch(from+"/hello", entry("public", "a:b/c"), ""), answer("a:b/c", "text/x")},
		"with no key":     {fetch(from+"/hello", b64("public"), ""), answer(helloHash, "text/x")},
		"the empty key":   {fetch(from+"/hello", entry("public", ""), ""), answer("", "text/x")},
		"with no type":    {fetch(from+"/plain", entry("public", "plain"), ""), answer("plain", "application/octet-stream")},
		"redirected":      {fetch(from+"/moved", entry("public", "moved"), ""), answer("moved", "text/x")},
		"padding escaped": {c.post("/fetch/" + strings.ReplaceAll(b64(from+"/hello"), "=", "%3D") + "/to/" + strings.ReplaceAll(entry("public", "p"), "=", "%3d")), answer("p", "text/x")},
	} {
		if tt.res.status != 200 || tt.res.body != tt.want {
			t.Errorf("%s: %d %s, want %s", name, tt.res.status, tt.res.body, tt.want)
		}
	}
	c.wantStatus("with a host", fetch(from+"/host?a=b", entry("public", "a:b/c"), "/host/"+b64("www.example.com")), 200)
	if content, err := c.e.Content("public", "a:b/c"); err != nil || string(content) != "www.example.com?a=b" {
		t.Errorf("Content() = %q, %v, want the overwriting content", content, err)
	}
}

func TestRefusedFetches(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	from := source(t)
	fetch := func(url string) response { return c.post("/fetch/" + b64(url) + "/to/" + entry("public", "k")) }
	c.wantStatus("missing", fetch(from+"/missing"), 404)
	for _, url := range []string{
		from + "/forbidden", from + "/partial", from + "/cut", "http://127.0.0.1:1/", "http://192.0.2.1/", "ftp://127.0.0.1/x", "", "x", "http://\x00",
	} {
		c.wantStatus(url, fetch(url), 478)
	}
	if res := fetch("http://192.0.2.1/"); !strings.Contains(res.errorText(), "--allow-remote") {
		t.Errorf("another machine: %s, want a hint", res.body)
	}
	c.wantError("missing bucket", c.post("/fetch/"+b64(from+"/hello")+"/to/"+entry("missing", "k")), 631, "no such bucket")
	c.wantError("another's", c.as(other).post("/fetch/"+b64(from+"/hello")+"/to/"+entry("public", "k")), 631, "no such bucket")
	for _, bad := range []string{
		"/fetch", "/fetch/" + b64("x"), "/fetch/" + b64("x") + "/to", "/fetch/" + b64("x") + "/at/" + entry("public", "k"),
		"/fetch/!/to/" + entry("public", "k"), "/fetch/" + b64("x") + "/to/!", "/fetch/" + b64("x") + "/to/" + entry("public", "k") + "/host",
		"/fetch/" + b64("x") + "/to/" + entry("public", "k") + "/ghost/" + b64("x"), "/fetch/" + b64("x") + "/to/" + entry("public", "k") + "/host/!",
	} {
		c.wantError(bad, c.post(bad), 400, "invalid argument")
	}
	c.wantError("key", c.post("/fetch/"+b64(from+"/hello")+"/to/"+entry("public", "\xff")), 400, "key must be utf8 encoding")
	c.wantError("method", c.get("/fetch/"+b64("x")+"/to/"+entry("public", "k")), 405, "method not allowed")
	if keys, err := c.e.Keys("public"); err != nil || len(keys) > 0 {
		t.Errorf("Keys() = %q, %v, want none", keys, err)
	}
	waitFor(t, "the files to go", func() bool { return len(contentFiles(t, c.e.Dir())) == 0 })
}
