//go:build unix

package kodo

import (
	"os"
	"syscall"
)

// inode returns the number of a file in its file system, which another file of the same name has not; 0 if unknown.
func inode(info os.FileInfo) uint64 {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		return uint64(stat.Ino) //nolint:unconvert // It is narrower on some systems.
	}
	return 0
}
