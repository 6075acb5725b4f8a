package site

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/qiniu/terraform-provider-kodo/internal/kodo"
)

// An Outcome is what came of a publication or a removal.
type Outcome struct {
	Failures []Failure // in the order of their keys
	Stopped  error     // why what is Untried was not tried; nil if that is the Failures
	Wrote    bool      // something was, or may have been, changed in Kodo
	Untried  int       // files that are not published, or objects that are not removed, because of that

	Adopted     int      // new files whose content was there already
	Overwritten []string // keys that somebody else has written since they were published
	Left        []string // keys that were not removed because somebody else has written them
	Kept        []string // keys that were not removed because another resource has stored or adopted them
}

// A Failure is a key of which the content could not be published, changed or removed.
type Failure struct {
	Key string
	Err error
}

// Complete reports whether everything was done.
func (o *Outcome) Complete() bool { return len(o.Failures) == 0 && o.Untried == 0 }

// ErrContested says that an object was left because another resource of the same apply was to be stored under its key,
// and was refused or failed: without it there would be neither.
var ErrContested = errors.New("another resource of this apply wanted the key and could not have it")

// errReplaced refuses to change an object that is not the one that was published.
var errReplaced = errors.New("somebody else has replaced or deleted it since the plan")

// errGaveUp stops a publication when nothing succeeds any more.
var errGaveUp = errors.New("so many requests have failed in a row that no more were sent")

const (
	// manyInRow is how many requests may fail in a row: each has been tried again as often as the Client does that.
	manyInRow = 32
	// changesTogether is how many changes of facets are under way: the Client sends them in batches of as many.
	changesTogether = 1000
	// lookedAtOnce is how many objects are held in memory when they are looked at.
	lookedAtOnce = 10_000
	// lookBack is how long an interrupted publication may take to find out what it has done.
	lookBack = time.Second
)

// Publish does what the plan says, and records what is there then, also if that is not all. Failures of single files
// do not keep it from others of the same stage, but from those of later stages, and from removing anything.
//
// An interrupted publication ends within a second or two.
func (p *Plan) Publish(ctx context.Context, c *kodo.Client, bucket string, r *Record) *Outcome {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	run := &publication{Plan: p, client: c, bucket: bucket, record: r, stop: stop}
	run.prepare(ctx)
	for stage := range len(p.Last) + 1 {
		run.publish(ctx, stage)
	}
	run.lookBack(ctx)
	if run.out.Complete() {
		run.out.Wrote = run.out.Wrote || len(p.remove) > 0
		run.remove(ctx)
	} else {
		run.out.Untried += len(p.remove)
	}
	for _, key := range p.forget {
		r.forget(key)
	}
	if run.out.Untried > 0 && ctx.Err() != nil {
		run.out.Stopped = context.Cause(ctx)
	}
	if run.out.Complete() {
		r.complete(time.Now())
	}
	slices.SortFunc(run.out.Failures, byKey)
	return &run.out
}

// A publication is a Plan that is being carried out.
type publication struct {
	*Plan

	client *kodo.Client
	bucket string
	record *Record
	stop   context.CancelCauseFunc

	mu    sync.Mutex
	inRow int // failures since something succeeded
	out   Outcome
}

// fail records what could not be done. What only the end of the context has kept from being done was not tried.
func (p *publication) fail(ctx context.Context, key string, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if ctx.Err() != nil {
		p.out.Untried++
		return
	}
	p.out.Failures = append(p.out.Failures, Failure{key, err})
	if failed := (*kodo.Error)(nil); errors.As(err, &failed) {
		if p.inRow++; p.inRow >= manyInRow {
			p.stop(errGaveUp)
		}
	}
}

// tried records what came of a step. Of what an end of the context has kept from being sent nothing came.
func (p *publication) tried(ctx context.Context, step *Step, err error) {
	p.mu.Lock()
	step.done = err == nil
	if sent := (*kodo.Error)(nil); err == nil || ctx.Err() == nil || errors.As(err, &sent) {
		step.tried, p.out.Wrote = true, true
	}
	if err == nil {
		p.inRow = 0
	}
	p.mu.Unlock()
	if err != nil {
		p.fail(ctx, step.File.Key, err)
	}
}

