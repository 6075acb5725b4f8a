// Command provider measures the provider with a real Terraform against the local
// Kodo: how fast and in how little memory it uploads, what many objects cost, and
// how few requests it makes. Each row holds the figure against a floor that is
// measured in the same run on the same machine: a bare program that reads, hashes
// and sends the same bytes, or a provider with the same schema whose calls return
// at once, which is what Terraform itself costs, or do so within the framework.
//
//	go run ./bench/provider [-mib 1024] [-objects 1000] [-run large,memory,many,directory,digest,listing,together,small]
//
// It prints a row on each line: name | value | floor | ratio | note. The CPU time
// of provider and emulator is told apart; where the emulator uses more than half
// of both, the ratio says so.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/qiniu/terraform-provider-kodo/internal/workspace"
)

func main() {
	if role := os.Getenv(roleVariable); role != "" {
		if err := serve(role); err != nil {
			fmt.Fprintln(os.Stderr, "bench/provider:", err)
			os.Exit(1)
		}
		return
	}
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "bench/provider:", err)
		os.Exit(1)
	}
}

// row is a measured figure beside its floor.
type row struct{ name, value, floor, ratio, note string }

func (r row) String() string {
	return strings.Join([]string{r.name, r.value, r.floor, r.ratio, r.note}, " | ")
}

// bench is what the measurements share.
type bench struct {
	dir       string // a folder of our own
	bin       string // in it: this program as the provider, and the emulator
	terraform string
	mib       int // size of the large file
	objects   int // how many there are in the configuration of many
	files     int // how many there are in a directory
	created   int // folders so far
}

func run(ctx context.Context) (err error) {
	b := &bench{}
	flag.IntVar(&b.mib, "mib", 1024, "size of the large file in `MiB`; the memory rows take four times, a quarter, and ten quarters of it")
	flag.IntVar(&b.objects, "objects", 1000, "`number` of objects in one configuration")
	flag.IntVar(&b.files, "files", 10_000, "`number` of files in a directory; digest takes a tenth and ten times as many")
	only := flag.String("run", "", "the `measurements` to take, separated by commas: large, memory, many, directory, digest, listing, together, small; empty for all")
	flag.Parse()
	if b.dir, err = os.MkdirTemp("", "kodo-bench-"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(b.dir)) }()
	if err := b.build(ctx); err != nil {
		return err
	}
	for _, measurement := range []struct {
		name string
		take func(context.Context) ([]row, error)
	}{{"large", b.large}, {"memory", b.memory}, {"many", b.many}, {"directory", b.directory}, {"digest", b.digests}, {"listing", b.listing}, {"together", b.together}, {"small", b.small}} {
		if *only != "" && !slices.Contains(strings.Split(*only, ","), measurement.name) {
			continue
		}
		rows, err := measurement.take(ctx)
		for _, r := range rows {
			fmt.Println(r)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", measurement.name, err)
		}
	}
	return nil
}

// build puts the emulator, and this program under the provider's name, into a folder.
func (b *bench) build(ctx context.Context) error {
	b.bin = filepath.Join(b.dir, "bin")
	root, err := workspace.Root()
	if err != nil {
		return err
	}
	if b.terraform, err = workspace.Binary(ctx, root, os.Stderr); err != nil {
		return err
	}
	for name, pkg := range map[string]string{"kodo-emulator": "./cmd/kodo-emulator", "terraform-provider-kodo": "./bench/provider"} {
		build := exec.CommandContext(ctx, "go", "build", "-o", filepath.Join(b.bin, name), pkg)
		build.Dir, build.Stderr = root, os.Stderr
		if err := build.Run(); err != nil {
			return fmt.Errorf("build %s: %w", pkg, err)
		}
	}
	return nil
}

func (b *bench) program(name string) string { return filepath.Join(b.bin, name) }

// folder is a new one.
func (b *bench) folder() (string, error) {
	b.created++
	dir := filepath.Join(b.dir, fmt.Sprint(b.created))
	return dir, os.Mkdir(dir, 0o700)
}

// file writes a file of so many MiB that no disk compresses.
func (b *bench) file(name string, mib int) (string, error) {
	path := filepath.Join(b.dir, name)
	f, err := os.Create(path)
	if err != nil {
		return "", err
	}
	random := newRandom()
	block := make([]byte, 1<<20)
	for range mib {
		random.fill(block)
		if _, err := f.Write(block); err != nil {
			return "", errors.Join(err, f.Close())
		}
	}
	return path, f.Close()
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.2f s", d.Seconds()) }

func ratio(value, floor time.Duration) string {
	return fmt.Sprintf("%.2f", value.Seconds()/floor.Seconds())
}

func mibPerSecond(mib int, d time.Duration) string {
	return fmt.Sprintf("%.0f MiB/s", float64(mib)/d.Seconds())
}

// bound is the ratio with a word where the emulator, and not what is measured, sets it.
func bound(ratio string, provider, emulator time.Duration) string {
	if emulator > provider {
		return ratio + " (bound by the emulator)"
	}
	return ratio
}

func cpuNote(provider, emulator time.Duration) string {
	return fmt.Sprintf("CPU: provider %.1f s, emulator %.1f s", provider.Seconds(), emulator.Seconds())
}
