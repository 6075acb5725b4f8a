package kodo_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/qiniu/terraform-provider-kodo/internal/emulator"
	"github.com/qiniu/terraform-provider-kodo/internal/kodo"
)

func TestBuckets(t *testing.T) {
	t.Parallel()
	e, c := newEmulator(t)
	ctx := t.Context()
	if err := c.CreateBucket(ctx, "a-private-one", "z1", true); err != nil {
		t.Fatal(err)
	}
	if err := c.CreateBucket(ctx, "a-public-one", "cn-east-2", false); err != nil {
		t.Fatal(err)
	}
	if got := count(e, "POST", "uc", "/mkbucketv3/a-private-one/region/z1/private/true"); got != 1 {
		t.Errorf("the bucket was not private in the creating call: %v", e.Requests())
	}
	want := map[string]kodo.Bucket{
		"a-private-one": {Name: "a-private-one", Region: "z1", Private: true},
		"a-public-one":  {Name: "a-public-one", Region: "cn-east-2"},
		"bucket":        {Name: "bucket", Region: "z0", Private: true},
	}
	got := map[string]kodo.Bucket{}
	for b, err := range c.Buckets(ctx) {
		if err != nil {
			t.Fatal(err)
		}
		if since := time.Since(b.Created); since < -time.Minute || since > time.Hour {
			t.Errorf("the bucket %q was created %v ago", b.Name, since)
		}
		b.Created = time.Time{}
		got[b.Name] = b
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("buckets (-want +got):\n%s", diff)
	}

	change := func(what string, err error, want kodo.Bucket) {
		t.Helper()
		if err != nil {
			t.Errorf("%s: %v", what, err)
		}
		got, err := c.Bucket(ctx, want.Name)
		got.Created = time.Time{}
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("after %s: %v (-want +got):\n%s", what, err, diff)
		}
	}
	b := want["a-private-one"]
	before, err := c.Bucket(ctx, b.Name)
	if err != nil {
		t.Fatal(err)
	}
	b.IndexPage, b.Private = !before.IndexPage, false
	change("public", c.SetBucketPrivate(ctx, b.Name, false), kodo.Bucket{Name: b.Name, Region: "z1", IndexPage: before.IndexPage})
	change("index page", c.SetBucketIndexPage(ctx, b.Name, b.IndexPage), b)
	b.Private, b.IndexPage = true, before.IndexPage
	change("private", errors.Join(c.SetBucketPrivate(ctx, b.Name, true), c.SetBucketIndexPage(ctx, b.Name, b.IndexPage)), b)

	domains, err := c.BucketDomains(ctx, "bucket")
	if err != nil || len(domains) == 0 {
		t.Errorf("domains %q, %v", domains, err)
	}
	if err := c.DeleteBucket(ctx, "a-public-one"); err != nil {
		t.Error(err)
	}
	if _, err := c.Bucket(ctx, "a-public-one"); kodo.CodeOf(err) != 631 && kodo.CodeOf(err) != 612 {
		t.Errorf("bucket that was deleted: %v", err)
	}
}

func TestBucketsOverPages(t *testing.T) {
	t.Parallel()
	e, c := newEmulator(t)
	for i := range 250 {
		if _, err := e.Engine().CreateBucket(accessKey, fmt.Sprintf("b-%03d", i), "z0", true); err != nil {
			t.Fatal(err)
		}
	}
	n := 0
	for _, err := range c.Buckets(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	if n != 251 {
		t.Errorf("%d buckets, want 251", n)
	}
	if got := count(e, "GET", "uc", "/buckets"); got != 3 {
		t.Errorf("%d pages, want 3", got)
	}
	for _, err := range c.Buckets(t.Context()) {
		if err != nil {
			t.Error(err)
		}
		break // a caller may stop
	}
}

func TestBucketTags(t *testing.T) {
	t.Parallel()
	_, c := newEmulator(t)
	for _, want := range []map[string]string{{}, {"team": "web", "a b": "c=d"}, {"team": "api"}, {}} {
		if err := c.SetBucketTags(t.Context(), "bucket", want); err != nil {
			t.Fatal(err)
		}
		got, err := c.BucketTags(t.Context(), "bucket")
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%v (-want +got):\n%s", err, diff)
		}
	}
	if err := c.SetBucketTags(t.Context(), "bucket", map[string]string{"kodo-x": "y"}); err == nil {
		t.Error("a reserved key is accepted")
	}
	eleven := map[string]string{}
	for _, key := range strings.Split("abcdefghijk", "") {
		eleven[key] = "x"
	}
	if err := c.SetBucketTags(t.Context(), "bucket", eleven); err == nil || kodo.CodeOf(err) != 0 {
		t.Errorf("eleven tags: %v, want a refusal of our own", err)
	}
}

