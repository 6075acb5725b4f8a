package resources_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"

	"github.com/qiniu/terraform-provider-kodo/internal/acctest"
	"github.com/qiniu/terraform-provider-kodo/internal/emulator"
	"github.com/qiniu/terraform-provider-kodo/internal/emulator/engine"
)

const copyAddress = "kodo_object_copy.copy"

// theCopy is the block of most tests here: a copy of "original.txt", with some arguments changed.
func theCopy(changes values) acctest.Resource {
	return block(copyAddress, values{"bucket": "assets", "key": "copy.txt", "source_key": "original.txt"}.With(changes))
}

// withOriginal starts an emulator with "original.txt", which holds "hello" and has metadata, a header and a class.
func withOriginal(t *testing.T) (*acctest.Harness, *acctest.Session) {
	t.Helper()
	h := acctest.New(t, "assets", "backup")
	put(t, h, "assets", "original.txt", "hello")
	ref := engine.ObjectRef{Owner: acctest.AccessKey, Bucket: "assets", Key: "original.txt"}
	if err := h.Engine().ChangeMeta(engine.MetaChange{ObjectRef: ref, Meta: map[string]string{"owner": "harbour", "!Cache-Control": "no-store"}}); err != nil {
		t.Fatal(err)
	}
	if err := h.Engine().ChangeClass(ref, 1); err != nil {
		t.Fatal(err)
	}
	h.Writes()
	return h, h.Session()
}

// The requests of most tests here: a new copy, and one onto the copy that is there.
const (
	copied   = "POST rs /copy/assets:original.txt/assets:copy.txt"
	recopied = copied + "/force/true"
)

func TestAccObjectCopy(t *testing.T) {
	t.Parallel()
	h := acctest.New(t, "assets", "backup")
	config := func(content string) string {
		return h.Config(fmt.Sprintf(`
			resource "kodo_object" "original" {
			  bucket   = "assets"
			  key      = "original.txt"
			  content  = %q
			  metadata = { owner = "harbour", berth = "7" }
			}
			resource "kodo_object_copy" "copy" {
			  source_bucket = "assets"
			  source_key    = kodo_object.original.key
			  source_etag   = kodo_object.original.etag
			  bucket        = "backup"
			  key           = "copy.txt"
			  metadata      = { berth = "8" }
			}`, content))
	}
	attribute := func(name string, want knownvalue.Check) statecheck.StateCheck {
		return statecheck.ExpectKnownValue(copyAddress, tfjsonpath.New(name), want)
	}
	h.Test(
		resource.TestStep{
			Config: config("hello"),
			ConfigStateChecks: []statecheck.StateCheck{
				attribute("etag", knownvalue.StringExact(helloETag)),
				attribute("size", knownvalue.Int64Exact(5)),
				attribute("source_etag", knownvalue.StringExact(helloETag)),
				attribute("content_type", knownvalue.StringExact("text/plain")),
				attribute("effective_metadata", knownvalue.MapExact(map[string]knownvalue.Check{"owner": knownvalue.StringExact("harbour"), "berth": knownvalue.StringExact("8")})),
				h.ExpectContent("backup", "copy.txt", "hello"),
			},
		},
		resource.TestStep{
			// The copy follows its source in the same apply, and the plan after it is empty.
			Config: config("etag"),
			ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{
				plancheck.ExpectResourceAction(copyAddress, plancheck.ResourceActionUpdate),
				plancheck.ExpectKnownValue(copyAddress, tfjsonpath.New("etag"), knownvalue.StringExact(etagETag)),
			}},
			ConfigStateChecks: []statecheck.StateCheck{
				attribute("etag", knownvalue.StringExact(etagETag)),
				h.ExpectContent("backup", "copy.txt", "etag"),
			},
		},
		resource.TestStep{
			ResourceName:                         copyAddress,
			ImportState:                          true,
			ImportStateId:                        "backup/copy.txt",
			ImportStateVerify:                    true,
			ImportStateVerifyIdentifierAttribute: "key",
			ImportStateVerifyIgnore:              []string{"source_bucket", "source_key", "source_etag", "metadata"},
		},
	)
	expectKeys(t, h, "backup")
}

