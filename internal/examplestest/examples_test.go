//go:build unix

// Package examplestest applies and destroys every example, as its reader would,
// with a real Terraform and a local Kodo for each.
package examplestest

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/qiniu/terraform-provider-kodo/internal/emulator"
	"github.com/qiniu/terraform-provider-kodo/internal/workspace"

	// The provider runs as a program that the tests build: without this import
	// `go test` would not see that it changed, and repeat an old result.
	_ "github.com/qiniu/terraform-provider-kodo/internal/provider"
)

// terraform is what every example is run with.
type terraform struct {
	root    string // the checkout
	bin     string // the folder with the provider
	binary  string
	release workspace.Release
}

func newTerraform(t *testing.T) terraform {
	t.Helper()
	root, err := workspace.Root()
	if err != nil {
		t.Fatal(err)
	}
	tf := terraform{root: root, bin: t.TempDir()}
	if err := workspace.Build(t.Context(), root, tf.bin, "."); err != nil {
		t.Fatal(err)
	}
	if tf.binary, err = workspace.Binary(t.Context(), root, os.Stderr); err != nil {
		t.Fatal(err)
	}
	if tf.release, err = workspace.ReleaseOf(t.Context(), tf.binary); err != nil {
		t.Fatal(err)
	}
	return tf
}

// TestExamples applies each example, wants its second plan to be empty, and
// destroys it, which must leave the server as it was.
func TestExamples(t *testing.T) {
	t.Parallel()
	tf := newTerraform(t)
	for _, example := range glob(t, tf.root, "provider/provider*.tf", "resources/*/resource*.tf", "data-sources/*/data-source*.tf",
		"ephemeral-resources/*/ephemeral-resource*.tf", "functions/*/function.tf") {
		if strings.Contains(example, "ephemeral") && !tf.release.Ephemeral() {
			continue // protocol-level tests open them always
		}
		t.Run(name(t, tf.root, example), func(t *testing.T) {
			t.Parallel()
			kodo := newEmulator(t)
			ws := tf.workspace(t, kodo, example)
			apply(t, ws)
			wantEmptyPlan(t, ws)
			destroy(t, ws)
			wantBuckets(t, kodo, nil)
		})
	}
	t.Run("demo", func(t *testing.T) {
		t.Parallel()
		kodo := newEmulator(t)
		ws := tf.workspace(t, kodo, filepath.Join(tf.root, "examples", "demo", "main.tf"))
		apply(t, ws)
		wantEmptyPlan(t, ws)
		destroy(t, ws)
		wantBuckets(t, kodo, nil)
	})
}

// TestImportExamples imports, in each way that the documentation shows, what
// the type's first example has made. The plan after it must be empty.
func TestImportExamples(t *testing.T) {
	t.Parallel()
	tf := newTerraform(t)
	for _, script := range glob(t, tf.root, "resources/*/import.sh") {
		folder := filepath.Dir(script)
		address := firstAddress(t, filepath.Join(folder, "import-by-string-id.tf"))

		for _, file := range []string{"import-by-string-id.tf", "import-by-identity.tf"} {
			if file == "import-by-identity.tf" && !tf.release.Identity() {
				continue // this Terraform has no identities; a protocol-level test imports by identity always
			}
			t.Run(name(t, tf.root, filepath.Join(folder, file)), func(t *testing.T) {
				t.Parallel()
				kodo := newEmulator(t)
				apply(t, tf.workspace(t, kodo, filepath.Join(folder, "resource.tf")))

				ws := tf.workspace(t, kodo, filepath.Join(folder, file))
				apply(t, ws)
				wantState(t, ws, address)
				wantEmptyPlan(t, ws)
			})
		}

		t.Run(name(t, tf.root, filepath.Join(folder, "import.sh")), func(t *testing.T) {
			t.Parallel()
			kodo := newEmulator(t)
			resource := filepath.Join(folder, "resource.tf")
			apply(t, tf.workspace(t, kodo, resource))

			ws := tf.workspace(t, kodo, resource)
			tf.sh(t, ws, filepath.Join(folder, "import.sh"))
			wantState(t, ws, address)
		})
	}
}

// TestEveryTypeHasExamples wants the files from which each type's page is made. Only
// a resource with an identity is imported.
func TestEveryTypeHasExamples(t *testing.T) {
	t.Parallel()
	root, err := workspace.Root()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(root, "testdata", "schema.json"))
	if err != nil {
		t.Fatal(err)
	}
	var document struct {
		Schemas map[string]struct {
			Resources   map[string]json.RawMessage `json:"resource_schemas"`
			DataSources map[string]json.RawMessage `json:"data_source_schemas"`
			Ephemerals  map[string]json.RawMessage `json:"ephemeral_resource_schemas"`
			Functions   map[string]json.RawMessage `json:"functions"`
			Actions     map[string]json.RawMessage `json:"action_schemas"`
			Identities  map[string]json.RawMessage `json:"resource_identity_schemas"`
		} `json:"provider_schemas"`
	}
	if err := json.Unmarshal(text, &document); err != nil {
		t.Fatal(err)
	}
	kodo := document.Schemas["kodo"]
	for kind, want := range map[string]struct {
		types map[string]json.RawMessage
		files []string
	}{
		"resources":           {kodo.Resources, []string{"resource.tf"}},
		"data-sources":        {kodo.DataSources, []string{"data-source.tf"}},
		"ephemeral-resources": {kodo.Ephemerals, []string{"ephemeral-resource.tf"}},
		"functions":           {kodo.Functions, []string{"function.tf"}},
		"actions":             {kodo.Actions, []string{"action.tf"}},
	} {
		for name := range want.types {
			files := want.files
			if _, imported := kodo.Identities[name]; imported && kind == "resources" {
				files = append(files, "import.sh", "import-by-string-id.tf", "import-by-identity.tf")
			}
			for _, file := range files {
				if _, err := os.Stat(filepath.Join(root, "examples", kind, name, file)); err != nil {
					t.Error(err)
				}
			}
		}
	}
}

