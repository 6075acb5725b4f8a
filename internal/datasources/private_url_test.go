package datasources_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/qiniu/terraform-provider-kodo/internal/acctest"
)

const linkType = "kodo_private_url"

// The signature is the published one, for the keys ak and sk.
func TestPrivateURLVector(t *testing.T) {
	t.Parallel()
	server := acctest.New(t).Server(acctest.Values{"access_key": "ak", "secret_key": "sk"})
	const want = "http://dn.example.com/k1?e=1893456000&token=ak:518MgLnFd7kyo1sw_Eozg5n23Eg="
	for name, config := range map[string]acctest.Values{
		"url":            {"url": "http://dn.example.com/k1"},
		"key and domain": {"key": "k1", "domain": "http://dn.example.com"},
	} {
		for kind, ask := range map[string]func(string, acctest.Values) (acctest.Values, acctest.Diagnostics){
			"data source": server.ReadData, "ephemeral resource": server.OpenEphemeral,
		} {
			got, diags := ask(linkType, config.With(acctest.Values{"expires_at": "2030-01-01T00:00:00Z"}))
			if diags.HasErrors() || got["signed_url"] != want {
				t.Errorf("%s, %s: %v, %s; want %s", kind, name, got["signed_url"], diags, want)
			}
		}
	}
}

// Links to every key are accepted by a server that verifies them with other code,
// and lead to the object of that very key.
func TestPrivateURLDownloads(t *testing.T) {
	t.Parallel()
	h := acctest.New(t, "assets")
	domain, err := h.DownloadHost("assets")
	if err != nil {
		t.Fatal(err)
	}
	server := h.Server(nil)
	for _, key := range []string{"plain.txt", "a b/ü/名.txt", "/leading", "a//b", "100%.txt", "q?x=1&y#z", "plus+", "semi;colon:at@", `quote"'`, "tab\tnewline\n", "🎉"} {
		if err := h.Put("assets", key, "text/plain", []byte(key)); err != nil {
			t.Fatal(err)
		}
		for name, more := range map[string]acctest.Values{
			"plain":   nil,
			"attname": {"attname": "my file & more.txt"},
			"query":   {"query": "v=1&x-y=%20"},
			"both":    {"query": "v=1", "attname": "ü"},
		} {
			got, diags := server.ReadData(linkType, acctest.Values{"domain": domain, "key": key}.With(more))
			if diags.HasErrors() {
				t.Fatalf("%q %s: %s", key, name, diags)
			}
			link, _ := got["signed_url"].(string)
			if status, body := get(t, link); status != http.StatusOK || body != key {
				t.Errorf("%q %s: GET %s = %d %q", key, name, link, status, body)
			}
			if status, _ := get(t, strings.Replace(link, "e=", "e=1", 1)); status != http.StatusUnauthorized {
				t.Errorf("%q %s: a changed deadline is answered with %d", key, name, status)
			}
		}
	}
}

func get(t *testing.T, link string) (status int, body string) {
	t.Helper()
	resp, err := http.Get(link)
	if err != nil {
		t.Fatal(err)
	}
	content, err := io.ReadAll(resp.Body)
	if closed := resp.Body.Close(); err == nil {
		err = closed
	}
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(content)
}

// Two plans of one window get the same link, the first of the next another.
func TestPrivateURLStable(t *testing.T) {
	t.Parallel()
	h := acctest.New(t)
	config := acctest.Values{"url": "https://cdn.example.com/a?v=1", "expires_in": "10m", "window": "24h"}
	at := func(now time.Time) any {
		t.Helper()
		h.SetClock(func() time.Time { return now })
		got, diags := h.Server(nil).ReadData(linkType, config)
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		return got["signed_url"]
	}
	morning := at(time.Date(2026, 11, 25, 0, 0, 1, 0, time.UTC))
	if evening := at(time.Date(2026, 11, 25, 23, 59, 59, 0, time.UTC)); evening != morning {
		t.Errorf("in one window: %v, then %v", morning, evening)
	}
	if next := at(time.Date(2026, 11, 26, 0, 0, 1, 0, time.UTC)); next == morning {
		t.Errorf("the next window has the same link: %v", next)
	}
}

func TestPrivateURLRefusals(t *testing.T) {
	t.Parallel()
	server := acctest.New(t).Server(nil)
	for name, tt := range map[string]struct {
		config acctest.Values
		path   string
	}{
		"nothing":         {acctest.Values{}, "key"},
		"url and key":     {acctest.Values{"url": "https://a.example.com/", "key": "k"}, "key"},
		"url and domain":  {acctest.Values{"url": "https://a.example.com/", "domain": "b.example.com"}, "domain"},
		"no url":          {acctest.Values{"url": "a.example.com"}, "url"},
		"signed url":      {acctest.Values{"url": "https://a.example.com/?e=1&token=x"}, "url"},
		"no domain":       {acctest.Values{"key": "k", "bucket": "assets"}, "domain"},
		"domain and path": {acctest.Values{"key": "k", "domain": "a.example.com/b"}, "domain"},
		"query":           {acctest.Values{"key": "k", "domain": "a.example.com", "query": "?x"}, "query"},
		"deadline":        {acctest.Values{"key": "k", "domain": "a.example.com", "expires_at": "2020-01-01T00:00:00Z"}, "expires_at"},
		"window":          {acctest.Values{"key": "k", "domain": "a.example.com", "expires_at": "2030-01-01T00:00:00Z", "window": "1h"}, "window"},
	} {
		t.Run(name, func(t *testing.T) {
			got, diags := server.ReadData(linkType, tt.config)
			if !diags.HasErrors() {
				t.Fatalf("no refusal but %v", got)
			}
			if at := diags.Errors()[0].Attribute.String(); at != `AttributeName("`+tt.path+`")` {
				t.Errorf("refused at %s, not %s: %s", at, tt.path, diags)
			}
		})
	}
}

// The provider's domain serves the provider's bucket and no other.
func TestPrivateURLDefaults(t *testing.T) {
	t.Parallel()
	server := acctest.New(t).Server(acctest.Values{"bucket": "assets", "domain": "cdn.example.com"})
	for name, config := range map[string]acctest.Values{"no bucket": {"key": "k"}, "that bucket": {"key": "k", "bucket": "assets"}} {
		got, diags := server.ReadData(linkType, config)
		if link, _ := got["signed_url"].(string); diags.HasErrors() || !strings.HasPrefix(link, "http://cdn.example.com/k?e=") {
			t.Errorf("%s: %q, %s", name, link, diags)
		}
	}
	if _, diags := server.ReadData(linkType, acctest.Values{"key": "k", "bucket": "other"}); !diags.HasErrors() || diags.Errors()[0].Summary != "Domain Missing" {
		t.Errorf("another bucket: %s", diags)
	}
}
