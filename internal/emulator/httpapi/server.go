// Package httpapi is Kodo on the wire: it reads requests, asks packages auth
// and policy whether they may pass, has the engine do what they ask for, and
// writes the answers. There is one file for each of Kodo's host families (uc,
// rs, rsf, up, io, cdn), and all of them are served by one address.
//
// The package decides nothing about buckets and objects; those rules are the
// engine's. It must never know of the client under test.
package httpapi

import (
	"context"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/qiniu/terraform-provider-kodo/internal/emulator/auth"
	"github.com/qiniu/terraform-provider-kodo/internal/emulator/engine"
	"github.com/qiniu/terraform-provider-kodo/internal/emulator/outbound"
)

// Origins keeps the download listeners: every bucket has an address of its
// own, because clients name no bucket when they download.
type Origins interface {
	// Address returns the host:port of the bucket's listener, which is opened
	// if it is not yet.
	Address(bucket engine.Bucket) (string, error)
	// Bucket tells whose listener a connection came in by. origin is false for
	// the main address; bucket is empty when the listener's bucket is gone.
	Bucket(local net.Addr) (bucket string, origin bool)
	// Drop closes the bucket's listener, if it has one.
	Drop(bucket string)
}

// Config is what a Server needs. All of it must be set but Latency and Strict.
type Config struct {
	Engine   *engine.Engine
	Verifier *auth.Verifier // knows the accounts; an access key is its account's name
	Host     string         // host:port that discovery names for every service
	Origins  Origins
	Outbound *outbound.Client // sends what Kodo sends to others
	Idle     time.Duration    // a connection that moves no byte for so long is closed
	Latency  time.Duration    // added to every request
	Strict   bool             // accept management signatures only as documented
	Done     <-chan struct{}  // closed when the server stops: ends every wait
}

// Server answers for every host of Kodo.
type Server struct {
	Log    *Log
	Faults *Faults

	engine   *engine.Engine
	verifier *auth.Verifier
	config   Config
	routes   map[string]route
}

// New returns a Server.
func New(config Config) *Server {
	s := &Server{
		Log:      &Log{},
		Faults:   &Faults{},
		engine:   config.Engine,
		verifier: config.Verifier,
		config:   config,
	}
	if config.Strict {
		s.verifier = s.verifier.Strict()
	}
	s.routes = s.table()
	return s
}

// ServeHTTP finds the route of a request, by its host and then by its path.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := s.newCall(w, r)
	place, err := s.placeOf(r)
	switch {
	case err != nil:
		c.route = route{service: serviceIO, handle: func(*call) (any, error) { return nil, err }}
	case r.Method == http.MethodConnect:
		c.route = tunnelRoute()
	case place.foreign:
		c.route = foreignRoute(r.Host)
	case place.download:
		c.route = downloadRoute(place.bucket, place.domain)
	case strings.HasPrefix(c.path, adminPrefix):
		c.admin = true
		c.route = s.adminRoute(c)
	default:
		c.region = place.region
		c.route = s.lookup(c)
	}
	c.serve()
}

// wait sleeps for d, but no longer than until enough is closed, or until the client
// or the server gives up, which it reports as errHangUp.
func (s *Server) wait(ctx context.Context, d time.Duration, enough <-chan struct{}) error {
	if d <= 0 {
		return nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-enough:
		return nil
	case <-ctx.Done():
	case <-s.config.Done:
	}
	return errHangUp
}
