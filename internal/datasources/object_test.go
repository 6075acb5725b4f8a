package datasources_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/qiniu/terraform-provider-kodo/internal/acctest"
	"github.com/qiniu/terraform-provider-kodo/internal/emulator"
)

// put stores objects in the bucket assets as if somebody else had, each with its
// key as content.
func put(t *testing.T, h *acctest.Harness, keys ...string) {
	t.Helper()
	for _, key := range keys {
		if err := h.Put("assets", key, "text/plain", []byte(key)); err != nil {
			t.Fatal(err)
		}
	}
}

func TestObject(t *testing.T) {
	t.Parallel()
	h := acctest.New(t, "assets")
	put(t, h, "hello")
	server := h.Server(nil)
	got, diags := server.ReadData("kodo_object", acctest.Values{"bucket": "assets", "key": "hello"})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	if putTime, _ := got["put_time"].(string); !strings.HasPrefix(putTime, "20") || !strings.HasSuffix(putTime, "Z") {
		t.Errorf("put_time = %q", putTime)
	}
	delete(got, "put_time")
	want := acctest.Values{
		"bucket": "assets", "key": "hello", "etag": "Fqr0xh3cxeii2r7eDztILNmuqUNN", "size": int64(5), "content_type": "text/plain",
		"md5": "5d41402abc4b2a76b9719d911017c592", "storage_class": "STANDARD", "enabled": true, "metadata": map[string]any{},
		"transitions": map[string]any{}, "parts": []any{},
		"domain": nil, "download_body": nil, "allow_binary": nil, "max_body_bytes": nil, "deletes_at": nil, "url": nil, "body": nil,
		"body_base64": nil, "restore_status": nil, "end_user": nil, "cache_control": nil, "content_disposition": nil,
		"content_encoding": nil, "content_language": nil, "expires": nil,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("object (-want +got):\n%s", diff)
	}
}

// The body comes from a private bucket, from Kodo's own host or from a domain, and
// is what the object holds.
func TestObjectBody(t *testing.T) {
	t.Parallel()
	h := acctest.New(t, "assets")
	put(t, h, "a b/ü", "")
	if err := h.Put("assets", "binary", "image/png", []byte{0x89, 'P', 0xff, 0}); err != nil {
		t.Fatal(err)
	}
	domain, err := h.DownloadHost("assets")
	if err != nil {
		t.Fatal(err)
	}
	server := h.Server(nil)
	for name, tt := range map[string]struct {
		config acctest.Values
		text   any
		base64 string
	}{
		"own host": {acctest.Values{"key": "a b/ü"}, "a b/ü", "YSBiL8O8"},
		"domain":   {acctest.Values{"key": "a b/ü", "domain": domain}, "a b/ü", "YSBiL8O8"},
		"empty":    {acctest.Values{"key": ""}, "", ""},
		"binary":   {acctest.Values{"key": "binary", "allow_binary": true}, nil, "iVD/AA=="},
	} {
		got, diags := server.ReadData("kodo_object", acctest.Values{"bucket": "assets", "download_body": true}.With(tt.config))
		if diags.HasErrors() || got["body"] != tt.text || got["body_base64"] != tt.base64 {
			t.Errorf("%s: body = %v, body_base64 = %v, %s; want %v and %v", name, got["body"], got["body_base64"], diags, tt.text, tt.base64)
		}
	}
}

