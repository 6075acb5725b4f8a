package resources_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/qiniu/terraform-provider-kodo/internal/acctest"
)

// TestObjectPutTimePlanned says what a write may do to the put time: in the plan
// it is known exactly when nothing is written.
func TestObjectPutTimePlanned(t *testing.T) {
	t.Parallel()
	h := acctest.New(t, "assets")
	s := h.Session()
	apply(t, s, page(nil))
	before := s.State(pageAddress)["put_time"]
	for name, test := range map[string]struct {
		change  values
		putTime any
	}{
		"content":      {values{"content": "etag"}, acctest.Unknown{}},
		"content_type": {values{"content_type": "text/plain"}, acctest.Unknown{}},
		"overwrite":    {values{"overwrite": true}, before},
	} {
		if got := s.Plan(page(test.change)).Change(pageAddress).After["put_time"]; got != test.putTime {
			t.Errorf("%s: the put time is planned as %v, want %v", name, got, test.putTime)
		}
	}
}

// TestObjectUnknown plans with arguments that other resources will give:
// nothing unknown is hashed, and what is unknown says so.
func TestObjectUnknown(t *testing.T) {
	t.Parallel()
	unknown := acctest.Unknown{}
	for name, test := range map[string]struct {
		config, after values
		action        acctest.Action // of a plan that changes what exists
	}{
		"content":  {values{"content": unknown}, values{"etag": unknown, "size": unknown, "put_time": unknown}, acctest.Update},
		"base64":   {values{"content": nil, "content_base64": unknown}, values{"etag": unknown, "size": unknown, "put_time": unknown}, acctest.Update},
		"source":   {values{"content": nil, "source": unknown}, values{"etag": unknown, "size": unknown, "put_time": unknown}, acctest.Update},
		"key":      {values{"key": unknown, "domain": "cdn.example.com"}, values{"etag": helloETag, "content_type": unknown, "url": unknown, "put_time": unknown}, acctest.Update},
		"bucket":   {values{"bucket": unknown, "domain": "cdn.example.com"}, values{"etag": helloETag, "url": "http://cdn.example.com/page.html", "put_time": unknown}, acctest.Update},
		"domain":   {values{"domain": unknown}, values{"etag": helloETag, "url": unknown}, acctest.Update},
		"contents": {values{"content": unknown, "content_type": unknown}, values{"content_type": unknown, "etag": unknown}, acctest.Update},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := acctest.New(t, "assets")
			s := h.Session()
			created := s.Plan(page(test.config))
			if len(created.Diagnostics) > 0 {
				t.Fatal(created.Diagnostics)
			}
			expectPlanned(t, created, test.after)

			apply(t, s, page(nil))
			changed := s.Plan(page(test.config))
			if changed.Diagnostics.HasErrors() || len(changed.Diagnostics) > 0 && name != "bucket" { // whose region is not known
				t.Fatal(changed.Diagnostics)
			}
			expectPlanned(t, changed, test.after)
			expectActions(t, changed.Actions(), map[string]acctest.Action{pageAddress: test.action})
		})
	}
}

// expectPlanned compares planned attributes of the page.
func expectPlanned(t *testing.T, plan *acctest.Plan, want values) {
	t.Helper()
	for name, value := range want {
		if got := plan.Change(pageAddress).After[name]; got != value {
			t.Errorf("%s is planned as %v, want %v", name, got, value)
		}
	}
}

// TestObjectFileMadeDuringApply plans before the file exists.
func TestObjectFileMadeDuringApply(t *testing.T) {
	t.Parallel()
	h := acctest.New(t, "assets")
	s := h.Session()
	source := filepath.Join(t.TempDir(), "built.html")
	b := page(values{"content": nil, "source": source})

	plan := s.Plan(b)
	expectWarning(t, plan.Diagnostics, "Source Not There Yet", source)
	expectPlanned(t, plan, values{"etag": acctest.Unknown{}, "size": acctest.Unknown{}, "content_type": "text/html"})
	expectError(t, s.Apply(plan), "Content Not Readable", source, "Nothing was sent")
	expectWrites(t, h)

	plan = s.Plan(b)
	if err := os.WriteFile(source, []byte("hello"), 0o600); err != nil {
		t.Fatal(err)
	}
	if diags := s.Apply(plan); diags.HasErrors() {
		t.Fatal(diags)
	}
	expectState(t, s, pageAddress, values{"etag": helloETag})
	expectEmptyPlan(t, s, b)

	// Neither refresh nor destroy needs the file.
	if err := os.Remove(source); err != nil {
		t.Fatal(err)
	}
	if _, diags := apply(t, s); len(diags) > 0 {
		t.Errorf("destroy without the file:\n%s", diags)
	}
	expectKeys(t, h, "assets")
}