// TestObjectCopyChanges changes each argument alone: in place, with exactly the requests that belong to it.
func TestObjectCopyChanges(t *testing.T) {
	t.Parallel()
	hello := func(arguments string) string { return chgm("assets:copy.txt", arguments) }
	for name, test := range map[string]struct {
		before, change values
		writes         []string
		after          values
	}{
		"key":         {nil, values{"key": "moved.txt"}, []string{"POST rs /move/assets:copy.txt/assets:moved.txt"}, values{"key": "moved.txt", "etag": helloETag}},
		"bucket":      {nil, values{"bucket": "backup"}, []string{"POST rs /move/assets:copy.txt/backup:copy.txt"}, values{"bucket": "backup", "source_bucket": "assets"}},
		"source_key":  {nil, values{"source_key": "other.txt"}, []string{"POST rs /copy/assets:other.txt/assets:copy.txt/force/true"}, values{"etag": etagETag, "size": int64(4), "cache_control": nil}},
		"to the same": {nil, values{"source_key": "twin.txt"}, nil, values{"source_key": "twin.txt", "etag": helloETag, "cache_control": "no-store"}},
		"content_type": {
			nil, values{"content_type": "text/html"}, []string{hello("/mime/dGV4dC9odG1s/x-qn-meta-!Cache-Control/bm8tc3RvcmU=")}, values{"content_type": "text/html"},
		},
		"cache_control": {
			nil, values{"cache_control": "max-age=60"}, []string{hello("/mime/dGV4dC9wbGFpbg==/x-qn-meta-!Cache-Control/bWF4LWFnZT02MA==")}, values{"cache_control": "max-age=60"},
		},
		"metadata": {
			nil, values{"metadata": values{"berth": "7"}}, []string{hello("/mime/dGV4dC9wbGFpbg==/x-qn-meta-!Cache-Control/bm8tc3RvcmU=/x-qn-meta-berth/Nw==")},
			values{"effective_metadata": map[string]any{"owner": "harbour", "berth": "7"}},
		},
		"metadata that is inherited": {nil, values{"metadata": values{"owner": "harbour"}}, nil, values{"effective_metadata": map[string]any{"owner": "harbour"}}},
		"metadata over the source's": {
			nil, values{"metadata": values{"owner": "pilots"}}, []string{hello("/mime/dGV4dC9wbGFpbg==/x-qn-meta-!Cache-Control/bm8tc3RvcmU=/x-qn-meta-owner/cGlsb3Rz")},
			values{"effective_metadata": map[string]any{"owner": "pilots"}},
		},
		"metadata taken away": {
			values{"metadata": values{"owner": "pilots"}}, values{"metadata": nil}, []string{recopied}, values{"metadata": nil, "effective_metadata": map[string]any{"owner": "harbour"}},
		},
		"storage_class":     {nil, values{"storage_class": "STANDARD"}, []string{"POST rs /chtype/assets:copy.txt/type/0"}, values{"storage_class": "STANDARD"}},
		"delete_after_days": {nil, values{"delete_after_days": 7}, []string{"POST rs /lifecycle/assets:copy.txt/deleteAfterDays/7" + ifHello}, values{"delete_after_days": int64(7)}},
		"enabled":           {nil, values{"enabled": false}, []string{"POST rs /chstatus/assets:copy.txt/status/1" + ifHello}, values{"enabled": false}},
		"deletion_policy":   {nil, values{"deletion_policy": "ABANDON"}, nil, values{"deletion_policy": "ABANDON"}},
		"domain":            {nil, values{"domain": "cdn.example.com"}, nil, values{"url": "http://cdn.example.com/copy.txt"}},
		"source_etag":       {nil, values{"source_etag": helloETag}, nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, s := withOriginal(t)
			put(t, h, "assets", "other.txt", "etag")
			put(t, h, "assets", "twin.txt", "hello")
			apply(t, s, theCopy(test.before))
			expectEmptyPlan(t, s, theCopy(test.before))
			h.Writes()
			config := values{}.With(test.before).With(test.change)
			want := map[string]acctest.Action{copyAddress: acctest.Update}
			if test.after == nil {
				want = map[string]acctest.Action{}
			}
			actions, diags := apply(t, s, theCopy(config))
			if name == "metadata taken away" {
				expectWarning(t, diags, "Object Copied Again", `metadata["owner"]`, `"copy.txt" in bucket "assets"`, `"original.txt" in bucket "assets"`)
			} else if len(diags) > 0 {
				t.Errorf("apply says:\n%s", diags)
			}
			expectActions(t, actions, want)
			expectWrites(t, h, test.writes...)
			if test.after != nil {
				expectState(t, s, copyAddress, test.after)
			}
			expectEmptyPlan(t, s, theCopy(config))
			expectContent(t, h, "assets", "original.txt", "hello")
		})
	}
}

