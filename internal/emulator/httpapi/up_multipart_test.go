package httpapi_test

import (
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const mib = 1 << 20

// multipartUpload is an upload that was begun.
type multipartUpload struct {
	c      *client
	token  string
	target string // …/uploads/<id>
	id     string
}

func (c *client) begin(bucket, segment, token string) *multipartUpload {
	c.t.Helper()
	target := "/buckets/" + bucket + "/objects/" + segment + "/uploads"
	res := c.multipart("POST", target, token, "")
	var begun struct {
		UploadID string `json:"uploadId"`
		ExpireAt int64  `json:"expireAt"`
	}
	if err := json.Unmarshal([]byte(res.body), &begun); err != nil || res.status != 200 || begun.UploadID == "" {
		c.t.Fatalf("begin: %d %s", res.status, res.body)
	}
	if left := time.Until(time.Unix(begun.ExpireAt, 0)); left < 6*24*time.Hour || left > 8*24*time.Hour {
		c.t.Errorf("the upload expires in %v, want a week", left)
	}
	return &multipartUpload{c: c, token: token, target: target + "/" + begun.UploadID, id: begun.UploadID}
}

func (u *multipartUpload) part(n int, content string, header ...string) response {
	u.c.t.Helper()
	return u.c.multipart("PUT", fmt.Sprintf("%s/%d", u.target, n), u.token, content, header...)
}

// mustPart uploads a part and returns how to name it.
func (u *multipartUpload) mustPart(n int, content string) string {
	u.c.t.Helper()
	res := u.part(n, content)
	var answer struct{ ETag, MD5 string }
	sum := md5.Sum([]byte(content))
	if err := json.Unmarshal([]byte(res.body), &answer); err != nil || res.status != 200 || answer.MD5 != hex.EncodeToString(sum[:]) {
		u.c.t.Fatalf("part %d: %d %s", n, res.status, res.body)
	}
	return fmt.Sprintf(`{"partNumber":%d,"etag":%q}`, n, answer.ETag)
}

func (u *multipartUpload) complete(parts []string, more string) response {
	u.c.t.Helper()
	return u.c.multipart("POST", u.target, u.token, `{"parts":[`+strings.Join(parts, ",")+`]`+more+`}`)
}

func TestMultipartUpload(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	big, last := strings.Repeat("a", mib), "hello"
	// The hash over parts of 1 MiB and 5 bytes, computed in Python from the
	// published rule.
	const hash = "nh9Jf2Mg-99vLhepO7-KOBX60GmA"
	tests := map[string]struct {
		segment, key, more string
		wantMime           string
		wantMeta           map[string]string
	}{
		"key":       {b64("dir/ü.css"), "dir/ü.css", "", "text/css", nil},
		"no key":    {"~", hash, `,"fname":"x.html"`, "text/html", nil},
		"empty key": {"", "", "", "text/plain", nil},
		"nulls":     {b64("n"), "n", `,"fname":null,"mimeType":null,"metadata":null,"customVars":null`, "text/plain", nil},
		"all": {
			b64("k"), "k", `,"fname":"x.html","mimeType":"text/x","metadata":{"X-Qn-Meta-A":"1","x-qn-meta-!Expires":"0","b":"2"},"customVars":{"x:a":"b"},"cacheControl":"no-store","contentEncoding":null,"contentLanguage":""`,
			"text/x", map[string]string{"A": "1", "!Expires": "0", "!Cache-Control": "no-store"},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := &client{t: t, e: c.e, account: c.account}
			u := c.begin("public", tt.segment, c.token(policy("public", `"endUser":"u"`, `"fileType":1`, `"deleteAfterDays":3`)))
			parts := []string{u.mustPart(2, big), u.mustPart(7, last)}
			res := u.complete(parts, tt.more)
			c.wantStatus("complete", res, 200)
			if diff := cmp.Diff(map[string]any{"hash": hash, "key": tt.key}, res.json(t)); diff != "" {
				t.Errorf("answer (-want +got)\n%s", diff)
			}
			object, err := c.e.Engine().Stat(c.account.AccessKey, "public", tt.key)
			if err != nil || object.MimeType != tt.wantMime || object.Size != mib+5 || object.EndUser != "u" ||
				object.FileType != 1 || !threeDaysAhead(object.DeletesAt) {
				t.Errorf("stored %+v, %v", object, err)
			}
			if len(object.Meta)+len(tt.wantMeta) > 0 && !cmp.Equal(tt.wantMeta, object.Meta) {
				t.Errorf("metadata %v, want %v", object.Meta, tt.wantMeta)
			}
			if content, err := c.e.Content("public", tt.key); err != nil || string(content) != big+last {
				t.Errorf("%d bytes, %v", len(content), err)
			}
			c.wantError("part after the end", u.part(1, "x"), 612, "no such uploadId")
			c.wantError("complete again", u.complete(parts, ""), 612, "no such uploadId")
		})
	}
}

