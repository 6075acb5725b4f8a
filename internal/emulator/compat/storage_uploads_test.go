package compat_test

import (
	"bytes"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/qiniu/go-sdk/v7/auth"
	"github.com/qiniu/go-sdk/v7/storage"

	"github.com/qiniu/terraform-provider-kodo/internal/emulator"
)

// askAll is a returnBody.
const askAll = `{"key":$(key),"hash":"$(etag)","size":$(fsize),"name":$(fname),"type":$(mimeType),"a":$(x:a),"no":$(x:no)}`

// returned is what askAll asks for.
type returned struct {
	Key, Hash, Name, Type, A string
	Size                     int64
	No                       *string
}

func (v *v1) testBase64Uploader(t *testing.T) {
	t.Parallel()
	up := storage.NewBase64Uploader(v.config)
	for key, content := range map[string]string{"b64": "hello", "": "empty key", "b64/ü +&?": strings.Repeat("x", 100_000)} {
		var answer returned
		err := up.Put(t.Context(), &answer, v.token(storage.PutPolicy{Scope: "forms64:" + key, ReturnBody: askAll}), key,
			[]byte(base64.StdEncoding.EncodeToString([]byte(content))), &storage.Base64PutExtra{MimeType: "text/x-v1", Params: map[string]string{"x:a": "ü"}})
		if err != nil || answer.Key != key || answer.A != "ü" || answer.Type != "text/x-v1" || answer.Size != int64(len(content)) {
			t.Errorf("Put(%q) = %+v, %v", key, answer, err)
		}
		wantContent(t, v.e, "forms64", key, []byte(content))
	}
	var answer storage.PutRet
	err := up.PutWithoutKey(t.Context(), &answer, v.token(storage.PutPolicy{Scope: "forms64"}), []byte("aGVsbG8="), nil)
	if err != nil || answer.Key != helloHash || answer.Hash != helloHash {
		t.Errorf("PutWithoutKey() = %+v, %v", answer, err)
	}
}

// testResumeUploader uploads in blocks, the older way.
func (v *v1) testResumeUploader(t *testing.T) {
	t.Parallel()
	up := storage.NewResumeUploader(v.config)
	content := noise(9 << 20)
	for name, chunkSize := range map[string]int{"whole blocks": 4 << 20, "chunks": 1 << 20} {
		var answer returned
		err := up.Put(t.Context(), &answer, v.token(storage.PutPolicy{Scope: "v1-blocks:" + name, ReturnBody: askAll}), name, bytes.NewReader(content), int64(len(content)),
			&storage.RputExtra{MimeType: "text/x-v1", ChunkSize: chunkSize, Params: map[string]string{"x:a": "b", "x-qn-meta-m": "n"}})
		if err != nil || answer.Hash != "litJxRiN_qpEphigieYPgiWEx2e9" || answer.Key != name || answer.A != "b" || answer.No != nil {
			t.Errorf("Put() = %+v, %v", answer, err)
		}
		wantContent(t, v.e, "v1-blocks", name, content)
		info, err := storage.NewBucketManager(v.mac, v.config).Stat("v1-blocks", name)
		if err != nil || info.MimeType != "text/x-v1" || info.MetaData["m"] != "n" {
			t.Errorf("Stat() = %+v, %v", info, err)
		}
	}
	var answer storage.PutRet
	if err := up.PutWithoutKeyAndSize(t.Context(), &answer, v.token(storage.PutPolicy{Scope: "v1-blocks"}), strings.NewReader("hello"), nil); err != nil || answer.Key != helloHash {
		t.Errorf("PutWithoutKeyAndSize() = %+v, %v", answer, err)
	}
	if err := up.Put(t.Context(), &answer, v.token(storage.PutPolicy{Scope: "v1-blocks"}), "chunks", strings.NewReader("hello"), 5, nil); err != nil || answer.Hash != helloHash {
		t.Errorf("Put() over what is there, under a scope without key = %+v, %v", answer, err)
	}
}