// Each way to fail says what it was about and what to do.
func TestObjectRefusals(t *testing.T) {
	t.Parallel()
	h := acctest.New(t, "assets")
	put(t, h, "hello")
	if err := h.Put("assets", "binary", "image/png", []byte{0xff}); err != nil {
		t.Fatal(err)
	}
	hello := acctest.Values{"bucket": "assets", "key": "hello"}
	body := hello.With(acctest.Values{"download_body": true})
	for name, tt := range map[string]struct {
		provider, config acctest.Values
		fault            *emulator.Fault
		summary, detail  string
	}{
		"missing object": {nil, hello.With(acctest.Values{"key": "no"}), nil, "Object Not Found", "612"},
		"missing bucket": {nil, hello.With(acctest.Values{"bucket": "no-such-bucket"}), nil, "Object Not Read", "631"},
		"other account":  {acctest.Values{"access_key": acctest.OtherAccessKey, "secret_key": acctest.OtherSecretKey}, hello, nil, "Object Not Read", "0002"},
		"wrong key":      {acctest.Values{"secret_key": "wrong"}, hello, nil, "Object Not Read", "401"},
		"no permission":  {nil, hello, &emulator.Fault{Match: emulator.Match{Service: "rs"}, Do: "status", Status: 403}, "Object Not Read", "403"},
		"wrong region":   {nil, hello, &emulator.Fault{Match: emulator.Match{Service: "rs"}, Do: "wrong_region"}, "Object Not Read", "region"},
		"no server":      {acctest.Values{"endpoint": "http://127.0.0.1:1", "max_retries": 0}, hello, nil, "Object Not Read", "127.0.0.1:1"},
		"too large":      {nil, body.With(acctest.Values{"max_body_bytes": 4}), nil, "Object Too Large", "max_body_bytes to 5"},
		"no text":        {nil, body.With(acctest.Values{"key": "binary"}), nil, "Object Is No Text", "allow_binary"},
		"cut download":   {acctest.Values{"max_retries": 0}, body, &emulator.Fault{Match: emulator.Match{Service: "io"}, Do: "truncate"}, "Object Not Downloaded", "no answer"},
		"no bucket":      {nil, acctest.Values{"key": "hello"}, nil, "Bucket Missing", "set bucket"},
		"unknown keys":   {acctest.Values{"secret_key": acctest.Unknown{}}, hello, nil, "Provider Configuration Not Known Yet", "secret_key"},
	} {
		t.Run(name, func(t *testing.T) {
			h.ClearFaults()
			if tt.fault != nil {
				if _, err := h.Fail(*tt.fault); err != nil {
					t.Fatal(err)
				}
			}
			got, diags := h.Server(tt.provider).ReadData("kodo_object", tt.config)
			if !diags.HasErrors() {
				t.Fatalf("no refusal but %v", got)
			}
			if first := diags.Errors()[0]; first.Summary != tt.summary || !strings.Contains(first.Detail, tt.detail) {
				t.Errorf("%s: %s; want %s: …%s…", first.Summary, first.Detail, tt.summary, tt.detail)
			}
		})
	}
}

// list reads kodo_objects, and returns the keys of its objects and the rest.
func list(t *testing.T, server *acctest.Server, config acctest.Values) (keys []string, rest acctest.Values, diags acctest.Diagnostics) {
	t.Helper()
	got, diags := server.ReadData("kodo_objects", acctest.Values{"bucket": "assets"}.With(config))
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	objects, ok := got["objects"].([]any)
	if !ok {
		t.Fatalf("objects is a %T", got["objects"])
	}
	for _, o := range objects {
		keys = append(keys, o.(map[string]any)["key"].(string))
	}
	return keys, got, diags
}

