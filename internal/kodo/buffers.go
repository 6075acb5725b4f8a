package kodo

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/semaphore"
)

// DefaultBufferSize is the memory in bytes that uploads hold at most, however many and however large they are.
const DefaultBufferSize = 32 << 20

// Buffers is memory for the parts of uploads under one bound. It may be shared by several Clients.
type Buffers struct {
	size int64
	free *semaphore.Weighted
	lent atomic.Int64 // bytes, all told

	mu    sync.Mutex
	parts [][]byte // of PartSize, ready to be used again
}

// collectAfter is how many bytes are lent between two collections of garbage. The garbage collector by itself waits
// until the heap has doubled, and all of the buffers are its heap: a long upload would hold them once more in what its
// requests left behind.
const collectAfter = 32 << 20

// NewBuffers returns Buffers that lend at most size bytes at a time. A single part that is larger is lent alone.
func NewBuffers(size int64) *Buffers {
	return &Buffers{size: size, free: semaphore.NewWeighted(size)}
}

// A buffer is lent memory.
type buffer struct {
	bytes  []byte
	from   *Buffers
	weight int64
}

// lend waits for size bytes to be free.
func (b *Buffers) lend(ctx context.Context, size int) (*buffer, error) {
	weight := min(int64(size), b.size)
	if err := b.free.Acquire(ctx, weight); err != nil {
		return nil, context.Cause(ctx)
	}
	if lent := b.lent.Add(int64(size)); lent/collectAfter != (lent-int64(size))/collectAfter {
		runtime.GC()
	}
	return &buffer{bytes: b.take(size), from: b, weight: weight}, nil
}

func (b *Buffers) take(size int) []byte {
	if size != minPartSize {
		return make([]byte, size)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if n := len(b.parts); n > 0 {
		part := b.parts[n-1]
		b.parts = b.parts[:n-1]
		return part
	}
	return make([]byte, size)
}

// giveBack ends the loan. Memory that somebody may still read is left to the garbage collector.
func (l *buffer) giveBack(reusable bool) {
	if reusable && len(l.bytes) == minPartSize {
		l.from.mu.Lock()
		l.from.parts = append(l.from.parts, l.bytes)
		l.from.mu.Unlock()
	}
	l.bytes = nil
	l.from.free.Release(l.weight)
}
