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

func TestWhichCodesAreRetried(t *testing.T) {
	t.Parallel()
	tests := map[int]bool{
		400: false, 401: false, 403: false, 404: false, 405: false, 413: false, 419: false, 478: false,
		406: true, 429: true,
		500: true, 502: true, 503: true, 504: true, 571: true, 573: true, 599: true,
		501: false, 509: false, 579: false,
		608: false, 612: false, 614: false, 616: false, 618: false, 630: false, 631: false, 632: false, 640: false, 701: false,
	}
	for code, retried := range tests {
		t.Run(fmt.Sprint(code), func(t *testing.T) {
			t.Parallel()
			var requests atomic.Int32
			url := scripted(t, func(w http.ResponseWriter, r *http.Request) {
				if requests.Add(1) == 1 {
					answer(w, code, `{"error":"as told"}`)
					return
				}
				answer(w, 200, statAnswer)
			})
			object, err := newClient(t, everything(url)).Stat(t.Context(), "bucket", "key")
			if retried {
				if err != nil || object.ETag != etagHello || requests.Load() != 2 {
					t.Errorf("got %+v, %v after %d requests, want the object after 2", object, err, requests.Load())
				}
				return
			}
			failed := asError(t, err)
			if failed.Code != code || failed.Message != "as told" || failed.RequestID != "request-id-1" ||
				failed.Step != kodo.StepCall || failed.Service != "rs" || failed.Bucket != "bucket" || failed.Key != "key" {
				t.Errorf("error %#v", failed)
			}
			if requests.Load() != 1 {
				t.Errorf("%d requests, want 1", requests.Load())
			}
		})
	}
}

func TestRetriesAreCounted(t *testing.T) {
	t.Parallel()
	var requests atomic.Int32
	url := scripted(t, func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		answer(w, 599, `{"error":"inside"}`)
	})
	_, err := newClient(t, everything(url), func(c *kodo.Config) { c.MaxRetries = 2 }).Stat(t.Context(), "bucket", "key")
	if got := asError(t, err).Attempts; got != 3 || requests.Load() != 3 {
		t.Errorf("%d attempts said, %d requests made, want 3", got, requests.Load())
	}
	want := "stat: " + strings.TrimPrefix(url, "http://") + " answered 599 inside, request id request-id-1, after 3 attempts"
	if err.Error() != want {
		t.Errorf("error text\n%s\nwant\n%s", err, want)
	}
}

// longPause is longer than any of the tests that end it.
const longPause = 20 * time.Second

func TestDeadlineEndsRetries(t *testing.T) {
	t.Parallel()
	url := scripted(t, func(w http.ResponseWriter, r *http.Request) { answer(w, 573, `{"error":"too fast"}`) })
	client := newClient(t, everything(url), func(c *kodo.Config) { c.MaxRetries = 1000 })
	client.SetFirstPause(longPause)
	// A busy machine may be late; a wait that outlasts its context is late every time, and by much.
	for try := 1; ; try++ {
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		start := time.Now()
		_, err := client.Stat(ctx, "bucket", "key")
		took := time.Since(start)
		cancel()
		if !errors.Is(err, context.DeadlineExceeded) || kodo.CodeOf(err) != 573 && kodo.CodeOf(err) != 0 {
			t.Fatalf("error %v", err)
		}
		if took <= 400*time.Millisecond {
			return
		}
		if try == 20 {
			t.Fatalf("it took %v, and never less than 400ms", took)
		}
	}
}

func TestCancellationEndsAPause(t *testing.T) {
	t.Parallel()
	begun := make(chan struct{})
	var once atomic.Bool
	url := scripted(t, func(w http.ResponseWriter, r *http.Request) {
		answer(w, 599, `{}`)
		if once.CompareAndSwap(false, true) {
			close(begun)
		}
	})
	client := newClient(t, everything(url), func(c *kodo.Config) { c.MaxRetries = 1000 })
	client.SetFirstPause(longPause)
	within(t, longPause/4, func() {
		_, err := client.Stat(cancelWhen(t, begun), "bucket", "key")
		if !errors.Is(err, context.Canceled) {
			t.Errorf("error %v, want a cancellation", err)
		}
	})
}

func TestNetworkErrorsAreRetried(t *testing.T) {
	t.Parallel()
	tests := map[string]func(http.ResponseWriter){
		"hang up": hangUp,
		"cut answer": func(w http.ResponseWriter) {
			w.Header().Set("Content-Length", "1000")
			answer(w, 200, `{"hash":`)
			panic(http.ErrAbortHandler)
		},
	}
	for name, damage := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var requests atomic.Int32
			url := scripted(t, func(w http.ResponseWriter, r *http.Request) {
				if requests.Add(1) < 3 {
					damage(w)
					return
				}
				answer(w, 200, statAnswer)
			})
			if _, err := newClient(t, everything(url)).Stat(t.Context(), "bucket", "key"); err != nil || requests.Load() != 3 {
				t.Errorf("%v after %d requests, want success after 3", err, requests.Load())
			}
			requests.Store(-100)
			_, err := newClient(t, everything(url), noRetries).Stat(t.Context(), "bucket", "key")
			failed := asError(t, err)
			if failed.Code != 0 || failed.Err == nil || strings.Contains(err.Error(), "http://") {
				t.Errorf("error %#v", failed)
			}
		})
	}
}

