//go:build unix

package site_test

import (
	"path/filepath"
	"syscall"
	"testing"

	"github.com/qiniu/terraform-provider-kodo/internal/site"
)

// TestFilesWithAPipe refuses what would be waited for.
func TestFilesWithAPipe(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	expectProblems(t, site.Source{Dir: dir}, "pipe", "no file")
}
