package store

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"sort"
)

// Reader reads the content of an entry as it was when it was opened, whatever
// becomes of the entry. It is not safe for concurrent use.
type Reader struct {
	store   *Store
	extents []Extent // with their content if they have no file
	ends    []int64  // where in the content each extent ends
	offset  int64
	open    int      // index of the extent that file is of
	file    *os.File // nil before the first read
	closed  bool
}

// Open returns a reader of an entry's content. Small extents are read at once.
// look is run first, on the state that the content is of; its error is returned.
// If it does not mind that the entry is missing, the error is fs.ErrNotExist.
func (s *Store) Open(key string, look func(*Tx) error) (*Reader, error) {
	r := &Reader{store: s}
	// A change that drops the last reference to an extent asks for pins after its
	// commit, under this lock: either it sees the pins made here, or this view
	// sees what it has committed.
	s.mu.Lock()
	defer s.mu.Unlock()
	err := s.View(func(tx *Tx) error {
		if err := look(tx); err != nil {
			return err
		}
		entry, ok := tx.Get(key)
		if !ok {
			return fs.ErrNotExist
		}
		var err error
		if r.extents, err = entry.Extents(); err != nil {
			return err
		}
		for i := range r.extents {
			record, _, err := tx.extent(r.extents[i].ID)
			if err != nil {
				return err
			}
			r.extents[i].content = bytes.Clone(record.content)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	size := int64(0)
	r.ends = make([]int64, len(r.extents))
	for i, extent := range r.extents {
		if extent.content == nil {
			s.pins[extent.ID]++
		}
		size += extent.Size
		r.ends[i] = size
	}
	return r, nil
}

// Size returns the length of the content in bytes.
func (r *Reader) Size() int64 {
	if len(r.ends) == 0 {
		return 0
	}
	return r.ends[len(r.ends)-1]
}

// Read reads from the current offset, at most to the end of an extent.
func (r *Reader) Read(p []byte) (int, error) {
	if r.closed {
		return 0, fs.ErrClosed
	}
	if r.offset >= r.Size() {
		return 0, io.EOF
	}
	if len(p) == 0 {
		return 0, nil
	}
	i := sort.Search(len(r.ends), func(i int) bool { return r.ends[i] > r.offset })
	left := r.ends[i] - r.offset
	p, from := p[:min(int64(len(p)), left)], r.extents[i].Size-left
	if content := r.extents[i].content; content != nil {
		n := copy(p, content[from:])
		r.offset += int64(n)
		return n, nil
	}
	if err := r.openExtent(i); err != nil {
		return 0, err
	}
	n, err := r.file.ReadAt(p, from)
	r.offset += int64(n)
	if n > 0 {
		return n, nil
	}
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF // The file is shorter than it was.
	}
	return 0, err
}

func (r *Reader) openExtent(i int) error {
	if r.file != nil && r.open == i {
		return nil
	}
	if r.file != nil {
		if err := r.file.Close(); err != nil {
			return err
		}
		r.file = nil
	}
	file, err := os.Open(r.store.path(r.extents[i].ID))
	if err != nil {
		return err
	}
	r.file, r.open = file, i
	return nil
}

// Seek sets the offset of the next Read.
func (r *Reader) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekStart:
	case io.SeekCurrent:
		offset += r.offset
	case io.SeekEnd:
		offset += r.Size()
	default:
		return 0, errors.New("seek: invalid whence")
	}
	if offset < 0 {
		return 0, errors.New("seek: negative offset")
	}
	r.offset = offset
	return offset, nil
}

// Close lets go of the content.
func (r *Reader) Close() error {
	if r.closed {
		return fs.ErrClosed
	}
	r.closed = true
	r.store.unpin(r.extents)
	if r.file == nil {
		return nil
	}
	return r.file.Close()
}
