package acctest_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/qiniu/terraform-provider-kodo/internal/acctest"
)

// The tests of the order in which several resources are changed, and of what
// Terraform does to addresses.

const addressA, addressB = "fake_thing.a", "fake_thing.b"

// chain is a thing a, and a thing b whose note is a's size.
func chain(nameA, nameB string) []acctest.Resource {
	return []acctest.Resource{
		{Address: addressB, Config: acctest.Values{"name": nameB, "note": acctest.Ref{Address: addressA, Attribute: "size"}}},
		{Address: addressA, Config: acctest.Values{"name": nameA, "note": "!"}},
	}
}

func expectCalls(t *testing.T, w *world, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, w.calls); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
	w.calls = nil
}

func TestReferences(t *testing.T) {
	t.Parallel()
	w, s := newWorld(t)
	plan := s.Plan(chain("a", "b")...)
	if len(plan.Diagnostics) > 0 {
		t.Fatal(plan.Diagnostics)
	}
	if got := plan.Change(addressB).After["note"]; got != (acctest.Unknown{}) {
		t.Errorf("before its source exists the note is planned as %v", got)
	}
	if diags := s.Apply(plan); len(diags) > 0 {
		t.Fatal(diags)
	}
	expectCalls(t, w, "create a!", "create b1")
	if got := s.Plan(chain("a", "b")...).Actions(); len(got) > 0 {
		t.Errorf("a second plan does %v", got)
	}

	apply(t, s, chain("a2", "b2")...) // both are replaced: what refers goes first
	expectCalls(t, w, "delete b1", "delete a!", "create a2!", "create b21")

	apply(t, s)
	expectCalls(t, w, "delete b21", "delete a2!")
}

// What a block refers to is created first as well, and destroyed after the
// block has let go of it.
func TestReferencesCreateBeforeDestroy(t *testing.T) {
	t.Parallel()
	w, s := newWorld(t)
	apply(t, s, chain("a", "b")...)
	w.calls = nil
	blocks := chain("a2", "b2")
	blocks[0].CreateBeforeDestroy = true
	apply(t, s, blocks...)
	expectCalls(t, w, "create a2!", "create b21", "delete b1", "delete a!")
}

func TestReferenceIsLetGo(t *testing.T) {
	t.Parallel()
	w, s := newWorld(t)
	apply(t, s, chain("a", "b")...)
	w.calls = nil
	apply(t, s, acctest.Resource{Address: addressB, Config: acctest.Values{"name": "b", "note": "?"}})
	expectCalls(t, w, "delete a!", "update b?") // the destruction is before the update, as Terraform does it
}

func TestFailureHoldsBackWhatRefers(t *testing.T) {
	t.Parallel()
	w, s := newWorld(t)
	w.createFailsEarly = true
	if got := apply(t, s, chain("a", "b")...); !slices.Equal(got, []string{"Not Created"}) {
		t.Errorf("errors = %v", got)
	}
	expectCalls(t, w, "create a!")
	if got := s.Addresses(); len(got) > 0 {
		t.Errorf("the state has %v", got)
	}
}

func TestDependsOn(t *testing.T) {
	t.Parallel()
	w, s := newWorld(t)
	first, second := block("a", ""), block("b", "")
	first.DependsOn, second.Address = []string{addressB}, addressB
	s.Parallelism = 10
	apply(t, s, first, second)
	expectCalls(t, w, "create b", "create a")
	apply(t, s)
	expectCalls(t, w, "delete a", "delete b")
}

func TestMovedBlock(t *testing.T) {
	t.Parallel()
	w, s := newWorld(t)
	apply(t, s, block("a", ""))
	moved := acctest.Resource{Address: addressB, MovedFrom: addressA, Config: block("a", "").Config}
	plan := s.Plan(moved)
	if got := plan.Actions(); len(got) > 0 || s.State(addressB) != nil {
		t.Errorf("a plan with a moved block does %v, and the state has %v", got, s.Addresses())
	}
	s.Apply(plan)
	if diff := cmp.Diff([]string{addressB}, s.Addresses()); diff != "" {
		t.Errorf("addresses (-want +got):\n%s", diff)
	}
	expectCalls(t, w, "create a")
}

func TestMovedFromAnotherType(t *testing.T) {
	t.Parallel()
	w, s := newWorld(t)
	s.Enter("other_thing.a", acctest.Foreign{Provider: "registry.terraform.io/others/other", Type: "other_thing", State: `{"title":"a","color":"red"}`})
	moved := acctest.Resource{Address: addressA, MovedFrom: "other_thing.a", Config: acctest.Values{"name": "a"}}
	apply(t, s, moved)
	expectCalls(t, w)
	if diff := cmp.Diff(acctest.Values{"name": "a"}, s.Identity(addressA)); diff != "" {
		t.Errorf("identity (-want +got):\n%s", diff)
	}
}

func TestImportBlock(t *testing.T) {
	t.Parallel()
	w, s := newWorld(t)
	imported := acctest.Resource{Address: addressA, ImportID: "a", Config: acctest.Values{"name": "a", "note": "!"}}
	plan := s.Plan(imported)
	if change := plan.Change(addressA); change.Action != acctest.Update || !change.Imported {
		t.Errorf("the action is %s, imported = %t", change.Action, change.Imported)
	}
	s.Apply(plan)
	expectCalls(t, w, "update a!")
	if got := s.GeneratedConfig(addressA); cmp.Diff(acctest.Values{"name": "a", "note": "!", "rule": []any{}}, got) != "" {
		t.Errorf("the generated configuration is %v", got)
	}
}

// Terraform leaves a second deposed object beside the first.
func TestDeposedTwice(t *testing.T) {
	t.Parallel()
	w, s := newWorld(t)
	apply(t, s, block("a", ""))
	w.deleteFails = true
	for _, name := range []string{"b", "c"} {
		b := block(name, "")
		b.CreateBeforeDestroy = true
		apply(t, s, b)
	}
	w.deleteFails, w.calls = false, nil
	apply(t, s, block("c", ""))
	slices.Sort(w.calls)
	expectCalls(t, w, "delete a", "delete b")
}

func TestParallelism(t *testing.T) {
	t.Parallel()
	w, s := newWorld(t)
	s.Parallelism = 8
	var blocks []acctest.Resource
	for _, name := range []string{"a", "b", "c", "d", "e", "f", "g", "h"} {
		blocks = append(blocks, acctest.Resource{Address: "fake_thing." + name, Config: acctest.Values{"name": name}})
	}
	apply(t, s, blocks...)
	slices.Sort(w.calls)
	expectCalls(t, w, "create a", "create b", "create c", "create d", "create e", "create f", "create g", "create h")
	if got := s.Plan(blocks...).Actions(); len(got) > 0 {
		t.Errorf("a second plan does %v", got)
	}
	w.gone = true
	if got := len(s.Plan(blocks...).Actions()); got != 8 {
		t.Errorf("what is gone makes %d changes", got)
	}
}
