package engine

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/qiniu/terraform-provider-kodo/internal/emulator/store"
)

// tinyDisk is a file on a disk with room for 100 000 more bytes.
type tinyDisk struct {
	*os.File

	left int
}

func (f *tinyDisk) Write(p []byte) (int, error) {
	if len(p) > f.left {
		n, err := f.File.Write(p[:f.left])
		f.left -= n
		return n, errors.Join(syscall.ENOSPC, err)
	}
	f.left -= len(p)
	return f.File.Write(p)
}

// A full disk is a failure of the server, 599, and leaves neither an object nor
// bytes behind.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	e, err := open(Options{Dir: dir}, store.Options{Dir: dir, Create: func(path string) (store.File, error) {
		file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		return &tinyDisk{File: file, left: 100_000}, err
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close() //nolint:errcheck // The test is about other errors.
	_, err = e.NewBlob(strings.NewReader(strings.Repeat("x", 200_000)))
	var refusal *Error
	if !errors.As(err, &refusal) || refusal.Code != 599 || !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("error = %v, want 599 for %v", err, syscall.ENOSPC)
	}
	err = filepath.WalkDir(filepath.Join(dir, "extents"), func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			t.Errorf("%s was left behind", path)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}
