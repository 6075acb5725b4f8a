package tfkodo_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/qiniu/terraform-provider-kodo/internal/tfkodo"
)

func TestHeadersTake(t *testing.T) {
	t.Parallel()
	var h tfkodo.Headers
	rest := h.Take(map[string]string{"!cache-control": "no-cache", "!Expires": "", "!X-Frame-Options": "DENY", "expires": "mine"})
	if diff := cmp.Diff(map[string]string{"!X-Frame-Options": "DENY", "expires": "mine"}, rest); diff != "" {
		t.Errorf("rest (-want +got):\n%s", diff)
	}
	got := map[string]string{}
	for _, header := range h.All() {
		got[header.Argument] = header.Value.String()
	}
	want := map[string]string{
		"cache_control": `"no-cache"`, "expires": `""`, "content_disposition": "<null>", "content_encoding": "<null>", "content_language": "<null>",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("headers (-want +got):\n%s", diff)
	}
}
