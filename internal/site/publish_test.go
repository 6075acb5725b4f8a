package site_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/qiniu/terraform-provider-kodo/internal/emulator"
	"github.com/qiniu/terraform-provider-kodo/internal/kodo"
	"github.com/qiniu/terraform-provider-kodo/internal/site"
)

// newServer starts an emulator with the bucket "bucket", and a client for it.
func newServer(t *testing.T) (*emulator.Emulator, *kodo.Client) {
	t.Helper()
	e, err := emulator.New(emulator.Options{Buckets: []emulator.BucketSpec{{Name: "bucket"}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	account := emulator.DefaultAccount()
	at := e.Endpoint()
	c, err := kodo.New(kodo.Config{AccessKey: account.AccessKey, SecretKey: account.SecretKey, Endpoints: kodo.Endpoints{UC: at, Up: at, RS: at, RSF: at}})
	if err != nil {
		t.Fatal(err)
	}
	return e, c
}

// publish publishes a directory, and returns the failures by key.
func publish(t *testing.T, c *kodo.Client, r *site.Record, dir string, s site.Settings) map[string]string {
	t.Helper()
	files, err := site.Source{Dir: dir}.Files(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := new(site.Hashes).Sum(t.Context(), files); err != nil {
		t.Fatal(err)
	}
	out := site.Compare(r, files, s, nil).Publish(t.Context(), c, "bucket", r)
	failed := map[string]string{}
	for _, failure := range out.Failures {
		failed[failure.Key] = fmt.Sprintf("%T", failure.Err)
	}
	return failed
}

// TestPublishWithoutPutTimes publishes over objects that could not be read back after they were stored. The hash alone
// tells them from what somebody else has put there since.
func TestPublishWithoutPutTimes(t *testing.T) {
	t.Parallel()
	e, c := newServer(t)
	dir := write(t, t.TempDir(), map[string]string{"mine": "new", "theirs": "new", "gone": "new", "header": "hello", "their-header": "hello"})
	r := site.NewRecord()
	for _, key := range []string{"mine", "theirs", "gone", "header", "their-header"} {
		r.Set(kodo.Object{Key: key, ETag: etagHello, ContentType: "text/plain"})
		content := "hello"
		if strings.HasPrefix(key, "their") {
			content = "theirs"
		}
		if key == "gone" {
			continue
		}
		if err := e.Put("bucket", key, "text/plain", []byte(content)); err != nil {
			t.Fatal(err)
		}
	}
	r.Complete()
	rules := site.Rules{{Pattern: "*header", Metadata: map[string]string{"!Cache-Control": "no-cache"}}}
	want := map[string]string{"theirs": "*kodo.ExistsError", "their-header": "*errors.errorString"}
	if diff := cmp.Diff(want, publish(t, c, r, dir, site.Settings{Rules: rules})); diff != "" {
		t.Errorf("failures (-want +got):\n%s", diff)
	}
	for key, content := range map[string]string{"mine": "new", "theirs": "theirs", "gone": "new", "header": "hello", "their-header": "theirs"} {
		got, err := e.Content("bucket", key)
		if err != nil || string(got) != content {
			t.Errorf("%s holds %q, %v, want %q", key, got, err, content)
		}
		o, err := e.Engine().Stat(emulator.DefaultAccount().AccessKey, "bucket", key)
		if err != nil {
			t.Fatal(err)
		}
		if has := o.Meta["!Cache-Control"] == "no-cache"; has != (key == "header") {
			t.Errorf("%s has the metadata %v", key, o.Meta)
		}
		if key == "their-header" { // nothing was sent, so the next refresh tells
			continue
		}
		if have := r.Have[key]; have.ETag != o.Hash || int64(have.PutTime) != o.PutTime {
			t.Errorf("%s is recorded as %+v, and is %+v", key, have, o)
		}
	}
}

// TestPublishExpired publishes files again whose objects were left to expire: they are there, are gone, or are
// somebody else's by now.
func TestPublishExpired(t *testing.T) {
	t.Parallel()
	e, c := newServer(t)
	dir := write(t, t.TempDir(), map[string]string{"same": "hello", "other": "new", "gone": "new", "theirs": "new"})
	r := site.NewRecord()
	for _, key := range []string{"same", "other", "theirs"} {
		if err := e.Put("bucket", key, "text/plain", []byte("hello")); err != nil {
			t.Fatal(err)
		}
		o, err := c.Stat(t.Context(), "bucket", key)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Change(t.Context(), "bucket", key, o.PutTime, kodo.SetLifecycle(kodo.Lifecycle{Delete: 3})); err != nil {
			t.Fatal(err)
		}
		r.Leave(key, o.PutTime, 1<<40)
	}
	r.Leave("gone", 1, 1<<40)
	if err := e.Put("bucket", "theirs", "text/plain", []byte("theirs")); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"theirs": "*kodo.ExistsError"}, publish(t, c, r, dir, site.Settings{})); diff != "" {
		t.Errorf("failures (-want +got):\n%s", diff)
	}
	for key, content := range map[string]string{"same": "hello", "other": "new", "gone": "new", "theirs": "theirs"} {
		got, err := e.Content("bucket", key)
		if err != nil || string(got) != content {
			t.Errorf("%s holds %q, %v, want %q", key, got, err, content)
		}
		if o, err := c.Stat(t.Context(), "bucket", key); err != nil || !o.Expires.IsZero() {
			t.Errorf("%s expires at %s, %v", key, o.Expires, err)
		}
	}
}

// TestPublishVanishing removes files between the look at the directory and the upload.
func TestPublishVanishing(t *testing.T) {
	t.Parallel()
	e, c := newServer(t)
	dir := write(t, t.TempDir(), map[string]string{"a": "hello", "b": "hello", "page.html": "hello"})
	files, err := site.Source{Dir: dir}.Files(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := new(site.Hashes).Sum(t.Context(), files); err != nil {
		t.Fatal(err)
	}
	write(t, dir, map[string]string{"b": "HELLO"}) // of the same size
	r := site.NewRecord()
	out := site.Compare(r, files, site.Settings{Last: []string{"*.html"}}, nil).Publish(t.Context(), c, "bucket", r)
	if len(out.Failures) != 1 || out.Failures[0].Key != "b" || out.Untried != 1 || out.Complete() {
		t.Errorf("got: %+v", out)
	}
	keys, err := e.Keys("bucket")
	if diff := cmp.Diff([]string{"a"}, keys); err != nil || diff != "" {
		t.Errorf("keys %v (-want +got):\n%s", err, diff)
	}
	if diff := cmp.Diff([]string{"a"}, r.Keys()); diff != "" {
		t.Errorf("recorded (-want +got):\n%s", diff)
	}
}
