package httpapi_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestChangeMeta(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	c.put("public", "k", "hello")
	chgm := func(options string) response { return c.post("/chgm/" + entry("public", "k") + options) }
	c.wantStatus("both", chgm("/mime/"+b64("image/png")+"/x-qn-meta-a/"+b64("1")+"/x-qn-meta-!Cache-Control/"+b64("no-store")), 200)
	c.wantStatus("merged", chgm("/x-qn-meta-a/"+b64("2")+"/X-Qn-Meta-B/"+b64("3")+"/mime//cond/"+b64("hash="+helloHash+"&fsize=5")), 200)
	object, err := c.e.Engine().Stat(c.account.AccessKey, "public", "k")
	if err != nil || object.MimeType != "image/png" {
		t.Errorf("stat: %+v, %v", object, err)
	}
	if diff := cmp.Diff(map[string]string{"a": "2", "B": "3", "!Cache-Control": "no-store"}, object.Meta); diff != "" {
		t.Errorf("metadata (-want +got)\n%s", diff)
	}
	c.wantStatus("unmet condition", chgm("/mime/"+b64("text/x")+"/cond/"+b64("fsize=6")), 608)
	c.wantStatus("unknown condition", chgm("/mime/"+b64("text/x")+"/cond/"+b64("colour=6")), 400)
	c.wantStatus("unreadable condition", chgm("/mime/"+b64("text/x")+"/cond/"+b64("%zz")), 400)
	c.wantStatus("option without value", chgm("/mime"), 400)
	c.wantStatus("no base64", chgm("/mime/*"), 400)
	c.wantStatus("long type", chgm("/mime/"+b64(strings.Repeat("x", 201))), 400)
	c.wantError("unknown option", chgm("/colour/"+b64("red")), 400, "invalid argument")
	c.wantError("missing", c.post("/chgm/"+entry("public", "x")+"/mime/"+b64("a/b")), 612, "no such file or directory")
}

// Standard headers have names of their own in chgm; they are kept like "!Header"
// metadata and come with the download.
func TestChangeStandardHeaders(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	c.put("public", "k", "hello")
	c.wantStatus("chgm", c.post("/chgm/"+entry("public", "k")+"/cacheControl/"+b64("no-store")+"/cond/"+b64("fsize=5")+
		"/contentDisposition/"+b64("inline")+"/contentLanguage/"+b64("zh")+"/contentEncoding/"+b64("identity")+
		"/expires/"+b64("Thu, 01 Dec 2033 16:00:00 GMT")+"/mime/"+b64("text/x")), 200)
	stat, _ := c.get("/stat/" + entry("public", "k")).json(t).(map[string]any)
	want := map[string]any{
		"!Cache-Control": "no-store", "!Content-Disposition": "inline", "!Content-Language": "zh",
		"!Content-Encoding": "identity", "!Expires": "Thu, 01 Dec 2033 16:00:00 GMT",
	}
	if diff := cmp.Diff(want, stat["x-qn-meta"]); diff != "" {
		t.Errorf("metadata (-want +got)\n%s", diff)
	}
	got := c.download(http.MethodGet, "public", "/k")
	for name, want := range map[string]string{
		"Cache-Control": "no-store", "Content-Disposition": "inline", "Content-Language": "zh",
		"Content-Encoding": "identity", "Expires": "Thu, 01 Dec 2033 16:00:00 GMT", "Content-Type": "text/x",
	} {
		if have := got.header.Get(name); have != want {
			t.Errorf("%s = %q, want %q", name, have, want)
		}
	}
}

