package httpapi_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// callbackServer answers callbacks, and remembers them as "host path content-type
// body" with the signatures that they should have.
type callbackServer struct {
	*httptest.Server

	mu     sync.Mutex
	posted []string
}

func newCallbackServer(t *testing.T, c *client, status int, answer string) *callbackServer {
	t.Helper()
	s := &callbackServer{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		signed := r.URL.RequestURI() + "\n"
		if r.Header.Get("Content-Type") == formType {
			signed += string(body)
		}
		if got, want := r.Header.Get("Authorization"), "QBox "+c.account.AccessKey+":"+c.hmac(signed); got != want {
			t.Errorf("Authorization: %s, want %s", got, want)
		}
		s.mu.Lock()
		s.posted = append(s.posted, r.Host+" "+r.URL.RequestURI()+" "+r.Header.Get("Content-Type")+" "+string(body))
		s.mu.Unlock()
		w.WriteHeader(status)
		if _, err := io.WriteString(w, answer); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(s.Close)
	return s
}

// take returns what was posted since the last time.
func (s *callbackServer) take() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	posted := s.posted
	s.posted = nil
	return posted
}

func TestCallback(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	good := newCallbackServer(t, c, 200, `{"a": "from the server", "n":[1]}`)
	bad := newCallbackServer(t, c, 500, `{}`)
	send := func(fields ...string) response {
		return c.upload(field("token", c.token(policy("public:k+&", fields...))), field("key", "k+&"), field("x:a", "ü"), file("f", "hello"))
	}
	address := strings.TrimPrefix(good.URL, "http://")

	res := send(`"callbackUrl":"`+good.URL+`/cb?x=$(etag)"`, `"callbackBody":"key=$(key)&a=$(x:a)&b=$(x:b)&n=$(fsize)"`, `"returnBody":"{}"`, `"returnUrl":"http://example.com"`)
	if want := `{"a":"from the server","n":[1]}`; res.status != 200 || res.body != want {
		t.Errorf("upload: %d %s, want %s", res.status, res.body, want)
	}
	want := []string{address + " /cb?x=" + helloHash + " " + formType + " key=k%2B%26&a=%C3%BC&b=&n=5"}
	if diff := cmp.Diff(want, good.take()); diff != "" {
		t.Errorf("posted (-want +got)\n%s", diff)
	}

	res = send(`"callbackUrl":"`+bad.URL+`/1;`+good.URL+`/2;`+good.URL+`/3"`, `"callbackBodyType":"application/json"`,
		`"callbackHost":"callback.example.com"`, `"callbackBody":"{\"key\":$(key),\"a\":\"$(x:a)\",\"n\":$(fsize),\"b\":$(x:b)}"`)
	c.wantStatus("second server", res, 200)
	body := ` application/json {"key":"k+&","a":"ü","n":5,"b":null}`
	if diff := cmp.Diff([]string{"callback.example.com /1" + body}, bad.take()); diff != "" {
		t.Errorf("posted to the first (-want +got)\n%s", diff)
	}
	if diff := cmp.Diff([]string{"callback.example.com /2" + body}, good.take()); diff != "" {
		t.Errorf("posted to the second (-want +got)\n%s", diff)
	}
	// SHA-1 of "b", computed in Python.
	c.wantStatus("bodySha1", send(`"callbackUrl":"`+good.URL+`/$(bodySha1)"`, `"callbackBody":"b"`), 200)
	if diff := cmp.Diff([]string{address + " /e9d71f5ee7c92d6dc9e92ffdad17b8bd49418f98 " + formType + " b"}, good.take()); diff != "" {
		t.Errorf("posted (-want +got)\n%s", diff)
	}

	// The other interfaces.
	token := c.token(policy("public:m", `"callbackUrl":"`+good.URL+`/"`, `"callbackBody":"$(key) $(fname)"`))
	u := c.begin("public", b64("m"), token)
	for name, res := range map[string]response{
		"v2":     u.complete([]string{u.mustPart(1, "hello")}, `,"fname":"n"`),
		"v1":     c.mkfile(token, "5/fname/bg==/key/"+b64("m"), c.mkblk(token, "hello")),
		"putb64": c.multipart("POST", "/putb64/-1/fname/bg==/key/"+b64("m"), token, "aGVsbG8="),
	} {
		if res.status != 200 || res.body != `{"a":"from the server","n":[1]}` {
			t.Errorf("%s: %d %s", name, res.status, res.body)
		}
	}
	one := address + " / " + formType + " m n"
	if diff := cmp.Diff([]string{one, one, one}, good.take()); diff != "" {
		t.Errorf("posted (-want +got)\n%s", diff)
	}
}

