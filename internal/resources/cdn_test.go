package resources_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"

	"github.com/qiniu/terraform-provider-kodo/internal/acctest"
	"github.com/qiniu/terraform-provider-kodo/internal/emulator"
	"github.com/qiniu/terraform-provider-kodo/internal/emulator/engine"
)

const (
	refreshAddress  = "kodo_cdn_refresh.site"
	prefetchAddress = "kodo_cdn_prefetch.site"

	cdn = "https://cdn.example.com/"
)

func refresh(config values) acctest.Resource  { return block(refreshAddress, config) }
func prefetch(config values) acctest.Resource { return block(prefetchAddress, config) }

// withCDN starts an emulator whose bucket "assets" is behind cdn.example.com.
func withCDN(t *testing.T, settings emulator.CDN) (*acctest.Harness, *acctest.Session) {
	t.Helper()
	h := acctest.New(t, "assets")
	if err := h.Engine().BindDomain(acctest.AccessKey, "assets", "cdn.example.com"); err != nil {
		t.Fatal(err)
	}
	setCDN(t, h, settings)
	return h, h.Session()
}

func setCDN(t *testing.T, h *acctest.Harness, settings emulator.CDN) {
	t.Helper()
	if err := h.Engine().SetCDN(settings); err != nil {
		t.Fatal(err)
	}
}

func advance(t *testing.T, h *acctest.Harness, d time.Duration) {
	t.Helper()
	if err := h.Engine().Advance(d); err != nil {
		t.Fatal(err)
	}
}

// expectSubmitted compares what the CDN was asked for since it was called last, without the beginning that all have
// in common. The CDN has forgotten it then.
func expectSubmitted(t *testing.T, h *acctest.Harness, want ...string) {
	t.Helper()
	var got []string
	for _, kind := range []engine.CDNKind{engine.CDNRefresh, engine.CDNPrefetch} {
		tasks, err := h.Engine().CDNTasks(engine.CDNFilter{Owner: acctest.AccessKey, Kind: kind})
		if err != nil {
			t.Fatal(err)
		}
		for _, task := range tasks {
			got = append(got, strings.TrimPrefix(task.URL, cdn))
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("submitted (-want +got):\n%s", diff)
	}
	if err := h.Engine().ForgetCDNTasks(); err != nil {
		t.Fatal(err)
	}
}

// links are n URLs below the CDN.
func links(n int) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = fmt.Sprintf("%s%03d", cdn, i)
	}
	return all
}

// anys are texts as a state has them.
func anys(texts ...string) []any {
	all := make([]any, len(texts))
	for i, text := range texts {
		all[i] = text
	}
	return all
}

// requestsTo counts the requests for a path so far.
func requestsTo(h *acctest.Harness, path string) (n int) {
	for _, r := range h.Requests() {
		if r.Path == path {
			n++
		}
	}
	return n
}

// browse is what a visitor of the CDN sees: the emulator is the proxy that knows its domains.
func browse(t *testing.T, h *acctest.Harness, key string) string {
	t.Helper()
	proxy, err := url.Parse(h.Endpoint())
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://cdn.example.com/"+key, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := (&http.Transport{Proxy: http.ProxyURL(proxy), DisableKeepAlives: true}).RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// TestAccCDNRefresh changes two files behind a CDN that keeps what it has served, and refreshes one of them: a visitor
// sees the new bytes of that one, and no others. Each change is refreshed, also the second in a row.
func TestAccCDNRefresh(t *testing.T) {
	t.Parallel()
	h := acctest.New(t)
	if _, err := h.Engine().CreateBucket(acctest.AccessKey, "assets", "z0", false); err != nil {
		t.Fatal(err)
	}
	if err := h.Engine().BindDomain(acctest.AccessKey, "assets", "cdn.example.com"); err != nil {
		t.Fatal(err)
	}
	setCDN(t, h, emulator.CDN{Stale: true})
	config := func(content string) string {
		return h.Config(fmt.Sprintf(`
			resource "kodo_object" "page" {
			  bucket  = "assets"
			  key     = "page.html"
			  domain  = "cdn.example.com"
			  content = "%[1]s of page.html"
			}
			resource "kodo_object" "other" {
			  bucket     = "assets"
			  key        = "other.html"
			  domain     = "cdn.example.com"
			  content    = "%[1]s of other.html"
			  depends_on = [kodo_object.page]
			}
			resource "kodo_cdn_refresh" "site" {
			  urls       = [kodo_object.page.url]
			  triggers   = { etag = kodo_object.page.etag }
			  depends_on = [kodo_object.other]
			}`, content))
	}
	sees := func(page, other string) {
		t.Helper()
		if got := [2]string{browse(t, h, "page.html"), browse(t, h, "other.html")}; got != [2]string{page, other} {
			t.Errorf("a visitor sees %q, want %q and %q", got, page, other)
		}
	}
	step := func(content string, before func(), action plancheck.ResourceActionType, writes ...string) resource.TestStep {
		return resource.TestStep{
			PreConfig: before,
			Config:    config(content),
			ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{
				plancheck.ExpectResourceAction(refreshAddress, action),
			}},
			ConfigStateChecks: []statecheck.StateCheck{
				statecheck.ExpectKnownValue(refreshAddress, tfjsonpath.New("state"), knownvalue.StringExact("SUCCESS")),
				statecheck.ExpectKnownValue(refreshAddress, tfjsonpath.New("pending_urls"), knownvalue.SetExact(nil)),
				statecheck.ExpectKnownValue(refreshAddress, tfjsonpath.New("task_ids"), knownvalue.MapSizeExact(1)),
				h.ExpectWrites(writes...),
			},
		}
	}
	const upload, refreshed = "POST up /", "POST cdn /v2/tune/refresh"
	h.Test(
		step("1", nil, plancheck.ResourceActionCreate, upload, upload, refreshed),
		step("2", func() { sees("1 of page.html", "1 of other.html") }, plancheck.ResourceActionUpdate, upload, upload, refreshed),
		step("3", func() { sees("2 of page.html", "1 of other.html") }, plancheck.ResourceActionUpdate, upload, upload, refreshed),
		resource.TestStep{
			PreConfig: func() { sees("3 of page.html", "1 of other.html") },
			Config:    config("3"),
			ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{
				plancheck.ExpectEmptyPlan(),
			}},
		},
	)
	for _, request := range h.Writes() {
		if !strings.HasPrefix(request, "POST rs /delete/") {
			t.Errorf("the destruction sent %s", request)
		}
	}
}

