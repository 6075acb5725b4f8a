package httpapi_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestStatAndDelete(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	c.wantStatus("upload", c.upload(field("token", c.token(policy("public", `"endUser":"u"`))), field("key", "a:b/ü"),
		field("x-qn-meta-m", "n"), formPart{"file", "f", "text/x", "hello"}), 200)
	object, err := c.e.Engine().Stat(c.account.AccessKey, "public", "a:b/ü")
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"hash": helloHash, "fsize": 5.0, "mimeType": "text/x", "type": 0.0, "putTime": float64(object.PutTime),
		"md5": "5d41402abc4b2a76b9719d911017c592", "endUser": "u", "x-qn-meta": map[string]any{"m": "n"},
	}
	stat := "/stat/" + entry("public", "a:b/ü")
	for _, res := range []response{
		c.get(stat), c.post(stat), c.get(stat + "?needparts=true"), c.get(stat + "/needparts/true"),
		c.get(strings.ReplaceAll(stat, "=", "%3D")),
	} {
		c.wantStatus("stat", res, 200)
		if diff := cmp.Diff(want, res.json(t)); diff != "" {
			t.Errorf("stat (-want +got)\n%s", diff)
		}
	}
	for name, tt := range map[string]struct {
		target string
		status int
		text   string
	}{
		"missing key":      {"/stat/" + entry("public", "x"), 612, "no such file or directory"},
		"missing bucket":   {"/stat/" + entry("missing", "x"), 631, "no such bucket"},
		"bucket only":      {"/stat/" + b64("public"), 631, "no such bucket"},
		"no base64":        {"/stat/***", 400, "invalid argument"},
		"stripped padding": {"/stat/" + strings.TrimRight(entry("public", "x"), "="), 400, "invalid argument"},
		"not UTF-8":        {"/stat/" + b64("public:\xff"), 400, "key must be utf8 encoding"},
		"nothing":          {"/stat", 400, "invalid argument"},
		"empty":            {"/stat/", 631, "no such bucket"},
		"odd option":       {stat + "/x", 400, "invalid argument"},
		"delete missing":   {"/delete/" + entry("public", "x"), 612, "no such file or directory"},
		"delete option":    {"/delete/" + entry("public", "x") + "/y", 400, "invalid argument"},
	} {
		c.wantError(name, c.post(tt.target), tt.status, tt.text)
	}
	c.wantError("another's", c.as(other).get(stat), 631, "no such bucket")
	c.wantError("another's", c.as(other).post("/delete/"+entry("public", "a:b/ü")), 631, "no such bucket")
	c.wantError("delete by GET", c.get("/delete/"+entry("public", "a:b/ü")), 405, "method not allowed")
	if res := c.post("/delete/" + entry("public", "a:b/ü")); res.status != 200 || res.body != "{}" {
		t.Errorf("delete: %d %s", res.status, res.body)
	}
	c.wantError("deleted", c.get(stat), 612, "no such file or directory")
}

func TestChangeMeta(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	c.put("public", "k", "hello")
	chgm := func(options string) response { return c.post("/chgm/" + entry("public", "k") + options) }
	c.wantStatus("both", chgm("/mime/"+b64("image/png")+"/x-qn-meta-a/"+b64("1")+"/x-qn-meta-!Cache-Control/"+b64("no-store")), 200)
	c.wantStatus("merged", chgm("/x-qn-meta-a/"+b64("2")+"/X-Qn-Meta-B/"+b64("3")+"/mime//cond/"+b64("hash="+helloHash+"&fsize=5")), 200)
	object, err := c.e.Engine().Stat(c.account.AccessKey, "public", "k")
	if err != nil || object.MimeType != "image/png" {
		t.Errorf("stat: %+v, %v", object, err)
	}
	if diff := cmp.Diff(map[string]string{"a": "2", "B": "3", "!Cache-Control": "no-store"}, object.Meta); diff != "" {
		t.Errorf("metadata (-want +got)\n%s", diff)
	}
	c.wantStatus("unmet condition", chgm("/mime/"+b64("text/x")+"/cond/"+b64("fsize=6")), 608)
	c.wantStatus("unknown condition", chgm("/mime/"+b64("text/x")+"/cond/"+b64("colour=6")), 400)
	c.wantStatus("unreadable condition", chgm("/mime/"+b64("text/x")+"/cond/"+b64("%zz")), 400)
	c.wantStatus("option without value", chgm("/mime"), 400)
	c.wantStatus("no base64", chgm("/mime/*"), 400)
	c.wantStatus("long type", chgm("/mime/"+b64(strings.Repeat("x", 201))), 400)
	c.wantStatus("new header field", chgm("/cacheControl/"+b64("no-store")), 501)
	c.wantError("missing", c.post("/chgm/"+entry("public", "x")+"/mime/"+b64("a/b")), 612, "no such file or directory")
}

