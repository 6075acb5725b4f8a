package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/qiniu/terraform-provider-kodo/internal/kodo"
)

// tree writes so many files of 0.5 to 20 KiB, a hundred in each folder.
func (b *bench) tree(n int) (dir string, err error) {
	dir, err = b.folder()
	if err != nil {
		return "", err
	}
	random := newRandom()
	block := make([]byte, 20<<10)
	random.fill(block)
	for i := range n {
		folder := filepath.Join(dir, fmt.Sprintf("folder-%04d", i/100))
		if i%100 == 0 {
			if err := os.Mkdir(folder, 0o700); err != nil {
				return "", err
			}
		}
		if err := b.rewrite(dir, i, block); err != nil {
			return "", err
		}
		if i%64 == 0 {
			random.fill(block)
		}
	}
	return dir, nil
}

// rewrite gives a file of a tree content of its own.
func (*bench) rewrite(dir string, i int, block []byte) error {
	const least, most = 512, 20 << 10
	content := append([]byte(fmt.Sprintf("%d ", i)), block[:least+i*7919%(most-least)]...)
	return os.WriteFile(filepath.Join(dir, fmt.Sprintf("folder-%04d", i/100), fmt.Sprintf("asset-%06d.bin", i)), content, 0o600)
}

func directoryHCL(dir, more string) string {
	return fmt.Sprintf("resource \"kodo_directory\" \"d\" {\n  bucket     = %q\n  prefix     = \"site/\"\n  source_dir = %q\n%s}\n", bucket, dir, more)
}

// directory publishes a directory, plans it without a change, changes one in a
// hundred of its files, and destroys it; and once more through a network that
// takes its time.
func (b *bench) directory(ctx context.Context) (rows []row, err error) {
	dir, err := b.tree(b.files)
	if err != nil {
		return nil, err
	}
	for _, measure := range []func(context.Context, string) ([]row, error){b.published, b.slowly} {
		more, err := measure(ctx, dir)
		rows = append(rows, more...)
		if err != nil {
			return rows, err
		}
	}
	return rows, nil
}

// published is one life of a directory.
func (b *bench) published(ctx context.Context, dir string) (rows []row, err error) {
	e, err := b.emulator()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, e.stop()) }()
	site, err := b.site(e, roleProvider, directoryHCL(dir, ""))
	if err != nil {
		return nil, err
	}
	floorSite, err := b.site(e, roleFloor, directoryHCL(dir, ""))
	if err != nil {
		return nil, err
	}
	made := map[string]string{madeVariable: filepath.Join(b.dir, "made")}
	site.Setenv(made)
	floorSite.Setenv(made)

	const plans = 5 // a plan changes nothing, so there may be many
	hashing, err := median(plans, func() error { return hash(ctx, dir) })
	if err != nil {
		return nil, err
	}
	uploads, err := newBare(e).directory(ctx, dir, kodo.DefaultConcurrency)
	if err != nil {
		return nil, err
	}
	block := make([]byte, 20<<10)
	for _, command := range []struct {
		name, bare string
		floor      time.Duration // of what the provider does; 0 if nothing is held against it
		times      int           // of which the median counts
		before     func() error
		arguments  []string
	}{
		{"apply", "bare program", uploads, 1, nil, []string{"apply", "-auto-approve"}},
		{"plan without a change", "hashing the files", hashing, plans, nil, []string{"plan"}},
		{"1 % changed", "", 0, 1, func() error {
			for i := 0; i < b.files; i += 100 {
				if err := b.rewrite(dir, i, block); err != nil {
					return err
				}
			}
			return nil
		}, []string{"apply", "-auto-approve"}},
		{"destroy", "", 0, 1, nil, []string{"destroy", "-auto-approve"}},
	} {
		if command.before != nil {
			if err := command.before(); err != nil {
				return rows, err
			}
		}
		is, err := site.medianOf(ctx, command.times, command.arguments...)
		if err != nil {
			return rows, err
		}
		r := row{name: fmt.Sprintf("directory of %d files, %s", b.files, command.name), value: seconds(is.took)}
		r.note = fmt.Sprintf("%d requests, peak %d MiB; %s", is.requests, is.provider.PeakKiB>>10, cpuNote(is.provider.CPU, is.emulatorCPU))
		if command.floor > 0 {
			floor, err := floorSite.medianOf(ctx, command.times, command.arguments...)
			if err != nil {
				return rows, err
			}
			r.value, r.floor = seconds(is.took-floor.took), seconds(command.floor)
			r.ratio = bound(ratio(is.took-floor.took, command.floor), is.provider.CPU, is.emulatorCPU)
			if command.times > 1 {
				r.note += fmt.Sprintf("; the median of %d, as of its floors", command.times)
			}
			r.note = fmt.Sprintf("of %s altogether, less %s of the floor provider; %s; floor: %s", seconds(is.took), seconds(floor.took), r.note, command.bare)
		}
		rows = append(rows, r)
	}
	return rows, nil
}

// slowly publishes through a network on which each request takes 50 ms.
func (b *bench) slowly(ctx context.Context, dir string) (rows []row, err error) {
	const latency = 50 * time.Millisecond
	e, err := b.emulator("--latency", latency.String())
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, e.stop()) }()
	site, err := b.site(e, roleProvider, directoryHCL(dir, ""))
	if err != nil {
		return nil, err
	}
	is, err := site.terraform(ctx, "apply", "-auto-approve")
	if err != nil {
		return nil, err
	}
	if len(is.provider.Creates) != 1 {
		return nil, fmt.Errorf("%d calls have created the directory", len(is.provider.Creates))
	}
	rate, most := float64(b.files)/is.provider.Creates[0].Seconds(), kodo.DefaultConcurrency/latency.Seconds()
	return []row{{
		fmt.Sprintf("directory of %d files, %s for each request", b.files, latency), fmt.Sprintf("%.0f/s", rate), fmt.Sprintf("%.0f/s", most), fmt.Sprintf("%.2f", rate/most),
		fmt.Sprintf("files, inside Create, of %s altogether; %s; floor: concurrency over latency", seconds(is.took), cpuNote(is.provider.CPU, is.emulatorCPU)),
	}}, nil
}

// digests publishes directories of three sizes whose files are tracked by
// digest.
func (b *bench) digests(ctx context.Context) (rows []row, err error) {
	for _, n := range []int{b.files / 10, b.files, 10 * b.files} {
		one, err := b.digest(ctx, n)
		rows = append(rows, one...)
		if err != nil {
			return rows, err
		}
	}
	return rows, nil
}

func (b *bench) digest(ctx context.Context, n int) (rows []row, err error) {
	dir, err := b.tree(n)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	e, err := b.emulator()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, e.stop()) }()
	site, err := b.site(e, roleProvider, directoryHCL(dir, "  track      = \"DIGEST\"\n"))
	if err != nil {
		return nil, err
	}
	for _, command := range [][]string{{"apply", "-auto-approve"}, {"plan"}} {
		is, err := site.terraform(ctx, command...)
		if err != nil {
			return nil, err
		}
		rows = append(rows, row{
			fmt.Sprintf("directory of %d files by digest, %s", n, command[0]), fmt.Sprintf("%d MiB", is.provider.PeakKiB>>10), "256 MiB", fmt.Sprintf("%.2f", float64(is.provider.PeakKiB)/(256<<10)),
			fmt.Sprintf("peak memory of the provider; %s, %.2f ms for each file; %s; not a floor but the bound", seconds(is.took), milliseconds(is.took)/float64(n), cpuNote(is.provider.CPU, is.emulatorCPU)),
		})
	}
	return rows, nil
}
