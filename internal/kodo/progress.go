package kodo

import (
	"context"
	"sync"
	"time"
)

// A Progress says how far an upload in parts is.
type Progress struct {
	Bucket, Key string
	Sent        int64 // bytes that Kodo has
	Size        int64 // bytes
}

// progressPause is how long a slow upload says nothing.
const progressPause = 10 * time.Second

// progress tells of an upload at each tenth of it, and now and then if that takes long.
type progress struct {
	tell func(context.Context, Progress)

	mu   sync.Mutex
	at   Progress
	told int64 // tenths
	when time.Time
}

func (c *Client) newProgress(u *upload) *progress {
	return &progress{tell: c.config.Progress, at: Progress{Bucket: u.Bucket, Key: u.Key, Size: u.Content.Size()}, when: time.Now()}
}

// add counts bytes that Kodo has.
func (p *progress) add(ctx context.Context, n int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.at.Sent += n
	tenths := p.at.Sent * 10 / p.at.Size
	if p.tell == nil || tenths == p.told && time.Since(p.when) < progressPause {
		return
	}
	p.told, p.when = tenths, time.Now()
	p.tell(ctx, p.at)
}
