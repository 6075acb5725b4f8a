package acctest

import (
	"maps"
	"slices"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// schema is a block, a nested block or an attribute with nested attributes: to
// Terraform's rules they are the same.
type schema struct {
	nesting nesting // in what surrounds it
	leaves  []*tfprotov6.SchemaAttribute
	nested  map[string]nestedSchema
}

// nestedSchema is one that an object has below a name. Blocks are never left to
// the provider, attributes may be.
type nestedSchema struct {
	schema
	computed     bool
	configurable bool
	block        bool
}

type nesting int

const (
	single nesting = iota
	list
	set
	mapping
)

func schemaOf(b *tfprotov6.SchemaBlock) schema {
	of := objectSchema(b.Attributes)
	for _, block := range b.BlockTypes {
		nested := nestedSchema{schema: schemaOf(block.Block), configurable: true, block: true}
		switch block.Nesting {
		case tfprotov6.SchemaNestedBlockNestingModeList:
			nested.nesting = list
		case tfprotov6.SchemaNestedBlockNestingModeSet:
			nested.nesting = set
		case tfprotov6.SchemaNestedBlockNestingModeMap:
			nested.nesting = mapping
		default:
		}
		of.nested[block.TypeName] = nested
	}
	return of
}

func objectSchema(all []*tfprotov6.SchemaAttribute) schema {
	of := schema{nested: map[string]nestedSchema{}}
	for _, attribute := range all {
		if attribute.NestedType == nil {
			of.leaves = append(of.leaves, attribute)
			continue
		}
		nested := nestedSchema{
			schema:       objectSchema(attribute.NestedType.Attributes),
			computed:     attribute.Computed,
			configurable: attribute.Required || attribute.Optional,
		}
		switch attribute.NestedType.Nesting {
		case tfprotov6.SchemaObjectNestingModeList:
			nested.nesting = list
		case tfprotov6.SchemaObjectNestingModeSet:
			nested.nesting = set
		case tfprotov6.SchemaObjectNestingModeMap:
			nested.nesting = mapping
		default:
		}
		of.nested[attribute.Name] = nested
	}
	return of
}

// withBlocks is a configuration in which blocks that it does not have are empty
// lists, as Terraform reads them, not null.
func (of schema) withBlocks(config Values) Values {
	whole := maps.Clone(config)
	for name, nested := range of.nested {
		if nested.block && (nested.nesting == list || nested.nesting == set) && whole[name] == nil {
			whole[name] = []any{}
		}
	}
	return whole
}

// proposed merges a configuration with the prior object as Terraform does
// before it asks for a plan: what the configuration leaves to the provider
// stays as it was.
func proposed(of schema, prior, config tftypes.Value) tftypes.Value {
	if config.IsNull() || !config.IsKnown() {
		return config
	}
	before, merged := attributes(prior), attributes(config)
	for _, leaf := range of.leaves {
		if had, ok := before[leaf.Name]; ok && leaf.Computed && merged[leaf.Name].IsNull() {
			merged[leaf.Name] = had
		}
	}
	for name, nested := range of.nested {
		had, ok := before[name]
		switch {
		case ok && nested.computed && merged[name].IsNull():
			merged[name] = had
		case !merged[name].IsNull() && merged[name].IsKnown():
			merged[name] = proposedNested(nested.schema, had, merged[name])
		}
	}
	return tftypes.NewValue(config.Type(), merged)
}

func proposedNested(of schema, prior, config tftypes.Value) tftypes.Value {
	switch of.nesting {
	case list:
		had, wanted := elements(prior), slices.Clone(elements(config))
		for i := range min(len(had), len(wanted)) {
			wanted[i] = proposed(of, had[i], wanted[i])
		}
		return tftypes.NewValue(config.Type(), wanted)
	case set:
		had, wanted := slices.Clone(elements(prior)), slices.Clone(elements(config))
		for i, element := range wanted {
			same := slices.IndexFunc(had, func(h tftypes.Value) bool { return proposed(of, h, element).Equal(h) })
			if same >= 0 {
				wanted[i] = had[same]
				had = slices.Delete(had, same, same+1)
			}
		}
		return tftypes.NewValue(config.Type(), wanted)
	case mapping:
		had, wanted := attributes(prior), attributes(config)
		for key, element := range wanted {
			wanted[key] = proposed(of, had[key], element)
		}
		return tftypes.NewValue(config.Type(), wanted)
	default:
		return proposed(of, prior, config)
	}
}

// arguments are those of an object's values that a configuration can give.
func (of schema) arguments(object Values) Values {
	some := Values{}
	for _, leaf := range of.leaves {
		if v := object[leaf.Name]; v != nil && (leaf.Required || leaf.Optional) {
			some[leaf.Name] = v
		}
	}
	for name, nested := range of.nested {
		if v, ok := object[name].(map[string]any); ok && nested.nesting == single && nested.configurable {
			some[name] = nested.arguments(v)
		} else if object[name] != nil && nested.configurable {
			some[name] = object[name]
		}
	}
	return some
}

// pair is an element of a plan with its counterparts.
type pair struct{ prior, config, planned tftypes.Value }

// pairs matches the elements of a nested value, for a rule to look at each. A
// set has no counterparts. The configuration and the plan have as many elements.
func (of schema) pairs(prior, config, planned tftypes.Value) []pair {
	var all []pair
	switch of.nesting {
	case single:
		return []pair{{prior, config, planned}}
	case list:
		had, wanted := elements(prior), elements(config)
		for i, element := range elements(planned) {
			p := pair{config: wanted[i], planned: element}
			if i < len(had) {
				p.prior = had[i]
			}
			all = append(all, p)
		}
	case mapping:
		had, wanted := attributes(prior), attributes(config)
		for key, element := range attributes(planned) {
			all = append(all, pair{had[key], wanted[key], element})
		}
	}
	return all
}
