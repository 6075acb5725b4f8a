package acctest

import (
	"fmt"
	"maps"
	"slices"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// checkPlan is Terraform's rule for plans: what is configured is planned as it
// is, or left as it was; what is not configured is the provider's to plan only
// if the schema says that it is computed.
func (s *Server) checkPlan(address string, config tftypes.Value, prior *object, p planned) Diagnostics {
	s.t.Helper()
	wanted, plan := s.attributes(config), s.attributes(p.value)
	before := map[string]tftypes.Value{}
	if prior != nil {
		before = s.attributes(prior.value)
	}
	var diags Diagnostics
	for _, attribute := range s.resource(typeName(address)).Block.Attributes {
		name := attribute.Name
		had, hasPrior := before[name]
		switch {
		case attribute.Computed && wanted[name].IsNull(), plan[name].Equal(wanted[name]), hasPrior && plan[name].Equal(had):
		case attribute.WriteOnly && plan[name].IsNull():
		default:
			diags = append(diags, inconsistent("Provider produced invalid plan", address,
				fmt.Sprintf("%s is configured as %s and planned as %s", name, wanted[name], plan[name]))...)
		}
	}
	return diags
}

// checkSame is Terraform's rule for what follows a plan: a value that was known
// stays, a value that was unknown may become anything.
func (s *Server) checkSame(summary, address string, planned, actual tftypes.Value) Diagnostics {
	s.t.Helper()
	var diags Diagnostics
	was, is := s.attributes(planned), s.attributes(actual)
	for _, name := range sortedKeys(was) {
		if !s.follows(was[name], is[name]) {
			diags = append(diags, inconsistent(summary, address, fmt.Sprintf("%s was planned as %s and is %s", name, was[name], is[name]))...)
		}
	}
	return diags
}

// follows reports whether the actual value is one that the planned value allows.
func (s *Server) follows(planned, actual tftypes.Value) bool {
	s.t.Helper()
	switch {
	case !planned.IsKnown():
		return true
	case planned.IsNull(), actual.IsNull(), !actual.IsKnown():
		return planned.Equal(actual)
	}
	switch t := planned.Type(); {
	case t.Is(tftypes.Object{}), t.Is(tftypes.Map{}):
		was, is := s.attributes(planned), s.attributes(actual)
		if len(was) != len(is) {
			return false
		}
		for name, value := range was {
			if other, ok := is[name]; !ok || !s.follows(value, other) {
				return false
			}
		}
		return true
	case t.Is(tftypes.List{}):
		var was, is []tftypes.Value
		s.must(planned.As(&was))
		s.must(actual.As(&is))
		return slices.EqualFunc(was, is, s.follows)
	default:
		return planned.Equal(actual)
	}
}

func inconsistent(summary, address, detail string) Diagnostics {
	return Diagnostics{{Severity: tfprotov6.DiagnosticSeverityError, Summary: summary, Detail: address + ": " + detail}}
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
