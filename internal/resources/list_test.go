package resources_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/qiniu/terraform-provider-kodo/internal/acctest"
	"github.com/qiniu/terraform-provider-kodo/internal/emulator"
)

// listed lists without errors, and returns what came and the requests that it took.
func listed(t *testing.T, h *acctest.Harness, s *acctest.Session, block acctest.List) (results []acctest.Listed, requests []string) {
	t.Helper()
	h.ResetRequests()
	results, diags := s.List(block)
	if len(diags) > 0 {
		t.Fatalf("list:\n%s", diags)
	}
	for _, r := range h.Requests() {
		requests = append(requests, r.Method+" "+r.Service+" "+r.Path)
	}
	return results, requests
}

func names(results []acctest.Listed) (names []string) {
	for _, result := range results {
		names = append(names, result.DisplayName)
	}
	return names
}

// expectEmptyImport plans what Terraform generates for a query: an import block
// and a configuration for each result. Nothing is left to change.
func expectEmptyImport(t *testing.T, s *acctest.Session, typeName string, results []acctest.Listed) {
	t.Helper()
	var blocks []acctest.Resource
	for i, result := range results {
		blocks = append(blocks, acctest.Resource{
			Address: fmt.Sprintf("%s.generated_%d", typeName, i), Config: result.Config, ImportIdentity: result.Identity,
		})
	}
	plan := s.Plan(blocks...)
	if len(plan.Diagnostics) > 0 {
		t.Errorf("plan:\n%s", plan.Diagnostics)
	}
	expectActions(t, plan.Actions(), map[string]acctest.Action{})
	for _, change := range plan.Changes {
		if !change.Imported {
			t.Errorf("%s is not imported", change.Address)
		}
	}
}

