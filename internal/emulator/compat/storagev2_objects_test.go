package compat_test

import (
	"bytes"
	"fmt"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/qiniu/go-sdk/v7/storagev2/apis"
	"github.com/qiniu/go-sdk/v7/storagev2/apis/batch_ops"
	"github.com/qiniu/go-sdk/v7/storagev2/credentials"
	"github.com/qiniu/go-sdk/v7/storagev2/downloader"
	"github.com/qiniu/go-sdk/v7/storagev2/objects"
	"github.com/qiniu/go-sdk/v7/storagev2/region"
	"github.com/qiniu/go-sdk/v7/storagev2/resolver"

	"github.com/qiniu/terraform-provider-kodo/internal/emulator"
)

func TestObjects(t *testing.T) {
	t.Parallel()
	s := newSDK(t, emulator.BucketSpec{Name: "bucket"})
	var want []string
	for d := range 3 {
		for i := d; i < 2100; i += 3 {
			want = append(want, fmt.Sprintf("dir%d/%04d", d, i))
		}
	}
	s.fill("bucket", want)
	manager := objects.NewObjectsManager(&objects.ObjectsManagerOptions{Options: s.opts})
	bucket := manager.Bucket("bucket")

	var got []string
	lister := bucket.List(t.Context(), &objects.ListObjectsOptions{})
	var object objects.ObjectDetails
	for lister.Next(&object) {
		got = append(got, object.Name)
	}
	if err := lister.Error(); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("keys (-want +got)\n%s", diff)
	}

	storage, _ := s.storage()
	page, err := storage.GetObjects(t.Context(), &apis.GetObjectsRequest{Bucket: "bucket", Delimiter: "/", Prefix: ""}, nil)
	if err != nil || cmp.Diff([]string{"dir0/", "dir1/", "dir2/"}, page.CommonPrefixes) != "" || len(page.Items) > 0 {
		t.Errorf("by delimiter: %+v, %v", page, err)
	}

	if err := bucket.Object("dir0/0000").SetMetadata("image/png").Metadata(map[string]string{"a": "1"}).Call(t.Context()); err != nil {
		t.Errorf("chgm: %v", err)
	}
	stat, err := bucket.Object("dir0/0000").Stat().Call(t.Context())
	if err != nil || stat.MimeType != "image/png" || stat.Metadata["a"] != "1" {
		t.Errorf("stat: %+v, %v", stat, err)
	}
	if err := bucket.Object("dir0/0000").Delete().Call(t.Context()); err != nil {
		t.Errorf("delete: %v", err)
	}
	if _, err := bucket.Object("dir0/0000").Stat().Call(t.Context()); code(err) != 612 {
		t.Errorf("stat of a deleted object: %v, want 612", err)
	}
	if err := bucket.Object("dir0/0000").Delete().Call(t.Context()); code(err) != 612 {
		t.Errorf("delete again: %v, want 612", err)
	}

	var deleted, failed int
	var operations []objects.Operation
	for _, key := range append(slices.Clone(want[1:1500]), "missing") {
		operations = append(operations, bucket.Object(key).Delete().
			OnResponse(func() { deleted++ }).OnError(func(error) { failed++ }))
	}
	if err := manager.Batch(t.Context(), operations, &objects.BatchOptions{BatchOpsExecutor: objects.NewSerialBatchOpsExecutor(nil)}); err != nil {
		t.Error(err)
	}
	if deleted != 1499 || failed != 1 {
		t.Errorf("batch: %d deleted, %d failed, want 1499 and 1", deleted, failed)
	}
	if keys, err := s.e.Keys("bucket"); err != nil || cmp.Diff(want[1500:], keys) != "" {
		t.Errorf("left: %d, %v", len(keys), err)
	}
}

