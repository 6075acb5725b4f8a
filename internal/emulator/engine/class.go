package engine

import (
	"slices"
	"time"
)

// The storage classes by Kodo's numbers.
const (
	Standard           = 0
	IA                 = 1
	Archive            = 2
	DeepArchive        = 3
	ArchiveIR          = 4
	IntelligentTiering = 5
)

// tiers returns the storage classes from the warmest to the coldest
// (fact:object-lifecycle-order).
func tiers() []int {
	return []int{Standard, IA, IntelligentTiering, ArchiveIR, Archive, DeepArchive}
}

// colder reports whether the clock may change an object from class to other.
func colder(other, class int) bool {
	return slices.Index(tiers(), other) > slices.Index(tiers(), class)
}

// archived reports whether objects of the class must be restored to be read.
func archived(class int) bool { return class == Archive || class == DeepArchive }

// frozenText is what Kodo says of an archive that is not restored
// (fact:object-frozen).
const frozenText = "the archived object is frozen, restore it first"

func errFrozen() error { return errorf(400, frozenText) }

// RestoreStatus is how far the restoring of an archived object is, in Kodo's
// numbers.
type RestoreStatus int

// An object that is no archive, or frozen, has the status 0.
const (
	Thawing RestoreStatus = 1
	Thawed  RestoreStatus = 2
)

// Restore returns how far the restoring is.
func (l *Lifetime) Restore() RestoreStatus {
	switch {
	case l.ThawsAt != 0:
		return Thawing
	case l.FreezesAt != 0:
		return Thawed
	}
	return 0
}

// frozen reports whether an object, as it is by now, must be restored before it is
// read, copied or changed.
func (o *Object) frozen() bool { return archived(o.FileType) && o.Restore() != Thawed }

// setClass puts the object into a storage class; an archive is frozen at once.
func (o *Object) setClass(class int) {
	o.FileType, o.ThawsAt, o.FreezesAt = class, 0, 0
}

// ChangeClass changes the storage class. The class that an object has already is
// refused (fact:object-chtype-again, fact:object-chtype-names).
func (e *Engine) ChangeClass(ref ObjectRef, class int) error {
	names := map[int]string{
		Standard: "normal", IA: "line", Archive: "archive", DeepArchive: "deep archive",
		ArchiveIR: "archive ir", IntelligentTiering: "intelligent tiering",
	}
	name, known := names[class]
	if !known {
		return errorf(400, "invalid file type")
	}
	return e.change(ref, func(object *Object) error {
		switch {
		case object.FileType == class:
			return errorf(400, "already in %s stat", name)
		case object.frozen():
			return errFrozen()
		}
		object.setClass(class)
		return nil
	})
}

// How long restoring takes, by the engine's clock: the ends of the documented 1 to
// 5 minutes and 5 to 12 hours.
const (
	thawArchive     = 5 * time.Minute
	thawDeepArchive = 12 * time.Hour
)

// RestoreArchive begins to thaw an archived object, which can then be read for some days
// (fact:object-restore).
func (e *Engine) RestoreArchive(ref ObjectRef, days int) error {
	const maxDays = 7
	if days < 1 || days > maxDays {
		return errorf(400, "invalid freeze after days")
	}
	return e.change(ref, func(object *Object) error {
		thaws := e.Now()
		switch {
		case !archived(object.FileType):
			return errorf(400, "the object is not archived")
		case object.Restore() == Thawing:
			return errorf(400, "the object is being restored")
		case object.Restore() == Thawed: // It stays so, and the days begin anew.
		case object.FileType == Archive:
			thaws = thaws.Add(thawArchive)
			object.ThawsAt = thaws.Unix()
		default:
			thaws = thaws.Add(thawDeepArchive)
			object.ThawsAt = thaws.Unix()
		}
		object.FreezesAt = thaws.Add(time.Duration(days) * 24 * time.Hour).Unix()
		return nil
	})
}
