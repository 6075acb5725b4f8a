package notify_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/qiniu/terraform-provider-kodo/internal/emulator/auth"
	"github.com/qiniu/terraform-provider-kodo/internal/emulator/engine"
	"github.com/qiniu/terraform-provider-kodo/internal/emulator/notify"
	"github.com/qiniu/terraform-provider-kodo/internal/emulator/outbound"
)

// post is what a receiver got.
type post struct {
	Method, Path, Host, ContentType, Authorization, Body string
}

// receiver answers with the given statuses one after the other, the last for ever.
func receiver(t *testing.T, statuses ...int) (url string, posts chan post) {
	t.Helper()
	posts = make(chan post, 100)
	var count atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		i := min(int(count.Add(1)), len(statuses)) - 1
		w.WriteHeader(statuses[i])
		posts <- post{r.Method, r.URL.RequestURI(), r.Host, r.Header.Get("Content-Type"), r.Header.Get("Authorization"), string(body)}
	}))
	t.Cleanup(server.Close)
	return server.URL, posts
}

func newNotifier(t *testing.T) *notify.Notifier {
	t.Helper()
	secrets := map[string]string{"ak": "sk", "other": "theirs"}
	verifier := auth.NewVerifier(func(accessKey string) (string, bool) { s, ok := secrets[accessKey]; return s, ok }, time.Now)
	client := outbound.New(outbound.Config{Verifier: verifier})
	n := notify.New(client)
	t.Cleanup(func() { client.Close(); n.Close() })
	return n
}

func next(t *testing.T, posts chan post) post {
	t.Helper()
	select {
	case p := <-posts:
		return p
	case <-time.After(30 * time.Second):
		t.Fatal("no notification has come")
		return post{}
	}
}

func event(rules ...engine.EventRule) engine.Event {
	return engine.Event{
		Name: "copy", Time: time.Unix(0, 1547551207786351434), Owner: "ak", Rules: rules,
		Object: engine.Object{
			Bucket: "bucket_name", Key: `a "key"`, Size: 6, Hash: "FhWqsP2Lk36zuwGEFpPzXct12i-v", FileType: 2, MimeType: "text/plain",
		},
		Dest:  &engine.Object{Bucket: "dest_bucket_name", Key: "dest"},
		Until: time.Date(2019, 1, 20, 11, 20, 7, 0, time.UTC),
	}
}

// The body is that of the documentation, with its moments.
func TestMessage(t *testing.T) {
	t.Parallel()
	url, posts := receiver(t, 200)
	newNotifier(t).Tell(event(engine.EventRule{URLs: []string{url + "/path?x=y"}, Host: "h.example.com", AccessKey: "ak"}))
	got := next(t, posts)
	var body, message map[string]any
	if err := json.Unmarshal([]byte(got.Body), &body); err != nil {
		t.Fatal(err)
	}
	text, _ := body["Message"].(string)
	if err := json.Unmarshal([]byte(text), &message); err != nil {
		t.Fatalf("Message %q: %v", text, err)
	}
	if id, _ := message["reqid"].(string); len(id) != 16 {
		t.Errorf("reqid = %q", id)
	}
	delete(message, "reqid")
	delete(body, "Message")
	wantBody := map[string]any{"Subject": "Qiniu KODO Notification", "Timestamp": "2019-01-15T19:20:07+08:00"}
	if diff := cmp.Diff(wantBody, body); diff != "" {
		t.Errorf("body (-want +got)\n%s", diff)
	}
	want := map[string]any{
		"event": "copy", "time": 1547551207786351434.0, "access_key": "ak", "bucket": "bucket_name", "key": `a "key"`,
		"fsize": 6.0, "hash": "FhWqsP2Lk36zuwGEFpPzXct12i-v", "ftype": 2.0, "mimetype": "text/plain",
		"restore_expiration": "2019-01-20T19:20:07+08:00", "dest_bucket": "dest_bucket_name", "dest_key": "dest",
	}
	if diff := cmp.Diff(want, message); diff != "" {
		t.Errorf("message (-want +got)\n%s", diff)
	}
	got.Body = ""
	// The signature was computed with Python's hmac.
	wantPost := post{"POST", "/path?x=y", "h.example.com", "application/json", "QBox ak:kuV7hVyBCQYFYXQ8BB02h6E7YQQ=", ""}
	if diff := cmp.Diff(wantPost, got); diff != "" {
		t.Errorf("request (-want +got)\n%s", diff)
	}
}

func TestDelivery(t *testing.T) {
	t.Parallel()
	failing, posts := receiver(t, 500, 302, 204)
	n := newNotifier(t)
	n.Tell(event(engine.EventRule{URLs: []string{failing}}))
	first := next(t, posts)
	if second, third := next(t, posts), next(t, posts); second != first || third != first {
		t.Errorf("attempts differ: %+v, %+v, %+v", first, second, third)
	}
	if first.Authorization != "" {
		t.Errorf("a rule without a key signs: %s", first.Authorization)
	}

	// Every URL of every rule is told. The keys of others sign nothing.
	one, ones := receiver(t, 200)
	two, twos := receiver(t, 200)
	n.Tell(event(
		engine.EventRule{URLs: []string{one, two}, AccessKey: "other"},
		engine.EventRule{URLs: []string{two}, AccessKey: "nobody"},
	))
	for _, got := range []post{next(t, ones), next(t, twos), next(t, twos)} {
		if got.Authorization != "" {
			t.Errorf("signed with another account's key: %s", got.Authorization)
		}
	}
	if len(posts)+len(ones)+len(twos) != 0 {
		t.Error("something was told twice")
	}
}

// Close does not wait for those who do not answer, and nothing is sent after it.
func TestClose(t *testing.T) {
	t.Parallel()
	arrived, released := make(chan struct{}, 1), make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		arrived <- struct{}{}
		<-released
	}))
	t.Cleanup(server.Close)
	t.Cleanup(func() { close(released) })
	n := newNotifier(t)
	n.Tell(event(engine.EventRule{URLs: []string{server.URL, "http://127.0.0.1:1/"}}))
	<-arrived
	n.Close()
	url, posts := receiver(t, 200)
	n.Tell(event(engine.EventRule{URLs: []string{url}}))
	n.Close()
	if len(posts) > 0 {
		t.Error("a notification was sent after Close")
	}
}
