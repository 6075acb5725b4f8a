package resources_test

import (
	"testing"
	"time"

	"github.com/qiniu/terraform-provider-kodo/internal/acctest"
	"github.com/qiniu/terraform-provider-kodo/internal/emulator/engine"
)

// The tests of objects that are frozen in an archive (decision 23).

var pageRef = engine.ObjectRef{Owner: acctest.AccessKey, Bucket: "assets", Key: pageKey}

// freeze puts an object into an archive behind Terraform's back.
func freeze(t *testing.T, h *acctest.Harness, ref engine.ObjectRef) {
	t.Helper()
	if err := h.Engine().ChangeClass(ref, engine.Archive); err != nil {
		t.Fatal(err)
	}
}

// thaw restores an object that is frozen, at once.
func thaw(t *testing.T, h *acctest.Harness, ref engine.ObjectRef) {
	t.Helper()
	if err := h.Engine().RestoreArchive(ref, 3); err != nil {
		t.Fatal(err)
	}
	if err := h.Engine().Advance(time.Hour); err != nil {
		t.Fatal(err)
	}
}

// TestObjectFrozen refuses, in the plan, what Kodo does not change in an archive, and does what it says instead.
func TestObjectFrozen(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change values
		writes []string // when it is restored
	}{
		"class":        {values{"storage_class": "STANDARD"}, []string{"POST rs /chtype/assets:page.html/type/0"}},
		"header":       {values{"cache_control": "no-store"}, []string{chgm("assets:page.html", "/mime/dGV4dC9odG1s/x-qn-meta-!Cache-Control/bm8tc3RvcmU=")}},
		"content type": {values{"content_type": "text/plain"}, []string{chgm("assets:page.html", "/mime/dGV4dC9wbGFpbg==")}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			archive := values{"storage_class": "ARCHIVE"}
			changed := archive.With(test.change)
			for _, remedy := range []struct {
				do     func(h *acctest.Harness, s *acctest.Session)
				writes []string
			}{
				{func(h *acctest.Harness, s *acctest.Session) {
					if err := h.Engine().RestoreArchive(pageRef, 3); err != nil {
						t.Fatal(err)
					}
					expectError(t, s.Plan(page(changed)).Diagnostics, "Object Frozen", "being restored already")
					if err := h.Engine().Advance(time.Hour); err != nil {
						t.Fatal(err)
					}
				}, test.writes},
				{func(_ *acctest.Harness, s *acctest.Session) { s.Taint(pageAddress) }, []string{"POST rs /delete/assets:page.html", "POST up /"}}, // -replace plans a change first, which is refused
			} {
				h := acctest.New(t, "assets")
				s := h.Session()
				apply(t, s, page(archive))
				h.Writes()
				expectError(t, s.Plan(page(changed)).Diagnostics, "Object Frozen", `"page.html" in bucket "assets" is frozen in the storage class ARCHIVE`, "Restore it first", "RESTORED", "terraform taint")
				expectWrites(t, h)
				expectEmptyPlan(t, s, page(archive))
				remedy.do(h, s)
				apply(t, s, page(changed))
				expectWrites(t, h, remedy.writes...)
				expectState(t, s, pageAddress, changed.With(values{"etag": helloETag}))
				expectEmptyPlan(t, s, page(changed))
			}
		})
	}
}

// TestObjectFrozenNewBytes stores new bytes over a frozen object, with all that is to be otherwise: also where metadata
// that are taken away are why.
func TestObjectFrozenNewBytes(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]values{
		"content":           {"storage_class": "STANDARD", "content": "other", "cache_control": "no-store", "metadata": map[string]any{"owner": "harbour"}},
		"metadata go":       {"storage_class": "ARCHIVE"},
		"metadata go, more": {"storage_class": "IA", "cache_control": "no-store"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := acctest.New(t, "assets")
			s := h.Session()
			apply(t, s, page(values{"storage_class": "ARCHIVE", "metadata": values{"owner": "harbour"}}))
			h.Writes()
			apply(t, s, page(change))
			expectWrites(t, h, "POST up /")
			expectState(t, s, pageAddress, change)
			expectEmptyPlan(t, s, page(change))
		})
	}
}

