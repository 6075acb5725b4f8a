package kodo_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/qiniu/terraform-provider-kodo/internal/emulator"
	"github.com/qiniu/terraform-provider-kodo/internal/kodo"
)

// filePut is a Put of a new file that holds "hello".
func filePut(t *testing.T, dir, key string, guard kodo.Guard) kodo.FilePut {
	t.Helper()
	path := filepath.Join(dir, key)
	if err := os.WriteFile(path, []byte("hello"), 0o600); err != nil {
		t.Fatal(err)
	}
	return kodo.FilePut{Path: path, Put: kodo.Put{Key: key, ETag: etagHello, ContentType: "text/plain", Guard: guard}}
}

// putAll returns what came of each Put: "stored", "adopted" or an error.
func putAll(ctx context.Context, c *kodo.Client, puts []kodo.FilePut) map[string]any {
	var mu sync.Mutex
	came := map[string]any{}
	c.PutAll(ctx, "bucket", len(puts), func(i int) kodo.FilePut { return puts[i] }, func(i int, stored kodo.Stored, err error) {
		mu.Lock()
		defer mu.Unlock()
		switch {
		case came[puts[i].Key] != nil:
			came[puts[i].Key] = "told twice"
		case err != nil:
			came[puts[i].Key] = err
		case stored.Adopted != nil:
			came[puts[i].Key] = "adopted"
		default:
			came[puts[i].Key] = "stored"
		}
	})
	return came
}

func TestPutAll(t *testing.T) {
	t.Parallel()
	e, c := newEmulator(t)
	dir := t.TempDir()
	var puts []kodo.FilePut
	want := map[string]any{}
	for i := range 300 {
		key := fmt.Sprintf("new-%03d", i)
		puts = append(puts, filePut(t, dir, key, kodo.IfAbsent()))
		want[key] = "stored"
	}
	e.ResetRequests()
	if diff := cmp.Diff(want, putAll(t.Context(), c, puts)); diff != "" {
		t.Errorf("what came of the puts (-want +got):\n%s", diff)
	}
	wantContent(t, e, "new-299", "hello")
	// A look at 128 together, and one request for each.
	if looks, uploads := count(e, "POST", "rs", "/batch"), count(e, "POST", "up", "/"); looks != 3 || uploads != 300 {
		t.Errorf("%d looks and %d uploads, want 3 and 300", looks, uploads)
	}
	e.ResetRequests()
	putAll(t.Context(), c, nil)
	if n := len(e.Requests()); n != 0 {
		t.Errorf("%d requests for nothing", n)
	}
}

