package engine_test

import (
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/qiniu/terraform-provider-kodo/internal/emulator/engine"
)

// listAll follows the markers to the end.
func listAll(t *testing.T, e *engine.Engine, request engine.ListRequest) (keys, prefixes []string, pages int) {
	t.Helper()
	request.Owner, request.Bucket = owner, "bucket-1"
	for {
		page, err := e.List(request)
		if err != nil {
			t.Fatal(err)
		}
		pages++
		if n := len(page.Items) + len(page.CommonPrefixes); request.Limit > 0 && n > request.Limit {
			t.Fatalf("a page of %d holds %d", request.Limit, n)
		}
		for _, item := range page.Items {
			keys = append(keys, item.Key)
		}
		prefixes = append(prefixes, page.CommonPrefixes...)
		if page.Marker == "" {
			return keys, prefixes, pages
		}
		request.Marker = page.Marker
	}
}

func TestList(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	all := []string{"", "a", "a/", "a/1", "a/b/1", "a/b/2", "a0", "b//x", "b/x", "c::d", "é/1", "\U0010ffff/1"}
	for _, key := range all {
		mustPut(t, e, key, "")
	}
	createBucket(t, e, "bucket-10") // A neighbour whose objects must not show.
	if _, err := putContent(e, "bucket-10", "a/neighbour", nil); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		prefix, delimiter string
		keys, prefixes    []string
	}{
		{"", "", all, nil},
		{"a/", "", []string{"a/", "a/1", "a/b/1", "a/b/2"}, nil},
		{"", "/", []string{"", "a", "a0", "c::d"}, []string{"a/", "b/", "é/", "\U0010ffff/"}},
		{"a", "/", []string{"a", "a0"}, []string{"a/"}},
		{"a/", "/", []string{"a/", "a/1"}, []string{"a/b/"}},
		{"a/b", "/", nil, []string{"a/b/"}},
		{"b/", "/", []string{"b/x"}, []string{"b//"}},
		{"", "::", all[:9:9], []string{"c::"}},
		{"", "\U0010ffff", all[:11:11], []string{"\U0010ffff"}},
		{"z", "/", nil, nil},
		{"\xff", "/", nil, nil},
	} {
		if test.delimiter == "::" {
			test.keys = append(test.keys, "é/1", "\U0010ffff/1")
		}
		for limit := range 6 {
			keys, prefixes, _ := listAll(t, e, engine.ListRequest{Prefix: test.prefix, Delimiter: test.delimiter, Limit: limit})
			if !slices.Equal(keys, test.keys) || !slices.Equal(prefixes, test.prefixes) {
				t.Errorf("prefix %q, delimiter %q, limit %d: %q and %q, want %q and %q",
					test.prefix, test.delimiter, limit, keys, prefixes, test.keys, test.prefixes)
			}
		}
	}
}

func TestListItem(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	want := mustPut(t, e, "a.txt", "hello")
	upload := beginUpload(t, e, ref("b.txt"))
	part := uploadPart(t, e, upload, 1, strings.NewReader("hello"))
	multipart, err := e.CompleteUpload(engine.Complete{UploadRef: upload, Parts: []engine.PartRef{part}})
	if err != nil {
		t.Fatal(err)
	}
	request := engine.ListRequest{Owner: owner, Bucket: "bucket-1", NeedParts: true}
	page, err := e.List(request)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]engine.Object{want, multipart}, page.Items); diff != "" {
		t.Errorf("with parts (-want +got):\n%s", diff)
	}
	request.NeedParts = false
	if page, err = e.List(request); err != nil {
		t.Fatal(err)
	}
	multipart.Parts = nil
	if diff := cmp.Diff([]engine.Object{want, multipart}, page.Items); diff != "" {
		t.Errorf("without parts (-want +got):\n%s", diff)
	}
}

