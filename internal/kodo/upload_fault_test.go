package kodo_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/qiniu/terraform-provider-kodo/internal/emulator"
	"github.com/qiniu/terraform-provider-kodo/internal/kodo"
)

// A meddler stands between a Client and the network.
type meddler func(network http.RoundTripper, r *http.Request) (*http.Response, error)

func (m meddler) RoundTrip(r *http.Request) (*http.Response, error) {
	return m(http.DefaultTransport, r)
}

// onceTo lets something happen to the first request that it is true for.
func onceTo(match func(*http.Request) bool, do meddler) meddler {
	var done atomic.Bool
	return func(network http.RoundTripper, r *http.Request) (*http.Response, error) {
		if match(r) && done.CompareAndSwap(false, true) {
			return do(network, r)
		}
		return network.RoundTrip(r)
	}
}

func isComplete(r *http.Request) bool {
	return r.Method == http.MethodPost && strings.Contains(r.URL.Path, "/uploads/")
}

func isPart2(r *http.Request) bool {
	return r.Method == http.MethodPut && strings.HasSuffix(r.URL.Path, "/2")
}

// loses answers a part as Kodo would, and never sends it.
func loses(_ http.RoundTripper, r *http.Request) (*http.Response, error) {
	_, err := io.Copy(io.Discard, r.Body)
	err = errors.Join(err, r.Body.Close())
	return &http.Response{
		StatusCode: 200, Request: r, Header: http.Header{"X-Reqid": {"a-request"}, "Content-Type": {"application/json"}},
		Body: io.NopCloser(strings.NewReader(`{"etag":"lost","md5":""}`)), ContentLength: 24,
	}, err
}

// aborts gives the upload up, as somebody else may, before it is completed or goes on.
func aborts(network http.RoundTripper, r *http.Request) (*http.Response, error) {
	path := r.URL.Path
	if r.Method == http.MethodPut {
		path = path[:strings.LastIndex(path, "/")]
	}
	abort, err := http.NewRequestWithContext(r.Context(), http.MethodDelete, "http://"+r.URL.Host+path, nil)
	if err != nil {
		return nil, err
	}
	abort.Header.Set("Authorization", r.Header.Get("Authorization"))
	resp, err := network.RoundTrip(abort)
	if err != nil {
		return nil, err
	}
	if err := resp.Body.Close(); err != nil || resp.StatusCode != 200 {
		return nil, errors.Join(err, errors.New(resp.Status))
	}
	return network.RoundTrip(r)
}

// What the server forgot is sent once more, and not twice.
func TestServerForgets(t *testing.T) {
	t.Parallel()
	always := func(match func(*http.Request) bool, do meddler) meddler {
		return func(network http.RoundTripper, r *http.Request) (*http.Response, error) {
			if match(r) {
				return do(network, r)
			}
			return network.RoundTrip(r)
		}
	}
	tests := map[string]struct {
		meddler
		code  int // 0: stored
		parts int // that reach the server, whether it takes them or not
		begun int
	}{
		"a part":                      {onceTo(isPart2, loses), 0, 3, 1},
		"the upload, at the end":      {onceTo(isComplete, aborts), 0, 6, 2},
		"the upload, in the middle":   {onceTo(isPart2, aborts), 0, 5, 2},
		"a part, always":              {always(isPart2, loses), 400, 2, 1},
		"the upload, at each end":     {always(isComplete, aborts), 612, 6, 2},
		"nothing, but refuses to end": {always(isComplete, refuses), 400, 3, 1},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e, c := newEmulator(t, func(c *kodo.Config) { c.Concurrency = 1 })
			c.SetTransport(tt.meddler)
			stored, err := c.Put(t.Context(), put("key", zeros(9*mib), kodo.IfAbsent()))
			switch {
			case tt.code == 0 && (err != nil || stored.ETag != etag9MiB):
				t.Errorf("%+v, %v", stored, err)
			case tt.code != 0 && asError(t, err).Code != tt.code:
				t.Errorf("error %v, want %d", err, tt.code)
			}
			if got := count(e, "PUT", "up", "/buckets/"); got != tt.parts {
				t.Errorf("%d parts were sent, want %d", got, tt.parts)
			}
			begun := 0
			for _, r := range e.Requests() {
				if r.Method == http.MethodPost && strings.HasSuffix(r.Path, "/uploads") {
					begun++
				}
			}
			if begun != tt.begun {
				t.Errorf("%d uploads were begun, want %d", begun, tt.begun)
			}
			keys, err := e.Keys("bucket")
			if err != nil || (len(keys) == 1) != (tt.code == 0) {
				t.Errorf("objects %q, %v", keys, err)
			}
		})
	}
}

// refuses to complete an upload, for a reason that has nothing to do with its parts.
func refuses(_ http.RoundTripper, r *http.Request) (*http.Response, error) {
	const body = `{"error":"invalid argument"}`
	return &http.Response{
		StatusCode: 400, Request: r, Header: http.Header{"X-Reqid": {"a-request"}, "Content-Type": {"application/json"}},
		Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)),
	}, nil
}

// The upload host resets the first connections in the middle of what they carry.
func TestConnectionResetInTheMiddleOfAPart(t *testing.T) {
	t.Parallel()
	e, _ := newEmulator(t)
	target := strings.TrimPrefix(e.Endpoint(), "http://")
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	t.Cleanup(func() {
		if err := listener.Close(); err != nil {
			t.Error(err)
		}
		all.Wait()
	})
	var resets atomic.Int32
	all.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			all.Go(func() { relay(t, conn.(*net.TCPConn), target, &resets) })
		}
	})
	up := "http://" + listener.Addr().String()
	c := newClient(t, kodo.Endpoints{UC: e.Endpoint(), Up: up}, func(c *kodo.Config) { c.MaxRetries, c.Concurrency = 5, 2 })
	stored, err := c.Put(t.Context(), put("key", zeros(9*mib), kodo.IfAbsent()))
	if err != nil || stored.ETag != etag9MiB || resets.Load() != 3 {
		t.Errorf("%+v, %v, %d resets", stored, err, resets.Load())
	}
}

