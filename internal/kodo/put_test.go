package kodo_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/qiniu/terraform-provider-kodo/internal/emulator"
	"github.com/qiniu/terraform-provider-kodo/internal/kodo"
)

func TestPutGuards(t *testing.T) {
	t.Parallel()
	const other = "written by somebody else"
	tests := map[string]struct {
		before  string // content that is there; "" for none
		guard   func(at kodo.PutTime) kodo.Guard
		refused any // pointer to the type of the error, nil if the content is to be there afterwards
		adopted bool
		uploads int
	}{
		"if absent, absent":              {guard: func(kodo.PutTime) kodo.Guard { return kodo.IfAbsent() }, uploads: 1},
		"if absent, same content":        {before: "hello", guard: func(kodo.PutTime) kodo.Guard { return kodo.IfAbsent() }, adopted: true},
		"if absent, other content":       {before: other, guard: func(kodo.PutTime) kodo.Guard { return kodo.IfAbsent() }, refused: new(*kodo.ExistsError)},
		"if absent, same size":           {before: "HELLO", guard: func(kodo.PutTime) kodo.Guard { return kodo.IfAbsent() }, refused: new(*kodo.ExistsError)},
		"always, absent":                 {guard: func(kodo.PutTime) kodo.Guard { return kodo.Always() }, uploads: 1},
		"always, same content":           {before: "hello", guard: func(kodo.PutTime) kodo.Guard { return kodo.Always() }, adopted: true},
		"always, other content":          {before: other, guard: func(kodo.PutTime) kodo.Guard { return kodo.Always() }, uploads: 1},
		"if put time, absent":            {guard: func(kodo.PutTime) kodo.Guard { return kodo.IfPutTime(1) }, refused: new(*kodo.ChangedError)},
		"if put time, that object":       {before: other, guard: kodo.IfPutTime, uploads: 1},
		"if put time, that one, same":    {before: "hello", guard: kodo.IfPutTime, adopted: true},
		"if put time, another":           {before: other, guard: func(at kodo.PutTime) kodo.Guard { return kodo.IfPutTime(at - 1) }, refused: new(*kodo.ChangedError)},
		"if put time, another, same":     {before: "hello", guard: func(at kodo.PutTime) kodo.Guard { return kodo.IfPutTime(at - 1) }, refused: new(*kodo.ChangedError)},
		"no guard is if absent":          {before: other, guard: func(kodo.PutTime) kodo.Guard { return kodo.Guard{} }, refused: new(*kodo.ExistsError)},
		"if put time never is if absent": {before: other, guard: func(kodo.PutTime) kodo.Guard { return kodo.IfPutTime(0) }, refused: new(*kodo.ExistsError)},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e, c := newEmulator(t)
			var before kodo.Object
			if tt.before != "" {
				before = seed(t, e, c, "key", tt.before)
			}
			stored, err := c.Put(t.Context(), put("key", hello(), tt.guard(before.PutTime)))
			if got := count(e, "POST", "up", "/"); got != tt.uploads {
				t.Errorf("%d uploads, want %d", got, tt.uploads)
			}
			if tt.refused != nil {
				if !errors.As(err, tt.refused) {
					t.Fatalf("error %v, want %T", err, tt.refused)
				}
				if tt.before != "" {
					wantContent(t, e, "key", tt.before)
				} else if _, err := c.Stat(t.Context(), "bucket", "key"); !kodo.IsGone(err) {
					t.Errorf("stat: %v, want gone", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			want := kodo.Stored{ETag: etagHello, Size: 5}
			if tt.adopted {
				want.Adopted = &before
			}
			if diff := cmp.Diff(want, stored); diff != "" {
				t.Errorf("stored (-want +got):\n%s", diff)
			}
			wantContent(t, e, "key", "hello")
		})
	}
}

func TestRefusalsSayWhatIsThere(t *testing.T) {
	t.Parallel()
	e, c := newEmulator(t)
	there := seed(t, e, c, "key", "other")
	_, err := c.Put(t.Context(), put("key", hello(), kodo.IfAbsent()))
	var exists *kodo.ExistsError
	if !errors.As(err, &exists) {
		t.Fatal(err)
	}
	if diff := cmp.Diff(&kodo.ExistsError{Bucket: "bucket", Object: there}, exists); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	_, err = c.Put(t.Context(), put("key", hello(), kodo.IfPutTime(7)))
	var changed *kodo.ChangedError
	if !errors.As(err, &changed) {
		t.Fatal(err)
	}
	if diff := cmp.Diff(&kodo.ChangedError{Bucket: "bucket", Key: "key", Want: 7, Have: &there}, changed); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	_, err = c.Put(t.Context(), put("none", hello(), kodo.IfPutTime(7)))
	if !errors.As(err, &changed) || changed.Have != nil {
		t.Errorf("error %v", err)
	}
}

// An object that appears between the look and the write is not replaced: insert-only travels in the token.
func TestPutIfAbsentLosesARace(t *testing.T) {
	t.Parallel()
	for name, size := range map[string]int{"form": 5, "parts": 5 * mib} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e, c := newEmulator(t)
			content := &spy{Content: zeros(size), before: func() {
				if err := e.Put("bucket", "key", "", []byte("faster")); err != nil {
					t.Error(err)
				}
			}}
			_, err := c.Put(t.Context(), put("key", content, kodo.IfAbsent()))
			var exists *kodo.ExistsError
			if !errors.As(err, &exists) || exists.Object.Size != 6 {
				t.Errorf("error %v, want that the object exists", err)
			}
			wantContent(t, e, "key", "faster")
		})
	}
}

