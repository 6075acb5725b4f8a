package resources_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/terraform"

	"github.com/qiniu/terraform-provider-kodo/internal/acctest"
	"github.com/qiniu/terraform-provider-kodo/internal/emulator"
)

// TestObjectsReadTogether refreshes a thousand objects at once. What is asked
// for while a request is under way shares the next one.
func TestObjectsReadTogether(t *testing.T) {
	t.Parallel()
	const objects, most = 1000, 50
	h := acctest.New(t, "assets")
	s := h.Session()
	s.Parallelism = objects
	var blocks []acctest.Resource
	for i := range objects {
		key := fmt.Sprintf("%04d.txt", i)
		put(t, h, "assets", key, "hello")
		blocks = append(blocks, acctest.Resource{
			Address: "kodo_object.o" + key, Config: values{"bucket": "assets", "key": key}, ImportID: "assets/" + key,
		})
	}
	apply(t, s, blocks...)
	h.ResetRequests()
	expectEmptyPlan(t, s, blocks...)
	if n := len(h.Requests()); n > most {
		t.Errorf("%d requests for %d objects, want at most %d", n, objects, most)
	}
}

// TestAccObjectsReadTogether lets a real Terraform refresh, ten objects at a
// time, with a network that takes its time: long enough for a busy machine to
// ask ten times meanwhile.
func TestAccObjectsReadTogether(t *testing.T) {
	t.Parallel()
	const objects = 100
	h := acctest.New(t, "assets")
	config := h.Config(fmt.Sprintf(`
		resource "kodo_object" "o" {
		  count   = %d
		  bucket  = "assets"
		  key     = "${count.index}.txt"
		  content = "hello"
		}`, objects))
	// The best of three, so that a machine that is busy for a moment does not decide.
	least := objects
	refresh := resource.TestStep{
		PreConfig:    h.ResetRequests,
		RefreshState: true,
		Check: func(*terraform.State) error {
			least = min(least, len(h.Requests()))
			return nil
		},
	}
	first := refresh
	first.PreConfig = func() {
		fail(t, h, emulator.Fault{Do: "delay", Delay: emulator.Delay(200 * time.Millisecond)})
		h.ResetRequests()
	}
	last := refresh
	last.Check = func(*terraform.State) error {
		h.ClearFaults()
		if least = min(least, len(h.Requests())); least > objects/4 {
			return fmt.Errorf("%d requests for %d objects, want at most a quarter", least, objects)
		}
		return nil
	}
	h.Test(resource.TestStep{Config: config}, first, refresh, last)
}
