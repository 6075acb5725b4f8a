package resources_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/qiniu/terraform-provider-kodo/internal/acctest"
)

// The tests of what kodo_directory does to objects that are not in the directory, or not from it.

// TestDirectoryDelete removes a file, beside an object of somebody else.
func TestDirectoryDelete(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		config  values
		shown   []any // deleted keys
		objects siteFiles
		expires bool
	}{
		"managed": {values{}, keys("site/old.css"), siteFiles{"site/index.html": "hello", "site/theirs": "x", "sitemap": "x", "site": "x"}, false},
		"all":     {values{"delete": "ALL"}, keys("site/old.css", "site/theirs"), siteFiles{"site/index.html": "hello", "sitemap": "x", "site": "x"}, false},
		"none":    {values{"delete": "NONE"}, keys(), siteFiles{"site/index.html": "hello", "site/old.css": "etag", "site/theirs": "x", "sitemap": "x", "site": "x"}, false},
		"retain":  {values{"retain_removed_days": 3}, keys("site/old.css"), siteFiles{"site/index.html": "hello", "site/old.css": "etag", "site/theirs": "x", "sitemap": "x", "site": "x"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := acctest.New(t, "assets")
			s := h.Session()
			dir := siteFiles{"index.html": "hello", "old.css": "etag"}.directory(t)
			site := func() acctest.Resource { return published(dir, values{"prefix": "site/"}.With(test.config)) }
			apply(t, s, published(dir, values{"prefix": "site/"}))
			for _, key := range []string{"site/theirs", "sitemap", "site"} {
				put(t, h, "assets", key, "x")
			}
			siteFiles{"index.html": "hello"}.write(t, dir)
			plan := s.Plan(site())
			if name != "none" { // there nothing changes but what is managed
				expectShown(t, plan, values{"deleted_keys": test.shown, "deleted_count": int64(len(test.shown))})
			}
			if diags := s.Apply(plan); len(diags) > 0 {
				t.Error(diags)
			}
			expectObjects(t, h, test.objects)
			expectState(t, s, siteAddress, values{"files": map[string]any{"site/index.html": helloETag}})
			expectEmptyPlan(t, s, site())
			if test.expires {
				if o := object(t, h, "site/old.css"); o.DeletesAt == 0 {
					t.Error("what was removed does not expire")
				}
			}
			apply(t, s)
			left := test.objects
			delete(left, "site/index.html")
			expectObjects(t, h, left)
		})
	}
}

// TestDirectoryRetained brings back files that were left to expire: with the same content, with another, and after
// they have expired or were replaced by somebody else.
func TestDirectoryRetained(t *testing.T) {
	t.Parallel()
	h := acctest.New(t, "assets")
	s := h.Session()
	all := siteFiles{"same": "hello", "other": "hello", "expired": "hello", "theirs": "hello", "index.html": ""}
	dir := all.directory(t)
	site := func() acctest.Resource { return published(dir, values{"retain_removed_days": 3}) }
	apply(t, s, site())
	siteFiles{"index.html": ""}.write(t, dir)
	apply(t, s, site())
	if err := h.Engine().Delete(acctest.AccessKey, "assets", "expired"); err != nil {
		t.Fatal(err)
	}
	siteFiles{"same": "hello", "other": "etag", "expired": "hello", "index.html": ""}.write(t, dir)
	_, diags := apply(t, s, site())
	if len(diags.Warnings()) > 0 && len(diags) > 1 {
		t.Error(diags)
	}
	expectEmptyPlan(t, s, site())
	if err := h.Engine().Advance(10 * 24 * time.Hour); err != nil {
		t.Fatal(err)
	}
	expectObjects(t, h, siteFiles{"same": "hello", "other": "etag", "expired": "hello", "index.html": ""}) // theirs has expired

	siteFiles{"other": "etag", "index.html": ""}.write(t, dir)
	apply(t, s, site())
	put(t, h, "assets", "same", "somebody else's")
	siteFiles{"same": "hello", "other": "etag", "index.html": ""}.write(t, dir)
	diags = s.Apply(s.Plan(site()))
	expectError(t, diags, "Directory Not Published Completely", `"same"`, "with other content")
	expectContent(t, h, "assets", "same", "somebody else's")
}

// TestDirectoryWholeBucket asks for a confirmation.
func TestDirectoryWholeBucket(t *testing.T) {
	t.Parallel()
	s := acctest.New(t, "assets").Session()
	dir := siteFiles{"a": "hello"}.directory(t)
	for _, config := range []values{{"delete": "ALL"}, {"delete": "ALL", "prefix": ""}, {"delete": "ALL", "delete_whole_bucket": false}} {
		expectError(t, s.Plan(published(dir, config)).Diagnostics, "Whole Bucket At Stake", "delete_whole_bucket = true", `prefix = "site/"`)
	}
	apply(t, s, published(dir, values{"delete": "ALL", "delete_whole_bucket": true}))
	apply(t, s, published(dir, values{"delete": "ALL", "prefix": "site/"}))
}

