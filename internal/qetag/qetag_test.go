package qetag_test

import (
	"bytes"
	"context"
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/qiniu/terraform-provider-kodo/internal/qetag"
)

// Published vectors: what Kodo and its official clients give for these contents.
const (
	etagEmpty        = "Fto5o-5ea0sNMlW_75VgGJCv2AcJ"
	etagHello        = "Fqr0xh3cxeii2r7eDztILNmuqUNN"
	etag4MiB         = "FivMvS848VwT631aif2dhfWV4jvD"
	etag4MiBPlus1    = "lhCFgki5yzon0rjN9uJusf6qtsF6"
	etag5MiB         = "lrMhp7oU8rzWSRlmUeGJ73Q2pVa-"
	etag5MiBOnePart  = "nukH1NCKrGHM2Z4wgld-sfzD28_e"
	etag5MiBFive     = "nh-1WgCDgdWnTWmrzJIAB8qrEJWt"
	etagHelloWorldV2 = "ns56DcSIfBFUENXjdhsJTIvl3Rcu"
)

const mib = 1 << 20

func zeros(n int) []byte { return make([]byte, n) }

func TestV1(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		content []byte
		want    string
	}{
		"empty":          {nil, etagEmpty},
		"etag":           {[]byte("etag"), "FpLiADEaVoALPkdb8tJEJyRTXoe_"},
		"hello":          {[]byte("hello"), etagHello},
		"4 MiB of zeros": {zeros(4 * mib), etag4MiB},
		"4 MiB + 1":      {zeros(4*mib + 1), etag4MiBPlus1},
		"5 MiB of zeros": {zeros(5 * mib), etag5MiB},
		"one byte":       {[]byte("a"), "Fob35Df6paf84V0d3Lnq6uo3dme4"},
		"abc":            {[]byte("abc"), "FqmZPjZHBoFquj4lcXhQwmyc0Nid"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := qetag.Sum(tt.content); got != tt.want {
				t.Errorf("Sum = %q, want %q", got, tt.want)
			}
			got, size, err := qetag.Read(iotest.HalfReader(bytes.NewReader(tt.content)))
			if err != nil || got != tt.want || size != int64(len(tt.content)) {
				t.Errorf("Read = %q, %d, %v, want %q, %d", got, size, err, tt.want, len(tt.content))
			}
			got, err = qetag.ReadAt(context.Background(), bytes.NewReader(tt.content), int64(len(tt.content)))
			if err != nil || got != tt.want {
				t.Errorf("ReadAt = %q, %v, want %q", got, err, tt.want)
			}
		})
	}
}

func TestHashWrittenInAnyPieces(t *testing.T) {
	t.Parallel()
	for _, piece := range []int{1 << 16, 4*mib - 1, 4 * mib, 4*mib + 1, 5 * mib} {
		h := qetag.New()
		for rest := zeros(5 * mib); len(rest) > 0; rest = rest[min(piece, len(rest)):] {
			n, err := h.Write(rest[:min(piece, len(rest))])
			if err != nil || n != min(piece, len(rest)) {
				t.Fatalf("Write = %d, %v", n, err)
			}
			_ = h.ETag() // looking does not disturb
		}
		if got := h.ETag(); got != etag5MiB {
			t.Errorf("in pieces of %d: ETag = %q, want %q", piece, got, etag5MiB)
		}
		if got := h.Size(); got != 5*mib {
			t.Errorf("in pieces of %d: Size = %d", piece, got)
		}
	}
}

func TestHashLookedAtOnBlockBoundary(t *testing.T) {
	t.Parallel()
	h := qetag.New()
	_, _ = h.Write(zeros(4 * mib))
	if got := h.ETag(); got != etag4MiB {
		t.Errorf("after 4 MiB: %q, want %q", got, etag4MiB)
	}
	_, _ = h.Write(zeros(1))
	if got := h.ETag(); got != etag4MiBPlus1 {
		t.Errorf("after one byte more: %q, want %q", got, etag4MiBPlus1)
	}
}

func part(content []byte) qetag.Part {
	h := qetag.New()
	_, _ = h.Write(content)
	return qetag.Part{Size: h.Size(), Digest: h.Digest()}
}

