package httpapi

import (
	"bytes"
	"fmt"
	"strconv"
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
// as neither 100 000 others nor 16 MiB of them came after it.
//
// It keeps them as text, a line for each: a server that runs for long has them
// in memory all the time, and text needs little of it and no look of the garbage
// collector.
type Log struct {
	mu          sync.Mutex
	pages       []logPage // the oldest first
	lines, size int       // of all pages
}

// logPage is text that is forgotten as a whole.
type logPage struct {
	text  []byte
	lines int
}

const (
	logPageSize = 64 << 10 // bytes at which a page is full
	maxLogLines = 100_000
	maxLogSize  = 16 << 20 // bytes
)

func (l *Log) add(r Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if n := len(l.pages); n == 0 || len(l.pages[n-1].text) >= logPageSize {
		l.forget()
		l.pages = append(l.pages, logPage{text: make([]byte, 0, logPageSize)})
	}
	page := &l.pages[len(l.pages)-1]
	before := len(page.text)
	page.text = r.appendTo(page.text)
	page.lines++
	l.lines, l.size = l.lines+1, l.size+len(page.text)-before
}

// forget drops the oldest pages that nobody was promised.
func (l *Log) forget() {
	for len(l.pages) > 0 {
		oldest := l.pages[0]
		if l.lines-oldest.lines < maxLogLines && l.size-len(oldest.text) < maxLogSize {
			return
		}
		l.lines, l.size = l.lines-oldest.lines, l.size-len(oldest.text)
		l.pages[0] = logPage{}
		l.pages = l.pages[1:]
	}
}

// appendTo writes a request as it stands in the log. A space can only be in the
// path, the last of the four, and a line break nowhere: net/http refuses it.
func (r Request) appendTo(text []byte) []byte {
	return fmt.Appendf(text, "%s %s %d %s\n", r.Method, r.Service, r.Status, r.Path)
}

// All returns the requests so far.
func (l *Log) All() []Request {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := make([]Request, 0, l.lines)
	for _, page := range l.pages {
		for line := range bytes.Lines(page.text) {
			fields := strings.SplitN(strings.TrimSuffix(string(line), "\n"), " ", 4)
			status, err := strconv.Atoi(fields[2])
			if err != nil {
				panic(err) // It was written above.
			}
			all = append(all, Request{Method: fields[0], Service: fields[1], Status: status, Path: fields[3]})
		}
	}
	return all
}

// Reset forgets them.
func (l *Log) Reset() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.pages, l.lines, l.size = nil, 0, 0
}