// TestObjectCopyInherits takes over what is not configured, and no lifetime.
func TestObjectCopyInherits(t *testing.T) {
	t.Parallel()
	h, s := withOriginal(t)
	ref := engine.ObjectRef{Owner: acctest.AccessKey, Bucket: "assets", Key: "original.txt"}
	if err := h.Engine().ChangeLifetime(ref, engine.Days{Delete: 9}); err != nil {
		t.Fatal(err)
	}
	apply(t, s, theCopy(nil))
	expectWrites(t, h, copied)
	expectState(t, s, copyAddress, values{
		"source_bucket": "assets", "source_etag": helloETag, "etag": helloETag, "content_type": "text/plain", "cache_control": "no-store", "expires": nil,
		"storage_class": "IA", "metadata": nil, "effective_metadata": map[string]any{"owner": "harbour"}, "deletes_at": nil, "enabled": true,
	})
	expectIdentity(t, s, copyAddress, values{"bucket": "assets", "key": "copy.txt"})
	apply(t, s)
	expectKeys(t, h, "assets", "original.txt")
}

// TestObjectCopyWithFacets makes a copy and then what is its own, one request each.
func TestObjectCopyWithFacets(t *testing.T) {
	t.Parallel()
	h, s := withOriginal(t)
	config := values{"bucket": "backup", "source_bucket": "assets", "storage_class": "ARCHIVE", "metadata": values{"berth": "7"}, "delete_after_days": 9, "enabled": false}
	apply(t, s, theCopy(config))
	expectWrites(t, h, "POST rs /copy/assets:original.txt/backup:copy.txt",
		chgm("backup:copy.txt", "/mime/dGV4dC9wbGFpbg==/x-qn-meta-!Cache-Control/bm8tc3RvcmU=/x-qn-meta-berth/Nw=="),
		"POST rs /lifecycle/backup:copy.txt/deleteAfterDays/9"+ifHello, "POST rs /chtype/backup:copy.txt/type/2", "POST rs /chstatus/backup:copy.txt/status/1"+ifHello)
	expectEmptyPlan(t, s, theCopy(config))
	got := stat(t, h, "backup", "copy.txt")
	if diff := cmp.Diff(map[string]string{"owner": "harbour", "berth": "7", "!Cache-Control": "no-store"}, got.Meta); diff != "" || got.FileType != 2 || !got.Disabled || got.DeletesAt == 0 {
		t.Errorf("%+v, metadata (-want +got):\n%s", got, diff)
	}
}

// TestObjectCopyFollows copies again when the content of either side is another, with the copy's own metadata over it.
func TestObjectCopyFollows(t *testing.T) {
	t.Parallel()
	for name, key := range map[string]string{"the source": "original.txt", "the copy": "copy.txt"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, s := withOriginal(t)
			config := values{"metadata": values{"berth": "7"}}
			apply(t, s, theCopy(config))
			put(t, h, "assets", key, "etag")
			want, meta := "hello", map[string]string{"owner": "harbour", "berth": "7", "!Cache-Control": "no-store"}
			if key == "original.txt" {
				want, meta = "etag", map[string]string{"berth": "7"}
			}
			h.Writes()
			actions, _ := apply(t, s, theCopy(config))
			expectActions(t, actions, map[string]acctest.Action{copyAddress: acctest.Update})
			if writes := h.Writes(); len(writes) != 2 || writes[0] != recopied {
				t.Errorf("writes %q", writes)
			}
			expectContent(t, h, "assets", "copy.txt", want)
			if diff := cmp.Diff(meta, stat(t, h, "assets", "copy.txt").Meta); diff != "" {
				t.Errorf("metadata (-want +got):\n%s", diff)
			}
			expectEmptyPlan(t, s, theCopy(config))
		})
	}
}

