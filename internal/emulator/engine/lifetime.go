package engine

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/qiniu/terraform-provider-kodo/internal/emulator/store"
)

// Lifetime is what the clock is going to do to an object. Moments are unix
// seconds by the engine's clock, 0 stands for never.
//
// Whoever reads an object sees it as it is by then (Object.at), so what falls due
// has happened for every call at once, in whatever order and however late the
// store gets to know of it. That is left to settle, which finds what is due in an
// index instead of looking at every object.
type Lifetime struct {
	DeletesAt   int64         `json:"deletes,omitempty"`
	Transitions map[int]int64 `json:"becomes,omitempty"` // by storage class; nil if there are none
	ThawsAt     int64         `json:"thaws,omitempty"`   // when an archive that is being restored can be read
	FreezesAt   int64         `json:"freezes,omitempty"` // until when it can be read then
}

// Cancel takes a day back that was set before.
const Cancel = -1

// Days changes a Lifetime: in how many days an object changes to each storage
// class and is deleted. 0 leaves what there is, Cancel takes it back.
type Days struct {
	To     map[int]int
	Delete int
}

// ChangeLifetime sets and takes back when an object changes its storage class and
// is deleted. The days count from now (fact:object-lifecycle-base).
func (e *Engine) ChangeLifetime(ref ObjectRef, days Days) error {
	if err := days.check(); err != nil {
		return err
	}
	return e.change(ref, func(object *Object) error {
		object.plan(days, e.Now())
		return nil
	})
}

// check refuses days that are not in order (fact:object-lifecycle-order).
func (d Days) check() error {
	var days []int
	for _, class := range tiers() {
		days = append(days, d.To[class])
	}
	last := 0
	for _, day := range append(days, d.Delete) {
		switch {
		case day < Cancel || day > math.MaxInt32:
			return errorf(400, "invalid argument")
		case day > 0 && day <= last:
			return errorf(400, "invalid lifecycle: an object changes to colder storage classes one after the other and is deleted last")
		case day > 0:
			last = day
		}
	}
	return nil
}

// plan changes a lifetime by days that count from base.
func (l *Lifetime) plan(days Days, base time.Time) {
	transitions := map[int]int64{}
	maps.Copy(transitions, l.Transitions)
	for class, n := range days.To {
		switch {
		case n == Cancel:
			delete(transitions, class)
		case n > 0:
			transitions[class] = midnightAfter(base, n)
		}
	}
	if l.Transitions = transitions; len(transitions) == 0 {
		l.Transitions = nil
	}
	switch {
	case days.Delete == Cancel:
		l.DeletesAt = 0
	case days.Delete > 0:
		l.DeletesAt = midnightAfter(base, days.Delete)
	}
}

// midnightAfter returns the first midnight in Beijing that comes after base and so
// many days, as documented: what is uploaded on 1 January at 10:00 and deleted
// after 3 days is gone on 5 January at 00:00.
func midnightAfter(base time.Time, days int) int64 {
	return (beijingDay(base)+int64(days)+1)*day - beijing
}

const (
	day     = 24 * 60 * 60
	beijing = 8 * 60 * 60 // ahead of UTC, all year
)

// beijingDay numbers the days in Beijing.
func beijingDay(t time.Time) int64 { return (t.Unix() + beijing) / day }

// at makes an object what it has become by now, and reports whether it is still
// there. The clock only moves objects to colder storage classes
// (fact:object-lifecycle-order), so the coldest of those that are due wins.
func (o *Object) at(now time.Time) bool {
	due := func(moment int64) bool { return moment != 0 && moment <= now.Unix() }
	if due(o.DeletesAt) {
		return false
	}
	for class, moment := range o.Transitions {
		if !due(moment) {
			continue
		}
		if colder(class, o.FileType) {
			o.setClass(class)
		}
		if delete(o.Transitions, class); len(o.Transitions) == 0 {
			o.Transitions = nil
		}
	}
	switch {
	case due(o.FreezesAt):
		o.setClass(o.FileType)
	case due(o.ThawsAt):
		o.ThawsAt = 0
	}
	return true
}

// due returns the next moment at which the clock changes an object that is as at
// has made it, and whether there is one.
func (l *Lifetime) due() (next int64, ok bool) {
	moments := slices.Collect(maps.Values(l.Transitions))
	for _, moment := range append(moments, l.DeletesAt, l.ThawsAt, l.FreezesAt) {
		if moment != 0 && (!ok || moment < next) {
			next, ok = moment, true
		}
	}
	return next, ok
}

// settle writes down what has fallen due by now: it deletes what has expired and
// changes what has become something else, and has the rules of buckets act. It costs
// nothing where nothing is due. When ctx ends, it leaves the rest for another time.
func (e *Engine) settle(ctx context.Context) error {
	for {
		more, err := e.settleSome()
		switch {
		case err != nil:
			return err
		case !more:
			return e.runRules(ctx)
		case ctx.Err() != nil:
			return ctx.Err()
		}
	}
}

// settleSome does a part of settle in one commit, and reports whether there is more.
//
// The index may name an object that was replaced or changed since it was noted:
// then there is nothing to do to it, or something later.
func (e *Engine) settleSome() (more bool, err error) {
	const step = 1000
	err = e.updateTelling(func(tx *store.Tx, tell teller) error {
		now := e.Now()
		var due []string
		for key := range tx.Scan(dueKeys, "") {
			moment, _, _, err := splitDueKey(key)
			if err != nil {
				return err
			}
			if moment > now.Unix() || len(due) == step {
				break
			}
			due = append(due, key)
		}
		more = len(due) == step
		for _, key := range due {
			if err := e.settleObject(tx, key, tell); err != nil {
				return err
			}
		}
		return errors.Join(expireUploads(tx, now), expireBlocks(tx, now), e.settleCDN(tx))
	})
	return more, err
}

// settleObject writes down what has become of the object that an entry of the
// index names, and removes the entry.
func (e *Engine) settleObject(tx *store.Tx, due string, tell teller) error {
	if err := tx.Delete(due); err != nil {
		return err
	}
	moment, bucket, key, err := splitDueKey(due)
	if err != nil {
		return err
	}
	entry, found := tx.Get(objectKey(bucket, key))
	if !found {
		return nil
	}
	object, extents, err := decodeObject(bucket, key, entry, true)
	if err != nil {
		return err
	}
	restored, until := object.ThawsAt == moment, time.Unix(object.FreezesAt, 0)
	if !object.at(e.Now()) {
		return removeObject(tx, bucket, key)
	}
	if restored {
		of, err := anyBucket(tx, bucket)
		if err != nil {
			return err
		}
		tell(Event{Name: EventRestored, Object: object, Until: until}, of)
	}
	return keepObject(tx, object, extents)
}

// dueKeys begins the keys of the index.
const dueKeys = "t"

// dueKey is where the index notes that something happens to an object.
func dueKey(moment int64, bucket, key string) string {
	return string(binary.BigEndian.AppendUint64([]byte(dueKeys), uint64(moment))) + bucket + "\x00" + key
}

func splitDueKey(due string) (moment int64, bucket, key string, err error) {
	const start = len(dueKeys) + 8
	if len(due) > start {
		var ok bool
		if bucket, key, ok = strings.Cut(due[start:], "\x00"); ok {
			return int64(binary.BigEndian.Uint64([]byte(due[len(dueKeys):start]))), bucket, key, nil
		}
	}
	return 0, "", "", fmt.Errorf("the entry %q is damaged", due)
}
