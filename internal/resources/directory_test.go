package resources_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/qiniu/terraform-provider-kodo/internal/acctest"
	"github.com/qiniu/terraform-provider-kodo/internal/emulator/engine"
)

const siteAddress = "kodo_directory.site"

// siteFiles are a small site: names and contents.
type siteFiles map[string]string

// write makes a directory hold exactly these files.
func (f siteFiles) write(t *testing.T, dir string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if err := os.RemoveAll(filepath.Join(dir, entry.Name())); err != nil {
			t.Fatal(err)
		}
	}
	for name, content := range f {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// directory is a new directory with these files.
func (f siteFiles) directory(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	f.write(t, dir)
	return dir
}

// published is the block of a directory in the bucket "assets".
func published(dir string, more values) acctest.Resource {
	return block(siteAddress, values{"bucket": "assets", "source_dir": dir}.With(more))
}

// expectObjects compares keys and contents of everything in the bucket "assets".
func expectObjects(t *testing.T, h *acctest.Harness, want siteFiles) {
	t.Helper()
	keys, err := h.Keys("assets")
	if err != nil {
		t.Fatal(err)
	}
	got := siteFiles{}
	for _, key := range keys {
		content, err := h.Content("assets", key)
		if err != nil {
			t.Fatal(err)
		}
		got[key] = string(content)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("objects (-want +got):\n%s", diff)
	}
}

// object is what the server has under a key of the bucket "assets".
func object(t *testing.T, h *acctest.Harness, key string) engine.Object {
	t.Helper()
	o, err := h.Engine().Stat(acctest.AccessKey, "assets", key)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// inOrder is the keys of the bucket "assets" in the order in which they were stored.
func inOrder(t *testing.T, h *acctest.Harness) []string {
	t.Helper()
	keys, err := h.Keys("assets")
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(keys, func(a, b string) int { return int(object(t, h, a).PutTime - object(t, h, b).PutTime) })
	return keys
}

// keys is a list as the state has it.
func keys(of ...string) []any {
	list := []any{}
	for _, key := range of {
		list = append(list, key)
	}
	return list
}

// expectShown compares attributes of the planned directory.
func expectShown(t *testing.T, plan *acctest.Plan, want values) {
	t.Helper()
	if plan.Diagnostics.HasErrors() {
		t.Fatalf("plan:\n%s", plan.Diagnostics)
	}
	after, got := plan.Change(siteAddress).After, values{}
	for name := range want {
		got[name] = after[name]
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("planned (-want +got):\n%s", diff)
	}
}

// TestDirectoryLifecycle publishes, changes and destroys a site.
func TestDirectoryLifecycle(t *testing.T) {
	t.Parallel()
	h := acctest.New(t, "assets")
	s := h.Session()
	files := siteFiles{"index.html": "hello", "css/site.css": "etag", "empty.txt": ""}
	dir := files.directory(t)

	plan := s.Plan(published(dir, nil))
	first := values{
		"files":      map[string]any{"css/site.css": etagETag, "empty.txt": emptyETag, "index.html": helloETag},
		"added_keys": keys(), "changed_keys": keys(), "deleted_keys": keys(),
		"added_count": int64(3), "changed_count": int64(0), "deleted_count": int64(0), "preview": nil,
		"file_count": int64(3), "total_size": int64(9), "bucket": "assets", "prefix": "",
	}
	expectShown(t, plan, first.With(values{"revision": acctest.Unknown{}}))
	if diags := s.Apply(plan); len(diags) > 0 {
		t.Fatal(diags)
	}
	expectState(t, s, siteAddress, first)
	expectIdentity(t, s, siteAddress, values{"bucket": "assets", "prefix": ""})
	expectObjects(t, h, files)
	if o := object(t, h, "css/site.css"); o.MimeType != "text/css" || o.FileType != 0 || len(o.Meta) != 0 {
		t.Errorf("css/site.css is %+v", o)
	}
	revision := s.State(siteAddress)["revision"]
	expectEmptyPlan(t, s, published(dir, nil))

	changed := siteFiles{"index.html": "etag", "empty.txt": "", "js/site.js": "hello"}
	changed.write(t, dir)
	plan = s.Plan(published(dir, nil))
	second := values{
		"files":      map[string]any{"empty.txt": emptyETag, "index.html": etagETag, "js/site.js": helloETag},
		"added_keys": keys("js/site.js"), "changed_keys": keys("index.html"), "deleted_keys": keys("css/site.css"),
		"added_count": int64(1), "changed_count": int64(1), "deleted_count": int64(1), "file_count": int64(3), "total_size": int64(9),
	}
	expectShown(t, plan, second.With(values{"revision": acctest.Unknown{}}))
	expectActions(t, plan.Actions(), map[string]acctest.Action{siteAddress: acctest.Update})
	h.Writes()
	if diags := s.Apply(plan); len(diags) > 0 {
		t.Fatal(diags)
	}
	// A look before the first files, the files, a look before the pages, the pages, a look back; a look and a delete.
	expectWrites(t, h, "POST rs /batch", "POST rs /batch", "POST up /", "POST rs /batch", "POST up /", "POST rs /batch", "POST rs /batch", "POST rs /batch")
	expectState(t, s, siteAddress, second)
	expectObjects(t, h, changed)
	if s.State(siteAddress)["revision"] == revision {
		t.Error("the revision is as it was")
	}
	expectEmptyPlan(t, s, published(dir, nil))
	expectState(t, s, siteAddress, second) // the keys stay

	apply(t, s)
	expectObjects(t, h, siteFiles{})
}

// TestDirectoryArguments changes each argument alone.
func TestDirectoryArguments(t *testing.T) {
	t.Parallel()
	files := siteFiles{"index.html": "hello", "css/site.css": "etag", ".env": "secret", "drafts/a.html": "draft"}
	visible := siteFiles{"index.html": "hello", "css/site.css": "etag", "drafts/a.html": "draft"}
	for name, test := range map[string]struct {
		change  values
		action  acctest.Action
		objects siteFiles // nil: as before
		writes  bool
	}{
		"include":             {values{"include": []any{"**/*.css"}}, acctest.Update, siteFiles{"css/site.css": "etag"}, true},
		"exclude":             {values{"exclude": []any{"drafts"}}, acctest.Update, siteFiles{"index.html": "hello", "css/site.css": "etag"}, true},
		"include_hidden":      {values{"include_hidden": true}, acctest.Update, files, true},
		"symlinks":            {values{"symlinks": "SKIP"}, acctest.Update, nil, false},
		"upload_last":         {values{"upload_last": []any{}}, acctest.Update, nil, false},
		"rule":                {values{"rule": []any{values{"pattern": "**", "cache_control": "no-cache"}}}, acctest.Update, nil, true},
		"rule for nothing":    {values{"rule": []any{values{"pattern": "none", "cache_control": "no-cache"}}}, acctest.Update, nil, false},
		"overwrite":           {values{"overwrite": true}, acctest.Update, nil, false},
		"delete":              {values{"delete": "NONE"}, acctest.Update, nil, false},
		"delete all":          {values{"delete": "ALL", "delete_whole_bucket": true}, acctest.Update, nil, false},
		"retain_removed_days": {values{"retain_removed_days": 3}, acctest.Update, nil, false},
		"deletion_policy":     {values{"deletion_policy": "ABANDON"}, acctest.Update, nil, false},
		"track":               {values{"track": "DIGEST"}, acctest.Update, nil, false},
		"domain":              {values{"domain": "cdn.example.com"}, acctest.Update, nil, false},
		"timeouts":            {values{"timeouts": values{"create": "1h"}}, acctest.Update, nil, false},
		"prefix":              {values{"prefix": "docs/"}, acctest.Replace, siteFiles{"docs/index.html": "hello", "docs/css/site.css": "etag", "docs/drafts/a.html": "draft"}, true},
		"bucket":              {values{"bucket": "other"}, acctest.Replace, siteFiles{}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := acctest.New(t, "assets", "other")
			s := h.Session()
			dir := files.directory(t)
			apply(t, s, published(dir, nil))
			revision := s.State(siteAddress)["revision"]
			h.Writes()
			actions, diags := apply(t, s, published(dir, test.change))
			if len(diags) > 0 {
				t.Error(diags)
			}
			expectActions(t, actions, map[string]acctest.Action{siteAddress: test.action})
			if objects := test.objects; objects == nil {
				expectObjects(t, h, visible)
			} else {
				expectObjects(t, h, objects)
			}
			if wrote := s.State(siteAddress)["revision"] != revision; wrote != test.writes {
				t.Errorf("the revision has changed: %t, want %t", wrote, test.writes)
			}
			if !test.writes {
				for _, write := range h.Writes() {
					if write != "POST rs /batch" { // a look
						t.Errorf("a request: %s", write)
					}
				}
			}
			expectEmptyPlan(t, s, published(dir, test.change))
		})
	}
	t.Run("source_dir", func(t *testing.T) {
		t.Parallel()
		h := acctest.New(t, "assets")
		s := h.Session()
		apply(t, s, published(files.directory(t), nil))
		h.ResetRequests()
		apply(t, s, published(files.directory(t), nil)) // the same files somewhere else
		expectObjects(t, h, visible)
		if n := len(h.Requests()); n != 1 { // the refresh
			t.Errorf("%d requests: %v", n, h.Requests())
		}
	})
}

// TestDirectoryRequests counts the requests of a site of 2 500 files.
func TestDirectoryRequests(t *testing.T) {
	t.Parallel()
	h := acctest.New(t, "assets")
	s := h.Session()
	files := siteFiles{}
	for i := range 2500 {
		files[fmt.Sprintf("pages/%04d.txt", i)] = fmt.Sprint(i)
	}
	dir := files.directory(t)
	apply(t, s, published(dir, nil))
	at := func(what string, most int) {
		t.Helper()
		if n := len(h.Requests()); n > most {
			t.Errorf("%s: %d requests, want at most %d", what, n, most)
		}
		h.ResetRequests()
	}
	h.ResetRequests()
	expectEmptyPlan(t, s, published(dir, nil))
	at("a plan without a change", 3)
	for i := range 25 {
		files[fmt.Sprintf("pages/%04d.txt", i*100)] = "changed"
	}
	files.write(t, dir)
	apply(t, s, published(dir, nil))
	at("1 % changed", 3+25+2) // refresh, uploads, a look before and one after
	apply(t, s)
	at("destroy", 3*3+2)
	expectObjects(t, h, siteFiles{})
}
