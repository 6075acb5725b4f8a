package main

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/qiniu/terraform-provider-kodo/internal/emulator/engine"
)

const samples = 200 // of each request, of which the median counts

// million measures a bucket of a million objects, a thousand in each of a
// thousand folders. The floor of a start is one on an empty data folder, that of
// an answer a request that has nothing to look up.
func (b *bench) million() (rows []row, err error) {
	data, empty := filepath.Join(b.dir, "million"), filepath.Join(b.dir, "empty")
	began := time.Now()
	if err := fill(data, b.objects); err != nil {
		return nil, err
	}
	filled := time.Since(began)
	first, err := b.emulator("--data", empty, "--no-sync")
	if err != nil {
		return nil, err
	}
	if err := first.stop(); err != nil {
		return nil, err
	}
	e, err := b.emulator("--data", data, "--no-sync")
	if err != nil {
		return nil, err
	}
	name := func(what string) string { return fmt.Sprintf("%d objects: %s", b.objects, what) }
	rows = append(rows, row{name("start"), seconds(e.took), seconds(first.took), ratio(e.took, first.took),
		fmt.Sprintf("filled through the engine in %s; floor: an empty data folder", seconds(filled))}, memory(name("start"), e))
	answers, err := b.answers(e, name)
	rows = append(rows, answers...)
	if err != nil {
		return rows, errors.Join(err, e.kill())
	}
	rows = append(rows, memory(name("listings and stats"), e))
	var next atomic.Int64
	rate, err := upload(e.host, &next, formRequests)
	if err != nil {
		return rows, errors.Join(err, e.kill())
	}
	rows = append(rows, row{name("form uploads of 8 KiB"), fmt.Sprintf("%.0f/s", rate), "", "", "into the same bucket"},
		memory(name("form uploads of 8 KiB"), e))
	if err := e.kill(); err != nil {
		return rows, err
	}
	if e, err = b.emulator("--data", data, "--no-sync"); err != nil {
		return rows, err
	}
	rows = append(rows, row{name("start after kill -9"), seconds(e.took), seconds(first.took), ratio(e.took, first.took),
		"floor: an empty data folder"}, memory(name("start after kill -9"), e))
	return rows, e.stop()
}

// key scatters the numbers of the objects over their keys.
func key(i, objects int) string {
	const prime = 7919
	i = i * prime % objects
	return fmt.Sprintf("%03d/%03d", i/1000, i%1000)
}

// fill puts the objects into a new data folder, in an order that is not the
// order of their keys.
func fill(data string, objects int) (err error) {
	e, err := engine.Open(engine.Options{Dir: data})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, e.Close()) }()
	if _, err := e.CreateBucket(accessKey, "bench", "z0", false); err != nil {
		return err
	}
	const writers = 256
	var next atomic.Int64
	var all errgroup.Group
	for range writers {
		all.Go(func() error {
			for {
				i := int(next.Add(1)) - 1
				if i >= objects {
					return nil
				}
				if err := put(e, key(i, objects)); err != nil {
					return err
				}
			}
		})
	}
	return all.Wait()
}

func put(e *engine.Engine, key string) error {
	blob, err := e.NewBlob(bytes.NewReader([]byte("the content of " + key)))
	if err != nil {
		return err
	}
	defer blob.Discard()
	_, err = e.PutObject(engine.Put{Owner: accessKey, Bucket: "bench", Key: &key, Blob: blob, MimeType: "text/plain"})
	return err
}

// answers measures single requests, one after the other.
func (b *bench) answers(e *process, name func(string) string) ([]row, error) {
	c, err := dial(e.host)
	if err != nil {
		return nil, err
	}
	defer c.close()
	median := func(ask func(i int) error) (time.Duration, error) {
		var took []time.Duration
		for i := range samples {
			began := time.Now()
			if err := ask(i); err != nil {
				return 0, err
			}
			took = append(took, time.Since(began))
		}
		slices.Sort(took)
		return took[len(took)/2], nil
	}
	floor, err := median(func(int) error {
		_, err := c.call("GET", "/_emulator/health", "", nil, nil)
		return err
	})
	if err != nil {
		return nil, err
	}
	marker := ""
	var rows []row
	for _, question := range []struct {
		what string
		ask  func(i int) error
	}{
		{"page of 1000", func(int) error {
			var page struct {
				Marker string
				Items  []struct{ Key string }
			}
			_, err := c.get("/list?bucket=bench&limit=1000&marker="+url.QueryEscape(marker), &page)
			if err == nil && len(page.Items) != min(1000, b.objects) {
				err = fmt.Errorf("a page has %d items", len(page.Items))
			}
			marker = page.Marker
			return err
		}},
		{"1000 folders by delimiter", func(int) error {
			var page struct{ CommonPrefixes []string }
			_, err := c.get("/list?bucket=bench&delimiter=%2F", &page)
			if err == nil && len(page.CommonPrefixes) != b.objects/1000 {
				err = fmt.Errorf("a page has %d common prefixes", len(page.CommonPrefixes))
			}
			return err
		}},
		{"stat", func(i int) error {
			_, err := c.get("/stat/"+base64.URLEncoding.EncodeToString([]byte("bench:"+key(i*31, b.objects))), nil)
			return err
		}},
	} {
		took, err := median(question.ask)
		if err != nil {
			return rows, err
		}
		rows = append(rows, row{name(question.what), fmt.Sprintf("%.2f ms", took.Seconds()*1000), fmt.Sprintf("%.2f ms", floor.Seconds()*1000),
			ratio(took, floor), fmt.Sprintf("median of %d, decoding included; floor: a request with nothing to look up", samples)})
	}
	return rows, nil
}
