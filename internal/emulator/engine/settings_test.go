package engine_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/qiniu/terraform-provider-kodo/internal/emulator/engine"
)

// update changes the settings of bucket-1.
func update(e *engine.Engine, change func(*engine.Bucket)) (engine.Bucket, error) {
	return e.UpdateBucket(owner, "bucket-1", func(b *engine.Bucket) error { change(b); return nil })
}

func TestSettings(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	set := func(b *engine.Bucket) {
		b.Remark, b.Protected, b.MaxAge = strings.Repeat("备", 100), true, -5
		b.Referer = engine.Referer{Mode: engine.RefererDeny, Patterns: []string{"*.a.com", "*"}, AllowEmpty: true, Source: true}
		b.CORS = []engine.CORSRule{{Origins: []string{""}, Methods: []string{""}, Headers: []string{}, MaxAge: 5}}
	}
	before, err := e.Bucket(owner, "bucket-1")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := update(e, set); err != nil {
		t.Fatal(err)
	}
	want := before
	set(&want)
	for _, refused := range []struct {
		change  func(*engine.Bucket)
		message string
	}{
		{func(b *engine.Bucket) { b.Remark += "x" }, "remark is longer than 100 characters"},
		{func(b *engine.Bucket) { b.Referer.Mode = 3 }, "invalid arguments"},
		{func(b *engine.Bucket) { b.Referer.Mode = -1 }, "invalid arguments"},
		{func(b *engine.Bucket) { b.CORS = make([]engine.CORSRule, 11) }, "a bucket has at most 10 CORS rules"},
	} {
		_, err := update(e, refused.change)
		wantError(t, err, 400, refused.message)
	}
	got, err := e.Bucket(owner, "bucket-1")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("settings (-want +got):\n%s", diff)
	}

	// Without a mode nothing of the other settings of a Referer stays.
	got, err = update(e, func(b *engine.Bucket) { b.Referer.Mode = engine.RefererOff })
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(engine.Referer{}, got.Referer); diff != "" {
		t.Errorf("referer (-want +got):\n%s", diff)
	}
	if _, err := update(e, func(b *engine.Bucket) { b.CORS = make([]engine.CORSRule, 10) }); err != nil {
		t.Errorf("ten CORS rules: %v", err)
	}
}

func TestCacheSeconds(t *testing.T) {
	t.Parallel()
	for maxAge, want := range map[int64]int64{0: 31536000, -1: 31536000, 1: 1, 7200: 7200} {
		if got := (engine.Bucket{MaxAge: maxAge}).CacheSeconds(); got != want {
			t.Errorf("max age %d: %d, want %d", maxAge, got, want)
		}
	}
}

func TestRefererPermits(t *testing.T) {
	t.Parallel()
	patterns := []string{"foo.com", "*.Bar.com"}
	allow := engine.Referer{Mode: engine.RefererAllow, Patterns: patterns, Source: true}
	deny := engine.Referer{Mode: engine.RefererDeny, Patterns: patterns, Source: true}
	cdnOnly, withEmpty, all := allow, allow, allow
	cdnOnly.Source, withEmpty.AllowEmpty, all.Patterns = false, true, []string{"*"}
	for _, test := range []struct {
		name    string
		referer engine.Referer
		hosts   string // permitted, of those below
	}{
		{"off", engine.Referer{Patterns: patterns, Source: true}, " foo.com www.foo.com bar.com a.bar.com a.b.BAR.com xbar.com"},
		{"not at the source", cdnOnly, " foo.com www.foo.com bar.com a.bar.com a.b.BAR.com xbar.com"},
		{"allow", allow, "foo.com a.bar.com a.b.BAR.com"},
		{"allow empty", withEmpty, " foo.com a.bar.com a.b.BAR.com"},
		{"deny", deny, "www.foo.com bar.com xbar.com"},
		{"allow all", all, "foo.com www.foo.com bar.com a.bar.com a.b.BAR.com xbar.com"},
	} {
		var permitted []string
		for _, host := range []string{"", "foo.com", "www.foo.com", "bar.com", "a.bar.com", "a.b.BAR.com", "xbar.com"} {
			if test.referer.Permits(host) {
				permitted = append(permitted, host)
			}
		}
		if got := strings.Join(permitted, " "); got != test.hosts {
			t.Errorf("%s: %q, want %q", test.name, got, test.hosts)
		}
	}
}

func TestCORSFor(t *testing.T) {
	t.Parallel()
	bucket := engine.Bucket{CORS: []engine.CORSRule{
		{Origins: []string{"http://abc.com"}, Methods: []string{"get"}, Headers: []string{"X-One", "X-Two*"}, MaxAge: 1},
		{Origins: []string{"http://*.abc.com", "https://abc.*.com"}, Methods: []string{"PUT"}, Headers: []string{"*"}, MaxAge: 2},
		{Origins: []string{"http://abc.com"}, Methods: []string{"GET", "*"}, MaxAge: 3},
		{Origins: []string{"http://*.x.*.com", ""}, Methods: []string{""}, MaxAge: 4},
	}}
	const none = 0
	simple := func(origin string) engine.CORSRequest { return engine.CORSRequest{Origin: origin} }
	ask := func(origin, method string, headers ...string) engine.CORSRequest {
		return engine.CORSRequest{Origin: origin, Preflight: true, Method: method, Headers: headers}
	}
	for _, test := range []struct {
		request engine.CORSRequest
		rule    int64 // by its MaxAge
	}{
		{simple("http://abc.com"), 1},
		{simple("https://abc.com"), none}, // The scheme counts.
		{simple("abc.com"), none},
		{simple("http://ABC.com"), none}, // So does case.
		{simple("http://abc.com:8080"), none},
		{simple("http://a.b.abc.com"), 2},
		{simple("http://.abc.com"), 2}, // "*" may stand for nothing.
		{simple("https://abc.x.com"), 2},
		{simple("http://a.x.y.com"), none}, // Only the first "*" is one.
		{simple("http://a.x.*.com"), 4},
		{ask("http://abc.com", "GET"), 1},
		{ask("http://abc.com", "GET", "x-one"), 1},
		{ask("http://abc.com", "GET", "x-one", "x-three"), none},
		{ask("http://abc.com", "GET", "x-two"), none}, // Only a lone "*" is one.
		{ask("http://abc.com", "*"), 3},
		{ask("http://abc.com", "DELETE"), none}, // Methods know no "*".
		{ask("http://a.abc.com", "put", "anything"), 2},
	} {
		rule, ok := bucket.CORSFor(test.request)
		if rule.MaxAge != test.rule || ok != (test.rule != none) {
			t.Errorf("%+v: rule %d, %t, want %d", test.request, rule.MaxAge, ok, test.rule)
		}
	}
	if _, ok := (engine.Bucket{}).CORSFor(ask("http://abc.com", "DELETE", "x-one")); !ok {
		t.Error("a bucket without rules does not permit everything")
	}
}
