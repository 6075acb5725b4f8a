package resources_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
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

const bucketAddress = "kodo_bucket.site"

// site is the block of most tests here, with some arguments changed.
func site(changes values) acctest.Resource {
	config := values{"name": "site", "region": "z0"}
	for name, value := range changes {
		config[name] = value
	}
	return block(bucketAddress, config)
}

func TestAccBucket(t *testing.T) {
	t.Parallel()
	h := acctest.New(t)
	attribute := func(name string, want knownvalue.Check) statecheck.StateCheck {
		return statecheck.ExpectKnownValue(bucketAddress, tfjsonpath.New(name), want)
	}
	h.Test(
		resource.TestStep{
			Config: h.Config(`
				resource "kodo_bucket" "site" {
				  name   = "site"
				  region = "z0"
				}`),
			ConfigStateChecks: []statecheck.StateCheck{
				attribute("name", knownvalue.StringExact("site")),
				attribute("region", knownvalue.StringExact("z0")),
				attribute("private", knownvalue.Bool(true)),
				attribute("index_page", knownvalue.Bool(false)),
				attribute("tags", knownvalue.Null()),
				attribute("force_destroy", knownvalue.Bool(false)),
				attribute("domains", knownvalue.ListSizeExact(1)),
				h.ExpectBuckets("site"),
				h.ExpectWrites("POST uc /mkbucketv3/site/region/z0/private/true"),
			},
		},
		resource.TestStep{
			Config: h.Config(`
				resource "kodo_bucket" "site" {
				  name       = "site"
				  region     = "z0"
				  private    = false
				  index_page = true
				  tags       = { team = "web" }
				}`),
			ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{
				plancheck.ExpectResourceAction(bucketAddress, plancheck.ResourceActionUpdate),
			}},
			ConfigStateChecks: []statecheck.StateCheck{
				attribute("private", knownvalue.Bool(false)),
				attribute("index_page", knownvalue.Bool(true)),
				attribute("tags", knownvalue.MapExact(map[string]knownvalue.Check{"team": knownvalue.StringExact("web")})),
				h.ExpectWrites("POST uc /private", "POST uc /noIndexPage", "PUT uc /bucketTagging"),
			},
		},
		resource.TestStep{
			ResourceName:                         bucketAddress,
			ImportState:                          true,
			ImportStateId:                        "site",
			ImportStateVerify:                    true,
			ImportStateVerifyIdentifierAttribute: "name",
		},
	)
	expectKeysOfAccount(t, h)
}

// expectKeysOfAccount checks which buckets the account has.
func expectKeysOfAccount(t *testing.T, h *acctest.Harness, want ...string) {
	t.Helper()
	buckets, err := h.Engine().Buckets(acctest.AccessKey)
	if err != nil || len(buckets) != len(want) {
		t.Fatalf("buckets = %v, %v, want %q", buckets, err, want)
	}
	for i, bucket := range buckets {
		if bucket.Name != want[i] {
			t.Errorf("buckets = %v, want %q", buckets, want)
		}
	}
}

