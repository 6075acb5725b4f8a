package kodo_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/qiniu/terraform-provider-kodo/internal/emulator"
	"github.com/qiniu/terraform-provider-kodo/internal/kodo"
)

// wire is a network in which each request takes wireTime, as synctest counts it. It answers "stat" and "delete".
type wire struct {
	answers func(number int, key string) (status int, body string) // to one operation of a request; nil: an object
	whole   func(number int) (status int, body string)             // to a batch as a whole; nil or 0: none

	mu        sync.Mutex
	requests  []string // the key of a lone request, the keys of a batch in brackets
	cancelled []int    // requests whose context was done first
}

const wireTime = 50 * time.Millisecond

func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	operations := []string{strings.TrimPrefix(r.URL.Path, "/")}
	batch := r.URL.Path == "/batch"
	if batch {
		if err := r.ParseForm(); err != nil {
			return nil, err
		}
		operations = r.PostForm["op"]
	}
	keys := make([]string, len(operations))
	for i, operation := range operations {
		_, encoded, _ := strings.Cut(operation, "/")
		entry, err := base64.URLEncoding.DecodeString(encoded)
		if err != nil {
			return nil, err
		}
		_, keys[i], _ = strings.Cut(string(entry), ":")
	}
	w.mu.Lock()
	name := keys[0]
	if batch {
		name = "[" + strings.Join(keys, " ") + "]"
	}
	w.requests = append(w.requests, name)
	number := len(w.requests)
	w.mu.Unlock()

	select {
	case <-time.After(wireTime):
	case <-r.Context().Done():
		w.mu.Lock()
		w.cancelled = append(w.cancelled, number)
		w.mu.Unlock()
		return nil, r.Context().Err()
	}
	status, body := w.answer(number, batch, keys)
	return &http.Response{
		StatusCode: status, Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)), Request: r,
		Header: http.Header{"X-Reqid": {fmt.Sprint("request-", number)}, "Content-Type": {"application/json"}},
	}, nil
}

func (w *wire) answer(number int, batch bool, keys []string) (status int, body string) {
	if batch && w.whole != nil {
		if status, body := w.whole(number); status != 0 {
			return status, body
		}
	}
	one := func(key string) (int, string) {
		if w.answers == nil {
			return 200, statAnswer
		}
		return w.answers(number, key)
	}
	if !batch {
		return one(keys[0])
	}
	status = 200
	items := make([]string, len(keys))
	for i, key := range keys {
		code, data := one(key)
		items[i] = fmt.Sprintf(`{"code":%d,"data":%s}`, code, data)
		if code != 200 {
			status = 298
		}
	}
	return status, "[" + strings.Join(items, ",") + "]"
}

func (w *wire) client(t *testing.T, change ...func(*kodo.Config)) *kodo.Client {
	t.Helper()
	c := newClient(t, everything("http://kodo.example"), change...)
	c.SetTransport(w)
	return c
}

// want compares the requests that were made.
func (w *wire) want(t *testing.T, requests ...string) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	if diff := cmp.Diff(requests, w.requests); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
}

// asked is what was asked for one after the other, while nothing was answered.
type asked struct {
	wait    sync.WaitGroup
	errs    map[string]error
	took    map[string]time.Duration
	cancels map[string]context.CancelFunc
	mu      sync.Mutex
}

// stats asks for objects of the bucket, each with a context of its own.
func stats(t *testing.T, c *kodo.Client, keys ...string) *asked {
	t.Helper()
	a := &asked{errs: map[string]error{}, took: map[string]time.Duration{}, cancels: map[string]context.CancelFunc{}}
	for _, key := range keys {
		ctx, cancel := context.WithCancel(t.Context())
		a.cancels[key] = cancel
		start := time.Now()
		a.wait.Go(func() {
			_, err := c.Stat(ctx, "bucket", key)
			a.mu.Lock()
			defer a.mu.Unlock()
			a.errs[key], a.took[key] = err, time.Since(start)
		})
		synctest.Wait()
	}
	return a
}

func TestWhatIsAskedMeanwhileLeavesTogether(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := &wire{}
		a := stats(t, w.client(t), "a", "b", "c", "d")
		a.wait.Wait()
		w.want(t, "a", "[b c d]")
		for key, want := range map[string]time.Duration{"a": wireTime, "b": 2 * wireTime, "c": 2 * wireTime, "d": 2 * wireTime} {
			if a.errs[key] != nil || a.took[key] != want {
				t.Errorf("%s: %v after %v, want an object after %v", key, a.errs[key], a.took[key], want)
			}
		}
	})
}

func TestALoneRequestWaitsForNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := &wire{}
		c := w.client(t)
		for _, key := range []string{"a", "b", "c"} {
			start := time.Now()
			if _, err := c.Stat(t.Context(), "bucket", key); err != nil || time.Since(start) != wireTime {
				t.Errorf("%s: %v after %v", key, err, time.Since(start))
			}
		}
		w.want(t, "a", "b", "c")
	})
}

