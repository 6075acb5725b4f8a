package resources

import (
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/qiniu/terraform-provider-kodo/internal/kodo"
)

// This file is where an object is: its bucket and key, which may change in place, and its URL.

// planPlace finds the bucket of a planned object, says whether the object is moved, and plans its URL and identity.
// An object in another region is replaced. There is no state when the object is to be created.
func (r *objects) planPlace(ctx context.Context, config, plan, state *objectBase, resp *resource.ModifyPlanResponse) (moved bool) {
	plan.Bucket = r.planBucket(config, state)
	if plan.Bucket.IsNull() {
		resp.Diagnostics.AddAttributeError(path.Root("bucket"), "Bucket Missing", fmt.Sprintf(
			"Object %q needs a bucket: set bucket, for example bucket = kodo_bucket.assets.name, or set bucket in the provider block or QINIU_BUCKET_NAME.", plan.Key.ValueString()))
		return false
	}
	plan.URL = r.url(plan)
	if state == nil {
		return false
	}
	if r.elsewhere(ctx, plan, state, &resp.Diagnostics) {
		resp.RequiresReplace.Append(path.Root("bucket"))
		return false
	}
	// Terraform wants an identity that is wholly known; until it is, that of the state stands.
	if !plan.Bucket.IsUnknown() && !plan.Key.IsUnknown() {
		resp.Diagnostics.Append(resp.Identity.Set(ctx, plan.identity())...)
	}
	moved = !plan.Bucket.Equal(state.Bucket) || !plan.Key.Equal(state.Key)
	if moved && state.frozen() && !plan.Bucket.IsUnknown() && !plan.Key.IsUnknown() {
		resp.Diagnostics.AddError(summaryObjectFrozen, fmt.Sprintf("Object %s is frozen in the storage class %s, so Kodo cannot move it to key %q in bucket %q. %s Then plan again. "+
			"To store it anew there, give the resource another name too, without a moved block: Terraform then creates the one object and deletes the other.",
			state.name(), state.StorageClass.ValueString(), plan.Key.ValueString(), plan.Bucket.ValueString(), thaw(state.RestoreStatus.ValueString())))
	}
	return moved
}

// frozen reports whether the object has to be restored before Kodo reads, copies, moves or changes it.
func (m *objectBase) frozen() bool {
	archived := kodo.Object{StorageClass: m.storageClass()}
	return archived.Frozen() && m.RestoreStatus.ValueString() != kodo.Restored.String()
}

// elsewhere reports whether the planned bucket is in another region than the object, as far as that is known.
func (r *objects) elsewhere(ctx context.Context, plan, state *objectBase, diags *diag.Diagnostics) bool {
	if plan.Bucket.Equal(state.Bucket) || !r.provider.Known() {
		return false
	}
	if !plan.Bucket.IsUnknown() {
		regions, err := r.regions(ctx, state.Bucket.ValueString(), plan.Bucket.ValueString())
		switch {
		case err == nil:
			return regions[0] != regions[1]
		case !kodo.IsNoBucket(err):
			diags.Append(r.provider.Diagnose("Region Not Found", fmt.Sprintf("the regions of the buckets %q and %q could not be compared", state.Bucket.ValueString(), plan.Bucket.ValueString()), err))
			return false
		}
	}
	diags.AddAttributeWarning(path.Root("bucket"), "Region Not Known Yet", fmt.Sprintf("Object %s is to be moved to a bucket that is not known yet, or not there yet. Kodo moves within one region only. "+
		"If the bucket turns out to be in another one, Terraform stops the apply before anything is sent, with the words \"inconsistent final plan\": plan again, and the object is replaced.", state.name()))
	return false
}

// planBucket is the configured bucket, else the recorded one, else the
// provider's. It is null when nobody names one.
func (r *objects) planBucket(config, state *objectBase) types.String {
	switch {
	case !config.Bucket.IsNull():
		return config.Bucket
	case state != nil:
		return state.Bucket
	default:
		return r.provider.Bucket
	}
}

// regions returns the region of each bucket.
func (r *objects) regions(ctx context.Context, buckets ...string) ([]string, error) {
	regions := make([]string, len(buckets))
	for i, name := range buckets {
		bucket, err := r.provider.Client.Bucket(ctx, name)
		if err != nil {
			return nil, err
		}
		regions[i] = bucket.Region
	}
	return regions, nil
}

// url is where the object can be downloaded: at its own domain, else at the
// provider's if it is in the provider's bucket, else nowhere.
func (r *objects) url(m *objectBase) types.String {
	return r.provider.ObjectURL(m.Bucket, m.Key, m.Domain)
}

// moveThere gives the object its planned bucket and key, unless it has them, and reads it there. What is read goes into
// the model that the state is a part of, by fill.
func (r *objects) moveThere(ctx context.Context, state, plan *objectBase, fill func(kodo.Object)) (moved bool, diags diag.Diagnostics) {
	if plan.Bucket.Equal(state.Bucket) && plan.Key.Equal(state.Key) {
		return false, nil
	}
	if diags = r.move(ctx, state, plan); diags.HasError() {
		return false, diags
	}
	found, err := r.provider.Client.Stat(ctx, state.Bucket.ValueString(), state.Key.ValueString())
	switch {
	case err != nil:
		diags.Append(r.provider.Diagnose("Object Moved But Not Read", fmt.Sprintf("object %s was moved there, but could not be read back", state.name()), err))
	case found.ETag != state.ETag.ValueString():
		diags.AddError(summaryObjectChanged, fmt.Sprintf("Object %s was moved there, and somebody else has stored other content under its key since. Plan again to see the difference.", state.name()))
	default:
		days := state.DeleteAfterDays
		fill(found)
		state.DeleteAfterDays = days
	}
	return true, diags
}

// move is the request of moveThere.
func (r *objects) move(ctx context.Context, state, plan *objectBase) (diags diag.Diagnostics) {
	guard := kodo.IfAbsent()
	if plan.Overwrite.ValueBool() {
		guard = kodo.Always()
	}
	err := r.provider.Client.Move(ctx, kodo.Transfer{
		FromBucket: state.Bucket.ValueString(), FromKey: state.Key.ValueString(), From: state.putTime(),
		Bucket: plan.Bucket.ValueString(), Key: plan.Key.ValueString(), Guard: guard,
	})
	if err != nil {
		diags.Append(r.writeFailed(plan, summaryObjectNotMoved, fmt.Sprintf("could not be made of %s", state.name()), err))
		return diags
	}
	state.Bucket, state.Key, state.URL = plan.Bucket, plan.Key, r.url(plan)
	return nil
}
