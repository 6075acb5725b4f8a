package acctest_test

import (
	"context"
	"slices"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/qiniu/terraform-provider-kodo/internal/acctest"
)

// liar stands before a provider and changes its answers.
type liar struct {
	tfprotov6.ProviderServer
	lie lie
}

// lie is what a liar does to answers; nil leaves them.
type lie struct {
	plan    func(*tfprotov6.PlanResourceChangeResponse)
	applied func(*tfprotov6.ApplyResourceChangeResponse)
	read    func(*tfprotov6.ReadResourceResponse)
	import_ func(*tfprotov6.ImportResourceStateResponse)
	moved   func(*tfprotov6.MoveResourceStateResponse)
}

func (l liar) PlanResourceChange(ctx context.Context, req *tfprotov6.PlanResourceChangeRequest) (*tfprotov6.PlanResourceChangeResponse, error) {
	resp, err := l.ProviderServer.PlanResourceChange(ctx, req)
	if l.lie.plan != nil {
		l.lie.plan(resp)
	}
	return resp, err
}

func (l liar) ApplyResourceChange(ctx context.Context, req *tfprotov6.ApplyResourceChangeRequest) (*tfprotov6.ApplyResourceChangeResponse, error) {
	resp, err := l.ProviderServer.ApplyResourceChange(ctx, req)
	if l.lie.applied != nil {
		l.lie.applied(resp)
	}
	return resp, err
}

func (l liar) ReadResource(ctx context.Context, req *tfprotov6.ReadResourceRequest) (*tfprotov6.ReadResourceResponse, error) {
	resp, err := l.ProviderServer.ReadResource(ctx, req)
	if l.lie.read != nil {
		l.lie.read(resp)
	}
	return resp, err
}

func (l liar) ImportResourceState(ctx context.Context, req *tfprotov6.ImportResourceStateRequest) (*tfprotov6.ImportResourceStateResponse, error) {
	resp, err := l.ProviderServer.ImportResourceState(ctx, req)
	if l.lie.import_ != nil {
		l.lie.import_(resp)
	}
	return resp, err
}

func (l liar) MoveResourceState(ctx context.Context, req *tfprotov6.MoveResourceStateRequest) (*tfprotov6.MoveResourceStateResponse, error) {
	resp, err := l.ProviderServer.MoveResourceState(ctx, req)
	if l.lie.moved != nil {
		l.lie.moved(resp)
	}
	return resp, err
}

var (
	ruleType = tftypes.Object{AttributeTypes: map[string]tftypes.Type{"match": tftypes.String, "order": tftypes.String}}

	thingType = tftypes.Object{AttributeTypes: map[string]tftypes.Type{
		"name": tftypes.String, "note": tftypes.String, "size": tftypes.String, "secret": tftypes.String,
		"tags": tftypes.Set{ElementType: tftypes.String}, "rule": tftypes.List{ElementType: ruleType},
	}}
	identityType = tftypes.Object{AttributeTypes: map[string]tftypes.Type{"name": tftypes.String}}
)

// object is a thing in the protocol; nil is none.
func object(values acctest.Values) *tfprotov6.DynamicValue {
	if values == nil {
		return dynamic(thingType, nil)
	}
	return dynamic(thingType, acctest.Values{"name": "a", "rule": []any{}}.With(values))
}

func dynamic(t tftypes.Type, v any) *tfprotov6.DynamicValue {
	value, err := acctest.Encode(t, v)
	if err != nil {
		panic(err)
	}
	d, err := tfprotov6.NewDynamicValue(t, value)
	if err != nil {
		panic(err)
	}
	return &d
}

func identity(v any) *tfprotov6.ResourceIdentityData {
	return &tfprotov6.ResourceIdentityData{IdentityData: dynamic(identityType, v)}
}

func plans(values acctest.Values) lie {
	return lie{plan: func(resp *tfprotov6.PlanResourceChangeResponse) { resp.PlannedState = object(values) }}
}

func makes(values acctest.Values) lie {
	return lie{applied: func(resp *tfprotov6.ApplyResourceChangeResponse) { resp.NewState = object(values) }}
}

func reads(values acctest.Values) lie {
	return lie{read: func(resp *tfprotov6.ReadResourceResponse) { resp.NewState = object(values) }}
}

var unknownIdentity = identity(acctest.Values{"name": acctest.Unknown{}})

