package engine

import "github.com/qiniu/terraform-provider-kodo/internal/emulator/store"

// Copy says which object becomes which other one. Both buckets are the owner's,
// and in one region.
type Copy struct {
	Owner            string
	FromBucket, From string
	ToBucket, To     string
	Force            bool // replace what the new key names
}

// CopyObject copies an object with its metadata, its storage class and its hash,
// as a new one: with a put time of its own, enabled, without a lifetime, and
// frozen if it is an archive (fact:object-copy).
func (e *Engine) CopyObject(c Copy) error {
	return e.transfer(c, EventCopy, func(tx *store.Tx, object Object, extents []store.Extent) (Object, error) {
		object.Bucket, object.Key = c.ToBucket, c.To
		object.Disabled, object.Lifetime = false, Lifetime{}
		return e.insert(tx, object, extents, false)
	})
}

// MoveObject gives an object another name: it stays what it is, put time and
// lifetime included (fact:object-move).
func (e *Engine) MoveObject(c Copy) error {
	return e.transfer(c, EventMove, func(tx *store.Tx, object Object, extents []store.Extent) (Object, error) {
		moved := object
		moved.Bucket, moved.Key = c.ToBucket, c.To
		return moved, moveObject(tx, object, moved, extents)
	})
}

// transfer checks what copying and moving have in common and then has it done.
func (e *Engine) transfer(c Copy, event string, do func(tx *store.Tx, object Object, extents []store.Extent) (Object, error)) error {
	if err := checkKey(c.To); err != nil {
		return err
	}
	return e.updateTelling(func(tx *store.Tx, tell teller) error {
		from, err := ownBucket(tx, c.Owner, c.FromBucket)
		if err != nil {
			return err
		}
		to, err := ownBucket(tx, c.Owner, c.ToBucket)
		if err != nil {
			return err
		}
		if from.Region != to.Region {
			return errorf(400, "incorrect region, the buckets are in %s and %s", from.Region, to.Region) // fact:object-copy-region
		}
		object, extents, err := e.needObject(tx, c.FromBucket, c.From)
		if err != nil {
			return err
		}
		if object.frozen() {
			return errFrozen()
		}
		_, _, taken, err := e.findObject(tx, c.ToBucket, c.To)
		if err != nil {
			return err
		}
		if taken && !c.Force {
			return errorf(614, "file exists")
		}
		made, err := do(tx, object, extents)
		if err != nil {
			return err
		}
		buckets := []Bucket{from}
		if to.Name != from.Name {
			buckets = append(buckets, to)
		}
		tell(Event{Name: event, Object: object, Dest: &made}, buckets...)
		return nil
	})
}
