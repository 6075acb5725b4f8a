package main

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha1"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
)

// This file is the bare program: it reads, hashes and sends bytes as Kodo wants
// them, and does nothing else.

const (
	partSize = 4 << 20
	inFlight = 8 // parts that fit into the provider's budget of memory
)

type bare struct {
	endpoint string
	http     *http.Client
}

func newBare(e *emulator) *bare {
	return &bare{e.endpoint, &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}}
}

func uploadToken() string {
	policy := base64.URLEncoding.EncodeToString(fmt.Appendf(nil, `{"scope":%q,"deadline":%d}`, bucket, time.Now().Add(time.Hour).Unix()))
	mac := hmac.New(sha1.New, []byte(secretKey))
	mac.Write([]byte(policy))
	return accessKey + ":" + base64.URLEncoding.EncodeToString(mac.Sum(nil)) + ":" + policy
}

// file uploads a file in parts and returns what it took, from the first byte read.
func (b *bare) file(ctx context.Context, path, key string) (took time.Duration, err error) {
	began := time.Now()
	f, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	target := b.endpoint + "/buckets/" + bucket + "/objects/" + base64.URLEncoding.EncodeToString([]byte(key)) + "/uploads"
	var begun struct{ UploadID string }
	if err := b.send(ctx, http.MethodPost, target, nil, "", &begun); err != nil {
		return 0, err
	}
	target += "/" + begun.UploadID
	type part struct {
		Number int    `json:"partNumber"`
		ETag   string `json:"etag"`
	}
	parts := make([]part, (info.Size()+partSize-1)/partSize)
	all, ctx := errgroup.WithContext(ctx)
	all.SetLimit(inFlight)
	buffers := make(chan []byte, inFlight)
	for range inFlight {
		buffers <- make([]byte, partSize)
	}
	for i := range parts {
		all.Go(func() error {
			buffer := <-buffers
			defer func() { buffers <- buffer }()
			n, err := f.ReadAt(buffer, int64(i)*partSize)
			if err != nil && !errors.Is(err, io.EOF) {
				return err
			}
			sha1.Sum(buffer[:n])
			sum := md5.Sum(buffer[:n])
			parts[i].Number = i + 1
			return b.send(ctx, http.MethodPut, fmt.Sprintf("%s/%d", target, i+1), buffer[:n], hex.EncodeToString(sum[:]), &parts[i])
		})
	}
	if err := all.Wait(); err != nil {
		return 0, err
	}
	body, err := json.Marshal(map[string]any{"parts": parts})
	if err != nil {
		return 0, err
	}
	err = b.send(context.WithoutCancel(ctx), http.MethodPost, target, body, "", nil)
	return time.Since(began), err
}

func (b *bare) send(ctx context.Context, method, target string, body []byte, md5 string, into any) error {
	req, err := http.NewRequestWithContext(ctx, method, target, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "UpToken "+uploadToken())
	if md5 != "" {
		req.Header.Set("Content-MD5", md5)
	}
	return b.do(req, into)
}

func (b *bare) do(req *http.Request, into any) (err error) {
	resp, err := b.http.Do(req)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, resp.Body.Close()) }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s %s: %s %s", req.Method, req.URL.Path, resp.Status, body)
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(body, into)
}

// forms uploads so many small objects, ten at a time as Terraform does, and
// returns what that took.
func (b *bare) forms(ctx context.Context, n int, content func(i int) string) (time.Duration, error) {
	began := time.Now()
	all, ctx := errgroup.WithContext(ctx)
	all.SetLimit(10)
	for i := range n {
		all.Go(func() error { return b.form(ctx, fmt.Sprintf("bare/%d", i), []byte(content(i))) })
	}
	err := all.Wait()
	return time.Since(began), err
}

// directory uploads every file of a directory, so many at a time, and returns
// what that took.
func (b *bare) directory(ctx context.Context, dir string, atOnce int) (time.Duration, error) {
	began := time.Now()
	all, ctx := errgroup.WithContext(ctx)
	all.SetLimit(atOnce)
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		all.Go(func() error {
			content, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			return b.form(ctx, "bare"+strings.TrimPrefix(path, dir), content)
		})
		return nil
	})
	err = errors.Join(err, all.Wait())
	return time.Since(began), err
}

// hash hashes every file of a directory, as many at a time as there are cores.
func hash(ctx context.Context, dir string) error {
	all, _ := errgroup.WithContext(ctx)
	all.SetLimit(runtime.GOMAXPROCS(0))
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		all.Go(func() error {
			content, err := os.ReadFile(path)
			sha1.Sum(content)
			return err
		})
		return nil
	})
	return errors.Join(err, all.Wait())
}

func (b *bare) form(ctx context.Context, key string, content []byte) error {
	sha1.Sum(content)
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for name, value := range map[string]string{"key": key, "token": uploadToken()} {
		if err := form.WriteField(name, value); err != nil {
			return err
		}
	}
	file, err := form.CreateFormFile("file", "f")
	if err != nil {
		return err
	}
	if _, err := file.Write(content); err != nil {
		return err
	}
	if err := form.Close(); err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, b.endpoint+"/", &body)
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", form.FormDataContentType())
	return b.do(req, nil)
}
