package resources_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/terraform"

	"github.com/qiniu/terraform-provider-kodo/internal/acctest"
)

// The tests of bytes that a plan does not look at: secrets, and files that are made during the apply.

// secret is a block whose bytes are in the configuration alone.
func secret(text string, version int) values {
	return values{"content": nil, "content_wo": text, "content_wo_version": version}
}

// TestObjectSecretContent keeps the bytes out of plan and state, and sends them when the version says so.
func TestObjectSecretContent(t *testing.T) {
	t.Parallel()
	h := acctest.New(t, "assets")
	s := h.Session()
	plan := s.Plan(page(secret("hello", 1)))
	expectPlanned(t, plan, values{"etag": acctest.Unknown{}, "size": acctest.Unknown{}, "content_wo": nil})
	if diags := s.Apply(plan); diags.HasErrors() {
		t.Fatal(diags)
	}
	expectState(t, s, pageAddress, values{"etag": helloETag, "size": int64(5), "content_wo": nil, "content_wo_version": int64(1)})
	expectEmptyPlan(t, s, page(secret("hello", 1)))
	h.Writes()

	// Another text under the same version is nobody's business.
	expectEmptyPlan(t, s, page(secret("etag", 1)))
	expectWrites(t, h)
	apply(t, s, page(secret("etag", 2)))
	expectWrites(t, h, "POST up /")
	expectState(t, s, pageAddress, values{"etag": etagETag, "content_wo": nil, "content_wo_version": int64(2)})
	expectEmptyPlan(t, s, page(secret("etag", 2)))

	// The same text under another version sends nothing.
	apply(t, s, page(secret("etag", 3)))
	expectWrites(t, h)

	// What somebody else stored is replaced, although the version is the same.
	put(t, h, "assets", pageKey, "somebody else's")
	h.Writes()
	apply(t, s, page(secret("etag", 3)))
	expectWrites(t, h, "POST up /")
	expectContent(t, h, "assets", pageKey, "etag")
	expectEmptyPlan(t, s, page(secret("etag", 3)))

	// Metadata that go need the bytes, which only the configuration has.
	apply(t, s, page(secret("etag", 3).With(values{"cache_control": "no-store"})))
	h.Writes()
	apply(t, s, page(secret("etag", 3)))
	expectWrites(t, h, "POST up /")
	expectEmptyPlan(t, s, page(secret("etag", 3)))
}

// TestObjectSourceHash never opens the file in a plan.
func TestObjectSourceHash(t *testing.T) {
	t.Parallel()
	h := acctest.New(t, "assets")
	s := h.Session()
	source := filepath.Join(t.TempDir(), "built.html")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(source, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	built := func(hash any) acctest.Resource {
		return page(values{"content": nil, "source": source, "source_hash": hash})
	}
	plan := s.Plan(built("one"))
	if len(plan.Diagnostics) > 0 {
		t.Errorf("a file that is missing is looked for:\n%s", plan.Diagnostics)
	}
	write("hello") // by another resource of the apply
	if diags := s.Apply(plan); diags.HasErrors() {
		t.Fatal(diags)
	}
	expectState(t, s, pageAddress, values{"etag": helloETag, "source_hash": "one"})

	write("etag")
	expectEmptyPlan(t, s, built("one"))
	if err := os.Remove(source); err != nil {
		t.Fatal(err)
	}
	expectEmptyPlan(t, s, built("one"))

	for _, hash := range []any{"two", acctest.Unknown{}} {
		plan = s.Plan(built(hash))
		if len(plan.Diagnostics) > 0 {
			t.Fatal(plan.Diagnostics)
		}
		expectPlanned(t, plan, values{"etag": acctest.Unknown{}, "size": acctest.Unknown{}, "put_time": acctest.Unknown{}})
	}
	write("etag")
	h.Writes()
	apply(t, s, built("two"))
	expectWrites(t, h, "POST up /")
	expectState(t, s, pageAddress, values{"etag": etagETag, "source_hash": "two"})

	// The same bytes under another hash send nothing.
	apply(t, s, built("three"))
	expectWrites(t, h)
	expectEmptyPlan(t, s, built("three"))

	// A change in Kodo is noticed all the same.
	put(t, h, "assets", pageKey, "somebody else's")
	h.Writes()
	apply(t, s, built("three"))
	expectWrites(t, h, "POST up /")
	expectContent(t, h, "assets", pageKey, "etag")
}

// TestObjectContentArguments refuses combinations that say two things, or nothing.
func TestObjectContentArguments(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		config values
		says   string
	}{
		"content and content_wo":     {values{"content_wo": "x", "content_wo_version": 1}, "content_wo"},
		"content_wo alone":           {values{"content": nil, "content_wo": "x"}, "content_wo_version"},
		"content_wo_version alone":   {values{"content_wo_version": 1}, "content_wo"},
		"source_hash without source": {values{"source_hash": "x"}, "source"},
	} {
		errs := acctest.New(t, "assets").Session().Plan(page(test.config)).Diagnostics.Errors()
		if len(errs) == 0 || !strings.Contains(errs[0].Detail, test.says) {
			t.Errorf("%s: got:\n%v, want an error that says %q", name, errs, test.says)
		}
	}
}