// TestPutAllApart puts what ends in different ways, and holds each to its own end.
func TestPutAllApart(t *testing.T) {
	t.Parallel()
	e, c := newEmulator(t)
	dir := t.TempDir()
	seed(t, e, c, "same", "hello")
	seed(t, e, c, "other", "other")
	mine := seed(t, e, c, "mine", "old")
	theirs := seed(t, e, c, "theirs", "old")
	puts := []kodo.FilePut{
		filePut(t, dir, "new", kodo.IfAbsent()), filePut(t, dir, "same", kodo.IfAbsent()), filePut(t, dir, "other", kodo.IfAbsent()),
		filePut(t, dir, "mine", kodo.IfPutTime(mine.PutTime)), filePut(t, dir, "theirs", kodo.IfPutTime(theirs.PutTime-1)),
		filePut(t, dir, "vanished", kodo.IfAbsent()), filePut(t, dir, "written", kodo.IfAbsent()), filePut(t, dir, "always", kodo.Always()),
		{Path: dir, Put: kodo.Put{Key: "folder", ContentType: "a/b"}}, filePut(t, dir, "no type", kodo.IfAbsent()),
	}
	puts[len(puts)-1].ContentType = ""
	if err := errors.Join(os.Remove(filepath.Join(dir, "vanished")), os.WriteFile(filepath.Join(dir, "written"), []byte("HELLO"), 0o600)); err != nil {
		t.Fatal(err)
	}
	came := putAll(t.Context(), c, puts)
	for key, want := range map[string]string{"new": "stored", "same": "adopted", "mine": "stored", "always": "stored"} {
		if came[key] != want {
			t.Errorf("%s: %v, want %s", key, came[key], want)
		}
		wantContent(t, e, key, "hello")
	}
	failed := func(key string) error {
		err, _ := came[key].(error)
		return err
	}
	if exists := (*kodo.ExistsError)(nil); !errors.As(failed("other"), &exists) || exists.Object.Size != 5 {
		t.Errorf("other: %v", came["other"])
	}
	if changed := (*kodo.ChangedError)(nil); !errors.As(failed("theirs"), &changed) {
		t.Errorf("theirs: %v", came["theirs"])
	}
	if changed := (*kodo.ContentChangedError)(nil); !errors.As(failed("written"), &changed) {
		t.Errorf("written: %v", came["written"])
	}
	if !errors.Is(failed("vanished"), fs.ErrNotExist) || failed("folder") == nil || failed("no type") == nil {
		t.Errorf("vanished: %v; folder: %v; no type: %v", came["vanished"], came["folder"], came["no type"])
	}
	keys, err := e.Keys("bucket")
	if diff := cmp.Diff([]string{"always", "mine", "new", "other", "same", "theirs"}, keys); err != nil || diff != "" {
		t.Errorf("keys: %v (-want +got):\n%s", err, diff)
	}
}

