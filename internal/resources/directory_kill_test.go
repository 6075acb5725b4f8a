package resources_test

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"

	"github.com/qiniu/terraform-provider-kodo/internal/acctest"
	"github.com/qiniu/terraform-provider-kodo/internal/emulator"
)

// killed is a provider whose process is killed while it applies: what it has done is done, and nobody is told.
type killed struct {
	tfprotov6.ProviderServer
	ctx context.Context // ends when the process does
}

func (k killed) ApplyResourceChange(_ context.Context, req *tfprotov6.ApplyResourceChangeRequest) (*tfprotov6.ApplyResourceChangeResponse, error) {
	resp, err := k.ProviderServer.ApplyResourceChange(k.ctx, req)
	if k.ctx.Err() == nil || err != nil {
		return resp, err
	}
	return &tfprotov6.ApplyResourceChangeResponse{
		NewState: req.PriorState, NewIdentity: req.PlannedIdentity, // and no private state: Terraform 1.11 loses it
		Diagnostics: []*tfprotov6.Diagnostic{{Severity: tfprotov6.DiagnosticSeverityError, Summary: "Plugin did not respond"}},
	}, nil
}

// A look is what a visitor sees of an object.
type look struct{ content, mimeType, cacheControl string }

// looks are those of every object in the bucket "assets".
func looks(t *testing.T, h *acctest.Harness) map[string]look {
	t.Helper()
	keys, err := h.Keys("assets")
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]look{}
	for _, key := range keys {
		o := object(t, h, key)
		content, err := h.Content("assets", key)
		if err != nil {
			t.Fatal(err)
		}
		all[key] = look{string(content), o.MimeType, o.Meta["!Cache-Control"]}
	}
	return all
}

// A killing is a site that is published by a process that is stopped at random moments.
type killing struct {
	t      *testing.T
	h      *acctest.Harness
	s      *acctest.Session
	random *rand.Rand
	files  siteFiles
	cached bool            // whether pages have a header
	seen   map[string]look // when an apply succeeded last, of what is in the state
}

// mutate changes the directory.
func (k *killing) mutate(dir string) {
	k.t.Helper()
	for range 1 + k.random.IntN(8) {
		names := slices.Sorted(maps.Keys(k.files))
		switch pick := k.random.IntN(len(names)); k.random.IntN(4) {
		case 0:
			delete(k.files, names[pick])
		case 1:
			k.files[names[pick]] = fmt.Sprint(k.random.IntN(3))
		default:
			k.files[fmt.Sprintf("%d/%d.%s", k.random.IntN(3), k.random.IntN(9), []string{"html", "css", "js"}[k.random.IntN(3)])] = fmt.Sprint(k.random.IntN(3))
		}
		if len(k.files) == 0 {
			k.files["index.html"] = "0"
		}
	}
	k.cached = k.random.IntN(2) == 0
	k.files.write(k.t, dir)
}

func (k *killing) block(dir string) acctest.Resource {
	if !k.cached {
		return published(dir, nil)
	}
	return published(dir, values{"rule": []any{values{"pattern": "**/*.html", "cache_control": "no-cache"}}})
}

// stopped applies until some request, at which the process is killed or interrupted, or fails for a while.
func (k *killing) stopped(block acctest.Resource) {
	k.t.Helper()
	plan := k.s.Plan(block)
	if plan.Diagnostics.HasErrors() {
		k.t.Fatal(plan.Diagnostics)
	}
	ctx, cancel := context.WithCancel(k.t.Context())
	defer cancel()
	fault := emulator.Fault{Skip: k.random.IntN(30), Do: "delay", Delay: emulator.Delay(time.Minute)}
	switch k.random.IntN(4) {
	case 0: // interrupted by the user
		k.s.Context = ctx
	case 1: // everything fails from here on
		fault.Do, fault.Delay, fault.Status, fault.Times = "status", 0, 599, 1+k.random.IntN(40)
	case 2:
		fault.Do, fault.Delay, fault.Times = "apply_then_drop", 0, 1+k.random.IntN(40)
		fallthrough
	default:
		k.s.Wrap = func(p tfprotov6.ProviderServer) tfprotov6.ProviderServer { return killed{p, ctx} }
	}
	fail(k.t, k.h, fault)
	done := make(chan struct{})
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		for k.h.Faults()[0].Hits == 0 {
			select {
			case <-done:
				return
			case <-time.After(time.Millisecond):
			}
		}
		if fault.Times == 0 || k.s.Wrap != nil {
			cancel()
		}
	}()
	k.s.Apply(plan)
	close(done)
	<-watched
	k.s.Context, k.s.Wrap = k.t.Context(), nil
	k.h.ClearFaults()
	if k.s.Tainted(siteAddress) {
		if k.random.IntN(2) == 0 {
			k.s.Untaint(siteAddress)
		} else {
			k.seen = map[string]look{}
		}
	}
}