// TestObjectSourceChangedAfterPlan applies a plan whose file is no longer what it was.
func TestObjectSourceChangedAfterPlan(t *testing.T) {
	t.Parallel()
	h := acctest.New(t, "assets")
	s := h.Session()
	source := file(t, "page.html", []byte("hello"))
	plan := s.Plan(page(values{"content": nil, "source": source}))
	if err := os.WriteFile(source, []byte("etag"), 0o600); err != nil {
		t.Fatal(err)
	}
	// That is Terraform's own refusal, before anything is sent.
	refusals := s.Apply(plan).Errors()
	if len(refusals) != 2 { // of the etag and of the size
		t.Fatalf("got:\n%s", refusals)
	}
	for _, refusal := range refusals {
		if refusal.Summary != "Provider produced inconsistent final plan" {
			t.Errorf("got %s: %s", refusal.Summary, refusal.Detail)
		}
	}
	expectWrites(t, h)
	expectKeys(t, h, "assets")
}

// TestObjectOtherParts meets an object that another tool uploaded in parts of
// another size: its hash differs, its bytes do not.
func TestObjectOtherParts(t *testing.T) {
	t.Parallel()
	h := acctest.New(t, "assets")
	zeros := page(values{"content": nil, "source": file(t, "zeros", make([]byte, 5<<20))})
	putParts(t, h, "assets", pageKey, make([]byte, 5<<20))

	s := h.Session()
	if diags := s.Import(pageAddress, "assets/"+pageKey); len(diags) > 0 {
		t.Fatal(diags)
	}
	expectState(t, s, pageAddress, values{"etag": zeros5MiBOne})
	h.Writes()
	apply(t, s, zeros)
	expectWrites(t, h)
	expectState(t, s, pageAddress, values{"etag": zeros5MiBOne})
	expectEmptyPlan(t, s, zeros)

	other := make([]byte, 5<<20)
	other[5<<20-1] = 1
	actions, _ := apply(t, s, page(values{"content": nil, "source": file(t, "other", other)}))
	expectActions(t, actions, map[string]acctest.Action{pageAddress: acctest.Update})
}

func TestObjectDefaults(t *testing.T) {
	t.Parallel()
	h := acctest.New(t, "assets", "other")
	s := h.Session()
	right := s.Provider
	b := page(values{"bucket": nil})

	s.Provider = right.With(values{"bucket": "assets", "domain": "cdn.example.com"})
	apply(t, s, b)
	expectState(t, s, pageAddress, values{"bucket": "assets", "url": "http://cdn.example.com/page.html"})
	expectEmptyPlan(t, s, b)

	// Another default moves nothing, and its domain is not the object's.
	s.Provider = right.With(values{"bucket": "other", "domain": "other.example.com"})
	plan := s.Plan(b)
	expectPlanned(t, plan, values{"bucket": "assets", "url": nil})
	h.Writes()
	apply(t, s, b)
	expectWrites(t, h)
	expectState(t, s, pageAddress, values{"bucket": "assets", "url": nil})

	// An import takes the default domain as well: the first plan has nothing to add.
	imported := h.Session()
	imported.Provider = right.With(values{"bucket": "assets", "domain": "cdn.example.com"})
	if diags := imported.Import(pageAddress, "assets/"+pageKey); len(diags) > 0 {
		t.Fatal(diags)
	}
	expectState(t, imported, pageAddress, values{"url": "http://cdn.example.com/page.html"})

	s.Provider = right.With(values{"bucket": acctest.Unknown{}, "domain": "cdn.example.com"})
	created := h.Session()
	created.Provider = s.Provider
	expectPlanned(t, created.Plan(b), values{"bucket": acctest.Unknown{}, "url": acctest.Unknown{}, "etag": helloETag})
}

func TestObjectProviderUnknown(t *testing.T) {
	t.Parallel()
	h := acctest.New(t, "assets")
	s := h.Session()
	apply(t, s, page(nil))
	s.Provider = s.Provider.With(values{"endpoint": acctest.Unknown{}})
	h.ResetRequests()

	plan := s.Plan(page(values{"content": "etag"}))
	expectWarning(t, plan.Diagnostics, "Provider Configuration Not Known Yet", "endpoint", `"page.html"`)
	expectActions(t, plan.Actions(), map[string]acctest.Action{pageAddress: acctest.Update})
	expectPlanned(t, plan, values{"etag": etagETag})
	expectError(t, s.Import("kodo_object.other", "assets/a"), "Provider Configuration Not Known Yet", "endpoint")
	if requests := h.Requests(); len(requests) > 0 {
		t.Errorf("an endpoint that is not known was asked: %v", requests)
	}
}