// TestObjectImportedWrites imports what is there: the first plan takes the arguments that Kodo does not keep, and its
// apply writes nothing. Whatever differs from what is there is written.
func TestObjectImportedWrites(t *testing.T) {
	t.Parallel()
	source, other := file(t, "page.html", []byte("hello")), file(t, "other.html", []byte("etag"))
	for name, test := range map[string]struct {
		made, config values
		writes       []string
	}{
		"content":            {nil, nil, nil},
		"source":             {nil, values{"content": nil, "source": source}, nil},
		"source_hash":        {nil, values{"content": nil, "source": source, "source_hash": "one"}, nil},
		"content_wo":         {nil, secret("hello", 7), nil},
		"nothing":            {nil, values{"content": nil}, nil},
		"overwrite":          {nil, values{"overwrite": true, "deletion_policy": "ABANDON", "timeouts": values{"create": "1h"}}, nil},
		"lifetime":           {values{"delete_after_days": 9, "transition": values{"ia_days": 3}}, values{"delete_after_days": 9, "transition": values{"ia_days": 3}}, nil},
		"served and kept":    {values{"cache_control": "no-store", "metadata": values{"a": "b"}, "storage_class": "IA", "enabled": false}, values{"cache_control": "no-store", "metadata": values{"a": "b"}, "storage_class": "IA", "enabled": false}, nil},
		"other bytes":        {nil, values{"content": "etag"}, []string{"POST up /"}},
		"a lifetime anew":    {nil, values{"delete_after_days": 9}, []string{"POST rs /lifecycle/assets:page.html/deleteAfterDays/9" + ifHello}},
		"a transition anew":  {values{"delete_after_days": 9}, values{"delete_after_days": 9, "transition": values{"ia_days": 3}}, []string{"POST rs /lifecycle/assets:page.html/toIAAfterDays/3/deleteAfterDays/9" + ifHello}},
		"metadata less":      {values{"metadata": values{"a": "b"}}, nil, []string{"POST up /"}},
		"and another secret": {values{"metadata": values{"a": "b"}}, secret("etag", 7), []string{"POST up /"}},
		"and another file":   {values{"metadata": values{"a": "b"}}, values{"content": nil, "source": other, "source_hash": "one"}, []string{"POST up /"}},
		"other content type": {nil, values{"content_type": "text/plain"}, []string{chgm("assets:page.html", "/mime/dGV4dC9wbGFpbg==")}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := acctest.New(t, "assets")
			s := h.Session()
			apply(t, s, page(test.made))
			s.Forget(pageAddress)
			if diags := s.Import(pageAddress, "assets/page.html"); len(diags) > 0 {
				t.Fatal(diags)
			}
			imported := s.State(pageAddress)
			h.Writes()
			plan := s.Plan(page(test.config))
			if plan.Diagnostics.HasErrors() {
				t.Fatal(plan.Diagnostics)
			}
			if test.writes == nil {
				expectPlanned(t, plan, values{"etag": imported["etag"], "size": imported["size"], "put_time": imported["put_time"], "deletes_at": imported["deletes_at"]})
			}
			if diags := s.Apply(plan); diags.HasErrors() {
				t.Fatal(diags)
			}
			expectWrites(t, h, test.writes...)
			expectEmptyPlan(t, s, page(test.config))
		})
	}
}