func TestParts(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		content []byte
		sizes   []int64
		want    string
	}{
		"no part":                       {nil, nil, etagEmpty},
		"one small part":                {[]byte("hello"), []int64{5}, etagHello},
		"one whole block":               {zeros(4 * mib), []int64{4 * mib}, etag4MiB},
		"blocks are v1":                 {zeros(5 * mib), []int64{4 * mib, mib}, etag5MiB},
		"a block and a byte are v1":     {zeros(4*mib + 1), []int64{4 * mib, 1}, etag4MiBPlus1},
		"one part of 5 MiB is v2":       {zeros(5 * mib), []int64{5 * mib}, etag5MiBOnePart},
		"parts of 1 MiB are v2":         {zeros(5 * mib), []int64{mib, mib, mib, mib, mib}, etag5MiBFive},
		"parts of five bytes are v2":    {[]byte("helloworld"), []int64{5, 5}, etagHelloWorldV2},
		"a last part above 4 MiB is v2": {zeros(9 * mib), []int64{4 * mib, 5 * mib}, "niihpwNqfpFhNUn1Vo0htZ5GHP6o"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var parts []qetag.Part
			rest := tt.content
			for _, size := range tt.sizes {
				parts = append(parts, part(rest[:size]))
				rest = rest[size:]
			}
			if got := qetag.FromParts(parts); got != tt.want {
				t.Errorf("FromParts = %q, want %q", got, tt.want)
			}
			got, err := qetag.ReadAtParts(context.Background(), bytes.NewReader(tt.content), tt.sizes)
			if err != nil || got != tt.want {
				t.Errorf("ReadAtParts = %q, %v, want %q", got, err, tt.want)
			}
		})
	}
}

func TestForms(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		etag string
		v2   bool
	}{
		"v1 of one block":   {etagHello, false},
		"v1 of many blocks": {etag5MiB, false},
		"v2":                {etag5MiBFive, true},
		"empty":             {"", false},
		"md5":               {"5d41402abc4b2a76b9719d911017c592", false},
		"unknown prefix":    {"AKr0xh3cxeii2r7eDztILNmuqUNN", false},
		"too long":          {etagHello + "AAAA", false},
		"quoted":            {`"` + etagHello + `"`, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := qetag.IsV2(tt.etag); got != tt.v2 {
				t.Errorf("IsV2(%q) = %t", tt.etag, got)
			}
		})
	}
}

var errDisk = errors.New("the disk has failed")

// badAt is content whose bytes from an offset on cannot be read.
type badAt struct {
	io.ReaderAt
	from int64
}

func (b badAt) ReadAt(p []byte, off int64) (int, error) {
	if off+int64(len(p)) > b.from {
		return 0, errDisk
	}
	return b.ReaderAt.ReadAt(p, off)
}

func TestReadAtFails(t *testing.T) {
	t.Parallel()
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	content := bytes.NewReader(zeros(9 * mib))
	tests := map[string]struct {
		ctx  context.Context
		r    io.ReaderAt
		size int64
		want error
	}{
		"content ends early":        {context.Background(), content, 9*mib + 1, io.ErrUnexpectedEOF},
		"content ends blocks early": {context.Background(), content, 99 * mib, io.ErrUnexpectedEOF},
		"content unreadable":        {context.Background(), badAt{content, 5 * mib}, 9 * mib, errDisk},
		"cancelled":                 {cancelled, content, 9 * mib, context.Canceled},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			etag, err := qetag.ReadAt(tt.ctx, tt.r, tt.size)
			if !errors.Is(err, tt.want) || etag != "" {
				t.Errorf("ReadAt = %q, %v, want error %v", etag, err, tt.want)
			}
		})
	}
	if _, _, err := qetag.Read(io.MultiReader(strings.NewReader("x"), iotest.ErrReader(errDisk))); !errors.Is(err, errDisk) {
		t.Errorf("Read: %v, want %v", err, errDisk)
	}
	if _, err := qetag.ReadAtParts(context.Background(), content, []int64{-1}); err == nil {
		t.Error("ReadAtParts accepts a negative size")
	}
	if _, err := qetag.ReadAtParts(context.Background(), content, []int64{0, 8 * mib, 2 * mib}); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("ReadAtParts beyond the end: %v", err)
	}
}

func FuzzForms(f *testing.F) {
	for _, etag := range []string{"", etagHello, etag5MiB, etag5MiBFive, "====", "n"} {
		f.Add(etag)
	}
	f.Fuzz(func(t *testing.T, etag string) {
		if raw, err := base64.URLEncoding.DecodeString(etag); qetag.IsV2(etag) && (err != nil || len(raw) != 21 || raw[0] != 0x9e) {
			t.Errorf("%q is v2, but %x, %v", etag, raw, err)
		}
	})
}

const benchmarkSize = 64 * mib

func BenchmarkSHA1(b *testing.B) {
	content := zeros(benchmarkSize)
	b.SetBytes(benchmarkSize)
	for b.Loop() {
		sha1.Sum(content)
	}
}

func BenchmarkSum(b *testing.B) {
	content := zeros(benchmarkSize)
	b.SetBytes(benchmarkSize)
	for b.Loop() {
		qetag.Sum(content)
	}
}

func BenchmarkReadAt(b *testing.B) {
	content := bytes.NewReader(zeros(benchmarkSize))
	b.SetBytes(benchmarkSize)
	for b.Loop() {
		if _, err := qetag.ReadAt(b.Context(), content, benchmarkSize); err != nil {
			b.Fatal(err)
		}
	}
}
