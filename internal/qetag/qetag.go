// Package qetag computes Kodo's content hash, the value that Kodo calls "hash" in its answers and ETag in its
// downloads, so that local bytes can be compared with an object without a transfer.
//
// There are two forms, both 28 characters of URL-safe base64 over one prefix byte and 20 bytes of SHA-1:
//
//   - v1 cuts the content into blocks of 4 MiB. One block (or none): prefix 0x16 and the SHA-1 of the content.
//     More blocks: prefix 0x96 and the SHA-1 over the blocks' SHA-1s.
//   - v2 is what a multipart upload gets whose parts are not all 4 MiB: prefix 0x9e and the SHA-1 over the parts'
//     v1 hashes without their prefix bytes.
//
// The package hashes bytes and nothing else: it must never know of requests, buckets or keys.
package qetag

import (
	"crypto/sha1"
	"encoding/base64"
	"hash"
	"io"
)

// BlockSize is the size of a block in bytes; only the last block of some content may be smaller.
const BlockSize = 4 << 20

// The first byte of a decoded hash tells its form.
const (
	prefixOneBlock   = 0x16 // v1, content of at most one block
	prefixManyBlocks = 0x96 // v1, SHA-1 over the SHA-1s of the blocks
	prefixParts      = 0x9e // v2, SHA-1 over the digests of the parts
)

// A Digest is the v1 hash of some bytes without its prefix byte: the SHA-1 of at most one block, or the SHA-1 over
// the SHA-1s of several.
type Digest [sha1.Size]byte

// A Part is one part of a multipart upload: its size in bytes and the digest of its bytes.
type Part struct {
	Size   int64
	Digest Digest
}

// Sum returns the v1 hash of b.
func Sum(b []byte) string {
	h := New()
	_, _ = h.Write(b)
	return h.ETag()
}

// Read returns the v1 hash of everything that r holds, and how many bytes that was.
func Read(r io.Reader) (etag string, size int64, err error) {
	h := New()
	if _, err := io.CopyBuffer(h, r, make([]byte, chunkSize)); err != nil {
		return "", h.Size(), err
	}
	return h.ETag(), h.Size(), nil
}

// FromParts returns the hash that Kodo gives to the object made of these parts: v1 where every part but the last is
// exactly one block and the last at most one block, v2 otherwise.
func FromParts(parts []Part) string {
	digests := make([]Digest, len(parts))
	blocks := true
	for i, p := range parts {
		digests[i] = p.Digest
		blocks = blocks && (p.Size == BlockSize || i == len(parts)-1 && p.Size < BlockSize)
	}
	switch {
	case len(parts) == 0:
		return Sum(nil)
	case !blocks:
		return encode(prefixParts, over(digests))
	default:
		return encodeV1(digests)
	}
}

// IsV2 reports whether etag is of the form that depends on the sizes of the parts in which the content was uploaded.
func IsV2(etag string) bool {
	raw, err := base64.URLEncoding.DecodeString(etag)
	return err == nil && len(raw) == 1+sha1.Size && raw[0] == prefixParts
}

// A Hash computes the v1 hash of the bytes written to it. It keeps no bytes: its memory is 20 bytes for each block.
// A Hash is not safe for concurrent use.
type Hash struct {
	block hash.Hash // the block being written
	in    int       // bytes in it
	done  []Digest  // the full blocks before it
	size  int64
}

var _ io.Writer = (*Hash)(nil)

// New returns a Hash of no bytes yet.
func New() *Hash {
	return &Hash{block: sha1.New()}
}

// Write adds p to the content. It never fails.
func (h *Hash) Write(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 {
		if h.in == BlockSize {
			h.done = append(h.done, Digest(h.block.Sum(nil)))
			h.block.Reset()
			h.in = 0
		}
		w := min(len(p), BlockSize-h.in)
		_, _ = h.block.Write(p[:w])
		h.in += w
		p = p[w:]
	}
	h.size += int64(n)
	return n, nil
}

// Size returns how many bytes were written.
func (h *Hash) Size() int64 { return h.size }

// Digest returns the digest of what was written so far; more may be written after it.
func (h *Hash) Digest() Digest {
	return digest(h.blocks())
}

// ETag returns the v1 hash of what was written so far; more may be written after it.
func (h *Hash) ETag() string {
	return encodeV1(h.blocks())
}

// blocks returns the digests of all blocks, the unfinished one included.
func (h *Hash) blocks() []Digest {
	return append(h.done[:len(h.done):len(h.done)], Digest(h.block.Sum(nil)))
}

// digest joins the SHA-1s of one or more blocks.
func digest(blocks []Digest) Digest {
	if len(blocks) == 1 {
		return blocks[0]
	}
	return over(blocks)
}

func encodeV1(blocks []Digest) string {
	if len(blocks) == 1 {
		return encode(prefixOneBlock, blocks[0])
	}
	return encode(prefixManyBlocks, over(blocks))
}

// over returns the SHA-1 over several digests.
func over(digests []Digest) Digest {
	h := sha1.New()
	for _, d := range digests {
		_, _ = h.Write(d[:])
	}
	return Digest(h.Sum(nil))
}

func encode(prefix byte, d Digest) string {
	return base64.URLEncoding.EncodeToString(append([]byte{prefix}, d[:]...))
}
