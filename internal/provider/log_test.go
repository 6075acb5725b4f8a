package provider_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-log/tflogtest"
	"github.com/hashicorp/terraform-plugin-log/tfsdklogtest"

	"github.com/qiniu/terraform-provider-kodo/internal/acctest"
	"github.com/qiniu/terraform-provider-kodo/internal/emulator"
	"github.com/qiniu/terraform-provider-kodo/internal/kodo"
)

// Every exchange is one line of the debug log, and no line holds a key, a
// signature or a token, whatever the answer is.
func TestLogHoldsNoSecrets(t *testing.T) {
	t.Parallel()
	h := acctest.New(t, "assets")
	var log bytes.Buffer
	ctx := tflogtest.RootLogger(t.Context(), &log)
	data := configured(ctx, t, environment(nil, t.TempDir()), h.ProviderConfig())
	if _, err := data.Client.Put(ctx, kodo.Put{
		Bucket: "assets", Key: "a.txt", Content: strings.NewReader("hello"), ContentType: "text/plain", Guard: kodo.IfAbsent(),
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := data.Client.Stat(ctx, "missing", "a.txt"); err == nil {
		t.Error("a stat in a bucket that is not there gave no error")
	}
	wrong := configured(ctx, t, environment(nil, t.TempDir()), acctest.Values{
		"access_key": acctest.AccessKey, "secret_key": "sk-that-is-wrong", "endpoint": h.Endpoint(),
	})
	_, err := wrong.Client.Bucket(ctx, "assets")
	if kodo.CodeOf(err) != 401 {
		t.Errorf("a wrong secret key gave %v, want 401", err)
	}

	text := log.String()
	if got, want := strings.Count(text, `"@message":"Kodo exchange"`), len(h.Requests()); got != want {
		t.Errorf("there are %d lines for %d exchanges:\n%s", got, want, text)
	}
	for _, part := range []string{`"method":"POST"`, `"service":"up"`, `"status":401`, `"request_id":"`} {
		if !strings.Contains(text, part) {
			t.Errorf("no line says %s:\n%s", part, text)
		}
	}
	text += fmt.Sprint(err, wrong.Diagnose("Bucket Not Read", `bucket "assets" could not be read`, err))
	for _, secret := range []string{acctest.SecretKey, acctest.AccessKey, "sk-that-is-wrong", "Qiniu ", "UpToken", "Authorization"} {
		if strings.Contains(text, secret) {
			t.Errorf("the log or the error holds %q:\n%s", secret, text)
		}
	}
}

// A log that is off has no lines.
func TestLogOff(t *testing.T) {
	t.Parallel()
	h := acctest.New(t, "assets")
	for level, want := range map[string]int{"": 1, "DEBUG": 1, "OFF": 0} {
		var log bytes.Buffer
		ctx := tflogtest.RootLogger(t.Context(), &log)
		data := configured(ctx, t, environment(map[string]string{"TF_LOG_PROVIDER_KODO": level}, t.TempDir()), h.ProviderConfig())
		if _, err := data.Client.Bucket(ctx, "assets"); err != nil {
			t.Fatal(err)
		}
		if got := strings.Count(log.String(), `"@message":"Kodo exchange"`); got != want {
			t.Errorf("level %q: %d lines, want %d", level, got, want)
		}
	}
}

// A large upload says how far it is, and leaves a record where the provider block says.
func TestLargeUploads(t *testing.T) {
	t.Parallel()
	h := acctest.New(t, "assets")
	// All parts arrive, and then they cannot become an object.
	fault := emulator.Fault{Match: emulator.Match{Method: "POST", Path: "/buckets/*/uploads/?*"}, Do: "status", Status: 599}
	if _, err := h.Fail(fault); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, 64<<20); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		dir  string
		want int
	}{"on": {t.TempDir(), 1}, "off": {"", 0}} {
		var log bytes.Buffer
		ctx := tflogtest.RootLogger(t.Context(), &log)
		config := h.ProviderConfig()
		config["max_retries"], config["resume_dir"] = 0, test.dir
		file, err := kodo.OpenFile(path)
		if err != nil {
			t.Fatal(err)
		}
		_, err = configured(ctx, t, environment(nil, t.TempDir()), config).Client.Put(ctx, kodo.Put{
			Bucket: "assets", Key: "large", Content: file, ContentType: "text/plain", Guard: kodo.IfAbsent(),
		})
		if kodo.CodeOf(err) != 599 {
			t.Errorf("%s: %v, want 599", name, err)
		}
		if err := file.Close(); err != nil {
			t.Error(err)
		}
		records, err := filepath.Glob(filepath.Join(test.dir, "kodo-upload-*"))
		if err != nil || len(records) != test.want {
			t.Errorf("%s: records %q, %v, want %d", name, records, err, test.want)
		}
		if !strings.Contains(log.String(), `"@message":"Kodo upload","@module":"provider","bucket":"assets","key":"large","sent":`) {
			t.Errorf("%s: no line says how far it is:\n%s", name, &log)
		}
	}
}

// The same for everything that the framework logs of plans and applies.
func TestProtocolLogHoldsNoSecrets(t *testing.T) {
	t.Parallel()
	h := acctest.New(t)
	var log, frameworkLog bytes.Buffer
	s := h.Session()
	s.Context = tfsdklogtest.RootLogger(tflogtest.RootLogger(t.Context(), &log), &frameworkLog)
	mustApply(t, s, s.Plan(assets))
	mustApply(t, s, s.Plan(assets, page("hello")))
	mustApply(t, s, s.Plan(assets, page("hello, again")))
	mustApply(t, s, s.Plan())

	if !strings.Contains(log.String(), "Kodo exchange") || !strings.Contains(frameworkLog.String(), `"@level":"trace"`) {
		t.Fatalf("the logs do not hold what they should:\n%s\n%s", log.String(), frameworkLog.String())
	}
	for _, secret := range []string{acctest.SecretKey, acctest.AccessKey, "UpToken", "Authorization"} {
		if strings.Contains(log.String(), secret) || strings.Contains(frameworkLog.String(), secret) {
			t.Errorf("a log holds %q", secret)
		}
	}
}
