package httpapi_test

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestBase64Upload(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	token := c.token(policy("public"))
	const hello = "aGVsbG8=" // "hello"
	for rest, key := range map[string]string{
		"5/key/" + b64("a"):                   "a",
		"-1/key/" + b64("dir/ü?"):             "dir/ü?",
		"-1":                                  helloHash,
		"5/key/":                              "",
		"5/mimeType/dGV4dC94/key/" + b64("b"): "b",
		"5/crc32/907060870/x:a/MQ==/key/" + b64("c") + "/unheard/***": "c",
		"5/key/ZA%3D%3D": "d",
	} {
		res := c.multipart("POST", "/putb64/"+rest, token, hello, "Content-Type", "application/octet-stream")
		c.wantStatus(rest, res, 200)
		if diff := cmp.Diff(map[string]any{"hash": helloHash, "key": key}, res.json(t)); diff != "" {
			t.Errorf("%s (-want +got)\n%s", rest, diff)
		}
		want := "text/plain"
		if key == "b" {
			want = "text/x"
		}
		if object, err := c.e.Engine().Stat(c.account.AccessKey, "public", key); err != nil || object.MimeType != want || object.Size != 5 {
			t.Errorf("%s: Stat() = %+v, %v", rest, object, err)
		}
	}
	large := strings.Repeat("0123456789abcdef", 8192)
	c.wantStatus("large, in lines", c.multipart("POST", "/putb64/-1/key/"+b64("l"), token,
		strings.ReplaceAll(base64.StdEncoding.EncodeToString([]byte(large)), "YW", "Y\r\nW")), 200)
	if content, err := c.e.Content("public", "l"); err != nil || string(content) != large {
		t.Errorf("%d bytes, %v", len(content), err)
	}
}

func TestBase64UploadRefusals(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	token := c.token(policy("public"))
	for rest, tt := range map[string]struct {
		body   string
		status int
	}{
		"6":                           {"aGVsbG8=", 400},
		"0":                           {"aGVsbG8=", 400},
		"5":                           {"aGVsbG8", 400},
		"-1":                          {"a*", 400},
		"-1/key/aw==":                 {"__--", 400},
		"":                            {"aGVsbG8=", 400},
		"x":                           {"aGVsbG8=", 400},
		"-2":                          {"aGVsbG8=", 400},
		"5/key":                       {"aGVsbG8=", 400},
		"5/key/*":                     {"aGVsbG8=", 400},
		"5/crc32/1":                   {"aGVsbG8=", 406},
		"5/crc32/x":                   {"aGVsbG8=", 400},
		"5/mimeType/" + b64("a/%"):    {"aGVsbG8=", 400},
		"5/x-qn-meta-a.b/" + b64("v"): {"aGVsbG8=", 400},
	} {
		c.wantStatus(rest, c.multipart("POST", "/putb64/"+rest, token, tt.body), tt.status)
	}
	c.wantError("no token", c.send(c.request("POST", "/putb64/-1", strings.NewReader("aGVsbG8="))), 401, "token not specified")
	c.wantError("too large", c.multipart("POST", "/putb64/5", c.token(policy("public", `"fsizeLimit":4`)), "aGVsbG8="), 413, "exceed FsizeLimit")
	c.wantError("too large", c.multipart("POST", "/putb64/-1", c.token(policy("public", `"fsizeLimit":4`)), "aGVsbG8="), 413, "exceed FsizeLimit")
	c.wantError("too small", c.multipart("POST", "/putb64/5", c.token(policy("public", `"fsizeMin":6`)), "aGVsbG8="), 403, "request entity size is smaller than FsizeMin")
	c.wantError("other key", c.multipart("POST", "/putb64/5/key/aw==", c.token(policy("public:x")), "aGVsbG8="), 403, "key doesn't match with scope")
	if keys, err := c.e.Keys("public"); err != nil || len(keys) != 0 {
		t.Errorf("Keys() = %q, %v, want none", keys, err)
	}
}
