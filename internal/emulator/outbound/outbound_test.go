package outbound_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/qiniu/terraform-provider-kodo/internal/emulator/auth"
	"github.com/qiniu/terraform-provider-kodo/internal/emulator/outbound"
)

func newClient(t *testing.T, allowRemote bool) *outbound.Client {
	t.Helper()
	verifier := auth.NewVerifier(func(ak string) (string, bool) { return "MY_SECRET_KEY", ak == "MY_ACCESS_KEY" }, time.Now)
	c := outbound.New(outbound.Config{Verifier: verifier, AllowRemote: allowRemote})
	t.Cleanup(c.Close)
	return c
}

func serve(t *testing.T, handle http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewServer(handle)
	t.Cleanup(server.Close)
	return server.URL
}

func TestPost(t *testing.T) {
	t.Parallel()
	var got []string
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got = []string{r.Method, r.Host, r.URL.String(), r.Header.Get("Content-Type"), r.Header.Get("Authorization"), string(body)}
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(302)
		w.Write([]byte("answer")) //nolint:errcheck // Post tells.
	})
	answer, err := newClient(t, false).Post(t.Context(), outbound.Message{
		URL: url + "/move/bmV3ZG9jczpmaW5kX21hbi50eHQ=/bmV3ZG9jczpmaW5kLm1hbi50eHQ=", Host: "callback.example.com",
		ContentType: "application/json", Body: []byte("{}"), Scheme: auth.QBox, AccessKey: "MY_ACCESS_KEY",
	})
	if err != nil || answer.Status != 302 || string(answer.Body) != "answer" {
		t.Errorf("Post() = %+v, %v, want the redirect as the answer", answer, err)
	}
	want := []string{
		"POST", "callback.example.com", "/move/bmV3ZG9jczpmaW5kX21hbi50eHQ=/bmV3ZG9jczpmaW5kLm1hbi50eHQ=", "application/json",
		"QBox MY_ACCESS_KEY:FXsYh0wKHYPEsIAgdPD9OfjkeEM=", "{}",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("what the server got (-want +got)\n%s", diff)
	}
}

// TestOtherMachines uses addresses that nobody has (RFC 5737, RFC 3849), and
// those that stand for this machine without being loopback.
func TestOtherMachines(t *testing.T) {
	t.Parallel()
	post := func(c *outbound.Client, url string) error {
		_, err := c.Post(t.Context(), outbound.Message{URL: url, Scheme: auth.QBox, AccessKey: "MY_ACCESS_KEY"})
		return err
	}
	c := newClient(t, false)
	for _, host := range []string{"192.0.2.1", "192.0.2.1:443", "0.0.0.0:80", "[2001:db8::1]", "[::]:80", "[::ffff:192.0.2.1]", "169.254.169.254"} {
		if err := post(c, "http://"+host+"/"); !errors.Is(err, outbound.ErrNotLoopback) {
			t.Errorf("Post to %s = %v, want ErrNotLoopback", host, err)
		}
	}
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "http://192.0.2.1/", http.StatusFound)
	})
	if res, err := c.Get(t.Context(), url, ""); !errors.Is(err, outbound.ErrNotLoopback) {
		t.Errorf("Get that is redirected to another machine = %v, %v, want ErrNotLoopback", res, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := newClient(t, true).Post(ctx, outbound.Message{URL: "http://192.0.2.1/", Scheme: auth.QBox, AccessKey: "MY_ACCESS_KEY"})
	if err == nil || errors.Is(err, outbound.ErrNotLoopback) {
		t.Errorf("Post with leave for other machines = %v, want the network's error", err)
	}
}

func TestNoURL(t *testing.T) {
	t.Parallel()
	c := newClient(t, false)
	for _, url := range []string{"", "127.0.0.1", "file:///etc/passwd", "http:///x", "http://127.0.0.1:x/", "://", "ftp://127.0.0.1/"} {
		if _, err := c.Post(t.Context(), outbound.Message{URL: url, Scheme: auth.QBox, AccessKey: "MY_ACCESS_KEY"}); err == nil {
			t.Errorf("Post(%q) = nil, want an error", url)
		}
		if _, err := c.Get(t.Context(), url, ""); err == nil {
			t.Errorf("Get(%q) = nil, want an error", url)
		}
	}
}

func TestLongAnswer(t *testing.T) {
	t.Parallel()
	url := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Write(make([]byte, 1<<20+1)) //nolint:errcheck // The client hangs up.
	})
	c := newClient(t, false)
	if answer, err := c.Post(t.Context(), outbound.Message{URL: url, Scheme: auth.QBox, AccessKey: "MY_ACCESS_KEY"}); err == nil {
		t.Errorf("Post() = %d bytes, want an error", len(answer.Body))
	}
	res, err := c.Get(t.Context(), url, "fetch.example.com")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if n, err := io.Copy(io.Discard, res.Body); n != 1<<20+1 || err != nil || res.Request.Host != "fetch.example.com" {
		t.Errorf("Get() = %d bytes, %v, from %s", n, err, res.Request.Host)
	}
}

func TestCloseEndsRequests(t *testing.T) {
	t.Parallel()
	arrived, release := make(chan bool, 2), make(chan bool)
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			w.WriteHeader(200)
			w.(http.Flusher).Flush()
		}
		arrived <- true
		<-release
	})
	defer close(release)
	c := newClient(t, false)
	res, err := c.Get(t.Context(), url, "")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	ended := make(chan error, 1)
	go func() {
		_, err := c.Post(context.Background(), outbound.Message{URL: url, Scheme: auth.QBox, AccessKey: "MY_ACCESS_KEY"})
		ended <- err
	}()
	<-arrived
	<-arrived
	c.Close()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("Post() = %v, want context.Canceled", err)
	}
	if _, err := io.ReadAll(res.Body); !errors.Is(err, context.Canceled) {
		t.Errorf("reading the answer to Get = %v, want context.Canceled", err)
	}
}
