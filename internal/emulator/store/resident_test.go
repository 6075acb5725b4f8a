package store_test

import (
	"fmt"
	"testing"

	"github.com/qiniu/terraform-provider-kodo/internal/emulator/store"
)

// A look at everything in a large data file leaves little of it in memory.
func TestDataFileIsGivenBack(t *testing.T) {
	t.Parallel()
	const entries, size = 4096, 32 << 10 // 128 MiB
	s := open(t, store.Options{Dir: t.TempDir()})
	for first := 0; first < entries; first += 64 {
		err := s.Update(func(tx *store.Tx) error {
			for i := range 64 {
				if err := tx.Put(fmt.Sprintf("%04d", first+i), make([]byte, size), nil); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for range 2 { // The second time, what was given back is read again.
		seen := 0
		err := s.View(func(tx *store.Tx) error {
			for key, entry := range tx.Scan("", "") {
				if key != fmt.Sprintf("%04d", seen) || len(entry.Meta) != size {
					return fmt.Errorf("entry %d is %q with %d bytes", seen, key, len(entry.Meta))
				}
				seen++
			}
			return nil
		})
		if err != nil || seen != entries {
			t.Fatalf("%d entries, %v; want %d", seen, err, entries)
		}
	}
	if resident := store.ResidentFiles(); resident > 96<<20 {
		t.Errorf("%d MiB of files are resident, of a data file of 128 MiB", resident>>20)
	}
}
