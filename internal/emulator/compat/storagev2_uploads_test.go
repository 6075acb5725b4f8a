package compat_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/qiniu/go-sdk/v7/auth"
	"github.com/qiniu/go-sdk/v7/storagev2/apis"
	"github.com/qiniu/go-sdk/v7/storagev2/uploader"
	resumablerecorder "github.com/qiniu/go-sdk/v7/storagev2/uploader/resumable_recorder"
	"github.com/qiniu/go-sdk/v7/storagev2/uptoken"

	"github.com/qiniu/terraform-provider-kodo/internal/emulator"
)

// TestUploadManagerVersions uploads a file and a stream by either interface, with a
// returnBody, metadata and custom variables.
func TestUploadManagerVersions(t *testing.T) {
	t.Parallel()
	s := newSDK(t, emulator.BucketSpec{Name: "bucket"})
	storage, _ := s.storage()
	content := noise(9 << 20)
	file := filepath.Join(t.TempDir(), "file.bin")
	if err := os.WriteFile(file, content, 0o600); err != nil {
		t.Fatal(err)
	}
	returnBody := func(p uptoken.PutPolicy) { p.SetReturnBody(askAll) }
	for _, version := range []uploader.MultiPartsUploaderVersion{uploader.MultiPartsUploaderVersionV1, uploader.MultiPartsUploaderVersionV2} {
		for _, form := range []bool{false, true} {
			for _, stream := range []bool{false, true} {
				key := fmt.Sprintf("v%d/form=%t/stream=%t", version, form, stream)
				options := &uploader.UploadManagerOptions{Options: s.opts, MultiPartsUploaderVersion: version, Concurrency: 2}
				if form {
					options.MultiPartsThreshold = 10 << 20
				}
				object := &uploader.ObjectOptions{
					BucketName: "bucket", ObjectName: &key, FileName: "name.bin", ContentType: "text/x-noise",
					Metadata: map[string]string{"author": "me"}, CustomVars: map[string]string{"a": "ü"}, UpToken: s.uploadToken("bucket", key, returnBody),
				}
				manager := uploader.NewUploadManager(options)
				var answer returned
				var err error
				if stream {
					err = manager.UploadReader(t.Context(), bytes.NewReader(content), object, &answer)
				} else {
					err = manager.UploadFile(t.Context(), file, object, &answer)
				}
				want := returned{Key: key, Hash: "litJxRiN_qpEphigieYPgiWEx2e9", Name: "name.bin", Type: "text/x-noise", A: "ü", Size: 9 << 20}
				if diff := cmp.Diff(want, answer); diff != "" || err != nil {
					t.Errorf("%s: %v (-want +got)\n%s", key, err, diff)
				}
				wantContent(t, s.e, "bucket", key, content)
				stat, err := storage.StatObject(t.Context(), &apis.StatObjectRequest{Entry: "bucket:" + key}, nil)
				if err != nil || stat.Metadata["author"] != "me" || stat.MimeType != "text/x-noise" {
					t.Errorf("%s: %+v, %v", key, stat, err)
				}
			}
		}
	}
}

