package kodo_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/qiniu/terraform-provider-kodo/internal/kodo"
)

// childEndpoint is set for a process that is to use the Client and nothing else, by TestLeavesNoTrace.
const childEndpoint = "KODO_TEST_ENDPOINT_OF_CHILD"

// The SDK would write caches, send telemetry, print warnings and follow the environment of whoever runs it.
func TestLeavesNoTrace(t *testing.T) {
	t.Parallel()
	e, _ := newEmulator(t)
	home, temp := t.TempDir(), t.TempDir()
	dead := "http://" + free(t)
	// What a user's shell may hold, all of it wrong.
	const config = "[default]\naccess_key = \"wrong\"\nsecret_key = \"wrong\"\nbucket_url = \"http://127.0.0.1:1\"\n"
	if err := os.Mkdir(filepath.Join(home, ".qiniu"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(home, ".qiniu", "config.toml"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	before := tree(t, home, temp)

	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), program)
	cmd.Dir = home
	cmd.Env = []string{
		childEndpoint + "=" + e.Endpoint(), "HOME=" + home, "TMPDIR=" + temp, "USERPROFILE=" + home, "TEMP=" + temp, "TMP=" + temp,
		"QINIU_BUCKET_URL=" + dead, "QINIU_ACCESS_KEY=wrong", "QINIU_SECRET_KEY=wrong", "DISABLE_QINIU_TIMESTAMP_SIGNATURE=false",
		"GOCOVERDIR=" + t.TempDir(), // or it warns when the tests run with -cover
		"HTTP_PROXY=" + dead, "HTTPS_PROXY=" + dead, "XDG_CACHE_HOME=" + home, "XDG_CONFIG_HOME=" + home,
	}
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v\n%s", err, &stderr)
	}
	if stdout.Len() > 0 || stderr.Len() > 0 {
		t.Errorf("it printed\n%s%s", &stdout, &stderr)
	}
	if after := tree(t, home, temp); after != before {
		t.Errorf("files before:\n%s\nafter:\n%s", before, after)
	}
	for _, r := range e.Requests() {
		if r.Status == 501 {
			t.Errorf("a request that Kodo does not know: %+v", r)
		}
	}
}

// tree lists everything below some folders.
func tree(t *testing.T, dirs ...string) string {
	t.Helper()
	var b strings.Builder
	for _, dir := range dirs {
		err := filepath.Walk(dir, func(path string, info os.FileInfo, err error) error {
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(&b, path, info.Mode(), info.Size(), info.ModTime())
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return b.String()
}

// child uses every call once, some of them without success, and returns the exit code of its process.
func child(endpoint string) int {
	err := useEverything(endpoint)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func newChild(endpoint string) (*kodo.Client, error) {
	return kodo.New(kodo.Config{
		AccessKey: accessKey, SecretKey: secretKey, Endpoints: kodo.Endpoints{UC: endpoint}, MaxRetries: 1,
	})
}

// manyAtOnce stores a file by one Client and removes it by another, among many.
func manyAtOnce(ctx context.Context, c, another *kodo.Client) error {
	program, err := os.Executable()
	if err != nil {
		return err
	}
	var failed error
	c.PutAll(ctx, "new", 1, func(int) kodo.FilePut {
		return kodo.FilePut{Path: program, Put: kodo.Put{Key: "program", ContentType: "a/b"}}
	}, func(_ int, _ kodo.Stored, err error) { failed = err })
	if failed != nil {
		return failed
	}
	objects, err := c.StatAll(ctx, "new", []string{"program", "none"})
	if err != nil || len(objects) != 1 {
		return fmt.Errorf("%d objects: %w", len(objects), err)
	}
	another.RemoveAll(ctx, "new", []kodo.Doomed{{Key: "program", PutTime: objects["program"].PutTime}}, func(_ kodo.Doomed, removal kodo.Removal, err error) {
		if err != nil || removal != kodo.Removed {
			failed = fmt.Errorf("the removal is %v: %w", removal, err)
		}
	})
	return failed
}

func useEverything(endpoint string) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	c, err := newChild(endpoint)
	if err != nil {
		return err
	}
	large := kodo.Put{Bucket: "new", Key: "large", Content: bytes.NewReader(make([]byte, 9*mib)), ContentType: "a/b"}
	_, tagsErr := c.BucketTags(ctx, "bucket")
	_, domainsErr := c.BucketDomains(ctx, "bucket")
	if err := errors.Join(
		tagsErr, domainsErr,
		c.CreateBucket(ctx, "new", "z0", true),
		c.SetBucketPrivate(ctx, "new", false),
		c.SetBucketIndexPage(ctx, "new", true),
		c.SetBucketTags(ctx, "new", map[string]string{"a": "b"}),
		c.SetBucketTags(ctx, "new", nil),
	); err != nil {
		return err
	}
	if _, err := c.Put(ctx, kodo.Put{Bucket: "new", Key: "small", Content: strings.NewReader("hello"), ContentType: "a/b"}); err != nil {
		return err
	}
	if _, err := c.Put(ctx, large); err != nil {
		return err
	}
	for _, err := range c.Objects(ctx, "new", kodo.ListOptions{}) {
		if err != nil {
			return err
		}
	}
	for _, err := range c.Buckets(ctx) {
		if err != nil {
			return err
		}
	}
	if _, err := c.PartSizes(ctx, "new", "large"); err != nil {
		return err
	}
	if _, err := c.Remove(ctx, "new", "none", 1, ""); err != nil {
		return err
	}
	small, err := c.Stat(ctx, "new", "small")
	if err != nil {
		return err
	}
	if _, err := c.Change(ctx, "new", "small", small.PutTime, kodo.SetMetadata("c/d", nil)); err != nil {
		return err
	}
	another, err := newChild(endpoint) // what c wrote it would keep
	if err != nil {
		return err
	}
	if err := manyAtOnce(ctx, c, another); err != nil {
		return err
	}
	if removal, err := another.Remove(ctx, "new", "small", small.PutTime, ""); err != nil || removal != kodo.Removed {
		return fmt.Errorf("the removal is %v: %w", removal, err)
	}
	if _, err := c.Stat(ctx, "nobody-has-this", "key"); err == nil {
		return errors.New("a bucket that nobody has")
	}
	if _, err := c.EmptyBucket(ctx, "new"); err != nil {
		return err
	}
	if err := c.DeleteBucket(ctx, "new"); err != nil {
		return err
	}
	unreachable, err := newChild("http://127.0.0.1:1")
	if err != nil {
		return err
	}
	if _, err := unreachable.Stat(ctx, "bucket", "key"); err == nil {
		return errors.New("an answer of nobody")
	}
	return nil
}
