package compat_test

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/qiniu/go-sdk/v7/storagev2/apis"
	"github.com/qiniu/go-sdk/v7/storagev2/objects"
	"github.com/qiniu/go-sdk/v7/storagev2/region"
	"github.com/qiniu/go-sdk/v7/storagev2/resolver"

	"github.com/qiniu/terraform-provider-kodo/internal/emulator"
)

const helloHash = "Fqr0xh3cxeii2r7eDztILNmuqUNN"

// must fails the test for the first error of several calls.
func must(t *testing.T, calls map[string]error) {
	t.Helper()
	for name, err := range calls {
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestObjectOperations makes each call of the SDK's objects on one object, alone.
func TestObjectOperations(t *testing.T) {
	t.Parallel()
	s := newSDK(t, emulator.BucketSpec{Name: "bucket"}, emulator.BucketSpec{Name: "other"})
	for _, key := range []string{"a", "ü/ +?%", "archived"} {
		if err := s.e.Put("bucket", key, "text/plain", []byte("hello")); err != nil {
			t.Fatal(err)
		}
	}
	ctx := t.Context()
	bucket := objects.NewObjectsManager(&objects.ObjectsManagerOptions{Options: s.opts}).Bucket("bucket")
	must(t, map[string]error{
		"copy": bucket.Object("a").CopyTo("other", "b").Call(ctx),
		"move": bucket.Object("ü/ +?%").MoveTo("other", "ü/ +?%/moved").Call(ctx),
	})
	if err := bucket.Object("a").CopyTo("other", "b").Call(ctx); code(err) != 614 {
		t.Errorf("copy onto what exists: %v, want 614", err)
	}
	must(t, map[string]error{"copy with force": bucket.Object("a").CopyTo("other", "b").Force(true).Call(ctx)})
	if keys, err := s.e.Keys("other"); err != nil || cmp.Diff([]string{"b", "ü/ +?%/moved"}, keys) != "" {
		t.Errorf("other holds %q, %v", keys, err)
	}

	a := bucket.Object("a")
	must(t, map[string]error{
		"metadata": a.SetMetadata("text/x").Metadata(map[string]string{"author": "me"}).Conditions(map[string]string{"hash": helloHash}).Call(ctx),
		"class":    a.SetStorageClass(objects.IAStorageClass).Call(ctx),
		"status":   a.SetStatus(objects.DisabledStatus).Call(ctx),
		"lifetime": a.SetLifeCycle().ToArchiveIRAfterDays(10).ToArchiveAfterDays(20).ToDeepArchiveAfterDays(30).DeleteAfterDays(40).Call(ctx),
	})
	if err := a.SetMetadata("text/y").Conditions(map[string]string{"hash": "x"}).Call(ctx); code(err) != 608 {
		t.Errorf("a condition that does not hold: %v, want 608", err)
	}
	stat, err := a.Stat().NeedParts(true).Call(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if stat.ETag != helloHash || stat.MimeType != "text/x" || stat.Metadata["author"] != "me" ||
		stat.StorageClass != objects.IAStorageClass || stat.Status != objects.DisabledStatus {
		t.Errorf("stat: %+v", stat)
	}
	days := func(from, to *time.Time) float64 { return to.Sub(*from).Hours() / 24 }
	if stat.TransitionToArchiveIR == nil || stat.TransitionToArchive == nil || stat.TransitionToDeepArchive == nil || stat.ExpireAt == nil ||
		days(stat.TransitionToArchiveIR, stat.TransitionToArchive) != 10 || days(stat.TransitionToDeepArchive, stat.ExpireAt) != 10 {
		t.Errorf("lifetime: %+v", stat)
	}

	archived := bucket.Object("archived")
	must(t, map[string]error{"archive": archived.SetStorageClass(objects.ArchiveStorageClass).Call(ctx)})
	if err := archived.CopyTo("bucket", "copied").Call(ctx); code(err) != 400 {
		t.Errorf("copy of a frozen archive: %v, want 400", err)
	}
	must(t, map[string]error{"restore": archived.Restore(3).Call(ctx)})
	if stat, err := archived.Stat().Call(ctx); err != nil || stat.RestoreStatus != objects.RestoringStatus {
		t.Errorf("restored: %+v, %v", stat, err)
	}
}

// TestConcurrentBatch lets the SDK choose how it batches operations that depend on
// each other.
func TestConcurrentBatch(t *testing.T) {
	t.Parallel()
	s := newSDK(t, emulator.BucketSpec{Name: "bucket"})
	if err := s.e.Put("bucket", "a", "text/plain", []byte("hello")); err != nil {
		t.Fatal(err)
	}
	manager := objects.NewObjectsManager(&objects.ObjectsManagerOptions{Options: s.opts})
	bucket := manager.Bucket("bucket")
	var failures []error
	failed := func(err error) { failures = append(failures, err) }
	var seen *objects.ObjectDetails
	err := manager.Batch(t.Context(), []objects.Operation{
		bucket.Object("a").CopyTo("bucket", "b").OnError(failed),
		bucket.Object("b").SetMetadata("text/x").Metadata(map[string]string{"author": "me"}).OnError(failed),
		bucket.Object("b").SetStorageClass(objects.ArchiveIRStorageClass).OnError(failed),
		bucket.Object("b").SetLifeCycle().DeleteAfterDays(1).OnError(failed),
		bucket.Object("b").Stat().OnResponse(func(details *objects.ObjectDetails) { seen = details }).OnError(failed),
		bucket.Object("a").MoveTo("bucket", "c").OnError(failed),
		bucket.Object("c").SetStatus(objects.DisabledStatus).OnError(failed),
	}, nil)
	if err != nil || len(failures) > 0 {
		t.Errorf("Batch() = %v, %v", err, failures)
	}
	if seen == nil || seen.MimeType != "text/x" || seen.StorageClass != objects.ArchiveIRStorageClass {
		t.Errorf("stat in the batch: %+v", seen)
	}
	if keys, err := s.e.Keys("bucket"); err != nil || cmp.Diff([]string{"b", "c"}, keys) != "" {
		t.Errorf("left: %q, %v", keys, err)
	}
}

func TestDirectories(t *testing.T) {
	t.Parallel()
	s := newSDK(t, emulator.BucketSpec{Name: "bucket"}, emulator.BucketSpec{Name: "other"})
	s.fill("bucket", []string{"dir/a", "dir/sub/b", "dir/sub/c", "dirt", "else/a"})
	ctx := t.Context()
	bucket := objects.NewObjectsManager(&objects.ObjectsManagerOptions{Options: s.opts}).Bucket("bucket")
	entries := func(recursive bool) (found []string) {
		err := bucket.Directory("dir/", "/").ListEntries(ctx, &objects.ListEntriesOptions{Recursive: recursive}, func(entry *objects.Entry) error {
			if entry.Object != nil {
				found = append(found, entry.Object.Name)
			} else {
				found = append(found, entry.DirectoryName)
			}
			return nil
		})
		if err != nil {
			t.Errorf("ListEntries: %v", err)
		}
		return found
	}
	if diff := cmp.Diff([]string{"dir/sub/", "dir/a"}, entries(false)); diff != "" {
		t.Errorf("entries (-want +got)\n%s", diff)
	}
	if diff := cmp.Diff([]string{"dir/sub/", "dir/a", "dir/sub/b", "dir/sub/c"}, entries(true)); diff != "" {
		t.Errorf("all entries (-want +got)\n%s", diff)
	}
	must(t, map[string]error{"copy": bucket.Directory("dir/", "/").CopyTo(ctx, "other", "copy")})
	must(t, map[string]error{"move": bucket.Directory("dir/sub/", "/").MoveTo(ctx, "bucket", "moved/")})
	must(t, map[string]error{"delete": bucket.Directory("dir/", "/").Delete(ctx)})
	for name, want := range map[string][]string{
		"bucket": {"dirt", "else/a", "moved/b", "moved/c"},
		"other":  {"copy/a", "copy/sub/b", "copy/sub/c"},
	} {
		keys, err := s.e.Keys(name)
		if diff := cmp.Diff(want, keys); diff != "" || err != nil {
			t.Errorf("%s: %v (-want +got)\n%s", name, err, diff)
		}
	}
}

func TestListV2(t *testing.T) {
	t.Parallel()
	s := newSDK(t, emulator.BucketSpec{Name: "bucket"})
	s.fill("bucket", []string{"a", "dir/1", "dir/2", "e"})
	storage, options := s.storage()
	type line struct {
		Marker, Dir string
		Item        struct{ Key string }
	}
	var got []string
	var marker string
	for page := 0; page == 0 || marker != ""; page++ {
		answer, err := storage.GetObjectsV2(t.Context(), &apis.GetObjectsV2Request{Bucket: "bucket", Delimiter: "/", Limit: 2, Marker: marker}, options)
		if err != nil {
			t.Fatal(err)
		}
		for decoder := json.NewDecoder(answer.Body); decoder.More(); {
			var one line
			if err := decoder.Decode(&one); err != nil {
				t.Fatal(err)
			}
			got, marker = append(got, one.Item.Key+one.Dir), one.Marker
		}
		if err := answer.Body.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff([]string{"a", "dir/", "e"}, got); diff != "" {
		t.Errorf("keys (-want +got)\n%s", diff)
	}
}

func TestFetchObject(t *testing.T) {
	t.Parallel()
	s := newSDK(t, emulator.BucketSpec{Name: "bucket", Public: true})
	if err := s.e.Put("bucket", "a", "text/x", []byte("hello")); err != nil {
		t.Fatal(err)
	}
	host, err := s.e.DownloadHost("bucket")
	if err != nil {
		t.Fatal(err)
	}
	storage, options := s.storage()
	for entry, key := range map[string]string{"bucket:b/ü": "b/ü", "bucket": helloHash} {
		answer, err := storage.FetchObject(t.Context(), &apis.FetchObjectRequest{FromUrl: "http://" + host + "/a", ToEntry: entry}, options)
		if err != nil || answer.Hash != helloHash || answer.ObjectName != key || answer.Size != 5 || answer.MimeType != "text/x" {
			t.Errorf("fetch to %s: %+v, %v", entry, answer, err)
		}
	}
	_, err = storage.FetchObject(t.Context(), &apis.FetchObjectRequest{FromUrl: "http://" + host + "/x", ToEntry: "bucket:x"}, options)
	if code(err) != 404 {
		t.Errorf("fetch of nothing: %v, want 404", err)
	}
}

func TestRegions(t *testing.T) {
	t.Parallel()
	s := newSDK(t, emulator.BucketSpec{Name: "bucket", Region: "z2"})
	host := strings.TrimPrefix(s.e.Endpoint(), "http://")
	all, err := region.NewAllRegionsProvider(s.creds, s.hosts, &region.AllRegionsProviderOptions{
		UseInsecureProtocol: true, Resolver: resolver.NewEmptyResolver(), PersistentFilePath: filepath.Join(t.TempDir(), "regions.json"),
	})
	if err != nil {
		t.Fatal(err)
	}
	regions, err := all.GetRegions(t.Context())
	var ids []string
	for _, one := range regions {
		ids = append(ids, one.RegionID)
	}
	want := []string{"z0", "cn-east-2", "z1", "z2", "cn-northwest-1", "na0", "as0", "ap-southeast-2", "ap-southeast-3"}
	if diff := cmp.Diff(want, ids); diff != "" || err != nil {
		t.Errorf("all regions: %v (-want +got)\n%s", err, diff)
	}
	own, err := s.opts.BucketQuery.Query(s.creds.AccessKey, "bucket").GetRegions(t.Context())
	if err != nil || len(own) != 1 || own[0].RegionID != "z2" {
		t.Fatalf("regions of the bucket: %+v, %v", own, err)
	}
	for name, endpoints := range map[string]region.Endpoints{
		"up": own[0].Up, "rs": own[0].Rs, "rsf": own[0].Rsf, "api": own[0].Api, "io": own[0].Io, "uc": own[0].Bucket,
	} {
		if diff := cmp.Diff([]string{host}, endpoints.Preferred); diff != "" {
			t.Errorf("%s (-want +got)\n%s", name, diff)
		}
	}
}
