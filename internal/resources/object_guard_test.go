package resources_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"

	"github.com/qiniu/terraform-provider-kodo/internal/acctest"
	"github.com/qiniu/terraform-provider-kodo/internal/emulator"
	"github.com/qiniu/terraform-provider-kodo/internal/emulator/engine"
)

// The tests of what kodo_object does to objects that are not the ones that its
// plan was made for: they are left, or the plan said so.

func TestObjectExists(t *testing.T) {
	t.Parallel()
	h := acctest.New(t, "assets")
	put(t, h, "assets", pageKey, "somebody else's")
	s := h.Session()
	h.Writes()
	expectError(t, s.Apply(s.Plan(page(nil))), "Object Exists Already",
		`"page.html" in bucket "assets"`, "15 bytes", "terraform import", "assets/page.html", "moved", "overwrite = true")
	expectWrites(t, h)
	expectContent(t, h, "assets", pageKey, "somebody else's")
	if s.State(pageAddress) != nil {
		t.Error("the object of somebody else is in the state")
	}

	if _, diags := apply(t, s, page(values{"overwrite": true})); len(diags) > 0 {
		t.Errorf("overwrite = true says:\n%s", diags)
	}
	expectContent(t, h, "assets", pageKey, "hello")
}

// TestObjectExistsAtTheLastMoment lets the object appear after it was looked
// for, where Kodo says that there is none, and before it is stored.
func TestObjectExistsAtTheLastMoment(t *testing.T) {
	t.Parallel()
	h := acctest.New(t, "assets")
	s := h.Session()
	plan := s.Plan(page(nil))
	fail(t, h, emulator.Fault{Match: emulator.Match{Path: "/stat/*"}, Times: 1, Do: "status", Status: 612})
	put(t, h, "assets", pageKey, "somebody else's")
	h.Writes()
	expectError(t, s.Apply(plan), "Object Exists Already", "overwrite = true")
	expectWrites(t, h, "POST up /") // it was tried, and refused
	expectContent(t, h, "assets", pageKey, "somebody else's")
}

func TestObjectAdopted(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		config values
		writes []string
		warns  bool
	}{
		"same type":      {values{"content_type": "text/plain"}, nil, true},
		"other type":     {nil, []string{"POST rs /chgm/assets:page.html/mime/dGV4dC9odG1s/cond/aGFzaD1GcXIweGgzY3hlaWkycjdlRHp0SUxObXVxVU5O"}, true},
		"with overwrite": {values{"content_type": "text/plain", "overwrite": true}, nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := acctest.New(t, "assets")
			put(t, h, "assets", pageKey, "hello") // as text/plain
			s := h.Session()
			h.Writes()
			_, diags := apply(t, s, page(test.config))
			if test.warns {
				expectWarning(t, diags, "Existing Object Adopted", `"page.html" in bucket "assets"`, "destroying it deletes")
			} else if len(diags) > 0 {
				t.Errorf("got:\n%s", diags)
			}
			expectWrites(t, h, test.writes...)
			expectEmptyPlan(t, s, page(test.config))
			apply(t, s)
			expectKeys(t, h, "assets")
		})
	}
}

// TestObjectAdoptedForLess sends the bytes over an object that has metadata that are not configured, and says so.
func TestObjectAdoptedForLess(t *testing.T) {
	t.Parallel()
	h := acctest.New(t, "assets")
	s := h.Session()
	put(t, h, "assets", pageKey, "hello")
	more := engine.MetaChange{ObjectRef: engine.ObjectRef{Owner: acctest.AccessKey, Bucket: "assets", Key: pageKey}, Meta: map[string]string{"owner": "harbour"}}
	if err := h.Engine().ChangeMeta(more); err != nil {
		t.Fatal(err)
	}
	h.Writes()
	_, diags := apply(t, s, page(nil))
	expectWarning(t, diags, "Existing Object Adopted", "sent again, because it had metadata that are not configured")
	expectWrites(t, h, "POST up /")
	expectEmptyPlan(t, s, page(nil))
}

