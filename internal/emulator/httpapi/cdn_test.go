package httpapi_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/qiniu/terraform-provider-kodo/internal/emulator"
	"github.com/qiniu/terraform-provider-kodo/internal/emulator/httpapi"
)

// tune sends a call of the CDN, signed as QBox: the body does not count.
func (c *client) tune(what, body string) response {
	c.t.Helper()
	target := "/v2/tune/" + what
	req := c.request("POST", target, strings.NewReader(body))
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "QBox "+c.account.AccessKey+":"+c.hmac(target+"\n"))
	return c.send(req)
}

// wantTune wants an answer whose ids are left out.
func (c *client) wantTune(what, body, want string) {
	c.t.Helper()
	res := c.tune(what, body)
	got, ok := withoutIDs(res.json(c.t)).(map[string]any)
	var wanted any
	if err := json.Unmarshal([]byte(want), &wanted); err != nil {
		c.t.Fatal(err)
	}
	if diff := cmp.Diff(wanted, any(got)); diff != "" || !ok || res.status != 200 {
		c.t.Errorf("%s %s: %d (-want +got):\n%s", what, body, res.status, diff)
	}
}

// withoutIDs replaces what is different each time by what it looks like.
func withoutIDs(value any) any {
	switch value := value.(type) {
	case map[string]any:
		for name, v := range value {
			text, _ := v.(string)
			_, err := time.Parse("2006-01-02 15:04:05", text)
			switch {
			case name == "requestId" && len(text) == 24, name == "taskId" && len(text) == 24, strings.HasPrefix(name, "http") && len(text) == 24:
				value[name] = "id"
			case err == nil:
				value[name] = "time"
			default:
				value[name] = withoutIDs(v)
			}
		}
	case []any:
		for i := range value {
			value[i] = withoutIDs(value[i])
		}
	}
	return value
}

func TestCDNWire(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	const a, dir = "http://cdn.example.com/a", "https://cdn.example.com/d/"
	c.wantTune("refresh", `{"urls":["`+a+`"],"dirs":null}`, `{"code":200,"error":"success","requestId":"id","taskIds":{"`+a+`":"id"},
		"invalidUrls":null,"invalidDirs":null,"urlQuotaDay":500,"urlSurplusDay":499,"dirQuotaDay":11,"dirSurplusDay":11}`)
	c.wantTune("refresh", `{"dirs":["`+dir+`"],"product":"dcdn"}`, `{"code":200,"error":"success","requestId":"id","taskIds":{"`+dir+`":"id"},
		"invalidUrls":null,"invalidDirs":null,"urlQuotaDay":500,"urlSurplusDay":499,"dirQuotaDay":11,"dirSurplusDay":10}`)
	c.wantTune("refresh", `{"urls":["cdn.example.com"]}`, `{"code":400031,"error":"invalid url: cdn.example.com","requestId":"id","taskIds":{},
		"invalidUrls":["cdn.example.com"],"invalidDirs":null,"urlQuotaDay":500,"urlSurplusDay":499,"dirQuotaDay":11,"dirSurplusDay":10}`)
	c.wantTune("prefetch", `{"urls":["`+a+`"]}`, `{"code":200,"error":"success","requestId":"id","taskIds":{"`+a+`":"id"},
		"invalidUrls":null,"quotaDay":100,"surplusDay":99}`)
	c.wantTune("refresh/list", `{"isDir":"no"}`, `{"code":200,"error":"success","total":1,"items":[{"requestId":"id","taskId":"id","url":"`+a+`",
		"state":"success","stateDetail":"","createAt":"time","beginAt":"time","endAt":"time","isDir":"no"}]}`)
	c.wantTune("refresh/list", `{"pageNo":1,"pageSize":1}`, `{"code":200,"error":"success","total":2,"items":[{"requestId":"id","taskId":"id","url":"`+dir+`",
		"state":"success","stateDetail":"","createAt":"time","beginAt":"time","endAt":"time","isDir":"yes"}]}`)
	c.wantTune("refresh/list", `{"startTime":"2020-01-01 00:00:00","endTime":"2020-01-02 00:00:00"}`, `{"code":200,"error":"success","total":0,"items":[]}`)
	c.wantTune("refresh/list", `{"startTime":"yesterday"}`, `{"code":400080,"error":"invalid date: yesterday","total":0,"items":[]}`)
	c.wantTune("refresh/list", `{"pageNo":-1}`, `{"code":400000,"error":"bad request: invalid page","total":0,"items":[]}`)
	c.wantTune("refresh/list", `{"pageNo":9223372036854775807,"pageSize":9223372036854775807}`, `{"code":200,"error":"success","total":2,"items":[]}`)
	c.wantTune("prefetch/list", `{"urls":["`+a+`"]}`, `{"code":200,"error":"success","total":1,"items":[{"requestId":"id","taskId":"id","url":"`+a+`",
		"state":"failure","stateDetail":"612 no such file or directory","createAt":"time","beginAt":"time","endAt":"time"}]}`)

	if res := c.tune("bandwidth", "{}"); res.status != 501 {
		t.Errorf("bandwidth: %d %s, want 501", res.status, res.body)
	}
	if res := c.tune("refresh", "{"); !strings.Contains(res.body, `"code":400000`) {
		t.Errorf("no JSON: %d %s", res.status, res.body)
	}
	req := c.request("POST", "/v2/tune/refresh", strings.NewReader(`{"urls":["`+a+`"]}`))
	req.Header.Set("Authorization", "QBox "+c.account.AccessKey+":"+c.hmac("/v2/tune/other\n"))
	c.wantError("another signature", c.send(req), 401, "bad token")
}

