package compat_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/qiniu/go-sdk/v7/auth"
	"github.com/qiniu/go-sdk/v7/storage"

	"github.com/qiniu/terraform-provider-kodo/internal/emulator"
)

// TestStorage drives the older package. It finds the first host in a variable
// of the whole process, so all that needs it is one test with one emulator.
func TestStorage(t *testing.T) {
	t.Parallel()
	e := newEmulator(t, emulator.BucketSpec{Name: "forms"}, emulator.BucketSpec{Name: "parts"}, emulator.BucketSpec{Name: "manage", Public: true},
		emulator.BucketSpec{Name: "forms64"}, emulator.BucketSpec{Name: "v1-blocks"}, emulator.BucketSpec{Name: "resume-v1"}, emulator.BucketSpec{Name: "resume-v2"},
		emulator.BucketSpec{Name: "settings", Region: "z2"}, emulator.BucketSpec{Name: "rules"})
	storage.SetUcHosts(e.Endpoint())
	v1 := &v1{
		e: e, mac: auth.New(e.Account().AccessKey, e.Account().SecretKey), config: &storage.Config{UseHTTPS: false},
	}
	t.Run("FormUploader", v1.testFormUploader)
	t.Run("ResumeUploaderV2", v1.testResumeUploaderV2)
	t.Run("Base64Uploader", v1.testBase64Uploader)
	t.Run("ResumeUploader", v1.testResumeUploader)
	t.Run("resume", v1.testResume)
	t.Run("callback", v1.testCallback)
	t.Run("policies", v1.testPolicies)
	t.Run("BucketManager objects", v1.testObjects)
	t.Run("BucketManager buckets", v1.testBuckets)
	t.Run("BucketManager settings", v1.testSettings)
	t.Run("BucketManager rules", v1.testRules)
	t.Run("private download", v1.testPrivateDownload)
}

type v1 struct {
	e      *emulator.Emulator
	mac    *auth.Credentials
	config *storage.Config
}

func (v *v1) token(policy storage.PutPolicy) string { return policy.UploadToken(v.mac) }

func (v *v1) testFormUploader(t *testing.T) {
	t.Parallel()
	up := storage.NewFormUploader(v.config)
	for key, content := range map[string]string{"a": "hello", "dir/ü +&?": strings.Repeat("x", 1<<20), "": "empty key", "z": ""} {
		var answer storage.PutRet
		err := up.Put(t.Context(), &answer, v.token(storage.PutPolicy{Scope: "forms:" + key}), key, strings.NewReader(content), int64(len(content)),
			&storage.PutExtra{MimeType: "text/x-v1", Params: map[string]string{"x:a": "b", "x-qn-meta-m": "n"}})
		if err != nil || answer.Key != key {
			t.Errorf("Put(%q) = %+v, %v", key, answer, err)
		}
		wantContent(t, v.e, "forms", key, []byte(content))
	}
	var answer storage.PutRet
	err := up.PutWithoutKey(t.Context(), &answer, v.token(storage.PutPolicy{Scope: "forms"}), strings.NewReader("hello"), 5, nil)
	if err != nil || answer.Key != "Fqr0xh3cxeii2r7eDztILNmuqUNN" {
		t.Errorf("PutWithoutKey() = %+v, %v, want the hash as key", answer, err)
	}
	manager := storage.NewBucketManager(v.mac, v.config)
	info, err := manager.Stat("forms", "a")
	if err != nil || info.MimeType != "text/x-v1" || info.MetaData["m"] != "n" || info.Fsize != 5 || info.Md5 != "5d41402abc4b2a76b9719d911017c592" {
		t.Errorf("Stat() = %+v, %v", info, err)
	}
	if err := up.Put(t.Context(), nil, v.token(storage.PutPolicy{Scope: "forms"}), "a", strings.NewReader("other"), 5, nil); code(err) != 614 {
		t.Errorf("overwrite without leave: %v, want 614", err)
	}
}

