package compat_test

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/qiniu/go-sdk/v7/client"
	"github.com/qiniu/go-sdk/v7/storagev2/apis"
	"github.com/qiniu/go-sdk/v7/storagev2/apis/set_bucket_taggings"
	"github.com/qiniu/go-sdk/v7/storagev2/credentials"
	"github.com/qiniu/go-sdk/v7/storagev2/http_client"
	"github.com/qiniu/go-sdk/v7/storagev2/region"
	"github.com/qiniu/go-sdk/v7/storagev2/resolver"
	"github.com/qiniu/go-sdk/v7/storagev2/uploader"
	"github.com/qiniu/go-sdk/v7/storagev2/uptoken"

	"github.com/qiniu/terraform-provider-kodo/internal/emulator"
)

// sdk is what a user of storagev2 sets up to speak to one endpoint and to
// discover everything else from it.
type sdk struct {
	t     *testing.T
	e     *emulator.Emulator
	creds *credentials.Credentials
	opts  http_client.Options
	hosts region.Endpoints
}

func newSDK(t *testing.T, buckets ...emulator.BucketSpec) *sdk {
	t.Helper()
	e := newEmulator(t, buckets...)
	s := &sdk{
		t: t, e: e,
		creds: credentials.NewCredentials(e.Account().AccessKey, e.Account().SecretKey),
		hosts: region.Endpoints{Preferred: []string{e.Endpoint()}},
	}
	query, err := region.NewBucketRegionsQuery(s.hosts, &region.BucketRegionsQueryOptions{
		UseInsecureProtocol: true, Resolver: resolver.NewEmptyResolver(),
		PersistentFilePath: filepath.Join(t.TempDir(), "regions.json"),
	})
	if err != nil {
		t.Fatal(err)
	}
	s.opts = http_client.Options{
		Credentials: s.creds, UseInsecureProtocol: true, BucketQuery: query, Resolver: resolver.NewEmptyResolver(),
	}
	return s
}

func (s *sdk) storage() (*apis.Storage, *apis.Options) {
	return apis.NewStorage(&s.opts), &apis.Options{OverwrittenBucketHosts: s.hosts}
}

func (s *sdk) uploadToken(bucket, key string, change ...func(uptoken.PutPolicy)) uptoken.Provider {
	s.t.Helper()
	putPolicy, err := uptoken.NewPutPolicyWithKey(bucket, key, time.Now().Add(time.Hour))
	if err != nil {
		s.t.Fatal(err)
	}
	for _, f := range change {
		f(putPolicy)
	}
	return uptoken.NewSigner(putPolicy, s.creds)
}

// upload sends content and returns the hash that the server answers.
func (s *sdk) upload(bucket, key string, content []byte, options *uploader.UploadManagerOptions) string {
	s.t.Helper()
	options.Options = s.opts
	var answer struct{ Hash, Key string }
	err := uploader.NewUploadManager(options).UploadReader(s.t.Context(), bytes.NewReader(content), &uploader.ObjectOptions{
		BucketName: bucket, ObjectName: &key, FileName: "file.bin", ContentType: "text/x-noise",
		Metadata: map[string]string{"author": "me"}, UpToken: s.uploadToken(bucket, key),
	}, &answer)
	if err != nil || answer.Key != key {
		s.t.Fatalf("upload of %q: %+v, %v", key, answer, err)
	}
	return answer.Hash
}

func code(err error) int {
	var info *client.ErrorInfo
	if errors.As(err, &info) {
		return info.Code
	}
	return 0
}

