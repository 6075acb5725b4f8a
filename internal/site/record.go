package site

import (
	"context"
	"maps"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/qiniu/terraform-provider-kodo/internal/kodo"
)

// An Entry is what is known of a published object.
type Entry struct {
	ETag    string
	Size    int64
	PutTime kodo.PutTime // 0 if it could not be read back after it was stored
	Facets  *Facets      // nil if not known
	// Theirs says that somebody else has put it there, so that it is only removed where everything is.
	Theirs bool
}

func entryOf(o kodo.Object) Entry {
	facets := facetsOf(o)
	return Entry{ETag: o.ETag, Size: o.Size, PutTime: o.PutTime, Facets: &facets}
}

// looksLike reports whether a visitor would see no difference.
func (e Entry) looksLike(other Entry) bool {
	return e.ETag == other.ETag && (e.Facets == other.Facets || e.Facets != nil && other.Facets != nil && e.Facets.equal(*other.Facets))
}

// A Record is what is published, by keys, and how that differs from what there was when a publication was last
// completed. Because it says both, what has changed for visitors is known after any number of failures in between,
// whoever made the changes.
type Record struct {
	Have map[string]Entry

	// was holds the keys that look different since; with an empty ETag those that were not there then.
	was map[string]Entry

	// left holds objects that were left to expire when their files were removed: those are still ours to replace.
	left map[string]leftover

	// facets are all there are, by their text: many objects have the same.
	facets map[string]*Facets

	// changed says that anything differs from what it was when the record was made or read.
	changed bool
}

// entry is entryOf with facets that it shares with others: with what is recorded under the key, if they are the same.
func (r *Record) entry(o kodo.Object) Entry {
	e := entryOf(o)
	if have := r.Have[o.Key].Facets; have != nil && have.equal(*e.Facets) {
		e.Facets = have
		return e
	}
	text := e.Facets.text()
	if r.facets[text] == nil {
		if r.facets == nil {
			r.facets = map[string]*Facets{}
		}
		r.facets[text] = e.Facets
	}
	e.Facets = r.facets[text]
	return e
}

// A leftover is an object that expires by itself.
type leftover struct {
	PutTime kodo.PutTime `json:"t"`
	Until   int64        `json:"u"` // seconds since 1970
}

// NewRecord returns the Record of what is not published yet.
func NewRecord() *Record {
	return &Record{Have: map[string]Entry{}, was: map[string]Entry{}, left: map[string]leftover{}}
}

// Rebuild returns the Record of objects of which only the hashes are known, by their keys, and, if the publication
// before was not completed, the keys that it has added, changed and deleted.
func Rebuild(etags map[string]string, added, changed, deleted []string) *Record {
	const other = "?" // no hash: whatever there was, it was other content
	r := NewRecord()
	for key, etag := range etags {
		r.Have[key] = Entry{ETag: etag}
	}
	for _, key := range added {
		r.was[key] = Entry{}
	}
	for _, key := range slices.Concat(changed, deleted) {
		r.was[key] = Entry{ETag: other}
	}
	return r
}

// Keys returns the keys of what is there, in order.
func (r *Record) Keys() []string { return slices.Sorted(maps.Keys(r.Have)) }

// Changed reports whether a look has found anything that the record did not have.
func (r *Record) Changed() bool { return r.changed }

// before returns what there was when a publication was last completed.
func (r *Record) before(key string) (e Entry, ok bool) {
	if e, ok = r.was[key]; ok {
		return e, e.ETag != ""
	}
	e, ok = r.Have[key]
	return e, ok
}

// set records what is under a key.
func (r *Record) set(key string, now Entry) {
	before, known := r.before(key)
	r.changed = r.changed || r.Have[key] != now
	r.Have[key] = now
	if known && before.looksLike(now) {
		delete(r.was, key)
	} else {
		r.was[key] = before
	}
}

// drop records that there is nothing under a key.
func (r *Record) drop(key string) {
	before, known := r.before(key)
	delete(r.Have, key)
	r.changed = true
	if known {
		r.was[key] = before
	} else {
		delete(r.was, key)
	}
}

// forget takes a key out of the record as if it had never been there.
func (r *Record) forget(key string) {
	delete(r.Have, key)
	delete(r.was, key)
}

