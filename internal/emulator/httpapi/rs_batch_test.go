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
