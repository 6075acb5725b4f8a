package acctest

import (
	"encoding/json"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// This file is what Terraform asks of a provider about one object, each with
// the rules that Terraform holds the answer against.

// object is one instance of a resource, as the state keeps it.
type object struct {
	value    tftypes.Value // never null
	identity *tfprotov6.ResourceIdentityData
	private  []byte
	tainted  bool
	depends  []string // addresses that its block referred to, and that those referred to
	foreign  *Foreign // in the place of a value: it came from another provider's type
}

func (s *Server) validateResource(typeName string, config tftypes.Value) Diagnostics {
	s.t.Helper()
	resp, err := s.provider.ValidateResourceConfig(s.ctx, &tfprotov6.ValidateResourceConfigRequest{
		TypeName:           typeName,
		Config:             s.dynamic(config),
		ClientCapabilities: &tfprotov6.ValidateResourceConfigClientCapabilities{WriteOnlyAttributesAllowed: true},
	})
	s.must(err)
	return resp.Diagnostics
}

// upgrade hands the object to the provider as the JSON that a state file has,
// which Terraform does with every object before anything else.
func (s *Server) upgrade(address string, o *object) (*object, Diagnostics) {
	s.t.Helper()
	decoded, err := values(o.value)
	s.must(err)
	state, err := json.Marshal(decoded)
	s.must(err)
	name := typeName(address)
	resp, err := s.provider.UpgradeResourceState(s.ctx, &tfprotov6.UpgradeResourceStateRequest{
		TypeName: name, Version: s.resource(name).Version, RawState: &tfprotov6.RawState{JSON: state},
	})
	s.must(err)
	if Diagnostics(resp.Diagnostics).HasErrors() {
		return o, resp.Diagnostics
	}
	upgraded := *o
	upgraded.value = s.value(name, resp.UpgradedState)
	return &upgraded, resp.Diagnostics
}

// move hands an object of another type to the provider, as a moved block does.
func (s *Server) move(address string, from *Foreign) (*object, Diagnostics) {
	s.t.Helper()
	name := typeName(address)
	resp, err := s.provider.MoveResourceState(s.ctx, &tfprotov6.MoveResourceStateRequest{
		SourceProviderAddress: from.Provider,
		SourceTypeName:        from.Type,
		SourceSchemaVersion:   from.SchemaVersion,
		SourceState:           &tfprotov6.RawState{JSON: []byte(from.State)},
		SourcePrivate:         from.Private,
		TargetTypeName:        name,
	})
	s.must(err)
	if Diagnostics(resp.Diagnostics).HasErrors() {
		return nil, resp.Diagnostics
	}
	moved := &object{value: s.value(name, resp.TargetState), identity: resp.TargetIdentity, private: resp.TargetPrivate}
	return moved, append(resp.Diagnostics, s.checkState(ruleMove, address, moved)...)
}

// read refreshes an object. It is nil when the object is gone.
func (s *Server) read(address string, o *object) (*object, Diagnostics) {
	s.t.Helper()
	name := typeName(address)
	resp, err := s.provider.ReadResource(s.ctx, &tfprotov6.ReadResourceRequest{
		TypeName:        name,
		CurrentState:    s.dynamic(o.value),
		CurrentIdentity: o.identity,
		Private:         o.private,
	})
	s.must(err)
	if Diagnostics(resp.Diagnostics).HasErrors() {
		return o, resp.Diagnostics
	}
	value := s.value(name, resp.NewState)
	if value.IsNull() {
		return nil, resp.Diagnostics
	}
	read := *o
	read.value, read.identity, read.private = value, resp.NewIdentity, resp.Private
	return &read, append(resp.Diagnostics, s.checkState(ruleRead, address, &read)...)
}

// planned is what the provider says that a change will lead to.
type planned struct {
	value    tftypes.Value
	identity *tfprotov6.ResourceIdentityData
	private  []byte
	replace  []*tftypes.AttributePath
}

// plan asks what the configuration makes of the prior object, whose value is
// null for a creation. A null configuration plans the destruction.
func (s *Server) plan(address string, prior object, config tftypes.Value) (planned, Diagnostics) {
	s.t.Helper()
	name := typeName(address)
	if prior.value.Type() == nil {
		prior.value = s.null(name)
	}
	resp, err := s.provider.PlanResourceChange(s.ctx, &tfprotov6.PlanResourceChangeRequest{
		TypeName:         name,
		PriorState:       s.dynamic(prior.value),
		PriorPrivate:     prior.private,
		PriorIdentity:    prior.identity,
		Config:           s.dynamic(config),
		ProposedNewState: s.dynamic(proposed(schemaOf(s.resource(name).Block), prior.value, config)),
	})
	s.must(err)
	if Diagnostics(resp.Diagnostics).HasErrors() {
		return planned{}, resp.Diagnostics
	}
	p := planned{value: s.value(name, resp.PlannedState), identity: resp.PlannedIdentity, private: resp.PlannedPrivate, replace: resp.RequiresReplace}
	return p, append(resp.Diagnostics, s.checkPlan(address, prior.value, config, p)...)
}

// apply carries out what was planned, from the prior object, which is nil for a
// creation. What comes back is what the state has afterwards, nil for nothing.
func (s *Server) apply(address string, prior *object, config tftypes.Value, p planned) (*object, Diagnostics) {
	s.t.Helper()
	name := typeName(address)
	before := s.null(name)
	if prior != nil {
		before = prior.value
	}
	resp, err := s.provider.ApplyResourceChange(s.ctx, &tfprotov6.ApplyResourceChangeRequest{
		TypeName:        name,
		PriorState:      s.dynamic(before),
		Config:          s.dynamic(config),
		PlannedState:    s.dynamic(p.value),
		PlannedIdentity: p.identity,
		PlannedPrivate:  p.private,
	})
	s.must(err)
	made := &object{value: s.value(name, resp.NewState), identity: resp.NewIdentity, private: resp.Private}
	diags := append(Diagnostics(resp.Diagnostics), s.checkApplied(address, p, made, Diagnostics(resp.Diagnostics).HasErrors())...)
	switch failed := diags.HasErrors(); {
	case made.value.IsNull() && failed: // Terraform keeps what it had rather than forget it
		return prior, diags
	case made.value.IsNull():
		return nil, diags
	default:
		if prior != nil {
			made.tainted, made.depends = failed && prior.tainted, prior.depends
		} else {
			made.tainted = failed
		}
		made.value = unknownAsNull(made.value)
		return made, diags
	}
}

// importResource asks for the object of an import id, or of an identity.
func (s *Server) importResource(address, id string, identity Values) (*object, Diagnostics) {
	s.t.Helper()
	name := typeName(address)
	req := &tfprotov6.ImportResourceStateRequest{TypeName: name, ID: id}
	if identity != nil {
		value := s.encode(s.identities[name].ValueType(), identity)
		req.Identity = &tfprotov6.ResourceIdentityData{IdentityData: s.dynamic(value)}
	}
	resp, err := s.provider.ImportResourceState(s.ctx, req)
	s.must(err)
	diags := Diagnostics(resp.Diagnostics)
	if diags.HasErrors() {
		return nil, diags
	}
	if len(resp.ImportedResources) != 1 {
		return nil, append(diags, broken("Import returned no resources", address, "%d came back", len(resp.ImportedResources))...)
	}
	imported := resp.ImportedResources[0]
	o := &object{value: s.value(name, imported.State), identity: imported.Identity, private: imported.Private}
	switch {
	case o.value.IsNull():
		return nil, append(diags, broken("Import returned null resource", address, "there is no state")...)
	case identity != nil && o.identity == nil:
		return nil, append(diags, broken("Import returned no identity", address, "it was asked for by one")...)
	}
	diags = append(diags, s.checkWriteOnly("Import returned a non-null value for a write-only attribute", address, o.value)...)
	if diags.HasErrors() {
		return nil, diags
	}
	read, d := s.read(address, o)
	if diags = append(diags, d...); diags.HasErrors() {
		return nil, diags
	}
	if read == nil {
		return nil, append(diags, broken("Cannot import non-existent remote object", address, "the provider found none")...)
	}
	return read, diags
}