func TestBuckets(t *testing.T) {
	t.Parallel()
	s := newSDK(t)
	storage, options := s.storage()
	ctx := t.Context()
	check := func(what string, err error) {
		t.Helper()
		if err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}

	for _, name := range []string{"bucket-a", "bucket-b", "bucket-c"} {
		_, err := storage.CreateBucket(ctx, &apis.CreateBucketRequest{Bucket: name, Region: "z1"}, options)
		check("create", err)
	}
	_, err := storage.CreateBucket(ctx, &apis.CreateBucketRequest{Bucket: "bucket-a", Region: "z1"}, options)
	if code(err) != 614 || err.Error() != "the bucket already exists and you own it." {
		t.Errorf("create again: %d %v, want 614", code(err), err)
	}
	names, err := storage.GetBuckets(ctx, &apis.GetBucketsRequest{}, options)
	check("names", err)
	if diff := cmp.Diff([]string{"bucket-a", "bucket-b", "bucket-c"}, []string(names.BucketNames)); diff != "" {
		t.Errorf("names (-want +got)\n%s", diff)
	}
	page, err := storage.GetBucketsV4(ctx, &apis.GetBucketsV4Request{Limit: 2}, options)
	check("first page", err)
	if len(page.Buckets) != 2 || !page.IsTruncated || page.Buckets[1].Name != "bucket-b" || page.Buckets[0].Region != "z1" {
		t.Errorf("first page: %+v", page)
	}
	page, err = storage.GetBucketsV4(ctx, &apis.GetBucketsV4Request{Limit: 2, Marker: page.NextMarker}, options)
	check("last page", err)
	if len(page.Buckets) != 1 || page.IsTruncated || page.NextMarker != "" {
		t.Errorf("last page: %+v", page)
	}

	_, err = storage.SetBucketPrivate(ctx, &apis.SetBucketPrivateRequest{Bucket: "bucket-a", IsPrivate: 1}, options)
	check("private", err)
	_, err = storage.DisableBucketIndexPage(ctx, &apis.DisableBucketIndexPageRequest{Bucket: "bucket-a", NoIndexPage: 0}, options)
	check("index page", err)
	info, err := storage.GetBucketInfo(ctx, &apis.GetBucketInfoRequest{Bucket: "bucket-a"}, options)
	check("info", err)
	if info.Private != 1 || info.NoIndexPage != 0 || info.Region != "z1" {
		t.Errorf("info: %+v", info)
	}
	if _, err := time.Parse(time.RFC3339, info.CreatedAt); err != nil {
		t.Errorf("creation time: %v", err)
	}
	tags := set_bucket_taggings.Tags{{Key: "env", Value: "test"}}
	_, err = storage.SetBucketTaggings(ctx, &apis.SetBucketTaggingsRequest{Bucket: "bucket-a", Tags: tags}, options)
	check("set tags", err)
	got, err := storage.GetBucketTaggings(ctx, &apis.GetBucketTaggingsRequest{BucketName: "bucket-a"}, options)
	check("get tags", err)
	if len(got.Tags) != 1 || got.Tags[0].Key != "env" || got.Tags[0].Value != "test" {
		t.Errorf("tags: %+v", got)
	}
	_, err = storage.DeleteBucketTaggings(ctx, &apis.DeleteBucketTaggingsRequest{BucketName: "bucket-a"}, options)
	check("delete tags", err)
	domains, err := storage.GetBucketDomains(ctx, &apis.GetBucketDomainsRequest{BucketName: "bucket-a"}, options)
	check("domains", err)
	if len(domains.Domains) != 1 {
		t.Errorf("domains: %+v", domains)
	}
	regions, err := storage.GetRegions(ctx, &apis.GetRegionsRequest{}, options)
	check("regions", err)
	if len(regions.Regions) < 6 || regions.Regions[0].Id != "z0" {
		t.Errorf("regions: %+v", regions)
	}

	if err := s.e.Put("bucket-a", "k", "", []byte("x")); err != nil {
		t.Fatal(err)
	}
	_, err = storage.DeleteBucket(ctx, &apis.DeleteBucketRequest{Bucket: "bucket-a"}, options)
	var refusal *client.ErrorInfo
	if !errors.As(err, &refusal) || refusal.Code != 403 || refusal.ErrorCode != "BucketNotEmpty" {
		t.Errorf("drop a full bucket: %+v", err)
	}
	_, err = storage.DeleteBucket(ctx, &apis.DeleteBucketRequest{Bucket: "bucket-b"}, options)
	check("drop", err)
	_, err = storage.GetBucketInfo(ctx, &apis.GetBucketInfoRequest{Bucket: "bucket-b"}, options)
	if code(err) != 631 {
		t.Errorf("info of a bucket that is gone: %v, want 631", err)
	}
}

func TestBucketInfos(t *testing.T) {
	t.Parallel()
	s := newSDK(t, emulator.BucketSpec{Name: "bucket-a"}, emulator.BucketSpec{Name: "bucket-b", Public: true, Region: "z1"})
	storage, options := s.storage()
	for _, test := range []struct {
		request apis.GetBucketInfosRequest
		want    []string
	}{
		{apis.GetBucketInfosRequest{}, []string{"bucket-a z0 1", "bucket-b z1 0"}},
		{apis.GetBucketInfosRequest{Statistics: true}, []string{"bucket-a z0 1", "bucket-b z1 0"}},
		{apis.GetBucketInfosRequest{Region: "z1", Statistics: true}, []string{"bucket-b z1 0"}},
		{apis.GetBucketInfosRequest{Region: "z2"}, nil},
	} {
		answer, err := storage.GetBucketInfos(t.Context(), &test.request, options)
		if err != nil {
			t.Errorf("%+v: %v", test.request, err)
			continue
		}
		var got []string
		for _, bucket := range answer.AllBucketInfosV2 {
			got = append(got, fmt.Sprint(bucket.Name, " ", bucket.BucketInfo.Region, " ", bucket.BucketInfo.Private))
			if _, err := time.Parse(time.RFC3339, bucket.BucketInfo.CreatedAt); err != nil {
				t.Errorf("creation time: %v", err)
			}
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%+v (-want +got)\n%s", test.request, diff)
		}
	}
}

