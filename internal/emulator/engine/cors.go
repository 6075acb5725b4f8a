package engine

import (
	"slices"
	"strings"
)

// CORSRule says which pages of other origins may use a bucket in a browser.
type CORSRule struct {
	Origins []string `json:"allowed_origin"` // with a scheme; a "*" stands for anything, once
	Methods []string `json:"allowed_method"`
	Headers []string `json:"allowed_header"` // of requests; a lone "*" stands for all
	Exposed []string `json:"exposed_header"` // of answers
	MaxAge  int64    `json:"max_age"`        // seconds
}

// maxCORSRules is documented.
const maxCORSRules = 10

// checkCORS refuses only too many rules: rules with empty members are stored as
// they are (fact:bucket-cors-as-is).
func checkCORS(rules []CORSRule) error {
	if len(rules) > maxCORSRules {
		return errorf(400, "a bucket has at most %d CORS rules", maxCORSRules)
	}
	return nil
}

// CORSRequest is what a browser asks for a page of another origin.
type CORSRequest struct {
	Origin string
	// Preflight is whether it only asks for permission, of the method and the
	// headers, before it sends the request itself.
	Preflight bool
	Method    string
	Headers   []string
}

// CORSFor returns the rule that answers the request, the first that matches, and
// whether there is one. A request itself is matched by its origin alone, and a
// bucket without rules permits everything (both documented).
func (b Bucket) CORSFor(request CORSRequest) (CORSRule, bool) {
	rules := b.CORS
	if len(rules) == 0 {
		rules = []CORSRule{{Origins: []string{"*"}, Methods: []string{request.Method}, Headers: []string{"*"}}}
	}
	i := slices.IndexFunc(rules, func(rule CORSRule) bool { return rule.matches(request) })
	if i < 0 {
		return CORSRule{}, false
	}
	return rules[i], true
}

func (r CORSRule) matches(request CORSRequest) bool {
	if !slices.ContainsFunc(r.Origins, func(pattern string) bool { return matchOrigin(pattern, request.Origin) }) {
		return false
	}
	if !request.Preflight {
		return true
	}
	if !containsFold(r.Methods, request.Method) {
		return false
	}
	return slices.Contains(r.Headers, "*") ||
		!slices.ContainsFunc(request.Headers, func(name string) bool { return !containsFold(r.Headers, name) })
}

// matchOrigin compares with regard to case. Only the first "*" of a pattern stands
// for anything; further ones are characters like others (documented).
func matchOrigin(pattern, origin string) bool {
	before, after, wild := strings.Cut(pattern, "*")
	if !wild {
		return pattern == origin
	}
	return len(origin) >= len(before)+len(after) && strings.HasPrefix(origin, before) && strings.HasSuffix(origin, after)
}

func containsFold(list []string, text string) bool {
	return slices.ContainsFunc(list, func(member string) bool { return strings.EqualFold(member, text) })
}
