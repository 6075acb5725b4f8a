package httpapi_test

import (
	"bytes"
	"encoding/base64"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestPolicyNamesObjects lets policies choose the key.
func TestPolicyNamesObjects(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	hello := formPart{"file", "f.txt", "", "hello"}
	today := time.Now().In(time.FixedZone("", 8*60*60)).Format("2006/01/02")
	for name, tt := range map[string]struct {
		more  []string
		parts []formPart
		want  string
	}{
		"saveKey":                {[]string{`"saveKey":"s/$(etag)$(ext)"`}, []formPart{hello}, "s/" + helloHash + ".txt"},
		"saveKey, key":           {[]string{`"saveKey":"s"`}, []formPart{field("key", "k1"), hello}, "k1"},
		"saveKey, empty key":     {[]string{`"saveKey":"s"`}, []formPart{field("key", ""), hello}, ""},
		"forceSaveKey":           {[]string{`"saveKey":"f/$(x:a)/$(key)","forceSaveKey":true`}, []formPart{field("key", "k2"), hello, field("x:a", "b")}, "f/b/k2"},
		"forceSaveKey, long key": {[]string{`"saveKey":"g/$(mimeType)","forceSaveKey":true`}, []formPart{field("key", strings.Repeat("k", 751)), hello}, "g/text/plain"},
		"saveKey, no variable":   {[]string{`"saveKey":"$(x:no)t$(imageInfo.width)"`}, []formPart{hello}, "t"},
		"saveKey, time":          {[]string{`"saveKey":"$(year)/$(mon)/$(day)"`}, []formPart{hello}, today},
		"keylimit":               {[]string{`"keylimit":["l1","l2"]`}, []formPart{field("key", "l2"), hello}, "l2"},
	} {
		res := c.upload(append(tt.parts, field("token", c.token(policy("public", tt.more...))))...)
		c.wantStatus(name, res, 200)
		if diff := cmp.Diff(map[string]any{"hash": helloHash, "key": tt.want}, res.json(t)); diff != "" {
			t.Errorf("%s: answer (-want +got)\n%s", name, diff)
		}
		if content, err := c.e.Content("public", tt.want); err != nil || string(content) != "hello" {
			t.Errorf("%s: Content(%q) = %q, %v", name, tt.want, content, err)
		}
	}
	uuid := c.upload(field("token", c.token(policy("public", `"saveKey":"$(uuid)"`))), hello)
	if key := uuid.json(t).(map[string]any)["key"].(string); !regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`).MatchString(key) {
		t.Errorf("the key %q is no UUID", key)
	}
	// A multipart upload whose path has no key, or another.
	for segment, more := range map[string]string{"~": `"saveKey":"m/$(etag)/$(fsize)"`, b64("x"): `"saveKey":"m/$(etag)/$(fsize)","forceSaveKey":true`} {
		u := c.begin("public", segment, c.token(policy("public:m/", `"isPrefixalScope":1`, more)))
		c.wantStatus("multipart", u.complete([]string{u.mustPart(1, "hello")}, ""), 200)
		if _, err := c.e.Content("public", "m/"+helloHash+"/5"); err != nil {
			t.Errorf("Content() = %v", err)
		}
	}
}

// TestPolicyRefusals is about what policies forbid; nothing is stored.
func TestPolicyRefusals(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	for name, tt := range map[string]struct {
		scope, more, key string
		status           int
		text             string
	}{
		"keylimit":            {"public", `"keylimit":["a"]`, "b", 403, "key doesn't match with keylimit"},
		"saved outside":       {"public:p/", `"isPrefixalScope":1,"saveKey":"s","forceSaveKey":true`, "p/a", 403, "key doesn't match with scope"},
		"saved key too long":  {"public", `"saveKey":"` + strings.Repeat("k", 751) + `","forceSaveKey":true`, "k", 400, "key is longer than 750 bytes"},
		"mimeLimit":           {"public", `"mimeLimit":"image/*"`, "k", 403, "limited mimeType: this file type (text/plain) is forbidden to upload"},
		"mimeLimit, negated":  {"public", `"mimeLimit":"!text/plain"`, "k", 403, "limited mimeType: this file type (text/plain) is forbidden to upload"},
		"detectMime":          {"public", `"detectMime":-1,"mimeLimit":"text/*"`, "k", 403, "limited mimeType: this file type (application/octet-stream) is forbidden to upload"},
		"string for a number": {"public", `"fsizeLimit":"1"`, "k", 401, "invalid put policy encoding"},
		"contradiction":       {"public", `"fileType":9`, "k", 400, "invalid put policy: fileType must be 0 to 5"},
	} {
		res := c.upload(field("token", c.token(policy(tt.scope, tt.more))), field("key", tt.key), file("f", "hello"))
		c.wantError(name, res, tt.status, tt.text)
	}
	if keys, err := c.e.Keys("public"); err != nil || len(keys) != 0 {
		t.Errorf("Keys() = %q, %v, want none", keys, err)
	}
}

// TestForbiddenFileIsNotRead sends a form whose token comes before a file that it
// does not allow: no file is made of it, and its end is not waited for.
func TestForbiddenFileIsNotRead(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	large := file("f", strings.Repeat("x", 8*mib))
	for name, tt := range map[string]struct {
		token  string
		status int
	}{
		"too large": {c.token(policy("public", `"fsizeLimit":1000`)), 413},
		"expired":   {c.token(`{"scope":"public","deadline":1}`), 401},
		"bad token": {"a:b:c", 401},
	} {
		c.wantStatus(name, c.upload(field("token", tt.token), field("key", "k"), large), tt.status)
		contentType, body := form(t, field("token", tt.token), large)
		cut := c.request("POST", "/", bytes.NewReader(body[:len(body)-10]))
		cut.Header.Set("Content-Type", contentType)
		c.wantStatus(name+", without an end", c.send(cut), tt.status)
		c.wantStatus(name+", file first", c.upload(large, field("token", tt.token), field("key", "k")), tt.status)
	}
	waitFor(t, "the files to go", func() bool { return len(contentFiles(t, c.e.Dir())) == 0 })
}

func TestReturnBody(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	// A PNG of 3 by 2 pixels, made in Python.
	picture, err := base64.StdEncoding.DecodeString("iVBORw0KGgoAAAANSUhEUgAAAAMAAAACCAYAAACddGYaAAAAC0lEQVR4nGNgwAUAABoAAbw84EEAAAAASUVORK5CYII=")
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		template, content, want string
	}{
		"variables": {
			`{"b":$(bucket),"k":$(key),"h":"$(etag)","n":$(fsize),"s":"$(fsize)","f":$(fname),"m":$(mimeType),"u":$(endUser),"x":$(x:a),"no":$(x:b),"w":$(imageInfo.width),"p":$(persistentId)}`, "hello",
			`{"b":"public","k":"k\"<","h":"` + helloHash + `","n":5,"s":"5","f":"f.txt","m":"text/plain","u":"u1","x":"1\"","no":null,"w":null,"p":null}`,
		},
		"image": {
			`{"w":$(imageInfo.width),"h":"$(imageInfo.height)","f":$(imageInfo.format),"m":$(imageInfo.colorModel),"no":$(imageInfo.x),"s":$(imageInfo.size)}`, string(picture),
			`{"w":3,"h":"2","f":"png","m":"nrgba","no":null,"s":68}`,
		},
		"image, whole": {`{"i":$(imageInfo),"q":"$(imageInfo)"}`, string(picture), `{"i":{"size":68,"format":"png","width":3,"height":2,"colorModel":"nrgba"},"q":"{\"size\":68,\"format\":\"png\",\"width\":3,\"height\":2,\"colorModel\":\"nrgba\"}"}`},
	} {
		body := strings.ReplaceAll(tt.template, `"`, `\"`)
		res := c.upload(field("token", c.token(policy(`public:k"<`, `"endUser":"u1"`, `"returnBody":"`+body+`"`))), field("key", `k"<`),
			field("x:a", `1"`), formPart{"file", "f.txt", "", tt.content})
		if res.status != 200 || res.body != tt.want || res.header.Get("Content-Type") != "application/json" {
			t.Errorf("%s: %d %s\nwant %s", name, res.status, res.body, tt.want)
		}
	}
}

