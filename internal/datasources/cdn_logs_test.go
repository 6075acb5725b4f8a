package datasources_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/qiniu/terraform-provider-kodo/internal/acctest"
	"github.com/qiniu/terraform-provider-kodo/internal/emulator"
)

func TestCDNLogs(t *testing.T) {
	t.Parallel()
	h := acctest.New(t, "assets")
	for _, domain := range []string{"a.example.com", "b.example.com:8080"} {
		if err := h.Engine().BindDomain(acctest.AccessKey, "assets", domain); err != nil {
			t.Fatal(err)
		}
	}
	for _, file := range []emulator.CDNLog{
		{Domain: "b.example.com:8080", Day: "2026-03-01", Name: "v2/b-10.gz", Size: 1, MTime: 1772334000, URL: "http://logs.example.com/b-10.gz?e=1&token=t"},
		{Domain: "a.example.com", Day: "2026-03-01", Name: "v2/a-11.gz", Size: 3, MTime: 1772337600, URL: "http://logs.example.com/a-11.gz?e=1&token=t"},
		{Domain: "a.example.com", Day: "2026-03-01", Name: "v2/a-10.gz", Size: 2, MTime: 1772334000, URL: "http://logs.example.com/a-10.gz?e=1&token=t"},
		{Domain: "a.example.com", Day: "2026-03-02", Name: "v2/a-00.gz", Size: 4, MTime: 1772391600, URL: "http://logs.example.com/a-00.gz?e=1&token=t"},
	} {
		h.Engine().AddCDNLog(file)
	}
	server := h.Server(nil)
	got, diags := server.ReadData("kodo_cdn_logs", acctest.Values{"domains": []string{"a.example.com", "https://b.example.com:8080"}, "day": "2026-03-01"})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	want := []any{
		map[string]any{"domain": "a.example.com", "name": "v2/a-10.gz", "size": int64(2), "time": "2026-03-01T03:00:00Z", "url": "http://logs.example.com/a-10.gz?e=1&token=t"},
		map[string]any{"domain": "a.example.com", "name": "v2/a-11.gz", "size": int64(3), "time": "2026-03-01T04:00:00Z", "url": "http://logs.example.com/a-11.gz?e=1&token=t"},
		map[string]any{"domain": "b.example.com:8080", "name": "v2/b-10.gz", "size": int64(1), "time": "2026-03-01T03:00:00Z", "url": "http://logs.example.com/b-10.gz?e=1&token=t"},
	}
	if diff := cmp.Diff(want, got["logs"]); diff != "" {
		t.Errorf("logs (-want +got):\n%s", diff)
	}
	got, diags = server.ReadData("kodo_cdn_logs", acctest.Values{"domains": []string{"a.example.com"}, "day": "2026-02-28"})
	if diff := cmp.Diff([]any{}, got["logs"]); diff != "" || diags.HasErrors() {
		t.Errorf("%s\nlogs of a day without any (-want +got):\n%s", diags, diff)
	}
}

func TestCDNLogsRefused(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		config   acctest.Values
		provider acctest.Values
		fault    *emulator.Fault
		says     string
	}{
		"not bound":        {acctest.Values{"domains": []string{"example.com"}, "day": "2026-03-01"}, nil, nil, "404001"},
		"no day":           {acctest.Values{"domains": []string{"a.example.com"}, "day": "1 March"}, nil, nil, `for example "2026-03-01"`},
		"no such day":      {acctest.Values{"domains": []string{"a.example.com"}, "day": "2026-02-30"}, nil, nil, `for example "2026-03-01"`},
		"no domain":        {acctest.Values{"domains": []string{}, "day": "2026-03-01"}, nil, nil, "at least 1"},
		"a path":           {acctest.Values{"domains": []string{"a.example.com/x"}, "day": "2026-03-01"}, nil, nil, "must be a download domain"},
		"too old":          {acctest.Values{"domains": []string{"a.example.com"}, "day": "2016-03-01"}, nil, &emulator.Fault{Do: "status", Status: 400081}, "none that the CDN has logs of"},
		"other account":    {acctest.Values{"domains": []string{"a.example.com"}, "day": "2026-03-01"}, acctest.Values{"access_key": acctest.OtherAccessKey, "secret_key": acctest.OtherSecretKey}, nil, `ends in "0002"`},
		"keys not known":   {acctest.Values{"domains": []string{"a.example.com"}, "day": "2026-03-01"}, acctest.Values{"secret_key": acctest.Unknown{}}, nil, "not known yet"},
		"CDN out of order": {acctest.Values{"domains": []string{"a.example.com"}, "day": "2026-03-01"}, nil, &emulator.Fault{Do: "status", Status: 500000}, "failed internally"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := acctest.New(t, "assets")
			if err := h.Engine().BindDomain(acctest.AccessKey, "assets", "a.example.com"); err != nil {
				t.Fatal(err)
			}
			if tt.fault != nil {
				tt.fault.Match.Service = "cdn"
				if _, err := h.Fail(*tt.fault); err != nil {
					t.Fatal(err)
				}
			}
			_, diags := h.Server(tt.provider).ReadData("kodo_cdn_logs", tt.config)
			if len(diags.Errors()) != 1 || !strings.Contains(diags.String(), tt.says) {
				t.Errorf("want one error that says %q, got:\n%s", tt.says, diags)
			}
		})
	}
}
