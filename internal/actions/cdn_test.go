package actions_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/qiniu/terraform-provider-kodo/internal/acctest"
	"github.com/qiniu/terraform-provider-kodo/internal/emulator"
	"github.com/qiniu/terraform-provider-kodo/internal/emulator/engine"
)

type values = acctest.Values

const (
	refresh  = "kodo_cdn_refresh"
	prefetch = "kodo_cdn_prefetch"

	cdn = "https://cdn.example.com/"
)

// withCDN starts an emulator whose bucket "assets" is behind cdn.example.com.
func withCDN(t *testing.T, settings emulator.CDN) (*acctest.Harness, *acctest.Session) {
	t.Helper()
	h := acctest.New(t, "assets")
	if err := h.Engine().BindDomain(acctest.AccessKey, "assets", "cdn.example.com"); err != nil {
		t.Fatal(err)
	}
	if err := h.Engine().SetCDN(settings); err != nil {
		t.Fatal(err)
	}
	return h, h.Session()
}

func links(n int, end string) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = fmt.Sprintf("%s%02d%s", cdn, i, end)
	}
	return all
}

// expectTasks counts the tasks that the CDN was given.
func expectTasks(t *testing.T, h *acctest.Harness, kind engine.CDNKind, want int) {
	t.Helper()
	tasks, err := h.Engine().CDNTasks(engine.CDNFilter{Owner: acctest.AccessKey, Kind: kind})
	if err != nil || len(tasks) != want {
		t.Errorf("%d tasks of %s, %v, want %d", len(tasks), kind, err, want)
	}
}

// expect checks that there is one diagnostic of the severity, and that it says all of this.
func expect(t *testing.T, diags acctest.Diagnostics, failed bool, summary string, says ...string) {
	t.Helper()
	if len(diags) != 1 || diags.HasErrors() != failed || diags[0].Summary != summary {
		t.Fatalf("want only %q, error %t, got:\n%s", summary, failed, diags)
	}
	for _, part := range says {
		if !strings.Contains(diags[0].Detail, part) {
			t.Errorf("%q is not said by: %s", part, diags[0].Detail)
		}
	}
}

// TestCDNProgress tells of each request, of the waiting, and of what is left of the quota.
func TestCDNProgress(t *testing.T) {
	t.Parallel()
	h, s := withCDN(t, emulator.CDN{})
	progress, diags := s.InvokeAction(refresh, values{"urls": links(30, ""), "dirs": links(6, "/")})
	want := []string{
		"20 of 36 URLs and directories submitted to the CDN for refresh.",
		"30 of 36 URLs and directories submitted to the CDN for refresh.",
		"35 of 36 URLs and directories submitted to the CDN for refresh.",
		"36 of 36 URLs and directories submitted to the CDN for refresh.",
		"The CDN is done with 4 of 4 requests.",
		"Left of the account's quota of today: 470 URLs, 5 directories.",
	}
	if diff := cmp.Diff(want, progress); diff != "" || len(diags) > 0 {
		t.Errorf("%s\nprogress (-want +got):\n%s", diags, diff)
	}
	expectTasks(t, h, engine.CDNRefresh, 36)

	if err := h.Put("assets", "00", "", []byte("x")); err != nil {
		t.Fatal(err)
	}
	progress, diags = s.InvokeAction(prefetch, values{"urls": links(1, ""), "wait_for_completion": false})
	want = []string{"1 of 1 URL submitted to the CDN for prefetch.", "Left of the account's quota of today: 99 URLs."}
	if diff := cmp.Diff(want, progress); diff != "" || len(diags) > 0 {
		t.Errorf("%s\nprogress (-want +got):\n%s", diags, diff)
	}
	expectTasks(t, h, engine.CDNPrefetch, 1)

	progress, diags = s.InvokeAction(refresh, values{"urls": []string{}})
	if diff := cmp.Diff([]string{"There is nothing to submit to the CDN."}, progress); diff != "" || len(diags) > 0 {
		t.Errorf("%s\nprogress (-want +got):\n%s", diags, diff)
	}
}

