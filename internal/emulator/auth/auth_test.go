package auth_test

import (
	"errors"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/qiniu/terraform-provider-kodo/internal/emulator/auth"
)

// signingTime is the date of the published vectors.
var signingTime = time.Date(2006, 1, 2, 15, 4, 5, 0, time.UTC)

func verifierAt(now time.Time) *auth.Verifier {
	secrets := map[string]string{"ak": "sk", "MY_ACCESS_KEY": "MY_SECRET_KEY"}
	return auth.NewVerifier(
		func(accessKey string) (string, bool) { s, ok := secrets[accessKey]; return s, ok },
		func() time.Time { return now },
	)
}

func header(pairs ...string) http.Header {
	h := http.Header{}
	for i := 0; i < len(pairs); i += 2 {
		h.Set(pairs[i], pairs[i+1])
	}
	return h
}

func status(err error) int {
	var refusal *auth.Error
	if errors.As(err, &refusal) {
		return refusal.Status
	}
	return 0
}

const form = "application/x-www-form-urlencoded"

func TestManagement(t *testing.T) {
	t.Parallel()
	mkbucket := auth.Request{
		Method: "POST", Host: "uc.qiniuapi.com",
		RawPath: "/mkbucketv3/b1/region/z0", Path: "/mkbucketv3/b1/region/z0",
		Header: header("Content-Type", form, "X-Qiniu-Date", "20060102T150405Z",
			"Authorization", "Qiniu ak:TCabyeLs2AwV631QbVgBm4zwb6o="),
	}
	batch := auth.Request{
		Method: "POST", Host: "127.0.0.1:9000", RawPath: "/batch", Path: "/batch",
		Header: header("Content-Type", form, "X-Qiniu-Date", "20060102T150405Z",
			"Authorization", "Qiniu ak:KYoeVgSdXFwf9WQCA7QF33T6aYc="),
		Body: []byte("op=stat%2FYjE6azE%3D"),
	}
	move := auth.Request{
		Method: "POST", Host: "rs.qiniu.com",
		RawPath: "/move/bmV3ZG9jczpmaW5kX21hbi50eHQ=/bmV3ZG9jczpmaW5kLm1hbi50eHQ=",
		Path:    "/move/bmV3ZG9jczpmaW5kX21hbi50eHQ=/bmV3ZG9jczpmaW5kLm1hbi50eHQ=",
		Header:  header("Authorization", "QBox MY_ACCESS_KEY:FXsYh0wKHYPEsIAgdPD9OfjkeEM="),
	}
	change := func(r auth.Request, edit func(*auth.Request)) auth.Request {
		r.Header = r.Header.Clone()
		edit(&r)
		return r
	}
	authorization := func(value string) func(*auth.Request) {
		return func(r *auth.Request) { r.Header.Set("Authorization", value) }
	}

	tests := map[string]struct {
		request    auth.Request
		wantKey    string
		wantStatus int
	}{
		"Qiniu without a body":               {request: mkbucket, wantKey: "ak"},
		"Qiniu with a form":                  {request: batch, wantKey: "ak"},
		"QBox":                               {request: move, wantKey: "MY_ACCESS_KEY"},
		"QBox signed before the type is set": {request: change(move, func(r *auth.Request) { r.Header.Set("Content-Type", "application/json"); r.Body = []byte("{}") }), wantKey: "MY_ACCESS_KEY"},
		"type signed as form but sent as JSON": {request: change(mkbucket, func(r *auth.Request) {
			r.Header.Set("Content-Type", "application/json")
		}), wantKey: "ak"},
		"path signed decoded": {request: change(mkbucket, func(r *auth.Request) { r.RawPath = "/mkbucketv3/%62%31/region/z0" }), wantKey: "ak"},
		"no header":           {request: change(mkbucket, func(r *auth.Request) { r.Header.Del("Authorization") }), wantStatus: 401},
		"other scheme":        {request: change(mkbucket, authorization("Basic ak:TCabyeLs2AwV631QbVgBm4zwb6o=")), wantStatus: 401},
		"no colon":            {request: change(mkbucket, authorization("Qiniu ak")), wantStatus: 401},
		"unknown key":         {request: change(mkbucket, authorization("Qiniu other:TCabyeLs2AwV631QbVgBm4zwb6o=")), wantStatus: 401},
		"wrong signature":     {request: change(mkbucket, authorization("Qiniu ak:KYoeVgSdXFwf9WQCA7QF33T6aYc=")), wantStatus: 401},
		"stripped padding":    {request: change(mkbucket, authorization("Qiniu ak:TCabyeLs2AwV631QbVgBm4zwb6o")), wantStatus: 401},
		"other method":        {request: change(mkbucket, func(r *auth.Request) { r.Method = "GET" }), wantStatus: 401},
		"other host":          {request: change(mkbucket, func(r *auth.Request) { r.Host = "rs.qiniuapi.com" }), wantStatus: 401},
		"other path":          {request: change(mkbucket, func(r *auth.Request) { r.RawPath += "x"; r.Path += "x" }), wantStatus: 401},
		"query added":         {request: change(mkbucket, func(r *auth.Request) { r.RawQuery = "a=b" }), wantStatus: 401},
		"body changed":        {request: change(batch, func(r *auth.Request) { r.Body = []byte("op=delete%2FYjE6azE%3D") }), wantStatus: 401},
		"date changed":        {request: change(mkbucket, func(r *auth.Request) { r.Header.Set("X-Qiniu-Date", "20060102T150406Z") }), wantStatus: 401},
		"header added":        {request: change(mkbucket, func(r *auth.Request) { r.Header.Set("X-Qiniu-More", "1") }), wantStatus: 401},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			key, err := verifierAt(signingTime).Management(tt.request)
			if status(err) != tt.wantStatus || (err == nil && key != tt.wantKey) {
				t.Errorf("Management() = %q, %v; want %q and status %d", key, err, tt.wantKey, tt.wantStatus)
			}
		})
	}
}

