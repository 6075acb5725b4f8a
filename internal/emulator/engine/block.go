package engine

import (
	"crypto/sha1"
	"encoding"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"time"

	"github.com/qiniu/terraform-provider-kodo/internal/emulator/store"
	"github.com/qiniu/terraform-provider-kodo/internal/qetag"
)

// MaxBlock is the size of every block but the last, in bytes.
const MaxBlock = qetag.BlockSize

// Chunk is a piece of a block that has come, the older way of resumable uploads
// (version 1). Its context stands for the block up to and including it, for as long
// as it lives: the client may go on from there, also again, and name contexts of
// whole blocks to make objects of them, also more than one (fact:upload-v1-context).
type Chunk struct {
	Context  string
	Digest   qetag.Digest // SHA-1 of the chunk
	CRC32    uint32       // IEEE, of the chunk
	Offset   int64        // where the next chunk begins in the block
	ExpireAt time.Time    // by the engine's clock
}

// blockRecord is what the store keeps of a context. The extents are those of the
// chunks so far.
type blockRecord struct {
	Owner    string
	Size     int64  // of the whole block
	Offset   int64  // how much of it has come
	Hash     []byte // the state of the SHA-1 of that much
	Head     []byte // the first bytes
	ExpireAt int64  // unix seconds
}

// MakeBlock begins a block of a size and reads its first chunk.
func (e *Engine) MakeBlock(owner string, size int64, r io.Reader) (Chunk, error) {
	if size < 1 || size > MaxBlock {
		return Chunk{}, errorf(400, "invalid block size")
	}
	return e.addChunk(blockRecord{Owner: owner, Size: size}, nil, r)
}

// PutChunk reads the next chunk of a block. An offset that is not where the last
// one ended, and a context that is not known, are both 701.
func (e *Engine) PutChunk(owner, context string, offset int64, r io.Reader) (Chunk, error) {
	var block blockRecord
	err := e.view(func(tx *store.Tx) (err error) {
		block, _, err = e.findBlock(tx, owner, context)
		return err
	})
	if err != nil {
		return Chunk{}, err
	}
	if offset != block.Offset {
		return Chunk{}, errorf(701, "invalid offset")
	}
	return e.addChunk(block, &context, r)
}

// addChunk reads a chunk and makes the context of what the block is then. before is
// the context that it goes on from.
func (e *Engine) addChunk(block blockRecord, before *string, r io.Reader) (Chunk, error) {
	digest := sha1.New()
	if err := setState(digest, block.Hash); err != nil {
		return Chunk{}, internal(err)
	}
	head := &headWriter{head: block.Head}
	room := block.Size - block.Offset
	blob, err := e.NewBlob(io.TeeReader(io.LimitReader(r, room+1), io.MultiWriter(digest, head)))
	if err != nil {
		return Chunk{}, err
	}
	defer blob.Discard()
	if blob.Size == 0 || blob.Size > room { // fact:upload-v1-chunk
		return Chunk{}, errorf(400, "invalid chunk: it must have 1 to %d bytes", room)
	}
	if block.Hash, err = state(digest); err != nil {
		return Chunk{}, internal(err)
	}
	expire := e.Now().Add(uploadLifetime).Unix()
	block.Offset, block.Head, block.ExpireAt = block.Offset+blob.Size, head.head, expire
	chunk := Chunk{
		Digest: blob.Digest, CRC32: blob.CRC32, Offset: block.Offset, ExpireAt: time.Unix(expire, 0),
	}
	err = e.update(func(tx *store.Tx) error {
		var extents []store.Extent
		if before != nil {
			var err error
			if _, extents, err = e.findBlock(tx, block.Owner, *before); err != nil {
				return err
			}
		}
		now, err := e.tick(tx)
		if err != nil {
			return err
		}
		// Contexts begin with the time, so that they ascend in the order of expiry.
		chunk.Context = fmt.Sprintf("%016x", now) + hex.EncodeToString(random(8))
		return write(tx, blockKey(chunk.Context), block, append(extents, blob.extents()...))
	})
	return chunk, err
}

// headWriter remembers the first bytes that are written to it.
type headWriter struct{ head []byte }

