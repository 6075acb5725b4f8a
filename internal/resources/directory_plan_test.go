package resources_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"

	"github.com/qiniu/terraform-provider-kodo/internal/acctest"
)

// The tests of what a plan of kodo_directory says, and of what is known when.

// allUnknown are the attributes that follow from the directory.
func allUnknown() values {
	unknown := values{}
	for _, name := range []string{"files", "digest", "file_count", "total_size", "added_keys", "changed_keys", "deleted_keys", "added_count", "revision"} {
		unknown[name] = acctest.Unknown{}
	}
	return unknown
}

// TestDirectoryUnknown plans with arguments that other resources will give.
func TestDirectoryUnknown(t *testing.T) {
	t.Parallel()
	unknown := acctest.Unknown{}
	known := values{"files": map[string]any{"a": helloETag}, "added_count": int64(1), "added_keys": keys(), "file_count": int64(1)}
	for name, test := range map[string]struct {
		config, after values
		action        acctest.Action
	}{
		"source_dir":    {values{"source_dir": unknown}, allUnknown(), acctest.Update},
		"prefix":        {values{"prefix": unknown}, allUnknown(), acctest.Replace},
		"bucket":        {values{"bucket": unknown}, known, acctest.Replace},
		"include":       {values{"include": []any{unknown}}, allUnknown(), acctest.Update},
		"exclude":       {values{"exclude": unknown}, allUnknown(), acctest.Update},
		"rule":          {values{"rule": []any{values{"pattern": "**", "cache_control": unknown}}}, allUnknown(), acctest.Update},
		"rule metadata": {values{"rule": []any{values{"pattern": "**", "metadata": values{"a": unknown}}}}, allUnknown(), acctest.Update},
		"upload_last":   {values{"upload_last": unknown}, allUnknown(), acctest.Update},
		"delete":        {values{"delete": unknown}, allUnknown(), acctest.Update},
		"track":         {values{"track": unknown}, allUnknown(), acctest.Update},
		"source_hash":   {values{"source_hash": unknown}, allUnknown(), acctest.Update},
		"domain":        {values{"domain": unknown}, known.With(values{"url": unknown}), acctest.Update},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := acctest.New(t, "assets")
			s := h.Session()
			dir := siteFiles{"a": "hello"}.directory(t)
			created := s.Plan(published(dir, test.config))
			expectShown(t, created, test.after)
			apply(t, s, published(dir, nil))
			changed := s.Plan(published(dir, test.config))
			if changed.Diagnostics.HasErrors() {
				t.Fatal(changed.Diagnostics)
			}
			expectActions(t, changed.Actions(), map[string]acctest.Action{siteAddress: test.action})
		})
	}
}

