package httpapi_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// chunkAnswer is the answer to mkblk and bput.
type chunkAnswer struct {
	Ctx, Checksum, Host string
	CRC32               uint32
	Offset              int64
	ExpiredAt           int64 `json:"expired_at"`
}

func (c *client) chunk(token, target, content string) chunkAnswer {
	c.t.Helper()
	res := c.multipart("POST", target, token, content)
	var answer chunkAnswer
	if err := json.Unmarshal([]byte(res.body), &answer); err != nil || res.status != 200 {
		c.t.Fatalf("%s: %d %s", target, res.status, res.body)
	}
	return answer
}

// mkblk uploads a block in one chunk and returns its context.
func (c *client) mkblk(token, content string) string {
	c.t.Helper()
	return c.chunk(token, fmt.Sprintf("/mkblk/%d", len(content)), content).Ctx
}

func (c *client) mkfile(token, rest string, contexts ...string) response {
	c.t.Helper()
	return c.multipart("POST", "/mkfile/"+rest, token, strings.Join(contexts, ","))
}

func TestBlocks(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	token := c.token(policy("public", `"endUser":"u"`, `"fileType":1`, `"deleteAfterDays":3`, `"returnBody":"{\"k\":$(key),\"f\":$(fname),\"x\":$(x:a),\"h\":$(etag)}"`))
	zeros := strings.Repeat("\x00", 4*mib)
	whole := c.mkblk(token, zeros)

	first := c.chunk(token, fmt.Sprintf("/mkblk/%d", mib), zeros[:10])
	want := chunkAnswer{
		// Computed in Python: SHA-1 and CRC32 of ten zero bytes.
		Ctx: first.Ctx, Checksum: "lpTE69ZzpeL9JuSy5k-S6RTr2V8=", CRC32: 0xe38a6876, Offset: 10,
		Host: c.e.Endpoint(), ExpiredAt: first.ExpiredAt,
	}
	if diff := cmp.Diff(want, first); diff != "" {
		t.Errorf("first chunk (-want +got)\n%s", diff)
	}
	if left := time.Until(time.Unix(first.ExpiredAt, 0)); left < 6*24*time.Hour || left > 8*24*time.Hour {
		t.Errorf("the context expires in %v, want a week", left)
	}
	second := c.chunk(token, "/bput/"+first.Ctx+"/10", zeros[:1000])
	if again := c.chunk(token, "/bput/"+first.Ctx+"/10", zeros[:1000]); again.Offset != 1010 || again.CRC32 != second.CRC32 {
		t.Errorf("the same chunk again: %+v, want %+v", again, second)
	}
	last := c.chunk(token, "/bput/"+second.Ctx+"/1010", zeros[:mib-1010])
	if last.Offset != mib {
		t.Errorf("last chunk: %+v", last)
	}

	rest := fmt.Sprintf("%d/x:a/%s/mimeType/%s/fname/%s/x-qn-meta-m/%s/x-qn-meta-!Expires/%s/params/x/key/%s",
		5*mib, b64("1"), b64("a/b"), b64("f.x"), b64("n"), b64("0"), b64("dir/ü"))
	res := c.mkfile(token, rest, whole, last.Ctx)
	// The hash of 5 MiB of zeros is published.
	if want := `{"k":"dir/ü","f":"f.x","x":"1","h":"lrMhp7oU8rzWSRlmUeGJ73Q2pVa-"}`; res.status != 200 || res.body != want {
		t.Errorf("mkfile: %d %s, want %s", res.status, res.body, want)
	}
	object, err := c.e.Engine().Stat(c.account.AccessKey, "public", "dir/ü")
	if err != nil || object.Size != 5*mib || object.MimeType != "a/b" || object.EndUser != "u" || object.FileType != 1 || !threeDaysAhead(object.DeletesAt) || object.MD5 != "" {
		t.Errorf("Stat() = %+v, %v", object, err)
	}
	if diff := cmp.Diff(map[string]string{"m": "n", "!Expires": "0"}, object.Meta); diff != "" {
		t.Errorf("metadata (-want +got)\n%s", diff)
	}
	if content, err := c.e.Content("public", "dir/ü"); err != nil || string(content) != zeros+zeros[:mib] {
		t.Errorf("%d bytes, %v", len(content), err)
	}

	// Without a key, with an empty key, and without a block.
	plain := c.token(policy("public"))
	res = c.mkfile(plain, "5", c.mkblk(plain, "hello"))
	if want := `{"hash":"` + helloHash + `","key":"` + helloHash + `"}`; res.status != 200 || res.body != want {
		t.Errorf("mkfile without a key: %d %s", res.status, res.body)
	}
	if object, err := c.e.Engine().Stat(c.account.AccessKey, "public", helloHash); err != nil || object.MimeType != "text/plain" {
		t.Errorf("Stat() = %+v, %v, want the type of the content", object, err)
	}
	c.wantStatus("empty key", c.mkfile(plain, "5/key/", c.mkblk(plain, "hello")), 200)
	res = c.mkfile(plain, "0/key/"+b64("nothing"))
	if want := `{"hash":"Fto5o-5ea0sNMlW_75VgGJCv2AcJ","key":"nothing"}`; res.status != 200 || res.body != want {
		t.Errorf("mkfile of nothing: %d %s", res.status, res.body)
	}
	if keys, err := c.e.Keys("public"); err != nil || !cmp.Equal(keys, []string{"", helloHash, "dir/ü", "nothing"}) {
		t.Errorf("Keys() = %q, %v", keys, err)
	}
}