// prepare looks at what has to be told apart from what somebody else may have put there: objects that could not be
// read back after they were stored, and those that were left to expire.
func (p *publication) prepare(ctx context.Context) {
	doubtful := map[string]bool{}
	for i := range p.steps {
		step := &p.steps[i]
		switch left, expiring := p.record.left[step.File.Key]; {
		case step.have != nil && step.have.PutTime != 0:
			step.guard = kodo.IfPutTime(step.have.PutTime)
		case step.have != nil, expiring && step.guard == kodo.IfPutTime(left.PutTime):
			doubtful[step.File.Key] = true
		}
	}
	if len(doubtful) == 0 {
		return
	}
	found, err := p.client.StatAll(ctx, p.bucket, sortedKeys(doubtful))
	for i := range p.steps {
		step := &p.steps[i]
		object, there := found[step.File.Key]
		switch {
		case !doubtful[step.File.Key]:
		case err != nil:
			step.refused = err
		case step.have != nil && there && object.ETag == step.have.ETag:
			have := entryOf(object)
			step.have, step.guard = &have, kodo.IfPutTime(object.PutTime)
		case there && step.guard == kodo.IfPutTime(object.PutTime):
		case !step.store:
			step.refused = errReplaced
		default: // then only an object of the same content can be there
			step.guard, step.again = kodo.IfAbsent(), false
		}
	}
}

// publish carries out the steps of one stage, if all went well so far.
func (p *publication) publish(ctx context.Context, stage int) {
	var stores, alters []*Step
	complete := p.out.Complete()
	for i := range p.steps {
		switch step := &p.steps[i]; {
		case step.stage != stage:
		case !complete:
			p.out.Untried++
		case step.refused != nil:
			p.fail(ctx, step.File.Key, step.refused)
		case step.store:
			stores = append(stores, step)
		default:
			alters = append(alters, step)
		}
	}
	p.client.PutAll(ctx, p.bucket, len(stores), func(i int) kodo.FilePut { return stores[i].put() }, func(i int, stored kodo.Stored, err error) {
		step := stores[i]
		if err == nil && stored.Adopted != nil {
			err = p.adopt(ctx, step, *stored.Adopted)
		}
		p.tried(ctx, step, err)
	})
	var changes errgroup.Group
	changes.SetLimit(changesTogether)
	for _, step := range alters {
		changes.Go(func() error {
			p.tried(ctx, step, p.alter(ctx, step, *step.have, false))
			return nil
		})
	}
	_ = changes.Wait() // each has told its error
}

// adopt makes an object that held the content already what it is to be.
func (p *publication) adopt(ctx context.Context, step *Step, object kodo.Object) error {
	if step.have == nil {
		p.mu.Lock()
		p.out.Adopted++
		p.mu.Unlock()
	}
	return p.alter(ctx, step, entryOf(object), !object.Expires.IsZero())
}

func (s *Step) put() kodo.FilePut {
	return kodo.FilePut{Path: s.File.Path, Put: kodo.Put{
		Key: s.File.Key, ETag: s.File.ETag, Guard: s.guard, Again: s.again,
		ContentType: s.Facets.ContentType, StorageClass: s.Facets.StorageClass, Metadata: s.Facets.Metadata,
	}}
}

