//go:build unix

package store_test

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/qiniu/terraform-provider-kodo/internal/emulator/store"
)

// The test binary runs itself again as the process whose disk is full, on the folder
// in this variable.
const fullDiskVariable = "KODO_STORE_TEST_FULL_DISK"

func TestMain(m *testing.M) {
	if dir := os.Getenv(fullDiskVariable); dir != "" {
		fullDiskChild(dir)
		return
	}
	os.Exit(m.Run())
}

// fullDiskChild lets the data file meet a limit of its size in the middle of
// commits, as a full disk does, and says what came of it.
func fullDiskChild(dir string) {
	signal.Ignore(syscall.SIGXFSZ)
	s, err := store.Open(store.Options{Dir: dir})
	if err != nil {
		panic(err)
	}
	var before syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &before); err != nil {
		panic(err)
	}
	limit := before
	limit.Cur = 300_000
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		panic(err)
	}
	var mu sync.Mutex
	var failed []string
	var writers sync.WaitGroup
	put := func(key string) {
		draft := s.NewDraft()
		defer draft.Discard()
		if _, err := draft.Write(bytes.Repeat([]byte(key), 1000)); err != nil {
			panic(err) // It is small enough to be part of the commit.
		}
		err := s.Update(func(tx *store.Tx) error { return tx.Put(key, nil, []store.Extent{draft.Extent()}) })
		if err == nil {
			say("done", key)
			return
		}
		mu.Lock()
		defer mu.Unlock()
		failed = append(failed, key)
	}
	for i := range 200 {
		writers.Go(func() { put(fmt.Sprintf("key%d", i)) })
	}
	writers.Wait()
	if len(failed) == 0 {
		panic("the limit was never met")
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &before); err != nil {
		panic(err)
	}
	say("done", "room") // The limit is gone: what has failed can be done again.
	put("room")
	if err := s.Check(); err != nil {
		panic(err)
	}
	for _, key := range failed {
		say("failed", key)
	}
}

// A commit that does not fit changes nothing, and the store goes on once there is
// room again.
func TestFullDiskInCommit(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), fullDiskVariable+"="+dir)
	said, err := io.ReadAll(startChild(t, child))
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Wait(); err != nil {
		t.Fatal(err)
	}
	s := open(t, store.Options{Dir: dir})
	done := 0
	for line := range strings.Lines(string(said)) {
		word, key, _ := strings.Cut(strings.TrimSpace(line), " ")
		err := s.View(func(tx *store.Tx) error {
			if _, there := tx.Get(key); there != (word == "done") {
				t.Errorf("%s %s, but is there: %t", key, word, there)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if word == "done" {
			done++
		}
	}
	if done < 2 {
		t.Errorf("%d changes were done, want some before the disk was full", done)
	}
	if err := s.Check(); err != nil {
		t.Error(err)
	}
}

func say(words ...string) {
	// One short write to a pipe is never torn.
	if _, err := os.Stdout.WriteString(strings.Join(words, " ") + "\n"); err != nil {
		panic(err)
	}
}