func TestUploadManager(t *testing.T) {
	t.Parallel()
	s := newSDK(t, emulator.BucketSpec{Name: "bucket"})
	storage, _ := s.storage()
	tests := []struct {
		key     string
		size    int
		options uploader.UploadManagerOptions
		want    string // hash, computed with the reference implementation in Python
		parts   []int64
	}{
		{key: "empty", size: 0, want: "Fto5o-5ea0sNMlW_75VgGJCv2AcJ"},
		{key: "form/ü?&= +%", size: 100_000, want: "FigkF-bIDC1IsgwEy5GETqP34UJ_"},
		{key: "", size: 10, want: "FvUnnWA90LCUdYgrfE__yofD28k2"},
		{
			key: "parts", size: 9 << 20, options: uploader.UploadManagerOptions{Concurrency: 4},
			want: "litJxRiN_qpEphigieYPgiWEx2e9", parts: []int64{4 << 20, 4 << 20, 1 << 20},
		},
		{
			key: "odd parts", size: 6<<20 + 1, options: uploader.UploadManagerOptions{PartSize: 3 << 20},
			want: "nscA5B3odpHCFjQUTXoO7VSGT7cO", parts: []int64{3 << 20, 3 << 20, 1},
		},
	}
	for _, tt := range tests {
		t.Run(tt.key, func(t *testing.T) {
			t.Parallel()
			s := &sdk{t: t, e: s.e, creds: s.creds, opts: s.opts, hosts: s.hosts}
			content := noise(tt.size)
			if got := s.upload("bucket", tt.key, content, &tt.options); got != tt.want {
				t.Errorf("hash = %s, want %s", got, tt.want)
			}
			wantContent(t, s.e, "bucket", tt.key, content)
			stat, err := storage.StatObject(t.Context(), &apis.StatObjectRequest{Entry: "bucket:" + tt.key, NeedParts: true}, nil)
			if err != nil {
				t.Fatal(err)
			}
			if stat.Hash != tt.want || stat.Size != int64(tt.size) || stat.MimeType != "text/x-noise" || stat.Metadata["author"] != "me" {
				t.Errorf("stat: %+v", stat)
			}
			if diff := cmp.Diff(tt.parts, stat.Parts); diff != "" {
				t.Errorf("parts (-want +got)\n%s", diff)
			}
		})
	}
}

func TestUploadRules(t *testing.T) {
	t.Parallel()
	s := newSDK(t, emulator.BucketSpec{Name: "bucket"})
	send := func(token uptoken.Provider, key string, content string) error {
		manager := uploader.NewUploadManager(&uploader.UploadManagerOptions{Options: s.opts})
		return manager.UploadReader(t.Context(), bytes.NewReader([]byte(content)), &uploader.ObjectOptions{
			BucketName: "bucket", ObjectName: &key, FileName: "f", UpToken: token,
		}, nil)
	}
	if err := send(s.uploadToken("bucket", ""), "k", "one"); err != nil {
		t.Errorf("new object: %v", err)
	}
	if err := send(s.uploadToken("bucket", ""), "k", "one"); err != nil {
		t.Errorf("same content: %v", err)
	}
	if err := send(s.uploadToken("bucket", ""), "k", "two"); code(err) != 614 {
		t.Errorf("other content: %v, want 614", err)
	}
	insertOnly := func(p uptoken.PutPolicy) { p.SetInsertOnly(1) }
	if err := send(s.uploadToken("bucket", "k", insertOnly), "k", "two"); code(err) != 614 {
		t.Errorf("insert only: %v, want 614", err)
	}
	if err := send(s.uploadToken("bucket", "k"), "k", "two"); err != nil {
		t.Errorf("overwrite: %v", err)
	}
	if err := send(s.uploadToken("bucket", "other"), "k", "three"); code(err) != 403 {
		t.Errorf("other key: %v, want 403", err)
	}
	expired := func(p uptoken.PutPolicy) { p.SetDeadline(time.Now().Add(-time.Second).Unix()) }
	if err := send(s.uploadToken("bucket", "k", expired), "k", "three"); code(err) != 401 || err.Error() != "expired token" {
		t.Errorf("expired token: %v, want 401", err)
	}
	limit := func(p uptoken.PutPolicy) { p.SetFsizeLimit(2) }
	if err := send(s.uploadToken("bucket", "k", limit), "k", "three"); code(err) != 413 {
		t.Errorf("too large: %v, want 413", err)
	}
	wantContent(t, s.e, "bucket", "k", []byte("two"))
}
