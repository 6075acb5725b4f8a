//go:build unix

package store_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/qiniu/terraform-provider-kodo/internal/emulator/engine"
	"github.com/qiniu/terraform-provider-kodo/internal/emulator/store"
	"github.com/qiniu/terraform-provider-kodo/internal/qetag"
)

// The test binary runs itself again as the process that is killed: its arguments
// are in this variable.
const childVariable = "KODO_STORE_TEST_CHILD"

func TestMain(m *testing.M) {
	mode, dir, _ := strings.Cut(os.Getenv(childVariable), ":")
	switch mode {
	case "":
		os.Exit(m.Run())
	case "sync", "nosync":
		crashChild(dir, mode == "sync")
	case "full":
		fullDiskChild(dir)
	}
}

func startChild(t *testing.T, mode, dir string) (*exec.Cmd, io.Reader) {
	t.Helper()
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), childVariable+"="+mode+":"+dir)
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	return child, out
}

const (
	crashWriters  = 200
	keysPerWriter = 5
)

// crashChild writes until it is killed. Each writer has keys of its own and says
// before each write what it is about to do ("begin <key> <hash>", with the hash
// "-" for a deletion) and after its acknowledgement "done <key>".
func crashChild(dir string, sync bool) {
	e, err := engine.Open(engine.Options{Dir: dir, Sync: sync})
	if err != nil {
		panic(err)
	}
	_, err = e.CreateBucket("owner", "bucket", "z0", true)
	if refusal := new(engine.Error); err != nil && (!errors.As(err, &refusal) || refusal.Code != 614) {
		panic(err)
	}
	say("ready")
	for writer := range crashWriters {
		go func() {
			for {
				crashWrite(e, fmt.Sprintf("%d/%d", writer, rand.IntN(keysPerWriter)))
			}
		}()
	}
	select {}
}

func say(words ...string) {
	// One short write to a pipe is never torn.
	if _, err := os.Stdout.WriteString(strings.Join(words, " ") + "\n"); err != nil {
		panic(err)
	}
}

// crashWrite replaces an object by a form upload or by parts, or deletes it.
func crashWrite(e *engine.Engine, key string) {
	content := bytes.Repeat([]byte(strconv.FormatUint(rand.Uint64(), 36)), 1+rand.IntN(8000))
	var err error
	switch rand.IntN(5) {
	case 0:
		say("begin", key, "-")
		err = e.Delete("owner", "bucket", key)
		if refusal := new(engine.Error); errors.As(err, &refusal) && refusal.Code == 612 {
			err = nil
		}
	case 1:
		say("begin", key, qetag.Sum(content))
		err = putParts(e, key, content)
	default:
		say("begin", key, qetag.Sum(content))
		err = withBlob(e, content, func(blob *engine.Blob) error {
			_, err := e.PutObject(engine.Put{Owner: "owner", Bucket: "bucket", Key: &key, Blob: blob})
			return err
		})
	}
	if err != nil {
		panic(err)
	}
	say("done", key)
}

// putParts uploads content as part 2 of an upload whose part 1 is then not named.
func putParts(e *engine.Engine, key string, content []byte) error {
	upload := engine.UploadRef{Owner: "owner", Bucket: "bucket", Key: &key}
	begun, err := e.BeginUpload(upload)
	if err != nil {
		return err
	}
	upload.ID = begun.ID
	var part engine.Part
	for number := 1; number <= 2; number++ {
		err := withBlob(e, content, func(blob *engine.Blob) error {
			part, err = e.UploadPart(upload, number, blob)
			return err
		})
		if err != nil {
			return err
		}
	}
	_, err = e.CompleteUpload(engine.Complete{UploadRef: upload, Parts: []engine.PartRef{{Number: 2, ETag: part.ETag}}})
	return err
}

func withBlob(e *engine.Engine, content []byte, use func(*engine.Blob) error) error {
	blob, err := e.NewBlob(bytes.NewReader(content))
	if err != nil {
		return err
	}
	defer blob.Discard()
	return use(blob)
}

