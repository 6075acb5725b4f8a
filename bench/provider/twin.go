package main

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	framework "github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/qiniu/terraform-provider-kodo/internal/resources"
)

// This file is the twin: what terraform-plugin-framework itself costs. Its kodo_object has the provider's schema on the
// same framework, and nothing else: no validators, no plan of its own, no Kodo (decision 24).

// twin is the provider with that object only.
type twin struct{ framework.Provider }

func (twin) Configure(context.Context, framework.ConfigureRequest, *framework.ConfigureResponse) {}

func (twin) DataSources(context.Context) []func() datasource.DataSource { return nil }

func (twin) Resources(context.Context) []func() resource.Resource {
	return []func() resource.Resource{func() resource.Resource { return twinObject{resources.NewObject()} }}
}

// twinObject hides what the object does beside the methods that every resource has.
type twinObject struct{ resource.Resource }

func (o twinObject) Schema(ctx context.Context, req resource.SchemaRequest, resp *resource.SchemaResponse) {
	o.Resource.Schema(ctx, req, resp)
	for name, attribute := range resp.Schema.Attributes {
		switch a := attribute.(type) {
		case schema.Int64Attribute:
			a.Validators = nil
			resp.Schema.Attributes[name] = a
		case schema.MapAttribute:
			a.Validators = nil
			resp.Schema.Attributes[name] = a
		case schema.StringAttribute:
			a.Validators = nil
			resp.Schema.Attributes[name] = a
		}
	}
}

func (o twinObject) IdentitySchema(ctx context.Context, req resource.IdentitySchemaRequest, resp *resource.IdentitySchemaResponse) {
	if o, ok := o.Resource.(resource.ResourceWithIdentity); ok {
		o.IdentitySchema(ctx, req, resp)
	}
}

func (twinObject) Create(_ context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	resp.State.Raw, resp.Identity.Raw = asPlanned(req.Plan.Raw, resp.Identity)
}

func (twinObject) Read(_ context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	resp.State.Raw, resp.Identity.Raw = asPlanned(req.State.Raw, resp.Identity)
}

func (twinObject) Update(_ context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	resp.State.Raw, resp.Identity.Raw = asPlanned(req.Plan.Raw, resp.Identity)
}

func (twinObject) Delete(context.Context, resource.DeleteRequest, *resource.DeleteResponse) {}

// asPlanned is the planned state, as full as the provider's, and its identity.
func asPlanned(plan tftypes.Value, identity *tfsdk.ResourceIdentity) (state, is tftypes.Value) {
	var attributes map[string]tftypes.Value
	if err := plan.As(&attributes); err != nil {
		panic(err)
	}
	for name, v := range attributes {
		if !v.IsKnown() {
			attributes[name] = tftypes.NewValue(v.Type(), known(v, true))
		}
	}
	return tftypes.NewValue(plan.Type(), attributes),
		tftypes.NewValue(identity.Raw.Type(), map[string]tftypes.Value{"bucket": attributes["bucket"], "key": attributes["key"]})
}
