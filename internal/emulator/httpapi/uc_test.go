package httpapi_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestDiscovery(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	host := strings.TrimPrefix(c.e.Endpoint(), "http://")
	origin, err := c.e.DownloadHost("public")
	if err != nil {
		t.Fatal(err)
	}
	query := "?ak=" + c.account.AccessKey + "&bucket=public"
	unsigned := func(target string) response { return c.send(c.request("GET", target, nil)) }
	own := map[string]any{"domains": []any{host}}
	v4 := map[string]any{"hosts": []any{map[string]any{
		"region": "z1", "ttl": 10.0, "io_src": map[string]any{"domains": []any{origin}},
		"up": own, "io": own, "rs": own, "rsf": own, "api": own, "uc": own,
		"s3": map[string]any{"region_alias": "cn-north-1", "domains": []any{host}},
	}}}
	if diff := cmp.Diff(v4, unsigned("/v4/query"+query).json(t)); diff != "" {
		t.Errorf("/v4/query (-want +got)\n%s", diff)
	}
	mains := map[string]any{"main": []any{host}, "backup": []any{}}
	acc := map[string]any{"acc": mains}
	v2 := map[string]any{
		"region": "z1", "ttl": 10.0, "rs": acc, "rsf": acc, "api": acc, "uc": acc,
		"up":     map[string]any{"acc": mains, "old_acc": mains, "src": mains, "old_src": mains},
		"io":     map[string]any{"src": mains},
		"io_src": map[string]any{"src": map[string]any{"main": []any{origin}, "backup": []any{}}},
	}
	if diff := cmp.Diff(v2, unsigned("/v2/query"+query).json(t)); diff != "" {
		t.Errorf("/v2/query (-want +got)\n%s", diff)
	}
	v1 := map[string]any{
		"ttl":   10.0,
		"http":  map[string]any{"io": []any{"http://" + host}, "up": []any{"http://" + host}},
		"https": map[string]any{"io": []any{"https://" + host}, "up": []any{"https://" + host}},
	}
	if diff := cmp.Diff(v1, unsigned("/v1/query"+query).json(t)); diff != "" {
		t.Errorf("/v1/query (-want +got)\n%s", diff)
	}
	for _, path := range []string{"/v1/query", "/v2/query", "/v4/query"} {
		c.wantError("unknown key", unsigned(path+"?ak=x&bucket=public"), 612, "app/accesskey is not found")
		c.wantError("unknown bucket", unsigned(path+"?ak="+c.account.AccessKey+"&bucket=missing"), 631, "no such bucket")
		c.wantError("another's bucket", unsigned(path+"?ak="+other.AccessKey+"&bucket=public"), 631, "no such bucket")
		c.wantError("nothing", unsigned(path), 612, "app/accesskey is not found")
	}
	c.wantError("regions unsigned", unsigned("/regions"), 401, "bad token")
	regions, ok := c.get("/regions").json(t).(map[string]any)["regions"].([]any)
	if !ok || len(regions) != 9 {
		t.Fatalf("/regions names %d regions, want 9", len(regions))
	}
	z0 := map[string]any{
		"id": "z0", "description": "华东-浙江", "ttl": 10.0,
		"up": own, "io": own, "rs": own, "rsf": own, "api": own, "uc": own,
		"s3": map[string]any{"region_alias": "cn-east-1", "domains": []any{host}},
	}
	if diff := cmp.Diff(z0, regions[0]); diff != "" {
		t.Errorf("first region (-want +got)\n%s", diff)
	}
}