// TestRules breaks each rule of Terraform's once, with a thing that is created,
// updated, read or imported.
func TestRules(t *testing.T) {
	t.Parallel()
	const (
		create = iota
		update
		destroy
		refresh
		importing
		moving
	)
	configured := acctest.Values{"name": "a", "note": "n", "tags": []any{"x"}, "rule": []any{map[string]any{"match": "m"}}}
	thing := configured.With(acctest.Values{"size": "1", "rule": []any{map[string]any{"match": "m", "order": "0"}}})
	for name, test := range map[string]struct {
		during int
		lie    lie
		want   string
	}{
		"honest create":  {create, lie{}, ""},
		"honest update":  {update, lie{}, ""},
		"honest destroy": {destroy, lie{}, ""},
		"honest read":    {refresh, lie{}, ""},
		"honest import":  {importing, lie{}, ""},
		"honest move":    {moving, lie{}, ""},

		"plan of another value than configured":  {create, plans(thing.With(acctest.Values{"note": "other"})), "Provider produced invalid plan"},
		"plan without a configured value":        {create, plans(thing.With(acctest.Values{"note": nil})), "Provider produced invalid plan"},
		"plan of another set":                    {create, plans(thing.With(acctest.Values{"tags": []any{"y"}})), "Provider produced invalid plan"},
		"plan of a value that is not computed":   {update, plans(acctest.Values{"note": "n2", "size": "1", "tags": []any{"z"}}), "Provider produced invalid plan"},
		"plan of fewer blocks":                   {create, plans(thing.With(acctest.Values{"rule": []any{}})), "Provider produced invalid plan"},
		"plan of another value in a block":       {create, plans(thing.With(acctest.Values{"rule": []any{map[string]any{"match": "o"}}})), "Provider produced invalid plan"},
		"plan of a write-only value":             {create, plans(thing.With(acctest.Values{"secret": "s"})), "Provider produced invalid plan"},
		"plan of nothing":                        {create, plans(nil), "Provider produced invalid plan"},
		"plan of something to destroy":           {destroy, plans(thing), "Provider produced invalid plan"},
		"plan of an unknown identity":            {update, lie{plan: func(r *tfprotov6.PlanResourceChangeResponse) { r.PlannedIdentity = unknownIdentity }}, "Provider produced invalid identity"},
		"plan of a known value, another is made": {create, lie{plan: plans(thing).plan, applied: makes(thing.With(acctest.Values{"size": "2"})).applied}, "Provider produced inconsistent result after apply"},

		"made otherwise":                {create, makes(thing.With(acctest.Values{"note": "other"})), "Provider produced inconsistent result after apply"},
		"made otherwise in a block":     {create, makes(thing.With(acctest.Values{"rule": []any{map[string]any{"match": "o", "order": "0"}}})), "Provider produced inconsistent result after apply"},
		"made with another set":         {create, makes(thing.With(acctest.Values{"tags": []any{"x", "y"}})), "Provider produced inconsistent result after apply"},
		"made nothing":                  {create, makes(nil), "Provider produced inconsistent result after apply"},
		"updated to nothing":            {update, makes(nil), "Provider produced inconsistent result after apply"},
		"made with an unknown value":    {create, makes(thing.With(acctest.Values{"size": acctest.Unknown{}})), "Provider returned invalid result object after apply"},
		"made with a write-only value":  {create, makes(thing.With(acctest.Values{"secret": "s"})), "Provider produced invalid object"},
		"made with an unknown identity": {create, lie{applied: func(r *tfprotov6.ApplyResourceChangeResponse) { r.NewIdentity = unknownIdentity }}, "Provider produced invalid identity"},
		"made with an identity of a kind": {create, lie{applied: func(r *tfprotov6.ApplyResourceChangeResponse) {
			r.NewIdentity = &tfprotov6.ResourceIdentityData{IdentityData: dynamic(tftypes.String, "a")}
		}}, "Provider produced an identity that doesn't match the schema"},
		"destroyed to something": {destroy, makes(thing), "Provider returned invalid result object after apply"},

		"read an unknown value":     {refresh, reads(thing.With(acctest.Values{"size": acctest.Unknown{}})), "Provider produced invalid object"},
		"read a write-only value":   {refresh, reads(thing.With(acctest.Values{"secret": "s"})), "Provider produced invalid object"},
		"read an unknown identity":  {refresh, lie{read: func(r *tfprotov6.ReadResourceResponse) { r.NewIdentity = unknownIdentity }}, "Provider produced invalid identity"},
		"imported nothing":          {importing, lie{import_: func(r *tfprotov6.ImportResourceStateResponse) { r.ImportedResources = nil }}, "Import returned no resources"},
		"imported without a state":  {importing, lie{import_: func(r *tfprotov6.ImportResourceStateResponse) { r.ImportedResources[0].State = object(nil) }}, "Import returned null resource"},
		"imported without identity": {importing, lie{import_: func(r *tfprotov6.ImportResourceStateResponse) { r.ImportedResources[0].Identity = nil }}, "Import returned no identity"},
		"imported a write-only value": {importing, lie{import_: func(r *tfprotov6.ImportResourceStateResponse) {
			r.ImportedResources[0].State = object(acctest.Values{"secret": "s"})
		}}, "Import returned a non-null value for a write-only attribute"},
		"imported what is not there": {importing, reads(nil), "Cannot import non-existent remote object"},
		"moved with an unknown value": {moving, lie{moved: func(r *tfprotov6.MoveResourceStateResponse) {
			r.TargetState = object(acctest.Values{"size": acctest.Unknown{}})
		}}, "Provider returned invalid moved object"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, s := newWorld(t)
			lying := func() {
				s.Wrap = func(p tfprotov6.ProviderServer) tfprotov6.ProviderServer { return liar{p, test.lie} }
			}
			is, updated := acctest.Resource{Address: addressA, Config: configured}, acctest.Resource{Address: addressA, Config: configured.With(acctest.Values{"note": "n2", "tags": nil})}
			if test.during == update || test.during == destroy || test.during == refresh {
				apply(t, s, is)
			}
			lying()
			var diags acctest.Diagnostics
			switch test.during {
			case create, refresh:
				diags = planAndApply(s, is)
			case update:
				diags = planAndApply(s, updated)
			case destroy:
				diags = planAndApply(s)
			case importing:
				diags = s.ImportIdentity(addressA, acctest.Values{"name": "a"})
			case moving:
				s.Enter("other_thing.a", acctest.Foreign{Provider: "registry.terraform.io/others/other", Type: "other_thing", State: `{"title":"a"}`})
				diags = planAndApply(s, acctest.Resource{Address: addressA, MovedFrom: "other_thing.a", Config: configured})
			}
			var want, got []string
			if test.want != "" {
				want = []string{test.want}
			}
			for _, d := range diags.Errors() {
				got = append(got, d.Summary)
			}
			if !slices.Equal(slices.Compact(got), want) {
				t.Errorf("want the error %q, got:\n%s", test.want, diags)
			}
		})
	}
}