// TestDirectoryAllAndBack makes everything under the prefix ours and then not any more: what somebody else has put
// there since is theirs.
func TestDirectoryAllAndBack(t *testing.T) {
	t.Parallel()
	h := acctest.New(t, "assets")
	s := h.Session()
	dir := siteFiles{"a": "hello"}.directory(t)
	all := published(dir, values{"prefix": "site/", "delete": "ALL"})
	put(t, h, "assets", "site/old", "x")
	plan := s.Plan(all)
	expectShown(t, plan, values{"deleted_keys": keys("site/old"), "files": map[string]any{"site/a": helloETag}})
	s.Apply(plan)
	expectObjects(t, h, siteFiles{"site/a": "hello"})
	expectEmptyPlan(t, s, all)

	put(t, h, "assets", "site/new", "x")
	expectShown(t, s.Plan(all), values{"deleted_keys": keys("site/new")})
	apply(t, s, published(dir, values{"prefix": "site/"}))
	expectState(t, s, siteAddress, values{"files": map[string]any{"site/a": helloETag}})
	expectObjects(t, h, siteFiles{"site/a": "hello", "site/new": "x"})

	apply(t, s, all)
	put(t, h, "assets", "site/new", "x")
	apply(t, s) // everything is everything
	expectObjects(t, h, siteFiles{})
}

// TestDirectoryAllAppeared puts an object between the plan and the apply: it was not shown, so it stays.
func TestDirectoryAllAppeared(t *testing.T) {
	t.Parallel()
	h := acctest.New(t, "assets")
	s := h.Session()
	dir := siteFiles{"a": "hello"}.directory(t)
	apply(t, s, published(dir, values{"prefix": "site/", "delete": "ALL"}))
	siteFiles{"b": "hello"}.write(t, dir)
	all := published(dir, values{"prefix": "site/", "delete": "ALL"})
	plan := s.Plan(all)
	put(t, h, "assets", "site/late", "x")
	if diags := s.Apply(plan); diags.HasErrors() {
		t.Fatal(diags)
	}
	expectObjects(t, h, siteFiles{"site/b": "hello", "site/late": "x"})
	expectShown(t, s.Plan(all), values{"deleted_keys": keys("site/late")})
}

// TestDirectoryConflicts finds objects of somebody else in the plan, all of them.
func TestDirectoryConflicts(t *testing.T) {
	t.Parallel()
	h := acctest.New(t, "assets")
	s := h.Session()
	files := siteFiles{}
	for i := range 30 {
		files[fmt.Sprintf("%02d", i)] = "hello"
		put(t, h, "assets", fmt.Sprintf("%02d", i), "theirs")
	}
	put(t, h, "assets", "same", "hello")
	files["same"], files["new"] = "hello", "hello"
	dir := files.directory(t)
	expectError(t, s.Plan(published(dir, nil)).Diagnostics, "Objects Exist Already", "30 new files", `"00" (hash `, `"19" (hash `, "… and 10 more", "overwrite = true", "terraform import <address> 'assets/'")
	expectContent(t, h, "assets", "00", "theirs")

	_, diags := apply(t, s, published(dir, values{"overwrite": true}))
	expectWarning(t, diags, "Existing Objects Adopted", "1 objects")
	expectObjects(t, h, files)
	expectEmptyPlan(t, s, published(dir, values{"overwrite": true}))

	// One that appears after the plan.
	other := h.Session()
	dir = siteFiles{"x/late": "hello", "x/other": "hello"}.directory(t)
	plan := other.Plan(published(dir, nil))
	put(t, h, "assets", "x/late", "theirs")
	expectError(t, other.Apply(plan), "Objects Exist Already", `"x/late"`)
	expectContent(t, h, "assets", "x/late", "theirs")
}

