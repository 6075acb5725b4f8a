package resources_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"pgregory.net/rapid"

	"github.com/qiniu/terraform-provider-kodo/internal/acctest"
)

// modelRuns is how many checks there are side by side. With rapid's 100 sequences
// each that makes 500, in CI; -rapid.checks=2000 makes 10 000.
const modelRuns = 5

// TestObjectModel compares the provider with the model in random sequences.
// A failure prints the shortest sequence that fails and the seed; run it again
// with -rapid.seed, or with the file that -rapid.failfile names.
func TestObjectModel(t *testing.T) {
	t.Parallel()
	for run := range modelRuns {
		t.Run(fmt.Sprint(run), func(t *testing.T) {
			t.Parallel()
			h, files := acctest.New(t), modelFiles(t)
			buckets := 0
			rapid.Check(t, func(rt *rapid.T) {
				for range run { // each run begins elsewhere, also where all have the same seed
					rapid.Uint64().Draw(rt, "nothing")
				}
				buckets++
				bucket := fmt.Sprintf("model-%d", buckets)
				if _, err := h.Engine().CreateBucket(acctest.AccessKey, bucket, "z0", true); err != nil {
					rt.Fatal(err)
				}
				m := &modelRun{h: h, s: h.Session(), bucket: bucket, files: files, world: newWorld()}
				m.s.Parallelism = rapid.SampledFrom([]int{1, len(modelAddresses)}).Draw(rt, "parallelism")
				for i, step := range sequences(true).Draw(rt, "sequence") {
					if err := m.do(step); err != nil {
						rt.Fatalf("step %d: %s\n%v", i, step, err)
					}
				}
			})
		})
	}
}

// modelRun is a sequence that is carried out with the driver.
type modelRun struct {
	h      *acctest.Harness
	s      *acctest.Session
	bucket string
	files  map[string]string // that hold each content
	world  world
}

// do carries out a step, and compares. After an accident the same apply, done
// again without one, must lead where the step leads.
func (m *modelRun) do(step modelStep) error {
	if err := m.write(step.outside); err != nil {
		return err
	}
	if step.taint != "" {
		m.s.Taint(step.taint)
	}
	if step.fault != nil {
		fault := *step.fault
		fault.Match.Bucket = m.bucket
		if _, err := m.h.Fail(fault); err != nil {
			return err
		}
	}
	plan := m.s.Plan(m.blocks(step, step.blocks)...)
	if err := m.write(step.late); err != nil {
		return err
	}
	diags := plan.Diagnostics
	if !diags.HasErrors() {
		diags = m.s.Apply(plan)
	}
	m.h.ClearFaults()
	if err := m.kept(step); err != nil {
		return fmt.Errorf("%w\nafter\n%s", err, diags)
	}
	m.world.take(&step)
	disturbed := step.fault != nil || len(step.late) > 0
	switch {
	case step.prevented && !diags.HasErrors(), step.prevented && !disturbed && !says(diags, "Deletion Prevented"):
		return fmt.Errorf("a policy forbids to delete, and that was not refused:\n%s", diags)
	case step.refused && !disturbed && !says(diags, "Object Exists Already"):
		return fmt.Errorf("an object of somebody else is in the way, and that was not refused:\n%s", diags)
	case step.frozen && !disturbed && !says(diags, "Object Frozen"):
		return fmt.Errorf("an archive cannot change, and that was not refused:\n%s", diags)
	case !step.fails() && !disturbed && diags.HasErrors():
		return errors.New(diags.String())
	case disturbed || step.fails():
		if err := m.settle(step); err != nil {
			return fmt.Errorf("%w\nafter\n%s", err, diags)
		}
	}
	return m.compare(step)
}

// fails reports whether the apply has to fail.
func (s modelStep) fails() bool { return s.refused || s.prevented || s.frozen }

// settle does what the errors of an apply say, and applies once more.
func (m *modelRun) settle(step modelStep) error {
	for address, block := range m.world.config {
		if block.policy == "PREVENT" && m.s.Tainted(address) {
			m.s.Untaint(address)
		}
	}
	if says(m.s.Plan(m.blocks(step, m.world.config)...).Diagnostics, "Object Managed Twice") {
		for _, address := range m.s.Addresses() {
			if _, wanted := m.world.config[address]; !wanted {
				m.s.Forget(address)
			}
		}
	}
	if diags := planAndApply(m.s, m.blocks(step, m.world.config)); diags.HasErrors() {
		return fmt.Errorf("the apply after that failed:\n%s", diags)
	}
	return nil
}

func planAndApply(s *acctest.Session, blocks []acctest.Resource) acctest.Diagnostics {
	plan := s.Plan(blocks...)
	if plan.Diagnostics.HasErrors() {
		return plan.Diagnostics
	}
	return s.Apply(plan)
}

