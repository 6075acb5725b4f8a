package resources_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"

	"github.com/qiniu/terraform-provider-kodo/internal/acctest"
	"github.com/qiniu/terraform-provider-kodo/internal/emulator"
)

const (
	pageAddress = "kodo_object.page"
	pageKey     = "page.html"
)

// Hashes that Kodo's documentation and official tools give for these contents.
const (
	emptyETag     = "Fto5o-5ea0sNMlW_75VgGJCv2AcJ"
	helloETag     = "Fqr0xh3cxeii2r7eDztILNmuqUNN"
	etagETag      = "FpLiADEaVoALPkdb8tJEJyRTXoe_" // of the four letters "etag"
	zeros4MiBETag = "FivMvS848VwT631aif2dhfWV4jvD"
	zeros5MiBETag = "lrMhp7oU8rzWSRlmUeGJ73Q2pVa-" // v1, as of parts of 4 MiB
	zeros5MiBOne  = "nukH1NCKrGHM2Z4wgld-sfzD28_e" // as one part of 5 MiB
)

// page is the block of most tests here: the content "hello", with some
// arguments changed. A nil takes one away.
func page(changes values) acctest.Resource {
	return block(pageAddress, values{"bucket": "assets", "key": pageKey, "content": "hello"}.With(changes))
}

// file writes a file of the test's own.
func file(t *testing.T, name string, content []byte) string {
	t.Helper()
	name = filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(name, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestAccObject(t *testing.T) {
	t.Parallel()
	h := acctest.New(t, "assets")
	source := file(t, "page.html", []byte("hello"))
	config := h.Config(fmt.Sprintf(`
		resource "kodo_object" "page" {
		  bucket = "assets"
		  key    = "page.html"
		  source = %q
		  domain = "cdn.example.com"
		}`, source))
	attribute := func(name string, want knownvalue.Check) statecheck.StateCheck {
		return statecheck.ExpectKnownValue(pageAddress, tfjsonpath.New(name), want)
	}
	h.Test(
		resource.TestStep{
			Config: config,
			ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{
				plancheck.ExpectKnownValue(pageAddress, tfjsonpath.New("etag"), knownvalue.StringExact(helloETag)),
				plancheck.ExpectKnownValue(pageAddress, tfjsonpath.New("size"), knownvalue.Int64Exact(5)),
				plancheck.ExpectUnknownValue(pageAddress, tfjsonpath.New("put_time")),
			}},
			ConfigStateChecks: []statecheck.StateCheck{
				attribute("etag", knownvalue.StringExact(helloETag)),
				attribute("size", knownvalue.Int64Exact(5)),
				attribute("content_type", knownvalue.StringExact("text/html")),
				attribute("url", knownvalue.StringExact("http://cdn.example.com/page.html")),
				h.ExpectContent("assets", pageKey, "hello"),
				h.ExpectWrites("POST up /"),
			},
		},
		resource.TestStep{
			// The configuration is the same, the file is not.
			PreConfig: func() {
				if err := os.WriteFile(source, []byte("etag"), 0o600); err != nil {
					t.Fatal(err)
				}
			},
			Config: config,
			ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{
				plancheck.ExpectResourceAction(pageAddress, plancheck.ResourceActionUpdate),
			}},
			ConfigStateChecks: []statecheck.StateCheck{
				attribute("etag", knownvalue.StringExact(etagETag)),
				h.ExpectContent("assets", pageKey, "etag"),
				h.ExpectWrites("POST up /"),
			},
		},
		resource.TestStep{
			ResourceName:                         pageAddress,
			ImportState:                          true,
			ImportStateId:                        "assets/page.html",
			ImportStateVerify:                    true,
			ImportStateVerifyIdentifierAttribute: "key",
			ImportStateVerifyIgnore:              []string{"source", "domain", "url"},
		},
	)
	expectKeys(t, h, "assets")
}

