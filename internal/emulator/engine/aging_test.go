package engine_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/qiniu/terraform-provider-kodo/internal/emulator/engine"
)

// The clock of newEngine stands at 20:00 on 1 March in Beijing.
const toMidnight = 4 * time.Hour

// advance moves the clock.
func advance(t *testing.T, e *engine.Engine, d time.Duration) {
	t.Helper()
	if err := e.Advance(d); err != nil {
		t.Fatal(err)
	}
}

// wantClasses fails the test unless bucket-1 has these keys, in these storage classes.
func wantClasses(t *testing.T, e *engine.Engine, step string, want map[string]int) {
	t.Helper()
	page, err := e.List(engine.ListRequest{Owner: owner, Bucket: "bucket-1"})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]int{}
	for _, object := range page.Items {
		got[object.Key] = object.FileType
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s: classes (-want +got):\n%s", step, diff)
	}
}

func TestRulesRun(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	for _, key := range []string{"log/a", "log/keep/a", "logs", "other"} {
		mustPut(t, e, key, key)
	}
	addRule(t, e, engine.LifecycleRule{Name: "logs", Prefix: "log/", ToIA: 1, ToArchive: 2, Delete: 4})
	addRule(t, e, engine.LifecycleRule{Name: "keep", Prefix: "log/keep/", ToDeepArchive: 3})
	addRule(t, e, engine.LifecycleRule{Name: "half", Prefix: "logs"})
	before, err := e.Stat(owner, "bucket-1", "log/a")
	if err != nil {
		t.Fatal(err)
	}
	all := func(a, keep int) map[string]int {
		return map[string]int{"log/a": a, "log/keep/a": keep, "logs": 0, "other": 0}
	}
	advance(t, e, toMidnight) // 2 March: no day has passed.
	wantClasses(t, e, "the first midnight", all(0, 0))
	mustPut(t, e, "log/b", "one day younger")
	advance(t, e, 24*time.Hour-time.Second)
	wantClasses(t, e, "before the second midnight", map[string]int{"log/a": 0, "log/b": 0, "log/keep/a": 0, "logs": 0, "other": 0})
	advance(t, e, time.Second) // 3 March.
	wantClasses(t, e, "the second midnight", map[string]int{"log/a": 1, "log/b": 0, "log/keep/a": 0, "logs": 0, "other": 0})
	advance(t, e, 24*time.Hour) // 4 March.
	wantClasses(t, e, "the third midnight", map[string]int{"log/a": 2, "log/b": 1, "log/keep/a": 0, "logs": 0, "other": 0})
	after, err := e.Stat(owner, "bucket-1", "log/a")
	if before.FileType = 2; err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, after); diff != "" {
		t.Errorf("what a rule has changed (-want +got):\n%s", diff)
	}
	advance(t, e, 48*time.Hour) // 6 March.
	wantClasses(t, e, "the fifth midnight", map[string]int{"log/b": 2, "log/keep/a": 3, "logs": 0, "other": 0})
	advance(t, e, 24*time.Hour)
	wantClasses(t, e, "the sixth midnight", map[string]int{"log/keep/a": 3, "logs": 0, "other": 0})
}

// What is overdue when a rule comes, or while the clock jumps, happens at once and
// as if it had happened in time.
func TestRulesCatchUp(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	createBucket(t, e, "bucket-2")
	if _, err := putContent(e, "bucket-2", "a", nil); err != nil {
		t.Fatal(err)
	}
	mustPut(t, e, "a", "")
	mustPut(t, e, "cold", "")
	if err := e.ChangeClass(engine.ObjectRef{Owner: owner, Bucket: "bucket-1", Key: "cold"}, engine.DeepArchive); err != nil {
		t.Fatal(err)
	}
	advance(t, e, 240*time.Hour)
	addRule(t, e, engine.LifecycleRule{Name: "all", ToIA: 1, ToArchiveIR: 5})
	advance(t, e, time.Hour)
	wantClasses(t, e, "before midnight", map[string]int{"a": 0, "cold": 3})
	advance(t, e, 24*time.Hour)
	wantClasses(t, e, "at midnight", map[string]int{"a": 4, "cold": 3})
	if err := e.UpdateRule(owner, "bucket-1", engine.LifecycleRule{Name: "all", Prefix: "a", Delete: 1}); err != nil {
		t.Fatal(err)
	}
	advance(t, e, 100*24*time.Hour)
	wantClasses(t, e, "after an update", map[string]int{"cold": 3})
	if page, err := e.List(engine.ListRequest{Owner: owner, Bucket: "bucket-2"}); err != nil || len(page.Items) != 1 {
		t.Errorf("a bucket without rules has %d objects, %v, want 1", len(page.Items), err)
	}

	// A rule that was deleted does nothing, and one that comes anew waits for midnight.
	mustPut(t, e, "a", "")
	if err := e.DeleteRule(owner, "bucket-1", "all"); err != nil {
		t.Fatal(err)
	}
	advance(t, e, 240*time.Hour)
	addRule(t, e, engine.LifecycleRule{Name: "again", Prefix: "a", Delete: 1})
	advance(t, e, time.Minute)
	wantClasses(t, e, "without the rule", map[string]int{"a": 0, "cold": 3})
	advance(t, e, 24*time.Hour)
	wantClasses(t, e, "with it again", map[string]int{"cold": 3})
}

