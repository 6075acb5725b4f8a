//go:build linux

package main

import (
	"testing"
)

// TestAccMemory guards what the benchmark's rows of memory say, with smaller
// files, which still are larger than the budget for uploads: the provider's
// memory depends neither on the size of a file nor on the number of uploads.
func TestAccMemory(t *testing.T) {
	t.Parallel()
	b := &bench{dir: t.TempDir()}
	if err := b.build(t.Context()); err != nil {
		t.Fatal(err)
	}
	const most, apart = 128 << 10, 16 << 10 // KiB
	one := 0
	for _, files := range []struct{ count, mib int }{{1, 48}, {6, 48}, {1, 192}} {
		peak, err := b.peak(t.Context(), files.count, files.mib)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%d × %d MiB: %d KiB", files.count, files.mib, peak)
		if one == 0 {
			one = peak
		}
		if peak > most || peak-one > apart {
			t.Errorf("%d × %d MiB need %d KiB, one of 48 MiB %d KiB; want at most %d KiB, and %d KiB apart", files.count, files.mib, peak, one, most, apart)
		}
	}
}