// TestObjectWithoutContent follows an object whose bytes are somebody else's: a plan shows that they have changed, and
// its apply takes note and writes nothing.
func TestObjectWithoutContent(t *testing.T) {
	t.Parallel()
	h := acctest.New(t, "assets")
	put(t, h, "assets", pageKey, "hello")
	s := h.Session()
	config := page(values{"content": nil, "content_type": "text/plain"})
	if diags := s.Import(pageAddress, "assets/page.html"); len(diags) > 0 {
		t.Fatal(diags)
	}
	apply(t, s, config)
	expectEmptyPlan(t, s, config)

	put(t, h, "assets", pageKey, "etag")
	h.Writes()
	plan := s.Plan(config)
	expectActions(t, plan.Actions(), map[string]acctest.Action{pageAddress: acctest.Update})
	expectWarning(t, plan.Diagnostics, "Object Written By Somebody Else", `"page.html" in bucket "assets"`, helloETag, etagETag, "set source or content")
	expectPlanned(t, plan, values{"etag": etagETag, "put_time": acctest.Unknown{}})
	if diags := s.Apply(plan); diags.HasErrors() {
		t.Fatal(diags)
	}
	expectWrites(t, h)
	expectState(t, s, pageAddress, values{"etag": etagETag, "size": int64(4)})
	expectEmptyPlan(t, s, config)
}

// TestAccObjectSecret has a real Terraform write bytes that neither its plan nor its state holds.
func TestAccObjectSecret(t *testing.T) {
	t.Parallel()
	h := acctest.New(t, "assets")
	if !h.CLI().WriteOnly() {
		return // TestObjectSecretContent does the same through the provider protocol
	}
	config := func(text string, version int) string {
		return h.Config(fmt.Sprintf("resource \"kodo_object\" \"page\" {\n  bucket = \"assets\"\n  key = \"page.html\"\n  content_wo = %q\n  content_wo_version = %d\n}\n", text, version))
	}
	holds := func(want string) resource.TestCheckFunc {
		return func(state *terraform.State) error {
			switch got, err := h.Content("assets", pageKey); {
			case err != nil:
				return err
			case string(got) != want:
				return fmt.Errorf("the object holds %q, not %q", got, want)
			}
			if strings.Contains(state.String(), want) {
				return fmt.Errorf("the state holds the secret: %s", state)
			}
			return nil
		}
	}
	h.Test(
		resource.TestStep{Config: config("hello-secret", 1), Check: holds("hello-secret")},
		resource.TestStep{Config: config("other-secret", 1), Check: holds("hello-secret")},
		resource.TestStep{Config: config("other-secret", 2), Check: holds("other-secret")},
		resource.TestStep{PreConfig: func() { put(t, h, "assets", pageKey, "somebody else's") }, Config: config("other-secret", 2), Check: holds("other-secret")},
	)
}

// TestObjectGeneratedConfig plans nothing for the configuration that Terraform writes for an imported object.
func TestObjectGeneratedConfig(t *testing.T) {
	t.Parallel()
	h := acctest.New(t, "assets")
	s := h.Session()
	apply(t, s, page(values{"cache_control": "no-store", "metadata": values{"a": "b"}, "storage_class": "IA", "delete_after_days": 9, "enabled": false}))
	s.Forget(pageAddress)
	if diags := s.Import(pageAddress, "assets/page.html"); len(diags) > 0 {
		t.Fatal(diags)
	}
	expectEmptyPlan(t, s, acctest.Resource{Address: pageAddress, Config: s.GeneratedConfig(pageAddress)})
}

// TestObjectDeletionPolicy destroys, abandons, or refuses.
func TestObjectDeletionPolicy(t *testing.T) {
	t.Parallel()
	h := acctest.New(t, "assets")
	s := h.Session()
	apply(t, s, page(values{"deletion_policy": "PREVENT"}))
	h.Writes()
	expectError(t, s.Plan().Diagnostics, "Deletion Prevented", `"page.html" in bucket "assets"`, "DELETE", "ABANDON", "apply that first")

	// A replacement that nobody asked the provider about is refused when it comes to deleting.
	s.Taint(pageAddress)
	expectError(t, s.Apply(s.Plan(page(values{"deletion_policy": "PREVENT"}))), "Deletion Prevented", "deleted")
	expectWrites(t, h)
	s.Untaint(pageAddress)

	// Turning it off needs an apply of its own, and no request.
	apply(t, s, page(values{"deletion_policy": "ABANDON"}))
	apply(t, s)
	expectWrites(t, h)
	expectKeys(t, h, "assets", pageKey)
	if s.State(pageAddress) != nil {
		t.Error("the abandoned object is still in the state")
	}
}

