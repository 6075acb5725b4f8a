package engine_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/qiniu/terraform-provider-kodo/internal/emulator/engine"
)

func TestCreateBucket(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	got, err := e.CreateBucket(owner, "my-bucket", "", true)
	if err != nil {
		t.Fatal(err)
	}
	want := engine.Bucket{
		Name: "my-bucket", Owner: owner, Region: "z0", Private: true, NoIndexPage: true,
		Created: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("created (-want +got):\n%s", diff)
	}
	got, err = e.Bucket(owner, "my-bucket")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("read (-want +got):\n%s", diff)
	}
}

func TestCreateBucketRefuses(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	for _, test := range []struct {
		owner, name, region string
		code                int
		message             string
	}{
		{owner, "bucket-1", "z0", 614, "the bucket already exists and you own it."},
		{other, "bucket-1", "z0", 614, "the bucket already exists"},
		{owner, "bucket-2", "nowhere", 400, "invalid arguments"},
		{owner, "", "z0", 400, "invalid arguments"},
		{owner, "ab", "z0", 400, "invalid arguments"},
		{owner, strings.Repeat("a", 64), "z0", 400, "invalid arguments"},
		{owner, "-bucket", "z0", 400, "invalid arguments"},
		{owner, "bucket-", "z0", 400, "invalid arguments"},
		{owner, "Bucket", "z0", 400, "invalid arguments"},
		{owner, "bucket_2", "z0", 400, "invalid arguments"},
		{owner, "b\x00b", "z0", 400, "invalid arguments"},
		{owner, "空间空间", "z0", 400, "invalid arguments"},
	} {
		_, err := e.CreateBucket(test.owner, test.name, test.region, false)
		wantError(t, err, test.code, test.message)
	}
}

func TestBucketLimit(t *testing.T) {
	t.Parallel()
	e := open(t, engine.Options{Dir: t.TempDir(), BucketLimit: 2})
	createBucket(t, e, "bucket-1")
	createBucket(t, e, "bucket-2")
	_, err := e.CreateBucket(owner, "bucket-3", "z0", false)
	wantError(t, err, 630, "too many buckets")
	if _, err := e.CreateBucket(other, "bucket-3", "z0", false); err != nil {
		t.Errorf("the limit of one account hits another: %v", err)
	}
}

// What belongs to another account looks like nothing at all.
func TestBucketOfAnotherAccount(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	mustPut(t, e, "key", "content")
	key := "key"
	blob, err := e.NewBlob(strings.NewReader("theirs"))
	if err != nil {
		t.Fatal(err)
	}
	defer blob.Discard()
	for name, call := range map[string]func(owner, bucket string) error{
		"Bucket":     func(o, b string) error { _, err := e.Bucket(o, b); return err },
		"DropBucket": func(o, b string) error { return e.DropBucket(o, b) },
		"BindDomain": func(o, b string) error { return e.BindDomain(o, b, "example.com") },
		"UpdateBucket": func(o, b string) error {
			_, err := e.UpdateBucket(o, b, func(*engine.Bucket) error { return nil })
			return err
		},
		"Stat":   func(o, b string) error { _, err := e.Stat(o, b, "key"); return err },
		"Usage":  func(o, b string) error { _, err := e.Usage(o, b); return err },
		"Delete": func(o, b string) error { return e.Delete(o, b, "key") },
		"ChangeMeta": func(o, b string) error {
			return e.ChangeMeta(engine.MetaChange{ObjectRef: engine.ObjectRef{Owner: o, Bucket: b, Key: "key"}})
		},
		"List": func(o, b string) error { _, err := e.List(engine.ListRequest{Owner: o, Bucket: b}); return err },
		"PutObject": func(o, b string) error {
			_, err := e.PutObject(engine.Put{Owner: o, Bucket: b, Key: &key, Blob: blob})
			return err
		},
		"BeginUpload": func(o, b string) error {
			_, err := e.BeginUpload(engine.UploadRef{Owner: o, Bucket: b, Key: &key})
			return err
		},
		"UploadPart": func(o, b string) error {
			_, err := e.UploadPart(engine.UploadRef{Owner: o, Bucket: b, Key: &key, ID: "id"}, 1, blob)
			return err
		},
	} {
		wantError(t, call(other, "bucket-1"), 631, "no such bucket")
		wantError(t, call(owner, "no-bucket"), 631, "no such bucket")
		if t.Failed() {
			t.Fatalf("that was %s", name)
		}
	}
	if got := contentOf(t, e, "key"); got != "content" {
		t.Errorf("content = %q", got)
	}
	if buckets, err := e.Buckets(other); err != nil || len(buckets) != 0 {
		t.Errorf("Buckets = %v, %v", buckets, err)
	}
}

