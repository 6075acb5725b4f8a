package kodo_test

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/qiniu/terraform-provider-kodo/internal/emulator"
	"github.com/qiniu/terraform-provider-kodo/internal/kodo"
)

// transfer is one of "key" to "new", within the bucket of the emulator.
func transfer(guard kodo.Guard) kodo.Transfer {
	return kodo.Transfer{FromBucket: "bucket", FromKey: "key", Bucket: "bucket", Key: "new", Guard: guard}
}

// wantKeys compares what the bucket holds.
func wantKeys(t *testing.T, e *emulator.Emulator, want ...string) {
	t.Helper()
	keys, err := e.Keys("bucket")
	if diff := cmp.Diff(want, keys); err != nil || diff != "" {
		t.Errorf("%v, keys (-want +got):\n%s", err, diff)
	}
}

func TestMove(t *testing.T) {
	t.Parallel()
	e, c := newEmulator(t)
	source := seed(t, e, c, "key", "hello")
	move := transfer(kodo.IfAbsent())
	move.From = source.PutTime
	if err := c.Move(t.Context(), move); err != nil {
		t.Fatal(err)
	}
	wantKeys(t, e, "new")
	wantContent(t, e, "new", "hello")
	moved, err := c.Stat(t.Context(), "bucket", "new")
	if want := source; err != nil || moved.PutTime != want.PutTime || moved.ETag != want.ETag {
		t.Errorf("moved %+v, %v, want it like %+v", moved, err, want)
	}
	// What was moved is held here: nobody who knows the new name from before may delete it.
	if removal, err := c.Remove(t.Context(), "bucket", "new", moved.PutTime, ""); err != nil || removal != kodo.Kept {
		t.Errorf("removal of the moved object: %v, %v", removal, err)
	}
}

func TestCopy(t *testing.T) {
	t.Parallel()
	e, c := newEmulator(t)
	source := seed(t, e, c, "key", "hello")
	plan := transfer(kodo.IfAbsent())
	plan.ETag = source.ETag
	made, err := c.Copy(t.Context(), plan)
	if want := (kodo.Stored{ETag: etagHello, Size: 5}); err != nil || made != want {
		t.Fatalf("copied %+v, %v, want %+v", made, err, want)
	}
	wantKeys(t, e, "key", "new")
	first, err := c.Stat(t.Context(), "bucket", "new")
	if err != nil {
		t.Fatal(err)
	}

	e.ResetRequests()
	made, err = c.Copy(t.Context(), plan)
	if err != nil || made.Adopted == nil || made.Adopted.PutTime != first.PutTime || count(e, "POST", "rs", "/copy/") != 0 {
		t.Errorf("a copy of what is there: %+v, %v", made, err)
	}
	plan.Guard, plan.Again = kodo.IfPutTime(first.PutTime), true
	made, err = c.Copy(t.Context(), plan)
	again, staterr := c.Stat(t.Context(), "bucket", "new")
	if err != nil || staterr != nil || made.Adopted != nil || again.PutTime == first.PutTime {
		t.Errorf("copied again: %+v, %v; %+v, %v", made, err, again, staterr)
	}
}

// Nothing is replaced or moved that was not meant, and nothing is changed by what is refused.
func TestTransferRefused(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change func(*kodo.Transfer)
		is     func(error) bool
	}{
		"other target":         {func(*kodo.Transfer) {}, isType[*kodo.ExistsError]},
		"target written since": {func(t *kodo.Transfer) { t.Guard = kodo.IfPutTime(1) }, isType[*kodo.ChangedError]},
		"target gone since":    {func(t *kodo.Transfer) { t.Guard, t.Key = kodo.IfPutTime(1), "none" }, isType[*kodo.ChangedError]},
		"no source":            {func(t *kodo.Transfer) { t.FromKey = "none" }, kodo.IsGone},
		"source gone since":    {func(t *kodo.Transfer) { t.FromKey, t.From = "none", 1 }, isType[*kodo.ChangedError]},
		"source written since": {func(t *kodo.Transfer) { t.From = 1 }, isType[*kodo.ChangedError]},
		"other source":         {func(t *kodo.Transfer) { t.ETag = etagEmpty }, isType[*kodo.SourceChangedError]},
		"frozen source":        {func(t *kodo.Transfer) { t.FromKey = "frozen" }, isType[*kodo.FrozenError]},
		"onto itself":          {func(t *kodo.Transfer) { t.Key = "key" }, func(err error) bool { return err != nil }},
		"a key too long":       {func(t *kodo.Transfer) { t.Key = string(make([]byte, 751)) }, func(err error) bool { return err != nil }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e, c := newEmulator(t)
			seed(t, e, c, "key", "hello")
			seed(t, e, c, "new", "somebody else's")
			seed(t, e, c, "frozen", "cold")
			if _, err := c.Change(t.Context(), "bucket", "frozen", 0, kodo.SetStorageClass(kodo.Archive)); err != nil {
				t.Fatal(err)
			}
			plan := transfer(kodo.IfAbsent())
			test.change(&plan)
			// From another client, whose memory is its own.
			if _, err := newClient(t, kodo.Endpoints{UC: e.Endpoint()}).Copy(t.Context(), plan); !test.is(err) {
				t.Errorf("copy: %v (%T)", err, err)
			}
			if err := c.Move(t.Context(), plan); !test.is(err) && plan.Guard == kodo.IfAbsent() {
				t.Errorf("move: %v (%T)", err, err)
			}
			if plan.Guard == kodo.IfAbsent() {
				wantKeys(t, e, "frozen", "key", "new")
				wantContent(t, e, "new", "somebody else's")
			}
		})
	}
}

