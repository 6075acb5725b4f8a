package store_test

import (
	"bytes"
	"math"
	"slices"
	"testing"

	"github.com/qiniu/terraform-provider-kodo/internal/emulator/store"
)

func sameExtents(a, b []store.Extent) bool {
	return slices.EqualFunc(a, b, func(a, b store.Extent) bool { return a.ID == b.ID && a.Size == b.Size })
}

func TestEntryEncoding(t *testing.T) {
	t.Parallel()
	extents := []store.Extent{{ID: 1 << 32, Size: 4 << 20}, {ID: 1<<32 + 1}, {ID: math.MaxUint64, Size: math.MaxInt64}, {ID: 0, Size: 1}}
	for _, meta := range []string{"", "{}"} {
		got, gotExtents, err := store.DecodeEntry(store.EncodeEntry([]byte(meta), extents))
		if err != nil || string(got) != meta || !sameExtents(gotExtents, extents) {
			t.Errorf("decoded %q, %v, %v; want %q, %v", got, gotExtents, err, meta, extents)
		}
	}
}

// FuzzEntry decodes damaged entries: it may refuse them, and what it accepts it
// must be able to keep.
func FuzzEntry(f *testing.F) {
	f.Add(store.EncodeEntry([]byte("meta"), []store.Extent{{ID: 1 << 32, Size: 5}}))
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01})
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, value []byte) {
		meta, extents, err := store.DecodeEntry(value)
		if err != nil {
			return
		}
		again, againExtents, err := store.DecodeEntry(store.EncodeEntry(meta, extents))
		if err != nil || !bytes.Equal(again, meta) || !sameExtents(againExtents, extents) {
			t.Errorf("%q, %v became %q, %v (%v)", meta, extents, again, againExtents, err)
		}
	})
}
