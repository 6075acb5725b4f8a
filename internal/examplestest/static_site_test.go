//go:build unix

package examplestest

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/qiniu/terraform-provider-kodo/internal/emulator"
)

// TestStaticSiteGuide publishes the site of the guide, and changes it: the headers are those that the guide promises,
// and the CDN is told of the page that changed.
func TestStaticSiteGuide(t *testing.T) {
	t.Parallel()
	tf := newTerraform(t)
	kodo := newEmulator(t)
	ws := tf.workspace(t, kodo, filepath.Join(tf.root, "examples", "guides", "static-site", "site.tf"))
	apply(t, ws)
	wantEmptyPlan(t, ws)
	for key, want := range map[string]string{
		"index.html":             "text/html; charset=utf-8, no-cache",
		"about/index.html":       "text/html; charset=utf-8, no-cache",
		"assets/site.b81c20.css": "text/css, public, max-age=31536000, immutable",
	} {
		o, err := kodo.Engine().Stat(emulator.DefaultAccount().AccessKey, "acme-site", key)
		if got := o.MimeType + ", " + o.Meta["!Cache-Control"]; err != nil || got != want {
			t.Errorf("%s is served with %q, %v, want %q", key, got, err, want)
		}
	}
	keys, err := kodo.Keys("acme-site")
	if diff := cmp.Diff([]string{"about/index.html", "assets/site.b81c20.css", "index.html"}, keys); err != nil || diff != "" {
		t.Errorf("keys %v (-want +got):\n%s", err, diff)
	}
	edit(t, ws, "public/index.html", "since 1898", "since 1897")
	if err := os.Remove(filepath.Join(ws.Dir(), "public", "about", "index.html")); err != nil {
		t.Fatal(err)
	}
	writes(kodo)
	apply(t, ws)
	if made := writes(kodo); made[len(made)-1] != "POST cdn /v2/tune/refresh" {
		t.Errorf("the CDN is not told last: %q", made)
	}
	var changes struct {
		Added            int
		Changed, Deleted []string
	}
	if err := ws.Output(t.Context(), "changes", &changes); err != nil {
		t.Fatal(err)
	}
	if changes.Added != 0 || !cmp.Equal(changes.Changed, []string{"index.html"}) || !cmp.Equal(changes.Deleted, []string{"about/index.html"}) {
		t.Errorf("changes: %+v", changes)
	}
	if o, err := kodo.Engine().Stat(emulator.DefaultAccount().AccessKey, "acme-site", "about/index.html"); err != nil || o.DeletesAt == 0 {
		t.Errorf("the removed page does not expire: %+v, %v", o, err)
	}
	wantEmptyPlan(t, ws)
}

// TestStagingGuide publishes the private copy of a branch: only who has the link sees it.
func TestStagingGuide(t *testing.T) {
	t.Parallel()
	tf := newTerraform(t)
	kodo := newEmulator(t)
	ws := tf.workspace(t, kodo, filepath.Join(tf.root, "examples", "guides", "static-site", "staging.tf"))
	apply(t, ws)
	wantEmptyPlan(t, ws)
	var link string
	if err := ws.Output(t.Context(), "review", &link); err != nil {
		t.Fatal(err)
	}
	page := read(t, filepath.Join(ws.Dir(), "public", "index.html"))
	unsigned, _, _ := strings.Cut(link, "?")
	for at, want := range map[string]int{link: http.StatusOK, unsigned: http.StatusUnauthorized} {
		resp, err := http.Get(at) //nolint:noctx // a test of what anybody sees
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		if err := resp.Body.Close(); err != nil {
			t.Fatal(err)
		}
		if resp.StatusCode != want || want == http.StatusOK && string(text) != page {
			t.Errorf("%s: %d %s, want %d", at, resp.StatusCode, text, want)
		}
	}
	destroy(t, ws)
	wantBuckets(t, kodo, nil)
}
