// Package engine holds the rules of Kodo: what each operation on buckets,
// objects and multipart uploads does, and with which code and text it is
// refused. Callers translate its values to and from the wire.
//
// The package must never know of HTTP, of signatures or of upload policies: it
// is told which account asks (owner) and what was decided, such as "insert
// only".
//
// Every rule that depends on what is stored runs inside the store's single
// committer, by way of Engine.update, so two requests can never both pass a
// check that only one of them may pass. Such a function may run more than once
// before it counts: it changes nothing but the transaction and the results that
// it overwrites each time.
//
// Where Kodo's behaviour surprises, or nobody could confirm it, a comment cites
// the row of facts.md that says from where it is known: "fact:<id>".
package engine

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/qiniu/terraform-provider-kodo/internal/emulator/store"
)

// Options says where the data lives and how the engine tells the time.
type Options struct {
	// Dir is the data folder. It is made if it does not exist.
	Dir string
	// Sync makes every answer wait until its change is on the disk. Without it
	// changes survive a kill of the process but not a crash of the machine.
	Sync bool
	// BucketLimit is how many buckets an account may have; 0 means no limit.
	BucketLimit int
	// Now is the wall clock, time.Now when nil.
	Now func() time.Time
	// OnEvent is told each event that a rule of a bucket asks for, after its change
	// is done, if it is set. The operation waits for it, and it is called from many
	// goroutines.
	OnEvent func(Event)
	// Domains are the hosts that a bucket of this name is bound to when it is
	// created, by bucket.
	Domains map[string][]string
	// CDN is how the CDN behaves at first.
	CDN CDN
}

// Engine is one Kodo: all accounts, all regions. It is safe for concurrent use.
type Engine struct {
	store       *store.Store
	bucketLimit int
	wall        func() time.Time
	onEvent     func(Event)
	domains     map[string][]string
	cdn         cdnControl
	advancing   sync.Mutex   // held by Advance
	ahead       atomic.Int64 // nanoseconds by which the engine's clock is ahead of the wall clock
	buffers     sync.Pool    // *[]byte, used by NewBlob

	rulesRun     atomic.Int64   // the day of Beijing on which the rules of every bucket were run last
	settling     sync.WaitGroup // keepSettling
	stopSettling context.CancelFunc
}

// Open opens the data folder and locks it against other processes until Close.
func Open(options Options) (*Engine, error) {
	return open(options, store.Options{Dir: options.Dir, Sync: options.Sync})
}

func open(options Options, storeOptions store.Options) (*Engine, error) {
	s, err := store.Open(storeOptions)
	if err != nil {
		return nil, err
	}
	e := &Engine{store: s, bucketLimit: options.BucketLimit, wall: options.Now, onEvent: options.OnEvent, domains: options.Domains}
	if e.wall == nil {
		e.wall = time.Now
	}
	if err := e.SetCDN(options.CDN); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	e.buffers.New = func() any {
		buffer := make([]byte, bufferSize)
		return &buffer
	}
	err = e.update(func(tx *store.Tx) error {
		ahead, err := number(tx, aheadKey)
		if err != nil {
			return err
		}
		e.ahead.Store(ahead)
		return nil
	})
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	ctx, stop := context.WithCancel(context.Background())
	e.stopSettling = stop
	e.settling.Go(func() { e.keepSettling(ctx) })
	return e, nil
}

// keepSettling has the store follow the wall clock, until ctx ends.
func (e *Engine) keepSettling(ctx context.Context) {
	every := time.NewTicker(time.Minute)
	defer every.Stop()
	for {
		// What fails now, such as on a full disk, is due again in a minute.
		e.settle(ctx) //nolint:errcheck // See above.
		select {
		case <-every.C:
		case <-ctx.Done():
			return
		}
	}
}

// Close waits for the changes under way, refuses later ones and releases the
// data folder.
func (e *Engine) Close() error {
	e.stopSettling()
	e.settling.Wait()
	return e.store.Close()
}

// AwaitSweep returns when the files that a crash left behind are gone. The
// engine serves requests before that.
func (e *Engine) AwaitSweep(ctx context.Context) error { return e.store.AwaitSweep(ctx) }

// Error is Kodo's refusal. Every error of this package is one, except the errors
// of Open, Close and AwaitSweep and those that come out of the caller's own
// functions and readers.
type Error struct {
	Code      int    // Kodo's code, which is also the HTTP status: 612, 614, 631, …
	Message   string // Kodo's text, the "error" of the answer
	ErrorCode string // Kodo's newer name of the error, the "error_code" of the answer; mostly empty

	cause error
}

func (e *Error) Error() string { return fmt.Sprintf("%d %s", e.Code, e.Message) }

// Unwrap returns what made the data folder fail, for code 599.
func (e *Error) Unwrap() error { return e.cause }