// TestObjectFrozenSincePlan refuses what the plan did not say, and so does the next plan.
func TestObjectFrozenSincePlan(t *testing.T) {
	t.Parallel()
	h := acctest.New(t, "assets")
	s := h.Session()
	config := values{"storage_class": "ARCHIVE", "cache_control": "no-store"}
	apply(t, s, page(nil))
	plan := s.Plan(page(config))
	freeze(t, h, pageRef)
	h.Writes()
	expectError(t, s.Apply(plan), "Object Frozen", `"page.html" in bucket "assets"`, "ARCHIVE", "Restore it first", "RESTORED")
	expectWrites(t, h)
	expectError(t, s.Plan(page(config)).Diagnostics, "Object Frozen")
	thaw(t, h, pageRef)
	apply(t, s, page(config))
	expectState(t, s, pageAddress, config)
}

// TestObjectFrozenKept changes what Kodo changes in an archive, too.
func TestObjectFrozenKept(t *testing.T) {
	t.Parallel()
	h := acctest.New(t, "assets")
	s := h.Session()
	archive := values{"storage_class": "ARCHIVE"}
	apply(t, s, page(archive))
	h.Writes()
	kept := archive.With(values{"delete_after_days": 90, "enabled": false})
	apply(t, s, page(kept))
	expectWrites(t, h, "POST rs /lifecycle/assets:page.html/deleteAfterDays/90"+ifHello, "POST rs /chstatus/assets:page.html/status/1"+ifHello)
	expectEmptyPlan(t, s, page(kept))
}

// TestObjectFrozenWithoutContent refuses the same of an object whose bytes nobody has here.
func TestObjectFrozenWithoutContent(t *testing.T) {
	t.Parallel()
	h := acctest.New(t, "assets")
	s := h.Session()
	put(t, h, "assets", pageKey, "hello")
	freeze(t, h, pageRef)
	if diags := s.Import(pageAddress, "assets/page.html"); len(diags) > 0 {
		t.Fatal(diags)
	}
	imported := values{"content": nil}
	apply(t, s, page(imported))
	h.Writes()
	html := imported.With(values{"content_type": "text/html"})
	expectError(t, s.Plan(page(html)).Diagnostics, "Object Frozen", `"page.html" in bucket "assets"`, "ARCHIVE", "Restore it first")
	expectWrites(t, h)
	apply(t, s, page(imported.With(values{"enabled": false})))
	expectWrites(t, h, "POST rs /chstatus/assets:page.html/status/1"+ifHello)

	thaw(t, h, pageRef)
	apply(t, s, page(html))
	expectState(t, s, pageAddress, values{"content_type": "text/html"})
}

// TestObjectFrozenMoved refuses a move in the plan, and does what it says instead.
func TestObjectFrozenMoved(t *testing.T) {
	t.Parallel()
	archive := values{"storage_class": "ARCHIVE"}
	moved := archive.With(values{"key": "other.html"})
	for name, remedy := range map[string]func(t *testing.T, h *acctest.Harness, s *acctest.Session){
		"restored": func(t *testing.T, h *acctest.Harness, s *acctest.Session) {
			t.Helper()
			if err := h.Engine().RestoreArchive(pageRef, 3); err != nil {
				t.Fatal(err)
			}
			expectError(t, s.Plan(page(moved)).Diagnostics, "Object Frozen", "being restored already")
			if err := h.Engine().Advance(time.Hour); err != nil {
				t.Fatal(err)
			}
			apply(t, s, page(moved))
			expectWrites(t, h, "POST rs /move/assets:page.html/assets:other.html")
		},
		"by another name": func(t *testing.T, _ *acctest.Harness, s *acctest.Session) {
			t.Helper()
			other := page(moved)
			other.Address = "kodo_object.other"
			apply(t, s, other)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := acctest.New(t, "assets")
			s := h.Session()
			apply(t, s, page(archive))
			h.Writes()
			expectError(t, s.Plan(page(moved)).Diagnostics, "Object Frozen", `"page.html" in bucket "assets"`, `key "other.html" in bucket "assets"`, "Restore it first", "another name")
			expectWrites(t, h)
			expectEmptyPlan(t, s, page(archive))
			remedy(t, h, s)
			expectKeys(t, h, "assets", "other.html")
		})
	}
}