func TestRulesAtUpload(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	addRule(t, e, engine.LifecycleRule{Name: "ia", Prefix: "ia/", ToIA: -1, Delete: 1})
	addRule(t, e, engine.LifecycleRule{Name: "ir", Prefix: "ir/", ToArchiveIR: -30})
	put := mustPut(t, e, "ia/a", "")
	if put.FileType != 1 {
		t.Errorf("the answer to the upload has the class %d, want 1", put.FileType)
	}
	mustPut(t, e, "ir/a", "")
	mustPut(t, e, "a", "")
	blob, err := e.NewBlob(strings.NewReader(""))
	if err != nil {
		t.Fatal(err)
	}
	defer blob.Discard()
	colder := "ia/colder"
	if _, err := e.PutObject(engine.Put{Owner: owner, Bucket: "bucket-1", Key: &colder, Blob: blob, FileType: engine.Archive}); err != nil {
		t.Fatal(err)
	}
	upload := beginUpload(t, e, ref("ir/parts"))
	part := uploadPart(t, e, upload, 1, strings.NewReader("x"))
	if _, err := e.CompleteUpload(engine.Complete{UploadRef: upload, Parts: []engine.PartRef{part}}); err != nil {
		t.Fatal(err)
	}
	if err := e.CopyObject(engine.Copy{Owner: owner, FromBucket: "bucket-1", From: "a", ToBucket: "bucket-1", To: "ia/copy"}); err != nil {
		t.Fatal(err)
	}
	wantClasses(t, e, "at once", map[string]int{"a": 0, "ia/a": 1, "ia/colder": 2, "ia/copy": 0, "ir/a": 4, "ir/parts": 4})
	advance(t, e, 48*time.Hour)
	wantClasses(t, e, "later", map[string]int{"a": 0, "ir/a": 4, "ir/parts": 4})
}

// A bucket of more objects than one commit looks at loses none and keeps none.
func TestRulesOfManyObjects(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	addRule(t, e, engine.LifecycleRule{Name: "all", Prefix: "old", Delete: 1})
	for i := range 1500 {
		mustPut(t, e, fmt.Sprintf("keep%04d", i), "")
		mustPut(t, e, fmt.Sprintf("old%04d", i), "")
	}
	advance(t, e, 48*time.Hour)
	if usage, err := e.Usage(owner, "bucket-1"); err != nil || usage.Files != 1500 {
		t.Errorf("%+v, %v, want 1500 files", usage, err)
	}
}

func TestRulesFreeQuota(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	setQuota(t, e, -1, 1)
	addRule(t, e, engine.LifecycleRule{Name: "all", Delete: 1})
	mustPut(t, e, "a", "")
	advance(t, e, 48*time.Hour)
	mustPut(t, e, "b", "")
}

// A rule that was added today waits for midnight, whatever is overdue, also when the
// emulator is started again before that.
func TestRulesAfterRestart(t *testing.T) {
	t.Parallel()
	options := engine.Options{Dir: t.TempDir(), Now: func() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) }}
	e, err := engine.Open(options)
	if err != nil {
		t.Fatal(err)
	}
	createBucket(t, e, "bucket-1")
	mustPut(t, e, "a", "")
	advance(t, e, 240*time.Hour)
	addRule(t, e, engine.LifecycleRule{Name: "all", Delete: 1})
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	e = open(t, options)
	advance(t, e, time.Minute)
	wantClasses(t, e, "on the same day", map[string]int{"a": 0})
	advance(t, e, toMidnight)
	wantClasses(t, e, "after midnight", map[string]int{})
}
