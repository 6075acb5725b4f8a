package kodo_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/qiniu/terraform-provider-kodo/internal/kodo"
)

func TestRetryGoesToTheNextHost(t *testing.T) {
	t.Parallel()
	var first, second, discoveries atomic.Int32
	one := scripted(t, func(w http.ResponseWriter, r *http.Request) {
		first.Add(1)
		answer(w, 503, `{}`)
	})
	two := scripted(t, func(w http.ResponseWriter, r *http.Request) {
		second.Add(1)
		answer(w, 200, statAnswer)
	})
	uc := scripted(t, func(w http.ResponseWriter, r *http.Request) {
		discoveries.Add(1)
		answer(w, 200, fmt.Sprintf(`{"hosts":[{"region":"z0","ttl":3600,"rs":{"domains":["%s","%s","%s"]}}]}`, free(t), one, two))
	})
	client := newClient(t, kodo.Endpoints{UC: uc})
	for range 3 {
		if _, err := client.Stat(t.Context(), "bucket", "key"); err != nil {
			t.Fatal(err)
		}
	}
	// A host that failed is left alone afterwards, and what discovery said is kept.
	if first.Load() != 1 || second.Load() != 3 || discoveries.Load() != 1 {
		t.Errorf("%d requests to the first host, %d to the second, %d discoveries, want 1, 3, 1",
			first.Load(), second.Load(), discoveries.Load())
	}
}

func TestDiscoveryErrorsAreNotTheCall(t *testing.T) {
	t.Parallel()
	for _, code := range []int{612, 631, 401, 403, 404} {
		t.Run(fmt.Sprint(code), func(t *testing.T) {
			t.Parallel()
			uc := scripted(t, func(w http.ResponseWriter, r *http.Request) { answer(w, code, `{"error":"as told"}`) })
			_, err := newClient(t, kodo.Endpoints{UC: uc}).Stat(t.Context(), "bucket", "key")
			failed := asError(t, err)
			if failed.Step != kodo.StepDiscovery || failed.Code != code || failed.Service != "uc" || failed.Op != "stat" {
				t.Errorf("error %#v", failed)
			}
			if kodo.IsGone(err) {
				t.Error("this must not prove that an object is gone")
			}
			want := `stat: finding the hosts of bucket "bucket": ` + strings.TrimPrefix(uc, "http://") +
				fmt.Sprintf(" answered %d as told, request id request-id-1", code)
			if err.Error() != want {
				t.Errorf("error text %q, want %q", err, want)
			}
		})
	}
}

func TestDiscoveryWithoutTheService(t *testing.T) {
	t.Parallel()
	uc := scripted(t, func(w http.ResponseWriter, r *http.Request) {
		answer(w, 200, `{"hosts":[{"region":"z0","ttl":3600,"up":{"domains":["a.example.com"]}}]}`)
	})
	_, err := newClient(t, kodo.Endpoints{UC: uc}).Stat(t.Context(), "bucket", "key")
	if failed := asError(t, err); failed.Step != kodo.StepDiscovery || failed.Code != 0 || failed.Attempts != 1 {
		t.Errorf("error %#v", failed)
	}
}

func TestDiscoveryErrorHidesTheQuery(t *testing.T) {
	t.Parallel()
	_, err := newClient(t, kodo.Endpoints{UC: "http://" + free(t)}, noRetries).Stat(t.Context(), "bucket", "key")
	if failed := asError(t, err); failed.Step != kodo.StepDiscovery || strings.Contains(err.Error(), accessKey) {
		t.Errorf("error %v", err)
	}
}

// A bucket of the same name may come back in another region.
func TestDiscoveryIsForgottenWithTheBucket(t *testing.T) {
	t.Parallel()
	e, c := newEmulator(t)
	ctx := t.Context()
	discoveries := func() int { return count(e, "GET", "uc", "/v4/query") }
	if err := c.CreateBucket(ctx, "new", "z0", true); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := c.Stat(ctx, "new", "key"); !kodo.IsGone(err) {
			t.Fatalf("stat: %v, want gone", err)
		}
	}
	if got := discoveries(); got != 1 {
		t.Errorf("%d discoveries, want 1", got)
	}
	if err := c.DeleteBucket(ctx, "new"); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Stat(ctx, "new", "key"); asError(t, err).Step != kodo.StepDiscovery {
		t.Errorf("stat in a bucket that was deleted: %v, want an error of discovery", err)
	}
	if err := c.CreateBucket(ctx, "new", "z1", true); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Stat(ctx, "new", "key"); !kodo.IsGone(err) {
		t.Errorf("stat: %v, want gone", err)
	}
}
