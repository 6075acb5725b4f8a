package site

import (
	"errors"
	"maps"
	"slices"

	"github.com/qiniu/terraform-provider-kodo/internal/kodo"
	"github.com/qiniu/terraform-provider-kodo/internal/qetag"
)

// Removal says what becomes of an object whose file is not in the directory.
type Removal int

// What becomes of objects whose files are not in the directory.
const (
	RemoveOurs Removal = iota // delete what was published from here, and forget what was not
	RemoveAll                 // delete whatever is under the prefix; the Record then holds all of it
	RemoveNone                // leave them, and forget them
)

// Settings say how a directory is published.
type Settings struct {
	Rules Rules
	// Before are the rules of the publication before this one: what those have set, and Rules do not, is taken away.
	Before Rules
	// Last are patterns of the files that are published after all others: those of the first pattern first, and of
	// several that match the last one counts.
	Last       []string
	Overwrite  bool // replace what somebody else has put under the key of a new file
	Removal    Removal
	RetainDays int // let what is removed expire after so many days instead of deleting it; 0 deletes
}

// A Step is what has to be done for one file.
type Step struct {
	File   *File
	Facets *Facets // as they are to be
	have   *Entry  // nil if nothing is there
	store  bool    // the content is sent; otherwise facets alone change
	again  bool    // although it is there already
	guard  kodo.Guard
	stage  int

	refused error // why it is not done

	tried bool // something was sent
	done  bool // what was to be done is done
}

// A Plan is what has to be done so that what is published is the directory.
type Plan struct {
	Settings

	// Added, Changed and Deleted are the keys that look different from when a publication was last completed, or will
	// once this one is, in order. Changed are those whose content, headers or storage class do.
	Added, Changed, Deleted []string

	steps  []Step
	remove []string // keys to be deleted, or left to expire
	forget []string // keys that are left
	target map[string]Entry
}

// Compare says what has to be done. Hashes that depend on how an object was uploaded are in same, with the v1 hash of
// the same content.
func Compare(r *Record, files []File, s Settings, same map[string]string) *Plan {
	c := comparison{
		Plan:   &Plan{Settings: s, target: make(map[string]Entry, len(files))},
		record: r, same: same, rules: s.Rules.merger(), before: s.Before.merger(),
		fresh: map[freshKey]*Facets{}, over: map[overKey]*Facets{},
	}
	for i := range files {
		c.file(&files[i])
	}
	for key := range r.Have {
		if _, ok := c.target[key]; !ok {
			c.leftover(key)
		}
	}
	for key, before := range r.was {
		_, stays := c.target[key]
		_, there := r.Have[key]
		if before.ETag != "" && !stays && !there {
			c.Deleted = append(c.Deleted, key)
		}
	}
	for _, keys := range [][]string{c.Added, c.Changed, c.Deleted, c.remove, c.forget} {
		slices.Sort(keys)
	}
	return c.Plan
}

// A comparison makes a Plan.
type comparison struct {
	*Plan

	record        *Record
	same          map[string]string
	rules, before *merger
	fresh         map[freshKey]*Facets
	over          map[overKey]*Facets
}

// Equal causes have equal facets, which are worked out and held once.
type (
	freshKey struct {
		rule        *Rule
		contentType string
	}
	overKey struct {
		facets       *Facets
		rule, before *Rule
	}
)

// file says what has to be done for a file that is in the directory.
func (c *comparison) file(file *File) {
	rule, was := c.rules.of(file.Name), c.before.of(file.Name)
	have, there := c.record.Have[file.Key]
	before, known := c.record.before(file.Key)
	step := Step{File: file, stage: c.stage(file.Name)}
	etag := file.ETag
	if !there {
		step.store, step.guard = true, c.guard(file.Key)
		step.Facets = c.freshFacets(rule, file.Key)
	} else {
		if have.Facets == nil {
			have.Facets = c.freshFacets(rule, file.Key)
		}
		step.have, step.Facets = &have, c.facetsOver(have.Facets, rule, was)
		switch {
		case !c.sameBytes(have.ETag, etag):
			step.store = true
		case have.Facets.takesAway(*step.Facets):
			step.store, step.again = true, true
		default:
			etag = have.ETag
		}
	}
	c.target[file.Key] = Entry{ETag: etag, Size: file.Size, Facets: step.Facets}
	work := step.store || have.Facets != step.Facets
	if work {
		c.steps = append(c.steps, step)
	}
	switch {
	case !known:
		c.Added = append(c.Added, file.Key)
	case work || before.ETag != etag || c.wasOther(before.Facets, rule, was):
		c.Changed = append(c.Changed, file.Key)
	}
}

// wasOther reports whether facets were others than the rules say, or may have been if they are not known. What no rule
// says anything of does not count.
func (c *comparison) wasOther(facets *Facets, rule, before *Rule) bool {
	if facets == nil {
		return !rule.empty() || !before.empty()
	}
	return c.facetsOver(facets, rule, before) != facets
}

func (c *comparison) sameBytes(have, file string) bool { return have == file || c.same[have] == file }