// TestCDNChanges changes arguments one after the other, and looks at what is submitted.
func TestCDNChanges(t *testing.T) {
	t.Parallel()
	h, s := withCDN(t, emulator.CDN{})
	step := func(name string, config values, action acctest.Action, submitted ...string) {
		t.Helper()
		plan := s.Plan(refresh(config))
		if change := plan.Change(refreshAddress); change == nil || change.Action != action {
			t.Fatalf("%s: the plan is %v, want %s:\n%s", name, plan.Actions(), action, plan.Diagnostics)
		}
		if diags := s.Apply(plan); len(diags) > 0 {
			t.Fatalf("%s:\n%s", name, diags)
		}
		expectSubmitted(t, h, submitted...)
		expectState(t, s, refreshAddress, values{"pending_urls": []any{}, "pending_dirs": []any{}})
		expectEmptyPlan(t, s, refresh(config))
	}
	config := values{"urls": []string{cdn + "a", cdn + "b"}, "dirs": []string{cdn + "d/"}}
	step("made", config, acctest.Create, "a", "b", "d/")
	expectState(t, s, refreshAddress, values{"state": "SUCCESS", "url_surplus_day": int64(498), "dir_surplus_day": int64(10), "wait_for_completion": true, "on_failure": "ERROR"})
	if ids := s.State(refreshAddress)["task_ids"].(map[string]any); len(ids) != 3 || len(s.State(refreshAddress)["request_ids"].([]any)) != 2 {
		t.Errorf("ids: %v", s.State(refreshAddress))
	}
	step("nothing", config, acctest.NoOp)
	step("one more", config.With(values{"urls": []string{cdn + "a", cdn + "b", cdn + "c"}}), acctest.Update, "c")
	step("one less, and a directory", config.With(values{"dirs": []string{cdn + "d/", cdn + "e/*"}}), acctest.Update, "e/*")
	if ids := s.State(refreshAddress)["task_ids"].(map[string]any); ids[cdn+"c"] != nil || len(ids) != 4 {
		t.Errorf("ids: %v", ids)
	}
	step("one that was there before", config.With(values{"urls": []string{cdn + "a", cdn + "b", cdn + "c"}}), acctest.Update, "c")
	config = config.With(values{"triggers": values{"revision": "1"}})
	step("triggers", config, acctest.Update, "a", "b", "d/")
	config = config.With(values{"triggers": values{"revision": "2"}})
	step("triggers again", config, acctest.Update, "a", "b", "d/")
	step("options", config.With(values{"wait_for_completion": false, "on_failure": "WARN", "timeouts": values{"create": "1h"}}), acctest.Update)
	step("no triggers, and nothing to do", values{"urls": []string{}, "dirs": []string{}}, acctest.Update)
	step("from nothing", values{"urls": []string{cdn + "a"}}, acctest.Update, "a")
	h.ResetRequests()
	apply(t, s)
	expectSubmitted(t, h)
	if n := len(h.Requests()); n > 0 {
		t.Errorf("a destruction sent %d requests", n)
	}
	step("made of nothing", values{"urls": []string{}}, acctest.Create)
	expectState(t, s, refreshAddress, values{"state": nil, "url_surplus_day": nil, "request_ids": []any{}})
}