func TestBucketsDoNotWaitForEachOther(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := &wire{}
		c := w.client(t)
		start := time.Now()
		var all sync.WaitGroup
		for _, bucket := range []string{"bucket", "other"} {
			all.Go(func() {
				if _, err := c.Stat(t.Context(), bucket, "key"); err != nil || time.Since(start) != wireTime {
					t.Errorf("%s: %v after %v", bucket, err, time.Since(start))
				}
			})
		}
		all.Wait()
		w.want(t, "key", "key")
	})
}

func TestLargestBatch(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := &wire{}
		c := w.client(t)
		first := stats(t, c, "first")
		var others sync.WaitGroup
		for i := range 2003 {
			others.Go(func() {
				if _, err := c.Stat(t.Context(), "bucket", fmt.Sprint(i)); err != nil {
					t.Error(err)
				}
			})
		}
		others.Wait()
		first.wait.Wait()
		var sizes []int
		for _, request := range w.requests {
			sizes = append(sizes, len(strings.Fields(request)))
		}
		if diff := cmp.Diff([]int{1, 1000, 1000, 3}, sizes); diff != "" {
			t.Errorf("operations of the requests (-want +got):\n%s", diff)
		}
	})
}

// An operation fails alone as it fails in company, but for the request id.
func TestErrorsInCompany(t *testing.T) {
	t.Parallel()
	for name, refusal := range map[string]struct {
		status int
		body   string
	}{
		"gone":      {612, `{"error":"no such file or directory"}`},
		"no bucket": {631, `{"error":"no such bucket"}`},
		"reason":    {403, `{"error":"not allowed","error_code":"AccessDenied"}`},
		"throttled": {573, `{"error":"too many"}`},
		"no object": {200, `[]`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := &wire{answers: func(_ int, key string) (int, string) {
					if strings.HasPrefix(key, "bad") {
						return refusal.status, refusal.body
					}
					return 200, statAnswer
				}}
				c := w.client(t, noRetries)
				alone := stats(t, c, "bad")
				alone.wait.Wait()
				together := stats(t, c, "a", "b", "bad too", "c")
				together.wait.Wait()
				w.want(t, "bad", "a", "[b bad too c]")
				for _, key := range []string{"a", "b", "c"} {
					if together.errs[key] != nil {
						t.Errorf("%s: %v", key, together.errs[key])
					}
				}
				want, got := *asError(t, alone.errs["bad"]), *asError(t, together.errs["bad too"])
				want.Key, want.RequestID = "bad too", "request-3"
				if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(kodo.Error{}), cmpopts.EquateErrors(), cmpopts.IgnoreFields(kodo.Error{}, "Err")); diff != "" {
					t.Errorf("error (-alone +together):\n%s", diff)
				}
				if kodo.IsGone(together.errs["bad too"]) != (name == "gone") {
					t.Errorf("gone: %v", together.errs["bad too"])
				}
			})
		})
	}
}

func TestOneOfManyIsTriedAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := &wire{answers: func(number int, key string) (int, string) {
			if key == "c" && number < 4 {
				return 599, `{"error":"no"}`
			}
			return 200, statAnswer
		}}
		a := stats(t, w.client(t), "a", "b", "c", "d")
		a.wait.Wait()
		w.want(t, "a", "[b c d]", "c", "c")
		for key, err := range a.errs {
			if err != nil {
				t.Errorf("%s: %v", key, err)
			}
		}
	})
}

// What is refused as a whole says nothing about a single key, least of all that it is gone.
func TestBatchRefusedAsAWhole(t *testing.T) {
	t.Parallel()
	for _, status := range []int{400, 401, 403, 404, 413, 612, 631} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := &wire{whole: func(int) (int, string) { return status, `{"error":"no"}` }}
				a := stats(t, w.client(t), "a", "b", "c")
				a.wait.Wait()
				for key, err := range a.errs {
					if err != nil {
						t.Errorf("%s: %v", key, err)
					}
				}
				if len(w.requests) != 4 || w.requests[1] != "[b c]" {
					t.Errorf("requests %q", w.requests)
				}
			})
		})
	}
}

func TestBatchFailedAsAWhole(t *testing.T) {
	t.Parallel()
	for name, whole := range map[string]struct {
		status int
		body   string
	}{
		"throttled": {573, `{"error":"too many"}`}, "failed": {599, `{"error":"no"}`}, "too few answers": {200, `[{"code":200}]`},
		"no answers": {200, `{}`}, "no code": {200, `[{},{},{}]`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := &wire{whole: func(int) (int, string) { return whole.status, whole.body }}
				a := stats(t, w.client(t, noRetries), "a", "b", "c", "d")
				a.wait.Wait()
				w.want(t, "a", "[b c d]")
				for _, key := range []string{"b", "c", "d"} {
					failed := asError(t, a.errs[key])
					if failed.Op != "stat" || failed.Key != key || failed.Code != whole.status || failed.RequestID != "request-2" {
						t.Errorf("%s: %#v", key, failed)
					}
				}
			})
		})
	}
}