// TestObjectChanges changes each argument alone: in place with exactly the
// requests that belong to it, or by replacement.
func TestObjectChanges(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		before, change values
		action         acctest.Action
		writes         []string
		after          values
	}{
		"content":                       {nil, values{"content": "etag"}, acctest.Update, []string{"POST up /"}, values{"etag": etagETag, "size": int64(4)}},
		"content emptied":               {nil, values{"content": ""}, acctest.Update, []string{"POST up /"}, values{"etag": emptyETag, "size": int64(0)}},
		"content to the same in base64": {nil, values{"content": nil, "content_base64": "aGVsbG8="}, acctest.Update, nil, values{"etag": helloETag}},
		"content_base64": {values{"content": nil, "content_base64": "aGVsbG8="}, values{"content": nil, "content_base64": "ZXRhZw=="}, acctest.Update,
			[]string{"POST up /"}, values{"etag": etagETag}},
		"content dropped from the configuration": {nil, values{"content": nil}, acctest.Update, nil, values{"etag": helloETag, "content": nil}},
		"content_type": {nil, values{"content_type": "text/plain"}, acctest.Update, []string{"POST rs /chgm/assets:page.html/mime/dGV4dC9wbGFpbg==/cond/aGFzaD1GcXIweGgzY3hlaWkycjdlRHp0SUxObXVxVU5O"},
			values{"content_type": "text/plain", "etag": helloETag}},
		"content_type dropped from the configuration": {values{"content_type": "text/plain"}, nil, acctest.NoOp, nil, values{"content_type": "text/plain"}},
		"content and content_type":                    {nil, values{"content": "etag", "content_type": "text/plain"}, acctest.Update, []string{"POST up /"}, values{"content_type": "text/plain", "etag": etagETag}},
		"key":                                         {nil, values{"key": "other.css"}, acctest.Update, []string{"POST rs /move/assets:page.html/assets:other.css", chgm("assets:other.css", "/mime/dGV4dC9jc3M=")}, values{"content_type": "text/css", "etag": helloETag}},
		"bucket":                                      {nil, values{"bucket": "backup"}, acctest.Update, []string{"POST rs /move/assets:page.html/backup:page.html"}, values{"bucket": "backup", "etag": helloETag}},
		"domain":                                      {nil, values{"domain": "https://cdn.example.com:8443"}, acctest.Update, nil, values{"url": "https://cdn.example.com:8443/page.html"}},
		"overwrite":                                   {nil, values{"overwrite": true}, acctest.Update, nil, values{"overwrite": true}},
		"timeouts":                                    {nil, values{"timeouts": values{"create": "1h"}}, acctest.Update, nil, values{"etag": helloETag}},
		"nothing":                                     {values{"content_type": "text/html", "overwrite": false}, nil, acctest.NoOp, nil, values{"content_type": "text/html"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := acctest.New(t, "assets", "backup")
			s := h.Session()
			apply(t, s, page(test.before))
			putTime := s.State(pageAddress)["put_time"]
			h.Writes()

			actions, _ := apply(t, s, page(test.change))
			want := map[string]acctest.Action{pageAddress: test.action}
			if test.action == acctest.NoOp {
				want = map[string]acctest.Action{}
			}
			expectActions(t, actions, want)
			expectWrites(t, h, test.writes...)
			expectState(t, s, pageAddress, test.after)
			if len(test.writes) == 0 {
				expectState(t, s, pageAddress, values{"put_time": putTime})
			}
			expectEmptyPlan(t, s, page(test.change))
		})
	}
}

// TestObjectPathOnly sends nothing when only the path to the same bytes changes.
func TestObjectPathOnly(t *testing.T) {
	t.Parallel()
	h := acctest.New(t, "assets")
	s := h.Session()
	one, two := file(t, "one", []byte("hello")), file(t, "two", []byte("hello"))
	apply(t, s, page(values{"content": nil, "source": one}))
	h.ResetRequests()
	h.Writes()
	apply(t, s, page(values{"content": nil, "source": two}))
	for _, request := range h.Requests() {
		if request.Method != http.MethodGet || !strings.HasPrefix(request.Path, "/stat/") {
			t.Errorf("a change of the path alone sent %+v", request)
		}
	}
	expectState(t, s, pageAddress, values{"source": two, "etag": helloETag})
}

