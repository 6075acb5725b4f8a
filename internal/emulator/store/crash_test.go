//go:build unix

package store_test

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/qiniu/terraform-provider-kodo/internal/emulator"
	"github.com/qiniu/terraform-provider-kodo/internal/emulator/engine"
	"github.com/qiniu/terraform-provider-kodo/internal/emulator/store"
	"github.com/qiniu/terraform-provider-kodo/internal/qetag"
)

// How long TestKill goes on; make crash asks for more.
var (
	kills = flag.Int("kills", 8, "how often TestKill kills an emulator, half of them syncing")
	seed  = flag.Uint64("seed", 0, "of TestKill's load and moments; 0: another one each time")
)

// startChild starts a process that says what it does.
func startChild(t *testing.T, child *exec.Cmd) io.Reader {
	t.Helper()
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	return out
}

// buildProgram builds the emulator as its users run it.
func buildProgram(t *testing.T) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "kodo-emulator")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", path, "github.com/qiniu/terraform-provider-kodo/cmd/kodo-emulator")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build the emulator: %v\n%s", err, out)
	}
	return path
}

// startProgram starts the emulator on a data folder and returns its endpoint.
func startProgram(t *testing.T, program, dir string, arguments []string) (child *exec.Cmd, endpoint string) {
	t.Helper()
	child = exec.Command(program, append([]string{"--listen", "127.0.0.1:0", "--data", dir, "--bucket", "crash"}, arguments...)...)
	lines := bufio.NewScanner(startChild(t, child))
	for lines.Scan() {
		if value, ok := strings.CutPrefix(lines.Text(), "export QINIU_ENDPOINT="); ok {
			return child, value
		}
	}
	t.Fatalf("the emulator ended before it was ready: %v", child.Wait())
	return nil, ""
}

// TestKill kills the emulator again and again, at random moments, while many
// clients change what it holds in every way that there is. Afterwards its folder
// holds every change that was acknowledged, whole; of a change that was under way
// all or nothing; nothing else; and no reference or file too many.
func TestKill(t *testing.T) {
	t.Parallel()
	program := buildProgram(t)
	if *seed == 0 {
		*seed = rand.Uint64()
	}
	t.Logf("-seed=%d", *seed)
	for i, mode := range []struct {
		name      string
		arguments []string
	}{{name: "sync"}, {"no-sync", []string{"--no-sync"}}} {
		t.Run(mode.name, func(t *testing.T) {
			t.Parallel()
			const workerCount = 32
			moments := rand.New(rand.NewPCG(*seed, uint64(i)))
			dir := t.TempDir()
			var workers []*crashWorker
			for n := range workerCount {
				workers = append(workers, newCrashWorker(t, n, rand.New(rand.NewPCG(moments.Uint64(), 0))))
			}
			for range *kills / 2 {
				child, endpoint := startProgram(t, program, dir, mode.arguments)
				loadAndKill(t, child, endpoint, workers, time.Duration(moments.IntN(500))*time.Millisecond)
				stored := readBack(t, dir)
				for _, w := range workers {
					w.check(stored)
				}
				for key := range stored {
					t.Errorf("nobody has put %q", key)
				}
				checkFolder(t, dir)
				if t.Failed() {
					return
				}
			}
			acknowledged := 0
			for _, w := range workers {
				acknowledged += w.acknowledged
			}
			t.Logf("%d kills, %d changes were acknowledged", *kills/2, acknowledged)
		})
	}
}

// loadAndKill has the workers at an emulator until it is killed after a while.
func loadAndKill(t *testing.T, child *exec.Cmd, endpoint string, workers []*crashWorker, after time.Duration) {
	t.Helper()
	killer := time.AfterFunc(after, func() {
		if err := child.Process.Kill(); err != nil {
			t.Error(err)
		}
	})
	defer killer.Stop()
	var all sync.WaitGroup
	for _, w := range workers {
		all.Go(func() { w.work(endpoint) })
	}
	all.Wait()
	if t.Failed() {
		child.Process.Kill() //nolint:errcheck // It may be dead already.
	}
	err := child.Wait()
	if child.ProcessState.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
		t.Fatalf("the child ended by itself: %v", err)
	}
}

// readBack returns every object that the folder holds. Each is listed once, and
// has the bytes that belong to its name, its size and its hash.
func readBack(t *testing.T, dir string) map[string]crashObject {
	t.Helper()
	e, err := engine.Open(engine.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	}()
	if err := e.AwaitSweep(t.Context()); err != nil {
		t.Error(err)
	}
	stored := map[string]crashObject{}
	request := engine.ListRequest{Owner: emulator.DefaultAccount().AccessKey, Bucket: "crash", NeedParts: true}
	for more := true; more; more = request.Marker != "" {
		page, err := e.List(request)
		if err != nil {
			t.Fatal(err)
		}
		request.Marker = page.Marker
		for _, object := range page.Items {
			if _, twice := stored[object.Key]; twice {
				t.Errorf("%s is listed twice", object.Key)
			}
			name, err := readObject(t.Context(), e, object)
			if err != nil {
				t.Errorf("%s: %v", object.Key, err)
			}
			stored[object.Key] = crashObject{content: name, mimeType: object.MimeType}
		}
	}
	return stored
}

// readObject returns the name of an object's content, which it begins with.
func readObject(ctx context.Context, e *engine.Engine, object engine.Object) (name string, err error) {
	opened, err := e.OpenContent("crash", object.Key)
	if err != nil {
		return "", err
	}
	defer opened.Close() //nolint:errcheck // It was only read.
	content, err := io.ReadAll(opened)
	if err != nil {
		return "", err
	}
	name, _, _ = strings.Cut(string(content), "\n")
	if string(content) != crashContent(name) || int64(len(content)) != object.Size {
		return name, fmt.Errorf("it has %d bytes, listed are %d, of the content %q, which has %d",
			len(content), object.Size, name, len(crashContent(name)))
	}
	hash := qetag.Sum(content)
	if object.Multipart {
		if hash, err = qetag.ReadAtParts(ctx, strings.NewReader(string(content)), object.Parts); err != nil {
			return name, err
		}
	}
	if hash != object.Hash {
		return name, fmt.Errorf("its bytes have the hash %s, listed is %s", hash, object.Hash)
	}
	return name, nil
}

// checkFolder counts the references to every piece of content, and the files.
func checkFolder(t *testing.T, dir string) {
	t.Helper()
	s, err := store.Open(store.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Check(); err != nil {
		t.Error(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}
