package resources_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/qiniu/terraform-provider-kodo/internal/acctest"
	"github.com/qiniu/terraform-provider-kodo/internal/emulator"
	"github.com/qiniu/terraform-provider-kodo/internal/emulator/engine"
)

// chgm is the request that changes metadata of an object that holds "hello".
func chgm(entry, arguments string) string {
	return "POST rs /chgm/" + entry + arguments + "/cond/aGFzaD1GcXIweGgzY3hlaWkycjdlRHp0SUxObXVxVU5O"
}

const ifHello = "/cond/aGFzaD1GcXIweGgzY3hlaWkycjdlRHp0SUxObXVxVU5O"

// stat is the object as the server has it.
func stat(t *testing.T, h *acctest.Harness, bucket, key string) engine.Object {
	t.Helper()
	object, err := h.Engine().Stat(acctest.AccessKey, bucket, key)
	if err != nil {
		t.Fatal(err)
	}
	return object
}

// TestObjectFacets changes each facet alone: one request of its own, never the bytes, and nothing else of the object.
func TestObjectFacets(t *testing.T) {
	t.Parallel()
	const lifecycle = "POST rs /lifecycle/assets:page.html"
	for name, test := range map[string]struct {
		before, change values
		writes         []string
		meta           map[string]string // on the server
		after          values
	}{
		"cache_control": {
			nil, values{"cache_control": "max-age=60"}, []string{chgm("assets:page.html", "/mime/dGV4dC9odG1s/x-qn-meta-!Cache-Control/bWF4LWFnZT02MA==")},
			map[string]string{"!Cache-Control": "max-age=60"}, values{"cache_control": "max-age=60"},
		},
		"every header": {
			values{"cache_control": "no-store"},
			values{"cache_control": "max-age=60", "content_disposition": "inline", "content_encoding": "gzip", "content_language": "zh-CN", "expires": "Wed, 21 Oct 2026 07:28:00 GMT"},
			[]string{chgm("assets:page.html", "/mime/dGV4dC9odG1s/x-qn-meta-!Cache-Control/bWF4LWFnZT02MA==/x-qn-meta-!Content-Disposition/aW5saW5l"+
				"/x-qn-meta-!Content-Encoding/Z3ppcA==/x-qn-meta-!Content-Language/emgtQ04=/x-qn-meta-!Expires/Wed, 21 Oct 2026 07:28:00 GMT")},
			map[string]string{"!Cache-Control": "max-age=60", "!Content-Disposition": "inline", "!Content-Encoding": "gzip", "!Content-Language": "zh-CN", "!Expires": "Wed, 21 Oct 2026 07:28:00 GMT"},
			values{"expires": "Wed, 21 Oct 2026 07:28:00 GMT"},
		},
		"metadata": {
			values{"metadata": values{"owner": "harbour"}}, values{"metadata": values{"owner": "pilots", "Berth": "7"}},
			[]string{chgm("assets:page.html", "/mime/dGV4dC9odG1s/x-qn-meta-Berth/Nw==/x-qn-meta-owner/cGlsb3Rz")},
			map[string]string{"owner": "pilots", "Berth": "7"}, values{"metadata": map[string]any{"owner": "pilots", "Berth": "7"}},
		},
		"metadata of nothing": {nil, values{"metadata": values{}}, nil, nil, values{"metadata": map[string]any{}}},
		"metadata, and its type": {
			nil, values{"metadata": values{"owner": "harbour"}, "content_type": "text/plain", "cache_control": "no-store"},
			[]string{chgm("assets:page.html", "/mime/dGV4dC9wbGFpbg==/x-qn-meta-!Cache-Control/bm8tc3RvcmU=/x-qn-meta-owner/aGFyYm91cg==")},
			map[string]string{"owner": "harbour", "!Cache-Control": "no-store"}, values{"content_type": "text/plain"},
		},
		"storage_class": {nil, values{"storage_class": "DEEP_ARCHIVE"}, []string{"POST rs /chtype/assets:page.html/type/3"}, nil, values{"storage_class": "DEEP_ARCHIVE"}},
		"storage_class dropped from the configuration": {
			values{"storage_class": "IA"}, values{"storage_class": nil, "overwrite": true}, nil, nil, values{"storage_class": "IA"},
		},
		"enabled":                 {nil, values{"enabled": false}, []string{"POST rs /chstatus/assets:page.html/status/1" + ifHello}, nil, values{"enabled": false}},
		"enabled again":           {values{"enabled": false}, values{"enabled": nil}, []string{"POST rs /chstatus/assets:page.html/status/0" + ifHello}, nil, values{"enabled": true}},
		"delete_after_days":       {nil, values{"delete_after_days": 7}, []string{lifecycle + "/deleteAfterDays/7" + ifHello}, nil, values{"delete_after_days": int64(7)}},
		"delete_after_days gone":  {values{"delete_after_days": 7}, values{"delete_after_days": nil}, []string{lifecycle + "/deleteAfterDays/-1" + ifHello}, nil, values{"deletes_at": nil}},
		"delete_after_days other": {values{"delete_after_days": 7}, values{"delete_after_days": 9}, []string{lifecycle + "/deleteAfterDays/9" + ifHello}, nil, values{"delete_after_days": int64(9)}},
		"transition": {
			nil, values{"transition": values{"ia_days": 1, "intelligent_tiering_days": 2, "archive_ir_days": 3, "archive_days": 4, "deep_archive_days": 5}},
			[]string{lifecycle + "/toIAAfterDays/1/toIntelligentTieringAfterDays/2/toArchiveIRAfterDays/3/toArchiveAfterDays/4/toDeepArchiveAfterDays/5" + ifHello}, nil, values{"deletes_at": nil},
		},
		"transition changed": {
			values{"transition": values{"ia_days": 1, "archive_days": 9}, "delete_after_days": 20}, values{"transition": values{"ia_days": 2, "archive_ir_days": 3}, "delete_after_days": 20},
			[]string{lifecycle + "/toIAAfterDays/2/toArchiveIRAfterDays/3/toArchiveAfterDays/-1" + ifHello}, nil, values{"delete_after_days": int64(20)},
		},
		"transition gone": {values{"transition": values{"archive_days": 9}}, values{"transition": nil}, []string{lifecycle + "/toArchiveAfterDays/-1" + ifHello}, nil, values{"transition": nil}},
		"deletion_policy": {nil, values{"deletion_policy": "ABANDON"}, nil, nil, values{"deletion_policy": "ABANDON"}},
		"several at a time": {
			nil, values{"cache_control": "max-age=60", "storage_class": "ARCHIVE", "delete_after_days": 7, "enabled": false},
			[]string{
				chgm("assets:page.html", "/mime/dGV4dC9odG1s/x-qn-meta-!Cache-Control/bWF4LWFnZT02MA=="),
				lifecycle + "/deleteAfterDays/7" + ifHello, "POST rs /chtype/assets:page.html/type/2", "POST rs /chstatus/assets:page.html/status/1" + ifHello,
			},
			map[string]string{"!Cache-Control": "max-age=60"}, values{"storage_class": "ARCHIVE", "enabled": false},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := acctest.New(t, "assets")
			s := h.Session()
			apply(t, s, page(test.before))
			expectEmptyPlan(t, s, page(test.before))
			before := stat(t, h, "assets", pageKey)
			h.Writes()

			config := values{}.With(test.before).With(test.change)
			actions, diags := apply(t, s, page(config))
			if len(diags) > 0 {
				t.Errorf("apply says:\n%s", diags)
			}
			expectActions(t, actions, map[string]acctest.Action{pageAddress: acctest.Update})
			expectWrites(t, h, test.writes...)
			expectState(t, s, pageAddress, test.after)
			expectEmptyPlan(t, s, page(config))
			after := stat(t, h, "assets", pageKey)
			if test.meta != nil {
				if diff := cmp.Diff(test.meta, after.Meta); diff != "" {
					t.Errorf("metadata on the server (-want +got):\n%s", diff)
				}
			}
			if after.Hash != before.Hash || after.PutTime != before.PutTime {
				t.Errorf("the bytes were put again: %+v, before %+v", after, before)
			}
		})
	}
}