// TestObjectHome expands the home folder.
func TestObjectHome(t *testing.T) {
	t.Parallel()
	h := acctest.New(t, "assets")
	if err := os.WriteFile(filepath.Join(h.Home(), "page.html"), []byte("hello"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := h.Session()
	apply(t, s, page(values{"content": nil, "source": "~/page.html"}))
	expectContent(t, h, "assets", pageKey, "hello")
}

// TestObjectSizes uploads what is at the edges of a form and of parts.
func TestObjectSizes(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		size   int
		etag   string
		writes int
	}{
		"empty":     {0, emptyETag, 1},
		"4 MiB":     {4 << 20, zeros4MiBETag, 1},
		"4 MiB + 1": {4<<20 + 1, "lhCFgki5yzon0rjN9uJusf6qtsF6", 4},
		"5 MiB":     {5 << 20, zeros5MiBETag, 4},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := acctest.New(t, "assets")
			s := h.Session()
			zeros := page(values{"content": nil, "source": file(t, "zeros", make([]byte, test.size))})
			apply(t, s, zeros)
			if writes := h.Writes(); len(writes) != test.writes {
				t.Errorf("writing requests = %q, want %d", writes, test.writes)
			}
			expectState(t, s, pageAddress, values{"etag": test.etag, "size": int64(test.size)})
			if got, err := h.Content("assets", pageKey); err != nil || !bytes.Equal(got, make([]byte, test.size)) {
				t.Errorf("the server has %d bytes, %v", len(got), err)
			}
			expectEmptyPlan(t, s, zeros)
		})
	}
}

func TestObjectKeys(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ key, url string }{
		"empty":        {"", "http://cdn.example.com/"},
		"slashes":      {"/a//b/", "http://cdn.example.com//a//b/"},
		"spaces":       {" a  b ", "http://cdn.example.com/%20a%20%20b%20"},
		"colon":        {"a:b|c", "http://cdn.example.com/a%3Ab%7Cc"},
		"percent":      {"100%25", "http://cdn.example.com/100%2525"},
		"question":     {"a?b=c&d#e+f", "http://cdn.example.com/a%3Fb%3Dc%26d%23e%2Bf"},
		"CJK":          {"图片/海港.jpg", "http://cdn.example.com/%E5%9B%BE%E7%89%87/%E6%B5%B7%E6%B8%AF.jpg"},
		"emoji":        {"🚢", "http://cdn.example.com/%F0%9F%9A%A2"},
		"control":      {"a\r\nb\"c\\d", "http://cdn.example.com/a%0D%0Ab%22c%5Cd"},
		"dots":         {"a/../b", "http://cdn.example.com/a/../b"},
		"longest":      {strings.Repeat("k", 750), "http://cdn.example.com/" + strings.Repeat("k", 750)},
		"looks like ~": {"~", "http://cdn.example.com/~"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := acctest.New(t, "assets")
			s := h.Session()
			b := page(values{"key": test.key, "domain": "cdn.example.com"})
			apply(t, s, b)
			expectKeys(t, h, "assets", test.key)
			expectContent(t, h, "assets", test.key, "hello")
			expectState(t, s, pageAddress, values{"key": test.key, "url": test.url})
			expectEmptyPlan(t, s, b)

			imported := h.Session()
			if diags := imported.Import(pageAddress, "assets/"+test.key); len(diags) > 0 {
				t.Fatal(diags)
			}
			expectState(t, imported, pageAddress, values{"bucket": "assets", "key": test.key, "etag": helloETag})

			apply(t, s)
			expectKeys(t, h, "assets")
		})
	}
}