// TestCDNOneOfMany adds one URL to 500.
func TestCDNOneOfMany(t *testing.T) {
	t.Parallel()
	h, s := withCDN(t, emulator.CDN{URLsPerDay: 1000})
	apply(t, s, refresh(values{"urls": links(500)}))
	if n := requestsTo(h, "/v2/tune/refresh"); n != 25 {
		t.Errorf("500 URLs took %d requests", n)
	}
	expectSubmitted(t, h, cutAll(links(500))...)
	h.ResetRequests()
	apply(t, s, refresh(values{"urls": links(501)}))
	expectSubmitted(t, h, "500")
	expectWrites(t, h, "POST cdn /v2/tune/refresh")
}

func cutAll(links []string) []string {
	for i, link := range links {
		links[i] = strings.TrimPrefix(link, cdn)
	}
	return links
}

// TestCDNQuotaInUpdate exhausts the quota in the middle of an update: what is pending is said, kept and submitted next.
func TestCDNQuotaInUpdate(t *testing.T) {
	t.Parallel()
	h, _ := withCDN(t, emulator.CDN{URLsPerDay: 30})
	h.SetClock(func() time.Time { return time.Date(2026, 3, 1, 15, 59, 59, 0, time.UTC) })
	s := h.Session()
	apply(t, s, refresh(values{"urls": links(1)}))
	all := refresh(values{"urls": links(50), "dirs": []string{cdn}})
	diags := s.Apply(s.Plan(all))
	expectError(t, diags, "CDN Not Refreshed",
		`Of 50 URLs and directories, the CDN has accepted 21: "https://cdn.example.com/001"`, `"https://cdn.example.com/010" and 11 more`,
		`29 not accepted: "https://cdn.example.com/021"`, "400034", "request id", "quota of today is used up", "2026-03-02T00:00:00+08:00",
		"The next apply submits what is pending, and nothing else.")
	pending := links(50)[21:]
	expectState(t, s, refreshAddress, values{"pending_urls": anys(pending...), "pending_dirs": []any{}, "url_surplus_day": int64(9), "state": "SUCCESS"})
	if s.Tainted(refreshAddress) {
		t.Error("an update tainted the resource")
	}
	expectSubmitted(t, h, cutAll(append(links(21), cdn))...)

	advance(t, h, 24*time.Hour)
	actions, _ := apply(t, s, all)
	expectActions(t, actions, map[string]acctest.Action{refreshAddress: acctest.Update})
	expectSubmitted(t, h, cutAll(pending)...)
	expectEmptyPlan(t, s, all)
}

// TestCDNQuotaInCreate exhausts the quota in a create, whose next apply submits what is pending after an untaint, and
// everything without.
func TestCDNQuotaInCreate(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		untaint bool
		action  acctest.Action
		next    []string
	}{
		"untainted": {true, acctest.Update, links(30)[20:]},
		"tainted":   {false, acctest.Replace, links(30)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, s := withCDN(t, emulator.CDN{URLsPerDay: 20})
			diags := s.Apply(s.Plan(refresh(values{"urls": links(30)})))
			expectError(t, diags, "CDN Not Refreshed", "accepted 20", "10 not accepted", "400034", "`terraform untaint`")
			expectState(t, s, refreshAddress, values{"pending_urls": anys(links(30)[20:]...)})
			if !s.Tainted(refreshAddress) {
				t.Error("not tainted")
			}
			expectSubmitted(t, h, cutAll(links(20))...)
			setCDN(t, h, emulator.CDN{})
			if test.untaint {
				s.Untaint(refreshAddress)
			}
			actions, _ := apply(t, s, refresh(values{"urls": links(30)}))
			expectActions(t, actions, map[string]acctest.Action{refreshAddress: test.action})
			expectSubmitted(t, h, cutAll(test.next)...)
			expectEmptyPlan(t, s, refresh(values{"urls": links(30)}))
		})
	}
}

