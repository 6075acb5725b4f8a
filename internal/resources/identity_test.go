package resources_test

import (
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"

	"github.com/qiniu/terraform-provider-kodo/internal/acctest"
)

// TestAccGone drops a bucket and an object behind Terraform's back. Terraform
// before 1.12 keeps no identity, so Read has to answer one also for what is gone.
func TestAccGone(t *testing.T) {
	t.Parallel()
	h := acctest.New(t, "assets")
	config := h.Config(`
		resource "kodo_bucket" "site" {
		  name   = "site"
		  region = "z0"
		}
		resource "kodo_object" "page" {
		  bucket  = "assets"
		  key     = "page.html"
		  content = "hello"
		}`)
	h.Test(
		resource.TestStep{Config: config},
		resource.TestStep{
			PreConfig: func() {
				if err := h.Engine().DropBucket(acctest.AccessKey, "site"); err != nil {
					t.Fatal(err)
				}
				if err := h.Engine().Delete(acctest.AccessKey, "assets", pageKey); err != nil {
					t.Fatal(err)
				}
			},
			Config: config,
			ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{
				plancheck.ExpectResourceAction("kodo_bucket.site", plancheck.ResourceActionCreate),
				plancheck.ExpectResourceAction("kodo_object.page", plancheck.ResourceActionCreate),
			}},
		},
	)
}

// TestImportByIDOfNothing is the protocol-level twin: an import by id brings no
// identity either, whatever the version of Terraform.
func TestImportByIDOfNothing(t *testing.T) {
	t.Parallel()
	h := acctest.New(t, "assets")
	s := h.Session()
	expectError(t, s.Import(pageAddress, "assets/nothing"), "Cannot import non-existent remote object")
}
