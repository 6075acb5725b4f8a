package site_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/qiniu/terraform-provider-kodo/internal/kodo"
	"github.com/qiniu/terraform-provider-kodo/internal/site"
)

// drawObject is any object that Kodo might tell of.
func drawObject(t *rapid.T, key string) kodo.Object {
	o := kodo.Object{
		Key:          key,
		ETag:         rapid.SampledFrom([]string{etagHello, etagEmpty, etag5MiB, "not a hash", "Fqr0xh3cxeii2r7eDztILNmuqUNN="}).Draw(t, "hash"),
		Size:         rapid.Int64Range(0, 1<<50).Draw(t, "size"),
		PutTime:      kodo.PutTime(rapid.Int64Range(0, 1<<60).Draw(t, "put time")),
		ContentType:  rapid.SampledFrom([]string{"text/html", "a/b", ""}).Draw(t, "type"),
		StorageClass: kodo.StorageClass(rapid.IntRange(0, 9).Draw(t, "class")),
	}
	if rapid.Bool().Draw(t, "metadata") {
		o.Metadata = map[string]string{"!Cache-Control": rapid.SampledFrom([]string{"public", "private"}).Draw(t, "cache")}
	}
	return o
}

// TestRecordAgainstModel makes random changes, and holds the changes since the last completed publication against the
// plain way to find them: two maps. In between the record goes through its JSON.
func TestRecordAgainstModel(t *testing.T) {
	t.Parallel()
	keys := []string{"", "a", "a/b", "ab", strings.Repeat("x", 700), "日本/語.html"} // in order
	look := func(o kodo.Object) string {
		return fmt.Sprint(o.ETag, o.ContentType, o.StorageClass, o.Metadata)
	}
	rapid.Check(t, func(t *rapid.T) {
		r := site.NewRecord()
		now, then := map[string]kodo.Object{}, map[string]kodo.Object{}
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			key := rapid.SampledFrom(keys).Draw(t, "key")
			switch rapid.IntRange(0, 5).Draw(t, "step") {
			case 0:
				delete(now, key)
				r.Drop(key)
			case 1:
				r.Complete()
				then = maps.Clone(now)
			case 2:
				for key := range now { // somebody else is at work
					if rapid.Bool().Draw(t, "gone") {
						delete(now, key)
					}
				}
				r.See(now)
			case 3:
				text, err := json.Marshal(r)
				if err != nil {
					t.Fatal(err)
				}
				read := &site.Record{}
				if err := json.Unmarshal(text, read); err != nil {
					t.Fatal(err)
				}
				if !reflect.DeepEqual(r.Parts(), read.Parts()) {
					t.Fatalf("%s\nis read as\n%+v\nwas\n%+v", text, read, r)
				}
				r = read
			default:
				now[key] = drawObject(t, key)
				r.Set(now[key])
			}
			var added, changed, deleted []string
			for _, key := range keys {
				is, there := now[key]
				was, before := then[key]
				switch {
				case there && !before:
					added = append(added, key)
				case before && !there:
					deleted = append(deleted, key)
				case before && look(is) != look(was):
					changed = append(changed, key)
				}
			}
			gotAdded, gotChanged, gotDeleted := r.Changes()
			if diff := cmp.Diff([][]string{added, changed, deleted}, [][]string{gotAdded, gotChanged, gotDeleted}); diff != "" {
				t.Fatalf("changes (-want +got):\n%s", diff)
			}
			other := slices.ContainsFunc(changed, func(key string) bool { return now[key].ETag != then[key].ETag })
			if drifted := r.Drifted("", nil); drifted != (len(added)+len(deleted) > 0 || other) {
				t.Fatalf("drifted is %v", drifted)
			}
			if diff := cmp.Diff(slices.Sorted(maps.Keys(now)), r.Keys()); diff != "" {
				t.Fatalf("keys (-want +got):\n%s", diff)
			}
		}
	})
}

// TestRecordIsSmall holds the packed form to what 100 000 objects may cost.
func TestRecordIsSmall(t *testing.T) {
	t.Parallel()
	r := site.NewRecord()
	const n = 10_000
	for i := range n {
		r.Set(kodo.Object{Key: fmt.Sprintf("assets/images/picture-%05d.png", i), ETag: etagHello, PutTime: kodo.PutTime(17000000000000000 + i), Size: 12345, ContentType: "image/png"})
	}
	r.Complete()
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	if each := len(text) / n; each > 60 {
		t.Errorf("the record has %d bytes for each object", each)
	}
}