// says reports whether there is an error of this summary. There may be others: what stands
// in the way of one object may keep another.
func says(diags acctest.Diagnostics, summary string) bool {
	return slices.ContainsFunc(diags.Errors(), func(d *tfprotov6.Diagnostic) bool { return d.Summary == summary })
}

// blocks are the blocks of a configuration in this step.
func (m *modelRun) blocks(step modelStep, config map[string]spec) []acctest.Resource {
	var blocks []acctest.Resource
	for _, address := range slices.Sorted(maps.Keys(config)) {
		block := acctest.Resource{Address: address, Config: m.values(config[address])}
		if address == step.moved[1] {
			block.MovedFrom = step.moved[0]
		}
		if address == step.imported {
			block.ImportID = m.bucket + "/" + config[address].key
		}
		blocks = append(blocks, block)
	}
	return blocks
}

// kept wants what somebody else wrote since the plan to be there.
func (m *modelRun) kept(step modelStep) error {
	for _, write := range step.late {
		if write.do != "put" {
			continue
		}
		content, err := m.h.Content(m.bucket, write.key)
		if err != nil {
			return fmt.Errorf("what somebody else wrote since the plan is lost: %s: %w", write.key, err)
		}
		if string(content) != write.put.content {
			return fmt.Errorf("what somebody else wrote since the plan is lost: %s is %q", write.key, content)
		}
	}
	return nil
}

// compare wants server, state and the next plan to be what the model says.
func (m *modelRun) compare(step modelStep) error {
	if err := m.compareServer(m.world); err != nil {
		return err
	}
	if diff := cmp.Diff(slices.Sorted(maps.Keys(m.world.config)), m.s.Addresses()); diff != "" {
		return fmt.Errorf("addresses in the state (-want +got):\n%s", diff)
	}
	for address, block := range m.world.config {
		if err := m.compareState(address, block); err != nil {
			return err
		}
	}
	return m.compareNext(step)
}

// compareNext wants the next plan to be empty, and its apply to write nothing. One after
// the other: a batch of many stats looks like one of changes.
func (m *modelRun) compareNext(step modelStep) error {
	parallelism := m.s.Parallelism
	m.s.Parallelism = 1
	defer func() { m.s.Parallelism = parallelism }()
	m.h.Writes()
	plan := m.s.Plan(m.blocks(step, m.world.config)...)
	if len(plan.Diagnostics) > 0 || len(plan.Actions()) > 0 {
		return fmt.Errorf("the next plan does %v\n%s", plan.Actions(), plan.Diagnostics)
	}
	if diags := m.s.Apply(plan); len(diags) > 0 {
		return fmt.Errorf("an apply without changes says:\n%s", diags)
	}
	if writes := m.h.Writes(); len(writes) > 0 {
		return fmt.Errorf("an apply without changes writes: %v", writes)
	}
	return nil
}

// compareState wants the state to hold what is configured, and what the server says.
func (m *modelRun) compareState(address string, block spec) error {
	object, err := m.h.Engine().Stat(acctest.AccessKey, m.bucket, block.key)
	if err != nil {
		return err
	}
	want := values{
		"content": nil, "content_base64": nil, "source": nil, "source_hash": nil, "content_wo_version": nil, "domain": nil, "cache_control": nil, "metadata": nil,
		"delete_after_days": nil, "transition": nil, "url": nil, "deletion_policy": "DELETE",
	}.With(m.values(block)).With(values{
		"content_wo": nil, "etag": object.Hash, "size": int64(len(block.content)), "content_type": object.MimeType, "storage_class": kodoClasses[object.FileType],
	})
	if block.domain != "" {
		want["url"] = "http://" + block.domain + "/" + modelURLs[block.key]
	}
	if block.toIA > 0 {
		want["transition"] = map[string]any{"ia_days": int64(block.toIA), "archive_days": nil, "archive_ir_days": nil, "deep_archive_days": nil, "intelligent_tiering_days": nil}
	}
	state, have := m.s.State(address), values{}
	for name, value := range want {
		have[name] = state[name]
		if number, ok := value.(int); ok {
			want[name] = int64(number)
		}
	}
	if diff := cmp.Diff(want, have); diff != "" {
		return fmt.Errorf("state of %s (-want +got):\n%s", address, diff)
	}
	if ends := state["deletes_at"] != nil; ends != (object.DeletesAt != 0) {
		return fmt.Errorf("deletes_at of %s is %v", address, state["deletes_at"])
	}
	return nil
}

// modelURLs are the keys as they are in a URL.
var modelURLs = map[string]string{"1.txt": "1.txt", "2.html": "2.html", "dir/3": "dir/3", "/4 空.css": "/4%20%E7%A9%BA.css"}
