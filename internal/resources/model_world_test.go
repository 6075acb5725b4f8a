package resources_test

import (
	"maps"
	"slices"
)

// world is what the model keeps: the configuration that was applied last, and what
// the server has.
type world struct {
	config map[string]spec   // by address
	server map[string]stored // by key
	// loose is what is not known of the lifetimes of managed objects, by key: one that was
	// imported may have days that no configuration has until its bytes are sent again, and
	// that a transition was cancelled does not show in a class as cold as that.
	loose map[string]lifetime
}

type lifetime struct{ deletes, toIA bool }

// stored is what the server has under a key, apart from when.
type stored struct {
	content, contentType      string
	cacheControl, owner, team string
	other                     string // metadata that no configuration has
	class                     string
	deletes, toIA, disabled   bool
}

func newWorld() world {
	return world{config: map[string]spec{}, server: map[string]stored{}, loose: map[string]lifetime{}}
}

// modelTypeOf is the content type that belongs to each key.
var modelTypeOf = map[string]string{
	"1.txt": "text/plain", "2.html": "text/html", "dir/3": "application/octet-stream", "/4 空.css": "text/css",
}

// byWord reports whether the plan does not look at the content, but believes a version.
func (s spec) byWord() bool { return s.from == "content_wo" || s.from == "source_hash" }

// applied is the object that an apply makes of the one before, nil for none, which
// had another key if the block had.
func (s spec) applied(before *stored, oldKey string) stored {
	now := stored{
		content: s.content, contentType: s.contentType, cacheControl: s.cacheControl, owner: s.owner, team: s.team,
		class: s.class, deletes: s.deletes > 0, toIA: s.toIA > 0, disabled: s.disabled,
	}
	switch {
	case now.contentType != "":
	case before != nil && (s.key == oldKey || before.contentType != modelTypeOf[oldKey]):
		now.contentType = before.contentType
	default:
		now.contentType = modelTypeOf[s.key]
	}
	switch {
	case before != nil && (s.class == "" || s.toIA > 0 && before.class == "IA"): // to which a transition has brought it, for all that is known
		now.class = before.class
	case s.class == "":
		now.class = "STANDARD"
	}
	return now
}

// take makes the world what the step leads to, and completes the step.
func (w *world) take(step *modelStep) {
	for _, write := range step.outside {
		w.write(write)
	}
	next := w.config
	if step.prevented = w.prevents(step); !step.prevented {
		next = w.accepted(step)
		w.thaw(step, next)
	}
	for _, write := range step.late {
		w.write(write)
	}
	server := maps.Clone(w.server)
	for address, old := range w.config { // what is no more
		if _, stays := next[address]; stays || address == step.moved[0] {
			continue
		}
		late := slices.ContainsFunc(step.late, func(l outsideWrite) bool { return l.key == old.key && l.do == "put" })
		if old.policy != "ABANDON" && !late {
			delete(server, old.key)
			delete(w.loose, old.key)
		}
	}
	for address, block := range next {
		old, before := w.before(step, address, block)
		now := block.applied(before, old.key)
		loose := w.loose[old.key]
		if old.key != block.key {
			delete(server, old.key)
			delete(w.loose, old.key)
		}
		if before == nil { // it is made, and settled whatever there was
			loose = lifetime{}
		} else {
			loose.deletes = loose.deletes || before.deletes && old.deletes == 0
			loose.toIA = loose.toIA || before.toIA && old.toIA == 0 || before.class != "STANDARD" || now.class != "STANDARD"
		}
		w.loose[block.key] = lifetime{deletes: loose.deletes && !now.deletes, toIA: loose.toIA}
		server[block.key] = now
	}
	w.config, w.server = next, server
}

// before is what the block and its object were, if there was one.
func (w *world) before(step *modelStep, address string, block spec) (old spec, before *stored) {
	from := address
	if address == step.moved[1] {
		from = step.moved[0]
	}
	old, managed := w.config[from]
	if !managed {
		old = spec{key: block.key}
	}
	there, is := w.server[old.key]
	if is && (managed && (address != step.taint || step.prevented) || address == step.imported) {
		before = &there
	}
	return old, before
}

// prevents reports whether a policy stands against the step.
func (w *world) prevents(step *modelStep) bool {
	for address, old := range w.config {
		_, stays := step.blocks[address]
		if old.policy == "PREVENT" && (address == step.taint || !stays && address != step.moved[0]) {
			return true
		}
	}
	return false
}

// accepted are the blocks without the one that meets an object of somebody else.
func (w *world) accepted(step *modelStep) map[string]spec {
	next := maps.Clone(step.blocks)
	for address, block := range step.blocks {
		old, managed := w.config[address]
		there, inTheWay := w.foreign()[block.key]
		switch {
		case managed && old.key == block.key, address == step.moved[1], !inTheWay:
		case address == step.imported, block.overwrite, there.content == block.content:
		default:
			step.refused = true
			delete(next, address)
		}
	}
	return next
}

// thaw leaves the blocks of archives as they were, if they are to change in a way that
// Kodo has only for objects that are not frozen.
func (w *world) thaw(step *modelStep, next map[string]spec) {
	for address, block := range next {
		old, before := w.before(step, address, block)
		if before == nil || before.class != "ARCHIVE" {
			continue
		}
		now := block.applied(before, old.key)
		served := func(o stored) stored {
			return stored{contentType: o.contentType, cacheControl: o.cacheControl, owner: o.owner, team: o.team, class: o.class}
		}
		removes := now.cacheControl == "" && before.cacheControl != "" || now.owner == "" && before.owner != "" || now.team == "" && before.team != ""
		sent := now.content != before.content || removes
		if block.key != old.key || !sent && served(now) != served(*before) {
			step.frozen = true
			next[address] = old
		}
	}
}

// write is what somebody else does.
func (w *world) write(write outsideWrite) {
	object := w.server[write.key]
	switch write.do {
	case "put":
		object = *write.put
		delete(w.loose, write.key)
	case "delete":
		delete(w.server, write.key)
		return
	case "content type":
		object.contentType = write.value
	case "cache control":
		object.cacheControl = write.value
	case "owner":
		object.owner = write.value
	case "other metadata":
		object.other = write.value
	case "class":
		object.class = write.value
	case "cancel deletion":
		object.deletes = false
	case "cancel transition":
		object.toIA = false
	case "disable":
		object.disabled = true
	case "enable":
		object.disabled = false
	}
	w.server[write.key] = object
}

// foreign are the objects of somebody else.
func (w *world) foreign() map[string]stored {
	foreign := maps.Clone(w.server)
	for _, block := range w.config {
		delete(foreign, block.key)
	}
	return foreign
}

// importable are those of them that can become what any block says.
func (w *world) importable() map[string]stored {
	objects := w.foreign()
	maps.DeleteFunc(objects, func(_ string, o stored) bool { return o.class == "ARCHIVE" })
	return objects
}

func (w *world) freeAddress() string {
	i := slices.IndexFunc(modelAddresses, func(a string) bool { _, used := w.config[a]; return !used })
	return modelAddresses[i]
}

// freeKeys are those under which nothing is.
func (w *world) freeKeys() []string {
	used := maps.Clone(w.server)
	for _, block := range w.config {
		used[block.key] = stored{}
	}
	return slices.DeleteFunc(slices.Clone(modelKeys), func(k string) bool { _, is := used[k]; return is })
}
