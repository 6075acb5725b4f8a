package kodo_test

import (
	"math"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/qiniu/terraform-provider-kodo/internal/kodo"
)

func TestNames(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		check     func(string) error
		good, bad []string
	}{
		"bucket": {
			kodo.CheckBucketName,
			[]string{"abc", "a-b", "123", "a--b", strings.Repeat("a", 63)},
			[]string{"", "ab", "-ab", "ab-", "Abc", "a_b", "a.b", "a b", "äöü", strings.Repeat("a", 64), "a/b"},
		},
		"region": {kodo.CheckRegion, []string{"z0", "cn-east-2", "ap-southeast-3"}, []string{"", "Z0", "z0/private", "z 0"}},
		"key": {
			kodo.CheckKey,
			[]string{"", "/", "a//b", " ", "键", strings.Repeat("k", 750), strings.Repeat("键", 250), "\r\n", "\x00"},
			[]string{strings.Repeat("k", 751), strings.Repeat("键", 251), "\xff", "a\xc3"},
		},
		"content type": {
			kodo.CheckContentType,
			[]string{"text/html", "text/html; charset=utf-8", "application/vnd.a+b", "image", strings.Repeat("a", 100) + "/" + strings.Repeat("b", 99)},
			[]string{"", " ", " text/html", "text/html ", "text/ht%6d", "text/html\r\n", "text/é", strings.Repeat("a", 100) + "/" + strings.Repeat("b", 100)},
		},
		"tag key": {
			func(key string) error { return kodo.CheckTag(key, "v") },
			[]string{"k", "Kodo", "a b", "+-=._:/@", strings.Repeat("k", 64)},
			[]string{"", "kodo", "kodo-x", "键", "a,b", strings.Repeat("k", 65)},
		},
		"tag value": {
			func(value string) error { return kodo.CheckTag("k", value) },
			[]string{"v", "kodo", strings.Repeat("v", 128)},
			[]string{"", "值", strings.Repeat("v", 129)},
		},
		"domain": {
			kodo.CheckDomain,
			[]string{"cdn.example.com", "cdn.example.com:8080", "http://cdn.example.com", "https://127.0.0.1:80"},
			[]string{"", "cdn.example.com/x", "http://", "ftp://a.b", "a b", "user@a", "a?b"},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, s := range tt.good {
				if err := tt.check(s); err != nil {
					t.Errorf("%q: %v", s, err)
				}
			}
			for _, s := range tt.bad {
				if err := tt.check(s); err == nil {
					t.Errorf("%q is accepted", s)
				}
			}
		})
	}
}

