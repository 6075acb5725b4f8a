package httpapi_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestTruncatedForms sends every beginning of a form as if it were all of it.
func TestTruncatedForms(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	token := field("token", c.token(policy("public")))
	for name, parts := range map[string][]formPart{
		"file last": {token, field("key", "k"), file("f", "hello")},
		"key last":  {file("f", "hello"), token, field("key", "k")},
	} {
		contentType, body := form(t, parts...)
		send := func(body string) response {
			req := c.request("POST", "/", strings.NewReader(body))
			req.Header.Set("Content-Type", contentType)
			return c.send(req)
		}
		whole := strings.TrimSuffix(string(body), "\r\n") // The last line needs no end.
		for n := range len(whole) {
			if res := send(whole[:n]); res.err != nil || res.status < 400 || res.status >= 500 {
				t.Errorf("%s: %d of %d bytes: %d %s %v", name, n, len(whole), res.status, res.body, res.err)
			}
		}
		if keys, err := c.e.Keys("public"); err != nil || len(keys) > 0 {
			t.Errorf("%s: Keys() = %q, %v, want none", name, keys, err)
		}
		for _, end := range []string{"", "\r\n", "\r\nafter the end"} {
			c.wantStatus(name+", whole", send(whole+end), 200)
		}
		c.wantStatus("delete", c.post("/delete/"+entry("public", "k")), 200)
	}
}

// truncated sends a request whose body ends before its length or its last chunk
// says so, and returns the status of the answer.
func (c *client) truncated(method, target, header, body string, chunked bool) int {
	c.t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(c.e.Endpoint(), "http://"))
	if err != nil {
		c.t.Fatal(err)
	}
	defer conn.Close()
	framing, sent := fmt.Sprintf("Content-Length: %d", len(body)+1), body
	if chunked {
		framing, sent = "Transfer-Encoding: chunked", fmt.Sprintf("%x\r\n%s\r\n", len(body), body)
	}
	if _, err := fmt.Fprintf(conn, "%s %s HTTP/1.1\r\nHost: h\r\n%s\r\n%s\r\n\r\n%s", method, target, header, framing, sent); err != nil {
		c.t.Fatal(err)
	}
	if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
		c.t.Fatal(err)
	}
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		c.t.Fatal(err)
	}
	defer res.Body.Close()
	if _, err := io.Copy(io.Discard, res.Body); err != nil {
		c.t.Error(err)
	}
	return res.StatusCode
}

// TestTruncatedRequests ends the bodies of requests early, each after all that
// their meaning needs: nothing of them may be stored or done.
func TestTruncatedRequests(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	c.put("public", "there", "hello")
	token := c.token(policy("public"))
	contentType, body := form(t, field("token", token), field("key", "k"), file("f", strings.Repeat("x", mib)))
	begun := c.begin("public", b64("part"), token)
	first := begun.mustPart(1, "hello")
	deletion := "op=delete/" + entry("public", "there")
	for name, request := range map[string]struct{ method, target, header, body string }{
		"form":       {"POST", "/", "Content-Type: " + contentType, string(body)},
		"part":       {"PUT", begun.target + "/1", "Authorization: UpToken " + token, strings.Repeat("x", mib)},
		"completion": {"POST", begun.target, "Authorization: UpToken " + token, `{"parts":[` + first + `]}`},
		"batch": {
			"POST", "/batch", "Content-Type: " + formType + "\r\nAuthorization: QBox " + c.account.AccessKey + ":" + c.hmac("/batch\n"+deletion), deletion,
		},
	} {
		for _, chunked := range []bool{false, true} {
			if got := c.truncated(request.method, request.target, request.header, request.body, chunked); got != 400 {
				t.Errorf("%s, chunked %t: %d, want 400", name, chunked, got)
			}
		}
	}
	if keys, err := c.e.Keys("public"); err != nil || cmp.Diff([]string{"there"}, keys) != "" {
		t.Errorf("Keys() = %q, %v, want the one that was there", keys, err)
	}
	waitFor(t, "the files to go", func() bool { return len(contentFiles(t, c.e.Dir())) == 0 })
	// The upload goes on with the part that it had.
	c.wantStatus("complete", begun.complete([]string{first}, ""), 200)
	if content, err := c.e.Content("public", "part"); err != nil || string(content) != "hello" {
		t.Errorf("Content() = %q, %v, want hello", content, err)
	}
}