// guard says what a new file may replace: nothing, or what was left to expire when it was removed before.
func (c *comparison) guard(key string) kodo.Guard {
	if c.Overwrite {
		return kodo.Always()
	}
	if left, ok := c.record.left[key]; ok {
		return kodo.IfPutTime(left.PutTime)
	}
	return kodo.IfAbsent()
}

// stage says when a file is published: 0 first.
func (c *comparison) stage(name string) int {
	for i, pattern := range slices.Backward(c.Last) {
		if match([]string{pattern}, name) {
			return i + 1
		}
	}
	return 0
}

// leftover says what becomes of an object whose file is not in the directory.
func (c *comparison) leftover(key string) {
	if c.Removal == RemoveNone || c.Removal == RemoveOurs && c.record.Have[key].Theirs {
		c.forget = append(c.forget, key)
		return
	}
	c.remove = append(c.remove, key)
	c.Deleted = append(c.Deleted, key)
}

// freshFacets are those of a new object.
func (c *comparison) freshFacets(rule *Rule, key string) *Facets {
	cause := freshKey{rule, kodo.ContentType(key)}
	if c.fresh[cause] == nil {
		facets := rule.over(Facets{ContentType: cause.contentType}, nil)
		c.fresh[cause] = &facets
	}
	return c.fresh[cause]
}

// facetsOver are those that an object with others is to have: the very same ones if nothing changes.
func (c *comparison) facetsOver(have *Facets, rule, before *Rule) *Facets {
	cause := overKey{have, rule, before}
	if c.over[cause] == nil {
		c.over[cause] = have
		if facets := rule.over(*have, before); !facets.equal(*have) {
			c.over[cause] = &facets
		}
	}
	return c.over[cause]
}

// Expect keeps from being done whatever the plan would not do if the directory still were the one whose files had
// these hashes, by key: it is a failure instead.
func (p *Plan) Expect(etags map[string]string) {
	refused := map[string]error{}
	for key, e := range p.target {
		switch etag, planned := etags[key]; {
		case !planned:
			refused[key] = errors.New("it was added to the directory since the plan")
		case etag != e.ETag:
			refused[key] = errors.New("its content has changed since the plan")
		}
	}
	for key := range etags {
		if _, ok := p.target[key]; !ok {
			refused[key] = errors.New("it was taken from the directory since the plan")
		}
	}
	for i, step := range p.steps {
		p.steps[i].refused = refused[step.File.Key]
		delete(refused, step.File.Key)
	}
	for _, key := range sortedKeys(refused) {
		p.steps = append(p.steps, Step{File: &File{Key: key}, refused: refused[key]})
	}
	p.remove = slices.DeleteFunc(p.remove, func(key string) bool { return refused[key] != nil })
}

// Visible reports whether anything will look different from when a publication was last completed.
func (p *Plan) Visible() bool { return len(p.Added)+len(p.Changed)+len(p.Deleted) > 0 }

// Keep keeps from being removed whatever is not among some keys, and reports how many that are.
func (p *Plan) Keep(removable []string) (kept int) {
	allowed := make(map[string]bool, len(removable))
	for _, key := range removable {
		allowed[key] = true
	}
	before := len(p.remove)
	p.remove = slices.DeleteFunc(p.remove, func(key string) bool { return !allowed[key] })
	return before - len(p.remove)
}

// Check says which files have metadata by their rules that Kodo would not keep: one of each kind.
func (p *Plan) Check() error {
	var problems Problems
	checked := map[*Facets]bool{}
	for _, step := range p.steps {
		if checked[step.Facets] {
			continue
		}
		checked[step.Facets] = true
		if err := kodo.CheckMetadata(step.Facets.Metadata); err != nil {
			problems = append(problems, Problem{step.File.Name, err})
		}
	}
	return problems.or()
}

// Forgotten returns the keys that are left in the bucket and no longer ours.
func (p *Plan) Forgotten() []string { return p.forget }

// ETags returns the hash of each key that will be there.
func (p *Plan) ETags() map[string]string {
	etags := make(map[string]string, len(p.target))
	for key, e := range p.target {
		etags[key] = e.ETag
	}
	return etags
}

// Digest is Record.Digest of what will be there.
func (p *Plan) Digest() string { return digestOf(p.target) }

// Count returns how many objects will be there, and Size their bytes.
func (p *Plan) Count() int { return len(p.target) }

// Size returns the bytes of all objects that will be there.
func (p *Plan) Size() (total int64) {
	for _, e := range p.target {
		total += e.Size
	}
	return total
}

// newKeys returns the keys under which nothing of ours is, with the hashes that they are to have, and of which nothing
// but the same content may be replaced.
func (p *Plan) newKeys() map[string]string {
	keys := map[string]string{}
	for _, step := range p.steps {
		if step.have == nil && step.guard == kodo.IfAbsent() {
			keys[step.File.Key] = step.File.ETag
		}
	}
	return keys
}

// partHashes returns the objects of a record whose hash depends on how they were uploaded, and which may have the
// content of a file of the same key.
func partHashes(r *Record, files []File) map[string]File {
	found := map[string]File{}
	for _, file := range files {
		if have := r.Have[file.Key]; have.Size == file.Size && qetag.IsV2(have.ETag) {
			found[file.Key] = file
		}
	}
	return found
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
