package provider_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/qiniu/terraform-provider-kodo/internal/provider"
)

// directoryValue is a kodo_directory whose attributes are null, but for these.
func directoryValue(t *testing.T, server tfprotov6.ProviderServer, attributes map[string]tftypes.Value) *tfprotov6.DynamicValue {
	t.Helper()
	schema, err := server.GetProviderSchema(t.Context(), &tfprotov6.GetProviderSchemaRequest{})
	if err != nil {
		t.Fatal(err)
	}
	object := schema.ResourceSchemas["kodo_directory"].ValueType().(tftypes.Object)
	all := map[string]tftypes.Value{}
	for name, of := range object.AttributeTypes {
		all[name] = tftypes.NewValue(of, nil)
		if value, ok := attributes[name]; ok {
			all[name] = value
		}
	}
	value, err := tfprotov6.NewDynamicValue(object, tftypes.NewValue(object, all))
	if err != nil {
		t.Fatal(err)
	}
	return &value
}

// filesOf is the attribute files of a value of kodo_directory.
func filesOf(t *testing.T, server tfprotov6.ProviderServer, value *tfprotov6.DynamicValue) tftypes.Value {
	t.Helper()
	schema, err := server.GetProviderSchema(t.Context(), &tfprotov6.GetProviderSchemaRequest{})
	if err != nil {
		t.Fatal(err)
	}
	object, err := value.Unmarshal(schema.ResourceSchemas["kodo_directory"].ValueType())
	if err != nil {
		t.Fatal(err)
	}
	var attributes map[string]tftypes.Value
	if err := object.As(&attributes); err != nil {
		t.Fatal(err)
	}
	return attributes["files"]
}

// TestPackedAttributes sends maps through the framework, which sees each as one string: Terraform gets back what it sent.
func TestPackedAttributes(t *testing.T) {
	t.Parallel()
	server := provider.NewServer(provider.NewIn("test", environment(nil, t.TempDir()))())
	mapType, text := tftypes.Map{ElementType: tftypes.String}, tftypes.String
	for name, files := range map[string]tftypes.Value{
		"null":    tftypes.NewValue(mapType, nil),
		"unknown": tftypes.NewValue(mapType, tftypes.UnknownValue),
		"empty":   tftypes.NewValue(mapType, map[string]tftypes.Value{}),
		"odd keys": tftypes.NewValue(mapType, map[string]tftypes.Value{
			"": tftypes.NewValue(text, "a"), "<&>\u2028\"\\": tftypes.NewValue(text, "b"), "日本/語": tftypes.NewValue(text, ""), strings.Repeat("x", 750): tftypes.NewValue(text, "c"),
		}),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sent := directoryValue(t, server, map[string]tftypes.Value{
				"files": files, "bucket": tftypes.NewValue(text, "assets"), "prefix": tftypes.NewValue(text, ""), "track": tftypes.NewValue(text, "FILES"), "digest": tftypes.NewValue(text, "x"),
			})
			// Without a client a refresh returns what it was given.
			read, err := server.ReadResource(t.Context(), &tfprotov6.ReadResourceRequest{TypeName: "kodo_directory", CurrentState: sent})
			if err != nil {
				t.Fatal(err)
			}
			if got := filesOf(t, server, read.NewState); !got.Equal(files) {
				t.Errorf("sent %s, got %s; %v", files, got, read.Diagnostics)
			}
			if original := filesOf(t, server, sent); !original.Equal(files) {
				t.Errorf("the request was changed: %s", original)
			}
		})
	}
}

// TestPackedAttributesOfAStateFile upgrades states as files have them.
func TestPackedAttributesOfAStateFile(t *testing.T) {
	t.Parallel()
	server := provider.NewServer(provider.NewIn("test", environment(nil, t.TempDir()))())
	mapType := tftypes.Map{ElementType: tftypes.String}
	for text, want := range map[string]tftypes.Value{
		`{"bucket":"a"}`:                        tftypes.NewValue(mapType, nil),
		`{"bucket":"a","files":null}`:           tftypes.NewValue(mapType, nil),
		`{"bucket":"a","files":{}}`:             tftypes.NewValue(mapType, map[string]tftypes.Value{}),
		`{"files":{ "b" : "2", "a\u003c":"1"}}`: tftypes.NewValue(mapType, map[string]tftypes.Value{"a<": tftypes.NewValue(tftypes.String, "1"), "b": tftypes.NewValue(tftypes.String, "2")}),
	} {
		upgraded, err := server.UpgradeResourceState(t.Context(), &tfprotov6.UpgradeResourceStateRequest{TypeName: "kodo_directory", RawState: &tfprotov6.RawState{JSON: []byte(text)}})
		if err != nil || len(upgraded.Diagnostics) > 0 {
			t.Fatalf("%s: %v, %v", text, err, upgraded)
		}
		if got := filesOf(t, server, upgraded.UpgradedState); !got.Equal(want) {
			t.Errorf("%s: %s", text, cmp.Diff(want, got))
		}
	}
	for _, text := range []string{`{"files":[1]}`, `{"files":{"a":1}}`, `{"files":"a"}`, `[]`} {
		upgraded, err := server.UpgradeResourceState(t.Context(), &tfprotov6.UpgradeResourceStateRequest{TypeName: "kodo_directory", RawState: &tfprotov6.RawState{JSON: []byte(text)}})
		if err == nil && len(upgraded.Diagnostics) == 0 {
			t.Errorf("%s is accepted", text)
		}
	}
}

// TestPackedAttributesGenerateNoConfig makes a configuration of a state: what is computed is not in it.
func TestPackedAttributesGenerateNoConfig(t *testing.T) {
	t.Parallel()
	server := provider.NewServer(provider.NewIn("test", environment(nil, t.TempDir()))())
	text := tftypes.String
	state := directoryValue(t, server, map[string]tftypes.Value{
		"files":  tftypes.NewValue(tftypes.Map{ElementType: text}, map[string]tftypes.Value{"a": tftypes.NewValue(text, "1")}),
		"bucket": tftypes.NewValue(text, "assets"),
	})
	made, err := server.GenerateResourceConfig(t.Context(), &tfprotov6.GenerateResourceConfigRequest{TypeName: "kodo_directory", State: state})
	if err != nil || len(made.Diagnostics) > 0 {
		t.Fatalf("%v, %v", err, made)
	}
	if got := filesOf(t, server, made.Config); !got.IsNull() {
		t.Errorf("the configuration has files = %s", got)
	}
}