func TestCreateAndDropBucket(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	for target, want := range map[string]struct {
		region  string
		private bool
	}{
		"bucket-a": {"z0", false}, "bucket-b/region/z2": {"z2", false}, "bucket-c/region/as0/private/true": {"as0", true},
		"bucket-d/private/true/region/na0": {"na0", true}, "bucket-e/private/false": {"z0", false},
	} {
		c.wantStatus(target, c.post("/mkbucketv3/"+target), 200)
		name, _, _ := strings.Cut(target, "/")
		bucket, err := c.e.Engine().Bucket(c.account.AccessKey, name)
		if err != nil || bucket.Region != want.region || bucket.Private != want.private {
			t.Errorf("%s: %+v, %v, want %+v", target, bucket, err, want)
		}
	}
	c.wantError("own name", c.post("/mkbucketv3/bucket-a"), 614, "the bucket already exists and you own it.")
	c.wantError("other's name", c.as(other).post("/mkbucketv3/bucket-a"), 614, "the bucket already exists")
	for _, bad := range []string{"A", "ab", "a_b_c", "x/region/nowhere"} {
		c.wantError(bad, c.post("/mkbucketv3/"+bad), 400, "invalid arguments")
	}
	for _, bad := range []string{"/mkbucketv3", "/mkbucketv3/bucket-x/region", "/mkbucketv3/bucket-x/private/yes"} {
		c.wantError(bad, c.post(bad), 400, "invalid argument")
	}
	c.wantStatus("an option that is not there", c.post("/mkbucketv3/bucket-x/nodomain/true"), 501)
	c.wantError("GET", c.get("/mkbucketv3/bucket-x"), 405, "method not allowed")

	c.put("public", "k", "x")
	full := c.post("/drop/public")
	if want := `{"error":"drop non empty bucket is not allowed","error_code":"BucketNotEmpty"}`; full.status != 403 || full.body != want {
		t.Errorf("drop of a full bucket: %d %s, want 403 %s", full.status, full.body, want)
	}
	c.wantError("another's", c.as(other).post("/drop/bucket-a"), 631, "no such bucket")
	empty := c.post("/drop/bucket-a")
	if empty.status != 200 || empty.body != "{}" {
		t.Errorf("drop: %d %s, want 200 {}", empty.status, empty.body)
	}
	c.wantError("again", c.post("/drop/bucket-a"), 631, "no such bucket")
}

func TestListBuckets(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	c.wantStatus("create", c.as(other).post("/mkbucketv3/theirs"), 200)
	for _, res := range []response{c.get("/buckets"), c.post("/buckets"), c.get("/buckets?shared=rd")} {
		if res.body != `["private","public"]` {
			t.Errorf("/buckets: %s", res.body)
		}
	}
	for i := range 25 {
		c.wantStatus("create", c.post(fmt.Sprintf("/mkbucketv3/page-%02d/region/z1", i)), 200)
	}
	var names []string
	var sizes []int
	for marker := ""; ; {
		page, ok := c.get("/buckets?apiVersion=v4&region=z1&marker=" + marker).json(t).(map[string]any)
		if !ok {
			t.Fatal("the page is no object")
		}
		lines, ok := page["buckets"].([]any)
		if !ok {
			t.Fatalf("page %v", page)
		}
		sizes = append(sizes, len(lines))
		for _, line := range lines {
			names = append(names, line.(map[string]any)["name"].(string))
		}
		if page["is_truncated"] == false {
			if page["next_marker"] != "" {
				t.Errorf("the last page has the marker %v", page["next_marker"])
			}
			break
		}
		marker = page["next_marker"].(string)
	}
	if cmp.Diff([]int{20, 6}, sizes) != "" || names[0] != "page-00" || names[25] != "public" {
		t.Errorf("pages of %v: %q", sizes, names)
	}
	for _, limit := range []string{"0", "101", "x", "-1"} {
		c.wantError("limit "+limit, c.get("/buckets?apiVersion=v4&limit="+limit), 400, "invalid argument")
	}
}

func TestBucketInfo(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	for _, res := range []response{
		c.get("/v2/bucketInfo?bucket=private"), c.post("/v2/bucketInfo?bucket=private"),
		c.postForm("/v2/bucketInfo", url.Values{"bucket": {"private"}}),
	} {
		c.wantStatus("info", res, 200)
		info, ok := res.json(t).(map[string]any)
		if !ok {
			t.Fatal("no object")
		}
		want := map[string]any{
			"private": 1.0, "no_index_page": 1.0, "region": "z0", "zone": "z0", "styles": nil,
			"no_refer": false, "allow_empty_referer": false, "token_anti_leech": 0.0, "token_anti_leech_mode": 0.0,
		}
		for field, value := range want {
			if got, ok := info[field]; !ok || got != value {
				t.Errorf("%s = %v, want %v", field, got, value)
			}
		}
		if ctime, ok := info["ctime"].(string); !ok || parseTime(ctime) != nil {
			t.Errorf("ctime = %v, want a time", info["ctime"])
		}
	}
	c.wantError("missing", c.get("/v2/bucketInfo?bucket=missing"), 631, "no such bucket")
	c.wantError("another's", c.as(other).get("/v2/bucketInfo?bucket=private"), 631, "no such bucket")
	c.wantError("none", c.get("/v2/bucketInfo"), 631, "no such bucket")
}

func parseTime(text string) error {
	_, err := time.Parse(time.RFC3339, text)
	return err
}