func (v *v1) testResumeUploaderV2(t *testing.T) {
	t.Parallel()
	up := storage.NewResumeUploaderV2(v.config)
	content := noise(9 << 20)
	var answer storage.PutRet
	err := up.Put(t.Context(), &answer, v.token(storage.PutPolicy{Scope: "parts:k"}), "k", bytes.NewReader(content), int64(len(content)),
		&storage.RputV2Extra{MimeType: "text/x-v1", Metadata: map[string]string{"x-qn-meta-m": "n"}})
	if err != nil || answer.Hash != "litJxRiN_qpEphigieYPgiWEx2e9" || answer.Key != "k" {
		t.Errorf("Put() = %+v, %v", answer, err)
	}
	wantContent(t, v.e, "parts", "k", content)

	err = up.PutWithoutKey(t.Context(), &answer, v.token(storage.PutPolicy{Scope: "parts"}), bytes.NewReader(content), int64(len(content)), nil)
	if err != nil || answer.Key != "litJxRiN_qpEphigieYPgiWEx2e9" {
		t.Errorf("PutWithoutKey() = %+v, %v, want the hash as key", answer, err)
	}
	manager := storage.NewBucketManager(v.mac, v.config)
	info, err := manager.StatWithOpts("parts", "k", &storage.StatOpts{NeedParts: true})
	if err != nil || info.MimeType != "text/x-v1" || info.MetaData["m"] != "n" || cmp.Diff([]int64{4 << 20, 4 << 20, 1 << 20}, info.Parts) != "" {
		t.Errorf("Stat() = %+v, %v", info, err)
	}
}

func (v *v1) testObjects(t *testing.T) {
	t.Parallel()
	for _, key := range []string{"a/1", "a/2", "b/1", "c"} {
		if err := v.e.Put("manage", key, "text/plain", []byte("hello")); err != nil {
			t.Fatal(err)
		}
	}
	manager := storage.NewBucketManager(v.mac, v.config)
	entries, prefixes, marker, more, err := manager.ListFiles("manage", "", "/", "", 2)
	if err != nil || len(entries) != 0 || cmp.Diff([]string{"a/", "b/"}, prefixes) != "" || !more {
		t.Errorf("ListFiles() = %+v, %q, %v, %v", entries, prefixes, more, err)
	}
	entries, prefixes, _, more, err = manager.ListFiles("manage", "", "/", marker, 2)
	if err != nil || len(entries) != 1 || entries[0].Key != "c" || len(prefixes) != 0 || more {
		t.Errorf("ListFiles() = %+v, %q, %v, %v", entries, prefixes, more, err)
	}
	if err := manager.ChangeMime("manage", "c", "image/png"); err != nil {
		t.Errorf("ChangeMime() = %v", err)
	}
	if err := manager.ChangeMeta("manage", "c", map[string]string{"m": "n"}); err != nil {
		t.Errorf("ChangeMeta() = %v", err)
	}
	results, err := manager.Batch([]string{
		storage.URIStat("manage", "c"), storage.URIDelete("manage", "a/1"), storage.URIDelete("manage", "missing"),
		storage.URIChangeMime("manage", "b/1", "image/gif"),
	})
	if err != nil || len(results) != 4 || results[0].Code != 200 || results[0].Data.MimeType != "image/png" ||
		results[1].Code != 200 || results[2].Code != 612 || results[3].Code != 200 {
		t.Errorf("Batch() = %+v, %v", results, err)
	}
	if err := manager.Delete("manage", "a/2"); err != nil {
		t.Errorf("Delete() = %v", err)
	}
	if keys, err := v.e.Keys("manage"); err != nil || cmp.Diff([]string{"b/1", "c"}, keys) != "" {
		t.Errorf("Keys() = %q, %v", keys, err)
	}
	got, err := manager.Get("manage", "c", nil)
	if err != nil {
		t.Fatal(err)
	}
	content, err := io.ReadAll(got.Body)
	if err != nil || string(content) != "hello" || got.ContentType != "image/png" || got.Metadata["X-Qn-Meta-M"] != "n" {
		t.Errorf("Get() = %q, %+v, %v", content, got, err)
	}
	zone, err := manager.Zone("manage")
	if err != nil || len(zone.SrcUpHosts) == 0 || len(zone.IoSrcHost) == 0 {
		t.Errorf("Zone() = %+v, %v", zone, err)
	}
}

