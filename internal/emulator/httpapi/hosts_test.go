package httpapi_test

import (
	"bufio"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// proxied sends a request as a client does that has the emulator for its proxy:
// with the whole URL in the request line.
func (c *client) proxied(method, target string, header ...string) response {
	c.t.Helper()
	req := c.request(method, "/", nil)
	absolute, err := url.Parse(target)
	if err != nil {
		c.t.Fatal(err)
	}
	req.URL, req.Host = absolute, ""
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	return c.sendBy(c.proxy(), req)
}

// proxy has the emulator for its proxy.
func (c *client) proxy() http.RoundTripper {
	c.t.Helper()
	emulator, err := url.Parse(c.e.Endpoint())
	if err != nil {
		c.t.Fatal(err)
	}
	return &http.Transport{Proxy: http.ProxyURL(emulator), DisableKeepAlives: true}
}

func TestProxy(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	c.put("public", "dir/k", "hello")
	c.put("private", "k", "secret")
	origin, err := c.e.DownloadHost("public")
	if err != nil {
		t.Fatal(err)
	}
	const query = "/v4/query?ak=kodo-emulator-access-key&bucket=public"
	_, port, _ := net.SplitHostPort(strings.TrimPrefix(c.e.Endpoint(), "http://"))
	for target, want := range map[string]struct {
		status int
		body   string
	}{
		"http://uc.qbox.me" + query:                             {200, ""},
		"http://uc.qiniuapi.com" + query:                        {200, ""},
		"http://kodo-config.qiniuapi.com:80" + query:            {200, ""},
		"http://UC.qbox.me" + query:                             {200, ""},
		"http://rs-z1.qbox.me/stat/x":                           {401, ""},
		"http://rs.qiniu.com/stat/x":                            {401, ""},
		"http://rsf-cn-east-2.qiniuapi.com/list":                {401, ""},
		"http://api-ap-southeast-3.qiniuapi.com/sisyphus/fetch": {501, ""},
		"http://iovip-z2.qiniuio.com/fetch/x":                   {405, ""},
		"http://fusion.qiniuapi.com/v2/tune/refresh":            {405, ""},
		"http://api.qiniu.com/sslcert":                          {501, ""},
		"http://cdn.example.com/dir/k":                          {200, "hello"},
		"http://public.localhost/dir/k":                         {200, "hello"},
		"http://" + origin + "/dir/k":                           {200, "hello"},
		"http://localhost:" + port + query:                      {200, ""},
		"http://127.0.0.1:" + port + "/_emulator/health":        {200, `{"status":"ok"}`},
		c.signedProxied("http://cdn.example.com:8080", "/k"):    {200, "secret"},
		"http://cdn.example.com:8080/k":                         {401, ""},
		"http://example.com/dir/k":                              {502, ""},
		"http://uc.example.com" + query:                         {502, ""},
		"http://qbox.me" + query:                                {502, ""},
		"http://uc-z9.qbox.me" + query:                          {502, ""},
		"http://rs-.qbox.me/stat/x":                             {502, ""},
		"http://xuc.qbox.me" + query:                            {502, ""},
		"http://uc.qbox.me.example.com" + query:                 {502, ""},
		"http://10.0.0.1/_emulator/health":                      {502, ""},
	} {
		res := c.proxied("GET", target)
		if res.err != nil || res.status != want.status || want.body != "" && res.body != want.body {
			t.Errorf("GET %s: %d %s %v, want %d %s", target, res.status, res.body, res.err, want.status, want.body)
		}
	}
	c.wantError("foreign", c.proxied("GET", "http://example.com/"), 502,
		"example.com is neither a host of Kodo nor a domain of a bucket, and this emulator reaches no others")
}

func (c *client) signedProxied(base, target string) string {
	return base + c.signedAs(base, target, time.Now().Add(time.Hour))
}

func TestConnect(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	conn, err := net.Dial("tcp", strings.TrimPrefix(c.e.Endpoint(), "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.Write([]byte("CONNECT uc.qbox.me:443 HTTP/1.1\r\nHost: uc.qbox.me:443\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	res, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: http.MethodConnect})
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != 501 {
		t.Errorf("CONNECT: %s, want 501", res.Status)
	}
}

// TestUploadRegion sends uploads to hosts of regions, as clients do that have the
// emulator for a proxy or in their hosts file.
func TestUploadRegion(t *testing.T) {
	t.Parallel()
	c := newClient(t) // "private" is in z0, "public" in z1.
	upload := func(host, bucket string) response {
		contentType, body := form(t, field("token", c.token(policy(bucket))), field("key", "k"), file("f", "hello"))
		req := c.request("POST", "/", strings.NewReader(string(body)))
		req.Header.Set("Content-Type", contentType)
		req.Host = host
		return c.send(req)
	}
	for _, tt := range []struct{ host, bucket, refusal string }{
		{"up-z0.qiniup.com", "private", ""},
		{"upload.qiniup.com", "private", ""},
		{"UP.qbox.me:80", "private", ""},
		{"upload-z1.qiniup.com", "public", ""},
		{"example.com", "public", ""},
		{"up-z2.qiniup.com", "private", "incorrect region, please use up-z0.qiniup.com"},
		{"up.qiniup.com", "public", "incorrect region, please use up-z1.qiniup.com"},
		{"up-cn-east-2.qbox.me", "public", "incorrect region, please use up-z1.qiniup.com"},
	} {
		res := upload(tt.host, tt.bucket)
		if tt.refusal == "" {
			c.wantStatus(tt.host, res, 200)
		} else {
			c.wantError(tt.host, res, 400, tt.refusal)
		}
	}
	req := c.request("POST", "/buckets/public/objects/~/uploads", nil)
	req.Header.Set("Authorization", "UpToken "+c.token(policy("public")))
	req.Host = "up-z2.qiniup.com"
	c.wantError("multipart", c.send(req), 400, "incorrect region, please use up-z1.qiniup.com")
	if res := upload("up-z2.qiniup.com", "missing"); res.status != 631 {
		t.Errorf("no bucket: %d, want 631", res.status)
	}
}
