package store_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/qiniu/terraform-provider-kodo/internal/emulator/store"
)

func TestFolderIsLocked(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first := open(t, store.Options{Dir: dir})
	_, err := store.Open(store.Options{Dir: dir})
	if want := "the data folder " + dir + " is in use by another process"; err == nil || err.Error() != want {
		t.Errorf("error = %v, want %s", err, want)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	open(t, store.Options{Dir: dir})
}

func TestClosed(t *testing.T) {
	t.Parallel()
	s := open(t, store.Options{Dir: t.TempDir()})
	draft := s.NewDraft()
	if _, err := io.WriteString(draft, large); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	nothing := func(*store.Tx) error { return nil }
	_, openErr := s.Open("key", nothing)
	for what, err := range map[string]error{
		"Update": s.Update(nothing), "View": s.View(nothing), "Open": openErr, "Close": s.Close(),
	} {
		if !errors.Is(err, store.ErrClosed) {
			t.Errorf("%s after Close: %v, want %v", what, err, store.ErrClosed)
		}
	}
	draft.Discard()
}

// stray puts files into the folder that look like the extents of a process that
// was killed, and returns how many there are.
func stray(t *testing.T, dir string) int {
	t.Helper()
	folder := filepath.Join(dir, "extents", "0000000100fff")
	if err := os.MkdirAll(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"0000000100fff001", "0000000100fff002"} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte("half"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return 2
}

func TestSweep(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, err := store.Open(store.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	put(t, s, "kept", write(t, s, large))
	leak := s.NewDraft() // Never discarded: as good as a crash.
	if _, err := io.WriteString(leak, large); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	stray(t, dir)
	if err := os.WriteFile(filepath.Join(dir, "extents", "note.txt"), nil, 0o600); err != nil {
		t.Fatal(err)
	}

	s = open(t, store.Options{Dir: dir})
	if err := s.AwaitSweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	wantFiles(t, s, 2) // The referenced one, and the one that is none of ours.
	if _, err := os.Stat(filepath.Join(dir, "extents", "0000000100fff")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the empty folder is still there: %v", err)
	}
	wantContent(t, reader(t, s, "kept"), large)
}

// After a clean close nothing is looked at, so that opening takes no time.
func TestNoSweepAfterCleanClose(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, err := store.Open(store.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	strays := stray(t, dir)
	s = open(t, store.Options{Dir: dir})
	if err := s.AwaitSweep(context.Background()); err != nil {
		t.Fatal(err)
	}
	wantFiles(t, s, strays)
}

func TestUnknownFormat(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "meta.db"), bytes.Repeat([]byte{7}, 1<<15), 0o600); err != nil {
		t.Fatal(err)
	}
	if s, err := store.Open(store.Options{Dir: dir}); err == nil {
		t.Errorf("Open = %v, want an error", s)
	}
}