// free returns an address where nobody listens.
func free(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

func TestRetryGoesToTheNextHost(t *testing.T) {
	t.Parallel()
	var first, second, discoveries atomic.Int32
	one := scripted(t, func(w http.ResponseWriter, r *http.Request) {
		first.Add(1)
		answer(w, 503, `{}`)
	})
	two := scripted(t, func(w http.ResponseWriter, r *http.Request) {
		second.Add(1)
		answer(w, 200, statAnswer)
	})
	uc := scripted(t, func(w http.ResponseWriter, r *http.Request) {
		discoveries.Add(1)
		answer(w, 200, fmt.Sprintf(`{"hosts":[{"region":"z0","ttl":3600,"rs":{"domains":["%s","%s","%s"]}}]}`, free(t), one, two))
	})
	client := newClient(t, kodo.Endpoints{UC: uc})
	for range 3 {
		if _, err := client.Stat(t.Context(), "bucket", "key"); err != nil {
			t.Fatal(err)
		}
	}
	// A host that failed is left alone afterwards, and what discovery said is kept.
	if first.Load() != 1 || second.Load() != 3 || discoveries.Load() != 1 {
		t.Errorf("%d requests to the first host, %d to the second, %d discoveries, want 1, 3, 1",
			first.Load(), second.Load(), discoveries.Load())
	}
}

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

func TestDiscoveryErrorsAreNotTheCall(t *testing.T) {
	t.Parallel()
	for _, code := range []int{612, 631, 401, 403, 404} {
		t.Run(fmt.Sprint(code), func(t *testing.T) {
			t.Parallel()
			uc := scripted(t, func(w http.ResponseWriter, r *http.Request) { answer(w, code, `{"error":"as told"}`) })
			_, err := newClient(t, kodo.Endpoints{UC: uc}).Stat(t.Context(), "bucket", "key")
			failed := asError(t, err)
			if failed.Step != kodo.StepDiscovery || failed.Code != code || failed.Service != "uc" || failed.Op != "stat" {
				t.Errorf("error %#v", failed)
			}
			if kodo.IsGone(err) {
				t.Error("this must not prove that an object is gone")
			}
			want := `stat: finding the hosts of bucket "bucket": ` + strings.TrimPrefix(uc, "http://") +
				fmt.Sprintf(" answered %d as told, request id request-id-1", code)
			if err.Error() != want {
				t.Errorf("error text %q, want %q", err, want)
			}
		})
	}
}

func TestDiscoveryWithoutTheService(t *testing.T) {
	t.Parallel()
	uc := scripted(t, func(w http.ResponseWriter, r *http.Request) {
		answer(w, 200, `{"hosts":[{"region":"z0","ttl":3600,"up":{"domains":["a.example.com"]}}]}`)
	})
	_, err := newClient(t, kodo.Endpoints{UC: uc}).Stat(t.Context(), "bucket", "key")
	if failed := asError(t, err); failed.Step != kodo.StepDiscovery || failed.Code != 0 || failed.Attempts != 1 {
		t.Errorf("error %#v", failed)
	}
}

func TestDiscoveryErrorHidesTheQuery(t *testing.T) {
	t.Parallel()
	_, err := newClient(t, kodo.Endpoints{UC: "http://" + free(t)}, noRetries).Stat(t.Context(), "bucket", "key")
	if failed := asError(t, err); failed.Step != kodo.StepDiscovery || strings.Contains(err.Error(), accessKey) {
		t.Errorf("error %v", err)
	}
}

// Kodo's other hosts hear of a new bucket a little later.
func TestBucketOfOurOwnIsWaitedFor(t *testing.T) {
	t.Parallel()
	var stats atomic.Int32
	url := scripted(t, func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/mkbucketv3/") {
			answer(w, 200, `{}`)
		} else if stats.Add(1) < 3 {
			answer(w, 631, `{"error":"no such bucket"}`)
		} else {
			answer(w, 200, statAnswer)
		}
	})
	client := newClient(t, everything(url))
	if _, err := client.Stat(t.Context(), "bucket", "key"); kodo.CodeOf(err) != 631 || stats.Load() != 1 {
		t.Fatalf("the bucket of somebody else: %v after %d requests, want 631 after 1", err, stats.Load())
	}
	if err := client.CreateBucket(t.Context(), "bucket", "z0", true); err != nil {
		t.Fatal(err)
	}
	if _, err := client.Stat(t.Context(), "bucket", "key"); err != nil || stats.Load() != 3 {
		t.Errorf("%v after %d requests, want success after 3", err, stats.Load())
	}
}

func TestConcurrencyIsKept(t *testing.T) {
	t.Parallel()
	const limit = 3
	var now, most atomic.Int32
	url := scripted(t, func(w http.ResponseWriter, r *http.Request) {
		n := now.Add(1)
		defer now.Add(-1)
		for {
			m := most.Load()
			if n <= m || most.CompareAndSwap(m, n) {
				break
			}
		}
		time.Sleep(5 * time.Millisecond)
		answer(w, 200, statAnswer)
	})
	client := newClient(t, everything(url), func(c *kodo.Config) { c.Concurrency = limit })
	done := make(chan error)
	const calls = 30
	for range calls {
		go func() {
			_, err := client.Stat(t.Context(), "bucket", "key")
			done <- err
		}()
	}
	for range calls {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if got := most.Load(); got != limit {
		t.Errorf("%d requests were in flight at once, want %d", got, limit)
	}
}
