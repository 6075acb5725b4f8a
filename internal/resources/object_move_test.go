package resources_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"

	"github.com/qiniu/terraform-provider-kodo/internal/acctest"
	"github.com/qiniu/terraform-provider-kodo/internal/emulator"
)

// The tests of an object that changes its name: key and bucket, in place.

// far makes a bucket in another region than that of all others.
func far(t *testing.T, h *acctest.Harness) string {
	t.Helper()
	if _, err := h.Engine().CreateBucket(acctest.AccessKey, "far", "z1", true); err != nil {
		t.Fatal(err)
	}
	return "far"
}

// TestAccObjectMoved renames an object, with an identity that changes in place.
func TestAccObjectMoved(t *testing.T) {
	t.Parallel()
	h := acctest.New(t, "assets", "backup")
	config := func(bucket, key string) string {
		return h.Config(`
			resource "terraform_data" "name" {
			  input = "` + key + `"
			}
			resource "kodo_object" "page" {
			  bucket  = "` + bucket + `"
			  key     = terraform_data.name.output
			  content = "hello"
			}`)
	}
	update := resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{plancheck.ExpectResourceAction(pageAddress, plancheck.ResourceActionUpdate)}}
	h.Test(
		resource.TestStep{Config: config("assets", "page.html")},
		resource.TestStep{ // to a key that the plan does not know
			PreConfig: func() { h.Writes() }, Config: config("assets", "other.html"), ConfigPlanChecks: update,
		},
		resource.TestStep{Config: config("backup", "other.html"), ConfigPlanChecks: update},
	)
	if diff := cmp.Diff([]string{
		"POST rs /move/assets:page.html/assets:other.html", "POST rs /move/assets:other.html/backup:other.html", "POST rs /delete/backup:other.html",
	}, h.Writes()); diff != "" {
		t.Errorf("writes (-want +got):\n%s", diff)
	}
}

// TestObjectMovedKeepsAll moves everything that the object has, and gives it its new identity.
func TestObjectMovedKeepsAll(t *testing.T) {
	t.Parallel()
	h := acctest.New(t, "assets", "backup")
	s := h.Session()
	config := values{"metadata": values{"owner": "harbour"}, "storage_class": "IA", "delete_after_days": 9, "enabled": false}
	apply(t, s, page(config))
	before := s.State(pageAddress)
	h.Writes()
	config = config.With(values{"bucket": "backup", "key": "a/b.html"})
	apply(t, s, page(config))
	expectWrites(t, h, "POST rs /move/assets:page.html/backup:a/b.html")
	expectIdentity(t, s, pageAddress, values{"bucket": "backup", "key": "a/b.html"})
	before["bucket"], before["key"] = "backup", "a/b.html"
	if diff := cmp.Diff(before, s.State(pageAddress)); diff != "" {
		t.Errorf("state (-want +got):\n%s", diff)
	}
	expectEmptyPlan(t, s, page(config))
	expectKeys(t, h, "assets")
}

// TestObjectMovedAndChanged moves first, and then does the rest under the new name.
func TestObjectMovedAndChanged(t *testing.T) {
	t.Parallel()
	h := acctest.New(t, "assets")
	s := h.Session()
	apply(t, s, page(nil))
	h.Writes()
	config := values{"key": "other.html", "content": "etag", "cache_control": "no-store"}
	apply(t, s, page(config))
	expectWrites(t, h, "POST rs /move/assets:page.html/assets:other.html", "POST up /")
	expectEmptyPlan(t, s, page(config))
	expectContent(t, h, "assets", "other.html", "etag")
}

// TestObjectMovedOnto refuses a name that is taken, unless it may be overwritten.
func TestObjectMovedOnto(t *testing.T) {
	t.Parallel()
	h := acctest.New(t, "assets")
	s := h.Session()
	apply(t, s, page(nil))
	put(t, h, "assets", "other.html", "somebody else's")
	other := values{"key": "other.html"}
	expectError(t, s.Apply(s.Plan(page(other))), "Object Exists Already", `"other.html" in bucket "assets"`, "overwrite = true")
	expectIdentity(t, s, pageAddress, values{"bucket": "assets", "key": pageKey})
	expectState(t, s, pageAddress, values{"key": pageKey})
	expectContent(t, h, "assets", "other.html", "somebody else's")
	expectEmptyPlan(t, s, page(nil))

	apply(t, s, page(other.With(values{"overwrite": true})))
	expectContent(t, h, "assets", "other.html", "hello")
	expectKeys(t, h, "assets", "other.html")
}