// TestCDNNotDone says what is not done, as an error or a warning.
func TestCDNNotDone(t *testing.T) {
	t.Parallel()
	_, s := withCDN(t, emulator.CDN{URLsPerDay: 2, Fail: "*/01"})
	_, diags := s.InvokeAction(refresh, values{"urls": links(2, "")})
	expect(t, diags, true, "CDN Not Refreshed", "the CDN has accepted 1", `failed to carry it out: "https://cdn.example.com/01"`, "invoke the action again")
	_, diags = s.InvokeAction(refresh, values{"urls": links(2, ""), "on_failure": "WARN"})
	expect(t, diags, false, "CDN Not Refreshed", "2 not accepted", "400034", "midnight in Beijing")
	_, diags = s.InvokeAction(prefetch, values{"urls": links(1, "")})
	expect(t, diags, true, "CDN Not Prefetched", `failed to carry it out: "https://cdn.example.com/00"`)
}

// TestCDNInterrupted ends the waiting at once, by an interrupt or by the timeout.
func TestCDNInterrupted(t *testing.T) {
	t.Parallel()
	h, s := withCDN(t, emulator.CDN{Delay: time.Hour})
	ctx, cancel := context.WithCancel(t.Context())
	s.Context = ctx
	go func() {
		defer cancel()
		for len(h.Requests()) < 2 && t.Context().Err() == nil {
			time.Sleep(time.Millisecond)
		}
	}()
	_, diags := s.InvokeAction(refresh, values{"urls": links(1, "")})
	expect(t, diags, false, "CDN Not Awaited", "interrupted", "all the same")
	s.Context = t.Context()
	_, diags = s.InvokeAction(refresh, values{"urls": links(2, "")[1:], "timeouts": values{"invoke": "1s"}})
	expect(t, diags, true, "CDN Not Awaited", "ran out", "timeouts")
	expectTasks(t, h, engine.CDNRefresh, 2)
}

// TestCDNChecks refuses before anything is sent: when it is validated, planned, or at last invoked.
func TestCDNChecks(t *testing.T) {
	t.Parallel()
	h, s := withCDN(t, emulator.CDN{})
	h.ResetRequests()
	for name, tt := range map[string]struct {
		typeName string
		config   values
		says     string
	}{
		"URL":          {refresh, values{"urls": []string{"cdn.example.com/a"}}, `for example ["https://cdn.example.com/css/site.css"]`},
		"directory":    {refresh, values{"dirs": []string{cdn + "a"}}, `for example ["https://cdn.example.com/css/"]`},
		"twice":        {refresh, values{"dirs": []string{cdn + "a/", cdn + "a/*"}}, "the same to the CDN"},
		"prefetch URL": {prefetch, values{"urls": []string{cdn + "*"}}, `for example ["https://cdn.example.com/css/site.css"]`},
		"neither":      {refresh, values{}, "urls"},
		"on_failure":   {prefetch, values{"urls": []string{cdn}, "on_failure": "?"}, `"ERROR" "WARN"`},
	} {
		diags := s.PlanAction(tt.typeName, tt.config)
		if len(diags.Errors()) != 1 || !strings.Contains(diags.String(), tt.says) {
			t.Errorf("%s: planned:\n%s", name, diags)
		}
	}
	for _, typeName := range []string{refresh, prefetch} {
		if diags := s.PlanAction(typeName, values{"urls": acctest.Unknown{}}); len(diags) > 0 {
			t.Errorf("%s of what is not known yet:\n%s", typeName, diags)
		}
		if diags := s.PlanAction(typeName, values{"urls": []any{acctest.Unknown{}, cdn}}); len(diags) > 0 {
			t.Errorf("%s of what is not known yet:\n%s", typeName, diags)
		}
		_, diags := s.InvokePlanned(typeName, values{"urls": []string{"nonsense"}})
		expect(t, diags, true, "Invalid Attribute Value", `"nonsense": it must begin with http:// or https:// and a host`)
	}
	if n := len(h.Requests()); n > 0 {
		t.Errorf("%d requests were sent", n)
	}
	s.Provider = s.Provider.With(values{"endpoint": acctest.Unknown{}})
	_, diags := s.InvokePlanned(refresh, values{"urls": []string{cdn}})
	expect(t, diags, true, "Provider Configuration Not Known Yet", "refresh the CDN")
}