// TestObjectExistsInOtherParts does not adopt what has another hash, although
// the bytes are the same: the plan has promised its own.
func TestObjectExistsInOtherParts(t *testing.T) {
	t.Parallel()
	h := acctest.New(t, "assets")
	zeros := values{"content": nil, "source": file(t, "zeros", make([]byte, 5<<20))}
	putParts(t, h, "assets", pageKey, make([]byte, 5<<20))
	s := h.Session()
	expectError(t, s.Apply(s.Plan(page(zeros))), "Object Exists Already", "terraform import")
	apply(t, s, page(zeros.With(values{"overwrite": true})))
	expectState(t, s, pageAddress, values{"etag": zeros5MiBETag})
}

// TestObjectChangedSincePlan lets somebody else write between plan and apply.
func TestObjectChangedSincePlan(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change values
	}{
		"bytes": {values{"content": "etag"}},
		"type":  {values{"content_type": "text/plain"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := acctest.New(t, "assets")
			s := h.Session()
			apply(t, s, page(nil))

			update := s.Plan(page(test.change))
			put(t, h, "assets", pageKey, "somebody else's")
			expectError(t, s.Apply(update), "Object Changed Since The Plan", `"page.html" in bucket "assets"`, "Nothing was stored", "Plan again")
			expectContent(t, h, "assets", pageKey, "somebody else's")

			update = s.Plan(page(test.change))
			if err := h.Engine().Delete(acctest.AccessKey, "assets", pageKey); err != nil {
				t.Fatal(err)
			}
			expectError(t, s.Apply(update), "Object Changed Since The Plan", "deleted")
			expectKeys(t, h, "assets")
		})
	}
}

// TestObjectRewrittenSincePlan stores the same bytes again: the put time tells.
func TestObjectRewrittenSincePlan(t *testing.T) {
	t.Parallel()
	h := acctest.New(t, "assets")
	s := h.Session()
	apply(t, s, page(nil))
	destroy := s.Plan()
	put(t, h, "assets", pageKey, "hello")
	diags := s.Apply(destroy)
	expectWarning(t, diags, "Changed Object Left In Place", `"page.html" in bucket "assets"`)
	expectContent(t, h, "assets", pageKey, "hello")
	if s.State(pageAddress) != nil {
		t.Error("the object that was left is still in the state")
	}
}

// TestObjectRenamedAddress gives an object a new address without a moved
// block. Terraform orders neither the creation nor the deletion; whatever comes
// first, the object is there afterwards.
func TestObjectRenamedAddress(t *testing.T) {
	t.Parallel()
	const newAddress = "kodo_object.renamed"
	for _, overwrite := range []bool{false, true} {
		for _, content := range []string{"hello", "etag"} {
			for _, createFirst := range []bool{false, true} {
				name := fmt.Sprintf("overwrite=%t content=%s create first=%t", overwrite, content, createFirst)
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					h := acctest.New(t, "assets")
					s := h.Session()
					apply(t, s, page(nil))
					renamed := block(newAddress, page(values{"content": content, "overwrite": overwrite}).Config)
					plan := s.Plan(renamed)
					expectActions(t, plan.Actions(), map[string]acctest.Action{pageAddress: acctest.Delete, newAddress: acctest.Create})
					slices.SortFunc(plan.Changes, func(a, b *acctest.Change) int {
						byAction := strings.Compare(string(a.Action), string(b.Action)) // create, delete
						if createFirst {
							return byAction
						}
						return -byAction
					})
					diags := s.Apply(plan)
					switch {
					case createFirst && !overwrite && content != "hello":
						// The guard refuses what it would have to overwrite, and so nothing is
						// deleted either. With the deletion first, the next apply converges.
						if errs := diags.Errors(); len(errs) != 2 || errs[0].Summary != "Object Exists Already" || errs[1].Summary != "Object Not Deleted" {
							t.Fatalf("got:\n%s", diags)
						}
						expectContent(t, h, "assets", pageKey, "hello")
						plan = s.Plan(renamed)
						slices.Reverse(plan.Changes)
						if diags := s.Apply(plan); diags.HasErrors() {
							t.Fatal(diags)
						}
					case diags.HasErrors():
						t.Fatal(diags)
					case createFirst:
						if left := diags[len(diags)-1]; left.Summary != "Object Left To Its New Address" {
							t.Errorf("got:\n%s", diags)
						}
					}
					expectContent(t, h, "assets", pageKey, content)
					expectEmptyPlan(t, s, renamed)
					if s.State(pageAddress) != nil {
						t.Error("the old address is still in the state")
					}
				})
			}
		}
	}
}

