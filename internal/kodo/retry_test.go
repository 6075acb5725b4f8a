package kodo_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/qiniu/terraform-provider-kodo/internal/emulator"
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
	full := make(chan struct{})
	var once sync.Once
	url := scripted(t, func(w http.ResponseWriter, r *http.Request) {
		n := now.Add(1)
		defer now.Add(-1)
		for {
			m := most.Load()
			if n <= m || most.CompareAndSwap(m, n) {
				break
			}
		}
		if n == limit {
			once.Do(func() { close(full) })
		}
		select {
		case <-full: // there can be so many
		case <-time.After(longPause):
		}
		time.Sleep(5 * time.Millisecond) // there may be more
		answer(w, 200, statAnswer)
	})
	client := newClient(t, everything(url), func(c *kodo.Config) { c.Concurrency = limit })
	done := make(chan error)
	const calls = 30
	for i := range calls {
		go func() {
			_, err := client.Stat(t.Context(), fmt.Sprint("bucket-", i), "key") // those of one bucket would travel together
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

// TestLostAnswerThenRefusal loses the answer to the first attempt, which was carried out, and refuses all later ones in
// a way that loses nothing: what was made is found nevertheless.
func TestLostAnswerThenRefusal(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		match emulator.Match
		make  func(*kodo.Client) error
	}{
		"form": {emulator.Match{Service: "up"}, func(c *kodo.Client) error {
			_, err := c.Put(t.Context(), put("key", hello(), kodo.IfAbsent()))
			return err
		}},
		"parts": {emulator.Match{Method: http.MethodPost, Path: "/buckets/*/uploads/*"}, func(c *kodo.Client) error {
			_, err := c.Put(t.Context(), put("key", zeros(5<<20), kodo.Always()))
			return err
		}},
		"bucket": {emulator.Match{Path: "/mkbucketv3/*"}, func(c *kodo.Client) error {
			return c.CreateBucket(t.Context(), "new", "z1", true)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e, c := newEmulator(t)
			fail(t, e, emulator.Fault{Match: test.match, Times: 1, Do: "apply_then_drop"})
			fail(t, e, emulator.Fault{Match: test.match, Do: "status", Status: 573})
			if err := test.make(c); err != nil {
				t.Errorf("it was made, but is reported as failed: %v", err)
			}
		})
	}
}