// TestDirectoryChangedSince leaves alone what somebody else has written since the plan.
func TestDirectoryChangedSince(t *testing.T) {
	t.Parallel()
	h := acctest.New(t, "assets")
	s := h.Session()
	dir := siteFiles{"a": "hello", "b": "hello", "c": "hello", "d": "hello"}.directory(t)
	apply(t, s, published(dir, nil))
	siteFiles{"a": "etag", "b": "hello", "d": "etag"}.write(t, dir)
	plan := s.Plan(published(dir, nil))
	put(t, h, "assets", "a", "theirs")
	diags := s.Apply(plan)
	expectError(t, diags, "Directory Not Published Completely", `: "a" failed`)
	expectObjects(t, h, siteFiles{"a": "theirs", "b": "hello", "c": "hello", "d": "etag"}) // c waits
	if s.Tainted(siteAddress) {
		t.Error("it is tainted")
	}
	// The next plan shows all of it.
	plan = s.Plan(published(dir, nil))
	expectShown(t, plan, values{"changed_keys": keys("a", "d"), "deleted_keys": keys("c")})
	put(t, h, "assets", "c", "theirs")
	diags = s.Apply(plan)
	expectWarning(t, diags, "Changed Objects Left In Place", `"c"`)
	expectObjects(t, h, siteFiles{"a": "etag", "b": "hello", "c": "theirs", "d": "etag"})
	expectEmptyPlan(t, s, published(dir, nil))

	plan = s.Plan()
	put(t, h, "assets", "b", "theirs")
	expectWarning(t, s.Apply(plan), "Changed Objects Left In Place", `"b"`)
	expectObjects(t, h, siteFiles{"b": "theirs", "c": "theirs"})
}

// TestDirectoryDeletionPolicy destroys and replaces.
func TestDirectoryDeletionPolicy(t *testing.T) {
	t.Parallel()
	files := siteFiles{"a": "hello"}
	t.Run("abandon", func(t *testing.T) {
		t.Parallel()
		h := acctest.New(t, "assets")
		s := h.Session()
		apply(t, s, published(files.directory(t), values{"deletion_policy": "ABANDON"}))
		h.ResetRequests()
		apply(t, s)
		expectObjects(t, h, files)
	})
	t.Run("prevent", func(t *testing.T) {
		t.Parallel()
		h := acctest.New(t, "assets")
		s := h.Session()
		dir := files.directory(t)
		apply(t, s, published(dir, values{"deletion_policy": "PREVENT"}))
		expectError(t, s.Plan().Diagnostics, "Deletion Prevented", `at the root of bucket "assets"`, "destroyed", "ABANDON")
		expectError(t, s.Plan(published(dir, values{"prefix": "b/"})).Diagnostics, "Deletion Prevented", "replaced")
		s.Taint(siteAddress)
		diags := s.Apply(s.Plan(published(dir, nil)))
		expectError(t, diags, "Deletion Prevented", "deleted")
		expectObjects(t, h, files)
	})
	// The old release stays, the new one is complete before what points to it changes.
	t.Run("blue and green", func(t *testing.T) {
		t.Parallel()
		h := acctest.New(t, "assets")
		s := h.Session()
		dir := siteFiles{"index.html": "hello"}.directory(t)
		release := func(prefix string) []acctest.Resource {
			site := published(dir, values{"prefix": prefix, "deletion_policy": "ABANDON"})
			site.CreateBeforeDestroy = true
			return []acctest.Resource{site, block("kodo_object.current", values{"bucket": "assets", "key": "current", "content": acctest.Ref{Address: siteAddress, Attribute: "prefix"}})}
		}
		apply(t, s, release("1/")...)
		siteFiles{"index.html": "etag"}.write(t, dir)
		plan := s.Plan(release("2/")...)
		expectActions(t, plan.Actions(), map[string]acctest.Action{siteAddress: acctest.Replace, "kodo_object.current": acctest.Update})
		if diags := s.Apply(plan); diags.HasErrors() {
			t.Fatal(diags)
		}
		expectObjects(t, h, siteFiles{"1/index.html": "hello", "2/index.html": "etag", "current": "2/"})
		if now, before := object(t, h, "current").PutTime, object(t, h, "2/index.html").PutTime; now < before {
			t.Error("what points to the release was changed before it was there")
		}
		expectEmptyPlan(t, s, release("2/")...)
	})
}

// TestDirectoryRenamed gives the resource another address.
func TestDirectoryRenamed(t *testing.T) {
	t.Parallel()
	h := acctest.New(t, "assets")
	files := siteFiles{"a": "hello", "b": "etag"}
	dir := files.directory(t)
	other := block("kodo_directory.other", published(dir, nil).Config)

	s := h.Session()
	apply(t, s, published(dir, nil))
	other.MovedFrom = siteAddress
	actions, _ := apply(t, s, other)
	expectActions(t, actions, map[string]acctest.Action{})
	expectObjects(t, h, files)

	// Without a moved block the one adopts what the other was to delete.
	other.MovedFrom = ""
	plan := s.Plan(published(dir, nil))
	expectActions(t, plan.Actions(), map[string]acctest.Action{siteAddress: acctest.Create, "kodo_directory.other": acctest.Delete})
	diags := s.Apply(plan)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	expectObjects(t, h, files)
	expectEmptyPlan(t, s, published(dir, nil))

	// Half of that: both are in the state.
	both := s.Plan(published(dir, nil), other)
	if diags := s.Apply(both); diags.HasErrors() {
		t.Fatal(diags)
	}
	expectError(t, s.Plan(other).Diagnostics, "Directory Managed Twice", "terraform state rm")
	expectObjects(t, h, files)
}

