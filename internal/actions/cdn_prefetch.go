package actions

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/action"
	"github.com/hashicorp/terraform-plugin-framework/action/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/qiniu/terraform-provider-kodo/internal/kodo"
	"github.com/qiniu/terraform-provider-kodo/internal/tfkodo"
)

var (
	_ action.ActionWithConfigure  = (*cdnPrefetch)(nil)
	_ action.ActionWithModifyPlan = (*cdnPrefetch)(nil)
)

// NewCDNPrefetch is the action kodo_cdn_prefetch: the CDN is to fetch URLs before anybody asks for them.
func NewCDNPrefetch() action.Action {
	return &cdnPrefetch{cdnAction{operation: kodo.CDNPrefetch, work: "prefetch by the CDN"}}
}

type cdnPrefetch struct {
	cdnAction
}

func (*cdnPrefetch) Metadata(_ context.Context, req action.MetadataRequest, resp *action.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_cdn_prefetch"
}

func (*cdnPrefetch) Schema(ctx context.Context, _ action.SchemaRequest, resp *action.SchemaResponse) {
	attributes := cdnAttributes(ctx)
	attributes["urls"] = schema.SetAttribute{
		MarkdownDescription: "URLs that the CDN is to fetch, " + tfkodo.DescribeCDNURLs,
		ElementType:         types.StringType,
		Required:            true,
		Validators:          []validator.Set{tfkodo.CDNURLs()},
	}
	resp.Schema = schema.Schema{
		MarkdownDescription: "Has Qiniu's CDN fetch URLs before the first visitor asks for them. They are submitted in requests of 20, not faster than the CDN allows. " +
			"A URL of which the CDN may keep an older content is to be refreshed first. In OpenTofu, and in Terraform before 1.14, the resource of the same name does it.",
		Attributes: attributes,
	}
}

func (*cdnPrefetch) ModifyPlan(ctx context.Context, req action.ModifyPlanRequest, resp *action.ModifyPlanResponse) {
	var config cdnModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	resp.Diagnostics.Append(tfkodo.CheckCDN(ctx, config.URLs, types.SetNull(types.StringType))...)
}

func (a *cdnPrefetch) Invoke(ctx context.Context, req action.InvokeRequest, resp *action.InvokeResponse) {
	var config cdnModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	if !resp.Diagnostics.HasError() {
		a.run(ctx, config, types.SetNull(types.StringType), resp)
	}
}
