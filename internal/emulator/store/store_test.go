package store_test

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/qiniu/terraform-provider-kodo/internal/emulator/store"
)

// large is content that gets a file of its own.
var large = strings.Repeat("0123456789abcdef", 4096)

func open(t *testing.T, options store.Options) *store.Store {
	t.Helper()
	s, err := store.Open(options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil && !errors.Is(err, store.ErrClosed) {
			t.Error(err)
		}
	})
	return s
}

// write makes a finished draft that the test's end discards.
func write(t *testing.T, s *store.Store, content string) store.Extent {
	t.Helper()
	draft := s.NewDraft()
	t.Cleanup(draft.Discard)
	if _, err := io.WriteString(draft, content); err != nil {
		t.Fatal(err)
	}
	if err := draft.Finish(); err != nil {
		t.Fatal(err)
	}
	return draft.Extent()
}

func put(t *testing.T, s *store.Store, key string, extents ...store.Extent) {
	t.Helper()
	if err := s.Update(func(tx *store.Tx) error { return tx.Put(key, []byte("meta of "+key), extents) }); err != nil {
		t.Fatal(err)
	}
}

func remove(t *testing.T, s *store.Store, key string) {
	t.Helper()
	if err := s.Update(func(tx *store.Tx) error { return tx.Delete(key) }); err != nil {
		t.Fatal(err)
	}
}

