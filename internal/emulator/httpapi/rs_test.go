package httpapi_test

import (
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

func TestCopyAndMove(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	c.put("public", "a", "hello")
	e := func(key string) string { return entry("public", key) }
	for _, step := range []struct {
		target string
		status int
		body   string
	}{
		{"/copy/" + e("a") + "/" + e("b:/ü"), 200, `{}`},
		{"/copy/" + e("a") + "/" + e("b:/ü"), 614, `{"error":"file exists"}`},
		{"/copy/" + e("a") + "/" + e("b:/ü") + "/force/false", 614, `{"error":"file exists"}`},
		{"/copy/" + e("a") + "/" + e("b:/ü") + "/force/true", 200, `{}`},
		{"/move/" + e("b:/ü") + "/" + e(""), 200, `{}`},
		{"/move/" + e("b:/ü") + "/" + e("c"), 612, `{"error":"no such file or directory"}`},
		{"/move/" + e("a") + "/" + e(""), 614, `{"error":"file exists"}`},
		{"/move/" + e("a") + "/" + e("") + "/force/true", 200, `{}`},
		{"/copy/" + e("") + "/" + entry("private", "x"), 400, `{"error":"incorrect region, the buckets are in z1 and z0"}`},
		{"/copy/" + e("") + "/" + entry("missing", "x"), 631, `{"error":"no such bucket"}`},
		{"/copy/" + e("") + "/" + b64("public"), 631, `{"error":"no such bucket"}`},
		{"/copy/" + e(""), 400, `{"error":"invalid argument"}`},
		{"/copy/" + e("") + "/*", 400, `{"error":"invalid argument"}`},
		{"/copy/" + e("") + "/" + e("x") + "/force", 400, `{"error":"invalid argument"}`},
		{"/copy/" + e("") + "/" + e("x") + "/force/maybe", 400, `{"error":"invalid argument"}`},
		{"/move/" + e("") + "/" + e("x") + "/strength/true", 400, `{"error":"invalid argument"}`},
	} {
		if res := c.post(step.target); res.status != step.status || res.body != step.body {
			t.Errorf("%s: %d %s, want %d %s", step.target, res.status, res.body, step.status, step.body)
		}
	}
	c.wantError("by GET", c.get("/copy/"+e("")+"/"+e("x")), 405, "method not allowed")
	c.wantError("another's", c.as(other).post("/move/"+e("")+"/"+e("x")), 631, "no such bucket")
	if keys, err := c.e.Keys("public"); err != nil || cmp.Diff([]string{""}, keys) != "" {
		t.Errorf("Keys() = %q, %v", keys, err)
	}
}
