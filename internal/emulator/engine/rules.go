package engine

import (
	"strings"
	"time"
)

// LifecycleRule says what becomes of a bucket's objects as they grow old. All
// numbers are days after the upload; 0 means never, and a change of the storage
// class in fewer days than that happens in the upload itself.
type LifecycleRule struct {
	Name   string `json:"name"`
	Prefix string `json:"prefix"` // of the keys that it is for; "" is every key

	Delete               int `json:"delete_after_days"`
	ToIA                 int `json:"to_line_after_days"`
	ToIntelligentTiering int `json:"to_intelligent_tiering_after_days"`
	ToArchiveIR          int `json:"to_archive_ir_after_days"`
	ToArchive            int `json:"to_archive_after_days"`
	ToDeepArchive        int `json:"to_deep_archive_after_days"`

	// Kept, but without a meaning here: there are no versions of objects.
	HistoryDelete int `json:"history_delete_after_days"`
	HistoryToIA   int `json:"history_to_line_after_days"`

	Created time.Time `json:"ctime"`
}

// AddRule adds a lifecycle rule. Neither its name nor its prefix may be that of
// another rule of the bucket; a prefix may begin with another's.
func (e *Engine) AddRule(owner, bucket string, rule LifecycleRule) error {
	rule.Created = e.Now().UTC().Truncate(time.Second)
	return e.changeRules(owner, bucket, rule.check(), func(b *Bucket) error {
		if len(b.Rules) == 0 {
			b.RulesRun = beijingDay(e.Now()) // They are run from the next midnight on.
		}
		return addNamed(&b.Rules, rule)
	})
}

// UpdateRule replaces the rule of the same name, its prefix too.
func (e *Engine) UpdateRule(owner, bucket string, rule LifecycleRule) error {
	return e.changeRules(owner, bucket, rule.check(), func(b *Bucket) error {
		if at := indexNamed(b.Rules, rule.Name); at >= 0 {
			rule.Created = b.Rules[at].Created
		}
		return replaceNamed(b.Rules, rule)
	})
}

// DeleteRule removes a rule.
func (e *Engine) DeleteRule(owner, bucket, name string) error {
	return e.changeRules(owner, bucket, nil, func(b *Bucket) error { return deleteNamed(&b.Rules, name) })
}

// changeRules changes the rules of a bucket, unless what they were to become is
// refused already.
func (e *Engine) changeRules(owner, bucket string, refused error, change func(*Bucket) error) error {
	if refused != nil {
		return refused
	}
	_, err := e.UpdateBucket(owner, bucket, change)
	return err
}

func (r LifecycleRule) label() (kind, name string) { return "rule", r.Name }

func (r LifecycleRule) clash(other LifecycleRule) error {
	if r.Prefix != other.Prefix {
		return nil
	}
	return errorf(400, "rule prefix exists")
}

// check refuses a rule by itself: names are documented, the order of the days is
// that of the lifecycle of an object (fact:bucket-rule-order).
func (r LifecycleRule) check() error {
	if !validRuleName(r.Name) {
		return errorf(400, "invalid rule name")
	}
	if r.Delete < 0 || r.HistoryDelete < 0 {
		return errorf(400, "invalid delete after days")
	}
	last := -1
	for _, tier := range append(r.tiers(), tierDays{days: r.Delete}) {
		if tier.days == 0 {
			continue
		}
		if max(tier.days, 0) <= last {
			return errorf(400, "invalid days: a rule changes to colder storage classes one after the other and deletes last")
		}
		last = max(tier.days, 0)
	}
	return nil
}

// ruleFor returns the rule for a key: that with the longest prefix, and no other
// (documented). nil means that there is none.
func (b Bucket) ruleFor(key string) (found *LifecycleRule) {
	for i, rule := range b.Rules {
		if strings.HasPrefix(key, rule.Prefix) && (found == nil || len(rule.Prefix) > len(found.Prefix)) {
			found = &b.Rules[i]
		}
	}
	return found
}
