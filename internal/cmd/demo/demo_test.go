//go:build unix

package main

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	// Both run as programs that the demo builds: without these imports `go test`
	// would not see that they changed, and repeat an old result.
	_ "github.com/qiniu/terraform-provider-kodo/internal/emulator"
	_ "github.com/qiniu/terraform-provider-kodo/internal/provider"
)

// TestDemo runs the whole demo and wants nothing to be left of it.
func TestDemo(t *testing.T) {
	t.Parallel()
	temp := t.TempDir()
	var out bytes.Buffer
	if err := run(t.Context(), options{temp: temp, out: &out, progress: os.Stderr}); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	t.Logf("\n%s", out.String())

	var said []string
	for line := range strings.Lines(out.String()) {
		said = append(said, strings.Fields(line)[0])
	}
	if diff := cmp.Diff([]string{"build", "start", "apply", "fetch", "plan", "change", "destroy"}, said); diff != "" {
		t.Errorf("steps (-want +got):\n%s", diff)
	}
	wantEmpty(t, temp)
}

// TestDemoKept wants the site to be up after the demo, and the two commands that
// it prints to end it without a trace.
func TestDemoKept(t *testing.T) {
	t.Parallel()
	temp := t.TempDir()
	var out bytes.Buffer
	if err := run(t.Context(), options{keep: true, temp: temp, out: &out, progress: os.Stderr}); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	said := regexp.MustCompile(`The site is up: +(\S+)\n.*kill (\d+) && rm -r (\S+)`).FindStringSubmatch(out.String())
	if said == nil {
		t.Fatalf("the demo does not say where the site is and how to end it:\n%s", out.String())
	}
	address, work := said[1], said[3]
	pid, err := strconv.Atoi(said[2])
	if err != nil {
		t.Fatal(err)
	}

	page, err := get(t.Context(), http.DefaultClient, address)
	if err != nil || !bytes.Contains(page, []byte("Harbour Museum")) {
		t.Errorf("%s: %.80q, %v", address, page, err)
	}
	if err := syscall.Kill(pid, syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(work); err != nil {
		t.Fatal(err)
	}
	wantEmpty(t, temp)
}

// TestDemoInterrupted interrupts the demo while the emulator runs.
func TestDemoInterrupted(t *testing.T) {
	t.Parallel()
	temp := t.TempDir()
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	go func() {
		for ctx.Err() == nil {
			if logs, _ := filepath.Glob(filepath.Join(temp, "*", "emulator.log")); len(logs) > 0 {
				interrupt()
			}
			time.Sleep(10 * time.Millisecond)
		}
	}()
	var out bytes.Buffer
	if err := run(ctx, options{temp: temp, out: &out, progress: os.Stderr}); !errors.Is(err, context.Canceled) {
		t.Errorf("an interrupted demo returns %v, want an error that is context.Canceled\n%s", err, out.String())
	}
	wantEmpty(t, temp)
}

func TestParseExports(t *testing.T) {
	t.Parallel()
	got := parseExports("Kodo listens\nexport QINIU_ENDPOINT=http://127.0.0.1:1\n  export QUOTED='a b'\nexport QINIU_ACCESS_KEY=half-a-li")
	want := map[string]string{"QINIU_ENDPOINT": "http://127.0.0.1:1", "QUOTED": "a b"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("parseExports (-want +got):\n%s", diff)
	}
}

// TestFoghorn wants a well-formed WAV file that needs more than one part of 4 MiB.
func TestFoghorn(t *testing.T) {
	t.Parallel()
	wav := foghornWAV()
	if got, want := len(wav), 44+72*44100*2; got != want {
		t.Errorf("foghornWAV has %d bytes, want %d", got, want)
	}
	if got, want := string(wav[:4])+string(wav[8:16])+string(wav[36:40]), "RIFFWAVEfmt data"; got != want {
		t.Errorf("foghornWAV has the markers %q, want %q", got, want)
	}
}

func wantEmpty(t *testing.T, dir string) {
	t.Helper()
	left, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range left {
		t.Errorf("%s is left in the temporary folder", entry.Name())
	}
}