func TestOneGivesUpWhileOthersWait(t *testing.T) {
	t.Parallel()
	for name, who := range map[string]string{"who went alone": "a", "who waits": "b", "the first who waits": "c"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := &wire{}
				a := stats(t, w.client(t), "a", "c", "b", "d")
				a.cancels[who]()
				synctest.Wait()
				a.mu.Lock()
				if !errors.Is(a.errs[who], context.Canceled) {
					t.Errorf("%s: %v, want that it is cancelled at once", who, a.errs[who])
				}
				a.mu.Unlock()
				a.wait.Wait()
				for key, err := range a.errs {
					if key != who && err != nil {
						t.Errorf("%s: %v", key, err)
					}
				}
				if who != "a" && strings.Contains(w.requests[1], who) {
					t.Errorf("%s left all the same: %q", who, w.requests)
				}
			})
		})
	}
}

func TestAFlightEndsWithItsLastPassenger(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := &wire{}
		c := w.client(t)
		a := stats(t, c, "a", "b", "c")
		time.Sleep(wireTime + wireTime/2) // b and c are on their way
		a.cancels["b"]()
		synctest.Wait()
		if len(w.cancelled) != 0 {
			t.Error("c still waits, but the request was cancelled")
		}
		a.cancels["c"]()
		synctest.Wait()
		if diff := cmp.Diff([]int{2}, w.cancelled); diff != "" {
			t.Errorf("cancelled requests (-want +got):\n%s", diff)
		}
		if _, err := c.Stat(t.Context(), "bucket", "d"); err != nil {
			t.Errorf("the next one: %v", err)
		}
	})
}

// A delete whose answer is lost in company is understood as one that was alone.
func TestLostAnswerInCompany(t *testing.T) {
	t.Parallel()
	e, c := newEmulator(t)
	const n = 20
	for i := range n {
		seed(t, e, c, fmt.Sprint(i), "hello")
	}
	// The first look goes alone and the others go together, as do the deletes: whose answers are lost, each twice.
	fail(t, e, emulator.Fault{Match: emulator.Match{Path: "/stat/*"}, Do: "delay", Delay: emulator.Delay(50 * time.Millisecond)})
	fail(t, e, emulator.Fault{Match: emulator.Match{Path: "/batch"}, Skip: 1, Times: 2, Do: "apply_then_drop"})
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			if removal, err := c.Remove(t.Context(), "bucket", fmt.Sprint(i), 0, etagHello); err != nil || removal != kodo.Removed {
				t.Errorf("%d: %v, %v", i, removal, err)
			}
		})
	}
	all.Wait()
	if keys, err := e.Keys("bucket"); err != nil || len(keys) != 0 {
		t.Errorf("objects %q, %v", keys, err)
	}
}

func TestManyStatsAreFewRequests(t *testing.T) {
	t.Parallel()
	e, c := newEmulator(t)
	const n = 1000
	for i := 0; i < n; i += 2 {
		if err := e.Put("bucket", fmt.Sprint(i), "text/plain", []byte("hello")); err != nil {
			t.Fatal(err)
		}
	}
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			object, err := c.Stat(t.Context(), "bucket", fmt.Sprint(i))
			switch {
			case i%2 == 0 && (err != nil || object.ETag != etagHello || object.Key != fmt.Sprint(i)):
				t.Errorf("%d: %+v, %v", i, object, err)
			case i%2 == 1 && !kodo.IsGone(err):
				t.Errorf("%d: %v, want that there is none", i, err)
			}
		})
	}
	all.Wait()
	if got := count(e, "GET", "rs", "/") + count(e, "POST", "rs", "/"); got > 50 {
		t.Errorf("%d requests for %d stats", got, n)
	}
}

func TestPartSizesTravelTogether(t *testing.T) {
	t.Parallel()
	e, c := newEmulator(t)
	if _, err := c.Put(t.Context(), put("key", zeros(9*mib), kodo.IfAbsent())); err != nil {
		t.Fatal(err)
	}
	fail(t, e, emulator.Fault{Match: emulator.Match{Path: "/stat/*"}, Do: "delay", Delay: emulator.Delay(50 * time.Millisecond)})
	before := len(e.Requests())
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			sizes, err := c.PartSizes(t.Context(), "bucket", "key")
			if diff := cmp.Diff([]int64{4 * mib, 4 * mib, mib}, sizes); err != nil || diff != "" {
				t.Errorf("%v, sizes (-want +got):\n%s", err, diff)
			}
		})
	}
	all.Wait()
	if got := len(e.Requests()) - before; got > 5 {
		t.Errorf("%d requests for 20 stats", got)
	}
}
