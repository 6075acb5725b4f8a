package site

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"github.com/qiniu/terraform-provider-kodo/internal/kodo"
	"github.com/qiniu/terraform-provider-kodo/internal/qetag"
)

// Hashes remembers the hashes of files, so that what has not changed since is not read again. The zero value is ready,
// and may be used by many goroutines.
type Hashes struct {
	mu    sync.Mutex
	known map[kodo.FileState]string
}

func (h *Hashes) get(state kodo.FileState) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.known[state]
}

func (h *Hashes) put(state kodo.FileState, etag string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.known == nil {
		h.known = make(map[kodo.FileState]string)
	}
	h.known[state] = etag
}

// sumBuffer is what one worker holds of a file, in bytes.
const sumBuffer = 256 << 10

// Sum finds the hash of each file, on all cores and in bounded memory. Files that cannot be read, or are no longer what
// they were when the directory was looked through, are Problems.
func (h *Hashes) Sum(ctx context.Context, files []File) error {
	var mu sync.Mutex
	var problems Problems
	var next atomic.Int64
	g, ctx := errgroup.WithContext(ctx)
	for range runtime.GOMAXPROCS(0) {
		g.Go(func() error {
			buffer := make([]byte, sumBuffer)
			for {
				i := int(next.Add(1)) - 1
				if i >= len(files) {
					return nil
				}
				err := h.sum(ctx, &files[i], buffer)
				if ctx.Err() != nil {
					return context.Cause(ctx)
				}
				if err != nil {
					mu.Lock()
					problems = append(problems, Problem{files[i].Name, err})
					mu.Unlock()
				}
			}
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	slices.SortFunc(problems, byName)
	return problems.or()
}

func (h *Hashes) sum(ctx context.Context, file *File, buffer []byte) error {
	if file.ETag = h.get(file.FileState); file.ETag != "" {
		return nil
	}
	etag, err := sumFile(ctx, file.FileState, buffer)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return errors.New("it vanished while the directory was looked through")
	case err != nil:
		return err
	}
	h.put(file.FileState, etag)
	file.ETag = etag
	return nil
}

var errChanged = errors.New("it was written to while the directory was looked through")

func sumFile(ctx context.Context, state kodo.FileState, buffer []byte) (etag string, err error) {
	f, err := open(state.Path)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if state.Size > qetag.BlockSize {
		etag, err = qetag.ReadAt(ctx, f, state.Size)
		if errors.Is(err, io.ErrUnexpectedEOF) {
			err = errChanged
		}
	} else {
		etag, err = sumSmall(f, state.Size, buffer)
	}
	if err != nil {
		return "", err
	}
	info, err := f.Stat()
	if err != nil {
		return "", err
	}
	if kodo.NewFileState(state.Path, info) != state {
		return "", errChanged
	}
	return etag, nil
}

func sumSmall(f *os.File, size int64, buffer []byte) (string, error) {
	sum := qetag.New()
	for sum.Size() < size {
		n, err := f.Read(buffer[:min(int64(len(buffer)), size-sum.Size())])
		_, _ = sum.Write(buffer[:n])
		switch {
		case errors.Is(err, io.EOF):
			return "", errChanged
		case err != nil:
			return "", err
		}
	}
	return sum.ETag(), nil
}
