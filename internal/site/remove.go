package site

import (
	"context"
	"slices"
	"strings"
	"sync"

	"github.com/qiniu/terraform-provider-kodo/internal/kodo"
)

func byKey(a, b Failure) int { return strings.Compare(a.Key, b.Key) }

// Remove deletes what is recorded, or only what was published from here, and records what is there then. What somebody
// else has written since is left.
func (r *Record) Remove(ctx context.Context, c *kodo.Client, bucket string, theirs bool) *Outcome {
	keys := slices.DeleteFunc(r.Keys(), func(key string) bool { return !theirs && r.Have[key].Theirs })
	out := r.remove(ctx, c, bucket, keys)
	if out.Untried > 0 && ctx.Err() != nil {
		out.Stopped = context.Cause(ctx)
	}
	return out
}

func (r *Record) remove(ctx context.Context, c *kodo.Client, bucket string, keys []string) *Outcome {
	doomed := make([]kodo.Doomed, len(keys))
	for i, key := range keys {
		have := r.Have[key]
		doomed[i] = kodo.Doomed{Key: key, PutTime: have.PutTime, ETag: have.ETag}
	}
	out := &Outcome{}
	var mu sync.Mutex
	c.RemoveAll(ctx, bucket, doomed, func(d kodo.Doomed, removal kodo.Removal, err error) {
		mu.Lock()
		defer mu.Unlock()
		switch {
		case err != nil && ctx.Err() != nil:
			out.Untried++
			return
		case err != nil:
			out.Failures = append(out.Failures, Failure{d.Key, err})
			return
		case removal == kodo.Contested:
			out.Failures = append(out.Failures, Failure{d.Key, ErrContested})
			return
		case removal == kodo.Changed:
			out.Left = append(out.Left, d.Key)
		case removal == kodo.Kept:
			out.Kept = append(out.Kept, d.Key)
		}
		r.drop(d.Key)
	})
	if !out.Complete() {
		r.lookForRemoved(ctx, c, bucket, keys)
	}
	slices.Sort(out.Left)
	slices.Sort(out.Kept)
	slices.SortFunc(out.Failures, byKey)
	return out
}

// lookForRemoved records which objects are gone although nobody could say so.
func (r *Record) lookForRemoved(ctx context.Context, c *kodo.Client, bucket string, keys []string) {
	keys = slices.DeleteFunc(slices.Clone(keys), func(key string) bool { return r.Have[key].ETag == "" })
	ctx, cancel := afterwards(ctx)
	defer cancel()
	found, err := c.StatAll(ctx, bucket, keys)
	if err != nil {
		return // the next look will tell
	}
	for _, key := range keys {
		if _, there := found[key]; !there {
			r.drop(key)
		}
	}
}

// afterwards is a context for finding out what was done: a short one if that was interrupted.
func afterwards(ctx context.Context) (context.Context, context.CancelFunc) {
	if ctx.Err() == nil {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(context.WithoutCancel(ctx), lookBack)
}
