package resources

import (
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/list"
	listschema "github.com/hashicorp/terraform-plugin-framework/list/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/qiniu/terraform-provider-kodo/internal/kodo"
	"github.com/qiniu/terraform-provider-kodo/internal/tfkodo"
)

var _ list.ListResourceWithConfigure = (*objectList)(nil)

// NewObjectList lists the objects of a bucket as kodo_object.
func NewObjectList() list.ListResource { return &objectList{} }

type objectList struct {
	object // for its name, its provider and its url
}

type objectListModel struct {
	Bucket types.String `tfsdk:"bucket"`
	Prefix types.String `tfsdk:"prefix"`
}

func (*objectList) ListResourceConfigSchema(_ context.Context, _ list.ListResourceSchemaRequest, resp *list.ListResourceSchemaResponse) {
	resp.Schema = listschema.Schema{
		MarkdownDescription: "Objects of a bucket, in the order of their keys' bytes. Kodo tells a thousand of them for each request, with everything that `include_resource` shows.",
		Attributes: map[string]listschema.Attribute{
			"bucket": listschema.StringAttribute{
				MarkdownDescription: "Bucket whose objects are listed. Defaults to the provider's `bucket`.",
				Optional:            true,
				Validators:          []validator.String{tfkodo.BucketName()},
			},
			"prefix": listschema.StringAttribute{
				MarkdownDescription: "Only objects whose key begins with this are listed, such as `img/`. By default all are.",
				Optional:            true,
			},
		},
	}
}

func (r *objectList) List(ctx context.Context, req list.ListRequest, stream *list.ListResultsStream) {
	var config objectListModel
	diags := req.Config.Get(ctx, &config)
	diags.Append(r.provider.RequireClient("list objects")...)
	if diags.HasError() {
		stream.Results = list.ListResultsStreamDiagnostics(diags)
		return
	}
	if diags.Append(r.provider.DefaultBucket(&config.Bucket)...); diags.HasError() {
		stream.Results = list.ListResultsStreamDiagnostics(diags)
		return
	}
	bucket := config.Bucket
	options := kodo.ListOptions{Prefix: config.Prefix.ValueString(), Limit: int(req.Limit)}
	stream.Results = func(push func(list.ListResult) bool) {
		for found, err := range r.provider.Client.Objects(ctx, bucket.ValueString(), options) {
			if err != nil {
				push(list.ListResult{Diagnostics: diag.Diagnostics{
					r.provider.Diagnose("Objects Not Listed", fmt.Sprintf("the objects of bucket %q could not be listed", bucket.ValueString()), err),
				}})
				return
			}
			if !push(r.result(ctx, req, bucket, found)) {
				return
			}
		}
	}
}

// result is one object of the list: what an import of it brings.
func (r *objectList) result(ctx context.Context, req list.ListRequest, bucket types.String, found kodo.Object) list.ListResult {
	result := req.NewListResult(ctx)
	identity := objectIdentity{Bucket: bucket, Key: types.StringValue(found.Key)}
	result.DisplayName = found.Key
	result.Diagnostics.Append(result.Identity.Set(ctx, identity)...)
	if !req.IncludeResource {
		return result
	}
	var m objectModel
	result.Diagnostics.Append(beginObject(ctx, result.Resource, identity)...)
	result.Diagnostics.Append(result.Resource.Get(ctx, &m)...)
	m.fill(found)
	m.URL = r.url(&m.objectBase)
	result.Diagnostics.Append(result.Resource.Set(ctx, m)...)
	return result
}
