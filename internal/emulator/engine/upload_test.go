package engine_test

import (
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/qiniu/terraform-provider-kodo/internal/emulator/engine"
)

const mib = 1 << 20

// beginUpload begins an upload to bucket-1.
func beginUpload(t *testing.T, e *engine.Engine, key *string) engine.UploadRef {
	t.Helper()
	upload := engine.UploadRef{Owner: owner, Bucket: "bucket-1", Key: key}
	begun, err := e.BeginUpload(upload)
	if err != nil {
		t.Fatal(err)
	}
	upload.ID = begun.ID
	return upload
}

func uploadPart(t *testing.T, e *engine.Engine, upload engine.UploadRef, number int, content io.Reader) engine.PartRef {
	t.Helper()
	blob, err := e.NewBlob(content)
	if err != nil {
		t.Fatal(err)
	}
	defer blob.Discard()
	part, err := e.UploadPart(upload, number, blob)
	if err != nil {
		t.Fatal(err)
	}
	return engine.PartRef{Number: number, ETag: part.ETag}
}

// The hashes are published vectors: of 5 MiB of zeros, form and multipart, and of
// the parts "hello" and "world" from the Rust SDK's tests (here with a first part
// of 1 MiB, since Kodo takes no smaller one).
func TestCompleteUpload(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		sizes []int64
		want  string
	}{
		"4 MiB and 1 MiB": {[]int64{4 * mib, mib}, "lrMhp7oU8rzWSRlmUeGJ73Q2pVa-"},
		"5 MiB":           {[]int64{5 * mib}, "nukH1NCKrGHM2Z4wgld-sfzD28_e"},
		"five of 1 MiB":   {[]int64{mib, mib, mib, mib, mib}, "nh-1WgCDgdWnTWmrzJIAB8qrEJWt"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newEngine(t)
			upload := beginUpload(t, e, ref("key"))
			complete := engine.Complete{
				UploadRef: upload, Object: engine.Put{MimeType: "video/mp4", EndUser: "me", Meta: map[string]string{"a": "b"}},
			}
			for i, size := range test.sizes {
				complete.Parts = append(complete.Parts, uploadPart(t, e, upload, 3*i+1, io.LimitReader(zeros{}, size)))
			}
			uploadPart(t, e, upload, 9999, strings.NewReader("not named when it is completed"))
			got, err := e.CompleteUpload(complete)
			if err != nil {
				t.Fatal(err)
			}
			want := engine.Object{
				Bucket: "bucket-1", Key: "key", Hash: test.want, Size: 5 * mib, MimeType: "video/mp4", EndUser: "me",
				Meta: map[string]string{"a": "b"}, Parts: test.sizes, Multipart: true, PutTime: got.PutTime,
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("completed (-want +got):\n%s", diff)
			}
			if got, err = e.Stat(owner, "bucket-1", "key"); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("stat (-want +got):\n%s", diff)
			}
			if got := contentOf(t, e, "key"); got != strings.Repeat("\x00", 5*mib) {
				t.Errorf("the content has %d bytes, or others than zeros", len(got))
			}
			_, err = e.CompleteUpload(complete)
			wantError(t, err, 612, "no such uploadId")
		})
	}
}

func TestCompleteUploadWithoutKey(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	upload := beginUpload(t, e, nil)
	part := uploadPart(t, e, upload, 1, strings.NewReader("hello"))
	object, err := e.CompleteUpload(engine.Complete{UploadRef: upload, Parts: []engine.PartRef{part}})
	if err != nil || object.Key != "Fqr0xh3cxeii2r7eDztILNmuqUNN" {
		t.Errorf("key = %q, %v", object.Key, err)
	}
}