func TestBucketErrors(t *testing.T) {
	t.Parallel()
	e, c := newEmulator(t)
	ctx := t.Context()
	if err := e.Put("bucket", "key", "", nil); err != nil {
		t.Fatal(err)
	}
	failed := asError(t, c.DeleteBucket(ctx, "bucket"))
	if failed.Code != 403 || failed.Reason != kodo.ReasonBucketNotEmpty || failed.RequestID == "" {
		t.Errorf("error %#v", failed)
	}
	if err := c.CreateBucket(ctx, "bucket", "z0", true); kodo.CodeOf(err) != 614 {
		t.Errorf("a bucket that exists: %v", err)
	}
	if err := c.DeleteBucket(ctx, "nobody-has-this"); kodo.CodeOf(err) != 631 && kodo.CodeOf(err) != 612 {
		t.Errorf("a bucket that does not exist: %v", err)
	}
	for _, name := range []string{"a/b", "a?b", "a b", "a:b", "ä"} {
		if _, err := c.Bucket(ctx, name); err == nil || kodo.CodeOf(err) != 0 {
			t.Errorf("the name %q: %v", name, err)
		}
	}
	before := len(e.Requests())
	if c.CreateBucket(ctx, "Upper", "z0", true) == nil || c.CreateBucket(ctx, "bucket-2", "z0/private/false", true) == nil {
		t.Error("a bad name or region is accepted")
	}
	if len(e.Requests()) != before {
		t.Error("a bad name or region was sent")
	}
}

func TestLostAnswersOfBucketCalls(t *testing.T) {
	t.Parallel()
	create := emulator.Match{Path: "/mkbucketv3/*"}
	drop := emulator.Match{Path: "/drop/*"}
	for name, fault := range map[string]emulator.Fault{
		"create done":       {Match: create, Times: 1, Do: "apply_then_drop"},
		"create not done":   {Match: create, Times: 1, Do: "drop_before"},
		"create always":     {Match: create, Do: "apply_then_drop"},
		"create 599":        {Match: create, Times: 1, Do: "status", Status: 599},
		"delete done":       {Match: drop, Times: 1, Do: "apply_then_drop"},
		"delete not done":   {Match: drop, Times: 1, Do: "drop_before"},
		"delete done twice": {Match: drop, Times: 2, Do: "apply_then_drop"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e, c := newEmulator(t)
			fail(t, e, fault)
			if err := c.CreateBucket(t.Context(), "new", "z1", true); err != nil {
				t.Fatal(err)
			}
			if b, err := c.Bucket(t.Context(), "new"); err != nil || b.Region != "z1" || !b.Private {
				t.Errorf("bucket %+v, %v", b, err)
			}
			if err := c.DeleteBucket(t.Context(), "new"); err != nil {
				t.Fatal(err)
			}
			if _, err := c.Bucket(t.Context(), "new"); err == nil {
				t.Error("the bucket is still there")
			}
		})
	}
}

// 614 after a lost answer may also mean a bucket that was there all the time.
func TestLostAnswerDoesNotAdoptABucket(t *testing.T) {
	t.Parallel()
	now := time.Now().UTC().Format(time.RFC3339)
	for name, info := range map[string]string{
		"older":           `{"region":"z0","private":1,"ctime":"2020-01-01T00:00:00Z"}`,
		"other region":    `{"region":"z1","private":1,"ctime":"` + now + `"}`,
		"public":          `{"region":"z0","private":0,"ctime":"` + now + `"}`,
		"somebody else's": "",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var creations atomic.Int32
			url := scripted(t, func(w http.ResponseWriter, r *http.Request) {
				switch {
				case !strings.HasPrefix(r.URL.Path, "/mkbucketv3/") && info == "":
					answer(w, 631, `{"error":"no such bucket"}`)
				case !strings.HasPrefix(r.URL.Path, "/mkbucketv3/"):
					answer(w, 200, info)
				case creations.Add(1) == 1:
					hangUp(w)
				default:
					answer(w, 614, `{"error":"the bucket already exists"}`)
				}
			})
			err := newClient(t, everything(url)).CreateBucket(t.Context(), "new", "z0", true)
			if kodo.CodeOf(err) != 614 {
				t.Errorf("error %v, want 614", err)
			}
		})
	}
}

