//go:build unix

package examplestest

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/qiniu/terraform-provider-kodo/internal/emulator"
	"github.com/qiniu/terraform-provider-kodo/internal/emulator/engine"
	"github.com/qiniu/terraform-provider-kodo/internal/workspace"
)

// news applies an example behind a CDN that keeps what it has served.
func news(t *testing.T, tf terraform, settings emulator.CDN, example string) (*emulator.Emulator, *workspace.Workspace) {
	t.Helper()
	kodo := newEmulator(t)
	if err := kodo.Engine().SetCDN(settings); err != nil {
		t.Fatal(err)
	}
	return kodo, tf.workspace(t, kodo, filepath.Join(tf.root, "examples", filepath.FromSlash(example)))
}

// edit changes a word of a workspace's configuration.
func edit(t *testing.T, ws *workspace.Workspace, name, before, after string) {
	t.Helper()
	file := filepath.Join(ws.Dir(), name)
	text := read(t, file)
	if !strings.Contains(text, before) {
		t.Fatalf("%s does not say %s", name, before)
	}
	if err := os.WriteFile(file, []byte(strings.ReplaceAll(text, before, after)), 0o600); err != nil {
		t.Fatal(err)
	}
}

// visit is what the CDN serves.
func visit(t *testing.T, kodo *emulator.Emulator, key string) string {
	t.Helper()
	proxy, err := url.Parse(kodo.Endpoint())
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://www.acme.example/"+key, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := (&http.Transport{Proxy: http.ProxyURL(proxy), DisableKeepAlives: true}).RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(resp.Body)
	if closed := resp.Body.Close(); err == nil {
		err = closed
	}
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestCDNExample changes one page of the example twice in a row, and a page behind
// Terraform's back: a visitor sees each change of the first after its apply, and the
// second as the CDN has kept it.
func TestCDNExample(t *testing.T) {
	t.Parallel()
	tf := newTerraform(t)
	for _, example := range []string{"resources/kodo_cdn_refresh/resource.tf", "actions/kodo_cdn_refresh/action.tf"} {
		if strings.HasPrefix(example, "actions") && !tf.release.Actions() {
			continue // protocol-level tests invoke them always
		}
		t.Run(example, func(t *testing.T) {
			t.Parallel()
			kodo, ws := news(t, tf, emulator.CDN{Stale: true}, example)
			apply(t, ws)
			const first, archive = "<h1>Today</h1>", "<h1>Before</h1>"
			sees := func(when, index string) {
				t.Helper()
				if got := [2]string{visit(t, kodo, "index.html"), visit(t, kodo, "archive.html")}; got != [2]string{index, archive} {
					t.Errorf("%s: a visitor sees %q", when, got)
				}
			}
			sees("made", first)
			if err := kodo.Put("acme-news", "archive.html", "text/html", []byte("something else")); err != nil {
				t.Fatal(err)
			}
			sees("changed by somebody else", first)
			if err := kodo.Put("acme-news", "archive.html", "text/html", []byte(archive)); err != nil {
				t.Fatal(err)
			}
			for _, change := range [][2]string{{"Today", "Tomorrow"}, {"Tomorrow", "Today"}} {
				edit(t, ws, filepath.Base(example), change[0], change[1])
				writes(kodo)
				apply(t, ws)
				if diff := cmp.Diff([]string{"POST up /", "POST cdn /v2/tune/refresh"}, writes(kodo)); diff != "" {
					t.Errorf("requests of the change to %s (-want +got):\n%s", change[1], diff)
				}
				sees("changed to "+change[1], "<h1>"+change[1]+"</h1>")
			}
			wantEmptyPlan(t, ws)
		})
	}
}

// TestCDNOfDirectory changes, removes and adds files of a directory: what has changed
// and what is gone is refreshed when all is uploaded, and nothing else; also the same
// file twice in a row.
func TestCDNOfDirectory(t *testing.T) {
	t.Parallel()
	kodo, ws := news(t, newTerraform(t), emulator.CDN{Stale: true}, "guides/cdn/directory.tf")
	sees := func(when string, want map[string]string) {
		t.Helper()
		got := map[string]string{}
		for key := range want {
			got[key] = visit(t, kodo, key)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: a visitor sees (-want +got):\n%s", when, diff)
		}
	}
	// step applies, and wants one request to the CDN, the last one, for these keys.
	step := func(when string, refreshed ...string) {
		t.Helper()
		writes(kodo)
		if err := kodo.Engine().ForgetCDNTasks(); err != nil {
			t.Fatal(err)
		}
		apply(t, ws)
		tasks, err := kodo.Engine().CDNTasks(engine.CDNFilter{Owner: emulator.DefaultAccount().AccessKey, Kind: engine.CDNRefresh})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, task := range tasks {
			got = append(got, strings.TrimPrefix(task.URL, "https://www.acme.example/"))
		}
		if diff := cmp.Diff(refreshed, got); diff != "" {
			t.Errorf("%s: refreshed (-want +got):\n%s", when, diff)
		}
		if all := writes(kodo); len(refreshed) > 0 && all[len(all)-1] != "POST cdn /v2/tune/refresh" {
			t.Errorf("%s: requests %q", when, all)
		}
		wantEmptyPlan(t, ws)
	}
	const index, about, old = "<h1>Today</h1>\n", "<h1>About us</h1>\n", "<h1>Last year</h1>\n"
	step("made")
	sees("made", map[string]string{"index.html": index, "about.html": about, "2025/all%20news.html": old})
	edit(t, ws, "public/index.html", "Today", "Tomorrow")
	if err := os.Rename(filepath.Join(ws.Dir(), "public", "2025"), filepath.Join(ws.Dir(), "public", "2024")); err != nil {
		t.Fatal(err)
	}
	step("changed, removed and added", "2025/all%20news.html", "index.html")
	sees("changed, removed and added", map[string]string{
		"index.html": "<h1>Tomorrow</h1>\n", "about.html": about, "2024/all%20news.html": old, "2025/all%20news.html": `{"error":"Document not found"}`,
	})
	edit(t, ws, "public/index.html", "Tomorrow", "Today")
	step("changed again", "index.html")
	sees("changed again", map[string]string{"index.html": index, "about.html": about})
	edit(t, ws, "public/about.html", "us", "them")
	if err := os.WriteFile(filepath.Join(ws.Dir(), "public", "new.html"), []byte("new"), 0o600); err != nil {
		t.Fatal(err)
	}
	step("another changed, and one added", "about.html")
	if err := os.WriteFile(filepath.Join(ws.Dir(), "public", "newer.html"), []byte("newer"), 0o600); err != nil {
		t.Fatal(err)
	}
	step("only added")
}

// TestCDNInterrupted interrupts Terraform while it waits for the CDN: the state has
// what was submitted, and nothing is submitted again.
func TestCDNInterrupted(t *testing.T) {
	t.Parallel()
	tf := newTerraform(t)
	kodo, ws := news(t, tf, emulator.CDN{Delay: time.Hour}, "resources/kodo_cdn_prefetch/resource.tf")
	ctx, interrupt := context.WithCancel(t.Context())
	go func() {
		defer interrupt()
		for t.Context().Err() == nil && !asked(kodo, "/v2/tune/refresh/list") {
			time.Sleep(time.Millisecond)
		}
	}()
	if err := ws.Apply(ctx); err == nil {
		t.Fatal("an interrupted apply succeeded")
	}
	wantState(t, ws, "kodo_bucket.news", "kodo_cdn_refresh.edition", "kodo_object.edition")
	if out, err := ws.Run(t.Context(), "state", "show", "-no-color", "kodo_cdn_refresh.edition"); err != nil ||
		!strings.Contains(string(out), `"PROCESSING"`) || strings.Contains(string(out), "tainted") {
		t.Errorf("%v\n%s", err, out)
	}
	if err := kodo.Engine().Advance(time.Hour); err != nil {
		t.Fatal(err)
	}
	if err := kodo.Engine().SetCDN(emulator.CDN{}); err != nil {
		t.Fatal(err)
	}
	writes(kodo)
	apply(t, ws)
	if diff := cmp.Diff([]string{"POST cdn /v2/tune/prefetch"}, writes(kodo)); diff != "" {
		t.Errorf("requests of the next apply (-want +got):\n%s", diff)
	}
	wantEmptyPlan(t, ws)
}

func asked(kodo *emulator.Emulator, path string) bool {
	for _, r := range kodo.Requests() {
		if r.Path == path {
			return true
		}
	}
	return false
}
