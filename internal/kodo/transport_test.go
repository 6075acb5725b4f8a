package kodo_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/qiniu/terraform-provider-kodo/internal/kodo"
)

func TestNoAnswerNamesTheHost(t *testing.T) {
	t.Parallel()
	address := free(t)
	_, err := newClient(t, everything("http://"+address), noRetries).Stat(t.Context(), "bucket", "key")
	failed := asError(t, err)
	if failed.Host != address || failed.Code != 0 || !strings.HasPrefix(err.Error(), "stat: no answer from "+address+": dial tcp") {
		t.Errorf("error %v", err)
	}
}

// A host that does not answer in time is no end of the caller's time.
func TestDialTimeoutIsNoDeadline(t *testing.T) {
	t.Parallel()
	client := newClient(t, everything("http://"+free(t)), noRetries, func(c *kodo.Config) { c.IdleTimeout = 1 })
	_, err := client.Stat(t.Context(), "bucket", "key")
	if failed := asError(t, err); !strings.Contains(err.Error(), "i/o timeout") || errors.Is(failed, context.DeadlineExceeded) {
		t.Errorf("error %v, want a timeout that is not the context's", err)
	}
}

func TestSilentServer(t *testing.T) {
	t.Parallel()
	const idle = 300 * time.Millisecond
	tests := map[string]http.HandlerFunc{
		"before the head": func(w http.ResponseWriter, r *http.Request) {
			<-r.Context().Done()
		},
		"in the middle of the body": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "1000")
			answer(w, 200, `{"hash":`)
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		},
	}
	for name, handler := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := newClient(t, everything(scripted(t, handler)), noRetries, func(c *kodo.Config) { c.IdleTimeout = idle })
			_, err := client.Stat(t.Context(), "bucket", "key")
			var timeout net.Error
			if !errors.As(err, &timeout) || !timeout.Timeout() {
				t.Errorf("error %v, want a timeout", err)
			}
		})
	}
}

// atLast tries again what fails only by chance, on a machine that stands still for longer than an idle timeout. What
// is wrong fails each time.
func atLast(t *testing.T, try func() error) {
	t.Helper()
	var err error
	for range 3 {
		if err = try(); err == nil {
			return
		}
	}
	t.Error(err)
}

func TestSlowServerIsNotSilent(t *testing.T) {
	t.Parallel()
	const idle = time.Second
	client := newClient(t, everything(scripted(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Reqid", "request-id-1")
		w.Header().Set("Content-Type", "application/json")
		flush := http.NewResponseController(w)
		for i := range len(statAnswer) {
			_, _ = io.WriteString(w, statAnswer[i:i+1])
			_ = flush.Flush()
			time.Sleep(15 * time.Millisecond) // altogether longer than the idle timeout
		}
	})), noRetries, func(c *kodo.Config) { c.IdleTimeout = idle })
	start := time.Now()
	atLast(t, func() error {
		object, err := client.Stat(t.Context(), "bucket", "key")
		if err == nil && object.ETag != etagHello {
			t.Errorf("got %+v", object)
		}
		return err
	})
	if took := time.Since(start); took < idle {
		t.Errorf("the answer took %v, which proves nothing about a timeout of %v", took, idle)
	}
}

// A server that reads slowly is silent for long, but bytes move.
func TestSlowUploadIsNotSilent(t *testing.T) {
	t.Parallel()
	const idle = time.Second
	var took atomic.Int64
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			answer(w, 612, `{"error":"no such file or directory"}`)
			return
		}
		start := time.Now()
		buf := make([]byte, 128<<10)
		for {
			_, err := io.ReadFull(r.Body, buf)
			if err != nil {
				break
			}
			time.Sleep(50 * time.Millisecond)
		}
		took.Store(int64(time.Since(start)))
		answer(w, 200, `{"hash":"`+etag4MiB+`","key":"key"}`)
	}))
	server.Config.ConnContext = func(ctx context.Context, conn net.Conn) context.Context {
		if tcp, ok := conn.(*net.TCPConn); ok {
			_ = tcp.SetReadBuffer(64 << 10) // or the system would read on behalf of the handler
		}
		return ctx
	}
	server.Start()
	t.Cleanup(server.Close)
	client := newClient(t, everything(server.URL), noRetries, func(c *kodo.Config) { c.IdleTimeout = idle })
	atLast(t, func() error {
		_, err := client.Put(t.Context(), put("key", zeros(4*mib), kodo.IfAbsent()))
		return err
	})
	if time.Duration(took.Load()) < idle {
		t.Errorf("the upload took %v, which proves nothing about a timeout of %v", time.Duration(took.Load()), idle)
	}
}

func TestNotKodo(t *testing.T) {
	t.Parallel()
	tests := map[string]http.HandlerFunc{
		"a page": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			_, _ = io.WriteString(w, "<html>It works!</html>")
		},
		"not found": http.NotFound,
		"a redirection": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://example.com/login", http.StatusFound)
		},
		"its own 612": func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(612) },
	}
	codes := map[string]int{"a page": 200, "not found": 404, "a redirection": 302, "its own 612": 612}
	for name, handler := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := scripted(t, handler)
			_, err := newClient(t, everything(url)).Stat(t.Context(), "bucket", "key")
			failed := asError(t, err)
			if failed.Code != codes[name] || failed.RequestID != "" || failed.Attempts != 1 {
				t.Errorf("error %#v, want the code %d without a request id, at once", failed, codes[name])
			}
			want := fmt.Sprintf("stat: %s answered %d without a request id, so what answered is not Kodo",
				strings.TrimPrefix(url, "http://"), codes[name])
			if err.Error() != want {
				t.Errorf("error text %q, want %q", err, want)
			}
			if kodo.IsGone(err) {
				t.Error("this must not prove that an object is gone")
			}
		})
	}
}

func TestAnswerThatCannotBeRead(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{"empty": "", "no JSON": "<html>", "wrong type": `{"fsize":"many"}`} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := scripted(t, func(w http.ResponseWriter, r *http.Request) { answer(w, 200, body) })
			_, err := newClient(t, everything(url)).Stat(t.Context(), "bucket", "key")
			if failed := asError(t, err); failed.Code != 200 || failed.Err == nil || failed.Attempts != 1 {
				t.Errorf("error %#v", failed)
			}
		})
	}
}