func errorf(code int, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// internal returns err as Kodo reports a failure of its own, 599. Errors that
// are refusals already stay what they are.
func internal(err error) error {
	var refusal *Error
	if err == nil || errors.As(err, &refusal) {
		return err
	}
	return &Error{Code: 599, Message: "internal error: " + err.Error(), cause: err}
}

// update runs change in the next commit and returns when that is on the disk
// (or, without Sync, in the operating system's care). An error from change
// undoes what it did.
func (e *Engine) update(change func(tx *store.Tx) error) error {
	return internal(e.store.Update(change))
}

// view runs look on one consistent state. It must not wait for anything: an open
// view keeps old pages of the data file from being used again.
func (e *Engine) view(look func(tx *store.Tx) error) error {
	return internal(e.store.View(look))
}

// Now returns the time by the engine's clock, which put times, expiry and
// bucket creation go by. Signatures and deadlines of tokens do not.
func (e *Engine) Now() time.Time {
	return e.wall().Add(time.Duration(e.ahead.Load()))
}

// Advance moves the engine's clock ahead, lasting over restarts, and carries out
// what falls due: objects are deleted and change their storage classes, uploads
// that nobody completed expire.
func (e *Engine) Advance(d time.Duration) error {
	if d < 0 {
		return errorf(400, "the clock only moves forward")
	}
	e.advancing.Lock()
	defer e.advancing.Unlock()
	if latest := time.Unix(0, math.MaxInt64); d > latest.Sub(e.Now()) {
		return errorf(400, "the clock ends in %d", latest.Year()) // So do put times.
	}
	ahead := e.ahead.Load() + int64(d)
	err := e.update(func(tx *store.Tx) error {
		return tx.Put(aheadKey, binary.BigEndian.AppendUint64(nil, uint64(ahead)), nil)
	})
	if err != nil {
		return err
	}
	e.ahead.Store(ahead)
	return e.settle(context.Background())
}

// tick returns the next put time: now in units of 100 ns, or one more than the
// last one if the clock has not moved on. So put times increase strictly over
// all buckets, also across restarts and when the wall clock is set back, and a
// client may take equal put times for the same write.
func (e *Engine) tick(tx *store.Tx) (int64, error) {
	last, err := number(tx, lastPutKey)
	if err != nil {
		return 0, err
	}
	next := max(e.Now().UnixNano()/100, last+1)
	return next, tx.Put(lastPutKey, binary.BigEndian.AppendUint64(nil, uint64(next)), nil)
}

// The store is one ordered space of keys, divided by the first letter:
//
//	b<bucket>            a Bucket
//	c…                   the clock's two numbers
//	d<host>              the name of the bucket that the domain is bound to
//	f<id>                a Task
//	g<owner>             what an account has had done by the CDN in a day
//	h<id>                a CDNTask; ids ascend with time
//	k<context>           a block of an older resumable upload; contexts ascend with
//	                     time, so the oldest is first
//	m<domain> NUL <key>  an Object as the CDN has kept it, with its own share of the extents
//	n<moment><id>        the id of a CDNTask that ends then; moment is nanoseconds in 8 bytes, big-endian
//	o<bucket> NUL <key>  an Object; its bytes are the entry's extents
//	p<id><number>        a Part of the upload; number is 2 bytes, big-endian
//	q<bucket>            the quota of a bucket that has one, and what it holds
//	t<moment><bucket> NUL <key>
//	                     nothing: the object may be due then; moment is unix
//	                     seconds in 8 bytes, big-endian
//	u<id>                an upload; ids ascend with time, so the oldest is first
//
// Bucket names hold no NUL, so the objects of a bucket are neighbours in the
// byte order of their keys, and the empty object key is a key like others.
const (
	aheadKey   = "cahead"
	lastPutKey = "cput"
)

func bucketKey(name string) string        { return "b" + name }
func domainKey(host string) string        { return "d" + host }
func quotaKey(bucket string) string       { return "q" + bucket }
func objectKey(bucket, key string) string { return objectsOf(bucket) + key }
func objectsOf(bucket string) string      { return "o" + bucket + "\x00" }
func uploadKey(id string) string          { return "u" + id }
func blockKey(context string) string      { return "k" + context }
func taskKey(id string) string            { return "f" + id }
func partsOf(id string) string            { return "p" + id }
func partKey(id string, number int) string {
	return string(binary.BigEndian.AppendUint16([]byte(partsOf(id)), uint16(number)))
}

// partNumber returns the number in a partKey.
func partNumber(key string) int {
	return int(binary.BigEndian.Uint16([]byte(key[len(key)-2:])))
}

// number reads one of the clock's numbers, 0 if it was never written.
func number(tx *store.Tx, key string) (int64, error) {
	entry, ok := tx.Get(key)
	if !ok {
		return 0, nil
	}
	if len(entry.Meta) != 8 {
		return 0, fmt.Errorf("the entry %q is damaged", key)
	}
	return int64(binary.BigEndian.Uint64(entry.Meta)), nil
}

// read decodes the record of a key into record, and reports whether there is one.
func read(tx *store.Tx, key string, record any) (store.Entry, bool, error) {
	entry, ok := tx.Get(key)
	if !ok {
		return store.Entry{}, false, nil
	}
	if err := json.Unmarshal(entry.Meta, record); err != nil {
		return store.Entry{}, false, fmt.Errorf("decode the entry %q: %w", key, err)
	}
	return entry, true, nil
}

// write stores the record of a key with the extents that it refers to from now on.
func write(tx *store.Tx, key string, record any, extents []store.Extent) error {
	meta, err := json.Marshal(record)
	if err != nil {
		return err
	}
	return tx.Put(key, meta, extents)
}