// TestObjectCreatedWithFacets lets everything that can travel with the upload do so: the requests that follow are those
// for what cannot.
func TestObjectCreatedWithFacets(t *testing.T) {
	t.Parallel()
	h := acctest.New(t, "assets")
	s := h.Session()
	config := values{
		"content_type": "text/plain", "cache_control": "no-store", "metadata": values{"owner": "harbour"}, "storage_class": "IA",
		"delete_after_days": 30,
	}
	if _, diags := apply(t, s, page(config)); len(diags) > 0 {
		t.Errorf("apply says:\n%s", diags)
	}
	expectWrites(t, h, "POST up /")
	expectEmptyPlan(t, s, page(config))
	got := stat(t, h, "assets", pageKey)
	if diff := cmp.Diff(map[string]string{"owner": "harbour", "!Cache-Control": "no-store"}, got.Meta); diff != "" || got.FileType != 1 || got.MimeType != "text/plain" {
		t.Errorf("%+v, metadata (-want +got):\n%s", got, diff)
	}
	deletesAt, err := time.Parse(time.RFC3339, s.State(pageAddress)["deletes_at"].(string))
	if days := time.Until(deletesAt).Hours() / 24; err != nil || days < 29 || days > 31 {
		t.Errorf("deletes_at is %v, %v, in %f days", deletesAt, err, days)
	}

	// New bytes bring everything along once more, also what is no part of an upload.
	config = config.With(values{"content": "etag", "transition": values{"archive_days": 10}, "enabled": false})
	plan := s.Plan(page(config))
	expectWarning(t, plan.Diagnostics, "Enabled For A Moment", `"page.html" in bucket "assets"`)
	if diags := s.Apply(plan); diags.HasErrors() {
		t.Fatal(diags)
	}
	expectWrites(t, h, "POST up /", "POST rs /lifecycle/assets:page.html/toArchiveAfterDays/10/cond/aGFzaD1GcExpQURFYVZvQUxQa2RiOHRKRUp5UlRYb2Vf",
		"POST rs /chstatus/assets:page.html/status/1/cond/aGFzaD1GcExpQURFYVZvQUxQa2RiOHRKRUp5UlRYb2Vf")
	expectEmptyPlan(t, s, page(config))
	expectState(t, s, pageAddress, values{"enabled": false, "storage_class": "IA", "delete_after_days": int64(30)})
}

