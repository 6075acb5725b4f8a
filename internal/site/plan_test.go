package site_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/qiniu/terraform-provider-kodo/internal/kodo"
	"github.com/qiniu/terraform-provider-kodo/internal/site"
)

func file(name, etag string) site.File { return site.File{Name: name, Key: "p/" + name, ETag: etag} }

func page(key, etag string) kodo.Object {
	return kodo.Object{Key: "p/" + key, ETag: etag, PutTime: 1, ContentType: "text/html"}
}

// keys are the three lists of a plan.
func keys(p *site.Plan) map[string][]string {
	return map[string][]string{"added": p.Added, "changed": p.Changed, "deleted": p.Deleted}
}

func TestCompare(t *testing.T) {
	t.Parallel()
	ia := kodo.InfrequentAccess
	cached := site.Rules{{Pattern: "**/*.html", Metadata: map[string]string{"!Cache-Control": "no-cache"}}}
	headed := page("a.html", etagHello)
	headed.Metadata = map[string]string{"!cache-control": "no-cache", "owner": "somebody"}
	for name, test := range map[string]struct {
		record   func(r *site.Record) // what is there
		files    []site.File
		settings site.Settings
		same     map[string]string
		work     map[string]string
		keys     map[string][]string
	}{
		"new": {
			files: []site.File{file("a.html", etagHello), file("b", etagEmpty)},
			work:  map[string]string{"p/a.html": "s", "p/b": "s"},
			keys:  map[string][]string{"added": {"p/a.html", "p/b"}},
		},
		"the same": {
			record: func(r *site.Record) { r.Set(page("a.html", etagHello)); r.Complete() },
			files:  []site.File{file("a.html", etagHello)},
		},
		"other bytes, a new file and a removed one": {
			record: func(r *site.Record) {
				r.Set(page("a.html", etagHello))
				r.Set(page("gone.html", etagHello))
				r.Complete()
			},
			files: []site.File{file("a.html", etagEmpty), file("new.html", etagHello)},
			work:  map[string]string{"p/a.html": "s", "p/new.html": "s", "p/gone.html": "r"},
			keys:  map[string][]string{"added": {"p/new.html"}, "changed": {"p/a.html"}, "deleted": {"p/gone.html"}},
		},
		"the same bytes in other parts": {
			record: func(r *site.Record) { r.Set(page("a.html", "v2")); r.Complete() },
			files:  []site.File{file("a.html", etagHello)},
			same:   map[string]string{"v2": etagHello},
		},
		"a header more": {
			record:   func(r *site.Record) { r.Set(page("a.html", etagHello)); r.Complete() },
			files:    []site.File{file("a.html", etagHello)},
			settings: site.Settings{Rules: cached},
			work:     map[string]string{"p/a.html": "f"},
			keys:     map[string][]string{"changed": {"p/a.html"}},
		},
		"a header as it is, and metadata of somebody else": {
			record:   func(r *site.Record) { r.Set(headed); r.Complete() },
			files:    []site.File{file("a.html", etagHello)},
			settings: site.Settings{Rules: cached, Before: cached},
		},
		"a header less": {
			record:   func(r *site.Record) { r.Set(headed); r.Complete() },
			files:    []site.File{file("a.html", etagHello)},
			settings: site.Settings{Before: cached},
			work:     map[string]string{"p/a.html": "a"},
			keys:     map[string][]string{"changed": {"p/a.html"}},
		},
		"a header that no rule has set": {
			record: func(r *site.Record) { r.Set(headed); r.Complete() },
			files:  []site.File{file("a.html", etagHello)},
		},
		"another class and type by somebody else": {
			record: func(r *site.Record) {
				r.Set(page("a.html", etagHello))
				r.Complete()
				moved := page("a.html", etagHello)
				moved.StorageClass, moved.ContentType = kodo.InfrequentAccess, "text/plain"
				r.Set(moved)
			},
			files: []site.File{file("a.html", etagHello)},
		},
		"a header by an apply of which nobody knows": {
			record: func(r *site.Record) {
				r.Set(page("a.html", etagHello))
				r.Complete()
				r.Set(headed)
			},
			files:    []site.File{file("a.html", etagHello)},
			settings: site.Settings{Rules: cached},
			keys:     map[string][]string{"changed": {"p/a.html"}},
		},
		"another class": {
			record:   func(r *site.Record) { r.Set(page("a.html", etagHello)); r.Complete() },
			files:    []site.File{file("a.html", etagHello)},
			settings: site.Settings{Rules: site.Rules{{Pattern: "**", StorageClass: &ia}}},
			work:     map[string]string{"p/a.html": "f"},
			keys:     map[string][]string{"changed": {"p/a.html"}},
		},
		"nothing is deleted": {
			record:   func(r *site.Record) { r.Set(page("a.html", etagHello)); r.Complete() },
			settings: site.Settings{Removal: site.RemoveNone},
			work:     map[string]string{"p/a.html": "l"},
		},
		"what was imported is left": {
			record: func(r *site.Record) {
				r.Import(map[string]kodo.Object{"p/a.html": page("a.html", etagHello), "p/b.html": page("b.html", etagHello), "p/c.html": page("c.html", etagHello)})
			},
			files: []site.File{file("a.html", etagHello), file("c.html", etagEmpty)},
			work:  map[string]string{"p/b.html": "l", "p/c.html": "s"},
			keys:  map[string][]string{"changed": {"p/c.html"}},
		},
		"what is ours since an import is deleted": {
			record: func(r *site.Record) {
				r.Import(map[string]kodo.Object{"p/a.html": page("a.html", etagHello)})
				r.Complete()
			},
			work: map[string]string{"p/a.html": "r"},
			keys: map[string][]string{"deleted": {"p/a.html"}},
		},
		"everything under the prefix is deleted": {
			record: func(r *site.Record) {
				r.SeeAll(map[string]kodo.Object{"p/theirs": page("theirs", etagHello)})
			},
			settings: site.Settings{Removal: site.RemoveAll},
			work:     map[string]string{"p/theirs": "r"},
			keys:     map[string][]string{"deleted": {"p/theirs"}},
		},
		"what was seen of others stays theirs": {
			record: func(r *site.Record) {
				r.SeeAll(map[string]kodo.Object{"p/theirs": page("theirs", etagHello)})
			},
			work: map[string]string{"p/theirs": "l"},
		},
		"after a failure the changes add up": {
			record: func(r *site.Record) {
				for _, name := range []string{"changed.html", "twice.html", "back.html", "gone.html", "still.html"} {
					r.Set(page(name, etagHello))
				}
				r.Complete()
				r.Set(page("changed.html", etagEmpty)) // done before the failure
				r.Set(page("twice.html", etagEmpty))
				r.Set(page("back.html", etagEmpty))
				r.Set(page("added.html", etagEmpty))
				r.Set(page("added-and-removed.html", etagEmpty))
				r.Drop("p/gone.html")
			},
			files: []site.File{file("changed.html", etagEmpty), file("twice.html", etag5MiB), file("back.html", etagHello), file("still.html", etagHello), file("added.html", etagEmpty)},
			work:  map[string]string{"p/twice.html": "s", "p/back.html": "s", "p/added-and-removed.html": "r"},
			keys: map[string][]string{
				"added": {"p/added.html"}, "changed": {"p/back.html", "p/changed.html", "p/twice.html"}, "deleted": {"p/added-and-removed.html", "p/gone.html"},
			},
		},
		"gone by somebody else, and here again": {
			record: func(r *site.Record) { r.Set(page("a.html", etagHello)); r.Complete(); r.Drop("p/a.html") },
			files:  []site.File{file("a.html", etagHello)},
			work:   map[string]string{"p/a.html": "s"},
			keys:   map[string][]string{"changed": {"p/a.html"}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := site.NewRecord()
			if test.record != nil {
				test.record(r)
			}
			p := site.Compare(r, test.files, test.settings, test.same)
			want := map[string]string{}
			if test.work != nil {
				want = test.work
			}
			if diff := cmp.Diff(want, p.Work()); diff != "" {
				t.Errorf("work (-want +got):\n%s", diff)
			}
			lists := map[string][]string{"added": nil, "changed": nil, "deleted": nil}
			for kind, keys := range test.keys {
				lists[kind] = keys
			}
			if diff := cmp.Diff(lists, keys(p)); diff != "" {
				t.Errorf("keys (-want +got):\n%s", diff)
			}
		})
	}
}

