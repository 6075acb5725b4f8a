package httpapi_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/qiniu/terraform-provider-kodo/internal/emulator"
)

// The hashes of "other content", which a wrong hash is.
const (
	otherHash = "FvxDb-9JL9kX7I_64Wx0AT2Bga-V"
	otherMD5  = "0c84751f0ca9c6886bb09f2dd1a66faa"
)

func TestFaultWrongHash(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	c.fail(`{"do":"wrong_hash"}`)
	token := c.token(policy("public"))
	if res := c.upload(field("token", token), field("key", "k"), file("f", "hello")); res.body != `{"hash":"`+otherHash+`","key":"k"}` {
		t.Errorf("upload: %s", res.body)
	}
	part := c.begin("public", "~", token).part(1, "hello")
	if res := part.body; res != `{"etag":"`+otherHash+`","md5":"`+otherMD5+`"}` {
		t.Errorf("part: %s", res)
	}
	if res := c.download("GET", "public", "/k"); res.body != "hello" || res.header.Get("Etag") != `"`+otherHash+`"` {
		t.Errorf("download: %q with the Etag %s", res.body, res.header.Get("Etag"))
	}
	listed := c.get("/list?bucket=public").json(t)
	items, _ := listed.(map[string]any)["items"].([]any)
	if item, _ := items[0].(map[string]any); item["hash"] != otherHash || item["md5"] != otherMD5 {
		t.Errorf("list: %v", item)
	}
	c.wantError("refusals have no hash", c.get("/stat/"+entry("public", "x")), 612, "no such file or directory")
	c.e.ClearFaults()
	stat, _ := c.get("/stat/" + entry("public", "k")).json(t).(map[string]any)
	if stat["hash"] != helloHash {
		t.Errorf("stat: %v, want what was stored", stat)
	}
}

func TestFaultNoReqid(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	c.fail(`{"match":{"path":"/buckets"},"times":1,"do":"no_reqid"}`)
	req := c.request("GET", "/buckets", nil)
	req.Header.Set("Authorization", "QBox "+c.account.AccessKey+":"+c.hmac("/buckets\n"))
	answer, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != 200 || answer.Header["X-Reqid"] != nil || answer.Header["X-Log"] != nil {
		t.Errorf("%d with %v, want 200 without X-Reqid and X-Log", answer.StatusCode, answer.Header)
	}
	if res := c.get("/buckets"); res.header.Get("X-Reqid") == "" || res.header.Get("X-Log") == "" {
		t.Errorf("used up: %v", res.header)
	}
}

func TestFaultWrongRegion(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	c.fail(`{"match":{"service":"up"},"times":2,"do":"wrong_region"}`)
	token := c.token(policy("public"))
	c.wantError("form", c.upload(field("token", token), field("key", "k"), file("f", "hello")), 400, "incorrect region, please use up-z1.qiniup.com")
	c.wantError("no token", c.upload(file("f", "hello")), 400, "incorrect region, please use up-z0.qiniup.com")
	c.wantStatus("used up", c.upload(field("token", token), field("key", "k"), file("f", "hello")), 200)
	c.fail(`{"match":{"path":"/stat/*"},"do":"wrong_region","error":"elsewhere"}`)
	c.wantError("own text", c.get("/stat/"+entry("public", "k")), 400, "elsewhere")
}

func TestFaultClockSkew(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	c.put("private", "k", "hello")
	token := c.token(policy("public"))
	host, err := c.e.DownloadHost("private")
	if err != nil {
		t.Fatal(err)
	}
	link := c.signed(host, "/k", time.Now().Add(30*time.Minute))
	c.fail(`{"do":"clock_skew"}`)
	c.wantError("management", c.get("/buckets"), 403, "request time is too skewed")
	c.wantError("download", c.download("GET", "private", link), 401, "expired token")
	c.e.ClearFaults()
	c.fail(`{"do":"clock_skew","skew":"2h"}`)
	c.wantError("form", c.upload(field("token", token), field("key", "k"), file("f", "hello")), 401, "expired token")
	c.wantError("multipart", c.multipart("POST", "/buckets/public/objects/~/uploads", token, ""), 401, "expired token")
	c.e.ClearFaults()
	c.fail(`{"do":"clock_skew","skew":"-20m"}`)
	c.wantError("behind", c.get("/buckets"), 403, "request time is too skewed")
	c.wantStatus("behind", c.download("GET", "private", link), 200)
	c.e.ClearFaults()
	c.fail(`{"do":"clock_skew","skew":"14m"}`)
	c.wantStatus("within 15 minutes", c.get("/buckets"), 200)
}

func TestFaultRate(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	c.fail(`{"match":{"service":"uc"},"do":"rate","rate":3}`)
	passed, refused := 0, 0
	for refused < 5 {
		res := c.get("/buckets")
		if res.status == 200 {
			passed++
			continue
		}
		refused++
		c.wantError("too many", res, 573, "out of quota")
	}
	if state := c.e.Faults()[0]; state.Hits != 5 || state.Seen != passed+5 || passed < 3 {
		t.Errorf("%+v after %d passed, want 3 in a second", state, passed)
	}
	waitFor(t, "the next second", func() bool { return c.get("/buckets").status == 200 })
}

