package site

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"unicode/utf8"

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
	if err := w.folder(ctx, "", dir, info); err != nil {
		return nil, err
	}
	slices.SortFunc(w.files, func(a, b File) int { return cmp.Compare(a.Key, b.Key) })
	return w.files, w.problems.or()
}

// A walk goes through a directory.
type walk struct {
	Source

	above    []os.FileInfo // the folder that is gone through, and those above it
	files    []File
	problems Problems
}

func (w *walk) problem(name string, err error) {
	w.problems = append(w.problems, Problem{name, err})
}

// folder goes through a folder. Its error is that of the context.
func (w *walk) folder(ctx context.Context, name, path string, info os.FileInfo) error {
	if err := ctx.Err(); err != nil {
		return context.Cause(ctx)
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		w.problem(name+"/", err)
		return nil
	}
	w.above = append(w.above, info)
	defer func() { w.above = w.above[:len(w.above)-1] }()
	for _, entry := range entries {
		if !w.Hidden && hidden(entry.Name()) {
			continue
		}
		inner := below(name, entry.Name())
		if match(w.Exclude, inner) {
			continue
		}
		if err := w.entry(ctx, inner, filepath.Join(path, entry.Name()), entry); err != nil {
			return err
		}
	}
	return nil
}

// entry looks at what a folder holds.
func (w *walk) entry(ctx context.Context, name, path string, entry fs.DirEntry) error {
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
	folder := err == nil && info.IsDir()
	switch {
	case !folder && len(w.Include) > 0 && !match(w.Include, name):
	case link && w.Symlinks == RefuseSymlinks:
		w.problem(name, errors.New("it is a symbolic link"))
	case link && errors.Is(err, fs.ErrNotExist):
		w.problem(name, errors.New("it is a symbolic link that leads nowhere"))
	case err != nil:
		w.problem(name, err)
	case folder && link && slices.ContainsFunc(w.above, func(a os.FileInfo) bool { return os.SameFile(a, info) }):
		w.problem(name, errors.New("it is a symbolic link to a folder that holds it, so it has no end"))
	case folder:
		return w.folder(ctx, name, path, info)
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
		w.files = append(w.files, File{Name: name, Key: key, FileState: kodo.NewFileState(path, info)})
	}
}