// The signatures of TestManagementDates were made with Python's hmac module
// from the text "GET /buckets[?query]\nHost: h\n[X-Qiniu-…: …\n]\n".
func TestManagementDates(t *testing.T) {
	t.Parallel()
	mkbucket := func(now time.Time) error {
		_, err := verifierAt(now).Management(auth.Request{
			Method: "POST", Host: "uc.qiniuapi.com",
			RawPath: "/mkbucketv3/b1/region/z0", Path: "/mkbucketv3/b1/region/z0",
			Header: header("Content-Type", form, "X-Qiniu-Date", "20060102T150405Z",
				"Authorization", "Qiniu ak:TCabyeLs2AwV631QbVgBm4zwb6o="),
		})
		return err
	}
	for _, tt := range []struct {
		skew time.Duration
		want int
	}{{0, 0}, {15 * time.Minute, 0}, {-15 * time.Minute, 0}, {15*time.Minute + time.Second, 403}, {-15*time.Minute - time.Second, 403}} {
		if err := mkbucket(signingTime.Add(tt.skew)); status(err) != tt.want {
			t.Errorf("skew %v: %v, want status %d", tt.skew, err, tt.want)
		}
	}

	tests := map[string]struct {
		query, date, expires, sign string
		wantStatus                 int
		wantText                   string
	}{
		"malformed date":             {date: "yesterday", sign: "Cv-fBMAeBT4aUCLi_9ZDRqo1IDc=", wantStatus: 400, wantText: "invalid X-Qiniu-Date"},
		"good expiry beats old date": {date: "19990101T000000Z", expires: "20060102T160000Z", sign: "BXvQPlmT2KXQ8L3HK-7qMieacvA="},
		"past expiry":                {date: "20060102T150405Z", expires: "20060102T150000Z", sign: "9FqtPI5mdJM8AUF5NMLbouB7lhg=", wantStatus: 403, wantText: "token is expired"},
		"malformed expiry":           {expires: "soon", sign: "cmeINBdvLUBfsyZE26PcEMvBJR4=", wantStatus: 400, wantText: "invalid X-Qiniu-Expires"},
		"old date in the query":      {query: "X-Qiniu-Date=19990101T000000Z", sign: "cRcYu9ajMLqs-3TcUFTV2i63Ynw=", wantStatus: 403, wantText: "request time is too skewed"},
		"good header, old query":     {query: "X-Qiniu-Date=19990101T000000Z", date: "20060102T150405Z", sign: "r5KD35bX4CxIaYr1602jeRRnbEg=", wantStatus: 403, wantText: "request time is too skewed"},
		"no date at all":             {sign: "rq_y30n_v4XtF-xp6Ki9zJ17VFM="},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := header("Authorization", "Qiniu ak:"+tt.sign)
			if tt.date != "" {
				h.Set("X-Qiniu-Date", tt.date)
			}
			if tt.expires != "" {
				h.Set("X-Qiniu-Expires", tt.expires)
			}
			_, err := verifierAt(signingTime).Management(auth.Request{
				Method: "GET", Host: "h", RawPath: "/buckets", Path: "/buckets", RawQuery: tt.query, Header: h,
			})
			if status(err) != tt.wantStatus || (err != nil && err.Error() != tt.wantText) {
				t.Errorf("Management() = %v, want %d %q", err, tt.wantStatus, tt.wantText)
			}
		})
	}
}

