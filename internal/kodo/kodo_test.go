package kodo_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/qiniu/terraform-provider-kodo/internal/emulator"
	"github.com/qiniu/terraform-provider-kodo/internal/kodo"
)

const mib = 1 << 20

// Published vectors of Kodo's hash.
const (
	etagEmpty = "Fto5o-5ea0sNMlW_75VgGJCv2AcJ"
	etagHello = "Fqr0xh3cxeii2r7eDztILNmuqUNN"
	etag4MiB  = "FivMvS848VwT631aif2dhfWV4jvD"
	etag5MiB  = "lrMhp7oU8rzWSRlmUeGJ73Q2pVa-" // of zeros
	etag9MiB  = "lnGI9p-JfYjCCVFSI-mFSvtJXkyO" // of zeros
	etag64MiB = "loPveBoKhSZQGutJZAtSIqgYNAjN" // of zeros
)

const (
	accessKey = "an-access-key-7Kq2"
	secretKey = "a-secret-key-that-nobody-may-see"
)

func TestMain(m *testing.M) {
	if endpoint := os.Getenv(childEndpoint); endpoint != "" {
		os.Exit(child(endpoint))
	}
	if what := os.Getenv(childUpload); what != "" {
		os.Exit(uploadChild(what))
	}
	os.Exit(m.Run())
}

// everything is at one base URL, without discovery.
func everything(url string) kodo.Endpoints {
	return kodo.Endpoints{UC: url, Up: url, RS: url, RSF: url, IO: url, API: url, CDN: url}
}

func newClient(t *testing.T, endpoints kodo.Endpoints, change ...func(*kodo.Config)) *kodo.Client {
	t.Helper()
	config := kodo.Config{AccessKey: accessKey, SecretKey: secretKey, Endpoints: endpoints, MaxRetries: 3}
	for _, c := range change {
		c(&config)
	}
	client, err := kodo.New(config)
	if err != nil {
		t.Fatal(err)
	}
	client.SetFirstPause(time.Millisecond)
	return client
}

func noRetries(c *kodo.Config) { c.MaxRetries = 0 }

// newEmulator starts an emulator with the bucket "bucket" and a Client for it that finds its hosts by discovery.
func newEmulator(t *testing.T, change ...func(*kodo.Config)) (*emulator.Emulator, *kodo.Client) {
	t.Helper()
	e, err := emulator.New(emulator.Options{
		Accounts: []emulator.Account{{AccessKey: accessKey, SecretKey: secretKey}},
		Buckets:  []emulator.BucketSpec{{Name: "bucket"}},
		Data:     t.TempDir(),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return e, newClient(t, kodo.Endpoints{UC: e.Endpoint()}, change...)
}

// fail adds a fault to an emulator.
func fail(t *testing.T, e *emulator.Emulator, fault emulator.Fault) {
	t.Helper()
	if _, err := e.Fail(fault); err != nil {
		t.Fatal(err)
	}
}

// scripted starts a server of one function.
func scripted(t *testing.T, handler http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server.URL
}

// free returns an address where nobody listens.
func free(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

// answer answers as Kodo does.
func answer(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Reqid", "request-id-1")
	w.WriteHeader(status)
	_, _ = fmt.Fprint(w, body)
}

// hangUp closes the connection without an answer.
func hangUp(w http.ResponseWriter) {
	panic(http.ErrAbortHandler)
}

// statAnswer is an object that holds "hello".
const statAnswer = `{"fsize":5,"hash":"` + etagHello + `","mimeType":"text/plain","putTime":17000000000000001}`

const putTimeOfAnswer = kodo.PutTime(17000000000000001)

func asError(t *testing.T, err error) *kodo.Error {
	t.Helper()
	var failed *kodo.Error
	if !errors.As(err, &failed) {
		t.Fatalf("the error %v (%T) is no *kodo.Error", err, err)
	}
	return failed
}

func hello() kodo.Content { return strings.NewReader("hello") }

func zeros(n int) kodo.Content { return bytes.NewReader(make([]byte, n)) }

func put(key string, content kodo.Content, guard kodo.Guard) kodo.Put {
	return kodo.Put{Bucket: "bucket", Key: key, Content: content, ContentType: "text/plain", Guard: guard}
}

// seed stores an object as if somebody else had, and returns it.
func seed(t *testing.T, e *emulator.Emulator, c *kodo.Client, key, content string) kodo.Object {
	t.Helper()
	if err := e.Put("bucket", key, "text/plain", []byte(content)); err != nil {
		t.Fatal(err)
	}
	object, err := c.Stat(t.Context(), "bucket", key)
	if err != nil {
		t.Fatal(err)
	}
	return object
}

// wantContent compares an object of the emulator with what it should hold.
func wantContent(t *testing.T, e *emulator.Emulator, key, want string) {
	t.Helper()
	got, err := e.Content("bucket", key)
	if err != nil {
		t.Fatalf("content of %q: %v", key, err)
	}
	if string(got) != want {
		t.Errorf("the object %q holds %d bytes %.40q, want %d bytes %.40q", key, len(got), got, len(want), want)
	}
}

// count returns how many requests of a service the emulator was sent whose path begins so.
func count(e *emulator.Emulator, method, service, pathPrefix string) int {
	n := 0
	for _, r := range e.Requests() {
		if r.Method == method && r.Service == service && strings.HasPrefix(r.Path, pathPrefix) {
			n++
		}
	}
	return n
}

// within fails the test if f takes longer, which only a wait that ignores its context does.
func within(t *testing.T, limit time.Duration, f func()) {
	t.Helper()
	start := time.Now()
	f()
	if took := time.Since(start); took > limit {
		t.Errorf("it took %v, longer than %v", took, limit)
	}
}

// cancelWhen returns a context that is cancelled once something has begun.
func cancelWhen(t *testing.T, begun <-chan struct{}) context.Context {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		defer cancel()
		select {
		case <-begun:
		case <-t.Context().Done():
		}
	}()
	return ctx
}