func TestCheckMetadata(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("n", 50)
	for name, good := range map[string]map[string]string{
		"none": nil, "odd": {"A-b_9": "值 with\nlines", "empty": ""}, "header": {"!Cache-Control": "no-store", "!" + long: "值"},
		"longest name": {long: "v"}, "largest": {"n": strings.Repeat("v", 1023)}, "two": {"n": "v", "N": "v"},
	} {
		if err := kodo.CheckMetadata(good); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, bad := range map[string]map[string]string{
		"no name": {"": "v"}, "no header": {"!": "v"}, "name": {"a b": "v"}, "not ASCII": {"值": "v"}, "quote": {`a"`: "v"}, "twice": {"!!a": "v"},
		"long name": {long + "n": "v"}, "two lines": {"!Expires": "0\r\nX: y"}, "not UTF-8": {"n": "\xff"},
		"too large": {"n": strings.Repeat("v", 1023), "m": ""}, "too large in characters": {"n": strings.Repeat("值", 342)},
	} {
		if err := kodo.CheckMetadata(bad); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}

func TestPublicURL(t *testing.T) {
	t.Parallel()
	tests := []struct{ scheme, domain, key, want string }{
		{"https", "cdn.example.com", "a/b.txt", "https://cdn.example.com/a/b.txt"},
		{"http", "cdn.example.com:8080", "", "http://cdn.example.com:8080/"},
		{"https", "http://cdn.example.com", "/a//b", "http://cdn.example.com//a//b"},
		{"http", "https://cdn.example.com", "a b", "https://cdn.example.com/a%20b"},
		{"http", "h.example", "a+b&c=d?e#f%g:h", "http://h.example/a%2Bb%26c%3Dd%3Fe%23f%25g%3Ah"},
		{"http", "h.example", "中/🐼", "http://h.example/%E4%B8%AD/%F0%9F%90%BC"},
		{"http", "h.example", "A-Z_a~z.0", "http://h.example/A-Z_a~z.0"},
	}
	for _, tt := range tests {
		if got, err := kodo.PublicURL(tt.scheme, tt.domain, tt.key); err != nil || got != tt.want {
			t.Errorf("%q at %q: %q, %v, want %q", tt.key, tt.domain, got, err, tt.want)
		}
	}
	if got, err := kodo.PublicURL("http", "no domain", "key"); err == nil {
		t.Errorf("no domain: %q", got)
	}
}

func FuzzPublicURL(f *testing.F) {
	for _, key := range []string{"", "a b", "/a//b", "%2F", "中", "?#", "\xff\x00", ".."} {
		f.Add(key)
	}
	f.Fuzz(func(t *testing.T, key string) {
		got, err := kodo.PublicURL("http", "h.example:80", key)
		if err != nil {
			t.Fatal(err)
		}
		u, err := url.Parse(got)
		if err != nil || u.Path != "/"+key || u.Host != "h.example:80" || u.RawQuery != "" || u.Fragment != "" {
			t.Errorf("key %q gives %q, which is %+v, %v", key, got, u, err)
		}
	})
}

func TestPutTime(t *testing.T) {
	t.Parallel()
	tests := map[kodo.PutTime]string{
		0:                  "1970-01-01T00:00:00.0000000Z",
		17000000000000001:  "2023-11-14T22:13:20.0000001Z",
		-1:                 "1969-12-31T23:59:59.9999999Z",
		156920592170000000: "2467-04-06T01:20:17.0000000Z",
	}
	for at, want := range tests {
		if got := at.String(); got != want {
			t.Errorf("%d is %q, want %q", at, got, want)
		}
		if got, err := kodo.ParsePutTime(want); err != nil || got != at {
			t.Errorf("%q is %d, %v, want %d", want, got, err, at)
		}
	}
	if got := kodo.PutTime(17000000000000001).Time(); !got.Equal(time.Date(2023, 11, 14, 22, 13, 20, 100, time.UTC)) || got.Location() != time.UTC {
		t.Errorf("time %v", got)
	}
	if got, err := kodo.ParsePutTime("2023-11-15T06:13:20.0000001+08:00"); err != nil || got != 17000000000000001 {
		t.Errorf("in another zone: %d, %v", got, err)
	}
	for _, bad := range []string{"", "1700000000", "2023-11-14", "2023-11-14T22:13:20.00000001Z", "2023-11-14 22:13:20Z"} {
		if got, err := kodo.ParsePutTime(bad); err == nil {
			t.Errorf("%q is %d", bad, got)
		}
	}
}

func FuzzPutTime(f *testing.F) {
	for _, at := range []int64{0, 1, -1, 17000000000000001, math.MaxInt64, math.MinInt64} {
		f.Add(at)
	}
	f.Fuzz(func(t *testing.T, at int64) {
		s := kodo.PutTime(at).String()
		year := kodo.PutTime(at).Time().Year()
		got, err := kodo.ParsePutTime(s)
		if year < 0 || year > 9999 {
			return // RFC 3339 ends there
		}
		if err != nil || int64(got) != at {
			t.Errorf("%d is %q, which is %d, %v", at, s, got, err)
		}
	})
}

func FuzzParsePutTime(f *testing.F) {
	for _, s := range []string{"2023-11-14T22:13:20.0000001Z", "0000-01-01T00:00:00Z", "9999-12-31T23:59:59.9999999+23:59", "x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		at, err := kodo.ParsePutTime(s)
		if err != nil {
			return
		}
		want, err := time.Parse(time.RFC3339Nano, s)
		if err != nil || !at.Time().Equal(want) {
			t.Errorf("%q is %v, want %v, %v", s, at.Time(), want, err)
		}
	})
}

func TestContentType(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		"":                 "application/octet-stream",
		"README":           "application/octet-stream",
		"a.unknown":        "application/octet-stream",
		".html":            "text/html",
		"index.html":       "text/html",
		"a/b.d/INDEX.HTM":  "text/html",
		"a.html/b":         "application/octet-stream",
		"app.min.js":       "text/javascript",
		"app.js.map":       "application/json",
		"style.CSS":        "text/css",
		"x.svg":            "image/svg+xml",
		"x.jpeg":           "image/jpeg",
		"x.tar.gz":         "application/gzip",
		"site.webmanifest": "application/manifest+json",
		"x.woff2":          "font/woff2",
		"x.m3u8":           "application/vnd.apple.mpegurl",
		"键.png":            "image/png",
	}
	for key, want := range tests {
		got := kodo.ContentType(key)
		if got != want {
			t.Errorf("%q: %q, want %q", key, got, want)
		}
		if err := kodo.CheckContentType(got); err != nil {
			t.Errorf("%q: %v", got, err)
		}
	}
}
