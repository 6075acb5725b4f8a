package tfkodo_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/qiniu/terraform-provider-kodo/internal/tfkodo"
)

func TestPackMap(t *testing.T) {
	t.Parallel()
	for _, elements := range []map[string]string{{}, {"": ""}, {"b": "2", "a/日本": "1", "<&>\"\u2028": "3"}} {
		if diff := cmp.Diff(elements, tfkodo.UnpackMap(tfkodo.PackMap(elements))); diff != "" {
			t.Errorf("%v (-want +got):\n%s", elements, diff)
		}
	}
	// The framework compares the texts.
	if tfkodo.PackMap(map[string]string{"a": "1", "b": "2", "c": "3"}) != tfkodo.PackMap(map[string]string{"c": "3", "b": "2", "a": "1"}) {
		t.Error("equal maps have different texts")
	}
	for _, text := range []string{"", "a", "\xc0", "\x91\xa1a", "\x81\xa1a", "\x81\xa1a\x01"} {
		if got := tfkodo.UnpackMap(text); got != nil {
			t.Errorf("%q is %v", text, got)
		}
	}
}
