package kodo_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/qiniu/terraform-provider-kodo/internal/emulator"
	"github.com/qiniu/terraform-provider-kodo/internal/kodo"
)

func TestRemove(t *testing.T) {
	t.Parallel()
	e, c := newEmulator(t)
	ctx := t.Context()
	remove := func(key string, at kodo.PutTime, etag string, want kodo.Removal, there bool) {
		t.Helper()
		got, err := c.Remove(ctx, "bucket", key, at, etag)
		if err != nil || got != want {
			t.Errorf("remove %q: %v, %v, want %v", key, got, err, want)
		}
		if _, err := c.Stat(ctx, "bucket", key); kodo.IsGone(err) == there {
			t.Errorf("after removing %q: stat %v, want there: %t", key, err, there)
		}
	}
	remove("none", 1, "", kodo.AlreadyGone, false)

	object := seed(t, e, c, "a", "hello")
	remove("a", object.PutTime-1, etagHello, kodo.Changed, true)
	remove("a", object.PutTime, "not looked at", kodo.Removed, false)

	seed(t, e, c, "b", "hello")
	remove("b", 0, etagEmpty, kodo.Changed, true)
	remove("b", 0, etagHello, kodo.Removed, false)

	if _, err := c.Put(ctx, put("written", hello(), kodo.IfAbsent())); err != nil {
		t.Fatal(err)
	}
	remove("written", 0, etagHello, kodo.Kept, true)

	object = seed(t, e, c, "adopted", "hello")
	if _, err := c.Put(ctx, put("adopted", hello(), kodo.IfAbsent())); err != nil {
		t.Fatal(err)
	}
	remove("adopted", object.PutTime, "", kodo.Kept, true)

	object = seed(t, e, c, "refused", "other")
	if _, err := c.Put(ctx, put("refused", hello(), kodo.IfAbsent())); err == nil {
		t.Fatal("not refused")
	}
	remove("refused", object.PutTime, "", kodo.Contested, true)

	// What was wanted by one Client is nothing to another, which is another process for it.
	other := newClient(t, kodo.Endpoints{UC: e.Endpoint()})
	if got, err := other.Remove(ctx, "bucket", "written", 0, etagHello); err != nil || got != kodo.Removed {
		t.Errorf("remove by another Client: %v, %v", got, err)
	}
}

func TestRemoveFails(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]emulator.Fault{
		"stat":        {Match: emulator.Match{Path: "/stat/*"}, Do: "status", Status: 403},
		"delete":      {Match: emulator.Match{Path: "/delete/*"}, Do: "status", Status: 403},
		"no bucket":   {Match: emulator.Match{Path: "/stat/*"}, Do: "status", Status: 631},
		"not found":   {Match: emulator.Match{Path: "/stat/*"}, Do: "status", Status: 404},
		"discovery":   {Match: emulator.Match{Service: "uc"}, Do: "status", Status: 612},
		"lost before": {Match: emulator.Match{Path: "/delete/*"}, Do: "drop_before"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e, c := newEmulator(t, noRetries)
			if err := e.Put("bucket", "key", "", []byte("hello")); err != nil {
				t.Fatal(err)
			}
			fail(t, e, fault)
			if removal, err := c.Remove(t.Context(), "bucket", "key", 0, etagHello); err == nil || removal != 0 {
				t.Errorf("removal %v, %v, want an error", removal, err)
			}
			wantContent(t, e, "key", "hello")
		})
	}
}

func TestLostAnswersOfRemove(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]emulator.Fault{
		"done":     {Match: emulator.Match{Path: "/delete/*"}, Times: 1, Do: "apply_then_drop"},
		"not done": {Match: emulator.Match{Path: "/delete/*"}, Times: 1, Do: "drop_before"},
		"refused":  {Match: emulator.Match{Path: "/delete/*"}, Times: 1, Do: "status", Status: 573},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e, c := newEmulator(t)
			seed(t, e, c, "key", "hello")
			fail(t, e, fault)
			if removal, err := c.Remove(t.Context(), "bucket", "key", 0, etagHello); err != nil || removal != kodo.Removed {
				t.Errorf("removal %v, %v, want removed", removal, err)
			}
		})
	}
}

