package resources_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/qiniu/terraform-provider-kodo/internal/acctest"
	"github.com/qiniu/terraform-provider-kodo/internal/emulator"
)

// The tests of what kodo_directory does when the network, Kodo or the user stops it: the state has what is there, and
// the next apply does the rest.

// aSite has something for each stage, and for deletion.
var (
	siteBefore = siteFiles{"index.html": "hello", "a.css": "hello", "b.css": "hello", "old.css": "hello", "sw.js": "hello"}
	siteAfter  = siteFiles{"index.html": "etag", "a.css": "etag", "b.css": "hello", "new.css": "etag", "sw.js": "etag"}
)

// TestDirectoryFaultsOvercome fails requests once: nobody notices.
func TestDirectoryFaultsOvercome(t *testing.T) {
	t.Parallel()
	cached := values{"rule": []any{values{"pattern": "**/*.css", "cache_control": "no-cache"}}}
	for name, fault := range map[string]emulator.Fault{
		"lost answer of an upload":   {Match: emulator.Match{Service: "up"}, Do: "apply_then_drop"},
		"lost request of an upload":  {Match: emulator.Match{Service: "up"}, Do: "drop_before"},
		"cut answer of an upload":    {Match: emulator.Match{Service: "up"}, Do: "truncate"},
		"throttled upload":           {Match: emulator.Match{Service: "up"}, Do: "status", Status: 573},
		"failed upload":              {Match: emulator.Match{Service: "up"}, Do: "status", Status: 599},
		"lost answer of a batch":     {Match: emulator.Match{Path: "/batch"}, Do: "apply_then_drop"},
		"lost request of a batch":    {Match: emulator.Match{Path: "/batch"}, Do: "drop_before"},
		"cut answer of a batch":      {Match: emulator.Match{Path: "/batch"}, Do: "truncate"},
		"throttled batch":            {Match: emulator.Match{Path: "/batch"}, Do: "status", Status: 573},
		"lost answer of a change":    {Match: emulator.Match{Path: "/chgm/*"}, Do: "apply_then_drop"},
		"lost answer of a lone stat": {Match: emulator.Match{Path: "/stat/*"}, Do: "apply_then_drop"},
	} {
		for skip := range 9 {
			fault.Skip, fault.Times = skip, 1
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				h := acctest.New(t, "assets")
				s := h.Session()
				fail(t, h, fault)
				dir := siteBefore.directory(t)
				apply(t, s, published(dir, nil))
				siteAfter.write(t, dir)
				apply(t, s, published(dir, cached))
				expectObjects(t, h, siteAfter)
				expectEmptyPlan(t, s, published(dir, cached))
				expectState(t, s, siteAddress, values{"added_keys": keys("new.css"), "changed_keys": keys("a.css", "b.css", "index.html", "sw.js"), "deleted_keys": keys("old.css")})
				apply(t, s)
				expectObjects(t, h, siteFiles{})
			})
		}
	}
}

// about matches requests about one key.
func about(service, key string) emulator.Match { return emulator.Match{Service: service, Key: &key} }

// TestDirectoryOrder stores assets before pages, and pages before service workers.
func TestDirectoryOrder(t *testing.T) {
	t.Parallel()
	h := acctest.New(t, "assets")
	s := h.Session()
	files := siteFiles{"a/index.html": "", "a/z.css": "", "b.js": "", "index.html": "", "sw.js": "", "z.txt": "", "app.webmanifest": ""}
	apply(t, s, published(files.directory(t), nil))
	order := inOrder(t, h)
	slices.Sort(order[:3])
	slices.Sort(order[4:6])
	if diff := cmp.Diff([]string{"a/z.css", "b.js", "z.txt", "app.webmanifest", "a/index.html", "index.html", "sw.js"}, order); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
}

