//go:build unix

package examplestest

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/qiniu/terraform-provider-kodo/internal/emulator"
)

// secret finds the secret key, and every token, link and Authorization header that
// was signed with it: the access key, a colon, and 28 characters of base64.
var secret = regexp.MustCompile(regexp.QuoteMeta(emulator.DefaultAccount().SecretKey) + `|` +
	regexp.QuoteMeta(emulator.DefaultAccount().AccessKey) + `:[A-Za-z0-9_-]{27}=`)

// TestSecrets looks for secrets where none may be: in the text of plans and
// applies, in logs at TRACE, and, as far as ephemeral resources are concerned, in
// the state and the saved plan.
func TestSecrets(t *testing.T) {
	t.Parallel()
	tf := newTerraform(t)
	// Something that is really asked for, so that signed requests are logged.
	const bucket = `
resource "kodo_bucket" "assets" {
  name   = "assets"
  region = "z0"
}
`
	for name, test := range map[string]struct {
		config string
		stored bool // whether the state may hold what was signed
	}{
		"data sources": {stored: true, config: `
data "kodo_upload_token" "t" { bucket = "assets" }
data "kodo_private_url" "u" { url = "https://cdn.example.com/a" }
output "token" {
  value     = data.kodo_upload_token.t.token
  sensitive = true
}
output "link" {
  value     = data.kodo_private_url.u.signed_url
  sensitive = true
}
`},
		"ephemeral resources": {config: `
ephemeral "kodo_upload_token" "t" { bucket = "assets" }
ephemeral "kodo_private_url" "u" { url = "https://cdn.example.com/a" }
locals {
  used = "${ephemeral.kodo_upload_token.t.token} ${ephemeral.kodo_private_url.u.signed_url}"
}
`},
	} {
		if !test.stored && !tf.release.Ephemeral() {
			continue // this Terraform has no ephemeral resources
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			kodo := newEmulator(t)
			file := filepath.Join(t.TempDir(), "main.tf")
			if err := os.WriteFile(file, []byte(test.config+bucket), 0o600); err != nil {
				t.Fatal(err)
			}
			ws := tf.workspace(t, kodo, file)
			log := filepath.Join(t.TempDir(), "trace.log")
			ws.Setenv(map[string]string{"TF_LOG": "TRACE", "TF_LOG_PATH": log})

			shown := map[string]string{}
			for _, args := range [][]string{
				{"plan", "-no-color", "-input=false", "-out=plan.bin"}, {"show", "-no-color", "plan.bin"}, {"apply", "-no-color", "-input=false", "plan.bin"}, {"show", "-no-color"},
			} {
				out, err := ws.Run(t.Context(), args...)
				if err != nil {
					t.Fatal(err)
				}
				shown["terraform "+strings.Join(args, " ")] = string(out)
			}
			shown["the log"] = read(t, log)
			state := read(t, filepath.Join(ws.Dir(), "terraform.tfstate"))
			if test.stored {
				if !secret.MatchString(state) {
					t.Error("the state of the data sources holds no token: the test looks for the wrong thing")
				}
			} else {
				plan, err := ws.Run(t.Context(), "show", "-json", "plan.bin")
				if err != nil {
					t.Fatal(err)
				}
				shown["the state"], shown["the saved plan"] = state, string(plan)
			}
			for where, text := range shown {
				if found := secret.FindString(text); found != "" {
					t.Errorf("%s holds a secret: %s", where, found)
				}
			}
			if !strings.Contains(shown["the log"], "mkbucketv3") {
				t.Error("the log says nothing of the request that made the bucket: the test looks in the wrong place")
			}
		})
	}
}
