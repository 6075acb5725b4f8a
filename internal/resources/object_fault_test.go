package resources_test

import (
	"bytes"
	"context"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/qiniu/terraform-provider-kodo/internal/acctest"
	"github.com/qiniu/terraform-provider-kodo/internal/emulator"
)

// The tests of what kodo_object does when the network or Kodo fails: what is
// stored is in the state, and the next apply converges.

// TestObjectFaultsOvercome fails requests once: nobody notices.
func TestObjectFaultsOvercome(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]emulator.Fault{
		"lost answer of an upload":         {Match: emulator.Match{Service: "up"}, Do: "apply_then_drop"},
		"lost request of an upload":        {Match: emulator.Match{Service: "up"}, Do: "drop_before"},
		"cut answer of an upload":          {Match: emulator.Match{Service: "up"}, Do: "truncate"},
		"throttled upload":                 {Match: emulator.Match{Service: "up"}, Do: "status", Status: 573},
		"failed upload":                    {Match: emulator.Match{Service: "up"}, Do: "status", Status: 599},
		"lost answer of a look":            {Match: emulator.Match{Path: "/stat/*"}, Do: "apply_then_drop"},
		"cut answer of a look":             {Match: emulator.Match{Path: "/stat/*"}, Do: "truncate"},
		"lost answer of a type change":     {Match: emulator.Match{Path: "/chgm/*"}, Do: "apply_then_drop"},
		"lost answer of a delete":          {Match: emulator.Match{Path: "/delete/*"}, Do: "apply_then_drop"},
		"lost request of a delete":         {Match: emulator.Match{Path: "/delete/*"}, Do: "drop_before"},
		"unavailable for a delete":         {Match: emulator.Match{Path: "/delete/*"}, Do: "status", Status: 503},
		"unavailable for the type's write": {Match: emulator.Match{Path: "/chgm/*"}, Do: "status", Status: 504},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := acctest.New(t, "assets")
			s := h.Session()
			fault.Times = 1
			fail(t, h, fault)
			apply(t, s, page(nil))
			apply(t, s, page(values{"content_type": "text/plain"}))
			apply(t, s, page(values{"content": "etag"}))
			expectContent(t, h, "assets", pageKey, "etag")
			expectEmptyPlan(t, s, page(values{"content": "etag"}))
			apply(t, s)
			expectKeys(t, h, "assets")
			if hits := h.Faults()[0].Hits; hits != 1 {
				t.Errorf("the fault struck %d times", hits)
			}
		})
	}
}

// TestObjectFaultsReported fails requests for good: the diagnostic says what,
// with which code and request id, and what to do, and nothing has changed.
func TestObjectFaultsReported(t *testing.T) {
	t.Parallel()
	upload := emulator.Match{Service: "up"}
	for name, test := range map[string]struct {
		fault emulator.Fault
		says  []string
	}{
		"throttled":     {emulator.Fault{Match: upload, Do: "status", Status: 573, Error: "out of quota"}, []string{"573", "out of quota", "request id", "concurrency"}},
		"full disk":     {emulator.Fault{Match: upload, Do: "status", Status: 599, Error: "no space left on device"}, []string{"599", "no space left on device", "request id", "later"}},
		"expired token": {emulator.Fault{Match: upload, Do: "status", Status: 401, Error: "expired token"}, []string{"401", "expired token", "request id", "clock"}},
		"no permission": {emulator.Fault{Match: upload, Do: "status", Status: 403, Error: "access denied"}, []string{"403", "access denied", "request id", "permitted", `"0001"`}},
		"frozen":        {emulator.Fault{Match: upload, Do: "status", Status: 419, Error: "account frozen"}, []string{"419", "request id", "frozen"}},
		"too large":     {emulator.Fault{Match: upload, Do: "status", Status: 413, Error: "exceed FsizeLimit"}, []string{"413", "request id", "larger"}},
		"other region":  {emulator.Fault{Match: upload, Do: "status", Status: 400, Error: "incorrect region, please use up-z2.qiniup.com"}, []string{"400", "up-z2.qiniup.com", "request id"}},
		"no connection": {emulator.Fault{Match: upload, Do: "drop_before"}, []string{"no answer", "network"}},
		"looks refused": {emulator.Fault{Match: emulator.Match{Path: "/stat/*"}, Do: "status", Status: 403, Error: "access denied"}, []string{"403", "request id", `"0001"`}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := acctest.New(t, "assets")
			s := h.Session()
			plan := s.Plan(page(nil))
			fail(t, h, test.fault)
			says := append([]string{`"page.html" in bucket "assets"`}, test.says...)
			expectError(t, s.Apply(plan), "Object Not Stored", says...)
			expectKeys(t, h, "assets")
			if s.State(pageAddress) != nil {
				t.Error("an object that does not exist is in the state")
			}

			h.ClearFaults()
			apply(t, s, page(nil))
			before := s.State(pageAddress)
			update := s.Plan(page(values{"content": "etag"}))
			fail(t, h, test.fault)
			expectError(t, s.Apply(update), "Object Not Stored", says...)
			expectContent(t, h, "assets", pageKey, "hello")
			expectState(t, s, pageAddress, before)

			h.ClearFaults()
			apply(t, s, page(values{"content": "etag"}))
			expectEmptyPlan(t, s, page(values{"content": "etag"}))
		})
	}
}

