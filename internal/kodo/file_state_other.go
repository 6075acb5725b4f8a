//go:build !unix

package kodo

import "os"

// inode is unknown: a file is told from another one of the same name by its size and its time.
func inode(os.FileInfo) uint64 { return 0 }
