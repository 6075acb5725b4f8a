package engine_test

import (
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sync/errgroup"

	"github.com/qiniu/terraform-provider-kodo/internal/emulator/engine"
	"github.com/qiniu/terraform-provider-kodo/internal/emulator/store"
)

// The clock of newEngine shows 2026-03-01 12:00 UTC, 20:00 in Beijing.

func TestChangeLifetime(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		days []engine.Days
		want engine.Lifetime
	}{
		"delete": {[]engine.Days{{Delete: 3}}, engine.Lifetime{DeletesAt: beijing(2026, 3, 5)}},
		"all": {
			[]engine.Days{{To: map[int]int{1: 1, 5: 2, 4: 3, 2: 4, 3: 5}, Delete: 6}},
			engine.Lifetime{DeletesAt: beijing(2026, 3, 8), Transitions: map[int]int64{
				1: beijing(2026, 3, 3), 5: beijing(2026, 3, 4), 4: beijing(2026, 3, 5), 2: beijing(2026, 3, 6), 3: beijing(2026, 3, 7),
			}},
		},
		"absent stays": {
			[]engine.Days{{To: map[int]int{1: 1}, Delete: 6}, {To: map[int]int{2: 30, 1: 0}}},
			engine.Lifetime{DeletesAt: beijing(2026, 3, 8), Transitions: map[int]int64{1: beijing(2026, 3, 3), 2: beijing(2026, 4, 1)}},
		},
		"cancel": {
			[]engine.Days{{To: map[int]int{1: 1, 2: 30}, Delete: 60}, {To: map[int]int{2: engine.Cancel, 3: engine.Cancel}, Delete: engine.Cancel}},
			engine.Lifetime{Transitions: map[int]int64{1: beijing(2026, 3, 3)}},
		},
		"cancel all": {[]engine.Days{{To: map[int]int{1: 1}}, {To: map[int]int{1: engine.Cancel}}}, engine.Lifetime{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newEngine(t)
			before := mustPut(t, e, "key", "hello")
			for _, days := range test.days {
				if err := e.ChangeLifetime(at("key", nil), days); err != nil {
					t.Fatal(err)
				}
			}
			want := before
			want.Lifetime = test.want
			if diff := cmp.Diff(want, mustStat(t, e, "key")); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// beijing is a midnight in Beijing in unix seconds.
func beijing(year int, month time.Month, day int) int64 {
	return time.Date(year, month, day, 0, 0, 0, 0, time.FixedZone("CST", 8*60*60)).Unix()
}

// The documented example: uploaded on 1 January 2015 at 10:00 and deleted after
// three days, an object is gone on 5 January at 00:00. Either side of a midnight
// counts from its own day.
func TestLifetimeEndsAtMidnightInBeijing(t *testing.T) {
	t.Parallel()
	cst := time.FixedZone("CST", 8*60*60)
	for _, test := range []struct {
		now  time.Time
		days int
		want int64 // as "date -d '… +0800' +%s" prints it
	}{
		{time.Date(2015, 1, 1, 10, 0, 0, 0, cst), 3, 1420387200},           // 2015-01-05 00:00
		{time.Date(2023, 3, 16, 17, 0, 0, 0, cst), 30, 1681574400},         // 2023-04-16 00:00
		{time.Date(2023, 3, 16, 17, 0, 0, 0, cst), 365, 1710518400},        // 2024-03-16 00:00
		{time.Date(2026, 3, 1, 23, 59, 59, 999999999, cst), 1, 1772467200}, // 2026-03-03 00:00
		{time.Date(2026, 3, 2, 0, 0, 0, 0, cst), 1, 1772553600},            // 2026-03-04 00:00
		{time.Date(2026, 3, 1, 16, 0, 0, 0, time.UTC), 1, 1772553600},      // the same moment
	} {
		t.Run(fmt.Sprint(test.now, test.days), func(t *testing.T) {
			t.Parallel()
			e := open(t, engine.Options{Dir: t.TempDir(), Now: func() time.Time { return test.now }})
			createBucket(t, e, "bucket-1")
			mustPut(t, e, "key", "hello")
			if err := e.ChangeLifetime(at("key", nil), engine.Days{Delete: test.days}); err != nil {
				t.Fatal(err)
			}
			if got := mustStat(t, e, "key").DeletesAt; got != test.want {
				t.Errorf("deletes at %d, want %d", got, test.want)
			}
		})
	}
}

func TestLifetimeRefuses(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	want := mustPut(t, e, "key", "hello")
	const order = "invalid lifecycle: an object changes to colder storage classes one after the other and is deleted last"
	for name, test := range map[string]struct {
		days    engine.Days
		message string
	}{
		"below -1":                 {engine.Days{Delete: -2}, "invalid argument"},
		"class below -1":           {engine.Days{To: map[int]int{engine.Archive: -2}}, "invalid argument"},
		"beyond time":              {engine.Days{Delete: 1 << 31}, "invalid argument"},
		"deleted first":            {engine.Days{To: map[int]int{engine.IA: 3}, Delete: 2}, order},
		"deleted on the same day":  {engine.Days{To: map[int]int{engine.DeepArchive: 3}, Delete: 3}, order},
		"archive IR before IA":     {engine.Days{To: map[int]int{engine.IA: 3, engine.ArchiveIR: 2}}, order},
		"archive before IR":        {engine.Days{To: map[int]int{engine.ArchiveIR: 3, engine.Archive: 2}}, order},
		"deep archive before":      {engine.Days{To: map[int]int{engine.Archive: 3, engine.DeepArchive: 2}}, order},
		"archive before tiering":   {engine.Days{To: map[int]int{engine.IntelligentTiering: 3, engine.Archive: 2}}, order},
		"not the neighbours order": {engine.Days{To: map[int]int{engine.IA: 9, engine.Archive: engine.Cancel, engine.DeepArchive: 8}}, order},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			wantError(t, e.ChangeLifetime(at("key", nil), test.days), 400, test.message)
			if diff := cmp.Diff(want, mustStat(t, e, "key")); diff != "" {
				t.Errorf("changed (-want +got):\n%s", diff)
			}
		})
	}
	wantError(t, e.ChangeLifetime(at("key", map[string]string{"fsize": "6"}), engine.Days{Delete: 1}), 608, "cond not match")
	wantError(t, e.ChangeLifetime(at("missing", nil), engine.Days{Delete: 1}), 612, "no such file or directory")
}

// clock is a wall clock that tests set. The engine follows it when it is asked, and
// is not told.
type clock struct{ nanoseconds atomic.Int64 }

func newClock(now time.Time) *clock {
	c := &clock{}
	c.set(now)
	return c
}

func (c *clock) set(now time.Time) { c.nanoseconds.Store(now.UnixNano()) }
func (c *clock) now() time.Time    { return time.Unix(0, c.nanoseconds.Load()) }

// An object whose time has come is gone for every call, though nobody has told the
// engine that time has passed.
func TestExpired(t *testing.T) {
	t.Parallel()
	wall := newClock(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))
	e := open(t, engine.Options{Dir: t.TempDir(), Now: wall.now})
	createBucket(t, e, "bucket-1")
	createBucket(t, e, "bucket-2")
	for _, key := range []string{"a", "b/1", "b/2", "c"} {
		mustPut(t, e, key, "hello")
	}
	for _, key := range []string{"a", "b/1", "b/2"} {
		if err := e.ChangeLifetime(at(key, nil), engine.Days{Delete: 1}); err != nil {
			t.Fatal(err)
		}
	}
	midnight := time.Unix(beijing(2026, 3, 3), 0)
	wall.set(midnight.Add(-1))
	mustStat(t, e, "a")

	wall.set(midnight)
	const gone = "no such file or directory"
	_, err := e.Stat(owner, "bucket-1", "a")
	wantError(t, err, 612, gone)
	_, err = e.OpenContent("bucket-1", "a")
	wantError(t, err, 612, gone)
	wantError(t, e.Delete(owner, "bucket-1", "a"), 612, gone)
	wantError(t, e.ChangeMeta(engine.MetaChange{ObjectRef: at("a", nil), MimeType: "a/b"}), 612, gone)
	wantError(t, e.ChangeStatus(at("a", nil), true), 612, gone)
	wantError(t, e.ChangeLifetime(at("a", nil), engine.Days{Delete: engine.Cancel}), 612, gone)
	wantError(t, e.ChangeClass(at("a", nil), engine.IA), 612, gone)
	wantError(t, e.RestoreArchive(at("a", nil), 1), 612, gone)
	wantError(t, e.CopyObject(transfer("a", "d", false)), 612, gone)
	wantError(t, e.MoveObject(transfer("a", "d", false)), 612, gone)
	for _, delimiter := range []string{"", "/"} {
		page, err := e.List(engine.ListRequest{Owner: owner, Bucket: "bucket-1", Delimiter: delimiter})
		if err != nil || len(page.Items) != 1 || page.Items[0].Key != "c" || len(page.CommonPrefixes) != 0 || page.Marker != "" {
			t.Errorf("listed with the delimiter %q: %+v, %v, want only c", delimiter, page, err)
		}
	}
	if err := e.CopyObject(transfer("c", "a", false)); err != nil {
		t.Errorf("copy to the name of what has expired: %v", err)
	}
	mustStat(t, e, "a")
	if got, err := e.Usage(owner, "bucket-1"); err != nil || got != (engine.Usage{Files: 2, Bytes: 10}) {
		t.Errorf("usage = %+v, %v, want 2 files of 10 bytes", got, err)
	}
	for _, key := range []string{"a", "c"} {
		if err := e.Delete(owner, "bucket-1", key); err != nil {
			t.Fatal(err)
		}
	}
	if err := e.DropBucket(owner, "bucket-1"); err != nil {
		t.Errorf("drop the bucket of what has expired: %v", err)
	}
}

