package acctest

import (
	"fmt"
	"maps"
	"slices"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// This file is what Terraform core demands of a provider's answers, in core's
// own summaries. Source: hashicorp/terraform v1.14.0, internal/terraform/
// node_resource_abstract_instance.go and internal/plans/objchange.

const (
	rulePlan         = "Provider produced invalid plan"
	ruleFinalPlan    = "Provider produced inconsistent final plan"
	ruleInconsistent = "Provider produced inconsistent result after apply"
	ruleResult       = "Provider returned invalid result object after apply"
	ruleRead         = "Provider produced invalid object"
	ruleMove         = "Provider returned invalid moved object"
	ruleIdentity     = "Provider produced invalid identity"
)

// checkPlan is the rule for plans: what is configured is planned as it is, or
// left as it was; what is not configured is the provider's to plan only if the
// schema says that it is computed; a destruction ends in nothing; and an object
// that stays has an identity that is known.
func (s *Server) checkPlan(address string, prior, config tftypes.Value, p planned) Diagnostics {
	s.t.Helper()
	name := typeName(address)
	var diags Diagnostics
	if config.IsNull() != p.value.IsNull() {
		return broken(rulePlan, address, "the object is wanted: %t, and planned: %t", !config.IsNull(), !p.value.IsNull())
	}
	if !config.IsNull() {
		for _, problem := range planProblems(schemaOf(s.resource(name).Block), "", prior, config, p.value) {
			diags = append(diags, broken(rulePlan, address, "%s", problem)...)
		}
		diags = append(diags, s.checkWriteOnly(rulePlan, address, p.value)...)
	}
	replaces := len(s.replaced(p, prior)) > 0
	return append(diags, s.checkIdentity(address, p.identity, prior.IsNull() || replaces)...)
}

// planProblems says what is wrong with the plan of one object.
func planProblems(of schema, at string, prior, config, planned tftypes.Value) []string {
	had, wanted, plan := attributes(prior), attributes(config), attributes(planned)
	var problems []string
	for _, leaf := range of.leaves {
		name := leaf.Name
		before, hasPrior := had[name]
		switch {
		case plan[name].Equal(wanted[name]),
			hasPrior && plan[name].Equal(before) && !before.IsNull() && !wanted[name].IsNull(),
			leaf.Computed && (!leaf.Optional || wanted[name].IsNull()),
			leaf.WriteOnly && plan[name].IsNull():
		default:
			problems = append(problems, fmt.Sprintf("%s%s is configured as %s and planned as %s", at, name, wanted[name], plan[name]))
		}
	}
	for _, name := range sortedKeys(of.nested) {
		nested := of.nested[name]
		before, want, got := had[name], wanted[name], plan[name]
		switch {
		case got.Equal(want), nested.computed && want.IsNull():
		case want.IsNull() != got.IsNull() || !got.IsKnown() || len(elements(want)) != len(elements(got)) ||
			nested.nesting == mapping && !slices.Equal(sortedKeys(attributes(want)), sortedKeys(attributes(got))):
			problems = append(problems, fmt.Sprintf("%s%s is configured as %s and planned as %s", at, name, want, got))
		default:
			for _, pair := range nested.pairs(before, want, got) {
				problems = append(problems, planProblems(nested.schema, at+name+".", pair.prior, pair.config, pair.planned)...)
			}
		}
	}
	return problems
}

// checkFinal is the rule for a plan that is made again when the apply begins:
// the same action, and what was known stays.
func (s *Server) checkFinal(first, final *Change) Diagnostics {
	s.t.Helper()
	same := first.Action == final.Action || first.Action == Replace && final.Action == Create || first.Action == Update && final.Action == NoOp
	if !same {
		return broken(ruleFinalPlan, first.Address, "the planned action was %s and is %s", first.Action, final.Action)
	}
	return checkFollows(ruleFinalPlan, first.Address, first.planned.value, final.planned.value)
}

// checkApplied is the rule for what an apply makes: nothing of a destruction,
// and otherwise an object that is wholly known and as it was planned. Of an
// apply that failed it is asked only that it is known.
func (s *Server) checkApplied(address string, p planned, made *object, failed bool) Diagnostics {
	s.t.Helper()
	diags := s.checkIdentity(address, made.identity, false)
	diags = append(diags, s.checkWriteOnly(ruleRead, address, made.value)...)
	switch {
	case !made.value.IsFullyKnown():
		diags = append(diags, broken(ruleResult, address, "it has unknown values: %s", made.value)...)
	case failed || diags.HasErrors():
	case p.value.IsNull() && !made.value.IsNull():
		diags = append(diags, broken(ruleResult, address, "it was to be destroyed, and is there")...)
	case !p.value.IsNull() && made.value.IsNull():
		diags = append(diags, broken(ruleInconsistent, address, "it was planned, and there is none")...)
	case !p.value.IsNull():
		diags = append(diags, checkFollows(ruleInconsistent, address, p.value, made.value)...)
	}
	return diags
}

// checkState is the rule for an object that goes into the state as it is.
func (s *Server) checkState(summary, address string, o *object) Diagnostics {
	s.t.Helper()
	diags := append(s.checkIdentity(address, o.identity, false), s.checkWriteOnly(summary, address, o.value)...)
	if !o.value.IsFullyKnown() {
		diags = append(diags, broken(summary, address, "it has unknown values: %s", o.value)...)
	}
	return diags
}

// checkIdentity is the rule for identities: they have the type of their schema,
// and unknown values only before the object exists.
func (s *Server) checkIdentity(address string, identity *tfprotov6.ResourceIdentityData, mayBeUnknown bool) Diagnostics {
	s.t.Helper()
	if identity == nil || identity.IdentityData == nil {
		return nil
	}
	schema := s.identities[typeName(address)]
	if schema == nil {
		return broken(ruleIdentity, address, "its type has none")
	}
	value, err := identity.IdentityData.Unmarshal(schema.ValueType())
	switch {
	case err != nil:
		return broken("Provider produced an identity that doesn't match the schema", address, "%v", err)
	case !mayBeUnknown && !value.IsFullyKnown():
		return broken(ruleIdentity, address, "it has unknown values: %s", value)
	}
	return nil
}

// checkWriteOnly is the rule for write-only attributes: nobody keeps them.
func (s *Server) checkWriteOnly(summary, address string, v tftypes.Value) Diagnostics {
	s.t.Helper()
	var diags Diagnostics
	for _, name := range writeOnly(schemaOf(s.resource(typeName(address)).Block), "", v) {
		diags = append(diags, broken(summary, address, "a value for the write-only attribute %s came back", name)...)
	}
	return diags
}

// writeOnly names the write-only attributes that have a value.
func writeOnly(of schema, at string, v tftypes.Value) []string {
	var names []string
	all := attributes(v)
	for _, leaf := range of.leaves {
		if value, ok := all[leaf.Name]; ok && leaf.WriteOnly && !value.IsNull() {
			names = append(names, at+leaf.Name)
		}
	}
	for name, nested := range of.nested {
		value := all[name]
		objects := append(elements(value), value)
		if nested.nesting == mapping {
			objects = slices.Collect(maps.Values(attributes(value)))
		}
		for _, object := range objects {
			names = append(names, writeOnly(nested.schema, at+name+".", object)...)
		}
	}
	return names
}

// checkFollows is the rule for what comes after a plan: a value that was known
// stays, a value that was unknown may become anything.
func checkFollows(summary, address string, planned, actual tftypes.Value) Diagnostics {
	var diags Diagnostics
	was, is := attributes(planned), attributes(actual)
	for _, name := range sortedKeys(was) {
		if !follows(was[name], is[name]) {
			diags = append(diags, broken(summary, address, "%s was planned as %s and is %s", name, was[name], is[name])...)
		}
	}
	return diags
}

// follows reports whether the actual value is one that the planned value allows.
func follows(planned, actual tftypes.Value) bool {
	switch {
	case !planned.IsKnown():
		return true
	case planned.IsNull(), actual.IsNull(), !actual.IsKnown():
		return planned.Equal(actual)
	}
	switch t := planned.Type(); {
	case t.Is(tftypes.Object{}), t.Is(tftypes.Map{}):
		return maps.EqualFunc(attributes(planned), attributes(actual), follows)
	case t.Is(tftypes.List{}):
		return slices.EqualFunc(elements(planned), elements(actual), follows)
	case t.Is(tftypes.Set{}):
		was, is := elements(planned), elements(actual)
		return allMatch(was, is, follows) && allMatch(is, was, func(a, p tftypes.Value) bool { return follows(p, a) })
	default:
		return planned.Equal(actual)
	}
}

// allMatch reports whether each element of one set has a match in the other.
func allMatch(some, others []tftypes.Value, match func(a, b tftypes.Value) bool) bool {
	return !slices.ContainsFunc(some, func(a tftypes.Value) bool {
		return !slices.ContainsFunc(others, func(b tftypes.Value) bool { return match(a, b) })
	})
}

// replaced are the paths at which the plan replaces an object that is there.
func (s *Server) replaced(p planned, prior tftypes.Value) []*tftypes.AttributePath {
	s.t.Helper()
	if prior.IsNull() || p.value.IsNull() {
		return nil
	}
	var paths []*tftypes.AttributePath
	for _, path := range p.replace {
		was, isValue := at(prior, path)
		is, alsoValue := at(p.value, path)
		if !isValue && !alsoValue {
			s.t.Fatalf("the provider wants to replace for %s, which is not there", path)
		}
		if isValue != alsoValue || !was.Equal(is) {
			paths = append(paths, path)
		}
	}
	return paths
}

// at is the value at a path, if there is one.
func at(v tftypes.Value, path *tftypes.AttributePath) (tftypes.Value, bool) {
	found, _, err := tftypes.WalkAttributePath(v, path)
	value, ok := found.(tftypes.Value)
	return value, ok && err == nil
}

// unknownAsNull is how Terraform saves an object that it must not have been given.
func unknownAsNull(v tftypes.Value) tftypes.Value {
	known, err := tftypes.Transform(v, func(_ *tftypes.AttributePath, v tftypes.Value) (tftypes.Value, error) {
		if !v.IsKnown() {
			return tftypes.NewValue(v.Type(), nil), nil
		}
		return v, nil
	})
	if err != nil {
		return v
	}
	return known
}

func broken(summary, address, format string, args ...any) Diagnostics {
	return Diagnostics{{Severity: tfprotov6.DiagnosticSeverityError, Summary: summary, Detail: address + ": " + fmt.Sprintf(format, args...)}}
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
