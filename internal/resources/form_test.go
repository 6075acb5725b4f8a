package resources_test

import (
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/qiniu/terraform-provider-kodo/internal/acctest"
	"github.com/qiniu/terraform-provider-kodo/internal/resources"
)

// stateOf is a state of a resource.
func stateOf(t *testing.T, of resource.Resource, attributes any) tfsdk.State {
	t.Helper()
	var resp resource.SchemaResponse
	of.Schema(t.Context(), resource.SchemaRequest{}, &resp)
	raw, err := acctest.Encode(resp.Schema.Type().TerraformType(t.Context()), attributes)
	if err != nil {
		t.Fatal(err)
	}
	return tfsdk.State{Schema: resp.Schema, Raw: raw}
}

// TestFormAsFramework reads states into a model and back, and gets what the framework's own Get and Set make of them.
func TestFormAsFramework(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		resource resource.Resource
		newModel func() any
	}{
		"kodo_object":      {resources.NewObject(), resources.NewObjectModel},
		"kodo_object_copy": {resources.NewObjectCopy(), resources.NewCopyModel},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			testFormAsFramework(t, test.resource, test.newModel)
		})
	}
}

func testFormAsFramework(t *testing.T, of resource.Resource, newModel func() any) {
	t.Helper()
	unknown := acctest.Unknown{}
	for name, attributes := range map[string]any{
		"nothing": values{},
		"values": values{
			"bucket": "assets", "key": "文/a", "domain": "", "metadata": map[string]any{"owner": "harbour", "none": nil}, "overwrite": true, "size": 1 << 40,
			"transition": map[string]any{"ia_days": 30}, "timeouts": map[string]any{"create": "2m"},
		},
		"unknown": values{
			"bucket": unknown, "delete_after_days": unknown, "enabled": unknown, "metadata": unknown, "transition": unknown, "timeouts": unknown,
		},
		"unknown within": values{
			"metadata": map[string]any{"owner": unknown}, "transition": map[string]any{"ia_days": unknown}, "timeouts": map[string]any{"read": unknown},
		},
		"null":           nil,
		"wholly unknown": unknown,
	} {
		state := stateOf(t, of, attributes)
		model, want := newModel(), newModel()
		diags, wantDiags := resources.GetModel(t.Context(), state, model), state.Get(t.Context(), want)
		if diff := cmp.Diff(wantDiags, diags); diff != "" || !reflect.DeepEqual(model, want) {
			t.Errorf("%s: get makes %+v, want %+v; diagnostics (-want +got):\n%s", name, model, want, diff)
		}
		if diags.HasError() {
			continue
		}
		written := stateOf(t, of, values{"key": "another"})
		if diags := resources.SetModel(t.Context(), &written, model); diags.HasError() || !written.Raw.Equal(state.Raw) {
			t.Errorf("%s: set makes %s, want %s; %v", name, written.Raw, state.Raw, diags)
		}
	}
	if resources.FormOf(t.Context(), stateOf(t, of, nil), newModel()) == nil {
		t.Error("the model has not the form of its schema")
	}
}

// TestFormLeft leaves to the framework what it has words for.
func TestFormLeft(t *testing.T) {
	t.Parallel()
	thing := schema.Schema{Attributes: map[string]schema.Attribute{
		"name": schema.StringAttribute{Optional: true}, "tags": schema.MapAttribute{Optional: true, ElementType: types.StringType},
	}}
	type whole struct {
		Name types.String `tfsdk:"name"`
		Tags types.Map    `tfsdk:"tags"`
	}
	type lacks struct {
		Name types.String `tfsdk:"name"`
	}
	type hasMore struct {
		whole
		More types.String `tfsdk:"more"`
	}
	type ofAnotherType struct {
		Name types.Bool `tfsdk:"name"`
		Tags types.Map  `tfsdk:"tags"`
	}
	type plain struct {
		Name string            `tfsdk:"name"`
		Tags map[string]string `tfsdk:"tags"`
	}
	raw, err := acctest.Encode(thing.Type().TerraformType(t.Context()), values{"name": "a", "tags": map[string]any{"b": "c"}})
	if err != nil {
		t.Fatal(err)
	}
	for name, create := range map[string]func() any{
		"lacks an attribute": func() any { return &lacks{} },
		"has one more":       func() any { return &hasMore{} },
		"of another type":    func() any { return &ofAnotherType{Tags: types.MapNull(types.StringType)} }, // one error, because their order is open
		"plain values":       func() any { return &plain{} },
		"map of no type":     func() any { return &whole{Name: types.StringValue("a")} },
	} {
		model, want := create(), create()
		state, wantState := tfsdk.State{Schema: thing, Raw: raw}, tfsdk.State{Schema: thing, Raw: raw}
		wantDiags, diags := wantState.Set(t.Context(), want), resources.SetModel(t.Context(), &state, model)
		if diff := cmp.Diff(wantDiags, diags); diff != "" || !state.Raw.Equal(wantState.Raw) {
			t.Errorf("%s: set makes %s, want %s; diagnostics (-want +got):\n%s", name, state.Raw, wantState.Raw, diff)
		}
		state.Raw = raw
		wantDiags, diags = state.Get(t.Context(), want), resources.GetModel(t.Context(), state, model)
		if diff := cmp.Diff(wantDiags, diags); diff != "" || !reflect.DeepEqual(model, want) {
			t.Errorf("%s: get makes %+v, want %+v; diagnostics (-want +got):\n%s", name, model, want, diff)
		}
	}
}