// TestPutAllLooksAgain puts a key twice: the second look is older than the first upload.
func TestPutAllLooksAgain(t *testing.T) {
	t.Parallel()
	_, c := newEmulator(t, func(config *kodo.Config) { config.Concurrency = 1 })
	dir := t.TempDir()
	put := filePut(t, dir, "twice", kodo.IfAbsent())
	var came []string
	var mu sync.Mutex
	c.PutAll(t.Context(), "bucket", 2, func(int) kodo.FilePut { return put }, func(_ int, stored kodo.Stored, err error) {
		mu.Lock()
		defer mu.Unlock()
		came = append(came, fmt.Sprint(stored.Adopted != nil, err))
	})
	slices.Sort(came)
	if diff := cmp.Diff([]string{"false <nil>", "true <nil>"}, came); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestPutAllAtTheLastMoment lets objects appear between the look and the uploads.
func TestPutAllAtTheLastMoment(t *testing.T) {
	t.Parallel()
	e, c := newEmulator(t)
	dir := t.TempDir()
	fail(t, e, emulator.Fault{Match: emulator.Match{Service: "up"}, Do: "delay", Delay: emulator.Delay(300 * time.Millisecond)})
	stored := make(chan error, 1)
	go func() {
		for count(e, "POST", "rs", "/batch") == 0 {
			time.Sleep(time.Millisecond)
		}
		stored <- e.Put("bucket", "other", "", []byte("other"))
	}()
	came := putAll(t.Context(), c, []kodo.FilePut{filePut(t, dir, "other", kodo.IfAbsent()), filePut(t, dir, "new", kodo.IfAbsent())})
	if err := <-stored; err != nil {
		t.Fatal(err)
	}
	exists := (*kodo.ExistsError)(nil)
	if err, _ := came["other"].(error); !errors.As(err, &exists) || came["new"] != "stored" {
		t.Errorf("got: %v", came)
	}
	wantContent(t, e, "other", "other")
}

// TestPutAllRefused does not send what cannot be looked at.
func TestPutAllRefused(t *testing.T) {
	t.Parallel()
	e, c := newEmulator(t)
	dir := t.TempDir()
	var puts []kodo.FilePut
	for i := range 300 {
		puts = append(puts, filePut(t, dir, fmt.Sprint(i), kodo.IfAbsent()))
	}
	fail(t, e, emulator.Fault{Match: emulator.Match{Path: "/batch"}, Do: "status", Status: 401})
	came := putAll(t.Context(), c, puts)
	for key, err := range came {
		if failed, _ := err.(error); kodo.CodeOf(failed) != 401 {
			t.Errorf("%s: %v", key, err)
		}
	}
	if len(came) != 300 || count(e, "POST", "up", "/") != 0 || count(e, "POST", "rs", "/batch") != 1 {
		t.Errorf("%d ends, %d uploads, %d looks", len(came), count(e, "POST", "up", "/"), count(e, "POST", "rs", "/batch"))
	}
}

// TestPutAllCancelled ends at once, and says so of every Put.
func TestPutAllCancelled(t *testing.T) {
	t.Parallel()
	e, c := newEmulator(t)
	dir := t.TempDir()
	var puts []kodo.FilePut
	for i := range 300 {
		puts = append(puts, filePut(t, dir, fmt.Sprint(i), kodo.IfAbsent()))
	}
	fail(t, e, emulator.Fault{Match: emulator.Match{Service: "up"}, Skip: 5, Do: "delay", Delay: emulator.Delay(time.Minute)})
	begun := make(chan struct{})
	go func() {
		for count(e, "POST", "up", "/") < 5 {
			time.Sleep(time.Millisecond)
		}
		close(begun)
	}()
	within(t, 10*time.Second, func() {
		came := putAll(cancelWhen(t, begun), c, puts)
		stored := 0
		for key, err := range came {
			if failed, _ := err.(error); failed == nil {
				stored++
			} else if !errors.Is(failed, context.Canceled) {
				t.Errorf("%s: %v", key, err)
			}
		}
		if len(came) != 300 || stored > 16 {
			t.Errorf("%d ends, %d stored", len(came), stored)
		}
	})
}

// removeAll returns what came of each removal: its name, or an error.
func removeAll(ctx context.Context, c *kodo.Client, doomed ...kodo.Doomed) map[string]any {
	var mu sync.Mutex
	came := map[string]any{}
	c.RemoveAll(ctx, "bucket", doomed, func(d kodo.Doomed, removal kodo.Removal, err error) {
		mu.Lock()
		defer mu.Unlock()
		switch {
		case came[d.Key] != nil:
			came[d.Key] = "told twice"
		case err != nil:
			came[d.Key] = err
		default:
			came[d.Key] = removal.String()
		}
	})
	return came
}

func TestRemoveAll(t *testing.T) {
	t.Parallel()
	e, c := newEmulator(t)
	var doomed []kodo.Doomed
	want := map[string]any{}
	for i := range 2500 {
		key := fmt.Sprint(i)
		if err := e.Put("bucket", key, "", nil); err != nil {
			t.Fatal(err)
		}
		doomed = append(doomed, kodo.Doomed{Key: key, ETag: etagEmpty})
		want[key] = "removed"
	}
	seed(t, e, c, "stays", "hello")
	e.ResetRequests()
	if diff := cmp.Diff(want, removeAll(t.Context(), c, doomed...)); diff != "" {
		t.Errorf("what came of the removals (-want +got):\n%s", diff)
	}
	if n := len(e.Requests()); n != 6 {
		t.Errorf("%d requests for 2500 objects, want 6", n)
	}
	if keys, err := e.Keys("bucket"); err != nil || len(keys) != 1 {
		t.Errorf("left: %q, %v", keys, err)
	}
}

func TestRemoveAllApart(t *testing.T) {
	t.Parallel()
	e, c := newEmulator(t)
	doomed := map[string]kodo.Doomed{"gone": {Key: "gone", PutTime: 1}}
	for _, key := range []string{"removed", "changed", "by hash", "by other hash", "kept", "contested"} {
		object := seed(t, e, c, key, "hello")
		doomed[key] = kodo.Doomed{Key: key, PutTime: object.PutTime}
	}
	seed(t, e, c, "changed", "hello")
	doomed["by hash"] = kodo.Doomed{Key: "by hash", ETag: etagHello}
	doomed["by other hash"] = kodo.Doomed{Key: "by other hash", ETag: etagEmpty}
	if _, err := c.Put(t.Context(), put("kept", hello(), kodo.IfAbsent())); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Put(t.Context(), put("contested", zeros(1), kodo.IfAbsent())); err == nil {
		t.Fatal("not refused")
	}
	want := map[string]any{
		"gone": "already gone", "removed": "removed", "changed": "changed", "by hash": "removed", "by other hash": "changed", "kept": "kept", "contested": "contested",
	}
	if diff := cmp.Diff(want, removeAll(t.Context(), c, slices.Collect(maps.Values(doomed))...)); diff != "" {
		t.Errorf("what came of the removals (-want +got):\n%s", diff)
	}
	keys, err := e.Keys("bucket")
	if diff := cmp.Diff([]string{"by other hash", "changed", "contested", "kept"}, keys); err != nil || diff != "" {
		t.Errorf("left: %v (-want +got):\n%s", err, diff)
	}
}

// TestRemoveAllFails loses answers and is refused: what is said is true.
func TestRemoveAllFails(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		fault emulator.Fault
		want  any // an error's code, or a removal
		there bool
	}{
		"look lost":                {emulator.Fault{Match: emulator.Match{Path: "/batch"}, Times: 1, Do: "drop_before"}, "removed", false},
		"delete lost":              {emulator.Fault{Match: emulator.Match{Path: "/batch"}, Skip: 1, Times: 1, Do: "apply_then_drop"}, "removed", false},
		"delete never arrived":     {emulator.Fault{Match: emulator.Match{Path: "/batch"}, Skip: 1, Times: 1, Do: "drop_before"}, "removed", false},
		"throttled":                {emulator.Fault{Match: emulator.Match{Path: "/batch"}, Skip: 1, Times: 2, Do: "status", Status: 573}, "removed", false},
		"throttled for ever":       {emulator.Fault{Match: emulator.Match{Path: "/batch"}, Skip: 1, Do: "status", Status: 573}, 573, true},
		"look refused":             {emulator.Fault{Match: emulator.Match{Path: "/batch"}, Do: "status", Status: 401}, 401, true},
		"delete refused":           {emulator.Fault{Match: emulator.Match{Path: "/batch"}, Skip: 1, Do: "status", Status: 403}, 403, true},
		"no bucket":                {emulator.Fault{Match: emulator.Match{Path: "/batch"}, Do: "status", Status: 631}, 631, true},
		"a proxy":                  {emulator.Fault{Match: emulator.Match{Path: "/batch"}, Do: "status", Status: 404}, 404, true},
		"612 for the whole look":   {emulator.Fault{Match: emulator.Match{Path: "/batch"}, Do: "status", Status: 612}, 612, true},
		"612 for the whole delete": {emulator.Fault{Match: emulator.Match{Path: "/batch"}, Skip: 1, Do: "status", Status: 612}, 612, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e, c := newEmulator(t)
			a, b := seed(t, e, c, "a", "hello"), seed(t, e, c, "b", "hello")
			fail(t, e, test.fault)
			came := removeAll(t.Context(), c, kodo.Doomed{Key: "a", PutTime: a.PutTime}, kodo.Doomed{Key: "b", PutTime: b.PutTime})
			for _, key := range []string{"a", "b"} {
				got := came[key]
				if err, failed := got.(error); failed {
					got = kodo.CodeOf(err)
				}
				if got != test.want {
					t.Errorf("%s: %v, want %v", key, came[key], test.want)
				}
			}
			keys, err := e.Keys("bucket")
			if err != nil || len(keys) > 0 != test.there {
				t.Errorf("there are %q, %v", keys, err)
			}
		})
	}
}
