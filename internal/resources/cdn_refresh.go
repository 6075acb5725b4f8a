package resources

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework-validators/resourcevalidator"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/qiniu/terraform-provider-kodo/internal/kodo"
	"github.com/qiniu/terraform-provider-kodo/internal/tfkodo"
)

var (
	_ resource.ResourceWithConfigure        = (*cdnRefresh)(nil)
	_ resource.ResourceWithConfigValidators = (*cdnRefresh)(nil)
	_ resource.ResourceWithModifyPlan       = (*cdnRefresh)(nil)
)

// NewCDNRefresh is kodo_cdn_refresh: URLs and directories that the CDN is to forget.
func NewCDNRefresh() resource.Resource {
	return &cdnRefresh{cdnResource{operation: kodo.CDNRefresh, work: "refresh the CDN", model: func() cdnTask {
		m := &cdnRefreshModel{}
		return cdnTask{&m.cdnModel, &m.cdnDirs, m}
	}}}
}

type cdnRefresh struct {
	cdnResource
}

type cdnRefreshModel struct {
	cdnModel
	cdnDirs
}

func (*cdnRefresh) Metadata(_ context.Context, req resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_cdn_refresh"
}

func (*cdnRefresh) Schema(ctx context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	attributes := cdnAttributes(ctx, "refreshed")
	attributes["urls"] = schema.SetAttribute{
		MarkdownDescription: "URLs that the CDN is to fetch anew, " + tfkodo.DescribeCDNURLs + " One that is added is refreshed, one that is taken away is not. Changes in place.",
		ElementType:         types.StringType,
		Optional:            true,
		Validators:          []validator.Set{tfkodo.CDNURLs()},
	}
	attributes["dirs"] = schema.SetAttribute{
		MarkdownDescription: "Directories that the CDN is to fetch anew, " + tfkodo.DescribeCDNDirs + " One that is added is refreshed, one that is taken away is not. Changes in place.",
		ElementType:         types.StringType,
		Optional:            true,
		Validators:          []validator.Set{tfkodo.CDNDirs()},
	}
	attributes["pending_dirs"] = schema.SetAttribute{
		MarkdownDescription: "Those of `dirs` that the CDN has not accepted, or has failed to carry out. The next apply submits them, and nothing else.",
		ElementType:         types.StringType,
		Computed:            true,
	}
	attributes["dir_surplus_day"] = schema.Int64Attribute{
		MarkdownDescription: "How many directories of the account may still be refreshed on the day of the last submission. Null where the CDN has not said.",
		Computed:            true,
	}
	resp.Schema = schema.Schema{
		MarkdownDescription: "Has Qiniu's CDN fetch URLs and directories anew, after what they lead to has changed: until then it serves what it has kept. " +
			"URLs are refreshed when they are added and whenever `triggers` change, in requests of 20 URLs and of 5 directories and not faster than the CDN allows. " +
			"Nothing is refreshed because the CDN forgets its tasks, and destroying the resource sends nothing.",
		Attributes: attributes,
	}
}

func (*cdnRefresh) ConfigValidators(context.Context) []resource.ConfigValidator {
	return []resource.ConfigValidator{resourcevalidator.AtLeastOneOf(path.MatchRoot("urls"), path.MatchRoot("dirs"))}
}