func TestReturnURL(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	send := func(page, content string) response {
		return c.upload(field("token", c.token(policy("public", `"fsizeLimit":5`, `"returnUrl":"`+page+`"`, `"returnBody":"{\"k\":$(key)}"`))),
			field("key", "k"), file("f", content))
	}
	res := send("http://example.com/done", "hello")
	if want := "http://example.com/done?upload_ret=" + url.QueryEscape(base64.URLEncoding.EncodeToString([]byte(`{"k":"k"}`))); res.status != 303 || res.header.Get("Location") != want {
		t.Errorf("%d to %s, want %s", res.status, res.header.Get("Location"), want)
	}
	res = send("http://example.com/done?a=b", "other")
	if want := "http://example.com/done?a=b&code=614&error=file+exists"; res.status != 303 || res.header.Get("Location") != want {
		t.Errorf("%d to %s, want %s", res.status, res.header.Get("Location"), want)
	}
	res = send("http://example.com/done", "too large")
	if want := "http://example.com/done?code=413&error=exceed+FsizeLimit"; res.status != 303 || res.header.Get("Location") != want {
		t.Errorf("%d to %s, want %s", res.status, res.header.Get("Location"), want)
	}
	// Uploads in parts know no pages.
	u := c.begin("public", b64("m"), c.token(policy("public:m", `"returnUrl":"http://example.com/"`)))
	c.wantStatus("multipart", u.complete([]string{u.mustPart(1, "hello")}, ""), 200)
}

// TestInsertOnly is the matrix of scopes and interfaces, with other content than
// what is there.
func TestInsertOnly(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		policy       string
		form, v1, v2 int
	}{
		"bucket":             {policy("public"), 614, 200, 614},
		"key":                {policy("public:k"), 200, 200, 200},
		"prefix":             {policy("public:k", `"isPrefixalScope":1`), 614, 614, 614},
		"bucket, insertOnly": {policy("public", `"insertOnly":1`), 614, 614, 614},
		"key, insertOnly":    {policy("public:k", `"insertOnly":1`), 614, 614, 614},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newClient(t)
			token := c.token(tt.policy)
			c.put("public", "k", "there")
			for round, content := range []string{"other", "there"} {
				want := func(status int) int {
					if round == 1 {
						return 200 // The same content is no conflict, whatever the interface.
					}
					return status
				}
				c.wantStatus("form", c.upload(field("token", token), field("key", "k"), file("f", content)), want(tt.form))
				c.put("public", "k", "there")
				c.wantStatus("putb64", c.multipart("POST", "/putb64/-1/key/"+b64("k"), token, base64.StdEncoding.EncodeToString([]byte(content))), want(tt.form))
				c.put("public", "k", "there")
				c.wantStatus("v1", c.mkfile(token, "5/key/"+b64("k"), c.mkblk(token, content)), want(tt.v1))
				c.put("public", "k", "there")
				u := c.begin("public", b64("k"), token)
				c.wantStatus("v2", u.complete([]string{u.mustPart(1, content)}, ""), want(tt.v2))
				c.put("public", "k", "there")
			}
		})
	}
}
