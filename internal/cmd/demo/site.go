//go:build unix

package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
)

// foghorn is the one file that is made here instead of checked in: it is large
// enough to go up in parts.
const foghorn = "media/foghorn.wav"

// site is the local folder and where its files are published.
type site struct {
	dir  string
	urls map[string]string // by key, which is the path below dir
}

func newSite(dir string) (*site, error) {
	path := filepath.Join(dir, foghorn)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, err
	}
	return &site{dir: dir}, os.WriteFile(path, foghornWAV(), 0o644)
}

func (s *site) address() string { return s.urls["index.html"] }

// walk calls do with the key and the bytes of every local file.
func (s *site) walk(do func(key string, want []byte) error) error {
	folder := os.DirFS(s.dir)
	return fs.WalkDir(folder, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		want, err := fs.ReadFile(folder, path)
		if err != nil {
			return err
		}
		return do(path, want)
	})
}

// total returns how many files there are and their size in bytes.
func (s *site) total() (files, size int, err error) {
	err = s.walk(func(_ string, want []byte) error {
		files++
		size += len(want)
		return nil
	})
	return files, size, err
}

// compare fetches every local file's address and fails at the first difference,
// or if anything else was published.
func (s *site) compare(ctx context.Context, client *http.Client) (files, size int, err error) {
	err = s.walk(func(key string, want []byte) error {
		got, err := get(ctx, client, s.urls[key])
		if err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
		if !bytes.Equal(got, want) {
			return fmt.Errorf("%s: %s has %d bytes that differ from the %d local ones", key, s.urls[key], len(got), len(want))
		}
		files++
		size += len(want)
		return nil
	})
	if err == nil && files != len(s.urls) {
		err = fmt.Errorf("%d files are published, want %d", len(s.urls), files)
	}
	return files, size, err
}

// edit changes one local file.
func (s *site) edit(key string) error {
	f, err := os.OpenFile(filepath.Join(s.dir, key), os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return err
	}
	if _, err := f.WriteString("<!-- The café has a new cake. -->\n"); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}

func get(ctx context.Context, client *http.Client, url string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("GET %s: %s", url, resp.Status)
	}
	return io.ReadAll(resp.Body)
}