// TestCDNGone has the CDN forget its tasks, at each stage: nothing fails, nothing is repeated.
func TestCDNGone(t *testing.T) {
	t.Parallel()
	h, s := withCDN(t, emulator.CDN{})
	config := refresh(values{"urls": []string{cdn + "a"}})
	apply(t, s, config)
	expectSubmitted(t, h, "a")
	h.ResetRequests()
	expectEmptyPlan(t, s, config)
	if n := len(h.Requests()); n > 0 {
		t.Errorf("a plan sent %d requests for tasks that are done", n)
	}

	h, s = withCDN(t, emulator.CDN{Delay: time.Hour})
	config = refresh(values{"urls": []string{cdn + "a"}, "wait_for_completion": false})
	apply(t, s, config)
	expectState(t, s, refreshAddress, values{"state": "PROCESSING"})
	expectSubmitted(t, h, "a")
	expectEmptyPlan(t, s, config)
	apply(t, s, config, block("kodo_object.x", values{"bucket": "assets", "key": "x", "content": ""})) // keeps what was read
	expectState(t, s, refreshAddress, values{"state": "UNKNOWN"})
	expectEmptyPlan(t, s, config, block("kodo_object.x", values{"bucket": "assets", "key": "x", "content": ""}))
	expectSubmitted(t, h)
}

// TestCDNNotAwaited follows tasks that nobody waited for: refreshes see them succeed, or fail and be due again.
func TestCDNNotAwaited(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		fail    string
		state   string
		pending []any
		action  map[string]acctest.Action
	}{
		"success": {"", "SUCCESS", []any{}, map[string]acctest.Action{}},
		"failure": {"*/b", "FAILURE", anys(cdn + "b"), map[string]acctest.Action{refreshAddress: acctest.Update}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, s := withCDN(t, emulator.CDN{Delay: time.Hour, Fail: test.fail})
			config := refresh(values{"urls": []string{cdn + "a", cdn + "b"}, "wait_for_completion": false})
			apply(t, s, config)
			expectEmptyPlan(t, s, config)
			more := refresh(values{"urls": []string{cdn + "a", cdn + "b", cdn + "c"}, "wait_for_completion": false})
			apply(t, s, more)
			if ids := s.State(refreshAddress)["request_ids"].([]any); len(ids) != 2 {
				t.Errorf("requests in sight: %v", ids)
			}
			advance(t, h, time.Hour)
			plan := s.Plan(more)
			expectActions(t, plan.Actions(), test.action)
			apply(t, s, more, block("kodo_object.x", values{"bucket": "assets", "key": "x", "content": ""}))
			if len(test.action) == 0 {
				expectState(t, s, refreshAddress, values{"state": test.state, "pending_urls": test.pending})
				return
			}
			expectSubmitted(t, h, "a", "b", "c", "b")
		})
	}
}

// TestCDNFailure lists what the CDN has failed to carry out, as an error or as a warning, and submits it again.
func TestCDNFailure(t *testing.T) {
	t.Parallel()
	config := values{"urls": []string{cdn + "a", cdn + "b", "https://example.com/c"}, "dirs": []string{cdn + "d/"}}
	says := []string{
		`the CDN has accepted 2: "https://cdn.example.com/a"`, `1 not accepted: "https://example.com/c". Kodo answered 400032`,
		"The host is no CDN domain of this account", `the CDN has failed to carry it out: "https://cdn.example.com/b"`,
	}
	want := values{"state": "FAILURE", "pending_urls": anys(cdn+"b", "https://example.com/c"), "pending_dirs": []any{}}

	h, s := withCDN(t, emulator.CDN{Fail: "*/b"})
	expectError(t, s.Apply(s.Plan(refresh(config))), "CDN Not Refreshed", says...)
	expectState(t, s, refreshAddress, want)
	expectSubmitted(t, h, "a", "b", "d/")

	h, s = withCDN(t, emulator.CDN{Fail: "*/b"})
	config["on_failure"] = "WARN"
	_, diags := apply(t, s, refresh(config))
	expectWarning(t, diags, "CDN Not Refreshed", append(says, "The next apply submits what is pending")...)
	expectState(t, s, refreshAddress, want)
	expectSubmitted(t, h, "a", "b", "d/")
	if s.Tainted(refreshAddress) {
		t.Error("a warning tainted the resource")
	}
	setCDN(t, h, emulator.CDN{})
	config["urls"] = []string{cdn + "a", cdn + "b"} // what is not accepted ever is taken away
	apply(t, s, refresh(config))
	expectSubmitted(t, h, "b")
	expectEmptyPlan(t, s, refresh(config))
	expectState(t, s, refreshAddress, values{"state": "SUCCESS", "pending_urls": []any{}})
}

// TestCDNInterrupted interrupts the waiting, which is no failure: everything is in the state, and nothing is repeated.
func TestCDNInterrupted(t *testing.T) {
	t.Parallel()
	h, s := withCDN(t, emulator.CDN{Delay: time.Hour})
	config := refresh(values{"urls": []string{cdn + "a"}})
	plan := s.Plan(config)
	ctx, cancel := context.WithCancel(t.Context())
	s.Context = ctx
	interrupted := make(chan struct{})
	go func() {
		defer close(interrupted)
		for requestsTo(h, "/v2/tune/refresh/list") == 0 && t.Context().Err() == nil {
			time.Sleep(time.Millisecond)
		}
		cancel()
	}()
	diags := s.Apply(plan)
	<-interrupted
	expectWarning(t, diags, "CDN Not Awaited", "interrupted", "not submitted again")
	s.Context = t.Context()
	expectState(t, s, refreshAddress, values{"state": "PROCESSING", "pending_urls": []any{}, "urls": anys(cdn + "a")})
	if s.Tainted(refreshAddress) {
		t.Error("tainted")
	}
	expectEmptyPlan(t, s, config)
	expectSubmitted(t, h, "a")
}

