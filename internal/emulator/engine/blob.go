package engine

import (
	"crypto/md5"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"io"

	"github.com/qiniu/terraform-provider-kodo/internal/emulator/store"
	"github.com/qiniu/terraform-provider-kodo/internal/qetag"
)

// bufferSize is what one upload holds in memory, whatever its length.
const bufferSize = 64 << 10

// Blob is content that was received and written to the data folder, but that no
// object and no part names yet.
type Blob struct {
	Size   int64
	ETag   string       // the v1 hash
	Digest qetag.Digest // the same without its prefix byte, for hashes over parts
	MD5    string       // lower-case hexadecimal
	CRC32  uint32       // IEEE

	draft *store.Draft
}

// NewBlob reads r to its end, hashing and writing as it goes. An error of r comes
// back as it is, a failure of the data folder (a full disk) as 599; nothing is
// left behind by either. The caller discards the blob in the end, always.
func (e *Engine) NewBlob(r io.Reader) (*Blob, error) {
	draft := e.store.NewDraft()
	blob := &Blob{draft: draft}
	if err := e.receive(blob, r); err != nil {
		blob.Discard()
		return nil, err
	}
	if err := draft.Finish(); err != nil {
		blob.Discard()
		return nil, internal(fmt.Errorf("store the content: %w", err))
	}
	return blob, nil
}

func (e *Engine) receive(blob *Blob, r io.Reader) error {
	buffer, ok := e.buffers.Get().(*[]byte)
	if !ok {
		return internal(errors.New("the pool of buffers holds something else"))
	}
	defer e.buffers.Put(buffer)
	etag, md5Sum, crc := qetag.New(), md5.New(), crc32.NewIEEE()
	hashes := io.MultiWriter(etag, md5Sum, crc)
	for ended := false; !ended; {
		var chunk []byte
		var err error
		chunk, ended, err = fill(*buffer, r)
		if err != nil {
			return err
		}
		hashes.Write(chunk) //nolint:errcheck // A hash never fails.
		if _, err := blob.draft.Write(chunk); err != nil {
			return internal(fmt.Errorf("store the content: %w", err))
		}
	}
	blob.Size, blob.ETag, blob.Digest = etag.Size(), etag.ETag(), etag.Digest()
	blob.MD5, blob.CRC32 = hex.EncodeToString(md5Sum.Sum(nil)), crc.Sum32()
	return nil
}

// fill reads until the buffer is full or r ends: network connections give a few
// bytes at a time, disks want many.
func fill(buffer []byte, r io.Reader) (chunk []byte, ended bool, err error) {
	n := 0
	for n < len(buffer) {
		read, err := r.Read(buffer[n:])
		n += read
		if err == io.EOF { //nolint:errorlint // A wrapped io.EOF is a broken connection, not the end.
			return buffer[:n], true, nil
		}
		if err != nil {
			return nil, false, err
		}
	}
	return buffer[:n], false, nil
}

// Discard removes the content, unless an object or a part has come to name it.
// It may be called more than once.
func (b *Blob) Discard() { b.draft.Discard() }

// extents is what an object or a part keeps of the blob.
func (b *Blob) extents() []store.Extent { return []store.Extent{b.draft.Extent()} }
