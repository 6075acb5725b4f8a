package engine_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/qiniu/terraform-provider-kodo/internal/emulator/engine"
)

// listener remembers the events of an engine, each as one line.
type listener struct {
	mu    sync.Mutex
	lines []string
}

func (l *listener) add(event engine.Event) {
	line := event.Name + " " + event.Object.Bucket + ":" + event.Object.Key
	if event.Dest != nil {
		line += " " + event.Dest.Bucket + ":" + event.Dest.Key
	}
	if !event.Until.IsZero() {
		line += " until " + event.Until.UTC().Format(time.DateTime)
	}
	for _, rule := range event.Rules {
		line += " " + rule.Name
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, line)
}

// want fails the test unless these events have happened since the last time.
func (l *listener) want(t *testing.T, want ...string) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	if diff := cmp.Diff(want, l.lines); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	l.lines = nil
}

// newListener returns an engine like newEngine's and the listener to its events.
func newListener(t *testing.T) (*engine.Engine, *listener) {
	t.Helper()
	l := &listener{}
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	e := open(t, engine.Options{Dir: t.TempDir(), Now: func() time.Time { return now }, OnEvent: l.add})
	createBucket(t, e, "bucket-1")
	return e, l
}

func addEventRule(t *testing.T, e *engine.Engine, bucket string, rule engine.EventRule) {
	t.Helper()
	rule.URLs = []string{"http://127.0.0.1/"}
	if err := e.AddEventRule(owner, bucket, rule); err != nil {
		t.Fatal(err)
	}
}

func TestEvents(t *testing.T) {
	t.Parallel()
	e, l := newListener(t)
	mustPut(t, e, "unheard", "")
	l.want(t)
	addEventRule(t, e, "bucket-1", engine.EventRule{Name: "all", Events: []string{
		"put", "mkfile", "delete", "copy", "move", "disable", "enable", "restore:completed",
	}})
	do := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	at := func(key string) engine.ObjectRef {
		return engine.ObjectRef{Owner: owner, Bucket: "bucket-1", Key: key}
	}
	mustPut(t, e, "a", "x")
	l.want(t, "put bucket-1:a all")
	upload := beginUpload(t, e, ref("parts"))
	part := uploadPart(t, e, upload, 1, strings.NewReader("x"))
	l.want(t)
	_, err := e.CompleteUpload(engine.Complete{UploadRef: upload, Parts: []engine.PartRef{part}})
	do(err)
	l.want(t, "mkfile bucket-1:parts all")
	do(e.CopyObject(engine.Copy{Owner: owner, FromBucket: "bucket-1", From: "a", ToBucket: "bucket-1", To: "b"}))
	do(e.MoveObject(engine.Copy{Owner: owner, FromBucket: "bucket-1", From: "b", ToBucket: "bucket-1", To: "c"}))
	l.want(t, "copy bucket-1:a bucket-1:b all", "move bucket-1:b bucket-1:c all")
	do(e.ChangeStatus(at("c"), true))
	do(e.ChangeStatus(at("c"), false))
	l.want(t, "disable bucket-1:c all", "enable bucket-1:c all")
	do(e.ChangeMeta(engine.MetaChange{ObjectRef: at("c"), MimeType: "a/b"}))
	do(e.ChangeClass(at("c"), engine.Archive))
	do(e.RestoreArchive(at("c"), 2))
	l.want(t)
	advance(t, e, 4*time.Minute)
	l.want(t)
	advance(t, e, time.Hour)
	l.want(t, "restore:completed bucket-1:c until 2026-03-03 12:05:00 all")
	advance(t, e, 72*time.Hour) // It freezes again.
	l.want(t)
	do(e.Delete(owner, "bucket-1", "c"))
	l.want(t, "delete bucket-1:c all")

	// What is refused is no event.
	wantError(t, e.Delete(owner, "bucket-1", "c"), 612, "no such file or directory")
	wantError(t, e.ChangeStatus(at("a"), false), 400, "already enabled")
	wantError(t, e.CopyObject(engine.Copy{Owner: owner, FromBucket: "bucket-1", From: "a", ToBucket: "bucket-1", To: "parts"}), 614, "file exists")
	setQuota(t, e, -1, 1)
	_, err = putContent(e, "bucket-1", "too-many", nil)
	wantError(t, err, 403, quotaExceeded)
	l.want(t)
}

// An event is told to the rules that ask for it and for the key, in the bucket of
// the object and in that of the destination.
func TestEventRulesMatch(t *testing.T) {
	t.Parallel()
	e, l := newListener(t)
	createBucket(t, e, "bucket-2")
	put := []string{"put", "copy"}
	addEventRule(t, e, "bucket-1", engine.EventRule{Name: "prefix", Events: put, Prefix: "img/"})
	addEventRule(t, e, "bucket-1", engine.EventRule{Name: "suffix", Events: put, Suffix: ".jpg"})
	addEventRule(t, e, "bucket-1", engine.EventRule{Name: "both", Events: put, Prefix: "img/", Suffix: ".jpg"})
	addEventRule(t, e, "bucket-1", engine.EventRule{Name: "other", Events: []string{"delete"}, Prefix: "i"})
	addEventRule(t, e, "bucket-2", engine.EventRule{Name: "there", Events: put, Prefix: "new"})
	for _, key := range []string{"img/a.jpg", "img/a.png", "a.jpg", "a.png"} {
		mustPut(t, e, key, "")
	}
	l.want(t, "put bucket-1:img/a.jpg prefix suffix both", "put bucket-1:img/a.png prefix", "put bucket-1:a.jpg suffix")
	mustPut(t, e, "new", "") // As the rule of the other bucket would have it.
	for _, to := range []string{"a.jpg bucket-1 img/b", "a.jpg bucket-2 old", "a.jpg bucket-2 new", "new bucket-2 old2"} {
		names := strings.Fields(to)
		if err := e.CopyObject(engine.Copy{Owner: owner, FromBucket: "bucket-1", From: names[0], ToBucket: names[1], To: names[2]}); err != nil {
			t.Fatal(err)
		}
	}
	l.want(t, "copy bucket-1:a.jpg bucket-1:img/b prefix suffix", "copy bucket-1:a.jpg bucket-2:old suffix", "copy bucket-1:a.jpg bucket-2:new suffix there")
}

// Changes that share a commit with one that fails halfway are told once each.
func TestEventsAtOnce(t *testing.T) {
	t.Parallel()
	e, l := newListener(t)
	addEventRule(t, e, "bucket-1", engine.EventRule{Name: "r", Events: []string{"put"}})
	setQuota(t, e, -1, 20)
	var uploads sync.WaitGroup
	for i := range 60 {
		uploads.Go(func() { putContent(e, "bucket-1", fmt.Sprint(i), nil) }) //nolint:errcheck // Most are refused.
	}
	uploads.Wait()
	if len(l.lines) != 20 {
		t.Errorf("%d events of 20 uploads", len(l.lines))
	}
}
