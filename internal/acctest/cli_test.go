package acctest

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestFindCLI(t *testing.T) {
	t.Parallel()
	bare, built := t.TempDir(), t.TempDir()
	tofu := filepath.Join(built, "bin", "tofu")
	if err := os.MkdirAll(filepath.Dir(tofu), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(tofu, nil, 0o700); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		named  string
		onPath []string
		root   string
		want   string
	}{
		"named":             {"/opt/terraform", []string{"terraform", "tofu"}, built, "/opt/terraform"},
		"terraform on PATH": {"", []string{"tofu", "terraform"}, built, "/usr/bin/terraform"},
		"tofu on PATH":      {"", []string{"tofu"}, built, "/usr/bin/tofu"},
		"built":             {"", nil, built, tofu},
		"none":              {"", nil, bare, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := findCLI(test.named, func(name string) (string, error) {
				for _, there := range test.onPath {
					if there == name {
						return "/usr/bin/" + name, nil
					}
				}
				return "", exec.ErrNotFound
			}, test.root)
			if got != test.want {
				t.Errorf("found %q, want %q", got, test.want)
			}
			if test.want == "" && (err == nil || !strings.Contains(err.Error(), "tools/find-terraform")) {
				t.Errorf("err = %v, want one that says what to run", err)
			}
		})
	}
}
