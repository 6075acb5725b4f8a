package datasources_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/qiniu/terraform-provider-kodo/internal/acctest"
	"github.com/qiniu/terraform-provider-kodo/internal/emulator"
)

// A reader is a data source or an ephemeral resource, in a configuration that works.
type reader struct {
	typeName  string
	ephemeral bool
	config    acctest.Values
	provider  acctest.Values
	service   string // that is asked first, "" if none is
	bucket    string // the argument that names the bucket, "" if none does
	says      string // what is quoted when it fails
}

func readers(h *acctest.Harness) map[string]reader {
	hello := acctest.Values{"bucket": "assets", "key": "hello"}
	offline := hello.With(acctest.Values{"find_upload_url": false})
	link := acctest.Values{"domain": "https://cdn.example.com", "key": "hello"}
	discovers := acctest.Values{"endpoint": nil, "endpoints": acctest.Values{"uc": h.Endpoint()}}
	return map[string]reader{
		"kodo_object":                  {typeName: "kodo_object", config: hello, service: "rs", bucket: "bucket", says: `"hello" in bucket "assets"`},
		"kodo_objects":                 {typeName: "kodo_objects", config: acctest.Values{"bucket": "assets"}, service: "rsf", bucket: "bucket", says: `bucket "assets"`},
		"kodo_objects, keys":           {typeName: "kodo_objects", config: acctest.Values{"bucket": "assets", "keys": []any{"hello"}}, service: "rs", bucket: "bucket", says: `bucket "assets"`},
		"kodo_bucket":                  {typeName: "kodo_bucket", config: acctest.Values{"name": "assets"}, service: "uc", bucket: "name", says: `ucket "assets"`},
		"kodo_buckets":                 {typeName: "kodo_buckets", service: "uc", says: "The buckets of the account"},
		"kodo_upload_token":            {typeName: tokenType, config: hello, provider: discovers, service: "uc", bucket: "bucket", says: `bucket "assets"`},
		"kodo_upload_token, offline":   {typeName: tokenType, config: offline},
		"kodo_private_url":             {typeName: "kodo_private_url", config: link},
		"ephemeral kodo_upload_token":  {typeName: tokenType, ephemeral: true, config: hello, provider: discovers, service: "uc", bucket: "bucket", says: `bucket "assets"`},
		"ephemeral kodo_private_url":   {typeName: "kodo_private_url", ephemeral: true, config: link},
		"ephemeral token, offline too": {typeName: tokenType, ephemeral: true, config: offline},
	}
}

// read asks as a plan does.
func (r reader) read(h *acctest.Harness, provider, config acctest.Values) acctest.Diagnostics {
	server := h.Server(acctest.Values{}.With(r.provider).With(provider))
	read := server.ReadData
	if r.ephemeral {
		read = server.OpenEphemeral
	}
	_, diags := read(r.typeName, acctest.Values{}.With(r.config).With(config))
	return diags
}

// A failure is what may happen to all of them.
type failure struct {
	provider acctest.Values
	bucket   string          // that is asked for instead
	fault    *emulator.Fault // of the service that is asked
	codes    []string        // one of which Kodo answers
	advice   string
}

func failures() map[string]failure {
	return map[string]failure{
		"missing bucket": {bucket: "no-such-bucket", codes: []string{"631", "612"}, advice: "= kodo_bucket.assets.name: then it is made first."},
		"other account": {
			provider: acctest.Values{"access_key": acctest.OtherAccessKey, "secret_key": acctest.OtherSecretKey},
			codes:    []string{"631", "612"}, advice: `the access key ends in "0002". There is no such bucket, or it belongs to another account.`,
		},
		"no permission": {fault: &emulator.Fault{Do: "status", Status: 403}, codes: []string{"403"}, advice: "check what the account or its sub-account is permitted to do."},
		"wrong region":  {fault: &emulator.Fault{Do: "wrong_region"}, codes: []string{"400"}, advice: "the bucket is in another region: "},
		"throttled":     {fault: &emulator.Fault{Do: "status", Status: 573, Times: 9}, codes: []string{"573"}, advice: "Lower the provider's concurrency, "},
	}
}

// Every data source and ephemeral resource says of each failure what it was about,
// Kodo's code, the request id, and what to do. What only signs asks nobody.
func TestRefusals(t *testing.T) {
	t.Parallel()
	h := acctest.New(t, "assets")
	put(t, h, "hello")
	for name, r := range readers(h) {
		h.ClearFaults()
		if diags := r.read(h, nil, nil); len(diags) > 0 {
			t.Fatalf("%s does not work: %s", name, diags)
		}
		for what, f := range failures() {
			if r.service != "" && r.bucket == "" && f.fault == nil {
				continue // of no bucket
			}
			config, says := acctest.Values{}, r.says
			if f.bucket != "" && r.bucket != "" {
				config[r.bucket], says = f.bucket, strings.ReplaceAll(says, "assets", f.bucket)
			}
			h.ClearFaults()
			if f.fault != nil {
				fault := *f.fault
				fault.Match.Service = r.service
				if _, err := h.Fail(fault); err != nil {
					t.Fatal(err)
				}
			}
			h.ResetRequests()
			diags := r.read(h, f.provider, config)
			if r.service == "" {
				if n := len(h.Requests()); n > 0 || len(diags) > 0 {
					t.Errorf("%s, %s: %d requests, %s; want none", name, what, n, diags)
				}
				continue
			}
			if len(diags) != 1 || !diags.HasErrors() {
				t.Errorf("%s, %s: %s; want one error", name, what, diags)
				continue
			}
			detail := diags[0].Detail
			answered := slices.ContainsFunc(f.codes, func(code string) bool { return strings.Contains(detail, "answered "+code+" ") })
			if !answered || !strings.Contains(detail, says) || !strings.Contains(detail, "request id ") || !strings.Contains(detail, f.advice) {
				t.Errorf("%s, %s: %s; want %s, one of %v, a request id, and %q", name, what, detail, says, f.codes, f.advice)
			}
		}
	}
}

// While arguments of the provider block come from resources that are not there yet, each says
// which; and what is not known of its own arguments is no error.
func TestUnknown(t *testing.T) {
	t.Parallel()
	h := acctest.New(t, "assets")
	unknown := acctest.Unknown{}
	for name, r := range readers(h) {
		diags := r.read(h, acctest.Values{"secret_key": unknown}, nil)
		if len(diags) != 1 || diags[0].Summary != "Provider Configuration Not Known Yet" || !strings.Contains(diags[0].Detail, "not known yet: secret_key.") ||
			!strings.Contains(diags[0].Detail, "for example with -target") {
			t.Errorf("%s, unknown keys: %s", name, diags)
		}
		if r.bucket == "bucket" {
			diags := r.read(h, acctest.Values{"bucket": unknown}, acctest.Values{"bucket": nil})
			if len(diags) != 1 || diags[0].Summary != "Provider Configuration Not Known Yet" || !strings.Contains(diags[0].Detail, "Set bucket here") {
				t.Errorf("%s, unknown default bucket: %s", name, diags)
			}
		}
		if r.ephemeral {
			continue // Terraform opens none before all is known
		}
		config := acctest.Values{}
		for argument := range r.config {
			config[argument] = unknown
		}
		if diags := h.Server(nil).ValidateData(r.typeName, config); len(diags) > 0 {
			t.Errorf("%s of what is not known: %s", name, diags)
		}
	}
}