func TestCompleteUploadRefuses(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	upload := beginUpload(t, e, ref("key"))
	small := uploadPart(t, e, upload, 1, strings.NewReader("small"))
	large := uploadPart(t, e, upload, 2, io.LimitReader(zeros{}, mib))
	empty := uploadPart(t, e, upload, 3, strings.NewReader(""))
	const smallText = "invalid part %d: only the last part may be smaller than 1048576 bytes, but not empty"
	for _, test := range []struct {
		parts   []engine.PartRef
		message string
	}{
		{nil, "parts param can't be empty"},
		{[]engine.PartRef{large, small}, "part numbers must ascend from 1 to 10000"},
		{[]engine.PartRef{large, large}, "part numbers must ascend from 1 to 10000"},
		{[]engine.PartRef{{Number: 0, ETag: small.ETag}}, "part numbers must ascend from 1 to 10000"},
		{[]engine.PartRef{{Number: 10001, ETag: small.ETag}}, "part numbers must ascend from 1 to 10000"},
		{[]engine.PartRef{small, large}, fmt.Sprintf(smallText, 1)},
		{[]engine.PartRef{large, empty}, fmt.Sprintf(smallText, 3)},
		{[]engine.PartRef{large, {Number: 4, ETag: small.ETag}}, "invalid part 4: no part of this number and etag was uploaded"},
		{[]engine.PartRef{{Number: 1, ETag: large.ETag}}, "invalid part 1: no part of this number and etag was uploaded"},
	} {
		_, err := e.CompleteUpload(engine.Complete{UploadRef: upload, Parts: test.parts})
		wantError(t, err, 400, test.message)
	}
	// The upload is none the worse for it.
	if _, err := e.CompleteUpload(engine.Complete{UploadRef: upload, Parts: []engine.PartRef{large}}); err != nil {
		t.Error(err)
	}
}

func TestCompleteUploadInsertOnly(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	existing := mustPut(t, e, "key", "hello")
	for content, refused := range map[string]bool{"hello": false, "world": true} {
		upload := beginUpload(t, e, ref("key"))
		part := uploadPart(t, e, upload, 1, strings.NewReader(content))
		got, err := e.CompleteUpload(engine.Complete{UploadRef: upload, Parts: []engine.PartRef{part}, Object: engine.Put{InsertOnly: true}})
		if refused {
			wantError(t, err, 614, "file exists")
		} else if diff := cmp.Diff(existing, got); diff != "" || err != nil {
			t.Errorf("completed with %v (-want +got):\n%s", err, diff)
		}
		_, err = e.ListParts(upload, 0, 0)
		if refused && err != nil {
			t.Errorf("the upload is gone: %v", err)
		} else if !refused {
			wantError(t, err, 612, "no such uploadId")
		}
	}
	if got := contentOf(t, e, "key"); got != "hello" {
		t.Errorf("content = %q", got)
	}
}

func TestListParts(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	upload := beginUpload(t, e, ref("key"))
	for _, number := range []int{10000, 256, 1, 255, 2} {
		uploadPart(t, e, upload, number, strings.NewReader("first"))
	}
	uploadPart(t, e, upload, 2, strings.NewReader("hello")) // In place of the former part 2.
	for _, test := range []struct {
		after, limit int
		want         []int
		next         int
	}{
		{0, 0, []int{1, 2, 255, 256, 10000}, 0},
		{0, 2, []int{1, 2}, 2},
		{2, 2, []int{255, 256}, 256},
		{256, 2, []int{10000}, 0},
		{3, 2, []int{255, 256}, 256},
		{10000, 2, nil, 0},
		{1 << 40, 2, nil, 0},
	} {
		page, err := e.ListParts(upload, test.after, test.limit)
		if err != nil {
			t.Fatal(err)
		}
		var numbers []int
		for _, part := range page.Parts {
			numbers = append(numbers, part.Number)
		}
		if !slices.Equal(numbers, test.want) || page.Next != test.next {
			t.Errorf("ListParts(%d, %d) = %v, %d, want %v, %d", test.after, test.limit, numbers, page.Next, test.want, test.next)
		}
		if want := time.Date(2026, 3, 8, 12, 0, 0, 0, time.UTC); !page.Upload.ExpireAt.Equal(want) || page.Upload.ID != upload.ID {
			t.Errorf("upload = %+v, want it to expire at %v", page.Upload, want)
		}
	}
	page, err := e.ListParts(upload, 1, 1)
	if err != nil {
		t.Fatal(err)
	}
	want := []engine.Part{{
		Number: 2, Size: 5, ETag: "Fqr0xh3cxeii2r7eDztILNmuqUNN", MD5: "5d41402abc4b2a76b9719d911017c592",
		PutTime: 17723664000000006, // The sixth part, the seventh tick.
	}}
	if diff := cmp.Diff(want, page.Parts); diff != "" {
		t.Errorf("parts (-want +got):\n%s", diff)
	}
	for _, test := range [][2]int{{-1, 1}, {0, -1}, {0, 1001}} {
		_, err := e.ListParts(upload, test[0], test[1])
		wantError(t, err, 400, "invalid argument")
	}
}

