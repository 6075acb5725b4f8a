package acctest

import (
	"slices"

	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// Resource is a resource block.
type Resource struct {
	Address             string // such as "kodo_object.logo"
	Config              Values
	CreateBeforeDestroy bool
}

// Action is what a plan does to one address.
type Action string

// The actions, in the words of a plan in JSON.
const (
	NoOp    Action = "no-op"
	Create  Action = "create"
	Update  Action = "update"
	Replace Action = "replace"
	Delete  Action = "delete"
)

// Change is what a plan does to one address.
type Change struct {
	Address string
	Action  Action
	After   Values // planned attributes, with Unknown{} in them; nil for Delete

	resource Resource
	prior    *object // as refreshed; nil for Create
	deposed  bool    // Delete of the deposed object
	planned  planned
}

// Plan is what an apply will do, in this order: creations, updates and
// replacements as their blocks were given, then deletions, first of what entered
// the state last. A test may put the changes into another order, since Terraform
// promises none between resources that do not refer to each other.
type Plan struct {
	Changes     []*Change
	Diagnostics Diagnostics

	refreshed map[string]*object
}

// Actions are the actions by address, without those that do nothing.
func (p *Plan) Actions() map[string]Action {
	actions := map[string]Action{}
	for _, change := range p.Changes {
		if change.Action != NoOp {
			actions[change.Address] = change.Action
		}
	}
	return actions
}

// Change is the change of an address, or nil.
func (p *Plan) Change(address string) *Change {
	for _, change := range p.Changes {
		if change.Address == address {
			return change
		}
	}
	return nil
}

// Plan refreshes the state and plans the configuration that consists of these
// blocks. After an error in the diagnostics there are no changes.
func (s *Session) Plan(blocks ...Resource) *Plan {
	s.t.Helper()
	server, diags := s.start()
	p := &Plan{Diagnostics: diags, refreshed: map[string]*object{}}
	if diags.HasErrors() {
		return p
	}
	for _, address := range sortedKeys(s.current) {
		refreshed, d := server.read(typeName(address), s.current[address])
		p.Diagnostics = append(p.Diagnostics, d...)
		if refreshed != nil {
			p.refreshed[address] = refreshed
		}
	}
	if p.Diagnostics.HasErrors() {
		return p
	}
	var kept []string
	for _, block := range blocks {
		kept = append(kept, block.Address)
		p.add(server.planBlock(block, p.refreshed[block.Address]))
	}
	for _, address := range slices.Backward(s.entered) {
		if p.refreshed[address] != nil && !slices.Contains(kept, address) {
			p.add(server.planDelete(address, p.refreshed[address], false))
		}
	}
	for _, address := range sortedKeys(s.deposed) {
		p.add(server.planDelete(address, s.deposed[address], true))
	}
	if p.Diagnostics.HasErrors() {
		p.Changes = nil
	}
	return p
}

func (p *Plan) add(change *Change, diags Diagnostics) {
	p.Changes = append(p.Changes, change)
	p.Diagnostics = append(p.Diagnostics, diags...)
}

// planBlock plans one block, and a replacement where the provider or the taint
// asks for it.
func (s *Server) planBlock(block Resource, prior *object) (*Change, Diagnostics) {
	s.t.Helper()
	name := typeName(block.Address)
	config := s.encode(s.resource(name).ValueType(), block.Config)
	change := &Change{Address: block.Address, Action: Create, resource: block, prior: prior}
	diags := s.validateResource(name, config)
	if diags.HasErrors() {
		return change, diags
	}
	basis := prior
	if prior != nil && prior.tainted {
		change.Action, basis = Replace, nil
	}
	p, d := s.plan(name, basis, config)
	diags = append(diags, d...)
	if basis != nil && !diags.HasErrors() {
		switch {
		case s.replaces(p, prior):
			change.Action = Replace
			p, d = s.plan(name, nil, config)
			diags = append(diags, d...)
		case p.value.Equal(prior.value):
			change.Action = NoOp
		default:
			change.Action = Update
		}
	}
	if diags.HasErrors() {
		return change, diags
	}
	after, err := values(p.value)
	s.must(err)
	change.planned, change.After = p, after
	return change, append(diags, s.checkPlan(block.Address, config, prior, p)...)
}

func (s *Server) planDelete(address string, prior *object, deposed bool) (*Change, Diagnostics) {
	s.t.Helper()
	name := typeName(address)
	p, diags := s.plan(name, prior, s.null(name))
	return &Change{Address: address, Action: Delete, prior: prior, deposed: deposed, planned: p}, diags
}

// replaces reports whether an attribute that cannot change in place changes.
func (s *Server) replaces(p planned, prior *object) bool {
	s.t.Helper()
	for _, path := range p.replace {
		before, _, err := tftypes.WalkAttributePath(prior.value, path)
		s.must(err)
		after, _, err := tftypes.WalkAttributePath(p.value, path)
		s.must(err)
		was, isValue := before.(tftypes.Value)
		is, alsoValue := after.(tftypes.Value)
		if isValue && alsoValue && !was.Equal(is) {
			return true
		}
	}
	return false
}
