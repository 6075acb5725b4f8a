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
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/qiniu/terraform-provider-kodo/internal/emulator"
	"github.com/qiniu/terraform-provider-kodo/internal/kodo"
)

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
		"form, no space":   {hello(), emulator.Fault{Match: emulator.Match{Service: "up"}, Do: "no_space"}, 599, 0},
		"a part, no space": {zeros(5 * mib), emulator.Fault{Match: emulator.Match{Method: "PUT"}, Do: "no_space"}, 599, 1},
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

// Kodo's word for the hash is not taken: the bytes that were sent are right, its answer is not.
func TestWrongHashInAnAnswer(t *testing.T) {
	t.Parallel()
	for name, content := range map[string]kodo.Content{"form": hello(), "parts": zeros(5 * mib)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e, c := newEmulator(t)
			fail(t, e, emulator.Fault{Match: emulator.Match{Method: http.MethodPost, Service: "up"}, Do: "wrong_hash"})
			_, err := c.Put(t.Context(), put("key", content, kodo.IfAbsent()))
			var wrong *kodo.HashError
			if !errors.As(err, &wrong) {
				t.Fatalf("error %v, want a wrong hash", err)
			}
			e.ClearFaults()
			if stored, err := c.Put(t.Context(), put("key", content, kodo.IfAbsent())); err != nil || stored.Adopted == nil || stored.ETag != wrong.Sent {
				t.Errorf("the next one: %+v, %v, want that it finds the object", stored, err)
			}
		})
	}
}

// A token outlives a request, not an upload: the one of a part is made when the part is sent.
func TestALongUploadNeedsNoLongToken(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		requests := 0
		c := newClient(t, everything("http://kodo.example"), func(c *kodo.Config) { c.Concurrency = 1 })
		c.SetTransport(meddler(func(_ http.RoundTripper, r *http.Request) (*http.Response, error) {
			status, body := 200, `{"uploadId":"u1","expireAt":1,"etag":"e","hash":"`+etag9MiB+`"}`
			if r.Method == http.MethodGet {
				status, body = 612, `{"error":"no such file or directory"}`
			} else {
				requests++
				token := strings.TrimPrefix(r.Header.Get("Authorization"), "UpToken ")
				deadline, _ := policyOf(t, token)["deadline"].(float64)
				if left := time.Until(time.Unix(int64(deadline), 0)); left < 59*time.Minute {
					t.Errorf("%s %s has a token for %v", r.Method, r.URL.Path, left)
				}
				time.Sleep(50 * time.Minute)
			}
			if r.Body != nil {
				if _, err := io.Copy(io.Discard, r.Body); err != nil {
					return nil, err
				}
			}
			return &http.Response{
				StatusCode: status, Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)), Request: r,
				Header: http.Header{"X-Reqid": {"a-request"}, "Content-Type": {"application/json"}},
			}, nil
		}))
		if _, err := c.Put(t.Context(), put("key", zeros(9*mib), kodo.IfAbsent())); err != nil || requests != 5 {
			t.Errorf("%v after %d requests", err, requests)
		}
	})
}

func TestPartSize(t *testing.T) {
	t.Parallel()
	for size, want := range map[int64]int64{
		4*mib + 1: 4194304, 10000 * 4 * mib: 4194304, 10000*4*mib + 1: 4194305, 1 << 40: 109951163,
	} {
		if got := kodo.PartSize(size); got != want {
			t.Errorf("%d bytes are sent in parts of %d, want %d", size, got, want)
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

func TestWhatTravelsInAnUpload(t *testing.T) {
	t.Parallel()
	for name, size := range map[string]int{"form": 5, "parts": 5 * mib} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var token, contentType string
			metadata := map[string]string{}
			url := scripted(t, func(w http.ResponseWriter, r *http.Request) {
				switch {
				case r.Method == http.MethodGet:
					answer(w, 612, `{"error":"no such file or directory"}`)
					return
				case r.URL.Path == "/":
					token = r.FormValue("token")
					contentType = r.MultipartForm.File["file"][0].Header.Get("Content-Type")
					for field := range r.MultipartForm.Value {
						if strings.HasPrefix(field, "x-qn-meta-") {
							metadata[field] = r.FormValue(field)
						}
					}
				case r.Method == http.MethodPost && !strings.HasSuffix(r.URL.Path, "/uploads"):
					token = strings.TrimPrefix(r.Header.Get("Authorization"), "UpToken ")
					var body struct {
						MimeType string
						Metadata map[string]string
					}
					if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
						t.Error(err)
					}
					contentType, metadata = body.MimeType, body.Metadata
				}
				_, _ = io.Copy(io.Discard, r.Body)
				answer(w, 200, `{"uploadId":"u1","etag":"e","hash":"h"}`)
			})
			p := put("key", zeros(size), kodo.Always())
			p.StorageClass, p.DeleteAfterDays = kodo.ArchiveInstantRetrieval, 30
			p.Metadata = map[string]string{"Color": "红 \"red\"", "!Cache-Control": "no-store"}
			_, err := newClient(t, everything(url)).Put(t.Context(), p)
			var wrong *kodo.HashError // the server is no Kodo
			if !errors.As(err, &wrong) {
				t.Fatal(err)
			}
			policy := policyOf(t, token)
			if policy["fileType"] != 4.0 || policy["deleteAfterDays"] != 30.0 {
				t.Errorf("policy %v", policy)
			}
			if contentType != "text/plain" {
				t.Errorf("content type %q", contentType)
			}
			want := map[string]string{"x-qn-meta-Color": "红 \"red\"", "x-qn-meta-!Cache-Control": "no-store"}
			if diff := cmp.Diff(want, metadata); diff != "" {
				t.Errorf("metadata (-want +got):\n%s", diff)
			}
		})
	}
}

func TestWhatKodoWouldNotStore(t *testing.T) {
	t.Parallel()
	e, c := newEmulator(t)
	for name, change := range map[string]func(*kodo.Put){
		"key":          func(p *kodo.Put) { p.Key = strings.Repeat("k", 751) },
		"content type": func(p *kodo.Put) { p.ContentType = "" },
		"metadata":     func(p *kodo.Put) { p.Metadata = map[string]string{"a b": "c"} },
		"days":         func(p *kodo.Put) { p.DeleteAfterDays = -1 },
	} {
		p := put("key", hello(), kodo.IfAbsent())
		change(&p)
		if _, err := c.Put(t.Context(), p); err == nil {
			t.Errorf("%s: stored", name)
		}
	}
	if requests := e.Requests(); len(requests) != 0 {
		t.Errorf("%d requests", len(requests))
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