// finished applies once more, whole, and holds everything together: server and directory, state and server, and what
// is said to have changed with what has.
func (k *killing) finished(block acctest.Resource) {
	k.t.Helper()
	apply(k.t, k.s, block)
	expectObjects(k.t, k.h, k.files)
	now := looks(k.t, k.h)
	state := k.s.State(siteAddress)
	etags, _ := state["files"].(map[string]any)
	if diff := cmp.Diff(slices.Sorted(maps.Keys(now)), slices.Sorted(maps.Keys(etags))); diff != "" {
		k.t.Errorf("keys in the state (-server +state):\n%s", diff)
	}
	for key := range etags {
		if o := object(k.t, k.h, key); o.Hash != etags[key] {
			k.t.Errorf("%s: the state has the hash %v, the server %s", key, etags[key], o.Hash)
		}
	}
	for key, l := range now {
		want := ""
		if k.cached && key[len(key)-4:] == "html" {
			want = "no-cache"
		}
		if l.cacheControl != want {
			k.t.Errorf("%s has Cache-Control %q, want %q", key, l.cacheControl, want)
		}
		was, before := k.seen[key]
		switch {
		case !before && len(k.seen) > 0: // of a first publication none are listed
			k.contains("added_keys", key)
		case !before:
		case was != l:
			k.contains("changed_keys", key)
		}
	}
	for key := range k.seen {
		if _, there := now[key]; !there {
			k.contains("deleted_keys", key)
		}
	}
	k.seen = now
	expectEmptyPlan(k.t, k.s, block)
}

func (k *killing) contains(list, key string) {
	k.t.Helper()
	keys, _ := k.s.State(siteAddress)[list].([]any)
	if !slices.Contains(keys, any(key)) {
		k.t.Errorf("%s lacks %q: %v", list, key, keys)
	}
}

// TestDirectoryKilled publishes a site and two new versions of it. Each is stopped three times at random moments, and
// then finished.
func TestDirectoryKilled(t *testing.T) {
	t.Parallel()
	for seed := range uint64(50) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			h := acctest.New(t, "assets")
			k := &killing{t: t, h: h, s: h.Session(), random: rand.New(rand.NewPCG(seed, 1)), files: siteFiles{"index.html": "0"}, seen: map[string]look{}}
			k.s.Provider = k.s.Provider.With(values{"max_retries": 0})
			dir := t.TempDir()
			for range 3 {
				k.mutate(dir)
				block := k.block(dir)
				for range 3 {
					k.stopped(block)
				}
				k.finished(block)
			}
			apply(t, k.s)
			expectObjects(t, h, siteFiles{})
		})
	}
}

// TestDirectoryRecordLost kills the provider in the middle of an update of a directory whose files are not in the
// visible state: nobody knows any more what is ours, so that everything is taken for imported.
func TestDirectoryRecordLost(t *testing.T) {
	t.Parallel()
	h := acctest.New(t, "assets")
	s := h.Session()
	dir := siteFiles{"a": "hello", "b": "hello", "index.html": "hello"}.directory(t)
	site := published(dir, values{"track": "DIGEST", "prefix": "site/"})
	apply(t, s, site)
	put(t, h, "assets", "outside", "x")
	siteFiles{"a": "etag", "index.html": "etag"}.write(t, dir)
	plan := s.Plan(site)
	ctx, cancel := context.WithCancel(t.Context())
	s.Wrap = func(p tfprotov6.ProviderServer) tfprotov6.ProviderServer {
		return killed{before{p, cancel}, ctx}
	}
	if diags := s.Apply(plan); !diags.HasErrors() {
		t.Fatal("it was not killed")
	}
	s.Wrap = nil
	plan = s.Plan(site)
	expectWarning(t, plan.Diagnostics, "Record Lost", `"site/" in bucket "assets"`, "left in the bucket")
	expectShown(t, plan, values{"changed_keys": keys("site/a", "site/index.html"), "deleted_keys": keys(), "file_count": int64(2)})
	if diags := s.Apply(plan); len(diags) > 0 {
		t.Fatal(diags)
	}
	expectObjects(t, h, siteFiles{"outside": "x", "site/a": "etag", "site/b": "hello", "site/index.html": "etag"})
	expectEmptyPlan(t, s, site)
	apply(t, s)
	expectObjects(t, h, siteFiles{"outside": "x", "site/b": "hello"})
}
