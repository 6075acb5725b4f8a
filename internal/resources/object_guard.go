package resources

import (
	"context"
	"errors"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"

	"github.com/qiniu/terraform-provider-kodo/internal/kodo"
)

// This file is what keeps objects from being lost: what is refused, and why, in words.

const (
	summaryContentNotReadable = "Content Not Readable"
	summaryObjectChanged      = "Object Changed Since The Plan"
	summaryObjectNotFinished  = "Object Stored But Not Finished"
	summaryObjectNotMoved     = "Object Not Moved"
	summaryObjectNotChanged   = "Object Not Changed"
	summaryObjectFrozen       = "Object Frozen"
	summaryNotRemovable       = "Metadata Not Removable"
)

// planDestroy judges the plan of a destruction.
func (r *objects) planDestroy(state *objectBase) diag.Diagnostics {
	diags := r.planKey(state, true)
	diags.Append(state.prevented("destroyed")...)
	return diags
}

// prevented refuses what the deletion policy in the state forbids.
func (m *objectBase) prevented(done string) (diags diag.Diagnostics) {
	if m.DeletionPolicy.ValueString() == deletionPrevent {
		diags.AddAttributeError(path.Root("deletion_policy"), "Deletion Prevented", fmt.Sprintf("Object %s cannot be %s, because its deletion_policy is PREVENT. "+
			"To let it go, set deletion_policy to DELETE, or to ABANDON to leave the object in the bucket, and apply that first. "+
			"If it is tainted, `terraform untaint` with its address has to come before that, and keeps it.", m.name(), done))
	}
	return diags
}

// planKey refuses a plan that destroys one address of an object and keeps another: in the state they are the same
// object, so that the one's delete would take it from the other. That is so after an apply that ended between the two
// halves of a rename: it was killed, had a -target, or its delete failed.
func (r *objects) planKey(m *objectBase, destroy bool) (diags diag.Diagnostics) {
	if destroy && m.DeletionPolicy.ValueString() == deletionAbandon {
		return nil
	}
	if r.provider.Known() && r.provider.Client.PlanKey(m.Bucket.ValueString(), m.Key.ValueString(), destroy) {
		diags.AddError("Object Managed Twice", fmt.Sprintf("Object %s is in the state under two addresses, one of which is to be destroyed: that would delete the object of the other. "+
			"Take the address that is not in the configuration any more out of the state with `terraform state rm`, and plan again.", m.name()))
	}
	return diags
}

// remove deletes the object of a state, as far as its policy and its guards allow.
func (r *objects) remove(ctx context.Context, state *objectBase) (diags diag.Diagnostics) {
	ctx, cancel := withTimeout(ctx, state.Timeouts.Delete, &diags)
	defer cancel()
	if state.DeletionPolicy.ValueString() == deletionAbandon {
		return diags
	}
	diags.Append(state.prevented("deleted")...)
	diags.Append(r.provider.RequireClient("delete an object")...)
	if diags.HasError() {
		return diags
	}
	removal, err := r.provider.Client.Remove(ctx, state.Bucket.ValueString(), state.Key.ValueString(), state.putTime(), state.ETag.ValueString())
	if err != nil {
		diags.Append(r.provider.Diagnose("Object Not Deleted", fmt.Sprintf("object %s could not be deleted", state.name()), err, withoutBucket(err)...))
		return diags
	}
	switch removal {
	case kodo.Changed:
		diags.AddWarning("Changed Object Left In Place", fmt.Sprintf("Object %s was written by somebody else since the plan, so it was not deleted. "+
			"It is no longer managed here. Delete it by hand, or import it, if it should not stay.", state.name()))
	case kodo.Contested:
		diags.AddError("Object Not Deleted", fmt.Sprintf("Object %s was left, because another resource of this same apply was to be stored under its key, and was refused or failed: "+
			"deleting it now would leave neither. If that resource is this one under a new address, a moved block hands the object over; "+
			"if it is to replace the object, set overwrite = true there.", state.name()))
	case kodo.Kept:
		diags.AddWarning("Object Left To Its New Address", fmt.Sprintf("Object %s was written or adopted by another resource in this same apply, so it was not deleted: "+
			"that resource manages it now. A moved block spares the detour when an address is renamed.", state.name()))
	}
	return diags
}

// adopted says that an object was there already, with the content that was to be stored, and what became of its bytes.
func adopted(plan *objectBase, bytes string) diag.Diagnostic {
	return diag.NewWarningDiagnostic("Existing Object Adopted", fmt.Sprintf("Object %s existed already, with exactly the content of this configuration. "+
		"Its bytes were %s, and this resource manages the object from now on: destroying it deletes the object. "+
		"If a resource of another provider block manages it as well, move it with a moved block instead.", plan.name(), bytes))
}

