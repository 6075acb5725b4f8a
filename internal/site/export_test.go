package site

import (
	"time"

	"github.com/qiniu/terraform-provider-kodo/internal/kodo"
)

// Set records an object of ours.
func (r *Record) Set(o kodo.Object) { r.set(o.Key, r.entry(o)) }

// Complete records that a publication was completed.
func (r *Record) Complete() { r.complete(time.Unix(1000, 0)) }

// See records what there is under all keys.
func (r *Record) See(found map[string]kodo.Object) { r.see(r.Keys(), found) }

// Drop records that an object is gone.
func (r *Record) Drop(key string) { r.drop(key) }

// Leave records an object that was left to expire.
func (r *Record) Leave(key string, at kodo.PutTime, until int64) { r.left[key] = leftover{at, until} }

// Work returns what a plan does to each key, in one letter: s stores, a stores again, f changes facets, r removes, l leaves.
func (p *Plan) Work() map[string]string {
	work := map[string]string{}
	for _, step := range p.steps {
		switch {
		case step.again:
			work[step.File.Key] = "a"
		case step.store:
			work[step.File.Key] = "s"
		default:
			work[step.File.Key] = "f"
		}
	}
	for _, key := range p.remove {
		work[key] = "r"
	}
	for _, key := range p.forget {
		work[key] = "l"
	}
	return work
}

// Stages returns the stage of each key that something is done to.
func (p *Plan) Stages() map[string]int {
	stages := map[string]int{}
	for _, step := range p.steps {
		stages[step.File.Key] = step.stage
	}
	return stages
}

// Target returns the facets that an object will have, as text.
func (p *Plan) Target(key string) string { return p.target[key].Facets.text() }

// Parts is everything that a record keeps.
func (r *Record) Parts() []any { return []any{r.Have, r.was, r.left} }
