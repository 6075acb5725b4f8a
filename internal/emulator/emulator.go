// Package emulator is a local Kodo: object storage that the official clients
// use unmodified, on loopback addresses and in one data folder.
//
// It joins the rules (engine), who may do what (auth, policy) and the wire
// (httpapi) to a running server. It must never use the client of this project,
// which it is there to judge.
package emulator

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/qiniu/terraform-provider-kodo/internal/emulator/auth"
	"github.com/qiniu/terraform-provider-kodo/internal/emulator/engine"
	"github.com/qiniu/terraform-provider-kodo/internal/emulator/httpapi"
	"github.com/qiniu/terraform-provider-kodo/internal/emulator/notify"
	"github.com/qiniu/terraform-provider-kodo/internal/emulator/outbound"
)

// Account is a pair of keys. Each account owns its own buckets; the access key
// is also the account's name as an owner in the engine.
type Account struct{ AccessKey, SecretKey string }

// DefaultAccount is the account of an emulator that is given none.
func DefaultAccount() Account {
	return Account{AccessKey: "kodo-emulator-access-key", SecretKey: "kodo-emulator-secret-key"}
}

// BucketSpec is a bucket that exists from the beginning.
type BucketSpec struct {
	Name   string
	Region string // z0 when empty
	Public bool
}

// DomainSpec binds a host, which may have a port, to a bucket; to one that does not
// exist yet, when it is created.
type DomainSpec struct{ Bucket, Host string }

// Options describes an Emulator. The zero Options is a good one for tests.
type Options struct {
	Listen   string        // host:port, "127.0.0.1:0" when empty
	Data     string        // the data folder; when empty, a temporary one that Close removes
	Sync     bool          // answer only when changes are on the disk
	Accounts []Account     // DefaultAccount when empty
	Buckets  []BucketSpec  // of the first account
	Domains  []DomainSpec  // of buckets of the first account
	CDN      CDN           // in front of the domains
	Latency  time.Duration // added to every request
	Strict   bool          // accept signatures only as documented, and none of the official clients' habits

	// AllowRemote lets callbacks, notifications and fetches go to other machines
	// than this one.
	AllowRemote bool
}

// The types of the request log and of faults.
type (
	// Request is one line of the request log.
	Request = httpapi.Request
	// Fault makes requests fail.
	Fault = httpapi.Fault
	// Match selects the requests of a Fault.
	Match = httpapi.Match
	// Delay is how long a Fault waits.
	Delay = httpapi.Delay
	// FaultState is a Fault and what it has done.
	FaultState = httpapi.FaultState
	// CDN is how the CDN behaves.
	CDN = engine.CDN
	// CDNLog is a file of the CDN's log.
	CDNLog = engine.CDNLog
)

const (
	// idle is how long a connection may move no byte.
	idle = time.Minute
	// grace is how long Close lets requests finish.
	grace = 2 * time.Second
)

// Emulator is a running server.
type Emulator struct {
	engine   *engine.Engine
	api      *httpapi.Server
	server   *http.Server
	origins  *origins
	outbound *outbound.Client
	notifier *notify.Notifier
	address  string
	accounts []Account
	dir      string        // the data folder
	remove   bool          // whether Close removes it
	done     chan struct{} // closed by Close
	serving  sync.WaitGroup
	close    func() error // Close, once

	requests sync.RWMutex // held for reading by every request
	ended    bool         // guarded by requests: whatever comes now comes too late
}

// New starts an emulator. It listens when New returns.
func New(options Options) (*Emulator, error) {
	if options.Listen == "" {
		options.Listen = "127.0.0.1:0"
	}
	if len(options.Accounts) == 0 {
		options.Accounts = []Account{DefaultAccount()}
	}
	e := &Emulator{accounts: options.Accounts, done: make(chan struct{})}
	e.close = sync.OnceValue(e.shutDown)
	secrets, err := secretsOf(options.Accounts)
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", options.Listen)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", options.Listen, err)
	}
	e.address = reachable(listener.Addr())
	verifier := auth.NewVerifier(func(accessKey string) (string, bool) { s, ok := secrets[accessKey]; return s, ok }, time.Now)
	e.outbound = outbound.New(outbound.Config{Verifier: verifier, AllowRemote: options.AllowRemote})
	e.notifier = notify.New(e.outbound)
	if err := e.open(options); err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	e.origins = newOrigins(listener.Addr(), e.engine, e.serve)
	e.api = httpapi.New(httpapi.Config{
		Engine: e.engine, Verifier: verifier, Host: e.address, Origins: e.origins, Outbound: e.outbound,
		Idle: idle, Latency: options.Latency, Strict: options.Strict, Done: e.done,
	})
	e.server = &http.Server{
		Handler: http.HandlerFunc(e.handle), ReadHeaderTimeout: idle, IdleTimeout: 2 * idle, DisableGeneralOptionsHandler: true,
	}
	if err := e.prepare(options); err != nil {
		return nil, errors.Join(err, listener.Close(), e.Close())
	}
	e.serve(listener)
	return e, nil
}

// reachable returns the host:port by which a listener is reached from this
// machine, also where it listens on every address.
func reachable(address net.Addr) string {
	tcp, ok := address.(*net.TCPAddr)
	if !ok || !tcp.IP.IsUnspecified() {
		return address.String()
	}
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(tcp.Port))
}

func secretsOf(accounts []Account) (map[string]string, error) {
	secrets := map[string]string{}
	for _, account := range accounts {
		if account.AccessKey == "" || account.SecretKey == "" || strings.Contains(account.AccessKey, ":") {
			return nil, fmt.Errorf("access key %q: both keys must be set, and the access key must not contain a colon", account.AccessKey)
		}
		if _, ok := secrets[account.AccessKey]; ok {
			return nil, fmt.Errorf("access key %q is given twice", account.AccessKey)
		}
		secrets[account.AccessKey] = account.SecretKey
	}
	return secrets, nil
}

