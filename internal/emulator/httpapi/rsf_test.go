package httpapi_test

import (
	"fmt"
	"net/url"
	"testing"

	"github.com/google/go-cmp/cmp"
)

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
