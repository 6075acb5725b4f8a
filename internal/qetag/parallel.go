package qetag

import (
	"context"
	"crypto/sha1"
	"errors"
	"fmt"
	"io"
	"runtime"
	"sync/atomic"

	"golang.org/x/sync/errgroup"
)

// chunkSize is what one worker holds of the content. Larger chunks gain nothing: SHA-1 is what costs.
const chunkSize = 256 << 10

// span is a stretch of the content that is hashed by one SHA-1.
type span struct{ offset, size int64 }

// ReadAt returns the v1 hash of the first size bytes of r. It hashes blocks on all cores and holds 256 KiB for each.
// Content that ends early is io.ErrUnexpectedEOF.
func ReadAt(ctx context.Context, r io.ReaderAt, size int64) (string, error) {
	digests, err := sums(ctx, r, blocksOf(nil, 0, size))
	if err != nil {
		return "", err
	}
	return encodeV1(digests), nil
}

// ReadAtParts returns the hash that the bytes of r would have as an object uploaded in parts of these sizes, which
// is how a v2 hash is compared with local bytes.
func ReadAtParts(ctx context.Context, r io.ReaderAt, sizes []int64) (string, error) {
	var spans []span
	ends := make([]int, len(sizes)) // of each part's blocks among the spans
	var offset int64
	for i, size := range sizes {
		if size < 0 {
			return "", fmt.Errorf("part %d has the negative size %d", i+1, size)
		}
		spans = blocksOf(spans, offset, size)
		ends[i] = len(spans)
		offset += size
	}
	digests, err := sums(ctx, r, spans)
	if err != nil {
		return "", err
	}
	parts := make([]Part, len(sizes))
	start := 0
	for i, end := range ends {
		parts[i] = Part{Size: sizes[i], Digest: digest(digests[start:end])}
		start = end
	}
	return FromParts(parts), nil
}

// blocksOf appends the blocks of size bytes at offset to spans; no bytes are one empty block.
func blocksOf(spans []span, offset, size int64) []span {
	for size > BlockSize {
		spans = append(spans, span{offset, BlockSize})
		offset, size = offset+BlockSize, size-BlockSize
	}
	return append(spans, span{offset, size})
}

// sums returns the SHA-1 of each span, computed on all cores.
func sums(ctx context.Context, r io.ReaderAt, spans []span) ([]Digest, error) {
	digests := make([]Digest, len(spans))
	var largest int64
	for _, s := range spans {
		largest = max(largest, s.size)
	}
	var next atomic.Int64
	g, ctx := errgroup.WithContext(ctx)
	for range min(runtime.GOMAXPROCS(0), len(spans)) {
		g.Go(func() error {
			buf := make([]byte, min(chunkSize, largest))
			for {
				i := int(next.Add(1)) - 1
				if i >= len(spans) {
					return nil
				}
				d, err := sum(ctx, r, spans[i], buf)
				if err != nil {
					return err
				}
				digests[i] = d
			}
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	return digests, nil
}

// sum returns the SHA-1 of one span, read through buf.
func sum(ctx context.Context, r io.ReaderAt, s span, buf []byte) (Digest, error) {
	h := sha1.New()
	for s.size > 0 {
		if err := ctx.Err(); err != nil {
			return Digest{}, context.Cause(ctx)
		}
		chunk := buf[:min(int64(len(buf)), s.size)]
		n, err := r.ReadAt(chunk, s.offset)
		_, _ = h.Write(chunk[:n])
		s.offset, s.size = s.offset+int64(n), s.size-int64(n)
		switch {
		case n == len(chunk): // io.ReaderAt may say io.EOF with the last bytes
		case errors.Is(err, io.EOF):
			return Digest{}, io.ErrUnexpectedEOF
		case err != nil:
			return Digest{}, err
		}
	}
	return Digest(h.Sum(nil)), nil
}