// TestObjectCopySourceMissing keeps a copy whose source is gone; without a source there is nothing to copy.
func TestObjectCopySourceMissing(t *testing.T) {
	t.Parallel()
	h, s := withOriginal(t)
	apply(t, s, theCopy(nil))
	if err := h.Engine().Delete(acctest.AccessKey, "assets", "original.txt"); err != nil {
		t.Fatal(err)
	}
	h.Writes()
	plan := s.Plan(theCopy(nil))
	expectWarning(t, plan.Diagnostics, "Source Missing", `"original.txt" in bucket "assets"`, "stays as it is")
	expectActions(t, plan.Actions(), map[string]acctest.Action{})

	put(t, h, "assets", "copy.txt", "etag") // there is nothing to copy over it
	h.Writes()
	plan = s.Plan(theCopy(nil))
	expectWarning(t, plan.Diagnostics, "Source Missing", "stays as it is")
	expectActions(t, plan.Actions(), map[string]acctest.Action{})

	other := theCopy(values{"key": "second.txt"})
	other.Address = "kodo_object_copy.second"
	plan = s.Plan(theCopy(nil), other)
	expectError(t, s.Apply(plan), "Source Missing", `"original.txt" in bucket "assets"`, "source_etag")
	expectWrites(t, h)
	expectKeys(t, h, "assets", "copy.txt")
}

// TestObjectCopyRefused says what Kodo cannot copy, before anything is sent.
func TestObjectCopyRefused(t *testing.T) {
	t.Parallel()
	h, s := withOriginal(t)
	if _, err := h.Engine().CreateBucket(acctest.AccessKey, "far", "z1", true); err != nil {
		t.Fatal(err)
	}
	put(t, h, "assets", "cold.txt", "cold")
	if err := h.Engine().ChangeClass(engine.ObjectRef{Owner: acctest.AccessKey, Bucket: "assets", Key: "cold.txt"}, 3); err != nil {
		t.Fatal(err)
	}
	h.Writes()
	for name, test := range map[string]struct {
		config  values
		summary string
		says    []string
	}{
		"frozen":         {values{"source_key": "cold.txt"}, "Object Frozen", []string{`"cold.txt" in bucket "assets"`, "DEEP_ARCHIVE", "Restore it first"}},
		"another region": {values{"bucket": "far", "source_bucket": "assets"}, "Source In Another Region", []string{"z0", `"far" in region z1`}},
		"itself":         {values{"source_key": "copy.txt"}, "Copy Onto Itself", []string{`"copy.txt" in bucket "assets"`}},
		"other account":  {values{"source_bucket": "nowhere"}, "Source Not Read", []string{"631", "0001"}},
	} {
		expectError(t, s.Plan(theCopy(test.config)).Diagnostics, test.summary, test.says...)
		if t.Failed() {
			t.Fatal(name)
		}
	}
	expectWrites(t, h)
}

