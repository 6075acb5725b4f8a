package kodo_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	"weak"

	"github.com/qiniu/terraform-provider-kodo/internal/kodo"
)

// nothing is so many zeros, which are never in memory as a whole.
type nothing int64

func (size nothing) Size() int64 { return int64(size) }

func (size nothing) ReadAt(p []byte, off int64) (int, error) {
	n := min(int64(len(p)), int64(size)-off)
	clear(p[:n])
	if n < int64(len(p)) {
		return int(n), io.EOF
	}
	return int(n), nil
}

// takesParts is a server to which everybody can upload 64 MiB of zeros.
func takesParts(t *testing.T) string {
	t.Helper()
	return scripted(t, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Method == http.MethodGet:
			answer(w, 612, `{"error":"no such file or directory"}`)
		case strings.HasSuffix(r.URL.Path, "/uploads"):
			answer(w, 200, `{"uploadId":"u1","expireAt":1}`)
		case r.Method == http.MethodPut:
			_, _ = io.Copy(io.Discard, r.Body)
			answer(w, 200, `{"etag":"e","md5":""}`)
		default:
			answer(w, 200, `{"hash":"`+etag64MiB+`","key":"key"}`)
		}
	})
}

//nolint:paralleltest // it measures the memory of the whole process
func TestMemoryOfManyLargeUploads(t *testing.T) {
	const uploads, size = 4, 64 * mib
	// The collector runs often, so that what is measured is memory in use.
	defer debug.SetGCPercent(debug.SetGCPercent(20))
	url := takesParts(t)
	buffers := kodo.NewBuffers(kodo.DefaultBufferSize)
	var peak atomic.Uint64
	stop, stopped := make(chan struct{}), make(chan struct{})
	runtime.GC()
	var before runtime.MemStats
	runtime.ReadMemStats(&before)
	go func() {
		defer close(stopped)
		for {
			var now runtime.MemStats
			runtime.ReadMemStats(&now)
			peak.Store(max(peak.Load(), now.HeapAlloc-min(now.HeapAlloc, before.HeapAlloc)))
			select {
			case <-stop:
				return
			case <-time.After(5 * time.Millisecond):
			}
		}
	}()
	var all sync.WaitGroup
	for i := range uploads {
		all.Go(func() {
			// The Clients share one bound.
			c := newClient(t, everything(url), func(c *kodo.Config) { c.Buffers, c.Concurrency = buffers, 16 })
			stored, err := c.Put(t.Context(), put(fmt.Sprint(i), nothing(size), kodo.Always()))
			if err != nil || stored.Size != size {
				t.Errorf("%+v, %v", stored, err)
			}
		})
	}
	all.Wait()
	close(stop)
	<-stopped
	// 32 MiB are lent; the rest is what connections, the server and the collector need.
	if got := peak.Load(); got > 64*mib {
		t.Errorf("%d MiB of memory at most, want at most 64", got/mib)
	}
	t.Logf("peak %d MiB for %d uploads of %d MiB", peak.Load()/mib, uploads, size/mib)
}

// TestGarbageOfUploadsIsCollected: it does not wait until there is as much of it as there are buffers.
//
//nolint:paralleltest // others make garbage as well
func TestGarbageOfUploadsIsCollected(t *testing.T) {
	c := newClient(t, everything(takesParts(t)))
	upload := func(key string) {
		t.Helper()
		if _, err := c.Put(t.Context(), put(key, nothing(64*mib), kodo.Always())); err != nil {
			t.Fatal(err)
		}
	}
	upload("first") // makes the buffers, which are collected for by themselves
	garbage := weak.Make(new([64]byte))
	upload("second")
	if garbage.Value() != nil {
		t.Error("garbage from before an upload of 64 MiB is still there after it")
	}
}

func TestBuffersAreWaitedForWithTheContext(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	begun := make(chan struct{}, 10)
	url := scripted(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			answer(w, 612, `{"error":"no such file or directory"}`)
			return
		}
		_, _ = io.Copy(io.Discard, r.Body)
		begun <- struct{}{}
		<-release
		answer(w, 200, `{"hash":"`+etagHello+`"}`)
	})
	c := newClient(t, everything(url), func(c *kodo.Config) { c.Buffers = kodo.NewBuffers(5) })
	done := make(chan error)
	go func() {
		_, err := c.Put(t.Context(), put("first", hello(), kodo.IfAbsent()))
		done <- err
	}()
	<-begun
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := c.Put(ctx, put("second", hello(), kodo.IfAbsent())); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v, want that the deadline has passed", err)
	}
	close(release)
	if err := <-done; err != nil {
		t.Error(err)
	}
	// What was lent has come back; a part larger than all of it is lent alone.
	large := put("third", strings.NewReader("hello hello"), kodo.IfAbsent())
	var wrong *kodo.HashError
	if _, err := c.Put(t.Context(), large); !errors.As(err, &wrong) {
		t.Errorf("error %v, want the server's wrong hash", err)
	}
}

// TestBuffersComeBackWhenNobodyReadsThem: an answer may come while the transport still reads the body. A failure brings
// the memory back at once, because a body that was never sent is never closed.
func TestBuffersComeBackWhenNobodyReadsThem(t *testing.T) {
	t.Parallel()
	for name, failure := range map[string]error{"success": nil, "failure": errors.New("no network")} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newClient(t, everything("http://kodo.example"), noRetries, func(c *kodo.Config) { c.Buffers = kodo.NewBuffers(5) })
			var bodies []io.Closer
			c.SetTransport(meddler(func(_ http.RoundTripper, r *http.Request) (*http.Response, error) {
				status, body := 200, `{"hash":"`+etagHello+`"}`
				switch {
				case r.Method == http.MethodGet:
					status, body = 612, `{"error":"no such file or directory"}`
				case failure != nil:
					return nil, failure
				default:
					bodies = append(bodies, r.Body)
				}
				return &http.Response{
					StatusCode: status, Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)), Request: r,
					Header: http.Header{"X-Reqid": {"a-request"}, "Content-Type": {"application/json"}},
				}, nil
			}))
			if _, err := c.Put(t.Context(), put("first", hello(), kodo.Always())); !errors.Is(err, failure) {
				t.Fatal(err)
			}
			second := func() error {
				ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
				defer cancel()
				_, err := c.Put(ctx, put("second", hello(), kodo.Always()))
				return err
			}
			if failure == nil {
				if err := second(); !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("what is still read was lent again: %v", err)
				}
				for range 2 { // a second time does nothing
					if err := bodies[0].Close(); err != nil {
						t.Error(err)
					}
				}
			}
			if err := second(); !errors.Is(err, failure) {
				t.Errorf("what nobody reads is not lent again: %v", err)
			}
		})
	}
}
