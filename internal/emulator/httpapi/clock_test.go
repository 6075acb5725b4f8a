package httpapi_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// admin sends one of the emulator's own calls, which nobody signs.
func (c *client) admin(method, target, body string) response {
	c.t.Helper()
	return c.send(c.request(method, target, strings.NewReader(body)))
}

// advance moves the emulator's clock.
func (c *client) advance(by string) {
	c.t.Helper()
	if res := c.admin(http.MethodPost, "/_emulator/clock", `{"advance":"`+by+`"}`); res.status != 200 {
		c.t.Fatalf("advance by %s: %d %s", by, res.status, res.body)
	}
}

func TestClock(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	shows := func(res response) time.Time {
		t.Helper()
		c.wantStatus("clock", res, 200)
		answer, _ := res.json(t).(map[string]any)
		text, _ := answer["now"].(string)
		now, err := time.Parse(time.RFC3339Nano, text)
		if err != nil || len(answer) != 1 {
			t.Fatalf("the clock answers %s", res.body)
		}
		return now
	}
	before := time.Now()
	first := shows(c.admin(http.MethodGet, "/_emulator/clock", ""))
	moved := shows(c.admin(http.MethodPost, "/_emulator/clock", `{"advance":"36h30m"}`))
	last := shows(c.admin(http.MethodGet, "/_emulator/clock", ""))
	if first.Before(before.Truncate(0)) || moved.Before(before.Add(36*time.Hour+30*time.Minute)) || last.Before(moved) {
		t.Errorf("the clock showed %v, %v after 36.5 hours, and %v; it was %v before", first, moved, last, before)
	}
	for body, text := range map[string]string{
		`{"advance":"-1s"}`:              "the clock only moves forward",
		`{"advance":"2500000h"}`:         "the clock ends in 2262",
		`{"advance":"1h","to":"summer"}`: `json: unknown field "to"`,
	} {
		c.wantError(body, c.admin(http.MethodPost, "/_emulator/clock", body), 400, text)
	}
	c.wantStatus("no duration", c.admin(http.MethodPost, "/_emulator/clock", `{"advance":"tomorrow"}`), 400)
	c.wantStatus("no body", c.admin(http.MethodPost, "/_emulator/clock", ``), 400)
	c.wantStatus("no such method", c.admin(http.MethodDelete, "/_emulator/clock", ``), 501)
}

// The clock archives an object and in the end deletes it; meanwhile it is restored.
func TestArchive(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	c.put("public", "k", "hello")
	e := entry("public", "k")
	c.wantStatus("lifecycle", c.post("/lifecycle/"+e+"/toArchiveAfterDays/1/deleteAfterDays/30"), 200)
	look := func(class, restore any) {
		t.Helper()
		stat, _ := c.get("/stat/" + e).json(t).(map[string]any)
		page, _ := c.get("/list?bucket=public").json(t).(map[string]any)
		items, _ := page["items"].([]any)
		if len(items) != 1 {
			t.Fatalf("items: %v", items)
		}
		for _, got := range []map[string]any{stat, items[0].(map[string]any)} {
			if got["type"] != class || got["restoreStatus"] != restore {
				t.Errorf("type %v, restoreStatus %v, want %v and %v", got["type"], got["restoreStatus"], class, restore)
			}
		}
		if _, archives := stat["transitionToARCHIVE"]; archives == (class == 2.0) {
			t.Errorf("stat of class %v: %v", class, stat)
		}
	}
	download := func() response { return c.download(http.MethodGet, "public", "/k") }
	look(0.0, nil)
	c.advance("48h")
	look(2.0, nil)
	const frozen = "the archived object is frozen, restore it first"
	c.wantError("download", download(), 403, frozen)
	for _, op := range []string{"/copy/" + e + "/" + entry("public", "l"), "/move/" + e + "/" + entry("public", "l"), "/chgm/" + e + "/mime/" + b64("a/b"), "/chtype/" + e + "/type/0"} {
		c.wantError(op, c.post(op), 400, frozen)
	}
	res := c.postForm("/batch", map[string][]string{"op": {"copy/" + e + "/" + entry("public", "l")}})
	if want := `[{"code":400,"data":{"error":"` + frozen + `"}}]`; res.status != 298 || res.body != want {
		t.Errorf("batch: %d %s, want 298 %s", res.status, res.body, want)
	}
	c.wantStatus("restoreAr", c.post("/restoreAr/"+e+"/freezeAfterDays/1"), 200)
	look(2.0, 1.0)
	c.wantError("restoring", c.post("/restoreAr/"+e+"/freezeAfterDays/1"), 400, "the object is being restored")
	c.wantError("download", download(), 403, frozen)
	c.advance("5m")
	look(2.0, 2.0)
	if res := download(); res.status != 200 || res.body != "hello" {
		t.Errorf("download while thawed: %d %s", res.status, res.body)
	}
	c.advance("24h")
	look(2.0, nil)
	c.wantError("download", download(), 403, frozen)
	c.advance("720h")
	c.wantError("stat", c.get("/stat/"+e), 612, "no such file or directory")
	c.wantError("download", download(), 404, "Document not found")
	if keys, err := c.e.Keys("public"); err != nil || cmp.Diff([]string(nil), keys) != "" {
		t.Errorf("Keys() = %q, %v", keys, err)
	}
}
