package httpapi_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// newListed returns a client with buckets in two regions, some of them with
// tags, beside a bucket of another account with the same tags.
func newListed(t *testing.T) *client {
	t.Helper()
	c := newClient(t)
	c.wantStatus("create", c.as(other).post("/mkbucketv3/theirs/region/z1"), 200)
	for bucket, tags := range map[string]string{
		"public": `{"Key":"sdk","Value":"go"},{"Key":"a b=c","Value":"+ =:/@"}`, "private": `{"Key":"sdk","Value":"node"}`,
	} {
		c.wantStatus("tag", c.manage("PUT", "/bucketTagging?bucket="+bucket, "application/json", `{"Tags":[`+tags+`]}`), 200)
	}
	c.wantStatus("tag", c.as(other).manage("PUT", "/bucketTagging?bucket=theirs", "application/json", `{"Tags":[{"Key":"sdk","Value":"go"}]}`), 200)
	return c
}

func target(path, query string) string {
	if query == "" {
		return path
	}
	return path + "?" + query
}

func TestBucketNames(t *testing.T) {
	t.Parallel()
	c := newListed(t)
	tagged := func(condition string) string { return "tagCondition=" + url.QueryEscape(b64(condition)) }
	const both = `["private","public"]`
	for query, want := range map[string]string{
		"": both, "shared=": both, "shared=rd": both, "shared=rw": both, "shared=true": both, "shared=false": both,
		"tagCondition=":                             both,
		tagged("key=sdk"):                           both,
		tagged("key=sdk&"):                          both,
		tagged("key=sdk&value="):                    both,
		tagged("key=sdk&value=go"):                  `["public"]`,
		tagged("key=sdk;key=a b=c&value=+ =:/@"):    `["public"]`,
		tagged("key=sdk&value=node;key=a b=c"):      `[]`,
		tagged("key=sdk&value=go;key=sdk&value=x"):  `[]`,
		tagged("key=sd"):                            `[]`,
		tagged("key=go"):                            `[]`,
		"shared=rd&" + tagged("key=sdk&value=node"): `["private"]`,
	} {
		form, err := url.ParseQuery(query)
		if err != nil {
			t.Fatal(err)
		}
		for how, res := range map[string]response{
			"GET": c.get(target("/buckets", query)), "POST": c.post(target("/buckets", query)), "form": c.postForm("/buckets", form),
		} {
			if res.status != 200 || res.body != want {
				t.Errorf("%s %q: %d %s, want %s", how, query, res.status, res.body, want)
			}
		}
	}
	for _, bad := range []string{
		"shared=all", "tagCondition=!", "tagCondition=a2V5PWE", tagged("sdk"), tagged("key="), tagged("key=a;"), tagged(";key=a"),
		tagged("value=a"), tagged("key=a&v"), tagged("key=a&value=b&value=c"), tagged("key=a&&value=b"),
	} {
		c.wantError(bad, c.get("/buckets?"+bad), 400, "invalid argument")
	}
}

func TestBucketPageFilters(t *testing.T) {
	t.Parallel()
	c := newListed(t)
	for query, want := range map[string][]string{
		"": {"private", "public"}, "&shared=rd": {"private", "public"}, "&region=z0": {"private"}, "&region=z1": {"public"},
		"&region=z2": {}, "&region=nowhere": {}, "&region=": {"private", "public"}, "&marker=private": {"public"}, "&region=z0&marker=private": {},
	} {
		page := c.get("/buckets?apiVersion=v4" + query).json(t).(map[string]any)
		names := []string{}
		for _, line := range page["buckets"].([]any) {
			names = append(names, line.(map[string]any)["name"].(string))
		}
		if diff := cmp.Diff(want, names); diff != "" || page["is_truncated"] != false || page["next_marker"] != "" {
			t.Errorf("%q: %v (-want +got)\n%s", query, page, diff)
		}
	}
	c.wantError("shared", c.get("/buckets?apiVersion=v4&shared=all"), 400, "invalid argument")
	c.wantError("tags", c.get("/buckets?apiVersion=v4&tagCondition="+b64("key=a")), 501, "/buckets?tagCondition= is not implemented by this emulator")
}

// bucketListings are the listings with details, and what they call the name.
var bucketListings = map[string]string{"/v2/buckets": "tbl", "/v3/buckets": "tbl", "/v2/bucketInfos": "name"}