// TestRecordDigest tells apart what differs in anything but the time.
func TestRecordDigest(t *testing.T) {
	t.Parallel()
	object := kodo.Object{Key: "a", ETag: etagHello, PutTime: 1, ContentType: "text/html", Metadata: map[string]string{"!cache-control": "public"}}
	digest := func(change func(o *kodo.Object)) string {
		o := object
		change(&o)
		r := site.NewRecord()
		r.Set(o)
		return r.Digest()
	}
	const want = "6aa5a050403f44dfe18a0fe69402495e090761f1e737a6807a220d4ab37f5c6a" // by sha256sum
	if got := digest(func(*kodo.Object) {}); got != want {
		t.Errorf("digest %s, want %s", got, want)
	}
	for name, change := range map[string]func(o *kodo.Object){
		"put time":    func(o *kodo.Object) { o.PutTime = 2 },
		"header case": func(o *kodo.Object) { o.Metadata = map[string]string{"!Cache-Control": "public"} },
	} {
		if got := digest(change); got != want {
			t.Errorf("another %s makes another digest", name)
		}
	}
	for name, change := range map[string]func(o *kodo.Object){
		"key":      func(o *kodo.Object) { o.Key = "b" },
		"hash":     func(o *kodo.Object) { o.ETag = etagEmpty },
		"type":     func(o *kodo.Object) { o.ContentType = "text/plain" },
		"class":    func(o *kodo.Object) { o.StorageClass = kodo.InfrequentAccess },
		"metadata": func(o *kodo.Object) { o.Metadata = nil },
	} {
		if got := digest(change); got == want {
			t.Errorf("another %s makes the same digest", name)
		}
	}
}

// FuzzRecord reads any text without a panic, and writes what it accepted in one form.
func FuzzRecord(f *testing.F) {
	r := site.NewRecord()
	r.Set(kodo.Object{Key: "a", ETag: etagHello, ContentType: "a/b"})
	r.Complete()
	r.Set(kodo.Object{Key: "a", ETag: "other", ContentType: "a/b"})
	r.Set(kodo.Object{Key: "ab", ETag: etagHello, ContentType: "a/b"})
	r.Leave("c", 1, 2)
	text, err := json.Marshal(r)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add([]byte(`{"v":2}`))
	f.Add([]byte(`{"v":1,"f":[null],"h":"AAFhAQ=="}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		r := &site.Record{}
		if json.Unmarshal(text, r) != nil {
			return
		}
		r.Changes()
		r.Digest()
		once, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		again := &site.Record{}
		if err := json.Unmarshal(once, again); err != nil {
			t.Fatalf("%s: %v", once, err)
		}
		twice, err := json.Marshal(again)
		if err != nil || string(once) != string(twice) {
			t.Errorf("%s is written again as %s, %v", once, twice, err)
		}
	})
}

// TestRecordChanged tells a look that finds what is recorded from one that does not, also after the record was stored.
func TestRecordChanged(t *testing.T) {
	t.Parallel()
	object := kodo.Object{Key: "a", ETag: "hash", Size: 5, PutTime: 7, ContentType: "text/css", Metadata: map[string]string{"!cache-control": "no-store"}}
	for name, test := range map[string]struct {
		change func(o *kodo.Object)
		want   bool
	}{
		"nothing":       {func(*kodo.Object) {}, false},
		"the same name": {func(o *kodo.Object) { o.Metadata = map[string]string{"!Cache-Control": "no-store"} }, false},
		"content":       {func(o *kodo.Object) { o.ETag = "other" }, true},
		"a later put":   {func(o *kodo.Object) { o.PutTime++ }, true},
		"a header":      {func(o *kodo.Object) { o.Metadata = nil }, true},
		"a class":       {func(o *kodo.Object) { o.StorageClass = kodo.Archive }, true},
		"another key":   {func(o *kodo.Object) { o.Key = "b" }, true},
	} {
		r := site.NewRecord()
		r.SeeAll(map[string]kodo.Object{"a": object})
		if !r.Changed() {
			t.Errorf("%s: nothing has changed at first", name)
		}
		text, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		var read site.Record
		if err := json.Unmarshal(text, &read); err != nil {
			t.Fatal(err)
		}
		now := object
		test.change(&now)
		read.SeeAll(map[string]kodo.Object{now.Key: now})
		if read.Changed() != test.want {
			t.Errorf("%s: changed is %t", name, read.Changed())
		}
	}
}
