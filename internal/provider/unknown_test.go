package provider_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/qiniu/terraform-provider-kodo/internal/acctest"
)

var assets = acctest.Resource{Address: "kodo_bucket.assets", Config: acctest.Values{"name": "assets", "region": "z0"}}

func page(content string) acctest.Resource {
	return acctest.Resource{Address: "kodo_object.page", Config: acctest.Values{"bucket": "assets", "key": "index.html", "content": content}}
}

// published is a session with a bucket and an object, and what they are in the state.
func published(t *testing.T, h *acctest.Harness) (s *acctest.Session, bucket, object acctest.Values) {
	t.Helper()
	s = h.Session()
	mustApply(t, s, s.Plan(assets))
	mustApply(t, s, s.Plan(assets, page("hello")))
	h.ResetRequests()
	return s, s.State("kodo_bucket.assets"), s.State("kodo_object.page")
}

func mustApply(t *testing.T, s *acctest.Session, plan *acctest.Plan) {
	t.Helper()
	if plan.Diagnostics.HasErrors() {
		t.Fatal(plan.Diagnostics)
	}
	if diags := s.Apply(plan); diags.HasErrors() {
		t.Fatal(diags)
	}
}

// While what the client needs is not known, a plan asks Kodo nothing: Read
// keeps the state with one warning for each object, and the plan shows what
// local work alone can tell. The apply then goes on with known values.
func TestPlanWithAnUnknownProvider(t *testing.T) {
	t.Parallel()
	h := acctest.New(t)
	s, bucket, object := published(t, h)

	s.Provider["secret_key"] = acctest.Unknown{}
	plan := s.Plan(assets, page("hello, again"))
	if plan.Diagnostics.HasErrors() {
		t.Fatal(plan.Diagnostics)
	}
	if got := h.Requests(); len(got) != 0 {
		t.Errorf("the plan asked Kodo: %v", got)
	}
	if got := plan.Diagnostics.Warnings(); len(got) != 2 || got[0].Summary != "Provider Configuration Not Known Yet" || got[1].Summary != got[0].Summary {
		t.Errorf("warnings = %s, want one for each of two objects", got)
	}
	want := map[string]acctest.Action{"kodo_object.page": acctest.Update}
	if diff := cmp.Diff(want, plan.Actions()); diff != "" {
		t.Fatalf("actions (-want +got):\n%s", diff)
	}
	after := plan.Change("kodo_object.page").After
	if got, want := after["etag"], "Fj5fHkj4CilWOc5N1AGqc1S8sVBf"; got != want {
		t.Errorf("the planned etag is %v, want %s; it was %s", got, want, object["etag"])
	}

	s.Provider["secret_key"] = acctest.SecretKey
	mustApply(t, s, plan)
	if diff := cmp.Diff(bucket, s.State("kodo_bucket.assets")); diff != "" {
		t.Errorf("the bucket's state changed (-before +after):\n%s", diff)
	}
	if got, err := h.Content("assets", "index.html"); err != nil || string(got) != "hello, again" {
		t.Errorf("content = %q, %v", got, err)
	}
}

// A default bucket and a domain that are not known yet leave unknown exactly
// what follows from them, and the apply is what the plan has shown.
func TestCreateInAnUnknownBucket(t *testing.T) {
	t.Parallel()
	h := acctest.New(t, "assets")
	s := h.Session()
	block := acctest.Resource{Address: "kodo_object.page", Config: acctest.Values{"key": "index.html", "content": "hello"}}

	s.Provider["bucket"], s.Provider["domain"] = acctest.Unknown{}, acctest.Unknown{}
	plan := s.Plan(block)
	if plan.Diagnostics.HasErrors() {
		t.Fatal(plan.Diagnostics)
	}
	after := plan.Change("kodo_object.page").After
	for attribute, want := range map[string]any{
		"bucket": acctest.Unknown{}, "url": acctest.Unknown{}, "etag": "Fqr0xh3cxeii2r7eDztILNmuqUNN", "size": int64(5),
	} {
		if diff := cmp.Diff(want, after[attribute]); diff != "" {
			t.Errorf("planned %s (-want +got):\n%s", attribute, diff)
		}
	}

	s.Provider["bucket"], s.Provider["domain"] = "assets", "cdn.example.com"
	mustApply(t, s, plan)
	state := s.State("kodo_object.page")
	for attribute, want := range map[string]any{"bucket": "assets", "url": "http://cdn.example.com/index.html"} {
		if diff := cmp.Diff(want, state[attribute]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", attribute, diff)
		}
	}

	// The default is recorded: another default moves nothing.
	s.Provider["bucket"], s.Provider["domain"] = "other", nil
	if got := s.Plan(block).Change("kodo_object.page").After["bucket"]; got != "assets" {
		t.Errorf("with another default bucket the object is planned in %v", got)
	}
}

// While the endpoint is not known, neither is the scheme of a domain without one.
func TestPlanWithAnUnknownEndpoint(t *testing.T) {
	t.Parallel()
	h := acctest.New(t, "assets")
	s := h.Session()
	block := acctest.Resource{Address: "kodo_object.page", Config: acctest.Values{
		"bucket": "assets", "key": "index.html", "content": "hello", "domain": "cdn.example.com",
	}}
	s.Provider["endpoint"] = acctest.Unknown{}
	plan := s.Plan(block)
	if plan.Diagnostics.HasErrors() {
		t.Fatal(plan.Diagnostics)
	}
	if got := plan.Change("kodo_object.page").After["url"]; got != (acctest.Unknown{}) {
		t.Errorf("the planned url is %v, want unknown", got)
	}
	s.Provider["endpoint"] = h.Endpoint()
	mustApply(t, s, plan)
}

func TestImportWithAnUnknownProvider(t *testing.T) {
	t.Parallel()
	for address, test := range map[string]struct {
		id       string
		identity acctest.Values
	}{
		"kodo_bucket.assets": {"assets", acctest.Values{"name": "assets"}},
		"kodo_object.page":   {"assets/index.html", acctest.Values{"bucket": "assets", "key": "index.html"}},
	} {
		t.Run(address, func(t *testing.T) {
			t.Parallel()
			h := acctest.New(t)
			_, _, _ = published(t, h)
			s := h.Session()
			s.Provider["access_key"] = acctest.Unknown{}
			for form, diags := range map[string]acctest.Diagnostics{
				"id": s.Import(address, test.id), "identity": s.ImportIdentity(address, test.identity),
			} {
				if got := diags.Errors(); len(got) != 1 || got[0].Summary != "Provider Configuration Not Known Yet" {
					t.Errorf("import by %s gives %s, want one error", form, diags)
				}
			}
			if s.State(address) != nil {
				t.Error("something was imported")
			}
			s.Provider["access_key"] = acctest.AccessKey
			if diags := s.Import(address, test.id); diags.HasErrors() || s.State(address) == nil {
				t.Errorf("with known keys the import gives %s", diags)
			}
		})
	}
}
