package workspace

import (
	"context"
	"fmt"
	"os/exec"
	"strings"
)

// A Release is a program that applies configurations, and since when it can do what.
type Release struct {
	Tofu  bool // OpenTofu, else Terraform
	Major int
	Minor int
}

// ReleaseOf asks a binary what it is.
func ReleaseOf(ctx context.Context, binary string) (Release, error) {
	out, err := exec.CommandContext(ctx, binary, "version").Output()
	if err != nil {
		return Release{}, fmt.Errorf("%s version: %w", binary, err)
	}
	return parseRelease(string(out))
}

// parseRelease finds the release in what the program says of itself, perhaps after a warning.
func parseRelease(said string) (r Release, err error) {
	for line := range strings.Lines(said) {
		name, version, _ := strings.Cut(strings.TrimSpace(line), " v")
		if name != "Terraform" && name != "OpenTofu" {
			continue
		}
		r.Tofu = name == "OpenTofu"
		_, err = fmt.Sscanf(version, "%d.%d", &r.Major, &r.Minor)
		return r, err
	}
	return r, fmt.Errorf("this is neither Terraform nor OpenTofu: %q", said)
}

// Ephemeral reports whether it opens ephemeral resources.
func (r Release) Ephemeral() bool { return r.since(10, 11) }

// WriteOnly reports whether it knows write-only arguments.
func (r Release) WriteOnly() bool { return r.since(11, 11) }

// Identity reports whether an import block may name an identity.
func (r Release) Identity() bool { return r.since(12, 12) }

// Actions reports whether it knows actions. No OpenTofu does.
func (r Release) Actions() bool { return !r.Tofu && r.since(14, 0) }

// since reports whether it is at least the minor version that first could do something.
func (r Release) since(terraform, tofu int) bool {
	first := terraform
	if r.Tofu {
		first = tofu
	}
	return r.Major > 1 || r.Minor >= first
}
