package store

import (
	"bytes"
	"os"
	"strconv"
	"syscall"
)

// gauge tells how many bytes of files the process has mapped and resident.
type gauge struct{ statm *os.File }

// openGauge returns a gauge that says 0 where there is no /proc.
func openGauge() gauge {
	statm, err := os.Open("/proc/self/statm")
	if err != nil {
		return gauge{}
	}
	return gauge{statm}
}

// read returns the third number of statm, which is in pages; proc(5).
func (g gauge) read() int64 {
	if g.statm == nil {
		return 0
	}
	var text [128]byte
	n, _ := g.statm.ReadAt(text[:], 0) //nolint:errcheck // It ends in io.EOF; what is missing counts as 0.
	fields := bytes.Fields(text[:n])
	if len(fields) < 3 {
		return 0
	}
	pages, err := strconv.ParseInt(string(fields[2]), 10, 64)
	if err != nil {
		return 0
	}
	return pages * int64(os.Getpagesize())
}

func (g gauge) close() {
	if g.statm != nil {
		g.statm.Close() //nolint:errcheck // It was only read.
	}
}

// giveBack takes pages of a shared mapping of a file out of the process's memory.
// What they hold is neither lost nor changed: madvise(2).
func giveBack(address, size uintptr) {
	syscall.Syscall(syscall.SYS_MADVISE, address, size, syscall.MADV_DONTNEED) //nolint:errcheck // It is a request.
}
