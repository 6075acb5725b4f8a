package kodo

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"sync"
)

// A coalescer lets operations on objects travel together. One whose bucket has no request under way leaves at once,
// alone; those that are asked for while one is under way leave together when it is over. So nobody waits for a timer,
// and the more is asked for at a time, the fewer requests there are for each.
//
// Whatever waits or travels together has its own context, and its own answer.
type coalescer struct {
	// send makes one attempt at up to maxBatch operations, and returns what came of each, or why the whole failed.
	send func(ctx context.Context, operations []operation) ([]result, error)

	mu      sync.Mutex
	waiting map[string][]*passenger // by bucket, of those that have a request under way
}

// A passenger is an operation that is not alone.
type passenger struct {
	operation
	ctx    context.Context // of who asked for it
	flight *flight         // nil before it leaves
	landed chan struct{}   // closed when result or failed is known
	result result
	failed error // why the whole batch failed
}

// A flight is a batch that is under way.
type flight struct {
	passengers []*passenger
	aboard     int // passengers that somebody still waits for
	cancel     context.CancelFunc
}

// enter reports whether nothing of the bucket is under way, so that the operation may leave alone; leave must follow.
// Otherwise it returns a passenger to wait for.
func (q *coalescer) enter(ctx context.Context, o operation) (p *passenger, alone bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.waiting == nil {
		q.waiting = make(map[string][]*passenger)
	}
	others, busy := q.waiting[o.bucket]
	if !busy {
		q.waiting[o.bucket] = nil
		return nil, true
	}
	p = &passenger{operation: o, ctx: ctx, landed: make(chan struct{})}
	q.waiting[o.bucket] = append(others, p)
	return p, false
}

// leave ends a request of the bucket: those who waited leave now, if there are any.
func (q *coalescer) leave(bucket string) {
	if f := q.next(bucket); f != nil {
		go q.fly(bucket, f)
	}
}

// next returns the flight of those who wait; nil if nobody does.
func (q *coalescer) next(bucket string) *flight {
	q.mu.Lock()
	defer q.mu.Unlock()
	waiting := q.waiting[bucket]
	if len(waiting) == 0 {
		delete(q.waiting, bucket)
		return nil
	}
	n := min(len(waiting), maxBatch)
	f := &flight{passengers: slices.Clone(waiting[:n]), aboard: n}
	q.waiting[bucket] = slices.Clone(waiting[n:])
	for _, p := range f.passengers {
		p.flight = f
	}
	return f
}

// fly sends one flight after the other, until nobody waits.
func (q *coalescer) fly(bucket string, f *flight) {
	for ; f != nil; f = q.next(bucket) {
		q.deliver(f)
	}
}

// deliver sends a flight. It goes on as long as somebody waits for its answer, whose context it need not be.
func (q *coalescer) deliver(f *flight) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(f.passengers[0].ctx))
	defer cancel()
	q.mu.Lock()
	f.cancel = cancel
	if f.aboard == 0 {
		cancel()
	}
	q.mu.Unlock()

	operations := make([]operation, len(f.passengers))
	for i, p := range f.passengers {
		operations[i] = p.operation
	}
	results, err := q.send(ctx, operations)
	for i, p := range f.passengers {
		if p.failed = err; err == nil {
			p.result = results[i]
		}
		close(p.landed)
	}
}

// giveUp is for a passenger whose context is done. It reports whether the operation has left, so that it may be done
// all the same. A flight that nobody waits for any more is cancelled.
func (q *coalescer) giveUp(p *passenger) (left bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	f := p.flight
	if f == nil {
		q.waiting[p.bucket] = slices.DeleteFunc(q.waiting[p.bucket], func(other *passenger) bool { return other == p })
		return false
	}
	if f.aboard--; f.aboard == 0 && f.cancel != nil {
		f.cancel()
	}
	return true
}

// operateOnce makes one attempt at an operation, alone or together with others on the same bucket, and reads the
// answer into out unless that is nil. Its errors are those of a request of its own.
func (c *Client) operateOnce(ctx context.Context, o operation, out any) error {
	p, alone := c.together.enter(ctx, o)
	if alone {
		defer c.together.leave(o.bucket)
		return c.operateAlone(ctx, o, out)
	}
	select {
	case <-p.landed:
	case <-ctx.Done():
		return &Error{
			Op: o.name, Step: StepCall, Service: string(serviceRS), Bucket: o.bucket, Key: o.key, Attempts: 1,
			Err: context.Cause(ctx), lost: c.together.giveUp(p),
		}
	}
	var failed *Error
	switch {
	case p.failed == nil:
		return p.result.into(out)
	case !errors.As(p.failed, &failed):
		return p.failed
	case failed.Step == StepCall && failed.Code/100 >= http.StatusBadRequest/100 && !c.retryable(failed) && !answerLost(failed):
		// That the whole was refused proves nothing about this object: another of the operations may be why.
		return c.operateAlone(ctx, o, out)
	default:
		own := *failed
		own.Op, own.Key = o.name, o.key
		return &own
	}
}
