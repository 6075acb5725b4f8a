package kodo

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"golang.org/x/sync/errgroup"
)

// RemoveAll is Remove for many objects of one bucket, 1000 at a time: one request looks at them and one deletes those
// that are what they were to be. It says of each what came of it, from many goroutines.
func (c *Client) RemoveAll(ctx context.Context, bucket string, objects []Doomed, done func(d Doomed, removal Removal, err error)) {
	// Locks of many keys are taken in one order, so that nobody waits for somebody who waits.
	objects = slices.SortedFunc(slices.Values(objects), func(a, b Doomed) int { return cmp.Compare(a.Key, b.Key) })
	var g errgroup.Group
	g.SetLimit(c.config.Concurrency)
	for some := range slices.Chunk(objects, maxBatch) {
		g.Go(func() error {
			c.removeBatch(ctx, bucket, some, done)
			return nil
		})
	}
	_ = g.Wait() // each has told its error
}

func (c *Client) removeBatch(ctx context.Context, bucket string, objects []Doomed, done func(d Doomed, removal Removal, err error)) {
	b := removals{client: c, bucket: bucket, done: done}
	for _, d := range objects {
		unlock, err := c.keys.lock(ctx, bucket, d.Key)
		if err != nil {
			done(d, 0, err)
			continue
		}
		defer unlock()
		if claimed := c.own.claimed(bucket, d.Key); claimed == held {
			done(d, Kept, nil)
		} else {
			b.left = append(b.left, &removing{Doomed: d, claimed: claimed})
		}
	}
	if len(b.left) == 0 {
		return
	}
	err := c.retry(ctx, func() error { return b.attempt(ctx) })
	for _, r := range b.left {
		c.own.claim(bucket, r.Key, doomed)
		done(r.Doomed, 0, err)
	}
}

// removals are up to 1000 objects that are being deleted together.
type removals struct {
	client *Client
	bucket string
	done   func(d Doomed, removal Removal, err error)
	left   []*removing // of which nothing has been said yet
}

// attempt looks at what is left, and deletes what is to be deleted. Its error is one that another attempt may not have.
func (b *removals) attempt(ctx context.Context) (again error) {
	looks, err := b.client.batchOnce(ctx, b.operations(b.left, statOf))
	if err != nil {
		return err
	}
	var ready, rest []*removing
	say := func(r *removing, removal Removal, err error) {
		var failed *Error
		switch {
		case errors.As(err, &failed) && b.client.retryable(failed):
			again, rest = err, append(rest, r)
		case err != nil:
			b.client.own.claim(b.bucket, r.Key, doomed)
			b.done(r.Doomed, 0, err)
		default:
			b.done(r.Doomed, removal, nil)
		}
	}
	for i, r := range b.left {
		seen := looks[i].look(r.Key)
		if removal, err := r.verdict(seen.object, seen.err); removal == 0 && err == nil {
			ready = append(ready, r)
		} else {
			say(r, removal, err)
		}
	}
	if len(ready) > 0 {
		answers, whole := b.client.batchOnce(ctx, b.operations(ready, deleteOf))
		for i, r := range ready {
			if whole != nil { // whatever its code is, it is not about this object
				r.lost = r.lost || answerLost(whole)
				say(r, 0, whole)
				continue
			}
			removal, err := r.deleted(answers[i].into(nil))
			say(r, removal, err)
		}
	}
	b.left = rest
	return again
}

func (b *removals) operations(on []*removing, of func(bucket, key string) operation) []operation {
	operations := make([]operation, len(on))
	for i, r := range on {
		operations[i] = of(b.bucket, r.Key)
	}
	return operations
}
