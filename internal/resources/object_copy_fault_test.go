package resources_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/qiniu/terraform-provider-kodo/internal/acctest"
	"github.com/qiniu/terraform-provider-kodo/internal/emulator"
	"github.com/qiniu/terraform-provider-kodo/internal/emulator/engine"
)

// The tests of copies whose apply fails somewhere: the next one must make what it was to make, whatever was there.

// copyRef is where most copies here are.
var copyRef = engine.ObjectRef{Owner: acctest.AccessKey, Bucket: "assets", Key: "copy.txt"}

// twin puts an object in the place of the copy that is one already, but with a lifetime.
func twin(t *testing.T, h *acctest.Harness) {
	t.Helper()
	copied := engine.Copy{Owner: acctest.AccessKey, FromBucket: "assets", From: "original.txt", ToBucket: "assets", To: "copy.txt"}
	if err := h.Engine().CopyObject(copied); err != nil {
		t.Fatal(err)
	}
	if err := h.Engine().ChangeLifetime(copyRef, engine.Days{To: map[int]int{engine.Archive: 7}, Delete: 9}); err != nil {
		t.Fatal(err)
	}
}

// expectKept compares how an object is served and kept, but for when.
func expectKept(t *testing.T, h *acctest.Harness, key string, want engine.Object) {
	t.Helper()
	got := stat(t, h, "assets", key)
	for _, o := range []*engine.Object{&want, &got} {
		o.PutTime = 0
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(engine.Object{})); diff != "" {
		t.Errorf("the object after the accident (-want +got):\n%s", diff)
	}
}

// TestObjectCopyConverges has the requests of an apply refused one after the other, or their answers lost: the apply after
// it makes what one without accident makes.
func TestObjectCopyConverges(t *testing.T) {
	t.Parallel()
	lasting := values{"delete_after_days": 30, "transition": values{"archive_days": 9}}
	colder := values{"storage_class": "STANDARD", "transition": values{"ia_days": 5}} // to the class of the source
	all := lasting.With(values{"content_type": "text/html", "metadata": values{"berth": "7"}, "storage_class": "STANDARD", "enabled": false})
	for name, test := range map[string]struct {
		there         bool   // an object that is the copy already, but for its lifetime
		disabled      bool   // that object
		before, after values // nil before creates it
		source        string // new content of the source in between
	}{
		"created":                   {after: values{}},
		"created with facets":       {after: all},
		"created warmer":            {after: colder},
		"adopted":                   {there: true, after: values{}},
		"adopted, disabled":         {there: true, disabled: true, after: values{}},
		"adopted with facets":       {there: true, after: all},
		"changed":                   {before: values{}, after: all},
		"changed back":              {before: all, after: values{"storage_class": "IA"}},
		"lifetime ended":            {before: lasting, after: values{}},
		"moved":                     {before: values{}, after: values{"key": "moved.txt"}},
		"moved and changed":         {before: lasting, after: all.With(values{"key": "moved.txt"})},
		"copied again":              {before: all, after: all, source: "etag"},
		"copied again for less":     {before: all, after: values{}, source: "etag"},
		"copied again for metadata": {before: all, after: all.With(values{"metadata": nil})},
		"copied again, warmer":      {before: colder.With(values{"metadata": values{"berth": "7"}}), after: colder},
	} {
		key := "copy.txt"
		if moved, ok := test.after["key"].(string); ok {
			key = moved
		}
		// run applies, after an apply with the accident if there is one, and says which requests the first of them made.
		run := func(t *testing.T, accident *emulator.Fault) (h *acctest.Harness, requests []emulator.Request) {
			t.Helper()
			h, s := withOriginal(t)
			if test.there {
				twin(t, h)
			}
			if test.disabled {
				if err := h.Engine().ChangeStatus(copyRef, true); err != nil {
					t.Fatal(err)
				}
			}
			if test.before != nil {
				apply(t, s, theCopy(test.before))
			}
			if test.source != "" {
				put(t, h, "assets", "original.txt", test.source)
			}
			plan := s.Plan(theCopy(test.after))
			if accident != nil {
				fail(t, h, *accident)
			}
			h.ResetRequests()
			diags := s.Apply(plan)
			requests = h.Requests()
			if accident != nil {
				h.ClearFaults()
				if s.Tainted(copyAddress) {
					s.Untaint(copyAddress)
				}
				_, diags = apply(t, s, theCopy(test.after))
			}
			if diags.HasErrors() {
				t.Fatal(diags)
			}
			expectEmptyPlan(t, s, theCopy(test.after))
			return h, requests
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, requests := run(t, nil)
			want := stat(t, h, "assets", key)
			for skip, request := range requests {
				accidents := []emulator.Fault{{Do: "status", Status: 400}}
				if request.Method == "POST" {
					accidents = append(accidents, emulator.Fault{Do: "apply_then_drop"})
				}
				for _, accident := range accidents {
					accident.Times, accident.Skip = 1, skip
					t.Run(fmt.Sprintf("%s %d", accident.Do, skip), func(t *testing.T) {
						t.Parallel()
						h, _ := run(t, &accident)
						expectKept(t, h, key, want)
					})
				}
			}
		})
	}
}