// TestClientHabits holds the spellings of the official clients, whose
// signatures were made with Python's hmac module.
func TestClientHabits(t *testing.T) {
	t.Parallel()
	documented := []string{"Python signs the path as sent", "JSON and other headers", "a binary body is never signed", "QBox with a form"}
	for name, request := range map[string]auth.Request{
		"Node adds the port again": {
			Method: "POST", Host: "127.0.0.1:9000", RawPath: "/batch", Path: "/batch", Body: []byte("op=stat%2FYjE6azE%3D"),
			Header: header("Content-Type", form, "Authorization", "Qiniu ak:bWkCcD6tpKW3iBl8N3GEUeWd4AU="),
		},
		"Python signs the path as sent": {
			Method: "GET", Host: "h", RawPath: "/a%20b/%2F", Path: "/a b//", RawQuery: "c=%20",
			Header: header("Authorization", "Qiniu ak:0BYxcf24Kt6o-yDDzoIEGmoDUno="),
		},
		"JSON and other headers": {
			Method: "PUT", Host: "h", RawPath: "/bucketTagging", Path: "/bucketTagging", RawQuery: "bucket=b", Body: []byte(`{"Tags":[]}`),
			Header: header("Content-Type", "application/json", "x-qiniu-bbb", "2", "X-QINIU-AAA", "1", "X-Qiniu-", "0", "Authorization", "Qiniu ak:XGxoYoj9nY6XbzxBUF4VL00QW6U="),
		},
		"Go leaves out a body of another type": {
			Method: "POST", Host: "h", RawPath: "/x", Path: "/x", Body: []byte("y"),
			Header: header("Content-Type", "text/plain", "Authorization", "Qiniu ak:Udoz81iPFlc4itCuFp9UsvqkZmo="),
		},
		"a binary body is never signed": {
			Method: "POST", Host: "h", RawPath: "/x", Path: "/x", Body: []byte("y"),
			Header: header("Content-Type", "application/octet-stream", "Authorization", "Qiniu ak:mCMUB0mwenD_1IwqfIs9LG2shA0="),
		},
		"QBox with a form": {
			Method: "POST", Host: "h", RawPath: "/batch", Path: "/batch", Body: []byte("op=stat%2FYjE6azE%3D"),
			Header: header("Content-Type", form, "Authorization", "QBox ak:4VWBIhYGkwcFuFCgB4qdEsjYrL4="),
		},
	} {
		if key, err := verifierAt(signingTime).Management(request); err != nil || key != "ak" {
			t.Errorf("%s: %q, %v", name, key, err)
		}
		_, err := verifierAt(signingTime).Strict().Management(request)
		if isDocumented := slices.Contains(documented, name); isDocumented != (err == nil) {
			t.Errorf("%s, strict: %v, want it accepted: %v", name, err, isDocumented)
		}
	}
}

// TestStrict sees what of the published vectors and of the clients' habits is as
// documented.
func TestStrict(t *testing.T) {
	t.Parallel()
	const signed = "Qiniu ak:TCabyeLs2AwV631QbVgBm4zwb6o="
	created := func(contentType, path string) auth.Request {
		return auth.Request{
			Method: "POST", Host: "uc.qiniuapi.com", RawPath: path, Path: "/mkbucketv3/b1/region/z0",
			Header: header("Content-Type", contentType, "X-Qiniu-Date", "20060102T150405Z", "Authorization", signed),
		}
	}
	for name, tt := range map[string]struct {
		request auth.Request
		want    int
	}{
		"documented":          {created(form, "/mkbucketv3/b1/region/z0"), 0},
		"type signed as form": {created("application/json", "/mkbucketv3/b1/region/z0"), 401},
		"path signed decoded": {created(form, "/mkbucketv3/%62%31/region/z0"), 401},
		"QBox without a form's body": {auth.Request{
			Method: "POST", Host: "rs.qiniu.com", Body: []byte("a=b"),
			RawPath: "/move/bmV3ZG9jczpmaW5kX21hbi50eHQ=/bmV3ZG9jczpmaW5kLm1hbi50eHQ=",
			Path:    "/move/bmV3ZG9jczpmaW5kX21hbi50eHQ=/bmV3ZG9jczpmaW5kLm1hbi50eHQ=",
			Header:  header("Content-Type", form, "Authorization", "QBox MY_ACCESS_KEY:FXsYh0wKHYPEsIAgdPD9OfjkeEM="),
		}, 401},
	} {
		if _, err := verifierAt(signingTime).Strict().Management(tt.request); status(err) != tt.want {
			t.Errorf("%s: %v, want status %d", name, err, tt.want)
		}
		if _, err := verifierAt(signingTime).Management(tt.request); err != nil {
			t.Errorf("%s, not strict: %v", name, err)
		}
	}
}