// TestObjectFrozenAdopted makes an archive that is adopted what a new object would be.
func TestObjectFrozenAdopted(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		config values
		says   string
		writes []string
	}{
		"as it is":     {values{"storage_class": "ARCHIVE", "content_type": "text/plain", "delete_after_days": 90}, "Its bytes were not sent again", []string{"POST rs /lifecycle/assets:page.html/deleteAfterDays/90" + ifHello}},
		"of its class": {values{"storage_class": "ARCHIVE"}, "sent again, because it was frozen in the storage class ARCHIVE", []string{"POST up /"}},
		"by default":   {nil, "sent again, because it was frozen", []string{"POST up /"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := acctest.New(t, "assets")
			s := h.Session()
			put(t, h, "assets", pageKey, "hello") // as text/plain
			freeze(t, h, pageRef)
			h.Writes()
			_, diags := apply(t, s, page(test.config))
			expectWarning(t, diags, "Existing Object Adopted", test.says)
			expectWrites(t, h, test.writes...)
			expectEmptyPlan(t, s, page(test.config))
		})
	}
}

// TestObjectCopyFrozen refuses, in the plan, what Kodo does not change in an archive.
func TestObjectCopyFrozen(t *testing.T) {
	t.Parallel()
	archive := values{"storage_class": "ARCHIVE"}
	html := archive.With(values{"content_type": "text/html"})
	h, s := withOriginal(t)
	apply(t, s, theCopy(archive))
	h.Writes()
	expectError(t, s.Plan(theCopy(archive.With(values{"key": "moved.txt"}))).Diagnostics, "Object Frozen", `key "moved.txt" in bucket "assets"`, "Restore it first")
	expectError(t, s.Plan(theCopy(html)).Diagnostics, "Object Frozen", `"copy.txt" in bucket "assets" is frozen in the storage class ARCHIVE`, "Restore it first", "terraform taint")
	expectWrites(t, h)
	thaw(t, h, engine.ObjectRef{Owner: acctest.AccessKey, Bucket: "assets", Key: "copy.txt"})
	apply(t, s, theCopy(html))
	expectEmptyPlan(t, s, theCopy(html))
}

// TestObjectCopyOfArchive makes a copy that is frozen at once, unless that keeps it from becoming what is configured.
func TestObjectCopyOfArchive(t *testing.T) {
	t.Parallel()
	h, s := withOriginal(t)
	original := engine.ObjectRef{Owner: acctest.AccessKey, Bucket: "assets", Key: "original.txt"}
	freeze(t, h, original)
	thaw(t, h, original)
	h.Writes()
	for _, config := range []values{{"storage_class": "STANDARD"}, {"content_type": "text/html"}, {"metadata": values{"berth": "7"}}, {"cache_control": "no-cache"}} {
		expectError(t, s.Plan(theCopy(config)).Diagnostics, "Object Frozen", `"copy.txt" in bucket "assets"`, `"original.txt" in bucket "assets"`, "ARCHIVE", "Leave these arguments out")
	}
	expectWrites(t, h)
	config := values{"storage_class": "ARCHIVE", "metadata": values{"owner": "harbour"}, "enabled": false}
	apply(t, s, theCopy(config))
	expectWrites(t, h, copied, "POST rs /chstatus/assets:copy.txt/status/1"+ifHello)
	expectEmptyPlan(t, s, theCopy(config))
}

// TestObjectCopyMetadataNotRemovable refuses, in the plan, to take metadata from a copy that cannot be made anew.
func TestObjectCopyMetadataNotRemovable(t *testing.T) {
	t.Parallel()
	h, s := withOriginal(t)
	apply(t, s, theCopy(values{"metadata": values{"berth": "7"}}))
	if err := h.Engine().Delete(acctest.AccessKey, "assets", "original.txt"); err != nil {
		t.Fatal(err)
	}
	plan := s.Plan(theCopy(nil))
	if errs := plan.Diagnostics.Errors(); len(errs) != 1 || errs[0].Summary != "Metadata Not Removable" {
		t.Fatal(plan.Diagnostics)
	}
	expectSays(t, plan.Diagnostics.Errors()[0].Detail, `metadata["berth"]`, `"copy.txt" in bucket "assets"`, `"original.txt" in bucket "assets" does not exist any more`, "keep the values")
}
