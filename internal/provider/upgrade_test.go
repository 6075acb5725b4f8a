package provider_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/qiniu/terraform-provider-kodo/internal/provider"
)

// TestUpgradeAsFramework upgrades states of every type of resource, and gets what the framework by itself would say.
func TestUpgradeAsFramework(t *testing.T) {
	t.Parallel()
	newProvider := provider.NewIn("test", environment(nil, t.TempDir()))
	server, framework := provider.NewServer(newProvider()), providerserver.NewProtocol6(newProvider())()
	schemas, err := framework.GetProviderSchema(t.Context(), &tfprotov6.GetProviderSchemaRequest{})
	if err != nil || len(schemas.ResourceSchemas) == 0 {
		t.Fatalf("%d types of resources, %v", len(schemas.ResourceSchemas), err)
	}
	for typeName, schema := range schemas.ResourceSchemas {
		whole, ok := example(schema.ValueType()).(map[string]any)
		if !ok {
			t.Fatalf("%s is no object", typeName)
		}
		delete(whole, "files") // of kodo_directory: a map that is one string to the framework, see TestPackedAttributes
		for name, test := range map[string]struct {
			version int64
			state   string
		}{
			"whole":            {0, encode(t, whole)},
			"from before":      {0, `{}`},
			"with more":        {0, `{"no_such_attribute": 1}`},
			"null":             {0, `null`},
			"broken":           {0, `"{"`},
			"empty":            {0, ``},
			"no object":        {0, `[]`},
			"of another type":  {0, encode(t, mapped(whole, func(any) any { return []any{1} }))},
			"of a later time":  {1, encode(t, whole)},
			"of an older time": {-1, encode(t, whole)},
		} {
			if typeName == "kodo_directory" && !strings.HasPrefix(test.state, "{") {
				continue // What packs its files says by itself what is wrong.
			}
			request := &tfprotov6.UpgradeResourceStateRequest{TypeName: typeName, Version: test.version, RawState: &tfprotov6.RawState{JSON: []byte(test.state)}}
			compare(t, fmt.Sprintf("%s, %s", typeName, name), server, framework, schema, request)
		}
		compare(t, typeName+", flat", server, framework, schema, &tfprotov6.UpgradeResourceStateRequest{TypeName: typeName, RawState: &tfprotov6.RawState{Flatmap: map[string]string{"id": "a"}}})
		compare(t, typeName+", without a state", server, framework, schema, &tfprotov6.UpgradeResourceStateRequest{TypeName: typeName})
	}
	compare(t, "no type", server, framework, nil, &tfprotov6.UpgradeResourceStateRequest{TypeName: "kodo_nothing", RawState: &tfprotov6.RawState{JSON: []byte(`{}`)}})
}

func compare(t *testing.T, name string, server, framework tfprotov6.ProviderServer, schema *tfprotov6.Schema, request *tfprotov6.UpgradeResourceStateRequest) {
	t.Helper()
	upgrade := func(by tfprotov6.ProviderServer) (state tftypes.Value, diags []*tfprotov6.Diagnostic) {
		resp, err := by.UpgradeResourceState(t.Context(), request)
		if err == nil && resp.UpgradedState != nil {
			state, err = resp.UpgradedState.Unmarshal(schema.ValueType())
		}
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		return state, resp.Diagnostics
	}
	want, wantDiags := upgrade(framework)
	have, haveDiags := upgrade(server)
	if diff := cmp.Diff(wantDiags, haveDiags); !have.Equal(want) || diff != "" {
		t.Errorf("%s: the framework's state: %t; diagnostics (-want +got):\n%s", name, have.Equal(want), diff)
	}
}

// example is some value of a type, as JSON has it.
func example(t tftypes.Type) any {
	switch t := t.(type) {
	case tftypes.Object:
		attributes := map[string]any{}
		for name, of := range t.AttributeTypes {
			attributes[name] = example(of)
		}
		return attributes
	case tftypes.Map:
		return map[string]any{"one": example(t.ElementType), "文": example(t.ElementType)}
	case tftypes.List:
		return []any{example(t.ElementType), example(t.ElementType)}
	case tftypes.Set:
		return []any{example(t.ElementType)}
	}
	switch {
	case t.Is(tftypes.Bool):
		return true
	case t.Is(tftypes.Number):
		return 1 << 40
	default:
		return "text\u2028 <\"文\">"
	}
}

func mapped(attributes map[string]any, to func(any) any) map[string]any {
	changed := make(map[string]any, len(attributes))
	for name, value := range attributes {
		changed[name] = to(value)
	}
	return changed
}

func encode(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
