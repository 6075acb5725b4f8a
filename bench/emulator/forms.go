package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

const (
	workers      = 64
	formContent  = 8 << 10 // bytes
	formRequests = 100_000
	rounds       = 3 // of which the best counts, since others use the machine too
)

// forms uploads objects of 8 KiB, each with one form request, from 64
// connections. The floor is a server that reads the same requests with net/http,
// keeps nothing and answers alike.
func (b *bench) forms() (rows []row, err error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	floor, err := start("ready", "ready ", self, floorServer)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, floor.kill()) }()
	e, err := b.emulator()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, e.stop()) }()
	var next atomic.Int64
	var fastest, fastestFloor float64
	var note string
	for range rounds {
		rate, err := upload(floor.host, &next, formRequests)
		if err != nil {
			return nil, err
		}
		fastestFloor = max(fastestFloor, rate)
		serverCPU, ourCPU := e.cpu(), ownCPU()
		if rate, err = upload(e.host, &next, formRequests); err != nil {
			return nil, err
		}
		if rate > fastest {
			fastest = rate
			note = fmt.Sprintf("%d workers, without sync; CPU: emulator %.1f s, load generator %.1f s for %d",
				workers, (e.cpu() - serverCPU).Seconds(), (ownCPU() - ourCPU).Seconds(), formRequests)
		}
	}
	return []row{{
		"form uploads of 8 KiB", fmt.Sprintf("%.0f/s", fastest), fmt.Sprintf("%.0f/s", fastestFloor),
		fmt.Sprintf("%.2f", fastestFloor/fastest), note + "; floor: net/http reads and answers",
	}, memory("form uploads of 8 KiB", e)}, nil
}

// memory is the row of an emulator's peak of resident memory.
func memory(of string, e *process) row {
	const bound = 100 // MiB, what we allow
	peak := e.peak()
	return row{"resident memory: " + of, fmt.Sprintf("%d MiB", peak), fmt.Sprintf("%d MiB", bound),
		fmt.Sprintf("%.2f", float64(peak)/bound), "peak, mapped files included; not a floor but the bound"}
}

// upload sends forms under new keys and returns how many a second were answered.
func upload(host string, next *atomic.Int64, requests int64) (float64, error) {
	token := uploadToken()
	last := next.Load() + requests
	var all errgroup.Group
	began := time.Now()
	for range workers {
		all.Go(func() error {
			c, err := dial(host)
			if err != nil {
				return err
			}
			defer c.close()
			f := newForm(host, token)
			for {
				n := next.Add(1)
				if n > last {
					return nil
				}
				if _, err := c.send(f.numbered(n)); err != nil {
					return err
				}
			}
		})
	}
	err := all.Wait()
	rate := float64(requests) / time.Since(began).Seconds()
	next.Store(last)
	return rate, err
}

// form is a request that is built once and differs from one to the next only in
// the number that is its key and the beginning of its content.
type form struct {
	request      []byte
	key, content int // where the number stands
}

const number = "%016d"

func newForm(host, token string) *form {
	var body bytes.Buffer
	field := func(disposition string, value []byte) (at int) {
		fmt.Fprintf(&body, "--limit\r\nContent-Disposition: form-data; %s\r\n\r\n", disposition)
		at = body.Len()
		body.Write(value)
		body.WriteString("\r\n")
		return at
	}
	field(`name="token"`, []byte(token))
	key := field(`name="key"`, fmt.Appendf(nil, number, 0))
	content := field(`name="file"; filename="f"`, bytes.Repeat([]byte("8 bytes\n"), formContent/8))
	body.WriteString("--limit--\r\n")
	head := fmt.Appendf(nil, "POST / HTTP/1.1\r\nHost: %s\r\nContent-Type: multipart/form-data; boundary=limit\r\nContent-Length: %d\r\n\r\n", host, body.Len())
	return &form{append(head, body.Bytes()...), len(head) + key, len(head) + content}
}

func (f *form) numbered(n int64) []byte {
	text := fmt.Appendf(nil, number, n)
	copy(f.request[f.key:], text)
	copy(f.request[f.content:], text)
	return f.request
}

// floorServer is the argument that makes this program the floor of forms.
const floorServer = "floor-server"

func serveFloor(out io.Writer) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Fprintln(out, "ready", listener.Addr()) //nolint:errcheck // Who started it waits for the line.
	return http.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body) //nolint:errcheck // It is a load, not a service.
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, `{"hash":"FivMvS848VwT631aif2dhfWV4jvD","key":"0000000000000000"}`) //nolint:errcheck // See above.
	}))
}