// TestAccObjectRenamedAddress lets a real Terraform do both at once, with one
// of the two held up between its look at the object and its request.
func TestAccObjectRenamedAddress(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		slow      emulator.Match
		overwrite bool
		content   string
	}{
		"slow delete":                      {emulator.Match{Path: "/delete/*"}, false, "hello"},
		"slow delete, other content":       {emulator.Match{Path: "/delete/*"}, true, "etag"},
		"slow upload, other content":       {emulator.Match{Service: "up"}, true, "etag"},
		"slow looks, other content":        {emulator.Match{Path: "/stat/*"}, true, "etag"},
		"slow looks, overwrite is refused": {emulator.Match{Path: "/stat/*"}, false, "hello"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := acctest.New(t, "assets")
			config := func(label, content string, overwrite bool) string {
				return h.Config(fmt.Sprintf(`
					resource "kodo_object" %q {
					  bucket    = "assets"
					  key       = "page.html"
					  content   = %q
					  overwrite = %t
					}`, label, content, overwrite))
			}
			h.Test(
				resource.TestStep{Config: config("page", "hello", false)},
				resource.TestStep{
					PreConfig: func() {
						fail(t, h, emulator.Fault{Match: test.slow, Do: "delay", Delay: emulator.Delay(300 * time.Millisecond)})
					},
					Config:            config("renamed", test.content, test.overwrite),
					ConfigStateChecks: []statecheck.StateCheck{h.ExpectContent("assets", pageKey, test.content)},
				},
			)
			expectKeys(t, h, "assets")
		})
	}
}

// TestObjectTaintedReplaced replaces an object by itself, in either order.
func TestObjectTaintedReplaced(t *testing.T) {
	t.Parallel()
	for _, createFirst := range []bool{false, true} {
		t.Run(fmt.Sprintf("create before destroy=%t", createFirst), func(t *testing.T) {
			t.Parallel()
			h := acctest.New(t, "assets")
			s := h.Session()
			b := page(nil)
			b.CreateBeforeDestroy = createFirst
			apply(t, s, b)
			s.Taint(pageAddress)
			actions, _ := apply(t, s, b)
			expectActions(t, actions, map[string]acctest.Action{pageAddress: acctest.Replace})
			expectContent(t, h, "assets", pageKey, "hello")
			expectEmptyPlan(t, s, b)
		})
	}
}