func (w *headWriter) Write(p []byte) (int, error) {
	if missing := HeadSize - len(w.head); missing > 0 {
		w.head = append(w.head[:len(w.head):len(w.head)], p[:min(len(p), missing)]...)
	}
	return len(p), nil
}

// HeadSize is how many bytes of a content are enough to guess what it is.
const HeadSize = 512

// BlockHead returns the first bytes of a block, for its content to be guessed.
func (e *Engine) BlockHead(owner, context string) (head []byte, err error) {
	err = e.view(func(tx *store.Tx) error {
		block, _, err := e.findBlock(tx, owner, context)
		head = block.Head
		return err
	})
	return head, err
}

// MakeFile is an object to be made of blocks.
type MakeFile struct {
	Contexts []string // of whole blocks, in the order of the content
	Size     int64    // of the content, which the blocks must have together
	Object   Put
}

// MakeFile makes an object of blocks. No byte is copied.
func (e *Engine) MakeFile(file MakeFile) (stored Object, err error) {
	object, err := file.Object.object()
	if err != nil {
		return Object{}, err
	}
	err = e.updateTelling(func(tx *store.Tx, tell teller) error {
		made := object
		extents, err := e.join(tx, file, &made)
		if err != nil {
			return err
		}
		stored, err = e.upload(tx, tell, file.Object, made, extents)
		return err
	})
	if err != nil {
		return Object{}, err
	}
	return stored, nil
}

// join fills in what an object has from its blocks and returns their extents. Which
// refusals there are is fact:upload-v1-blocks.
func (e *Engine) join(tx *store.Tx, file MakeFile, object *Object) (extents []store.Extent, err error) {
	var hashed []qetag.Part
	for i, context := range file.Contexts {
		block, of, err := e.findBlock(tx, file.Object.Owner, context)
		if err != nil {
			return nil, err
		}
		last := i == len(file.Contexts)-1
		if block.Offset != block.Size || (block.Size != MaxBlock && !last) {
			return nil, errorf(701, "invalid block: it is not whole, or smaller than %d bytes and not the last", MaxBlock)
		}
		digest := sha1.New()
		if err := setState(digest, block.Hash); err != nil {
			return nil, err
		}
		hashed = append(hashed, qetag.Part{Size: block.Size, Digest: qetag.Digest(digest.Sum(nil))})
		extents = append(extents, of...)
		object.Size += block.Size
	}
	if object.Size != file.Size {
		return nil, errorf(400, "the blocks have %d bytes, not %d", object.Size, file.Size)
	}
	if object.Hash = qetag.Sum(nil); len(hashed) > 0 {
		object.Hash = qetag.FromParts(hashed)
	}
	return extents, nil
}

// findBlock reads the block that a context stands for, or refuses with 701, on
// which the official SDKs begin again.
func (e *Engine) findBlock(tx *store.Tx, owner, context string) (blockRecord, []store.Extent, error) {
	var block blockRecord
	entry, found, err := read(tx, blockKey(context), &block)
	if err != nil {
		return blockRecord{}, nil, err
	}
	if !found || block.Owner != owner || e.Now().Unix() >= block.ExpireAt {
		return blockRecord{}, nil, errorf(701, "invalid ctx")
	}
	extents, err := entry.Extents()
	return block, extents, err
}

// expireBlocks removes the contexts whose time has come, oldest first.
func expireBlocks(tx *store.Tx, now time.Time) error {
	return removeOldest(tx, blockKey(""), func(block blockRecord) (remove, more bool) {
		expired := now.Unix() >= block.ExpireAt
		return expired, expired
	}, tx.Delete)
}

// state and setState keep a hash that is under way. The state of a new one is nil.
func state(h hash.Hash) ([]byte, error) {
	marshaler, ok := h.(encoding.BinaryMarshaler)
	if !ok {
		return nil, errors.New("the hash cannot be kept")
	}
	return marshaler.MarshalBinary()
}

func setState(h hash.Hash, state []byte) error {
	if state == nil {
		return nil
	}
	unmarshaler, ok := h.(encoding.BinaryUnmarshaler)
	if !ok {
		return errors.New("the hash cannot be kept")
	}
	return unmarshaler.UnmarshalBinary(state)
}