func TestAhead(t *testing.T) {
	t.Parallel()
	v := verifierAt(time.Unix(1000, 0))
	if err := v.Ahead(time.Minute).Expired(1059); status(err) != 401 {
		t.Errorf("a minute ahead: %v, want 401", err)
	}
	if err := v.Ahead(time.Minute).Expired(1060); err != nil {
		t.Errorf("a minute ahead, at the deadline: %v", err)
	}
	if err := v.Expired(1059); err != nil {
		t.Errorf("the clock itself: %v", err)
	}
}

func TestSignature(t *testing.T) {
	t.Parallel()
	const policy = "eyJzY29wZSI6ImIxOmsxIiwiZGVhZGxpbmUiOjE4OTM0NTYwMDB9"
	v := verifierAt(signingTime)
	if err := v.Signature("ak", "G0VRLnqozbu_YtoUqWLtedM1ieo=", policy); err != nil {
		t.Errorf("published upload token: %v", err)
	}
	for name, args := range map[string][3]string{
		"unknown key":      {"other", "G0VRLnqozbu_YtoUqWLtedM1ieo=", policy},
		"changed policy":   {"ak", "G0VRLnqozbu_YtoUqWLtedM1ieo=", policy[:len(policy)-1] + "8"},
		"stripped padding": {"ak", "G0VRLnqozbu_YtoUqWLtedM1ieo", policy},
	} {
		if err := v.Signature(args[0], args[1], args[2]); status(err) != 401 {
			t.Errorf("%s: %v, want status 401", name, err)
		}
	}
}

func TestDownload(t *testing.T) {
	t.Parallel()
	const good = "/k1?e=1893456000&token=ak:518MgLnFd7kyo1sw_Eozg5n23Eg="
	deadline := time.Unix(1893456000, 0)
	tests := map[string]struct {
		host, target string
		now          time.Time
		wantText     string
	}{
		"published URL":     {"dn.example.com", good, signingTime, ""},
		"at the deadline":   {"dn.example.com", good, deadline, ""},
		"after it":          {"dn.example.com", good, deadline.Add(time.Second), "expired token"},
		"escaped token":     {"dn.example.com", "/k1?e=1893456000&token=ak%3A518MgLnFd7kyo1sw_Eozg5n23Eg%3D", signingTime, ""},
		"other host":        {"other.example.com", good, signingTime, "bad token"},
		"other key":         {"dn.example.com", "/k2" + good[3:], signingTime, "bad token"},
		"other deadline":    {"dn.example.com", "/k1?e=1893456001" + good[16:], signingTime, "bad token"},
		"no token":          {"dn.example.com", "/k1?e=1893456000", signingTime, "bad token"},
		"token is not last": {"dn.example.com", good + "&attname=x", signingTime, "bad token"},
		"no deadline":       {"dn.example.com", "/k1?x=1&token=ak:ZlMqD3RkD8SzEnmKa-EWqczp_ew=", signingTime, "bad token"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			key, err := verifierAt(tt.now).Download(tt.host, tt.target)
			got := ""
			if err != nil {
				got = err.Error()
			}
			if got != tt.wantText || (err == nil && key != "ak") {
				t.Errorf("Download() = %q, %v, want %q", key, err, tt.wantText)
			}
		})
	}
}

func FuzzManagement(f *testing.F) {
	f.Add("Qiniu ak:TCabyeLs2AwV631QbVgBm4zwb6o=", "/mkbucketv3/b1/region/z0", "X-Qiniu-Date=1", "[::1]:9000", form, "a=b")
	f.Add("QBox ak:", "//", "%zz", "h", ";", "")
	f.Fuzz(func(t *testing.T, authorization, path, query, host, contentType, body string) {
		_, err := verifierAt(signingTime).Management(auth.Request{
			Method: "POST", Host: host, RawPath: path, Path: path, RawQuery: query, Body: []byte(body),
			Header: header("Authorization", authorization, "Content-Type", contentType),
		})
		if err != nil && status(err) == 0 {
			t.Errorf("Management() = %v, want a refusal", err)
		}
	})
}

func FuzzDownload(f *testing.F) {
	f.Add("dn.example.com", "/k1?e=1893456000&token=ak:518MgLnFd7kyo1sw_Eozg5n23Eg=")
	f.Add("", "&token=%zz")
	f.Fuzz(func(t *testing.T, host, target string) {
		if _, err := verifierAt(signingTime).Download(host, target); err != nil && status(err) == 0 {
			t.Errorf("Download() = %v, want a refusal", err)
		}
	})
}
