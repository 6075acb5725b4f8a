package engine_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/qiniu/terraform-provider-kodo/internal/emulator/engine"
)

// newCDN is newEngine with the domain cdn.example.com in front of bucket-1.
func newCDN(t *testing.T, settings engine.CDN) *engine.Engine {
	t.Helper()
	e := newEngine(t)
	if err := e.BindDomain(owner, "bucket-1", "cdn.example.com"); err != nil {
		t.Fatal(err)
	}
	setCDN(t, e, settings)
	return e
}

func setCDN(t *testing.T, e *engine.Engine, settings engine.CDN) {
	t.Helper()
	if err := e.SetCDN(settings); err != nil {
		t.Fatal(err)
	}
}

// cached is what the CDN serves for a key, or the refusal.
func cached(t *testing.T, e *engine.Engine, key string) string {
	t.Helper()
	bucket, err := e.AnyBucket("bucket-1")
	if err != nil {
		t.Fatal(err)
	}
	content, err := e.OpenCached("CDN.example.com", bucket, key)
	if err != nil {
		return err.Error()
	}
	defer content.Close()
	text, err := io.ReadAll(content)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func submit(t *testing.T, e *engine.Engine, kind engine.CDNKind, urls, dirs []string) engine.CDNAnswer {
	t.Helper()
	answer, err := e.SubmitCDN(owner, kind, urls, dirs)
	if err != nil {
		t.Fatalf("SubmitCDN(%s, %v, %v) = %v", kind, urls, dirs, err)
	}
	return answer
}

func states(t *testing.T, e *engine.Engine, filter engine.CDNFilter) map[string]engine.CDNState {
	t.Helper()
	filter.Owner = owner
	tasks, err := e.CDNTasks(filter)
	if err != nil {
		t.Fatal(err)
	}
	states := map[string]engine.CDNState{}
	for _, task := range tasks {
		states[task.URL] = task.State
	}
	return states
}

const site = "https://cdn.example.com/"

// some returns n URLs that end so.
func some(n int, end string) (list []string) {
	for i := range n {
		list = append(list, fmt.Sprint(site, i, end))
	}
	return list
}

func codeOf(err error) int {
	var refusal *engine.Error
	if errors.As(err, &refusal) {
		return refusal.Code
	}
	return 0
}

// TestCDNCache serves what it has kept, whatever becomes of the object, until that
// very URL is refreshed.
func TestCDNCache(t *testing.T) {
	t.Parallel()
	e := newCDN(t, engine.CDN{})
	want := func(when string, contents ...string) {
		t.Helper()
		for i, key := range []string{"a", "dir/b", "dir/sub/c", "dirt"} {
			if got := cached(t, e, key); got != contents[i] {
				t.Errorf("%s: the CDN has %q of %s, want %q", when, got, key, contents[i])
			}
		}
	}
	write := func(text string) {
		for _, key := range []string{"a", "dir/b", "dir/sub/c", "dirt"} {
			mustPut(t, e, key, text)
		}
	}
	write("1")
	want("first", "1", "1", "1", "1")
	write("2")
	want("stale", "1", "1", "1", "1")
	submit(t, e, engine.CDNRefresh, []string{"http://CDN.example.com/a?v=2"}, nil)
	want("one refreshed", "2", "1", "1", "1")
	submit(t, e, engine.CDNRefresh, nil, []string{site + "dir/"})
	want("directory refreshed", "2", "2", "2", "1")
	write("3")
	submit(t, e, engine.CDNPrefetch, []string{site + "dir/b"}, nil)
	want("prefetched what was kept", "2", "2", "2", "1")
	submit(t, e, engine.CDNRefresh, []string{site + "dir/b"}, nil)
	submit(t, e, engine.CDNPrefetch, []string{site + "dir/b"}, nil)
	mustPut(t, e, "dir/b", "4")
	want("prefetched", "2", "3", "2", "1")
	for _, key := range []string{"a", "dir/b"} {
		if err := e.Delete(owner, "bucket-1", key); err != nil {
			t.Fatal(err)
		}
	}
	want("deleted", "2", "3", "2", "1")
	submit(t, e, engine.CDNRefresh, []string{site + "a"}, []string{site + "*"})
	want("all refreshed", "612 no such file or directory", "612 no such file or directory", "3", "3")
}

// TestCDNStates moves tasks with the clock, which is when they take effect.
func TestCDNStates(t *testing.T) {
	t.Parallel()
	e := newCDN(t, engine.CDN{Delay: 5 * time.Minute, Fail: "*/bad/*"})
	mustPut(t, e, "a", "1")
	if got := cached(t, e, "a"); got != "1" {
		t.Fatal(got)
	}
	mustPut(t, e, "a", "2")
	answer := submit(t, e, engine.CDNRefresh, []string{site + "a", site + "bad/deep/x"}, []string{site + "d/"})
	submit(t, e, engine.CDNPrefetch, []string{site + "missing", site + "a"}, nil)
	_, err := e.SubmitCDN(owner, engine.CDNRefresh, []string{site + "b", site + "a"}, nil)
	wantError(t, err, 400037, "the url is in process: "+site+"a")

	advance(t, e, 5*time.Minute-time.Nanosecond)
	if diff := cmp.Diff(map[string]engine.CDNState{site + "a": "processing", site + "bad/deep/x": "processing", site + "d/": "processing"},
		states(t, e, engine.CDNFilter{Kind: engine.CDNRefresh, Request: answer.Request})); diff != "" {
		t.Errorf("before (-want +got):\n%s", diff)
	}
	if got := cached(t, e, "a"); got != "1" {
		t.Errorf("before: %q", got)
	}
	advance(t, e, time.Nanosecond)
	if diff := cmp.Diff(map[string]engine.CDNState{site + "a": "success", site + "bad/deep/x": "failure", site + "d/": "success"},
		states(t, e, engine.CDNFilter{Kind: engine.CDNRefresh})); diff != "" {
		t.Errorf("after (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]engine.CDNState{site + "a": "success", site + "missing": "failure"},
		states(t, e, engine.CDNFilter{Kind: engine.CDNPrefetch})); diff != "" {
		t.Errorf("prefetch (-want +got):\n%s", diff)
	}
	if got := cached(t, e, "a"); got != "2" {
		t.Errorf("after: %q", got)
	}
	dir, one := true, answer.Tasks[site+"a"]
	for name, tt := range map[string]struct {
		filter engine.CDNFilter
		want   int
	}{
		"dir":         {engine.CDNFilter{Dir: &dir}, 1},
		"task":        {engine.CDNFilter{Task: one}, 1},
		"urls":        {engine.CDNFilter{URLs: []string{site + "d/", site + "a", "x"}}, 2},
		"state":       {engine.CDNFilter{State: engine.CDNFailure}, 1},
		"from now":    {engine.CDNFilter{From: e.Now()}, 0},
		"until now":   {engine.CDNFilter{To: e.Now()}, 3},
		"other":       {engine.CDNFilter{Request: "other"}, 0},
		"of a second": {engine.CDNFilter{}, 3},
	} {
		tt.filter.Kind = engine.CDNRefresh
		if got := len(states(t, e, tt.filter)); got != tt.want {
			t.Errorf("%s: %d tasks, want %d", name, got, tt.want)
		}
	}
	if tasks, err := e.CDNTasks(engine.CDNFilter{Owner: other, Kind: engine.CDNRefresh}); err != nil || len(tasks) != 0 {
		t.Errorf("tasks of another account: %v, %v", tasks, err)
	}
	advance(t, e, 7*24*time.Hour)
	if got := states(t, e, engine.CDNFilter{Kind: engine.CDNRefresh}); len(got) != 0 {
		t.Errorf("after a week the tasks are %v", got)
	}
}

// TestCDNQuota counts down, for each account, and begins anew at midnight in Beijing.
func TestCDNQuota(t *testing.T) {
	t.Parallel()
	e := newCDN(t, engine.CDN{URLsPerDay: 3, DirsPerDay: -1})
	a := submit(t, e, engine.CDNRefresh, []string{site + "1", site + "2"}, nil)
	want := engine.CDNAnswer{URLs: engine.CDNQuota{Day: 3, Surplus: 1}, Prefetches: engine.CDNQuota{Day: 100, Surplus: 100}}
	if got := (engine.CDNAnswer{URLs: a.URLs, Dirs: a.Dirs, Prefetches: a.Prefetches}); cmp.Diff(want, got) != "" {
		t.Errorf("quotas: %+v", got)
	}
	answer, err := e.SubmitCDN(owner, engine.CDNRefresh, []string{site + "3", site + "4"}, nil)
	wantError(t, err, 400034, "refresh url limit error")
	if answer.URLs.Surplus != 1 || len(answer.Tasks) != 0 {
		t.Errorf("a refused request took some: %+v", answer)
	}
	_, err = e.SubmitCDN(owner, engine.CDNRefresh, nil, []string{site})
	wantError(t, err, 400035, "refresh dir limit error")
	submit(t, e, engine.CDNRefresh, []string{site + "3"}, nil)
	_, err = e.SubmitCDN(owner, engine.CDNRefresh, []string{site + "4"}, nil)
	wantError(t, err, 400034, "refresh url limit error")

	advance(t, e, toMidnight-time.Second)
	_, err = e.SubmitCDN(owner, engine.CDNRefresh, []string{site + "4"}, nil)
	wantError(t, err, 400034, "refresh url limit error")
	advance(t, e, time.Second)
	if a := submit(t, e, engine.CDNRefresh, []string{site + "4"}, nil); a.URLs.Surplus != 2 {
		t.Errorf("the next day begins with %+v", a.URLs)
	}

	setCDN(t, e, engine.CDN{PrefetchesPerDay: 1})
	submit(t, e, engine.CDNPrefetch, []string{site + "4"}, nil)
	_, err = e.SubmitCDN(owner, engine.CDNPrefetch, []string{site + "4"}, nil)
	wantError(t, err, 400033, "prefetch url limit error")
}

func TestCDNRefusals(t *testing.T) {
	t.Parallel()
	e := newCDN(t, engine.CDN{})
	for name, tt := range map[string]struct {
		urls, dirs []string
		code       int
		invalid    []string
	}{
		"nothing":        {nil, nil, 400000, nil},
		"21 urls":        {some(21, ""), nil, 400039, nil},
		"6 dirs":         {nil, some(6, "/"), 400039, nil},
		"no scheme":      {[]string{"cdn.example.com/a", site + "a"}, nil, 400031, []string{"cdn.example.com/a"}},
		"ftp":            {[]string{"ftp://cdn.example.com/a"}, nil, 400031, []string{"ftp://cdn.example.com/a"}},
		"no path":        {[]string{"http://cdn.example.com"}, nil, 400031, []string{"http://cdn.example.com"}},
		"star":           {[]string{site + "*.png"}, nil, 400031, []string{site + "*.png"}},
		"only a star":    {[]string{site + "*"}, nil, 400031, []string{site + "*"}},
		"no slash":       {nil, []string{site + "dir"}, 400031, []string{site + "dir"}},
		"star in a dir":  {nil, []string{site + "*/b/"}, 400031, []string{site + "*/b/"}},
		"not bound":      {[]string{"http://example.com/a", site + "a"}, nil, 400032, []string{"http://example.com/a"}},
		"not a listener": {[]string{"http://127.0.0.1:1/a"}, nil, 400032, []string{"http://127.0.0.1:1/a"}},
	} {
		answer, err := e.SubmitCDN(owner, engine.CDNRefresh, tt.urls, tt.dirs)
		if refused := codeOf(err); refused != tt.code {
			t.Errorf("%s: %v, want %d", name, err, tt.code)
		}
		if diff := cmp.Diff(tt.invalid, append(answer.InvalidURLs, answer.InvalidDirs...)); diff != "" || len(answer.Tasks) > 0 {
			t.Errorf("%s: %d tasks; invalid (-want +got):\n%s", name, len(answer.Tasks), diff)
		}
	}
	_, err := e.SubmitCDN(other, engine.CDNRefresh, []string{site}, nil)
	wantError(t, err, 400032, "invalid host: cdn.example.com")
	setCDN(t, e, engine.CDN{NoDirs: true})
	_, err = e.SubmitCDN(owner, engine.CDNRefresh, nil, []string{site})
	wantError(t, err, 400038, "no permission to refresh dirs")
	if err := e.SetCDN(engine.CDN{Fail: "["}); err == nil {
		t.Error("a pattern that is none was accepted")
	}
}

// TestCDNRate takes 240 in a second of the clock.
func TestCDNRate(t *testing.T) {
	t.Parallel()
	e := newCDN(t, engine.CDN{URLsPerDay: 1000})
	for range 12 {
		submit(t, e, engine.CDNRefresh, some(20, ""), nil)
	}
	_, err := e.SubmitCDN(owner, engine.CDNRefresh, []string{site}, nil)
	wantError(t, err, 403024, "user qps limit exceeded")
	if _, err := e.SubmitCDN(other, engine.CDNRefresh, []string{site}, nil); codeOf(err) != 400032 {
		t.Errorf("another account: %v", err)
	}
	advance(t, e, time.Second)
	submit(t, e, engine.CDNRefresh, []string{site}, nil)
}

// TestDomainsOfLater are bound when their bucket is created, each time.
func TestDomainsOfLater(t *testing.T) {
	t.Parallel()
	e := open(t, engine.Options{Dir: t.TempDir(), Domains: map[string][]string{"later": {"WWW.example.com", "taken.example.com"}}})
	createBucket(t, e, "bucket-1")
	if err := e.BindDomain(owner, "bucket-1", "taken.example.com"); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		createBucket(t, e, "later")
		bucket, found, err := e.BucketByDomain("www.example.com")
		if err != nil || !found || bucket.Name != "later" {
			t.Errorf("the domain leads to %q, %t, %v", bucket.Name, found, err)
		}
		if err := e.DropBucket(owner, "later"); err != nil {
			t.Fatal(err)
		}
	}
}

func TestCDNLogs(t *testing.T) {
	t.Parallel()
	e := newCDN(t, engine.CDN{})
	file := engine.CDNLog{Domain: "cdn.example.com", Day: "2026-03-01", Name: "x.gz", Size: 1, MTime: 2, URL: "http://x"}
	e.AddCDNLog(file)
	got, err := e.CDNLogs(owner, "2026-03-01", []string{"cdn.example.com"})
	if diff := cmp.Diff(map[string][]engine.CDNLog{"cdn.example.com": {file}}, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	if got, err := e.CDNLogs(owner, "2026-03-02", []string{"cdn.example.com"}); err != nil || len(got["cdn.example.com"]) != 0 {
		t.Errorf("another day: %v, %v", got, err)
	}
	_, err = e.CDNLogs(owner, "1 March", nil)
	wantError(t, err, 400080, "invalid date: 1 March")
	_, err = e.CDNLogs(other, "2026-03-01", []string{"cdn.example.com"})
	wantError(t, err, 404001, "domain not found: cdn.example.com")
}

func TestForgetCDNTasks(t *testing.T) {
	t.Parallel()
	e := newCDN(t, engine.CDN{Delay: time.Hour})
	submit(t, e, engine.CDNRefresh, []string{site}, nil)
	if err := e.ForgetCDNTasks(); err != nil {
		t.Fatal(err)
	}
	if got := states(t, e, engine.CDNFilter{Kind: engine.CDNRefresh}); len(got) != 0 {
		t.Errorf("tasks: %v", got)
	}
	submit(t, e, engine.CDNRefresh, []string{site}, nil) // It is not in process any more.
}

// TestCDNReopened keeps copies, tasks and quotas in the data folder.
func TestCDNReopened(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	options := engine.Options{
		Dir: t.TempDir(), Now: func() time.Time { return now }, Domains: map[string][]string{"bucket-1": {"cdn.example.com"}}, CDN: engine.CDN{Delay: time.Hour},
	}
	e, err := engine.Open(options)
	if err != nil {
		t.Fatal(err)
	}
	createBucket(t, e, "bucket-1")
	mustPut(t, e, "a", strings.Repeat("1", 100_000)) // a file of its own
	mustPut(t, e, "b", "1")
	if got := cached(t, e, "a") + cached(t, e, "b"); len(got) != 100_001 {
		t.Fatalf("%d bytes", len(got))
	}
	mustPut(t, e, "a", "2")
	mustPut(t, e, "b", "2")
	submit(t, e, engine.CDNRefresh, []string{site + "b"}, nil)
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	e = open(t, options)
	if err := e.AwaitSweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := cached(t, e, "a"); len(got) != 100_000 {
		t.Errorf("the copy has %d bytes", len(got))
	}
	advance(t, e, time.Hour)
	if got := cached(t, e, "b"); got != "2" {
		t.Errorf("refreshed: %q", got)
	}
	if answer := submit(t, e, engine.CDNRefresh, []string{site + "a"}, nil); answer.URLs.Surplus != 498 {
		t.Errorf("left: %+v", answer.URLs)
	}
}