// TestChanges sends the calls that change one property, with the answer to each.
func TestChanges(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	c.put("public", "k", "hello")
	const invalid = `{"error":"invalid argument"}`
	met, unmet := "/cond/"+b64("fsize=5"), "/cond/"+b64("fsize=6")
	for _, step := range []struct {
		op, options string
		status      int
		body        string
	}{
		{"chtype", "/type/1", 200, `{}`},
		{"chtype", "/type/1", 400, `{"error":"already in line stat"}`},
		{"chtype", "/type/6", 400, `{"error":"invalid file type"}`},
		{"chtype", "/type/-1", 400, `{"error":"invalid file type"}`},
		{"chtype", "/type/x", 400, invalid},
		{"chtype", "/type", 400, invalid},
		{"chtype", "", 400, invalid},
		{"chtype", "/class/1", 400, invalid},
		{"chtype", "/type/4", 200, `{}`},
		{"chtype", "/type/5", 200, `{}`},

		{"chstatus", "/status/0", 400, `{"error":"already enabled"}`},
		{"chstatus", "/status/1" + unmet, 608, `{"error":"cond not match"}`},
		{"chstatus", met + "/status/1", 200, `{}`},
		{"chstatus", "/status/1", 400, `{"error":"already disabled"}`},
		{"chstatus", "/status/0", 200, `{}`},
		{"chstatus", "/status/2", 400, invalid},
		{"chstatus", met, 400, invalid},
		{"chstatus", "/status", 400, invalid},
		{"chstatus", "/cond/*/status/1", 400, invalid},

		{"deleteAfterDays", "/1", 200, `{}`},
		{"deleteAfterDays", "/0", 200, `{}`},
		{"deleteAfterDays", "/-1", 400, invalid},
		{"deleteAfterDays", "/9999999999", 400, invalid},
		{"deleteAfterDays", "/x", 400, invalid},
		{"deleteAfterDays", "", 400, invalid},
		{"deleteAfterDays", "/1/2", 400, invalid},

		{"lifecycle", "/toIAAfterDays/1/ToArchiveIRAfterDays/2/TOARCHIVEAFTERDAYS/3/toDeepArchiveAfterDays/4/deleteAfterDays/5", 200, `{}`},
		{"lifecycle", "/toIntelligentTieringAfterDays/-1/toIAAfterDays/-1/toArchiveIRAfterDays/0", 200, `{}`},
		{"lifecycle", "/toIAAfterDays/7" + unmet, 608, `{"error":"cond not match"}`},
		{"lifecycle", "/toIAAfterDays/-2", 400, invalid},
		{"lifecycle", "/toIAAfterDays/2147483648", 400, invalid},
		{"lifecycle", "/toIAAfterDays", 400, invalid},
		{"lifecycle", "/toLineAfterDays/1", 400, invalid},
		{"lifecycle", "", 200, `{}`},

		{"restoreAr", "/freezeAfterDays/1", 400, `{"error":"the object is not archived"}`},
		{"restoreAr", "/freezeAfterDays/0", 400, `{"error":"invalid freeze after days"}`},
		{"restoreAr", "/freezeAfterDays/8", 400, `{"error":"invalid freeze after days"}`},
		{"restoreAr", "/freezeAfterDays/x", 400, invalid},
		{"restoreAr", "", 400, invalid},
	} {
		target := "/" + step.op + "/" + entry("public", "k") + step.options
		if res := c.post(target); res.status != step.status || res.body != step.body {
			t.Errorf("%s%s: %d %s, want %d %s", step.op, step.options, res.status, res.body, step.status, step.body)
		}
	}
	res := c.post("/lifecycle/" + entry("public", "k") + "/toArchiveAfterDays/3/toIAAfterDays/3")
	c.wantStatus("days not in order", res, 400)
	for _, op := range []string{"/chtype/E/type/1", "/chstatus/E/status/1", "/deleteAfterDays/E/1", "/lifecycle/E/deleteAfterDays/1", "/restoreAr/E/freezeAfterDays/1"} {
		c.wantError(op, c.post(strings.Replace(op, "E", entry("public", "x"), 1)), 612, "no such file or directory")
		c.wantError(op, c.as(other).post(strings.Replace(op, "E", entry("public", "k"), 1)), 631, "no such bucket")
	}
}

// TestStatFields sees every field that a change brings into stat and into a
// listing.
func TestStatFields(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	c.put("public", "k", "hello")
	before := time.Now()
	c.wantStatus("chstatus", c.post("/chstatus/"+entry("public", "k")+"/status/1"), 200)
	c.wantStatus("lifecycle", c.post("/lifecycle/"+entry("public", "k")+
		"/toIAAfterDays/1/toIntelligentTieringAfterDays/2/toArchiveIRAfterDays/3/toArchiveAfterDays/4/toDeepArchiveAfterDays/5/deleteAfterDays/6"), 200)
	stat, _ := c.get("/stat/" + entry("public", "k")).json(t).(map[string]any)
	moments := map[string]float64{
		"transitionToIA": 1, "transitionToIntelligentTiering": 2, "transitionToArchiveIR": 3,
		"transitionToARCHIVE": 4, "transitionToDeepArchive": 5, "expiration": 6,
	}
	first := before.In(time.FixedZone("CST", 8*60*60))
	midnight := time.Date(first.Year(), first.Month(), first.Day()+1, 0, 0, 0, 0, first.Location()).Unix()
	if stat["transitionToIA"] == float64(midnight+2*24*60*60) {
		midnight += 24 * 60 * 60 // Midnight has struck since.
	}
	for name, days := range moments {
		if want := float64(midnight) + days*24*60*60; stat[name] != want {
			t.Errorf("%s = %v, want %v", name, stat[name], want)
		}
		delete(stat, name)
	}
	want := map[string]any{
		"hash": helloHash, "fsize": 5.0, "mimeType": "text/plain", "type": 0.0, "status": 1.0,
		"md5": "5d41402abc4b2a76b9719d911017c592", "putTime": stat["putTime"],
	}
	if diff := cmp.Diff(want, stat); diff != "" {
		t.Errorf("stat (-want +got)\n%s", diff)
	}
	page, _ := c.get("/list?bucket=public").json(t).(map[string]any)
	want["key"] = "k"
	if diff := cmp.Diff([]any{want}, page["items"]); diff != "" {
		t.Errorf("list (-want +got)\n%s", diff)
	}
}

// A disabled object of a public bucket needs a signed URL.
func TestDownloadDisabled(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	c.put("public", "k", "hello")
	c.wantStatus("enabled", c.download(http.MethodGet, "public", "/k"), 200)
	c.wantStatus("chstatus", c.post("/chstatus/"+entry("public", "k")+"/status/1"), 200)
	c.wantError("unsigned", c.download(http.MethodGet, "public", "/k"), 401, "download token not specified")
	host, err := c.e.DownloadHost("public")
	if err != nil {
		t.Fatal(err)
	}
	if res := c.download(http.MethodGet, "public", c.signed(host, "/k", time.Now().Add(time.Hour))); res.status != 200 || res.body != "hello" {
		t.Errorf("signed: %d %s", res.status, res.body)
	}
	c.wantStatus("chstatus", c.post("/chstatus/"+entry("public", "k")+"/status/0"), 200)
	c.wantStatus("enabled again", c.download(http.MethodGet, "public", "/k"), 200)
}
