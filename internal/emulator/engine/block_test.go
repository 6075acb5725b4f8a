package engine_test

import (
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"time"

	"github.com/qiniu/terraform-provider-kodo/internal/emulator/engine"
)

// TestBlocksSurviveReopening continues a block, and makes a file of it, in an engine
// that did not see it begin.
func TestBlocksSurviveReopening(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	e, err := engine.Open(engine.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	createBucket(t, e, "bucket-1")
	chunk, err := e.MakeBlock(owner, 4*mib, strings.NewReader(strings.Repeat("\x00", mib)))
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	e = open(t, engine.Options{Dir: dir})
	chunk, err = e.PutChunk(owner, chunk.Context, mib, strings.NewReader(strings.Repeat("\x00", 3*mib)))
	if err != nil {
		t.Fatal(err)
	}
	last, err := e.MakeBlock(owner, 1, strings.NewReader("\x00"))
	if err != nil {
		t.Fatal(err)
	}
	file := engine.MakeFile{
		Contexts: []string{chunk.Context, last.Context}, Size: 4*mib + 1,
		Object: engine.Put{Owner: owner, Bucket: "bucket-1", Key: ref("key")},
	}
	for range 2 { // A context can be used again.
		object, err := e.MakeFile(file)
		// Published: the hash of 4 MiB and one byte of zeros.
		if err != nil || object.Hash != "lhCFgki5yzon0rjN9uJusf6qtsF6" || object.Multipart || object.Parts != nil {
			t.Fatalf("MakeFile() = %+v, %v", object, err)
		}
	}
	if got := contentOf(t, e, "key"); got != strings.Repeat("\x00", 4*mib+1) {
		t.Errorf("the content has %d bytes, or others than zeros", len(got))
	}
	// The bytes stay as long as the object has them, whatever becomes of the blocks.
	if err := e.Advance(8 * 24 * time.Hour); err != nil {
		t.Fatal(err)
	}
	_, err = e.MakeFile(file)
	wantError(t, err, 701, "invalid ctx")
	if got := contentOf(t, e, "key"); len(got) != 4*mib+1 {
		t.Errorf("the content has %d bytes after the blocks expired", len(got))
	}
}

// TestBrokenChunk lets a chunk end in an error: it leaves nothing, and the block can
// go on from where it was.
func TestBrokenChunk(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	begun, err := e.MakeBlock(owner, 10, strings.NewReader("hello"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.PutChunk(owner, begun.Context, 5, iotest.ErrReader(errors.New("broken"))); err == nil {
		t.Fatal("PutChunk() of a broken reader = nil")
	}
	chunk, err := e.PutChunk(owner, begun.Context, 5, strings.NewReader("world"))
	if err != nil || chunk.Offset != 10 {
		t.Fatalf("PutChunk() = %+v, %v", chunk, err)
	}
	object, err := e.MakeFile(engine.MakeFile{
		Contexts: []string{chunk.Context}, Size: 10, Object: engine.Put{Owner: owner, Bucket: "bucket-1"},
	})
	// Computed in Python: the SHA-1 of "helloworld" after the byte 0x16.
	if err != nil || object.Hash != "FmrfsYOkoslKL5Lata3nYqR4iaWh" {
		t.Errorf("MakeFile() = %+v, %v", object, err)
	}
}

// TestBlocksExpire lets time pass without anything that tidies up.
func TestBlocksExpire(t *testing.T) {
	t.Parallel()
	var now atomic.Int64
	now.Store(1_800_000_000)
	e := open(t, engine.Options{Dir: t.TempDir(), Now: func() time.Time { return time.Unix(now.Load(), 0) }})
	createBucket(t, e, "bucket-1")
	chunk, err := e.MakeBlock(owner, 10, strings.NewReader("hello"))
	if err != nil || chunk.ExpireAt.Unix() != 1_800_000_000+7*24*60*60 {
		t.Fatalf("MakeBlock() = %+v, %v", chunk, err)
	}
	now.Store(chunk.ExpireAt.Unix() - 1)
	if _, err := e.PutChunk(owner, chunk.Context, 5, strings.NewReader("world")); err != nil {
		t.Errorf("PutChunk() in the last second = %v", err)
	}
	now.Store(chunk.ExpireAt.Unix())
	_, err = e.PutChunk(owner, chunk.Context, 5, strings.NewReader("world"))
	wantError(t, err, 701, "invalid ctx")
}
