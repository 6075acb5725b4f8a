package engine

import (
	"slices"
	"strings"
	"time"

	"github.com/qiniu/terraform-provider-kodo/internal/emulator/store"
)

// EventRule says which events of a bucket are posted, and where.
type EventRule struct {
	Name      string
	Prefix    string // of the keys that it is for
	Suffix    string
	Events    []string
	URLs      []string // each gets every event
	Host      string   `json:",omitempty"` // the Host header of the notification
	AccessKey string   `json:",omitempty"` // signs the notification; empty: it is not signed
}

// The events that happen here.
const (
	EventPut      = "put"
	EventMkfile   = "mkfile" // a multipart upload was completed
	EventDelete   = "delete"
	EventCopy     = "copy"
	EventMove     = "move"
	EventDisable  = "disable"
	EventEnable   = "enable"
	EventRestored = "restore:completed"
)

// knownEvents returns what a rule may name (documented), also events that never
// happen here: nothing appends to an object, and there are no versions.
func knownEvents() []string {
	return []string{
		EventPut, EventMkfile, EventDelete, EventCopy, EventMove, EventDisable, EventEnable, EventRestored,
		"append", "deleteMarkerCreate", "predelete",
	}
}

// AddEventRule adds a rule. Its name must be new, and so must its prefix and suffix
// together.
func (e *Engine) AddEventRule(owner, bucket string, rule EventRule) error {
	return e.changeRules(owner, bucket, rule.check(), func(b *Bucket) error { return addNamed(&b.Events, rule) })
}

// UpdateEventRule replaces the rule of the same name.
func (e *Engine) UpdateEventRule(owner, bucket string, rule EventRule) error {
	return e.changeRules(owner, bucket, rule.check(), func(b *Bucket) error { return replaceNamed(b.Events, rule) })
}

// DeleteEventRule removes a rule.
func (e *Engine) DeleteEventRule(owner, bucket, name string) error {
	return e.changeRules(owner, bucket, nil, func(b *Bucket) error { return deleteNamed(&b.Events, name) })
}

func (r EventRule) label() (kind, name string) { return "event", r.Name }

func (r EventRule) clash(other EventRule) error {
	if r.Prefix != other.Prefix || r.Suffix != other.Suffix {
		return nil
	}
	return errorf(400, "event prefix and suffix exists")
}

// check refuses a rule by itself. Names are documented; what the texts rest on is
// fact:bucket-event-texts.
func (r EventRule) check() error {
	unknown := func(event string) bool { return !slices.Contains(knownEvents(), event) }
	noURL := func(url string) bool {
		return !strings.HasPrefix(url, "http://") && !strings.HasPrefix(url, "https://")
	}
	switch {
	case !validRuleName(r.Name):
		return errorf(400, "invalid event name")
	case len(r.Events) == 0 || slices.ContainsFunc(r.Events, unknown):
		return errorf(400, "invalid events")
	case len(r.URLs) == 0 || slices.ContainsFunc(r.URLs, noURL):
		return errorf(400, "callbackURL must starts with http:// or https://")
	}
	return nil
}

// Event is something that has happened to an object, with the rules of its bucket
// that want it to be told.
type Event struct {
	Name   string
	Time   time.Time // by the engine's clock
	Owner  string
	Object Object    // as it was before a move or a deletion, else as it is
	Dest   *Object   // what it was copied or moved to
	Until  time.Time // up to which a restored object can be read; zero for all other events
	Rules  []EventRule
}

// teller notes an event, if a rule of the buckets that it is about wants it.
type teller func(event Event, buckets ...Bucket)

// updateTelling is update for a change that makes events. What it has noted is told
// when it is done.
func (e *Engine) updateTelling(change func(tx *store.Tx, tell teller) error) error {
	var events []Event
	err := e.update(func(tx *store.Tx) error {
		events = nil
		return change(tx, func(event Event, buckets ...Bucket) {
			event.Time, event.Owner = e.Now(), buckets[0].Owner
			for _, bucket := range buckets {
				event.Rules = append(event.Rules, bucket.wanting(event)...)
			}
			if len(event.Rules) > 0 {
				events = append(events, event)
			}
		})
	})
	if err != nil || e.onEvent == nil {
		return err
	}
	for _, event := range events {
		e.onEvent(event)
	}
	return nil
}

// wanting returns the rules of a bucket that an event concerns: by the key of its
// object and by that of the destination, as far as they are in the bucket
// (fact:bucket-event-copy).
func (b Bucket) wanting(event Event) (rules []EventRule) {
	for _, rule := range b.Events {
		if slices.Contains(rule.Events, event.Name) && (b.concerns(rule, &event.Object) || b.concerns(rule, event.Dest)) {
			rules = append(rules, rule)
		}
	}
	return rules
}

func (b Bucket) concerns(rule EventRule, object *Object) bool {
	return object != nil && object.Bucket == b.Name &&
		strings.HasPrefix(object.Key, rule.Prefix) && strings.HasSuffix(object.Key, rule.Suffix)
}