func TestListing(t *testing.T) {
	t.Parallel()
	e, c := newEmulator(t)
	const n = 1001
	for i := range n {
		if err := e.Put("bucket", fmt.Sprintf("k/%04d", i), "", nil); err != nil {
			t.Fatal(err)
		}
	}
	seed(t, e, c, "other", "hello")
	e.ResetRequests()
	i := 0
	for object, err := range c.Objects(t.Context(), "bucket", kodo.ListOptions{Prefix: "k/"}) {
		if err != nil {
			t.Fatal(err)
		}
		if want := fmt.Sprintf("k/%04d", i); object.Key != want || object.ETag != etagEmpty || object.PutTime == 0 {
			t.Fatalf("object %+v, want the key %q", object, want)
		}
		i++
	}
	if i != n || count(e, "GET", "rsf", "/list") != 2 {
		t.Errorf("%d objects in %d pages, want %d in 2", i, count(e, "GET", "rsf", "/list"), n)
	}
	for _, err := range c.Objects(t.Context(), "bucket", kodo.ListOptions{}) {
		if err != nil {
			t.Error(err)
		}
		break // a caller may stop
	}
	if deleted, err := c.EmptyBucket(t.Context(), "bucket"); err != nil || deleted != n+1 {
		t.Errorf("emptied %d, %v, want %d", deleted, err, n+1)
	}
	if got := count(e, "POST", "rs", "/batch"); got != 2 {
		t.Errorf("%d batches, want 2", got)
	}
	if keys, err := e.Keys("bucket"); err != nil || len(keys) != 0 {
		t.Errorf("%d objects left, %v", len(keys), err)
	}
}

func TestListingFollowsTheMarker(t *testing.T) {
	t.Parallel()
	pages := map[string]string{
		"":   `{"marker":"m1","items":[{"key":"a","hash":"h","mimeType":"m","putTime":1}]}`,
		"m1": `{"marker":"m2","items":[]}`,
		"m2": `{"marker":"m3"}`,
		"m3": `{"marker":"","items":[{"key":"b","hash":"h","mimeType":"m","putTime":1}]}`,
	}
	url := scripted(t, func(w http.ResponseWriter, r *http.Request) { answer(w, 200, pages[r.URL.Query().Get("marker")]) })
	var keys []string
	for object, err := range newClient(t, everything(url)).Objects(t.Context(), "bucket", kodo.ListOptions{}) {
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, object.Key)
	}
	if diff := cmp.Diff([]string{"a", "b"}, keys); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestListingsEnd(t *testing.T) {
	t.Parallel()
	tests := map[string]http.HandlerFunc{
		"error": func(w http.ResponseWriter, r *http.Request) { answer(w, 640, `{"error":"invalid marker"}`) },
		"marker that stands": func(w http.ResponseWriter, r *http.Request) {
			answer(w, 200, `{"marker":"m","items":[],"next_marker":"m","is_truncated":true,"buckets":[]}`)
		},
	}
	for name, handler := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newClient(t, everything(scripted(t, handler)))
			n := 0
			for _, err := range c.Objects(t.Context(), "bucket", kodo.ListOptions{}) {
				if err == nil {
					t.Error("an object")
				}
				n++
			}
			for _, err := range c.Buckets(t.Context()) {
				if err == nil {
					t.Error("a bucket")
				}
				n++
			}
			if n != 2 {
				t.Errorf("%d errors, want one of each listing", n)
			}
			if _, err := c.EmptyBucket(t.Context(), "bucket"); err == nil {
				t.Error("the bucket was emptied")
			}
		})
	}
}

func TestEmptyBucketReportsItems(t *testing.T) {
	t.Parallel()
	url := scripted(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/batch" {
			answer(w, 298, `[{"code":200},{"code":612,"data":{"error":"no such file or directory"}},{"code":403,"data":{"error":"no"}}]`)
			return
		}
		answer(w, 200, `{"items":[{"key":"a","hash":"h","mimeType":"m","putTime":1},{"key":"b","hash":"h","mimeType":"m","putTime":1},{"key":"c","hash":"h","mimeType":"m","putTime":1}]}`)
	})
	deleted, err := newClient(t, everything(url)).EmptyBucket(t.Context(), "bucket")
	failed := asError(t, err)
	if deleted != 1 || failed.Key != "c" || failed.Code != 403 || failed.Message != "no" || failed.RequestID != "request-id-1" ||
		failed.Host != strings.TrimPrefix(url, "http://") {
		t.Errorf("deleted %d, error %#v", deleted, failed)
	}
}