func TestObjectValidation(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		config    values
		attribute string
		says      string
	}{
		"key too long":     {values{"key": strings.Repeat("é", 376)}, `AttributeName("key")`, "750 bytes"},
		"key not UTF-8":    {values{"key": "a\xff"}, `AttributeName("key")`, "UTF-8"},
		"bucket":           {values{"bucket": "Assets"}, `AttributeName("bucket")`, "lower case"},
		"no bucket":        {values{"bucket": nil}, `AttributeName("bucket")`, "bucket = kodo_bucket.assets.name"},
		"no content":       {values{"content": nil}, `AttributeName("source")`, `content = ""`},
		"base64":           {values{"content": nil, "content_base64": "aGVsbG8"}, `AttributeName("content_base64")`, "filebase64"},
		"source is folder": {values{"content": nil, "source": os.TempDir()}, `AttributeName("source")`, "not a regular file"},
		"empty source":     {values{"content": nil, "source": ""}, `AttributeName("source")`, "at least 1"},
		"content type":     {values{"content_type": "text/html "}, `AttributeName("content_type")`, "text/html; charset=utf-8"},
		"domain":           {values{"domain": "cdn.example.com/a"}, `AttributeName("domain")`, "cdn.example.com"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			diags := acctest.New(t, "assets").Session().Plan(page(test.config)).Diagnostics
			if len(diags) != 1 || !diags.HasErrors() || diags[0].Attribute.String() != test.attribute {
				t.Fatalf("want one error on %s, got:\n%s", test.attribute, diags)
			}
			expectSays(t, diags[0].Detail, test.says)
		})
	}
	t.Run("two contents", func(t *testing.T) {
		t.Parallel()
		diags := acctest.New(t, "assets").Session().Plan(page(values{"content_base64": "aGVsbG8="})).Diagnostics
		expectError(t, diags, "Invalid Attribute Combination", "content and content_base64 are set")
	})
}

// TestObjectDrift finds what somebody else did to the object.
func TestObjectDrift(t *testing.T) {
	t.Parallel()
	h := acctest.New(t, "assets")
	s := h.Session()
	apply(t, s, page(nil))

	put(t, h, "assets", pageKey, "somebody else's")
	actions, _ := apply(t, s, page(values{"content_type": "text/html"}))
	expectActions(t, actions, map[string]acctest.Action{pageAddress: acctest.Update})
	expectContent(t, h, "assets", pageKey, "hello")

	if err := h.Engine().Delete(acctest.AccessKey, "assets", pageKey); err != nil {
		t.Fatal(err)
	}
	actions, _ = apply(t, s, page(nil))
	expectActions(t, actions, map[string]acctest.Action{pageAddress: acctest.Create})
	expectContent(t, h, "assets", pageKey, "hello")

	if err := h.Engine().Delete(acctest.AccessKey, "assets", pageKey); err != nil {
		t.Fatal(err)
	}
	apply(t, s) // gone already
}

func TestObjectImport(t *testing.T) {
	t.Parallel()
	for name, load := range map[string]func(*acctest.Session) acctest.Diagnostics{
		"id": func(s *acctest.Session) acctest.Diagnostics { return s.Import(pageAddress, "assets/"+pageKey) },
		"identity": func(s *acctest.Session) acctest.Diagnostics {
			return s.ImportIdentity(pageAddress, values{"bucket": "assets", "key": pageKey})
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := acctest.New(t, "assets")
			put(t, h, "assets", pageKey, "hello") // as text/plain
			s := h.Session()
			if diags := load(s); len(diags) > 0 {
				t.Fatal(diags)
			}
			expectIdentity(t, s, pageAddress, values{"bucket": "assets", "key": pageKey})
			before := s.State(pageAddress)
			h.Writes()
			plan := s.Plan(page(nil))
			expectPlanned(t, plan, values{"etag": helloETag, "size": int64(5), "put_time": before["put_time"], "content_type": "text/plain"})
			apply(t, s, page(nil))
			expectWrites(t, h)
			expectEmptyPlan(t, s, page(nil))
		})
	}
	for name, id := range map[string]string{"no slash": "assets", "no bucket": "/page.html", "not a bucket": "As/page.html"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			expectError(t, acctest.New(t, "assets").Session().Import(pageAddress, id), "Import ID Not Accepted", id, "assets/css/site.css")
		})
	}
}

