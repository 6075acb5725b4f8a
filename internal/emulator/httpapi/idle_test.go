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
	"sync/atomic"
	"testing"
	"time"

	"github.com/qiniu/terraform-provider-kodo/internal/emulator"
	"github.com/qiniu/terraform-provider-kodo/internal/emulator/auth"
	"github.com/qiniu/terraform-provider-kodo/internal/emulator/engine"
	"github.com/qiniu/terraform-provider-kodo/internal/emulator/httpapi"
	"github.com/qiniu/terraform-provider-kodo/internal/emulator/outbound"
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
	verifier := auth.NewVerifier(func(accessKey string) (string, bool) { return account.SecretKey, accessKey == account.AccessKey }, time.Now)
	sender := outbound.New(outbound.Config{Verifier: verifier})
	tb.Cleanup(sender.Close)
	return httpapi.New(httpapi.Config{
		Engine: opened, Verifier: verifier, Host: "h", Origins: noOrigins{}, Outbound: sender, Idle: idle, Done: make(chan struct{}),
	}), dir
}

// TestSilentClients lets clients fall silent in the middle of a request and of
// an answer: the server gives up on them, and on what they had sent.
func TestSilentClients(t *testing.T) {
	t.Parallel()
	handler, dir := newHandler(t, 500*time.Millisecond)
	var ended atomic.Int64 // How many requests the server is done with.
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer ended.Add(1)
		handler.ServeHTTP(w, r)
	}))
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

	whole := httptest.NewRequest(http.MethodPost, "/", bytes.NewReader(body)) // Past the network, which might be slow.
	whole.Header.Set("Content-Type", contentType)
	whole.Host = "h"
	answer := httptest.NewRecorder()
	if handler.ServeHTTP(answer, whole); answer.Code != http.StatusOK {
		t.Fatalf("a whole upload: %d %s", answer.Code, answer.Body)
	}

	// It reads nothing of an answer that no buffer can hold.
	conn = dial()
	if _, err := io.WriteString(conn, "GET /k HTTP/1.1\r\nHost: bucket.localhost\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "the server to give up", func() bool { return ended.Load() == 2 })
	if all := handler.Log.All(); len(all) != 3 || all[2].Status != http.StatusOK {
		t.Errorf("recorded as %+v, want a download that had begun", all)
	}
	if n, err := io.Copy(io.Discard, conn); n >= 8*mib {
		t.Errorf("%d bytes came, %v, though nobody had read any", n, err)
	}
}
