package kodo_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/qiniu/terraform-provider-kodo/internal/emulator"
	"github.com/qiniu/terraform-provider-kodo/internal/kodo"
)

const site = "https://cdn.example.com/"

// newCDN starts an emulator whose bucket is behind cdn.example.com, and a Client whose pace is the emulator's clock:
// it moves on by a second for each request.
func newCDN(t *testing.T, settings emulator.CDN, change ...func(*kodo.Config)) (*emulator.Emulator, *kodo.Client) {
	t.Helper()
	e, c := newEmulator(t, append(change, func(c *kodo.Config) { c.Endpoints.CDN = c.Endpoints.UC })...)
	if err := e.Engine().BindDomain(accessKey, "bucket", "cdn.example.com"); err != nil {
		t.Fatal(err)
	}
	if err := e.Engine().SetCDN(settings); err != nil {
		t.Fatal(err)
	}
	c.SetCDNPace(func(context.Context, int) error { return e.Engine().Advance(time.Second) })
	c.SetFirstLook(time.Millisecond)
	return e, c
}

// links returns n URLs that end so.
func links(n int, end string) (all []string) {
	for i := range n {
		all = append(all, fmt.Sprint(site, i, end))
	}
	return all
}

// outcome shows an outcome without its ids.
func outcome(o kodo.CDNOutcome) string {
	switch {
	case o.Err != nil:
		return fmt.Sprint("refused ", kodo.CodeOf(o.Err))
	case o.UnderWay:
		return "under way"
	}
	return "accepted"
}

func wantOutcomes(t *testing.T, s kodo.CDNSubmission, want map[string]string) {
	t.Helper()
	got := map[string]string{}
	for _, o := range s.Outcomes {
		got[strings.TrimPrefix(o.URL, site)] = outcome(o)
	}
	if diff := cmp.Diff(want, got); diff != "" || len(s.Outcomes) != len(want) {
		t.Errorf("%d outcomes (-want +got):\n%s", len(s.Outcomes), diff)
	}
}

func requests(e *emulator.Emulator) (n int) {
	for _, r := range e.Requests() {
		if r.Service == "cdn" && r.Path == "/v2/tune/refresh" {
			n++
		}
	}
	return n
}

// TestCDNSplit sends 1000 URLs and 12 directories in 50 and 3 requests, and waits for each before it is sent.
func TestCDNSplit(t *testing.T) {
	t.Parallel()
	e, c := newCDN(t, emulator.CDN{URLsPerDay: 1100, DirsPerDay: 20})
	var paces []int
	c.SetCDNPace(func(_ context.Context, items int) error {
		if requests(e) != len(paces) {
			t.Errorf("%d requests were sent, and %d times was waited", requests(e), len(paces))
		}
		paces = append(paces, items)
		return e.Engine().Advance(time.Second)
	})
	urls, dirs := links(1000, ""), links(12, "/")
	var progress []string
	s := c.SubmitToCDN(t.Context(), kodo.CDNRefresh, urls, dirs, func(settled, total int) { progress = append(progress, fmt.Sprint(settled, "/", total)) })

	want := append(slices.Repeat([]int{20}, 50), 5, 5, 2)
	if diff := cmp.Diff(want, paces); diff != "" || requests(e) != 53 {
		t.Errorf("%d requests; items in each (-want +got):\n%s", requests(e), diff)
	}
	ids := map[string]bool{}
	for i, o := range s.Outcomes {
		if o.URL != append(urls, dirs...)[i] || o.Dir != (i >= 1000) || o.Err != nil || o.TaskID == "" {
			t.Errorf("outcome %d: %+v", i, o)
		}
		ids[o.RequestID] = true
	}
	if len(s.Outcomes) != 1012 || len(ids) != 53 || s.URLSurplus != 100 || s.DirSurplus != 8 || len(s.Failed()) != 0 {
		t.Errorf("%d outcomes of %d requests, left %d and %d", len(s.Outcomes), len(ids), s.URLSurplus, s.DirSurplus)
	}
	if len(progress) != 53 || progress[0] != "20/1012" || progress[52] != "1012/1012" {
		t.Errorf("progress: %q", progress)
	}
}