// TestObjectCopyGuards are those of kodo_object.
func TestObjectCopyGuards(t *testing.T) {
	t.Parallel()
	t.Run("exists", func(t *testing.T) {
		t.Parallel()
		h, s := withOriginal(t)
		put(t, h, "assets", "copy.txt", "somebody else's")
		expectError(t, s.Apply(s.Plan(theCopy(nil))), "Object Exists Already", `"copy.txt" in bucket "assets"`, "terraform import", "overwrite = true")
		expectWrites(t, h)
		apply(t, s, theCopy(values{"overwrite": true}))
		expectContent(t, h, "assets", "copy.txt", "hello")
	})
	t.Run("adopted", func(t *testing.T) {
		t.Parallel()
		h, s := withOriginal(t)
		put(t, h, "assets", "copy.txt", "hello")
		_, diags := apply(t, s, theCopy(nil))
		expectWarning(t, diags, "Existing Object Adopted", `"copy.txt" in bucket "assets"`)
		expectWrites(t, h, recopied) // so that it inherits as any other copy does
		expectState(t, s, copyAddress, values{"storage_class": "IA", "cache_control": "no-store", "effective_metadata": map[string]any{"owner": "harbour"}})
		expectEmptyPlan(t, s, theCopy(nil))

		s.Forget(copyAddress) // as if the apply had been killed: then it is the copy already
		_, diags = apply(t, s, theCopy(nil))
		expectWarning(t, diags, "Existing Object Adopted")
		expectWrites(t, h)
	})
	t.Run("written since the plan", func(t *testing.T) {
		t.Parallel()
		h, s := withOriginal(t)
		apply(t, s, theCopy(nil))
		for _, change := range []values{{"content_type": "text/html"}, {"source_key": "other.txt"}, {"key": "moved.txt"}} {
			put(t, h, "assets", "other.txt", "etag")
			plan := s.Plan(theCopy(change))
			put(t, h, "assets", "copy.txt", "hello") // another one, of the same bytes
			expectError(t, s.Apply(plan), "Object Changed Since The Plan", `"copy.txt" in bucket "assets"`)
		}
	})
	t.Run("source written since the plan", func(t *testing.T) {
		t.Parallel()
		h, s := withOriginal(t)
		b := theCopy(values{"source_etag": etagETag})
		expectError(t, s.Apply(s.Plan(b)), "Source Changed Since The Plan", helloETag, etagETag)
		expectWrites(t, h)
	})
	t.Run("prevented", func(t *testing.T) {
		t.Parallel()
		h, s := withOriginal(t)
		apply(t, s, theCopy(values{"deletion_policy": "PREVENT"}))
		expectError(t, s.Plan().Diagnostics, "Deletion Prevented", `"copy.txt" in bucket "assets"`, "ABANDON")
		expectKeys(t, h, "assets", "copy.txt", "original.txt")
	})
	t.Run("answer lost", func(t *testing.T) {
		t.Parallel()
		h, s := withOriginal(t)
		fail(t, h, emulator.Fault{Match: emulator.Match{Path: "/copy/*"}, Times: 1, Do: "apply_then_drop"})
		if _, diags := apply(t, s, theCopy(nil)); len(diags) > 0 {
			t.Errorf("apply says:\n%s", diags)
		}
		expectEmptyPlan(t, s, theCopy(nil))
	})
	t.Run("not finished", func(t *testing.T) {
		t.Parallel()
		h, s := withOriginal(t)
		config := values{"storage_class": "STANDARD", "delete_after_days": 9}
		fail(t, h, emulator.Fault{Match: emulator.Match{Path: "/lifecycle/*"}, Do: "status", Status: 403})
		expectError(t, s.Apply(s.Plan(theCopy(config))), "Object Stored But Not Finished", `"copy.txt" in bucket "assets"`, "403", "terraform untaint")
		expectState(t, s, copyAddress, values{"etag": helloETag, "storage_class": "IA", "delete_after_days": nil})
		h.ClearFaults()
		s.Untaint(copyAddress)
		h.Writes()
		apply(t, s, theCopy(config))
		expectWrites(t, h, "POST rs /lifecycle/assets:copy.txt/deleteAfterDays/9"+ifHello, "POST rs /chtype/assets:copy.txt/type/0")
		expectEmptyPlan(t, s, theCopy(config))
	})
}

// TestObjectCopyUnknown plans with arguments that other resources will give.
func TestObjectCopyUnknown(t *testing.T) {
	t.Parallel()
	unknown := acctest.Unknown{}
	for name, test := range map[string]struct{ config, created, changed values }{
		"source_etag":   {values{"source_etag": unknown}, values{"etag": unknown, "size": unknown}, values{"etag": unknown, "put_time": unknown}},
		"source_key":    {values{"source_key": unknown}, values{"etag": unknown, "source_etag": unknown}, values{"etag": unknown, "content_type": unknown}},
		"source_bucket": {values{"source_bucket": unknown}, values{"etag": unknown, "source_etag": unknown}, values{"etag": unknown}},
		"key":           {values{"key": unknown}, values{"etag": helloETag, "size": int64(5), "content_type": unknown}, values{"etag": helloETag, "put_time": unknown, "content_type": "text/plain"}},
		"metadata":      {values{"metadata": unknown}, values{"effective_metadata": unknown, "etag": helloETag}, values{"effective_metadata": unknown, "etag": helloETag}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, s := withOriginal(t)
			expect := func(plan *acctest.Plan, want values) {
				t.Helper()
				if plan.Diagnostics.HasErrors() {
					t.Fatal(plan.Diagnostics)
				}
				for name, value := range want {
					if diff := cmp.Diff(value, plan.Change(copyAddress).After[name]); diff != "" {
						t.Errorf("%s is planned as (-want +got):\n%s", name, diff)
					}
				}
			}
			expect(s.Plan(theCopy(test.config)), test.created)
			apply(t, s, theCopy(nil))
			expect(s.Plan(theCopy(test.config)), test.changed)
		})
	}
}

