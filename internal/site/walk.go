package site

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"unicode/utf8"

	"golang.org/x/sync/errgroup"

	"github.com/qiniu/terraform-provider-kodo/internal/kodo"
)

// Files returns the files of a directory that are published, in the order of their keys, without their hashes.
//
// Folders have no keys, so that an empty one leaves no trace. Names are published byte for byte; two that differ only
// in case are two keys. What cannot be published and is not excluded is refused, all of it together, as Problems:
// links that lead nowhere or back to a folder above them, pipes and other things that are no files, names that are not
// UTF-8 or too long for a key, and what cannot be read. That there is no directory is fs.ErrNotExist.
func (s Source) Files(ctx context.Context) ([]File, error) {
	dir, err := filepath.Abs(s.Dir)
	if err != nil {
		return nil, err
	}
	info, err := os.Stat(dir)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return nil, fmt.Errorf("%s is not a directory", s.Dir)
	}
	w := walk{Source: s}
	w.folders.SetLimit(runtime.GOMAXPROCS(0))
	w.folders.Go(func() error { return w.through(ctx, &folder{path: dir, info: info}) })
	if err := w.folders.Wait(); err != nil {
		return nil, err
	}
	slices.SortFunc(w.files, func(a, b File) int { return cmp.Compare(a.Key, b.Key) })
	slices.SortFunc(w.problems, byName)
	return w.files, w.problems.or()
}

// A walk goes through a directory, several folders at a time.
type walk struct {
	Source

	folders errgroup.Group

	mu       sync.Mutex
	files    []File
	problems Problems
}

func (w *walk) problem(name string, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.problems = append(w.problems, Problem{name, err})
}

// A folder of a directory.
type folder struct {
	name, path string
	info       os.FileInfo
	above      *folder // the one that holds it
}

// isIn reports whether a folder is one of those above f, or f itself.
func (f *folder) isIn(info os.FileInfo) bool {
	for ; f != nil; f = f.above {
		if os.SameFile(f.info, info) {
			return true
		}
	}
	return false
}

// visit goes through a folder: beside the others, or at once if there are enough of them.
func (w *walk) visit(ctx context.Context, f *folder) error {
	through := func() error { return w.through(ctx, f) }
	if w.folders.TryGo(through) {
		return nil
	}
	return through()
}

// through goes through a folder. Its error is that of the context.
func (w *walk) through(ctx context.Context, f *folder) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	entries, err := os.ReadDir(f.path)
	if err != nil {
		w.problem(f.name+"/", err)
		return nil
	}
	for _, entry := range entries {
		if !w.Hidden && hidden(entry.Name()) {
			continue
		}
		name := below(f.name, entry.Name())
		if match(w.Exclude, name) {
			continue
		}
		if err := w.entry(ctx, f, name, entry); err != nil {
			return err
		}
	}
	return nil
}

// entry looks at what a folder holds.
func (w *walk) entry(ctx context.Context, in *folder, name string, entry fs.DirEntry) error {
	path := filepath.Join(in.path, entry.Name())
	link := entry.Type()&fs.ModeSymlink != 0
	if link && w.Symlinks == SkipSymlinks {
		return nil
	}
	var info os.FileInfo
	var err error
	if link {
		info, err = os.Stat(path)
	} else {
		info, err = entry.Info()
	}
	isFolder := err == nil && info.IsDir()
	switch {
	case !isFolder && len(w.Include) > 0 && !match(w.Include, name):
	case link && w.Symlinks == RefuseSymlinks:
		w.problem(name, errors.New("it is a symbolic link"))
	case link && errors.Is(err, fs.ErrNotExist):
		w.problem(name, errors.New("it is a symbolic link that leads nowhere"))
	case err != nil:
		w.problem(name, err)
	case isFolder && link && in.isIn(info):
		w.problem(name, errors.New("it is a symbolic link to a folder that holds it, so it has no end"))
	case isFolder:
		return w.visit(ctx, &folder{name, path, info, in})
	default:
		w.file(name, path, info)
	}
	return nil
}

// file takes a file, unless it cannot be published.
func (w *walk) file(name, path string, info os.FileInfo) {
	key := w.Prefix + name
	switch err := kodo.CheckKey(key); {
	case !utf8.ValidString(name):
		w.problem(name, errors.New("its name is not UTF-8"))
	case err != nil:
		w.problem(name, err)
	case !info.Mode().IsRegular():
		w.problem(name, fmt.Errorf("it is no file but %s", info.Mode().Type()))
	case info.Size() > maxFile:
		w.problem(name, fmt.Errorf("it has %d bytes; more than %d are for kodo_object", info.Size(), int64(maxFile)))
	default:
		w.mu.Lock()
		defer w.mu.Unlock()
		w.files = append(w.files, File{Name: name, Key: key, FileState: kodo.NewFileState(path, info)})
	}
}
