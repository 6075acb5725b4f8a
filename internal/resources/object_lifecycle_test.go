package resources_test

import (
	"testing"
	"time"

	"github.com/qiniu/terraform-provider-kodo/internal/acctest"
	"github.com/qiniu/terraform-provider-kodo/internal/emulator"
	"github.com/qiniu/terraform-provider-kodo/internal/emulator/engine"
)

// TestObjectTransitionCancelled asks again for a transition that somebody has cancelled, and not for one that was made.
func TestObjectTransitionCancelled(t *testing.T) {
	t.Parallel()
	h := acctest.New(t, "assets")
	s := h.Session()
	config := page(values{"transition": values{"ia_days": 1, "archive_days": 9}})
	apply(t, s, config)
	ref := engine.ObjectRef{Owner: acctest.AccessKey, Bucket: "assets", Key: pageKey}
	if err := h.Engine().ChangeLifetime(ref, engine.Days{To: map[int]int{engine.Archive: engine.Cancel}}); err != nil {
		t.Fatal(err)
	}
	h.Writes()
	apply(t, s, config)
	expectWrites(t, h, "POST rs /lifecycle/assets:page.html/toArchiveAfterDays/9"+ifHello)
	expectEmptyPlan(t, s, config)

	if err := h.Engine().Advance(3 * 24 * time.Hour); err != nil {
		t.Fatal(err)
	}
	expectEmptyPlan(t, s, config)
}

// TestObjectTransitionAnew asks for a transition again when the object becomes warmer than where it leads: whether it
// stands could not be seen before.
func TestObjectTransitionAnew(t *testing.T) {
	t.Parallel()
	h := acctest.New(t, "assets")
	s := h.Session()
	config := page(values{"storage_class": "STANDARD", "transition": values{"ia_days": 9}})
	apply(t, s, config)
	ref := engine.ObjectRef{Owner: acctest.AccessKey, Bucket: "assets", Key: pageKey}
	if err := h.Engine().ChangeLifetime(ref, engine.Days{To: map[int]int{engine.IA: engine.Cancel}}); err != nil {
		t.Fatal(err)
	}
	if err := h.Engine().ChangeClass(ref, engine.ArchiveIR); err != nil {
		t.Fatal(err)
	}
	h.Writes()
	apply(t, s, config)
	expectWrites(t, h, "POST rs /lifecycle/assets:page.html/toIAAfterDays/9"+ifHello, "POST rs /chtype/assets:page.html/type/0")
	expectEmptyPlan(t, s, config)
}

// TestObjectLifetimeEndsBySecret ends a lifetime in the apply in which a secret turns out to be the bytes that are there,
// also where that takes a second apply.
func TestObjectLifetimeEndsBySecret(t *testing.T) {
	t.Parallel()
	h := acctest.New(t, "assets")
	s := h.Session()
	secret := func(version int, more values) acctest.Resource {
		return page(values{"content": nil, "content_wo": "hello", "content_wo_version": version}.With(more))
	}
	apply(t, s, secret(1, values{"delete_after_days": 60, "transition": values{"archive_days": 9}}))
	fail(t, h, emulator.Fault{Match: emulator.Match{Path: "/lifecycle/*"}, Do: "status", Status: 400})
	expectError(t, s.Apply(s.Plan(secret(2, nil))), "Object Stored But Not Finished")
	h.ClearFaults()
	apply(t, s, secret(2, nil))
	if object := stat(t, h, "assets", pageKey); object.DeletesAt != 0 || len(object.Transitions) > 0 {
		t.Errorf("the object keeps its lifetime: %+v", object.Lifetime)
	}
	expectEmptyPlan(t, s, secret(2, nil))
}

// TestObjectLifetimeWithoutPrivateState changes days that are known from the state, and takes them away, whatever the
// private state has lost: all of it goes with a replacement that was refused.
func TestObjectLifetimeWithoutPrivateState(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change values
		write  string
	}{
		"changed":    {values{"delete_after_days": 90, "transition": values{"ia_days": 30}}, "/toIAAfterDays/30/deleteAfterDays/90"},
		"taken away": {values{"transition": nil}, "/toIAAfterDays/-1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := acctest.New(t, "assets")
			s := h.Session()
			config := values{"deletion_policy": "PREVENT", "delete_after_days": 60, "transition": values{"ia_days": 9}}
			apply(t, s, page(config))
			s.Taint(pageAddress)
			expectError(t, s.Apply(s.Plan(page(config))), "Deletion Prevented", "terraform untaint")
			s.Untaint(pageAddress)
			h.Writes()
			config = config.With(test.change)
			apply(t, s, page(config))
			expectWrites(t, h, "POST rs /lifecycle/assets:page.html"+test.write+ifHello)
			expectEmptyPlan(t, s, page(config))
		})
	}
}

// TestObjectCopyAfterTransition copies again in the class that is configured, whatever a transition has made of the old
// copy.
func TestObjectCopyAfterTransition(t *testing.T) {
	t.Parallel()
	h, s := withOriginal(t)
	config := values{"storage_class": "STANDARD", "transition": values{"archive_ir_days": 1}}
	apply(t, s, theCopy(config))
	if err := h.Engine().Advance(3 * 24 * time.Hour); err != nil {
		t.Fatal(err)
	}
	expectEmptyPlan(t, s, theCopy(config))
	put(t, h, "assets", "original.txt", "etag")
	plan := s.Plan(theCopy(config))
	if got := plan.Change(copyAddress).After["storage_class"]; got != "STANDARD" {
		t.Errorf("the class is planned as %v", got)
	}
	if diags := s.Apply(plan); diags.HasErrors() {
		t.Fatal(diags)
	}
	if object := stat(t, h, "assets", "copy.txt"); object.FileType != engine.Standard || object.Transitions[engine.ArchiveIR] == 0 {
		t.Errorf("the class is %d, transitions are %v", object.FileType, object.Transitions)
	}
	expectEmptyPlan(t, s, theCopy(config))
}
