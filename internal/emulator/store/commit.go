package store

import (
	"errors"
	"runtime"

	"go.etcd.io/bbolt"
)

// maxBatch bounds how many changes one commit carries.
const maxBatch = 512

// change is one Update on its way through the committer.
type change struct {
	do   func(*Tx) error
	dead []uint64   // extents that lost their last reference and no reader needs
	done chan error // receives once
}

// Update runs do in the next commit, together with the changes of others, and
// returns when the commit is done. Changes are run one after the other, each
// sees those before it. An error from do undoes what do did, and is returned.
//
// do may be run more than once (when another change of its commit fails halfway,
// all but that one are run again), always on a state without its own effects.
func (s *Store) Update(do func(*Tx) error) error {
	s.closing.RLock()
	defer s.closing.RUnlock()
	if s.closed {
		return ErrClosed
	}
	c := &change{do: do, done: make(chan error, 1)}
	s.changes <- c
	err := <-c.done
	for _, id := range c.dead {
		s.remove(s.path(id))
	}
	return err
}

// commitAll is the single committer: it commits whatever has arrived while the
// commit before was written. A lone change never waits for company, but it lets
// those pass who are about to run, since one of them may bring the next: a commit
// costs nearly as much for one change as for fifty.
//
// bbolt's own Batch is no match: it waits for a timer.
func (s *Store) commitAll() {
	defer close(s.committed)
	for first := range s.changes {
		runtime.Gosched()
		batch := []*change{first}
	drain:
		for len(batch) < maxBatch {
			select {
			case next, ok := <-s.changes:
				if !ok {
					break drain
				}
				batch = append(batch, next)
			default:
				break drain
			}
		}
		s.commit(batch)
	}
}

// commit runs a batch in one transaction. A change that fails after it has
// written something takes the transaction down with it; it is answered and the
// others begin anew.
func (s *Store) commit(batch []*change) {
	for len(batch) > 0 && s.broken == nil {
		txs, failed, err := s.attempt(batch)
		if failed < 0 {
			s.answer(batch, txs, err)
			return
		}
		batch[failed].done <- err
		batch = append(batch[:failed:failed], batch[failed+1:]...)
	}
	for _, c := range batch {
		c.done <- s.broken
	}
}

// errNothingWritten ends a transaction that would commit nothing.
var errNothingWritten = errors.New("nothing was written")

// attempt runs the batch in one transaction. failed is the index of a change that
// must be taken out because it failed halfway, or -1.
func (s *Store) attempt(batch []*change) (txs []*Tx, failed int, err error) {
	failed = -1
	var id int
	s.db.NoFreelistSync = s.tooManyFree()
	err = s.db.Update(func(btx *bbolt.Tx) error {
		id = btx.ID()
		written := false
		for i, c := range batch {
			tx := s.newTx(btx)
			txs = append(txs, tx)
			if tx.err = c.do(tx); tx.err == nil {
				tx.err = tx.count()
			}
			if tx.err != nil && tx.written {
				failed = i
				return tx.err
			}
			written = written || tx.written
		}
		if !written {
			return errNothingWritten
		}
		return nil
	})
	if failed >= 0 || err == nil {
		return txs, failed, err
	}
	if errors.Is(err, errNothingWritten) {
		return txs, -1, nil
	}
	// The commit itself failed: the disk is full, mostly, and nothing has
	// happened. But if its root was written and only the sync of it failed, the
	// change is visible and may or may not last: nothing can be said any more.
	if s.lastTx() >= id {
		s.broken = err
	}
	return txs, -1, err
}

// maxFreelist is up to how many free pages are listed in each commit, with 8 bytes
// for each. A folder without the list is opened only after a look at every page
// of the data file.
const maxFreelist = 1 << 16

func (s *Store) tooManyFree() bool {
	stats := s.db.Stats()
	return stats.FreePageN+stats.PendingPageN > maxFreelist
}

// lastTx returns the number of the last transaction that readers see.
func (s *Store) lastTx() int {
	tx, err := s.db.Begin(false)
	if err != nil {
		return -1
	}
	defer tx.Rollback() //nolint:errcheck // A read transaction has nothing to undo.
	return tx.ID()
}

// answer tells every change of an attempted commit how it ended. There are no
// txs if bbolt could not even begin.
func (s *Store) answer(batch []*change, txs []*Tx, err error) {
	for i, c := range batch {
		switch {
		case i < len(txs) && txs[i].err != nil:
			c.done <- txs[i].err
		case err != nil:
			c.done <- err
		default:
			c.dead = s.bury(txs[i].unreferenced)
			c.done <- nil
		}
	}
}
