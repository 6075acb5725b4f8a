package store

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
)

// The ID of an extent is the generation of the folder in its upper half and a running
// number in its lower half: it is never used twice, not even after a crash, IDs
// that are made together are neighbours in the data file, and a file's name tells
// whether this process made it. 4096 consecutive files share a folder.

func (s *Store) newExtentID() uint64 {
	return uint64(s.generation)<<32 | uint64(s.extents.Add(1))
}

const extentsPerFolder = 1 << 12

func extentName(id uint64) string { return fmt.Sprintf("%016x", id) }

func folderName(id uint64) string { return fmt.Sprintf("%013x", id/extentsPerFolder) }

// parseName returns the ID of a file or folder name of ours.
func parseName(name string, digits int) (uint64, bool) {
	n, err := strconv.ParseUint(name, 16, 64)
	return n, err == nil && name == fmt.Sprintf("%0*x", digits, n)
}

func (s *Store) path(id uint64) string {
	return filepath.Join(s.dir, "extents", folderName(id), extentName(id))
}

func createFile(path string) (File, error) {
	return os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
}

// inlineSize is up to how many bytes an extent is kept in the data file. A larger
// one gets a file, which bbolt's pages would be no match for.
const inlineSize = 32 << 10

// Draft is an extent that is being written. Whoever made it discards it in the
// end, whatever has become of it.
type Draft struct {
	store     *Store
	extent    Extent // with the content as long as it is small
	hasFile   bool
	file      File // open for writing, or nil
	discarded bool
}

// NewDraft makes an empty extent to write to.
func (s *Store) NewDraft() *Draft {
	return &Draft{store: s, extent: Extent{ID: s.newExtentID(), content: []byte{}}}
}

// Write appends to the extent.
func (d *Draft) Write(p []byte) (int, error) {
	if !d.hasFile && len(d.extent.content)+len(p) <= inlineSize {
		d.extent.content = append(d.extent.content, p...)
		d.extent.Size += int64(len(p))
		return len(p), nil
	}
	if !d.hasFile {
		if err := d.createFile(); err != nil {
			return 0, err
		}
	}
	n, err := writeAll(d.file, p)
	d.extent.Size += int64(n)
	return n, err
}

// createFile moves what was written so far to a file.
func (d *Draft) createFile() error {
	path := d.store.path(d.extent.ID)
	if err := d.store.makeFolder(filepath.Dir(path)); err != nil {
		return err
	}
	d.hasFile = true
	d.store.leftovers.Add(1)
	var err error
	if d.file, err = d.store.create(path); err != nil {
		d.file = nil
		return err
	}
	_, err = writeAll(d.file, d.extent.content)
	d.extent.content = nil
	return err
}

func writeAll(file File, p []byte) (int, error) {
	n, err := file.Write(p)
	if err == nil && n < len(p) {
		err = io.ErrShortWrite
	}
	return n, err
}

// makeFolder makes a folder of extents. It is known to exist only after its own
// entry in the folder above is synced.
func (s *Store) makeFolder(path string) error {
	if _, known := s.folders.Load(path); known {
		return nil
	}
	if err := os.Mkdir(path, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	if s.sync {
		if err := syncFolder(filepath.Dir(path)); err != nil {
			return err
		}
	}
	s.folders.Store(path, nil)
	return nil
}

// Finish ends the writing, and makes the file and its name durable. Only a
// finished extent may be put into an entry.
func (d *Draft) Finish() error {
	file := d.file
	if file == nil {
		return nil
	}
	d.file = nil
	if d.store.sync {
		if err := file.Sync(); err != nil {
			return errors.Join(err, file.Close())
		}
	}
	if err := file.Close(); err != nil {
		return err
	}
	if d.store.sync {
		return syncFolder(filepath.Dir(d.store.path(d.extent.ID)))
	}
	return nil
}

// Extent returns the finished extent.
func (d *Draft) Extent() Extent { return d.extent }

// Discard removes the file, unless an entry has come to refer to it. Discarding
// twice is harmless.
func (d *Draft) Discard() {
	if d.discarded || !d.hasFile {
		return
	}
	d.discarded = true
	if d.file != nil {
		d.file.Close() //nolint:errcheck // What was written is given up.
		d.file = nil
	}
	referenced := false
	err := d.store.View(func(tx *Tx) error {
		var err error
		_, referenced, err = tx.extent(d.extent.ID)
		return err
	})
	if err != nil {
		return // Nobody can say; the next opening will sweep.
	}
	d.store.leftovers.Add(-1)
	if !referenced {
		d.store.remove(d.store.path(d.extent.ID))
	}
}

// remove unlinks a file that nothing refers to. One that cannot be removed is
// left to the next sweep.
func (s *Store) remove(path string) {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		s.leftovers.Add(1)
	}
}

// bury returns those of the unreferenced extents whose files can be removed at
// once. Those that readers need are removed when the last of them is closed.
func (s *Store) bury(unreferenced []uint64) []uint64 {
	if len(unreferenced) == 0 {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var now []uint64
	for _, id := range unreferenced {
		if s.pins[id] > 0 {
			s.dead[id] = true
		} else {
			now = append(now, id)
		}
	}
	return now
}

// unpin ends a reader's need of its extents.
func (s *Store) unpin(extents []Extent) {
	var remove []uint64
	s.mu.Lock()
	for _, extent := range extents {
		id := extent.ID
		if extent.content != nil {
			continue
		}
		if s.pins[id]--; s.pins[id] > 0 {
			continue
		}
		delete(s.pins, id)
		if s.dead[id] {
			delete(s.dead, id)
			remove = append(remove, id)
		}
	}
	s.mu.Unlock()
	for _, id := range remove {
		s.remove(s.path(id))
	}
}

// syncFolder makes the names in a folder durable. Windows keeps names by itself,
// and cannot sync a folder.
func syncFolder(path string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}
