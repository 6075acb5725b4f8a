package httpapi_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/qiniu/terraform-provider-kodo/internal/emulator"
	"github.com/qiniu/terraform-provider-kodo/internal/emulator/engine"
	"github.com/qiniu/terraform-provider-kodo/internal/emulator/httpapi"
)

// noOrigins is a server without download listeners.
type noOrigins struct{}

func (noOrigins) Address(engine.Bucket) (string, error) { return "origin", nil }
func (noOrigins) Bucket(net.Addr) (string, bool)        { return "", false }
func (noOrigins) Drop(string)                           {}

// newHandler returns a Server without a network. It has the bucket "bucket".
func newHandler(tb testing.TB, idle time.Duration) (handler *httpapi.Server, dir string) {
	tb.Helper()
	dir = tb.TempDir()
	opened, err := engine.Open(engine.Options{Dir: dir})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { opened.Close() })
	account := emulator.DefaultAccount()
	if _, err := opened.CreateBucket(account.AccessKey, "bucket", "", false); err != nil {
		tb.Fatal(err)
	}
	return httpapi.New(httpapi.Config{
		Engine: opened, Host: "h", Origins: noOrigins{}, Now: time.Now, Idle: idle, Done: make(chan struct{}),
		Secret: func(accessKey string) (string, bool) { return account.SecretKey, accessKey == account.AccessKey },
	}), dir
}

// TestSilentClients lets clients fall silent in the middle of a request and of
// an answer: the server gives up on them, and on what they had sent.
func TestSilentClients(t *testing.T) {
	t.Parallel()
	handler, dir := newHandler(t, 500*time.Millisecond)
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	c := &client{t: t, account: emulator.DefaultAccount()}
	dial := func() net.Conn {
		conn, err := net.Dial("tcp", server.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		return conn
	}

	contentType, body := form(t, field("token", c.token(policy("bucket"))), field("key", "k"), file("f", strings.Repeat("x", 8*mib)))
	conn := dial()
	fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: h\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n", contentType, len(body))
	if _, err := conn.Write(body[:len(body)/2]); err != nil {
		t.Fatal(err)
	}
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil || res.StatusCode != http.StatusBadRequest || !res.Close {
		t.Errorf("half an upload: %v, %v, want 400 and the end of the connection", res, err)
	}
	waitFor(t, "the files to go", func() bool { return len(contentFiles(t, dir)) == 0 })

	whole, err := http.Post(server.URL+"/", contentType, bytes.NewReader(body))
	if err != nil || whole.StatusCode != http.StatusOK {
		t.Fatalf("a whole upload: %v, %v", whole, err)
	}
	whole.Body.Close()

	// It reads nothing of an answer that no buffer can hold.
	conn = dial()
	if _, err := io.WriteString(conn, "GET /k HTTP/1.1\r\nHost: bucket.localhost\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "the download to begin", func() bool { return len(handler.Log.All()) == 3 })
	time.Sleep(2 * time.Second)
	if n, err := io.Copy(io.Discard, conn); n >= 8*mib || (err == nil && n == 0) {
		t.Errorf("after a pause of four times what is allowed, %d bytes came, %v", n, err)
	}
}
