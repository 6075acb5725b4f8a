package engine_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/qiniu/terraform-provider-kodo/internal/emulator/engine"
)

const quotaExceeded = "the quota of the bucket is exceeded"

func setQuota(t *testing.T, e *engine.Engine, bytes, files int64) {
	t.Helper()
	if err := e.SetQuota(owner, "bucket-1", engine.Quota{Bytes: bytes, Files: files}); err != nil {
		t.Fatal(err)
	}
}

func TestSetQuota(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	check := func(step string, bytes, files int64) {
		t.Helper()
		if got, err := e.Quota(owner, "bucket-1"); err != nil || got != (engine.Quota{Bytes: bytes, Files: files}) {
			t.Errorf("%s: %+v, %v, want %d bytes and %d files", step, got, err, bytes, files)
		}
	}
	check("at first", -1, -1)
	setQuota(t, e, 100, 0)
	check("bytes", 100, -1)
	setQuota(t, e, 0, 7)
	check("files", 100, 7)
	setQuota(t, e, 0, 0)
	check("nothing", 100, 7)
	setQuota(t, e, -1, 8)
	check("no bytes", -1, 8)
	wantError(t, e.SetQuota(owner, "bucket-1", engine.Quota{Bytes: -2}), 400, "invalid arguments")
	wantError(t, e.SetQuota(owner, "bucket-1", engine.Quota{Bytes: 5, Files: -2}), 400, "invalid arguments")
	check("refusals", -1, 8)
	setQuota(t, e, -1, -1)
	check("none", -1, -1)

	wantError(t, e.SetQuota(other, "bucket-1", engine.Quota{Files: 1}), 631, "no such bucket")
	_, err := e.Quota(other, "bucket-1")
	wantError(t, err, 631, "no such bucket")
}

func TestQuotaHolds(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	put := func(key, content string) error {
		_, err := putContent(e, "bucket-1", key, []byte(content))
		return err
	}
	accepted := func(step string, err error) {
		t.Helper()
		if err != nil {
			t.Errorf("%s: %v", step, err)
		}
	}
	mustPut(t, e, "before", "12345") // Counts although it came first.
	createBucket(t, e, "bucket-10")  // Has no quota, and is no part of bucket-1.
	setQuota(t, e, 12, 3)

	accepted("a second", put("second", "1234567"))
	wantError(t, put("third", "1"), 403, quotaExceeded)
	accepted("an empty third", put("third", ""))
	wantError(t, put("fourth", ""), 403, quotaExceeded)
	wantError(t, put("before", "123456"), 403, quotaExceeded)
	accepted("a smaller one", put("before", "123"))
	accepted("what that has freed", put("third", "12"))
	accepted("elsewhere", func() error { _, err := putContent(e, "bucket-10", "k", make([]byte, 99)); return err }())
	accepted("a change of metadata", e.ChangeMeta(engine.MetaChange{ObjectRef: at("third", nil), MimeType: "a/b"}))
	if err := e.Delete(owner, "bucket-1", "second"); err != nil {
		t.Fatal(err)
	}
	accepted("after a deletion", put("again", "1234567"))

	upload := beginUpload(t, e, ref("parts"))
	part := uploadPart(t, e, upload, 1, strings.NewReader("x"))
	complete := engine.Complete{UploadRef: upload, Parts: []engine.PartRef{part}}
	_, err := e.CompleteUpload(complete)
	wantError(t, err, 403, quotaExceeded)
	setQuota(t, e, 13, 4)
	_, err = e.CompleteUpload(complete) // The upload is still there.
	accepted("completed", err)

	// Below what is there nothing may grow, all else may happen.
	setQuota(t, e, 1, 1)
	wantError(t, put("before", "1234"), 403, quotaExceeded)
	accepted("shrinking", put("before", "12"))
	setQuota(t, e, -1, -1)
	accepted("without a quota", put("more", "1234567890"))
	setQuota(t, e, 22, 5) // Counts what has come meanwhile.
	wantError(t, put("more", "12345678901"), 403, quotaExceeded)
	if err := e.Delete(owner, "bucket-1", "more"); err != nil {
		t.Fatal(err)
	}
	accepted("the last byte", put("more", "1234567890"))
}

// A move inside a bucket adds nothing to it, however much it holds; one to another
// bucket does.
func TestQuotaOfMoves(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	createBucket(t, e, "bucket-2")
	move := func(from, toBucket, to string) error {
		return e.MoveObject(engine.Copy{Owner: owner, FromBucket: "bucket-1", From: from, ToBucket: toBucket, To: to, Force: true})
	}
	mustPut(t, e, "a", "12345")
	mustPut(t, e, "b", "1234567")
	setQuota(t, e, 1, 1)
	for step, err := range map[string]error{
		"to a new key": move("a", "bucket-1", "c"), "onto another": move("c", "bucket-1", "b"), "onto itself": move("b", "bucket-1", "b"),
	} {
		if err != nil {
			t.Errorf("%s: %v", step, err)
		}
	}

	setQuota(t, e, 6, 2) // One byte in one object more than it holds by now.
	_, err := putContent(e, "bucket-1", "d", []byte("12"))
	wantError(t, err, 403, quotaExceeded)
	mustPut(t, e, "d", "1")
	_, err = putContent(e, "bucket-1", "e", nil)
	wantError(t, err, 403, quotaExceeded)

	if err := e.SetQuota(owner, "bucket-2", engine.Quota{Bytes: 4}); err != nil {
		t.Fatal(err)
	}
	wantError(t, move("b", "bucket-2", "b"), 403, quotaExceeded)
	if err := move("d", "bucket-2", "d"); err != nil {
		t.Errorf("to another bucket: %v", err)
	}
	mustPut(t, e, "e", "1") // What has left has made room.
	_, err = putContent(e, "bucket-2", "e", []byte("1234"))
	wantError(t, err, 403, quotaExceeded)
}

// Uploads that come at the same time cannot both take the last place.
func TestQuotaAtOnce(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	setQuota(t, e, -1, 10)
	var uploads sync.WaitGroup
	for i := range 40 {
		uploads.Go(func() { putContent(e, "bucket-1", fmt.Sprint(i), []byte("x")) }) //nolint:errcheck // Most are refused.
	}
	uploads.Wait()
	if usage, err := e.Usage(owner, "bucket-1"); err != nil || usage.Files != 10 {
		t.Errorf("the bucket holds %+v, %v, want 10 files", usage, err)
	}
}

func TestQuotaGoesWithTheBucket(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	setQuota(t, e, -1, 1)
	if err := e.DropBucket(owner, "bucket-1"); err != nil {
		t.Fatal(err)
	}
	createBucket(t, e, "bucket-1")
	mustPut(t, e, "a", "")
	mustPut(t, e, "b", "")
	if got, err := e.Quota(owner, "bucket-1"); err != nil || got != (engine.Quota{Bytes: -1, Files: -1}) {
		t.Errorf("quota of the new bucket: %+v, %v", got, err)
	}
}
