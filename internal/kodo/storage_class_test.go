package kodo_test

import (
	"testing"

	"github.com/qiniu/terraform-provider-kodo/internal/kodo"
)

func TestStorageClasses(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]kodo.StorageClass{
		"STANDARD": 0, "IA": 1, "ARCHIVE": 2, "DEEP_ARCHIVE": 3, "ARCHIVE_IR": 4, "INTELLIGENT_TIERING": 5,
	} {
		if got, err := kodo.ParseStorageClass(name); err != nil || got != want || got.String() != name {
			t.Errorf("%s: got %d, %v, written %s, want %d", name, got, err, got, want)
		}
	}
	for _, name := range []string{"", "standard", "0", "5", "-1", "GLACIER"} {
		if got, err := kodo.ParseStorageClass(name); err == nil {
			t.Errorf("%q is taken for %s", name, got)
		}
	}
	// A class of a newer Kodo goes from the server to the state and back.
	if got, err := kodo.ParseStorageClass("6"); err != nil || got != 6 {
		t.Errorf("6: got %d, %v", got, err)
	}
	for number, want := range map[kodo.StorageClass]string{6: "6", -1: "-1"} {
		if got := number.String(); got != want {
			t.Errorf("class %d is written %q, want %q", int(number), got, want)
		}
	}
}
