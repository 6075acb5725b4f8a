// Package site is a local directory that is published under a prefix of a bucket: which files it has, how each is
// served, what was published before, what has to be done, and the doing of it in an order that no visitor notices.
//
// It stands on the client, and must never know of Terraform.
package site

import (
	"cmp"
	"errors"
	"fmt"
	"path"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/qiniu/terraform-provider-kodo/internal/kodo"
	"github.com/qiniu/terraform-provider-kodo/internal/qetag"
)

// A Source says which files of a directory are published.
type Source struct {
	Dir    string
	Prefix string // before the name of each file, for its key

	// Patterns of names, as CheckPattern accepts them. A file is published if one of Include matches its name, or if
	// there is none, and none of Exclude matches its name or that of a folder above it.
	Include, Exclude []string

	// Hidden publishes files and folders whose names begin with a dot. Of those, .well-known always is.
	Hidden bool

	Symlinks Symlinks
}

// Symlinks says what becomes of symbolic links.
type Symlinks int

// What becomes of symbolic links. A directory that is one itself is followed in any case.
const (
	FollowSymlinks Symlinks = iota // publish what they lead to, under the name of the link
	SkipSymlinks
	RefuseSymlinks
)

// A File is a regular file of a directory, to be published.
type File struct {
	Name string // below the directory, with slashes on every system
	Key  string
	ETag string // v1 hash of the content; "" before Hashes.Sum
	kodo.FileState
}

// maxFile is the size in bytes above which the hash of an object depends on how it was uploaded.
const maxFile = 10_000 * qetag.BlockSize

// CheckPattern says why a text is no pattern of names below a directory.
func CheckPattern(pattern string) error {
	switch {
	case pattern == "":
		return errors.New("a pattern is not empty")
	case !doublestar.ValidatePattern(pattern):
		return errors.New("it is not well formed")
	case strings.HasPrefix(pattern, "/") || strings.HasPrefix(pattern, "./") || strings.HasPrefix(pattern, "../"):
		return errors.New("a pattern begins with a name: all names are below the directory")
	case strings.HasSuffix(pattern, "/"):
		return fmt.Errorf("no name ends in a slash; everything in that folder is %q", pattern+"**")
	}
	return nil
}

// CheckPrefix says why a text cannot stand before the names of files.
func CheckPrefix(prefix string) error {
	if prefix != "" && !strings.HasSuffix(prefix, "/") {
		return errors.New("a prefix ends in a slash, or the keys of its files could not be told from others that begin alike")
	}
	return kodo.CheckKey(prefix)
}

// hidden reports whether a file or folder of this name, without its path, is hidden.
func hidden(base string) bool { return strings.HasPrefix(base, ".") && base != ".well-known" }

// match reports whether one of the patterns matches a name.
func match(patterns []string, name string) bool {
	for _, pattern := range patterns {
		if doublestar.MatchUnvalidated(pattern, name) {
			return true
		}
	}
	return false
}

// A Problem is something in a directory that cannot be published.
type Problem struct {
	Name string // of the file or folder
	Err  error
}

func byName(a, b Problem) int { return cmp.Compare(a.Name, b.Name) }

// Problems are all that were found.
type Problems []Problem

// Error implements error.
func (p Problems) Error() string {
	const shown = 20
	var b strings.Builder
	for i, problem := range p {
		if i == shown {
			fmt.Fprintf(&b, "\n… and %d more", len(p)-shown)
			break
		}
		if i > 0 {
			b.WriteByte('\n')
		}
		fmt.Fprintf(&b, "%q: %v", problem.Name, problem.Err)
	}
	return b.String()
}

// or returns the problems, if there are any.
func (p Problems) or() error {
	if len(p) == 0 {
		return nil
	}
	return p
}

// below joins the name of a folder and one in it.
func below(folder, base string) string { return path.Join(folder, base) }
