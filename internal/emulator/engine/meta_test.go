package engine_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/qiniu/terraform-provider-kodo/internal/emulator/engine"
)

func TestChangeMeta(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	before := mustPut(t, e, "key", "hello")
	change := func(change engine.MetaChange) error {
		change.ObjectRef = at("key", change.Cond)
		return e.ChangeMeta(change)
	}
	for _, c := range []engine.MetaChange{
		{MimeType: "text/plain", Meta: map[string]string{"a": "1", "b": "2"}},
		{Meta: map[string]string{"b": "3", "!Expires": "0"}, ObjectRef: engine.ObjectRef{Cond: map[string]string{
			"hash": "Fqr0xh3cxeii2r7eDztILNmuqUNN", "mime": "text/plain", "fsize": "5", "putTime": fmt.Sprint(before.PutTime),
		}}},
	} {
		if err := change(c); err != nil {
			t.Fatal(err)
		}
	}
	want := before
	want.MimeType = "text/plain"
	want.Meta = map[string]string{"a": "1", "b": "3", "!Expires": "0"}
	got, err := e.Stat(owner, "bucket-1", "key")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("changed (-want +got):\n%s", diff)
	}

	for name, value := range map[string]string{"hash": "F", "mime": "text/html", "fsize": "6", "putTime": "1"} {
		wantError(t, change(engine.MetaChange{MimeType: "x/y", ObjectRef: engine.ObjectRef{Cond: map[string]string{name: value}}}), 608, "cond not match")
	}
	wantError(t, change(engine.MetaChange{MimeType: "x/y", ObjectRef: engine.ObjectRef{Cond: map[string]string{"size": "5"}}}), 400, "invalid cond")
	wantError(t, change(engine.MetaChange{MimeType: "%"}), 400, "invalid mimeType")
	wantError(t, change(engine.MetaChange{Meta: map[string]string{"c": strings.Repeat("v", 1011)}}), 400, "metadata exceeds 1024 bytes")
	if got, err = e.Stat(owner, "bucket-1", "key"); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("after refusals (-want +got):\n%s", diff)
	}
	if got := contentOf(t, e, "key"); got != "hello" {
		t.Errorf("content = %q", got)
	}
}

// The name of a response header is the same in any letter case, other names are not.
func TestChangeMetaHeaderNames(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	mustPut(t, e, "key", "hello")
	for _, meta := range []map[string]string{{"!cache-control": "no-store", "a": "1"}, {"!Cache-Control": "no-cache", "A": "2"}} {
		if err := e.ChangeMeta(engine.MetaChange{ObjectRef: at("key", nil), Meta: meta}); err != nil {
			t.Fatal(err)
		}
	}
	want := map[string]string{"!Cache-Control": "no-cache", "a": "1", "A": "2"}
	if diff := cmp.Diff(want, mustStat(t, e, "key").Meta); diff != "" {
		t.Errorf("metadata (-want +got):\n%s", diff)
	}
}

func TestChangeStatus(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	want := mustPut(t, e, "key", "hello")
	for _, step := range []struct {
		disabled bool
		cond     map[string]string
		code     int
		message  string
	}{
		{disabled: false, code: 400, message: "already enabled"},
		{disabled: true, cond: map[string]string{"fsize": "6"}, code: 608, message: "cond not match"},
		{disabled: true, cond: map[string]string{"fsize": "5"}},
		{disabled: true, code: 400, message: "already disabled"},
		{disabled: false, cond: map[string]string{"fsize": "6"}, code: 608, message: "cond not match"},
		{disabled: false},
	} {
		err := e.ChangeStatus(at("key", step.cond), step.disabled)
		if step.code != 0 {
			wantError(t, err, step.code, step.message)
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		want.Disabled = step.disabled
		if diff := cmp.Diff(want, mustStat(t, e, "key")); diff != "" {
			t.Errorf("disabled: %v (-want +got):\n%s", step.disabled, diff)
		}
	}
	wantError(t, e.ChangeStatus(at("missing", nil), true), 612, "no such file or directory")
}
