package main

import (
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestGolden fails when the provider's surface changed and testdata/schema.json
// did not: `make generate` writes it, and its diff is read in review.
func TestGolden(t *testing.T) {
	t.Parallel()
	want, err := os.ReadFile("../../../testdata/schema.json")
	if err != nil {
		t.Fatal(err)
	}
	got, err := render(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("the schema differs from testdata/schema.json; run `make generate` and review the change (-want +got):\n%s", diff)
	}
}
