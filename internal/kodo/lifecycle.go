package kodo

import (
	"fmt"
	"slices"
	"strconv"
)

// Cancel stands for a number of days, where what was set is to be set no more.
const Cancel = -1

// A Lifecycle says after how many days what becomes of an object, counted from the day of the call. 0 leaves what was
// set, Cancel ends it.
type Lifecycle struct {
	Delete int
	To     map[StorageClass]int
}

// warmestFirst is the order in which Kodo moves objects from class to class, never back.
func warmestFirst() []StorageClass {
	return []StorageClass{Standard, InfrequentAccess, IntelligentTiering, ArchiveInstantRetrieval, Archive, DeepArchive}
}

// Reaches reports whether a class is another one, or colder, so that nothing is left of a transition to that. A class
// that is not known here may be.
func (s StorageClass) Reaches(to StorageClass) bool {
	is := slices.Index(warmestFirst(), s)
	return is < 0 || is >= slices.Index(warmestFirst(), to)
}

// Follows reports whether a transition to a class that was asked for is still to come, or may have been made. Otherwise
// somebody has cancelled it.
func (o Object) Follows(to StorageClass) bool {
	_, due := o.Transitions[to]
	return due || o.StorageClass.Reaches(to)
}

// arguments are those of Kodo's operation, the warmest class first and deletion last.
func (l Lifecycle) arguments() (arguments []string) {
	for _, next := range []step{
		{"toIAAfterDays", l.To[InfrequentAccess]},
		{"toIntelligentTieringAfterDays", l.To[IntelligentTiering]},
		{"toArchiveIRAfterDays", l.To[ArchiveInstantRetrieval]},
		{"toArchiveAfterDays", l.To[Archive]},
		{"toDeepArchiveAfterDays", l.To[DeepArchive]},
		{"deleteAfterDays", l.Delete},
	} {
		if next.days != 0 {
			arguments = append(arguments, next.name, strconv.Itoa(next.days))
		}
	}
	return arguments
}

// cancelsNothingOf reports whether the lifecycle only ends what the object does not have.
func (l Lifecycle) cancelsNothingOf(o Object) bool {
	if l.Delete > 0 || l.Delete == Cancel && !o.Expires.IsZero() {
		return false
	}
	for class, days := range l.To {
		if _, set := o.Transitions[class]; days > 0 || days == Cancel && set {
			return false
		}
	}
	return true
}

// Check says why Kodo would not accept the lifecycle: a colder class comes later than a warmer one, and deletion last.
func (l Lifecycle) Check() error {
	var before step
	for _, next := range []step{
		{InfrequentAccess.String(), l.To[InfrequentAccess]},
		{IntelligentTiering.String(), l.To[IntelligentTiering]},
		{ArchiveInstantRetrieval.String(), l.To[ArchiveInstantRetrieval]},
		{Archive.String(), l.To[Archive]},
		{DeepArchive.String(), l.To[DeepArchive]},
		{"deletion", l.Delete},
	} {
		switch {
		case next.days < Cancel:
			return fmt.Errorf("%d days for %s: a number of days is at least 1, and %d cancels", next.days, next.name, Cancel)
		case next.days > 0 && next.days <= before.days:
			return fmt.Errorf("%s after %d days must come later than %s after %d", next.name, next.days, before.name, before.days)
		case next.days > 0:
			before = next
		}
	}
	return nil
}

// A step is one of the things that a lifecycle makes of an object, in an order that Kodo demands.
type step struct {
	name string
	days int
}