// TestObjectFinishedAfterUntaint makes an adopted object as a new one is, also where the apply that adopted it could not.
func TestObjectFinishedAfterUntaint(t *testing.T) {
	t.Parallel()
	for _, failing := range []string{"/chgm/*", "/lifecycle/*", "/chtype/*"} {
		t.Run(failing, func(t *testing.T) {
			t.Parallel()
			h := acctest.New(t, "assets")
			put(t, h, "assets", pageKey, "hello") // as text/plain
			ref := engine.ObjectRef{Owner: acctest.AccessKey, Bucket: "assets", Key: pageKey}
			if err := h.Engine().ChangeClass(ref, engine.IA); err != nil {
				t.Fatal(err)
			}
			if err := h.Engine().ChangeLifetime(ref, engine.Days{To: map[int]int{engine.Archive: 7}, Delete: 9}); err != nil {
				t.Fatal(err)
			}
			s := h.Session()
			fail(t, h, emulator.Fault{Match: emulator.Match{Path: failing}, Do: "status", Status: 400})
			expectError(t, s.Apply(s.Plan(page(nil))), "Object Stored But Not Finished", "terraform untaint")
			h.ClearFaults()
			s.Untaint(pageAddress)

			apply(t, s, page(nil))
			expectState(t, s, pageAddress, values{"content_type": "text/html", "storage_class": "STANDARD", "deletes_at": nil})
			if object := stat(t, h, "assets", pageKey); object.DeletesAt != 0 || len(object.Transitions) > 0 {
				t.Errorf("the object has the lifetime of the one that was there: %+v", object.Lifetime)
			}
			expectEmptyPlan(t, s, page(nil))
		})
	}
}

// TestObjectWrittenDuringRetry lets somebody else write in the pause between two
// attempts of an update. The second attempt has to look again, as Remove does.
func TestObjectWrittenDuringRetry(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		size  int
		fault emulator.Match
	}{
		"form":  {5, emulator.Match{Service: "up"}},
		"parts": {5 << 20, emulator.Match{Service: "up", Method: "POST", Path: "/buckets/*/uploads/*"}}, // the complete
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := acctest.New(t, "assets")
			s := h.Session()
			apply(t, s, page(nil))
			update := s.Plan(page(values{"content": nil, "source": file(t, "new", make([]byte, test.size))}))
			fail(t, h, emulator.Fault{Match: test.fault, Times: 1, Do: "status", Status: 599})
			overwrite := func() error { return h.Put("assets", pageKey, "text/plain", []byte("somebody else's")) }
			done := hold(t, h, emulator.Match{Path: "/stat/*"}, 1, overwrite)
			diags := s.Apply(update)
			done()
			expectError(t, diags, "Object Changed Since The Plan", `"page.html" in bucket "assets"`)
			expectContent(t, h, "assets", pageKey, "somebody else's")
		})
	}
}

// TestObjectOverwrittenBeforeReadBack lets somebody else write between the upload
// and the read-back. Their object is not taken for ours: the state keeps what was
// stored, and the next plan shows the difference.
func TestObjectOverwrittenBeforeReadBack(t *testing.T) {
	t.Parallel()
	h := acctest.New(t, "assets")
	s := h.Session()
	plan := s.Plan(page(nil))
	overwrite := func() error { return h.Put("assets", pageKey, "text/plain", []byte("somebody else's")) }
	done := hold(t, h, emulator.Match{Path: "/stat/*"}, 1, overwrite)
	diags := s.Apply(plan)
	done()
	expectWarning(t, diags, "Object Overwritten Since", `"page.html" in bucket "assets"`, "next plan")
	expectState(t, s, pageAddress, values{"etag": helloETag, "size": int64(5), "content_type": "text/html"})
	expectContent(t, h, "assets", pageKey, "somebody else's")
}

// TestObjectRenamedInTwoApplies ends the first apply between the two halves of a rename, as a kill, a failed delete or
// -target=kodo_object.renamed do. The second must not delete the object of the address that stays.
func TestObjectRenamedInTwoApplies(t *testing.T) {
	t.Parallel()
	for name, overwrite := range map[string]bool{"overwrite off": false, "overwrite on": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := acctest.New(t, "assets")
			s := h.Session()
			old := page(values{"overwrite": overwrite})
			renamed := old
			renamed.Address = "kodo_object.renamed"
			apply(t, s, old)
			apply(t, s, old, renamed) // adopted; the old address is still in the state
			expectError(t, s.Plan(renamed).Diagnostics, "Object Managed Twice", `"page.html" in bucket "assets"`, "terraform state rm")
			expectContent(t, h, "assets", pageKey, "hello")

			s.Forget(pageAddress)
			expectEmptyPlan(t, s, renamed)
		})
	}
}
