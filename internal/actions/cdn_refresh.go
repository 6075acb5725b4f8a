package actions

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework-validators/actionvalidator"
	"github.com/hashicorp/terraform-plugin-framework/action"
	"github.com/hashicorp/terraform-plugin-framework/action/schema"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/qiniu/terraform-provider-kodo/internal/kodo"
	"github.com/qiniu/terraform-provider-kodo/internal/tfkodo"
)

var (
	_ action.ActionWithConfigure        = (*cdnRefresh)(nil)
	_ action.ActionWithConfigValidators = (*cdnRefresh)(nil)
	_ action.ActionWithModifyPlan       = (*cdnRefresh)(nil)
)

// NewCDNRefresh is the action kodo_cdn_refresh: the CDN is to forget URLs and directories.
func NewCDNRefresh() action.Action {
	return &cdnRefresh{cdnAction{operation: kodo.CDNRefresh, work: "refresh the CDN"}}
}

type cdnRefresh struct {
	cdnAction
}

type cdnRefreshModel struct {
	cdnModel
	Dirs types.Set `tfsdk:"dirs"`
}

func (*cdnRefresh) Metadata(_ context.Context, req action.MetadataRequest, resp *action.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_cdn_refresh"
}

func (*cdnRefresh) Schema(ctx context.Context, _ action.SchemaRequest, resp *action.SchemaResponse) {
	attributes := cdnAttributes(ctx)
	attributes["urls"] = schema.SetAttribute{
		MarkdownDescription: "URLs that the CDN is to fetch anew, " + tfkodo.DescribeCDNURLs,
		ElementType:         types.StringType,
		Optional:            true,
		Validators:          []validator.Set{tfkodo.CDNURLs()},
	}
	attributes["dirs"] = schema.SetAttribute{
		MarkdownDescription: "Directories that the CDN is to fetch anew, " + tfkodo.DescribeCDNDirs,
		ElementType:         types.StringType,
		Optional:            true,
		Validators:          []validator.Set{tfkodo.CDNDirs()},
	}
	resp.Schema = schema.Schema{
		MarkdownDescription: "Has Qiniu's CDN fetch URLs and directories anew, after what they lead to has changed: until then it serves what it has kept. " +
			"They are submitted in requests of 20 URLs and of 5 directories, not faster than the CDN allows. In OpenTofu, and in Terraform before 1.14, the resource of the same name does it.",
		Attributes: attributes,
	}
}

func (*cdnRefresh) ConfigValidators(context.Context) []action.ConfigValidator {
	return []action.ConfigValidator{actionvalidator.AtLeastOneOf(path.MatchRoot("urls"), path.MatchRoot("dirs"))}
}

func (*cdnRefresh) ModifyPlan(ctx context.Context, req action.ModifyPlanRequest, resp *action.ModifyPlanResponse) {
	var config cdnRefreshModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	resp.Diagnostics.Append(tfkodo.CheckCDN(ctx, config.URLs, config.Dirs)...)
}

func (a *cdnRefresh) Invoke(ctx context.Context, req action.InvokeRequest, resp *action.InvokeResponse) {
	var config cdnRefreshModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	if !resp.Diagnostics.HasError() {
		a.run(ctx, config.cdnModel, config.Dirs, resp)
	}
}
