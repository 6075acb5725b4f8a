package engine

import (
	"slices"
	"strings"
)

// validRuleName applies the documented rule for names of lifecycle and event rules:
// 1 to 49 letters, digits and underscores.
func validRuleName(name string) bool {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"
	return name != "" && len(name) < 50 && strings.Trim(name, letters) == ""
}

// named is a rule of a bucket that has a name.
type named[R any] interface {
	label() (kind, name string)
	clash(R) error // refuses to stand beside another rule that is for the same keys
}

func indexNamed[R named[R]](rules []R, name string) int {
	return slices.IndexFunc(rules, func(r R) bool { _, other := r.label(); return other == name })
}

// addNamed adds a rule, whose name must be new. The texts of these refusals are
// fact:bucket-rule-texts.
func addNamed[R named[R]](rules *[]R, rule R) error {
	kind, name := rule.label()
	if indexNamed(*rules, name) >= 0 {
		return errorf(400, "%s name exists", kind)
	}
	*rules = append(*rules, rule)
	return checkClash(*rules, rule)
}

// replaceNamed replaces the rule of the same name.
func replaceNamed[R named[R]](rules []R, rule R) error {
	kind, name := rule.label()
	at := indexNamed(rules, name)
	if at < 0 {
		return errorf(400, "%s name not found", kind)
	}
	rules[at] = rule
	return checkClash(rules, rule)
}

func checkClash[R named[R]](rules []R, rule R) error {
	_, name := rule.label()
	for _, other := range rules {
		if _, its := other.label(); its == name {
			continue
		}
		if err := rule.clash(other); err != nil {
			return err
		}
	}
	return nil
}

// deleteNamed removes the rule of a name.
func deleteNamed[R named[R]](rules *[]R, name string) error {
	at := indexNamed(*rules, name)
	if at < 0 {
		var none R
		kind, _ := none.label()
		return errorf(400, "%s name not found", kind)
	}
	*rules = slices.Delete(*rules, at, at+1)
	return nil
}