// spy is content that does something before its first read.
type spy struct {
	kodo.Content
	once   sync.Once
	before func()
}

func (s *spy) ReadAt(p []byte, off int64) (int, error) {
	s.once.Do(s.before)
	return s.Content.ReadAt(p, off)
}

// A large upload takes long, so the object is looked at again before it is replaced.
func TestPutIfPutTimeLooksAgainBeforeParts(t *testing.T) {
	t.Parallel()
	e, c := newEmulator(t)
	before := seed(t, e, c, "key", "before")
	content := &spy{Content: zeros(5 * mib), before: func() {
		if err := e.Put("bucket", "key", "", []byte("in between")); err != nil {
			t.Error(err)
		}
	}}
	_, err := c.Put(t.Context(), put("key", content, kodo.IfPutTime(before.PutTime)))
	var changed *kodo.ChangedError
	if !errors.As(err, &changed) {
		t.Errorf("error %v, want that the object has changed", err)
	}
	wantContent(t, e, "key", "in between")
	if got := count(e, "DELETE", "up", "/buckets/"); got != 1 {
		t.Errorf("%d uploads were given up, want 1", got)
	}
}

func TestPutKnowsObjectsUploadedInOtherParts(t *testing.T) {
	t.Parallel()
	// As another tool has stored it: 5 MiB of zeros in five parts.
	const etag5x1MiB = "nh-1WgCDgdWnTWmrzJIAB8qrEJWt"
	var uploads atomic.Int32
	url := scripted(t, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Method != http.MethodGet:
			uploads.Add(1)
			answer(w, 500, `{}`)
		case r.URL.Query().Get("needparts") == "true":
			answer(w, 200, `{"fsize":5242880,"hash":"`+etag5x1MiB+`","mimeType":"a/b","putTime":1,"parts":[1048576,1048576,1048576,1048576,1048576]}`)
		default:
			answer(w, 200, `{"fsize":5242880,"hash":"`+etag5x1MiB+`","mimeType":"a/b","putTime":1}`)
		}
	})
	c := newClient(t, everything(url), noRetries)
	p := put("key", zeros(5*mib), kodo.IfAbsent())
	stored, err := c.Put(t.Context(), p)
	if err != nil || stored.Adopted == nil || stored.ETag != etag5x1MiB || uploads.Load() != 0 {
		t.Errorf("got %+v, %v, %d uploads; want the object adopted", stored, err, uploads.Load())
	}
	var exists *kodo.ExistsError
	p.ETag = etag5MiB // planned, so that an object with another hash is not what was planned
	if _, err := c.Put(t.Context(), p); !errors.As(err, &exists) || !strings.Contains(err.Error(), "in other parts") {
		t.Errorf("with a planned hash: %v, want that the object exists", err)
	}
	other := make([]byte, 5*mib)
	other[4*mib] = 1
	p.Content, p.ETag = strings.NewReader(string(other)), ""
	if _, err := c.Put(t.Context(), p); !errors.As(err, &exists) {
		t.Errorf("other content: %v, want that the object exists", err)
	}
}

