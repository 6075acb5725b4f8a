package httpapi_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/qiniu/terraform-provider-kodo/internal/emulator"
)

const formType = "application/x-www-form-urlencoded"

// client speaks to an emulator of its own, signing as Kodo documents it.
type client struct {
	t       *testing.T
	e       *emulator.Emulator
	account emulator.Account
}

// other is a second account of every client's emulator.
var other = emulator.Account{AccessKey: "other-access-key", SecretKey: "other-secret-key"}

// newClient starts an emulator with the private bucket "private" and the public
// bucket "public".
func newClient(t *testing.T) *client {
	t.Helper()
	e, err := emulator.New(emulator.Options{
		Accounts: []emulator.Account{emulator.DefaultAccount(), other},
		Buckets:  []emulator.BucketSpec{{Name: "private"}, {Name: "public", Public: true, Region: "z1"}},
		Domains:  []emulator.DomainSpec{{Bucket: "public", Host: "cdn.example.com"}, {Bucket: "private", Host: "cdn.example.com:8080"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Errorf("Close() = %v", err)
		}
	})
	return &client{t: t, e: e, account: emulator.DefaultAccount()}
}

// as returns the same client under another account.
func (c *client) as(account emulator.Account) *client {
	return &client{t: c.t, e: c.e, account: account}
}

func (c *client) hmac(data string) string {
	mac := hmac.New(sha1.New, []byte(c.account.SecretKey))
	mac.Write([]byte(data))
	return base64.URLEncoding.EncodeToString(mac.Sum(nil))
}

// response is an answer that was read to its end.
type response struct {
	status int
	header http.Header
	body   string
	err    error // of the connection, or of reading the body
}

// json decodes the body.
func (r response) json(t *testing.T) any {
	t.Helper()
	var value any
	if err := json.Unmarshal([]byte(r.body), &value); err != nil {
		t.Fatalf("the body %q is no JSON: %v", r.body, err)
	}
	return value
}

// errorText returns the text of a refusal.
func (r response) errorText() string {
	var body struct {
		Error string `json:"error"`
	}
	if err := json.Unmarshal([]byte(r.body), &body); err != nil {
		return "no JSON: " + r.body
	}
	return body.Error
}

// send sends a request as it is.
func (c *client) send(req *http.Request) response {
	c.t.Helper()
	return c.sendBy(&http.Transport{DisableKeepAlives: true}, req)
}

func (c *client) sendBy(transport http.RoundTripper, req *http.Request) response {
	c.t.Helper()
	answer, err := transport.RoundTrip(req)
	if err != nil {
		return response{err: err}
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if answer.Header.Get("X-Reqid") == "" {
		c.t.Errorf("%s %s: the answer has no X-Reqid", req.Method, req.URL.Path)
	}
	return response{answer.StatusCode, answer.Header, string(body), err}
}

// request builds a request to the API; target is taken as it is.
func (c *client) request(method, target string, body io.Reader) *http.Request {
	c.t.Helper()
	req, err := http.NewRequestWithContext(c.t.Context(), method, c.e.Endpoint()+"/", body)
	if err != nil {
		c.t.Fatal(err)
	}
	path, query, _ := strings.Cut(target, "?")
	req.URL.Opaque, req.URL.RawQuery = path, query
	if strings.HasPrefix(path, "//") { // Which Opaque has for the host of an absolute URL.
		req.URL.Opaque = ""
		if req.URL.Path, err = url.PathUnescape(path); err != nil {
			c.t.Fatal(err)
		}
		req.URL.RawPath = path
	}
	return req
}

// manage sends a management call, signed with the Qiniu scheme.
func (c *client) manage(method, target, contentType, body string) response {
	c.t.Helper()
	req := c.request(method, target, strings.NewReader(body))
	data := method + " " + target + "\nHost: " + req.Host + "\n"
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
		data += "Content-Type: " + contentType + "\n"
	}
	date := time.Now().UTC().Format("20060102T150405Z")
	req.Header.Set("X-Qiniu-Date", date)
	data += "X-Qiniu-Date: " + date + "\n\n"
	if contentType != "" {
		data += body
	}
	req.Header.Set("Authorization", "Qiniu "+c.account.AccessKey+":"+c.hmac(data))
	return c.send(req)
}

func (c *client) get(target string) response  { c.t.Helper(); return c.manage("GET", target, "", "") }
func (c *client) post(target string) response { c.t.Helper(); return c.manage("POST", target, "", "") }
func (c *client) postForm(target string, form url.Values) response {
	c.t.Helper()
	return c.manage("POST", target, formType, form.Encode())
}

// policy is a put policy that is good for an hour.
func policy(scope string, more ...string) string {
	fields := fmt.Sprintf(`"scope":%q,"deadline":%d`, scope, time.Now().Add(time.Hour).Unix())
	return "{" + strings.Join(append([]string{fields}, more...), ",") + "}"
}

func (c *client) token(policy string) string {
	encoded := b64(policy)
	return c.account.AccessKey + ":" + c.hmac(encoded) + ":" + encoded
}

func b64(text string) string            { return base64.URLEncoding.EncodeToString([]byte(text)) }
func entry(bucket, key string) string   { return b64(bucket + ":" + key) }
func field(name, value string) formPart { return formPart{name: name, value: value} }
func file(name, content string) formPart {
	return formPart{name: "file", fileName: name, value: content}
}

// formPart is a part of a form upload, a file if it has a file name.
type formPart struct{ name, fileName, contentType, value string }

// form encodes parts in their order.
func form(tb testing.TB, parts ...formPart) (contentType string, body []byte) {
	tb.Helper()
	var buffer bytes.Buffer
	w := multipart.NewWriter(&buffer)
	for _, part := range parts {
		header := map[string][]string{"Content-Disposition": {fmt.Sprintf(`form-data; name=%q`, part.name)}}
		if part.fileName != "" {
			header["Content-Disposition"][0] += fmt.Sprintf(`; filename=%q`, part.fileName)
			header["Content-Type"] = []string{part.contentType}
		}
		p, err := w.CreatePart(header)
		if err != nil {
			tb.Fatal(err)
		}
		if _, err := io.WriteString(p, part.value); err != nil {
			tb.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	return w.FormDataContentType(), buffer.Bytes()
}

// upload sends a form upload.
func (c *client) upload(parts ...formPart) response {
	c.t.Helper()
	contentType, body := form(c.t, parts...)
	req := c.request("POST", "/", bytes.NewReader(body))
	req.Header.Set("Content-Type", contentType)
	return c.send(req)
}

// put uploads content under a key, overwriting.
func (c *client) put(bucket, key, content string) {
	c.t.Helper()
	res := c.upload(field("token", c.token(policy(bucket+":"+key))), field("key", key), file("f", content))
	if res.status != 200 {
		c.t.Fatalf("upload of %q: %d %s", key, res.status, res.body)
	}
}

// multipart sends a call of the multipart interface.
func (c *client) multipart(method, target, token string, body string, header ...string) response {
	c.t.Helper()
	req := c.request(method, target, strings.NewReader(body))
	req.Header.Set("Authorization", "UpToken "+token)
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	return c.send(req)
}

// download gets a target from the bucket's own host.
func (c *client) download(method, bucket, target string, header ...string) response {
	c.t.Helper()
	host, err := c.e.DownloadHost(bucket)
	if err != nil {
		c.t.Fatal(err)
	}
	req := c.request(method, target, nil)
	req.URL.Host, req.Host = host, host
	for i := 0; i < len(header); i += 2 {
		if header[i] == "Host" {
			req.Host = header[i+1]
			continue
		}
		req.Header.Set(header[i], header[i+1])
	}
	return c.send(req)
}

// signed adds a deadline and a token to a download target.
func (c *client) signed(host, target string, deadline time.Time) string {
	separator := "?"
	if strings.Contains(target, "?") {
		separator = "&"
	}
	target += fmt.Sprintf("%se=%d", separator, deadline.Unix())
	return target + "&token=" + c.account.AccessKey + ":" + c.hmac("http://"+host+target)
}

func (c *client) wantStatus(name string, res response, want int) {
	c.t.Helper()
	if res.err != nil || res.status != want {
		c.t.Errorf("%s: %d %s %v, want status %d", name, res.status, res.body, res.err, want)
	}
}

func (c *client) wantError(name string, res response, status int, text string) {
	c.t.Helper()
	if res.err != nil || res.status != status || res.errorText() != text || res.header.Get("Content-Type") != "application/json" {
		c.t.Errorf("%s: %d %s %q %v, want %d %q", name, res.status, res.body, res.header.Get("Content-Type"), res.err, status, text)
	}
}
