package httpapi

import (
	"strings"
	"sync"
)

// Request is one line of the request log. It has no query string and no
// header, so it holds no secret.
type Request struct {
	Method  string `json:"method"`
	Service string `json:"service"` // uc, up, rs, rsf, io, api or cdn; downloads are io
	Path    string `json:"path"`    // as sent, without the query
	Status  int    `json:"status"`  // 0: the connection was closed without an answer
}

// Log remembers the requests in the order in which they were answered. The
// zero Log is empty. Whoever has an answer finds its request in the log, as long
// as no 100 000 others came after it.
type Log struct {
	mu       sync.Mutex
	requests []Request
}

func (l *Log) add(r Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.requests) >= maxLog {
		l.requests = append(l.requests[:0], l.requests[maxLog/2:]...)
	}
	r.Path = strings.Clone(r.Path) // Otherwise the query string stays in memory with it.
	l.requests = append(l.requests, r)
}

// maxLog bounds the memory of a server that runs for long, to some 40 MB: beyond
// it the older half is forgotten.
const maxLog = 1 << 18

// All returns the requests so far.
func (l *Log) All() []Request {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]Request{}, l.requests...)
}

// Reset forgets them.
func (l *Log) Reset() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.requests = nil
}
