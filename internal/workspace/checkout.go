// Package workspace runs Terraform, or OpenTofu, in a folder, with the provider
// that was built from this checkout in place of a released one.
//
// What the user has set up for Terraform (a CLI configuration, TF_ variables,
// keys of Kodo) has no effect in it, and it leaves no trace outside its
// folder. It must never know what the configuration in the folder is about.
package workspace

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// Root returns the checkout: the folder of the go.mod above the current folder.
func Root() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		_, err := os.Stat(filepath.Join(dir, "go.mod"))
		if err == nil {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir || !errors.Is(err, os.ErrNotExist) {
			return "", fmt.Errorf("no go.mod above the current folder: %w", err)
		}
		dir = parent
	}
}

// Build compiles packages of the checkout into the folder bin.
func Build(ctx context.Context, root, bin string, packages ...string) error {
	if err := os.MkdirAll(bin, 0o755); err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, "go", slices.Concat([]string{"build", "-o", bin + "/"}, packages)...)
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go build %s: %w\n%s", strings.Join(packages, " "), err, out)
	}
	return nil
}

// Binary returns the Terraform binary that tools/find-terraform decides on.
// Where there is none it builds OpenTofu, which takes minutes; what it has to
// say about that goes to progress.
func Binary(ctx context.Context, root string, progress io.Writer) (string, error) {
	cmd := exec.CommandContext(ctx, filepath.Join(root, "tools", "find-terraform"))
	// The signal reaches the script, which then removes what it has half built.
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.Stderr = progress
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("find or build Terraform: %w", err)
	}
	return strings.TrimSpace(string(out)), nil
}
