package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"strings"

	"go.etcd.io/bbolt"
)

// Tx is one consistent state of the entries: in View to look at, in Update to
// change. It must not be used after the function that it was given to, nor by
// another goroutine.
type Tx struct {
	entries *bbolt.Bucket
	extents *bbolt.Bucket

	references   map[uint64]int64 // by how much the change alters the count of an extent
	unreferenced []uint64         // extents whose count has become 0
	written      bool
	err          error // how the change ended, for the committer
}

func newTx(tx *bbolt.Tx) *Tx {
	return &Tx{entries: tx.Bucket(entriesBucket), extents: tx.Bucket(extentsBucket)}
}

// Entry is what a key names. It is valid as long as its Tx, until the next change.
type Entry struct {
	Meta []byte

	extents []byte
}

// Extent is a piece of content: a file that never changes.
type Extent struct {
	ID   uint64
	Size int64 // bytes
}

// Get returns the entry of a key, and whether there is one.
func (tx *Tx) Get(key string) (Entry, bool) {
	value := tx.entries.Get([]byte(key))
	if value == nil {
		return Entry{}, false
	}
	return splitEntry(value), true
}

// Scan goes through the entries whose keys begin with prefix and are not less
// than from, in the byte order of the keys. It takes no time to get to the first.
// Entries must not be changed until it has ended.
func (tx *Tx) Scan(prefix, from string) iter.Seq2[string, Entry] {
	return func(yield func(string, Entry) bool) {
		cursor := tx.entries.Cursor()
		for k, v := cursor.Seek([]byte(max(prefix, from))); k != nil; k, v = cursor.Next() {
			key := string(k)
			if !strings.HasPrefix(key, prefix) || !yield(key, splitEntry(v)) {
				return
			}
		}
	}
}

// Put makes or replaces the entry of a key, which must not be empty. The extents
// belong to finished drafts that were not discarded, or to other entries.
func (tx *Tx) Put(key string, meta []byte, extents []Extent) error {
	tx.written = true
	if err := tx.release(key); err != nil {
		return err
	}
	for _, extent := range extents {
		tx.refer(extent.ID, +1)
	}
	return tx.entries.Put([]byte(key), joinEntry(meta, extents))
}

// Delete removes the entry of a key, if there is one.
func (tx *Tx) Delete(key string) error {
	tx.written = true
	if err := tx.release(key); err != nil {
		return err
	}
	return tx.entries.Delete([]byte(key))
}

// release takes back the references of the entry that a key has by now.
func (tx *Tx) release(key string) error {
	entry, ok := tx.Get(key)
	if !ok {
		return nil
	}
	extents, err := entry.Extents()
	if err != nil {
		return fmt.Errorf("entry %q: %w", key, err)
	}
	for _, extent := range extents {
		tx.refer(extent.ID, -1)
	}
	return nil
}

func (tx *Tx) refer(id uint64, by int64) {
	if tx.references == nil {
		tx.references = map[uint64]int64{}
	}
	tx.references[id] += by
}

// count brings the counts of the extents up to date, once for the whole change:
// what moves from one entry to another costs nothing.
func (tx *Tx) count() error {
	for id, by := range tx.references {
		if by == 0 {
			continue
		}
		key := binary.BigEndian.AppendUint64(nil, id)
		var count int64
		if have := tx.extents.Get(key); have != nil {
			count = int64(binary.BigEndian.Uint64(have))
		}
		count += by
		switch {
		case count < 0:
			return fmt.Errorf("extent %s has %d references", extentName(id), count)
		case count > 0:
			if err := tx.extents.Put(key, binary.BigEndian.AppendUint64(nil, uint64(count))); err != nil {
				return err
			}
		default:
			if err := tx.extents.Delete(key); err != nil {
				return err
			}
			tx.unreferenced = append(tx.unreferenced, id)
		}
	}
	return nil
}

// referenced reports whether an entry refers to the extent.
func (tx *Tx) referenced(id uint64) bool {
	return tx.extents.Get(binary.BigEndian.AppendUint64(nil, id)) != nil
}

// An entry is stored as the length of the metadata (a uvarint), the metadata, and
// for each extent the difference of its ID to the one before (a varint) and its
// size (a uvarint): metadata is read without decoding 10 000 extents, and those
// take some 6 bytes each.

func joinEntry(meta []byte, extents []Extent) []byte {
	value := make([]byte, 0, len(meta)+binary.MaxVarintLen32+len(extents)*2*binary.MaxVarintLen64)
	value = binary.AppendUvarint(value, uint64(len(meta)))
	value = append(value, meta...)
	var previous uint64
	for _, extent := range extents {
		value = binary.AppendVarint(value, int64(extent.ID-previous))
		value = binary.AppendUvarint(value, uint64(extent.Size))
		previous = extent.ID
	}
	return value
}

// splitEntry takes a value apart. A damaged one has no metadata, which nobody can
// decode, and extents that Extents refuses.
func splitEntry(value []byte) Entry {
	length, n := binary.Uvarint(value)
	if n <= 0 || length > uint64(len(value)-n) {
		return Entry{extents: []byte{0xff}}
	}
	end := n + int(length)
	return Entry{Meta: value[n:end:end], extents: value[end:]}
}

var errDamaged = errors.New("the list of extents is damaged")

// Extents returns the extents of the entry in the order of the content.
func (e Entry) Extents() ([]Extent, error) {
	var extents []Extent
	var previous uint64
	for rest := e.extents; len(rest) > 0; {
		difference, n := binary.Varint(rest)
		if n <= 0 {
			return nil, errDamaged
		}
		size, m := binary.Uvarint(rest[n:])
		if m <= 0 || int64(size) < 0 {
			return nil, errDamaged
		}
		previous += uint64(difference)
		extents = append(extents, Extent{ID: previous, Size: int64(size)})
		rest = rest[n+m:]
	}
	return extents, nil
}
