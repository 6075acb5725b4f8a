package engine_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/qiniu/terraform-provider-kodo/internal/emulator/engine"
)

// putRich stores "hello" with something in every field of an object: disabled, to
// be deleted, in class IA. It returns the object with its parts.
func putRich(t *testing.T, e *engine.Engine, key string) engine.Object {
	t.Helper()
	ref := engine.UploadRef{Owner: owner, Bucket: "bucket-1", Key: &key}
	upload, err := e.BeginUpload(ref)
	if err != nil {
		t.Fatal(err)
	}
	ref.ID = upload.ID
	blob, err := e.NewBlob(strings.NewReader("hello"))
	if err != nil {
		t.Fatal(err)
	}
	defer blob.Discard()
	part, err := e.UploadPart(ref, 1, blob)
	if err != nil {
		t.Fatal(err)
	}
	_, err = e.CompleteUpload(engine.Complete{
		UploadRef: ref, Parts: []engine.PartRef{{Number: 1, ETag: part.ETag}},
		Object: engine.Put{MimeType: "text/plain", EndUser: "me", FileType: engine.IA, Meta: map[string]string{"a": "1"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := e.ChangeStatus(at(key, nil), true); err != nil {
		t.Fatal(err)
	}
	if err := e.ChangeLifetime(at(key, nil), engine.Days{To: map[int]int{engine.Archive: 30}, Delete: 60}); err != nil {
		t.Fatal(err)
	}
	return mustStat(t, e, key)
}

func transfer(from, to string, force bool) engine.Copy {
	return engine.Copy{Owner: owner, FromBucket: "bucket-1", From: from, ToBucket: "bucket-1", To: to, Force: force}
}

func TestCopyObject(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	createBucket(t, e, "bucket-2")
	source := putRich(t, e, "source")
	if err := e.CopyObject(engine.Copy{Owner: owner, FromBucket: "bucket-1", From: "source", ToBucket: "bucket-2", To: "a/b"}); err != nil {
		t.Fatal(err)
	}
	got, err := e.Stat(owner, "bucket-2", "a/b")
	if err != nil {
		t.Fatal(err)
	}
	if got.PutTime <= source.PutTime {
		t.Errorf("the copy has the put time %d, its source %d", got.PutTime, source.PutTime)
	}
	want := engine.Object{
		Bucket: "bucket-2", Key: "a/b", Hash: "Fqr0xh3cxeii2r7eDztILNmuqUNN", Size: 5, MimeType: "text/plain", EndUser: "me",
		FileType: 1, Meta: map[string]string{"a": "1"}, Parts: []int64{5}, Multipart: true, PutTime: got.PutTime,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("copy (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(source, mustStat(t, e, "source")); diff != "" {
		t.Errorf("the source was changed (-want +got):\n%s", diff)
	}
	if err := e.Delete(owner, "bucket-1", "source"); err != nil {
		t.Fatal(err)
	}
	content, err := e.OpenContent("bucket-2", "a/b")
	if err != nil {
		t.Fatal(err)
	}
	defer content.Close() //nolint:errcheck // Reading it tells.
	if b := make([]byte, 5); true {
		if n, err := content.Read(b); n != 5 || err != nil || string(b) != "hello" {
			t.Errorf("after the source was deleted, the copy reads %q, %v", b[:n], err)
		}
	}
}

func TestMoveObject(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	want := putRich(t, e, "source")
	mustPut(t, e, "target", "other content")
	wantError(t, e.MoveObject(transfer("source", "target", false)), 614, "file exists")
	if err := e.MoveObject(transfer("source", "target", true)); err != nil {
		t.Fatal(err)
	}
	want.Key = "target"
	if diff := cmp.Diff(want, mustStat(t, e, "target")); diff != "" {
		t.Errorf("moved (-want +got):\n%s", diff)
	}
	_, err := e.Stat(owner, "bucket-1", "source")
	wantError(t, err, 612, "no such file or directory")
	if got := contentOf(t, e, "target"); got != "hello" {
		t.Errorf("content = %q", got)
	}
}

// What is copied or moved onto itself is still there.
func TestTransferOntoItself(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	want := mustPut(t, e, "key", "hello")
	wantError(t, e.MoveObject(transfer("key", "key", false)), 614, "file exists")
	wantError(t, e.CopyObject(transfer("key", "key", false)), 614, "file exists")
	if err := e.MoveObject(transfer("key", "key", true)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, mustStat(t, e, "key")); diff != "" {
		t.Errorf("moved onto itself (-want +got):\n%s", diff)
	}
	if err := e.CopyObject(transfer("key", "key", true)); err != nil {
		t.Fatal(err)
	}
	got := mustStat(t, e, "key")
	if got.PutTime <= want.PutTime {
		t.Errorf("put time %d after %d", got.PutTime, want.PutTime)
	}
	if want.PutTime = got.PutTime; cmp.Diff(want, got) != "" {
		t.Errorf("copied onto itself (-want +got):\n%s", cmp.Diff(want, got))
	}
	if got := contentOf(t, e, "key"); got != "hello" {
		t.Errorf("content = %q", got)
	}
}

func TestTransferRefuses(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	mustPut(t, e, "key", "hello")
	mustPut(t, e, "taken", "other")
	if _, err := e.CreateBucket(owner, "far-away", "z1", true); err != nil {
		t.Fatal(err)
	}
	if _, err := e.CreateBucket(other, "of-another", "z0", true); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		copy    engine.Copy
		code    int
		message string
	}{
		"no source":          {engine.Copy{From: "missing"}, 612, "no such file or directory"},
		"target exists":      {engine.Copy{To: "taken"}, 614, "file exists"},
		"no source bucket":   {engine.Copy{FromBucket: "no-bucket"}, 631, "no such bucket"},
		"no target bucket":   {engine.Copy{ToBucket: "no-bucket"}, 631, "no such bucket"},
		"another's bucket":   {engine.Copy{ToBucket: "of-another"}, 631, "no such bucket"},
		"another's request":  {engine.Copy{Owner: other}, 631, "no such bucket"},
		"another region":     {engine.Copy{ToBucket: "far-away"}, 400, "incorrect region, the buckets are in z0 and z1"},
		"long key":           {engine.Copy{To: strings.Repeat("k", 751)}, 400, "key is longer than 750 bytes"},
		"key not UTF-8":      {engine.Copy{To: "\xff"}, 400, "key must be utf8 encoding"},
		"region before key":  {engine.Copy{From: "missing", ToBucket: "far-away"}, 400, "incorrect region, the buckets are in z0 and z1"},
		"bucket before keys": {engine.Copy{From: "missing", ToBucket: "no-bucket"}, 631, "no such bucket"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := transfer("key", "new", false)
			for _, set := range []struct {
				to   *string
				from string
			}{
				{&c.Owner, test.copy.Owner}, {&c.FromBucket, test.copy.FromBucket}, {&c.From, test.copy.From},
				{&c.ToBucket, test.copy.ToBucket}, {&c.To, test.copy.To},
			} {
				if set.from != "" {
					*set.to = set.from
				}
			}
			wantError(t, e.CopyObject(c), test.code, test.message)
			wantError(t, e.MoveObject(c), test.code, test.message)
			mustStat(t, e, "key")
		})
	}
}