func TestMultipartParts(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	u := c.begin("public", b64("k"), c.token(policy("public:k")))
	for n := range 5 {
		u.mustPart(2*n+1, strings.Repeat("x", n+1))
	}
	type page struct {
		UploadID         string
		ExpireAt         int64
		PartNumberMarker int
		Parts            []struct {
			Size, PartNumber, PutTime int64
			ETag                      string
		}
	}
	list := func(query string) (page, []int64) {
		t.Helper()
		res := c.multipart("GET", u.target+query, u.token, "")
		var p page
		if err := json.Unmarshal([]byte(res.body), &p); err != nil || res.status != 200 {
			t.Fatalf("list: %d %s", res.status, res.body)
		}
		var numbers []int64
		for _, part := range p.Parts {
			numbers = append(numbers, part.PartNumber)
		}
		return p, numbers
	}
	all, numbers := list("")
	if cmp.Diff([]int64{1, 3, 5, 7, 9}, numbers) != "" || all.UploadID != u.id || all.ExpireAt == 0 || all.PartNumberMarker != 0 {
		t.Errorf("all parts: %+v", all)
	}
	if part := all.Parts[4]; part.Size != 5 || part.ETag == "" || time.Since(time.Unix(part.PutTime, 0)).Abs() > time.Hour {
		t.Errorf("last part: %+v", part)
	}
	for _, spelling := range []string{"part-number_marker", "part-number-marker"} {
		first, numbers := list("?max-parts=2")
		if cmp.Diff([]int64{1, 3}, numbers) != "" || first.PartNumberMarker != 3 {
			t.Errorf("first page: %+v", first)
		}
		rest, numbers := list(fmt.Sprintf("?max-parts=3&%s=%d", spelling, first.PartNumberMarker))
		if cmp.Diff([]int64{5, 7, 9}, numbers) != "" || rest.PartNumberMarker != 0 {
			t.Errorf("%s: %+v", spelling, rest)
		}
	}
	c.wantStatus("limit", c.multipart("GET", u.target+"?max-parts=x", u.token, ""), 400)

	sum := md5.Sum([]byte("x"))
	c.wantStatus("right MD5", u.part(1, "x", "Content-MD5", strings.ToUpper(hex.EncodeToString(sum[:]))), 200)
	large := strings.Repeat("y", mib) // Large enough for a file of its own.
	c.wantStatus("wrong MD5", u.part(1, large, "Content-MD5", hex.EncodeToString(sum[:])), 406)
	for _, n := range []int{0, -1, 10001} {
		c.wantStatus(fmt.Sprint("part ", n), u.part(n, large), 400)
	}
	c.wantStatus("part x", c.multipart("PUT", u.target+"/x", u.token, "x"), 400)

	abort := c.multipart("DELETE", u.target, u.token, "")
	c.wantStatus("abort", abort, 200)
	c.wantError("abort again", c.multipart("DELETE", u.target, u.token, ""), 612, "no such uploadId")
	c.wantError("list", c.multipart("GET", u.target, u.token, ""), 612, "no such uploadId")
	waitFor(t, "the files to go", func() bool { return len(contentFiles(t, c.e.Dir())) == 0 })
}