// TestDirectoryRefused refuses in the plan what cannot be published, on the argument and with an example.
func TestDirectoryRefused(t *testing.T) {
	t.Parallel()
	dir := siteFiles{"a.html": "hello"}.directory(t)
	if err := os.Symlink("nowhere", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	rule := func(more values) values {
		return values{"exclude": []any{"link"}, "rule": []any{values{"pattern": "**"}.With(more)}}
	}
	for name, test := range map[string]struct {
		config  values
		summary string
		says    []string
	}{
		"a link to nowhere":   {values{}, "Directory Not Readable", []string{`"link"`, "leads nowhere", "exclude"}},
		"symlinks refused":    {values{"symlinks": "ERROR"}, "Directory Not Readable", []string{`"link"`, "symbolic link"}},
		"a file as directory": {values{"source_dir": filepath.Join(dir, "a.html")}, "Directory Not Readable", []string{"not a directory"}},
		"no directory":        {values{"source_dir": nil}, "Directory Missing", []string{"source_dir = "}},
		"prefix":              {values{"prefix": "docs"}, "Invalid Attribute Value", []string{"docs/", "slash"}},
		"include":             {values{"include": []any{"[a"}}, "Invalid Attribute Value", []string{"**/*.map"}},
		"no include":          {values{"include": []any{}}, "Invalid Attribute Value", []string{"at least 1"}},
		"exclude":             {values{"exclude": []any{"/a"}}, "Invalid Attribute Value", []string{"drafts/**"}},
		"upload_last":         {values{"upload_last": []any{"a/"}}, "Invalid Attribute Value", []string{"drafts/**"}},
		"rule pattern":        {values{"rule": []any{values{"pattern": "{a"}}}, "Invalid Attribute Value", []string{"drafts/**"}},
		"rule header":         {rule(values{"cache_control": "a\nb"}), "Invalid Attribute Value", []string{"max-age=3600"}},
		"rule class":          {rule(values{"storage_class": "COLD"}), "Invalid Attribute Value Match", []string{"STANDARD"}},
		"rule metadata":       {rule(values{"metadata": values{"!X": "y"}}), "Invalid Attribute Value", []string{"cache_control"}},
		"delete":              {values{"delete": "SOME"}, "Invalid Attribute Value Match", []string{"MANAGED"}},
		"retain nothing":      {values{"delete": "NONE", "retain_removed_days": 1}, "Nothing To Retain", []string{"MANAGED"}},
		"retain_removed_days": {values{"retain_removed_days": 0}, "Invalid Attribute Value", []string{"at least 1"}},
		"source_hash alone":   {values{"source_dir": nil, "source_hash": "x"}, "Invalid Attribute Combination", []string{"source_dir"}},
		"metadata together": {
			values{"exclude": []any{"link"}, "rule": []any{
				values{"pattern": "**", "metadata": values{"a": strings.Repeat("x", 600)}}, values{"pattern": "*.html", "metadata": values{"b": strings.Repeat("x", 600)}},
			}},
			"Metadata Not Accepted", []string{`"a.html"`, "1024 bytes"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := acctest.New(t, "assets").Session()
			expectError(t, s.Plan(published(dir, test.config)).Diagnostics, test.summary, test.says...)
		})
	}
	t.Run("no bucket", func(t *testing.T) {
		t.Parallel()
		s := acctest.New(t, "assets").Session()
		expectError(t, s.Plan(published(dir, values{"bucket": nil, "exclude": []any{"link"}})).Diagnostics, "Bucket Missing", "kodo_bucket.site.name")
		s.Provider = s.Provider.With(values{"bucket": "assets", "domain": "cdn.example.com"})
		apply(t, s, published(dir, values{"bucket": nil, "prefix": "docs/", "exclude": []any{"link"}}))
		expectState(t, s, siteAddress, values{"bucket": "assets", "url": "http://cdn.example.com/docs/"})
		s.Provider = s.Provider.With(values{"bucket": "other", "domain": nil}) // moves nothing
		plan := s.Plan(published(dir, values{"bucket": nil, "prefix": "docs/", "exclude": []any{"link"}}))
		expectShown(t, plan, values{"bucket": "assets", "url": nil})
	})
}

// TestDirectoryMadeDuringApply plans directories that are not there yet.
func TestDirectoryMadeDuringApply(t *testing.T) {
	t.Parallel()
	h := acctest.New(t, "assets")
	s := h.Session()
	dir := filepath.Join(t.TempDir(), "public")
	files := func(f siteFiles) {
		t.Helper()
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		f.write(t, dir)
	}
	plan := s.Plan(published(dir, nil))
	expectWarning(t, plan.Diagnostics, "Directory Not There Yet", dir, "source_hash")
	expectShown(t, plan, allUnknown())
	expectError(t, s.Apply(plan), "Directory Not Readable", dir)
	if s.State(siteAddress) != nil {
		t.Error("nothing is in the state")
	}

	one := published(dir, values{"source_hash": "one"})
	plan = s.Plan(one)
	if len(plan.Diagnostics) > 0 {
		t.Error(plan.Diagnostics)
	}
	expectShown(t, plan, allUnknown())
	s.Wrap = func(p tfprotov6.ProviderServer) tfprotov6.ProviderServer {
		return before{p, func() { files(siteFiles{"a": "hello", "index.html": "etag"}) }}
	}
	if diags := s.Apply(plan); len(diags) > 0 {
		t.Fatal(diags)
	}
	s.Wrap = nil
	expectObjects(t, h, siteFiles{"a": "hello", "index.html": "etag"})
	expectState(t, s, siteAddress, values{"added_count": int64(2), "file_count": int64(2)})

	// The same word, and a directory that is gone.
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	expectEmptyPlan(t, s, one)
	put(t, h, "assets", "a", "drift")
	plan = s.Plan(one)
	expectShown(t, plan, allUnknown())
	files(siteFiles{"a": "hello", "index.html": "etag"})
	if diags := s.Apply(plan); len(diags) > 0 {
		t.Fatal(diags)
	}
	expectContent(t, h, "assets", "a", "hello")

	files(siteFiles{"a": "etag"})
	expectEmptyPlan(t, s, one) // nobody has said that it changed
	plan = s.Plan(published(dir, values{"source_hash": "two"}))
	expectShown(t, plan, allUnknown())
	if diags := s.Apply(plan); len(diags) > 0 {
		t.Fatal(diags)
	}
	expectObjects(t, h, siteFiles{"a": "etag"})
	expectState(t, s, siteAddress, values{"changed_keys": keys("a"), "deleted_keys": keys("index.html")})

	// Another word for the same files.
	revision := s.State(siteAddress)["revision"]
	h.Writes()
	apply(t, s, published(dir, values{"source_hash": "three"}))
	expectWrites(t, h, "POST rs /batch") // the refresh
	expectState(t, s, siteAddress, values{"changed_keys": keys("a"), "revision": revision})
}

// before is a provider before whose applies something happens: after its own planning.
type before struct {
	tfprotov6.ProviderServer
	happens func()
}

func (b before) ApplyResourceChange(ctx context.Context, req *tfprotov6.ApplyResourceChangeRequest) (*tfprotov6.ApplyResourceChangeResponse, error) {
	b.happens()
	return b.ProviderServer.ApplyResourceChange(ctx, req)
}

// TestDirectoryChangesAfterThePlan changes files when the apply has planned already: those are refused, the others are
// published, and nothing is deleted.
func TestDirectoryChangesAfterThePlan(t *testing.T) {
	t.Parallel()
	for _, track := range []string{"FILES", "DIGEST"} {
		t.Run(track, func(t *testing.T) {
			t.Parallel()
			h := acctest.New(t, "assets")
			s := h.Session()
			dir := siteFiles{"same": "hello", "changes": "hello", "vanishes": "hello", "removed": "hello"}.directory(t)
			site := published(dir, values{"track": track})
			apply(t, s, site)
			siteFiles{"same": "hello", "changes": "etag", "vanishes": "hello", "new": "hello"}.write(t, dir)
			plan := s.Plan(site)
			s.Wrap = func(p tfprotov6.ProviderServer) tfprotov6.ProviderServer {
				return before{p, func() {
					siteFiles{"same": "hello", "changes": "changed again", "appears": "hello", "new": "hello"}.write(t, dir)
				}}
			}
			diags := s.Apply(plan)
			s.Wrap = nil
			if track == "DIGEST" {
				expectError(t, diags, "Directory Changed Since The Plan", "Nothing was sent")
				expectObjects(t, h, siteFiles{"same": "hello", "changes": "hello", "vanishes": "hello", "removed": "hello"})
			} else {
				expectError(t, diags, "Directory Not Published Completely", "3 files failed", `"appears"`, "added to the directory since the plan",
					`"changes": its content has changed since the plan`, `"vanishes": it was taken from the directory since the plan`)
				expectObjects(t, h, siteFiles{"same": "hello", "changes": "hello", "vanishes": "hello", "removed": "hello", "new": "hello"})
			}
			apply(t, s, site)
			expectObjects(t, h, siteFiles{"same": "hello", "changes": "changed again", "appears": "hello", "new": "hello"})
			expectEmptyPlan(t, s, site)
		})
	}
}

// TestDirectoryDigest keeps many files out of the plan and the visible state.
func TestDirectoryDigest(t *testing.T) {
	t.Parallel()
	h := acctest.New(t, "assets")
	s := h.Session()
	files := siteFiles{}
	for i := range 1500 {
		files[fmt.Sprintf("%04d.txt", i)] = "hello"
	}
	dir := files.directory(t)
	site := published(dir, values{"track": "DIGEST"})
	preview := []any{}
	for i := range 20 {
		preview = append(preview, fmt.Sprintf("+ %04d.txt", i))
	}
	plan := s.Plan(site)
	expectShown(t, plan, values{
		"files": nil, "added_keys": keys(), "added_count": int64(1500), "changed_keys": keys(), "deleted_keys": keys(), "file_count": int64(1500),
		"total_size": int64(7500), "preview": preview,
	})
	if diags := s.Apply(plan); len(diags) > 0 {
		t.Fatal(diags)
	}
	digest := s.State(siteAddress)["digest"]
	expectEmptyPlan(t, s, site)
	files["0000.txt"], files["new"] = "etag", "hello"
	delete(files, "0001.txt")
	files.write(t, dir)
	plan = s.Plan(site)
	expectShown(t, plan, values{"added_keys": keys("new"), "changed_keys": keys("0000.txt"), "deleted_keys": keys("0001.txt"), "preview": keys("+ new", "~ 0000.txt", "- 0001.txt")})
	if diags := s.Apply(plan); len(diags) > 0 {
		t.Fatal(diags)
	}
	if s.State(siteAddress)["digest"] == digest {
		t.Error("the digest is as it was")
	}
	expectEmptyPlan(t, s, site)

	put(t, h, "assets", "0002.txt", "drift")
	expectShown(t, s.Plan(site), values{"changed_keys": keys("0002.txt")})
	apply(t, s, published(dir, nil)) // track the files from now on
	if got, _ := s.State(siteAddress)["files"].(map[string]any); len(got) != 1500 {
		t.Errorf("%d files", len(got))
	}
	apply(t, s)
	expectObjects(t, h, siteFiles{})
}

// TestDirectoryOfParts takes over large files that another tool has uploaded in other parts.
func TestDirectoryOfParts(t *testing.T) {
	t.Parallel()
	h := acctest.New(t, "assets")
	s := h.Session()
	large := strings.Repeat("0123456789", 500_000)
	putParts(t, h, "assets", "site/large", []byte(large))
	putParts(t, h, "assets", "site/other", []byte(large))
	dir := siteFiles{"large": large, "other": strings.Repeat("9876543210", 500_000)}.directory(t)
	site := published(dir, values{"prefix": "site/"})
	site.ImportID = "assets/site/"
	plan := s.Plan(site)
	expectShown(t, plan, values{"changed_keys": keys("site/other"), "added_keys": keys()})
	if diags := s.Apply(plan); len(diags) > 0 {
		t.Fatal(diags)
	}
	site.ImportID = ""
	expectEmptyPlan(t, s, site)
}

// TestDirectoryEmpty publishes nothing, and warns before it removes everything.
func TestDirectoryEmpty(t *testing.T) {
	t.Parallel()
	h := acctest.New(t, "assets")
	s := h.Session()
	dir := t.TempDir()
	apply(t, s, published(dir, nil))
	expectState(t, s, siteAddress, values{"files": map[string]any{}, "file_count": int64(0)})
	expectEmptyPlan(t, s, published(dir, nil))
	siteFiles{"a": "hello"}.write(t, dir)
	apply(t, s, published(dir, nil))
	siteFiles{}.write(t, dir)
	plan := s.Plan(published(dir, nil))
	expectWarning(t, plan.Diagnostics, "Directory Empty", "everything that was published from it is removed")
	s.Apply(plan)
	expectObjects(t, h, siteFiles{})
}

// TestDirectoryNeverRead plans while the provider's keys are not known yet.
func TestDirectoryNeverRead(t *testing.T) {
	t.Parallel()
	h := acctest.New(t, "assets")
	s := h.Session()
	dir := siteFiles{"a": "hello"}.directory(t)
	apply(t, s, published(dir, nil))
	right := s.Provider
	s.Provider = right.With(values{"endpoint": acctest.Unknown{}})
	plan := s.Plan(published(dir, nil))
	expectWarning(t, plan.Diagnostics, "Provider Configuration Not Known Yet", `directory at the root of bucket "assets"`)
	expectActions(t, plan.Actions(), map[string]acctest.Action{})
	other := acctest.New(t, "assets").Session()
	other.Provider = s.Provider
	expectShown(t, other.Plan(published(dir, nil)), values{"files": map[string]any{"a": helloETag}})
	expectShown(t, other.Plan(published(dir, values{"delete": "ALL", "delete_whole_bucket": true})), allUnknown())
	expectError(t, other.Import(siteAddress, "assets/"), "Provider Configuration Not Known Yet", "import a directory")
}
