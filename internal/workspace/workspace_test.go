//go:build unix

package workspace_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/qiniu/terraform-provider-kodo/internal/workspace"
)

// writeProgram writes a file that can be run. Nobody may fork meanwhile: a child
// that inherits the file while it is open for writing keeps it from being run,
// with "text file busy" (https://go.dev/issue/22315).
func writeProgram(t *testing.T, name string, text []byte) {
	t.Helper()
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	if err := os.WriteFile(name, text, 0o700); err != nil {
		t.Fatal(err)
	}
}

// standIn makes a workspace in which a shell script stands in for Terraform.
func standIn(t *testing.T, script string) *workspace.Workspace {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "terraform")
	writeProgram(t, binary, []byte("#!/bin/sh\n"+script))
	ws, err := workspace.New(t.TempDir(), t.TempDir(), binary)
	if err != nil {
		t.Fatal(err)
	}
	return ws
}

func TestRun(t *testing.T) {
	t.Parallel()
	out, err := standIn(t, `echo "$1"; echo warning >&2`).Run(t.Context(), "version")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := string(out), "version\n"; got != want {
		t.Errorf("Run = %q, want the standard output %q", got, want)
	}

	_, err = standIn(t, `echo half; echo broken >&2; exit 3`).Run(t.Context(), "apply", "-auto-approve")
	var failed *workspace.RunError
	if !errors.As(err, &failed) {
		t.Fatalf("Run = %v, want a *RunError", err)
	}
	want := workspace.RunError{Args: []string{"apply", "-auto-approve"}, Code: 3, Output: "half\nbroken\n"}
	if diff := cmp.Diff(want, *failed); diff != "" {
		t.Errorf("RunError (-want +got):\n%s", diff)
	}
}

func TestPlan(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		script string
		plan   string
		fails  bool
	}{
		"nothing to change": {script: "echo No changes; exit 0"},
		"something":         {script: "echo Plan: 1 to add; exit 2", plan: "Plan: 1 to add\n"},
		"an error":          {script: "echo Error; exit 1", fails: true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			plan, err := standIn(t, test.script).Plan(t.Context())
			if plan != test.plan || (err != nil) != test.fails {
				t.Errorf("Plan = %q, %v, want %q and fails = %t", plan, err, test.plan, test.fails)
			}
		})
	}
}

// TestRunInterrupted wants Terraform to be asked to end, once, and waited for.
func TestRunInterrupted(t *testing.T) {
	t.Parallel()
	ws := standIn(t, `trap 'echo interrupted >>seen; exit 1' INT; : >ready; while :; do sleep 0.01; done`)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		for {
			if _, err := os.Stat(filepath.Join(ws.Dir(), "ready")); err == nil || t.Context().Err() != nil {
				cancel()
				return
			}
			time.Sleep(time.Millisecond)
		}
	}()
	if _, err := ws.Run(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Run = %v, want an error that is context.Canceled", err)
	}
	seen, err := os.ReadFile(filepath.Join(ws.Dir(), "seen"))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := string(seen), "interrupted\n"; got != want {
		t.Errorf("the program saw %q, want %q", got, want)
	}
}

// TestBinary wants the one order in which everything here looks for Terraform.
func TestBinary(t *testing.T) {
	root, err := workspace.Root()
	if err != nil {
		t.Fatal(err)
	}
	script, err := os.ReadFile(filepath.Join(root, "tools", "find-terraform"))
	if err != nil {
		t.Fatal(err)
	}
	dirname, err := exec.LookPath("dirname") // all that the script itself needs
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		named  string
		onPath []string
		want   string // below the root
	}{
		"named":             {"/opt/terraform", []string{"terraform", "tofu"}, "/opt/terraform"},
		"terraform on PATH": {"", []string{"tofu", "terraform"}, "path/terraform"},
		"tofu on PATH":      {"", []string{"tofu"}, "path/tofu"},
		"built":             {"", nil, "bin/tofu"},
	} {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			for _, folder := range []string{"tools", "path", "bin"} {
				if err := os.Mkdir(filepath.Join(root, folder), 0o700); err != nil {
					t.Fatal(err)
				}
			}
			programs := map[string][]byte{"tools/find-terraform": script, "bin/tofu": nil}
			for _, program := range test.onPath {
				programs["path/"+program] = nil
			}
			for program, text := range programs {
				writeProgram(t, filepath.Join(root, program), text)
			}
			if err := os.Symlink(dirname, filepath.Join(root, "path", "dirname")); err != nil {
				t.Fatal(err)
			}
			t.Setenv("PATH", filepath.Join(root, "path"))
			t.Setenv("TF_ACC_TERRAFORM_PATH", test.named)

			want := test.want
			if !filepath.IsAbs(want) {
				want = filepath.Join(root, want)
			}
			got, err := workspace.Binary(t.Context(), root, os.Stderr)
			if err != nil || got != want {
				t.Errorf("Binary = %q, %v, want %q", got, err, want)
			}
		})
	}
}

// TestEnvironment wants nothing of the user's own setup of Terraform and of Kodo
// in a workspace.
func TestEnvironment(t *testing.T) {
	t.Setenv("TF_CLI_ARGS", "-lock=false")
	t.Setenv("QINIU_ENDPOINT", "https://kodo.example")
	t.Setenv("MARKED_BY_THIS_TEST", "kept")
	ws := standIn(t, "")
	ws.Setenv(map[string]string{"QINIU_ACCESS_KEY": "of-the-run"})

	var got []string
	for _, v := range ws.Env() {
		name, _, _ := strings.Cut(v, "=")
		if strings.HasPrefix(name, "TF_") || strings.HasPrefix(name, "QINIU_") || strings.HasPrefix(name, "MARKED_") {
			got = append(got, name)
		}
	}
	slices.Sort(got)
	want := []string{"MARKED_BY_THIS_TEST", "QINIU_ACCESS_KEY", "TF_CLI_CONFIG_FILE", "TF_IN_AUTOMATION"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("variables of a run (-want +got):\n%s", diff)
	}
}