// TestCDNCancelled interrupts the submission: what was accepted is in the state, the next apply submits the rest. Only
// the request that was cut may be done twice.
func TestCDNCancelled(t *testing.T) {
	t.Parallel()
	h, s := withCDN(t, emulator.CDN{})
	config := refresh(values{"urls": links(200)})
	plan := s.Plan(config)
	ctx, cancel := context.WithCancel(t.Context())
	s.Context = ctx
	go func() {
		defer cancel()
		for requestsTo(h, "/v2/tune/refresh") < 2 && t.Context().Err() == nil {
			time.Sleep(time.Millisecond)
		}
	}()
	expectError(t, s.Apply(plan), "CDN Not Refreshed", "It was cancelled.", "`terraform untaint`")
	s.Context = t.Context()
	pending := len(s.State(refreshAddress)["pending_urls"].([]any))
	if pending == 0 || pending > 180 {
		t.Errorf("%d of 200 are pending", pending)
	}
	s.Untaint(refreshAddress)
	h.ResetRequests()
	apply(t, s, config)
	if n := requestsTo(h, "/v2/tune/refresh"); n != (pending+19)/20 {
		t.Errorf("%d pending URLs took %d requests", pending, n)
	}
	tasks, err := h.Engine().CDNTasks(engine.CDNFilter{Owner: acctest.AccessKey, Kind: engine.CDNRefresh})
	if err != nil || len(tasks) < 200 || len(tasks) > 220 {
		t.Errorf("%d tasks for 200 URLs, %v", len(tasks), err)
	}
	expectEmptyPlan(t, s, config)
}

// TestCDNTimeout gives up waiting as timeouts says, which is an error.
func TestCDNTimeout(t *testing.T) {
	t.Parallel()
	h, s := withCDN(t, emulator.CDN{Delay: time.Hour})
	diags := s.Apply(s.Plan(refresh(values{"urls": []string{cdn + "a"}, "timeouts": values{"create": "1s"}})))
	expectError(t, diags, "CDN Not Awaited", "ran out", "timeouts", "It is not submitted again", "`terraform untaint`")
	expectState(t, s, refreshAddress, values{"state": "PROCESSING", "pending_urls": []any{}})
	s.Untaint(refreshAddress)
	expectEmptyPlan(t, s, refresh(values{"urls": []string{cdn + "a"}, "timeouts": values{"create": "1s"}}))
	expectSubmitted(t, h, "a")
}

// TestCDNAwaited waits until the clock has the CDN done.
func TestCDNAwaited(t *testing.T) {
	t.Parallel()
	h, s := withCDN(t, emulator.CDN{Delay: 10 * time.Minute})
	done := make(chan struct{})
	go func() {
		defer close(done)
		for requestsTo(h, "/v2/tune/refresh/list") == 0 && t.Context().Err() == nil {
			time.Sleep(time.Millisecond)
		}
		advance(t, h, 10*time.Minute)
	}()
	apply(t, s, refresh(values{"urls": []string{cdn + "a"}}))
	<-done
	expectState(t, s, refreshAddress, values{"state": "SUCCESS"})
}

// TestCDNUnderWay submits again what the CDN is at.
func TestCDNUnderWay(t *testing.T) {
	t.Parallel()
	_, s := withCDN(t, emulator.CDN{Delay: time.Hour})
	config := values{"urls": []string{cdn + "a", cdn + "b"}, "wait_for_completion": false}
	apply(t, s, refresh(config))
	config["triggers"] = values{"revision": "2"}
	_, diags := apply(t, s, refresh(config))
	expectWarning(t, diags, "CDN Task Under Way Already", `"https://cdn.example.com/a", "https://cdn.example.com/b"`, "triggers")
	expectState(t, s, refreshAddress, values{"state": "PROCESSING", "pending_urls": []any{}})
	expectEmptyPlan(t, s, refresh(config))
}

