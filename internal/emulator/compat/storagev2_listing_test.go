package compat_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/qiniu/go-sdk/v7/storagev2/apis"

	"github.com/qiniu/terraform-provider-kodo/internal/emulator"
	"github.com/qiniu/terraform-provider-kodo/internal/emulator/engine"
)

// fill puts a small object under each key, past the wire. Neighbours are put at
// the same time and their groups in random order.
func (s *sdk) fill(bucket string, keys []string) {
	s.t.Helper()
	blob, err := s.e.Engine().NewBlob(strings.NewReader("shared by all of them"))
	if err != nil {
		s.t.Fatal(err)
	}
	defer blob.Discard()
	groups := slices.Collect(slices.Chunk(keys, 500))
	for _, i := range rand.Perm(len(groups)) {
		var group sync.WaitGroup
		for _, key := range groups[i] {
			group.Go(func() {
				_, err := s.e.Engine().PutObject(engine.Put{Owner: s.creds.AccessKey, Bucket: bucket, Key: &key, Blob: blob})
				if err != nil {
					s.t.Error(err)
				}
			})
		}
		group.Wait()
	}
}

// list follows the markers of a listing and returns what its pages hold.
func (s *sdk) list(request apis.GetObjectsRequest) (keys, prefixes []string, pages int) {
	s.t.Helper()
	storage, _ := s.storage()
	for {
		page, err := storage.GetObjects(s.t.Context(), &request, nil)
		if err != nil {
			s.t.Fatal(err)
		}
		pages++
		if n := len(page.Items) + len(page.CommonPrefixes); n > int(request.Limit) {
			s.t.Fatalf("a page of %d holds %d", request.Limit, n)
		}
		for _, item := range page.Items {
			keys = append(keys, item.Key)
		}
		prefixes = append(prefixes, page.CommonPrefixes...)
		if request.Marker = page.Marker; request.Marker == "" {
			return keys, prefixes, pages
		}
	}
}

// Many objects come back by pages of 1000 and by delimiter as the set that was
// put. How much memory that takes is for the engine's tests to say.
func TestListManyObjects(t *testing.T) {
	t.Parallel()
	s := newSDK(t, emulator.BucketSpec{Name: "bucket"})
	const files = 400
	var want, wantPrefixes []string
	for folder := range manyFolders {
		wantPrefixes = append(wantPrefixes, fmt.Sprintf("%03d/", folder))
		for file := range files {
			want = append(want, fmt.Sprintf("%03d/%03d.html", folder, file))
		}
	}
	s.fill("bucket", want)

	keys, prefixes, pages := s.list(apis.GetObjectsRequest{Bucket: "bucket", Limit: 1000})
	if !slices.Equal(keys, want) || len(prefixes) > 0 || pages != manyPages {
		t.Errorf("%d keys and %d prefixes on %d pages, want the %d that were put on %d", len(keys), len(prefixes), pages, len(want), manyPages)
	}
	keys, prefixes, _ = s.list(apis.GetObjectsRequest{Bucket: "bucket", Delimiter: "/", Limit: 100})
	if len(keys) > 0 || !slices.Equal(prefixes, wantPrefixes) {
		t.Errorf("%d keys and %q, want the %d folders", len(keys), prefixes, manyFolders)
	}
	var inside []string
	for _, prefix := range wantPrefixes {
		keys, prefixes, _ := s.list(apis.GetObjectsRequest{Bucket: "bucket", Prefix: prefix, Delimiter: "/", Limit: 1000})
		if len(prefixes) > 0 {
			t.Errorf("folders inside %s: %q", prefix, prefixes)
		}
		inside = append(inside, keys...)
	}
	if !slices.Equal(inside, want) {
		t.Errorf("%d keys by folders, want the %d that were put", len(inside), len(want))
	}
}
