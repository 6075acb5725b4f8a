package resources_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/qiniu/terraform-provider-kodo/internal/acctest"
	"github.com/qiniu/terraform-provider-kodo/internal/emulator"
	"github.com/qiniu/terraform-provider-kodo/internal/emulator/engine"
)

// The tests of how the files of kodo_directory are served and kept.

// TestDirectoryRule changes headers, class and metadata in place, and takes them away again.
func TestDirectoryRule(t *testing.T) {
	t.Parallel()
	h := acctest.New(t, "assets")
	s := h.Session()
	dir := siteFiles{"index.html": "hello", "a.css": "hello", "b.css": "etag"}.directory(t)
	with := func(rules ...any) acctest.Resource { return published(dir, values{"rule": rules}) }
	pages := values{"pattern": "**/*.html", "cache_control": "no-cache", "content_type": "text/html; charset=utf-8"}
	styles := values{"pattern": "**/*.css", "cache_control": "max-age=60", "storage_class": "IA", "metadata": values{"owner": "web"}}
	apply(t, s, with(pages))
	if o := object(t, h, "index.html"); o.MimeType != "text/html; charset=utf-8" || o.Meta["!Cache-Control"] != "no-cache" {
		t.Errorf("index.html is %+v", o)
	}
	put := object(t, h, "a.css").PutTime
	plan := s.Plan(with(pages, styles))
	expectShown(t, plan, values{"changed_keys": keys("a.css", "b.css"), "added_keys": keys(), "files": map[string]any{"a.css": helloETag, "b.css": etagETag, "index.html": helloETag}})
	h.Writes()
	if diags := s.Apply(plan); len(diags) > 0 {
		t.Fatal(diags)
	}
	for _, write := range h.Writes() {
		if strings.Contains(write, " up ") {
			t.Errorf("bytes are sent: %s", write)
		}
	}
	want := engine.Object{MimeType: "text/css", FileType: 1, Meta: map[string]string{"!Cache-Control": "max-age=60", "owner": "web"}}
	if o := object(t, h, "a.css"); o.MimeType != want.MimeType || o.FileType != want.FileType || !cmp.Equal(o.Meta, want.Meta) || o.PutTime != put {
		t.Errorf("a.css is %+v", o)
	}
	expectEmptyPlan(t, s, with(pages, styles))

	// Drift of each kind is shown and repaired.
	for name, drift := range map[string]func() error{
		"class": func() error {
			return h.Engine().ChangeClass(engine.ObjectRef{Owner: acctest.AccessKey, Bucket: "assets", Key: "b.css"}, 0)
		},
		"header": func() error {
			return h.Engine().ChangeMeta(engine.MetaChange{ObjectRef: engine.ObjectRef{Owner: acctest.AccessKey, Bucket: "assets", Key: "b.css"}, Meta: map[string]string{"!Cache-Control": "private"}})
		},
	} {
		if err := drift(); err != nil {
			t.Fatal(err)
		}
		plan := s.Plan(with(pages, styles))
		expectShown(t, plan, values{"changed_keys": keys("b.css"), "added_keys": keys(), "deleted_keys": keys()})
		if diags := s.Apply(plan); len(diags) > 0 {
			t.Fatal(name, diags)
		}
		if o := object(t, h, "b.css"); o.FileType != 1 || o.Meta["!Cache-Control"] != "max-age=60" {
			t.Errorf("%s: b.css is %+v", name, o)
		}
	}

	// What somebody else has set stays; what a rule has set goes with the rule, for which the bytes are sent.
	if err := h.Engine().ChangeMeta(engine.MetaChange{ObjectRef: engine.ObjectRef{Owner: acctest.AccessKey, Bucket: "assets", Key: "index.html"}, Meta: map[string]string{"theirs": "x"}}); err != nil {
		t.Fatal(err)
	}
	expectEmptyPlan(t, s, with(pages, styles))
	plan = s.Plan(with(styles))
	expectShown(t, plan, values{"changed_keys": keys("index.html")})
	if diags := s.Apply(plan); len(diags) > 0 {
		t.Fatal(diags)
	}
	if o := object(t, h, "index.html"); !cmp.Equal(o.Meta, map[string]string{"theirs": "x"}) || o.MimeType != "text/html; charset=utf-8" {
		t.Errorf("index.html is %+v", o)
	}
	expectEmptyPlan(t, s, with(styles))
}

// TestDirectoryRuleTakenAwayFails takes a header away and fails: the next plan still knows.
func TestDirectoryRuleTakenAwayFails(t *testing.T) {
	t.Parallel()
	h := acctest.New(t, "assets")
	s := h.Session()
	dir := siteFiles{"index.html": "hello", "a.css": "hello"}.directory(t)
	apply(t, s, published(dir, values{"rule": []any{values{"pattern": "**", "cache_control": "no-cache"}}}))
	fail(t, h, emulator.Fault{Match: about("up", "a.css"), Do: "status", Status: 403})
	expectError(t, s.Apply(s.Plan(published(dir, nil))), "Directory Not Published Completely", `"a.css"`)
	h.ClearFaults()
	apply(t, s, published(dir, nil))
	for _, key := range []string{"index.html", "a.css"} {
		if o := object(t, h, key); len(o.Meta) != 0 {
			t.Errorf("%s is %+v", key, o)
		}
	}
}