// throughProxy lets the session upload through a proxy that may look at the
// answers, and change them.
func throughProxy(t *testing.T, h *acctest.Harness, s *acctest.Session, answer func(*http.Response) error) {
	t.Helper()
	kodo, err := url.Parse(h.Endpoint())
	if err != nil {
		t.Fatal(err)
	}
	proxy := httptest.NewServer(&httputil.ReverseProxy{
		Rewrite:        func(r *httputil.ProxyRequest) { r.SetURL(kodo) },
		ModifyResponse: answer,
	})
	t.Cleanup(proxy.Close)
	s.Provider = s.Provider.With(values{"endpoints": values{"up": proxy.URL}})
}

// throughCut lets the session upload through connections that break once so many
// bytes have gone through them, until the returned switch is set.
func throughCut(t *testing.T, h *acctest.Harness, s *acctest.Session, limit int64) (whole *atomic.Bool) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() }) //nolint:errcheck // the end of the test
	whole = new(atomic.Bool)
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer client.Close() //nolint:errcheck // broken on purpose
				kodo, err := net.Dial("tcp", strings.TrimPrefix(h.Endpoint(), "http://"))
				if err != nil {
					return
				}
				defer kodo.Close()       //nolint:errcheck // broken on purpose
				go io.Copy(client, kodo) //nolint:errcheck // ends with the connection
				rest := io.Reader(client)
				if !whole.Load() {
					rest = io.LimitReader(client, limit)
				}
				io.Copy(kodo, rest) //nolint:errcheck // broken on purpose
			}()
		}
	}()
	s.Provider = s.Provider.With(values{"endpoints": values{"up": "http://" + listener.Addr().String()}})
	return whole
}

// TestObjectUploadCut breaks the connection in the middle of the bytes, at each
// attempt: nothing is stored, nothing half-made is left, and nothing is recorded.
func TestObjectUploadCut(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		size  int
		limit int64
	}{
		"form":  {512 << 10, 128 << 10},
		"parts": {9 << 20, 1 << 20},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := acctest.New(t, "assets")
			s := h.Session()
			whole := throughCut(t, h, s, test.limit)
			content := bytes.Repeat([]byte("0123456789abcdef"), test.size/16)
			b := page(values{"content": nil, "source": file(t, "content", content)})
			plan := s.Plan(b)
			expectError(t, s.Apply(plan), "Object Not Stored", `"page.html" in bucket "assets"`, "no answer", "network")
			expectKeys(t, h, "assets")
			if s.State(pageAddress) != nil {
				t.Error("an object that was not stored is in the state")
			}
			if name == "parts" && !slices.ContainsFunc(h.Writes(), func(w string) bool { return strings.HasPrefix(w, "DELETE up ") }) {
				t.Error("the upload was not given up")
			}
			expectNoFiles(t, h)

			whole.Store(true)
			apply(t, s, b)
			expectContent(t, h, "assets", pageKey, string(content))
			expectEmptyPlan(t, s, b)
		})
	}
}

// expectNoFiles waits until the server has let go of what it received of requests
// that broke, and checks that no content is left in its data folder.
func expectNoFiles(t *testing.T, h *acctest.Harness) {
	t.Helper()
	var left []string
	for range 200 {
		left = nil
		err := filepath.WalkDir(filepath.Join(h.Dir(), "extents"), func(path string, entry fs.DirEntry, err error) error {
			if err == nil && !entry.IsDir() {
				left = append(left, path)
			}
			return err
		})
		if err == nil && len(left) == 0 {
			return
		}
		time.Sleep(25 * time.Millisecond)
	}
	t.Errorf("content was left in the data folder: %q", left)
}

// TestObjectFileWrittenDuringUpload writes to the file between two of its
// parts, which then do not belong together.
func TestObjectFileWrittenDuringUpload(t *testing.T) {
	t.Parallel()
	h := acctest.New(t, "assets")
	s := h.Session()
	s.Provider = s.Provider.With(values{"concurrency": 1})
	source := file(t, "zeros", make([]byte, 5<<20))
	plan := s.Plan(page(values{"content": nil, "source": source}))
	throughProxy(t, h, s, func(resp *http.Response) error {
		if resp.Request.Method != http.MethodPut { // of a part
			return nil
		}
		return os.WriteFile(source, bytes.Repeat([]byte("x"), 5<<20), 0o600)
	})
	expectError(t, s.Apply(plan), "Content Changed During Apply", `"page.html" in bucket "assets"`,
		"its hash was to be "+zeros5MiBETag, "Nothing was stored")
	expectKeys(t, h, "assets")
	if s.State(pageAddress) != nil {
		t.Error("an object that was not stored is in the state")
	}
}

