package kodo_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/qiniu/terraform-provider-kodo/internal/emulator"
	"github.com/qiniu/terraform-provider-kodo/internal/kodo"
)

func TestConfigIsChecked(t *testing.T) {
	t.Parallel()
	tests := map[string]kodo.Config{
		"no keys":              {},
		"no secret key":        {AccessKey: "a"},
		"no access key":        {SecretKey: "s"},
		"retries":              {AccessKey: "a", SecretKey: "s", MaxRetries: -1},
		"idle timeout":         {AccessKey: "a", SecretKey: "s", IdleTimeout: -1},
		"concurrency":          {AccessKey: "a", SecretKey: "s", Concurrency: -1},
		"endpoint, no scheme":  {AccessKey: "a", SecretKey: "s", Endpoints: kodo.Endpoints{UC: "uc.example.com"}},
		"endpoint with a path": {AccessKey: "a", SecretKey: "s", Endpoints: kodo.Endpoints{CDN: "http://example.com/x"}},
	}
	for name, config := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := kodo.New(config); err == nil {
				t.Error("accepted")
			}
		})
	}
	if got := newClient(t, kodo.Endpoints{}).AccessKeyTail(); got != "7Kq2" {
		t.Errorf("tail %q of %q", got, accessKey)
	}
	if got := newClient(t, kodo.Endpoints{}, func(c *kodo.Config) { c.AccessKey = "abc" }).AccessKeyTail(); got != "abc" {
		t.Errorf("tail %q of abc", got)
	}
}

