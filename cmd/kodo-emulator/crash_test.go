package main_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/qiniu/terraform-provider-kodo/internal/emulator"
)

// TestKill kills the program in the middle of 200 concurrent uploads and
// starts it again on the same folder: what was acknowledged is there, nothing
// is there in part, and no file is left over.
func TestKill(t *testing.T) {
	t.Parallel()
	for name, arguments := range map[string][]string{"with sync": nil, "without sync": {"--no-sync"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			data := t.TempDir()
			arguments := append([]string{"--data", data, "--bucket", "assets:public"}, arguments...)
			p := start(t, arguments...)
			acknowledged := uploadUntilKilled(t, p)
			t.Logf("%d uploads were acknowledged", len(acknowledged))

			p = start(t, arguments...)
			visible := checkObjects(t, p, data)
			for _, key := range acknowledged {
				if !slices.Contains(visible, key) {
					t.Errorf("the acknowledged object %s is gone", key)
				}
			}
			if err := p.stop(syscall.SIGTERM); err != nil {
				t.Errorf("after SIGTERM: %v %s", err, p.stderr.String())
			}
		})
	}
}

// content is what is uploaded under a key: its bytes can be told from it. It is
// 40 to 80 KiB, large enough for a file of its own.
func content(key string) []byte {
	lines := (40<<10)/len(key) + int(key[0])*int(key[1])%1000
	return bytes.Repeat([]byte(key+"\n"), lines)
}

// uploadUntilKilled uploads from 200 goroutines, kills the program when some
// hundred uploads were acknowledged, and returns their keys.
func uploadUntilKilled(t *testing.T, p *process) []string {
	t.Helper()
	const workers, enough = 200, 600
	var (
		mu           sync.Mutex
		acknowledged []string
		kill         sync.Once
		all          sync.WaitGroup
	)
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: workers}}
	for w := range workers {
		all.Go(func() {
			for i := 0; ; i++ {
				key := fmt.Sprintf("%03d/%d", w, i)
				if !upload(t, client, p.endpoint, key) {
					return
				}
				mu.Lock()
				acknowledged = append(acknowledged, key)
				n := len(acknowledged)
				mu.Unlock()
				if n >= enough {
					kill.Do(func() {
						if err := p.cmd.Process.Kill(); err != nil {
							t.Error(err)
						}
					})
				}
			}
		})
	}
	all.Wait()
	if err := p.cmd.Wait(); err == nil {
		t.Error("the program ended by itself")
	}
	return acknowledged
}

func sign(data string) string {
	mac := hmac.New(sha1.New, []byte(emulator.DefaultAccount().SecretKey))
	mac.Write([]byte(data))
	return emulator.DefaultAccount().AccessKey + ":" + base64.URLEncoding.EncodeToString(mac.Sum(nil))
}

// upload sends a form and reports whether it was acknowledged.
func upload(t *testing.T, client *http.Client, endpoint, key string) bool {
	t.Helper()
	policy := base64.URLEncoding.EncodeToString(fmt.Appendf(nil, `{"scope":"assets:%s","deadline":%d}`, key, time.Now().Add(time.Hour).Unix()))
	var body bytes.Buffer
	const part = "--limit\r\nContent-Disposition: form-data; name=%q; filename=\"f\"\r\n\r\n%s\r\n"
	fmt.Fprintf(&body, part+part+part+"--limit--\r\n", "token", sign(policy)+":"+policy, "key", key, "file", content(key))
	res, err := client.Post(endpoint+"/", "multipart/form-data; boundary=limit", &body)
	if err != nil {
		return false
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if res.StatusCode != http.StatusOK {
		t.Errorf("upload of %s: %d %s", key, res.StatusCode, answer)
		return false
	}
	return err == nil
}

// checkObjects reads every object that is visible and compares its bytes, sees
// that there is one file for each of them, and returns their keys.
func checkObjects(t *testing.T, p *process, data string) []string {
	t.Helper()
	e := attach(t, p)
	var keys []string
	for marker := ""; ; {
		var page struct {
			Marker string
			Items  []struct {
				Key, Hash string
				Size      int `json:"fsize"`
			}
		}
		e.getJSON("/list?bucket=assets&marker="+url.QueryEscape(marker), &page)
		for _, item := range page.Items {
			keys = append(keys, item.Key)
			got := e.download(item.Key)
			sum := sha1.Sum(got)
			hash := base64.URLEncoding.EncodeToString(append([]byte{0x16}, sum[:]...))
			if !bytes.Equal(got, content(item.Key)) || item.Hash != hash || item.Size != len(got) {
				t.Errorf("%s: %d bytes with the hash %s, listed as %d and %s; want the %d that were sent",
					item.Key, len(got), hash, item.Size, item.Hash, len(content(item.Key)))
			}
		}
		if marker = page.Marker; marker == "" {
			break
		}
	}
	var files int
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		files = contentFiles(t, data)
		if files == len(keys) {
			return keys
		}
		if time.Now().After(deadline) {
			t.Errorf("there are %d files for %d objects", files, len(keys))
			return keys
		}
	}
}

// contentFiles counts the files that hold bytes of objects: those in folders of
// the data folder.
func contentFiles(t *testing.T, data string) int {
	t.Helper()
	n := 0
	err := filepath.WalkDir(data, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.Type().IsRegular() && strings.Contains(strings.TrimPrefix(path, data+"/"), "/") {
			n++
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}