func TestBatch(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	for _, key := range []string{"a", "b", "c"} {
		c.put("public", key, "hello")
	}
	batch := func(ops ...string) response { return c.postForm("/batch", url.Values{"op": ops}) }
	e := func(key string) string { return entry("public", key) }

	all := batch("/delete/"+e("a"), "chgm/"+e("b")+"/mime/"+b64("text/x"))
	if all.status != 200 || all.body != `[{"code":200},{"code":200}]` {
		t.Errorf("all good: %d %s", all.status, all.body)
	}
	some := batch("stat/"+e("b"), "/stat/"+e("a"), "delete/"+e("b"), "delete/"+e("b"), "copy/"+e("c")+"/"+e("d"), "stat", "stat/*", "stat/"+entry("x", "y"))
	c.wantStatus("some failed", some, 298)
	results, ok := some.json(t).([]any)
	if !ok {
		t.Fatal("no list")
	}
	want := []struct {
		code  float64
		error any
	}{
		{200, nil},
		{612, "no such file or directory"},
		{200, nil},
		{612, "no such file or directory"},
		{501, "copy is not implemented by this emulator"},
		{400, "invalid argument"},
		{400, "invalid argument"},
		{631, "no such bucket"},
	}
	for i, result := range results {
		got, ok := result.(map[string]any)
		if !ok || got["code"] != want[i].code {
			t.Errorf("operation %d: %v, want %v", i, result, want[i])
			continue
		}
		data, _ := got["data"].(map[string]any)
		if want[i].error != nil && data["error"] != want[i].error {
			t.Errorf("operation %d: %v, want the error %v", i, result, want[i].error)
		}
	}
	if stat, _ := results[0].(map[string]any)["data"].(map[string]any); stat["mimeType"] != "text/x" {
		t.Errorf("the first operation saw %v, want the state before the third", stat)
	}
	c.wantStatus("all failed", batch("stat/"+e("x")), 298)
	c.wantError("none", batch(), 400, "invalid argument")
	c.wantStatus("1000", batch(make1000(1000)...), 298)
	c.wantError("1001", batch(make1000(1001)...), 400, "invalid argument")
	theirs := c.as(other).postForm("/batch", url.Values{"op": {"delete/" + e("c")}})
	if want := `[{"code":631,"data":{"error":"no such bucket"}}]`; theirs.status != 298 || theirs.body != want {
		t.Errorf("another's: %d %s, want 298 %s", theirs.status, theirs.body, want)
	}
	if keys, err := c.e.Keys("public"); err != nil || cmp.Diff([]string{"c"}, keys) != "" {
		t.Errorf("Keys() = %q, %v", keys, err)
	}
}

func make1000(n int) []string {
	ops := make([]string, n)
	for i := range ops {
		ops[i] = "delete/" + entry("public", fmt.Sprint("missing", i))
	}
	return ops
}

