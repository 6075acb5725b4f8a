package provider_test

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/path"

	"github.com/qiniu/terraform-provider-kodo/internal/acctest"
	"github.com/qiniu/terraform-provider-kodo/internal/kodo"
)

// signature is Qiniu's management signature of a request as it arrived, written
// from Qiniu's documentation of the header "Authorization: Qiniu <AccessKey>:<sign>".
func signature(secret string, r *http.Request, body []byte) string {
	mac := hmac.New(sha1.New, []byte(secret))
	fmt.Fprintf(mac, "%s %s\nHost: %s\n", r.Method, r.URL.RequestURI(), r.Host)
	contentType := r.Header.Get("Content-Type")
	if contentType != "" {
		fmt.Fprintf(mac, "Content-Type: %s\n", contentType)
	}
	var names []string
	for name := range r.Header {
		if strings.HasPrefix(name, "X-Qiniu-") {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		fmt.Fprintf(mac, "%s: %s\n", name, r.Header.Get(name))
	}
	fmt.Fprint(mac, "\n")
	if contentType != "" && contentType != "application/octet-stream" {
		mac.Write(body)
	}
	return base64.URLEncoding.EncodeToString(mac.Sum(nil))
}

// witness is a server that refuses everything, and says of each request whose
// access key it names and which of the secret keys it is signed with.
func witness(t *testing.T, secrets ...string) (url string, signers <-chan string) {
	t.Helper()
	seen := make(chan string, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		access, sign, _ := strings.Cut(strings.TrimPrefix(r.Header.Get("Authorization"), "Qiniu "), ":")
		signer := access + " with a secret key that the test does not know"
		for _, secret := range secrets {
			if sign == signature(secret, r, body) {
				signer = access + " with " + secret
			}
		}
		seen <- signer
		w.Header().Set("X-Reqid", "r1")
		w.WriteHeader(http.StatusUnauthorized)
	}))
	t.Cleanup(server.Close)
	return server.URL, seen
}

const profiles = `
[default]
access_key = "ak-default"
secret_key = "sk-default"
bucket_url = "http://127.0.0.1:1"

[work]
access_key = "ak-work"
secret_key = "sk-work"

[play]
access_key = "ak-play"
secret_key = "sk-play"

[half]
secret_key = "sk-half"

[broken]
access_key = 17

[empty]
`

// homeWith makes a home folder with the file of the SDK's profiles.
func homeWith(t *testing.T, text string) string {
	t.Helper()
	home := t.TempDir()
	if err := os.MkdirAll(filepath.Join(home, ".qiniu"), 0o700); err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(home, ".qiniu", "config.toml"), text)
	return home
}

func writeFile(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestKeysComeFromTheFirstSource(t *testing.T) {
	t.Parallel()
	other := filepath.Join(t.TempDir(), "other.toml")
	writeFile(t, other, "[default]\naccess_key = 'ak-other'\nsecret_key = 'sk-other'\n")
	everything := map[string]string{
		"QINIU_ACCESS_KEY": "ak-env", "QINIU_SECRET_KEY": "sk-env", "QINIU_PROFILE": "play",
	}
	for name, test := range map[string]struct {
		block acctest.Values
		env   map[string]string
		want  string
	}{
		"block":                                {acctest.Values{"access_key": "ak-block", "secret_key": "sk-block", "profile": "work"}, everything, "ak-block with sk-block"},
		"profile in the block":                 {acctest.Values{"profile": "work"}, everything, "ak-work with sk-work"},
		"environment":                          {nil, everything, "ak-env with sk-env"},
		"profile in the environment":           {nil, map[string]string{"QINIU_PROFILE": "play"}, "ak-play with sk-play"},
		"default profile":                      {nil, nil, "ak-default with sk-default"},
		"default profile of another file":      {nil, map[string]string{"QINIU_CONFIG_FILE": other}, "ak-other with sk-other"},
		"empty variables count as unset":       {nil, map[string]string{"QINIU_ACCESS_KEY": "", "QINIU_SECRET_KEY": "", "QINIU_PROFILE": ""}, "ak-default with sk-default"},
		"half a pair in a source that is late": {acctest.Values{"profile": "work"}, map[string]string{"QINIU_ACCESS_KEY": "ak-env"}, "ak-work with sk-work"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url, signers := witness(t, "sk-block", "sk-work", "sk-env", "sk-play", "sk-default", "sk-other")
			block := acctest.Values{"endpoint": url}
			for argument, value := range test.block {
				block[argument] = value
			}
			data := configured(t.Context(), t, environment(test.env, homeWith(t, profiles)), block)
			if _, err := data.Client.Bucket(t.Context(), "assets"); err == nil {
				t.Fatal("a 401 gave no error")
			}
			if got := <-signers; got != test.want {
				t.Errorf("the request was signed by %s, want %s", got, test.want)
			}
		})
	}
}

