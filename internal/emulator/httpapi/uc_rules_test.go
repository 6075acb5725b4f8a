package httpapi_test

import (
	"net/url"
	"strings"
	"testing"
)

func TestLifecycleRules(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	want := func(step, body string) {
		t.Helper()
		for _, res := range []response{c.get("/rules/get?bucket=public"), c.post("/rules/get?bucket=public")} {
			got := res.body
			if at := strings.Index(got, `,"ctime":"`); at >= 0 && parseTime(got[at+10:at+30]) == nil {
				got = got[:at] + got[at+31:]
			}
			if res.status != 200 || got != body {
				t.Errorf("%s: %d %s, want %s", step, res.status, res.body, body)
			}
		}
	}
	want("at first", "null")
	c.wantStatus("add by form", c.postForm("/rules/add", url.Values{
		"bucket": {"public"}, "name": {"a"}, "prefix": {"x"}, "delete_after_days": {"30"}, "to_line_after_days": {"7"},
		"to_archive_after_days": {"0"},
	}), 200)
	want("added", `[{"name":"a","prefix":"x","delete_after_days":30,"to_line_after_days":7,"to_intelligent_tiering_after_days":0,`+
		`"to_archive_ir_after_days":0,"to_archive_after_days":0,"to_deep_archive_after_days":0,`+
		`"history_delete_after_days":0,"history_to_line_after_days":0}]`)
	c.wantError("again", c.post("/rules/add?bucket=public&name=a&prefix=y"), 400, "rule name exists")
	c.wantError("same prefix", c.post("/rules/add?bucket=public&name=b&prefix=x"), 400, "rule prefix exists")
	c.wantError("unknown", c.post("/rules/update?bucket=public&name=b&prefix=y"), 400, "rule name not found")
	c.wantError("no number", c.post("/rules/add?bucket=public&name=b&to_line_after_days=x"), 400, "invalid argument")
	c.wantStatus("update by query", c.post("/rules/update?bucket=public&name=a&prefix=&to_intelligent_tiering_after_days=-1&to_archive_ir_after_days=2"+
		"&to_archive_after_days=3&to_deep_archive_after_days=4&history_delete_after_days=5&history_to_line_after_days=6"), 200)
	want("updated", `[{"name":"a","prefix":"","delete_after_days":0,"to_line_after_days":0,"to_intelligent_tiering_after_days":-1,`+
		`"to_archive_ir_after_days":2,"to_archive_after_days":3,"to_deep_archive_after_days":4,`+
		`"history_delete_after_days":5,"history_to_line_after_days":6}]`)
	c.wantStatus("a nested prefix", c.post("/rules/add?bucket=public&name=b&prefix=x"), 200)
	c.wantStatus("delete", c.postForm("/rules/delete", url.Values{"bucket": {"public"}, "name": {"a"}}), 200)
	c.wantError("delete again", c.post("/rules/delete?bucket=public&name=a"), 400, "rule name not found")
	c.wantStatus("delete the last", c.post("/rules/delete?bucket=public&name=b"), 200)
	want("deleted", "null")
	c.wantError("another's", c.as(other).get("/rules/get?bucket=public"), 631, "no such bucket")
	c.wantError("GET", c.get("/rules/add?bucket=public&name=a"), 405, "method not allowed")
	c.wantStatus("another call", c.get("/rules/list?bucket=public"), 501)
}

func TestEventRules(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	want := func(step, body string) {
		t.Helper()
		for _, res := range []response{c.get("/events/get?bucket=public"), c.post("/events/get?bucket=public")} {
			if res.status != 200 || res.body != body {
				t.Errorf("%s: %d %s, want %s", step, res.status, res.body, body)
			}
		}
	}
	want("at first", "null")
	const callback = "&callbackURL=https://a.example.com/x?inspect"
	c.wantError("no events", c.post("/events/add?bucket=public&name=a"+callback), 400, "invalid events")
	c.wantError("no URL", c.post("/events/add?bucket=public&name=a&event=put"), 400, "callbackURL must starts with http:// or https://")
	// As the Java SDK writes it, the URL not escaped.
	c.wantStatus("add by query", c.post("/events/add?bucket=public&name=a&prefix=&suffix=&event=put&event=mkfile"+callback+"&callbackURL=http://127.0.0.1/&accessKey=ak"), 200)
	const events, urls = `["put","mkfile"]`, `["https://a.example.com/x?inspect","http://127.0.0.1/"]`
	want("added", `[{"name":"a","prefix":"","suffix":"","events":`+events+`,"event":`+events+
		`,"callback_urls":`+urls+`,"callbackURL":`+urls+`,"access_key":"ak","accessKey":"ak","host":""}]`)
	c.wantError("again", c.post("/events/add?bucket=public&name=a&event=put"+callback), 400, "event name exists")
	c.wantError("same keys", c.post("/events/add?bucket=public&name=b&event=put"+callback), 400, "event prefix and suffix exists")
	c.wantError("unknown", c.post("/events/update?bucket=public&name=b&event=put"+callback), 400, "event name not found")
	c.wantStatus("update by form", c.postForm("/events/update", url.Values{
		"bucket": {"public"}, "name": {"a"}, "event": {"delete"}, "callbackURL": {"http://127.0.0.1/"}, "prefix": {"x"}, "suffix": {"y"},
		"access_key": {"mine"}, "host": {"h"},
	}), 200)
	want("updated", `[{"name":"a","prefix":"x","suffix":"y","events":["delete"],"event":["delete"],`+
		`"callback_urls":["http://127.0.0.1/"],"callbackURL":["http://127.0.0.1/"],"access_key":"mine","accessKey":"mine","host":"h"}]`)
	c.wantStatus("delete", c.postForm("/events/delete", url.Values{"bucket": {"public"}, "name": {"a"}}), 200)
	c.wantError("delete again", c.post("/events/delete?bucket=public&name=a"), 400, "event name not found")
	want("deleted", "null")
	c.wantError("another's", c.as(other).get("/events/get?bucket=public"), 631, "no such bucket")
}