// TestCDNProxied refreshes by Kodo's own name, as a client does that has the
// emulator for its proxy.
func TestCDNProxied(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	body := `{"urls":["http://cdn.example.com/a"]}`
	req, err := http.NewRequestWithContext(t.Context(), "POST", "http://fusion.qiniuapi.com/v2/tune/refresh", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "QBox "+c.account.AccessKey+":"+c.hmac("/v2/tune/refresh\n"))
	res := c.sendBy(c.proxy(), req)
	if res.status != 200 || !strings.Contains(res.body, `"code":200`) {
		t.Errorf("%d %s", res.status, res.body)
	}
}

// TestCDNAdmin changes the CDN over the wire, and sees stale content by a domain,
// fresh content by the addresses of the source.
func TestCDNAdmin(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	const settings = `{"stale":true,"delay":"1m0s","urls_per_day":0,"dirs_per_day":0,"prefetches_per_day":0,"no_dirs":false,"fail":""}`
	if res := c.admin("POST", "/_emulator/cdn", `{"stale": true, "delay": "1m"}`); res.body != settings {
		t.Errorf("settings: %d %s", res.status, res.body)
	}
	if res := c.admin("GET", "/_emulator/cdn", ""); res.body != settings {
		t.Errorf("settings: %d %s", res.status, res.body)
	}
	want := func(when, domain, source string) {
		t.Helper()
		if res := c.proxied("GET", "http://cdn.example.com/k"); res.body != domain {
			t.Errorf("%s: by the domain %d %s, want %s", when, res.status, res.body, domain)
		}
		if res := c.download("GET", "public", "/k"); res.body != source {
			t.Errorf("%s: by the source %d %s, want %s", when, res.status, res.body, source)
		}
	}
	c.put("public", "k", "old")
	want("first", "old", "old")
	c.put("public", "k", "new")
	want("overwritten", "old", "new")
	if res := c.tune("refresh", `{"urls":["https://cdn.example.com/k"]}`); !strings.Contains(res.body, `"code":200`) {
		t.Fatal(res.body)
	}
	want("refreshing", "old", "new")
	if res := c.admin("POST", "/_emulator/clock", `{"advance":"1m"}`); res.status != 200 {
		t.Fatal(res.body)
	}
	want("refreshed", "new", "new")

	for body, text := range map[string]string{
		`{"stle": true}`:   `json: unknown field "stle"`,
		`{"delay": "-1s"}`: "the delay must not be negative, and fail a pattern",
		`{"fail": "["}`:    "the delay must not be negative, and fail a pattern",
	} {
		c.wantError(body, c.admin("POST", "/_emulator/cdn", body), 400, text)
	}
	if res := c.admin("DELETE", "/_emulator/cdn/tasks", ""); res.status != 200 {
		t.Error(res.body)
	}
	c.wantTune("refresh/list", `{}`, `{"code":200,"error":"success","total":0,"items":[]}`)
}

func TestCDNLogList(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	res := c.admin("POST", "/_emulator/cdn/logs", `{"domain":"cdn.example.com","day":"2026-03-01","name":"v2/x.gz","size":5,"mtime":1700000000,"url":"http://l/x.gz?e=1&token=t"}`)
	if res.status != 200 {
		t.Fatal(res.body)
	}
	c.wantTune("log/list", `{"day":"2026-03-01","domains":"cdn.example.com;cdn.example.com:8080"}`, `{"code":200,"error":"","data":{
		"cdn.example.com":[{"name":"v2/x.gz","size":5,"mtime":1700000000,"url":"http://l/x.gz?e=1&token=t"}],"cdn.example.com:8080":[]}}`)
	c.wantTune("log/list", `{"day":"2026-03-01","domains":"example.com"}`, `{"code":404001,"error":"domain not found: example.com","data":{}}`)
}

// TestCDNFaults strikes the CDN by its service, with its own codes.
func TestCDNFaults(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	body := `{"urls":["http://cdn.example.com/a"]}`
	for i, tt := range []struct {
		fault emulator.Fault
		want  string
	}{
		{emulator.Fault{Do: httpapi.FaultStatus, Status: 403022, Error: "busy"}, `200 {"code":403022,"error":"busy"}`},
		{emulator.Fault{Do: httpapi.FaultStatus, Status: 503}, `503 {"error":"fault injected: status 503"}`},
	} {
		tt.fault.Match, tt.fault.Times = emulator.Match{Service: "cdn"}, 1
		if _, err := c.e.Fail(tt.fault); err != nil {
			t.Fatal(err)
		}
		if res := c.tune("refresh", body); fmt.Sprint(res.status, " ", res.body) != tt.want {
			t.Errorf("%d: %d %s, want %s", i, res.status, res.body, tt.want)
		}
	}
	if _, err := c.e.Fail(emulator.Fault{Match: emulator.Match{Service: "cdn"}, Do: httpapi.FaultRate}); err != nil {
		t.Fatal(err)
	}
	c.tune("refresh", body)
	if res := c.tune("refresh", body); !strings.Contains(res.body, `"code":403024`) {
		t.Errorf("the second in a second: %s", res.body)
	}
	requests := c.e.Requests()
	if last := requests[len(requests)-1]; last != (emulator.Request{Method: "POST", Service: "cdn", Path: "/v2/tune/refresh", Status: 200}) {
		t.Errorf("recorded as %+v", last)
	}
}
