package ephemerals_test

import (
	"regexp"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"

	"github.com/qiniu/terraform-provider-kodo/internal/acctest"
)

// TestAccEphemerals has a real Terraform open each of them and pass it on. One that
// is too old leaves that to the tests of the data sources, which open the ephemeral
// resources through the provider protocol.
func TestAccEphemerals(t *testing.T) {
	t.Parallel()
	h := acctest.New(t)
	if !h.CLI().Ephemeral() {
		return
	}
	echoed := func(name string, want knownvalue.Check) statecheck.StateCheck {
		return statecheck.ExpectKnownValue("echo.it", tfjsonpath.New("data").AtMapKey(name), want)
	}
	signed := regexp.MustCompile(regexp.QuoteMeta(acctest.AccessKey) + `:[\w-]{27}=`)
	h.Test(
		resource.TestStep{
			Config: h.Config(`
ephemeral "kodo_upload_token" "it" {
  bucket     = "assets"
  key        = "a.txt"
  expires_at = "2099-01-01T00:00:00Z"
}
provider "echo" {
  data = ephemeral.kodo_upload_token.it
}
resource "echo" "it" {}
`),
			ConfigStateChecks: []statecheck.StateCheck{
				echoed("token", knownvalue.StringRegexp(signed)),
				echoed("upload_url", knownvalue.StringExact(h.Endpoint())),
				echoed("expires_at", knownvalue.StringExact("2099-01-01T00:00:00Z")),
			},
		},
	)
	h.Test(
		resource.TestStep{
			Config: h.Config(`
ephemeral "kodo_private_url" "it" {
  domain = "cdn.example.com"
  key    = "a b.txt"
}
provider "echo" {
  data = ephemeral.kodo_private_url.it
}
resource "echo" "it" {}
`),
			ConfigStateChecks: []statecheck.StateCheck{
				echoed("signed_url", knownvalue.StringRegexp(regexp.MustCompile(`^http://cdn\.example\.com/a%20b\.txt\?e=\d+&token=`))),
				echoed("signed_url", knownvalue.StringRegexp(signed)),
			},
		},
	)
}
