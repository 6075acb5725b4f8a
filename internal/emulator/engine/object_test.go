package engine_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/qiniu/terraform-provider-kodo/internal/emulator/engine"
)

func TestPutObject(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	blob, err := e.NewBlob(strings.NewReader("hello"))
	if err != nil {
		t.Fatal(err)
	}
	defer blob.Discard()
	if blob.Size != 5 || blob.CRC32 != 0x3610a686 || blob.MD5 != "5d41402abc4b2a76b9719d911017c592" || blob.ETag != "Fqr0xh3cxeii2r7eDztILNmuqUNN" {
		t.Errorf("blob = %+v", blob)
	}
	key := "a/ \r\n?&r=é:%"
	put, err := e.PutObject(engine.Put{
		Owner: owner, Bucket: "bucket-1", Key: &key, Blob: blob, MimeType: "text/plain", EndUser: "me",
		FileType: 1, Meta: map[string]string{"!Cache-Control": "no-cache", "Color": "red"},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := engine.Object{
		Bucket: "bucket-1", Key: key, Hash: "Fqr0xh3cxeii2r7eDztILNmuqUNN", Size: 5, MimeType: "text/plain",
		MD5: "5d41402abc4b2a76b9719d911017c592", EndUser: "me", FileType: 1,
		PutTime: 17723664000000000, // 2026-03-01 12:00 UTC
		Meta:    map[string]string{"!Cache-Control": "no-cache", "Color": "red"},
	}
	if diff := cmp.Diff(want, put); diff != "" {
		t.Errorf("put (-want +got):\n%s", diff)
	}
	stat, err := e.Stat(owner, "bucket-1", key)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, stat); diff != "" {
		t.Errorf("stat (-want +got):\n%s", diff)
	}
	if got := contentOf(t, e, key); got != "hello" {
		t.Errorf("content = %q", got)
	}

	// Replacing resets everything, and the put time is another even though the
	// clock has not moved.
	mustPut(t, e, key, "")
	stat, err = e.Stat(owner, "bucket-1", key)
	if err != nil {
		t.Fatal(err)
	}
	want = engine.Object{
		Bucket: "bucket-1", Key: key, Hash: "Fto5o-5ea0sNMlW_75VgGJCv2AcJ", MimeType: "application/octet-stream",
		MD5: "d41d8cd98f00b204e9800998ecf8427e", PutTime: 17723664000000001,
	}
	if diff := cmp.Diff(want, stat); diff != "" {
		t.Errorf("stat after a replacement (-want +got):\n%s", diff)
	}
	if got := contentOf(t, e, key); got != "" {
		t.Errorf("content = %q", got)
	}
}

func TestPutWithoutKey(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	blob, err := e.NewBlob(strings.NewReader("etag"))
	if err != nil {
		t.Fatal(err)
	}
	defer blob.Discard()
	object, err := e.PutObject(engine.Put{Owner: owner, Bucket: "bucket-1", Blob: blob})
	if err != nil || object.Key != "FpLiADEaVoALPkdb8tJEJyRTXoe_" {
		t.Errorf("key = %q, %v", object.Key, err)
	}
}

func TestPutRefuses(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	for name, test := range map[string]struct {
		put     engine.Put
		message string
	}{
		"key not UTF-8":      {engine.Put{Key: ref("a\xff")}, "key must be utf8 encoding"},
		"key of 751 bytes":   {engine.Put{Key: ref(strings.Repeat("k", 751))}, "key is longer than 750 bytes"},
		"long content type":  {engine.Put{MimeType: strings.Repeat("m", 201)}, "invalid mimeType"},
		"% in content type":  {engine.Put{MimeType: "text/%"}, "invalid mimeType"},
		"file type":          {engine.Put{FileType: 6}, "invalid file type"},
		"no metadata name":   {engine.Put{Meta: map[string]string{"!": "v"}}, `invalid metadata name "!"`},
		"long metadata name": {engine.Put{Meta: map[string]string{strings.Repeat("n", 51): "v"}}, `invalid metadata name "` + strings.Repeat("n", 51) + `"`},
		"metadata name":      {engine.Put{Meta: map[string]string{"a.b": "v"}}, `invalid metadata name "a.b"`},
		"metadata size":      {engine.Put{Meta: map[string]string{"n": strings.Repeat("v", 1024)}}, "metadata exceeds 1024 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			blob, err := e.NewBlob(strings.NewReader("content"))
			if err != nil {
				t.Fatal(err)
			}
			defer blob.Discard()
			test.put.Owner, test.put.Bucket, test.put.Blob = owner, "bucket-1", blob
			_, err = e.PutObject(test.put)
			wantError(t, err, 400, test.message)
		})
	}
	if _, err := putContent(e, "bucket-1", strings.Repeat("k", 750), nil); err != nil {
		t.Errorf("a key of 750 bytes: %v", err)
	}
}

func TestInsertOnly(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	insert := func(content string) (engine.Object, error) {
		blob, err := e.NewBlob(strings.NewReader(content))
		if err != nil {
			t.Fatal(err)
		}
		defer blob.Discard()
		return e.PutObject(engine.Put{
			Owner: owner, Bucket: "bucket-1", Key: ref("key"), Blob: blob, MimeType: "text/" + content, InsertOnly: true,
		})
	}
	first, err := insert("first")
	if err != nil {
		t.Fatal(err)
	}
	_, err = insert("second")
	wantError(t, err, 614, "file exists")
	again, err := insert("first")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(first, again); diff != "" {
		t.Errorf("the object of the same content was changed (-want +got):\n%s", diff)
	}
	if got := contentOf(t, e, "key"); got != "first" {
		t.Errorf("content = %q", got)
	}
}

