package kodo

import (
	"context"
	"errors"

	"golang.org/x/sync/errgroup"
)

// StatAll looks at many objects of a bucket in batches of 1000, several at a time, and returns those that are there by
// their keys. What it cannot find out of any one of them fails the whole.
func (c *Client) StatAll(ctx context.Context, bucket string, keys []string) (map[string]Object, error) {
	batches := (len(keys) + maxBatch - 1) / maxBatch
	found := make([][]Object, batches)
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(c.config.Concurrency)
	for i := range batches {
		g.Go(func() (err error) {
			found[i], err = c.statBatch(ctx, bucket, keys[i*maxBatch:min((i+1)*maxBatch, len(keys))])
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	objects := make(map[string]Object, len(keys))
	for _, batch := range found {
		for _, object := range batch {
			objects[object.Key] = object
		}
	}
	return objects, nil
}

// statBatch is StatAll for up to 1000 keys. What one operation of a batch is refused for a moment is asked again alone.
func (c *Client) statBatch(ctx context.Context, bucket string, keys []string) ([]Object, error) {
	operations := make([]operation, len(keys))
	for i, key := range keys {
		operations[i] = operationOn("stat", "stat", bucket, key)
	}
	var results []result
	err := c.retry(ctx, func() (err error) {
		results, err = c.batchOnce(ctx, operations)
		return err
	})
	if err != nil {
		return nil, err
	}
	objects := make([]Object, 0, len(keys))
	for i, result := range results {
		var answer objectAnswer
		err := result.into(&answer)
		object := answer.object(keys[i])
		if failed := (*Error)(nil); err != nil && !IsGone(err) && errors.As(err, &failed) && c.retryable(failed) {
			object, err = c.Stat(ctx, bucket, keys[i])
		}
		switch {
		case IsGone(err):
		case err != nil:
			return nil, err
		default:
			objects = append(objects, object)
		}
	}
	return objects, nil
}
