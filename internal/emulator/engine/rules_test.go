package engine_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/qiniu/terraform-provider-kodo/internal/emulator/engine"
)

func rulesOf(t *testing.T, e *engine.Engine) []engine.LifecycleRule {
	t.Helper()
	bucket, err := e.Bucket(owner, "bucket-1")
	if err != nil {
		t.Fatal(err)
	}
	return bucket.Rules
}

func addRule(t *testing.T, e *engine.Engine, rule engine.LifecycleRule) {
	t.Helper()
	if err := e.AddRule(owner, "bucket-1", rule); err != nil {
		t.Fatal(err)
	}
}

func TestRules(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	created := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	addRule(t, e, engine.LifecycleRule{Name: "a", Prefix: "x", Delete: 3, ToIA: -1, HistoryDelete: 7})
	addRule(t, e, engine.LifecycleRule{Name: "b", Prefix: ""}) // Does nothing, and may be there.
	addRule(t, e, engine.LifecycleRule{Name: "c", Prefix: "xy", ToIA: 1, ToIntelligentTiering: 2, ToArchiveIR: 3, ToArchive: 4, ToDeepArchive: 5, Delete: 6})
	for _, refused := range []struct {
		do      func(owner, bucket string, rule engine.LifecycleRule) error
		rule    engine.LifecycleRule
		message string
	}{
		{e.AddRule, engine.LifecycleRule{Name: "a", Prefix: "new"}, "rule name exists"},
		{e.AddRule, engine.LifecycleRule{Name: "new", Prefix: "xy"}, "rule prefix exists"},
		{e.AddRule, engine.LifecycleRule{Name: "new", Prefix: ""}, "rule prefix exists"},
		{e.UpdateRule, engine.LifecycleRule{Name: "new", Prefix: "new"}, "rule name not found"},
		{e.UpdateRule, engine.LifecycleRule{Name: "a", Prefix: "xy"}, "rule prefix exists"},
		{e.AddRule, engine.LifecycleRule{Name: "", Prefix: "new"}, "invalid rule name"},
		{e.AddRule, engine.LifecycleRule{Name: "a-b", Prefix: "new"}, "invalid rule name"},
		{e.AddRule, engine.LifecycleRule{Name: strings.Repeat("a", 50), Prefix: "new"}, "invalid rule name"},
		{e.AddRule, engine.LifecycleRule{Name: "new", Prefix: "new", Delete: -1}, "invalid delete after days"},
	} {
		wantError(t, refused.do(owner, "bucket-1", refused.rule), 400, refused.message)
	}
	const order = "invalid days: a rule changes to colder storage classes one after the other and deletes last"
	for _, rule := range []engine.LifecycleRule{
		{ToIA: 2, ToArchive: 2}, {ToIA: 3, ToArchiveIR: 2}, {ToArchiveIR: 3, ToArchive: 2}, {ToArchive: 3, ToDeepArchive: 2},
		{ToDeepArchive: 3, Delete: 3}, {ToIA: 30, Delete: 7}, {ToIA: -1, ToArchive: -1}, {ToIA: 1, ToArchive: -1}, {ToIntelligentTiering: 4, ToArchiveIR: 4},
	} {
		rule.Name, rule.Prefix = "new", "new"
		wantError(t, e.AddRule(owner, "bucket-1", rule), 400, order)
	}
	want := []engine.LifecycleRule{
		{Name: "a", Prefix: "x", Delete: 3, ToIA: -1, HistoryDelete: 7, Created: created},
		{Name: "b", Created: created},
		{Name: "c", Prefix: "xy", ToIA: 1, ToIntelligentTiering: 2, ToArchiveIR: 3, ToArchive: 4, ToDeepArchive: 5, Delete: 6, Created: created},
	}
	if diff := cmp.Diff(want, rulesOf(t, e)); diff != "" {
		t.Errorf("rules (-want +got):\n%s", diff)
	}

	if err := e.Advance(time.Hour); err != nil {
		t.Fatal(err)
	}
	if err := e.UpdateRule(owner, "bucket-1", engine.LifecycleRule{Name: "a", Prefix: "z", ToArchive: 9}); err != nil {
		t.Fatal(err)
	}
	if err := e.DeleteRule(owner, "bucket-1", "b"); err != nil {
		t.Fatal(err)
	}
	wantError(t, e.DeleteRule(owner, "bucket-1", "b"), 400, "rule name not found")
	want = []engine.LifecycleRule{{Name: "a", Prefix: "z", ToArchive: 9, Created: created}, want[2]}
	if diff := cmp.Diff(want, rulesOf(t, e)); diff != "" {
		t.Errorf("rules after an update and a deletion (-want +got):\n%s", diff)
	}

	wantError(t, e.AddRule(other, "bucket-1", engine.LifecycleRule{Name: "x"}), 631, "no such bucket")
	wantError(t, e.UpdateRule(other, "bucket-1", engine.LifecycleRule{Name: "a"}), 631, "no such bucket")
	wantError(t, e.DeleteRule(other, "bucket-1", "a"), 631, "no such bucket")
	if err := e.DropBucket(owner, "bucket-1"); err != nil {
		t.Fatal(err)
	}
	createBucket(t, e, "bucket-1")
	if rules := rulesOf(t, e); rules != nil {
		t.Errorf("a bucket that was made anew has rules: %+v", rules)
	}
}