// TestCallbackFails looks for 579, and for the object that stays all the same.
func TestCallbackFails(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	refuses := newCallbackServer(t, c, 403, `{"error":"no"}`)
	noJSON := newCallbackServer(t, c, 200, `OK`)
	for name, tt := range map[string]struct {
		url  string
		code float64
		text string
	}{
		"refuses":     {refuses.URL, 403, "the callback was answered with 403"},
		"no JSON":     {refuses.URL + ";" + noJSON.URL, 502, "the callback was not answered with JSON"},
		"no address":  {"nonsense", 502, `"nonsense" is not an http or https URL`},
		"not allowed": {"http://192.0.2.1/", 502, ""},
	} {
		res := c.upload(field("token", c.token(policy("public:"+name, `"callbackUrl":"`+tt.url+`"`, `"callbackBody":"k=$(key)"`))), field("key", name), file("f", "hello"))
		c.wantStatus(name, res, 579)
		body := res.json(t).(map[string]any)
		if text := body["error"].(string); tt.text == "" && strings.Contains(text, "loopback") {
			body["error"] = ""
		}
		last := tt.url[strings.LastIndex(tt.url, ";")+1:]
		want := map[string]any{
			"callback_url": last, "callback_bodyType": formType, "callback_body": "k=" + strings.ReplaceAll(name, " ", "+"),
			"token": "", "err_code": tt.code, "error": tt.text, "hash": helloHash, "key": name,
		}
		if diff := cmp.Diff(want, body); diff != "" {
			t.Errorf("%s (-want +got)\n%s", name, diff)
		}
		if content, err := c.e.Content("public", name); err != nil || string(content) != "hello" {
			t.Errorf("%s: Content() = %q, %v", name, content, err)
		}
	}
}

func TestCallbackFetchKey(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	c.put("public", "taken", "there")
	for _, tt := range []struct {
		answer string
		scope  string
		status int
		body   string
		keys   []string
	}{
		{`{"key":"new","payload":{"p":1}}`, "public:k", 200, `{"p":1}`, []string{"new", "taken"}},
		{`{"key":"k"}`, "public:k", 200, `{"hash":"` + helloHash + `","key":"k"}`, []string{"k", "new", "taken"}},
		{`{"key":"taken"}`, "public", 614, `{"error":"file exists"}`, []string{"k", "new", "taken"}},
		{`{"payload":{}}`, "public:k", 579, `{"error":"the callback was answered without a key"}`, []string{"k", "new", "taken"}},
		{`{"key":"taken"}`, "public:k", 200, `{"hash":"` + helloHash + `","key":"taken"}`, []string{"new", "taken"}},
	} {
		server := newCallbackServer(t, c, 200, tt.answer)
		res := c.upload(field("token", c.token(policy(tt.scope, `"callbackUrl":"`+server.URL+`/"`, `"callbackBody":"a"`, `"callbackFetchKey":1`))), field("key", "k"), file("f", "hello"))
		if res.status != tt.status || res.body != tt.body {
			t.Errorf("answer %s: %d %s, want %d %s", tt.answer, res.status, res.body, tt.status, tt.body)
		}
		if keys, err := c.e.Keys("public"); err != nil || !cmp.Equal(keys, tt.keys) {
			t.Errorf("answer %s: Keys() = %q, %v, want %q", tt.answer, keys, err, tt.keys)
		}
	}
}

func TestPersistentTasks(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	type answer struct {
		PersistentID string
		ID           string
		Code         int
		InputBucket  string
		InputKey     string
		Items        []struct {
			Cmd, Error string
			Code       int
		}
	}
	decode := func(res response) (a answer) {
		t.Helper()
		if err := json.Unmarshal([]byte(res.body), &a); err != nil || res.status != 200 {
			t.Errorf("%d %s", res.status, res.body)
		}
		return a
	}
	state := func(id string, commands ...string) {
		t.Helper()
		for _, method := range []string{"GET", "POST"} {
			a := decode(c.send(c.request(method, "/status/get/prefop?id="+id, nil)))
			if a.ID != id || a.Code != 3 || a.InputBucket != "public" || a.InputKey != "k" || len(a.Items) != len(commands) {
				t.Errorf("state of %s: %+v", id, a)
			}
			for i := range a.Items {
				if a.Items[i].Cmd != commands[i] || a.Items[i].Code != 3 || !strings.Contains(a.Items[i].Error, "no operation") {
					t.Errorf("state of %s: %+v", id, a.Items[i])
				}
			}
		}
	}
	upload := decode(c.upload(field("token", c.token(policy("public:k", `"persistentOps":"imageMogr2/a;b"`, `"persistentNotifyUrl":"http://127.0.0.1:1/"`))), field("key", "k"), file("f", "hello")))
	state(upload.PersistentID, "imageMogr2/a", "b")
	rendered := decode(c.upload(field("token", c.token(policy("public:k", `"persistentWorkflowTemplateID":"w"`, `"returnBody":"{\"persistentId\":$(persistentId)}"`))), field("key", "k"), file("f", "hello")))
	state(rendered.PersistentID)
	for _, target := range []string{"/pfop", "/pfop/"} {
		called := decode(c.manage("POST", target, formType, "bucket=public&key=k&fops=c"))
		state(called.PersistentID, "c")
	}
	c.wantError("missing object", c.manage("POST", "/pfop", formType, "bucket=public&key=x&fops=c"), 612, "no such file or directory")
	c.wantError("missing bucket", c.manage("POST", "/pfop", formType, "bucket=x&key=x&fops=c"), 631, "no such bucket")
	c.wantError("no operation", c.manage("POST", "/pfop", formType, "bucket=public&key=k"), 400, "invalid argument")
	c.wantStatus("no task", c.send(c.request("GET", "/status/get/prefop?id=x", nil)), 612)
	c.wantStatus("no id", c.send(c.request("GET", "/status/get/prefop", nil)), 612)
	c.wantStatus("other state", c.send(c.request("GET", "/status/get/other?id=x", nil)), 501)
}
