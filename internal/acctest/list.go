package acctest

import (
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// List is a list block of a query.
type List struct {
	Type            string // such as "kodo_object"
	Config          Values
	Limit           int64 // so many at most; 0 is all
	IncludeResource bool
}

// Listed is one result of a list block.
type Listed struct {
	DisplayName string
	Identity    Values
	Resource    Values // nil unless the block includes it
	Config      Values // the block that Terraform generates from the resource
}

// List does what `terraform query` does with one list block, and holds the
// results against Terraform's rules: each has an identity that is known, and
// there are no more than were asked for.
func (s *Session) List(block List) ([]Listed, Diagnostics) {
	s.t.Helper()
	server, diags := s.start()
	if diags.HasErrors() {
		return nil, diags
	}
	schema := server.schema.ListResourceSchemas[block.Type]
	provider, ok := server.provider.(tfprotov6.ListResourceServer)
	if schema == nil || !ok {
		s.t.Fatalf("the provider cannot list %s", block.Type)
	}
	config := server.dynamic(server.encode(schema.ValueType(), block.Config))
	valid, err := provider.ValidateListResourceConfig(s.Context, &tfprotov6.ValidateListResourceConfigRequest{TypeName: block.Type, Config: config})
	server.must(err)
	if diags = append(diags, valid.Diagnostics...); diags.HasErrors() {
		return nil, diags
	}
	stream, err := provider.ListResource(s.Context, &tfprotov6.ListResourceRequest{
		TypeName: block.Type, Config: config, Limit: block.Limit, IncludeResource: block.IncludeResource,
	})
	server.must(err)
	var results []Listed
	for result := range stream.Results {
		diags = append(diags, result.Diagnostics...)
		if Diagnostics(result.Diagnostics).HasErrors() {
			continue
		}
		if block.Limit > 0 && int64(len(results)) == block.Limit {
			return results, append(diags, broken("Provider produced too many results", block.Type, "more than %d", block.Limit)...)
		}
		listed, d := server.listed(block, result)
		diags = append(diags, d...)
		results = append(results, listed)
	}
	return results, diags
}

func (s *Server) listed(block List, result tfprotov6.ListResourceResult) (Listed, Diagnostics) {
	s.t.Helper()
	listed := Listed{DisplayName: result.DisplayName}
	if result.Identity == nil {
		return listed, broken(ruleIdentity, block.Type, "a result has none")
	}
	diags := s.checkIdentity(block.Type, result.Identity, false)
	if diags.HasErrors() {
		return listed, diags
	}
	identity, err := result.Identity.IdentityData.Unmarshal(s.identities[block.Type].ValueType())
	s.must(err)
	listed.Identity, err = values(identity)
	s.must(err)
	if !block.IncludeResource {
		return listed, diags
	}
	resource := tftypes.NewValue(s.resource(block.Type).ValueType(), nil)
	if result.Resource != nil {
		resource = s.value(block.Type, result.Resource)
	}
	if resource.IsNull() || !resource.IsFullyKnown() {
		diags = append(diags, broken(ruleRead, block.Type, "a result is to include the resource, and has %s", resource)...)
	}
	listed.Resource, err = values(resource)
	s.must(err)
	listed.Config = schemaOf(s.resource(block.Type).Block).arguments(listed.Resource)
	return listed, diags
}
