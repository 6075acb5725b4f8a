package kodo

import "context"

// A Removal is what came of a Remove that did not fail.
type Removal int

const (
	// Removed means that the object was deleted.
	Removed Removal = iota + 1
	// AlreadyGone means that there was no object.
	AlreadyGone
	// Changed means that the object is not the one that was to be deleted, and was left.
	Changed
	// Kept means that this Client has stored or adopted the object, so that somebody needs it, and was left.
	Kept
	// Contested means that a Put of this Client wanted the key and was refused because of the object, which was left:
	// without it there would be neither the one nor the other.
	Contested
)

// String implements fmt.Stringer.
func (r Removal) String() string {
	switch r {
	case Removed:
		return "removed"
	case AlreadyGone:
		return "already gone"
	case Changed:
		return "changed"
	case Kept:
		return "kept"
	case Contested:
		return "contested"
	default:
		return "unknown"
	}
}

// Remove deletes the object that was put at t, or, if t is 0, the one whose hash is etag. It looks at the object
// under the lock of its key immediately before each attempt to delete it. Kodo's delete has no condition, so for one
// round trip a writer in another process could still lose its object.
func (c *Client) Remove(ctx context.Context, bucket, key string, t PutTime, etag string) (Removal, error) {
	unlock, err := c.keys.lock(ctx, bucket, key)
	if err != nil {
		return 0, err
	}
	defer unlock()
	claimed := c.own.claimed(bucket, key)
	if claimed == held {
		return Kept, nil
	}
	var removal Removal
	lost := false
	err = c.retry(ctx, func() error {
		have, err := c.statOnce(ctx, bucket, key)
		switch {
		case IsGone(err) && lost:
			removal = Removed
			return nil
		case IsGone(err):
			removal = AlreadyGone
			return nil
		case err != nil:
			return err
		case t != 0 && have.PutTime != t, t == 0 && have.ETag != etag:
			removal = Changed
			return nil
		case claimed == refused:
			removal = Contested
			return nil
		}
		err = c.deleteOnce(ctx, bucket, key)
		switch {
		case err == nil, IsGone(err):
			removal = Removed
			return nil
		default:
			lost = lost || answerLost(err)
			return err
		}
	})
	if err != nil {
		c.own.claim(bucket, key, doomed)
		return 0, err
	}
	return removal, nil
}

func (c *Client) deleteOnce(ctx context.Context, bucket, key string) error {
	return c.operateOnce(ctx, operationOn("delete", "delete", bucket, key), nil)
}