// TestObjectMoveFails ends a move in each way that a network and a server can: the object is under one of its names,
// the state says which, and the next apply converges.
func TestObjectMoveFails(t *testing.T) {
	t.Parallel()
	move := emulator.Match{Path: "/move/*"}
	for name, test := range map[string]struct {
		fault emulator.Fault
		fails bool
	}{
		"answer lost":          {emulator.Fault{Match: move, Times: 1, Do: "apply_then_drop"}, false},
		"answer lost for good": {emulator.Fault{Match: move, Do: "apply_then_drop"}, false},
		"throttled":            {emulator.Fault{Match: move, Times: 1, Do: "status", Status: 573}, false},
		"refused":              {emulator.Fault{Match: move, Do: "status", Status: 403}, true},
		"never answered":       {emulator.Fault{Match: move, Do: "drop_before"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := acctest.New(t, "assets")
			s := h.Session()
			apply(t, s, page(nil))
			fail(t, h, test.fault)
			config := values{"key": "other.html"}
			diags := s.Apply(s.Plan(page(config)))
			if diags.HasErrors() != test.fails {
				t.Errorf("apply says:\n%s", diags)
			}
			if test.fails {
				expectError(t, diags, "Object Not Moved", `"other.html" in bucket "assets"`, `"page.html" in bucket "assets"`)
				expectKeys(t, h, "assets", pageKey)
				h.ClearFaults()
				expectEmptyPlan(t, s, page(nil))
				apply(t, s, page(config))
			}
			expectKeys(t, h, "assets", "other.html")
			expectEmptyPlan(t, s, page(config))
		})
	}
}

// TestObjectMovedThenFailed records the new name when what follows the move fails.
func TestObjectMovedThenFailed(t *testing.T) {
	t.Parallel()
	h := acctest.New(t, "assets")
	s := h.Session()
	apply(t, s, page(nil))
	fail(t, h, emulator.Fault{Match: emulator.Match{Path: "/chstatus/*"}, Do: "status", Status: 403})
	config := values{"key": "other.html", "enabled": false}
	expectError(t, s.Apply(s.Plan(page(config))), "Object Not Changed", `"other.html" in bucket "assets"`)
	expectIdentity(t, s, pageAddress, values{"bucket": "assets", "key": "other.html"})
	expectState(t, s, pageAddress, values{"key": "other.html", "enabled": true, "etag": helloETag})
	h.ClearFaults()
	h.Writes()
	apply(t, s, page(config))
	expectWrites(t, h, "POST rs /chstatus/assets:other.html/status/1"+ifHello)
	expectEmptyPlan(t, s, page(config))
}

// TestObjectTypeAfterMove gives an object the content type of its new key, also if the apply that moved it could not.
func TestObjectTypeAfterMove(t *testing.T) {
	t.Parallel()
	h := acctest.New(t, "assets")
	s := h.Session()
	apply(t, s, page(nil))
	moved := page(values{"key": "page.txt"})
	fail(t, h, emulator.Fault{Match: emulator.Match{Path: "/chgm/*"}, Do: "status", Status: 400})
	expectError(t, s.Apply(s.Plan(moved)), "Object Not Changed", "page.txt")
	expectState(t, s, pageAddress, values{"key": "page.txt", "content_type": "text/html"})
	h.ClearFaults()

	apply(t, s, moved)
	expectState(t, s, pageAddress, values{"content_type": "text/plain"})
	expectEmptyPlan(t, s, moved)
}

// TestObjectToAnotherRegion replaces, because Kodo moves within a region only: that needs bytes, and leave to delete.
func TestObjectToAnotherRegion(t *testing.T) {
	t.Parallel()
	t.Run("with bytes", func(t *testing.T) {
		t.Parallel()
		h := acctest.New(t, "assets")
		s := h.Session()
		apply(t, s, page(nil))
		config := values{"bucket": far(t, h)}
		h.Writes()
		actions, _ := apply(t, s, page(config))
		expectActions(t, actions, map[string]acctest.Action{pageAddress: acctest.Replace})
		expectWrites(t, h, "POST rs /delete/assets:page.html", "POST up /")
		expectIdentity(t, s, pageAddress, values{"bucket": "far", "key": pageKey})
		expectEmptyPlan(t, s, page(config))
	})
	t.Run("without bytes", func(t *testing.T) {
		t.Parallel()
		h := acctest.New(t, "assets")
		s := h.Session()
		apply(t, s, page(nil))
		plan := s.Plan(page(values{"content": nil, "bucket": far(t, h)}))
		expectError(t, plan.Diagnostics, "Bucket In Another Region", `bucket "far"`, "source or content")
	})
	t.Run("prevented", func(t *testing.T) {
		t.Parallel()
		h := acctest.New(t, "assets")
		s := h.Session()
		apply(t, s, page(values{"deletion_policy": "PREVENT"}))
		plan := s.Plan(page(values{"deletion_policy": "DELETE", "bucket": far(t, h)}))
		expectError(t, plan.Diagnostics, "Deletion Prevented", "replaced", "apply that first")
	})
	t.Run("known at the apply only", func(t *testing.T) {
		t.Parallel()
		h := acctest.New(t, "assets")
		s := h.Session()
		apply(t, s, page(nil))
		config := values{"bucket": "far"} // which is not there yet
		plan := s.Plan(page(config))
		expectWarning(t, plan.Diagnostics, "Region Not Known Yet", `"page.html" in bucket "assets"`, "plan again")
		far(t, h)
		h.Writes()
		expectError(t, s.Apply(plan), "Provider produced inconsistent final plan", "replace")
		expectWrites(t, h)
		actions, _ := apply(t, s, page(config))
		expectActions(t, actions, map[string]acctest.Action{pageAddress: acctest.Replace})
		expectEmptyPlan(t, s, page(config))
	})
}