// complete records that a publication was completed.
func (r *Record) complete(now time.Time) {
	r.was = map[string]Entry{}
	for key, e := range r.Have {
		e.Theirs = false
		r.Have[key] = e
	}
	maps.DeleteFunc(r.left, func(_ string, l leftover) bool { return l.Until < now.Unix() })
}

// Changes returns the keys that were added, changed and deleted since a publication was last completed, in order.
func (r *Record) Changes() (added, changed, deleted []string) {
	for _, key := range sortedKeys(r.was) {
		_, there := r.Have[key]
		switch was := r.was[key].ETag != ""; {
		case was && there:
			changed = append(changed, key)
		case was:
			deleted = append(deleted, key)
		case there:
			added = append(added, key)
		}
	}
	return added, changed, deleted
}

// Trust takes the facets that are there for those that were there before where the latter are not known.
func (r *Record) Trust() {
	maps.DeleteFunc(r.was, func(key string, was Entry) bool {
		return was.ETag != "" && was.Facets == nil && was.ETag == r.Have[key].ETag
	})
}

// Drifted reports whether what is there differs from what was published when that was last completed: in its content, or
// in what the rules say of it.
func (r *Record) Drifted(prefix string, rules Rules) bool {
	merger := rules.merger()
	for key, was := range r.was {
		have, there := r.Have[key]
		if !there || have.ETag != was.ETag || have.Facets == nil {
			return true
		}
		if rule := merger.of(strings.TrimPrefix(key, prefix)); !rule.over(*have.Facets, nil).equal(*have.Facets) {
			return true
		}
	}
	return false
}

// Refresh looks at everything that was there, 1000 objects in each request, and records what is there of it.
func (r *Record) Refresh(ctx context.Context, c *kodo.Client, bucket string) error {
	left := len(r.Have)
	for keys := range slices.Chunk(r.Keys(), lookedAtOnce) {
		found, err := c.StatAll(ctx, bucket, keys)
		if err != nil {
			return err
		}
		r.see(keys, found)
		left -= len(keys)
		collect(left)
	}
	return nil
}

// collect collects the garbage that a look at many objects leaves, some 1 KiB for each, if there will be more of it. The
// collector by itself waits until the heap has doubled, and what is known of 100 000 files is 70 MiB.
func collect(left int) {
	if left > 0 {
		runtime.GC()
	}
}

// see records what there is under some keys.
func (r *Record) see(keys []string, found map[string]kodo.Object) {
	for _, key := range keys {
		if object, ok := found[key]; ok {
			now := r.entry(object)
			now.Theirs = r.Have[key].Theirs
			r.set(key, now)
		} else {
			r.drop(key)
		}
	}
}

// SeeAll records everything that there is under the prefix, whoever made it.
func (r *Record) SeeAll(found map[string]kodo.Object) {
	for key, object := range found {
		if _, ok := r.Have[key]; !ok {
			theirs := r.entry(object)
			theirs.Theirs = true
			r.set(key, theirs)
		}
	}
	r.see(r.Keys(), found)
}

// Import records what there is under the prefix as what was there when the record begins.
func (r *Record) Import(found map[string]kodo.Object) {
	r.SeeAll(found)
	r.was = map[string]Entry{}
}

// ETags returns the hash of each key.
func (r *Record) ETags() map[string]string {
	etags := make(map[string]string, len(r.Have))
	for key, e := range r.Have {
		etags[key] = e.ETag
	}
	return etags
}

// Size returns the bytes of all objects.
func (r *Record) Size() (total int64) {
	for _, e := range r.Have {
		total += e.Size
	}
	return total
}

// Digest identifies the objects: their keys, their content, and how they are served and kept.
func (r *Record) Digest() string {
	return digestOf(r.Have)
}

func digestOf(entries map[string]Entry) string {
	d, texts := newDigest(), map[*Facets]string{}
	for _, key := range slices.Sorted(maps.Keys(entries)) {
		e := entries[key]
		text, ok := texts[e.Facets]
		if !ok {
			text = e.Facets.text()
			texts[e.Facets] = text
		}
		d.add(key, e.ETag, text)
	}
	return d.String()
}