func TestPutWithPlannedHash(t *testing.T) {
	t.Parallel()
	const etagOther = "FpLiADEaVoALPkdb8tJEJyRTXoe_"
	for name, content := range map[string]kodo.Content{"form": hello(), "parts": zeros(9 * mib)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e, c := newEmulator(t)
			p := put("key", content, kodo.IfAbsent())
			p.ETag = etagOther
			_, err := c.Put(t.Context(), p)
			var changed *kodo.ContentChangedError
			if !errors.As(err, &changed) || changed.Want != etagOther {
				t.Fatalf("error %v, want that the content has changed", err)
			}
			if keys, err := e.Keys("bucket"); err != nil || len(keys) != 0 {
				t.Errorf("stored all the same: %q, %v", keys, err)
			}
			p.ETag = map[string]string{"form": etagHello, "parts": etag9MiB}[name]
			stored, err := c.Put(t.Context(), p)
			if err != nil || stored.ETag != p.ETag {
				t.Errorf("got %+v, %v", stored, err)
			}
		})
	}
}

// With a planned hash, content that the object holds already is not even read.
func TestPlannedHashSavesReading(t *testing.T) {
	t.Parallel()
	e, c := newEmulator(t)
	seed(t, e, c, "key", "hello")
	p := put("key", &spy{Content: hello(), before: func() { t.Error("the content was read") }}, kodo.Always())
	p.ETag = etagHello
	if stored, err := c.Put(t.Context(), p); err != nil || stored.Adopted == nil {
		t.Errorf("got %+v, %v", stored, err)
	}
}

func TestLostAnswersOfUploads(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		content kodo.Content
		fault   emulator.Fault
		etag    string
	}{
		"form, once":             {hello(), emulator.Fault{Match: emulator.Match{Service: "up"}, Times: 1, Do: "apply_then_drop"}, etagHello},
		"form, always":           {hello(), emulator.Fault{Match: emulator.Match{Service: "up"}, Do: "apply_then_drop"}, etagHello},
		"form, cut":              {hello(), emulator.Fault{Match: emulator.Match{Service: "up"}, Do: "truncate"}, etagHello},
		"begin, once":            {zeros(9 * mib), emulator.Fault{Match: emulator.Match{Path: "/buckets/*/uploads"}, Times: 1, Do: "apply_then_drop"}, etag9MiB},
		"a part, twice":          {zeros(9 * mib), emulator.Fault{Match: emulator.Match{Path: "/buckets/*/2"}, Times: 2, Do: "apply_then_drop"}, etag9MiB},
		"a part, dropped":        {zeros(9 * mib), emulator.Fault{Match: emulator.Match{Method: "PUT"}, Times: 3, Do: "drop_before"}, etag9MiB},
		"a part, throttled":      {zeros(9 * mib), emulator.Fault{Match: emulator.Match{Method: "PUT"}, Times: 3, Do: "status", Status: 573}, etag9MiB},
		"complete, once":         {zeros(9 * mib), emulator.Fault{Match: emulator.Match{Method: "POST", Path: "/buckets/*/uploads/*"}, Times: 1, Do: "apply_then_drop"}, etag9MiB},
		"complete, always":       {zeros(9 * mib), emulator.Fault{Match: emulator.Match{Method: "POST", Path: "/buckets/*/uploads/*"}, Do: "apply_then_drop"}, etag9MiB},
		"form, not done at once": {hello(), emulator.Fault{Match: emulator.Match{Service: "up"}, Times: 2, Do: "drop_before"}, etagHello},
		"stored, said 579":       {hello(), emulator.Fault{Match: emulator.Match{Service: "rs"}, Skip: 1, Times: 1, Do: "status", Status: 599}, etagHello},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e, c := newEmulator(t)
			fail(t, e, tt.fault)
			stored, err := c.Put(t.Context(), put("key", tt.content, kodo.IfAbsent()))
			if err != nil || stored.ETag != tt.etag || stored.Adopted != nil {
				t.Errorf("got %+v, %v, want the content stored", stored, err)
			}
			if object, err := c.Stat(t.Context(), "bucket", "key"); err != nil || object.ETag != tt.etag {
				t.Errorf("stat: %+v, %v", object, err)
			}
			if removal, err := c.Remove(t.Context(), "bucket", "key", 0, tt.etag); err != nil || removal != kodo.Kept {
				t.Errorf("remove: %v, %v; what was stored must be remembered", removal, err)
			}
		})
	}
}

