package resources_test

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/qiniu/terraform-provider-kodo/internal/acctest"
)

// realTrees are directories that nobody has made for a test, by name: Go's own sources, and a web package of npm, which
// is there once make compat-node has installed it.
func realTrees(t *testing.T) map[string]string {
	t.Helper()
	root, err := exec.CommandContext(t.Context(), "go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	return map[string]string{
		"go":        filepath.Join(strings.TrimSpace(string(root)), "src"),
		"bootstrap": "../emulator/compat/node/node_modules/bootstrap",
	}
}

// sums are the SHA-256 of what a directory would publish by default, found in a plain way.
func sums(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case path != dir && strings.HasPrefix(entry.Name(), ".") && entry.Name() != ".well-known":
			if entry.IsDir() {
				return filepath.SkipDir
			}
			return nil
		case entry.IsDir():
			return nil
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(dir, path)
		all[filepath.ToSlash(name)] = fmt.Sprintf("%x", sha256.Sum256(content))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestDirectoryOfRealTrees publishes them, and reads every byte back.
func TestDirectoryOfRealTrees(t *testing.T) {
	t.Parallel()
	for name, dir := range realTrees(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := os.Stat(dir); name == "bootstrap" && errors.Is(err, fs.ErrNotExist) {
				t.Skip("bootstrap is not installed: run make compat-node first, as CI does")
			}
			h := acctest.New(t, "assets")
			s := h.Session()
			want := sums(t, dir)
			apply(t, s, published(dir, nil))
			got := map[string]string{}
			keys, err := h.Keys("assets")
			if err != nil {
				t.Fatal(err)
			}
			for _, key := range keys {
				content, err := h.Engine().OpenContent("assets", key)
				if err != nil {
					t.Fatal(err)
				}
				sum := sha256.New()
				if _, err := io.Copy(sum, content); err != nil {
					t.Fatal(err)
				}
				if err := content.Close(); err != nil {
					t.Fatal(err)
				}
				got[key] = fmt.Sprintf("%x", sum.Sum(nil))
			}
			if diff := cmp.Diff(slices.Sorted(maps.Keys(want)), slices.Sorted(maps.Keys(got))); diff != "" {
				t.Fatalf("keys (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("contents (-want +got):\n%s", diff)
			}
			h.ResetRequests()
			expectEmptyPlan(t, s, published(dir, nil))
			if n, most := len(h.Requests()), (len(want)+999)/1000; n > most {
				t.Errorf("%d requests for a plan without a change of %d files, want at most %d", n, len(want), most)
			}
			t.Logf("%d files", len(want))
		})
	}
}