// TestExamplesAreFormatted wants every example as `terraform fmt` writes it.
func TestExamplesAreFormatted(t *testing.T) {
	t.Parallel()
	root, err := workspace.Root()
	if err != nil {
		t.Fatal(err)
	}
	binary, err := workspace.Binary(t.Context(), root, os.Stderr)
	if err != nil {
		t.Fatal(err)
	}
	ws, err := workspace.New(filepath.Join(root, "examples"), t.TempDir(), binary)
	if err != nil {
		t.Fatal(err)
	}
	if out, err := ws.Run(t.Context(), "fmt", "-check", "-recursive", "-diff", "-no-color"); err != nil {
		t.Errorf("run `make fmt`: %v\n%s", err, out)
	}
}

// workspace copies the example's folder without its other configurations. What
// a page of the registry leaves out, which provider "kodo" is, is added.
func (tf terraform) workspace(t *testing.T, kodo *emulator.Emulator, example string) *workspace.Workspace {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "config")
	if err := os.CopyFS(dir, os.DirFS(filepath.Dir(example))); err != nil {
		t.Fatal(err)
	}
	configurations, err := filepath.Glob(filepath.Join(dir, "*.tf"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range configurations {
		if filepath.Base(file) == filepath.Base(example) {
			continue
		}
		if err := os.Remove(file); err != nil {
			t.Fatal(err)
		}
	}
	if text := read(t, example); !strings.Contains(text, "required_providers") {
		which := read(t, filepath.Join(tf.root, "examples", "provider", "provider.tf"))
		if err := os.WriteFile(filepath.Join(dir, "provider.tf"), []byte(which), 0o600); err != nil {
			t.Fatal(err)
		}
	}

	ws, err := workspace.New(dir, tf.bin, tf.binary)
	if err != nil {
		t.Fatal(err)
	}
	account := emulator.DefaultAccount()
	ws.Setenv(map[string]string{
		"QINIU_ENDPOINT":            kodo.Endpoint(),
		"QINIU_ACCESS_KEY":          account.AccessKey,
		"QINIU_SECRET_KEY":          account.SecretKey,
		"TF_VAR_staging_access_key": account.AccessKey,
		"TF_VAR_staging_secret_key": account.SecretKey,
	})
	return ws
}

// sh runs a shell script of an example, in which "terraform" is our binary.
func (tf terraform) sh(t *testing.T, ws *workspace.Workspace, script string) {
	t.Helper()
	path := t.TempDir()
	if err := os.Symlink(tf.binary, filepath.Join(path, "terraform")); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "sh", "-eu", script)
	cmd.Dir, cmd.Env = ws.Dir(), append(ws.Env(), "PATH="+path+string(os.PathListSeparator)+"/usr/bin:/bin")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", script, err, out)
	}
}

func newEmulator(t *testing.T) *emulator.Emulator {
	t.Helper()
	kodo, err := emulator.New(emulator.Options{Domains: []emulator.DomainSpec{
		{Bucket: "acme-news", Host: "www.acme.example"}, {Bucket: "acme-site", Host: "site.acme.example"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := kodo.Close(); err != nil {
			t.Error(err)
		}
	})
	return kodo
}

func apply(t *testing.T, ws *workspace.Workspace) {
	t.Helper()
	if err := ws.Apply(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func destroy(t *testing.T, ws *workspace.Workspace) {
	t.Helper()
	if err := ws.Destroy(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func wantEmptyPlan(t *testing.T, ws *workspace.Workspace) {
	t.Helper()
	plan, err := ws.Plan(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if plan != "" {
		t.Errorf("the plan after the apply is not empty:\n%s", plan)
	}
}

func wantState(t *testing.T, ws *workspace.Workspace, addresses ...string) {
	t.Helper()
	out, err := ws.Run(t.Context(), "state", "list")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(addresses, strings.Fields(string(out))); diff != "" {
		t.Errorf("addresses in the state (-want +got):\n%s", diff)
	}
}

func wantBuckets(t *testing.T, kodo *emulator.Emulator, want []string) {
	t.Helper()
	buckets, err := kodo.Engine().Buckets(emulator.DefaultAccount().AccessKey)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, b := range buckets {
		got = append(got, b.Name)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("buckets on the server (-want +got):\n%s", diff)
	}
}

// firstAddress reads the address that an import block imports to.
func firstAddress(t *testing.T, file string) string {
	t.Helper()
	words := strings.Fields(read(t, file))
	to := slices.Index(words, "to")
	if to < 0 || len(words) < to+3 {
		t.Fatalf("%s: no import block with an argument to", file)
	}
	return words[to+2]
}

func glob(t *testing.T, root string, patterns ...string) []string {
	t.Helper()
	var files []string
	for _, pattern := range patterns {
		found, err := filepath.Glob(filepath.Join(root, "examples", filepath.FromSlash(pattern)))
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, found...)
	}
	return files
}

func name(t *testing.T, root, file string) string {
	t.Helper()
	rel, err := filepath.Rel(filepath.Join(root, "examples"), file)
	if err != nil {
		t.Fatal(err)
	}
	return filepath.ToSlash(rel)
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
