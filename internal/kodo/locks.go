package kodo

import (
	"context"
	"sync"
	"time"
)

// name is a key in a bucket.
type name struct{ bucket, key string }

// keyLocks lets one goroutine at a time hold a key of a bucket. The zero value is ready.
type keyLocks struct {
	mu   sync.Mutex
	held map[name]*keyLock
}

type keyLock struct {
	token chan struct{} // full while somebody holds the lock
	users int           // holder and waiters
}

// lock waits for the key and returns what gives it back. Waiting ends with the context.
func (l *keyLocks) lock(ctx context.Context, bucket, key string) (unlock func(), err error) {
	n := name{bucket, key}
	l.mu.Lock()
	if l.held == nil {
		l.held = make(map[name]*keyLock)
	}
	k, ok := l.held[n]
	if !ok {
		k = &keyLock{token: make(chan struct{}, 1)}
		l.held[n] = k
	}
	k.users++
	l.mu.Unlock()

	select {
	case k.token <- struct{}{}:
		return func() { <-k.token; l.leave(n, k) }, nil
	case <-ctx.Done():
		l.leave(n, k)
		return nil, context.Cause(ctx)
	}
}

func (l *keyLocks) leave(n name, k *keyLock) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if k.users--; k.users == 0 {
		delete(l.held, n)
	}
}

// memory is what a Client has done that its later calls must know of. The zero value is ready.
type memory struct {
	mu      sync.Mutex
	keys    map[name]claim
	planned map[name][2]bool // of an object in the state, whether it is to stay, and to be destroyed
	buckets map[string]time.Time
}

// A claim is what a Put came to that wanted a key. The higher one counts.
type claim int

const (
	unclaimed claim = iota
	refused         // a Put wanted it and failed
	doomed          // a Remove failed: the object is still to be deleted, or a request that deletes it is under way
	held            // the object was stored or adopted
)

// claim remembers what a Put of the key came to.
func (m *memory) claim(bucket, key string, c claim) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.keys == nil {
		m.keys = make(map[name]claim)
	}
	n := name{bucket, key}
	m.keys[n] = max(m.keys[n], c)
}

// claimed returns what the Puts of the key came to.
func (m *memory) claimed(bucket, key string) claim {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.keys[name{bucket, key}]
}

// created remembers when a bucket was created.
func (m *memory) created(bucket string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.buckets == nil {
		m.buckets = make(map[string]time.Time)
	}
	m.buckets[bucket] = time.Now()
}

// createdSince reports whether the bucket was created after a time.
func (m *memory) createdSince(bucket string, t time.Time) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.buckets[bucket].After(t)
}

// PlanKey remembers that an object of the state is planned to be destroyed, or not, and reports whether both are.
func (c *Client) PlanKey(bucket, key string, destroy bool) bool {
	m, n := &c.own, name{bucket, key}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.planned == nil {
		m.planned = make(map[name][2]bool)
	}
	p := m.planned[n]
	if destroy {
		p[1] = true
	} else {
		p[0] = true
	}
	m.planned[n] = p
	return p[0] && p[1]
}