// putTimeMissing refuses to change an object that cannot be told from another.
func putTimeMissing(state *objectBase) diag.Diagnostic {
	return diag.NewErrorDiagnostic(summaryObjectNotChanged, fmt.Sprintf("The state does not know when object %s was put, because it could not be read back after it was stored. "+
		"So it cannot be told from what somebody else may have written since, and nothing was sent. Plan again with a refresh.", state.name()))
}

// writeFailed says why the object is not as planned, and what to do. What
// happened completes the sentence that begins with the object.
func (r *objects) writeFailed(plan *objectBase, summary, happened string, err error, advice ...string) diag.Diagnostic {
	name := plan.name()
	var exists *kodo.ExistsError
	var changed *kodo.ChangedError
	var hash *kodo.HashError
	var doomed *kodo.DoomedError
	var frozen *kodo.FrozenError
	switch {
	case errors.As(err, &doomed):
		return diag.NewErrorDiagnostic("Object About To Be Deleted", fmt.Sprintf("Object %s was to be deleted by another resource of this same apply, and that failed. "+
			"Nothing was stored or adopted, because the next apply would delete it. Apply again once the reason of that failure is gone; "+
			"if that resource is this one under its old address, a moved block hands the object over without a delete.", name))
	case errors.As(err, &exists):
		return diag.NewErrorDiagnostic("Object Exists Already", fmt.Sprintf("Object %s exists already, not with what is planned (it has hash %s, %d bytes, put at %s), and was left as it is. "+
			"To manage that object here, import it: `terraform import <address> '%s/%s'`. If another resource of this configuration made it, a moved block hands it over; "+
			"if this very resource did and is tainted, `terraform untaint` keeps it. To replace its content, set overwrite = true.",
			name, exists.Object.ETag, exists.Object.Size, exists.Object.PutTime, plan.Bucket.ValueString(), plan.Key.ValueString()))
	case errors.As(err, &changed) && changed.Have == nil:
		return diag.NewErrorDiagnostic(summaryObjectChanged, fmt.Sprintf("Object %q in bucket %q was deleted by somebody else since the plan. Nothing was stored. Plan again: Terraform then creates it anew.", changed.Key, changed.Bucket))
	case errors.As(err, &changed):
		return diag.NewErrorDiagnostic(summaryObjectChanged, fmt.Sprintf("Object %q in bucket %q was written by somebody else since the plan: it was to be the one put at %s, and is one put at %s with hash %s. "+
			"Nothing was stored. Plan again to see the difference.", changed.Key, changed.Bucket, changed.Want, changed.Have.PutTime, changed.Have.ETag))
	case errors.As(err, &hash):
		return diag.NewErrorDiagnostic("Stored Object Differs", fmt.Sprintf("Object %s may be stored with other content than was sent: Kodo answered the hash %s, and what was sent has the hash %s. "+
			"Nothing of it is recorded. Apply again: the object is then compared with the content. If it differs and is not managed here yet, that is refused: set overwrite = true, or delete the object first.",
			name, hash.Stored, hash.Sent))
	case errors.As(err, &frozen):
		return diag.NewErrorDiagnostic(summaryObjectFrozen, fmt.Sprintf("Object %q in bucket %q is frozen in the storage class %s, so Kodo can neither read, copy, move nor change it. %s Then apply again.",
			frozen.Object.Key, frozen.Bucket, frozen.Object.StorageClass, thaw(frozen.Object.Restore.String())))
	default:
		return r.provider.Diagnose(summary, fmt.Sprintf("object %s %s", name, happened), err, advice...)
	}
}

// withoutBucket is the advice for an object whose bucket Kodo does not know: that never proves that the object is gone.
func withoutBucket(err error) []string {
	if !kodo.IsNoBucket(err) {
		return nil
	}
	return []string{"If the bucket was really dropped, the object went with it: take it out of the state with `terraform state rm` and its address."}
}

// thaw says what to do about a frozen object with a restore_status.
func thaw(status string) string {
	if status == kodo.Restoring.String() {
		return "It is being restored already, which takes minutes from ARCHIVE and hours from DEEP_ARCHIVE: wait until its restore_status is RESTORED."
	}
	return "Restore it first, in Qiniu's console or by the call restoreAr, and wait until its restore_status is RESTORED: minutes from ARCHIVE, hours from DEEP_ARCHIVE."
}