func TestEndpoints(t *testing.T) {
	t.Parallel()
	for _, good := range []string{"http://127.0.0.1:9797", "https://uc.example.com", "https://uc.example.com/", "http://[::1]:80"} {
		if err := kodo.CheckEndpoint(good); err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
	for _, bad := range []string{
		"", "example.com", "ftp://example.com", "http://", "http://example.com/path", "http://example.com?q", "http://example.com#f",
		"http://user@example.com", "http://example.com:", "http://exa mple.com", "http://a,b", "://x", "http://example.com/?",
	} {
		if err := kodo.CheckEndpoint(bad); err == nil {
			t.Errorf("%q is accepted", bad)
		}
	}
}

// Each service is asked at its own endpoint, and one that has none at the hosts that discovery names.
func TestEachServiceAtItsEndpoint(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	seen := map[string][]string{}
	at := func(name string) string {
		return scripted(t, func(w http.ResponseWriter, r *http.Request) {
			path, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
			mu.Lock()
			seen[name] = append(seen[name], r.Method+" /"+path)
			mu.Unlock()
			switch name {
			case "rs":
				answer(w, 612, `{"error":"no such file or directory"}`)
			case "rsf":
				answer(w, 200, `{}`)
			default:
				_, _ = io.Copy(io.Discard, r.Body)
				answer(w, 200, `{"hash":"`+etagHello+`"}`)
			}
		})
	}
	up, rs, rsf := at("up"), at("rs"), at("rsf")
	uc := scripted(t, func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		seen["uc"] = append(seen["uc"], r.Method+" "+r.URL.Path)
		mu.Unlock()
		answer(w, 200, fmt.Sprintf(`{"hosts":[{"region":"z0","ttl":60,"up":{"domains":["%s"]},"rsf":{"domains":["%s"]},"rs":{"domains":["a.example.com"]}}]}`,
			strings.TrimPrefix(up, "http://"), rsf))
	})
	c := newClient(t, kodo.Endpoints{UC: uc, RS: rs})
	if _, err := c.Put(t.Context(), put("key", hello(), kodo.IfAbsent())); err != nil {
		t.Fatal(err)
	}
	for _, err := range c.Objects(t.Context(), "bucket", kodo.ListOptions{}) {
		t.Fatal(err)
	}
	want := map[string][]string{"uc": {"GET /v4/query"}, "up": {"POST /"}, "rs": {"GET /stat"}, "rsf": {"GET /list"}}
	if diff := cmp.Diff(want, seen); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestTwoAccountsSideBySide(t *testing.T) {
	t.Parallel()
	accounts := []emulator.Account{{AccessKey: "ak-one", SecretKey: "sk-one"}, {AccessKey: "ak-two", SecretKey: "sk-two"}}
	e, err := emulator.New(emulator.Options{Accounts: accounts, Data: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	var both sync.WaitGroup
	for i, account := range accounts {
		c := newClient(t, kodo.Endpoints{UC: e.Endpoint()}, func(c *kodo.Config) {
			c.AccessKey, c.SecretKey = account.AccessKey, account.SecretKey
		})
		bucket := fmt.Sprintf("bucket-%d", i)
		if err := c.CreateBucket(t.Context(), bucket, "z0", true); err != nil {
			t.Fatal(err)
		}
		for n := range 4 {
			both.Go(func() {
				for k := range 10 {
					p := put(fmt.Sprintf("%d/%d", n, k), strings.NewReader(bucket), kodo.IfAbsent())
					p.Bucket = bucket
					if _, err := c.Put(t.Context(), p); err != nil {
						t.Error(err)
						return
					}
				}
				large := put(fmt.Sprintf("%d/large", n), zeros(5*mib), kodo.IfAbsent())
				large.Bucket = bucket
				if stored, err := c.Put(t.Context(), large); err != nil || stored.ETag != etag5MiB {
					t.Errorf("%+v, %v", stored, err)
				}
			})
		}
	}
	both.Wait()
	for i, account := range accounts {
		c := newClient(t, kodo.Endpoints{UC: e.Endpoint()}, func(c *kodo.Config) {
			c.AccessKey, c.SecretKey = account.AccessKey, account.SecretKey
		})
		var names []string
		for b, err := range c.Buckets(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			names = append(names, b.Name)
		}
		if diff := cmp.Diff([]string{fmt.Sprintf("bucket-%d", i)}, names); diff != "" {
			t.Errorf("buckets of %s (-want +got):\n%s", account.AccessKey, diff)
		}
		// What belongs to the other account is an error, and proves nothing about its objects.
		if _, err := c.Stat(t.Context(), fmt.Sprintf("bucket-%d", 1-i), "0/0"); err == nil || kodo.IsGone(err) {
			t.Errorf("an object of the other account: %v", err)
		}
	}
}

func TestWrongKeys(t *testing.T) {
	t.Parallel()
	e, _ := newEmulator(t)
	if err := e.Put("bucket", "key", "", []byte("hello")); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*kodo.Config){
		"wrong secret":       func(c *kodo.Config) { c.SecretKey = "mistyped" },
		"unknown access key": func(c *kodo.Config) { c.AccessKey = "mistyped" },
	} {
		for endpoints, where := range map[string]kodo.Endpoints{"discovery": {UC: e.Endpoint()}, "static": everything(e.Endpoint())} {
			t.Run(name+", "+endpoints, func(t *testing.T) {
				t.Parallel()
				c := newClient(t, where, change)
				if _, err := c.Stat(t.Context(), "bucket", "key"); asError(t, err).RequestID == "" || kodo.IsGone(err) {
					t.Errorf("stat: %v", err)
				}
				if _, err := c.Remove(t.Context(), "bucket", "key", 0, etagHello); err == nil {
					t.Error("remove: no error")
				}
				_, err := c.Put(t.Context(), put("key", hello(), kodo.Always()))
				if err == nil || strings.Contains(err.Error(), "mistyped") {
					t.Errorf("put: %v", err)
				}
				wantContent(t, e, "key", "hello")
			})
		}
	}
}

func TestExchangesAreLogged(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var log []kodo.Exchange
	type mark struct{}
	_, c := newEmulator(t, func(c *kodo.Config) {
		c.Log = func(ctx context.Context, x kodo.Exchange) {
			if ctx.Value(mark{}) == nil {
				t.Error("the log is not given the caller's context")
			}
			mu.Lock()
			defer mu.Unlock()
			log = append(log, x)
		}
	})
	ctx := context.WithValue(t.Context(), mark{}, true)
	if _, err := c.Put(ctx, put("key", hello(), kodo.IfAbsent())); err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, x := range log {
		if x.RequestID == "" || x.Duration <= 0 || x.Err != nil || x.Host == "" || x.Received == 0 {
			t.Errorf("exchange %+v", x)
		}
		if x.Service == "up" && x.Sent < 5 || x.Service != "up" && x.Sent != 0 {
			t.Errorf("%d bytes sent to %s", x.Sent, x.Service)
		}
		lines = append(lines, fmt.Sprintf("%s %s %s %d", x.Method, x.Service, x.Path, x.Status))
	}
	want := []string{"GET uc /v4/query 200", "GET rs /stat/YnVja2V0OmtleQ== 612", "POST up / 200"}
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Neither the log nor an error nor a panic may hold what would let somebody else in.
func TestSecretsStayInside(t *testing.T) {
	t.Parallel()
	var said strings.Builder
	var mu sync.Mutex
	var tokens []string
	url := scripted(t, func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		if h := r.Header.Get("Authorization"); h != "" {
			_, token, _ := strings.Cut(h, " ")
			tokens = append(tokens, token)
		}
		mu.Unlock()
		switch {
		case r.Method == http.MethodGet && strings.HasPrefix(r.URL.Path, "/stat/"):
			answer(w, 612, `{"error":"no such file or directory"}`)
		case strings.HasSuffix(r.URL.Path, "/uploads"):
			answer(w, 200, `{"uploadId":"u1","expireAt":1}`)
		case r.Method == http.MethodPut:
			hangUp(w)
		default:
			mu.Lock()
			tokens = append(tokens, r.PostFormValue("token"), r.FormValue("token"))
			mu.Unlock()
			answer(w, 401, `{"error":"bad token"}`)
		}
	})
	say := func(x any) {
		mu.Lock()
		defer mu.Unlock()
		_, _ = fmt.Fprintf(&said, "%v %+v %#v\n", x, x, x)
	}
	log := func(c *kodo.Config) {
		c.MaxRetries = 1
		c.Log = func(_ context.Context, x kodo.Exchange) { say(x); say(x.Err) }
	}
	ctx := t.Context()
	for _, c := range []*kodo.Client{
		newClient(t, everything(url), log), newClient(t, kodo.Endpoints{UC: url}, log), newClient(t, everything("http://"+free(t)), log),
	} {
		for _, content := range []kodo.Content{hello(), zeros(5 * mib)} {
			_, err := c.Put(ctx, put("key", content, kodo.IfAbsent()))
			say(err)
		}
		_, err := c.Stat(ctx, "bucket", "key")
		say(err)
		say(c.CreateBucket(ctx, "new", "z0", true))
		for _, err := range c.Buckets(ctx) {
			say(err)
		}
	}
	if len(tokens) < 10 {
		t.Fatalf("%d tokens seen, which proves little", len(tokens))
	}
	for _, secret := range append(tokens, accessKey, secretKey, "token=", "QBox ", "Qiniu "+accessKey, "UpToken") {
		if secret != "" && strings.Contains(said.String(), secret) {
			t.Errorf("%q was said", secret)
		}
	}
}

func TestUserAgent(t *testing.T) {
	t.Parallel()
	var agent atomic.Value
	url := scripted(t, func(w http.ResponseWriter, r *http.Request) {
		agent.Store(r.Header.Get("User-Agent"))
		answer(w, 200, statAnswer)
	})
	c := newClient(t, everything(url), func(c *kodo.Config) { c.UserAgent = "terraform-provider-kodo/1.2.3" })
	if _, err := c.Stat(t.Context(), "bucket", "key"); err != nil || agent.Load() != "terraform-provider-kodo/1.2.3" {
		t.Errorf("user agent %q, %v", agent.Load(), err)
	}
}
