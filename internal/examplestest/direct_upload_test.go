//go:build unix

package examplestest

import (
	"bytes"
	"encoding/json"
	"image"
	"image/png"
	"io"
	"maps"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/qiniu/terraform-provider-kodo/internal/emulator"
	"github.com/qiniu/terraform-provider-kodo/internal/workspace"
)

// directUpload applies a configuration of the guide "direct upload", and returns how
// a browser uploads with its token.
func directUpload(t *testing.T, tf terraform, kodo *emulator.Emulator, example string, variables map[string]string) (*workspace.Workspace, func(key *string, mime string, content []byte) (int, string)) {
	t.Helper()
	ws := tf.workspace(t, kodo, filepath.Join(tf.root, "examples", "guides", "direct-upload", example))
	ws.Setenv(variables)
	apply(t, ws)
	wantEmptyPlan(t, ws)
	var url, token string
	for name, value := range map[string]*string{"upload_url": &url, "token": &token} {
		if err := ws.Output(t.Context(), name, value); err != nil {
			t.Fatal(err)
		}
	}
	return ws, func(key *string, mime string, content []byte) (int, string) {
		t.Helper()
		fields := map[string]string{"token": token}
		if key != nil {
			fields["key"] = *key
		}
		return postForm(t, url, fields, mime, content)
	}
}

// postForm uploads as a browser does: the fields, then the file.
func postForm(t *testing.T, url string, fields map[string]string, mime string, content []byte) (status int, answer string) {
	t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for name, value := range maps.All(fields) {
		if err := form.WriteField(name, value); err != nil {
			t.Fatal(err)
		}
	}
	file, err := form.CreatePart(map[string][]string{
		"Content-Disposition": {`form-data; name="file"; filename="upload"`}, "Content-Type": {mime},
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err = file.Write(content)
	if closed := form.Close(); err == nil {
		err = closed
	}
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.Post(url, form.FormDataContentType(), &body)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(resp.Body)
	if closed := resp.Body.Close(); err == nil {
		err = closed
	}
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

// picture is a PNG with padding behind it, of so many bytes.
func picture(t *testing.T, size int) []byte {
	t.Helper()
	var content bytes.Buffer
	if err := png.Encode(&content, image.NewGray(image.Rect(0, 0, 8, 8))); err != nil {
		t.Fatal(err)
	}
	return append(content.Bytes(), make([]byte, size-content.Len())...)
}

// TestDirectUploadLimits uploads what the token of the guide allows, and finds each of
// its limits.
func TestDirectUploadLimits(t *testing.T) {
	t.Parallel()
	kodo := newEmulator(t)
	_, upload := directUpload(t, newTerraform(t), kodo, "picture.tf", nil)
	key := func(s string) *string { return &s }
	status, answer := upload(key("users/42/a.png"), "text/plain", picture(t, 2048))
	if want := `{"key":"users/42/a.png","size":2048,"type":"image/png"}`; status != http.StatusOK || answer != want {
		t.Errorf("a picture: %d %s; want 200 %s", status, answer, want)
	}
	if content, err := kodo.Content("acme-uploads", "users/42/a.png"); err != nil || len(content) != 2048 {
		t.Errorf("the object has %d bytes, %v", len(content), err)
	}
	for name, tt := range map[string]struct {
		key     string
		mime    string
		content []byte
		status  int
		text    string
	}{
		"too small": {"users/42/b.png", "image/png", picture(t, 1023), http.StatusForbidden, "FsizeMin"},
		"too big":   {"users/42/b.png", "image/png", picture(t, 5<<20+1), http.StatusRequestEntityTooLarge, ""},
		"wrong type": {
			"users/42/b.png", "image/png", bytes.Repeat([]byte("<script>alert(1)</script>\n"), 100), http.StatusForbidden, "limited mimeType",
		},
		"wrong key":    {"users/43/a.png", "image/png", picture(t, 2048), http.StatusForbidden, "key doesn't match with scope"},
		"key is taken": {"users/42/a.png", "image/png", picture(t, 4096), 614, "file exists"},
	} {
		status, answer := upload(&tt.key, tt.mime, tt.content)
		if status != tt.status || !strings.Contains(answer, tt.text) {
			t.Errorf("%s: %d %s; want %d …%s…", name, status, answer, tt.status, tt.text)
		}
	}
	// An hour later: the token was made for a quarter of one, and at most as much again.
	if _, err := kodo.Fail(emulator.Fault{Match: emulator.Match{Service: "up"}, Do: "clock_skew"}); err != nil {
		t.Fatal(err)
	}
	if status, answer := upload(key("users/42/c.png"), "image/png", picture(t, 2048)); status != http.StatusUnauthorized || !strings.Contains(answer, "expired token") {
		t.Errorf("an hour later: %d %s; want 401 expired token", status, answer)
	}
	if keys, err := kodo.Keys("acme-uploads"); err != nil || len(keys) != 1 {
		t.Errorf("keys = %q, %v; want the one that was allowed", keys, err)
	}
}

// TestDirectUploadCallback has Kodo tell a server of the upload, whose word the
// browser gets.
func TestDirectUploadCallback(t *testing.T) {
	t.Parallel()
	told := make(chan string, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		told <- r.Header.Get("Content-Type") + " " + string(body)
		if !strings.Contains(r.Header.Get("Authorization"), emulator.DefaultAccount().AccessKey+":") {
			t.Errorf("Authorization = %q; want a signature of the account", r.Header.Get("Authorization"))
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"document":7}`)
	}))
	t.Cleanup(server.Close)
	kodo := newEmulator(t)
	_, upload := directUpload(t, newTerraform(t), kodo, "callback.tf", map[string]string{"TF_VAR_callback_url": server.URL + "/uploaded"})
	mine := "my/own/key"
	status, answer := upload(&mine, "text/plain", []byte("hello"))
	if status != http.StatusOK || answer != `{"document":7}` {
		t.Errorf("upload: %d %s; want what the server said", status, answer)
	}
	const want = `application/json {"key":"documents/Fqr0xh3cxeii2r7eDztILNmuqUNN.txt","size":5,"user":"user-42"}`
	if got := <-told; got != want {
		t.Errorf("the server was told %s; want %s", got, want)
	}
}

// TestDirectUploadTranscode gets the id of the work that follows the upload.
func TestDirectUploadTranscode(t *testing.T) {
	t.Parallel()
	kodo := newEmulator(t)
	ws, upload := directUpload(t, newTerraform(t), kodo, "transcode.tf", nil)
	var key string
	if err := ws.Output(t.Context(), "key", &key); err != nil {
		t.Fatal(err)
	}
	status, answer := upload(&key, "video/quicktime", []byte("not really a video"))
	var got struct {
		Key          string `json:"key"`
		PersistentID string `json:"persistentId"`
	}
	if err := json.Unmarshal([]byte(answer), &got); err != nil || status != http.StatusOK || got.Key != key || got.PersistentID == "" {
		t.Errorf("upload: %d %s, %v; want the key and a persistentId", status, answer, err)
	}
	if status, answer := upload(&key, "video/quicktime", []byte("another")); status != 614 {
		t.Errorf("once more: %d %s; want 614", status, answer)
	}
}