func TestFailedUploads(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		content kodo.Content
		fault   emulator.Fault
		code    int
		aborted int
	}{
		"form":             {hello(), emulator.Fault{Match: emulator.Match{Service: "up"}, Do: "status", Status: 403}, 403, 0},
		"form, no answer":  {hello(), emulator.Fault{Match: emulator.Match{Service: "up"}, Do: "drop_before"}, 0, 0},
		"begin":            {zeros(5 * mib), emulator.Fault{Match: emulator.Match{Path: "/buckets/*/uploads"}, Do: "status", Status: 401}, 401, 0},
		"a part":           {zeros(5 * mib), emulator.Fault{Match: emulator.Match{Method: "PUT"}, Do: "status", Status: 400}, 400, 1},
		"a part, dropped":  {zeros(5 * mib), emulator.Fault{Match: emulator.Match{Method: "PUT"}, Do: "drop_before"}, 0, 1},
		"complete":         {zeros(5 * mib), emulator.Fault{Match: emulator.Match{Method: "POST", Path: "/buckets/*/uploads/*"}, Do: "status", Status: 400}, 400, 1},
		"complete, no one": {zeros(5 * mib), emulator.Fault{Match: emulator.Match{Method: "POST", Path: "/buckets/*/uploads/*"}, Do: "drop_before"}, 0, 1},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e, c := newEmulator(t, func(c *kodo.Config) { c.MaxRetries = 1 })
			fail(t, e, tt.fault)
			_, err := c.Put(t.Context(), put("key", tt.content, kodo.IfAbsent()))
			if failed := asError(t, err); failed.Code != tt.code || failed.Service != "up" || failed.Step != kodo.StepCall {
				t.Errorf("error %#v, want the code %d", failed, tt.code)
			}
			if keys, err := e.Keys("bucket"); err != nil || len(keys) != 0 {
				t.Errorf("objects %q, %v", keys, err)
			}
			if got := count(e, "DELETE", "up", "/buckets/"); got != tt.aborted {
				t.Errorf("%d uploads were given up, want %d", got, tt.aborted)
			}
			e.ClearFaults()
			if removal, err := c.Remove(t.Context(), "bucket", "key", 1, ""); err != nil || removal != kodo.AlreadyGone {
				t.Errorf("remove: %v, %v; a failed upload must not be remembered", removal, err)
			}
		})
	}
}

func TestWrongHashIsAnError(t *testing.T) {
	t.Parallel()
	url := scripted(t, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Method == http.MethodGet:
			answer(w, 612, `{"error":"no such file or directory"}`)
		case strings.HasSuffix(r.URL.Path, "/uploads"):
			answer(w, 200, `{"uploadId":"u1","expireAt":1}`)
		case r.Method == http.MethodPut:
			answer(w, 200, `{"etag":"e","md5":""}`)
		default:
			answer(w, 200, `{"hash":"`+etagEmpty+`","key":"key"}`)
		}
	})
	for name, content := range map[string]kodo.Content{"form": hello(), "parts": zeros(5 * mib)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newClient(t, everything(url))
			_, err := c.Put(t.Context(), put("key", content, kodo.Always()))
			var wrong *kodo.HashError
			if !errors.As(err, &wrong) || wrong.Stored != etagEmpty {
				t.Errorf("error %v, want a wrong hash", err)
			}
			if removal, err := c.Remove(t.Context(), "bucket", "key", 1, ""); err != nil || removal != kodo.AlreadyGone {
				t.Errorf("remove: %v, %v; a wrong object must not be remembered", removal, err)
			}
		})
	}
}