// Two aliases of one process, at one endpoint and at the same time, keep to
// their own accounts: each sees its own bucket and not the other's.
func TestTwoAccountsSideBySide(t *testing.T) {
	t.Parallel()
	h := acctest.New(t, "first")
	if _, err := h.Engine().CreateBucket(acctest.OtherAccessKey, "other", "z0", true); err != nil {
		t.Fatal(err)
	}
	for _, alias := range []struct{ access, secret, own, foreign string }{
		{acctest.AccessKey, acctest.SecretKey, "first", "other"},
		{acctest.OtherAccessKey, acctest.OtherSecretKey, "other", "first"},
	} {
		t.Run(alias.own, func(t *testing.T) {
			t.Parallel()
			data := configured(t.Context(), t, environment(nil, t.TempDir()), acctest.Values{
				"access_key": alias.access, "secret_key": alias.secret, "endpoint": h.Endpoint(),
			})
			for range 20 {
				if _, err := data.Client.Bucket(t.Context(), alias.own); err != nil {
					t.Errorf("the account's own bucket: %v", err)
				}
				if _, err := data.Client.Bucket(t.Context(), alias.foreign); kodo.CodeOf(err) != 631 {
					t.Errorf("the other account's bucket: %v, want 631", err)
				}
			}
		})
	}
}

func TestFaultyKeys(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	missing := filepath.Join(dir, "missing.toml")
	notTOML := filepath.Join(dir, "broken.toml")
	writeFile(t, notTOML, "[default]\nsecret_key = sk-unquoted-secret\n")
	for name, test := range map[string]struct {
		block   acctest.Values
		env     map[string]string
		noFile  bool
		on      string
		summary string
		says    []string
	}{
		"nothing anywhere": {
			noFile: true, on: "access_key", summary: "Missing Keys",
			says: []string{"access_key and secret_key", "profile in the provider block", "QINIU_ACCESS_KEY", "QINIU_SECRET_KEY", "QINIU_PROFILE", `"default"`, "~/.qiniu/config.toml", "QINIU_CONFIG_FILE"},
		},
		"block without secret key": {
			block: acctest.Values{"access_key": "ak"}, on: "secret_key", summary: "Half a Pair of Keys",
			says: []string{"the provider block", "access_key but not secret_key"},
		},
		"block without access key": {
			block: acctest.Values{"secret_key": "sk-block"}, on: "access_key", summary: "Half a Pair of Keys",
			says: []string{"secret_key but not access_key"},
		},
		"environment without secret key": {
			env: map[string]string{"QINIU_ACCESS_KEY": "ak"}, on: "secret_key", summary: "Half a Pair of Keys",
			says: []string{"QINIU_ACCESS_KEY but not QINIU_SECRET_KEY"},
		},
		"environment without access key": {
			env: map[string]string{"QINIU_SECRET_KEY": "sk-env"}, on: "access_key", summary: "Half a Pair of Keys",
			says: []string{"QINIU_SECRET_KEY but not QINIU_ACCESS_KEY"},
		},
		"environment with a line break": {
			env: map[string]string{"QINIU_ACCESS_KEY": "ak", "QINIU_SECRET_KEY": "sk-env\n"}, on: "secret_key", summary: "Invalid Key",
			says: []string{"QINIU_SECRET_KEY", "white space"},
		},
		"profile that is half": {
			block: acctest.Values{"profile": "half"}, on: "access_key", summary: "Half a Pair of Keys",
			says: []string{`profile "half"`, "secret_key but not access_key"},
		},
		"profile that is empty": {
			block: acctest.Values{"profile": "empty"}, on: "profile", summary: "Profile Not Read",
			says: []string{`profile "empty"`, "no keys"},
		},
		"profile of the wrong types": {
			block: acctest.Values{"profile": "broken"}, on: "profile", summary: "Profile Not Read",
			says: []string{`profile "broken"`, "strings"},
		},
		"profile that is missing": {
			block: acctest.Values{"profile": "absent"}, on: "profile", summary: "Profile Not Read",
			says: []string{`profile "absent"`, "profile in the provider block", "broken, default, empty, half, play, work"},
		},
		"profile of the environment that is missing": {
			env: map[string]string{"QINIU_PROFILE": "absent"}, on: "profile", summary: "Profile Not Read",
			says: []string{`profile "absent"`, "QINIU_PROFILE"},
		},
		"profile without a file": {
			block: acctest.Values{"profile": "work"}, noFile: true, on: "profile", summary: "Profile Not Read",
			says: []string{"config.toml"},
		},
		"named file that is missing": {
			env: map[string]string{"QINIU_CONFIG_FILE": missing}, on: "access_key", summary: "Configuration File Not Read",
			says: []string{"missing.toml"},
		},
		"file that is not TOML": {
			env: map[string]string{"QINIU_CONFIG_FILE": notTOML}, on: "access_key", summary: "Configuration File Not Read",
			says: []string{"broken.toml", "line 2"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			home := t.TempDir()
			if !test.noFile {
				home = homeWith(t, profiles)
			}
			resp := configure(t.Context(), t, environment(test.env, home), test.block)
			expectError(t, resp.Diagnostics, path.Root(test.on), test.summary, test.says...)
			for _, secret := range []string{"sk-block", "sk-env", "sk-half", "sk-default", "sk-unquoted"} {
				if text := fmt.Sprint(resp.Diagnostics); strings.Contains(text, secret) {
					t.Errorf("the diagnostic holds the secret %s: %s", secret, text)
				}
			}
		})
	}
}
