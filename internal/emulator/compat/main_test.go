package compat_test

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/qiniu/go-sdk/v7/storagev2/uplog"

	"github.com/qiniu/terraform-provider-kodo/internal/emulator"
)

// TestMain runs the tests in a second process with a temporary folder of its
// own: the SDK decides when it is loaded where to keep the hosts that it has
// found, and those of an earlier run must not be found again.
func TestMain(m *testing.M) {
	if os.Getenv("KODO_COMPAT") != "" {
		uplog.DisableUplog() // Telemetry, which goes to the public cloud.
		os.Exit(m.Run())
	}
	os.Exit(isolated())
}

func isolated() int {
	dir, err := os.MkdirTemp("", "kodo-compat-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	cmd := exec.Command(os.Args[0], os.Args[1:]...)
	cmd.Env = append(os.Environ(), "KODO_COMPAT=1", "TMPDIR="+dir, "HOME="+dir)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if err := cmd.Run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	left, err := filepath.Glob(filepath.Join(dir, "kodo-emulator-*"))
	if err != nil || len(left) > 0 {
		fmt.Fprintln(os.Stderr, "left behind by an emulator:", left, err)
		return 1
	}
	return 0
}

// newEmulator starts an emulator with an access key that no other has: the SDK
// remembers hosts by access key and bucket.
func newEmulator(t *testing.T, buckets ...emulator.BucketSpec) *emulator.Emulator {
	t.Helper()
	account := emulator.Account{AccessKey: rand.Text(), SecretKey: "secret"}
	e, err := emulator.New(emulator.Options{Accounts: []emulator.Account{account}, Buckets: buckets})
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

// noise returns bytes that are the same in every run and in no two blocks.
func noise(size int) []byte {
	content := make([]byte, size)
	for i := range content {
		content[i] = byte(i*31 + i>>12)
	}
	return content
}

func wantContent(t *testing.T, e *emulator.Emulator, bucket, key string, want []byte) {
	t.Helper()
	got, err := e.Content(bucket, key)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%s holds %d bytes, %v; want the %d that were sent", key, len(got), err, len(want))
	}
}