func TestBucketSettings(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	check := func(step string, private, noIndexPage bool) {
		t.Helper()
		bucket, err := c.e.Engine().Bucket(c.account.AccessKey, "public")
		if err != nil || bucket.Private != private || bucket.NoIndexPage != noIndexPage {
			t.Errorf("after %s: %+v, %v", step, bucket, err)
		}
	}
	check("the beginning", false, true)
	c.wantStatus("query", c.post("/private?bucket=public&private=1"), 200)
	check("private by query", true, true)
	c.wantStatus("form", c.postForm("/private", url.Values{"bucket": {"public"}, "private": {"0"}}), 200)
	check("private by form", false, true)
	c.wantStatus("query", c.post("/noIndexPage?bucket=public&noIndexPage=0"), 200)
	check("index page", false, false)
	c.wantStatus("form", c.postForm("/noIndexPage", url.Values{"bucket": {"public"}, "noIndexPage": {"1"}}), 200)
	check("no index page", false, true)
	for _, bad := range []string{"/private?bucket=public", "/private?bucket=public&private=2", "/noIndexPage?bucket=public&noIndexPage=true"} {
		c.wantError(bad, c.post(bad), 400, "invalid argument")
	}
	c.wantError("another's", c.as(other).post("/private?bucket=public&private=1"), 631, "no such bucket")
	c.wantError("a form that is none", c.manage("POST", "/private", formType, "%zz"), 400, "invalid argument")
	check("refusals", false, true)
}

func TestTagging(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	tags := func(method, body string) response {
		contentType := ""
		if body != "" {
			contentType = "application/json"
		}
		return c.manage(method, "/bucketTagging?bucket=public", contentType, body)
	}
	want := func(step, body string) {
		t.Helper()
		if res := tags("GET", ""); res.status != 200 || res.body != body {
			t.Errorf("%s: %d %s, want %s", step, res.status, res.body, body)
		}
	}
	want("at first", `{"Tags":[]}`)
	c.wantStatus("put", tags("PUT", `{"Tags":[{"Key":"a","Value":"1"},{"Key":"b","Value":"2"}]}`), 200)
	want("put", `{"Tags":[{"Key":"a","Value":"1"},{"Key":"b","Value":"2"}]}`)
	c.wantStatus("put again", tags("PUT", `{"Tags":[{"Key":"c","Value":"3"}]}`), 200)
	want("replaced", `{"Tags":[{"Key":"c","Value":"3"}]}`)
	for _, bad := range []string{`{"Tags":[{"Key":"kodo-a","Value":"1"}]}`, `{"Tags":[{"Key":"a","Value":""}]}`, `{"Tags":1}`, `x`, `{} {}`} {
		c.wantStatus(bad, tags("PUT", bad), 400)
	}
	want("refusals", `{"Tags":[{"Key":"c","Value":"3"}]}`)
	c.wantStatus("delete", tags("DELETE", ""), 200)
	want("delete", `{"Tags":[]}`)
	c.wantError("missing", c.get("/bucketTagging?bucket=missing"), 631, "no such bucket")
	c.wantError("POST", c.post("/bucketTagging?bucket=public"), 405, "method not allowed")
}

func TestDomains(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	own, err := c.e.DownloadHost("public")
	if err != nil {
		t.Fatal(err)
	}
	for _, res := range []response{c.get("/v2/domains?tbl=public"), c.post("/v2/domains?tbl=public")} {
		if diff := cmp.Diff([]any{own, "cdn.example.com"}, res.json(t)); diff != "" {
			t.Errorf("/v2/domains (-want +got)\n%s", diff)
		}
	}
	v3, ok := c.get("/v3/domains?tbl=public").json(t).([]any)
	if !ok || len(v3) != 2 || v3[0].(map[string]any)["domain"] != own || v3[1].(map[string]any)["tbl"] != "public" {
		t.Errorf("/v3/domains: %v", v3)
	}
	c.wantError("missing", c.get("/v2/domains?tbl=missing"), 631, "no such bucket")

	if diff := cmp.Diff([]any{own, "cdn.example.com"}, c.get("/v6/domain/list?tbl=public").json(t)); diff != "" {
		t.Errorf("/v6/domain/list (-want +got)\n%s", diff)
	}
	if diff := cmp.Diff(any(v3), c.get("/v7/domain/list?tbl=public").json(t)); diff != "" {
		t.Errorf("/v7/domain/list (-want +got)\n%s", diff)
	}
	c.wantStatus("another call", c.get("/v7/domain/show?tbl=public"), 501)

	c.put("public", "k", "hello")
	c.wantStatus("publish", c.postForm("/publish", url.Values{"domain": {"New.example.com"}, "tbl": {"public"}, "domaintype": {"1"}, "apiscope": {"0"}}), 200)
	if diff := cmp.Diff([]any{own, "cdn.example.com", "new.example.com"}, c.get("/v2/domains?tbl=public").json(t)); diff != "" {
		t.Errorf("after /publish (-want +got)\n%s", diff)
	}
	if res := c.onMain("/k", "new.example.com"); res.status != 200 || res.body != "hello" {
		t.Errorf("download from the new domain: %d %s", res.status, res.body)
	}
	c.wantError("taken", c.post("/publish?tbl=private&domain=new.example.com"), 614, "the domain is bound to another bucket")
	c.wantError("no domain", c.post("/publish?tbl=public"), 400, "invalid arguments")
	c.wantError("another's", c.as(other).post("/publish?tbl=public&domain=x.example.com"), 631, "no such bucket")

	c.wantStatus("drop", c.post("/drop/private"), 200)
	if _, err := c.e.DownloadHost("private"); err == nil {
		t.Error("a dropped bucket has a download host")
	}
}