// An upload answers only to the bucket and key that it was begun with, and to
// nobody once it has ended.
func TestNoSuchUpload(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	createBucket(t, e, "bucket-2")
	upload := beginUpload(t, e, ref("key"))
	part := uploadPart(t, e, upload, 1, strings.NewReader("content"))
	blob, err := e.NewBlob(strings.NewReader("content"))
	if err != nil {
		t.Fatal(err)
	}
	defer blob.Discard()

	otherBucket, otherKey, noKey, unknown := upload, upload, upload, upload
	otherBucket.Bucket = "bucket-2"
	otherKey.Key = ref("other")
	noKey.Key = nil
	unknown.ID = strings.Repeat("0", 32)
	aborted := beginUpload(t, e, nil)
	uploadPart(t, e, aborted, 1, strings.NewReader("content"))
	if err := e.AbortUpload(aborted); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []engine.UploadRef{otherBucket, otherKey, noKey, unknown, aborted, {Owner: owner, Bucket: "bucket-1"}} {
		const text = "no such uploadId"
		_, err := e.UploadPart(bad, 1, blob)
		wantError(t, err, 612, text)
		_, err = e.ListParts(bad, 0, 0)
		wantError(t, err, 612, text)
		_, err = e.CompleteUpload(engine.Complete{UploadRef: bad, Parts: []engine.PartRef{part}})
		wantError(t, err, 612, text)
		wantError(t, e.AbortUpload(bad), 612, text)
	}
	for _, number := range []int{0, -1, 10001} {
		_, err := e.UploadPart(upload, number, blob)
		wantError(t, err, 400, "invalid part number")
	}
	_, err = e.BeginUpload(engine.UploadRef{Owner: owner, Bucket: "bucket-1", Key: ref("\xff")})
	wantError(t, err, 400, "key must be utf8 encoding")
}

func TestUploadsExpire(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	e := open(t, engine.Options{Dir: dir, Now: func() time.Time { return time.Unix(1772366400, 0) }})
	createBucket(t, e, "bucket-1")
	const week = 7 * 24 * time.Hour
	early := beginUpload(t, e, ref("key"))
	part := uploadPart(t, e, early, 1, io.LimitReader(zeros{}, mib))
	if err := e.Advance(time.Hour); err != nil {
		t.Fatal(err)
	}
	late := beginUpload(t, e, ref("key"))
	if err := e.Advance(week - time.Hour - time.Second); err != nil {
		t.Fatal(err)
	}
	if _, err := e.ListParts(early, 0, 0); err != nil {
		t.Errorf("a second too early: %v", err)
	}
	wantFiles(t, dir, 1)
	if err := e.Advance(time.Second); err != nil {
		t.Fatal(err)
	}
	wantFiles(t, dir, 0)
	_, err := e.CompleteUpload(engine.Complete{UploadRef: early, Parts: []engine.PartRef{part}})
	wantError(t, err, 612, "no such uploadId")
	if _, err := e.ListParts(late, 0, 0); err != nil {
		t.Errorf("the later upload is gone too: %v", err)
	}
}

// wantFiles counts the files in which a data folder keeps large content.
func wantFiles(t *testing.T, dir string, want int) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "extents", "*", "*"))
	if err != nil {
		t.Fatal(err)
	}
	if len(files) != want {
		t.Errorf("%d files, want %d: %v", len(files), want, files)
	}
}