func TestBucketListings(t *testing.T) {
	t.Parallel()
	c := newListed(t)
	for path, nameField := range bucketListings {
		for query, want := range map[string][]string{
			"": {"private", "public"}, "shared=rd": {"private", "public"}, "shared=rw": {"private", "public"},
			"region=": {"private", "public"}, "region=z0": {"private"}, "region=z1&shared=rd": {"public"}, "region=z2": {}, "region=nowhere": {},
			"line=false": {"private", "public"}, "global=false&zone=": {"private", "public"}, "region=z1&fs=false&shared=false": {"public"},
		} {
			form, err := url.ParseQuery(query)
			if err != nil {
				t.Fatal(err)
			}
			for how, res := range map[string]response{
				"GET": c.get(target(path, query)), "POST": c.post(target(path, query)), "form": c.postForm(path, form),
			} {
				names := []string{}
				rows, ok := res.json(t).([]any)
				for _, row := range rows {
					names = append(names, row.(map[string]any)[nameField].(string))
				}
				if diff := cmp.Diff(want, names); diff != "" || !ok || res.status != 200 {
					t.Errorf("%s %s?%s: %d %s (-want +got)\n%s", how, path, query, res.status, res.body, diff)
				}
			}
		}
		c.wantError(path, c.get(path+"?shared=all"), 400, "invalid argument")
		for _, name := range []string{"line", "global", "zone", "tagCondition"} {
			c.wantError(path, c.get(path+"?"+name+"=true"), 501, path+"?"+name+"= is not implemented by this emulator")
		}
		c.wantError(path, c.manage("PUT", path, "", ""), 405, "method not allowed")
	}
	c.wantError("fs", c.get("/v2/bucketInfos?fs=1"), 400, "invalid argument")
}

func TestBucketRows(t *testing.T) {
	t.Parallel()
	c := newListed(t)
	c.put("public", "a", "12345")
	c.put("public", "b", "12")
	for _, path := range []string{"/v2/buckets", "/v3/buckets"} {
		rows, ok := c.post(path + "?region=z1").json(t).([]any)
		if !ok || len(rows) != 1 {
			t.Fatalf("%s: %v, want one row", path, rows)
		}
		row := rows[0].(map[string]any)
		if ctime, ok := row["ctime"].(string); !ok || parseTime(ctime) != nil {
			t.Errorf("%s: ctime = %v, want a time", path, row["ctime"])
		}
		delete(row, "ctime")
		want := map[string]any{
			"tbl": "public", "region": "z1", "zone": "z1", "global": false, "line": false, "file_num": 2.0, "storage_size": 7.0,
			"perm": 0.0, "private": 0.0, "versioning": false, "allow_nullkey": true, "encryption_enabled": false,
		}
		if diff := cmp.Diff(want, row); diff != "" {
			t.Errorf("%s (-want +got)\n%s", path, diff)
		}
		empty := c.get(path + "?region=z0").json(t).([]any)[0].(map[string]any)
		if empty["private"] != 1.0 || empty["file_num"] != 0.0 || empty["storage_size"] != 0.0 {
			t.Errorf("%s of an empty private bucket: %v", path, empty)
		}
	}
}

func TestBucketInfos(t *testing.T) {
	t.Parallel()
	c := newListed(t)
	c.put("public", "a", "12345")
	info := c.get("/v2/bucketInfo?bucket=public").json(t).(map[string]any)
	infos := func(query string) any { return c.post("/v2/bucketInfos?region=z1" + query).json(t) }
	if diff := cmp.Diff([]any{map[string]any{"name": "public", "info": info}}, infos("")); diff != "" {
		t.Errorf("without statistics (-want +got)\n%s", diff)
	}
	if ctime, ok := info["ctime"].(string); !ok || parseTime(ctime) != nil {
		t.Errorf("ctime = %v, want a time", info["ctime"])
	}
	info["file_num"], info["storage_size"] = 1.0, 5.0
	if diff := cmp.Diff([]any{map[string]any{"name": "public", "info": info}}, infos("&fs=true")); diff != "" {
		t.Errorf("with statistics (-want +got)\n%s", diff)
	}
}

// An account without buckets gets an empty list and no null.
func TestNoBuckets(t *testing.T) {
	t.Parallel()
	c := newClient(t).as(other)
	for _, path := range []string{"/buckets", "/v2/buckets", "/v3/buckets", "/v2/bucketInfos?fs=true"} {
		if res := c.get(path); res.status != 200 || strings.TrimSpace(res.body) != "[]" {
			t.Errorf("%s: %d %s, want []", path, res.status, res.body)
		}
	}
}