func TestFaultNoSpace(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	c.fail(`{"match":{"bucket":"public"},"times":2,"do":"no_space"}`)
	token := c.token(policy("public"))
	c.wantError("form", c.upload(field("token", token), field("key", "k"), file("f", "hello")), 599, "internal error: no space left on device")
	c.wantError("begin", c.multipart("POST", "/buckets/public/objects/~/uploads", token, ""), 599, "internal error: no space left on device")
	if keys, err := c.e.Keys("public"); err != nil || len(keys) > 0 {
		t.Errorf("Keys() = %q, %v, want none", keys, err)
	}
	waitFor(t, "the files to go", func() bool { return len(contentFiles(t, c.e.Dir())) == 0 })
}

// TestFaultInvisibleObject hides an object from everything that reads, and not
// from the upload that makes it.
func TestFaultInvisibleObject(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	c.put("public", "a", "hello")
	c.fail(`{"match":{"bucket":"public","key":"k"},"do":"invisible"}`)
	c.put("public", "k", "hello")
	u := c.begin("public", b64("k"), c.token(policy("public:k")))
	c.wantStatus("multipart", u.complete([]string{u.mustPart(1, "hello")}, ""), 200)
	c.wantStatus("copy", c.post("/copy/"+entry("public", "a")+"/"+entry("public", "k")+"/force/true"), 200)

	c.wantError("stat", c.get("/stat/"+entry("public", "k")), 612, "no such file or directory")
	c.wantError("delete", c.post("/delete/"+entry("public", "k")), 612, "no such file or directory")
	c.wantError("download", c.download("GET", "public", "/k"), 404, "Document not found")
	c.wantStatus("another object", c.get("/stat/"+entry("public", "a")), 200)
	res := c.postForm("/batch", url.Values{"op": {"stat/" + entry("public", "a"), "/stat/" + entry("public", "k")}})
	if results, _ := res.json(t).([]any); res.status != 298 || len(results) != 2 ||
		results[0].(map[string]any)["code"] != 200.0 || results[1].(map[string]any)["code"] != 612.0 {
		t.Errorf("batch: %d %s, want 200 and 612", res.status, res.body)
	}
	if diff := cmp.Diff([]string{"a"}, c.keys("public")); diff != "" {
		t.Errorf("list (-want +got)\n%s", diff)
	}
	if hits := c.e.Faults()[0].Hits; hits != 5 {
		t.Errorf("%d hits, want the 5 requests that read", hits)
	}
	c.e.ClearFaults()
	if diff := cmp.Diff([]string{"a", "k"}, c.keys("public")); diff != "" {
		t.Errorf("list (-want +got)\n%s", diff)
	}
}

// TestFaultInvisibleBucket hides a bucket for the first requests after the one
// that makes it.
func TestFaultInvisibleBucket(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	c.fail(`{"match":{"bucket":"bucket-a"},"times":8,"do":"invisible"}`)
	c.wantStatus("create", c.post("/mkbucketv3/bucket-a"), 200)
	if res := c.get("/buckets"); res.body != `["private","public"]` {
		t.Errorf("/buckets: %s", res.body)
	}
	if res := c.get("/v3/buckets"); strings.Contains(res.body, "bucket-a") {
		t.Errorf("/v3/buckets: %s", res.body)
	}
	discovery := "/v4/query?ak=" + c.account.AccessKey + "&bucket=bucket-a"
	upload := func() response {
		return c.upload(field("token", c.token(policy("bucket-a"))), field("key", "k"), file("f", "hello"))
	}
	batch := func() response {
		return c.postForm("/batch", url.Values{"op": {"stat/" + entry("bucket-a", "k")}})
	}
	c.wantError("discovery", c.send(c.request("GET", discovery, nil)), 631, "no such bucket")
	c.wantError("info", c.get("/v2/bucketInfo?bucket=bucket-a"), 631, "no such bucket")
	c.wantError("upload", upload(), 631, "no such bucket")
	c.wantError("list", c.get("/list?bucket=bucket-a"), 631, "no such bucket")
	if res := batch(); res.status != 298 || res.body != `[{"code":631,"data":{"error":"no such bucket"}}]` {
		t.Errorf("batch: %d %s", res.status, res.body)
	}
	c.wantError("drop", c.post("/drop/bucket-a"), 631, "no such bucket")

	c.wantStatus("used up", upload(), 200)
	c.wantStatus("used up", batch(), 200)
	if res := c.get("/buckets"); res.body != `["bucket-a","private","public"]` {
		t.Errorf("/buckets: %s", res.body)
	}
}

// keys returns the keys of a bucket as a listing shows them.
func (c *client) keys(bucket string) []string {
	c.t.Helper()
	answer, _ := c.get("/list?bucket=" + bucket).json(c.t).(map[string]any)
	items, _ := answer["items"].([]any)
	var keys []string
	for _, item := range items {
		key, _ := item.(map[string]any)["key"].(string)
		keys = append(keys, key)
	}
	return keys
}

func TestRemoveFault(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	c.fail(`{"match":{"path":"/buckets"},"do":"status","status":599}`)
	second, err := c.e.Fail(emulator.Fault{Match: emulator.Match{Path: "/buckets"}, Do: "status", Status: 573})
	if err != nil {
		t.Fatal(err)
	}
	remove := func(id string) response { return c.send(c.request("DELETE", "/_emulator/faults/"+id, nil)) }
	c.wantStatus("first", c.get("/buckets"), 599)
	c.wantStatus("remove", remove("1"), 200)
	c.wantError("remove again", remove("1"), 404, "no such fault")
	c.wantStatus("second", c.get("/buckets"), 573)
	if !c.e.RemoveFault(second) || c.e.RemoveFault(second) {
		t.Error("RemoveFault() does not tell whether there was one")
	}
	c.wantStatus("none", c.get("/buckets"), 200)
}
