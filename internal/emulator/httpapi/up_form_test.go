package httpapi_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const helloHash = "Fqr0xh3cxeii2r7eDztILNmuqUNN" // published: "hello"

func TestFormUpload(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	token := field("token", c.token(policy("public")))
	tests := map[string]struct {
		parts    []formPart
		wantKey  string
		wantMime string
	}{
		"token first":          {[]formPart{token, field("key", "a"), file("f", "hello")}, "a", "text/plain"},
		"file first":           {[]formPart{file("f", "hello"), field("key", "b"), token}, "b", "text/plain"},
		"key after the file":   {[]formPart{token, file("f", "hello"), field("key", "c")}, "c", "text/plain"},
		"no key":               {[]formPart{token, file("f", "hello")}, helloHash, "text/plain"},
		"empty key":            {[]formPart{token, field("key", ""), file("f", "hello")}, "", "text/plain"},
		"odd key":              {[]formPart{token, field("key", "/a\r\n?&r=ü/../x"), file("f", "hello")}, "/a\r\n?&r=ü/../x", "text/plain"},
		"type of the part":     {[]formPart{token, field("key", "d.css"), {"file", "f.html", "image/png", "hello"}}, "d.css", "image/png"},
		"type of the name":     {[]formPart{token, field("key", "e.css"), file("f.HTML", "hello")}, "e.css", "text/html"},
		"type of the key":      {[]formPart{token, field("key", "f.css"), file("f", "hello")}, "f.css", "text/css"},
		"crc32":                {[]formPart{token, field("key", "g"), field("crc32", "907060870"), file("f", "hello")}, "g", "text/plain"},
		"crc32 after the file": {[]formPart{token, field("key", "h"), file("f", "hello"), field("crc32", "907060870")}, "h", "text/plain"},
		"custom variables":     {[]formPart{token, field("key", "i"), field("x:a", "1"), file("f", "hello"), field("unheard", "1")}, "i", "text/plain"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := &client{t: t, e: c.e, account: c.account}
			res := c.upload(tt.parts...)
			c.wantStatus("upload", res, 200)
			if diff := cmp.Diff(map[string]any{"hash": helloHash, "key": tt.wantKey}, res.json(t)); diff != "" {
				t.Errorf("answer (-want +got)\n%s", diff)
			}
			object, err := c.e.Engine().Stat(c.account.AccessKey, "public", tt.wantKey)
			if err != nil || object.MimeType != tt.wantMime || object.Size != 5 || object.MD5 != "5d41402abc4b2a76b9719d911017c592" {
				t.Errorf("stored %+v, %v, want the type %s", object, err, tt.wantMime)
			}
		})
	}
}

func TestFormUploadKeepsWhatItIsTold(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	res := c.upload(
		field("token", c.token(policy("public:k", `"endUser":"u1"`, `"fileType":4`, `"deleteAfterDays":3`))), field("key", "k"),
		field("x-qn-meta-a", "1"), field("X-Qn-Meta-!Cache-Control", "no-store"), field("accept", "text/x-mine"),
		field("contentLanguage", "de"), field("contentEncoding", "br"), field("contentDisposition", "inline"), field("expires", "0"),
		file("f", "hello"))
	c.wantStatus("upload", res, 200)
	if got := res.header.Get("Content-Type"); got != "text/x-mine" {
		t.Errorf("Content-Type = %q, want the one that the form accepts", got)
	}
	object, err := c.e.Engine().Stat(c.account.AccessKey, "public", "k")
	if err != nil || object.EndUser != "u1" || object.FileType != 4 || !threeDaysAhead(object.DeletesAt) {
		t.Errorf("Stat() = %+v, %v, want the end user, the class and the end of the policy", object, err)
	}
	want := map[string]string{
		"a": "1", "!Cache-Control": "no-store",
		"!Content-Language": "de", "!Content-Encoding": "br", "!Content-Disposition": "inline", "!Expires": "0",
	}
	if diff := cmp.Diff(want, object.Meta); diff != "" {
		t.Errorf("metadata (-want +got)\n%s", diff)
	}
}

// threeDaysAhead reports whether a moment is the midnight in Beijing, UTC+8, that
// ends what is to stay for three days from now on.
func threeDaysAhead(moment int64) bool {
	ahead := time.Until(time.Unix(moment, 0))
	return (moment+8*60*60)%(24*60*60) == 0 && ahead > 71*time.Hour && ahead < 97*time.Hour
}