// A journal is what a child has said: for each key the hash that was acknowledged
// last, and the one that was under way when it was killed.
type journal struct {
	acknowledged, begun map[string]string
}

// read takes in what a child says until it is dead, and kills it as soon as it is
// ready and wait is over. A last line without an end was never said.
func (j *journal) read(t *testing.T, child *exec.Cmd, out io.Reader, wait time.Duration) {
	t.Helper()
	lines := bufio.NewReader(out)
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			break
		}
		words := strings.Fields(line)
		switch words[0] {
		case "ready":
			time.AfterFunc(wait, func() {
				if err := child.Process.Kill(); err != nil {
					t.Error(err)
				}
			})
		case "begin":
			j.begun[words[1]] = words[2]
		case "done":
			j.acknowledged[words[1]] = j.begun[words[1]]
			delete(j.begun, words[1])
		}
	}
	if err := child.Wait(); child.ProcessState.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL { //nolint:forcetypeassert // It is one where there is SIGKILL.
		t.Fatalf("the child ended by itself: %v", err)
	}
}

// check compares what the folder holds with the journal, and then takes what it
// holds for acknowledged. It returns the greatest put time.
func (j *journal) check(t *testing.T, e *engine.Engine) int64 {
	t.Helper()
	var greatest int64
	stored := map[string]string{}
	for marker, first := "", true; first || marker != ""; first = false {
		page, err := e.List(engine.ListRequest{Owner: "owner", Bucket: "bucket", Marker: marker})
		if err != nil {
			t.Fatal(err)
		}
		for _, object := range page.Items {
			stored[object.Key] = object.Hash
			greatest = max(greatest, object.PutTime)
			content, err := e.OpenContent("bucket", object.Key)
			if err != nil {
				t.Fatal(err)
			}
			hash, size, err := qetag.Read(content)
			if err != nil || hash != object.Hash || size != object.Size {
				t.Errorf("the content of %s has hash %s and size %d, want %s and %d (%v)",
					object.Key, hash, size, object.Hash, object.Size, err)
			}
			if err := content.Close(); err != nil {
				t.Error(err)
			}
		}
		marker = page.Marker
	}
	for writer := range crashWriters {
		for i := range keysPerWriter {
			key := fmt.Sprintf("%d/%d", writer, i)
			have, there := stored[key]
			if !there {
				have = "-"
			}
			want, known := j.acknowledged[key]
			if !known {
				want = "-"
			}
			if begun, under := j.begun[key]; have != want && (!under || have != begun) {
				t.Errorf("%s is %s, acknowledged was %s, under way %q", key, have, want, begun)
			}
			j.acknowledged[key] = have
			delete(stored, key)
		}
	}
	if len(stored) > 0 {
		t.Errorf("objects that nobody put: %v", stored)
	}
	j.begun = map[string]string{}
	return greatest
}

func TestKill(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"sync", "nosync"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			j := &journal{acknowledged: map[string]string{}, begun: map[string]string{}}
			var greatest int64
			for range 4 {
				child, out := startChild(t, mode, dir)
				j.read(t, child, out, time.Duration(rand.IntN(500))*time.Millisecond)

				e, err := engine.Open(engine.Options{Dir: dir})
				if err != nil {
					t.Fatal(err)
				}
				if err := e.AwaitSweep(t.Context()); err != nil {
					t.Error(err)
				}
				now := j.check(t, e)
				if now < greatest {
					t.Errorf("the greatest put time went from %d to %d", greatest, now)
				}
				greatest = now
				if err := e.Close(); err != nil {
					t.Error(err)
				}
				s, err := store.Open(store.Options{Dir: dir})
				if err != nil {
					t.Fatal(err)
				}
				if err := s.Check(); err != nil {
					t.Error(err)
				}
				if err := s.Close(); err != nil {
					t.Error(err)
				}
			}
			t.Logf("%d keys were written", len(j.acknowledged))
		})
	}
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
	child, out := startChild(t, "full", dir)
	said, err := io.ReadAll(out)
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