// While a delete is tried again, somebody else may have stored another object: it is looked at each time.
func TestRemoveLooksBeforeEachAttempt(t *testing.T) {
	t.Parallel()
	var stats atomic.Int32
	url := scripted(t, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasPrefix(r.URL.Path, "/delete/"):
			if stats.Load() > 1 {
				t.Error("the object of somebody else was deleted")
			}
			answer(w, 599, `{}`)
		case stats.Add(1) == 1:
			answer(w, 200, statAnswer)
		default:
			answer(w, 200, strings.Replace(statAnswer, "17000000000000001", "17000000000000002", 1))
		}
	})
	removal, err := newClient(t, everything(url)).Remove(t.Context(), "bucket", "key", putTimeOfAnswer, "")
	if err != nil || removal != kodo.Changed {
		t.Errorf("removal %v, %v, want changed", removal, err)
	}
}

// A renamed address in one apply: its create and its delete of one key come in any order and at the same time, and
// the delete's stat may be long before its request.
func TestPutAndRemoveOfOneKeyAtOnce(t *testing.T) {
	t.Parallel()
	for _, content := range []string{"hello", "new content"} {
		for _, delayed := range []string{"/stat/*", "/delete/*", "/"} {
			for _, first := range []string{"put", "remove"} {
				t.Run(fmt.Sprintf("%s %s %s", content, delayed, first), func(t *testing.T) {
					t.Parallel()
					e, c := newEmulator(t)
					before := seed(t, e, c, "key", "hello")
					fail(t, e, emulator.Fault{Match: emulator.Match{Path: delayed}, Do: "delay", Delay: emulator.Delay(50 * time.Millisecond)})
					var both sync.WaitGroup
					jobs := []func(){
						func() {
							if _, err := c.Put(t.Context(), put("key", strings.NewReader(content), kodo.Always())); err != nil {
								t.Error(err)
							}
						},
						func() {
							if _, err := c.Remove(t.Context(), "bucket", "key", before.PutTime, before.ETag); err != nil {
								t.Error(err)
							}
						},
					}
					if first == "remove" {
						jobs[0], jobs[1] = jobs[1], jobs[0]
					}
					both.Go(jobs[0])
					time.Sleep(10 * time.Millisecond)
					both.Go(jobs[1])
					both.Wait()
					wantContent(t, e, "key", content)
				})
			}
		}
	}
}

func TestCancelledWaitForTheKey(t *testing.T) {
	t.Parallel()
	begun := make(chan struct{})
	release := make(chan struct{})
	var once sync.Once
	url := scripted(t, func(w http.ResponseWriter, r *http.Request) {
		once.Do(func() { close(begun) })
		<-release
		answer(w, 200, statAnswer)
	})
	c := newClient(t, everything(url))
	done := make(chan error)
	go func() {
		_, err := c.Put(t.Context(), put("key", hello(), kodo.IfAbsent()))
		done <- err
	}()
	<-begun
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Remove(ctx, "bucket", "key", 1, ""); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want a cancellation", err)
	}
	close(release)
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// TestRemoveAfterFailedPut leaves what a Put wanted to replace and could not, whatever the reason: it is all there is.
func TestRemoveAfterFailedPut(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]emulator.Fault{
		"refused upload": {Match: emulator.Match{Service: "up"}, Do: "status", Status: 403},
		"failed look":    {Match: emulator.Match{Path: "/stat/*"}, Times: 1, Do: "status", Status: 403},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e, c := newEmulator(t)
			old := seed(t, e, c, "key", "old")
			fail(t, e, fault)
			if _, err := c.Put(t.Context(), put("key", hello(), kodo.Always())); err == nil {
				t.Fatal("stored")
			}
			if r, err := c.Remove(t.Context(), "bucket", "key", old.PutTime, old.ETag); r != kodo.Contested {
				t.Errorf("%v, %v; want contested", r, err)
			}
			wantContent(t, e, "key", "old")
		})
	}
}

// TestPutAfterFailedRemove does not adopt what a Remove could not delete, because the next apply deletes it.
func TestPutAfterFailedRemove(t *testing.T) {
	t.Parallel()
	e, c := newEmulator(t)
	old := seed(t, e, c, "key", "hello")
	fail(t, e, emulator.Fault{Match: emulator.Match{Path: "/delete/*"}, Do: "status", Status: 403})
	if _, err := c.Remove(t.Context(), "bucket", "key", old.PutTime, old.ETag); err == nil {
		t.Fatal("removed")
	}
	var doomed *kodo.DoomedError
	if _, err := c.Put(t.Context(), put("key", hello(), kodo.IfAbsent())); !errors.As(err, &doomed) {
		t.Errorf("error %v, want a DoomedError", err)
	}
}
