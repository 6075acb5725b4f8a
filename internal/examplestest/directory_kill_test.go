//go:build linux

package examplestest

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/qiniu/terraform-provider-kodo/internal/emulator"
	"github.com/qiniu/terraform-provider-kodo/internal/workspace"
)

// directorySite is the configuration of TestAccDirectoryKilled.
const directorySite = `
resource "kodo_directory" "site" {
  bucket     = "site"
  source_dir = "${path.module}/public"
  rule {
    pattern       = "**/*.html"
    cache_control = "no-cache"
  }
}

output "files" {
  value = kodo_directory.site.files
}
`

// TestAccDirectoryKilled publishes a site by a real Terraform. Three times the provider is killed, or Terraform is, or
// the user interrupts it, at a random moment; then one apply is left alone, and everything must agree.
func TestAccDirectoryKilled(t *testing.T) {
	t.Parallel()
	tf := newTerraform(t)
	for seed := range uint64(3) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			kodo, err := emulator.New(emulator.Options{Buckets: []emulator.BucketSpec{{Name: "site"}}, Latency: 20 * time.Millisecond})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				if err := kodo.Close(); err != nil {
					t.Error(err)
				}
			})
			example := filepath.Join(t.TempDir(), "main.tf")
			if err := os.WriteFile(example, []byte(directorySite), 0o600); err != nil {
				t.Fatal(err)
			}
			ws := tf.workspace(t, kodo, example)
			random := rand.New(rand.NewPCG(seed, 2))
			files := map[string]string{}
			for version := range 2 {
				for i := range 400 {
					if version == 0 || random.IntN(2) == 0 {
						files[fmt.Sprintf("%d/%d.%s", i%7, i, []string{"css", "html"}[i%2])] = fmt.Sprint(version, i)
					}
				}
				writePublic(t, ws.Dir(), files)
				for i := range 3 {
					stopApply(t, tf.binary, ws, kodo, i, random.IntN(300))
				}
				apply(t, ws)
				wantPublished(t, ws, kodo, files)
				wantEmptyPlan(t, ws)
				for i := range 400 {
					if random.IntN(4) == 0 {
						delete(files, fmt.Sprintf("%d/%d.%s", i%7, i, []string{"css", "html"}[i%2]))
					}
				}
			}
			destroy(t, ws)
			wantPublished(t, nil, kodo, nil)
		})
	}
}

// writePublic makes the folder public hold exactly these files.
func writePublic(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	dir = filepath.Join(dir, "public")
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	for name, content := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// stopApply begins an apply, and stops it when so many requests have been made, in one of three ways. A taint, which
// Terraform leaves when it was told of the end, is taken off.
func stopApply(t *testing.T, binary string, ws *workspace.Workspace, kodo *emulator.Emulator, way, requests int) {
	t.Helper()
	var out bytes.Buffer
	cmd := exec.Command(binary, "apply", "-auto-approve", "-input=false", "-no-color") // not by the test's context: it is ended below
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = ws.Dir(), ws.Env(), &out, &out
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	kodo.ResetRequests()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = cmd.Wait() // however it ends
	}()
	for len(kodo.Requests()) < requests {
		select {
		case <-ended:
			return // it was faster
		case <-time.After(time.Millisecond):
		}
	}
	providers := childrenOf(cmd.Process.Pid)
	switch way {
	case 0:
		kill(providers, syscall.SIGKILL)
	case 1:
		kill([]int{cmd.Process.Pid}, syscall.SIGKILL)
		kill(providers, syscall.SIGKILL) // or they would go on without anybody to tell
	default:
		began := time.Now()
		kill([]int{cmd.Process.Pid}, syscall.SIGINT)
		<-ended
		if took := time.Since(began); took > 20*time.Second {
			t.Errorf("an interrupted apply took %s:\n%s", took, &out)
		}
	}
	<-ended
	if strings.Contains(out.String(), "tainted") {
		if _, err := ws.Run(t.Context(), "untaint", "-no-color", "kodo_directory.site"); err != nil {
			t.Log(err)
		}
	}
}

func kill(pids []int, signal syscall.Signal) {
	for _, pid := range pids {
		_ = syscall.Kill(pid, signal) // it may have ended
	}
}

// childrenOf are the processes that a process has started.
func childrenOf(parent int) (pids []int) {
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, file := range stats {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // it has ended
		}
		_, rest, _ := strings.Cut(string(text), ") ") // the name may hold anything
		fields := strings.Fields(rest)
		if len(fields) > 1 && fields[1] == strconv.Itoa(parent) {
			pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(file)))
			pids = append(pids, pid)
		}
	}
	return pids
}

// wantPublished compares the server with the files, and the state with the server.
func wantPublished(t *testing.T, ws *workspace.Workspace, kodo *emulator.Emulator, want map[string]string) {
	t.Helper()
	keys, err := kodo.Keys("site")
	if err != nil {
		t.Fatal(err)
	}
	got, hashes := map[string]string{}, map[string]string{}
	for _, key := range keys {
		content, err := kodo.Content("site", key)
		if err != nil {
			t.Fatal(err)
		}
		got[key] = string(content)
		object, err := kodo.Engine().Stat(emulator.DefaultAccount().AccessKey, "site", key)
		if err != nil {
			t.Fatal(err)
		}
		hashes[key] = object.Hash
	}
	if len(want) != len(got) || len(want) > 0 && !cmp.Equal(want, got) {
		t.Errorf("objects (-want +got):\n%s", cmp.Diff(want, got))
	}
	if ws == nil {
		return
	}
	state := map[string]string{}
	if err := ws.Output(t.Context(), "files", &state); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(hashes, state); diff != "" {
		t.Errorf("hashes (-server +state):\n%s", diff)
	}
}
