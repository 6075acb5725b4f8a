package provider_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	frameworkprovider "github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/qiniu/terraform-provider-kodo/internal/acctest"
	"github.com/qiniu/terraform-provider-kodo/internal/kodo"
	"github.com/qiniu/terraform-provider-kodo/internal/provider"
	"github.com/qiniu/terraform-provider-kodo/internal/tfkodo"
)

// expectError expects exactly one error, on this argument, whose text says all of this.
func expectError(t *testing.T, diags diag.Diagnostics, on path.Path, summary string, says ...string) {
	t.Helper()
	all := diags.Errors()
	if len(all) != 1 {
		t.Fatalf("there are %d errors, want one %q: %v", len(all), summary, all)
	}
	if all[0].Summary() != summary {
		t.Errorf("summary = %q, want %q", all[0].Summary(), summary)
	}
	if with, ok := all[0].(diag.DiagnosticWithPath); !ok || !with.Path().Equal(on) {
		t.Errorf("the error is not on %s: %v", on, all[0])
	}
	for _, text := range says {
		if !strings.Contains(all[0].Detail(), text) {
			t.Errorf("the detail does not say %q: %s", text, all[0].Detail())
		}
	}
}

// keysAnd is a block with keys and more.
func keysAnd(more acctest.Values) acctest.Values {
	block := acctest.Values{"access_key": "ak-block", "secret_key": "sk-block"}
	for argument, value := range more {
		block[argument] = value
	}
	return block
}