func TestConcurrentInsertOnly(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	const writers = 64
	var wg sync.WaitGroup
	won := make(chan string, writers)
	for i := range writers {
		wg.Go(func() {
			content := fmt.Sprintf("content %d", i)
			blob, err := e.NewBlob(strings.NewReader(content))
			if err != nil {
				t.Error(err)
				return
			}
			defer blob.Discard()
			_, err = e.PutObject(engine.Put{Owner: owner, Bucket: "bucket-1", Key: ref("key"), Blob: blob, InsertOnly: true})
			if err == nil {
				won <- content
				return
			}
			wantError(t, err, 614, "file exists")
		})
	}
	wg.Wait()
	if len(won) != 1 {
		t.Fatalf("%d writers have won, want 1", len(won))
	}
	if got, want := contentOf(t, e, "key"), <-won; got != want {
		t.Errorf("content = %q, the winner wrote %q", got, want)
	}
}

func TestMissingObject(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	mustPut(t, e, "key", "content")
	if err := e.Delete(owner, "bucket-1", "key"); err != nil {
		t.Fatal(err)
	}
	const text = "no such file or directory"
	_, err := e.Stat(owner, "bucket-1", "key")
	wantError(t, err, 612, text)
	wantError(t, e.Delete(owner, "bucket-1", "key"), 612, text)
	wantError(t, e.ChangeMeta(engine.MetaChange{ObjectRef: engine.ObjectRef{Owner: owner, Bucket: "bucket-1", Key: "key"}}), 612, text)
	_, err = e.OpenContent("bucket-1", "key")
	wantError(t, err, 612, text)
	_, err = e.OpenContent("no-bucket", "key")
	wantError(t, err, 631, "no such bucket")
	_, err = e.Stat(owner, "bucket-1", "") // A legal key, though nothing has it.
	wantError(t, err, 612, text)
}

// A reader gives the object that it was opened on, whatever comes after.
func TestOverwriteWhileReading(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	old := strings.Repeat("old", 100_000)
	mustPut(t, e, "key", old)
	content, err := e.OpenContent("bucket-1", "key")
	if err != nil {
		t.Fatal(err)
	}
	start := make([]byte, 1000)
	if _, err := io.ReadFull(content, start); err != nil {
		t.Fatal(err)
	}
	mustPut(t, e, "key", "new")
	if err := e.Delete(owner, "bucket-1", "key"); err != nil {
		t.Fatal(err)
	}
	rest, err := io.ReadAll(content)
	if err != nil {
		t.Fatal(err)
	}
	if string(start)+string(rest) != old || content.Object.Size != int64(len(old)) {
		t.Errorf("%d bytes of the old content were read, want %d", len(start)+len(rest), len(old))
	}
	if err := content.Close(); err != nil {
		t.Error(err)
	}
}

// Downloads race with replacements: each gets one whole object.
func TestReadWhileOverwriting(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	version := func(i int) string { return strings.Repeat(fmt.Sprint(i%10), 40_000) }
	mustPut(t, e, "key", version(0))
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 100 {
				content, err := e.OpenContent("bucket-1", "key")
				if err != nil {
					t.Error(err)
					return
				}
				b, err := io.ReadAll(content)
				if err != nil || len(b) != 40_000 || bytes.Count(b, b[:1]) != len(b) {
					t.Errorf("read %d bytes: %v", len(b), err)
				}
				if err := content.Close(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for i := range 200 {
		mustPut(t, e, "key", version(i))
	}
	wg.Wait()
}

func TestNewBlobReturnsTheReadersError(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	for _, read := range []int{0, 10, 100_000} {
		broken := errors.New("connection reset")
		_, err := e.NewBlob(io.MultiReader(strings.NewReader(strings.Repeat("x", read)), failing{broken}))
		if err != broken { //nolint:errorlint // The very error.
			t.Errorf("error = %v, want %v", err, broken)
		}
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// Put times ascend strictly: over buckets, while the clock stands still, after it
// was set back, and over restarts.
func TestPutTimes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	wall := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	var last int64
	for restart := range 3 {
		e, err := engine.Open(engine.Options{Dir: dir, Now: func() time.Time { return wall }})
		if err != nil {
			t.Fatal(err)
		}
		for i := range 3 {
			bucket := fmt.Sprintf("bucket-%d-%d", restart, i)
			createBucket(t, e, bucket)
			object, err := putContent(e, bucket, "key", nil)
			if err != nil {
				t.Fatal(err)
			}
			if object.PutTime <= last {
				t.Errorf("put time %d after %d", object.PutTime, last)
			}
			last = object.PutTime
		}
		if err := e.Advance(time.Hour); err != nil {
			t.Fatal(err)
		}
		wall = wall.Add(-2 * time.Hour)
		if err := e.Close(); err != nil {
			t.Fatal(err)
		}
	}
	e := open(t, engine.Options{Dir: dir, Now: func() time.Time { return wall }})
	if got, want := e.Now(), wall.Add(3*time.Hour); !got.Equal(want) {
		t.Errorf("the clock shows %v after restarts, want %v", got, want)
	}
	wantError(t, e.Advance(-1), 400, "the clock only moves forward")
	wantError(t, e.Advance(math.MaxInt64), 400, "the clock ends in 2262")
}
