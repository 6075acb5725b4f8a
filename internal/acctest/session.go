package acctest

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/provider"
)

// Session is a state, and the provider that it is planned and applied with. It
// does in the same order what Terraform core does, without a Terraform:
//
//   - Plan refreshes every object, then plans every change. It changes nothing.
//   - Apply plans each change once more with a provider that was just started,
//     as Terraform does, refuses a plan that came out differently, and applies.
//     An object whose creation failed is tainted, and the next plan replaces it.
//
// It knows no references between resources: their values are given as Values.
type Session struct {
	// Provider is the provider block. Change it between calls to change keys.
	Provider Values

	// Context is that of every request; cancel it to interrupt an apply.
	Context context.Context

	t           *testing.T
	newProvider func() provider.Provider
	current     map[string]*object
	deposed     map[string]*object // left by a replacement that created first and could not delete
	entered     []string           // addresses in the order in which they entered the state
}

// NewSession returns a session with an empty state.
func NewSession(t *testing.T, newProvider func() provider.Provider, config Values) *Session {
	t.Helper()
	return &Session{
		Provider:    config,
		Context:     t.Context(),
		t:           t,
		newProvider: newProvider,
		current:     map[string]*object{},
		deposed:     map[string]*object{},
	}
}

// Apply carries out a plan, in the order of its changes. What fails does not
// keep the rest from being done.
func (s *Session) Apply(p *Plan) Diagnostics {
	s.t.Helper()
	if p.Diagnostics.HasErrors() {
		s.t.Fatalf("a plan with errors cannot be applied:\n%s", p.Diagnostics)
	}
	server, diags := s.start()
	if diags.HasErrors() {
		return diags
	}
	s.current = p.refreshed
	for _, change := range p.Changes {
		diags = append(diags, s.applyChange(server, change)...)
	}
	return diags
}

func (s *Session) applyChange(server *Server, change *Change) Diagnostics {
	s.t.Helper()
	switch {
	case change.Action == NoOp:
		return nil
	case change.deposed:
		return s.destroy(server, change.Address, s.deposed)
	case change.Action == Delete:
		return s.destroy(server, change.Address, s.current)
	case change.Action != Replace:
		return s.write(server, change, change.prior)
	case !change.resource.CreateBeforeDestroy:
		if diags := s.destroy(server, change.Address, s.current); diags.HasErrors() {
			return diags
		}
		return s.write(server, change, nil)
	default:
		s.deposed[change.Address] = s.current[change.Address]
		delete(s.current, change.Address)
		diags := s.write(server, change, nil)
		if !diags.HasErrors() {
			return append(diags, s.destroy(server, change.Address, s.deposed)...)
		}
		if s.current[change.Address] == nil { // nothing was made: the old object is the object again
			s.current[change.Address] = s.deposed[change.Address]
			delete(s.deposed, change.Address)
		}
		return diags
	}
}

const summaryInconsistent = "Provider produced inconsistent result after apply"

// write creates or updates the object: it plans once more and applies that.
func (s *Session) write(server *Server, change *Change, prior *object) Diagnostics {
	s.t.Helper()
	name := typeName(change.Address)
	config := server.encode(server.resource(name).ValueType(), change.resource.Config)
	final, diags := server.plan(name, prior, config)
	if !diags.HasErrors() {
		diags = append(diags, server.checkSame("Provider produced inconsistent final plan", change.Address, change.planned.value, final.value)...)
	}
	if diags.HasErrors() {
		return diags
	}
	made, d := server.apply(name, prior, config, final)
	diags = append(diags, d...)
	if made == nil { // Terraform keeps what it had rather than forget it
		if !diags.HasErrors() {
			diags = append(diags, inconsistent(summaryInconsistent, change.Address, "there is no object")...)
		}
		return diags
	}
	if !diags.HasErrors() {
		diags = append(diags, server.checkSame(summaryInconsistent, change.Address, final.value, made.value)...)
	}
	if !made.value.IsFullyKnown() {
		diags = append(diags, inconsistent("Provider returned invalid result object after apply", change.Address, "it has unknown values")...)
	}
	made.tainted = diags.HasErrors() && prior == nil
	s.enter(change.Address, made)
	return diags
}