// TestObjectKeptInState gives a state to keys and servers that do not see the
// object. Nothing of that proves that it is gone: the state stays.
func TestObjectKeptInState(t *testing.T) {
	t.Parallel()
	web := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(web.Close)
	for name, test := range map[string]struct {
		provider values
		says     []string
	}{
		"another account's keys": {values{"access_key": acctest.OtherAccessKey, "secret_key": acctest.OtherSecretKey}, []string{"631", "request id", "the provider block", `"0002"`}},
		"a mistyped secret key":  {values{"secret_key": "mistyped"}, []string{"401", "request id", "secret key", `"0001"`}},
		"an unknown access key":  {values{"access_key": "mistyped-key-9876"}, []string{"401", "request id", `"9876"`}},
		"a plain web server":     {values{"endpoint": web.URL}, []string{"404", "is not Kodo", "endpoint"}},
		"no server":              {values{"endpoint": "http://127.0.0.1:1"}, []string{"no answer", "127.0.0.1:1"}},
		"discovery says 612": {values{"endpoint": nil, "endpoints": values{"uc": "SELF"}, "access_key": "mistyped-key-9876"},
			[]string{"612", "hosts of the bucket", `"9876"`, "request id"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := acctest.New(t, "assets")
			s := h.Session()
			apply(t, s, page(nil))
			before := s.State(pageAddress)
			if endpoints, ok := test.provider["endpoints"].(values); ok {
				test.provider = test.provider.With(values{"endpoints": endpoints.With(values{"uc": h.Endpoint()})})
			}
			says := append([]string{`"page.html" in bucket "assets"`}, test.says...)

			right := s.Provider
			s.Provider = right.With(test.provider)
			expectError(t, s.Plan(page(nil)).Diagnostics, "Object Not Read", says...)

			s.Provider = right
			plan := s.Plan()
			s.Provider = right.With(test.provider)
			expectError(t, s.Apply(plan), "Object Not Deleted", says...)

			s.Provider = right
			update := s.Plan(page(values{"content": "etag"}))
			s.Provider = right.With(test.provider)
			expectError(t, s.Apply(update), "Object Not Stored", says...)

			expectState(t, s, pageAddress, before)
			expectContent(t, h, "assets", pageKey, "hello")
		})
	}
}

// TestObjectBucketGone loses the whole bucket: that is no proof either.
func TestObjectBucketGone(t *testing.T) {
	t.Parallel()
	h := acctest.New(t, "assets")
	s := h.Session()
	expectError(t, s.Apply(s.Plan(page(values{"bucket": "nowhere"}))), "Object Not Stored", `"nowhere"`, "631", "request id")
	apply(t, s, page(nil))
	if err := h.Engine().Delete(acctest.AccessKey, "assets", pageKey); err != nil {
		t.Fatal(err)
	}
	if err := h.Engine().DropBucket(acctest.AccessKey, "assets"); err != nil {
		t.Fatal(err)
	}
	expectError(t, s.Plan(page(nil)).Diagnostics, "Object Not Read", `"assets"`, "631", "request id")
	if s.State(pageAddress) == nil {
		t.Error("the object is no longer in the state")
	}
}

// TestObjectTimeout gives up an upload that hangs.
func TestObjectTimeout(t *testing.T) {
	t.Parallel()
	h := acctest.New(t, "assets")
	s := h.Session()
	fail(t, h, emulator.Fault{Match: emulator.Match{Service: "up"}, Do: "delay", Delay: emulator.Delay(time.Minute)})
	plan := s.Plan(page(values{"timeouts": values{"create": "200ms"}}))
	began := time.Now()
	expectError(t, s.Apply(plan), "Object Not Stored", "page.html", "timeouts")
	if took := time.Since(began); took > 20*time.Second {
		t.Errorf("a create with a timeout of 200ms took %s", took)
	}
}

// TestProviderUnknownAtApply destroys, changes and creates with a provider block
// that is still unknown when the apply comes. Terraform does that when the
// resource that the block refers to was taken out of the state
// (terraform state rm terraform_data.ep && terraform destroy).
func TestProviderUnknownAtApply(t *testing.T) {
	t.Parallel()
	h := acctest.New(t, "assets")
	s := h.Session()
	bucket := block("kodo_bucket.site", values{"name": "site", "region": "z0"})
	apply(t, s, page(nil), bucket)
	right := s.Provider
	for name, plan := range map[string]*acctest.Plan{
		"destroy": s.Plan(),
		"update":  s.Plan(page(values{"content": "etag"}), block("kodo_bucket.site", values{"name": "site", "region": "z0", "index_page": true})),
		"create":  s.Plan(page(nil), bucket, block("kodo_object.more", page(values{"key": "more"}).Config), block("kodo_bucket.more", values{"name": "more", "region": "z0"})),
	} {
		s.Provider = right.With(values{"endpoint": acctest.Unknown{}})
		diags := s.Apply(plan)
		s.Provider = right
		if errs := diags.Errors(); len(errs) != 2 || errs[0].Summary != "Provider Configuration Not Known Yet" {
			t.Errorf("%s says:\n%s", name, diags)
		}
		expectContent(t, h, "assets", pageKey, "hello")
		if s.State(pageAddress) == nil || s.State("kodo_bucket.site") == nil {
			t.Errorf("%s has emptied the state", name)
		}
	}
}