// TestObjectMetadataRemoved sends the bytes again, because Kodo has no call to take metadata away, and says so.
func TestObjectMetadataRemoved(t *testing.T) {
	t.Parallel()
	full := values{"metadata": values{"owner": "harbour", "berth": "7"}, "cache_control": "no-store", "delete_after_days": 9, "transition": values{"ia_days": 3}}
	for name, test := range map[string]struct {
		change values
		names  string
		meta   map[string]string
	}{
		"a key":        {values{"metadata": values{"owner": "harbour"}}, `metadata["berth"]`, map[string]string{"owner": "harbour", "!Cache-Control": "no-store"}},
		"all metadata": {values{"metadata": nil}, `metadata["berth"], metadata["owner"]`, map[string]string{"!Cache-Control": "no-store"}},
		"a header":     {values{"cache_control": nil}, `cache_control`, map[string]string{"owner": "harbour", "berth": "7"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := acctest.New(t, "assets")
			s := h.Session()
			apply(t, s, page(full))
			h.Writes()
			config := full.With(test.change)
			plan := s.Plan(page(config))
			expectWarning(t, plan.Diagnostics, "Object Sent Again", test.names, `"page.html" in bucket "assets"`, "5 bytes")
			expectPlanned(t, plan, values{"etag": helloETag, "size": int64(5), "put_time": acctest.Unknown{}, "deletes_at": acctest.Unknown{}})
			if diags := s.Apply(plan); diags.HasErrors() {
				t.Fatal(diags)
			}
			expectWrites(t, h, "POST up /", "POST rs /lifecycle/assets:page.html/toIAAfterDays/3"+ifHello)
			if diff := cmp.Diff(test.meta, stat(t, h, "assets", pageKey).Meta); diff != "" {
				t.Errorf("metadata (-want +got):\n%s", diff)
			}
			expectEmptyPlan(t, s, page(config))

			// Without bytes there is nothing to send.
			plan = s.Plan(page(values{"content": nil}))
			expectError(t, plan.Diagnostics, "Metadata Not Removable", "source or content")
		})
	}
}