// TestDirectoryPagesWait fails one asset for good: no page is sent, and nothing deleted.
func TestDirectoryPagesWait(t *testing.T) {
	t.Parallel()
	h := acctest.New(t, "assets")
	s := h.Session()
	dir := siteBefore.directory(t)

	// Of a new site.
	fail(t, h, emulator.Fault{Match: about("up", "a.css"), Do: "status", Status: 403, Error: "access denied"})
	diags := s.Apply(s.Plan(published(dir, nil)))
	expectError(t, diags, "Directory Not Published Completely", `at the root of bucket "assets"`, `"a.css" failed`, "403", "access denied", "request id", "not tried because of that: 2.", "terraform untaint", "Apply again")
	expectObjects(t, h, siteFiles{"b.css": "hello", "old.css": "hello"})
	expectState(t, s, siteAddress, values{
		"files":      map[string]any{"b.css": helloETag, "old.css": helloETag},
		"added_keys": keys(), "added_count": int64(2), "changed_keys": keys(), "deleted_keys": keys(),
	})
	if !s.Tainted(siteAddress) {
		t.Error("it is not tainted")
	}
	h.ClearFaults()
	s.Untaint(siteAddress)
	plan := s.Plan(published(dir, nil))
	expectActions(t, plan.Actions(), map[string]acctest.Action{siteAddress: acctest.Update})
	everything := keys("a.css", "b.css", "index.html", "old.css", "sw.js")
	expectShown(t, plan, values{"added_keys": keys(), "added_count": int64(len(everything)), "changed_keys": keys(), "deleted_keys": keys()})
	h.ResetRequests()
	if diags := s.Apply(plan); len(diags) > 0 {
		t.Fatal(diags)
	}
	if n := len(slices.DeleteFunc(h.Writes(), func(w string) bool { return !strings.Contains(w, " up ") })); n != 3 {
		t.Errorf("%d uploads, want those of the 3 files that were missing", n)
	}
	expectObjects(t, h, siteBefore)
	expectEmptyPlan(t, s, published(dir, nil))

	// Of a new version, twice.
	siteAfter.write(t, dir)
	fail(t, h, emulator.Fault{Match: about("up", "a.css"), Do: "status", Status: 403, Error: "access denied"})
	diags = s.Apply(s.Plan(published(dir, nil)))
	expectError(t, diags, "Directory Not Published Completely", `"a.css" failed`, "403")
	expectObjects(t, h, siteFiles{"index.html": "hello", "a.css": "hello", "b.css": "hello", "new.css": "etag", "old.css": "hello", "sw.js": "hello"})
	expectState(t, s, siteAddress, values{"added_keys": keys("new.css"), "changed_keys": keys(), "deleted_keys": keys()})
	revision := s.State(siteAddress)["revision"]
	h.ClearFaults()
	fail(t, h, emulator.Fault{Match: about("up", "index.html"), Do: "status", Status: 403, Error: "access denied"})
	diags = s.Apply(s.Plan(published(dir, nil)))
	expectError(t, diags, "Directory Not Published Completely", `"index.html"`, "403")
	expectObjects(t, h, siteFiles{"index.html": "hello", "a.css": "etag", "b.css": "hello", "new.css": "etag", "old.css": "hello", "sw.js": "hello"})
	expectState(t, s, siteAddress, values{"added_keys": keys("new.css"), "changed_keys": keys("a.css"), "deleted_keys": keys()})
	if s.State(siteAddress)["revision"] == revision {
		t.Error("the revision is as it was")
	}
	h.ClearFaults()
	plan = s.Plan(published(dir, nil))
	expectShown(t, plan, values{"added_keys": keys("new.css"), "changed_keys": keys("a.css", "index.html", "sw.js"), "deleted_keys": keys("old.css")})
	if diags := s.Apply(plan); len(diags) > 0 {
		t.Fatal(diags)
	}
	expectObjects(t, h, siteAfter)
	expectEmptyPlan(t, s, published(dir, nil))
}

// TestDirectoryTainted lets Terraform begin anew after a failed first apply: nothing of ours is in the way.
func TestDirectoryTainted(t *testing.T) {
	t.Parallel()
	h := acctest.New(t, "assets")
	s := h.Session()
	dir := siteBefore.directory(t)
	fail(t, h, emulator.Fault{Match: about("up", "index.html"), Do: "status", Status: 403})
	if diags := s.Apply(s.Plan(published(dir, nil))); !diags.HasErrors() {
		t.Fatal("no error")
	}
	h.ClearFaults()
	actions, _ := apply(t, s, published(dir, nil))
	expectActions(t, actions, map[string]acctest.Action{siteAddress: acctest.Replace})
	expectObjects(t, h, siteBefore)
	expectEmptyPlan(t, s, published(dir, nil))
}

// TestDirectoryGivesUp does not try 200 files when nothing works.
func TestDirectoryGivesUp(t *testing.T) {
	t.Parallel()
	h := acctest.New(t, "assets")
	s := h.Session()
	files := siteFiles{}
	for i := range 200 {
		files[strings.Repeat("x", i+1)+".txt"] = "hello"
	}
	fail(t, h, emulator.Fault{Match: emulator.Match{Service: "up"}, Do: "status", Status: 403})
	diags := s.Apply(s.Plan(published(files.directory(t), nil)))
	expectError(t, diags, "Directory Not Published Completely", "32 files failed", "not tried because of that: 168.", "… and 11 more")
	if s.State(siteAddress) == nil || !s.Tainted(siteAddress) {
		t.Error("it is not in the state")
	}
	if n := len(h.Requests()); n > 32+2*16+10 {
		t.Errorf("%d requests", n)
	}
}