func TestBlockRefusals(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	token := c.token(policy("public"))
	call := func(target, body string) response { return c.multipart("POST", target, token, body) }
	hello := c.mkblk(token, "hello")
	half := c.chunk(token, "/mkblk/10", "hello").Ctx

	for target, body := range map[string]string{
		"/mkblk/0": "x", "/mkblk/-1": "x", "/mkblk/4194305": "x", "/mkblk/x": "x", "/mkblk": "x", "/mkblk/5/6": "x",
		"/mkblk/5": "hello!", "/mkblk/6": "", "/bput/" + half + "/x": "x", "/bput/" + half: "x",
		"/mkfile/5/key": hello, "/mkfile/5/key/***": hello, "/mkfile/x": hello, "/mkfile/-2": hello, "/mkfile": hello, "/mkfile/5/x:a/*": hello,
		"/mkfile/6": hello, "/mkfile/4": hello,
		"/mkfile/5/key/" + b64("a\xff"): hello,
	} {
		c.wantStatus(target, call(target, body), 400)
	}
	for target, body := range map[string]string{
		"/bput/" + half + "/4": "x", "/bput/" + half + "/0": "x", "/bput/nothing/5": "x", "/bput/%2F/5": "x",
		"/mkfile/10": half, "/mkfile/5/key/aw==": "nothing",
	} {
		c.wantStatus(target, call(target, body), 701)
	}
	c.wantError("a context that is empty", call("/mkfile/5", ","+hello), 701, "invalid ctx")
	c.wantStatus("small block that is not the last", call("/mkfile/10", hello+","+hello), 701)
	c.wantStatus("beyond the block", call("/bput/"+half+"/5", "hello!"), 400)
	c.wantStatus("another account's", c.as(other).multipart("POST", "/mkfile/5", c.as(other).token(policy("public")), hello), 701)
	c.wantStatus("another account's", c.as(other).multipart("POST", "/bput/"+half+"/5", c.as(other).token(policy("public")), "x"), 701)
	c.wantError("scope", c.multipart("POST", "/mkfile/5/key/"+b64("x"), c.token(policy("public:k")), hello), 401, "key doesn't match with scope")
	c.wantError("no bucket", c.multipart("POST", "/mkfile/5", c.token(policy("missing")), hello), 631, "no such bucket")
	c.wantError("size", c.multipart("POST", "/mkfile/5", c.token(policy("public", `"fsizeLimit":4`)), hello), 413, "exceed FsizeLimit")
	for _, target := range []string{"/mkblk/5", "/bput/" + half + "/5", "/mkfile/5"} {
		c.wantError(target, c.multipart("POST", target, c.token(`{"scope":"public","deadline":1}`), "hello"), 401, "expired token")
		c.wantStatus(target, c.multipart("GET", target, token, ""), 405)
	}
	c.mkblk(token, strings.Repeat("x", mib)) // Large enough for a file of its own.
	if files := contentFiles(t, c.e.Dir()); len(files) != 1 {
		t.Errorf("the files of the blocks: %q", files)
	}
	if err := c.e.Engine().Advance(8 * 24 * time.Hour); err != nil {
		t.Fatal(err)
	}
	c.wantError("dead context", call("/mkfile/5", hello), 701, "invalid ctx")
	c.wantError("dead context", call("/bput/"+half+"/5", "hello"), 701, "invalid ctx")
	if keys, err := c.e.Keys("public"); err != nil || len(keys) != 0 {
		t.Errorf("Keys() = %q, %v, want none", keys, err)
	}
	waitFor(t, "the files to go", func() bool { return len(contentFiles(t, c.e.Dir())) == 0 })
}