func isType[T error](err error) bool {
	var target T
	return errors.As(err, &target)
}

// A target that appears at the last moment is refused by Kodo itself.
func TestTransferTargetAtTheLastMoment(t *testing.T) {
	t.Parallel()
	for name, do := range both() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e, c := newEmulator(t)
			seed(t, e, c, "key", "hello")
			key := "new" // a move leaves looking at its target to Kodo
			if name == "copy" {
				fail(t, e, emulator.Fault{Match: emulator.Match{Path: "/stat/*", Key: &key}, Times: 1, Do: "status", Status: 612})
			}
			seedOnly(t, e, "new", "somebody else's")
			if err := do(t.Context(), c, transfer(kodo.IfAbsent())); !isType[*kodo.ExistsError](err) {
				t.Errorf("error %v (%T)", err, err)
			}
			wantContent(t, e, "new", "somebody else's")
			wantContent(t, e, "key", "hello")
		})
	}
}

// both are the two transfers.
func both() map[string]func(context.Context, *kodo.Client, kodo.Transfer) error {
	return map[string]func(context.Context, *kodo.Client, kodo.Transfer) error{
		"copy": func(ctx context.Context, c *kodo.Client, plan kodo.Transfer) error {
			_, err := c.Copy(ctx, plan)
			return err
		},
		"move": func(ctx context.Context, c *kodo.Client, plan kodo.Transfer) error { return c.Move(ctx, plan) },
	}
}

func seedOnly(t *testing.T, e *emulator.Emulator, key, content string) {
	t.Helper()
	if err := e.Put("bucket", key, "text/plain", []byte(content)); err != nil {
		t.Fatal(err)
	}
}

// An answer that is lost once, or until nobody asks again, is understood; so is a 573 for a while.
func TestTransferFaults(t *testing.T) {
	t.Parallel()
	for fault, test := range map[string]struct {
		fault emulator.Fault
		code  int // of the error, 0 for success
	}{
		"lost":          {emulator.Fault{Do: "apply_then_drop", Times: 1}, 0},
		"lost for good": {emulator.Fault{Do: "apply_then_drop"}, 0},
		"never arrived": {emulator.Fault{Do: "drop_before", Times: 1}, 0},
		"throttled":     {emulator.Fault{Do: "status", Status: 573, Times: 2}, 0},
		"failed inside": {emulator.Fault{Do: "status", Status: 599, Times: 2}, 0},
		"forbidden":     {emulator.Fault{Do: "status", Status: 403}, 403},
	} {
		for name, do := range both() {
			t.Run(name+" "+fault, func(t *testing.T) {
				t.Parallel()
				e, c := newEmulator(t)
				seed(t, e, c, "key", "hello")
				plan := test.fault
				plan.Match = emulator.Match{Path: "/" + name + "/*"}
				fail(t, e, plan)
				err := do(t.Context(), c, transfer(kodo.IfAbsent()))
				if kodo.CodeOf(err) != test.code || (err == nil) != (test.code == 0) {
					t.Errorf("error %v", err)
				}
				want := map[string][]string{"copy": {"key", "new"}, "move": {"new"}}[name]
				if test.code != 0 {
					want = []string{"key"}
				}
				wantKeys(t, e, want...)
			})
		}
	}
}

// A name that was given away before its object was moved keeps an object.
func TestMoveOfWhatIsHeld(t *testing.T) {
	t.Parallel()
	e, c := newEmulator(t)
	source := seed(t, e, c, "key", "hello")
	if made, err := c.Put(t.Context(), put("key", hello(), kodo.IfAbsent())); err != nil || made.Adopted == nil {
		t.Fatalf("%+v, %v", made, err)
	}
	move := transfer(kodo.IfAbsent())
	move.From = source.PutTime
	if err := c.Move(t.Context(), move); err != nil {
		t.Fatal(err)
	}
	wantKeys(t, e, "key", "new")
}

// Two objects that change places at a time wait for each other's locks only as long as it takes.
func TestTransfersAcross(t *testing.T) {
	t.Parallel()
	e, c := newEmulator(t)
	seed(t, e, c, "key", "hello")
	seed(t, e, c, "new", "somebody else's")
	var wait sync.WaitGroup
	for range 20 {
		for _, plan := range []kodo.Transfer{
			transfer(kodo.Always()), {FromBucket: "bucket", FromKey: "new", Bucket: "bucket", Key: "key", Guard: kodo.Always()},
		} {
			wait.Go(func() {
				if _, err := c.Copy(t.Context(), plan); err != nil {
					t.Error(err)
				}
			})
		}
	}
	wait.Wait()
	wantKeys(t, e, "key", "new")
}