// TestDirectoryImport takes over what is there.
func TestDirectoryImport(t *testing.T) {
	t.Parallel()
	for name, importIt := range map[string]func(s *acctest.Session) acctest.Diagnostics{
		"id": func(s *acctest.Session) acctest.Diagnostics { return s.Import(siteAddress, "assets/site/") },
		"identity": func(s *acctest.Session) acctest.Diagnostics {
			return s.ImportIdentity(siteAddress, values{"bucket": "assets", "prefix": "site/"})
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := acctest.New(t, "assets")
			s := h.Session()
			put(t, h, "assets", "site/same", "hello")
			put(t, h, "assets", "site/other", "hello")
			put(t, h, "assets", "site/theirs", "hello")
			put(t, h, "assets", "outside", "hello")
			dir := siteFiles{"same": "hello", "other": "etag", "new": "hello"}.directory(t)
			if diags := importIt(s); len(diags) > 0 {
				t.Fatal(diags)
			}
			expectIdentity(t, s, siteAddress, values{"bucket": "assets", "prefix": "site/"})
			expectState(t, s, siteAddress, values{"files": map[string]any{"site/other": helloETag, "site/same": helloETag, "site/theirs": helloETag}, "revision": nil, "source_dir": nil})
			expectEmptyPlan(t, s, block(siteAddress, s.GeneratedConfig(siteAddress)))

			site := published(dir, values{"prefix": "site/"})
			plan := s.Plan(site)
			expectShown(t, plan, values{
				"files":      map[string]any{"site/new": helloETag, "site/other": etagETag, "site/same": helloETag},
				"added_keys": keys("site/new"), "changed_keys": keys("site/other"), "deleted_keys": keys(),
			})
			before := object(t, h, "site/same")
			if diags := s.Apply(plan); diags.HasErrors() {
				t.Fatal(diags)
			}
			if diff := cmp.Diff(before, object(t, h, "site/same")); diff != "" {
				t.Errorf("what was the same (-before +after):\n%s", diff)
			}
			expectEmptyPlan(t, s, site)
			apply(t, s)
			expectObjects(t, h, siteFiles{"outside": "hello", "site/theirs": "hello"})
		})
	}
	for name, id := range map[string]string{"no slash": "assets", "no bucket": "/site/", "not a bucket": "As/site/", "no prefix": "assets/site", "nothing": ""} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			expectError(t, acctest.New(t, "assets").Session().Import(siteAddress, id), "Import ID Not Accepted", "assets/docs/")
		})
	}
	t.Run("nothing there", func(t *testing.T) {
		t.Parallel()
		h := acctest.New(t, "assets")
		put(t, h, "assets", "outside", "hello")
		if diags := h.Session().Import(siteAddress, "assets/site/"); !diags.HasErrors() {
			t.Error("nothing was imported")
		}
	})
	t.Run("destroyed at once", func(t *testing.T) {
		t.Parallel()
		h := acctest.New(t, "assets")
		s := h.Session()
		put(t, h, "assets", "site/theirs", "hello")
		if diags := s.Import(siteAddress, "assets/site/"); len(diags) > 0 {
			t.Fatal(diags)
		}
		expectWarning(t, s.Apply(s.Plan()), "Imported Objects Left In Place", "site/theirs")
		expectObjects(t, h, siteFiles{"site/theirs": "hello"})
	})
}

// TestDirectoryImportMany imports 5 000 objects, of which 4 990 are in the directory: nothing is sent or deleted.
func TestDirectoryImportMany(t *testing.T) {
	t.Parallel()
	h := acctest.New(t, "assets")
	s := h.Session()
	files := siteFiles{}
	for i := range 5000 {
		name := fmt.Sprintf("%04d.txt", i)
		put(t, h, "assets", "site/"+name, "hello")
		if i >= 10 {
			files[name] = "hello"
		}
	}
	site := published(files.directory(t), values{"prefix": "site/"})
	site.ImportID = "assets/site/"
	h.Writes()
	plan := s.Plan(site)
	expectShown(t, plan, values{"added_keys": keys(), "changed_keys": keys(), "deleted_keys": keys(), "file_count": int64(4990), "revision": nil})
	if diags := s.Apply(plan); len(diags) > 0 {
		t.Fatal(diags)
	}
	expectWrites(t, h)
	if keys, err := h.Keys("assets"); err != nil || len(keys) != 5000 {
		t.Errorf("%d objects, %v", len(keys), err)
	}
	site.ImportID = ""
	expectEmptyPlan(t, s, site)
}
