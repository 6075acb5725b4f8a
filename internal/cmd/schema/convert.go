package main

import (
	"encoding/json"
	"fmt"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
	"github.com/zclconf/go-cty/cty"

	tfjson "github.com/hashicorp/terraform-json"
)

// providerSchema turns the two protocol answers that describe a provider into
// the document that Terraform prints for it.
func providerSchema(p *tfprotov6.GetProviderSchemaResponse, ids *tfprotov6.GetResourceIdentitySchemasResponse) (*tfjson.ProviderSchema, error) {
	var c converter
	out := &tfjson.ProviderSchema{
		ConfigSchema:             c.schema(p.Provider),
		ResourceSchemas:          convertAll(p.ResourceSchemas, c.schema),
		DataSourceSchemas:        convertAll(p.DataSourceSchemas, c.schema),
		EphemeralResourceSchemas: convertAll(p.EphemeralResourceSchemas, c.schema),
		ListResourceSchemas:      convertAll(p.ListResourceSchemas, c.schema),
		ActionSchemas:            convertAll(p.ActionSchemas, c.action),
		Functions:                convertAll(p.Functions, c.function),
		ResourceIdentitySchemas:  convertAll(ids.IdentitySchemas, c.identity),
	}
	return out, c.err
}

func convertAll[From, To any](in map[string]From, convert func(From) To) map[string]To {
	out := make(map[string]To, len(in))
	for name, v := range in {
		out[name] = convert(v)
	}
	return out
}

// converter keeps the first error, so that the conversions read as the shapes
// that they are.
type converter struct{ err error }

func (c *converter) schema(s *tfprotov6.Schema) *tfjson.Schema {
	return &tfjson.Schema{Version: uint64(s.Version), Block: c.block(s.Block)}
}

func (c *converter) block(b *tfprotov6.SchemaBlock) *tfjson.SchemaBlock {
	out := &tfjson.SchemaBlock{
		Attributes:      c.attributes(b.Attributes),
		NestedBlocks:    make(map[string]*tfjson.SchemaBlockType, len(b.BlockTypes)),
		Description:     b.Description,
		DescriptionKind: kind(b.DescriptionKind),
		Deprecated:      b.Deprecated,
	}
	for _, nested := range b.BlockTypes {
		out.NestedBlocks[nested.TypeName] = &tfjson.SchemaBlockType{
			NestingMode: c.blockNesting(nested),
			Block:       c.block(nested.Block),
			MinItems:    uint64(nested.MinItems),
			MaxItems:    uint64(nested.MaxItems),
		}
	}
	return out
}

func (c *converter) attributes(in []*tfprotov6.SchemaAttribute) map[string]*tfjson.SchemaAttribute {
	out := make(map[string]*tfjson.SchemaAttribute, len(in))
	for _, a := range in {
		out[a.Name] = &tfjson.SchemaAttribute{
			AttributeType:       c.cty(a.Type),
			AttributeNestedType: c.nested(a.Name, a.NestedType),
			Description:         a.Description,
			DescriptionKind:     kind(a.DescriptionKind),
			Deprecated:          a.Deprecated,
			Required:            a.Required,
			Optional:            a.Optional,
			Computed:            a.Computed,
			Sensitive:           a.Sensitive,
			WriteOnly:           a.WriteOnly,
		}
	}
	return out
}

func (c *converter) nested(name string, o *tfprotov6.SchemaObject) *tfjson.SchemaNestedAttributeType {
	if o == nil {
		return nil
	}
	out := &tfjson.SchemaNestedAttributeType{Attributes: c.attributes(o.Attributes)}
	switch o.Nesting {
	case tfprotov6.SchemaObjectNestingModeSingle:
		out.NestingMode = tfjson.SchemaNestingModeSingle
	case tfprotov6.SchemaObjectNestingModeList:
		out.NestingMode = tfjson.SchemaNestingModeList
	case tfprotov6.SchemaObjectNestingModeSet:
		out.NestingMode = tfjson.SchemaNestingModeSet
	case tfprotov6.SchemaObjectNestingModeMap:
		out.NestingMode = tfjson.SchemaNestingModeMap
	case tfprotov6.SchemaObjectNestingModeInvalid:
		c.fail("attribute %q has no nesting mode", name)
	}
	return out
}

