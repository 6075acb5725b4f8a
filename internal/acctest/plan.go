package acctest

import (
	"slices"

	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// Resource is a resource block, with what other blocks say of its address.
type Resource struct {
	Address             string // such as "kodo_object.logo"
	Config              Values // with a Ref in the place of another resource's attribute
	DependsOn           []string
	CreateBeforeDestroy bool

	MovedFrom      string // a moved block: the address before
	ImportID       string // an import block by id, for an address that is not in the state
	ImportIdentity Values // the same by identity
}

// Ref is another resource's attribute as the value of an argument. It is not
// known before the apply if the plan leaves it unknown.
type Ref struct {
	Address   string
	Attribute string
}

// refersTo are the addresses that must come before the block.
func (r Resource) refersTo() []string {
	addresses := slices.Clone(r.DependsOn)
	var look func(v any)
	look = func(v any) {
		switch v := v.(type) {
		case Ref:
			addresses = append(addresses, v.Address)
		case Values:
			for _, name := range sortedKeys(v) {
				look(v[name])
			}
		case map[string]any:
			look(Values(v))
		case []any:
			for _, element := range v {
				look(element)
			}
		}
	}
	look(r.Config)
	return addresses
}

// resolve puts values in the place of references.
func resolve(v any, value func(Ref) any) any {
	switch v := v.(type) {
	case Ref:
		return value(v)
	case Values:
		return resolve(map[string]any(v), value)
	case map[string]any:
		resolved := make(map[string]any, len(v))
		for name, entry := range v {
			resolved[name] = resolve(entry, value)
		}
		return resolved
	case []any:
		resolved := make([]any, len(v))
		for i, element := range v {
			resolved[i] = resolve(element, value)
		}
		return resolved
	default:
		return v
	}
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
	Address  string
	Action   Action
	After    Values // planned attributes, with Unknown{} in them; nil for Delete
	Imported bool   // the object enters the state by an import block

	resource Resource
	needs    []string // addresses that the block refers to, and those that they refer to
	prior    *object  // as refreshed; nil for Create
	deposed  bool     // Delete of a deposed object
	planned  planned
}

// Plan is what an apply will do. The order of the changes is that of the blocks,
// each after those that it refers to, and then the deletions, first of what
// entered the state last. An apply begins with the first change that nothing
// holds back: a test may put the changes into another order, since Terraform
// promises none between resources that do not refer to each other.
type Plan struct {
	Changes     []*Change
	Diagnostics Diagnostics

	state *state // as refreshed, with what moved and what was imported
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
		if change.Address == address && !change.deposed {
			return change
		}
	}
	return nil
}

// Plan refreshes the state and plans the configuration that consists of these
// blocks; of none, the destruction of everything. After an error in the
// diagnostics there are no changes.
func (s *Session) Plan(blocks ...Resource) *Plan {
	s.t.Helper()
	server, diags := s.start()
	p := &Plan{Diagnostics: diags, state: s.state.clone()}
	if diags.HasErrors() {
		return p
	}
	s.takeOver(server, p, blocks)
	if p.Diagnostics.HasErrors() {
		return p
	}
	failed := map[string]bool{}
	for _, block := range s.inOrder(blocks) {
		// Terraform does not plan what needs something that could not be planned.
		if slices.ContainsFunc(block.refersTo(), func(address string) bool { return failed[address] }) {
			failed[block.Address] = true
			continue
		}
		config, needs := s.configOf(server, block, p.plannedValue), p.needs(block)
		if o := p.state.current[block.Address]; o != nil { // what it was made with counts until it is gone
			kept := *o
			kept.depends = union(o.depends, needs)
			p.state.current[block.Address] = &kept
		}
		change, d := server.planBlock(block, config, p.state.current[block.Address])
		change.needs = needs
		failed[block.Address] = d.HasErrors()
		p.add(change, d)
	}
	for _, address := range slices.Backward(p.state.entered) {
		kept := slices.ContainsFunc(blocks, func(b Resource) bool { return b.Address == address })
		if o := p.state.current[address]; o != nil && !kept {
			p.add(server.planDelete(address, o, false))
		}
	}
	for _, address := range sortedKeys(p.state.deposed) {
		for _, o := range p.state.deposed[address] {
			p.add(server.planDelete(address, o, true))
		}
	}
	if p.Diagnostics.HasErrors() {
		p.Changes = nil
	}
	return p
}

// takeOver makes of the state what a plan begins with: what moved has its new
// address, every object is upgraded and refreshed, and what is to be imported is there.
func (s *Session) takeOver(server *Server, p *Plan, blocks []Resource) {
	s.t.Helper()
	for _, block := range blocks {
		p.Diagnostics = append(p.Diagnostics, p.state.move(server, block)...)
	}
	if p.Diagnostics.HasErrors() {
		return
	}
	p.Diagnostics = append(p.Diagnostics, s.refresh(server, p.state)...)
	if p.Diagnostics.HasErrors() {
		return
	}
	imports := slices.DeleteFunc(slices.Clone(blocks), func(b Resource) bool {
		return b.ImportID == "" && b.ImportIdentity == nil || p.state.current[b.Address] != nil
	})
	imported, answers := make([]*object, len(imports)), make([]Diagnostics, len(imports))
	s.parallel(len(imports), func(i int) {
		imported[i], answers[i] = server.importResource(imports[i].Address, imports[i].ImportID, imports[i].ImportIdentity)
	})
	for i, o := range imported {
		p.Diagnostics = append(p.Diagnostics, answers[i]...)
		if o != nil {
			p.state.enter(imports[i].Address, o)
		}
	}
}

