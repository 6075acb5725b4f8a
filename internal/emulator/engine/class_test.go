package engine_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/qiniu/terraform-provider-kodo/internal/emulator/engine"
)

// putClass stores "hello" in a storage class.
func putClass(t *testing.T, e *engine.Engine, key string, class int) engine.Object {
	t.Helper()
	blob, err := e.NewBlob(strings.NewReader("hello"))
	if err != nil {
		t.Fatal(err)
	}
	defer blob.Discard()
	object, err := e.PutObject(engine.Put{Owner: owner, Bucket: "bucket-1", Key: &key, Blob: blob, FileType: class})
	if err != nil {
		t.Fatal(err)
	}
	return object
}

func TestChangeClass(t *testing.T) {
	t.Parallel()
	names := []string{"normal", "line", "archive", "deep archive", "archive ir", "intelligent tiering"}
	for from := range names {
		for to := range names {
			t.Run(fmt.Sprint(from, " to ", to), func(t *testing.T) {
				t.Parallel()
				e := newEngine(t)
				want := putClass(t, e, "key", from)
				err := e.ChangeClass(at("key", nil), to)
				switch {
				case from == to:
					wantError(t, err, 400, "already in "+names[to]+" stat")
				case from == engine.Archive || from == engine.DeepArchive:
					wantError(t, err, 400, "the archived object is frozen, restore it first")
				case err != nil:
					t.Fatal(err)
				default:
					want.FileType = to
				}
				if diff := cmp.Diff(want, mustStat(t, e, "key")); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
			})
		}
	}
	e := newEngine(t)
	mustPut(t, e, "key", "hello")
	for _, class := range []int{-1, 6} {
		wantError(t, e.ChangeClass(at("key", nil), class), 400, "invalid file type")
	}
}

// An archive is thawed for a while after it was restored, by the engine's clock.
func TestRestoreArchive(t *testing.T) {
	t.Parallel()
	for class, takes := range map[int]time.Duration{engine.Archive: 5 * time.Minute, engine.DeepArchive: 12 * time.Hour} {
		t.Run(fmt.Sprint(class), func(t *testing.T) {
			t.Parallel()
			e := newEngine(t)
			object := putClass(t, e, "key", class)
			restore := func(days int) {
				if err := e.RestoreArchive(at("key", nil), days); err != nil {
					t.Fatal(err)
				}
			}
			wait := func(d time.Duration, want engine.RestoreStatus) {
				t.Helper()
				if err := e.Advance(d); err != nil {
					t.Fatal(err)
				}
				got := mustStat(t, e, "key")
				if got.Restore() != want || got.FileType != class || got.PutTime != object.PutTime {
					t.Errorf("restore status %d, class %d, put time %d; want %d, %d, %d",
						got.Restore(), got.FileType, got.PutTime, want, class, object.PutTime)
				}
				content, err := e.OpenContent("bucket-1", "key")
				if want != engine.Thawed {
					wantError(t, err, 403, "the archived object is frozen, restore it first")
				} else if err != nil {
					t.Errorf("download while thawed: %v", err)
				} else if err := content.Close(); err != nil {
					t.Error(err)
				}
			}
			wait(0, 0)
			restore(2)
			wait(takes-time.Second, engine.Thawing)
			wantError(t, e.RestoreArchive(at("key", nil), 2), 400, "the object is being restored")
			wait(time.Second, engine.Thawed)
			wait(48*time.Hour-time.Second, engine.Thawed)
			wait(time.Second, 0)

			restore(1)
			wait(takes, engine.Thawed)
			restore(7) // The days begin anew, without thawing again.
			wait(24*time.Hour, engine.Thawed)
			wait(6*24*time.Hour-time.Second, engine.Thawed)
			wait(time.Second, 0)

			restore(7)
			wait(30*24*time.Hour, 0) // Thawed and frozen again in one step.
		})
	}
}

func TestRestoreRefuses(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	for _, class := range []int{0, 1, 4, 5} {
		key := fmt.Sprint("class-", class)
		putClass(t, e, key, class)
		wantError(t, e.RestoreArchive(at(key, nil), 1), 400, "the object is not archived")
	}
	putClass(t, e, "archive", engine.Archive)
	for _, days := range []int{-1, 0, 8} {
		wantError(t, e.RestoreArchive(at("archive", nil), days), 400, "invalid freeze after days")
	}
	wantError(t, e.RestoreArchive(at("missing", nil), 1), 612, "no such file or directory")
}

// A frozen archive refuses what would read or change it, and nothing else; a thawed
// one refuses nothing.
func TestFrozen(t *testing.T) {
	t.Parallel()
	for class := range 6 {
		for _, restored := range []bool{false, true} {
			t.Run(fmt.Sprint(class, restored), func(t *testing.T) {
				t.Parallel()
				e := newEngine(t)
				putClass(t, e, "key", class)
				archive := class == engine.Archive || class == engine.DeepArchive
				if restored && archive {
					if err := e.RestoreArchive(at("key", nil), 1); err != nil {
						t.Fatal(err)
					}
					if err := e.Advance(13 * time.Hour); err != nil {
						t.Fatal(err)
					}
				}
				check := func(err error) {
					t.Helper()
					if archive && !restored {
						wantError(t, err, 400, "the archived object is frozen, restore it first")
					} else if err != nil {
						t.Error(err)
					}
				}
				check(e.ChangeMeta(engine.MetaChange{ObjectRef: at("key", nil), MimeType: "text/plain"}))
				check(e.CopyObject(transfer("key", "copy", false)))
				check(e.MoveObject(transfer("key", "moved", false)))
				if !archive || restored {
					if got := mustStat(t, e, "copy"); got.FileType != class || got.Restore() != 0 {
						t.Errorf("copy: class %d, restore status %d, want %d and 0", got.FileType, got.Restore(), class)
					}
					check(e.MoveObject(transfer("moved", "key", false)))
				}
				for _, err := range []error{
					e.ChangeStatus(at("key", nil), true),
					e.ChangeLifetime(at("key", nil), engine.Days{Delete: 1}),
					e.ChangeLifetime(at("key", nil), engine.Days{Delete: engine.Cancel}),
				} {
					if err != nil {
						t.Error(err)
					}
				}
				check(e.ChangeClass(at("key", nil), (class+1)%2))
				if err := e.Delete(owner, "bucket-1", "key"); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

// A thawed archive that changes to another archive class is frozen.
func TestChangeClassFreezes(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	putClass(t, e, "key", engine.Archive)
	for _, err := range []error{
		e.RestoreArchive(at("key", nil), 7), e.Advance(5 * time.Minute), e.ChangeClass(at("key", nil), engine.DeepArchive),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if got := mustStat(t, e, "key"); got.FileType != engine.DeepArchive || got.Restore() != 0 {
		t.Errorf("class %d, restore status %d, want %d and 0", got.FileType, got.Restore(), engine.DeepArchive)
	}
	_, err := e.OpenContent("bucket-1", "key")
	wantError(t, err, 403, "the archived object is frozen, restore it first")
}
