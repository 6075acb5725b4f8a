package httpapi_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestEventsArePosted makes every event over the wire, and hears of it.
func TestEventsArePosted(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	heard := make(chan string, 100)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		if want := "QBox " + c.account.AccessKey + ":" + c.hmac("/hook?a=b\n"); r.Header.Get("Authorization") != want || r.Host != "hook.example.com" {
			t.Errorf("notification to %s, signed %s, want %s", r.Host, r.Header.Get("Authorization"), want)
		}
		var notification struct{ Message string }
		var message struct {
			Event, Bucket, Key, Hash string
			DestKey                  string `json:"dest_key"`
		}
		if json.Unmarshal(body, &notification) != nil || json.Unmarshal([]byte(notification.Message), &message) != nil {
			t.Errorf("notification %s", body)
		}
		heard <- strings.TrimRight(strings.Join([]string{message.Event, message.Bucket, message.Key, message.DestKey}, " "), " ")
	}))
	t.Cleanup(server.Close)
	rule := url.Values{
		"bucket": {"public"}, "name": {"all"}, "callbackURL": {server.URL + "/hook?a=b"}, "host": {"hook.example.com"},
		"access_key": {c.account.AccessKey},
		"event":      {"put", "mkfile", "delete", "copy", "move", "disable", "enable", "restore:completed"},
	}
	c.wantStatus("rule", c.postForm("/events/add", rule), 200)

	c.put("public", "a", "hello")
	token := c.token(policy("public:parts"))
	begun, ok := c.multipart("POST", "/buckets/public/objects/"+b64("parts")+"/uploads", token, "").json(t).(map[string]any)
	if !ok {
		t.Fatal("the upload was not begun")
	}
	target := "/buckets/public/objects/" + b64("parts") + "/uploads/" + begun["uploadId"].(string)
	part, ok := c.multipart("PUT", target+"/1", token, "hello").json(t).(map[string]any)
	if !ok {
		t.Fatal("the part was not uploaded")
	}
	c.wantStatus("complete", c.multipart("POST", target, token, `{"parts":[{"partNumber":1,"etag":"`+part["etag"].(string)+`"}]}`), 200)
	for _, call := range []string{
		"/copy/" + entry("public", "a") + "/" + entry("public", "b"), "/move/" + entry("public", "b") + "/" + entry("public", "c"),
		"/chstatus/" + entry("public", "c") + "/status/1", "/chstatus/" + entry("public", "c") + "/status/0",
		"/chtype/" + entry("public", "c") + "/type/2", "/restoreAr/" + entry("public", "c") + "/freezeAfterDays/1",
	} {
		c.wantStatus(call, c.post(call), 200)
	}
	if err := c.e.Engine().Advance(time.Hour); err != nil {
		t.Fatal(err)
	}
	c.wantStatus("batch", c.postForm("/batch", url.Values{"op": {"delete/" + entry("public", "c")}}), 200)

	want := []string{
		"copy public a b", "delete public c", "disable public c", "enable public c", "mkfile public parts",
		"move public b c", "put public a", "restore:completed public c",
	}
	var got []string
	for range want {
		select {
		case line := <-heard:
			got = append(got, line)
		case <-time.After(30 * time.Second):
			t.Fatalf("heard only of %q", got)
		}
	}
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("events (-want +got)\n%s", diff)
	}

	c.wantStatus("no rule any more", c.post("/events/delete?bucket=public&name=all"), 200)
	c.put("public", "d", "hello")
	if err := c.e.Close(); err != nil {
		t.Error(err)
	}
	if len(heard) > 0 {
		t.Errorf("an event without a rule was posted: %s", <-heard)
	}
}
