// Package store keeps entries and bytes on disk so that a crash loses nothing
// that was acknowledged and leaves nothing half-made.
//
// An entry is a key, some metadata, and a list of extents. Entries live in one
// bbolt file, ordered by key; an extent is an immutable file of bytes. The one
// idea is the order of things: an extent is written in full (and synced) before
// the commit that makes an entry refer to it, a change is answered after its
// commit, and files are unlinked only after the commit that dropped their last
// reference. So whatever the moment of a crash, entries refer only to whole
// files, and all that can be left over is files without a reference, which a
// sweep removes. Extents are counted: any number of entries may refer to one.
//
// Small extents have no file of their own: their bytes are part of the commit.
// To make a file costs more than all the rest of a small write (0.4 to 0.8 ms on
// a busy ext4, measured), and to sync it costs two more syncs.
//
// The package must never know what entries mean: buckets, objects and uploads
// are the engine's.
package store

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"go.etcd.io/bbolt"
	bbolterrors "go.etcd.io/bbolt/errors"
)

// Options says where and how to keep the data.
type Options struct {
	// Dir is the data folder. It is made if it does not exist.
	Dir string
	// Sync makes every change durable before it is answered. Without it nothing
	// is synced: what was answered survives a kill of the process, because the
	// operating system has it and bbolt writes its pages before the root that
	// refers to them; after a crash of the machine the folder may be unusable.
	Sync bool
	// Create makes the new file of an extent, which must not exist yet. nil means
	// the operating system's; tests give a disk that fills up.
	Create func(path string) (File, error)
}

// File is a file that is being written.
type File interface {
	io.WriteCloser
	Sync() error
}

// ErrClosed is returned by operations on a store that was closed.
var ErrClosed = errors.New("the data folder is closed")

// lockWait is how long Open waits for another process to release the folder: a
// process that was just killed may need a moment.
const lockWait = time.Second

// Store is an open data folder. It is safe for concurrent use.
type Store struct {
	dir      string
	sync     bool
	create   func(path string) (File, error)
	db       *bbolt.DB
	resident resident

	generation uint32        // this opening of the folder, see extentID
	extents    atomic.Uint32 // how many extents this generation has made
	folders    sync.Map      // paths of the folders that are known to exist

	changes   chan *change
	committed chan struct{} // closed when the committer has returned
	closing   sync.RWMutex  // held for reading by every Update until its files are unlinked
	closed    bool          // guarded by closing
	broken    error         // set by the committer when the data file's state is unknown

	mu   sync.Mutex      // guards the two maps, and the moment between finding an extent and pinning it
	pins map[uint64]int  // how many readers need an extent's file
	dead map[uint64]bool // extents without a reference whose files readers still need

	leftovers  atomic.Int64 // drafts that were neither finished nor discarded, and files that could not be removed
	stopSweep  context.CancelFunc
	swept      chan struct{} // closed when the sweep has ended
	sweepError error         // readable once swept is closed
}

// The three parts of the data file, and the keys of the third. Numbers are
// big-endian.
const (
	entriesPart = "entries" // key → what joinEntry makes
	extentsPart = "extents" // extentKey → what joinExtent makes
	statePart   = "state"

	formatKey     = "format"     // the format of this folder
	generationKey = "generation" // 4 bytes, one more at each opening
	cleanKey      = "clean"      // present after a Close that left no file to sweep
)

const format = "1"

