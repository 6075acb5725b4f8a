package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"
)

// fileHCL is the configuration of one object for each file.
func fileHCL(paths ...string) string {
	var text strings.Builder
	for i, path := range paths {
		fmt.Fprintf(&text, "resource \"kodo_object\" \"o%d\" {\n  bucket = %q\n  key    = \"large/%d\"\n  source = %q\n}\n", i, bucket, i, path)
	}
	return text.String()
}

// large uploads one large file: inside the call that creates against the bare
// program, and the whole apply, which reads the file two times more, against the
// floor provider and the bare program.
func (b *bench) large(ctx context.Context) (rows []row, err error) {
	path, err := b.file("large", b.mib)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.Remove(path)) }()
	var bareTook time.Duration
	var apply measured
	for range 3 { // of which the best counts, since others use the machine too
		took, err := b.bareUpload(ctx, path)
		if err != nil {
			return nil, err
		}
		if bareTook == 0 || took < bareTook {
			bareTook = took
		}
		again, err := b.applyFiles(ctx, roleProvider, path)
		if err != nil {
			return nil, err
		}
		if len(again.provider.Creates) != 1 {
			return nil, fmt.Errorf("%d calls created, want 1", len(again.provider.Creates))
		}
		if apply.took == 0 || again.provider.Creates[0] < apply.provider.Creates[0] {
			apply = again
		}
	}
	floor, err := b.applyFiles(ctx, roleFloor, path)
	if err != nil {
		return nil, err
	}
	create := apply.provider.Creates[0]
	name, note := fmt.Sprintf("one file of %d MiB", b.mib), cpuNote(apply.provider.CPU, apply.emulatorCPU)
	return []row{
		{name + ", inside Create", mibPerSecond(b.mib, create), mibPerSecond(b.mib, bareTook),
			bound(fmt.Sprintf("%.2f", bareTook.Seconds()/create.Seconds()), apply.provider.CPU, apply.emulatorCPU), note + "; floor: bare program"},
		{name + ", whole apply", seconds(apply.took), seconds(floor.took + bareTook),
			bound(ratio(apply.took, floor.took+bareTook), apply.provider.CPU, apply.emulatorCPU), note + "; floor: floor provider and bare program"},
		{name + ", peak memory", fmt.Sprintf("%d MiB", apply.provider.PeakKiB>>10), fmt.Sprintf("%d MiB", floor.provider.PeakKiB>>10), "", "floor: floor provider"},
	}, nil
}

// bareUpload has the bare program upload a file to an emulator of its own.
func (b *bench) bareUpload(ctx context.Context, path string) (took time.Duration, err error) {
	e, err := b.emulator()
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, e.stop()) }()
	return newBare(e).file(ctx, path, "bare")
}

// applyFiles applies the configuration of some files. The emulator is a new one: what
// an earlier one has written is removed with it, and not on its way to the disk.
func (b *bench) applyFiles(ctx context.Context, role string, paths ...string) (m measured, err error) {
	e, err := b.emulator()
	if err != nil {
		return m, err
	}
	defer func() { err = errors.Join(err, e.stop()) }()
	site, err := b.site(e, role, fileHCL(paths...))
	if err != nil {
		return m, err
	}
	return site.terraform(ctx, "apply", "-auto-approve")
}

// memory uploads a quarter of the large file, ten such files at once, and four
// times the large file.
func (b *bench) memory(ctx context.Context) (rows []row, err error) {
	var least int
	for _, files := range []struct{ count, mib int }{{1, b.mib / 4}, {10, b.mib / 4}, {1, b.mib * 4}} {
		peak, err := b.peak(ctx, files.count, files.mib)
		if err != nil {
			return rows, err
		}
		if least == 0 {
			least = peak
		}
		rows = append(rows, row{
			fmt.Sprintf("peak memory, %d × %d MiB at once", files.count, files.mib), fmt.Sprintf("%d MiB", peak>>10), fmt.Sprintf("%d MiB", least>>10),
			fmt.Sprintf("%+d MiB", (peak-least)>>10), "floor: the first of these rows",
		})
	}
	return rows, nil
}

// peak is the most memory, in KiB, that the provider needs for so many files.
func (b *bench) peak(ctx context.Context, count, mib int) (peak int, err error) {
	path, err := b.file("memory", mib)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, os.Remove(path)) }()
	paths := make([]string, count) // the same bytes under as many keys: it is the uploads that count
	for i := range paths {
		paths[i] = path
	}
	apply, err := b.applyFiles(ctx, roleProvider, paths...)
	return apply.provider.PeakKiB, err
}
