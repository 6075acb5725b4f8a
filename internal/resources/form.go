package resources

import (
	"context"
	"reflect"
	"sync"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// This file is the framework's Get and Set for a model whose fields are all values of the framework. Those find out anew
// in each call how the struct and the schema correspond, and compile a regular expression for each field (v1.19.0,
// internal/reflect/helpers.go): that was a quarter of a plan of many objects (decision 24). What is not such a model is
// left to them, and so are the words for what is wrong.

// getModel reads a configuration, a plan or a state into the model that the pointer points to.
func getModel[D tfsdk.Config | tfsdk.Plan | tfsdk.State](ctx context.Context, from D, model any) diag.Diagnostics {
	state := tfsdk.State(from)
	if f := formOf(ctx, state, model); f == nil || !f.decode(ctx, state.Raw, reflect.ValueOf(model).Elem()) {
		return state.Get(ctx, model)
	}
	return nil
}

// setModel makes a plan or a state what the model says that the pointer points to.
func setModel[D *tfsdk.Plan | *tfsdk.State](ctx context.Context, to D, model any) diag.Diagnostics {
	state := (*tfsdk.State)(to)
	if f := formOf(ctx, *state, model); f != nil {
		if raw, ok := f.encode(ctx, reflect.ValueOf(model).Elem()); ok {
			state.Raw = raw
			return nil
		}
	}
	return state.Set(ctx, model)
}

// A form is how the struct of a model and the object of its schema correspond: by the tags of the fields.
type form struct {
	object tftypes.Object
	fields []field
}

type field struct {
	name  string
	index []int // in the struct, for reflect
	typ   attr.Type
}

// forms holds the *form of each type of a model, which has one schema; nil where the two do not correspond.
var forms sync.Map

func formOf(ctx context.Context, state tfsdk.State, model any) *form {
	of := reflect.TypeOf(model).Elem()
	if known, ok := forms.Load(of); ok {
		f, _ := known.(*form)
		return f
	}
	f := newForm(ctx, state, of)
	forms.Store(of, f)
	return f
}

func newForm(ctx context.Context, state tfsdk.State, of reflect.Type) *form {
	object, ok := state.Schema.Type().(types.ObjectType)
	if !ok {
		return nil
	}
	f := &form{object: tftypes.Object{AttributeTypes: map[string]tftypes.Type{}}}
	for _, member := range reflect.VisibleFields(of) {
		if member.Anonymous {
			continue
		}
		name := member.Tag.Get("tfsdk")
		typ, ok := object.AttrTypes[name]
		if !ok || reflect.TypeOf(typ.ValueType(ctx)) != member.Type {
			return nil
		}
		f.object.AttributeTypes[name] = typ.TerraformType(ctx)
		f.fields = append(f.fields, field{name: name, index: member.Index, typ: typ})
	}
	if len(f.object.AttributeTypes) != len(object.AttrTypes) || len(f.fields) != len(object.AttrTypes) {
		return nil
	}
	return f
}

// decode reports whether it could.
func (f *form) decode(ctx context.Context, raw tftypes.Value, model reflect.Value) bool {
	var attributes map[string]tftypes.Value
	if err := raw.As(&attributes); err != nil || len(attributes) != len(f.fields) {
		return false
	}
	for _, field := range f.fields {
		value, err := field.typ.ValueFromTerraform(ctx, attributes[field.name])
		if err != nil {
			return false
		}
		model.FieldByIndex(field.index).Set(reflect.ValueOf(value))
	}
	return true
}

// encode undoes decode, and reports whether it could.
func (f *form) encode(ctx context.Context, model reflect.Value) (tftypes.Value, bool) {
	attributes := make(map[string]tftypes.Value, len(f.fields))
	for _, field := range f.fields {
		value, ok := model.FieldByIndex(field.index).Interface().(attr.Value)
		if !ok || !value.Type(ctx).Equal(field.typ) { // such as a map that nobody has set
			return tftypes.Value{}, false
		}
		raw, err := value.ToTerraformValue(ctx)
		if err != nil {
			return tftypes.Value{}, false
		}
		attributes[field.name] = raw
	}
	return tftypes.NewValue(f.object, attributes), true
}
