package kodo_test

import (
	"errors"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/qiniu/terraform-provider-kodo/internal/emulator"
	"github.com/qiniu/terraform-provider-kodo/internal/kodo"
)

// A private bucket is read with a signed link, from its own host or from a domain,
// and whatever its key.
func TestDownload(t *testing.T) {
	t.Parallel()
	e, c := newEmulator(t)
	host, err := e.DownloadHost("bucket")
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"plain", "a b//ü?x=1&y#z%", ""} {
		object := seed(t, e, c, key, "hello")
		link, err := kodo.PublicURL("http", host, key)
		if err != nil {
			t.Fatal(err)
		}
		for _, link := range []string{"", link} {
			content, err := c.Download(t.Context(), "bucket", object, link)
			if err != nil || string(content) != "hello" {
				t.Errorf("Download(%q from %q) = %q, %v; want hello", key, link, content, err)
			}
		}
	}
}

// What is not the object's content is never returned, whatever has come between.
func TestDownloadVerified(t *testing.T) {
	t.Parallel()
	e, c := newEmulator(t)
	object := seed(t, e, c, "key", "hello")
	if err := e.Put("bucket", "key", "text/plain", []byte("other")); err != nil {
		t.Fatal(err)
	}
	content, err := c.Download(t.Context(), "bucket", object, "")
	var damaged *kodo.DamagedError
	if !errors.As(err, &damaged) || content != nil {
		t.Errorf("Download() = %q, %v; want a *DamagedError", content, err)
	}
	large := object
	large.Size = kodo.MaxDownload + 1
	if _, err := c.Download(t.Context(), "bucket", large, ""); err == nil {
		t.Error("an object of more than MaxDownload bytes was downloaded")
	}
}

// A download is asked for again where that may help, and its refusal is Kodo's own.
func TestDownloadFaults(t *testing.T) {
	t.Parallel()
	e, c := newEmulator(t)
	object := seed(t, e, c, "key", "hello")
	fail(t, e, emulator.Fault{Match: emulator.Match{Service: "io"}, Times: 2, Do: "status", Status: http.StatusServiceUnavailable})
	if content, err := c.Download(t.Context(), "bucket", object, ""); err != nil || string(content) != "hello" {
		t.Errorf("after two failures: %q, %v", content, err)
	}
	object.Key = "missing"
	_, err := c.Download(t.Context(), "bucket", object, "")
	if failed := asError(t, err); failed.Code != http.StatusNotFound || failed.Message != "Document not found" || failed.RequestID == "" || kodo.IsGone(err) {
		t.Errorf("a missing object: %v; want 404, which does not prove that it is gone", err)
	}
}

func TestStatAll(t *testing.T) {
	t.Parallel()
	e, c := newEmulator(t)
	seed(t, e, c, "a", "hello")
	seed(t, e, c, "", "empty key")
	e.ResetRequests()
	keys := []string{"", "a", "missing"}
	for range 1500 {
		keys = append(keys, "also missing")
	}
	found, err := c.StatAll(t.Context(), "bucket", keys)
	if err != nil || len(found) != 2 || found["a"].ETag != etagHello || found[""].Size != 9 {
		t.Errorf("StatAll() = %v, %v; want a and the empty key", found, err)
	}
	if n := count(e, http.MethodPost, "rs", "/batch"); n != 2 {
		t.Errorf("%d batches for 1503 keys; want 2", n)
	}
	if _, err := c.StatAll(t.Context(), "no-such-bucket", keys); err == nil || kodo.IsGone(err) {
		t.Errorf("a missing bucket: %v; want an error that proves nothing about its objects", err)
	}
	if found, err := c.StatAll(t.Context(), "bucket", nil); err != nil || len(found) != 0 {
		t.Errorf("no keys: %v, %v", found, err)
	}
}

func TestEntries(t *testing.T) {
	t.Parallel()
	e, c := newEmulator(t)
	for _, key := range []string{"a", "d/1", "d/2", "e/1", "f"} {
		seed(t, e, c, key, "hello")
	}
	for name, tt := range map[string]struct {
		options kodo.ListOptions
		want    []string
	}{
		"all":         {kodo.ListOptions{}, []string{"a", "d/1", "d/2", "e/1", "f"}},
		"delimiter":   {kodo.ListOptions{Delimiter: "/"}, []string{"a", "f", "d/ *", "e/ *"}},
		"prefix":      {kodo.ListOptions{Prefix: "d/", Delimiter: "/"}, []string{"d/1", "d/2"}},
		"start after": {kodo.ListOptions{StartAfter: "d/1"}, []string{"d/2", "e/1", "f"}},
		"behind gap":  {kodo.ListOptions{StartAfter: "d/11"}, []string{"d/2", "e/1", "f"}},
		"limit":       {kodo.ListOptions{StartAfter: "a", Limit: 2}, []string{"d/1", "d/2"}},
	} {
		var got []string
		for entry, err := range c.Entries(t.Context(), "bucket", tt.options) {
			switch {
			case err != nil:
				t.Fatal(err)
			case entry.CommonPrefix != "":
				got = append(got, entry.CommonPrefix+" *")
			default:
				got = append(got, entry.Object.Key)
			}
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
