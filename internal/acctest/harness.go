// Package acctest is the harness of the acceptance tests: an emulator of Kodo
// for each test, and two ways to drive the provider against it. Test runs a
// real Terraform or OpenTofu; Session does what Terraform core does, through
// the provider protocol and within the process.
//
// It must never need an account, a network or an environment variable, and
// tests share nothing: they all run in parallel.
package acctest

import (
	"fmt"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-testing/echoprovider"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"

	"github.com/qiniu/terraform-provider-kodo/internal/emulator"
	kodoprovider "github.com/qiniu/terraform-provider-kodo/internal/provider"
	"github.com/qiniu/terraform-provider-kodo/internal/workspace"
)

// The keys of the two accounts that the emulator of a test knows.
const (
	AccessKey = "acctest-access-key-0001"
	SecretKey = "acctest-secret-key-of-0001"

	OtherAccessKey = "acctest-access-key-0002"
	OtherSecretKey = "acctest-secret-key-of-0002"
)

// Harness is an emulator of Kodo, and what a test needs to drive a provider
// against it.
type Harness struct {
	*emulator.Emulator

	// Wrap stands between Terraform and each provider that Test serves, unless it is nil.
	Wrap func(tfprotov6.ProviderServer) tfprotov6.ProviderServer

	t    *testing.T
	home string
	now  func() time.Time
}

// New starts an emulator that lives as long as the test. It has two accounts,
// and private buckets of these names, which belong to the first.
func New(t *testing.T, buckets ...string) *Harness {
	t.Helper()
	options := emulator.Options{
		Accounts: []emulator.Account{
			{AccessKey: AccessKey, SecretKey: SecretKey},
			{AccessKey: OtherAccessKey, SecretKey: OtherSecretKey},
		},
	}
	for _, name := range buckets {
		options.Buckets = append(options.Buckets, emulator.BucketSpec{Name: name})
	}
	e, err := emulator.New(options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Errorf("closing the emulator: %v", err)
		}
	})
	return &Harness{Emulator: e, t: t, home: t.TempDir(), now: time.Now}
}

// NewProvider makes providers that see an empty environment and an empty home folder.
func (h *Harness) NewProvider() func() provider.Provider {
	return kodoprovider.NewIn("test", kodoprovider.Environment{
		Getenv: func(string) string { return "" },
		Home:   func() (string, error) { return h.home, nil },
		Now:    h.now,
	})
}

// SetClock is how the providers that are made from now on tell the time.
func (h *Harness) SetClock(now func() time.Time) { h.now = now }

// Home is the home folder that the providers see.
func (h *Harness) Home() string { return h.home }

// ProviderConfig is the provider block for the first account of the emulator.
func (h *Harness) ProviderConfig() Values {
	return Values{
		"access_key":  AccessKey,
		"secret_key":  SecretKey,
		"endpoint":    h.Endpoint(),
		"max_retries": 1,
	}
}

// Session returns an empty state, to be driven through the provider protocol
// with the provider block of ProviderConfig.
func (h *Harness) Session() *Session {
	return NewSession(h.t, h.NewProvider(), h.ProviderConfig())
}

// Config is a configuration in HCL: the provider block for the first account,
// and what follows it.
func (h *Harness) Config(hcl string) string {
	return fmt.Sprintf(`
provider "kodo" {
  access_key  = %q
  secret_key  = %q
  endpoint    = %q
  max_retries = 1
}
%s`, AccessKey, SecretKey, h.Endpoint(), hcl)
}

// CLI is the Terraform or OpenTofu that Test runs. A test of what it cannot do yet
// has a twin that goes through the provider protocol.
func (h *Harness) CLI() workspace.Release {
	h.t.Helper()
	release, err := prepareCLI()
	if err != nil {
		h.t.Fatal(err)
	}
	return release
}

// Test runs steps through a real Terraform or OpenTofu, and destroys at the
// end what they made. Where there is neither, OpenTofu is built first; the test
// is never skipped.
func (h *Harness) Test(steps ...resource.TestStep) {
	h.t.Helper()
	h.CLI()
	serve := func() (tfprotov6.ProviderServer, error) {
		server := kodoprovider.NewServer(h.NewProvider()())
		if h.Wrap != nil {
			server = h.Wrap(server)
		}
		return server, nil
	}
	resource.UnitTest(h.t, resource.TestCase{
		ProtoV6ProviderFactories: map[string]func() (tfprotov6.ProviderServer, error){
			"kodo": serve,
			"echo": echoprovider.NewProviderServer(), // shows what an ephemeral resource has made
		},
		Steps: steps,
	})
}