func TestFormUploadRefusals(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	c.put("public", "taken", "other content")
	hello := file("f", "hello")
	key := field("key", "k")
	good := field("token", c.token(policy("public")))
	expired := `{"scope":"public","deadline":` + "1" + `}`
	with := func(more ...string) formPart { return field("token", c.token(policy("public", more...))) }
	tests := map[string]struct {
		parts  []formPart
		status int
		text   string
	}{
		"no token":         {[]formPart{key, hello}, 401, "token not specified"},
		"empty token":      {[]formPart{field("token", ""), key, hello}, 401, "token not specified"},
		"malformed token":  {[]formPart{field("token", "a:b"), key, hello}, 401, "bad token"},
		"unknown account":  {[]formPart{field("token", "x:"+c.hmac(b64(policy("public")))+":"+b64(policy("public"))), key, hello}, 401, "bad token"},
		"wrong signature":  {[]formPart{field("token", c.account.AccessKey+":AAAA:"+b64(policy("public"))), key, hello}, 401, "bad token"},
		"expired":          {[]formPart{field("token", c.token(expired)), key, hello}, 401, "expired token"},
		"policy no JSON":   {[]formPart{field("token", c.token("x")), key, hello}, 401, "invalid put policy encoding"},
		"not implemented":  {[]formPart{with(`"transform":"x"`), key, hello}, 501, `the put policy field "transform" is not implemented by this emulator`},
		"no file":          {[]formPart{good, key}, 400, "file is not specified in multipart"},
		"two files":        {[]formPart{good, key, hello, hello}, 400, "more than one file in multipart"},
		"other key":        {[]formPart{field("token", c.token(policy("public:k1"))), key, hello}, 403, "key doesn't match with scope"},
		"no key in scope":  {[]formPart{field("token", c.token(policy("public:k1"))), hello}, 403, "key doesn't match with scope"},
		"outside prefix":   {[]formPart{field("token", c.token(policy("public:p/", `"isPrefixalScope":1`))), key, hello}, 403, "key doesn't match with scope"},
		"too small":        {[]formPart{with(`"fsizeMin":6`), key, hello}, 403, "request entity size is smaller than FsizeMin"},
		"too large":        {[]formPart{with(`"fsizeLimit":4`), key, hello}, 413, "exceed FsizeLimit"},
		"crc32":            {[]formPart{good, key, field("crc32", "1"), hello}, 406, "CRC32 mismatch"},
		"crc32 no number":  {[]formPart{good, key, field("crc32", "x"), hello}, 400, "invalid argument"},
		"exists":           {[]formPart{good, field("key", "taken"), hello}, 614, "file exists"},
		"insert only":      {[]formPart{field("token", c.token(policy("public:taken", `"insertOnly":1`))), field("key", "taken"), hello}, 614, "file exists"},
		"no such bucket":   {[]formPart{field("token", c.token(policy("missing"))), key, hello}, 631, "no such bucket"},
		"another's bucket": {[]formPart{field("token", c.as(other).token(policy("public"))), key, hello}, 631, "no such bucket"},
		"key not UTF-8":    {[]formPart{good, field("key", "\xff"), hello}, 400, "key must be utf8 encoding"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := &client{t: t, e: c.e, account: c.account}
			c.wantError("upload", c.upload(tt.parts...), tt.status, tt.text)
		})
	}
	t.Cleanup(func() {
		if keys, err := c.e.Keys("public"); err != nil || !cmp.Equal(keys, []string{"taken"}) {
			t.Errorf("Keys() = %q, %v, want nothing but the one that was there", keys, err)
		}
	})
}

func TestFormUploadOverwrites(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	c.put("public", "k", "first")
	first, err := c.e.Engine().Stat(c.account.AccessKey, "public", "k")
	if err != nil {
		t.Fatal(err)
	}
	same := c.upload(field("token", c.token(policy("public"))), field("key", "k"), file("f", "first"))
	c.wantStatus("the same content under an insert-only token", same, 200)
	if object, err := c.e.Engine().Stat(c.account.AccessKey, "public", "k"); err != nil || object.PutTime != first.PutTime {
		t.Errorf("the same content was written again: %+v, %v", object, err)
	}
	c.put("public", "k", "second")
	if content, err := c.e.Content("public", "k"); err != nil || string(content) != "second" {
		t.Errorf("Content() = %q, %v, want second", content, err)
	}
}

// TestBrokenUploads sends what is no upload, or not all of one, and looks for
// objects and files that it may have left.
func TestBrokenUploads(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	contentType, body := form(t, field("token", c.token(policy("public"))), field("key", "k"), file("f", strings.Repeat("x", 1<<20)))
	send := func(contentType string, body io.Reader) response {
		req := c.request("POST", "/", body)
		req.Header.Set("Content-Type", contentType)
		return c.send(req)
	}
	c.wantStatus("no form", send("text/plain", strings.NewReader("x")), 400)
	c.wantStatus("no boundary", send("multipart/form-data", strings.NewReader("x")), 400)
	c.wantStatus("nothing", send(contentType, http.NoBody), 400)
	c.wantStatus("no final boundary", send(contentType, bytes.NewReader(body[:len(body)-10])), 400)
	c.wantStatus("the end is missing", send(contentType, bytes.NewReader(body[:len(body)/2])), 400)
	c.wantStatus("a huge field", send("multipart/form-data; boundary=b",
		strings.NewReader("--b\r\nContent-Disposition: form-data; name=\"x\"\r\n\r\n"+strings.Repeat("x", 2<<20)+"\r\n--b--\r\n")), 413)

	// The client goes away in the middle.
	reader, writer := io.Pipe()
	req := c.request("POST", "/", reader)
	req.Header.Set("Content-Type", contentType)
	req.ContentLength = int64(len(body))
	go func() {
		_, err := writer.Write(body[:len(body)/2])
		writer.CloseWithError(errors.Join(err, io.ErrUnexpectedEOF))
	}()
	if res := c.send(req); res.err == nil && res.status < 400 {
		t.Errorf("half an upload was answered %d", res.status)
	}
	waitFor(t, "the request to end", func() bool { return len(c.e.Requests()) == 7 })
	if keys, err := c.e.Keys("public"); err != nil || len(keys) > 0 {
		t.Errorf("Keys() = %q, %v, want none", keys, err)
	}
	waitFor(t, "the files to go", func() bool { return len(contentFiles(t, c.e.Dir())) == 0 })
}

// contentFiles returns the files of a data folder that hold the bytes of
// objects.
func contentFiles(t *testing.T, dir string) []string {
	t.Helper()
	var files []string
	err := filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		if err == nil && entry.Type().IsRegular() && filepath.Dir(path) != dir {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// waitFor waits for what happens soon after an answer.
func waitFor(t *testing.T, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !done(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}
