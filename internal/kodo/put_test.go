package kodo_test

import (
	"errors"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

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
