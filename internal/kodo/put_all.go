package kodo

import (
	"context"
	"sync"
)

// A FilePut is a Put whose content is a file, which is opened when its turn comes.
type FilePut struct {
	Put
	Path string
}

const (
	// lookAhead is how many objects are looked at in one request before they are written. More would leave more time
	// between the look and the write.
	lookAhead = 128
	// waiting is how many Puts there are for each request that may be in flight, so that none of those is idle while
	// files are read and objects are looked at.
	waitingForEach = 2
)

// PutAll stores n files as objects of one bucket, as many at once as the Client may have requests in flight, and says of
// each what came of it, from many goroutines. It asks for each when its turn comes, and reads, hashes and sends its file
// in one go.
//
// A Put that replaces an object is judged by a look that may be older by the time that the 128 Puts around it take.
// One that creates an object needs no look: Kodo refuses it if there is one.
func (c *Client) PutAll(ctx context.Context, bucket string, n int, put func(i int) FilePut, done func(i int, stored Stored, err error)) {
	type turn struct {
		FilePut
		i    int
		seen *look
	}
	turns := make(chan turn)
	var workers sync.WaitGroup
	for range min(waitingForEach*c.config.Concurrency, n) {
		workers.Go(func() {
			for t := range turns {
				stored, err := c.putFile(ctx, t.FilePut, t.seen)
				done(t.i, stored, err)
			}
		})
	}
	for start := 0; start < n; start += lookAhead {
		some := make([]FilePut, min(lookAhead, n-start))
		keys := make([]string, len(some))
		for i := range some {
			some[i] = put(start + i)
			keys[i] = some[i].Key
		}
		looks, err := c.lookAt(ctx, bucket, keys)
		if err != nil { // so will the others
			for i := start; i < n; i++ {
				done(i, Stored{}, err)
			}
			break
		}
		for i, p := range some {
			p.Bucket = bucket
			turns <- turn{p, start + i, &looks[i]}
		}
	}
	close(turns)
	workers.Wait()
}

func (c *Client) putFile(ctx context.Context, p FilePut, seen *look) (stored Stored, err error) {
	if ctx.Err() != nil {
		return Stored{}, context.Cause(ctx)
	}
	file, err := OpenFile(p.Path)
	if err != nil {
		return Stored{}, err
	}
	defer func() {
		if closed := file.Close(); err == nil {
			err = closed
		}
	}()
	p.Content = file
	return c.putAfter(ctx, p.Put, seen)
}
