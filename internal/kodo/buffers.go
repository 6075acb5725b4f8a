package kodo

import (
	"context"
	"io"
	"runtime"
	"runtime/debug"
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

// A buffer is lent memory. It comes back when the last of its holders lets it go: the borrower, and the bodies of
// requests, which a transport may go on reading after the answer, until it closes them.
type buffer struct {
	bytes   []byte
	from    *Buffers
	weight  int64
	holders atomic.Int64
}

// lend waits for size bytes to be free.
func (b *Buffers) lend(ctx context.Context, size int) (*buffer, error) {
	weight := min(int64(size), b.size)
	if err := b.free.Acquire(ctx, weight); err != nil {
		return nil, context.Cause(ctx)
	}
	if all := b.lent.Add(int64(size)); all/collectAfter != (all-int64(size))/collectAfter {
		runtime.GC()
	}
	lent := &buffer{bytes: b.take(size), from: b, weight: weight}
	lent.holders.Store(1)
	return lent, nil
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
	// What is free by now is in pieces that are too small. It would stay in memory beside the new part.
	debug.FreeOSMemory()
	return make([]byte, size)
}

// hold returns what the body of a request closes.
func (l *buffer) hold() io.Closer {
	l.holders.Add(1)
	return &holder{of: l}
}

// giveBack ends the loan, for the borrower. After a failure nobody may be there to close a body that was never sent:
// its memory is left to the garbage collector.
func (l *buffer) giveBack(failed bool) {
	if failed && l.holders.Load() > 1 {
		l.from.free.Release(l.weight)
		return
	}
	l.letGo()
}

func (l *buffer) letGo() {
	if l.holders.Add(-1) > 0 {
		return
	}
	if len(l.bytes) == minPartSize {
		l.from.mu.Lock()
		l.from.parts = append(l.from.parts, l.bytes)
		l.from.mu.Unlock()
	}
	l.bytes = nil
	l.from.free.Release(l.weight)
}

// A holder is one of those that hold a buffer.
type holder struct {
	once sync.Once
	of   *buffer
}

// Close implements io.Closer.
func (h *holder) Close() error {
	h.once.Do(h.of.letGo)
	return nil
}
