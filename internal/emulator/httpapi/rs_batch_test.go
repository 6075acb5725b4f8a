package httpapi_test

import (
	"fmt"
	"net/url"
	"testing"

	"github.com/google/go-cmp/cmp"
)

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
	some := batch("stat/"+e("b"), "/stat/"+e("a"), "delete/"+e("b"), "delete/"+e("b"), "pfop/"+e("c")+"/"+e("d"), "stat", "stat/*", "stat/"+entry("x", "y"))
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
		{501, "pfop is not implemented by this emulator"},
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

// TestBatchChain sees that operations are done in their order also where only a
// copy or a move joins their objects, across buckets.
func TestBatchChain(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	if _, err := c.e.Engine().CreateBucket(c.account.AccessKey, "second", "z1", false); err != nil {
		t.Fatal(err)
	}
	e := func(key string) string { return entry("public", key) }
	for round := range 20 {
		c.put("public", "a", fmt.Sprint("content ", round))
		res := c.postForm("/batch", url.Values{"op": {
			"/copy/" + e("a") + "/" + e("b") + "/force/false",
			"move/" + e("b") + "/" + entry("second", "c") + "/force/true",
			"/stat/" + e("b"),
			"copy/" + entry("second", "c") + "/" + e("a"),
			"copy/" + entry("second", "c") + "/" + e("a") + "/force/True",
			"delete/" + e("a"),
			"stat/" + entry("second", "c"),
		}})
		c.wantStatus("batch", res, 298)
		var codes []any
		for _, result := range res.json(t).([]any) {
			codes = append(codes, result.(map[string]any)["code"])
		}
		if diff := cmp.Diff([]any{200.0, 200.0, 612.0, 614.0, 200.0, 200.0, 200.0}, codes); diff != "" {
			t.Fatalf("codes (-want +got)\n%s", diff)
		}
		content, err := c.e.Content("second", "c")
		if want := fmt.Sprint("content ", round); err != nil || string(content) != want {
			t.Fatalf("content = %q, %v, want %q", content, err, want)
		}
	}
}

// TestBatchOfOne sends every operation as a batch of one, as qshell does, with and
// without the slash before it.
func TestBatchOfOne(t *testing.T) {
	t.Parallel()
	for _, slash := range []string{"/", ""} {
		t.Run("slash "+slash, func(t *testing.T) {
			t.Parallel()
			c := newClient(t)
			c.put("public", "k", "hello")
			e, to := entry("public", "k"), entry("public", "l")
			for _, step := range []struct {
				op     string
				status int
				body   string
			}{
				{"chgm/" + e + "/mime/" + b64("text/x"), 200, `[{"code":200}]`},
				{"chgm/" + e + "/mime//x-qn-meta-a/" + b64("1") + "/cond/" + b64("fsize=6"), 298, `[{"code":608,"data":{"error":"cond not match"}}]`},
				{"chtype/" + e + "/type/1", 200, `[{"code":200}]`},
				{"chtype/" + e + "/type/1", 298, `[{"code":400,"data":{"error":"already in line stat"}}]`},
				{"chstatus/" + e + "/status/1", 200, `[{"code":200}]`},
				{"chstatus/" + e + "/status/1", 298, `[{"code":400,"data":{"error":"already disabled"}}]`},
				{"deleteAfterDays/" + e + "/7", 200, `[{"code":200}]`},
				{"lifecycle/" + e + "/toIAAfterDays/0/toArchiveAfterDays/30/toDeepArchiveAfterDays/60/deleteAfterDays/-1", 200, `[{"code":200}]`},
				{"restoreAr/" + e + "/freezeAfterDays/1", 298, `[{"code":400,"data":{"error":"the object is not archived"}}]`},
				{"copy/" + e + "/" + to + "/force/false", 200, `[{"code":200}]`},
				{"copy/" + e + "/" + to + "/force/false", 298, `[{"code":614,"data":{"error":"file exists"}}]`},
				{"move/" + e + "/" + to + "/force/true", 200, `[{"code":200}]`},
				{"stat/" + e, 298, `[{"code":612,"data":{"error":"no such file or directory"}}]`},
				{"delete/" + to, 200, `[{"code":200}]`},
				{"delete/" + to, 298, `[{"code":612,"data":{"error":"no such file or directory"}}]`},
			} {
				res := c.postForm("/batch", url.Values{"op": {slash + step.op}})
				if res.status != step.status || res.body != step.body {
					t.Errorf("%s: %d %s, want %d %s", step.op, res.status, res.body, step.status, step.body)
				}
			}
		})
	}
	c := newClient(t)
	c.put("public", "k", "hello")
	c.wantStatus("lifecycle", c.post("/lifecycle/"+entry("public", "k")+"/deleteAfterDays/1"), 200)
	single, _ := c.get("/stat/" + entry("public", "k")).json(t).(map[string]any)
	if _, ok := single["expiration"]; !ok {
		t.Fatalf("stat: %v", single)
	}
	res := c.postForm("/batch", url.Values{"op": {"/stat/" + entry("public", "k") + "/needparts/true"}})
	if diff := cmp.Diff([]any{map[string]any{"code": 200.0, "data": single}}, res.json(t)); diff != "" {
		t.Errorf("stat in a batch (-want +got)\n%s", diff)
	}
}