// TestCDNRefusals says what to do about the refusals of whole requests, and keeps all of it pending.
func TestCDNRefusals(t *testing.T) {
	t.Parallel()
	config := values{"urls": links(2), "dirs": []string{cdn}}
	for name, test := range map[string]struct {
		settings emulator.CDN
		fault    emulator.Fault
		provider values
		urls     int // that are pending
		dirs     int
		says     []string
	}{
		"no permission for directories": {emulator.CDN{NoDirs: true}, emulator.Fault{}, nil, 0, 1, []string{"400038", "ask Qiniu's support"}},
		"no quota for directories":      {emulator.CDN{DirsPerDay: -1}, emulator.Fault{}, nil, 0, 1, []string{"400035", "quota of today", "midnight in Beijing"}},
		"throttled for long":            {emulator.CDN{}, emulator.Fault{Do: "status", Status: 403024}, nil, 2, 1, []string{"403024", "after 2 attempts", "max_retries"}},
		"broken":                        {emulator.CDN{}, emulator.Fault{Do: "status", Status: 500016}, nil, 2, 1, []string{"500016", "Qiniu's support"}},
		"no answer":                     {emulator.CDN{}, emulator.Fault{Do: "drop_before"}, nil, 2, 1, []string{"no answer", "service cdn"}},
		"other account":                 {emulator.CDN{}, emulator.Fault{}, values{"access_key": acctest.OtherAccessKey, "secret_key": acctest.OtherSecretKey}, 2, 1, []string{"400032", `the access key ends in "0002"`}},
		"wrong secret":                  {emulator.CDN{}, emulator.Fault{}, values{"secret_key": "wrong"}, 2, 1, []string{"401", `the access key ends in "0001"`}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, s := withCDN(t, test.settings)
			if test.fault.Do != "" {
				test.fault.Match.Service = "cdn"
				fail(t, h, test.fault)
			}
			good := s.Provider
			s.Provider = s.Provider.With(test.provider)
			expectError(t, s.Apply(s.Plan(refresh(config))), "CDN Not Refreshed", test.says...)
			state := s.State(refreshAddress)
			if urls, dirs := state["pending_urls"].([]any), state["pending_dirs"].([]any); len(urls) != test.urls || len(dirs) != test.dirs {
				t.Errorf("pending: %v, %v", urls, dirs)
			}
			h.ClearFaults()
			setCDN(t, h, emulator.CDN{})
			s.Provider = good
			s.Untaint(refreshAddress)
			apply(t, s, refresh(config))
			expectEmptyPlan(t, s, refresh(config))
		})
	}
}

// TestCDNLostAnswer repeats a request whose answer was lost: the CDN may be done twice with it, never less than once.
func TestCDNLostAnswer(t *testing.T) {
	t.Parallel()
	h, s := withCDN(t, emulator.CDN{})
	fail(t, h, emulator.Fault{Match: emulator.Match{Service: "cdn"}, Times: 1, Do: "apply_then_drop"})
	apply(t, s, refresh(values{"urls": []string{cdn + "a"}}))
	expectSubmitted(t, h, "a", "a")
	expectState(t, s, refreshAddress, values{"state": "SUCCESS", "pending_urls": []any{}})
}

// TestCDNReadFails keeps the state, and warns, when the CDN cannot be asked, and when there are no keys yet.
func TestCDNReadFails(t *testing.T) {
	t.Parallel()
	h, s := withCDN(t, emulator.CDN{Delay: time.Hour})
	config := refresh(values{"urls": []string{cdn + "a"}, "wait_for_completion": false})
	apply(t, s, config)
	fail(t, h, emulator.Fault{Match: emulator.Match{Service: "cdn"}, Do: "status", Status: 500000})
	plan := s.Plan(config)
	expectWarning(t, plan.Diagnostics, "CDN Tasks Not Read", "500000", "stays as it was recorded")
	expectActions(t, plan.Actions(), map[string]acctest.Action{})

	s.Provider = s.Provider.With(values{"access_key": acctest.Unknown{}})
	plan = s.Plan(config)
	expectWarning(t, plan.Diagnostics, "Provider Configuration Not Known Yet", "tasks of the CDN")
	expectActions(t, plan.Actions(), map[string]acctest.Action{})
}