// TestDirectoryCancelled interrupts an apply and a destroy.
func TestDirectoryCancelled(t *testing.T) {
	t.Parallel()
	h := acctest.New(t, "assets")
	s := h.Session()
	dir := siteBefore.directory(t)
	interrupted := func(fault emulator.Fault, do func() acctest.Diagnostics) acctest.Diagnostics {
		t.Helper()
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		s.Context = ctx
		fail(t, h, fault)
		go func() {
			for h.Faults()[0].Hits == 0 {
				time.Sleep(time.Millisecond)
			}
			cancel()
		}()
		began := time.Now()
		diags := do()
		if took := time.Since(began); took > 20*time.Second { // the fault lasts a minute
			t.Errorf("it took %s", took)
		}
		s.Context = t.Context()
		h.ClearFaults()
		return diags
	}
	hang := emulator.Fault{Match: about("up", "index.html"), Do: "delay", Delay: emulator.Delay(time.Minute)}
	plan := s.Plan(published(dir, nil))
	diags := interrupted(hang, func() acctest.Diagnostics { return s.Apply(plan) })
	expectError(t, diags, "Directory Not Published Completely", "cancelled", "not tried because of that: 2.", "terraform untaint")
	three := siteFiles{"a.css": "hello", "b.css": "hello", "old.css": "hello"}
	expectObjects(t, h, three)
	expectState(t, s, siteAddress, values{"files": map[string]any{"a.css": helloETag, "b.css": helloETag, "old.css": helloETag}})
	s.Untaint(siteAddress)
	apply(t, s, published(dir, nil))
	expectObjects(t, h, siteBefore)

	plan = s.Plan()
	diags = interrupted(emulator.Fault{Match: emulator.Match{Path: "/batch"}, Do: "delay", Delay: emulator.Delay(time.Minute)}, func() acctest.Diagnostics { return s.Apply(plan) })
	expectError(t, diags, "Directory Not Deleted Completely", "cancelled", "not tried because of that: 5.")
	apply(t, s)
	expectObjects(t, h, siteFiles{})
}

// TestDirectoryKeptInState gives a state to keys and servers that do not see the objects. Nothing of that proves that
// they are gone: the state stays.
func TestDirectoryKeptInState(t *testing.T) {
	t.Parallel()
	web := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(web.Close)
	for _, remove := range []string{"MANAGED", "ALL"} {
		for name, test := range map[string]struct {
			provider values
			says     []string
		}{
			"another account's keys": {values{"access_key": acctest.OtherAccessKey, "secret_key": acctest.OtherSecretKey}, []string{"631", "request id", `"0002"`}},
			"a mistyped secret key":  {values{"secret_key": "mistyped"}, []string{"401", "request id", `"0001"`}},
			"a plain web server":     {values{"endpoint": web.URL}, []string{"404", "is not Kodo", "endpoint"}},
			"no server":              {values{"endpoint": "http://127.0.0.1:1"}, []string{"no answer", "127.0.0.1:1"}},
		} {
			t.Run(name+", "+remove, func(t *testing.T) {
				t.Parallel()
				h := acctest.New(t, "assets")
				s := h.Session()
				dir := siteBefore.directory(t)
				site := published(dir, values{"prefix": "site/", "delete": remove})
				apply(t, s, site)
				before := s.State(siteAddress)
				right := s.Provider
				s.Provider = right.With(test.provider)
				expectError(t, s.Plan(site).Diagnostics, "Directory Not Read", test.says...)

				s.Provider = right
				plan := s.Plan()
				s.Provider = right.With(test.provider)
				diags := s.Apply(plan)
				expectError(t, diags, "Directory Not Deleted Completely", test.says...)
				expectState(t, s, siteAddress, before)

				s.Provider = right
				expectEmptyPlan(t, s, site)
			})
		}
	}
}

// TestDirectoryGone publishes again what somebody has deleted, one file or all of them.
func TestDirectoryGone(t *testing.T) {
	t.Parallel()
	h := acctest.New(t, "assets")
	s := h.Session()
	dir := siteBefore.directory(t)
	apply(t, s, published(dir, nil))
	for _, gone := range [][]string{{"a.css"}, {"a.css", "b.css", "index.html", "old.css", "sw.js"}} {
		for _, key := range gone {
			if err := h.Engine().Delete(acctest.AccessKey, "assets", key); err != nil {
				t.Fatal(err)
			}
		}
		plan := s.Plan(published(dir, nil))
		expectShown(t, plan, values{"added_keys": keys(), "changed_keys": keys(gone...), "file_count": int64(5)})
		if diags := s.Apply(plan); len(diags) > 0 {
			t.Fatal(diags)
		}
		expectObjects(t, h, siteBefore)
		expectEmptyPlan(t, s, published(dir, nil))
	}
}

// TestDirectoryBucketVanished says what to do when the bucket is gone with its objects: that proves nothing.
func TestDirectoryBucketVanished(t *testing.T) {
	t.Parallel()
	h := acctest.New(t, "assets")
	s := h.Session()
	dir := siteBefore.directory(t)
	apply(t, s, published(dir, nil))
	plan := s.Plan()
	for key := range siteBefore {
		if err := h.Engine().Delete(acctest.AccessKey, "assets", key); err != nil {
			t.Fatal(err)
		}
	}
	if err := h.Engine().DropBucket(acctest.AccessKey, "assets"); err != nil {
		t.Fatal(err)
	}
	before := s.State(siteAddress)
	expectError(t, s.Apply(plan), "Directory Not Deleted Completely", `"assets"`, "631", "request id", "state rm")
	expectError(t, s.Plan(published(dir, nil)).Diagnostics, "Directory Not Read", `"assets"`, "631", "state rm")
	expectState(t, s, siteAddress, before)
}
