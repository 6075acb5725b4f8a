package acctest

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"

	"github.com/qiniu/terraform-provider-kodo/internal/emulator"
)

// Writes forgets the requests that were made so far, and returns those of them
// that may have changed something, in the order in which they were made, such as
// "POST rs /delete/assets:a.txt". Encoded segments of paths are shown decoded.
func (h *Harness) Writes() []string {
	requests := h.Requests()
	h.ResetRequests()
	var writes []string
	for _, r := range requests {
		if !reads(r) {
			writes = append(writes, fmt.Sprintf("%s %s %s", r.Method, r.Service, decodePath(r.Path)))
		}
	}
	return writes
}

// reads reports whether the request changes nothing whatever the answer is.
// Kodo's clients read with POST as well as with GET.
func reads(r emulator.Request) bool {
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		return true
	}
	for _, prefix := range []string{"/stat/", "/list", "/v2/bucketInfo", "/buckets", "/v2/tune/refresh/list", "/v2/tune/prefetch/list", "/v2/tune/log/list"} {
		if r.Service != "up" && strings.HasPrefix(r.Path, prefix) {
			return true
		}
	}
	return false
}

// decodePath shows the segments of a path that are a bucket and a key in
// URL-safe base64 as they are meant.
func decodePath(path string) string {
	segments := strings.Split(path, "/")
	for i, segment := range segments {
		if decoded, err := base64.URLEncoding.DecodeString(segment); err == nil && strings.Contains(string(decoded), ":") {
			segments[i] = string(decoded)
		}
	}
	return strings.Join(segments, "/")
}

// ExpectWrites is Writes as a check of a step.
func (h *Harness) ExpectWrites(want ...string) statecheck.StateCheck {
	return serverCheck(func() error {
		if diff := cmp.Diff(want, h.Writes()); diff != "" {
			return fmt.Errorf("writing requests (-want +got):\n%s", diff)
		}
		return nil
	})
}

// ExpectContent checks what the emulator has under the key.
func (h *Harness) ExpectContent(bucket, key, want string) statecheck.StateCheck {
	return serverCheck(func() error {
		got, err := h.Content(bucket, key)
		if err != nil {
			return fmt.Errorf("content of %s/%s: %w", bucket, key, err)
		}
		if diff := cmp.Diff(want, string(got)); diff != "" {
			return fmt.Errorf("content of %s/%s (-want +got):\n%s", bucket, key, diff)
		}
		return nil
	})
}

// ExpectKeys checks which keys the bucket has, in order.
func (h *Harness) ExpectKeys(bucket string, want ...string) statecheck.StateCheck {
	return serverCheck(func() error {
		got, err := h.Keys(bucket)
		if err != nil {
			return fmt.Errorf("keys of %s: %w", bucket, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			return fmt.Errorf("keys of %s (-want +got):\n%s", bucket, diff)
		}
		return nil
	})
}

// ExpectBuckets checks which buckets the first account has, in order.
func (h *Harness) ExpectBuckets(want ...string) statecheck.StateCheck {
	return serverCheck(func() error {
		buckets, err := h.Engine().Buckets(AccessKey)
		if err != nil {
			return err
		}
		var got []string
		for _, bucket := range buckets {
			got = append(got, bucket.Name)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			return fmt.Errorf("buckets (-want +got):\n%s", diff)
		}
		return nil
	})
}

// serverCheck is a check that looks at the server instead of the state.
type serverCheck func() error

// CheckState implements statecheck.StateCheck.
func (check serverCheck) CheckState(_ context.Context, _ statecheck.CheckStateRequest, resp *statecheck.CheckStateResponse) {
	resp.Error = check()
}
