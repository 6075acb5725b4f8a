package httpapi_test

import (
	"bufio"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/qiniu/terraform-provider-kodo/internal/emulator"
)

// checkAnswer looks for what no request may bring about.
func checkAnswer(t *testing.T, what string, answer *httptest.ResponseRecorder) {
	t.Helper()
	if answer.Code == 500 || answer.Code == 599 {
		t.Errorf("%s: %d %s", what, answer.Code, answer.Body)
	}
	if answer.Header().Get("X-Reqid") == "" {
		t.Errorf("%s: no X-Reqid", what)
	}
	if answer.Code >= 400 && (!json.Valid(answer.Body.Bytes()) || answer.Header().Get("Content-Type") != "application/json") {
		t.Errorf("%s: %d with the body %q", what, answer.Code, answer.Body)
	}
}

// read parses a request as the server would, nil if it would not.
func read(method, target, header, body string) *http.Request {
	req, err := http.ReadRequest(bufio.NewReader(strings.NewReader(method + " " + target + " HTTP/1.1\r\nHost: h\r\n" + header + "\r\n")))
	if err != nil || strings.ContainsAny(target, " \r\n") {
		return nil
	}
	req.Body = http.NoBody
	if body != "" {
		req.Body = struct {
			*strings.Reader
			closer
		}{strings.NewReader(body), closer{}}
	}
	return req
}

type closer struct{}

func (closer) Close() error { return nil }

// FuzzManagement sends any path, query and body with a good signature.
func FuzzManagement(f *testing.F) {
	handler, _ := newHandler(f, time.Minute)
	e := entry("bucket", "k")
	for _, seed := range [][3]string{
		{"POST", "/stat/" + e, ""}, {"GET", "/stat/" + e + "/needparts/true?needparts=true", ""}, {"POST", "/delete/*", ""},
		{"POST", "/chgm/" + e + "/mime//x-qn-meta-!A/YQ==/cond/aGFzaD14", ""}, {"POST", "/batch", "op=stat%2F" + e + "&op=%2Fdelete/" + e + "&op=/&op="},
		{"POST", "/copy/" + e + "/" + entry("bucket", "l") + "/force/true", ""}, {"POST", "/move/" + e + "/" + e + "/force/x", ""},
		{"POST", "/chtype/" + e + "/type/2", ""}, {"POST", "/restoreAr/" + e + "/freezeAfterDays/7", ""}, {"POST", "/chstatus/" + e + "/status/1/cond/" + b64("mime=a&hash"), ""},
		{"POST", "/deleteAfterDays/" + e + "/2147483647", ""}, {"POST", "/lifecycle/" + e + "/toiaafterdays/1/deleteAfterDays/-1/cond/=", ""},
		{"POST", "/chgm/" + e + "/cacheControl/" + b64("no-store") + "/expires/", ""},
		{"GET", "/list?bucket=bucket&limit=1&marker=eyJjIjowLCJrIjoiYSJ9&delimiter=/&prefix=a", ""}, {"GET", "/list?bucket=bucket&limit=-1&marker=%FF", ""},
		{"POST", "/fetch/" + b64("ftp://h") + "/to/" + b64("bucket") + "/host/" + b64("h"), ""},
		{"POST", "/v2/list?delimiter=/", "bucket=bucket&limit=0&needparts=true&prefix=%FF"},
		{"POST", "/mkbucketv3/bucket-x/region/z0/private/true", ""}, {"POST", "/drop/%2F", ""}, {"GET", "/buckets?apiVersion=v4&limit=1&marker=b", ""},
		{"PUT", "/bucketTagging?bucket=bucket", `{"Tags":[{"Key":"a","Value":"b"}]}`}, {"POST", "/private", "bucket=bucket&private=1"},
		{"GET", "/v2/bucketInfo?bucket=bucket", ""}, {"POST", "/v3/buckets?shared=rd&region=z0&line=false", ""}, {"POST", "/v2/bucketInfos", "fs=true&region=z0"},
		{"GET", "/buckets?tagCondition=" + b64("key=a&value=b;key=c"), ""}, {"POST", "/buckets", "shared=rw&tagCondition=" + b64("key=a&")},
		{"GET", "/v3/domains?tbl=bucket", ""}, {"GET", "/v4/query?ak=" + emulator.DefaultAccount().AccessKey + "&bucket=bucket", ""},
		{"GET", "//", ""}, {"GET", "http://h", ""}, {"GET", "/buckets//objects//uploads", ""}, {"GET", "/v2/", ""}, {"GET", "/_emulator/requests", ""},
	} {
		f.Add(seed[0], seed[1], seed[2])
	}
	c := &client{account: emulator.DefaultAccount()}
	f.Fuzz(func(t *testing.T, method, target, body string) {
		path := target
		if _, rest, ok := strings.Cut(target, "://"); ok && target[0] != '/' {
			_, path, _ = strings.Cut(rest, "/")
			path = "/" + path
		}
		req := read(method, target, "Content-Type: "+formType+"\r\nAuthorization: QBox "+c.account.AccessKey+":"+c.hmac(path+"\n")+"\r\n", body)
		if req == nil || strings.Contains(target, "#") {
			return
		}
		answer := httptest.NewRecorder()
		handler.ServeHTTP(answer, req)
		checkAnswer(t, method+" "+target, answer)
	})
}

