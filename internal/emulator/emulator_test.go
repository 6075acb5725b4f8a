package emulator_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/qiniu/terraform-provider-kodo/internal/emulator"
)

func start(t *testing.T, options emulator.Options) *emulator.Emulator {
	t.Helper()
	e, err := emulator.New(options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Errorf("Close() = %v", err)
		}
	})
	return e
}

func get(t *testing.T, url string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(req)
	if err != nil {
		return 0, err.Error()
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(body)
}

func TestRestart(t *testing.T) {
	t.Parallel()
	options := emulator.Options{
		Data: filepath.Join(t.TempDir(), "data"), Sync: true,
		Buckets: []emulator.BucketSpec{{Name: "assets", Public: true}, {Name: "silent"}},
		Domains: []emulator.DomainSpec{{Bucket: "assets", Host: "cdn.example.com"}},
	}
	e := start(t, options)
	content := bytes.Repeat([]byte("content"), 10_000)
	if err := e.Put("assets", "dir/k", "text/plain", content); err != nil {
		t.Fatal(err)
	}
	host, err := e.DownloadHost("assets")
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Engine().Advance(time.Hour); err != nil {
		t.Fatal(err)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	if status, body := get(t, "http://"+host+"/dir/k"); status != 0 {
		t.Errorf("a closed emulator answers %d %s", status, body)
	}

	e = start(t, options)
	if status, body := get(t, "http://"+host+"/dir/k"); status != 200 || body != string(content) {
		t.Errorf("the link of before: %d, %d bytes", status, len(body))
	}
	if again, err := e.DownloadHost("assets"); err != nil || again != host {
		t.Errorf("DownloadHost() = %q, %v, want %q as before", again, err, host)
	}
	if keys, err := e.Keys("assets"); err != nil || cmp.Diff([]string{"dir/k"}, keys) != "" {
		t.Errorf("Keys() = %q, %v", keys, err)
	}
	if ahead := time.Until(e.Engine().Now()); ahead < 50*time.Minute {
		t.Errorf("the clock is %v ahead, want an hour", ahead)
	}

	// Somebody else has the port now.
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	taken, err := net.Listen("tcp", host)
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	e = start(t, options)
	other, err := e.DownloadHost("assets")
	if err != nil || other == host {
		t.Errorf("DownloadHost() = %q, %v, want another port", other, err)
	}
	if status, _ := get(t, "http://"+other+"/dir/k"); status != 200 {
		t.Errorf("the new link: %d", status)
	}
}

func TestListenOnEveryAddress(t *testing.T) {
	t.Parallel()
	e := start(t, emulator.Options{Listen: ":0"})
	if !strings.HasPrefix(e.Endpoint(), "http://127.0.0.1:") {
		t.Errorf("Endpoint() = %q, want an address that can be dialled", e.Endpoint())
	}
	if status, _ := get(t, e.Endpoint()+"/_emulator/health"); status != 200 {
		t.Errorf("health: %d", status)
	}
}

// TestDropPastTheWire drops and makes a bucket where no handler sees it.
func TestDropPastTheWire(t *testing.T) {
	t.Parallel()
	e := start(t, emulator.Options{Buckets: []emulator.BucketSpec{{Name: "assets", Public: true}}})
	owner := e.Account().AccessKey
	host, err := e.DownloadHost("assets")
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Engine().DropBucket(owner, "assets"); err != nil {
		t.Fatal(err)
	}
	if status, body := get(t, "http://"+host+"/k"); status != 404 || body != `{"error":"no such domain"}` {
		t.Errorf("the link to a dropped bucket: %d %s", status, body)
	}
	if _, err := e.Engine().CreateBucket(owner, "assets", "", false); err != nil {
		t.Fatal(err)
	}
	if again, err := e.DownloadHost("assets"); err != nil || again != host {
		t.Errorf("DownloadHost() = %q, %v, want %q", again, err, host)
	}
	bucket, err := e.Engine().Bucket(owner, "assets")
	if err != nil || !strings.HasSuffix(host, fmt.Sprintf(":%d", bucket.Port)) {
		t.Errorf("Bucket() = %+v, %v, want the port of %s", bucket, err, host)
	}
}

func TestTemporaryFolder(t *testing.T) {
	t.Parallel()
	a, b := start(t, emulator.Options{}), start(t, emulator.Options{})
	if a.Dir() == b.Dir() || a.Endpoint() == b.Endpoint() {
		t.Errorf("two emulators share %s or %s", a.Dir(), a.Endpoint())
	}
	for range 2 {
		if err := a.Close(); err != nil {
			t.Errorf("Close() = %v", err)
		}
	}
	if _, err := os.Stat(a.Dir()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the temporary folder is still there: %v", err)
	}
	if status, _ := get(t, b.Endpoint()+"/_emulator/health"); status != 200 {
		t.Errorf("the other emulator answers %d", status)
	}
}

func TestRefusedOptions(t *testing.T) {
	t.Parallel()
	running := start(t, emulator.Options{Data: t.TempDir()})
	two := []emulator.Account{{AccessKey: "b", SecretKey: "s"}}
	for name, tt := range map[string]struct {
		options emulator.Options
		text    string
	}{
		"address":     {emulator.Options{Listen: strings.TrimPrefix(running.Endpoint(), "http://")}, "address already in use"},
		"no address":  {emulator.Options{Listen: "nowhere"}, "listen on nowhere"},
		"folder":      {emulator.Options{Data: running.Dir()}, "open the data folder " + running.Dir()},
		"no secret":   {emulator.Options{Accounts: []emulator.Account{{AccessKey: "a"}}}, "both keys must be set"},
		"colon":       {emulator.Options{Accounts: []emulator.Account{{AccessKey: "a:b", SecretKey: "s"}}}, "must not contain a colon"},
		"twice":       {emulator.Options{Accounts: append(two, two...)}, "is given twice"},
		"bucket":      {emulator.Options{Buckets: []emulator.BucketSpec{{Name: "A"}}}, `create the bucket "A"`},
		"region":      {emulator.Options{Buckets: []emulator.BucketSpec{{Name: "abc", Region: "x"}}}, `create the bucket "abc"`},
		"domain":      {emulator.Options{Domains: []emulator.DomainSpec{{Bucket: "abc", Host: "h_"}}}, `bind h_ to the bucket "abc"`},
		"file as dir": {emulator.Options{Data: os.Args[0]}, "open the data folder"},
	} {
		e, err := emulator.New(tt.options)
		if err == nil || !strings.Contains(err.Error(), tt.text) {
			t.Errorf("%s: %v, want %q", name, err, tt.text)
		}
		if e != nil {
			e.Close()
		}
	}
}

// TestCloseEndsRequests closes an emulator while a client is in the middle of
// an upload.
func TestCloseEndsRequests(t *testing.T) {
	t.Parallel()
	e := start(t, emulator.Options{})
	reader, writer := io.Pipe()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, e.Endpoint()+"/", reader)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "multipart/form-data; boundary=b")
	done := make(chan error)
	go func() {
		_, err := (&http.Transport{}).RoundTrip(req)
		done <- err
	}()
	if _, err := io.WriteString(writer, "--b\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\n"+strings.Repeat("x", 1<<20)); err != nil {
		t.Fatal(err)
	}
	for begin := time.Now(); ; time.Sleep(time.Millisecond) {
		if files, err := filepath.Glob(filepath.Join(e.Dir(), "extents", "*", "*")); err != nil || len(files) > 0 {
			break // The server writes what it has got.
		}
		if time.Since(begin) > 10*time.Second {
			t.Fatal("the upload has not arrived")
		}
	}
	begin := time.Now()
	if err := e.Close(); err != nil {
		t.Errorf("Close() = %v", err)
	}
	if took := time.Since(begin); took > 20*time.Second {
		t.Errorf("Close took %v", took)
	}
	if got := e.Requests(); len(got) != 1 {
		t.Errorf("Requests() = %+v after Close, want the one that it has ended", got)
	}
	writer.CloseWithError(io.ErrClosedPipe)
	if err := <-done; err == nil {
		t.Error("the upload was answered")
	}
}