// TestObjectCopyImport imports a copy: the plan after it takes the arguments that Kodo does not keep, and writes nothing.
func TestObjectCopyImport(t *testing.T) {
	t.Parallel()
	h, s := withOriginal(t)
	config := values{"metadata": values{"owner": "harbour"}}
	apply(t, s, theCopy(config))
	before := s.State(copyAddress)
	s.Forget(copyAddress)
	if diags := s.ImportIdentity(copyAddress, values{"bucket": "assets", "key": "copy.txt"}); len(diags) > 0 {
		t.Fatal(diags)
	}
	h.Writes()
	actions, _ := apply(t, s, theCopy(config))
	expectActions(t, actions, map[string]acctest.Action{copyAddress: acctest.Update})
	expectWrites(t, h)
	if diff := cmp.Diff(before, s.State(copyAddress)); diff != "" {
		t.Errorf("state after the import (-want +got):\n%s", diff)
	}
	expectEmptyPlan(t, s, theCopy(config))
}

// TestObjectCopyGone creates the copy anew when somebody deletes it.
func TestObjectCopyGone(t *testing.T) {
	t.Parallel()
	h, s := withOriginal(t)
	apply(t, s, theCopy(nil))
	if err := h.Engine().Delete(acctest.AccessKey, "assets", "copy.txt"); err != nil {
		t.Fatal(err)
	}
	actions, _ := apply(t, s, theCopy(nil))
	expectActions(t, actions, map[string]acctest.Action{copyAddress: acctest.Create})
	expectContent(t, h, "assets", "copy.txt", "hello")
}

// TestObjectCopyImportedLifetime takes the days that are configured for an imported copy at their word, if Kodo has some.
func TestObjectCopyImportedLifetime(t *testing.T) {
	t.Parallel()
	h, s := withOriginal(t)
	config := values{"delete_after_days": 30, "transition": values{"archive_days": 9}}
	apply(t, s, theCopy(config))
	s.Forget(copyAddress)
	if diags := s.Import(copyAddress, "assets/copy.txt"); len(diags) > 0 {
		t.Fatal(diags)
	}
	h.Writes()
	apply(t, s, theCopy(config))
	expectWrites(t, h)
	expectEmptyPlan(t, s, theCopy(config))

	config["delete_after_days"] = 60
	apply(t, s, theCopy(config))
	expectWrites(t, h, "POST rs /lifecycle/assets:copy.txt/deleteAfterDays/60"+ifHello)
}

// TestObjectCopyImportedUnknown copies over an imported object if a source that the plan did not know has other content.
func TestObjectCopyImportedUnknown(t *testing.T) {
	t.Parallel()
	h, s := withOriginal(t)
	put(t, h, "assets", "copy.txt", "etag")
	put(t, h, "assets", helloETag, "hello")
	if diags := s.Import(copyAddress, "assets/copy.txt"); len(diags) > 0 {
		t.Fatal(diags)
	}
	secret := block("kodo_object.secret", values{"bucket": "assets", "key": "secret.txt", "content_wo": "hello", "content_wo_version": 1})
	config := theCopy(values{"source_key": acctest.Ref{Address: "kodo_object.secret", Attribute: "etag"}}) // the key is a hash
	apply(t, s, secret, config)
	expectContent(t, h, "assets", "copy.txt", "hello")
	expectEmptyPlan(t, s, secret, config)
}

// TestObjectCopyInNewBucket plans a copy in a bucket that the same apply makes, together with its source.
func TestObjectCopyInNewBucket(t *testing.T) {
	t.Parallel()
	h := acctest.New(t)
	s := h.Session()
	plan := s.Plan(theCopy(nil))
	expectWarning(t, plan.Diagnostics, "Source Not There Yet", `"original.txt" in bucket "assets"`)
	if plan.Diagnostics.HasErrors() {
		t.Fatal(plan.Diagnostics)
	}
	expectError(t, s.Apply(plan), "Object Not Copied", "631")

	plan = s.Plan(theCopy(nil))
	if _, err := h.Engine().CreateBucket(acctest.AccessKey, "assets", "z0", true); err != nil {
		t.Fatal(err)
	}
	put(t, h, "assets", "original.txt", "hello")
	if diags := s.Apply(plan); diags.HasErrors() {
		t.Fatal(diags)
	}
	expectContent(t, h, "assets", "copy.txt", "hello")
	expectEmptyPlan(t, s, theCopy(nil))
}
