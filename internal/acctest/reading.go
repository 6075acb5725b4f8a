package acctest

import (
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// Server returns a provider with the provider block of ProviderConfig, changed
// as the values say, to be asked one request at a time.
func (h *Harness) Server(changes Values) *Server {
	h.t.Helper()
	s := NewServer(h.t.Context(), h.t, h.NewProvider())
	if diags := s.Configure(h.ProviderConfig().With(changes)); diags.HasErrors() {
		h.t.Fatal(diags)
	}
	return s
}

// ReadData reads a data source as a plan does: it checks the configuration, and
// asks if nothing is wrong with it.
func (s *Server) ReadData(typeName string, config Values) (Values, Diagnostics) {
	s.t.Helper()
	checked := s.ValidateData(typeName, config)
	if checked.HasErrors() {
		return nil, checked
	}
	t := s.typeOf(s.schema.DataSourceSchemas, typeName)
	read, err := s.provider.ReadDataSource(s.ctx, &tfprotov6.ReadDataSourceRequest{TypeName: typeName, Config: s.dynamic(s.encode(t, config))})
	s.must(err)
	return s.result(t, read.State, append(checked, read.Diagnostics...))
}

// ValidateData checks the configuration of a data source as `terraform validate`
// does: what comes from elsewhere is unknown.
func (s *Server) ValidateData(typeName string, config Values) Diagnostics {
	s.t.Helper()
	value := s.dynamic(s.encode(s.typeOf(s.schema.DataSourceSchemas, typeName), config))
	resp, err := s.provider.ValidateDataResourceConfig(s.ctx, &tfprotov6.ValidateDataResourceConfigRequest{TypeName: typeName, Config: value})
	s.must(err)
	return resp.Diagnostics
}

// OpenEphemeral opens an ephemeral resource: it checks the configuration, and
// asks if nothing is wrong with it.
func (s *Server) OpenEphemeral(typeName string, config Values) (Values, Diagnostics) {
	s.t.Helper()
	t := s.typeOf(s.schema.EphemeralResourceSchemas, typeName)
	value := s.dynamic(s.encode(t, config))
	checked, err := s.provider.ValidateEphemeralResourceConfig(s.ctx, &tfprotov6.ValidateEphemeralResourceConfigRequest{TypeName: typeName, Config: value})
	s.must(err)
	if diags := Diagnostics(checked.Diagnostics); diags.HasErrors() {
		return nil, diags
	}
	opened, err := s.provider.OpenEphemeralResource(s.ctx, &tfprotov6.OpenEphemeralResourceRequest{TypeName: typeName, Config: value})
	s.must(err)
	return s.result(t, opened.Result, append(checked.Diagnostics, opened.Diagnostics...))
}

func (s *Server) typeOf(schemas map[string]*tfprotov6.Schema, typeName string) tftypes.Type {
	s.t.Helper()
	schema, ok := schemas[typeName]
	if !ok {
		s.t.Fatalf("the provider has no %s of this kind", typeName)
	}
	return schema.ValueType()
}

// result is what was answered, nil with errors.
func (s *Server) result(t tftypes.Type, answer *tfprotov6.DynamicValue, diags Diagnostics) (Values, Diagnostics) {
	s.t.Helper()
	if diags.HasErrors() || answer == nil {
		return nil, diags
	}
	value, err := answer.Unmarshal(t)
	s.must(err)
	result, err := values(value)
	s.must(err)
	return result, diags
}