// destroy destroys the object that the map has at the address.
func (s *Session) destroy(server *Server, address string, objects map[string]*object) Diagnostics {
	s.t.Helper()
	name, prior := typeName(address), objects[address]
	nothing := server.null(name)
	final, diags := server.plan(name, prior, nothing)
	if diags.HasErrors() {
		return diags
	}
	left, d := server.apply(name, prior, nothing, final)
	diags = append(diags, d...)
	switch {
	case left != nil:
		left.tainted = prior.tainted
		objects[address] = left
	case !diags.HasErrors():
		delete(objects, address)
	}
	return diags
}

// Import takes the object of an import id into the state.
func (s *Session) Import(address, id string) Diagnostics {
	s.t.Helper()
	return s.importObject(address, id, nil)
}

// ImportIdentity takes the object of an identity into the state.
func (s *Session) ImportIdentity(address string, identity Values) Diagnostics {
	s.t.Helper()
	return s.importObject(address, "", identity)
}

func (s *Session) importObject(address, id string, identity Values) Diagnostics {
	s.t.Helper()
	server, diags := s.start()
	if diags.HasErrors() {
		return diags
	}
	imported, d := server.importResource(typeName(address), id, identity)
	if diags = append(diags, d...); imported == nil {
		return diags
	}
	read, d := server.read(typeName(address), imported)
	if diags = append(diags, d...); diags.HasErrors() {
		return diags
	}
	if read == nil {
		return append(diags, inconsistent("Cannot import non-existent remote object", address, "the provider found none")...)
	}
	s.enter(address, read)
	return diags
}

// enter puts an object into the state.
func (s *Session) enter(address string, o *object) {
	if s.current[address] == nil {
		s.entered = append(slices.DeleteFunc(s.entered, func(a string) bool { return a == address }), address)
	}
	s.current[address] = o
}

// State is the object of an address in the state, or nil.
func (s *Session) State(address string) Values {
	s.t.Helper()
	o := s.current[address]
	if o == nil {
		return nil
	}
	attributes, err := values(o.value)
	if err != nil {
		s.t.Fatal(err)
	}
	return attributes
}

// Identity is the identity of an address in the state, or nil.
func (s *Session) Identity(address string) Values {
	s.t.Helper()
	o := s.current[address]
	if o == nil || o.identity == nil {
		return nil
	}
	server, _ := s.start()
	value, err := o.identity.IdentityData.Unmarshal(server.identities[typeName(address)].ValueType())
	server.must(err)
	identity, err := values(value)
	server.must(err)
	return identity
}

// Tainted reports whether the next plan replaces the object.
func (s *Session) Tainted(address string) bool {
	return s.current[address] != nil && s.current[address].tainted
}

// Forget does what `terraform state rm` does.
func (s *Session) Forget(address string) { delete(s.current, address) }

// Taint does what `terraform taint` does.
func (s *Session) Taint(address string) { s.current[address].tainted = true }

// Untaint does what `terraform untaint` does.
func (s *Session) Untaint(address string) { s.current[address].tainted = false }

// start starts and configures a provider, as Terraform does for each walk.
func (s *Session) start() (*Server, Diagnostics) {
	s.t.Helper()
	server := NewServer(s.Context, s.t, s.newProvider)
	diags := server.Validate(s.Provider)
	if diags.HasErrors() {
		return server, diags
	}
	return server, append(diags, server.Configure(s.Provider)...)
}

// typeName is the type of an address.
func typeName(address string) string {
	name, _, _ := strings.Cut(address, ".")
	return name
}
