package site

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/qiniu/terraform-provider-kodo/internal/kodo"
)

// Facets are how an object is served and kept, beside its content.
type Facets struct {
	ContentType  string            `json:"t"`
	StorageClass kodo.StorageClass `json:"c,omitempty"`
	Metadata     map[string]string `json:"m,omitempty"` // headers of downloads as kodo.CheckMetadata wants them
}

// facetsOf returns the facets of an object. The names of headers are in one form, whoever wrote them.
func facetsOf(o kodo.Object) Facets {
	f := Facets{ContentType: o.ContentType, StorageClass: o.StorageClass}
	for name, value := range o.Metadata {
		if header, ok := strings.CutPrefix(name, headerMark); ok {
			name = headerMark + http.CanonicalHeaderKey(header)
		}
		if f.Metadata == nil {
			f.Metadata = make(map[string]string, len(o.Metadata))
		}
		f.Metadata[name] = value
	}
	return f
}

const headerMark = "!" // before the name of a header among metadata

func (f Facets) equal(g Facets) bool {
	return f.ContentType == g.ContentType && f.StorageClass == g.StorageClass && maps.Equal(f.Metadata, g.Metadata)
}

// text tells facets from all others; "" are those that are not known.
func (f *Facets) text() string {
	if f == nil {
		return ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%q %d", f.ContentType, f.StorageClass)
	for _, name := range slices.Sorted(maps.Keys(f.Metadata)) {
		fmt.Fprintf(&b, " %q %q", name, f.Metadata[name])
	}
	return b.String()
}

// A Rule says how the files whose names match its pattern are served and kept. What it leaves out, it does not say.
type Rule struct {
	Pattern      string
	ContentType  string             // "" if not said
	StorageClass *kodo.StorageClass // nil if not said
	Metadata     map[string]string
}

// Rules are merged in their order: where several say something of a file, the last one wins, for each name of metadata
// on its own.
type Rules []Rule

// A merger merges rules for one name after the other. Names that the same rules match share the result.
type merger struct {
	rules  Rules
	merged map[string]*Rule // by which rules match
}

func (r Rules) merger() *merger { return &merger{rules: r, merged: map[string]*Rule{}} }

// of returns what the rules say of a name, to be read only.
func (m *merger) of(name string) *Rule {
	matches := make([]byte, len(m.rules))
	for i, rule := range m.rules {
		if doublestar.MatchUnvalidated(rule.Pattern, name) {
			matches[i] = 1
		}
	}
	if all := m.merged[string(matches)]; all != nil {
		return all
	}
	all := &Rule{Metadata: map[string]string{}}
	for i, rule := range m.rules {
		if matches[i] == 0 {
			continue
		}
		if rule.ContentType != "" {
			all.ContentType = rule.ContentType
		}
		if rule.StorageClass != nil {
			all.StorageClass = rule.StorageClass
		}
		maps.Copy(all.Metadata, rule.Metadata)
	}
	m.merged[string(matches)] = all
	return all
}

// empty reports whether the rule says nothing.
func (r *Rule) empty() bool {
	return r.ContentType == "" && r.StorageClass == nil && len(r.Metadata) == 0
}

// over returns what the rule makes of facets. Metadata that an earlier rule had set and this one does not are taken
// away; what nobody here has set stays.
func (r *Rule) over(f Facets, before *Rule) Facets {
	if r.ContentType != "" {
		f.ContentType = r.ContentType
	}
	if r.StorageClass != nil {
		f.StorageClass = *r.StorageClass
	}
	metadata := maps.Clone(f.Metadata)
	if before != nil {
		for name := range before.Metadata {
			delete(metadata, name)
		}
	}
	if metadata == nil && len(r.Metadata) > 0 {
		metadata = make(map[string]string, len(r.Metadata))
	}
	maps.Copy(metadata, r.Metadata)
	if len(metadata) == 0 {
		metadata = nil
	}
	f.Metadata = metadata
	return f
}

// takesAway reports whether metadata of one are missing in the other, which only new bytes can bring about.
func (f Facets) takesAway(to Facets) bool {
	for name := range f.Metadata {
		if _, ok := to.Metadata[name]; !ok {
			return true
		}
	}
	return false
}

// A digest is over many objects: their keys, hashes and facets.
type digest struct {
	sum  hash.Hash
	line []byte
}

func newDigest() *digest { return &digest{sum: sha256.New()} }

func (d *digest) add(key, etag, facets string) {
	d.line = strconv.AppendQuote(d.line[:0], key)
	d.line = append(append(append(d.line, ' '), etag...), ' ')
	d.line = append(append(d.line, facets...), '\n')
	d.sum.Write(d.line)
}

func (d *digest) String() string { return hex.EncodeToString(d.sum.Sum(nil)) }