func TestBuckets(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	for _, name := range []string{"zzz", "aaa", "bucket-10"} {
		createBucket(t, e, name)
	}
	buckets, err := e.Buckets(owner)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, bucket := range buckets {
		names = append(names, bucket.Name)
	}
	if diff := cmp.Diff([]string{"aaa", "bucket-1", "bucket-10", "zzz"}, names); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
	if bucket, err := e.AnyBucket("zzz"); err != nil || bucket.Owner != owner {
		t.Errorf("AnyBucket = %v, %v", bucket, err)
	}
}

func TestUsage(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	createBucket(t, e, "bucket-10") // Its objects do not count for bucket-1.
	if _, err := putContent(e, "bucket-10", "key", []byte("elsewhere")); err != nil {
		t.Fatal(err)
	}
	check := func(step string, want engine.Usage) {
		t.Helper()
		if got, err := e.Usage(owner, "bucket-1"); err != nil || got != want {
			t.Errorf("after %s: %+v, %v, want %+v", step, got, err, want)
		}
	}
	check("nothing", engine.Usage{})
	mustPut(t, e, "", "12345")
	mustPut(t, e, "a", "12345") // The same content is another object.
	mustPut(t, e, "z/z", "")
	check("three objects", engine.Usage{Files: 3, Bytes: 10})
	mustPut(t, e, "a", "1234567")
	check("an overwrite", engine.Usage{Files: 3, Bytes: 12})
	upload := beginUpload(t, e, ref("parts"))
	part := uploadPart(t, e, upload, 1, strings.NewReader("not yet an object"))
	check("a part", engine.Usage{Files: 3, Bytes: 12})
	if _, err := e.CompleteUpload(engine.Complete{UploadRef: upload, Parts: []engine.PartRef{part}}); err != nil {
		t.Fatal(err)
	}
	check("a multipart upload", engine.Usage{Files: 4, Bytes: 29})
	if err := e.Delete(owner, "bucket-1", ""); err != nil {
		t.Fatal(err)
	}
	check("a deletion", engine.Usage{Files: 3, Bytes: 24})
}

func TestDropBucket(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	createBucket(t, e, "bucket-10") // Its objects do not count for bucket-1.
	if _, err := putContent(e, "bucket-10", "key", nil); err != nil {
		t.Fatal(err)
	}
	mustPut(t, e, "", "content") // The empty key is a key.
	err := e.DropBucket(owner, "bucket-1")
	wantError(t, err, 403, "drop non empty bucket is not allowed")
	if refusal := new(engine.Error); !errors.As(err, &refusal) || refusal.ErrorCode != "BucketNotEmpty" {
		t.Errorf("error code of %v", err)
	}

	if err := e.Delete(owner, "bucket-1", ""); err != nil {
		t.Fatal(err)
	}
	upload := beginUpload(t, e, ref("key"))
	if err := e.BindDomain(owner, "bucket-1", "Files.example.com:8080"); err != nil {
		t.Fatal(err)
	}
	if err := e.DropBucket(owner, "bucket-1"); err != nil {
		t.Fatal(err)
	}
	_, err = e.Bucket(owner, "bucket-1")
	wantError(t, err, 631, "no such bucket")
	if _, found, err := e.BucketByDomain("files.example.com:8080"); found || err != nil {
		t.Errorf("the domain is still bound: %t, %v", found, err)
	}

	// The name can be used again, with nothing of the former bucket.
	if _, err := e.CreateBucket(other, "bucket-1", "z1", false); err != nil {
		t.Fatal(err)
	}
	upload.Owner = other
	_, err = e.ListParts(upload, 0, 0)
	wantError(t, err, 612, "no such uploadId")
}