// TestCDNRate reckons when the limiter lets 1012 items go, and looks at every second of it.
func TestCDNRate(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	limiter := kodo.NewCDNLimiter()
	type sent struct {
		at    time.Time
		items int
	}
	var all []sent
	for _, items := range append(slices.Repeat([]int{20}, 50), 5, 5, 2) {
		all = append(all, sent{start.Add(limiter.ReserveN(start, items).DelayFrom(start)), items})
	}
	for i, first := range all {
		sum := 0
		for _, s := range all[i:] {
			if s.at.Sub(first.at) < time.Second {
				sum += s.items
			}
		}
		if sum > 240 {
			t.Errorf("%d items in the second after %s", sum, first.at)
		}
	}
	if last := all[len(all)-1].at.Sub(start); last > 5*time.Second {
		t.Errorf("the last leaves after %s", last)
	}
}

// TestCDNPaced gives up at once where the rate does not let a request go before the deadline.
func TestCDNPaced(t *testing.T) {
	t.Parallel()
	e, c := newCDN(t, emulator.CDN{})
	limiter := kodo.NewCDNLimiter()
	limiter.ReserveN(time.Now(), 20)
	limiter.ReserveN(time.Now(), 20)
	limiter.SetLimit(1.0 / 3600)
	c.SetCDNPace(limiter.WaitN)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	s := c.SubmitToCDN(ctx, kodo.CDNRefresh, links(1, ""), links(1, "/"), nil)
	if len(s.Failed()) != 2 || !errors.Is(s.Outcomes[0].Err, context.DeadlineExceeded) || requests(e) != 0 {
		t.Errorf("%+v after %d requests", s.Outcomes, requests(e))
	}
}

// TestCDNRetries repeats what fails for a moment, and nothing else.
func TestCDNRetries(t *testing.T) {
	t.Parallel()
	for code, attempts := range map[int]int{
		403022: 3, 403024: 3, 500000: 3, 500016: 3, 500018: 3, 503: 3, 429: 3,
		400000: 1, 400033: 1, 400034: 1, 400035: 1, 400038: 1, 400039: 1, 401001: 1, 404001: 1, 501: 1,
	} {
		t.Run(fmt.Sprint(code), func(t *testing.T) {
			t.Parallel()
			e, c := newCDN(t, emulator.CDN{})
			fail(t, e, emulator.Fault{Match: emulator.Match{Service: "cdn"}, Times: 2, Do: "status", Status: code, Error: "no"})
			s := c.SubmitToCDN(t.Context(), kodo.CDNRefresh, links(1, ""), nil, nil)
			want := "accepted"
			if attempts == 1 {
				want = fmt.Sprint("refused ", code)
			}
			if got := outcome(s.Outcomes[0]); got != want || requests(e) != attempts {
				t.Errorf("%s after %d requests, want %s after %d", got, requests(e), want, attempts)
			}
		})
	}
}

// TestCDNQuota stops where the quota ends, for what it is of alone.
func TestCDNQuota(t *testing.T) {
	t.Parallel()
	e, c := newCDN(t, emulator.CDN{URLsPerDay: 41})
	s := c.SubmitToCDN(t.Context(), kodo.CDNRefresh, links(100, ""), links(2, "/"), nil)
	accepted := map[bool]int{}
	for i, o := range s.Outcomes {
		switch {
		case o.Err == nil:
			accepted[o.Dir]++
		case i < 40 || kodo.CodeOf(o.Err) != 400034 || o.URL != links(100, "")[i]:
			t.Errorf("outcome %d: %+v", i, o)
		}
	}
	if accepted[false] != 40 || accepted[true] != 2 || len(s.Failed()) != 60 || requests(e) != 4 || s.URLSurplus != 1 || s.DirSurplus != 9 {
		t.Errorf("accepted %v, failed %d, requests %d, left %d and %d", accepted, len(s.Failed()), requests(e), s.URLSurplus, s.DirSurplus)
	}

	_, c = newCDN(t, emulator.CDN{NoDirs: true})
	wantOutcomes(t, c.SubmitToCDN(t.Context(), kodo.CDNRefresh, links(1, ""), links(1, "/"), nil),
		map[string]string{"0": "accepted", "0/": "refused 400038"})

	_, c = newCDN(t, emulator.CDN{PrefetchesPerDay: 1})
	s = c.SubmitToCDN(t.Context(), kodo.CDNPrefetch, links(1, ""), nil, nil)
	wantOutcomes(t, s, map[string]string{"0": "accepted"})
	if s.URLSurplus != 0 || s.DirSurplus != -1 {
		t.Errorf("left %d and %d", s.URLSurplus, s.DirSurplus)
	}
	wantOutcomes(t, c.SubmitToCDN(t.Context(), kodo.CDNPrefetch, links(1, ""), nil, nil), map[string]string{"0": "refused 400033"})
}

