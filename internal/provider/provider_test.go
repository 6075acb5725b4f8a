package provider_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	frameworkprovider "github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"

	"github.com/qiniu/terraform-provider-kodo/internal/acctest"
	"github.com/qiniu/terraform-provider-kodo/internal/provider"
	"github.com/qiniu/terraform-provider-kodo/internal/tfkodo"
)

// environment is one with these variables and this home folder.
func environment(variables map[string]string, home string) provider.Environment {
	return provider.Environment{
		Getenv: func(name string) string { return variables[name] },
		Home:   func() (string, error) { return home, nil },
		Now:    time.Now,
	}
}

// configure configures a provider with the block, as Terraform 1.14.0.
func configure(ctx context.Context, t *testing.T, env provider.Environment, block acctest.Values) frameworkprovider.ConfigureResponse {
	t.Helper()
	p := provider.NewIn("1.2.3", env)()
	var schema frameworkprovider.SchemaResponse
	p.Schema(ctx, frameworkprovider.SchemaRequest{}, &schema)
	raw, err := acctest.Encode(schema.Schema.Type().TerraformType(ctx), block)
	if err != nil {
		t.Fatal(err)
	}
	var resp frameworkprovider.ConfigureResponse
	p.Configure(ctx, frameworkprovider.ConfigureRequest{
		TerraformVersion: "1.14.0",
		Config:           tfsdk.Config{Raw: raw, Schema: schema.Schema},
	}, &resp)
	return resp
}

// configured is configure for a block without faults. It returns what the types get.
func configured(ctx context.Context, t *testing.T, env provider.Environment, block acctest.Values) *tfkodo.Provider {
	t.Helper()
	resp := configure(ctx, t, env, block)
	if resp.Diagnostics.HasError() {
		t.Fatal(resp.Diagnostics)
	}
	data, ok := resp.ResourceData.(*tfkodo.Provider)
	if !ok {
		t.Fatalf("ResourceData is a %T", resp.ResourceData)
	}
	return data
}

// Every kind of type gets the configured provider. A kind that is forgotten
// has a nil client, and only the first user of such a type would notice.
func TestEveryKindGetsTheProvider(t *testing.T) {
	t.Parallel()
	resp := configure(t.Context(), t, environment(nil, t.TempDir()), acctest.Values{"access_key": "ak", "secret_key": "sk"})
	if resp.Diagnostics.HasError() {
		t.Fatal(resp.Diagnostics)
	}
	for kind, data := range map[string]any{
		"resource":           resp.ResourceData,
		"data source":        resp.DataSourceData,
		"ephemeral resource": resp.EphemeralResourceData,
		"action":             resp.ActionData,
		"list resource":      resp.ListResourceData,
	} {
		var diags diag.Diagnostics
		got := tfkodo.FromProviderData(data, &diags)
		if diags.HasError() || !got.Known() {
			t.Errorf("a %s gets %v, %v; want a provider with a client", kind, got, diags)
		}
	}
}

// The schema of every type keeps the framework's rules, which it checks when it
// is asked for the schemas; every resource that is a thing in Kodo has an identity,
// and every attribute says what it is.
func TestSchemas(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	server := providerserver.NewProtocol6(provider.NewIn("test", environment(nil, t.TempDir()))())()
	schemas, err := server.GetProviderSchema(ctx, &tfprotov6.GetProviderSchemaRequest{})
	if err != nil || len(schemas.Diagnostics) != 0 {
		t.Fatal(err, acctest.Diagnostics(schemas.Diagnostics))
	}
	identities, err := server.GetResourceIdentitySchemas(ctx, &tfprotov6.GetResourceIdentitySchemasRequest{})
	if err != nil || len(identities.Diagnostics) != 0 {
		t.Fatal(err, acctest.Diagnostics(identities.Diagnostics))
	}
	notImported := []string{"kodo_cdn_prefetch", "kodo_cdn_refresh"} // what was done once, and leaves nothing to find
	described(t, "provider", schemas.Provider.Block.Attributes)
	for name, schema := range schemas.ResourceSchemas {
		described(t, name, schema.Block.Attributes)
		if identities.IdentitySchemas[name] == nil && !slices.Contains(notImported, name) {
			t.Errorf("%s has no identity", name)
		}
	}
	for name, schema := range schemas.DataSourceSchemas {
		described(t, "data "+name, schema.Block.Attributes)
	}
	for name, schema := range schemas.EphemeralResourceSchemas {
		described(t, "ephemeral "+name, schema.Block.Attributes)
	}
	for name, schema := range schemas.ListResourceSchemas {
		described(t, "list "+name, schema.Block.Attributes)
	}
	for name, schema := range schemas.ActionSchemas {
		described(t, "action "+name, schema.Schema.Block.Attributes)
	}
}

func described(t *testing.T, of string, attributes []*tfprotov6.SchemaAttribute) {
	t.Helper()
	for _, attribute := range attributes {
		name := of + "." + attribute.Name
		if attribute.Description == "" && attribute.Name != "timeouts" { // its own attributes have one each
			t.Errorf("%s has no description", name)
		}
		if attribute.NestedType != nil {
			described(t, name, attribute.NestedType.Attributes)
		}
	}
}

func TestUserAgentNamesProviderAndTerraform(t *testing.T) {
	t.Parallel()
	agents := make(chan string, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		agents <- r.UserAgent()
		w.Header().Set("X-Reqid", "r1")
		w.WriteHeader(http.StatusUnauthorized)
	}))
	defer server.Close()
	data := configured(t.Context(), t, environment(nil, t.TempDir()), acctest.Values{
		"access_key": "ak", "secret_key": "sk", "endpoint": server.URL,
	})
	if _, err := data.Client.Bucket(t.Context(), "assets"); err == nil {
		t.Fatal("a 401 gave no error")
	}
	if got, want := <-agents, "terraform-provider-kodo/1.2.3 Terraform/1.14.0"; got != want {
		t.Errorf("User-Agent = %q, want %q", got, want)
	}
}
