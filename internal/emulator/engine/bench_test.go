package engine_test

import (
	"bytes"
	"fmt"
	"io"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/qiniu/terraform-provider-kodo/internal/emulator/engine"
)

// BenchmarkPut stores objects of 8 KiB, small enough to need no file.
func BenchmarkPut(b *testing.B) {
	for _, sync := range []bool{false, true} {
		for _, writers := range []int{1, 64} {
			b.Run(fmt.Sprintf("sync=%t/writers=%d", sync, writers), func(b *testing.B) {
				e := open(b, engine.Options{Dir: b.TempDir(), Sync: sync})
				createBucket(b, e, "bench")
				content := bytes.Repeat([]byte("kodo"), 2048)
				var next atomic.Int64
				b.SetParallelism(max(1, writers/2))
				put := func() {
					if _, err := putContent(e, "bench", fmt.Sprintf("key/%08d", next.Add(1)*7919%100000007), content); err != nil {
						b.Error(err)
					}
				}
				b.ResetTimer()
				if writers == 1 {
					for b.Loop() {
						put()
					}
				} else {
					b.RunParallel(func(pb *testing.PB) {
						for pb.Next() {
							put()
						}
					})
				}
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "puts/s")
			})
		}
	}
}

// BenchmarkAdvance deletes objects that expire at the same midnight, beside ten
// times as many that do not.
func BenchmarkAdvance(b *testing.B) {
	const others = 10
	e := open(b, engine.Options{Dir: b.TempDir()})
	createBucket(b, e, "bucket-1")
	var setting errgroup.Group
	setting.SetLimit(64)
	for i := range b.N * (1 + others) {
		setting.Go(func() error {
			key := fmt.Sprint("key/", i)
			if _, err := putContent(e, "bucket-1", key, []byte("x")); err != nil || i%(1+others) > 0 {
				return err
			}
			return e.ChangeLifetime(at(key, nil), engine.Days{Delete: 1})
		})
	}
	if err := setting.Wait(); err != nil {
		b.Fatal(err)
	}
	b.ResetTimer()
	if err := e.Advance(48 * time.Hour); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "objects/s")
}

// BenchmarkNewBlob receives 64 MiB: written to a file and hashed three ways.
func BenchmarkNewBlob(b *testing.B) {
	e := open(b, engine.Options{Dir: b.TempDir()})
	const size = 64 << 20
	b.SetBytes(size)
	for b.Loop() {
		blob, err := e.NewBlob(io.LimitReader(zeros{}, size))
		if err != nil {
			b.Fatal(err)
		}
		blob.Discard()
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}