func planAndApply(s *acctest.Session, blocks ...acctest.Resource) acctest.Diagnostics {
	plan := s.Plan(blocks...)
	if plan.Diagnostics.HasErrors() {
		return plan.Diagnostics
	}
	return s.Apply(plan)
}

// TestFinalPlan makes another plan when the apply begins than before.
func TestFinalPlan(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		blocks []acctest.Resource
		first  lie
		second lie
	}{
		"another value":  {[]acctest.Resource{block("a", "")}, plans(acctest.Values{"note": "", "size": "1"}), plans(acctest.Values{"note": "", "size": "2"})},
		"not known then": {[]acctest.Resource{block("a", "")}, plans(acctest.Values{"note": "", "size": "1"}), plans(acctest.Values{"note": "", "size": acctest.Unknown{}})},
		"another action": {[]acctest.Resource{block("a", "!")}, lie{}, lie{plan: func(r *tfprotov6.PlanResourceChangeResponse) {
			r.RequiresReplace = []*tftypes.AttributePath{tftypes.NewAttributePath().WithAttributeName("note")}
		}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, s := newWorld(t)
			if name == "another action" {
				apply(t, s, block("a", ""))
			}
			w.calls = nil
			lying := test.first
			s.Wrap = func(p tfprotov6.ProviderServer) tfprotov6.ProviderServer { return liar{p, lying} }
			plan := s.Plan(test.blocks...)
			lying = test.second
			diags := s.Apply(plan)
			if errs := diags.Errors(); len(errs) != 1 || errs[0].Summary != "Provider produced inconsistent final plan" {
				t.Errorf("got:\n%s", diags)
			}
			expectCalls(t, w)
		})
	}
}

// An unknown value that must not be is saved as null, and the object is tainted.
func TestUnknownIsSavedAsNull(t *testing.T) {
	t.Parallel()
	_, s := newWorld(t)
	s.Wrap = func(p tfprotov6.ProviderServer) tfprotov6.ProviderServer {
		return liar{p, makes(acctest.Values{"note": "", "size": acctest.Unknown{}})}
	}
	apply(t, s, block("a", ""))
	if state := s.State(addressA); state["name"] != "a" || state["size"] != nil || !s.Tainted(addressA) {
		t.Errorf("the state has %v, tainted = %t", state, s.Tainted(addressA))
	}
}
