package resources_test

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/qiniu/terraform-provider-kodo/internal/acctest"
	"github.com/qiniu/terraform-provider-kodo/internal/emulator"
	"github.com/qiniu/terraform-provider-kodo/internal/emulator/engine"
)

// values and block keep the tables of tests narrow.
type values = acctest.Values

func block(address string, config values) acctest.Resource {
	return acctest.Resource{Address: address, Config: config}
}

// apply plans and applies the blocks, without errors, and returns what the plan
// did and what the apply warned of.
func apply(t *testing.T, s *acctest.Session, blocks ...acctest.Resource) (map[string]acctest.Action, acctest.Diagnostics) {
	t.Helper()
	plan := s.Plan(blocks...)
	if plan.Diagnostics.HasErrors() {
		t.Fatalf("plan:\n%s", plan.Diagnostics)
	}
	diags := s.Apply(plan)
	if diags.HasErrors() {
		t.Fatalf("apply:\n%s", diags)
	}
	return plan.Actions(), diags
}

// expectActions compares what a plan does.
func expectActions(t *testing.T, got, want map[string]acctest.Action) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("actions (-want +got):\n%s", diff)
	}
}

// expectEmptyPlan checks that the blocks are what the server has.
func expectEmptyPlan(t *testing.T, s *acctest.Session, blocks ...acctest.Resource) {
	t.Helper()
	plan := s.Plan(blocks...)
	if len(plan.Diagnostics) > 0 {
		t.Errorf("plan:\n%s", plan.Diagnostics)
	}
	expectActions(t, plan.Actions(), map[string]acctest.Action{})
}

// expectWrites compares the writing requests since it was called last.
func expectWrites(t *testing.T, h *acctest.Harness, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, h.Writes()); diff != "" {
		t.Errorf("writing requests (-want +got):\n%s", diff)
	}
}

// expectState compares attributes of an address.
func expectState(t *testing.T, s *acctest.Session, address string, want values) {
	t.Helper()
	state, got := s.State(address), values{}
	for name := range want {
		got[name] = state[name]
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("state of %s (-want +got):\n%s", address, diff)
	}
}

// expectIdentity compares the identity of an address.
func expectIdentity(t *testing.T, s *acctest.Session, address string, want values) {
	t.Helper()
	if diff := cmp.Diff(want, s.Identity(address)); diff != "" {
		t.Errorf("identity of %s (-want +got):\n%s", address, diff)
	}
}

// expectError checks that there is one error, and that it says all of this.
func expectError(t *testing.T, diags acctest.Diagnostics, summary string, says ...string) {
	t.Helper()
	errs := diags.Errors()
	if len(errs) != 1 || errs[0].Summary != summary {
		t.Fatalf("want one error %q, got:\n%s", summary, diags)
	}
	expectSays(t, errs[0].Detail, says...)
}

// expectWarning checks that there is one warning and no error, and that it says all of this.
func expectWarning(t *testing.T, diags acctest.Diagnostics, summary string, says ...string) {
	t.Helper()
	if len(diags) != 1 || len(diags.Warnings()) != 1 || diags[0].Summary != summary {
		t.Fatalf("want one warning %q, got:\n%s", summary, diags)
	}
	expectSays(t, diags[0].Detail, says...)
}

func expectSays(t *testing.T, detail string, says ...string) {
	t.Helper()
	for _, part := range says {
		if !strings.Contains(detail, part) {
			t.Errorf("%q is not said by: %s", part, detail)
		}
	}
	if strings.Contains(detail, acctest.SecretKey) || strings.Contains(detail, acctest.OtherSecretKey) {
		t.Errorf("a secret key is in: %s", detail)
	}
}

// expectContent checks what the server has under the key.
func expectContent(t *testing.T, h *acctest.Harness, bucket, key, want string) {
	t.Helper()
	got, err := h.Content(bucket, key)
	if err != nil || string(got) != want {
		t.Errorf("content of %s/%s = %q, %v, want %q", bucket, key, got, err, want)
	}
}

// expectKeys checks which keys the bucket has.
func expectKeys(t *testing.T, h *acctest.Harness, bucket string, want ...string) {
	t.Helper()
	got, err := h.Keys(bucket)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("keys of %s (-want +got):\n%s", bucket, diff)
	}
}

// fail makes matching requests fail.
func fail(t *testing.T, h *acctest.Harness, fault emulator.Fault) {
	t.Helper()
	if _, err := h.Fail(fault); err != nil {
		t.Fatal(err)
	}
}

// hold makes one matching request wait, after so many others, until meanwhile is done. The function that it returns
// waits for that.
func hold(t *testing.T, h *acctest.Harness, match emulator.Match, skip int, meanwhile func() error) (done func()) {
	t.Helper()
	id := holdOne(t, h, match, skip)
	over := make(chan error, 1)
	go func() {
		defer h.RemoveFault(id)
		if !waitUntil(t.Context(), func() bool { return holds(h, id) }) {
			over <- t.Context().Err()
			return
		}
		over <- meanwhile()
	}()
	return func() {
		t.Helper()
		if err := <-over; err != nil {
			t.Fatal(err)
		}
	}
}

// holdEach makes each of some matching requests wait until a condition holds.
func holdEach(t *testing.T, h *acctest.Harness, match emulator.Match, requests int, until func() bool) {
	t.Helper()
	var ids []string
	for range requests {
		ids = append(ids, holdOne(t, h, match, 0))
	}
	go func() {
		for _, id := range ids {
			if !waitUntil(t.Context(), func() bool { return holds(h, id) && until() }) {
				return
			}
			h.RemoveFault(id)
		}
	}()
}

// holdOne makes one matching request wait, after so many others, until the fault is removed.
func holdOne(t *testing.T, h *acctest.Harness, match emulator.Match, skip int) (id string) {
	t.Helper()
	id, err := h.Fail(emulator.Fault{Match: match, Skip: skip, Times: 1, Do: "delay", Delay: emulator.Delay(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// holds reports whether a fault has struck.
func holds(h *acctest.Harness, id string) bool {
	return slices.ContainsFunc(h.Faults(), func(f emulator.FaultState) bool { return f.ID == id && f.Hits > 0 })
}

// waitUntil waits for something, unless the context ends before.
func waitUntil(ctx context.Context, is func() bool) bool {
	for !is() {
		select {
		case <-ctx.Done():
			return false
		case <-time.After(time.Millisecond):
		}
	}
	return true
}

// put stores an object behind Terraform's back.
func put(t *testing.T, h *acctest.Harness, bucket, key, content string) {
	t.Helper()
	if err := h.Put(bucket, key, "text/plain", []byte(content)); err != nil {
		t.Fatal(err)
	}
}

// putParts stores an object as one part behind Terraform's back, as tools with
// another part size do.
func putParts(t *testing.T, h *acctest.Harness, bucket, key string, content []byte) {
	t.Helper()
	e := h.Engine()
	ref := engine.UploadRef{Owner: acctest.AccessKey, Bucket: bucket, Key: &key}
	upload, err := e.BeginUpload(ref)
	if err != nil {
		t.Fatal(err)
	}
	ref.ID = upload.ID
	blob, err := e.NewBlob(bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	part, err := e.UploadPart(ref, 1, blob)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.CompleteUpload(engine.Complete{UploadRef: ref, Parts: []engine.PartRef{{Number: 1, ETag: part.ETag}}, Object: engine.Put{MimeType: "text/plain"}}); err != nil {
		t.Fatal(err)
	}
}