// Each argument is judged on its own attribute before anything is configured.
func TestInvalidArguments(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		block acctest.Values
		on    string
		says  string
	}{
		"empty access key":          {acctest.Values{"access_key": "", "secret_key": "sk-block"}, `AttributeName("access_key")`, "an empty text"},
		"secret key with a space":   {acctest.Values{"access_key": "ak", "secret_key": "sk-block "}, `AttributeName("secret_key")`, "white space"},
		"empty profile":             {acctest.Values{"profile": ""}, `AttributeName("profile")`, "at least 1"},
		"bucket in capitals":        {keysAnd(acctest.Values{"bucket": "Assets"}), `AttributeName("bucket")`, `"Assets"`},
		"domain with a path":        {keysAnd(acctest.Values{"bucket": "assets", "domain": "cdn.example.com/a"}), `AttributeName("domain")`, `"cdn.example.com/a"`},
		"endpoint without scheme":   {keysAnd(acctest.Values{"endpoint": "127.0.0.1:9797"}), `AttributeName("endpoint")`, `"127.0.0.1:9797"`},
		"endpoint with a path":      {keysAnd(acctest.Values{"endpoint": "http://127.0.0.1/x"}), `AttributeName("endpoint")`, "http://127.0.0.1:9797"},
		"endpoint with a password":  {keysAnd(acctest.Values{"endpoint": "http://u:sk-block@h"}), `AttributeName("endpoint")`, "password"},
		"endpoint of one service":   {keysAnd(acctest.Values{"endpoints": acctest.Values{"rsf": "ftp://h"}}), `AttributeName("endpoints").AttributeName("rsf")`, `"ftp://h"`},
		"negative retries":          {keysAnd(acctest.Values{"max_retries": -1}), `AttributeName("max_retries")`, "between 0 and 20"},
		"too many retries":          {keysAnd(acctest.Values{"max_retries": 21}), `AttributeName("max_retries")`, "between 0 and 20"},
		"no concurrency":            {keysAnd(acctest.Values{"concurrency": 0}), `AttributeName("concurrency")`, "between 1 and 256"},
		"too much concurrency":      {keysAnd(acctest.Values{"concurrency": 257}), `AttributeName("concurrency")`, "between 1 and 256"},
		"idle timeout as a number":  {keysAnd(acctest.Values{"idle_timeout": "30"}), `AttributeName("idle_timeout")`, `"30s"`},
		"idle timeout of a moment":  {keysAnd(acctest.Values{"idle_timeout": "10ms"}), `AttributeName("idle_timeout")`, `"10ms"`},
		"idle timeout of two hours": {keysAnd(acctest.Values{"idle_timeout": "2h"}), `AttributeName("idle_timeout")`, `"2h"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := acctest.NewServer(t.Context(), t, provider.NewIn("test", environment(nil, t.TempDir())))
			errors := server.Validate(test.block).Errors()
			if len(errors) != 1 {
				t.Fatalf("there are %d errors, want 1: %s", len(errors), errors)
			}
			if got := errors[0].Attribute.String(); got != test.on {
				t.Errorf("the error is on %s, want %s", got, test.on)
			}
			if !strings.Contains(errors[0].Detail, test.says) {
				t.Errorf("the detail does not say %s: %s", test.says, errors[0].Detail)
			}
			if strings.Contains(errors[0].Detail, "sk-block") {
				t.Errorf("the detail holds a secret: %s", errors[0].Detail)
			}
		})
	}
}

func TestValidArguments(t *testing.T) {
	t.Parallel()
	server := acctest.NewServer(t.Context(), t, provider.NewIn("test", environment(nil, t.TempDir())))
	diags := server.Validate(acctest.Values{
		"access_key": "ak", "secret_key": "sk", "profile": "work", "bucket": "assets-2024", "domain": "https://cdn.example.com:8443",
		"endpoint":    "http://127.0.0.1:9797/",
		"endpoints":   acctest.Values{"uc": "https://uc.example.com"},
		"max_retries": 0, "idle_timeout": "1m30s", "concurrency": 256, "resume_dir": "",
	})
	if len(diags) != 0 {
		t.Error(diags)
	}
}

func TestFaultyEnvironment(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		env map[string]string
		on  string
	}{
		"QINIU_ENDPOINT":      {map[string]string{"QINIU_ENDPOINT": "127.0.0.1:9797"}, "endpoint"},
		"QINIU_BUCKET_NAME":   {map[string]string{"QINIU_BUCKET_NAME": "My Bucket"}, "bucket"},
		"QINIU_BUCKET_DOMAIN": {map[string]string{"QINIU_BUCKET_NAME": "assets", "QINIU_BUCKET_DOMAIN": "cdn.example.com/a"}, "domain"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			resp := configure(t.Context(), t, environment(test.env, t.TempDir()), keysAnd(nil))
			expectError(t, resp.Diagnostics, path.Root(test.on), "Invalid Environment Variable", name)
		})
	}
}

func TestEndpointFromTheEnvironmentWarns(t *testing.T) {
	t.Parallel()
	url, signers := witness(t, "sk-block")
	env := environment(map[string]string{"QINIU_ENDPOINT": url}, t.TempDir())
	resp := configure(t.Context(), t, env, keysAnd(nil))
	warnings := resp.Diagnostics.Warnings()
	if len(warnings) != 1 || !strings.Contains(warnings[0].Detail(), "QINIU_ENDPOINT") || !strings.Contains(warnings[0].Detail(), url) {
		t.Errorf("warnings = %v, want one that names QINIU_ENDPOINT and %s", warnings, url)
	}
	data := configured(t.Context(), t, env, keysAnd(nil))
	if _, err := data.Client.Bucket(t.Context(), "assets"); err == nil {
		t.Fatal("a 401 gave no error")
	}
	if got, want := <-signers, "ak-block with sk-block"; got != want {
		t.Errorf("the request was signed by %s, want %s", got, want)
	}
	if got, want := data.Scheme, types.StringValue("http"); !got.Equal(want) {
		t.Errorf("Scheme = %s, want %s", got, want)
	}

	if resp := configure(t.Context(), t, env, keysAnd(acctest.Values{"endpoint": "https://h"})); len(resp.Diagnostics) != 0 {
		t.Errorf("an endpoint in the block gives %v", resp.Diagnostics)
	}
}

// One service can be elsewhere than all others.
func TestEndpointOfOneService(t *testing.T) {
	t.Parallel()
	all, _ := witness(t)
	uc, signers := witness(t, "sk-block")
	data := configured(t.Context(), t, environment(nil, t.TempDir()), keysAnd(acctest.Values{
		"endpoint": all, "endpoints": acctest.Values{"uc": uc + "/"},
	}))
	if _, err := data.Client.Bucket(t.Context(), "assets"); err == nil {
		t.Fatal("a 401 gave no error")
	}
	select {
	case got := <-signers:
		if want := "ak-block with sk-block"; got != want {
			t.Errorf("the request was signed by %s, want %s", got, want)
		}
	default:
		t.Error("the request did not go to endpoints.uc")
	}
}

func TestDefaultBucketAndItsDomain(t *testing.T) {
	t.Parallel()
	both := map[string]string{"QINIU_BUCKET_NAME": "env", "QINIU_BUCKET_DOMAIN": "env.example.com"}
	null, unknown, text := types.StringNull(), types.StringUnknown(), types.StringValue
	for name, test := range map[string]struct {
		block          acctest.Values
		env            map[string]string
		bucket, domain types.String
	}{
		"none":        {nil, nil, null, null},
		"block":       {acctest.Values{"bucket": "block", "domain": "block.example.com"}, both, text("block"), text("block.example.com")},
		"environment": {nil, both, text("env"), text("env.example.com")},
		"the environment's domain is not another bucket's": {acctest.Values{"bucket": "block"}, both, text("block"), null},
		"the environment's domain of the same bucket":      {acctest.Values{"bucket": "env"}, both, text("env"), text("env.example.com")},
		"domain of the environment alone":                  {acctest.Values{"bucket": "block"}, map[string]string{"QINIU_BUCKET_DOMAIN": "env.example.com"}, text("block"), text("env.example.com")},
		"domain of no bucket":                              {nil, map[string]string{"QINIU_BUCKET_DOMAIN": "env.example.com"}, null, null},
		"unknown":                                          {acctest.Values{"bucket": acctest.Unknown{}, "domain": acctest.Unknown{}}, both, unknown, unknown},
		"unknown domain of no bucket":                      {acctest.Values{"domain": acctest.Unknown{}}, nil, null, unknown},
		"unknown bucket":                                   {acctest.Values{"bucket": acctest.Unknown{}}, both, unknown, unknown},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			data := configured(t.Context(), t, environment(test.env, t.TempDir()), keysAnd(test.block))
			if !data.Bucket.Equal(test.bucket) || !data.Domain.Equal(test.domain) {
				t.Errorf("bucket %s and domain %s, want %s and %s", data.Bucket, data.Domain, test.bucket, test.domain)
			}
			if !data.Known() {
				t.Errorf("there is no client, as if it needed %v", data.Unknown)
			}
		})
	}

	resp := configure(t.Context(), t, environment(nil, t.TempDir()), keysAnd(acctest.Values{"domain": "cdn.example.com"}))
	expectError(t, resp.Diagnostics, path.Root("domain"), "Domain Without a Bucket", "QINIU_BUCKET_NAME")
}

// What the client needs and is not known yet is named, and nothing is made of it.
func TestUnknownArguments(t *testing.T) {
	t.Parallel()
	u := acctest.Unknown{}
	env := map[string]string{"QINIU_ENDPOINT": "http://127.0.0.1:1", "QINIU_ACCESS_KEY": "ak-env", "QINIU_SECRET_KEY": "sk-env"}
	for name, test := range map[string]struct {
		block  acctest.Values
		want   []string
		scheme types.String
	}{
		"access key":         {acctest.Values{"access_key": u, "endpoint": "https://h"}, []string{"access_key"}, types.StringValue("https")},
		"secret key":         {acctest.Values{"access_key": "ak", "secret_key": u, "endpoint": "https://h"}, []string{"secret_key"}, types.StringValue("https")},
		"profile":            {acctest.Values{"profile": u, "endpoint": "https://h"}, []string{"profile"}, types.StringValue("https")},
		"profile not needed": {keysAnd(acctest.Values{"profile": u, "endpoint": "https://h"}), nil, types.StringValue("https")},
		"endpoint":           {keysAnd(acctest.Values{"endpoint": u}), []string{"endpoint"}, types.StringUnknown()},
		"endpoints":          {keysAnd(acctest.Values{"endpoint": "http://h", "endpoints": u}), []string{"endpoints"}, types.StringValue("http")},
		"one of endpoints":   {keysAnd(acctest.Values{"endpoint": "http://h", "endpoints": acctest.Values{"up": u}}), []string{"endpoints.up"}, types.StringValue("http")},
		"limits":             {keysAnd(acctest.Values{"endpoint": "http://h", "max_retries": u, "idle_timeout": u, "concurrency": u, "resume_dir": u}), []string{"max_retries", "idle_timeout", "concurrency", "resume_dir"}, types.StringValue("http")},
		"keys and endpoint":  {acctest.Values{"access_key": u, "secret_key": u, "endpoint": u}, []string{"access_key", "secret_key", "endpoint"}, types.StringUnknown()},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			resp := configure(t.Context(), t, environment(env, t.TempDir()), test.block)
			if len(resp.Diagnostics) != 0 {
				t.Errorf("diagnostics = %v, want none", resp.Diagnostics)
			}
			data := configured(t.Context(), t, environment(env, t.TempDir()), test.block)
			if diff := cmp.Diff(test.want, data.Unknown); diff != "" {
				t.Errorf("Unknown (-want +got):\n%s", diff)
			}
			if got, want := data.Known(), test.want == nil; got != want {
				t.Errorf("Known() = %t, want %t", got, want)
			}
			if !data.Scheme.Equal(test.scheme) {
				t.Errorf("Scheme = %s, want %s", data.Scheme, test.scheme)
			}
		})
	}
}

const childVariable = "KODO_PROVIDER_TEST_CHILD"

// The SDK reads variables and a file of its own when the process starts, and
// net/http reads those of proxies: either could send requests elsewhere. So the
// test needs a process of its own.
func TestProcessEnvironment(t *testing.T) {
	t.Parallel()
	var trapped atomic.Int32
	trap := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { trapped.Add(1) }))
	defer trap.Close()
	home := homeWith(t, fmt.Sprintf("[default]\naccess_key = 'ak-file'\nsecret_key = 'sk-file'\nbucket_url = %q\ndisable_secure_protocol = true\n", trap.URL))
	h := acctest.New(t, "assets")

	for child, want := range map[string]string{
		"endpoint=" + h.Endpoint():     "612",
		"endpoints.uc=" + h.Endpoint(): "612",
		"endpoint=http://0.0.0.0:1":    "0", // no proxy is asked: nobody answers, at an address that Go does not take for loopback
	} {
		cmd := exec.CommandContext(t.Context(), os.Args[0])
		cmd.Env = []string{
			childVariable + "=" + child,
			"QINIU_ACCESS_KEY=" + acctest.AccessKey, "QINIU_SECRET_KEY=" + acctest.SecretKey,
			"HOME=" + home, "TMPDIR=" + t.TempDir(), "GOCOVERDIR=" + t.TempDir(),
			"QINIU_BUCKET_URL=" + trap.URL, "QINIU_UC_HOST=" + trap.URL, "DISABLE_QINIU_SECURE_PROTOCOL=true",
			"HTTP_PROXY=" + trap.URL, "http_proxy=" + trap.URL, "HTTPS_PROXY=" + trap.URL,
		}
		output, err := cmd.CombinedOutput()
		if err != nil || string(output) != want {
			t.Errorf("%s: the process printed %q, %v; want the code %s alone", child, output, err, want)
		}
	}
	if n := trapped.Load(); n != 0 {
		t.Errorf("%d requests went where the environment pointed", n)
	}
}

// statInProcessEnvironment asks for an object that is not there, with a
// provider in the environment of the process, and prints the code of the
// answer. It returns the exit code.
func statInProcessEnvironment() int {
	argument, url, _ := strings.Cut(os.Getenv(childVariable), "=")
	block := acctest.Values{argument: url, "max_retries": 0}
	if service, ok := strings.CutPrefix(argument, "endpoints."); ok {
		block = acctest.Values{"endpoints": acctest.Values{service: url}}
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	p := provider.New("test")()
	var schema frameworkprovider.SchemaResponse
	p.Schema(ctx, frameworkprovider.SchemaRequest{}, &schema)
	raw, err := acctest.Encode(schema.Schema.Type().TerraformType(ctx), block)
	if err != nil {
		fmt.Println(err)
		return 1
	}
	var resp frameworkprovider.ConfigureResponse
	p.Configure(ctx, frameworkprovider.ConfigureRequest{Config: tfsdk.Config{Raw: raw, Schema: schema.Schema}}, &resp)
	data, ok := resp.ResourceData.(*tfkodo.Provider)
	if !ok {
		fmt.Println(resp.Diagnostics)
		return 1
	}
	if _, err = data.Client.Stat(ctx, "assets", "missing.txt"); err == nil {
		return 1
	}
	fmt.Print(kodo.CodeOf(err))
	return 0
}