// TestCloseDuringUploads closes an emulator while clients send one upload after
// the other: nobody writes to the temporary folder once Close removes it.
func TestCloseDuringUploads(t *testing.T) {
	t.Parallel()
	e := start(t, emulator.Options{Buckets: []emulator.BucketSpec{{Name: "bucket"}}})
	var body bytes.Buffer
	const part = "--limit\r\nContent-Disposition: form-data; name=%q; filename=\"f\"\r\n\r\n%s\r\n"
	fmt.Fprintf(&body, part+part+"--limit--\r\n", "token", token(e, "bucket"), "file", bytes.Repeat([]byte("x"), 1<<20))
	var clients sync.WaitGroup
	stored := make(chan struct{}, 1)
	for range 16 {
		clients.Go(func() {
			for {
				res, err := http.Post(e.Endpoint()+"/", "multipart/form-data; boundary=limit", bytes.NewReader(body.Bytes()))
				if err != nil {
					return
				}
				res.Body.Close()
				if res.StatusCode != http.StatusOK {
					t.Errorf("an upload was answered %d", res.StatusCode)
					return
				}
				select {
				case stored <- struct{}{}:
				default:
				}
			}
		})
	}
	<-stored
	if err := e.Close(); err != nil {
		t.Errorf("Close() = %v", err)
	}
	clients.Wait()
	if _, err := os.Stat(e.Dir()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the temporary folder is still there: %v", err)
	}
}
