package tfkodo_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/qiniu/terraform-provider-kodo/internal/kodo"
	"github.com/qiniu/terraform-provider-kodo/internal/tfkodo"
)

// newProvider is a provider as it is once it has been configured.
func newProvider(t *testing.T) *tfkodo.Provider {
	t.Helper()
	client, err := kodo.New(kodo.Config{AccessKey: "access-key-wxyz", SecretKey: "sk"})
	if err != nil {
		t.Fatal(err)
	}
	return &tfkodo.Provider{Client: client, KeySource: "the provider block"}
}

// failed is an answer of Kodo.
func failed(code int, message string) *kodo.Error {
	return &kodo.Error{
		Op: "stat", Step: kodo.StepCall, Service: "rs", Host: "rs.example.com",
		Code: code, Message: message, RequestID: "req1", Attempts: 1,
	}
}

func TestDiagnose(t *testing.T) {
	t.Parallel()
	const keys = ` The keys come from the provider block; the access key ends in "wxyz".`
	discovery := failed(612, "no such bucket")
	discovery.Step, discovery.Service, discovery.Host = kodo.StepDiscovery, "uc", "uc.example.com"
	notEmpty := failed(403, "drop non empty bucket is not allowed")
	notEmpty.Reason = "BucketNotEmpty"
	throttled := failed(573, "request rate limit exceeded")
	throttled.Attempts = 6
	plain := failed(404, "")
	plain.RequestID = ""
	silent := &kodo.Error{Service: "rs", Host: "rs.example.com", Attempts: 2, Err: errors.New("connection refused")}
	cancelled := &kodo.Error{Service: "rs", Host: "rs.example.com", Attempts: 1, Err: context.Canceled}

	for name, test := range map[string]struct {
		err  error
		want string
	}{
		"401": {
			failed(401, "bad token"),
			`Kodo answered 401 "bad token" (service rs at rs.example.com, request id req1).` + keys + ` Check the access key,`,
		},
		"403": {
			failed(403, "forbidden"),
			`Kodo answered 403 "forbidden" (service rs at rs.example.com, request id req1).` + keys + ` The keys are valid but may not do this`,
		},
		"403 of a bucket with objects": {
			notEmpty,
			`Kodo answered 403 BucketNotEmpty "drop non empty bucket is not allowed" (service rs at rs.example.com, request id req1). The bucket still holds objects.`,
		},
		"404 of Kodo": {failed(404, "not found"), `request id req1).` + keys + ` Kodo's services do not know this request`},
		"404 of a plain web server": {
			plain,
			`What answered at rs.example.com (service rs) is not Kodo: its answer, 404, has no request id, so nothing is concluded from it. Check the provider's endpoint`,
		},
		"612 of the object": {
			fmt.Errorf("stat: %w", failed(612, "no such file or directory")),
			`Kodo answered 612 "no such file or directory" (service rs at rs.example.com, request id req1). It does not exist`,
		},
		"612 of discovery": {
			discovery,
			`Kodo, asked for the hosts of the bucket, answered 612 "no such bucket" (service uc at uc.example.com, request id req1).` + keys + ` There is no such bucket, or it belongs to another account.`,
		},
		"573":                   {throttled, `Kodo answered 573 "request rate limit exceeded" after 6 attempts (service rs at rs.example.com, request id req1). Kodo throttles`},
		"579":                   {failed(579, "callback failed"), `The object is stored, but the callback`},
		"614":                   {failed(614, "file exists"), `Import it`},
		"630":                   {failed(630, "too many buckets"), `as many buckets as it may have`},
		"631":                   {failed(631, "no such bucket"), `request id req1).` + keys + ` There is no such bucket, or it belongs to another account.`},
		"a code without advice": {failed(499, "odd"), `Kodo answered 499 "odd" (service rs at rs.example.com, request id req1).`},
		"no answer": {
			silent,
			`There was no answer from rs.example.com (service rs) after 2 attempts: connection refused. Check the network and the provider's endpoint`,
		},
		"cancelled":       {cancelled, `It was cancelled.`},
		"out of time":     {fmt.Errorf("stat: %w", context.DeadlineExceeded), `The time for it ran out: stat: context deadline exceeded. Give it more time with timeouts.`},
		"not of a server": {errors.New("the file is a folder"), `The file is a folder.`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newProvider(t).Diagnose("Object Not Read", `object "a.txt" could not be read`, test.err)
			if d.Severity() != diag.SeverityError || d.Summary() != "Object Not Read" {
				t.Errorf("got a %s %q", d.Severity(), d.Summary())
			}
			if want := `Object "a.txt" could not be read. `; !strings.HasPrefix(d.Detail(), want) {
				t.Errorf("detail = %q, want it to begin with %q", d.Detail(), want)
			}
			if !strings.Contains(d.Detail(), test.want) {
				t.Errorf("detail = %q, want it to say %q", d.Detail(), test.want)
			}
			if strings.Contains(d.Detail(), "access-key-") {
				t.Errorf("the detail holds more than the end of the access key: %q", d.Detail())
			}
		})
	}
}

// Advice that only the caller can give is a paragraph of its own.
func TestDiagnoseWithAdvice(t *testing.T) {
	t.Parallel()
	d := newProvider(t).Diagnose("Bucket Not Deleted", `bucket "b" could not be deleted`, errors.New("it is full"), "Set force_destroy.")
	if got, want := d.Detail(), "Bucket \"b\" could not be deleted. It is full.\n\nSet force_destroy."; got != want {
		t.Errorf("detail = %q, want %q", got, want)
	}
}

func TestFromProviderData(t *testing.T) {
	t.Parallel()
	var diags diag.Diagnostics
	if got := tfkodo.FromProviderData(nil, &diags); got != nil || got.Known() || diags.HasError() {
		t.Errorf("before configure: %v, %v", got, diags)
	}
	p := newProvider(t)
	if got := tfkodo.FromProviderData(p, &diags); got != p || !got.Known() || diags.HasError() {
		t.Errorf("configured: %v, %v", got, diags)
	}
	if tfkodo.FromProviderData("something else", &diags) != nil || !diags.HasError() {
		t.Error("data of another type is no error")
	}
}

func TestNotKnownYet(t *testing.T) {
	t.Parallel()
	p := &tfkodo.Provider{Unknown: []string{"secret_key", "endpoints.up"}}
	if p.Known() {
		t.Error("a provider without a client is known")
	}
	kept := p.StateKept("the bucket")
	if kept.Severity() != diag.SeverityWarning || !strings.Contains(kept.Detail(), "secret_key, endpoints.up") || !strings.Contains(kept.Detail(), "the bucket") {
		t.Errorf("StateKept = %v", kept)
	}
	failed := p.RequireClient("import a bucket")
	if len(failed) != 1 || !failed.HasError() || !strings.Contains(failed[0].Detail(), "secret_key, endpoints.up") || !strings.Contains(failed[0].Detail(), "import a bucket") {
		t.Errorf("RequireClient = %v", failed)
	}
}
