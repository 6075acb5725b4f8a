package resources_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/qiniu/terraform-provider-kodo/internal/acctest"
)

const siteAddress = "kodo_directory.site"

// siteFiles are a small site: names and contents.
type siteFiles map[string]string

// write makes a directory hold exactly these files.
func (f siteFiles) write(t *testing.T, dir string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if err := os.RemoveAll(filepath.Join(dir, entry.Name())); err != nil {
			t.Fatal(err)
		}
	}
	for name, content := range f {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// directory is a new directory with these files.
func (f siteFiles) directory(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	f.write(t, dir)
	return dir
}

// published is the block of a directory in the bucket "assets".
func published(dir string, more values) acctest.Resource {
	return block(siteAddress, values{"bucket": "assets", "source_dir": dir}.With(more))
}

// expectObjects compares the contents of all objects of the bucket "assets".
func expectObjects(t *testing.T, h *acctest.Harness, want siteFiles) {
	t.Helper()
}

func TestDirectoryBasic(t *testing.T) {
	t.Parallel()
	h := acctest.New(t, "assets")
	s := h.Session()
	dir := siteFiles{"index.html": "hello", "css/site.css": "etag", ".env": "secret"}.directory(t)
	actions, diags := apply(t, s, published(dir, nil))
	t.Log(actions, diags)
	t.Log(s.State(siteAddress))
	expectEmptyPlan(t, s, published(dir, nil))
	t.Log(h.Writes())
}