// open opens the data folder, or makes a temporary one.
func (e *Emulator) open(options Options) error {
	e.dir = options.Data
	if e.dir == "" {
		temporary, err := os.MkdirTemp("", "kodo-emulator-")
		if err != nil {
			return err
		}
		e.dir, e.remove = temporary, true
	}
	domains := map[string][]string{}
	for _, spec := range options.Domains {
		domains[spec.Bucket] = append(domains[spec.Bucket], spec.Host)
	}
	opened, err := engine.Open(engine.Options{Dir: e.dir, Sync: options.Sync, OnEvent: e.notifier.Tell, Domains: domains, CDN: options.CDN})
	if err != nil {
		return errors.Join(fmt.Errorf("open the data folder %s: %w", e.dir, err), e.removeDir())
	}
	e.engine = opened
	return nil
}

// removeDir removes the data folder if it is a temporary one.
func (e *Emulator) removeDir() error {
	if !e.remove {
		return nil
	}
	return os.RemoveAll(e.dir)
}

// prepare makes the buckets and domains that are asked for, where they do not
// exist yet, and opens the download listeners that were there before.
func (e *Emulator) prepare(options Options) error {
	owner := e.accounts[0].AccessKey
	for _, spec := range options.Buckets {
		_, err := e.engine.Bucket(owner, spec.Name)
		if err == nil {
			continue // Kept in the data folder, with the settings that it has now.
		}
		if _, err := e.engine.CreateBucket(owner, spec.Name, spec.Region, !spec.Public); err != nil {
			return fmt.Errorf("create the bucket %q: %w", spec.Name, err)
		}
	}
	for _, spec := range options.Domains {
		err := e.engine.BindDomain(owner, spec.Bucket, spec.Host)
		if isNoBucket(err) && engine.CanBind(spec.Bucket, spec.Host) {
			continue // It gets its domains when it is created.
		}
		if err != nil {
			return fmt.Errorf("bind %s to the bucket %q: %w", spec.Host, spec.Bucket, err)
		}
	}
	for _, account := range e.accounts {
		buckets, err := e.engine.Buckets(account.AccessKey)
		if err != nil {
			return err
		}
		for _, bucket := range buckets {
			if bucket.Port == 0 {
				continue
			}
			if _, err := e.origins.Address(bucket); err != nil {
				return err
			}
		}
	}
	return nil
}

func isNoBucket(err error) bool {
	var refused *engine.Error
	return errors.As(err, &refused) && refused.Code == 631
}

// serve answers what comes in by a listener until it is closed.
func (e *Emulator) serve(listener net.Listener) {
	e.serving.Go(func() {
		// It returns when the listener is closed, which is how it should end.
		e.server.Serve(listener) //nolint:errcheck // See above.
	})
}

// handle answers a request, which Close waits for.
func (e *Emulator) handle(w http.ResponseWriter, r *http.Request) {
	e.requests.RLock()
	defer e.requests.RUnlock()
	if e.ended {
		panic(http.ErrAbortHandler) // Its connection is closed already.
	}
	e.api.ServeHTTP(w, r)
}

// Endpoint returns the base URL of every service, such as
// "http://127.0.0.1:9797".
func (e *Emulator) Endpoint() string { return "http://" + e.address }

// Account returns the first account, the one that owns Options.Buckets.
func (e *Emulator) Account() Account { return e.accounts[0] }

// Engine returns what the server knows, to be looked at and changed directly.
func (e *Emulator) Engine() *engine.Engine { return e.engine }

// Dir returns the data folder.
func (e *Emulator) Dir() string { return e.dir }

// Requests returns the request log. A request is in it as soon as its client
// has the answer, and stays there until 100 000 others, or 16 MiB of them, have come. Requests to
// /_emulator/ are not recorded.
func (e *Emulator) Requests() []Request { return e.api.Log.All() }

// ResetRequests empties the request log.
func (e *Emulator) ResetRequests() { e.api.Log.Reset() }

// Fail adds a fault.
func (e *Emulator) Fail(fault Fault) (id string, err error) { return e.api.Faults.Add(fault) }

// Faults returns the faults and what they have done.
func (e *Emulator) Faults() []FaultState { return e.api.Faults.List() }

// RemoveFault removes a fault, and reports whether there was one.
func (e *Emulator) RemoveFault(id string) bool { return e.api.Faults.Remove(id) }

// ClearFaults removes all faults.
func (e *Emulator) ClearFaults() { e.api.Faults.Clear() }

// DownloadHost returns the host:port by which the objects of a bucket of any
// account are downloaded.
func (e *Emulator) DownloadHost(bucket string) (string, error) {
	found, err := e.engine.AnyBucket(bucket)
	if err != nil {
		return "", err
	}
	return e.origins.Address(found)
}

// Close stops the server: it lets requests finish for a moment, then closes
// every connection, the data folder, and removes it if it was temporary.
// Closing again changes nothing.
func (e *Emulator) Close() error { return e.close() }

func (e *Emulator) shutDown() error {
	close(e.done)
	e.outbound.Close()
	e.origins.Close()
	ctx, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	err := e.server.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		err = e.server.Close()
	}
	e.serving.Wait()
	// http.Server.Close closes connections, but does not wait for those who read
	// from them.
	e.requests.Lock()
	e.ended = true
	e.requests.Unlock()
	err = errors.Join(err, e.engine.Close())
	e.notifier.Close() // There are no events any more.
	return errors.Join(err, e.removeDir())
}
