package httpapi_test

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// line is a line of /v2/list, its item as the key alone.
type line struct{ Item, Dir, Marker string }

// lines reads an answer of /v2/list.
func (c *client) lines(res response) []line {
	c.t.Helper()
	c.wantStatus("list", res, 200)
	if res.body != "" && !strings.HasSuffix(res.body, "\n") {
		c.t.Errorf("the last line does not end: %q", res.body)
	}
	var all []line
	for text := range strings.Lines(res.body) {
		var raw map[string]json.RawMessage
		if err := json.Unmarshal([]byte(text), &raw); err != nil || len(raw) != 3 {
			c.t.Fatalf("the line %q: %v, want three members", text, err)
		}
		var item struct{ Key string }
		var one line
		for name, value := range map[string]any{"item": &item, "dir": &one.Dir, "marker": &one.Marker} {
			if err := json.Unmarshal(raw[name], value); err != nil {
				c.t.Fatalf("%s of the line %q: %v", name, text, err)
			}
		}
		one.Item = item.Key
		if isDir := string(raw["item"]) == "null"; isDir != (one.Dir != "") {
			c.t.Errorf("the line %q is of both or of neither", text)
		}
		all = append(all, one)
	}
	return all
}

// The markers are the base64 of {"c":0,"k":"<key>"}, made with Python's base64
// module.
func TestListV2(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	for _, key := range []string{"a", "dir/1", "dir/2", "dir.txt", "ü"} {
		c.put("public", key, "hello")
	}
	const afterA, afterDot, afterDir1, afterDir2, afterDir = "eyJjIjowLCJrIjoiYSJ9", "eyJjIjowLCJrIjoiZGlyLnR4dCJ9", "eyJjIjowLCJrIjoiZGlyLzEifQ==", "eyJjIjowLCJrIjoiZGlyLzIifQ==", "eyJjIjowLCJrIjoiZGlyLyJ9"
	whole := []line{
		{"a", "", afterA},
		{"dir.txt", "", afterDot},
		{"dir/1", "", afterDir1},
		{"dir/2", "", afterDir2},
		{"ü", "", ""},
	}
	for name, res := range map[string]response{
		"GET": c.get("/v2/list?bucket=public"), "POST, as qshell does": c.post("/v2/list?bucket=public"),
		"POST, as Node does":     c.manage("POST", "/v2/list?bucket=public&prefix=&limit=0&marker=&delimiter=", formType, ""),
		"POST of a form":         c.postForm("/v2/list", url.Values{"bucket": {"public"}, "limit": {"5"}}),
		"all of them and no end": c.get("/v2/list?bucket=public&limit=1000"),
	} {
		if diff := cmp.Diff(whole, c.lines(res)); diff != "" {
			t.Errorf("%s (-want +got)\n%s", name, diff)
		}
	}
	folders := []line{{"a", "", afterA}, {"dir.txt", "", afterDot}, {"", "dir/", afterDir}, {"ü", "", ""}}
	if diff := cmp.Diff(folders, c.lines(c.get("/v2/list?bucket=public&delimiter=/"))); diff != "" {
		t.Errorf("with a delimiter (-want +got)\n%s", diff)
	}
	for i, one := range folders[:3] {
		rest := c.lines(c.get("/v2/list?bucket=public&delimiter=/&marker=" + url.QueryEscape(one.Marker)))
		if diff := cmp.Diff(folders[i+1:], rest); diff != "" {
			t.Errorf("after line %d (-want +got)\n%s", i, diff)
		}
	}
	page := c.lines(c.get("/v2/list?bucket=public&delimiter=/&limit=3"))
	if len(page) != 3 || page[2].Dir != "dir/" || page[2].Marker == "" {
		t.Fatalf("a page of three: %v", page)
	}
	if diff := cmp.Diff(folders[3:], c.lines(c.get("/v2/list?bucket=public&delimiter=/&marker="+url.QueryEscape(page[2].Marker)))); diff != "" {
		t.Errorf("after a page of three (-want +got)\n%s", diff)
	}
	if res := c.get("/v2/list?bucket=private"); res.status != 200 || res.body != "" {
		t.Errorf("an empty bucket: %d %q", res.status, res.body)
	}
	c.wantError("missing bucket", c.get("/v2/list?bucket=missing"), 631, "no such bucket")
	c.wantError("marker", c.get("/v2/list?bucket=public&marker=xyz"), 640, "invalid list marker")
	c.wantError("limit", c.get("/v2/list?bucket=public&limit=1001"), 400, "invalid list limit")
	c.wantError("method", c.manage("PUT", "/v2/list?bucket=public", "", ""), 405, "method not allowed")
}

