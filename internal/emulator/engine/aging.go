package engine

import (
	"context"
	"time"

	"github.com/qiniu/terraform-provider-kodo/internal/emulator/store"
)

// tierDays is in how many days a rule changes an object to a storage class.
type tierDays struct{ class, days int }

// tiers returns the changes of a rule, those to colder storage classes later.
func (r LifecycleRule) tiers() []tierDays {
	return []tierDays{
		{IA, r.ToIA}, {IntelligentTiering, r.ToIntelligentTiering}, {ArchiveIR, r.ToArchiveIR},
		{Archive, r.ToArchive}, {DeepArchive, r.ToDeepArchive},
	}
}

// uploaded puts a new object into the storage class that a rule has for uploads. A
// colder one, which the upload asked for, stays.
func (b Bucket) uploaded(object *Object) {
	rule := b.ruleFor(object.Key)
	if rule == nil {
		return
	}
	for _, tier := range rule.tiers() {
		if tier.days < 0 && colder(tier.class, object.FileType) {
			object.setClass(tier.class)
		}
	}
}

// age does to an object what the bucket's rule for it has in store for its age, and
// reports whether that is anything, and whether the object is still there.
func (b Bucket) age(object *Object, now time.Time) (changed, there bool) {
	rule := b.ruleFor(object.Key)
	if rule == nil {
		return false, true
	}
	born := time.UnixMicro(object.PutTime / 10)
	due := func(days int) bool { return days > 0 && midnightAfter(born, days) <= now.Unix() }
	if due(rule.Delete) {
		return true, false
	}
	for _, tier := range rule.tiers() {
		if due(tier.days) && colder(tier.class, object.FileType) {
			object.setClass(tier.class)
			changed = true
		}
	}
	return changed, true
}

// runRules has the lifecycle rules of all buckets act on the objects that are there,
// once in each day of Beijing (fact:bucket-rule-run). Within a day it costs nothing.
// When ctx ends, it leaves the rest for another time.
func (e *Engine) runRules(ctx context.Context) error {
	today := beijingDay(e.Now())
	if e.rulesRun.Load() == today {
		return nil
	}
	var due []string
	err := e.view(func(tx *store.Tx) error {
		return eachBucket(tx, func(bucket Bucket) {
			if len(bucket.Rules) > 0 && bucket.RulesRun < today {
				due = append(due, bucket.Name)
			}
		})
	})
	if err != nil {
		return err
	}
	for _, name := range due {
		if err := e.runRulesOf(ctx, name, today); err != nil {
			return err
		}
	}
	e.rulesRun.Store(today)
	return nil
}

// runRulesOf looks at every object of a bucket, some in each commit.
func (e *Engine) runRulesOf(ctx context.Context, name string, today int64) error {
	const step = 1000
	for from, more := "", true; more; {
		var next string
		err := e.update(func(tx *store.Tx) error {
			var bucket Bucket
			_, found, err := read(tx, bucketKey(name), &bucket)
			if err != nil || !found {
				next = ""
				return err // It was dropped, and its objects before it.
			}
			var keys []string // The entries must not change while they are scanned.
			keys, next = someKeys(tx, name, from, step)
			for _, key := range keys {
				if err := e.ageObject(tx, bucket, key); err != nil {
					return err
				}
			}
			if next != "" {
				return nil
			}
			bucket.RulesRun = today
			return write(tx, bucketKey(name), bucket, nil)
		})
		if err != nil {
			return err
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		from, more = next, next != ""
	}
	return nil
}

// someKeys returns up to limit keys of a bucket's objects, beginning at the store
// key from, and where to go on, "" at the end.
func someKeys(tx *store.Tx, bucket, from string, limit int) (keys []string, next string) {
	for key := range tx.Scan(objectsOf(bucket), from) {
		if len(keys) == limit {
			return keys, key
		}
		keys = append(keys, key[len(objectsOf(bucket)):])
	}
	return keys, ""
}

func (e *Engine) ageObject(tx *store.Tx, bucket Bucket, key string) error {
	object, extents, found, err := e.findObject(tx, bucket.Name, key)
	if err != nil || !found {
		return err
	}
	changed, there := bucket.age(&object, e.Now())
	switch {
	case !there:
		return removeObject(tx, bucket.Name, key)
	case changed:
		return keepObject(tx, object, extents)
	}
	return nil
}
