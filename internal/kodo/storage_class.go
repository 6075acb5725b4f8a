package kodo

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// A StorageClass is how Kodo stores an object, in Kodo's numbers. The zero StorageClass is Standard.
type StorageClass int

// The storage classes.
const (
	Standard StorageClass = iota
	InfrequentAccess
	Archive
	DeepArchive
	ArchiveInstantRetrieval
	IntelligentTiering
)

// StorageClasses returns the names of all storage classes, in the order of their numbers.
func StorageClasses() []string {
	return []string{"STANDARD", "IA", "ARCHIVE", "DEEP_ARCHIVE", "ARCHIVE_IR", "INTELLIGENT_TIERING"}
}

// String returns the class's name, or the number of a class that Kodo may have by now.
func (s StorageClass) String() string {
	if names := StorageClasses(); 0 <= s && int(s) < len(names) {
		return names[s]
	}
	return strconv.Itoa(int(s))
}

// ParseStorageClass reads what String returns: a name, or the number of a class that has none here.
func ParseStorageClass(name string) (StorageClass, error) {
	names := StorageClasses()
	if i := slices.Index(names, name); i >= 0 {
		return StorageClass(i), nil
	}
	if number, err := strconv.ParseUint(name, 10, 16); err == nil && int(number) >= len(names) {
		return StorageClass(number), nil
	}
	return 0, fmt.Errorf("%q is no storage class; those are %s", name, strings.Join(names, ", "))
}