// TestCDNInvalid submits the others of a request of which some are refused.
func TestCDNInvalid(t *testing.T) {
	t.Parallel()
	e, c := newCDN(t, emulator.CDN{})
	wantOutcomes(t, c.SubmitToCDN(t.Context(), kodo.CDNRefresh, []string{site + "a", "https://example.com/a", site + "b"}, []string{site + "d/", "https://example.com/"}, nil),
		map[string]string{"a": "accepted", "https://example.com/a": "refused 400032", "b": "accepted", "d/": "accepted", "https://example.com/": "refused 400032"})
	if requests(e) != 4 { // each list, and what is left of it
		t.Errorf("%d requests", requests(e))
	}

	for name, handler := range map[string]string{ // what the CDN could say as well
		"named in a success": `{"code":200,"error":"success","requestId":"r","invalidUrls":["` + site + `1"]}`,
		"named by nobody":    "",
	} {
		url := scripted(t, func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			answer := handler
			if answer == "" && strings.Contains(string(body), site+`1"`) {
				w.WriteHeader(http.StatusBadRequest)
				answer = `{"code":400031,"error":"invalid url","requestId":"r"}`
			} else if answer == "" {
				answer = `{"code":200,"error":"success","requestId":"r"}`
			}
			fmt.Fprint(w, answer)
		})
		c := newClient(t, everything(url))
		s := c.SubmitToCDN(t.Context(), kodo.CDNRefresh, links(5, ""), nil, nil)
		wantOutcomes(t, s, map[string]string{"0": "accepted", "1": "refused 400031", "2": "accepted", "3": "accepted", "4": "accepted"})
		var failed *kodo.Error
		if !errors.As(s.Failed()[0].Err, &failed) || failed.RequestID != "r" {
			t.Errorf("%s: the refusal is %+v, want the request id of the body", name, failed)
		}
	}
}

// TestCDNUnderWay takes what the CDN is at already for accepted, and finds its task.
func TestCDNUnderWay(t *testing.T) {
	t.Parallel()
	_, c := newCDN(t, emulator.CDN{Delay: time.Hour})
	first := c.SubmitToCDN(t.Context(), kodo.CDNRefresh, []string{site + "3"}, nil, nil).Outcomes[0]
	s := c.SubmitToCDN(t.Context(), kodo.CDNRefresh, links(5, ""), nil, nil)
	wantOutcomes(t, s, map[string]string{"0": "accepted", "1": "accepted", "2": "accepted", "3": "under way", "4": "accepted"})
	if o := s.Outcomes[3]; o.RequestID != first.RequestID || o.TaskID != first.TaskID {
		t.Errorf("the task under way is %+v, want %+v", o, first)
	}
}

