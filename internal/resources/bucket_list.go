package resources

import (
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/list"
	listschema "github.com/hashicorp/terraform-plugin-framework/list/schema"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/qiniu/terraform-provider-kodo/internal/kodo"
)

var _ list.ListResourceWithConfigure = (*bucketList)(nil)

// NewBucketList lists the buckets of the account as kodo_bucket.
func NewBucketList() list.ListResource { return &bucketList{} }

type bucketList struct {
	bucket // for its name, its provider and its refresh
}

func (*bucketList) ListResourceConfigSchema(_ context.Context, _ list.ListResourceSchemaRequest, resp *list.ListResourceSchemaResponse) {
	resp.Schema = listschema.Schema{
		MarkdownDescription: "Buckets of the account. Kodo tells a hundred of them for each request; with `include_resource` each bucket is asked for its settings as well.",
	}
}

func (r *bucketList) List(ctx context.Context, req list.ListRequest, stream *list.ListResultsStream) {
	if diags := r.provider.RequireClient("list buckets"); diags.HasError() {
		stream.Results = list.ListResultsStreamDiagnostics(diags)
		return
	}
	stream.Results = func(push func(list.ListResult) bool) {
		left := req.Limit
		for found, err := range r.provider.Client.Buckets(ctx) {
			result, listed := r.result(ctx, req, found, err)
			if !listed {
				continue
			}
			if left--; !push(result) || left == 0 {
				return
			}
		}
	}
}

// result is one bucket of the list: what an import of it brings. A bucket that
// is gone by the time that it is looked at is not listed.
func (r *bucketList) result(ctx context.Context, req list.ListRequest, found kodo.Bucket, err error) (result list.ListResult, listed bool) {
	if err != nil {
		return list.ListResult{Diagnostics: diag.Diagnostics{
			r.provider.Diagnose("Buckets Not Listed", "the buckets of the account could not be listed", err),
		}}, true
	}
	result = req.NewListResult(ctx)
	result.DisplayName = found.Name
	result.Diagnostics.Append(result.Identity.Set(ctx, bucketIdentity{Name: types.StringValue(found.Name)})...)
	if !req.IncludeResource {
		return result, true
	}
	var m bucketModel
	result.Diagnostics.Append(result.Resource.SetAttribute(ctx, path.Root("name"), found.Name)...)
	result.Diagnostics.Append(result.Resource.SetAttribute(ctx, path.Root("force_destroy"), false)...)
	result.Diagnostics.Append(result.Resource.Get(ctx, &m)...)
	switch err := r.refresh(ctx, &m); {
	case kodo.IsNoBucket(err):
		return result, false
	case err != nil:
		result.Diagnostics.Append(r.provider.Diagnose("Bucket Not Read", fmt.Sprintf("bucket %q could not be read", found.Name), err))
	default:
		result.Diagnostics.Append(result.Resource.Set(ctx, m)...)
	}
	return result, true
}