// alter makes the facets of an object what they are to be. An object that was left to expire no longer is.
func (p *publication) alter(ctx context.Context, step *Step, entry Entry, expires bool) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	have, want := entry.Facets, step.Facets
	var changes []kodo.Change
	if have.ContentType != want.ContentType || !contains(have.Metadata, want.Metadata) {
		changes = append(changes, kodo.SetMetadata(want.ContentType, want.Metadata))
	}
	if expires {
		changes = append(changes, kodo.SetLifecycle(kodo.Lifecycle{Delete: kodo.Cancel}))
	}
	if have.StorageClass != want.StorageClass { // after what a frozen object does not allow
		changes = append(changes, kodo.SetStorageClass(want.StorageClass))
	}
	if len(changes) == 0 {
		return nil
	}
	_, err := p.client.Change(ctx, p.bucket, step.File.Key, entry.PutTime, changes...)
	return err
}

// contains reports whether all of some metadata are among others.
func contains(all, some map[string]string) bool {
	for name, value := range some {
		if have, ok := all[name]; !ok || have != value {
			return false
		}
	}
	return true
}

// lookBack reads what was written and records it. What cannot be read is recorded as it was sent.
func (p *publication) lookBack(ctx context.Context) {
	ctx, cancel := afterwards(ctx)
	defer cancel()
	var some []*Step
	for i := range p.steps {
		if step := &p.steps[i]; step.tried {
			some = append(some, step)
		}
	}
	left := len(some)
	for chunk := range slices.Chunk(some, lookedAtOnce) {
		keys := make([]string, len(chunk))
		for i, step := range chunk {
			keys[i] = step.File.Key
		}
		found, err := p.client.StatAll(ctx, p.bucket, keys)
		for _, step := range chunk {
			p.look(step, found, err)
		}
		left -= len(chunk)
		collect(left)
	}
	slices.Sort(p.out.Overwritten)
}

// look records what a look at the object of a step has come to.
func (p *publication) look(step *Step, found map[string]kodo.Object, err error) {
	key, etag := step.File.Key, p.target[step.File.Key].ETag
	object, there := found[key]
	_, ours := p.record.Have[key]
	switch {
	case err == nil && there && object.ETag == etag:
		p.record.set(key, p.record.entry(object))
	case step.done:
		// Somebody else has changed it since, or nobody knows: the next look will tell.
		p.record.set(key, Entry{ETag: etag, Size: step.File.Size, Facets: step.Facets})
		if err == nil {
			p.out.Overwritten = append(p.out.Overwritten, key)
		}
	case err == nil && there && ours:
		p.record.set(key, p.record.entry(object))
	case err == nil && !there:
		p.record.drop(key)
	}
}

// remove deletes what is to be removed, or lets it expire.
func (p *publication) remove(ctx context.Context) {
	if p.RetainDays > 0 {
		p.retire(ctx)
		return
	}
	removed := p.record.remove(ctx, p.client, p.bucket, p.Plan.remove)
	p.out.Failures, p.out.Untried = append(p.out.Failures, removed.Failures...), p.out.Untried+removed.Untried
	p.out.Left, p.out.Kept = removed.Left, removed.Kept
}

// retire lets objects expire.
func (p *publication) retire(ctx context.Context) {
	until := time.Now().AddDate(0, 0, p.RetainDays+1).Unix() // Kodo deletes in the night that follows
	var changes errgroup.Group
	changes.SetLimit(changesTogether)
	at := make(map[string]kodo.PutTime, len(p.Plan.remove))
	for _, key := range p.Plan.remove {
		at[key] = p.record.Have[key].PutTime
	}
	for key, put := range at {
		changes.Go(func() error {
			_, err := p.client.Change(ctx, p.bucket, key, put, kodo.SetLifecycle(kodo.Lifecycle{Delete: p.RetainDays}))
			changed := (*kodo.ChangedError)(nil)
			if err != nil && !errors.As(err, &changed) {
				p.fail(ctx, key, err)
				return nil
			}
			p.mu.Lock()
			defer p.mu.Unlock()
			p.record.drop(key)
			switch {
			case err == nil:
				p.record.left[key] = leftover{put, until}
			case changed.Have != nil:
				p.out.Left = append(p.out.Left, key)
			}
			return nil
		})
	}
	_ = changes.Wait() // each has told its error
	slices.Sort(p.out.Left)
}