// TestObjectHashDiffers damages Kodo's answer to an upload: nobody knows what
// was stored, so nothing is recorded, and the next apply finds out.
func TestObjectHashDiffers(t *testing.T) {
	t.Parallel()
	h := acctest.New(t, "assets")
	s := h.Session()
	var damage atomic.Bool
	throughProxy(t, h, s, func(resp *http.Response) error {
		answer, err := io.ReadAll(resp.Body)
		if damage.Load() {
			answer = bytes.Replace(answer, []byte(helloETag), []byte(emptyETag), 1)
			answer = bytes.Replace(answer, []byte(etagETag), []byte(emptyETag), 1)
		}
		resp.Body = io.NopCloser(bytes.NewReader(answer))
		return err
	})
	says := []string{`"page.html" in bucket "assets"`, emptyETag, "Nothing of it is recorded", "overwrite = true"}

	damage.Store(true)
	expectError(t, s.Apply(s.Plan(page(nil))), "Stored Object Differs", append(says, helloETag)...)
	if s.State(pageAddress) != nil {
		t.Error("an object that nobody knows is in the state")
	}
	damage.Store(false)
	_, diags := apply(t, s, page(nil))
	expectWarning(t, diags, "Existing Object Adopted")

	before := s.State(pageAddress)
	changed := page(values{"content": "etag"})
	damage.Store(true)
	expectError(t, s.Apply(s.Plan(changed)), "Stored Object Differs", append(says, etagETag)...)
	expectState(t, s, pageAddress, before)
	damage.Store(false)
	apply(t, s, changed)
	expectContent(t, h, "assets", pageKey, "etag")
	expectEmptyPlan(t, s, changed)
}

// TestObjectAnswerNeverComes stores the object each time and never says so.
func TestObjectAnswerNeverComes(t *testing.T) {
	t.Parallel()
	h := acctest.New(t, "assets")
	s := h.Session()
	fail(t, h, emulator.Fault{Match: emulator.Match{Service: "up"}, Do: "apply_then_drop"})
	apply(t, s, page(nil))
	expectContent(t, h, "assets", pageKey, "hello")
	expectEmptyPlan(t, s, page(nil))
}

// TestObjectNotReadBack stores the object and cannot look at it: the state has
// it, tainted, without unknown values, and untaint lets the next apply go on.
func TestObjectNotReadBack(t *testing.T) {
	t.Parallel()
	h := acctest.New(t, "assets")
	s := h.Session()
	fail(t, h, emulator.Fault{Match: emulator.Match{Path: "/stat/*"}, Skip: 1, Do: "status", Status: 599})
	expectError(t, s.Apply(s.Plan(page(nil))), "Object Stored But Not Finished", `"page.html" in bucket "assets"`, "599", "request id", "terraform untaint")
	expectContent(t, h, "assets", pageKey, "hello")
	expectState(t, s, pageAddress, values{"etag": helloETag, "size": int64(5), "put_time": nil})
	if !s.Tainted(pageAddress) {
		t.Fatal("the object is not tainted")
	}

	h.ClearFaults()
	h.Writes()
	s.Untaint(pageAddress)
	apply(t, s, page(nil))
	expectWrites(t, h)
	expectEmptyPlan(t, s, page(nil))
}

// TestObjectChangeNotReadBack is the same for an update.
func TestObjectChangeNotReadBack(t *testing.T) {
	t.Parallel()
	h := acctest.New(t, "assets")
	s := h.Session()
	apply(t, s, page(nil))
	plan := s.Plan(page(values{"content": "etag"}))
	fail(t, h, emulator.Fault{Match: emulator.Match{Path: "/stat/*"}, Skip: 1, Do: "status", Status: 599})
	expectError(t, s.Apply(plan), "Object Stored But Not Finished", "599", "request id")
	expectState(t, s, pageAddress, values{"etag": etagETag})

	h.ClearFaults()
	h.Writes()
	apply(t, s, page(values{"content": "etag"}))
	expectWrites(t, h)
}

// TestObjectCancelled interrupts an upload: it returns soon, and leaves nothing
// half-made behind.
func TestObjectCancelled(t *testing.T) {
	t.Parallel()
	for name, size := range map[string]int{"form": 1 << 10, "parts": 9 << 20} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := acctest.New(t, "assets")
			s := h.Session()
			b := page(values{"content": nil, "source": file(t, "content", make([]byte, size))})
			plan := s.Plan(b)
			fail(t, h, emulator.Fault{Match: emulator.Match{Service: "up"}, Do: "delay", Delay: emulator.Delay(time.Minute)})
			ctx, cancel := context.WithCancel(t.Context())
			s.Context = ctx
			time.AfterFunc(200*time.Millisecond, cancel)
			began := time.Now()
			diags := s.Apply(plan)
			if took := time.Since(began); took > 20*time.Second {
				t.Errorf("a cancelled apply returned after %s", took)
			}
			expectError(t, diags, "Object Not Stored", `"page.html" in bucket "assets"`, "cancelled")
			expectKeys(t, h, "assets")

			h.ClearFaults()
			s.Context = t.Context()
			apply(t, s, b)
			expectEmptyPlan(t, s, b)
		})
	}
}
