package acctest

import (
	"context"
	"maps"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	kodoprovider "github.com/qiniu/terraform-provider-kodo/internal/provider"
)

// Server is a provider in this process, asked through protocol 6 as Terraform
// asks it. A failure of the protocol itself ends the goroutine and fails the test.
type Server struct {
	t        *testing.T
	ctx      context.Context
	provider tfprotov6.ProviderServer
	*schemas
}

// schemas are what a provider says of itself. Terraform asks once.
type schemas struct {
	schema     *tfprotov6.GetProviderSchemaResponse
	identities map[string]*tfprotov6.ResourceIdentitySchema
}

// NewServer starts the provider, not yet configured. The context is that of
// every request.
func NewServer(ctx context.Context, t *testing.T, newProvider func() provider.Provider) *Server {
	t.Helper()
	provider := kodoprovider.NewServer(newProvider())
	return &Server{t: t, ctx: ctx, provider: provider, schemas: describe(ctx, t, provider)}
}

func describe(ctx context.Context, t *testing.T, provider tfprotov6.ProviderServer) *schemas {
	t.Helper()
	schema, err := provider.GetProviderSchema(ctx, &tfprotov6.GetProviderSchemaRequest{})
	if err != nil {
		t.Fatal(err)
	}
	identities, err := provider.GetResourceIdentitySchemas(ctx, &tfprotov6.GetResourceIdentitySchemasRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if diags := append(Diagnostics(schema.Diagnostics), identities.Diagnostics...); diags.HasErrors() {
		t.Fatal(diags)
	}
	return &schemas{schema, identities.IdentitySchemas}
}

// Validate checks a provider block as `terraform validate` does.
func (s *Server) Validate(config Values) Diagnostics {
	s.t.Helper()
	resp, err := s.provider.ValidateProviderConfig(s.ctx, &tfprotov6.ValidateProviderConfigRequest{
		Config: s.dynamic(s.encode(s.schema.Provider.ValueType(), config)),
	})
	s.must(err)
	return resp.Diagnostics
}

// Configure gives the provider its block.
func (s *Server) Configure(config Values) Diagnostics {
	s.t.Helper()
	resp, err := s.provider.ConfigureProvider(s.ctx, &tfprotov6.ConfigureProviderRequest{
		TerraformVersion: "1.14.0",
		Config:           s.dynamic(s.encode(s.schema.Provider.ValueType(), config)),
	})
	s.must(err)
	return resp.Diagnostics
}

func (s *Server) resource(typeName string) *tfprotov6.Schema {
	s.t.Helper()
	schema, ok := s.schema.ResourceSchemas[typeName]
	if !ok {
		s.t.Fatalf("the provider has no resource %s", typeName)
	}
	return schema
}

func (s *Server) null(typeName string) tftypes.Value {
	s.t.Helper()
	return tftypes.NewValue(s.resource(typeName).ValueType(), nil)
}

func (s *Server) encode(t tftypes.Type, values Values) tftypes.Value {
	s.t.Helper()
	v, err := Encode(t, values)
	s.must(err)
	return v
}

func (s *Server) dynamic(v tftypes.Value) *tfprotov6.DynamicValue {
	s.t.Helper()
	d, err := tfprotov6.NewDynamicValue(v.Type(), v)
	s.must(err)
	return &d
}

func (s *Server) value(typeName string, d *tfprotov6.DynamicValue) tftypes.Value {
	s.t.Helper()
	if d == nil {
		return s.null(typeName)
	}
	v, err := d.Unmarshal(s.resource(typeName).ValueType())
	s.must(err)
	return v
}

// attributes are those of an object; a null object has none.
func attributes(v tftypes.Value) map[string]tftypes.Value {
	object := map[string]tftypes.Value{}
	if v.IsNull() || !v.IsKnown() || v.As(&object) != nil {
		return map[string]tftypes.Value{}
	}
	return maps.Clone(object) // As hands out the value's own map
}

// elements are those of a list or a set; a null one has none.
func elements(v tftypes.Value) []tftypes.Value {
	var list []tftypes.Value
	if v.IsNull() || !v.IsKnown() || v.As(&list) != nil {
		return nil
	}
	return list
}

func (s *Server) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}
