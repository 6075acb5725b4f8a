package acctest_test

import (
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"

	"github.com/google/go-cmp/cmp"

	"github.com/qiniu/terraform-provider-kodo/internal/acctest"
)

// A bucket and an object from nothing to nothing through a real Terraform, with
// the writing requests of every step.
func TestAccThroughTheCLI(t *testing.T) {
	t.Parallel()
	h := acctest.New(t)
	config := func(content string) string {
		return h.Config(`
resource "kodo_bucket" "b" {
  name   = "assets"
  region = "z0"
}

resource "kodo_object" "o" {
  bucket  = kodo_bucket.b.name
  key     = "docs/a b.txt"
  content = "` + content + `"
}
`)
	}
	h.Test(
		resource.TestStep{
			Config: config("hello"),
			ConfigStateChecks: []statecheck.StateCheck{
				statecheck.ExpectKnownValue("kodo_object.o", tfjsonpath.New("etag"), knownvalue.StringExact("Fqr0xh3cxeii2r7eDztILNmuqUNN")),
				h.ExpectBuckets("assets"),
				h.ExpectKeys("assets", "docs/a b.txt"),
				h.ExpectContent("assets", "docs/a b.txt", "hello"),
				h.ExpectWrites("POST uc /mkbucketv3/assets/region/z0/private/true", "POST up /"),
			},
		},
		resource.TestStep{
			Config: config("hello, again"),
			ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{
				plancheck.ExpectResourceAction("kodo_bucket.b", plancheck.ResourceActionNoop),
				plancheck.ExpectResourceAction("kodo_object.o", plancheck.ResourceActionUpdate),
			}},
			ConfigStateChecks: []statecheck.StateCheck{
				h.ExpectContent("assets", "docs/a b.txt", "hello, again"),
				h.ExpectWrites("POST up /"),
			},
		},
	)
	want := []string{"POST rs /delete/assets:docs/a b.txt", "POST uc /drop/assets"}
	if diff := cmp.Diff(want, h.Writes()); diff != "" {
		t.Errorf("writing requests of the destroy (-want +got):\n%s", diff)
	}
}