// refresh upgrades and reads every object, also the deposed ones.
func (s *Session) refresh(server *Server, state *state) Diagnostics {
	s.t.Helper()
	type slot struct {
		address string
		object  *object
		deposed bool
	}
	var slots []*slot
	for _, address := range sortedKeys(state.current) {
		slots = append(slots, &slot{address, state.current[address], false})
	}
	for _, address := range sortedKeys(state.deposed) {
		for _, o := range state.deposed[address] {
			slots = append(slots, &slot{address, o, true})
		}
	}
	answers := make([]Diagnostics, len(slots))
	s.parallel(len(slots), func(i int) {
		slot := slots[i]
		upgraded, diags := server.upgrade(slot.address, slot.object)
		if !diags.HasErrors() {
			var d Diagnostics
			slot.object, d = server.read(slot.address, upgraded)
			diags = append(diags, d...)
		}
		answers[i] = diags
	})
	state.deposed = map[string][]*object{}
	for _, slot := range slots {
		switch {
		case slot.deposed && slot.object != nil:
			state.deposed[slot.address] = append(state.deposed[slot.address], slot.object)
		case slot.deposed:
		case slot.object == nil:
			delete(state.current, slot.address)
		default:
			state.current[slot.address] = slot.object
		}
	}
	return slices.Concat(answers...)
}

func (p *Plan) add(change *Change, diags Diagnostics) {
	p.Changes = append(p.Changes, change)
	p.Diagnostics = append(p.Diagnostics, diags...)
}

// needs are the addresses that a block refers to, and those that they refer to.
func (p *Plan) needs(block Resource) []string {
	var all []string
	for _, address := range block.refersTo() {
		all = union(all, []string{address})
		if change := p.Change(address); change != nil {
			all = union(all, change.needs)
		}
	}
	return all
}

func union(a, b []string) []string {
	all := slices.Concat(a, b)
	slices.Sort(all)
	return slices.Compact(all)
}

// plannedValue is what the plan makes of a resource that another one refers to.
func (p *Plan) plannedValue(address string) (tftypes.Value, bool) {
	change := p.Change(address)
	if change == nil {
		return tftypes.Value{}, false
	}
	return change.planned.value, true
}

// configOf is the configuration of a block, with the values that others have.
func (s *Session) configOf(server *Server, block Resource, of func(address string) (tftypes.Value, bool)) tftypes.Value {
	s.t.Helper()
	config, _ := resolve(block.Config, func(ref Ref) any {
		object, ok := of(ref.Address)
		if !ok {
			s.t.Fatalf("%s refers to %s, which is not there", block.Address, ref.Address)
		}
		value, ok := attributes(object)[ref.Attribute]
		if !ok {
			s.t.Fatalf("%s refers to the attribute %s of %s, which is not there", block.Address, ref.Attribute, ref.Address)
		}
		decoded, err := decode(value)
		server.must(err)
		return decoded
	}).(map[string]any)
	schema := server.resource(typeName(block.Address))
	return server.encode(schema.ValueType(), schemaOf(schema.Block).withBlocks(config))
}

// inOrder are the blocks, each after those that it refers to.
func (s *Session) inOrder(blocks []Resource) []Resource {
	s.t.Helper()
	needed := map[string][]string{} // of the blocks that are left, by address
	for _, block := range blocks {
		needed[block.Address] = block.refersTo()
	}
	var ordered []Resource
	for len(needed) > 0 {
		before := len(needed)
		for _, block := range blocks {
			isLeft := func(address string) bool { _, left := needed[address]; return left }
			if isLeft(block.Address) && !slices.ContainsFunc(needed[block.Address], isLeft) {
				ordered = append(ordered, block)
				delete(needed, block.Address)
			}
		}
		if len(needed) == before {
			s.t.Fatalf("the references of %v go in a circle", sortedKeys(needed))
		}
	}
	return ordered
}

// planBlock plans one block, and a replacement where the provider or the taint
// asks for it.
func (s *Server) planBlock(block Resource, config tftypes.Value, prior *object) (*Change, Diagnostics) {
	s.t.Helper()
	change := &Change{Address: block.Address, Action: Create, resource: block, prior: prior}
	change.Imported = prior != nil && (block.ImportID != "" || block.ImportIdentity != nil)
	diags := s.validateResource(typeName(block.Address), config)
	if diags.HasErrors() {
		return change, diags
	}
	var basis object
	switch {
	case prior != nil && prior.tainted:
		change.Action = Replace
	case prior != nil:
		change.Action, basis = Update, *prior
	}
	p, d := s.plan(block.Address, basis, config)
	diags = append(diags, d...)
	if change.Action == Update && !diags.HasErrors() {
		switch {
		case len(s.replaced(p, prior.value)) > 0:
			change.Action = Replace
			p, d = s.plan(block.Address, object{identity: p.identity, private: p.private}, config)
			diags = append(diags, d...)
		case p.value.Equal(prior.value):
			change.Action = NoOp
		}
	}
	if diags.HasErrors() {
		return change, diags
	}
	after, err := values(p.value)
	s.must(err)
	change.planned, change.After = p, after
	return change, diags
}

func (s *Server) planDelete(address string, prior *object, deposed bool) (*Change, Diagnostics) {
	s.t.Helper()
	p, diags := s.plan(address, *prior, s.null(typeName(address)))
	return &Change{Address: address, Action: Delete, prior: prior, deposed: deposed, planned: p}, diags
}