func (c *converter) blockNesting(b *tfprotov6.SchemaNestedBlock) tfjson.SchemaNestingMode {
	switch b.Nesting {
	case tfprotov6.SchemaNestedBlockNestingModeSingle:
		return tfjson.SchemaNestingModeSingle
	case tfprotov6.SchemaNestedBlockNestingModeGroup:
		return tfjson.SchemaNestingModeGroup
	case tfprotov6.SchemaNestedBlockNestingModeList:
		return tfjson.SchemaNestingModeList
	case tfprotov6.SchemaNestedBlockNestingModeSet:
		return tfjson.SchemaNestingModeSet
	case tfprotov6.SchemaNestedBlockNestingModeMap:
		return tfjson.SchemaNestingModeMap
	case tfprotov6.SchemaNestedBlockNestingModeInvalid:
		c.fail("block %q has no nesting mode", b.TypeName)
	}
	return ""
}

func (c *converter) action(a *tfprotov6.ActionSchema) *tfjson.ActionSchema {
	return &tfjson.ActionSchema{Block: c.block(a.Schema.Block)}
}

func (c *converter) identity(s *tfprotov6.ResourceIdentitySchema) *tfjson.IdentitySchema {
	out := &tfjson.IdentitySchema{
		Version:    uint64(s.Version),
		Attributes: make(map[string]*tfjson.IdentityAttribute, len(s.IdentityAttributes)),
	}
	for _, a := range s.IdentityAttributes {
		out.Attributes[a.Name] = &tfjson.IdentityAttribute{
			IdentityType:      c.cty(a.Type),
			Description:       a.Description,
			RequiredForImport: a.RequiredForImport,
			OptionalForImport: a.OptionalForImport,
		}
	}
	return out
}

func (c *converter) function(f *tfprotov6.Function) *tfjson.FunctionSignature {
	out := &tfjson.FunctionSignature{
		Description:        f.Description,
		Summary:            f.Summary,
		DeprecationMessage: f.DeprecationMessage,
		ReturnType:         c.cty(f.Return.Type),
	}
	for _, p := range f.Parameters {
		out.Parameters = append(out.Parameters, c.parameter(p))
	}
	if f.VariadicParameter != nil {
		out.VariadicParameter = c.parameter(f.VariadicParameter)
	}
	return out
}

func (c *converter) parameter(p *tfprotov6.FunctionParameter) *tfjson.FunctionParameter {
	return &tfjson.FunctionParameter{
		Name:        p.Name,
		Description: p.Description,
		IsNullable:  p.AllowNullValue,
		Type:        c.cty(p.Type),
	}
}

// cty goes through JSON, the one notation that both type systems share. An
// attribute with nested attributes has no type of its own.
func (c *converter) cty(t tftypes.Type) cty.Type {
	if t == nil {
		return cty.NilType
	}
	text, err := json.Marshal(t)
	if err != nil {
		c.fail("encode type %s: %w", t, err)
		return cty.NilType
	}
	var out cty.Type
	if err := json.Unmarshal(text, &out); err != nil {
		c.fail("decode type %s: %w", text, err)
	}
	return out
}

func (c *converter) fail(format string, args ...any) {
	if c.err == nil {
		c.err = fmt.Errorf(format, args...)
	}
}

func kind(k tfprotov6.StringKind) tfjson.SchemaDescriptionKind {
	if k == tfprotov6.StringKindMarkdown {
		return tfjson.SchemaDescriptionKindMarkdown
	}
	return tfjson.SchemaDescriptionKindPlain
}
