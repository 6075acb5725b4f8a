package engine_test

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/qiniu/terraform-provider-kodo/internal/emulator/engine"
)

const (
	owner = "account-1"
	other = "account-2"
)

// open opens an engine that is closed when the test ends.
func open(tb testing.TB, options engine.Options) *engine.Engine {
	tb.Helper()
	e, err := engine.Open(options)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := e.Close(); err != nil {
			tb.Error(err)
		}
	})
	return e
}

// newEngine returns an engine with one bucket, "bucket-1" of owner, whose wall
// clock stands still.
func newEngine(t *testing.T) *engine.Engine {
	t.Helper()
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	e := open(t, engine.Options{Dir: t.TempDir(), Now: func() time.Time { return now }})
	createBucket(t, e, "bucket-1")
	return e
}

func createBucket(tb testing.TB, e *engine.Engine, name string) {
	tb.Helper()
	if _, err := e.CreateBucket(owner, name, "z0", true); err != nil {
		tb.Fatal(err)
	}
}

// putContent stores an object of owner's bucket.
func putContent(e *engine.Engine, bucket, key string, content []byte) (engine.Object, error) {
	blob, err := e.NewBlob(bytes.NewReader(content))
	if err != nil {
		return engine.Object{}, err
	}
	defer blob.Discard()
	return e.PutObject(engine.Put{Owner: owner, Bucket: bucket, Key: &key, Blob: blob})
}

// mustPut is putContent in bucket-1 for a test that cannot go on without.
func mustPut(t *testing.T, e *engine.Engine, key, content string) engine.Object {
	t.Helper()
	object, err := putContent(e, "bucket-1", key, []byte(content))
	if err != nil {
		t.Fatal(err)
	}
	return object
}

// at names an object of bucket-1, under a condition.
func at(key string, cond map[string]string) engine.ObjectRef {
	return engine.ObjectRef{Owner: owner, Bucket: "bucket-1", Key: key, Cond: cond}
}

// mustStat returns an object of bucket-1.
func mustStat(t *testing.T, e *engine.Engine, key string) engine.Object {
	t.Helper()
	object, err := e.Stat(owner, "bucket-1", key)
	if err != nil {
		t.Fatal(err)
	}
	return object
}

// contentOf reads an object of bucket-1.
func contentOf(t *testing.T, e *engine.Engine, key string) string {
	t.Helper()
	content, err := e.OpenContent("bucket-1", key)
	if err != nil {
		t.Fatal(err)
	}
	defer content.Close() //nolint:errcheck // Reading it tells.
	b, err := io.ReadAll(content)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// wantError fails the test unless err is Kodo's refusal with this code and text.
func wantError(t *testing.T, err error, code int, message string) {
	t.Helper()
	var refusal *engine.Error
	if !errors.As(err, &refusal) || refusal.Code != code || refusal.Message != message {
		t.Errorf("error = %v, want %d %s", err, code, message)
	}
}

func ref[T any](v T) *T { return &v }
