package acctest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// prepareCLI finds a Terraform or an OpenTofu, once for the process, and makes
// the environment in which the testing framework runs it: nothing that the
// machine has set up for its user may change what a test does.
var prepareCLI = sync.OnceValue(func() error {
	root, err := moduleRoot()
	if err != nil {
		return err
	}
	binary, err := findCLI(os.Getenv("TF_ACC_TERRAFORM_PATH"), exec.LookPath, root)
	if err != nil {
		return err
	}
	for _, variable := range os.Environ() {
		name, _, _ := strings.Cut(variable, "=")
		if strings.HasPrefix(name, "TF_") && !strings.HasPrefix(name, "TF_ACC") && !strings.HasPrefix(name, "TF_LOG") {
			if err := os.Unsetenv(name); err != nil {
				return err
			}
		}
	}
	err = setenv(map[string]string{
		"TF_ACC_TERRAFORM_PATH": binary,
		"TF_CLI_CONFIG_FILE":    os.DevNull,
		"CHECKPOINT_DISABLE":    "1",
	})
	if err != nil {
		return err
	}
	tofu, err := isTofu(binary)
	if err != nil || !tofu {
		return err
	}
	// The framework writes addresses of providers, by default those of Terraform's registry.
	return setenv(map[string]string{
		"TF_ACC_PROVIDER_HOST":      "registry.opentofu.org",
		"TF_ACC_PROVIDER_NAMESPACE": "hashicorp",
	})
})

func setenv(variables map[string]string) error {
	for name, value := range variables {
		if err := os.Setenv(name, value); err != nil {
			return err
		}
	}
	return nil
}

// findCLI returns the path of the binary, in the order of tools/find-terraform:
// the one that is named, else terraform or tofu on PATH, else the OpenTofu that
// the checkout has built for itself.
func findCLI(named string, lookPath func(string) (string, error), root string) (string, error) {
	if named != "" {
		return named, nil
	}
	for _, name := range []string{"terraform", "tofu"} {
		if found, err := lookPath(name); err == nil {
			return filepath.Abs(found)
		}
	}
	built := filepath.Join(root, "bin", "tofu")
	if _, err := os.Stat(built); err != nil {
		return "", errors.New("there is no Terraform: acceptance tests need terraform or tofu on PATH, or bin/tofu in this checkout, " +
			"which tools/find-terraform builds from OpenTofu's Go module; `make test` does so by itself")
	}
	return built, nil
}

// moduleRoot is the folder of go.mod, at or above the folder that a test runs in.
func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("there is no go.mod at or above the working folder")
		}
		dir = parent
	}
}

// isTofu reports whether the binary is an OpenTofu.
func isTofu(binary string) (bool, error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	version, err := exec.CommandContext(ctx, binary, "version").Output()
	if err != nil {
		return false, fmt.Errorf("%s version: %w", binary, err)
	}
	return strings.Contains(string(version), "OpenTofu v"), nil
}
