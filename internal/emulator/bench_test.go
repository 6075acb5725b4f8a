package emulator_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha1"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/qiniu/terraform-provider-kodo/internal/emulator"
)

const workers = 64

func startBenchmark(b *testing.B) (*emulator.Emulator, *http.Client) {
	b.Helper()
	e, err := emulator.New(emulator.Options{Buckets: []emulator.BucketSpec{{Name: "bench", Public: true}}})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { e.Close() })
	return e, &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: workers}}
}

func token(e *emulator.Emulator, bucket string) string {
	policy := fmt.Sprintf(`{"scope":%q,"deadline":%d}`, bucket, time.Now().Add(time.Hour).Unix())
	encoded := base64.URLEncoding.EncodeToString([]byte(policy))
	mac := hmac.New(sha1.New, []byte(e.Account().SecretKey))
	mac.Write([]byte(encoded))
	return e.Account().AccessKey + ":" + base64.URLEncoding.EncodeToString(mac.Sum(nil)) + ":" + encoded
}

func do(client *http.Client, req *http.Request, answer any) error {
	res, err := client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		return fmt.Errorf("%d %s %w", res.StatusCode, body, err)
	}
	return json.Unmarshal(body, answer)
}

// BenchmarkFormUpload uploads objects of 8 KiB from 64 goroutines. The client's
// work is part of it.
func BenchmarkFormUpload(b *testing.B) {
	e, client := startBenchmark(b)
	upToken, content := token(e, "bench"), bytes.Repeat([]byte("8 bytes\n"), 1024)
	var n atomic.Int64
	b.SetBytes(int64(len(content)))
	b.SetParallelism(workers / 2) // Times GOMAXPROCS.
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			var body bytes.Buffer
			const part = "--limit\r\nContent-Disposition: form-data; name=%q; filename=\"f\"\r\n\r\n%s\r\n"
			fmt.Fprintf(&body, part+part+part+"--limit--\r\n", "token", upToken, "key", fmt.Sprint(n.Add(1)), "file", content)
			req, err := http.NewRequest(http.MethodPost, e.Endpoint()+"/", &body)
			if err != nil {
				b.Error(err)
				return
			}
			req.Header.Set("Content-Type", "multipart/form-data; boundary=limit")
			if err := do(client, req, &struct{}{}); err != nil {
				b.Error(err)
				return
			}
		}
	})
}

// BenchmarkMultipartUpload uploads an object of 256 MiB in parts of 4 MiB, one
// after the other.
func BenchmarkMultipartUpload(b *testing.B) {
	const parts = 64
	e, client := startBenchmark(b)
	upToken, content := token(e, "bench"), bytes.Repeat([]byte("8 bytes\n"), 512<<10)
	sum := md5.Sum(content)
	send := func(method, target string, body io.Reader, answer any) {
		req, err := http.NewRequest(method, e.Endpoint()+target, body)
		if err != nil {
			b.Fatal(err)
		}
		req.Header.Set("Authorization", "UpToken "+upToken)
		if method == http.MethodPut {
			req.Header.Set("Content-MD5", hex.EncodeToString(sum[:]))
		}
		if err := do(client, req, answer); err != nil {
			b.Fatal(err)
		}
	}
	b.SetBytes(parts * int64(len(content)))
	for i := range b.N {
		target := "/buckets/bench/objects/" + base64.URLEncoding.EncodeToString(fmt.Append(nil, i)) + "/uploads"
		var begun struct{ UploadID string }
		send(http.MethodPost, target, nil, &begun)
		var named []string
		for n := range parts {
			var part struct{ ETag string }
			send(http.MethodPut, fmt.Sprintf("%s/%s/%d", target, begun.UploadID, n+1), bytes.NewReader(content), &part)
			named = append(named, fmt.Sprintf(`{"partNumber":%d,"etag":%q}`, n+1, part.ETag))
		}
		send(http.MethodPost, target+"/"+begun.UploadID, strings.NewReader(`{"parts":[`+strings.Join(named, ",")+`]}`), &struct{}{})
	}
}
