//go:build !unix

package site

import "os"

// open opens a regular file for reading.
func open(path string) (*os.File, error) { return os.Open(path) }