func TestMultipartRefusals(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	c.put("public", "taken", "other content")
	begin := func(segment, policy string) response {
		return c.multipart("POST", "/buckets/public/objects/"+segment+"/uploads", c.token(policy), "")
	}
	c.wantError("other key", begin(b64("x"), policy("public:k")), 403, "key doesn't match with scope")
	c.wantError("no key", begin("~", policy("public:k")), 403, "key doesn't match with scope")
	c.wantError("outside prefix", begin(b64("x"), policy("public:p", `"isPrefixalScope":1`)), 403, "key doesn't match with scope")
	c.wantError("no base64", begin("***", policy("public")), 400, "invalid argument")
	c.wantError("expired", begin(b64("k"), `{"scope":"public","deadline":1}`), 401, "expired token")
	c.wantStatus("not implemented", begin(b64("k"), policy("public", `"transform":"x"`)), 501)
	target := "/buckets/public/objects/" + b64("k") + "/uploads"
	c.wantError("no token", c.send(c.request("POST", target, nil)), 401, "token not specified")
	c.wantError("bad token", c.multipart("POST", target, "a:b:c", ""), 401, "bad token")
	c.wantStatus("other bucket", c.multipart("POST", "/buckets/private/objects/~/uploads", c.token(policy("public")), ""), 403)
	c.wantError("missing bucket", c.multipart("POST", "/buckets/missing/objects/~/uploads", c.token(policy("missing")), ""), 631, "no such bucket")
	c.wantError("another's", c.multipart("POST", target, c.as(other).token(policy("public")), ""), 631, "no such bucket")
	c.wantError("unknown id", c.multipart("PUT", target+"/nothing/1", c.token(policy("public")), "x"), 612, "no such uploadId")
	c.wantError("method", c.multipart("PUT", target, c.token(policy("public")), ""), 405, "method not allowed")
	c.wantStatus("path", c.multipart("POST", "/buckets/public/objects/a/other", c.token(policy("public")), ""), 501)

	u := c.begin("public", b64("taken"), c.token(policy("public", `"fsizeMin":3,"fsizeLimit":6`)))
	hello := u.mustPart(1, "hello")
	c.wantError("no parts", u.complete(nil, ""), 400, "parts param can't be empty")
	c.wantStatus("unknown part", u.complete([]string{`{"partNumber":2,"etag":"x"}`}, ""), 400)
	c.wantStatus("wrong etag", u.complete([]string{`{"partNumber":1,"etag":"x"}`}, ""), 400)
	c.wantStatus("order", u.complete([]string{hello, hello}, ""), 400)
	c.wantStatus("small part", u.complete([]string{hello, u.mustPart(2, "w")}, ""), 400)
	c.wantError("no JSON", c.multipart("POST", u.target, u.token, "x"), 400, "invalid argument")
	c.wantError("two JSONs", c.multipart("POST", u.target, u.token, "{}{}"), 400, "invalid argument")
	c.wantError("null", c.multipart("POST", u.target, u.token, "null"), 400, "parts param can't be empty")
	c.wantError("too small", u.complete([]string{u.mustPart(3, "xx")}, ""), 403, "request entity size is smaller than FsizeMin")
	c.wantError("too large", u.complete([]string{u.mustPart(4, "xxxxxxx")}, ""), 413, "exceed FsizeLimit")
	c.wantError("exists", u.complete([]string{hello}, ""), 614, "file exists")
	if keys, err := c.e.Keys("public"); err != nil || !cmp.Equal(keys, []string{"taken"}) {
		t.Errorf("Keys() = %q, %v, want nothing new", keys, err)
	}

	overwrite := c.begin("public", b64("taken"), c.token(policy("public:taken")))
	c.wantStatus("overwrite", overwrite.complete([]string{overwrite.mustPart(1, "hello")}, ""), 200)
	again := c.begin("public", b64("taken"), c.token(policy("public:taken", `"insertOnly":1`)))
	c.wantStatus("the same content, insert only", again.complete([]string{again.mustPart(1, "hello")}, ""), 200)
}
