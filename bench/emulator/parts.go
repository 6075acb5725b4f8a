package main

import (
	"crypto/md5"
	"crypto/rand"
	"crypto/sha1"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"
)

const (
	partSize  = 4 << 20
	partCount = 256 // so 1 GiB
	inFlight  = 4
)

// parts uploads an object of 1 GiB in parts of 4 MiB. The floors write the same
// parts to files with the same concurrency and hash them on their way: with SHA-1
// alone, and with both hashes that Kodo answers for a part, each of them once. What
// bounds all of them is the CPU, so the notes say what one core does in a second.
func (b *bench) parts() (rows []row, err error) {
	e, err := b.emulator()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, e.stop()) }()
	content := make([]byte, partSize)
	rand.Read(content) //nolint:errcheck // It never fails.
	var uploads time.Duration
	var once, both floor
	var note string
	for i := range rounds {
		serverCPU, ourCPU := e.cpu(), ownCPU()
		took, err := uploadParts(e.host, fmt.Sprintf("1GiB/%d", i), content)
		if err != nil {
			return nil, err
		}
		if uploads == 0 || took < uploads {
			uploads = took
			note = fmt.Sprintf("%d in flight; CPU: emulator %.1f s, load generator %.1f s",
				inFlight, (e.cpu() - serverCPU).Seconds(), (ownCPU() - ourCPU).Seconds())
		}
		for _, f := range []*floor{&once, &both} {
			before := ownCPU()
			took, err := b.writeParts(content, f == &both)
			if err != nil {
				return nil, err
			}
			if f.took == 0 || took < f.took {
				f.took, f.cpu = took, ownCPU()-before
			}
		}
	}
	speeds, err := b.speeds(content)
	if err != nil {
		return nil, err
	}
	line := func(f floor, what string) row {
		return row{"multipart upload of 1 GiB", seconds(uploads), seconds(f.took), ratio(uploads, f.took),
			fmt.Sprintf("%s, floor %.1f s; floor: write to files, %s; %s", note, f.cpu.Seconds(), what, speeds)}
	}
	return []row{line(once, "SHA-1"), line(both, "SHA-1 and MD5"), memory("multipart upload of 1 GiB", e)}, nil
}

// floor is what the same bytes need without a server.
type floor struct{ took, cpu time.Duration }

// speeds says what one core does with a part, by CPU time, which others on the
// machine do not take.
func (b *bench) speeds(content []byte) (text string, err error) {
	dir, err := os.MkdirTemp(b.dir, "speeds-")
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	const times = 64
	text = "a second of one core:"
	for _, work := range []struct {
		name string
		do   func(i int) error
	}{
		{"SHA-1", func(int) error { sha1.Sum(content); return nil }},
		{"MD5", func(int) error { md5.Sum(content); return nil }},
		{"write", func(i int) error { return writePart(filepath.Join(dir, strconv.Itoa(i)), content, nil) }},
	} {
		before := ownCPU()
		for i := range times {
			if err := work.do(i); err != nil {
				return "", err
			}
		}
		text += fmt.Sprintf(" %s %.0f MiB", work.name, times*partSize/(ownCPU()-before).Seconds()/(1<<20))
	}
	return text, nil
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.2f s", d.Seconds()) }

func ratio(value, floor time.Duration) string {
	return fmt.Sprintf("%.2f", value.Seconds()/floor.Seconds())
}

func uploadParts(host, key string, content []byte) (time.Duration, error) {
	authorization := "UpToken " + uploadToken()
	target := "/buckets/bench/objects/" + base64.URLEncoding.EncodeToString([]byte(key)) + "/uploads"
	began := time.Now()
	c, err := dial(host)
	if err != nil {
		return 0, err
	}
	defer c.close()
	var begun struct{ UploadID string }
	if _, err := c.call(http.MethodPost, target, authorization, nil, &begun); err != nil {
		return 0, err
	}
	target += "/" + begun.UploadID
	type part struct {
		Number int    `json:"partNumber"`
		ETag   string `json:"etag"`
	}
	parts := make([]part, partCount)
	var all errgroup.Group
	for worker := range inFlight {
		all.Go(func() error {
			c, err := dial(host)
			if err != nil {
				return err
			}
			defer c.close()
			for i := worker; i < partCount; i += inFlight {
				parts[i].Number = i + 1
				if _, err := c.call(http.MethodPut, target+"/"+strconv.Itoa(i+1), authorization, content, &parts[i]); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := all.Wait(); err != nil {
		return 0, err
	}
	body, err := json.Marshal(map[string]any{"parts": parts})
	if err != nil {
		return 0, err
	}
	_, err = c.call(http.MethodPost, target, authorization, body, nil)
	return time.Since(began), err
}

// writeParts is the floor: the bytes come from memory, and go to files in pieces
// that fit into a cache, hashed on their way.
func (b *bench) writeParts(content []byte, both bool) (took time.Duration, err error) {
	dir, err := os.MkdirTemp(b.dir, "floor-")
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	var all errgroup.Group
	began := time.Now()
	for worker := range inFlight {
		all.Go(func() error {
			for i := worker; i < partCount; i += inFlight {
				hashes := []hash.Hash{sha1.New()}
				if both {
					hashes = append(hashes, md5.New())
				}
				if err := writePart(filepath.Join(dir, strconv.Itoa(i)), content, hashes); err != nil {
					return err
				}
			}
			return nil
		})
	}
	err = all.Wait()
	return time.Since(began), err
}

func writePart(path string, content []byte, hashes []hash.Hash) (err error) {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	writers := []io.Writer{file}
	for _, h := range hashes {
		writers = append(writers, h)
	}
	all := io.MultiWriter(writers...)
	const piece = 64 << 10
	for rest := content; len(rest) > 0; rest = rest[min(piece, len(rest)):] {
		if _, err := all.Write(rest[:min(piece, len(rest))]); err != nil {
			return err
		}
	}
	return nil
}
