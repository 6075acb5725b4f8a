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
	resident *resident
	entries  *bbolt.Bucket
	extents  *bbolt.Bucket

	references   map[uint64]int64  // by how much the change alters the count of an extent
	contents     map[uint64][]byte // the bytes of new extents that have no file
	unreferenced []uint64          // extents with a file whose count has become 0
	written      bool
	err          error // how the change ended, for the committer
}

func (s *Store) newTx(tx *bbolt.Tx) *Tx {
	extents := tx.Bucket([]byte(extentsPart))
	extents.FillPercent = 0.9 // IDs ascend, so a page that is full stays as it is.
	return &Tx{resident: &s.resident, entries: tx.Bucket([]byte(entriesPart)), extents: extents}
}

// look is called with every look at the data file.
func (tx *Tx) look() { tx.resident.look(tx.entries.Tx()) }

// Entry is what a key names. It is valid as long as its Tx, until the next change.
type Entry struct {
	Meta []byte

	extents []byte
}

// Extent is a piece of content that never changes.
type Extent struct {
	ID   uint64
	Size int64 // bytes

	content []byte // of a draft that is small enough to be kept without a file; else nil
}

// Get returns the entry of a key, and whether there is one.
func (tx *Tx) Get(key string) (Entry, bool) {
	tx.look()
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
			tx.look()
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
		if extent.content != nil {
			if tx.contents == nil {
				tx.contents = map[uint64][]byte{}
			}
			tx.contents[extent.ID] = extent.content
		}
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

// count brings the records of the extents up to date, once for the whole change:
// what moves from one entry to another costs nothing.
func (tx *Tx) count() error {
	for id, by := range tx.references {
		if by == 0 {
			continue
		}
		record, known, err := tx.extent(id)
		if err != nil {
			return err
		}
		if !known {
			record.content = tx.contents[id]
		}
		record.count += by
		switch {
		case record.count < 0:
			return fmt.Errorf("extent %s has %d references", extentName(id), record.count)
		case record.count > 0:
			if err := tx.extents.Put(extentKey(id), joinExtent(record)); err != nil {
				return err
			}
			continue
		}
		if err := tx.extents.Delete(extentKey(id)); err != nil {
			return err
		}
		if record.content == nil {
			tx.unreferenced = append(tx.unreferenced, id)
		}
	}
	return nil
}

// extentRecord is what is kept of an extent beside its file, or in place of it.
type extentRecord struct {
	count   int64  // how many times entries refer to it
	content []byte // nil if it has a file; valid as long as the Tx, until the next change
}

// extent reads the record of an extent, and reports whether there is one.
func (tx *Tx) extent(id uint64) (extentRecord, bool, error) {
	tx.look()
	value := tx.extents.Get(extentKey(id))
	if value == nil {
		return extentRecord{}, false, nil
	}
	if len(value) < 9 {
		return extentRecord{}, false, fmt.Errorf("the record of extent %s is damaged", extentName(id))
	}
	record := extentRecord{count: int64(binary.BigEndian.Uint64(value[1:]))}
	if value[0] == inline {
		record.content = value[9:]
	}
	return record, true, nil
}

// The record of an extent is stored as one of these, the count in 8 bytes, and
// the content of an inline one.
const (
	inFile byte = 'f'
	inline byte = 'i'
)

func joinExtent(record extentRecord) []byte {
	value := make([]byte, 0, 9+len(record.content))
	if record.content == nil {
		value = append(value, inFile)
	} else {
		value = append(value, inline)
	}
	value = binary.BigEndian.AppendUint64(value, uint64(record.count))
	return append(value, record.content...)
}

func extentKey(id uint64) []byte { return binary.BigEndian.AppendUint64(nil, id) }

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
