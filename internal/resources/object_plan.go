package resources

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/qiniu/terraform-provider-kodo/internal/kodo"
	"github.com/qiniu/terraform-provider-kodo/internal/qetag"
)

// This file is how a plan of kodo_object finds each value that the
// configuration leaves open.

// planBucket is the configured bucket, else the recorded one, else the
// provider's. It is null when nobody names one.
func (r *object) planBucket(config objectModel, state *objectModel) types.String {
	switch {
	case !config.Bucket.IsNull():
		return config.Bucket
	case state != nil:
		return state.Bucket
	default:
		return r.provider.Bucket
	}
}

// planContentType is the configured type, else the recorded one, else the one
// that belongs to the key.
func planContentType(config objectModel, state *objectModel) types.String {
	switch {
	case !config.ContentType.IsNull():
		return config.ContentType
	case state != nil:
		return state.ContentType
	case config.Key.IsUnknown():
		return types.StringUnknown()
	default:
		return types.StringValue(kodo.ContentType(config.Key.ValueString()))
	}
}

// url is where the object can be downloaded: at its own domain, else at the
// provider's if it is in the provider's bucket, else nowhere.
func (r *object) url(m objectModel) types.String {
	return r.provider.ObjectURL(m.Bucket, m.Key, m.Domain)
}

// planContent makes the plan say what the bytes will make of the object. The
// etag and the size are known exactly when the bytes are, and the put time
// exactly when nothing will be written. There is no state when the object is
// to be created.
func (r *object) planContent(ctx context.Context, plan, state *objectModel) (diags diag.Diagnostics) {
	plan.ETag, plan.Size, plan.PutTime = types.StringUnknown(), types.Int64Unknown(), types.StringUnknown()
	if !plan.contentKnown() {
		return nil
	}
	if !plan.hasContent() {
		if state == nil {
			diags.AddAttributeError(path.Root("source"), "Content Missing", fmt.Sprintf("Object %s is to be created, so one of source, content and content_base64 has to give its bytes. "+
				"For an empty object that is content = \"\".", plan.name()))
			return diags
		}
		plan.planUnchanged(*state)
		return nil
	}

	content, closeIt, err := r.openContent(plan)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		diags.AddAttributeWarning(path.Root("source"), "Source Not There Yet", fmt.Sprintf("The file %q does not exist yet, so the plan cannot say what object %s will hold. "+
			"The apply reads the file, and fails if it is still missing then.", plan.Source.ValueString(), plan.name()))
		return diags
	case err != nil:
		diags.AddAttributeError(plan.contentPath(), summaryContentNotReadable, fmt.Sprintf("The content of object %s cannot be read: %s.", plan.name(), err))
		return diags
	}
	defer closeIt()

	etag, err := r.localHash(ctx, state, content)
	if err != nil {
		diags.Append(r.provider.Diagnose("Content Not Compared", fmt.Sprintf("the content of object %s could not be compared", plan.name()), err))
		return diags
	}
	switch {
	case etag == "": // not known before the apply
	case state != nil && etag == state.ETag.ValueString():
		plan.planUnchanged(*state)
	default:
		plan.ETag, plan.Size = types.StringValue(etag), types.Int64Value(content.Size())
	}
	return diags
}

// planUnchanged says that the bytes stay what they are. A new content type is
// a write as well, and may move the put time.
func (m *objectModel) planUnchanged(state objectModel) {
	m.ETag, m.Size = state.ETag, state.Size
	if m.ContentType.Equal(state.ContentType) {
		m.PutTime = state.PutTime
	}
}

// localHash returns the hash of local content. Objects that other tools uploaded
// in parts of other sizes have a hash that depends on those, and only Kodo knows
// them: if the content is the recorded object's, its hash is the recorded one,
// and without a client, who could tell, it is "".
func (r *object) localHash(ctx context.Context, state *objectModel, content kodo.Content) (string, error) {
	if state != nil && qetag.IsV2(state.ETag.ValueString()) && state.Size.ValueInt64() == content.Size() {
		if !r.provider.Known() {
			return "", nil
		}
		object := kodo.Object{Key: state.Key.ValueString(), ETag: state.ETag.ValueString(), Size: state.Size.ValueInt64()}
		same, err := r.provider.Client.Same(ctx, state.Bucket.ValueString(), object, content)
		if same || err != nil {
			return object.ETag, err
		}
	}
	return qetag.ReadAt(ctx, content, content.Size())
}

// planKey refuses a plan that destroys one address of an object and keeps another: in the state they are the same
// object, so that the one's delete would take it from the other. That is so after an apply that ended between the two
// halves of a rename: it was killed, had a -target, or its delete failed.
func (r *object) planKey(m objectModel, destroy bool) (diags diag.Diagnostics) {
	if r.provider.Known() && r.provider.Client.PlanKey(m.Bucket.ValueString(), m.Key.ValueString(), destroy) {
		diags.AddError("Object Managed Twice", fmt.Sprintf("Object %s is in the state under two addresses, one of which is to be destroyed: that would delete the object of the other. "+
			"Take the address that is not in the configuration any more out of the state with `terraform state rm`, and plan again.", m.name()))
	}
	return diags
}