// TestBucketChanges changes each argument alone: in place with exactly the
// requests that belong to it, or by replacement.
func TestBucketChanges(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		before, change values
		action         acctest.Action
		writes         []string
	}{
		"name": {nil, values{"name": "other"}, acctest.Replace,
			[]string{"POST uc /drop/site", "POST uc /mkbucketv3/other/region/z0/private/true"}},
		"region": {nil, values{"region": "z1"}, acctest.Replace,
			[]string{"POST uc /drop/site", "POST uc /mkbucketv3/site/region/z1/private/true"}},
		"private off":       {nil, values{"private": false}, acctest.Update, []string{"POST uc /private"}},
		"private on":        {values{"private": false}, nil, acctest.Update, []string{"POST uc /private"}},
		"index_page":        {nil, values{"index_page": true}, acctest.Update, []string{"POST uc /noIndexPage"}},
		"tags set":          {nil, values{"tags": map[string]string{"a": "1"}}, acctest.Update, []string{"PUT uc /bucketTagging"}},
		"tags changed":      {values{"tags": map[string]string{"a": "1"}}, values{"tags": map[string]string{"b": "2"}}, acctest.Update, []string{"PUT uc /bucketTagging"}},
		"tags removed":      {values{"tags": map[string]string{"a": "1"}}, nil, acctest.Update, []string{"DELETE uc /bucketTagging"}},
		"tags emptied":      {values{"tags": map[string]string{"a": "1"}}, values{"tags": map[string]string{}}, acctest.Update, []string{"DELETE uc /bucketTagging"}},
		"null to no tags":   {nil, values{"tags": map[string]string{}}, acctest.Update, nil},
		"force_destroy":     {nil, values{"force_destroy": true}, acctest.Update, nil},
		"timeouts":          {nil, values{"timeouts": values{"create": "1h"}}, acctest.Update, nil},
		"nothing":           {values{"private": false}, values{"private": false}, acctest.NoOp, nil},
		"default spelt out": {nil, values{"private": true, "index_page": false, "force_destroy": false}, acctest.NoOp, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := acctest.New(t)
			s := h.Session()
			apply(t, s, site(test.before))
			h.Writes()

			actions, _ := apply(t, s, site(test.change))
			want := map[string]acctest.Action{bucketAddress: test.action}
			if test.action == acctest.NoOp {
				want = map[string]acctest.Action{}
			}
			expectActions(t, actions, want)
			expectWrites(t, h, test.writes...)
			expectEmptyPlan(t, s, site(test.change))
		})
	}
}

func TestBucketValidation(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		config    values
		attribute string
		says      string
	}{
		"short name":      {values{"name": "ab"}, `AttributeName("name")`, "3 to 63"},
		"upper case name": {values{"name": "Site"}, `AttributeName("name")`, "lower case"},
		"hyphen first":    {values{"name": "-site"}, `AttributeName("name")`, "both ends"},
		"region":          {values{"region": "Z 0"}, `AttributeName("region")`, "z0"},
		"tag key":         {values{"tags": map[string]string{"kodo-x": "1"}}, `AttributeName("tags").ElementKeyString("kodo-x")`, "kodo"},
		"tag value":       {values{"tags": map[string]string{"a": ""}}, `AttributeName("tags").ElementKeyString("a")`, "at least one"},
		"eleven tags": {values{"tags": map[string]string{"a": "1", "b": "1", "c": "1", "d": "1", "e": "1", "f": "1", "g": "1", "h": "1", "i": "1", "j": "1", "k": "1"}},
			`AttributeName("tags")`, "at most 10"},
		"timeout": {values{"timeouts": values{"create": "soon"}}, `AttributeName("timeouts").AttributeName("create")`, "time units"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			diags := acctest.New(t).Session().Plan(site(test.config)).Diagnostics
			if len(diags) != 1 || !diags.HasErrors() || diags[0].Attribute.String() != test.attribute {
				t.Fatalf("want one error on %s, got:\n%s", test.attribute, diags)
			}
			expectSays(t, diags[0].Detail, test.says)
		})
	}
}

func TestBucketImport(t *testing.T) {
	t.Parallel()
	for name, load := range map[string]func(*acctest.Session) acctest.Diagnostics{
		"id": func(s *acctest.Session) acctest.Diagnostics { return s.Import(bucketAddress, "site") },
		"identity": func(s *acctest.Session) acctest.Diagnostics {
			return s.ImportIdentity(bucketAddress, values{"name": "site"})
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := acctest.New(t, "site")
			s := h.Session()
			if diags := load(s); len(diags) > 0 {
				t.Fatal(diags)
			}
			expectState(t, s, bucketAddress, values{"name": "site", "region": "z0", "private": true, "force_destroy": false})
			expectIdentity(t, s, bucketAddress, values{"name": "site"})
			expectEmptyPlan(t, s, site(nil))
			expectWrites(t, h)
		})
	}
	t.Run("missing", func(t *testing.T) {
		t.Parallel()
		if diags := acctest.New(t).Session().Import(bucketAddress, "nowhere"); !diags.HasErrors() {
			t.Errorf("a bucket that does not exist was imported: %s", diags)
		}
	})
}

