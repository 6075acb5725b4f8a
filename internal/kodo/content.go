package kodo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/qiniu/terraform-provider-kodo/internal/qetag"
)

// Content is what an upload sends: bytes that can be read at any place, in parallel, and more than once.
// *bytes.Reader and *strings.Reader are Contents.
type Content interface {
	io.ReaderAt
	Size() int64 // bytes
}

// A File is the content of a regular file as it was when it was opened.
type File struct {
	file *os.File
	info os.FileInfo
	path string
}

// OpenFile opens a regular file. It is to be closed by the caller.
func OpenFile(path string) (*File, error) {
	// Looked at before it is opened: opening a named pipe would wait for somebody to write to it.
	if info, err := os.Stat(path); err != nil {
		return nil, err
	} else if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a regular file", path)
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return &File{file: file, info: info, path: path}, nil
}

// ReadAt implements io.ReaderAt.
func (f *File) ReadAt(p []byte, off int64) (int, error) { return f.file.ReadAt(p, off) }

// Size returns the file's size when it was opened.
func (f *File) Size() int64 { return f.info.Size() }

// Close closes the file.
func (f *File) Close() error { return f.file.Close() }

// A FileState is what tells a file, and its content at some time, from others.
type FileState struct {
	Path    string `json:"path"` // absolute
	Size    int64  `json:"size"`
	ModTime int64  `json:"mtime"` // nanoseconds since 1970
	Inode   uint64 `json:"inode"` // 0 if unknown
}

// NewFileState returns the state of the file of a path, from what a look at it has told.
func NewFileState(path string, info os.FileInfo) FileState {
	absolute, err := filepath.Abs(path)
	if err != nil {
		absolute = path
	}
	return FileState{Path: absolute, Size: info.Size(), ModTime: info.ModTime().UnixNano(), Inode: inode(info)}
}

// state returns the file's state when it was opened.
func (f *File) state() FileState { return NewFileState(f.path, f.info) }

// changed says how the file differs from what it was when it was opened; "" if it does not. A file that was replaced
// under its name has changed as well.
func (f *File) changed() string {
	now, err := os.Stat(f.path)
	switch {
	case err != nil:
		return fmt.Sprintf("the file can no longer be looked at: %v", err)
	case !os.SameFile(f.info, now):
		return fmt.Sprintf("the file %s was replaced by another while it was read", f.path)
	case now.Size() != f.info.Size():
		return fmt.Sprintf("the file %s had %d bytes when it was opened and has %d now", f.path, f.info.Size(), now.Size())
	case !now.ModTime().Equal(f.info.ModTime()):
		return fmt.Sprintf("the file %s was written to while it was read", f.path)
	default:
		return ""
	}
}

// checkUnchanged is for content whose hash nobody had planned: only the file itself can tell that it changed.
func checkUnchanged(content Content) error {
	file, ok := content.(*File)
	if !ok {
		return nil
	}
	if reason := file.changed(); reason != "" {
		return &ContentChangedError{Reason: reason}
	}
	return nil
}

// readPart fills buf with the content at an offset. Content that has become shorter has changed.
func readPart(content Content, buf []byte, offset int64) error {
	n, err := content.ReadAt(buf, offset)
	switch {
	case n == len(buf):
		return nil
	case errors.Is(err, io.EOF):
		return &ContentChangedError{Reason: fmt.Sprintf("it was to have %d bytes and ends after %d", content.Size(), offset+int64(n))}
	case err != nil:
		return err
	default:
		return io.ErrNoProgress
	}
}

// Same reports whether an object holds the same bytes as local content. It sends nothing, unless the object's hash is
// of the form that depends on the sizes of its parts: then it asks for those. Where Kodo does not know them, nothing
// proves that the bytes are the same, and the answer is false.
func (c *Client) Same(ctx context.Context, bucket string, have Object, local Content) (bool, error) {
	if have.Size != local.Size() {
		return false, nil
	}
	if !qetag.IsV2(have.ETag) {
		v1, err := qetag.ReadAt(ctx, local, local.Size())
		return v1 == have.ETag, changedIfShort(err)
	}
	sizes, err := c.PartSizes(ctx, bucket, have.Key)
	if err != nil {
		return false, err
	}
	var total int64
	for _, size := range sizes {
		total += size
	}
	if len(sizes) == 0 || total != local.Size() {
		return false, nil
	}
	v2, err := qetag.ReadAtParts(ctx, local, sizes)
	return v2 == have.ETag, changedIfShort(err)
}

// changedIfShort says what it means that content ended before its size.
func changedIfShort(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return &ContentChangedError{Reason: "it ends before the size that it had"}
	}
	return err
}
