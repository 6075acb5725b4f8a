//go:build unix

package workspace

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Workspace is a folder with a configuration, ready to be applied.
type Workspace struct {
	dir    string
	binary string
	env    []string
}

// New makes a workspace of the configuration in dir. The folder bin holds the
// provider and gets the CLI configuration that names it, a file of its own for
// each workspace, since others may be reading theirs; binary is Terraform's path.
func New(dir, bin, binary string) (*Workspace, error) {
	rc, err := os.CreateTemp(bin, "terraform-*.rc")
	if err != nil {
		return nil, err
	}
	// The short key stands for the default registry of both Terraform and
	// OpenTofu, which are different hosts.
	text := fmt.Sprintf("provider_installation {\n  dev_overrides {\n    \"qiniu/kodo\" = %s\n  }\n  direct {}\n}\n", strconv.Quote(bin))
	_, err = rc.WriteString(text)
	if err := errors.Join(err, rc.Close()); err != nil {
		return nil, err
	}
	own := slices.DeleteFunc(os.Environ(), func(v string) bool {
		return strings.HasPrefix(v, "TF_") || strings.HasPrefix(v, "TOFU_") || strings.HasPrefix(v, "QINIU_")
	})
	own = append(own, "TF_CLI_CONFIG_FILE="+rc.Name(), "TF_IN_AUTOMATION=1", "CHECKPOINT_DISABLE=1")
	return &Workspace{dir: dir, binary: binary, env: own}, nil
}

// Dir is the folder of the configuration.
func (w *Workspace) Dir() string { return w.dir }

// Env is the environment ("NAME=value") that Terraform runs in.
func (w *Workspace) Env() []string { return slices.Clone(w.env) }

// Setenv adds variables to the environment of the runs that follow.
func (w *Workspace) Setenv(env map[string]string) {
	for name, value := range env {
		w.env = append(w.env, name+"="+value)
	}
}

// Apply makes everything that the configuration says.
func (w *Workspace) Apply(ctx context.Context) error {
	_, err := w.Run(ctx, "apply", "-auto-approve", "-input=false", "-no-color")
	return err
}

// Destroy removes everything that was applied.
func (w *Workspace) Destroy(ctx context.Context) error {
	_, err := w.Run(ctx, "destroy", "-auto-approve", "-input=false", "-no-color")
	return err
}

// planHasChanges is the exit code of plan -detailed-exitcode for a plan that
// was made and is not empty.
const planHasChanges = 2

// Plan returns "" if there is nothing to change, else the plan as text.
func (w *Workspace) Plan(ctx context.Context) (string, error) {
	_, err := w.Run(ctx, "plan", "-detailed-exitcode", "-input=false", "-no-color")
	if failed := (*RunError)(nil); errors.As(err, &failed) && failed.Code == planHasChanges {
		return failed.Output, nil
	}
	return "", err
}

// Output reads the output value called name into value, as JSON.
func (w *Workspace) Output(ctx context.Context, name string, value any) error {
	out, err := w.Run(ctx, "output", "-json", "-no-color", name)
	if err != nil {
		return err
	}
	return json.Unmarshal(out, value)
}

// Version returns the program's name and version, such as "Terraform v1.14.2".
func (w *Workspace) Version(ctx context.Context) (string, error) {
	out, err := w.Run(ctx, "version")
	first, _, _ := strings.Cut(string(out), "\n")
	return first, err
}

// RunError is a run that did not end with exit code 0.
type RunError struct {
	Args   []string
	Code   int
	Output string // standard output, then standard error
}

func (e *RunError) Error() string {
	return fmt.Sprintf("terraform %s: exit code %d\n%s", strings.Join(e.Args, " "), e.Code, e.Output)
}

// Run runs Terraform and returns its standard output. When ctx ends, Terraform
// is interrupted, so that it writes its state and ends its providers.
func (w *Workspace) Run(ctx context.Context, args ...string) ([]byte, error) {
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, w.binary, args...)
	cmd.Dir = w.dir
	cmd.Env = w.env
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	// In a process group of its own Terraform gets our interrupt only: one
	// more from the terminal would make it quit without writing its state.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 20 * time.Second

	err := cmd.Run()
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return nil, fmt.Errorf("terraform %s: %w", strings.Join(args, " "), ctx.Err())
	case errors.As(err, &exit):
		return nil, &RunError{Args: args, Code: exit.ExitCode(), Output: stdout.String() + stderr.String()}
	case err != nil:
		return nil, fmt.Errorf("terraform %s: %w", strings.Join(args, " "), err)
	}
	return stdout.Bytes(), nil
}
