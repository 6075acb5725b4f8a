package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// AwaitSweep returns when Open's sweep is over, or ctx is, with what went wrong.
func (s *Store) AwaitSweep(ctx context.Context) error {
	select {
	case <-s.swept:
		return s.sweepError
	case <-ctx.Done():
		return ctx.Err()
	}
}

// sweep removes the files of earlier generations that no entry refers to: drafts
// of a process that was killed, and files whose entries were gone before it came
// to unlink them. It runs beside everything else, since files of this generation
// are not its business and an extent without a reference never gets one again.
func (s *Store) sweep(ctx context.Context) {
	defer close(s.swept)
	root := filepath.Join(s.dir, "extents")
	folders, err := os.ReadDir(root)
	for _, folder := range folders {
		if err != nil {
			break
		}
		number, ours := parseName(folder.Name(), 13)
		if !ours || number*extentsPerFolder>>32 >= uint64(s.generation) {
			continue
		}
		if err = ctx.Err(); err == nil {
			err = s.sweepFolder(filepath.Join(root, folder.Name()))
		}
	}
	if err != nil {
		s.sweepError = fmt.Errorf("remove files without a reference: %w", err)
	}
}

func (s *Store) sweepFolder(path string) error {
	files, err := os.ReadDir(path)
	if err != nil {
		return err
	}
	var orphans []uint64
	err = s.View(func(tx *Tx) error {
		for _, file := range files {
			id, ours := parseName(file.Name(), 16)
			if !ours {
				continue
			}
			_, referenced, err := tx.extent(id)
			if err != nil {
				return err
			}
			if !referenced {
				orphans = append(orphans, id)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, id := range s.bury(orphans) {
		if err := os.Remove(s.path(id)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	if len(orphans) == len(files) {
		// An extent that a reader still needs keeps the folder; so be it.
		_ = os.Remove(path)
	}
	return nil
}