// keysOf returns the keys of the store in a data folder that begin with a prefix.
func keysOf(t *testing.T, dir, prefix string) []string {
	t.Helper()
	s, err := store.Open(store.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	var keys []string
	err = s.View(func(tx *store.Tx) error {
		for key := range tx.Scan(prefix, "") {
			keys = append(keys, key)
		}
		return nil
	})
	if err := errors.Join(err, s.Close()); err != nil {
		t.Fatal(err)
	}
	return keys
}

// What expires leaves the store when the clock is advanced, all of it, and nothing
// else does: not what was replaced, renamed or given another time meanwhile.
func TestAdvanceDeletes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	e, err := engine.Open(engine.Options{Dir: dir, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	createBucket(t, e, "bucket-1")
	keys := []string{"cancelled", "deleted", "moved-from", "postponed", "replaced"}
	for i := range 2100 { // More than one commit settles.
		keys = append(keys, fmt.Sprint("expires-", i))
	}
	var setting errgroup.Group
	setting.SetLimit(64)
	for _, key := range keys {
		setting.Go(func() error {
			_, err := putContent(e, "bucket-1", key, []byte(key))
			return errors.Join(err, e.ChangeLifetime(at(key, nil), engine.Days{Delete: 1}))
		})
	}
	if err := setting.Wait(); err != nil {
		t.Fatal(err)
	}
	mustPut(t, e, "replaced", "anew")
	for _, err := range []error{
		e.ChangeLifetime(at("cancelled", nil), engine.Days{Delete: engine.Cancel}),
		e.Delete(owner, "bucket-1", "deleted"),
		e.MoveObject(transfer("moved-from", "expires-moved", false)),
		e.ChangeLifetime(at("postponed", nil), engine.Days{Delete: 30}),
		e.Advance(48 * time.Hour),
		e.Close(),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	want := []string{"obucket-1\x00cancelled", "obucket-1\x00postponed", "obucket-1\x00replaced"}
	if diff := cmp.Diff(want, keysOf(t, dir, "o")); diff != "" {
		t.Errorf("objects in the store (-want +got):\n%s", diff)
	}
	// 1 April 2026, 00:00 in Beijing, is 0x69cbef80.
	want = []string{"t\x00\x00\x00\x00\x69\xcb\xef\x80bucket-1\x00postponed"}
	if diff := cmp.Diff(want, keysOf(t, dir, "t")); diff != "" {
		t.Errorf("index of what is due (-want +got):\n%s", diff)
	}
}

// What fell due while nobody ran the engine is done when it is opened.
func TestOpenSettles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	wall := newClock(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))
	for range 2 {
		e, err := engine.Open(engine.Options{Dir: dir, Now: wall.now})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := e.Bucket(owner, "bucket-1"); err != nil {
			createBucket(t, e, "bucket-1")
			mustPut(t, e, "key", "hello")
			if err := e.ChangeLifetime(at("key", nil), engine.Days{To: map[int]int{engine.IA: 1}, Delete: 30}); err != nil {
				t.Fatal(err)
			}
		} else if got := mustStat(t, e, "key"); got.FileType != engine.IA || got.Transitions != nil || got.DeletesAt != beijing(2026, 4, 1) {
			t.Errorf("after the restart: %+v", got)
		}
		if err := e.Close(); err != nil {
			t.Fatal(err)
		}
		wall.set(wall.now().Add(48 * time.Hour))
	}
	want := []string{"t\x00\x00\x00\x00\x69\xcb\xef\x80bucket-1\x00key"}
	if diff := cmp.Diff(want, keysOf(t, dir, "t")); diff != "" {
		t.Errorf("index of what is due (-want +got):\n%s", diff)
	}
}

// The store follows the wall clock by itself, while nobody asks for anything.
func TestKeepsSettling(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		e, err := engine.Open(engine.Options{Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		createBucket(t, e, "bucket-1")
		mustPut(t, e, "key", "hello")
		if err := e.ChangeLifetime(at("key", nil), engine.Days{Delete: 1}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(48 * time.Hour) // By the bubble's clock.
		if err := e.Close(); err != nil {
			t.Fatal(err)
		}
		if keys := keysOf(t, dir, "o"); len(keys) != 0 {
			t.Errorf("objects in the store: %q", keys)
		}
	})
}

// The clock takes an object through the storage classes, and never to a warmer one.
func TestTransitions(t *testing.T) {
	t.Parallel()
	all := engine.Days{To: map[int]int{1: 10, 5: 20, 4: 30, 2: 40, 3: 50}, Delete: 60}
	for name, test := range map[string]struct {
		class   int
		days    engine.Days
		classes []int // after 11, 21, 31, 41, 51 days; -1: gone
	}{
		"all":                {engine.Standard, all, []int{1, 5, 4, 2, 3, -1}},
		"from archive":       {engine.Archive, all, []int{2, 2, 2, 2, 3, -1}},
		"from deep archive":  {engine.DeepArchive, all, []int{3, 3, 3, 3, 3, -1}},
		"from archive IR":    {engine.ArchiveIR, all, []int{4, 4, 4, 2, 3, -1}},
		"from tiering":       {engine.IntelligentTiering, all, []int{5, 5, 4, 2, 3, -1}},
		"some":               {engine.Standard, engine.Days{To: map[int]int{4: 20, 3: 35}}, []int{0, 4, 4, 3, 3, 3}},
		"straight to delete": {engine.IA, engine.Days{Delete: 40}, []int{1, 1, 1, -1, -1, -1}},
	} {
		for _, single := range []bool{true, false} {
			t.Run(fmt.Sprint(name, single), func(t *testing.T) {
				t.Parallel()
				e := newEngine(t)
				blob, err := e.NewBlob(strings.NewReader("hello"))
				if err != nil {
					t.Fatal(err)
				}
				defer blob.Discard()
				put, err := e.PutObject(engine.Put{Owner: owner, Bucket: "bucket-1", Key: ref("key"), Blob: blob, FileType: test.class})
				if err != nil {
					t.Fatal(err)
				}
				if err := e.ChangeLifetime(at("key", nil), test.days); err != nil {
					t.Fatal(err)
				}
				advance := 11 * 24 * time.Hour
				for i, class := range test.classes {
					if !single && i < len(test.classes)-2 {
						advance += 10 * 24 * time.Hour // All at once.
						continue
					}
					if err := e.Advance(advance); err != nil {
						t.Fatal(err)
					}
					advance = 10 * 24 * time.Hour
					if class == -1 {
						_, err := e.Stat(owner, "bucket-1", "key")
						wantError(t, err, 612, "no such file or directory")
						continue
					}
					got := mustStat(t, e, "key")
					if got.FileType != class || got.PutTime != put.PutTime {
						t.Errorf("after %d days: class %d, put time %d, want %d and %d", 11+10*i, got.FileType, got.PutTime, class, put.PutTime)
					}
				}
			})
		}
	}
}

// A data folder of before there were lifetimes is read as it is.
func TestObjectWithoutLifetime(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	e, err := engine.Open(engine.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	createBucket(t, e, "bucket-1")
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(store.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	const record = `{"hash":"Fto5o-5ea0sNMlW_75VgGJCv2AcJ","size":0,"mime":"text/plain","type":1,"put":17723664000000000,"meta":{"a":"1"}}`
	err = s.Update(func(tx *store.Tx) error { return tx.Put("obucket-1\x00key", []byte(record), nil) })
	if err := errors.Join(err, s.Close()); err != nil {
		t.Fatal(err)
	}
	e = open(t, engine.Options{Dir: dir})
	want := engine.Object{
		Bucket: "bucket-1", Key: "key", Hash: "Fto5o-5ea0sNMlW_75VgGJCv2AcJ", MimeType: "text/plain", FileType: 1,
		PutTime: 17723664000000000, Meta: map[string]string{"a": "1"},
	}
	if diff := cmp.Diff(want, mustStat(t, e, "key")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if err := e.ChangeLifetime(at("key", nil), engine.Days{Delete: 1}); err != nil {
		t.Error(err)
	}
}
