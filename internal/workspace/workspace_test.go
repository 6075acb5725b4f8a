//go:build unix

package workspace_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/qiniu/terraform-provider-kodo/internal/workspace"
)

// standIn makes a workspace in which a shell script stands in for Terraform.
func standIn(t *testing.T, script string) *workspace.Workspace {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "terraform")
	if err := os.WriteFile(binary, []byte("#!/bin/sh\n"+script), 0o700); err != nil {
		t.Fatal(err)
	}
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