// TestObjectMovedFromOtherTypes takes over the objects of other providers: nothing is written.
func TestObjectMovedFromOtherTypes(t *testing.T) {
	t.Parallel()
	source := file(t, "page.html", []byte("hello"))
	for name, test := range map[string]struct {
		from    acctest.Foreign
		config  values
		summary string // of the error, if there is one
	}{
		"aws_s3_object": {
			acctest.Foreign{Type: "aws_s3_object", Provider: "registry.terraform.io/hashicorp/aws", State: `{"bucket":"assets","key":"page.html","source":` + quote(source) + `,"source_hash":null,
				"content":null,"content_base64":null,"etag":"5d41402abc4b2a76b9719d911017c592","storage_class":"STANDARD","tags":{},"metadata":{},"id":"page.html","force_destroy":false}`},
			values{"content": nil, "source": source}, "",
		},
		"aws_s3_object with a hash": {
			acctest.Foreign{Type: "aws_s3_object", Provider: "registry.opentofu.org/hashicorp/aws", State: `{"bucket":"assets","key":"page.html","source":` + quote(source) + `,"source_hash":"abc","content":null}`},
			values{"content": nil, "source": source, "source_hash": "abc"}, "",
		},
		"qiniu_bucket_object": {
			acctest.Foreign{Type: "qiniu_bucket_object", Provider: "registry.terraform.io/-/qiniu", State: `{"bucket":"assets","key":"page.html","source":"","content":"hello","storage_type":"","content_type":"text/html","content_length":5,"content_etag":"` + helloETag + `"}`},
			nil, "",
		},
		"an AWS bucket that cannot be one of Kodo's": {
			acctest.Foreign{Type: "aws_s3_object", Provider: "registry.terraform.io/hashicorp/aws", State: `{"bucket":"My.Bucket","key":"page.html"}`}, nil, "State Not Moved",
		},
		"no key": {
			acctest.Foreign{Type: "qiniu_bucket_object", Provider: "registry.terraform.io/-/qiniu", State: `{"bucket":"assets"}`}, nil, "State Not Moved",
		},
		"another type": {
			acctest.Foreign{Type: "aws_s3_bucket", Provider: "registry.terraform.io/hashicorp/aws", State: `{"bucket":"assets"}`}, nil, "Unable to Move Resource State",
		},
		"the type of somebody else": {
			acctest.Foreign{Type: "aws_s3_object", Provider: "registry.terraform.io/somebody/aws", State: `{"bucket":"assets","key":"page.html"}`}, nil, "Unable to Move Resource State",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := acctest.New(t, "assets")
			if err := h.Put("assets", pageKey, "text/html", []byte("hello")); err != nil {
				t.Fatal(err)
			}
			s := h.Session()
			s.Enter("foreign.page", test.from)
			b := page(test.config)
			b.MovedFrom = "foreign.page"
			h.Writes()
			plan := s.Plan(b)
			if test.summary != "" {
				if errs := plan.Diagnostics.Errors(); len(errs) != 1 || errs[0].Summary != test.summary {
					t.Errorf("got:\n%s, want the error %q", plan.Diagnostics, test.summary)
				}
				return
			}
			if plan.Diagnostics.HasErrors() {
				t.Fatal(plan.Diagnostics)
			}
			expectPlanned(t, plan, values{"etag": helloETag, "size": int64(5)})
			if diags := s.Apply(plan); diags.HasErrors() {
				t.Fatal(diags)
			}
			expectWrites(t, h)
			expectEmptyPlan(t, s, page(test.config))
			expectIdentity(t, s, pageAddress, values{"bucket": "assets", "key": pageKey})
			expectContent(t, h, "assets", pageKey, "hello")
		})
	}
}

func quote(text string) string { return `"` + strings.ReplaceAll(text, `\`, `\\`) + `"` }
