package resources_test

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/terraform"

	"github.com/qiniu/terraform-provider-kodo/internal/acctest"
)

// TestAccObjectModel carries out a few sequences with a real Terraform, which
// wants the plan after each step to be empty.
func TestAccObjectModel(t *testing.T) {
	t.Parallel()
	for seed := range 10 {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			h := acctest.New(t, "model")
			m := &modelRun{h: h, bucket: "model", files: modelFiles(t), world: newWorld()}
			var steps []resource.TestStep
			for _, step := range sequences(false).Example(seed) {
				if !h.CLI().WriteOnly() {
					step = withoutSecrets(step)
				}
				steps = append(steps, m.testSteps(t, step)...)
			}
			last := maps.Clone(m.world.config) // so that all can be destroyed
			for address, block := range last {
				block.policy = "DELETE"
				last[address] = block
			}
			h.Test(append(steps, resource.TestStep{Config: m.hcl(modelStep{}, last)})...)
		})
	}
}

// withoutSecrets is the step for a Terraform without write-only arguments.
func withoutSecrets(step modelStep) modelStep {
	for address, block := range step.blocks {
		if block.from == "content_wo" {
			block.from = "content"
			step.blocks[address] = block
		}
	}
	return step
}

// testSteps are a step for the testing framework, and what the model says of it.
func (m *modelRun) testSteps(t *testing.T, step modelStep) []resource.TestStep {
	t.Helper()
	config := m.hcl(step, step.blocks)
	m.world.take(&step)
	after := world{server: maps.Clone(m.world.server), loose: maps.Clone(m.world.loose)}
	check := func(*terraform.State) error { return m.compareServer(after) }
	test := resource.TestStep{
		PreConfig: func() {
			t.Log(step)
			if err := m.write(step.outside); err != nil {
				t.Fatal(err)
			}
		},
		Config: config,
		Check:  check,
	}
	if step.taint != "" {
		test.Taint = []string{step.taint}
	}
	switch {
	case step.refused:
		test.ExpectError, test.Check = regexp.MustCompile("Object Exists Already"), nil
	case step.prevented:
		test.ExpectError, test.Check = regexp.MustCompile("Deletion Prevented"), nil
	case step.frozen:
		test.ExpectError, test.Check = regexp.MustCompile("Object Frozen"), nil
	default:
		return []resource.TestStep{test}
	}
	return []resource.TestStep{test, {Config: m.hcl(step, m.world.config), Check: check}}
}

// hcl is the configuration of a step. A configuration of nothing needs an output:
// the testing framework takes an empty one for none.
func (m *modelRun) hcl(step modelStep, config map[string]spec) string {
	var text strings.Builder
	for _, block := range m.blocks(step, config) {
		_, name, _ := strings.Cut(block.Address, ".")
		fmt.Fprintf(&text, "resource \"kodo_object\" %q %s\n", name, expression(block.Config))
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

// expression is a value in HCL. The model's texts hold nothing that HCL escapes in
// another way than Go.
func expression(value any) string {
	switch v := value.(type) {
	case string:
		return strconv.Quote(v)
	case values:
		return expression(map[string]any(v))
	case map[string]any:
		text := "{\n"
		for _, name := range slices.Sorted(maps.Keys(v)) {
			text += fmt.Sprintf("%s = %s\n", name, expression(v[name]))
		}
		return text + "}"
	default:
		return fmt.Sprint(v)
	}
}