func TestDomains(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	createBucket(t, e, "bucket-2")
	for _, host := range []string{"B.example.com", "a.example.com:8080", "b.example.com"} {
		if err := e.BindDomain(owner, "bucket-1", host); err != nil {
			t.Fatal(err)
		}
	}
	wantError(t, e.BindDomain(owner, "bucket-2", "b.example.com"), 614, "the domain is bound to another bucket")
	for _, bad := range []string{"", "http://a.com", "a.com/", "a b", "ü.com", "*.a.com"} {
		wantError(t, e.BindDomain(owner, "bucket-2", bad), 400, "invalid arguments")
	}
	bucket, found, err := e.BucketByDomain("A.Example.com:8080")
	if err != nil || !found {
		t.Fatalf("BucketByDomain = %t, %v", found, err)
	}
	if diff := cmp.Diff([]string{"b.example.com", "a.example.com:8080"}, bucket.Domains); diff != "" {
		t.Errorf("domains (-want +got):\n%s", diff)
	}
	if _, found, err := e.BucketByDomain("a.example.com"); found || err != nil {
		t.Errorf("a host without its port is found: %t, %v", found, err)
	}
}

func TestUpdateBucket(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	got, err := e.UpdateBucket(owner, "bucket-1", func(b *engine.Bucket) error {
		b.Private, b.NoIndexPage, b.Port = false, false, 4321
		b.Tags = []engine.Tag{{Key: "team", Value: "web"}}
		b.Name, b.Owner, b.Region, b.Domains = "other", other, "z2", []string{"example.com"}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	want := engine.Bucket{
		Name: "bucket-1", Owner: owner, Region: "z0", Port: 4321, Tags: []engine.Tag{{Key: "team", Value: "web"}},
		Created: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("updated (-want +got):\n%s", diff)
	}
	refused := errors.New("refused")
	if _, err := e.UpdateBucket(owner, "bucket-1", func(b *engine.Bucket) error {
		b.Port, b.Tags[0].Value = 1, "changed"
		return refused
	}); err != refused { //nolint:errorlint // The very error.
		t.Errorf("error = %v, want %v", err, refused)
	}
	if got, err = e.Bucket(owner, "bucket-1"); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("after a refused update (-want +got):\n%s", diff)
	}
}

func TestTagLimits(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	tags := func(n int) (tags []engine.Tag) {
		for i := range n {
			tags = append(tags, engine.Tag{Key: fmt.Sprintf("key-%d", i), Value: "v"})
		}
		return tags
	}
	long := func(n int) string { return strings.Repeat("x", n) }
	for _, test := range []struct {
		tags    []engine.Tag
		message string // empty: accepted
	}{
		{tags(10), ""},
		{tags(11), "too many tags: a bucket has at most 10"},
		{nil, ""},
		{[]engine.Tag{{long(64), long(128)}}, ""},
		{[]engine.Tag{{"aZ09 +-=._:/@", "aZ09 +-=._:/@"}}, ""},
		{[]engine.Tag{{long(65), "v"}}, fmt.Sprintf("invalid tag key %q", long(65))},
		{[]engine.Tag{{"", "v"}}, `invalid tag key ""`},
		{[]engine.Tag{{"kodo-key", "v"}}, `invalid tag key "kodo-key"`},
		{[]engine.Tag{{"标签", "v"}}, `invalid tag key "标签"`},
		{[]engine.Tag{{"key", ""}}, `invalid tag value ""`},
		{[]engine.Tag{{"key", long(129)}}, fmt.Sprintf("invalid tag value %q", long(129))},
		{[]engine.Tag{{"key", "a\nb"}}, `invalid tag value "a\nb"`},
		{[]engine.Tag{{"key", "a"}, {"key", "b"}}, `duplicate tag key "key"`},
	} {
		_, err := e.UpdateBucket(owner, "bucket-1", func(b *engine.Bucket) error { b.Tags = test.tags; return nil })
		if test.message != "" {
			wantError(t, err, 400, test.message)
		} else if err != nil {
			t.Errorf("%v: %v", test.tags, err)
		}
	}
}