// TestBatchOrder sees that operations on one object are done in their order,
// also where there are many of them.
func TestBatchOrder(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	c.put("public", "k", "hello")
	var ops []string
	for i := range 300 {
		ops = append(ops, "chgm/"+entry("public", "k")+"/x-qn-meta-n/"+b64(fmt.Sprint(i)), "stat/"+entry("public", "k"))
	}
	res := c.postForm("/batch", url.Values{"op": ops})
	c.wantStatus("batch", res, 200)
	results, _ := res.json(t).([]any)
	for i := range 300 {
		data, _ := results[2*i+1].(map[string]any)["data"].(map[string]any)
		if diff := cmp.Diff(map[string]any{"n": fmt.Sprint(i)}, data["x-qn-meta"]); diff != "" {
			t.Fatalf("stat %d (-want +got)\n%s", i, diff)
		}
	}
}

func TestList(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	for _, key := range []string{"a", "dir/1", "dir/2", "e&<>", "ü"} {
		c.put("public", key, "hello")
	}
	keysOf := func(res response) (keys []string, prefixes any, marker string) {
		t.Helper()
		c.wantStatus("list", res, 200)
		page, ok := res.json(t).(map[string]any)
		if !ok {
			t.Fatal("no object")
		}
		items, _ := page["items"].([]any)
		for _, item := range items {
			keys = append(keys, item.(map[string]any)["key"].(string))
		}
		marker, _ = page["marker"].(string)
		return keys, page["commonPrefixes"], marker
	}
	for _, res := range []response{
		c.get("/list?bucket=public"), c.post("/list?bucket=public&limit=1000"),
		c.postForm("/list", url.Values{"bucket": {"public"}, "limit": {"5"}}),
	} {
		keys, prefixes, marker := keysOf(res)
		if diff := cmp.Diff([]string{"a", "dir/1", "dir/2", "e&<>", "ü"}, keys); diff != "" || prefixes != nil || marker != "" {
			t.Errorf("prefixes %v, marker %q, keys (-want +got)\n%s", prefixes, marker, diff)
		}
	}
	keys, prefixes, marker := keysOf(c.get("/list?bucket=public&delimiter=%2F&limit=2"))
	if cmp.Diff([]string{"a"}, keys) != "" || cmp.Diff([]any{"dir/"}, prefixes) != "" || marker == "" {
		t.Errorf("first page: %q, %v, %q", keys, prefixes, marker)
	}
	keys, prefixes, marker = keysOf(c.get("/list?bucket=public&delimiter=%2F&limit=2&marker=" + url.QueryEscape(marker)))
	if cmp.Diff([]string{"e&<>", "ü"}, keys) != "" || prefixes != nil || marker != "" {
		t.Errorf("last page: %q, %v, %q", keys, prefixes, marker)
	}
	keys, _, _ = keysOf(c.get("/list?bucket=public&prefix=dir/"))
	if cmp.Diff([]string{"dir/1", "dir/2"}, keys) != "" {
		t.Errorf("by prefix: %q", keys)
	}
	object, err := c.e.Engine().Stat(c.account.AccessKey, "public", "a")
	if err != nil {
		t.Fatal(err)
	}
	item := fmt.Sprintf(`{"items":[{"key":"a","hash":"%s","fsize":5,"mimeType":"text/plain","putTime":%d,"type":0,"md5":"5d41402abc4b2a76b9719d911017c592","status":0}]}`,
		helloHash, object.PutTime)
	if res := c.get("/list?bucket=public&prefix=a"); res.body != item {
		t.Errorf("list: %s, want %s", res.body, item)
	}
	if res := c.get("/list?bucket=private"); res.body != `{"items":[]}` {
		t.Errorf("list of nothing: %s", res.body)
	}
	c.wantError("missing bucket", c.get("/list?bucket=missing"), 631, "no such bucket")
	c.wantError("another's", c.as(other).get("/list?bucket=public"), 631, "no such bucket")
	c.wantError("marker", c.get("/list?bucket=public&marker=xyz"), 640, "invalid list marker")
	c.wantError("limit", c.get("/list?bucket=public&limit=x"), 400, "invalid argument")
	c.wantStatus("limit", c.get("/list?bucket=public&limit=1001"), 400)
}
