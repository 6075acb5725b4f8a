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

// A Doomed is an object that is to be deleted: the one that was put at that time, or, if that is 0, the one whose hash
// is ETag.
type Doomed struct {
	Key     string
	PutTime PutTime
	ETag    string
}

// A removing is a Doomed on its way.
type removing struct {
	Doomed
	claimed claim
	lost    bool // the answer to an attempt to delete it was lost
}

// verdict says what a look at the object has come to: 0 means that it is to be deleted.
func (r *removing) verdict(have Object, err error) (Removal, error) {
	switch {
	case IsGone(err) && r.lost:
		return Removed, nil
	case IsGone(err):
		return AlreadyGone, nil
	case err != nil:
		return 0, err
	case r.PutTime != 0 && have.PutTime != r.PutTime, r.PutTime == 0 && have.ETag != r.ETag:
		return Changed, nil
	case r.claimed == refused:
		return Contested, nil
	}
	return 0, nil
}

// deleted says what an attempt to delete the object has come to.
func (r *removing) deleted(err error) (Removal, error) {
	if err == nil || IsGone(err) {
		return Removed, nil
	}
	r.lost = r.lost || answerLost(err)
	return 0, err
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
	r := removing{Doomed: Doomed{key, t, etag}, claimed: c.own.claimed(bucket, key)}
	if r.claimed == held {
		return Kept, nil
	}
	var removal Removal
	err = c.retry(ctx, func() (err error) {
		removal, err = r.verdict(c.statOnce(ctx, bucket, key))
		if removal == 0 && err == nil {
			removal, err = r.deleted(c.deleteOnce(ctx, bucket, key))
		}
		return err
	})
	if err != nil {
		c.own.claim(bucket, key, doomed)
		return 0, err
	}
	return removal, nil
}

func (c *Client) deleteOnce(ctx context.Context, bucket, key string) error {
	return c.operateOnce(ctx, deleteOf(bucket, key), nil)
}

func deleteOf(bucket, key string) operation { return operationOn("delete", "delete", bucket, key) }
