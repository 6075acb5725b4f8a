//go:build unix

package store_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/qiniu/terraform-provider-kodo/internal/emulator"
)

// crashObject is what a key holds; the zero value is nothing.
type crashObject struct{ content, mimeType string }

// crashContent returns the content of a name, a whole number of lines of it:
// less than 32 KiB, which the data file holds, or up to 96 KiB, which is a file,
// or, if the name begins with "two parts", a little more than 1 MiB.
func crashContent(name string) string {
	hash := fnv.New32a()
	hash.Write([]byte(name))
	size := int(hash.Sum32()) % (96 << 10)
	if strings.HasPrefix(name, "two parts") {
		size += 1 << 20
	}
	return strings.Repeat(name+"\n", 1+size/(len(name)+1))
}

// crashChange is what one step of the server does to keys: all of it or nothing.
type crashChange map[string]crashObject

// crashWorker is a client with keys of its own, so that it knows what they hold:
// what was acknowledged last, unless a change was under way when the server died.
type crashWorker struct {
	t            *testing.T
	random       *rand.Rand
	client       *http.Client
	endpoint     string
	prefix       string
	contents     int // names given so far
	acknowledged int
	holds        map[string]crashObject
	underWay     []crashChange
}

func newCrashWorker(t *testing.T, n int, random *rand.Rand) *crashWorker {
	t.Helper()
	w := &crashWorker{t: t, random: random, prefix: fmt.Sprintf("%02d/", n), holds: map[string]crashObject{}}
	w.client = &http.Client{Transport: &http.Transport{DisableCompression: true}}
	t.Cleanup(w.client.CloseIdleConnections)
	return w
}

// errKilled is what a request meets when the server dies.
var errKilled = errors.New("no answer")

// work changes one thing after the other until the server is dead.
func (w *crashWorker) work(endpoint string) {
	w.endpoint = endpoint
	for {
		changes, send := w.next()
		err := send()
		if errors.Is(err, errKilled) {
			w.underWay = changes
			return
		}
		if err != nil {
			w.t.Error(err)
			return
		}
		w.acknowledged += len(changes)
		for _, change := range changes {
			w.apply(change)
		}
	}
}

func (w *crashWorker) apply(change crashChange) {
	for key, object := range change {
		if w.holds[key] = object; object == (crashObject{}) {
			delete(w.holds, key)
		}
	}
}

// check compares what the worker's keys hold with what it knows, and takes them
// out of stored.
func (w *crashWorker) check(stored map[string]crashObject) {
	w.t.Helper()
	found := map[string]crashObject{}
	for key, object := range stored {
		if strings.HasPrefix(key, w.prefix) {
			found[key] = object
			delete(stored, key)
		}
	}
	for _, change := range w.underWay {
		done := true
		for key, object := range change {
			done = done && found[key] == object
		}
		if done {
			w.apply(change)
		}
	}
	if !maps.Equal(found, w.holds) {
		w.t.Errorf("stored is %v\nacknowledged was %v\nunder way were %v", found, w.holds, w.underWay)
	}
	w.holds, w.underWay = found, nil
}

// next chooses what to do: the changes that it makes, and how it is asked for.
func (w *crashWorker) next() ([]crashChange, func() error) {
	const keys = 5
	to := w.prefix + string(rune('a'+w.random.IntN(keys)))
	w.contents++
	fresh := crashObject{fmt.Sprintf("%s%d", w.prefix, w.contents), "text/plain"}
	put := func() ([]crashChange, func() error) {
		return []crashChange{{to: fresh}}, func() error { return w.putForm(to, fresh) }
	}
	have := slices.Sorted(maps.Keys(w.holds))
	if len(have) == 0 {
		return put()
	}
	w.random.Shuffle(len(have), func(i, j int) { have[i], have[j] = have[j], have[i] })
	from, object := have[0], w.holds[have[0]]
	changed := crashObject{object.content, fmt.Sprintf("x/%d", w.contents)}
	switch choice := w.random.IntN(10); {
	case choice == 0:
		return []crashChange{{from: {}}}, func() error { return w.manage("/delete/" + entry(from)) }
	case choice == 1:
		return []crashChange{{from: changed}}, func() error { return w.manage("/" + changeMime(from, changed)) }
	case choice == 2 && from != to:
		return []crashChange{{to: object}}, func() error { return w.manage("/copy/" + entry(from) + "/" + entry(to) + "/force/true") }
	case choice == 3 && from != to:
		return []crashChange{{from: {}, to: object}}, func() error { return w.manage("/move/" + entry(from) + "/" + entry(to) + "/force/true") }
	case choice == 4:
		return w.batch(have)
	case choice <= 6:
		if w.random.IntN(8) == 0 {
			fresh.content = "two parts of " + fresh.content
		}
		return []crashChange{{to: fresh}}, func() error { return w.putParts(to, fresh) }
	}
	return put()
}