func TestMarker(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	for _, key := range []string{"000001.ico", "000002.ico", "000003.ico", "~?>.ico"} {
		mustPut(t, e, key, "")
	}
	page, err := e.List(engine.ListRequest{Owner: owner, Bucket: "bucket-1", Limit: 2})
	if err != nil {
		t.Fatal(err)
	}
	// The official documentation's own marker.
	const marker = "eyJjIjowLCJrIjoiMDAwMDAyLmljbyJ9"
	if page.Marker != marker {
		t.Errorf("marker = %q, want %q", page.Marker, marker)
	}
	for _, test := range []struct {
		marker string
		want   []string // nil: 640
	}{
		{marker, []string{"000003.ico", "~?>.ico"}},
		{base64.StdEncoding.EncodeToString([]byte(`{"c":0,"k":"~?>.ico"}`)), []string{}},
		{base64.URLEncoding.EncodeToString([]byte(`{"c":0,"k":"~?>.ica"}`)), []string{"~?>.ico"}},
		{base64.RawURLEncoding.EncodeToString([]byte(`{"k":"000003"}`)), []string{"000003.ico", "~?>.ico"}},
		{base64.StdEncoding.EncodeToString([]byte(`{"c":0,"k":""}`)), []string{"000001.ico", "000002.ico", "000003.ico", "~?>.ico"}},
		{engine.FirstMarker(), []string{"000001.ico", "000002.ico", "000003.ico", "~?>.ico"}},
		{engine.MarkerAfter("000002.ico"), []string{"000003.ico", "~?>.ico"}},
		{"000002.ico", nil},
		{"====", nil},
		{base64.StdEncoding.EncodeToString([]byte(`{"c":0}`)), nil},
		{base64.StdEncoding.EncodeToString([]byte(`{"c":0,"k":1}`)), nil},
		{base64.StdEncoding.EncodeToString([]byte(`{"c":0,"k":"a"}{}`)), nil},
		{base64.StdEncoding.EncodeToString([]byte(`null`)), nil},
	} {
		page, err := e.List(engine.ListRequest{Owner: owner, Bucket: "bucket-1", Marker: test.marker})
		if test.want == nil {
			wantError(t, err, 640, "invalid list marker")
			continue
		}
		keys := []string{}
		for _, item := range page.Items {
			keys = append(keys, item.Key)
		}
		if err != nil || !slices.Equal(keys, test.want) {
			t.Errorf("marker %q: %q, %v, want %q", test.marker, keys, err, test.want)
		}
	}
	for _, limit := range []int{-1, 1001} {
		_, err := e.List(engine.ListRequest{Owner: owner, Bucket: "bucket-1", Limit: limit})
		wantError(t, err, 400, "invalid list limit")
	}
}

// FuzzList compares pages of any request with what a plain reading of the rules
// makes of the keys, and feeds it any marker.
func FuzzList(f *testing.F) {
	f.Add("", "/", "eyJjIjowLCJrIjoiMDAwMDAyLmljbyJ9", 1)
	f.Add("a/", "/", "", 2)
	f.Add("a", "b/", "e30=", 3)
	f.Add("\xff", "\xff", "====", 1000)
	e := open(f, engine.Options{Dir: f.TempDir()})
	createBucket(f, e, "bucket-1")
	all := []string{"", "/", "//", "a", "a/", "a/b", "a/b/c", "a/b/d", "a0", "aa", "b/a", "é/é", "\U0010ffff"}
	for _, key := range all {
		if _, err := putContent(e, "bucket-1", key, nil); err != nil {
			f.Fatal(err)
		}
	}
	f.Fuzz(func(t *testing.T, prefix, delimiter, marker string, limit int) {
		page, err := e.List(engine.ListRequest{Owner: owner, Bucket: "bucket-1", Prefix: prefix, Delimiter: delimiter, Marker: marker, Limit: limit})
		if err == nil && len(page.Items)+len(page.CommonPrefixes) > len(all) {
			t.Errorf("a page of %d for %d keys", len(page.Items)+len(page.CommonPrefixes), len(all))
		}
		if limit < 1 || limit > 1000 {
			return
		}
		var wantKeys, wantPrefixes []string
		for _, key := range all {
			rest, ok := strings.CutPrefix(key, prefix)
			folder, _, cut := strings.Cut(rest, delimiter)
			switch common := prefix + folder + delimiter; {
			case !ok:
			case delimiter == "" || !cut:
				wantKeys = append(wantKeys, key)
			case !slices.Contains(wantPrefixes, common):
				wantPrefixes = append(wantPrefixes, common)
			}
		}
		keys, prefixes, _ := listAll(t, e, engine.ListRequest{Prefix: prefix, Delimiter: delimiter, Limit: limit})
		if !slices.Equal(keys, wantKeys) || !slices.Equal(prefixes, wantPrefixes) {
			t.Errorf("%q and %q, want %q and %q", keys, prefixes, wantKeys, wantPrefixes)
		}
		for _, key := range keys {
			if !utf8.ValidString(key) {
				t.Errorf("key %q", key)
			}
		}
	})
}