// TestDomainWithAPassword never repeats a password, wherever somebody writes it.
func TestDomainWithAPassword(t *testing.T) {
	t.Parallel()
	h := acctest.New(t, "assets")
	s := h.Session()
	diags := s.Plan(page(values{"domain": "http://user:hunter2@cdn.example.com"})).Diagnostics
	if !diags.HasErrors() || strings.Contains(diags.String(), "hunter2") {
		t.Errorf("got:\n%s", diags)
	}
}

// TestImportOfAnEmptyID is what an empty variable makes of a command line.
func TestImportOfAnEmptyID(t *testing.T) {
	t.Parallel()
	s := acctest.New(t, "assets").Session()
	expectError(t, s.Import(pageAddress, ""), "Import ID Not Accepted", "bucket, a slash and the key")
	expectError(t, s.Import(bucketAddress, ""), "Import ID Not Accepted", "name of the bucket")
}

// TestObjectSameBytesAtTheLastMoment lets the same bytes appear, as another type,
// after the look and before the upload: Kodo then answers as if it had stored them.
func TestObjectSameBytesAtTheLastMoment(t *testing.T) {
	t.Parallel()
	h := acctest.New(t, "assets")
	s := h.Session()
	plan := s.Plan(page(nil))
	fail(t, h, emulator.Fault{Match: emulator.Match{Service: "up"}, Do: "delay", Delay: emulator.Delay(time.Second)})
	h.ResetRequests()
	stored := make(chan error, 1)
	go func() {
		for len(h.Requests()) == 0 { // until the look
			time.Sleep(time.Millisecond)
		}
		stored <- h.Put("assets", pageKey, "text/plain", []byte("hello"))
	}()
	diags := s.Apply(plan)
	if err := <-stored; err != nil {
		t.Fatal(err)
	}
	if len(diags) > 0 {
		t.Errorf("got:\n%s", diags)
	}
	expectState(t, s, pageAddress, values{"content_type": "text/html"})
	if s.Tainted(pageAddress) {
		t.Error("the object is tainted")
	}
	expectEmptyPlan(t, s, page(nil))
}

// TestObjectOfAnOddType manages an object that another tool stored as "image": what
// Terraform generates for it has nothing to change, and new bytes keep the type.
func TestObjectOfAnOddType(t *testing.T) {
	t.Parallel()
	h := acctest.New(t, "assets")
	if err := h.Put("assets", pageKey, "image", []byte("hello")); err != nil {
		t.Fatal(err)
	}
	s := h.Session()
	if diags := s.Import(pageAddress, "assets/"+pageKey); len(diags) > 0 {
		t.Fatal(diags)
	}
	// What -generate-config-out writes has to plan without changes.
	generated := block(pageAddress, values{"bucket": "assets", "key": pageKey, "content_type": "image", "overwrite": false})
	expectEmptyPlan(t, s, generated)
	apply(t, s, page(values{"content": "etag"}))
	expectState(t, s, pageAddress, values{"content_type": "image", "etag": etagETag})
}

// TestObjectBucketVanished says what to do when the bucket is gone with its objects: Read never believes it.
func TestObjectBucketVanished(t *testing.T) {
	t.Parallel()
	h := acctest.New(t, "assets")
	s := h.Session()
	apply(t, s, page(nil))
	fail(t, h, emulator.Fault{Match: emulator.Match{Path: "/stat/*"}, Do: "status", Status: 631, Error: "no such bucket"})
	expectError(t, s.Plan(page(nil)).Diagnostics, "Object Not Read", "631", "state rm")
}
