package acctest

import (
	"slices"
	"sync"

	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// Apply carries out a plan: what others refer to is written first and destroyed
// last. What needs something that failed is left, the rest is done.
func (s *Session) Apply(p *Plan) Diagnostics {
	s.t.Helper()
	if p.Diagnostics.HasErrors() {
		s.t.Fatalf("a plan with errors cannot be applied:\n%s", p.Diagnostics)
	}
	server, diags := s.start()
	if diags.HasErrors() {
		return diags
	}
	s.state = p.state
	w := &walk{session: s, server: server, steps: steps(p)}
	return append(diags, w.run()...)
}

// step is one half of a change: a write, or the destruction of an object.
type step struct {
	change      *Change
	destroy     bool
	createFirst bool // of a replacement
	after       []*step
	state       stepState
}

type stepState int

const (
	waiting stepState = iota
	running
	done
	failed // or left, because something before it failed
)

// steps are the steps of a plan in the order of its changes, and what each waits for.
// Source: internal/terraform/transform_destroy_edge.go and transform_destroy_cbd.go of hashicorp/terraform v1.14.0.
func steps(p *Plan) []*step {
	writes, destroys := map[string]*step{}, map[string]*step{}
	var all []*step
	for _, change := range p.Changes {
		if change.Action == Delete || change.Action == Replace {
			destroy := &step{change: change, destroy: true}
			all = append(all, destroy)
			if !change.deposed {
				destroys[change.Address] = destroy
			}
		}
		if change.Action == Create || change.Action == Update || change.Action == Replace {
			writes[change.Address] = &step{change: change}
			all = append(all, writes[change.Address])
		}
	}
	createsFirst := p.createsFirst()
	for address, write := range writes {
		for _, needed := range write.change.needs {
			write.waitsFor(writes[needed])
		}
		replaced := destroys[address]
		if createsFirst[address] {
			replaced.waitsFor(write)
		} else {
			write.waitsFor(replaced)
		}
		if write.change.prior == nil {
			continue
		}
		for _, needed := range write.change.prior.depends {
			if createsFirst[needed] {
				destroys[needed].waitsFor(write)
			} else {
				write.waitsFor(destroys[needed])
			}
		}
	}
	for _, destroy := range destroys {
		for _, needed := range destroy.change.prior.depends {
			destroys[needed].waitsFor(destroy)
		}
	}
	for _, s := range all {
		s.createFirst = createsFirst[s.change.Address] && !s.change.deposed
	}
	return all
}

func (s *step) waitsFor(other *step) {
	if s != nil && other != nil && s != other {
		s.after = append(s.after, other)
	}
}

// createsFirst are the replaced addresses with create_before_destroy, which
// what a block refers to inherits from it.
func (p *Plan) createsFirst() map[string]bool {
	first := map[string]bool{}
	for _, change := range p.Changes {
		if change.resource.CreateBeforeDestroy {
			first[change.Address] = true
			for _, address := range change.needs {
				first[address] = true
			}
		}
	}
	for _, change := range p.Changes {
		if change.Action != Replace && !change.deposed {
			delete(first, change.Address)
		}
	}
	return first
}

// walk carries out steps, as many at once as the session says.
type walk struct {
	session *Session
	server  *Server
	steps   []*step

	mu    sync.Mutex // of the session's state as well
	diags Diagnostics
}

func (w *walk) run() Diagnostics {
	w.session.t.Helper()
	finished := make(chan bool)
	for active := 0; ; active-- {
		for active < max(1, w.session.Parallelism) {
			next := w.next()
			if next == nil {
				break
			}
			active++
			go func() {
				whole := false // not if the protocol itself failed
				defer func() { finished <- whole }()
				w.do(next)
				whole = true
			}()
		}
		if active == 0 {
			return w.diags
		}
		if !<-finished {
			w.session.t.FailNow()
		}
	}
}

// next is the first step that nothing holds back, as running. What waits for a
// failed step fails with it.
func (w *walk) next() *step {
	w.mu.Lock()
	defer w.mu.Unlock()
	for again := true; again; {
		again = false
		for _, s := range w.steps {
			if s.state != waiting {
				continue
			}
			switch {
			case slices.ContainsFunc(s.after, func(b *step) bool { return b.state == failed }):
				s.state, again = failed, true
			case !slices.ContainsFunc(s.after, func(b *step) bool { return b.state != done }):
				s.state = running
				return s
			}
		}
	}
	return nil
}

func (w *walk) do(s *step) {
	w.session.t.Helper()
	var diags Diagnostics
	switch {
	case !s.destroy:
		diags = w.write(s.change, s.createFirst)
	case s.change.deposed || s.createFirst:
		diags = w.destroyDeposed(s.change)
	default:
		diags = w.destroy(s.change)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	s.state = done
	if diags.HasErrors() {
		s.state = failed
	}
	w.diags = append(w.diags, diags...)
}

// write creates or updates the object: it plans once more and applies that.
func (w *walk) write(change *Change, createFirst bool) Diagnostics {
	w.session.t.Helper()
	address, state := change.Address, w.session.state
	w.mu.Lock()
	if createFirst {
		state.depose(address)
	}
	prior := state.current[address]
	config := w.session.configOf(w.server, change.resource, func(address string) (tftypes.Value, bool) {
		if o := state.current[address]; o != nil {
			return o.value, true
		}
		return tftypes.Value{}, false
	})
	w.mu.Unlock()

	made, diags := w.plannedAgain(change, config, prior)
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case made != nil:
		state.enter(address, made)
	case createFirst: // nothing was made: the old object is the object again
		state.restore(address)
	}
	return diags
}

// plannedAgain applies a change to the prior object after planning it once more.
func (w *walk) plannedAgain(change *Change, config tftypes.Value, prior *object) (*object, Diagnostics) {
	w.session.t.Helper()
	final, diags := w.server.planBlock(change.resource, config, prior)
	if !diags.HasErrors() {
		diags = append(diags, w.server.checkFinal(change, final)...)
	}
	if diags.HasErrors() || final.Action == NoOp {
		return prior, diags
	}
	made, d := w.server.apply(change.Address, prior, config, final.planned)
	if made != nil && made != prior {
		made.depends = change.needs
	}
	return made, append(diags, d...)
}

// destroy destroys the current object as it was planned, which for a
// replacement is with what was planned for the new one.
func (w *walk) destroy(change *Change) Diagnostics {
	w.session.t.Helper()
	nothing := w.server.null(typeName(change.Address))
	left, diags := w.server.apply(change.Address, change.prior, nothing, planned{
		value: nothing, identity: change.planned.identity, private: change.planned.private,
	})
	w.mu.Lock()
	defer w.mu.Unlock()
	if left == nil {
		delete(w.session.state.current, change.Address)
	} else {
		w.session.state.current[change.Address] = left
	}
	return diags
}

// destroyDeposed destroys an object that was replaced, after planning it once more.
func (w *walk) destroyDeposed(change *Change) Diagnostics {
	w.session.t.Helper()
	nothing := w.server.null(typeName(change.Address))
	final, diags := w.server.plan(change.Address, *change.prior, nothing)
	if diags.HasErrors() {
		return diags
	}
	left, d := w.server.apply(change.Address, change.prior, nothing, final)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.session.state.redepose(change.Address, change.prior, left)
	return append(diags, d...)
}
