//go:build unix

package examplestest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2/hclparse"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/qiniu/terraform-provider-kodo/internal/acctest"
	"github.com/qiniu/terraform-provider-kodo/internal/emulator"
	"github.com/qiniu/terraform-provider-kodo/internal/workspace"
)

// TestActionExamples has the provider check every action block of the examples, as
// Terraform 1.14 does before it plans: what other blocks say is unknown. With such a
// Terraform TestActionsByTerraform applies them too.
func TestActionExamples(t *testing.T) {
	t.Parallel()
	root, err := workspace.Root()
	if err != nil {
		t.Fatal(err)
	}
	for _, example := range glob(t, root, "actions/*/action*.tf", "guides/*/*action*.tf") {
		t.Run(name(t, root, example), func(t *testing.T) {
			t.Parallel()
			session := acctest.New(t).Session()
			blocks := actionBlocks(t, example)
			if len(blocks) == 0 {
				t.Fatal("it has no action")
			}
			for _, block := range blocks {
				if diags := session.PlanAction(block.typeName, block.config); len(diags) > 0 {
					t.Errorf("action %s:\n%s", block.typeName, diags)
				}
			}
		})
	}
}

type actionBlock struct {
	typeName string
	config   acctest.Values
}

// actionBlocks reads the action blocks of a configuration.
func actionBlocks(t *testing.T, file string) (actions []actionBlock) {
	t.Helper()
	parsed, diags := hclparse.NewParser().ParseHCLFile(file)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	body, ok := parsed.Body.(*hclsyntax.Body)
	if !ok {
		t.Fatalf("%s is no native syntax", file)
	}
	for _, block := range body.Blocks {
		if block.Type != "action" {
			continue
		}
		action := actionBlock{typeName: block.Labels[0], config: acctest.Values{}}
		for _, nested := range block.Body.Blocks {
			for name, attribute := range nested.Body.Attributes {
				action.config[name] = literal(attribute.Expr)
			}
		}
		actions = append(actions, action)
	}
	return actions
}

// literal is the value of an expression, unknown if it refers to anything.
func literal(expression hclsyntax.Expression) any {
	value, diags := expression.Value(nil)
	if diags.HasErrors() || !value.IsWhollyKnown() {
		return acctest.Unknown{}
	}
	return plain(value)
}

func plain(value cty.Value) any {
	switch {
	case value.IsNull():
		return nil
	case value.Type() == cty.String:
		return value.AsString()
	case value.Type() == cty.Bool:
		return value.True()
	case value.Type().IsObjectType():
		object := map[string]any{}
		for name, v := range value.AsValueMap() {
			object[name] = plain(v)
		}
		return object
	}
	list := []any{}
	for _, v := range value.AsValueSlice() {
		list = append(list, plain(v))
	}
	return list
}

// TestActionsByTerraform applies the examples of actions where there is a Terraform
// that knows them. A page is refreshed when it has changed, after it was uploaded,
// and no other with it; a new edition is prefetched when it has been made.
func TestActionsByTerraform(t *testing.T) {
	t.Parallel()
	tf := newTerraform(t)
	if !tf.release.Actions() {
		return // TestActionExamples is what can be done without
	}
	for name, want := range map[string][2][]string{ // what the CDN is asked for by the first apply, and by that of the change
		"kodo_cdn_refresh":  {nil, {"POST up /", "POST cdn /v2/tune/refresh"}},
		"kodo_cdn_prefetch": {{"POST uc /mkbucketv3/acme-news/region/z0", "POST up /", "POST cdn /v2/tune/prefetch"}, {"POST up /"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			kodo := newEmulator(t)
			example := filepath.Join(tf.root, "examples", "actions", name, "action.tf")
			ws := tf.workspace(t, kodo, example)
			apply(t, ws)
			if got := writes(kodo); want[0] != nil && cmp.Diff(want[0], got) != "" {
				t.Errorf("the first apply (-want +got):\n%s", cmp.Diff(want[0], got))
			}
			wantEmptyPlan(t, ws)
			changed := strings.NewReplacer("Today", "Tomorrow", "All the news", "More news").Replace(read(t, example))
			if err := os.WriteFile(filepath.Join(ws.Dir(), "action.tf"), []byte(changed), 0o600); err != nil {
				t.Fatal(err)
			}
			writes(kodo)
			apply(t, ws)
			if diff := cmp.Diff(want[1], writes(kodo)); diff != "" {
				t.Errorf("the apply of the change (-want +got):\n%s", diff)
			}
			destroy(t, ws)
			wantBuckets(t, kodo, nil)
		})
	}
}

// writes returns the uploads, the new buckets and the submissions to the CDN so far,
// and forgets them.
func writes(kodo *emulator.Emulator) (writes []string) {
	for _, r := range kodo.Requests() {
		if r.Service == "up" || r.Service == "cdn" && !strings.HasSuffix(r.Path, "/list") || strings.HasPrefix(r.Path, "/mkbucketv3/") {
			writes = append(writes, fmt.Sprintf("%s %s %s", r.Method, r.Service, strings.TrimSuffix(r.Path, "/private/false")))
		}
	}
	kodo.ResetRequests()
	return writes
}