// TestCDNChecks refuses in the plan what the CDN would refuse, each with an example that is accepted.
func TestCDNChecks(t *testing.T) {
	t.Parallel()
	const (
		url = `Attribute urls must name each URL that the CDN serves once, with its scheme, host and path, escaped and without stars, for example ["https://cdn.example.com/css/site.css"]`
		dir = `Attribute dirs must name each directory that the CDN serves once, as a URL with its scheme and host that ends in a slash, escaped, for example ["https://cdn.example.com/css/"]`
	)
	for name, test := range map[string]struct {
		config values
		says   []string
	}{
		"no scheme":      {values{"urls": []string{"cdn.example.com/a"}}, []string{url, `"cdn.example.com/a": it must begin with http:// or https:// and a host`}},
		"other scheme":   {values{"urls": []string{"ftp://cdn.example.com/a"}}, []string{url, "it must begin with http:// or https://"}},
		"no host":        {values{"urls": []string{"https:///a"}}, []string{url, "and a host"}},
		"no path":        {values{"urls": []string{"https://cdn.example.com"}}, []string{url, "it must have a path"}},
		"star":           {values{"urls": []string{cdn + "*.js"}}, []string{url, "it must name one thing: for all below a folder, name the folder among the directories"}},
		"not escaped":    {values{"urls": []string{cdn + "港.html"}}, []string{url, "it must be escaped"}},
		"fragment":       {values{"urls": []string{cdn + "a#b"}}, []string{url, "it must hold no #"}},
		"empty":          {values{"urls": []string{""}}, []string{url}},
		"null":           {values{"urls": []any{nil}}, []string{"null"}},
		"no slash":       {values{"dirs": []string{cdn + "css"}}, []string{dir, "it must end in /"}},
		"star in a dir":  {values{"dirs": []string{cdn + "*/css/"}}, []string{dir, "a star is possible at its very end alone"}},
		"query of a dir": {values{"dirs": []string{cdn + "css/?v=1"}}, []string{dir, "it must have no query"}},
		"same URL":       {values{"urls": []string{cdn + "a", "https://CDN.example.com:443/a"}}, []string{url, "which are the same to the CDN"}},
		"same dir":       {values{"dirs": []string{cdn + "a/", cdn + "a/*"}}, []string{dir, "which are the same to the CDN"}},
		"neither":        {values{}, []string{"urls", "dirs"}},
		"on_failure":     {values{"urls": []string{cdn}, "on_failure": "IGNORE"}, []string{`"ERROR" "WARN"`}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, s := withCDN(t, emulator.CDN{})
			plan := s.Plan(refresh(test.config))
			errs := plan.Diagnostics.Errors()
			if len(errs) == 0 {
				t.Fatalf("accepted: %v", plan.Actions())
			}
			expectSays(t, errs[0].Detail, test.says...)
		})
	}
	_, s := withCDN(t, emulator.CDN{})
	diags := s.Plan(refresh(values{"urls": []string{"https://user:open-sesame@cdn.example.com/"}})).Diagnostics
	if len(diags.Errors()) != 1 || strings.Contains(diags.String(), "open-sesame") {
		t.Errorf("a password: %s", diags)
	}
	for _, good := range []values{
		{"urls": []string{cdn, "http://cdn.example.com:8080/a%20b?x=1", "http://cdn.example.com/a", cdn + "a"}},
		{"dirs": []string{cdn, cdn + "a/*", "http://cdn.example.com/a/"}},
		{"urls": []any{acctest.Unknown{}, cdn}}, {"urls": acctest.Unknown{}, "triggers": acctest.Unknown{}},
	} {
		if diags := s.Plan(refresh(good)).Diagnostics; len(diags) > 0 {
			t.Errorf("%v:\n%s", good, diags)
		}
	}
}

// TestCDNUnknown plans with URLs and triggers that other resources make, and submits what they turn out to be.
func TestCDNUnknown(t *testing.T) {
	t.Parallel()
	h, s := withCDN(t, emulator.CDN{})
	object := func(key, content string) acctest.Resource {
		return block("kodo_object.page", values{"bucket": "assets", "key": key, "domain": "https://cdn.example.com", "content_wo": content, "content_wo_version": len(content)})
	}
	config := refresh(values{
		"urls":     []any{acctest.Ref{Address: "kodo_object.page", Attribute: "url"}},
		"triggers": values{"etag": acctest.Ref{Address: "kodo_object.page", Attribute: "etag"}},
	})
	apply(t, s, object("a", "1"), config)
	expectSubmitted(t, h, "a")
	plan := s.Plan(object("a", "22"), config)
	if state := plan.Change(refreshAddress).After["state"]; state != (acctest.Unknown{}) {
		t.Errorf("planned: %v", state)
	}
	apply(t, s, object("a", "22"), config)
	expectSubmitted(t, h, "a")
	expectEmptyPlan(t, s, object("a", "22"), config)

	// What is not known in the plan may turn out to be nothing new.
	same := object("a", "22")
	same.Config["content_wo_version"] = 3
	plan = s.Plan(same, config)
	expectActions(t, plan.Actions(), map[string]acctest.Action{"kodo_object.page": acctest.Update, refreshAddress: acctest.Update})
	if diags := s.Apply(plan); len(diags) > 0 {
		t.Errorf("apply:\n%s", diags)
	}
	expectSubmitted(t, h)
	expectEmptyPlan(t, s, same, config)
}

