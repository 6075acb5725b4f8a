package provider_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/qiniu/terraform-provider-kodo/internal/acctest"
)

// Whoever refuses or does not answer proves nothing about what exists: a plan
// and an apply with wrong keys or a wrong endpoint leave the state and the
// server as they were, and say what is wrong with which keys.
func TestWrongProviderNeverEmptiesTheState(t *testing.T) {
	t.Parallel()
	website := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(website.Close)
	answersAll := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if _, err := w.Write([]byte("{}")); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(answersAll.Close)
	nobody := httptest.NewServer(http.NotFoundHandler())
	nobody.Close()

	keys := []string{"the provider block", `"` + acctest.OtherAccessKey[len(acctest.OtherAccessKey)-4:] + `"`, "request id"}
	for name, test := range map[string]struct {
		change acctest.Values
		says   []string
	}{
		"another account's keys": {acctest.Values{"access_key": acctest.OtherAccessKey, "secret_key": acctest.OtherSecretKey}, append(keys, "another account")},
		"a mistyped secret key":  {acctest.Values{"access_key": acctest.OtherAccessKey, "secret_key": "mistyped"}, append(keys, "401", "bad token")},
		"a plain web server":     {acctest.Values{"endpoint": website.URL}, []string{"is not Kodo", "404", "endpoint"}},
		"a server of anything":   {acctest.Values{"endpoint": answersAll.URL}, []string{"is not Kodo", "endpoint"}},
		"nobody":                 {acctest.Values{"endpoint": nobody.URL}, []string{"no answer", "endpoint"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := acctest.New(t)
			s, bucket, object := published(t, h)
			destroyObject, destroyAll := s.Plan(assets), s.Plan()
			h.ResetRequests()

			for argument, value := range test.change {
				s.Provider[argument] = value
			}
			refresh := s.Plan(assets, page("hello"))
			expectErrors(t, "refresh of both", refresh.Diagnostics, 2, test.says)
			expectErrors(t, "destroy of the object", s.Apply(destroyObject), 1, test.says)
			expectErrors(t, "destroy of both", s.Apply(destroyAll), 2, test.says)

			if diff := cmp.Diff(bucket, s.State("kodo_bucket.assets")); diff != "" {
				t.Errorf("the bucket's state changed (-before +after):\n%s", diff)
			}
			if diff := cmp.Diff(object, s.State("kodo_object.page")); diff != "" {
				t.Errorf("the object's state changed (-before +after):\n%s", diff)
			}
			if got, err := h.Content("assets", "index.html"); err != nil || string(got) != "hello" {
				t.Errorf("the object on the server is %q, %v", got, err)
			}
		})
	}
}

// expectErrors expects n errors, each of which says all of this.
func expectErrors(t *testing.T, of string, diags acctest.Diagnostics, n int, says []string) {
	t.Helper()
	if got := len(diags.Errors()); got != n {
		t.Errorf("%s: there are %d errors, want %d:\n%s", of, got, n, diags)
	}
	for _, d := range diags.Errors() {
		for _, text := range says {
			if !strings.Contains(d.Detail, text) {
				t.Errorf("%s: the detail does not say %s: %s: %s", of, text, d.Summary, d.Detail)
			}
		}
		if strings.Contains(d.Detail, acctest.OtherSecretKey) || strings.Contains(d.Detail, "mistyped") {
			t.Errorf("%s: the detail holds a secret key: %s", of, d.Detail)
		}
	}
}