func TestRemove(t *testing.T) {
	t.Parallel()
	e, c := newEmulator(t)
	ctx := t.Context()
	remove := func(key string, at kodo.PutTime, etag string, want kodo.Removal, there bool) {
		t.Helper()
		got, err := c.Remove(ctx, "bucket", key, at, etag)
		if err != nil || got != want {
			t.Errorf("remove %q: %v, %v, want %v", key, got, err, want)
		}
		if _, err := c.Stat(ctx, "bucket", key); kodo.IsGone(err) == there {
			t.Errorf("after removing %q: stat %v, want there: %t", key, err, there)
		}
	}
	remove("none", 1, "", kodo.AlreadyGone, false)

	object := seed(t, e, c, "a", "hello")
	remove("a", object.PutTime-1, etagHello, kodo.Changed, true)
	remove("a", object.PutTime, "not looked at", kodo.Removed, false)

	seed(t, e, c, "b", "hello")
	remove("b", 0, etagEmpty, kodo.Changed, true)
	remove("b", 0, etagHello, kodo.Removed, false)

	if _, err := c.Put(ctx, put("written", hello(), kodo.IfAbsent())); err != nil {
		t.Fatal(err)
	}
	remove("written", 0, etagHello, kodo.Kept, true)

	object = seed(t, e, c, "adopted", "hello")
	if _, err := c.Put(ctx, put("adopted", hello(), kodo.IfAbsent())); err != nil {
		t.Fatal(err)
	}
	remove("adopted", object.PutTime, "", kodo.Kept, true)

	object = seed(t, e, c, "refused", "other")
	if _, err := c.Put(ctx, put("refused", hello(), kodo.IfAbsent())); err == nil {
		t.Fatal("not refused")
	}
	remove("refused", object.PutTime, "", kodo.Removed, false)

	// What was written by one Client is nothing to another, which is another process for it.
	other := newClient(t, kodo.Endpoints{UC: e.Endpoint()})
	if got, err := other.Remove(ctx, "bucket", "written", 0, etagHello); err != nil || got != kodo.Removed {
		t.Errorf("remove by another Client: %v, %v", got, err)
	}
}

func TestRemoveFails(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]emulator.Fault{
		"stat":        {Match: emulator.Match{Path: "/stat/*"}, Do: "status", Status: 403},
		"delete":      {Match: emulator.Match{Path: "/delete/*"}, Do: "status", Status: 403},
		"no bucket":   {Match: emulator.Match{Path: "/stat/*"}, Do: "status", Status: 631},
		"not found":   {Match: emulator.Match{Path: "/stat/*"}, Do: "status", Status: 404},
		"discovery":   {Match: emulator.Match{Service: "uc"}, Do: "status", Status: 612},
		"lost before": {Match: emulator.Match{Path: "/delete/*"}, Do: "drop_before"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e, c := newEmulator(t, noRetries)
			if err := e.Put("bucket", "key", "", []byte("hello")); err != nil {
				t.Fatal(err)
			}
			fail(t, e, fault)
			if removal, err := c.Remove(t.Context(), "bucket", "key", 0, etagHello); err == nil || removal != 0 {
				t.Errorf("removal %v, %v, want an error", removal, err)
			}
			wantContent(t, e, "key", "hello")
		})
	}
}

func TestLostAnswersOfRemove(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]emulator.Fault{
		"done":     {Match: emulator.Match{Path: "/delete/*"}, Times: 1, Do: "apply_then_drop"},
		"not done": {Match: emulator.Match{Path: "/delete/*"}, Times: 1, Do: "drop_before"},
		"refused":  {Match: emulator.Match{Path: "/delete/*"}, Times: 1, Do: "status", Status: 573},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e, c := newEmulator(t)
			seed(t, e, c, "key", "hello")
			fail(t, e, fault)
			if removal, err := c.Remove(t.Context(), "bucket", "key", 0, etagHello); err != nil || removal != kodo.Removed {
				t.Errorf("removal %v, %v, want removed", removal, err)
			}
		})
	}
}