// TestCDNUnknownSets plans an update with sets of which nothing is known.
func TestCDNUnknownSets(t *testing.T) {
	t.Parallel()
	h, s := withCDN(t, emulator.CDN{})
	blocks := func(settled bool) []acctest.Resource {
		first := values{"urls": []string{cdn + "a"}, "dirs": []string{cdn + "d/"}, "on_failure": "WARN"}
		if !settled {
			first["triggers"] = values{"revision": "2"}
		}
		return []acctest.Resource{
			block("kodo_cdn_refresh.first", first),
			refresh(values{"urls": acctest.Ref{Address: "kodo_cdn_refresh.first", Attribute: "pending_urls"}}),
			block("kodo_cdn_refresh.dirs", values{"dirs": acctest.Ref{Address: "kodo_cdn_refresh.first", Attribute: "pending_dirs"}}),
		}
	}
	apply(t, s, blocks(true)...)
	expectSubmitted(t, h, "a", "d/")
	setCDN(t, h, emulator.CDN{URLsPerDay: -1, NoDirs: true})
	plan := s.Plan(blocks(false)...)
	for _, address := range []string{refreshAddress, "kodo_cdn_refresh.dirs"} {
		if state := plan.Change(address).After["state"]; state != (acctest.Unknown{}) {
			t.Errorf("%s: planned state %v", address, state)
		}
	}
	diags := s.Apply(plan)
	if n := len(diags.Errors()); n != 2 || len(diags.Warnings()) != 1 { // pending in the first, and so in the others
		t.Errorf("%d errors:\n%s", n, diags)
	}
	setCDN(t, h, emulator.CDN{})
	expectState(t, s, refreshAddress, values{"pending_urls": anys(cdn + "a")})
	expectState(t, s, "kodo_cdn_refresh.dirs", values{"pending_dirs": anys(cdn + "d/")})
	expectSubmitted(t, h)
}

// TestCDNEarlier waits for what an earlier apply has not waited for as well, and judges each URL by its last task.
func TestCDNEarlier(t *testing.T) {
	t.Parallel()
	h, s := withCDN(t, emulator.CDN{Delay: time.Hour, Fail: "*/[ab]"})
	apply(t, s, refresh(values{"urls": []string{cdn + "a", cdn + "b"}, "wait_for_completion": false}))
	done := make(chan struct{})
	go func() {
		defer close(done)
		for requestsTo(h, "/v2/tune/refresh/list") < 3 && t.Context().Err() == nil { // of the plan, and of both requests
			time.Sleep(time.Millisecond)
		}
		advance(t, h, time.Hour)
	}()
	diags := s.Apply(s.Plan(refresh(values{"urls": []string{cdn + "a", cdn + "b", cdn + "c"}})))
	<-done
	expectError(t, diags, "CDN Not Refreshed", `failed to carry it out: "https://cdn.example.com/a", "https://cdn.example.com/b"`)
	expectState(t, s, refreshAddress, values{"state": "FAILURE", "pending_urls": anys(cdn+"a", cdn+"b")})

	setCDN(t, h, emulator.CDN{})
	apply(t, s, refresh(values{"urls": []string{cdn + "a", cdn + "b", cdn + "c"}}))
	expectState(t, s, refreshAddress, values{"state": "SUCCESS", "pending_urls": []any{}})
	expectSubmitted(t, h, "a", "b", "c", "a", "b")
}

func TestCDNPrefetch(t *testing.T) {
	t.Parallel()
	h, s := withCDN(t, emulator.CDN{PrefetchesPerDay: 25, Stale: true})
	for _, link := range links(24) {
		put(t, h, "assets", strings.TrimPrefix(link, cdn), "1")
	}
	apply(t, s, prefetch(values{"urls": links(24)}))
	expectState(t, s, prefetchAddress, values{"state": "SUCCESS", "url_surplus_day": int64(1), "pending_urls": []any{}})
	expectWrites(t, h, "POST cdn /v2/tune/prefetch", "POST cdn /v2/tune/prefetch")
	expectSubmitted(t, h, cutAll(links(24))...)
	expectEmptyPlan(t, s, prefetch(values{"urls": links(24)}))

	diags := s.Apply(s.Plan(prefetch(values{"urls": append(links(24), cdn+"missing")})))
	expectError(t, diags, "CDN Not Prefetched", `the CDN has failed to carry it out: "https://cdn.example.com/missing"`)
	expectState(t, s, prefetchAddress, values{"state": "FAILURE", "pending_urls": anys(cdn + "missing")})
	diags = s.Apply(s.Plan(prefetch(values{"urls": append(links(24), cdn+"missing")})))
	expectError(t, diags, "CDN Not Prefetched", "400033", "quota of today", "The next apply submits what is pending")
	expectSubmitted(t, h, "missing")
	apply(t, s)
	if requests := h.Writes(); slices.Contains(requests, "POST cdn /v2/tune/refresh") {
		t.Errorf("writes: %q", requests)
	}
}
