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

// prepareCLI finds a Terraform or an OpenTofu, once for the process, and sets
// the environment variables with which the testing framework runs it. It must
// not depend on what the machine has configured for its user.
var prepareCLI = sync.OnceValue(func() error {
	binary, err := findCLI()
	if err != nil {
		return err
	}
	variables := map[string]string{
		"TF_ACC_TERRAFORM_PATH": binary,
		"TF_CLI_CONFIG_FILE":    os.DevNull,
		"CHECKPOINT_DISABLE":    "1",
		"DO_NOT_TRACK":          "1",
	}
	tofu, err := isTofu(binary)
	if err != nil {
		return err
	}
	if tofu {
		// The framework writes the provider's address into configurations, for the registry of Terraform if nothing is said.
		variables["TF_ACC_PROVIDER_HOST"] = "registry.opentofu.org"
		variables["TF_ACC_PROVIDER_NAMESPACE"] = "hashicorp"
	}
	for name, value := range variables {
		if err := os.Setenv(name, value); err != nil {
			return err
		}
	}
	return nil
})

// findCLI returns the path of the binary: the one that TF_ACC_TERRAFORM_PATH
// names, else terraform or tofu on the PATH, else the OpenTofu that the
// checkout has built for itself.
func findCLI() (string, error) {
	if named := os.Getenv("TF_ACC_TERRAFORM_PATH"); named != "" {
		return named, nil
	}
	for _, name := range []string{"terraform", "tofu"} {
		if found, err := exec.LookPath(name); err == nil {
			return filepath.Abs(found)
		}
	}
	root, err := moduleRoot()
	if err != nil {
		return "", err
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
	return strings.HasPrefix(string(version), "OpenTofu"), nil
}
