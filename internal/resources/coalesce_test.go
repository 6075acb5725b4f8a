package resources_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/terraform"

	"github.com/qiniu/terraform-provider-kodo/internal/acctest"
	"github.com/qiniu/terraform-provider-kodo/internal/emulator"
)

// TestObjectsReadTogether refreshes a thousand objects at once. What is asked
// for while a request is under way shares the next one: the first is held until
// all are asked for.
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
	refreshed := &reads{most: objects, together: objects}
	s.Wrap = refreshed.count
	holdEach(t, h, emulator.Match{Service: "rs"}, 1, refreshed.full)
	h.ResetRequests()
	expectEmptyPlan(t, s, blocks...)
	if n := len(h.Requests()); n > most {
		t.Errorf("%d requests for %d objects, want at most %d", n, objects, most)
	}
}

// TestAccObjectsReadTogether lets a real Terraform refresh, ten objects at a time. Each request is held until Terraform
// waits for as many objects as it ever does: what a slow network and a fast machine come to.
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
	refreshed := &reads{most: objects, together: 10} // which is Terraform's -parallelism
	h.Wrap = refreshed.count
	h.Test(
		resource.TestStep{Config: config},
		resource.TestStep{
			PreConfig: func() {
				refreshed.reset()
				holdEach(t, h, emulator.Match{Service: "rs"}, objects, refreshed.full)
				h.ResetRequests()
			},
			RefreshState: true,
			Check: func(*terraform.State) error {
				h.ClearFaults()
				if n := len(h.Requests()); n > objects/4 {
					return fmt.Errorf("%d requests for %d objects, want at most a quarter", n, objects)
				}
				return nil
			},
		},
	)
}

// reads are those that a Terraform asks a provider for.
type reads struct {
	most     int // that it will ask for
	together int // that it asks for at a time

	mu              sync.Mutex
	begun, answered int
}

// full reports whether it asks for no more before it has an answer.
func (r *reads) full() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.begun == min(r.most, r.answered+r.together)
}

func (r *reads) reset() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.begun, r.answered = 0, 0
}

// count wraps a provider whose reads count.
func (r *reads) count(server tfprotov6.ProviderServer) tfprotov6.ProviderServer {
	return &readCounter{ProviderServer: server, reads: r}
}

type readCounter struct {
	tfprotov6.ProviderServer

	reads *reads
}

func (c *readCounter) ReadResource(ctx context.Context, req *tfprotov6.ReadResourceRequest) (*tfprotov6.ReadResourceResponse, error) {
	c.reads.mu.Lock()
	c.reads.begun++
	c.reads.mu.Unlock()
	defer func() {
		c.reads.mu.Lock()
		c.reads.answered++
		c.reads.mu.Unlock()
	}()
	return c.ProviderServer.ReadResource(ctx, req)
}
