package acctest

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"

	"github.com/qiniu/terraform-provider-kodo/internal/workspace"
)

// prepareCLI finds a Terraform or an OpenTofu, once for the process, or builds
// one if there is none, and makes the environment in which the testing
// framework runs it: nothing that the machine has set up for its user may
// change what a test does.
var prepareCLI = sync.OnceValue(func() error {
	root, err := workspace.Root()
	if err != nil {
		return err
	}
	binary, err := workspace.Binary(context.Background(), root, os.Stderr)
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