// TestObjectFacetsDrift changes each facet behind Terraform's back: the plan shows it, and the apply brings it back.
func TestObjectFacetsDrift(t *testing.T) {
	t.Parallel()
	config := values{"metadata": values{"owner": "harbour"}, "cache_control": "no-store", "storage_class": "IA", "delete_after_days": 9, "enabled": true}
	ref := engine.ObjectRef{Owner: acctest.AccessKey, Bucket: "assets", Key: pageKey}
	for name, test := range map[string]struct {
		drift  func(*engine.Engine) error
		writes []string
	}{
		"metadata": {
			func(e *engine.Engine) error {
				return e.ChangeMeta(engine.MetaChange{ObjectRef: ref, Meta: map[string]string{"owner": "pilots"}})
			},
			[]string{chgm("assets:page.html", "/mime/dGV4dC9odG1s/x-qn-meta-!Cache-Control/bm8tc3RvcmU=/x-qn-meta-owner/aGFyYm91cg==")},
		},
		"a header of another case": {
			func(e *engine.Engine) error {
				return e.ChangeMeta(engine.MetaChange{ObjectRef: ref, Meta: map[string]string{"!Cache-Control": "max-age=1"}})
			},
			[]string{chgm("assets:page.html", "/mime/dGV4dC9odG1s/x-qn-meta-!Cache-Control/bm8tc3RvcmU=/x-qn-meta-owner/aGFyYm91cg==")},
		},
		"more metadata": {
			func(e *engine.Engine) error {
				return e.ChangeMeta(engine.MetaChange{ObjectRef: ref, Meta: map[string]string{"berth": "7"}})
			},
			[]string{"POST up /"},
		},
		"class":    {func(e *engine.Engine) error { return e.ChangeClass(ref, 4) }, []string{"POST rs /chtype/assets:page.html/type/1"}},
		"disabled": {func(e *engine.Engine) error { return e.ChangeStatus(ref, true) }, []string{"POST rs /chstatus/assets:page.html/status/0" + ifHello}},
		"lifetime": {
			func(e *engine.Engine) error { return e.ChangeLifetime(ref, engine.Days{Delete: -1}) },
			[]string{"POST rs /lifecycle/assets:page.html/deleteAfterDays/9" + ifHello},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := acctest.New(t, "assets")
			s := h.Session()
			apply(t, s, page(config))
			if err := test.drift(h.Engine()); err != nil {
				t.Fatal(err)
			}
			h.Writes()
			actions, _ := apply(t, s, page(config))
			expectActions(t, actions, map[string]acctest.Action{pageAddress: acctest.Update})
			expectWrites(t, h, test.writes...)
			expectEmptyPlan(t, s, page(config))
			expectContent(t, h, "assets", pageKey, "hello")
		})
	}
}

// TestObjectUnconfiguredDrift accepts what Kodo makes of a class that nobody configured, and of one that a transition
// leads to; anything else that is configured is brought back.
func TestObjectUnconfiguredDrift(t *testing.T) {
	t.Parallel()
	h := acctest.New(t, "assets")
	s := h.Session()
	config := values{"storage_class": "STANDARD", "transition": values{"ia_days": 3, "archive_days": 60}}
	apply(t, s, page(config))
	if err := h.Engine().Advance(5 * 24 * time.Hour); err != nil {
		t.Fatal(err)
	}
	if got := stat(t, h, "assets", pageKey).FileType; got != 1 {
		t.Fatalf("the class is %d, want 1", got)
	}
	h.Writes()
	expectEmptyPlan(t, s, page(config))
	expectEmptyPlan(t, s, page(config.With(values{"storage_class": nil})))
	apply(t, s, page(config))
	expectWrites(t, h)
}

// TestObjectHalfChanged fails one of several requests: the state says which were made, and the next apply sends the rest.
func TestObjectHalfChanged(t *testing.T) {
	t.Parallel()
	config := values{"cache_control": "no-store", "delete_after_days": 7, "storage_class": "IA", "enabled": false}
	all := []string{"chgm", "lifecycle", "chtype", "chstatus"}
	for i, failing := range all {
		t.Run(failing, func(t *testing.T) {
			t.Parallel()
			h := acctest.New(t, "assets")
			s := h.Session()
			apply(t, s, page(nil))
			fail(t, h, emulator.Fault{Match: emulator.Match{Path: "/" + failing + "/*"}, Do: "status", Status: 403})
			diags := s.Apply(s.Plan(page(config)))
			expectError(t, diags, "Object Not Changed", `"page.html" in bucket "assets"`, "403")
			made := values{"cache_control": nil, "delete_after_days": nil, "storage_class": "STANDARD", "enabled": true}
			for j, argument := range []string{"cache_control", "delete_after_days", "storage_class", "enabled"} {
				if j < i {
					made[argument] = config[argument]
				}
			}
			if days, ok := made["delete_after_days"].(int); ok {
				made["delete_after_days"] = int64(days)
			}
			expectState(t, s, pageAddress, made)

			h.ClearFaults()
			h.Writes()
			apply(t, s, page(config))
			var sent []string
			for _, write := range h.Writes() {
				sent = append(sent, strings.Split(write, "/")[1])
			}
			if diff := cmp.Diff(all[i:], sent); diff != "" {
				t.Errorf("sent by the next apply (-want +got):\n%s", diff)
			}
			expectEmptyPlan(t, s, page(config))
		})
	}
}