func TestObjects(t *testing.T) {
	t.Parallel()
	h := acctest.New(t, "assets")
	put(t, h, "a.png", "b/1.png", "b/2.txt", "b/c/3.png", "d/4.png", "e")
	server := h.Server(nil)
	for name, tt := range map[string]struct {
		config   acctest.Values
		keys     []string
		prefixes []any
		missing  []any
	}{
		"all":               {nil, []string{"a.png", "b/1.png", "b/2.txt", "b/c/3.png", "d/4.png", "e"}, []any{}, []any{}},
		"prefix":            {acctest.Values{"prefix": "b/"}, []string{"b/1.png", "b/2.txt", "b/c/3.png"}, []any{}, []any{}},
		"folder":            {acctest.Values{"delimiter": "/"}, []string{"a.png", "e"}, []any{"b/", "d/"}, []any{}},
		"folder in folder":  {acctest.Values{"prefix": "b/", "delimiter": "/"}, []string{"b/1.png", "b/2.txt"}, []any{"b/c/"}, []any{}},
		"start after":       {acctest.Values{"start_after": "b/2"}, []string{"b/2.txt", "b/c/3.png", "d/4.png", "e"}, []any{}, []any{}},
		"limit":             {acctest.Values{"limit": 2}, []string{"a.png", "b/1.png"}, []any{}, []any{}},
		"glob":              {acctest.Values{"match_glob": "**/*.png"}, []string{"a.png", "b/1.png", "b/c/3.png", "d/4.png"}, []any{}, []any{}},
		"glob of a folder":  {acctest.Values{"match_glob": "b/*.{png,txt}"}, []string{"b/1.png", "b/2.txt"}, []any{}, []any{}},
		"glob and limit":    {acctest.Values{"match_glob": "*/*.png", "limit": 2}, []string{"b/1.png", "d/4.png"}, []any{}, []any{}},
		"nothing":           {acctest.Values{"prefix": "zzz"}, nil, []any{}, []any{}},
		"keys":              {acctest.Values{"keys": []any{"e", "no", "a.png", "b/"}}, []string{"a.png", "e"}, []any{}, []any{"b/", "no"}},
		"no keys":           {acctest.Values{"keys": []any{}}, nil, []any{}, []any{}},
		"limit and folders": {acctest.Values{"delimiter": "/", "limit": 2}, []string{"a.png"}, []any{"b/"}, []any{}},
	} {
		t.Run(name, func(t *testing.T) {
			keys, rest, _ := list(t, server, tt.config)
			if diff := cmp.Diff(tt.keys, keys); diff != "" {
				t.Errorf("keys (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.prefixes, rest["common_prefixes"]); diff != "" {
				t.Errorf("common_prefixes (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.missing, rest["missing_keys"]); diff != "" {
				t.Errorf("missing_keys (-want +got):\n%s", diff)
			}
		})
	}
}

// A listing and a look-up by keys both tell everything of an object.
func TestObjectsFields(t *testing.T) {
	t.Parallel()
	h := acctest.New(t, "assets")
	s := h.Session()
	if diags := s.Apply(s.Plan(acctest.Resource{Address: "kodo_object.o", Config: acctest.Values{
		"bucket": "assets", "key": "a.txt", "content": "hello", "storage_class": "ARCHIVE", "enabled": false,
		"cache_control": "no-cache", "metadata": map[string]any{"owner": "me"},
	}})); diags.HasErrors() {
		t.Fatal(diags)
	}
	server := h.Server(nil)
	for name, config := range map[string]acctest.Values{"listing": nil, "keys": {"keys": []any{"a.txt"}}} {
		_, got, _ := list(t, server, config)
		want := []any{map[string]any{
			"key": "a.txt", "etag": "Fqr0xh3cxeii2r7eDztILNmuqUNN", "size": int64(5), "content_type": "text/plain", "md5": "5d41402abc4b2a76b9719d911017c592",
			"put_time": s.State("kodo_object.o")["put_time"], "storage_class": "ARCHIVE", "enabled": false, "restore_status": nil, "end_user": nil,
			"headers": map[string]any{"Cache-Control": "no-cache"}, "metadata": map[string]any{"owner": "me"},
		}}
		if diff := cmp.Diff(want, got["objects"]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// All pages are followed, in one request each.
func TestObjectsPages(t *testing.T) {
	t.Parallel()
	h := acctest.New(t, "assets")
	var want []string
	for i := range 1001 {
		want = append(want, fmt.Sprintf("k%04d", i))
	}
	put(t, h, want...)
	server := h.Server(nil)
	h.ResetRequests()
	keys, _, _ := list(t, server, nil)
	if diff := cmp.Diff(want, keys); diff != "" {
		t.Errorf("keys (-want +got):\n%s", diff)
	}
	if n := len(h.Requests()); n != 2 {
		t.Errorf("%d requests for 1001 objects; want 2", n)
	}
	h.ResetRequests()
	keys, _, _ = list(t, server, acctest.Values{"keys": toAny(want)})
	if n := len(h.Requests()); n != 2 || len(keys) != 1001 {
		t.Errorf("%d requests for 1001 keys, %d found; want 2 and all", n, len(keys))
	}
}

func toAny(texts []string) []any {
	values := make([]any, len(texts))
	for i, text := range texts {
		values[i] = text
	}
	return values
}

func TestObjectsRefusals(t *testing.T) {
	t.Parallel()
	server := acctest.New(t, "assets").Server(nil)
	for name, tt := range map[string]struct {
		config  acctest.Values
		summary string
	}{
		"keys and prefix": {acctest.Values{"keys": []any{"a"}, "prefix": "b"}, "Invalid Attribute Combination"},
		"keys and limit":  {acctest.Values{"keys": []any{"a"}, "limit": 1}, "Invalid Attribute Combination"},
		"limit of 0":      {acctest.Values{"limit": 0}, "Invalid Attribute Value"},
		"bad pattern":     {acctest.Values{"match_glob": "a[b"}, "Invalid Attribute Value"},
		"missing bucket":  {acctest.Values{"bucket": "no-such-bucket"}, "Objects Not Listed"},
		"keys of none":    {acctest.Values{"bucket": "no-such-bucket", "keys": []any{"a"}}, "Objects Not Read"},
	} {
		_, diags := server.ReadData("kodo_objects", acctest.Values{"bucket": "assets"}.With(tt.config))
		if !diags.HasErrors() || diags.Errors()[0].Summary != tt.summary {
			t.Errorf("%s: %s; want %s", name, diags, tt.summary)
		}
	}
	unknown := acctest.Unknown{}
	if diags := server.ValidateData("kodo_objects", acctest.Values{"keys": unknown, "bucket": unknown}); diags.HasErrors() {
		t.Errorf("unknown keys: %s", diags)
	}
}

func TestBuckets(t *testing.T) {
	t.Parallel()
	h := acctest.New(t, "assets", "logs")
	s := h.Session()
	if diags := s.Apply(s.Plan(acctest.Resource{Address: "kodo_bucket.site", Config: acctest.Values{
		"name": "site", "region": "z1", "private": false, "index_page": true, "tags": map[string]any{"team": "web", "env": "prod"},
	}})); diags.HasErrors() {
		t.Fatal(diags)
	}
	server := h.Server(nil)
	site, diags := server.ReadData("kodo_bucket", acctest.Values{"name": "site"})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	created, _ := site["created_at"].(string)
	domains, _ := site["domains"].([]any)
	if !strings.HasSuffix(created, "Z") || len(domains) == 0 {
		t.Errorf("created_at = %v, domains = %v", created, domains)
	}
	want := acctest.Values{
		"name": "site", "region": "z1", "private": false, "index_page": true, "tags": map[string]any{"team": "web", "env": "prod"},
		"domains": domains, "created_at": created,
	}
	if diff := cmp.Diff(want, site); diff != "" {
		t.Errorf("kodo_bucket (-want +got):\n%s", diff)
	}
	for name, tt := range map[string]struct {
		config acctest.Values
		want   []string
	}{
		"all":       {nil, []string{"assets", "logs", "site"}},
		"region":    {acctest.Values{"region": "z1"}, []string{"site"}},
		"tag":       {acctest.Values{"tags": map[string]any{"team": "web"}}, []string{"site"}},
		"both":      {acctest.Values{"region": "z0", "tags": map[string]any{"team": "web"}}, nil},
		"other tag": {acctest.Values{"tags": map[string]any{"team": "ops"}}, nil},
	} {
		got, diags := server.ReadData("kodo_buckets", tt.config)
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		var names []string
		for _, b := range got["buckets"].([]any) {
			names = append(names, b.(map[string]any)["name"].(string))
		}
		if diff := cmp.Diff(tt.want, names); diff != "" {
			t.Errorf("kodo_buckets, %s (-want +got):\n%s", name, diff)
		}
	}
	for name, config := range map[string]acctest.Values{"missing": {"name": "no-such-bucket"}} {
		if _, diags := server.ReadData("kodo_bucket", config); !diags.HasErrors() || diags.Errors()[0].Summary != "Bucket Not Found" {
			t.Errorf("%s: %s", name, diags)
		}
	}
	other := h.Server(acctest.Values{"access_key": acctest.OtherAccessKey, "secret_key": acctest.OtherSecretKey})
	if _, diags := other.ReadData("kodo_bucket", acctest.Values{"name": "site"}); !diags.HasErrors() || diags.Errors()[0].Summary != "Bucket Not Found" {
		t.Errorf("another account's: %s", diags)
	}
}