// Open opens the folder and locks it against other processes. If the store was
// not closed the last time, files without a reference are removed in the
// background.
func Open(options Options) (*Store, error) {
	s := &Store{
		dir: options.Dir, sync: options.Sync, create: options.Create,
		changes: make(chan *change, maxBatch), committed: make(chan struct{}),
		pins: map[uint64]int{}, dead: map[uint64]bool{},
		swept: make(chan struct{}),
	}
	if s.create == nil {
		s.create = createFile
	}
	if err := os.MkdirAll(filepath.Join(s.dir, "extents"), 0o700); err != nil {
		return nil, fmt.Errorf("make the data folder: %w", err)
	}
	var err error
	s.db, err = bbolt.Open(filepath.Join(s.dir, "meta.db"), 0o600, &bbolt.Options{
		Timeout: lockWait, FreelistType: bbolt.FreelistMapType,
		NoSync: !s.sync, NoGrowSync: !s.sync,
	})
	if errors.Is(err, bbolterrors.ErrTimeout) {
		return nil, fmt.Errorf("the data folder %s is in use by another process", s.dir)
	}
	if err != nil {
		return nil, fmt.Errorf("open the data folder %s: %w", s.dir, err)
	}
	clean, err := s.begin()
	if err == nil && s.sync {
		err = errors.Join(syncFolder(filepath.Join(s.dir, "extents")), syncFolder(s.dir))
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open the data folder %s: %w", s.dir, err), s.db.Close())
	}
	s.resident.gauge = openGauge()
	go s.commitAll()
	sweeping, stop := context.WithCancel(context.Background())
	s.stopSweep = stop
	if clean {
		close(s.swept)
	} else {
		go s.sweep(sweeping)
	}
	return s, nil
}

// begin counts the opening, takes back the mark of a clean Close and reports
// whether there was one (or a new folder).
func (s *Store) begin() (clean bool, err error) {
	err = s.db.Update(func(tx *bbolt.Tx) error {
		state := tx.Bucket([]byte(statePart))
		if clean = state == nil; clean {
			for _, name := range []string{entriesPart, extentsPart, statePart} {
				if _, err := tx.CreateBucket([]byte(name)); err != nil {
					return err
				}
			}
			state = tx.Bucket([]byte(statePart))
			if err := state.Put([]byte(formatKey), []byte(format)); err != nil {
				return err
			}
		}
		if have := string(state.Get([]byte(formatKey))); have != format {
			return fmt.Errorf("its format is %q, this program writes %q", have, format)
		}
		clean = clean || state.Get([]byte(cleanKey)) != nil
		if err := state.Delete([]byte(cleanKey)); err != nil {
			return err
		}
		if last := state.Get([]byte(generationKey)); last != nil {
			s.generation = binary.BigEndian.Uint32(last)
		}
		s.generation++
		return state.Put([]byte(generationKey), binary.BigEndian.AppendUint32(nil, s.generation))
	})
	return clean, err
}

// Close waits for the changes under way, ends a sweep and releases the folder.
// Readers that are still open may fail from then on.
func (s *Store) Close() error {
	s.closing.Lock()
	if s.closed {
		s.closing.Unlock()
		return ErrClosed
	}
	s.closed = true
	s.closing.Unlock()
	close(s.changes)
	<-s.committed
	s.stopSweep()
	<-s.swept
	err := errors.Join(s.finish(), s.db.Close())
	s.resident.gauge.close()
	return err
}

// finish marks a clean close, and makes the data file quick to open.
func (s *Store) finish() error {
	if s.broken != nil {
		return s.broken
	}
	s.mu.Lock()
	clean := s.sweepError == nil && s.leftovers.Load() == 0 && len(s.dead) == 0
	s.mu.Unlock()
	s.db.NoFreelistSync = false
	return s.db.Update(func(tx *bbolt.Tx) error {
		if !clean {
			return nil
		}
		return tx.Bucket([]byte(statePart)).Put([]byte(cleanKey), []byte{1})
	})
}

// View runs look on one consistent state. While it runs, pages that changes have
// freed cannot be used again: it must not wait for anything.
func (s *Store) View(look func(*Tx) error) error {
	err := s.db.View(func(tx *bbolt.Tx) error { return look(s.newTx(tx)) })
	if errors.Is(err, bbolterrors.ErrDatabaseNotOpen) {
		return ErrClosed
	}
	return err
}