func TestObjectList(t *testing.T) {
	t.Parallel()
	h := acctest.New(t, "assets", "others")
	for _, key := range []string{"/leading", "a.txt", "img/日本.png", "img/a b.png", "img/b.png"} {
		put(t, h, "assets", key, "hello")
	}
	put(t, h, "others", "img/c.png", "hello")
	s := h.Session()

	all, requests := listed(t, h, s, acctest.List{Type: "kodo_object", Config: values{"bucket": "assets"}, Limit: 100, IncludeResource: true})
	if diff := cmp.Diff([]string{"/leading", "a.txt", "img/a b.png", "img/b.png", "img/日本.png"}, names(all)); diff != "" {
		t.Errorf("all (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"GET rsf /list"}, requests); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(values{"bucket": "assets", "key": "a.txt"}, all[1].Identity); diff != "" {
		t.Errorf("identity (-want +got):\n%s", diff)
	}
	got := values{}
	for _, name := range []string{"bucket", "key", "etag", "size", "content_type", "overwrite", "content", "source"} {
		got[name] = all[1].Resource[name]
	}
	want := values{
		"bucket": "assets", "key": "a.txt", "etag": helloETag, "size": int64(5), "content_type": "text/plain", "overwrite": false, "content": nil, "source": nil,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("resource (-want +got):\n%s", diff)
	}
	expectEmptyImport(t, s, "kodo_object", all)

	some, _ := listed(t, h, s, acctest.List{Type: "kodo_object", Config: values{"bucket": "assets", "prefix": "img/"}, Limit: 2})
	if diff := cmp.Diff([]string{"img/a b.png", "img/b.png"}, names(some)); diff != "" {
		t.Errorf("with prefix and limit (-want +got):\n%s", diff)
	}
	if some[0].Resource != nil {
		t.Errorf("a resource that was not asked for: %v", some[0].Resource)
	}

	s.Provider = s.Provider.With(values{"bucket": "others", "domain": "cdn.example.com"})
	own, _ := listed(t, h, s, acctest.List{Type: "kodo_object", Limit: 100, IncludeResource: true})
	if len(own) != 1 || own[0].Resource["url"] != "http://cdn.example.com/img/c.png" {
		t.Errorf("in the provider's bucket there is %v", own)
	}
	expectEmptyImport(t, s, "kodo_object", own)
}

// TestObjectListPages wants a request for each thousand, and none for what is
// beyond the limit.
func TestObjectListPages(t *testing.T) {
	t.Parallel()
	h := acctest.New(t, "assets")
	for i := range 2100 {
		put(t, h, "assets", fmt.Sprintf("%04d", i), "hello")
	}
	s := h.Session()
	for _, test := range []struct{ limit, results, requests int }{{5000, 2100, 3}, {2000, 2000, 2}, {10, 10, 1}} {
		got, requests := listed(t, h, s, acctest.List{Type: "kodo_object", Config: values{"bucket": "assets"}, Limit: int64(test.limit), IncludeResource: true})
		if len(got) != test.results || len(requests) != test.requests {
			t.Errorf("with a limit of %d there are %d results after %d requests, want %d after %d", test.limit, len(got), len(requests), test.results, test.requests)
		}
	}
}

func TestObjectListFails(t *testing.T) {
	t.Parallel()
	h := acctest.New(t, "assets")
	s := h.Session()
	_, diags := s.List(acctest.List{Type: "kodo_object"})
	expectError(t, diags, "Bucket Missing", "QINIU_BUCKET_NAME")

	unknown := h.Session()
	unknown.Provider = unknown.Provider.With(values{"bucket": acctest.Unknown{}})
	_, diags = unknown.List(acctest.List{Type: "kodo_object"})
	expectError(t, diags, "Provider Configuration Not Known Yet", "Set bucket here")

	_, diags = s.List(acctest.List{Type: "kodo_object", Config: values{"bucket": "Assets"}})
	if !diags.HasErrors() || !strings.Contains(diags.String(), `AttributeName("bucket")`) {
		t.Errorf("a name that no bucket can have gives:\n%s", diags)
	}

	_, diags = s.List(acctest.List{Type: "kodo_object", Config: values{"bucket": "nowhere"}})
	expectError(t, diags, "Objects Not Listed", `bucket "nowhere"`, "631")

	s.Provider = s.Provider.With(values{"secret_key": acctest.Unknown{}})
	_, diags = s.List(acctest.List{Type: "kodo_object", Config: values{"bucket": "assets"}})
	expectError(t, diags, "Provider Configuration Not Known Yet", "list objects")
	_, diags = s.List(acctest.List{Type: "kodo_bucket"})
	expectError(t, diags, "Provider Configuration Not Known Yet", "list buckets")
}

func TestBucketList(t *testing.T) {
	t.Parallel()
	h := acctest.New(t)
	s := h.Session()
	var blocks []acctest.Resource
	for _, name := range []string{"alpha", "beta", "gamma"} {
		blocks = append(blocks, block("kodo_bucket."+name, values{"name": name, "region": "z1", "private": name != "beta", "tags": map[string]string{"for": name}}))
	}
	apply(t, s, blocks...)
	s = h.Session() // which has none of them in its state

	all, _ := listed(t, h, s, acctest.List{Type: "kodo_bucket", Limit: 100, IncludeResource: true})
	if diff := cmp.Diff([]string{"alpha", "beta", "gamma"}, names(all)); diff != "" {
		t.Errorf("all (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(values{"name": "beta"}, all[1].Identity); diff != "" {
		t.Errorf("identity (-want +got):\n%s", diff)
	}
	got := values{}
	for _, name := range []string{"name", "region", "private", "index_page", "tags", "force_destroy"} {
		got[name] = all[1].Resource[name]
	}
	want := values{
		"name": "beta", "region": "z1", "private": false, "index_page": false, "tags": map[string]any{"for": "beta"}, "force_destroy": false,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("resource (-want +got):\n%s", diff)
	}
	expectEmptyImport(t, s, "kodo_bucket", all)

	some, requests := listed(t, h, s, acctest.List{Type: "kodo_bucket", Limit: 2})
	if diff := cmp.Diff([]string{"alpha", "beta"}, names(some)); diff != "" {
		t.Errorf("with a limit (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"GET uc /buckets"}, requests); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
}

// TestBucketListGone drops a bucket after it was listed, and lets another one fail.
func TestBucketListGone(t *testing.T) {
	t.Parallel()
	h := acctest.New(t, "alpha", "beta", "gamma")
	s := h.Session()
	fail(t, h, emulator.Fault{Match: emulator.Match{Path: "/v2/bucketInfo"}, Times: 1, Do: "status", Status: 631})
	left, _ := listed(t, h, s, acctest.List{Type: "kodo_bucket", Limit: 100, IncludeResource: true})
	if diff := cmp.Diff([]string{"beta", "gamma"}, names(left)); diff != "" {
		t.Errorf("without the one that is gone (-want +got):\n%s", diff)
	}

	fail(t, h, emulator.Fault{Match: emulator.Match{Path: "/v2/bucketInfo"}, Times: 1, Do: "status", Status: 403})
	left, diags := s.List(acctest.List{Type: "kodo_bucket", Limit: 100, IncludeResource: true})
	expectError(t, diags, "Bucket Not Read", `Bucket "alpha"`, "403")
	if diff := cmp.Diff([]string{"beta", "gamma"}, names(left)); diff != "" {
		t.Errorf("without the one that fails (-want +got):\n%s", diff)
	}

	fail(t, h, emulator.Fault{Match: emulator.Match{Path: "/buckets"}, Times: 9, Do: "status", Status: 403})
	_, diags = s.List(acctest.List{Type: "kodo_bucket", Limit: 100})
	expectError(t, diags, "Buckets Not Listed", "403")
}
