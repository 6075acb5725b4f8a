package acctest

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"

	kodoprovider "github.com/qiniu/terraform-provider-kodo/internal/provider"
)

// Session is a state, and the provider that it is planned and applied with. It
// does in the same order what Terraform core does, without a Terraform, and
// holds the provider's answers against core's rules:
//
//   - Plan moves, upgrades, refreshes and imports objects, then plans every
//     block, with unknown values where one refers to what is not known yet. It
//     changes nothing.
//   - Apply starts a new provider, as Terraform does, and plans each change once
//     more, with those values known. It refuses a plan that came out differently,
//     and applies. An object whose creation failed is tainted, and the next plan
//     replaces it; one that was replaced by its successor and could not be
//     deleted is deposed, and the next plan deletes it.
type Session struct {
	// Provider is the provider block. Change it between calls to change keys.
	Provider Values

	// Context is that of every request; cancel it to interrupt an apply.
	Context context.Context

	// Parallelism is how many objects are read or changed at once, in an order
	// that is left to chance; with 0 or 1 the order is that of the plan.
	Parallelism int

	// Wrap stands between the session and each provider that it starts, unless it is nil.
	Wrap func(tfprotov6.ProviderServer) tfprotov6.ProviderServer

	t           *testing.T
	newProvider func() provider.Provider
	state       *state
	schemas     *schemas // nil before the first provider was started
}

// NewSession returns a session with an empty state.
func NewSession(t *testing.T, newProvider func() provider.Provider, config Values) *Session {
	t.Helper()
	return &Session{
		Provider:    config,
		Context:     t.Context(),
		t:           t,
		newProvider: newProvider,
		state:       &state{current: map[string]*object{}, deposed: map[string][]*object{}},
	}
}

// Import takes the object of an import id into the state, as `terraform import` does.
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
	imported, d := server.importResource(address, id, identity)
	if imported != nil {
		s.state.enter(address, imported)
	}
	return append(diags, d...)
}

// State is the object of an address in the state, or nil.
func (s *Session) State(address string) Values {
	s.t.Helper()
	o := s.state.current[address]
	if o == nil {
		return nil
	}
	attributes, err := values(o.value)
	if err != nil {
		s.t.Fatal(err)
	}
	return attributes
}

// Addresses are those in the state, in order.
func (s *Session) Addresses() []string { return sortedKeys(s.state.current) }

// Identity is the identity of an address in the state, or nil.
func (s *Session) Identity(address string) Values {
	s.t.Helper()
	o := s.state.current[address]
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

// GeneratedConfig is the block that Terraform would generate for an object of
// the state: every argument that has a value.
func (s *Session) GeneratedConfig(address string) Values {
	s.t.Helper()
	server, _ := s.start()
	return schemaOf(server.resource(typeName(address)).Block).arguments(s.State(address))
}

// Tainted reports whether the next plan replaces the object.
func (s *Session) Tainted(address string) bool {
	o := s.state.current[address]
	return o != nil && o.tainted
}

// Forget does what `terraform state rm` does.
func (s *Session) Forget(address string) { delete(s.state.current, address) }

// Taint does what `terraform taint` does.
func (s *Session) Taint(address string) { s.state.retaint(address, true) }

// Untaint does what `terraform untaint` does.
func (s *Session) Untaint(address string) { s.state.retaint(address, false) }

// Foreign is an object of another provider's type, as it is in a state file.
type Foreign struct {
	Provider      string // such as "registry.terraform.io/hashicorp/aws"
	Type          string // such as "aws_s3_object"
	SchemaVersion int64
	State         string // JSON
	Private       []byte
}

// Enter puts an object of another provider's type into the state, for a block
// that says MovedFrom.
func (s *Session) Enter(address string, foreign Foreign) {
	s.state.enter(address, &object{foreign: &foreign})
}

// start starts and configures a provider, as Terraform does for each walk.
func (s *Session) start() (*Server, Diagnostics) {
	s.t.Helper()
	provider := kodoprovider.NewServer(s.newProvider())
	if s.Wrap != nil {
		provider = s.Wrap(provider)
	}
	if s.schemas == nil {
		s.schemas = describe(s.Context, s.t, provider)
	}
	server := &Server{t: s.t, ctx: s.Context, provider: provider, schemas: s.schemas}
	diags := server.Validate(s.Provider)
	if diags.HasErrors() {
		return server, diags
	}
	return server, append(diags, server.Configure(s.Provider)...)
}

// parallel calls do for 0 to n-1, as many at once as the session says.
func (s *Session) parallel(n int, do func(i int)) {
	s.t.Helper()
	if s.Parallelism <= 1 {
		for i := range n {
			do(i)
		}
		return
	}
	slots := make(chan struct{}, s.Parallelism)
	var all sync.WaitGroup
	var whole atomic.Int64 // less than n if the protocol itself failed
	for i := range n {
		slots <- struct{}{}
		all.Go(func() {
			defer func() { <-slots }()
			do(i)
			whole.Add(1)
		})
	}
	all.Wait()
	if whole.Load() < int64(n) {
		s.t.FailNow()
	}
}

// state is what a state file keeps.
type state struct {
	current map[string]*object
	deposed map[string][]*object // left by replacements that created first and could not delete
	entered []string             // addresses in the order in which they entered the state
}

// clone is a copy that can be changed; the objects are never changed in place.
func (s *state) clone() *state {
	deposed := make(map[string][]*object, len(s.deposed))
	for address, objects := range s.deposed {
		deposed[address] = slices.Clone(objects)
	}
	return &state{current: maps.Clone(s.current), deposed: deposed, entered: slices.Clone(s.entered)}
}

// enter puts an object into the state.
func (s *state) enter(address string, o *object) {
	if s.current[address] == nil {
		s.entered = append(slices.DeleteFunc(s.entered, func(a string) bool { return a == address }), address)
	}
	s.current[address] = o
}

// move gives the object of a moved block its new address, unless that has one.
func (s *state) move(server *Server, block Resource) Diagnostics {
	from, to := block.MovedFrom, block.Address
	o := s.current[from]
	if o == nil || s.current[to] != nil {
		return nil
	}
	var diags Diagnostics
	if o.foreign != nil {
		if o, diags = server.move(to, o.foreign); o == nil {
			return diags
		}
	}
	delete(s.current, from)
	s.current[to] = o
	s.entered = slices.DeleteFunc(s.entered, func(a string) bool { return a == to }) // of an object that is gone
	for i, address := range s.entered {
		if address == from {
			s.entered[i] = to
		}
	}
	return diags
}

// depose makes room for the successor of an object.
func (s *state) depose(address string) {
	s.deposed[address] = append(s.deposed[address], s.current[address])
	delete(s.current, address)
}

// restore undoes the last depose.
func (s *state) restore(address string) {
	objects := s.deposed[address]
	s.current[address] = objects[len(objects)-1]
	s.redepose(address, s.current[address], nil)
}

// redepose puts what is left of a deposed object in its place; nil is nothing.
func (s *state) redepose(address string, o, left *object) {
	objects := slices.DeleteFunc(s.deposed[address], func(d *object) bool { return d == o })
	if left != nil {
		objects = append(objects, left)
	}
	s.deposed[address] = objects
	if len(objects) == 0 {
		delete(s.deposed, address)
	}
}

func (s *state) retaint(address string, tainted bool) {
	o := *s.current[address]
	o.tainted = tainted
	s.current[address] = &o
}

// typeName is the type of an address.
func typeName(address string) string {
	name, _, _ := strings.Cut(address, ".")
	return name
}