func TestListParts(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	u := c.begin("public", b64("k"), c.token(policy("public:k")))
	c.wantStatus("complete", u.complete([]string{u.mustPart(1, strings.Repeat("x", mib)), u.mustPart(2, "y")}, ""), 200)
	for _, path := range []string{"/list", "/v2/list"} {
		if res := c.get(path + "?bucket=public&needparts=true"); !strings.Contains(res.body, `"parts":[1048576,1]`) {
			t.Errorf("%s: %s", path, res.body)
		}
		if res := c.get(path + "?bucket=public&needparts=false"); strings.Contains(res.body, "parts") {
			t.Errorf("%s without parts: %s", path, res.body)
		}
	}
}

// TestEmptyPages follows the markers of pages that hold nothing.
func TestEmptyPages(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	for _, key := range []string{"", "a", "b"} {
		c.put("public", key, "hello")
	}
	c.fail(`{"match":{"service":"rsf"},"times":2,"do":"empty_page"}`)
	first, _ := c.get("/list?bucket=public&limit=2").json(t).(map[string]any)
	marker, _ := first["marker"].(string)
	if items, _ := first["items"].([]any); len(items) > 0 || marker == "" {
		t.Fatalf("the first page: %v, want a marker alone", first)
	}
	again, _ := c.get("/list?bucket=public&limit=2&marker=" + url.QueryEscape(marker)).json(t).(map[string]any)
	if again["marker"] != marker {
		t.Errorf("an empty page after an empty page: %v, want the same marker", again)
	}
	page, _ := c.get("/list?bucket=public&limit=2&marker=" + url.QueryEscape(marker)).json(t).(map[string]any)
	items, _ := page["items"].([]any)
	if len(items) != 2 || items[0].(map[string]any)["key"] != "" || page["marker"] == nil {
		t.Errorf("the page: %v, want the empty key and a", page)
	}

	c.fail(`{"match":{"service":"rsf"},"times":1,"do":"empty_page"}`)
	if res := c.get("/v2/list?bucket=public"); res.body != `{"marker":"`+marker+`","item":null,"dir":""}`+"\n" {
		t.Errorf("a line of nothing: %s", res.body)
	}
	c.fail(`{"match":{"service":"rsf"},"times":1,"do":"empty_page"}`)
	c.wantError("refused as ever", c.get("/list?bucket=missing"), 631, "no such bucket")
}

func TestListFaultsInLines(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	c.put("public", "a", "hello")
	c.put("public", "b", "hello")
	c.fail(`{"match":{"bucket":"public","key":"a"},"times":1,"do":"invisible"}`)
	if diff := cmp.Diff([]line{{"b", "", ""}}, c.lines(c.get("/v2/list?bucket=public"))); diff != "" {
		t.Errorf("a is invisible (-want +got)\n%s", diff)
	}
	c.fail(`{"match":{"service":"rsf"},"do":"wrong_hash"}`)
	if res := c.get("/v2/list?bucket=public"); strings.Count(res.body, otherHash) != 2 || strings.Contains(res.body, helloHash) {
		t.Errorf("wrong hashes: %s", res.body)
	}
}
