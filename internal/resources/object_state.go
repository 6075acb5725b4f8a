package resources

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/qiniu/terraform-provider-kodo/internal/kodo"
)

// This file is how an object comes into the state, other than by being created: it is read, imported, or handed over
// by a resource of another type.

// read is the Read of every object: fill takes what Kodo says into the model that the state is a part of.
func (r *objects) read(ctx context.Context, state *objectBase, fill func(kodo.Object), model any, req resource.ReadRequest, resp *resource.ReadResponse) {
	// First, because an object that is gone needs one too: Terraform before 1.12 brings none, and the framework demands one.
	resp.Diagnostics.Append(resp.Identity.Set(ctx, state.identity())...)
	ctx, cancel := withTimeout(ctx, state.Timeouts.Read, &resp.Diagnostics)
	defer cancel()
	if resp.Diagnostics.HasError() {
		return
	}
	if !r.provider.Known() {
		resp.Diagnostics.Append(r.provider.StateKept("object " + state.name()))
		return
	}
	found, err := r.provider.Client.Stat(ctx, state.Bucket.ValueString(), state.Key.ValueString())
	switch {
	case kodo.IsGone(err):
		resp.State.RemoveResource(ctx)
	case err != nil:
		resp.Diagnostics.Append(r.provider.Diagnose("Object Not Read", fmt.Sprintf("object %s could not be read", state.name()), err, withoutBucket(err)...))
	default:
		fill(found)
		if url := r.url(state); !url.IsUnknown() {
			state.URL = url
		}
		resp.Diagnostics.Append(setModel(ctx, &resp.State, model)...)
		resp.Diagnostics.Append(begin(ctx, req.Private, resp.Private, state)...)
	}
}

// importState begins the state of an object that is there, by its ID or its identity.
func (r *objects) importState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	resp.Diagnostics.Append(r.provider.RequireClient("import an object")...)
	if resp.Diagnostics.HasError() {
		return
	}
	var identity objectIdentity
	if req.ID == "" && !req.Identity.Raw.IsNull() {
		resp.Diagnostics.Append(req.Identity.Get(ctx, &identity)...)
	} else {
		// Names of buckets hold no slash, keys may hold anything.
		bucket, key, found := strings.Cut(req.ID, "/")
		if !found || kodo.CheckBucketName(bucket) != nil || kodo.CheckKey(key) != nil {
			resp.Diagnostics.AddError(summaryImportID, fmt.Sprintf("%q does not name an object. "+
				"The ID is the bucket, a slash and the key, for example assets/css/site.css; the key may hold more slashes.", req.ID))
			return
		}
		identity = objectIdentity{Bucket: types.StringValue(bucket), Key: types.StringValue(key)}
	}
	resp.Diagnostics.Append(beginObject(ctx, &resp.State, identity)...)
}

// beginObject begins the state of an object that is there, in a state or in a list.
func beginObject(ctx context.Context, state interface {
	SetAttribute(ctx context.Context, at path.Path, value any) diag.Diagnostics
}, identity objectIdentity) (diags diag.Diagnostics) {
	for name, value := range map[string]any{
		"bucket": identity.Bucket, "key": identity.Key, "overwrite": false, "deletion_policy": deletionDelete,
	} {
		diags.Append(state.SetAttribute(ctx, path.Root(name), value)...)
	}
	return diags
}

// movedObject are the arguments of the other types that mean the same here.
type movedObject struct {
	Bucket        *string `json:"bucket"`
	Key           *string `json:"key"`
	Source        *string `json:"source"`
	SourceHash    *string `json:"source_hash"`
	Content       *string `json:"content"`
	ContentBase64 *string `json:"content_base64"`
}

// moveObjectState takes over an object of aws_s3_object, through Kodo's S3 interface, or of the qiniu_bucket_object of
// 2019. Everything else is read from Kodo, as after an import.
func moveObjectState(ctx context.Context, req resource.MoveStateRequest, resp *resource.MoveStateResponse) {
	switch {
	case req.SourceTypeName == "aws_s3_object" && strings.HasSuffix(req.SourceProviderAddress, "/hashicorp/aws"):
	case req.SourceTypeName == "qiniu_bucket_object":
	default:
		return
	}
	var from movedObject
	// The rest of the state is not ours to know, and may have any form.
	if err := json.Unmarshal(req.SourceRawState.JSON, &from); err != nil || from.Bucket == nil || from.Key == nil {
		resp.Diagnostics.AddError("State Not Moved", fmt.Sprintf("The state of the %s has no bucket and key that could be moved to kodo_object: %v.", req.SourceTypeName, err))
		return
	}
	if kodo.CheckBucketName(*from.Bucket) != nil || kodo.CheckKey(*from.Key) != nil {
		resp.Diagnostics.AddError("State Not Moved", fmt.Sprintf("The state of the %s names the object %q in bucket %q, which cannot be one of Kodo's. "+
			"Import the object instead.", req.SourceTypeName, *from.Key, *from.Bucket))
		return
	}
	identity := objectIdentity{Bucket: types.StringPointerValue(from.Bucket), Key: types.StringPointerValue(from.Key)}
	resp.Diagnostics.Append(beginObject(ctx, &resp.TargetState, identity)...)
	for name, value := range map[string]*string{
		"source": from.Source, "source_hash": from.SourceHash, "content": from.Content, "content_base64": from.ContentBase64,
	} {
		resp.Diagnostics.Append(resp.TargetState.SetAttribute(ctx, path.Root(name), nothingIfEmpty(value))...)
	}
	resp.Diagnostics.Append(resp.TargetIdentity.Set(ctx, identity)...)
}

// nothingIfEmpty is null for what older providers write as "" where nothing is configured.
func nothingIfEmpty(text *string) types.String {
	if text == nil || *text == "" {
		return types.StringNull()
	}
	return types.StringValue(*text)
}