// While a delete is tried again, somebody else may have stored another object: it is looked at each time.
func TestRemoveLooksBeforeEachAttempt(t *testing.T) {
	t.Parallel()
	var stats atomic.Int32
	url := scripted(t, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasPrefix(r.URL.Path, "/delete/"):
			if stats.Load() > 1 {
				t.Error("the object of somebody else was deleted")
			}
			answer(w, 599, `{}`)
		case stats.Add(1) == 1:
			answer(w, 200, statAnswer)
		default:
			answer(w, 200, strings.Replace(statAnswer, "17000000000000001", "17000000000000002", 1))
		}
	})
	removal, err := newClient(t, everything(url)).Remove(t.Context(), "bucket", "key", putTimeOfAnswer, "")
	if err != nil || removal != kodo.Changed {
		t.Errorf("removal %v, %v, want changed", removal, err)
	}
}

// A renamed address in one apply: its create and its delete of one key come in any order and at the same time, and
// the delete's stat may be long before its request.
func TestPutAndRemoveOfOneKeyAtOnce(t *testing.T) {
	t.Parallel()
	for _, content := range []string{"hello", "new content"} {
		for _, delayed := range []string{"/stat/*", "/delete/*", "/"} {
			for _, first := range []string{"put", "remove"} {
				t.Run(fmt.Sprintf("%s %s %s", content, delayed, first), func(t *testing.T) {
					t.Parallel()
					e, c := newEmulator(t)
					before := seed(t, e, c, "key", "hello")
					fail(t, e, emulator.Fault{Match: emulator.Match{Path: delayed}, Do: "delay", Delay: emulator.Delay(50 * time.Millisecond)})
					var both sync.WaitGroup
					jobs := []func(){
						func() {
							if _, err := c.Put(t.Context(), put("key", strings.NewReader(content), kodo.Always())); err != nil {
								t.Error(err)
							}
						},
						func() {
							if _, err := c.Remove(t.Context(), "bucket", "key", before.PutTime, before.ETag); err != nil {
								t.Error(err)
							}
						},
					}
					if first == "remove" {
						jobs[0], jobs[1] = jobs[1], jobs[0]
					}
					both.Go(jobs[0])
					time.Sleep(10 * time.Millisecond)
					both.Go(jobs[1])
					both.Wait()
					wantContent(t, e, "key", content)
				})
			}
		}
	}
}

func TestOddKeys(t *testing.T) {
	t.Parallel()
	e, c := newEmulator(t)
	keys := []string{
		"", "/", "/a//b", "a b", " ", "a:b", ":", "a%20b", "%", "100%25", "中文/键", "emoji-🐼", "a\r\nb", `q"uo\te`, "?a=b&c", "#", "~",
		strings.Repeat("k", 750), strings.Repeat("键", 250), "a+b", "../x", "nul\x00",
	}
	for _, key := range keys {
		stored, err := c.Put(t.Context(), put(key, strings.NewReader(key), kodo.IfAbsent()))
		if err != nil || stored.Size != int64(len(key)) {
			t.Errorf("put %q: %+v, %v", key, stored, err)
			continue
		}
		wantContent(t, e, key, key)
		if _, err := c.Put(t.Context(), put(key, strings.NewReader("again "+key), kodo.Always())); err != nil {
			t.Errorf("overwrite %q: %v", key, err)
		}
		wantContent(t, e, key, "again "+key)
		if stored, err = c.Put(t.Context(), put(key, strings.NewReader(key), kodo.Always())); err != nil {
			t.Errorf("overwrite %q: %v", key, err)
		}
		if object, err := c.Stat(t.Context(), "bucket", key); err != nil || object.Key != key || object.ETag != stored.ETag {
			t.Errorf("stat %q: %+v, %v", key, object, err)
		}
	}
	listed := map[string]bool{}
	for object, err := range c.Objects(t.Context(), "bucket", kodo.ListOptions{}) {
		if err != nil {
			t.Fatal(err)
		}
		listed[object.Key] = true
	}
	for _, key := range keys {
		if !listed[key] {
			t.Errorf("%q is not listed", key)
		}
	}
	// A new Client, to which nothing is its own.
	other := newClient(t, kodo.Endpoints{UC: e.Endpoint()})
	if n, err := other.EmptyBucket(t.Context(), "bucket"); err != nil || n != len(keys) {
		t.Errorf("emptied %d, %v, want %d", n, err, len(keys))
	}
	for _, key := range []string{strings.Repeat("k", 751), "\xff"} {
		if _, err := c.Put(t.Context(), put(key, hello(), kodo.IfAbsent())); err == nil {
			t.Errorf("a key of %d bytes is accepted", len(key))
		}
	}
}