// relay carries a connection to the target. Those of the first three that carry a part are reset 3 MiB into it.
func relay(t *testing.T, conn *net.TCPConn, target string, resets *atomic.Int32) {
	t.Helper()
	defer func() { _ = conn.Close() }()
	to, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", target)
	if err != nil {
		return
	}
	defer func() { _ = to.Close() }()
	go func() { _, _ = io.Copy(conn, to); _ = conn.Close() }()
	if n, _ := io.CopyN(to, conn, 3*mib); n == 3*mib && resets.Add(1) <= 3 {
		_ = conn.SetLinger(0)
		return
	} else if n == 3*mib {
		resets.Add(-1)
	}
	_, _ = io.Copy(to, conn)
}

// The emulator ends while parts are on their way, and comes back with its data at the same address.
func TestServerRestartsDuringAnUpload(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	options := emulator.Options{
		Accounts: []emulator.Account{{AccessKey: accessKey, SecretKey: secretKey}},
		Buckets:  []emulator.BucketSpec{{Name: "bucket"}}, Data: data,
	}
	first, err := emulator.New(options)
	if err != nil {
		t.Fatal(err)
	}
	options.Listen = strings.TrimPrefix(first.Endpoint(), "http://")
	fail(t, first, emulator.Fault{Match: emulator.Match{Path: "/buckets/*/3"}, Do: "delay", Delay: emulator.Delay(time.Hour)})
	c := newClient(t, kodo.Endpoints{UC: first.Endpoint()}, func(c *kodo.Config) { c.MaxRetries, c.Concurrency = 20, 1 })
	c.SetFirstPause(50 * time.Millisecond)
	type outcome struct {
		kodo.Stored
		err error
	}
	done := make(chan outcome)
	go func() {
		stored, err := c.Put(t.Context(), put("key", zeros(9*mib), kodo.IfAbsent()))
		done <- outcome{stored, err}
	}()
	for count(first, "PUT", "up", "/buckets/") < 2 { // the third waits
		time.Sleep(time.Millisecond)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	second, err := emulator.New(options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = second.Close() })
	if got := <-done; got.err != nil || got.ETag != etag9MiB {
		t.Errorf("%+v, %v", got.Stored, got.err)
	}
	if got := count(second, "PUT", "up", "/buckets/"); got != 1 {
		t.Errorf("%d parts were sent again, want the one that was cut", got)
	}
}

// Ctrl-C in the middle of a large file: nothing more is sent, and the next apply goes on from there.
func TestCancelledUploadIsResumed(t *testing.T) {
	t.Parallel()
	u := &cutUpload{dir: t.TempDir(), path: filepath.Join(t.TempDir(), "file")}
	writeBlocks(t, u.path, blocks)
	begun := make(chan struct{})
	e, c := newEmulator(t, resuming(u.dir))
	u.e = e
	c.SetResumeFrom(1)
	c.SetTransport(onceTo(func(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/4") },
		func(_ http.RoundTripper, r *http.Request) (*http.Response, error) {
			close(begun)
			<-r.Context().Done()
			return nil, errors.Join(r.Context().Err(), r.Body.Close())
		}))
	file, err := kodo.OpenFile(u.path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	within(t, 3*time.Second, func() {
		_, err = c.Put(cancelWhen(t, begun), put("key", file, kodo.IfAbsent()))
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want a cancellation", err)
	}
	sent := len(e.Requests())
	stored, err := u.again(t)
	if err != nil || stored.ETag != etagBlocks {
		t.Errorf("%+v, %v", stored, err)
	}
	if got := u.count("PUT"); got != blocks || u.count("DELETE") != 0 {
		t.Errorf("%d parts were sent, want each once; %d uploads were given up", got, u.count("DELETE"))
	}
	if last := e.Requests()[sent-1]; !strings.HasSuffix(last.Path, "/3") {
		t.Errorf("after it was cancelled there came %+v", last)
	}
}

// A file that changes while it is sent, not before.
func TestFileThatChangesMeanwhile(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(path string) error{
		"truncated": func(path string) error { return os.Truncate(path, 4*mib) },
		"replaced": func(path string) error {
			if err := os.WriteFile(path+".new", []byte("other"), 0o600); err != nil {
				return err
			}
			return os.Rename(path+".new", path)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			u := &cutUpload{dir: t.TempDir(), path: filepath.Join(t.TempDir(), "file")}
			writeBlocks(t, u.path, blocks)
			e, c := newEmulator(t, resuming(u.dir))
			u.e = e
			c.SetResumeFrom(1)
			c.SetTransport(onceTo(isPart2, func(network http.RoundTripper, r *http.Request) (*http.Response, error) {
				if err := change(u.path); err != nil {
					t.Error(err)
				}
				return network.RoundTrip(r)
			}))
			_, err := u.put(t, c)
			var changed *kodo.ContentChangedError
			if !errors.As(err, &changed) {
				t.Errorf("error %v, want that the content has changed", err)
			}
			if keys, err := e.Keys("bucket"); err != nil || len(keys) != 0 {
				t.Errorf("stored all the same: %q, %v", keys, err)
			}
			if got := [2]int{u.count("DELETE"), len(u.records(t))}; got != [2]int{1, 0} {
				t.Errorf("%d uploads were given up, %d records are left", got[0], got[1])
			}
		})
	}
}
