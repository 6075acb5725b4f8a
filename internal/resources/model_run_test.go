package resources_test

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/terraform"
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
			h := acctest.New(t)
			buckets := 0
			rapid.Check(t, func(rt *rapid.T) {
				buckets++
				bucket := fmt.Sprintf("model-%d", buckets)
				if _, err := h.Engine().CreateBucket(acctest.AccessKey, bucket, "z0", true); err != nil {
					rt.Fatal(err)
				}
				m := &modelRun{h: h, s: h.Session(), bucket: bucket, world: world{config: map[string]spec{}, foreign: map[string]stored{}}}
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
	switch refusal := isRefusal(diags); {
	case disturbed && !step.refused:
		plan := m.s.Plan(m.blocks(step, m.world.config)...)
		if diags = plan.Diagnostics; !diags.HasErrors() {
			diags = m.s.Apply(plan)
		}
		if diags.HasErrors() {
			return fmt.Errorf("the apply after the accident failed:\n%s", diags)
		}
	case step.refused && !refusal && !disturbed:
		return fmt.Errorf("an object of somebody else is in the way, and that was not refused:\n%s", diags)
	case step.refused: // without the block that is refused
		if diags := planAndApply(m.s, m.blocks(step, m.world.config)); diags.HasErrors() {
			return fmt.Errorf("without the refused block:\n%s", diags)
		}
	case diags.HasErrors():
		return errors.New(diags.String())
	}
	return m.compare(step)
}

func planAndApply(s *acctest.Session, blocks []acctest.Resource) acctest.Diagnostics {
	plan := s.Plan(blocks...)
	if plan.Diagnostics.HasErrors() {
		return plan.Diagnostics
	}
	return s.Apply(plan)
}

func isRefusal(diags acctest.Diagnostics) bool {
	errs := diags.Errors()
	return len(errs) == 1 && errs[0].Summary == "Object Exists Already"
}

// blocks are the blocks of a configuration in this step.
func (m *modelRun) blocks(step modelStep, config map[string]spec) []acctest.Resource {
	var blocks []acctest.Resource
	for _, address := range slices.Sorted(maps.Keys(config)) {
		block := config[address].resource(address, m.bucket)
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

// write does what somebody else does.
func (m *modelRun) write(writes []outsideWrite) error {
	for _, write := range writes {
		var err error
		if write.object == nil {
			err = m.h.Engine().Delete(acctest.AccessKey, m.bucket, write.key)
		} else {
			err = m.h.Put(m.bucket, write.key, write.object.contentType, []byte(write.object.content))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// kept wants what somebody else wrote since the plan to be there.
func (m *modelRun) kept(step modelStep) error {
	for _, write := range step.late {
		content, err := m.h.Content(m.bucket, write.key)
		if err != nil {
			return fmt.Errorf("what somebody else wrote since the plan is lost: %s: %w", write.key, err)
		}
		if string(content) != write.object.content {
			return fmt.Errorf("what somebody else wrote since the plan is lost: %s is %q", write.key, content)
		}
	}
	return nil
}

// compare wants server, state and the next plan to be what the model says.
func (m *modelRun) compare(step modelStep) error {
	want, got := m.world.server(), map[string]stored{}
	keys, err := m.h.Keys(m.bucket)
	if err != nil {
		return err
	}
	for _, key := range keys {
		content, err := m.h.Content(m.bucket, key)
		if err != nil {
			return err
		}
		object, err := m.h.Engine().Stat(acctest.AccessKey, m.bucket, key)
		if err != nil {
			return err
		}
		got[key] = stored{string(content), object.MimeType}
		if want[key].contentType == "" { // left to the provider
			want[key] = stored{want[key].content, object.MimeType}
		}
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(stored{})); diff != "" {
		return fmt.Errorf("objects (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(slices.Sorted(maps.Keys(m.world.config)), m.s.Addresses()); diff != "" {
		return fmt.Errorf("addresses in the state (-want +got):\n%s", diff)
	}
	for address, block := range m.world.config {
		object, err := m.h.Engine().Stat(acctest.AccessKey, m.bucket, block.key)
		if err != nil {
			return err
		}
		url := any(nil)
		if block.domain != "" {
			url = "http://" + block.domain + "/" + modelURLs[block.key]
		}
		state, have := m.s.State(address), values{}
		want := values{
			"bucket": m.bucket, "key": block.key, "content": block.content, "etag": object.Hash, "size": int64(len(block.content)),
			"content_type": object.MimeType, "overwrite": block.overwrite, "url": url,
		}
		for name := range want {
			have[name] = state[name]
		}
		if diff := cmp.Diff(want, have); diff != "" {
			return fmt.Errorf("state of %s (-want +got):\n%s", address, diff)
		}
	}
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

// modelURLs are the keys as they are in a URL.
var modelURLs = map[string]string{"1.txt": "1.txt", "2.html": "2.html", "dir/3": "dir/3", "/4 空.css": "/4%20%E7%A9%BA.css"}

// server is what the server has: what is configured, and what is somebody else's.
func (w *world) server() map[string]stored {
	objects := maps.Clone(w.foreign)
	for _, block := range w.config {
		objects[block.key] = stored{block.content, block.contentType}
	}
	return objects
}

// TestAccObjectModel carries out a few sequences with a real Terraform, which
// wants the plan after each step to be empty.
func TestAccObjectModel(t *testing.T) {
	t.Parallel()
	for seed := range 10 {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			h := acctest.New(t, "model")
			m := &modelRun{h: h, bucket: "model", world: world{config: map[string]spec{}, foreign: map[string]stored{}}}
			var steps []resource.TestStep
			for _, step := range sequences(false).Example(seed) {
				steps = append(steps, m.testSteps(t, step)...)
			}
			h.Test(steps...)
		})
	}
}

// testSteps are a step for the testing framework, and what the model says of it.
func (m *modelRun) testSteps(t *testing.T, step modelStep) []resource.TestStep {
	t.Helper()
	config := m.hcl(step, step.blocks)
	m.world.take(&step)
	server := m.world.server()
	test := resource.TestStep{
		PreConfig: func() {
			if err := m.write(step.outside); err != nil {
				t.Fatal(err)
			}
		},
		Config: config,
		Check:  func(*terraform.State) error { return m.compareServer(server) },
	}
	if step.taint != "" {
		test.Taint = []string{step.taint}
	}
	if !step.refused {
		return []resource.TestStep{test}
	}
	test.ExpectError, test.Check = regexp.MustCompile("Object Exists Already"), nil
	without := resource.TestStep{Config: m.hcl(step, m.world.config), Check: func(*terraform.State) error { return m.compareServer(server) }}
	return []resource.TestStep{test, without}
}

// hcl is the configuration of a step. A configuration of nothing needs an output:
// the testing framework takes an empty one for none.
func (m *modelRun) hcl(step modelStep, config map[string]spec) string {
	var text strings.Builder
	for _, block := range m.blocks(step, config) {
		text.WriteString(config[block.Address].hcl(block.Address, m.bucket))
		if block.MovedFrom != "" {
			fmt.Fprintf(&text, "moved {\n  from = %s\n  to = %s\n}\n", block.MovedFrom, block.Address)
		}
		if block.ImportID != "" {
			fmt.Fprintf(&text, "import {\n  to = %s\n  id = %q\n}\n", block.Address, block.ImportID)
		}
	}
	text.WriteString("output \"nothing\" {\n  value = \"\"\n}\n")
	return m.h.Config(text.String())
}

// compareServer wants the server to hold these objects.
func (m *modelRun) compareServer(want map[string]stored) error {
	keys, err := m.h.Keys(m.bucket)
	if err != nil {
		return err
	}
	if diff := cmp.Diff(slices.Sorted(maps.Keys(want)), keys); diff != "" {
		return fmt.Errorf("keys (-want +got):\n%s", diff)
	}
	for key, object := range want {
		content, err := m.h.Content(m.bucket, key)
		if err != nil {
			return fmt.Errorf("content of %s: %w", key, err)
		}
		if string(content) != object.content {
			return fmt.Errorf("%s has %q, want %q", key, content, object.content)
		}
	}
	return nil
}