func TestBucketDisappears(t *testing.T) {
	t.Parallel()
	h := acctest.New(t)
	s := h.Session()
	apply(t, s, site(nil))
	if err := h.Engine().DropBucket(acctest.AccessKey, "site"); err != nil {
		t.Fatal(err)
	}
	actions, _ := apply(t, s, site(nil))
	expectActions(t, actions, map[string]acctest.Action{bucketAddress: acctest.Create})
	expectKeysOfAccount(t, h, "site")

	// Destroying what is gone already is done.
	if err := h.Engine().DropBucket(acctest.AccessKey, "site"); err != nil {
		t.Fatal(err)
	}
	apply(t, s)
}

// TestBucketKeptInState gives a state to keys and servers that do not see the
// bucket. Nothing of that proves that the bucket is gone: the state stays.
func TestBucketKeptInState(t *testing.T) {
	t.Parallel()
	web := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(web.Close)
	for name, test := range map[string]struct {
		provider values
		says     []string
	}{
		"another account's keys": {values{"access_key": acctest.OtherAccessKey, "secret_key": acctest.OtherSecretKey},
			[]string{`"site"`, "631", "request id", "the provider block", `"0002"`, "terraform state rm"}},
		"a mistyped secret key": {values{"secret_key": "mistyped"}, []string{`"site"`, "401", "request id", "secret key"}},
		"an unknown access key": {values{"access_key": "mistyped-key-9876"}, []string{`"site"`, "401", "request id", `"9876"`}},
		"a plain web server":    {values{"endpoint": web.URL}, []string{`"site"`, "404", "is not Kodo", "endpoint"}},
		"no server":             {values{"endpoint": "http://127.0.0.1:1"}, []string{`"site"`, "no answer", "127.0.0.1:1"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := acctest.New(t)
			s := h.Session()
			apply(t, s, site(values{"force_destroy": true}))
			put(t, h, "site", "a.txt", "a")
			before := s.State(bucketAddress)
			h.Writes()

			right := s.Provider
			s.Provider = right.With(test.provider)
			expectError(t, s.Plan(site(values{"force_destroy": true})).Diagnostics, "Bucket Not Read", test.says...)
			expectError(t, s.Plan().Diagnostics, "Bucket Not Read", test.says...)

			// A destroy that was planned with the right keys is no better.
			s.Provider = right
			plan := s.Plan()
			s.Provider = right.With(test.provider)
			expectError(t, s.Apply(plan), "Bucket Not Destroyed", test.says...)

			expectState(t, s, bucketAddress, before)
			expectContent(t, h, "site", "a.txt", "a")
			expectKeysOfAccount(t, h, "site")
		})
	}
}