// TestCDNBroken stops at what would fail for everything.
func TestCDNBroken(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]http.HandlerFunc{
		"401": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(401)
			fmt.Fprint(w, `{"error":"bad token"}`)
		},
		"HTML":    func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `<html>`) },
		"empty":   func(http.ResponseWriter, *http.Request) {},
		"no code": func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"error":"?"}`) },
		"404":     func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(404) },
		"redirect": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://127.0.0.1:1/", http.StatusFound)
		},
	} {
		n := 0
		url := scripted(t, func(w http.ResponseWriter, r *http.Request) { n++; answer(w, r) })
		s := newClient(t, everything(url)).SubmitToCDN(t.Context(), kodo.CDNRefresh, links(30, ""), links(1, "/"), nil)
		var failed *kodo.Error
		if n != 1 || len(s.Failed()) != 31 || !errors.As(s.Outcomes[30].Err, &failed) || failed.Service != "cdn" || s.URLSurplus != -1 {
			t.Errorf("%s: %d requests, %d failed: %v", name, n, len(s.Failed()), s.Outcomes[30].Err)
		}
		if strings.Contains(fmt.Sprint(failed), secretKey) || strings.Contains(fmt.Sprint(failed), "QBox") {
			t.Errorf("%s: the error holds a secret: %v", name, failed)
		}
	}
	e, c := newCDN(t, emulator.CDN{})
	ctx, cancel := context.WithCancel(t.Context())
	c.SetCDNPace(func(context.Context, int) error {
		if requests(e) == 1 {
			cancel()
		}
		return ctx.Err()
	})
	s := c.SubmitToCDN(ctx, kodo.CDNRefresh, links(60, ""), nil, nil)
	if len(s.Failed()) != 40 || requests(e) != 1 || !errors.Is(s.Outcomes[59].Err, context.Canceled) {
		t.Errorf("cancelled: %d failed after %d requests: %v", len(s.Failed()), requests(e), s.Outcomes[59].Err)
	}
}

// TestCDNOnTheWire holds what is sent to the public cloud against what is documented.
func TestCDNOnTheWire(t *testing.T) {
	t.Parallel()
	c := newClient(t, kodo.Endpoints{}, func(c *kodo.Config) { c.AccessKey, c.SecretKey = "ak", "sk" })
	c.SetTransport(meddler(func(_ http.RoundTripper, r *http.Request) (*http.Response, error) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		got := []string{r.Method, r.URL.String(), r.Header.Get("Content-Type"), r.Header.Get("Authorization"), string(body)}
		want := []string{"POST", "https://fusion.qiniuapi.com/v2/tune/refresh", "application/json", "QBox ak:c5Yo0B9szp5-9ZRuPK6SDSoEnlQ=", `{"urls":["https://cdn.example.com/a"]}`}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("request (-want +got):\n%s", diff)
		}
		return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(`{"code":200}`))}, nil
	}))
	wantOutcomes(t, c.SubmitToCDN(t.Context(), kodo.CDNRefresh, []string{site + "a"}, nil, nil), map[string]string{"a": "accepted"})
}

func TestAwaitCDN(t *testing.T) {
	t.Parallel()
	e, c := newCDN(t, emulator.CDN{Delay: time.Hour, Fail: "*/bad"})
	first := c.SubmitToCDN(t.Context(), kodo.CDNRefresh, []string{site + "good", site + "bad"}, []string{site + "d/"}, nil)
	ids := []string{first.Outcomes[0].RequestID, first.Outcomes[2].RequestID}
	var progress []string
	tasks, err := c.AwaitCDN(t.Context(), kodo.CDNRefresh, ids, func(done, total int) {
		if progress = append(progress, fmt.Sprint(done, "/", total)); len(progress) == 2 {
			if err := e.Engine().Advance(time.Hour); err != nil {
				t.Error(err)
			}
		}
	})
	states := map[string]kodo.CDNState{}
	for _, task := range tasks {
		states[task.URL] = task.State
	}
	if diff := cmp.Diff(map[string]kodo.CDNState{site + "good": "success", site + "bad": "failure", site + "d/": "success"}, states); diff != "" || err != nil {
		t.Errorf("%v; states (-want +got):\n%s", err, diff)
	}
	if diff := cmp.Diff([]string{"0/2", "0/2", "2/2"}, progress); diff != "" {
		t.Errorf("progress (-want +got):\n%s", diff)
	}
	if err := e.Engine().ForgetCDNTasks(); err != nil {
		t.Fatal(err)
	}
	if tasks, err := c.AwaitCDN(t.Context(), kodo.CDNRefresh, ids, nil); err != nil || len(tasks) != 0 {
		t.Errorf("forgotten: %v, %v", tasks, err)
	}

	id := c.SubmitToCDN(t.Context(), kodo.CDNPrefetch, []string{site + "a"}, nil, nil).Outcomes[0].RequestID
	ctx, cancel := context.WithCancel(t.Context())
	tasks, err = c.AwaitCDN(ctx, kodo.CDNPrefetch, []string{id}, func(int, int) { cancel() })
	if !errors.Is(err, context.Canceled) || len(tasks) != 1 || tasks[0].State != kodo.CDNProcessing {
		t.Errorf("cancelled: %v, %v", tasks, err)
	}
}

func TestCDNLogs(t *testing.T) {
	t.Parallel()
	e, c := newCDN(t, emulator.CDN{})
	for _, name := range []string{"b.gz", "a.gz"} {
		e.Engine().AddCDNLog(emulator.CDNLog{Domain: "cdn.example.com", Day: "2026-03-01", Name: name, Size: 5, MTime: 1772323200, URL: "http://logs/" + name})
	}
	logs, err := c.CDNLogs(t.Context(), []string{"cdn.example.com"}, "2026-03-01")
	at := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	want := []kodo.CDNLog{
		{Domain: "cdn.example.com", Name: "a.gz", Size: 5, Time: at, URL: "http://logs/a.gz"},
		{Domain: "cdn.example.com", Name: "b.gz", Size: 5, Time: at, URL: "http://logs/b.gz"},
	}
	if diff := cmp.Diff(want, logs); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	if _, err := c.CDNLogs(t.Context(), []string{"example.com"}, "2026-03-01"); kodo.CodeOf(err) != 404001 {
		t.Errorf("of a domain of nobody: %v", err)
	}
}

func TestCheckCDNURL(t *testing.T) {
	t.Parallel()
	for link, want := range map[string][2]string{ // what is wrong with it as a URL, and as a directory
		"https://cdn.example.com/":              {"", ""},
		"http://cdn.example.com:8080/a/b.js?v1": {"", "it must have no query"},
		"https://cdn.example.com/a":             {"", "it must end in /"},
		"https://cdn.example.com/a/":            {"", ""},
		"https://cdn.example.com/a/*":           {"it must name one thing: for all below a folder, name the folder among the directories", ""},
		"https://cdn.example.com/*":             {"it must name one thing: for all below a folder, name the folder among the directories", ""},
		"https://cdn.example.com/*/a/":          {"it must name one thing: for all below a folder, name the folder among the directories", "a star is possible at its very end alone, after a /"},
		"https://cdn.example.com/a*":            {"it must name one thing: for all below a folder, name the folder among the directories", "it must end in /"},
		"https://cdn.example.com":               {"it must have a path, at least a / after the host", "it must have a path, at least a / after the host"},
		"cdn.example.com/a/":                    {"it must begin with http:// or https:// and a host", "it must begin with http:// or https:// and a host"},
		"//cdn.example.com/a/":                  {"it must begin with http:// or https:// and a host", "it must begin with http:// or https:// and a host"},
		"ftp://cdn.example.com/a/":              {"it must begin with http:// or https:// and a host", "it must begin with http:// or https:// and a host"},
		"https:///a/":                           {"it must begin with http:// or https:// and a host", "it must begin with http:// or https:// and a host"},
		"":                                      {"it must begin with http:// or https:// and a host", "it must begin with http:// or https:// and a host"},
		"https://u:p@cdn.example.com/":          {"it must hold no user name and no password", "it must hold no user name and no password"},
		"https://cdn.example.com/#a/":           {"it must hold no #: what follows one never reaches a server", "it must hold no #: what follows one never reaches a server"},
		"https://cdn.example.com/港/":            {"it must be escaped, without spaces and other characters than ASCII", "it must be escaped, without spaces and other characters than ASCII"},
	} {
		for i, check := range []func(string) error{kodo.CheckCDNURL, kodo.CheckCDNDir} {
			got := ""
			if err := check(link); err != nil {
				got = err.Error()
			}
			if got != want[i] {
				t.Errorf("%q as %s: %q, want %q", link, []string{"URL", "directory"}[i], got, want[i])
			}
		}
	}
}

func TestCDNName(t *testing.T) {
	t.Parallel()
	for _, same := range [][]string{
		{"https://cdn.example.com/a", "https://CDN.example.com/a", "https://cdn.example.com:443/a", "https://cdn.example.com/%61"},
		{"http://cdn.example.com/a", "http://cdn.example.com:80/a"},
		{"https://cdn.example.com/a/", "https://cdn.example.com/a/*"},
	} {
		for _, link := range same {
			if got, want := kodo.CDNName(link), same[0]; got != want {
				t.Errorf("CDNName(%q) = %q, want %q", link, got, want)
			}
		}
	}
	for _, link := range []string{"https://cdn.example.com/A", "http://cdn.example.com/a", "https://cdn.example.com:80/a", "https://cdn.example.com/a?b", "https://cdn.example.com/a/"} {
		if kodo.CDNName(link) == kodo.CDNName("https://cdn.example.com/a") {
			t.Errorf("%q is the same as another", link)
		}
	}
}

// FuzzCheckCDNURL holds that what is accepted has a name that is its own name, and a host.
func FuzzCheckCDNURL(f *testing.F) {
	for _, link := range []string{"https://cdn.example.com/a?b", "http://h:80/a/*", "https://[::1]/%2a", "http://h/%zz", "//", "*"} {
		f.Add(link)
	}
	f.Fuzz(func(t *testing.T, link string) {
		isURL, isDir := kodo.CheckCDNURL(link) == nil, kodo.CheckCDNDir(link) == nil
		if !isURL && !isDir {
			return
		}
		if name := kodo.CDNName(link); !strings.HasPrefix(name, "http") || strings.Contains(name, "://:80/") || isDir && !strings.HasSuffix(name, "/") {
			t.Errorf("CDNName(%q) = %q", link, name)
		}
	})
}
