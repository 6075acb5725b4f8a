package engine

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// Referer says from which pages a bucket's objects may be downloaded.
type Referer struct {
	Mode       RefererMode
	Patterns   []string // "foo.com", "*.foo.com" or "*"
	AllowEmpty bool     // also requests that name no page
	// Source is whether the rule holds at the source. Otherwise only a CDN in
	// front obeys it (fact:bucket-referer-source).
	Source bool
}

// RefererMode is what the patterns of a Referer mean.
type RefererMode int

// The modes, by Kodo's numbers.
const (
	RefererOff RefererMode = iota
	RefererAllow
	RefererDeny
)

// Permits reports whether a download may be answered whose Referer header names a
// page of this host, empty for none. Ports and case do not count
// (fact:bucket-referer-match).
func (r Referer) Permits(host string) bool {
	switch {
	case r.Mode == RefererOff || !r.Source:
		return true
	case host == "":
		return r.AllowEmpty
	}
	listed := slices.ContainsFunc(r.Patterns, func(pattern string) bool {
		return matchHost(strings.ToLower(pattern), strings.ToLower(host))
	})
	return listed == (r.Mode == RefererAllow)
}

func matchHost(pattern, host string) bool {
	if parent, ok := strings.CutPrefix(pattern, "*."); ok {
		return strings.HasSuffix(host, "."+parent)
	}
	return pattern == "*" || pattern == host
}

// checkSettings refuses settings that Kodo does not take, and forgets those that
// it does not keep: without a mode nothing of a Referer (fact:bucket-referer-off).
func checkSettings(b *Bucket) error {
	const maxRemark = 100 // characters, documented
	switch {
	case utf8.RuneCountInString(b.Remark) > maxRemark:
		return errorf(400, "remark is longer than %d characters", maxRemark)
	case b.Referer.Mode < RefererOff || b.Referer.Mode > RefererDeny:
		return errorf(400, "invalid arguments")
	case b.Referer.Mode == RefererOff:
		b.Referer = Referer{}
	}
	if err := checkTags(b.Tags); err != nil {
		return err
	}
	return checkCORS(b.CORS)
}