// testResume interrupts an upload of a file, by either interface, and has it go on
// with what a recorder knows: what has come is not sent again.
func (v *v1) testResume(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file.bin")
	if err := os.WriteFile(file, noise(9<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	recorder, err := storage.NewFileRecorder(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		put   func(token, key string) error
		match emulator.Match
	}{
		"v1": {
			func(token, key string) error {
				return storage.NewResumeUploader(v.config).PutFile(t.Context(), nil, token, key, file, &storage.RputExtra{Recorder: recorder, TryTimes: 1})
			},
			emulator.Match{Path: "/mkblk/*", Bucket: "resume-v1"},
		},
		"v2": {
			func(token, key string) error {
				return storage.NewResumeUploaderV2(v.config).PutFile(t.Context(), nil, token, key, file, &storage.RputV2Extra{Recorder: recorder, TryTimes: 1})
			},
			emulator.Match{Method: "PUT", Bucket: "resume-v2"},
		},
	} {
		bucket := "resume-" + name
		if _, err := v.e.Fail(emulator.Fault{Match: tt.match, Skip: 2, Times: 1, Do: "status", Status: 400, Error: "broken"}); err != nil {
			t.Fatal(err)
		}
		token := v.token(storage.PutPolicy{Scope: bucket + ":k"})
		if err := tt.put(token, "k"); err == nil {
			t.Errorf("%s: the upload was not interrupted", name)
		}
		if err := tt.put(token, "k"); err != nil {
			t.Errorf("%s: the upload did not go on: %v", name, err)
		}
		wantContent(t, v.e, bucket, "k", noise(9<<20))
		sent := 0
		for _, request := range v.e.Requests() {
			if (name == "v1" && strings.HasPrefix(request.Path, "/mkblk/")) || (name == "v2" && request.Method == "PUT" && strings.HasPrefix(request.Path, "/buckets/"+bucket+"/")) {
				sent++
			}
		}
		if name == "v2" && sent != 4 { // Other tests send blocks, too, and those do not name their bucket.
			t.Errorf("%s: %d parts were sent, want three and the one that failed", name, sent)
		}
	}
}

// testCallback has the SDK verify who calls back.
func (v *v1) testCallback(t *testing.T) {
	t.Parallel()
	var called atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		called.Add(1)
		if ok, err := auth.New(v.mac.AccessKey, string(v.mac.SecretKey)).VerifyCallback(r); !ok || err != nil {
			t.Errorf("VerifyCallback() = %v, %v, %s", ok, err, r.Header.Get("Authorization"))
		}
		if ok, err := auth.New(v.mac.AccessKey, "other").VerifyCallback(r); ok || err != nil {
			t.Errorf("VerifyCallback() with another secret = %v, %v", ok, err)
		}
		w.Header().Set("Content-Type", "application/json")
		w.Write([]byte(`{"key":"answered","hash":"h"}`)) //nolint:errcheck // The upload tells.
	}))
	t.Cleanup(server.Close)
	for _, policy := range []storage.PutPolicy{
		{CallbackURL: server.URL + "/call back?a=b&c=ü", CallbackBody: "key=$(key)&hash=$(etag)"},
		{CallbackURL: server.URL, CallbackBody: `{"key":$(key)}`, CallbackBodyType: "application/json", CallbackHost: "callback.example.com"},
	} {
		policy.Scope = "forms:called"
		var answer storage.PutRet
		if err := storage.NewFormUploader(v.config).Put(t.Context(), &answer, v.token(policy), "called", strings.NewReader("hello"), 5, nil); err != nil || answer.Key != "answered" {
			t.Errorf("Put() = %+v, %v", answer, err)
		}
		answer = storage.PutRet{}
		if err := storage.NewResumeUploaderV2(v.config).Put(t.Context(), &answer, v.token(policy), "called", strings.NewReader("hello"), 5, nil); err != nil || answer.Key != "answered" {
			t.Errorf("Put() in parts = %+v, %v", answer, err)
		}
	}
	if got := called.Load(); got != 4 {
		t.Errorf("%d callbacks, want 4", got)
	}
}

// testPolicies uploads under the fields that the older package has for policies.
func (v *v1) testPolicies(t *testing.T) {
	t.Parallel()
	up := storage.NewFormUploader(v.config)
	var answer returned
	err := up.PutWithoutKey(t.Context(), &answer, v.token(storage.PutPolicy{
		Scope: "forms:saved/", IsPrefixalScope: 1, SaveKey: "saved/$(x:a)/$(etag)", ForceSaveKey: true, ReturnBody: askAll, FsizeMin: 1, FsizeLimit: 5,
		DetectMime: 1, MimeLimit: "text/*", FileType: 1, DeleteAfterDays: 7, TrafficLimit: 819200, EndUser: "u",
	}), strings.NewReader("hello"), 5, &storage.PutExtra{MimeType: "image/png", Params: map[string]string{"x:a": "b"}})
	if err != nil || answer.Key != "saved/b/"+helloHash || answer.Type != "text/plain" {
		t.Errorf("PutWithoutKey() = %+v, %v", answer, err)
	}
	info, err := storage.NewBucketManager(v.mac, v.config).Stat("forms", answer.Key)
	if err != nil || info.Type != 1 || info.EndUser != "u" || info.Expiration == 0 || info.MimeType != "text/plain" {
		t.Errorf("Stat() = %+v, %v", info, err)
	}
	got := []int{}
	for _, policy := range []storage.PutPolicy{
		{Scope: "forms", FsizeLimit: 4}, {Scope: "forms", FsizeMin: 6}, {Scope: "forms", MimeLimit: "image/*"}, {Scope: "forms:other"},
	} {
		got = append(got, code(up.Put(t.Context(), nil, v.token(policy), "refused", strings.NewReader("hello"), 5, nil)))
	}
	if diff := cmp.Diff([]int{413, 403, 403, 403}, got); diff != "" {
		t.Errorf("refusals (-want +got)\n%s", diff)
	}
}