// TestObjectFacetsUnknown plans with facets that other resources will give.
func TestObjectFacetsUnknown(t *testing.T) {
	t.Parallel()
	unknown := acctest.Unknown{}
	for _, argument := range []string{"content_type", "cache_control", "metadata", "storage_class", "delete_after_days", "enabled", "transition"} {
		t.Run(argument, func(t *testing.T) {
			t.Parallel()
			h := acctest.New(t, "assets")
			s := h.Session()
			config := values{argument: unknown}
			created := s.Plan(page(config))
			if created.Diagnostics.HasErrors() {
				t.Fatal(created.Diagnostics)
			}
			expectPlanned(t, created, values{argument: unknown, "etag": helloETag})
			apply(t, s, page(values{"metadata": values{"owner": "harbour"}, "cache_control": "no-store", "delete_after_days": 3, "transition": values{"ia_days": 1}}))
			changed := s.Plan(page(values{"metadata": values{"owner": "harbour"}, "cache_control": "no-store", "delete_after_days": 3, "transition": values{"ia_days": 1}}.With(config)))
			if changed.Diagnostics.HasErrors() {
				t.Fatal(changed.Diagnostics)
			}
			expectPlanned(t, changed, values{argument: unknown, "etag": helloETag, "put_time": unknown})
		})
	}
	t.Run("a value of metadata", func(t *testing.T) {
		t.Parallel()
		h := acctest.New(t, "assets")
		s := h.Session()
		apply(t, s, page(values{"metadata": values{"owner": "harbour"}}))
		plan := s.Plan(page(values{"metadata": values{"owner": unknown}}))
		if len(plan.Diagnostics) > 0 {
			t.Fatal(plan.Diagnostics)
		}
		expectPlanned(t, plan, values{"etag": helloETag, "put_time": unknown, "md5": "5d41402abc4b2a76b9719d911017c592"})
	})
}

// TestObjectFacetsValidation refuses what Kodo would refuse before anything is planned.
func TestObjectFacetsValidation(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("v", 400)
	for name, test := range map[string]struct {
		config values
		says   string
	}{
		"metadata of a header":        {values{"metadata": values{"!Cache-Control": "no-store"}}, "headers are arguments of their own, such as cache_control"},
		"metadata of an odd name":     {values{"metadata": values{"a b": "c"}}, `"a b"`},
		"metadata of a long name":     {values{"metadata": values{strings.Repeat("n", 51): "c"}}, "1 to 50 characters"},
		"metadata of null":            {values{"metadata": values{"a": nil}}, "leave the name out"},
		"too much metadata":           {values{"metadata": values{"a": long, "b": long, "c": long}}, "1024 bytes"},
		"too much with headers":       {values{"metadata": values{"a": long, "b": long}, "content_disposition": long}, "1024 bytes"},
		"header of two lines":         {values{"cache_control": "a\nb"}, "printable ASCII"},
		"header of nothing":           {values{"cache_control": ""}, "HTTP header"},
		"storage_class":               {values{"storage_class": "GLACIER"}, "INTELLIGENT_TIERING"},
		"storage_class in lower case": {values{"storage_class": "standard"}, "STANDARD"},
		"delete_after_days":           {values{"delete_after_days": 0}, "at least 1"},
		"transition":                  {values{"transition": values{"ia_days": 0}}, "at least 1"},
		"transition out of order":     {values{"transition": values{"ia_days": 9, "archive_days": 8}}, "ARCHIVE after 8 days must come later than IA after 9"},
		"deleted before transition":   {values{"transition": values{"ia_days": 9}, "delete_after_days": 9}, "deletion after 9 days must come later than IA after 9"},
		"deletion_policy":             {values{"deletion_policy": "KEEP"}, "PREVENT"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := acctest.New(t, "assets")
			errs := h.Session().Plan(page(test.config)).Diagnostics.Errors()
			if len(errs) == 0 || !strings.Contains(errs[0].Detail, test.says) {
				t.Errorf("got:\n%v, want an error that says %q", errs, test.says)
			}
			expectWrites(t, h)
		})
	}
}
