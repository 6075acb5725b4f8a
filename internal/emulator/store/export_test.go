package store

import (
	"encoding/binary"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Check compares the references that entries have with the counts that are kept,
// and both with the files in the folder. Nothing may be changing meanwhile.
func (s *Store) Check() error {
	wanted, sizes := map[uint64]int64{}, map[uint64]int64{}
	counted := map[uint64]int64{}
	inline := 0
	err := s.View(func(tx *Tx) error {
		for key, entry := range tx.Scan("", "") {
			extents, err := entry.Extents()
			if err != nil {
				return fmt.Errorf("entry %q: %w", key, err)
			}
			for _, extent := range extents {
				wanted[extent.ID]++
				sizes[extent.ID] = extent.Size
			}
		}
		return tx.extents.ForEach(func(k, _ []byte) error {
			id := binary.BigEndian.Uint64(k)
			record, _, err := tx.extent(id)
			counted[id] = record.count
			if record.content != nil {
				inline++
				if int64(len(record.content)) != sizes[id] {
					return fmt.Errorf("extent %016x has %d bytes, its entries say %d", id, len(record.content), sizes[id])
				}
				delete(sizes, id)
			}
			return err
		})
	})
	if err != nil {
		return err
	}
	for id, count := range wanted {
		if counted[id] != count {
			return fmt.Errorf("extent %016x has %d references, counted are %d", id, count, counted[id])
		}
		if _, inFile := sizes[id]; !inFile {
			continue
		}
		info, err := os.Stat(s.path(id))
		if err != nil {
			return err
		}
		if info.Size() != sizes[id] {
			return fmt.Errorf("extent %016x has %d bytes, its entries say %d", id, info.Size(), sizes[id])
		}
	}
	if len(counted) != len(wanted) {
		return fmt.Errorf("%d extents are counted, %d are referred to", len(counted), len(wanted))
	}
	files, err := s.Files()
	if err != nil {
		return err
	}
	if len(files) != len(wanted)-inline {
		return fmt.Errorf("%d files, %d extents of which %d inline: %v", len(files), len(wanted), inline, files)
	}
	return nil
}

// Files returns the files of extents, whether or not something refers to them.
func (s *Store) Files() ([]string, error) {
	var files []string
	err := filepath.WalkDir(filepath.Join(s.dir, "extents"), func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			files = append(files, path)
		}
		return err
	})
	return files, err
}

// DecodeEntry takes a stored value apart.
func DecodeEntry(value []byte) ([]byte, []Extent, error) {
	entry := splitEntry(value)
	extents, err := entry.Extents()
	return entry.Meta, extents, err
}

// EncodeEntry is its inverse.
func EncodeEntry(meta []byte, extents []Extent) []byte { return joinEntry(meta, extents) }

// LoseDataFile takes the data file away, as bbolt does when it cannot map it.
func (s *Store) LoseDataFile() error { return s.db.Close() }

// ResidentFiles returns how many bytes of files the process has mapped and
// resident, 0 if the system does not tell.
func ResidentFiles() int64 {
	g := openGauge()
	defer g.close()
	return g.read()
}
