package kodo

import (
	"context"
	"errors"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"
)

// StatAll looks at many objects of a bucket in batches of 1000, several at a time, and returns those that are there by
// their keys. What it cannot find out of any one of them fails the whole.
func (c *Client) StatAll(ctx context.Context, bucket string, keys []string) (map[string]Object, error) {
	objects := make(map[string]Object, len(keys))
	var mu sync.Mutex
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(c.config.Concurrency)
	for batch := range slices.Chunk(keys, maxBatch) {
		g.Go(func() error {
			looks, err := c.lookAt(ctx, bucket, batch)
			if err != nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			for _, seen := range looks {
				switch {
				case IsGone(seen.err):
				case seen.err != nil:
					return seen.err
				default:
					objects[seen.object.Key] = seen.object
				}
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	return objects, nil
}

// lookAt looks at up to 1000 objects in one batch. What one operation of a batch is refused for a moment is asked again
// alone.
func (c *Client) lookAt(ctx context.Context, bucket string, keys []string) ([]look, error) {
	operations := make([]operation, len(keys))
	for i, key := range keys {
		operations[i] = statOf(bucket, key)
	}
	var results []result
	err := c.retry(ctx, func() (err error) {
		results, err = c.batchOnce(ctx, operations)
		return err
	})
	if err != nil {
		return nil, err
	}
	looks := make([]look, len(keys))
	for i, result := range results {
		looks[i] = result.look(keys[i])
		if failed := (*Error)(nil); errors.As(looks[i].err, &failed) && c.retryable(failed) {
			looks[i].object, looks[i].err = c.Stat(ctx, bucket, keys[i])
		}
	}
	return looks, nil
}

// look is what a stat in a batch has come to.
func (r result) look(key string) look {
	var answer objectAnswer
	if err := r.into(&answer); err != nil {
		return look{err: err}
	}
	return look{object: answer.object(key)}
}