func TestRulesMerge(t *testing.T) {
	t.Parallel()
	ia, standard := kodo.InfrequentAccess, kodo.Standard
	rules := site.Rules{
		{Pattern: "**", StorageClass: &ia, Metadata: map[string]string{"!Cache-Control": "no-cache", "owner": "web"}},
		{Pattern: "assets/**", Metadata: map[string]string{"!Cache-Control": "immutable"}},
		{Pattern: "**/*.{md,txt}", ContentType: "text/plain; charset=utf-8", StorageClass: &standard},
		{Pattern: "nothing.else", ContentType: "image/png"},
	}
	for name, want := range map[string]string{
		"index.html":      `"text/html" 1 "!Cache-Control" "no-cache" "owner" "web"`,
		"assets/a/b.css":  `"text/css" 1 "!Cache-Control" "immutable" "owner" "web"`,
		"assets/notes.md": `"text/plain; charset=utf-8" 0 "!Cache-Control" "immutable" "owner" "web"`,
	} {
		p := site.Compare(site.NewRecord(), []site.File{file(name, etagHello)}, site.Settings{Rules: rules}, nil)
		if got := p.Target("p/" + name); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	if got, want := site.Compare(site.NewRecord(), []site.File{file("a", etagHello)}, site.Settings{}, nil).Target("p/a"), `"application/octet-stream" 0`; got != want {
		t.Errorf("without rules: %s, want %s", got, want)
	}
}

func TestStages(t *testing.T) {
	t.Parallel()
	var files []site.File
	for _, name := range []string{"a.css", "index.html", "sw.js", "deep/sw.js", "sw.html"} {
		files = append(files, file(name, etagHello))
	}
	p := site.Compare(site.NewRecord(), files, site.Settings{Last: []string{"**/*.html", "**/sw.*"}}, nil)
	want := map[string]int{"p/a.css": 0, "p/index.html": 1, "p/sw.js": 2, "p/deep/sw.js": 2, "p/sw.html": 2}
	if diff := cmp.Diff(want, p.Stages()); diff != "" {
		t.Errorf("stages (-want +got):\n%s", diff)
	}
}