func TestUploadDirectory(t *testing.T) {
	t.Parallel()
	s := newSDK(t, emulator.BucketSpec{Name: "bucket"})
	dir := t.TempDir()
	want := map[string]int{"a.txt": 10, "sub/b.html": 100_000, "sub/deep/ü c": 5 << 20, "empty": 0}
	for name, size := range want {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, noise(size), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	manager := uploader.NewUploadManager(&uploader.UploadManagerOptions{Options: s.opts})
	err := manager.UploadDirectory(t.Context(), dir, &uploader.DirectoryOptions{
		BucketName: "bucket", UpdateObjectName: func(name string) string { return "site/" + name },
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, size := range want {
		wantContent(t, s.e, "bucket", "site/"+name, noise(size))
	}
	if keys, err := s.e.Keys("bucket"); err != nil || len(keys) != len(want) {
		t.Errorf("Keys() = %q, %v", keys, err)
	}
}

// TestUploadManagerResumes interrupts an upload, and has another manager go on with
// what the recorder knows.
func TestUploadManagerResumes(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file.bin")
	if err := os.WriteFile(file, noise(9<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		version uploader.MultiPartsUploaderVersion
		match   emulator.Match
	}{
		{uploader.MultiPartsUploaderVersionV1, emulator.Match{Path: "/mkblk/*"}},
		{uploader.MultiPartsUploaderVersionV2, emulator.Match{Method: "PUT"}},
	} {
		t.Run(fmt.Sprint("v", tt.version), func(t *testing.T) {
			t.Parallel()
			s := newSDK(t, emulator.BucketSpec{Name: "bucket"})
			records := t.TempDir()
			send := func() error {
				key := "k"
				return uploader.NewUploadManager(&uploader.UploadManagerOptions{
					Options: s.opts, MultiPartsUploaderVersion: tt.version, Concurrency: 1,
					ResumableRecorder: resumablerecorder.NewJsonFileSystemResumableRecorder(records),
				}).UploadFile(t.Context(), file, &uploader.ObjectOptions{BucketName: "bucket", ObjectName: &key, UpToken: s.uploadToken("bucket", key)}, nil)
			}
			if _, err := s.e.Fail(emulator.Fault{Match: tt.match, Skip: 2, Times: 1, Do: "status", Status: 400, Error: "broken"}); err != nil {
				t.Fatal(err)
			}
			if err := send(); err == nil {
				t.Fatal("the upload was not interrupted")
			}
			if err := send(); err != nil {
				t.Fatalf("the upload did not go on: %v", err)
			}
			wantContent(t, s.e, "bucket", "k", noise(9<<20))
			sent := 0
			for _, request := range s.e.Requests() {
				if request.Method == "PUT" || strings.HasPrefix(request.Path, "/mkblk/") {
					sent++
				}
			}
			if sent != 4 {
				t.Errorf("%d parts were sent, want three and the one that failed", sent)
			}
		})
	}
}

// TestUploadManagerCallback uploads by every interface under a policy that calls back.
func TestUploadManagerCallback(t *testing.T) {
	t.Parallel()
	s := newSDK(t, emulator.BucketSpec{Name: "bucket"})
	mac := auth.New(s.e.Account().AccessKey, s.e.Account().SecretKey)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if ok, err := mac.VerifyCallback(r); !ok || err != nil {
			t.Errorf("VerifyCallback() = %v, %v", ok, err)
		}
		if err := r.ParseForm(); err != nil {
			t.Error(err)
		}
		fmt.Fprintf(w, `{"key":%q,"hash":%q}`, "called/"+r.PostForm.Get("key"), r.PostForm.Get("a")) //nolint:errcheck // The upload tells.
	}))
	t.Cleanup(server.Close)
	for _, version := range []uploader.MultiPartsUploaderVersion{uploader.MultiPartsUploaderVersionV1, uploader.MultiPartsUploaderVersionV2} {
		for size, want := range map[int]string{10: "called/k", 5 << 20: "called/k"} {
			key := "k"
			var answer struct{ Key, Hash string }
			token := s.uploadToken("bucket", key, func(p uptoken.PutPolicy) {
				p.SetCallbackUrl(server.URL + "/hook").SetCallbackBody("key=$(key)&a=$(x:a)")
			})
			err := uploader.NewUploadManager(&uploader.UploadManagerOptions{Options: s.opts, MultiPartsUploaderVersion: version}).
				UploadReader(t.Context(), bytes.NewReader(noise(size)), &uploader.ObjectOptions{
					BucketName: "bucket", ObjectName: &key, FileName: "f", UpToken: token, CustomVars: map[string]string{"a": "1+1"},
				}, &answer)
			if err != nil || answer.Key != want || answer.Hash != "1+1" {
				t.Errorf("version %d, %d bytes: %+v, %v", version, size, answer, err)
			}
		}
	}
}