func TestSizes(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		size     int
		etag     string
		requests int
	}{
		"empty":        {0, etagEmpty, 1},
		"one block":    {4 * mib, etag4MiB, 1},
		"a byte more":  {4*mib + 1, "lhCFgki5yzon0rjN9uJusf6qtsF6", 4},
		"two blocks":   {5 * mib, etag5MiB, 4},
		"three blocks": {9 * mib, etag9MiB, 5},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e, c := newEmulator(t)
			p := put("key", zeros(tt.size), kodo.IfAbsent())
			p.ContentType = "application/x-odd; charset=utf-8"
			stored, err := c.Put(t.Context(), p)
			if err != nil || stored.ETag != tt.etag || stored.Size != int64(tt.size) {
				t.Errorf("got %+v, %v, want the hash %s", stored, err, tt.etag)
			}
			object, err := c.Stat(t.Context(), "bucket", "key")
			if err != nil || object.ETag != tt.etag || object.ContentType != p.ContentType {
				t.Errorf("stat: %+v, %v", object, err)
			}
			got := 0
			for _, r := range e.Requests() {
				if r.Service == "up" {
					got++
				}
			}
			if got != tt.requests {
				t.Errorf("%d requests to up, want %d", got, tt.requests)
			}
		})
	}
}

func TestUploadTokens(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		guard kodo.Guard
		key   string
		want  map[string]any
	}{
		"insert only": {kodo.IfAbsent(), "a:b", map[string]any{"scope": "bucket:a:b", "insertOnly": 1.0, "detectMime": -1.0}},
		"overwrite":   {kodo.Always(), "a", map[string]any{"scope": "bucket:a", "detectMime": -1.0}},
		"no name":     {kodo.Always(), "", map[string]any{"scope": "bucket:", "detectMime": -1.0}},
	}
	for name, tt := range tests {
		for _, size := range []int{5, 5 * mib} {
			t.Run(fmt.Sprint(name, size), func(t *testing.T) {
				t.Parallel()
				var mu sync.Mutex
				var tokens []string
				url := scripted(t, func(w http.ResponseWriter, r *http.Request) {
					if r.Method == http.MethodGet {
						answer(w, 612, `{"error":"no such file or directory"}`)
						return
					}
					token, found := strings.CutPrefix(r.Header.Get("Authorization"), "UpToken ")
					if !found {
						token = r.FormValue("token")
					}
					mu.Lock()
					tokens = append(tokens, token)
					mu.Unlock()
					_, _ = io.Copy(io.Discard, r.Body)
					answer(w, 200, `{"uploadId":"u1","etag":"e","hash":"h"}`)
				})
				_, err := newClient(t, everything(url)).Put(t.Context(), put(tt.key, zeros(size), tt.guard))
				if err == nil || len(tokens) == 0 {
					t.Fatalf("%v, tokens %q", err, tokens)
				}
				for _, token := range tokens {
					policy := policyOf(t, token)
					deadline, _ := policy["deadline"].(float64)
					if left := time.Until(time.Unix(int64(deadline), 0)); left < 50*time.Minute || left > 2*time.Hour {
						t.Errorf("a token for %v", left)
					}
					delete(policy, "deadline")
					if diff := cmp.Diff(tt.want, policy); diff != "" {
						t.Errorf("policy (-want +got):\n%s", diff)
					}
				}
			})
		}
	}
}

func policyOf(t *testing.T, token string) (policy map[string]any) {
	t.Helper()
	parts := strings.Split(token, ":")
	if len(parts) != 3 {
		t.Fatalf("token %q", token)
	}
	raw, err := base64.URLEncoding.DecodeString(parts[2])
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, &policy); err != nil {
		t.Fatal(err)
	}
	return policy
}

