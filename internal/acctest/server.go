package acctest

import (
	"context"
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// Server is a provider in this process, asked through protocol 6 as Terraform
// asks it, one request at a time. Its methods must be called from the test's
// own goroutine: they end the test when the protocol itself fails.
type Server struct {
	t          *testing.T
	ctx        context.Context
	provider   tfprotov6.ProviderServer
	schema     *tfprotov6.GetProviderSchemaResponse
	identities map[string]*tfprotov6.ResourceIdentitySchema
}

// NewServer starts the provider, not yet configured. The context is that of
// every request.
func NewServer(ctx context.Context, t *testing.T, newProvider func() provider.Provider) *Server {
	t.Helper()
	s := &Server{t: t, ctx: ctx, provider: providerserver.NewProtocol6(newProvider())()}
	schema, err := s.provider.GetProviderSchema(ctx, &tfprotov6.GetProviderSchemaRequest{})
	s.must(err)
	identities, err := s.provider.GetResourceIdentitySchemas(ctx, &tfprotov6.GetResourceIdentitySchemasRequest{})
	s.must(err)
	if diags := append(Diagnostics(schema.Diagnostics), identities.Diagnostics...); diags.HasErrors() {
		t.Fatal(diags)
	}
	s.schema, s.identities = schema, identities.IdentitySchemas
	return s
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

// object is one instance of a resource, as the state keeps it.
type object struct {
	value    tftypes.Value // never null
	identity *tfprotov6.ResourceIdentityData
	private  []byte
	tainted  bool
}

func (s *Server) validateResource(typeName string, config tftypes.Value) Diagnostics {
	s.t.Helper()
	resp, err := s.provider.ValidateResourceConfig(s.ctx, &tfprotov6.ValidateResourceConfigRequest{
		TypeName:           typeName,
		Config:             s.dynamic(config),
		ClientCapabilities: &tfprotov6.ValidateResourceConfigClientCapabilities{WriteOnlyAttributesAllowed: true},
	})
	s.must(err)
	return resp.Diagnostics
}

// read refreshes an object. It is nil when the object is gone.
func (s *Server) read(typeName string, o *object) (*object, Diagnostics) {
	s.t.Helper()
	resp, err := s.provider.ReadResource(s.ctx, &tfprotov6.ReadResourceRequest{
		TypeName:        typeName,
		CurrentState:    s.dynamic(o.value),
		CurrentIdentity: o.identity,
		Private:         o.private,
	})
	s.must(err)
	if Diagnostics(resp.Diagnostics).HasErrors() {
		return o, resp.Diagnostics
	}
	value := s.value(typeName, resp.NewState)
	if value.IsNull() {
		return nil, resp.Diagnostics
	}
	return &object{value: value, identity: resp.NewIdentity, private: resp.Private, tainted: o.tainted}, resp.Diagnostics
}

// planned is what the provider says that a change will lead to.
type planned struct {
	value    tftypes.Value
	identity *tfprotov6.ResourceIdentityData
	private  []byte
	replace  []*tftypes.AttributePath
}

// plan asks what the configuration makes of the prior object, which is nil for
// a creation. A null configuration plans the destruction.
func (s *Server) plan(typeName string, prior *object, config tftypes.Value) (planned, Diagnostics) {
	s.t.Helper()
	before, req := s.null(typeName), &tfprotov6.PlanResourceChangeRequest{TypeName: typeName}
	if prior != nil {
		before, req.PriorPrivate, req.PriorIdentity = prior.value, prior.private, prior.identity
	}
	req.PriorState = s.dynamic(before)
	req.Config = s.dynamic(config)
	req.ProposedNewState = s.dynamic(s.proposed(typeName, before, config))
	resp, err := s.provider.PlanResourceChange(s.ctx, req)
	s.must(err)
	if Diagnostics(resp.Diagnostics).HasErrors() {
		return planned{}, resp.Diagnostics
	}
	return planned{
		value:    s.value(typeName, resp.PlannedState),
		identity: resp.PlannedIdentity,
		private:  resp.PlannedPrivate,
		replace:  resp.RequiresReplace,
	}, resp.Diagnostics
}

// apply carries out what was planned. The object is nil when the provider
// answers that there is none.
func (s *Server) apply(typeName string, prior *object, config tftypes.Value, p planned) (*object, Diagnostics) {
	s.t.Helper()
	before := s.null(typeName)
	if prior != nil {
		before = prior.value
	}
	resp, err := s.provider.ApplyResourceChange(s.ctx, &tfprotov6.ApplyResourceChangeRequest{
		TypeName:        typeName,
		PriorState:      s.dynamic(before),
		Config:          s.dynamic(config),
		PlannedState:    s.dynamic(p.value),
		PlannedIdentity: p.identity,
		PlannedPrivate:  p.private,
	})
	s.must(err)
	value := s.value(typeName, resp.NewState)
	if value.IsNull() {
		return nil, resp.Diagnostics
	}
	return &object{value: value, identity: resp.NewIdentity, private: resp.Private}, resp.Diagnostics
}

// importResource asks for the object of an import id, or of an identity.
func (s *Server) importResource(typeName, id string, identity Values) (*object, Diagnostics) {
	s.t.Helper()
	req := &tfprotov6.ImportResourceStateRequest{TypeName: typeName, ID: id}
	if identity != nil {
		value := s.encode(s.identities[typeName].ValueType(), identity)
		req.Identity = &tfprotov6.ResourceIdentityData{IdentityData: s.dynamic(value)}
	}
	resp, err := s.provider.ImportResourceState(s.ctx, req)
	s.must(err)
	if Diagnostics(resp.Diagnostics).HasErrors() || len(resp.ImportedResources) != 1 {
		return nil, resp.Diagnostics
	}
	imported := resp.ImportedResources[0]
	return &object{value: s.value(typeName, imported.State), identity: imported.Identity, private: imported.Private}, resp.Diagnostics
}

// proposed merges a configuration with the prior object as Terraform does
// before it asks for a plan: what the configuration leaves to the provider
// stays as it was.
func (s *Server) proposed(typeName string, prior, config tftypes.Value) tftypes.Value {
	s.t.Helper()
	if config.IsNull() {
		return config
	}
	before, merged := s.attributes(prior), s.attributes(config)
	for _, attribute := range s.resource(typeName).Block.Attributes {
		if had, ok := before[attribute.Name]; ok && attribute.Computed && merged[attribute.Name].IsNull() {
			merged[attribute.Name] = had
		}
	}
	return tftypes.NewValue(config.Type(), merged)
}

// attributes are those of an object; a null object has none.
func (s *Server) attributes(v tftypes.Value) map[string]tftypes.Value {
	s.t.Helper()
	attributes := map[string]tftypes.Value{}
	if !v.IsNull() {
		s.must(v.As(&attributes))
	}
	return maps.Clone(attributes) // As hands out the value's own map
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

func (s *Server) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// Diagnostics are the errors and warnings of one or more requests.
type Diagnostics []*tfprotov6.Diagnostic

// HasErrors reports whether any of them is an error.
func (d Diagnostics) HasErrors() bool { return len(d.Errors()) > 0 }

// Errors are those that are errors.
func (d Diagnostics) Errors() Diagnostics { return d.of(tfprotov6.DiagnosticSeverityError) }

// Warnings are those that are warnings.
func (d Diagnostics) Warnings() Diagnostics { return d.of(tfprotov6.DiagnosticSeverityWarning) }

func (d Diagnostics) of(severity tfprotov6.DiagnosticSeverity) Diagnostics {
	var some Diagnostics
	for _, diagnostic := range d {
		if diagnostic.Severity == severity {
			some = append(some, diagnostic)
		}
	}
	return some
}

// String shows each on a line: severity, attribute, summary, detail.
func (d Diagnostics) String() string {
	lines := make([]string, len(d))
	for i, diagnostic := range d {
		lines[i] = fmt.Sprintf("%s %s: %s: %s", diagnostic.Severity, diagnostic.Attribute, diagnostic.Summary, diagnostic.Detail)
	}
	return strings.Join(lines, "\n")
}