// TestManagementSignatures looks at the calls that need one: each of them
// refuses a request without.
func TestManagementSignatures(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	for _, call := range []string{
		"GET /regions", "POST /mkbucketv3/b12", "POST /drop/public", "GET /buckets", "GET /v2/bucketInfo?bucket=public",
		"GET /v2/buckets", "POST /v3/buckets?shared=rd", "POST /v2/bucketInfos?fs=true",
		"GET /v2/domains?tbl=public", "GET /v3/domains?tbl=public", "POST /private?bucket=public&private=1",
		"POST /noIndexPage?bucket=public&noIndexPage=0", "PUT /buckets/public?remark", "POST /maxAge?bucket=public&maxAge=1",
		"POST /referAntiLeech?bucket=public&mode=0", "POST /accessMode/public/mode/1", "POST /setbucketquota/public/size/1",
		"GET /getbucketquota/public", "POST /corsRules/set/public", "GET /corsRules/get/public",
		"POST /publish?tbl=public&domain=a", "GET /v6/domain/list?tbl=public", "GET /v7/domain/list?tbl=public",
		"POST /rules/add?bucket=public", "POST /rules/update?bucket=public", "POST /rules/delete?bucket=public", "GET /rules/get?bucket=public",
		"POST /events/add?bucket=public", "POST /events/update?bucket=public", "POST /events/delete?bucket=public", "GET /events/get?bucket=public",
		"GET /bucketTagging?bucket=public", "PUT /bucketTagging?bucket=public",
		"DELETE /bucketTagging?bucket=public", "GET /stat/cHVibGljOms=", "POST /delete/cHVibGljOms=",
		"POST /chgm/cHVibGljOms=/mime/YQ==", "POST /batch", "GET /list?bucket=public",
	} {
		method, target, _ := strings.Cut(call, " ")
		c.wantError(call, c.send(c.request(method, target, nil)), 401, "bad token")
	}
	wrong := c.account
	wrong.SecretKey = "wrong"
	c.wantError("wrong secret", c.as(wrong).get("/buckets"), 401, "bad token")

	late := c.request("GET", "/buckets", nil)
	date := time.Now().Add(-16 * time.Minute).UTC().Format("20060102T150405Z")
	late.Header.Set("X-Qiniu-Date", date)
	late.Header.Set("Authorization", "Qiniu "+c.account.AccessKey+":"+c.hmac("GET /buckets\nHost: "+late.Host+"\nX-Qiniu-Date: "+date+"\n\n"))
	c.wantError("late", c.send(late), 403, "request time is too skewed")

	qbox := c.request("GET", "/buckets", nil)
	qbox.Header.Set("Authorization", "QBox "+c.account.AccessKey+":"+c.hmac("/buckets\n"))
	c.wantStatus("QBox", c.send(qbox), 200)
}

func TestUnknownRoutes(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	for call, want := range map[string]struct{ name, service string }{
		"POST /prefetch/a":      {"POST prefetch", "io"},
		"POST /sisyphus/fetch":  {"POST sisyphus", "api"},
		"POST /sslcert":         {"POST sslcert", "cdn"},
		"GET /v3/query":         {"GET v3/query", "uc"},
		"PUT /buckets/public":   {"PUT buckets/<bucket>", "uc"},
		"GET /":                 {"GET /", "io"},
		"GET //":                {"GET /", "io"},
		"GET /favicon.ico":      {"GET favicon.ico", "io"},
		"POST /nothing/of/kodo": {"POST nothing", "uc"},
		"GET /_emulator":        {"GET _emulator", "io"},
	} {
		c.e.ResetRequests()
		method, target, _ := strings.Cut(call, " ")
		res := c.send(c.request(method, target, http.NoBody))
		c.wantError(call, res, 501, want.name+" is not implemented by this emulator")
		if got := c.e.Requests(); len(got) != 1 || got[0].Service != want.service {
			t.Errorf("%s was recorded as %+v, want the service %s", call, got, want.service)
		}
	}
}