// FuzzUpload sends any target and body with a good upload token.
func FuzzUpload(f *testing.F) {
	handler, _ := newHandler(f, time.Minute)
	c := &client{account: emulator.DefaultAccount()}
	token := c.token(policy("bucket", `"fsizeLimit":1000`))
	const formBody = "--b\r\nContent-Disposition: form-data; name=\"key\"\r\n\r\nk\r\n--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"f\"\r\nContent-Type: \r\n\r\nhello\r\n--b--\r\n"
	f.Add("POST", "/", "multipart/form-data; boundary=b", formBody)
	f.Add("POST", "/", "multipart/form-data; boundary=", "--\r\n")
	f.Add("POST", "/", "multipart/mixed; boundary=b", strings.Replace(formBody, "k", "\xff", 1))
	f.Add("POST", "/buckets/bucket/objects/~/uploads", "", "")
	f.Add("PUT", "/buckets/bucket/objects//uploads/x/1", "", "x")
	f.Add("POST", "/buckets/bucket/objects/aw==/uploads/x", "application/json", `{"parts":[{"partNumber":1,"etag":"e"}],"metadata":null,"fname":null}`)
	f.Add("GET", "/buckets/bucket/objects/~/uploads/x?max-parts=1&part-number_marker=2", "", "")
	f.Add("DELETE", "/buckets/bucket/objects/a%2Fb/uploads/%00", "", "")
	f.Add("POST", "/putb64/-1/key/aw==/mimeType/YS9i/crc32/907060870/x:a/Yg==/x-qn-meta-a/Yg==/cacheControl/Yg==", "", "aGVsbG8=")
	f.Add("POST", "/putb64/5//", "", "aGVsbG8")
	f.Add("POST", "/mkblk/5", "application/octet-stream", "hello")
	f.Add("POST", "/bput/0/5", "application/octet-stream", "hello")
	f.Add("POST", "/mkfile/0/key/", "text/plain", "")
	f.Add("POST", "/mkfile/5/fname/YQ==/key/aw==/x:a/Yg==", "text/plain", "a,b,,\n")
	f.Fuzz(func(t *testing.T, method, target, contentType, body string) {
		req := read(method, target, "Authorization: UpToken "+token+"\r\n", body)
		if req == nil {
			return
		}
		req.Header.Set("Content-Type", contentType)
		answer := httptest.NewRecorder()
		handler.ServeHTTP(answer, req)
		checkAnswer(t, method+" "+target, answer)
	})
}

// FuzzPolicy uploads under any policy, with any words of the client.
func FuzzPolicy(f *testing.F) {
	handler, _ := newHandler(f, time.Minute)
	c := &client{account: emulator.DefaultAccount()}
	f.Add(`"returnBody":"{\"a\":$(key),\"b\":\"$(x:a)$(imageInfo)\"}"`, "k", "f.txt", "a/b", "hello")
	f.Add(`"saveKey":"$(etag)/$(year)${ext}$(uuid)","forceSaveKey":true,"keylimit":["a"]`, "", "", "", "")
	f.Add(`"returnUrl":"http://a?b","fsizeLimit":1,"fsizeMin":-5`, "\xff", "\xff", "%", "GIF89a")
	f.Add(`"persistentOps":"a","mimeLimit":"!a/*;","detectMime":1,"deleteAfterDays":2147483647,"fileType":4`, "k", "", "text/plain\x00", "\x89PNG\r\n\x1a\n")
	f.Add(`"isPrefixalScope":1,"insertOnly":-1,"trafficLimit":819200,"endUser":"\ud800"`, "p", "a/../b", "\r\n", "x")
	f.Add(`"scope":"bucket:","SCOPE":"bucket"`, "", "", "", "x")
	f.Fuzz(func(t *testing.T, fields, key, name, custom, content string) {
		if strings.Contains(strings.ToLower(fields), "callback") {
			return // It would really call.
		}
		putPolicy := `{"scope":"bucket","deadline":4102444800,` + fields + `}`
		contentType, body := form(t, field("token", c.token(putPolicy)), field("key", key), field("x:a", custom),
			formPart{"file", "f" + name, custom, content}, field("cacheControl", custom))
		for target, body := range map[string]string{
			"/": string(body), "/putb64/-1/fname/" + b64(name) + "/key/" + b64(key) + "/x:a/" + b64(custom): b64(content),
		} {
			req := read(http.MethodPost, target, "Authorization: UpToken "+c.token(putPolicy)+"\r\n", body)
			if req == nil {
				return
			}
			req.Header.Set("Content-Type", contentType)
			answer := httptest.NewRecorder()
			handler.ServeHTTP(answer, req)
			checkAnswer(t, putPolicy, answer)
		}
	})
}

// FuzzDownload asks for any target and range of a download domain.
func FuzzDownload(f *testing.F) {
	handler, _ := newHandler(f, time.Minute)
	c := &client{account: emulator.DefaultAccount()}
	contentType, body := form(f, field("token", c.token(policy("bucket"))), field("key", "k"), file("f", "hello"))
	req := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(string(body)))
	req.Header.Set("Content-Type", contentType)
	req.Host = "h"
	answer := httptest.NewRecorder()
	handler.ServeHTTP(answer, req)
	if answer.Code != http.StatusOK {
		f.Fatalf("upload: %d %s", answer.Code, answer.Body)
	}
	f.Add("GET", "/k", "bytes=1-2,3-", "")
	f.Add("HEAD", "/k?attname=%22%0d%0a", "bytes=-9223372036854775808", "x")
	f.Add("GET", "/%2F%00?e=1&token=a:b", "bytes=", "\"x\"")
	f.Fuzz(func(t *testing.T, method, target, ranges, match string) {
		req := read(method, target, "", "")
		if req == nil {
			return
		}
		req.Host = "bucket.localhost"
		req.Header.Set("Range", ranges)
		req.Header.Set("If-None-Match", match)
		answer := httptest.NewRecorder()
		handler.ServeHTTP(answer, req)
		if method != http.MethodHead {
			checkAnswer(t, method+" "+target, answer)
		}
	})
}