func (v *v1) testBuckets(t *testing.T) {
	t.Parallel()
	manager := storage.NewBucketManager(v.mac, v.config)
	if err := manager.CreateBucket("created", storage.RIDHuabei); err != nil {
		t.Fatalf("CreateBucket() = %v", err)
	}
	if err := manager.MakeBucketPrivate("created"); err != nil {
		t.Errorf("MakeBucketPrivate() = %v", err)
	}
	if err := manager.TurnOnIndexPage("created"); err != nil {
		t.Errorf("TurnOnIndexPage() = %v", err)
	}
	info, err := manager.GetBucketInfo("created")
	if err != nil || !info.IsPrivate() || !info.IndexPageOn() || info.Region != "z1" {
		t.Errorf("GetBucketInfo() = %+v, %v", info, err)
	}
	if err := manager.SetTagging("created", map[string]string{"a": "b"}); err != nil {
		t.Errorf("SetTagging() = %v", err)
	}
	if tags, err := manager.GetTagging("created"); err != nil || cmp.Diff(map[string]string{"a": "b"}, tags) != "" {
		t.Errorf("GetTagging() = %v, %v", tags, err)
	}
	if err := manager.ClearTagging("created"); err != nil {
		t.Errorf("ClearTagging() = %v", err)
	}
	names, err := manager.Buckets(true)
	if err != nil || cmp.Diff([]string{"created", "forms", "forms64", "manage", "parts", "resume-v1", "resume-v2", "rules", "settings", "v1-blocks"}, names) != "" {
		t.Errorf("Buckets() = %q, %v", names, err)
	}
	page, err := manager.BucketsV4(&storage.BucketV4Input{Limit: 1})
	if err != nil || len(page.Buckets) != 1 || page.Buckets[0].Name != "created" || !page.IsTruncated {
		t.Errorf("BucketsV4() = %+v, %v", page, err)
	}
	for _, statistics := range []bool{false, true} {
		infos, err := manager.BucketInfosInRegion(storage.RIDHuabei, statistics)
		if err != nil || len(infos) != 1 || infos[0].Name != "created" || !infos[0].Info.IsPrivate() || infos[0].Info.Region != "z1" || infos[0].Info.Ctime.IsZero() {
			t.Errorf("BucketInfosInRegion() = %+v, %v", infos, err)
		}
	}
	domains, err := manager.ListBucketDomains("created")
	if err != nil || len(domains) != 1 {
		t.Errorf("ListBucketDomains() = %+v, %v", domains, err)
	}
	if err := manager.DropBucket("created"); err != nil {
		t.Errorf("DropBucket() = %v", err)
	}
	if err := manager.DropBucket("created"); code(err) != 631 {
		t.Errorf("DropBucket() of a dropped bucket = %v, want 631", err)
	}
}

func (v *v1) testPrivateDownload(t *testing.T) {
	t.Parallel()
	const key = "dir/ü +&.txt"
	if err := v.e.Put("parts", key, "text/plain", []byte("hello")); err != nil {
		t.Fatal(err)
	}
	host, err := v.e.DownloadHost("parts")
	if err != nil {
		t.Fatal(err)
	}
	get := func(url string) (int, string) {
		req, err := http.NewRequestWithContext(context.WithoutCancel(t.Context()), http.MethodGet, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		body, err := io.ReadAll(answer.Body)
		if err != nil {
			t.Fatal(err)
		}
		return answer.StatusCode, string(body)
	}
	later, earlier := time.Now().Add(time.Hour).Unix(), time.Now().Add(-time.Hour).Unix()
	if status, body := get(storage.MakePrivateURLv2(v.mac, "http://"+host, key, later)); status != 200 || body != "hello" {
		t.Errorf("signed URL: %d %s", status, body)
	}
	if status, body := get(storage.MakePrivateURLv2(v.mac, "http://"+host, key, earlier)); status != 401 || body != `{"error":"expired token"}` {
		t.Errorf("expired URL: %d %s", status, body)
	}
	if status, body := get(storage.MakePublicURLv2("http://"+host, key)); status != 401 {
		t.Errorf("unsigned URL: %d %s", status, body)
	}
	wrong := auth.New(v.mac.AccessKey, "wrong")
	if status, body := get(storage.MakePrivateURLv2(wrong, "http://"+host, key, later)); status != 401 {
		t.Errorf("wrong key: %d %s", status, body)
	}
}
