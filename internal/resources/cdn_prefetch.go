package resources

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/qiniu/terraform-provider-kodo/internal/kodo"
	"github.com/qiniu/terraform-provider-kodo/internal/tfkodo"
)

var (
	_ resource.ResourceWithConfigure  = (*cdnPrefetch)(nil)
	_ resource.ResourceWithModifyPlan = (*cdnPrefetch)(nil)
)

// NewCDNPrefetch is kodo_cdn_prefetch: URLs that the CDN is to fetch before anybody asks for them.
func NewCDNPrefetch() resource.Resource {
	return &cdnPrefetch{cdnResource{operation: kodo.CDNPrefetch, work: "prefetch by the CDN", model: func() cdnTask {
		m := &cdnModel{}
		return cdnTask{m, &cdnDirs{}, m}
	}}}
}

type cdnPrefetch struct {
	cdnResource
}

func (*cdnPrefetch) Metadata(_ context.Context, req resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_cdn_prefetch"
}

func (*cdnPrefetch) Schema(ctx context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	attributes := cdnAttributes(ctx, "prefetched")
	attributes["urls"] = schema.SetAttribute{
		MarkdownDescription: "URLs that the CDN is to fetch, " + tfkodo.DescribeCDNURLs + " One that is added is fetched, one that is taken away stays in the CDN. Changes in place.",
		ElementType:         types.StringType,
		Required:            true,
		Validators:          []validator.Set{tfkodo.CDNURLs()},
	}
	resp.Schema = schema.Schema{
		MarkdownDescription: "Has Qiniu's CDN fetch URLs before the first visitor asks for them, such as a large download on the day of its release. " +
			"URLs are fetched when they are added and whenever `triggers` change, in requests of 20 and not faster than the CDN allows. " +
			"A URL of which the CDN may keep an older content is to be refreshed first, with `kodo_cdn_refresh` and `depends_on`. Nothing is fetched because the CDN forgets its tasks, and destroying the resource sends nothing.",
		Attributes: attributes,
	}
}