func TestFileThatChanges(t *testing.T) {
	t.Parallel()
	changes := map[string]func(path string) error{
		"truncated": func(path string) error { return os.Truncate(path, 1) },
		"grown": func(path string) error {
			f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
			if err != nil {
				return err
			}
			_, err = f.WriteString("more")
			return errors.Join(err, f.Close())
		},
		"replaced": func(path string) error {
			if err := os.WriteFile(path+".new", []byte("other"), 0o600); err != nil {
				return err
			}
			return os.Rename(path+".new", path)
		},
		"removed": os.Remove,
		"touched": func(path string) error { return os.Chtimes(path, time.Time{}, time.Unix(1, 0)) },
	}
	for change, do := range changes {
		for _, size := range []int{5, 9 * mib} {
			t.Run(fmt.Sprintf("%s %d", change, size), func(t *testing.T) {
				t.Parallel()
				e, c := newEmulator(t)
				path := filepath.Join(t.TempDir(), "file")
				if err := os.WriteFile(path, make([]byte, size), 0o600); err != nil {
					t.Fatal(err)
				}
				file, err := kodo.OpenFile(path)
				if err != nil {
					t.Fatal(err)
				}
				defer func() { _ = file.Close() }()
				if err := do(path); err != nil {
					t.Fatal(err)
				}
				_, err = c.Put(t.Context(), put("key", file, kodo.IfAbsent()))
				var changed *kodo.ContentChangedError
				if !errors.As(err, &changed) {
					t.Errorf("error %v, want that the content has changed", err)
				}
				if keys, err := e.Keys("bucket"); err != nil || len(keys) != 0 {
					t.Errorf("stored all the same: %q, %v", keys, err)
				}
				if size > 4*mib && count(e, "DELETE", "up", "/buckets/") != 1 {
					t.Error("the upload was not given up")
				}
			})
		}
	}
}

func TestOnlyRegularFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if _, err := kodo.OpenFile(dir); err == nil || !strings.Contains(err.Error(), dir) {
		t.Errorf("a directory: %v", err)
	}
	if _, err := kodo.OpenFile(filepath.Join(dir, "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
}

func TestCancelledUpload(t *testing.T) {
	t.Parallel()
	for name, size := range map[string]int{"form": 5, "parts": 40 * mib} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			begun := make(chan struct{})
			var once sync.Once
			var aborts atomic.Int32
			url := scripted(t, func(w http.ResponseWriter, r *http.Request) {
				switch {
				case r.Method == http.MethodGet:
					answer(w, 612, `{"error":"no such file or directory"}`)
				case r.Method == http.MethodDelete:
					aborts.Add(1)
					answer(w, 200, `{}`)
				case strings.HasSuffix(r.URL.Path, "/uploads"):
					answer(w, 200, `{"uploadId":"u1","expireAt":1}`)
				default: // the bytes, for ever
					_, _ = io.Copy(io.Discard, r.Body) // or the server does not notice that the client leaves
					once.Do(func() { close(begun) })
					<-r.Context().Done()
				}
			})
			c := newClient(t, everything(url))
			within(t, 5*time.Second, func() {
				_, err := c.Put(cancelWhen(t, begun), put("key", zeros(size), kodo.IfAbsent()))
				if !errors.Is(err, context.Canceled) {
					t.Errorf("error %v, want a cancellation", err)
				}
			})
			if name == "parts" && aborts.Load() != 1 {
				t.Errorf("%d uploads were given up, want 1", aborts.Load())
			}
		})
	}
}

func TestCancelledWaitForTheKey(t *testing.T) {
	t.Parallel()
	begun := make(chan struct{})
	release := make(chan struct{})
	var once sync.Once
	url := scripted(t, func(w http.ResponseWriter, r *http.Request) {
		once.Do(func() { close(begun) })
		<-release
		answer(w, 200, statAnswer)
	})
	c := newClient(t, everything(url))
	done := make(chan error)
	go func() {
		_, err := c.Put(t.Context(), put("key", hello(), kodo.IfAbsent()))
		done <- err
	}()
	<-begun
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Remove(ctx, "bucket", "key", 1, ""); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want a cancellation", err)
	}
	close(release)
	if err := <-done; err != nil {
		t.Error(err)
	}
}