// 100 000 objects come back by pages and by delimiter as the set that was put,
// and no listing takes memory for more than a page.
func TestListManyObjects(t *testing.T) { //nolint:paralleltest // It measures the memory of the whole process.
	e := newEngine(t)
	const folders, files = 250, 400
	want := putMany(t, e, folders, files)

	start := memory()
	keys, _, pages := listAll(t, e, engine.ListRequest{Limit: 1000})
	if !slices.Equal(keys, want) || pages != 100 {
		t.Errorf("%d keys on %d pages, want the %d that were put on 100", len(keys), pages, len(want))
	}
	// The test itself has kept 100 000 keys, some 6 MB. 100 000 objects are 30 MB.
	if grown := memory().HeapAlloc - start.HeapAlloc; int64(grown) > 15<<20 {
		t.Errorf("the pages have left %d KiB behind", grown>>10)
	}

	start = memory()
	_, prefixes, pages := listAll(t, e, engine.ListRequest{Delimiter: "/", Limit: 100})
	// To scan the folders would allocate their keys and objects, 50 MB in all.
	if taken := memory().TotalAlloc - start.TotalAlloc; taken > 2<<20 {
		t.Errorf("listing by delimiter has allocated %d KiB", taken>>10)
	}
	if len(prefixes) != folders || prefixes[0] != "000/" || prefixes[249] != "249/" || pages != 3 {
		t.Errorf("%d common prefixes on %d pages, want %d on 3", len(prefixes), pages, folders)
	}

	usage, err := e.Usage(owner, "bucket-1")
	if err != nil || (usage != engine.Usage{Files: 100_000, Bytes: 2_100_000}) {
		t.Errorf("Usage = %+v, %v", usage, err)
	}

	keys = keys[:0]
	for _, prefix := range prefixes {
		inside, none, _ := listAll(t, e, engine.ListRequest{Prefix: prefix, Delimiter: "/", Limit: 1000})
		if len(none) != 0 {
			t.Errorf("common prefixes inside %s: %q", prefix, none)
		}
		keys = append(keys, inside...)
	}
	if !slices.Equal(keys, want) {
		t.Errorf("%d keys by folders, want the %d that were put", len(keys), len(want))
	}
}

// putMany stores objects and returns their sorted keys. Neighbours are put at the
// same time, so that a commit changes few pages, and their groups in random order.
func putMany(t *testing.T, e *engine.Engine, folders, files int) []string {
	t.Helper()
	blob, err := e.NewBlob(strings.NewReader("shared by all of them"))
	if err != nil {
		t.Fatal(err)
	}
	defer blob.Discard()
	keys := make([]string, 0, folders*files)
	for folder := range folders {
		for file := range files {
			keys = append(keys, fmt.Sprintf("%03d/%03d.html", folder, file))
		}
	}
	groups := slices.Collect(slices.Chunk(keys, 500))
	for _, i := range rand.Perm(len(groups)) {
		var group sync.WaitGroup
		for _, key := range groups[i] {
			group.Go(func() {
				if _, err := e.PutObject(engine.Put{Owner: owner, Bucket: "bucket-1", Key: &key, Blob: blob}); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
	}
	return keys
}

func memory() (stats runtime.MemStats) {
	runtime.GC()
	runtime.ReadMemStats(&stats)
	return stats
}
