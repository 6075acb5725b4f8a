package kodo_test

import (
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/qiniu/terraform-provider-kodo/internal/kodo"
)

func TestSame(t *testing.T) {
	t.Parallel()
	const (
		etag5MiBOnePart = "nukH1NCKrGHM2Z4wgld-sfzD28_e"
		etag5x1MiB      = "nh-1WgCDgdWnTWmrzJIAB8qrEJWt"
	)
	tests := map[string]struct {
		etag  string
		size  int64
		local kodo.Content
		parts string // what Kodo answers
		same  bool
		asked int32
	}{
		"v1, same":                {etagHello, 5, hello(), "", true, 0},
		"v1, other bytes":         {etagHello, 5, strings.NewReader("HELLO"), "", false, 0},
		"v1, other size":          {etagHello, 6, hello(), "", false, 0},
		"v1, empty":               {etagEmpty, 0, zeros(0), "", true, 0},
		"v1, blocks":              {etag9MiB, 9 * mib, zeros(9 * mib), "", true, 0},
		"v2, one part":            {etag5MiBOnePart, 5 * mib, zeros(5 * mib), "[5242880]", true, 1},
		"v2, five parts":          {etag5x1MiB, 5 * mib, zeros(5 * mib), "[1048576,1048576,1048576,1048576,1048576]", true, 1},
		"v2, other parts":         {etag5x1MiB, 5 * mib, zeros(5 * mib), "[5242880]", false, 1},
		"v2, parts of other size": {etag5x1MiB, 5 * mib, zeros(5 * mib), "[1048576]", false, 1},
		"v2, parts of more":       {etag5x1MiB, 5 * mib, zeros(5 * mib), "[6291456]", false, 1},
		"v2, parts not known":     {etag5x1MiB, 5 * mib, zeros(5 * mib), "null", false, 1},
		"v2, other size":          {etag5x1MiB, 5 * mib, hello(), "", false, 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var asked atomic.Int32
			url := scripted(t, func(w http.ResponseWriter, r *http.Request) {
				asked.Add(1)
				if r.URL.RawQuery != "needparts=true" {
					t.Errorf("query %q", r.URL.RawQuery)
				}
				answer(w, 200, `{"hash":"`+tt.etag+`","mimeType":"a/b","putTime":1,"parts":`+tt.parts+`}`)
			})
			got, err := newClient(t, everything(url)).Same(t.Context(), "bucket", kodo.Object{Key: "key", ETag: tt.etag, Size: tt.size}, tt.local)
			if err != nil || got != tt.same || asked.Load() != tt.asked {
				t.Errorf("%t, %v after %d requests, want %t after %d", got, err, asked.Load(), tt.same, tt.asked)
			}
		})
	}
}

// short is content that ends before its size.
type short struct{ *strings.Reader }

func (short) Size() int64 { return 6 }

// broken is content that cannot be read.
type broken struct{ *strings.Reader }

var errBroken = errors.New("the disk has failed")

func (broken) ReadAt([]byte, int64) (int, error) { return 0, errBroken }

func TestContentThatCannotBeRead(t *testing.T) {
	t.Parallel()
	e, c := newEmulator(t)
	seed(t, e, c, "there", "hello!")
	for _, key := range []string{"there", "new"} {
		var changed *kodo.ContentChangedError
		_, err := c.Put(t.Context(), put(key, short{strings.NewReader("hello")}, kodo.Always()))
		if !errors.As(err, &changed) {
			t.Errorf("%s: content that ends early: %v", key, err)
		}
		_, err = c.Put(t.Context(), put(key, broken{strings.NewReader("HELLO!")}, kodo.Always()))
		if !errors.Is(err, errBroken) {
			t.Errorf("%s: content that cannot be read: %v", key, err)
		}
	}
	wantContent(t, e, "there", "hello!")
	if got := count(e, "POST", "up", "/"); got != 0 {
		t.Errorf("%d uploads", got)
	}
}
