package emulator

import (
	"fmt"
	"net"
	"strconv"
	"sync"

	"github.com/qiniu/terraform-provider-kodo/internal/emulator/engine"
)

// origins keeps a download listener for each bucket that somebody asked the
// address of. Its port is kept with the bucket, so that links outlive a
// restart.
type origins struct {
	main   int // the port of the API
	engine *engine.Engine
	serve  func(net.Listener)

	mu        sync.Mutex
	closed    bool
	listeners map[string]net.Listener // by bucket
	buckets   map[int]string          // by port
}

func newOrigins(main net.Addr, e *engine.Engine, serve func(net.Listener)) *origins {
	return &origins{
		main: portOf(main), engine: e, serve: serve,
		listeners: map[string]net.Listener{}, buckets: map[int]string{},
	}
}

func portOf(address net.Addr) int {
	if tcp, ok := address.(*net.TCPAddr); ok {
		return tcp.Port
	}
	return 0
}

// Address returns the host:port of the bucket's listener, which is opened if
// it is not yet: on the port that it had before, or on another if that is
// taken.
func (o *origins) Address(bucket engine.Bucket) (string, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	listener, ok := o.listeners[bucket.Name]
	if !ok {
		var err error
		if listener, err = o.open(bucket); err != nil {
			return "", err
		}
	}
	if port := portOf(listener.Addr()); port != bucket.Port {
		_, err := o.engine.UpdateBucket(bucket.Owner, bucket.Name, func(b *engine.Bucket) error {
			b.Port = port
			return nil
		})
		if err != nil {
			return "", err
		}
	}
	return listener.Addr().String(), nil
}

// open opens the listener of a bucket.
func (o *origins) open(bucket engine.Bucket) (net.Listener, error) {
	if o.closed {
		return nil, net.ErrClosed
	}
	listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(bucket.Port)))
	if err != nil && bucket.Port != 0 {
		listener, err = net.Listen("tcp", "127.0.0.1:0")
	}
	if err != nil {
		return nil, fmt.Errorf("open the download listener of the bucket %q: %w", bucket.Name, err)
	}
	o.listeners[bucket.Name], o.buckets[portOf(listener.Addr())] = listener, bucket.Name
	o.serve(listener)
	return listener, nil
}

// Bucket tells by whose listener a connection came in.
func (o *origins) Bucket(local net.Addr) (bucket string, origin bool) {
	port := portOf(local)
	if port == o.main {
		return "", false
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buckets[port], true
}

// Drop closes the listener of a bucket that is gone. Connections that are
// still open find no bucket.
func (o *origins) Drop(bucket string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	listener, ok := o.listeners[bucket]
	if !ok {
		return
	}
	delete(o.listeners, bucket)
	delete(o.buckets, portOf(listener.Addr()))
	listener.Close() //nolint:errcheck // It is of no use any more.
}

// Close keeps further listeners from being opened. Those that are open belong
// to the server by now, which closes them.
func (o *origins) Close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.closed = true
}
