package tfkodo_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/qiniu/terraform-provider-kodo/internal/kodo"
	"github.com/qiniu/terraform-provider-kodo/internal/tfkodo"
)

func TestLatestCDNTasks(t *testing.T) {
	t.Parallel()
	const a, b = "https://cdn.example.com/a", "https://cdn.example.com/b"
	got := tfkodo.LatestCDNTasks([]kodo.CDNTask{
		{URL: a, State: kodo.CDNFailure}, {URL: b, State: kodo.CDNProcessing}, {URL: "https://CDN.example.com/a", State: kodo.CDNSuccess},
	})
	want := []kodo.CDNTask{{URL: b, State: kodo.CDNProcessing}, {URL: "https://CDN.example.com/a", State: kodo.CDNSuccess}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("latest (-want +got):\n%s", diff)
	}
}