func TestBucketDestroy(t *testing.T) {
	t.Parallel()
	h := acctest.New(t)
	s := h.Session()
	apply(t, s, site(nil))
	var all sync.WaitGroup
	for writer := range 50 { // at once, which the emulator does faster
		all.Go(func() {
			for i := range 50 {
				if err := h.Put("site", fmt.Sprintf("%02d/%02d.txt", writer, i), "text/plain", []byte("x")); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	plan := s.Plan()
	expectError(t, s.Apply(plan), "Bucket Not Destroyed", `"site"`, "403", "request id", "force_destroy = true")
	expectKeysOfAccount(t, h, "site")

	apply(t, s, site(values{"force_destroy": true}))
	h.Writes()
	apply(t, s)
	expectWrites(t, h, "POST rs /batch", "POST rs /batch", "POST rs /batch", "POST uc /drop/site")
	expectKeysOfAccount(t, h)
}

// TestBucketExists refuses a name that is taken, by whoever.
func TestBucketExists(t *testing.T) {
	t.Parallel()
	h := acctest.New(t, "site")
	for name, provider := range map[string]values{
		"own":   {},
		"other": {"access_key": acctest.OtherAccessKey, "secret_key": acctest.OtherSecretKey},
	} {
		s := h.Session()
		s.Provider = s.Provider.With(provider)
		expectError(t, s.Apply(s.Plan(site(nil))), "Bucket Not Created", `"site"`, "614", "request id", "mport")
		if s.State(bucketAddress) != nil {
			t.Errorf("%s: the bucket of somebody else is in the state", name)
		}
	}
}

// TestBucketLostAnswers drops answers after Kodo did what was asked.
func TestBucketLostAnswers(t *testing.T) {
	t.Parallel()
	for name, path := range map[string]string{
		"create": "/mkbucketv3/*",
		"tags":   "/bucketTagging",
		"drop":   "/drop/*",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := acctest.New(t)
			s := h.Session()
			fail(t, h, emulator.Fault{Match: emulator.Match{Path: path}, Times: 1, Do: "apply_then_drop"})
			tagged := site(values{"tags": map[string]string{"a": "1"}})
			apply(t, s, tagged)
			expectEmptyPlan(t, s, tagged)
			expectKeysOfAccount(t, h, "site")
			apply(t, s)
			expectKeysOfAccount(t, h)
		})
	}
}

// TestBucketHalfMade fails what follows the creation: the bucket is in the
// state, tainted, without unknown values, and untaint lets the next apply
// finish it.
func TestBucketHalfMade(t *testing.T) {
	t.Parallel()
	h := acctest.New(t)
	s := h.Session()
	tagged := site(values{"tags": map[string]string{"a": "1"}})
	fail(t, h, emulator.Fault{Match: emulator.Match{Path: "/bucketTagging", Method: "PUT"}, Do: "status", Status: 599})
	expectError(t, s.Apply(s.Plan(tagged)), "Bucket Created But Not Finished", `"site"`, "599", "request id", "terraform untaint")
	expectKeysOfAccount(t, h, "site")
	if !s.Tainted(bucketAddress) {
		t.Fatal("the bucket is not tainted")
	}

	h.ClearFaults()
	s.Untaint(bucketAddress)
	actions, _ := apply(t, s, tagged)
	expectActions(t, actions, map[string]acctest.Action{bucketAddress: acctest.Update})
	expectEmptyPlan(t, s, tagged)
}

// TestBucketHalfChanged fails the second of two changes: the state has the first.
func TestBucketHalfChanged(t *testing.T) {
	t.Parallel()
	h := acctest.New(t)
	s := h.Session()
	apply(t, s, site(nil))
	changed := site(values{"private": false, "index_page": true})
	fail(t, h, emulator.Fault{Match: emulator.Match{Path: "/noIndexPage"}, Do: "status", Status: 573})
	expectError(t, s.Apply(s.Plan(changed)), "Bucket Not Changed", `"site"`, "573", "request id", "concurrency")
	expectState(t, s, bucketAddress, values{"private": false, "index_page": false})

	h.ClearFaults()
	h.Writes()
	apply(t, s, changed)
	expectWrites(t, h, "POST uc /noIndexPage")
}

func TestBucketProviderUnknown(t *testing.T) {
	t.Parallel()
	h := acctest.New(t)
	s := h.Session()
	apply(t, s, site(nil))
	s.Provider = s.Provider.With(values{"secret_key": acctest.Unknown{}})

	plan := s.Plan(site(values{"private": false}))
	expectWarning(t, plan.Diagnostics, "Provider Configuration Not Known Yet", "secret_key")
	expectActions(t, plan.Actions(), map[string]acctest.Action{bucketAddress: acctest.Update})
	expectError(t, s.Import("kodo_bucket.other", "site"), "Provider Configuration Not Known Yet", "secret_key", "Apply")
}

// TestBucketTimeout gives up in time when Kodo does not answer.
func TestBucketTimeout(t *testing.T) {
	t.Parallel()
	h := acctest.New(t)
	s := h.Session()
	fail(t, h, emulator.Fault{Match: emulator.Match{Path: "/mkbucketv3/*"}, Do: "delay", Delay: emulator.Delay(time.Minute)})
	plan := s.Plan(site(values{"timeouts": values{"create": "200ms"}}))
	began := time.Now()
	expectError(t, s.Apply(plan), "Bucket Not Created", `"site"`, "timeouts")
	if took := time.Since(began); took > 20*time.Second {
		t.Errorf("a create with a timeout of 200ms took %s", took)
	}
}

// TestBucketDomainBoundSincePlan binds a domain between plan and apply of a
// change. The plan has promised the domains as they were; the next one shows it.
func TestBucketDomainBoundSincePlan(t *testing.T) {
	t.Parallel()
	h := acctest.New(t)
	s := h.Session()
	config := values{"name": "site", "region": "z0"}
	changed := block("kodo_bucket.site", config.With(values{"index_page": true}))
	apply(t, s, block("kodo_bucket.site", config))
	update := s.Plan(changed)
	if err := h.Engine().BindDomain(acctest.AccessKey, "site", "www.example.com"); err != nil {
		t.Fatal(err)
	}
	if diags := s.Apply(update); len(diags) > 0 {
		t.Errorf("got:\n%s", diags)
	}
	expectEmptyPlan(t, s, changed)
}

// TestBucketMadeByAColleague loses the request, not the answer, of a creation
// after a colleague with the same account made the same bucket. To take it for
// ours would hand it to force_destroy.
func TestBucketMadeByAColleague(t *testing.T) {
	t.Parallel()
	h := acctest.New(t)
	s := h.Session()
	plan := s.Plan(block("kodo_bucket.site", values{"name": "site", "region": "z0", "force_destroy": true}))
	if _, err := h.Engine().CreateBucket(acctest.AccessKey, "site", "z0", true); err != nil {
		t.Fatal(err)
	}
	put(t, h, "site", "theirs.txt", "theirs")
	fail(t, h, emulator.Fault{Match: emulator.Match{Path: "/mkbucketv3/*"}, Times: 1, Do: "drop_before"})
	expectError(t, s.Apply(plan), "Bucket Not Created", `"site"`, "614")
	if s.State("kodo_bucket.site") != nil {
		t.Error("the colleague's bucket is in the state")
	}
}

// TestBucketForceDestroyWithAWriter does not tell whoever has set force_destroy to set it.
func TestBucketForceDestroyWithAWriter(t *testing.T) {
	t.Parallel()
	h := acctest.New(t)
	s := h.Session()
	apply(t, s, block("kodo_bucket.site", values{"name": "site", "region": "z0", "force_destroy": true}))
	put(t, h, "site", "a.txt", "a")
	destroy := s.Plan()
	fail(t, h, emulator.Fault{Match: emulator.Match{Path: "/drop/*"}, Do: "delay", Delay: emulator.Delay(time.Second)})
	h.ResetRequests()
	stored := make(chan error, 1)
	go func() {
		emptied := func(r emulator.Request) bool { return r.Path == "/batch" }
		for !slices.ContainsFunc(h.Requests(), emptied) {
			time.Sleep(time.Millisecond)
		}
		stored <- h.Put("site", "b.txt", "text/plain", []byte("b"))
	}()
	diags := s.Apply(destroy)
	if err := <-stored; err != nil {
		t.Fatal(err)
	}
	expectError(t, diags, "Bucket Not Destroyed", "BucketNotEmpty", "written while")
	if strings.Contains(diags[0].Detail, "set force_destroy = true") {
		t.Errorf("it is set already: %s", diags[0].Detail)
	}
}

// TestBucketImportMissingAdvice has nothing in the state yet that could be taken out of it.
func TestBucketImportMissingAdvice(t *testing.T) {
	t.Parallel()
	diags := acctest.New(t).Session().Import(bucketAddress, "nowhere")
	if errs := diags.Errors(); len(errs) != 1 || strings.Contains(errs[0].Detail, "state rm") {
		t.Errorf("an import is told to take the bucket out of the state:\n%s", diags)
	}
}