func TestEventRules(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	rule := func(name, prefix, suffix string) engine.EventRule {
		return engine.EventRule{Name: name, Prefix: prefix, Suffix: suffix, Events: []string{"put"}, URLs: []string{"http://127.0.0.1/"}}
	}
	with := func(change func(*engine.EventRule)) engine.EventRule {
		r := rule("new", "new", "")
		change(&r)
		return r
	}
	add := func(r engine.EventRule) error { return e.AddEventRule(owner, "bucket-1", r) }
	all := with(func(r *engine.EventRule) {
		r.Name, r.Prefix, r.Host, r.AccessKey = "all", "", "example.com", owner
		r.Events = []string{
			"put", "mkfile", "delete", "copy", "move", "append", "disable", "enable", "deleteMarkerCreate", "predelete", "restore:completed",
		}
		r.URLs = []string{"https://a.example.com/x?inspect", "http://127.0.0.1:8080"}
	})
	for _, accepted := range []engine.EventRule{all, rule("a", "x", ""), rule("b", "x", ".jpg"), rule("c", "", ".jpg")} {
		if err := add(accepted); err != nil {
			t.Fatal(err)
		}
	}
	const noURL = "callbackURL must starts with http:// or https://"
	wantError(t, add(rule("a", "x", "")), 400, "event name exists")
	wantError(t, add(rule("new", "x", "")), 400, "event prefix and suffix exists")
	wantError(t, e.UpdateEventRule(owner, "bucket-1", rule("new", "new", "")), 400, "event name not found")
	wantError(t, e.UpdateEventRule(owner, "bucket-1", rule("a", "x", ".jpg")), 400, "event prefix and suffix exists")
	wantError(t, add(with(func(r *engine.EventRule) { r.Events = nil })), 400, "invalid events")
	wantError(t, add(with(func(r *engine.EventRule) { r.Events = []string{"put", "burn"} })), 400, "invalid events")
	wantError(t, add(with(func(r *engine.EventRule) { r.URLs = nil })), 400, noURL)
	wantError(t, add(with(func(r *engine.EventRule) { r.URLs = []string{"http://a", "ftp://a"} })), 400, noURL)
	wantError(t, add(with(func(r *engine.EventRule) { r.Name = "a b" })), 400, "invalid event name")
	wantError(t, e.AddEventRule(other, "bucket-1", rule("new", "new", "")), 631, "no such bucket")

	if err := e.UpdateEventRule(owner, "bucket-1", rule("a", "y", "z")); err != nil {
		t.Fatal(err)
	}
	if err := e.DeleteEventRule(owner, "bucket-1", "b"); err != nil {
		t.Fatal(err)
	}
	wantError(t, e.DeleteEventRule(owner, "bucket-1", "b"), 400, "event name not found")
	bucket, err := e.Bucket(owner, "bucket-1")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]engine.EventRule{all, rule("a", "y", "z"), rule("c", "", ".jpg")}, bucket.Events); diff != "" {
		t.Errorf("rules (-want +got):\n%s", diff)
	}
}