func TestBatchOps(t *testing.T) {
	t.Parallel()
	s := newSDK(t, emulator.BucketSpec{Name: "bucket"})
	if err := s.e.Put("bucket", "k", "text/plain", []byte("hello")); err != nil {
		t.Fatal(err)
	}
	storage, options := s.storage()
	options.OverwrittenBucketName = "bucket"
	// YnVja2V0Oms= is bucket:k, YnVja2V0Om0= is bucket:m.
	answer, err := storage.BatchOps(t.Context(), &apis.BatchOpsRequest{Operations: []string{
		"stat/YnVja2V0Oms=", "/stat/YnVja2V0Om0=", "delete/YnVja2V0Oms=", "stat/YnVja2V0Oms=", "pfop/YnVja2V0Oms=/YnVja2V0Om0=",
	}}, options)
	if err != nil {
		t.Fatal(err)
	}
	var codes []int64
	for _, operation := range answer.OperationResponses {
		codes = append(codes, operation.Code)
	}
	if diff := cmp.Diff([]int64{200, 612, 200, 612, 501}, codes); diff != "" {
		t.Errorf("codes (-want +got)\n%s", diff)
	}
	want := batch_ops.OperationResponseData{
		Size: 5, Hash: "Fqr0xh3cxeii2r7eDztILNmuqUNN", MimeType: "text/plain", Md5: "5d41402abc4b2a76b9719d911017c592",
		PutTime: answer.OperationResponses[0].Data.PutTime,
	}
	if diff := cmp.Diff(want, answer.OperationResponses[0].Data); diff != "" {
		t.Errorf("stat (-want +got)\n%s", diff)
	}
	if got := answer.OperationResponses[1].Data.Error; got != "no such file or directory" {
		t.Errorf("error = %q", got)
	}
}

func TestDownloader(t *testing.T) {
	t.Parallel()
	s := newSDK(t, emulator.BucketSpec{Name: "public", Public: true}, emulator.BucketSpec{Name: "private"})
	content := noise(5 << 20)
	const key = "dir/file ü+%&.bin"
	for _, bucket := range []string{"public", "private"} {
		if err := s.e.Put(bucket, key, "", content); err != nil {
			t.Fatal(err)
		}
	}
	origins := downloader.NewDefaultSrcURLsProvider(s.creds.AccessKey, &downloader.DefaultSrcURLsProviderOptions{
		BucketHosts: s.hosts,
		BucketRegionsQueryOptions: region.BucketRegionsQueryOptions{
			UseInsecureProtocol: true, Resolver: resolver.NewEmptyResolver(),
			PersistentFilePath: filepath.Join(t.TempDir(), "regions.json"),
		},
	})
	signed := downloader.SignURLsProvider(origins, downloader.NewCredentialsSigner(s.creds), nil)
	manager := downloader.NewDownloadManager(&downloader.DownloadManagerOptions{
		Options: s.opts,
		DestinationDownloader: downloader.NewConcurrentDownloader(&downloader.ConcurrentDownloaderOptions{
			PartSize: 1 << 20, DownloaderOptions: downloader.DownloaderOptions{Resolver: resolver.NewEmptyResolver()},
		}),
	})
	get := func(bucket string, provider downloader.DownloadURLsProvider) ([]byte, error) {
		var received bytes.Buffer
		_, err := manager.DownloadToWriter(t.Context(), key, &received, &downloader.ObjectOptions{
			GenerateOptions:      downloader.GenerateOptions{BucketName: bucket, UseInsecureProtocol: true},
			DownloadURLsProvider: provider,
		})
		return received.Bytes(), err
	}
	if got, err := get("public", origins); err != nil || !bytes.Equal(got, content) {
		t.Errorf("public: %d bytes, %v", len(got), err)
	}
	if got, err := get("private", signed); err != nil || !bytes.Equal(got, content) {
		t.Errorf("private with a signature: %d bytes, %v", len(got), err)
	}
	if got, err := get("private", origins); err == nil {
		t.Errorf("private without a signature: %d bytes, want an error", len(got))
	}
}

// TestRefusedKeys sees that a wrong key is told apart from a missing object.
func TestRefusedKeys(t *testing.T) {
	t.Parallel()
	s := newSDK(t, emulator.BucketSpec{Name: "bucket"})
	stat := func(creds *credentials.Credentials) error {
		opts := s.opts
		opts.Credentials = creds
		_, err := apis.NewStorage(&opts).StatObject(t.Context(), &apis.StatObjectRequest{Entry: "bucket:k"}, nil)
		return err
	}
	if err := stat(credentials.NewCredentials(s.creds.AccessKey, "wrong")); code(err) != 401 || err.Error() != "bad token" {
		t.Errorf("wrong secret: %d %v, want 401", code(err), err)
	}
	if err := stat(credentials.NewCredentials("unknown", "wrong")); code(err) != 612 || err.Error() != "app/accesskey is not found" {
		t.Errorf("unknown access key: %d %v, want the 612 of discovery", code(err), err)
	}
	if err := stat(s.creds); code(err) != 612 || err.Error() != "no such file or directory" {
		t.Errorf("missing object: %d %v, want 612", code(err), err)
	}
}