// reader opens the content of a key.
func reader(t *testing.T, s *store.Store, key string) *store.Reader {
	t.Helper()
	r, err := s.Open(key, func(*store.Tx) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func wantContent(t *testing.T, r *store.Reader, want string) {
	t.Helper()
	got, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("content has %d bytes %.20q…, want %d bytes %.20q…", len(got), got, len(want), want)
	}
}

func wantFiles(t *testing.T, s *store.Store, want int) {
	t.Helper()
	files, err := s.Files()
	if err != nil {
		t.Fatal(err)
	}
	if len(files) != want {
		t.Errorf("%d files, want %d: %v", len(files), want, files)
	}
}

func keys(t *testing.T, s *store.Store, prefix, from string) []string {
	t.Helper()
	var keys []string
	err := s.View(func(tx *store.Tx) error {
		for key, entry := range tx.Scan(prefix, from) {
			if want := "meta of " + key; string(entry.Meta) != want {
				t.Errorf("meta = %q, want %q", entry.Meta, want)
			}
			keys = append(keys, key)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

func TestScan(t *testing.T) {
	t.Parallel()
	s := open(t, store.Options{Dir: t.TempDir()})
	for _, key := range []string{"b", "a/2", "a/", "a", "a/1", "a\xff", "c"} {
		put(t, s, key)
	}
	for _, test := range []struct {
		prefix, from string
		want         []string
	}{
		{"", "", []string{"a", "a/", "a/1", "a/2", "a\xff", "b", "c"}},
		{"a/", "", []string{"a/", "a/1", "a/2"}},
		{"a/", "a/1", []string{"a/1", "a/2"}},
		{"a/", "a/11", []string{"a/2"}},
		{"a/", "b", nil},
		{"d", "", nil},
	} {
		if got := keys(t, s, test.prefix, test.from); !slices.Equal(got, test.want) {
			t.Errorf("Scan(%q, %q) = %q, want %q", test.prefix, test.from, got, test.want)
		}
	}
}

// A change that fails is undone, and costs those that share its commit nothing.
func TestUpdateUndoesOnlyTheFailedChange(t *testing.T) {
	t.Parallel()
	s := open(t, store.Options{Dir: t.TempDir()})
	refused := errors.New("refused")

	// While the first change holds the committer, the others gather into one commit.
	entered, release := make(chan struct{}), make(chan struct{})
	results := make(chan error)
	go func() {
		results <- s.Update(func(*store.Tx) error { close(entered); <-release; return nil })
	}()
	<-entered
	const others = 10
	for i := range others {
		go func() {
			results <- s.Update(func(tx *store.Tx) error {
				key := fmt.Sprintf("key %d", i)
				if i == 4 { // Fails before it has written anything.
					return refused
				}
				if err := tx.Put(key, []byte("meta of "+key), nil); err != nil {
					return err
				}
				if i%5 == 0 { // Fails halfway.
					return refused
				}
				return nil
			})
		}()
	}
	close(release)
	failed := 0
	for range others + 1 {
		if err := <-results; errors.Is(err, refused) {
			failed++
		} else if err != nil {
			t.Error(err)
		}
	}
	if failed != 3 {
		t.Errorf("%d changes failed, want 3", failed)
	}
	want := []string{"key 1", "key 2", "key 3", "key 6", "key 7", "key 8", "key 9"}
	if got := keys(t, s, "", ""); !slices.Equal(got, want) {
		t.Errorf("keys = %q, want %q", got, want)
	}
}

// Without its data file a store refuses everything, and does not crash.
func TestLostDataFile(t *testing.T) {
	t.Parallel()
	s, err := store.Open(store.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.LoseDataFile(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := s.Update(func(tx *store.Tx) error { return tx.Put("key", nil, nil) }); err == nil {
			t.Error("a change was accepted")
		}
	}
	if err := s.Close(); err == nil {
		t.Error("Close has not told")
	}
}

func TestExtentLivesUntilItsLastReference(t *testing.T) {
	t.Parallel()
	for name, content := range map[string]string{"in a file": large, "inline": "small", "empty": ""} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			files := 0
			if content == large {
				files = 1
			}
			s := open(t, store.Options{Dir: t.TempDir()})
			extent := write(t, s, content)
			put(t, s, "first", extent)
			put(t, s, "second", extent, extent)
			put(t, s, "second", extent) // An entry replaced by one with the same extent.
			remove(t, s, "first")
			r := reader(t, s, "second")
			wantContent(t, r, content)
			if err := r.Close(); err != nil {
				t.Error(err)
			}
			wantFiles(t, s, files)
			if err := s.Check(); err != nil {
				t.Error(err)
			}
			remove(t, s, "second")
			remove(t, s, "second") // There is no such entry any more.
			wantFiles(t, s, 0)
			if err := s.Check(); err != nil {
				t.Error(err)
			}
		})
	}
}

// A reader goes on after its entry was replaced, also into extents that it had
// not touched before, and lets go of the files when it is closed.
func TestReaderOutlivesItsEntry(t *testing.T) {
	t.Parallel()
	s := open(t, store.Options{Dir: t.TempDir()})
	put(t, s, "key", write(t, s, large), write(t, s, "small"), write(t, s, ""), write(t, s, large+"!"))
	first, second := reader(t, s, "key"), reader(t, s, "key")
	if _, err := io.ReadFull(first, make([]byte, 10)); err != nil {
		t.Fatal(err)
	}
	put(t, s, "key", write(t, s, "new"))
	wantFiles(t, s, 2)

	wantContent(t, first, large[10:]+"small"+large+"!")
	if err := first.Close(); err != nil {
		t.Error(err)
	}
	wantFiles(t, s, 2)
	if _, err := second.Seek(-8, io.SeekEnd); err != nil {
		t.Error(err)
	}
	wantContent(t, second, "9abcdef!")
	if _, err := second.Seek(int64(len(large))-2, io.SeekStart); err != nil {
		t.Error(err)
	}
	wantContent(t, second, "efsmall"+large+"!")
	if err := second.Close(); err != nil {
		t.Error(err)
	}
	wantFiles(t, s, 0)
	if _, err := second.Read(make([]byte, 1)); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("Read after Close: %v", err)
	}
	wantContent(t, reader(t, s, "key"), "new")
}

func TestOpenWithoutEntry(t *testing.T) {
	t.Parallel()
	s := open(t, store.Options{Dir: t.TempDir()})
	if _, err := s.Open("none", func(*store.Tx) error { return nil }); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error = %v, want %v", err, fs.ErrNotExist)
	}
	refused := errors.New("refused")
	if _, err := s.Open("none", func(*store.Tx) error { return refused }); !errors.Is(err, refused) {
		t.Errorf("error = %v, want %v", err, refused)
	}
}

func TestDiscard(t *testing.T) {
	t.Parallel()
	s := open(t, store.Options{Dir: t.TempDir()})
	unfinished := s.NewDraft()
	if _, err := io.WriteString(unfinished, large); err != nil {
		t.Fatal(err)
	}
	wantFiles(t, s, 1)
	unfinished.Discard()
	unfinished.Discard()
	wantFiles(t, s, 0)

	kept := s.NewDraft()
	if _, err := io.WriteString(kept, large); err != nil {
		t.Fatal(err)
	}
	if err := kept.Finish(); err != nil {
		t.Fatal(err)
	}
	put(t, s, "key", kept.Extent())
	kept.Discard()
	wantFiles(t, s, 1)
}

// fullDisk fails in the ways of a full disk, from the given step on.
type fullDisk struct {
	store.File

	step string
	left int
}

func (f *fullDisk) Write(p []byte) (int, error) {
	switch {
	case f.step == "short write" && len(p) > f.left:
		n, err := f.File.Write(p[:f.left])
		f.left -= n
		return n, err
	case f.step == "write" && len(p) > f.left:
		n, err := f.File.Write(p[:f.left])
		f.left -= n
		return n, errors.Join(syscall.ENOSPC, err)
	}
	f.left -= len(p)
	return f.File.Write(p)
}

func (f *fullDisk) Sync() error {
	if f.step == "sync" {
		return syscall.ENOSPC
	}
	return f.File.Sync()
}

func (f *fullDisk) Close() error {
	if f.step == "close" {
		return errors.Join(syscall.ENOSPC, f.File.Close())
	}
	return f.File.Close()
}

func TestFullDisk(t *testing.T) {
	t.Parallel()
	for _, step := range []string{"create", "short write", "write", "sync", "close"} {
		t.Run(step, func(t *testing.T) {
			t.Parallel()
			full := true
			s := open(t, store.Options{Dir: t.TempDir(), Sync: true, Create: func(path string) (store.File, error) {
				if full && step == "create" {
					return nil, syscall.ENOSPC
				}
				file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
				if !full || err != nil {
					return file, err
				}
				return &fullDisk{File: file, step: step, left: 100_000}, nil
			}})
			draft := s.NewDraft()
			_, err := draft.Write([]byte(large + large))
			if err == nil {
				err = draft.Finish()
			}
			want := error(syscall.ENOSPC)
			if step == "short write" {
				want = io.ErrShortWrite
			}
			if !errors.Is(err, want) {
				t.Errorf("error = %v, want %v", err, want)
			}
			draft.Discard()
			wantFiles(t, s, 0)

			full = false // Somebody has made room.
			put(t, s, "key", write(t, s, large))
			wantContent(t, reader(t, s, "key"), large)
		})
	}
}