// batch deletes or changes every key, each on its own but in one request.
func (w *crashWorker) batch(keys []string) ([]crashChange, func() error) {
	var changes []crashChange
	operations := url.Values{}
	for i, key := range keys {
		if i%2 == 0 {
			changes = append(changes, crashChange{key: {}})
			operations.Add("op", "/delete/"+entry(key))
			continue
		}
		changed := crashObject{w.holds[key].content, fmt.Sprintf("x/batch-%d", w.contents)}
		changes = append(changes, crashChange{key: changed})
		operations.Add("op", "/"+changeMime(key, changed))
	}
	return changes, func() error {
		body := operations.Encode()
		const contentType = "application/x-www-form-urlencoded"
		token := "Qiniu " + sign("POST /batch\nHost: "+w.host()+"\nContent-Type: "+contentType+"\n\n"+body)
		return w.send(http.MethodPost, "/batch", token, contentType, body, nil)
	}
}

func entry(key string) string { return base64.URLEncoding.EncodeToString([]byte("crash:" + key)) }

func changeMime(key string, object crashObject) string {
	return "chgm/" + entry(key) + "/mime/" + base64.URLEncoding.EncodeToString([]byte(object.mimeType))
}

func (w *crashWorker) host() string { return strings.TrimPrefix(w.endpoint, "http://") }

func (w *crashWorker) manage(path string) error {
	return w.send(http.MethodPost, path, "Qiniu "+sign("POST "+path+"\nHost: "+w.host()+"\n\n"), "", "", nil)
}

func sign(data string) string {
	account := emulator.DefaultAccount()
	mac := hmac.New(sha1.New, []byte(account.SecretKey))
	mac.Write([]byte(data))
	return account.AccessKey + ":" + base64.URLEncoding.EncodeToString(mac.Sum(nil))
}

func uploadToken(key string) string {
	policy := fmt.Sprintf(`{"scope":"crash:%s","deadline":%d}`, key, time.Now().Add(time.Hour).Unix())
	encoded := base64.URLEncoding.EncodeToString([]byte(policy))
	return sign(encoded) + ":" + encoded
}

func (w *crashWorker) putForm(key string, object crashObject) error {
	var body bytes.Buffer
	const field = "--limit\r\nContent-Disposition: form-data; name=%q%s\r\n\r\n%s\r\n"
	fmt.Fprintf(&body, field+field+field+"--limit--\r\n", "token", "", uploadToken(key), "key", "", key,
		"file", "; filename=\"f\"\r\nContent-Type: "+object.mimeType, crashContent(object.content))
	return w.send(http.MethodPost, "/", "", "multipart/form-data; boundary=limit", body.String(), nil)
}

// putParts uploads the content as parts 2 and 3 of an upload whose part 1 is then
// not named; as part 2 alone if it is short.
func (w *crashWorker) putParts(key string, object crashObject) error {
	const least = 1 << 20 // bytes, of a part that is not the last
	content := crashContent(object.content)
	parts := []string{"not named", content[:min(least, len(content))]}
	if len(content) > least {
		parts = append(parts, content[least:])
	}
	token := "UpToken " + uploadToken(key)
	target := "/buckets/crash/objects/" + base64.URLEncoding.EncodeToString([]byte(key)) + "/uploads"
	var begun struct{ UploadID string }
	if err := w.send(http.MethodPost, target, token, "", "", &begun); err != nil {
		return err
	}
	target += "/" + begun.UploadID
	type part struct {
		Number int    `json:"partNumber"`
		ETag   string `json:"etag"`
	}
	var named []part
	for i, content := range parts {
		sent := part{Number: i + 1}
		if err := w.send(http.MethodPut, fmt.Sprintf("%s/%d", target, sent.Number), token, "", content, &sent); err != nil {
			return err
		}
		named = append(named, sent)
	}
	complete, err := json.Marshal(map[string]any{"parts": named[1:], "mimeType": object.mimeType})
	if err != nil {
		return err
	}
	return w.send(http.MethodPost, target, token, "application/json", string(complete), nil)
}

// send sends a request, and decodes its answer if there is something to decode it
// into. Any answer but 200 is an error, and none is errKilled.
func (w *crashWorker) send(method, path, token, contentType, body string, answer any) error {
	req, err := http.NewRequest(method, w.endpoint+path, strings.NewReader(body)) //nolint:noctx // It ends when the server dies.
	if err != nil {
		return err
	}
	if token != "" {
		req.Header.Set("Authorization", token)
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	res, err := w.client.Do(req)
	if err != nil {
		return errKilled
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		return errKilled
	}
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("%s %s: %s %s", method, path, res.Status, text)
	}
	if answer == nil {
		return nil
	}
	return json.Unmarshal(text, answer)
}
