package acctest

import (
	"context"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/qiniu/terraform-provider-kodo/internal/workspace"
)

// prepareCLI finds a Terraform or an OpenTofu, once for the process, or builds
// one if there is none, and makes the environment in which the testing
// framework runs it: nothing that the machine has set up for its user may
// change what a test does.
var prepareCLI = sync.OnceValues(func() (release workspace.Release, err error) {
	root, err := workspace.Root()
	if err != nil {
		return release, err
	}
	binary, err := workspace.Binary(context.Background(), root, os.Stderr)
	if err != nil {
		return release, err
	}
	for _, variable := range os.Environ() {
		name, _, _ := strings.Cut(variable, "=")
		if strings.HasPrefix(name, "TF_") && !strings.HasPrefix(name, "TF_ACC") && !strings.HasPrefix(name, "TF_LOG") {
			if err := os.Unsetenv(name); err != nil {
				return release, err
			}
		}
	}
	err = setenv(map[string]string{
		"TF_ACC_TERRAFORM_PATH": binary,
		"TF_CLI_CONFIG_FILE":    os.DevNull,
		"CHECKPOINT_DISABLE":    "1",
	})
	if err != nil {
		return release, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if release, err = workspace.ReleaseOf(ctx, binary); err != nil || !release.Tofu {
		return release, err
	}
	// The framework writes addresses of providers, by default those of Terraform's registry.
	return release, setenv(map[string]string{
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
