package resources

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"

	"github.com/qiniu/terraform-provider-kodo/internal/kodo"
)

// This file is what kodo_object does with its local bytes: open them and
// upload them, and say why they are not the object's.

const (
	summaryContentNotReadable = "Content Not Readable"
	summaryObjectChanged      = "Object Changed Since The Plan"
	summaryObjectNotFinished  = "Object Stored But Not Finished"
)

// hasContent reports whether an argument gives the bytes, or may turn out to.
func (m *objectModel) hasContent() bool {
	return !m.Source.IsNull() || !m.Content.IsNull() || !m.ContentBase64.IsNull()
}

// contentKnown reports whether the bytes can be looked at: during a plan they
// may still come from another resource.
func (m *objectModel) contentKnown() bool {
	return !m.Source.IsUnknown() && !m.Content.IsUnknown() && !m.ContentBase64.IsUnknown()
}

// contentPath is the argument that gives the bytes, for diagnostics.
func (m *objectModel) contentPath() path.Path {
	switch {
	case !m.Content.IsNull():
		return path.Root("content")
	case !m.ContentBase64.IsNull():
		return path.Root("content_base64")
	default:
		return path.Root("source")
	}
}

// openContent opens the bytes, until they are closed; a missing file is
// fs.ErrNotExist. A file stays a *kodo.File, which can tell that it changed.
func (r *object) openContent(m *objectModel) (content kodo.Content, closeIt func(), err error) {
	nothing := func() {}
	switch {
	case !m.Content.IsNull():
		return strings.NewReader(m.Content.ValueString()), nothing, nil
	case !m.ContentBase64.IsNull():
		decoded, err := base64.StdEncoding.DecodeString(m.ContentBase64.ValueString())
		return bytes.NewReader(decoded), nothing, err
	default:
		file, err := kodo.OpenFile(r.expandHome(m.Source.ValueString()))
		if err != nil {
			return nil, nothing, err
		}
		return file, func() { _ = file.Close() }, nil // it was only read
	}
}

// expandHome replaces a leading ~ by the home folder, as a shell does, where
// the system knows one.
func (r *object) expandHome(name string) string {
	if rest, ok := strings.CutPrefix(filepath.ToSlash(name), "~/"); ok && r.provider.Home != "" {
		return filepath.Join(r.provider.Home, filepath.FromSlash(rest))
	}
	return name
}

// upload stores the local bytes as the object, if the guard allows it.
func (r *object) upload(ctx context.Context, plan objectModel, guard kodo.Guard) (stored kodo.Stored, diags diag.Diagnostics) {
	content, closeIt, err := r.openContent(&plan)
	if err != nil {
		diags.AddAttributeError(plan.contentPath(), summaryContentNotReadable, fmt.Sprintf("The content of object %s cannot be read: %s. Nothing was sent.", plan.name(), err))
		return stored, diags
	}
	defer closeIt()
	stored, err = r.provider.Client.Put(ctx, plan.spec(content, guard))
	if err != nil {
		diags.Append(r.writeFailed(plan, "Object Not Stored", "could not be stored", err))
	}
	return stored, diags
}

// writeFailed says why the object is not as planned, and what to do. What
// happened completes the sentence that begins with the object.
func (r *object) writeFailed(plan objectModel, summary, happened string, err error, advice ...string) diag.Diagnostic {
	name := plan.name()
	var exists *kodo.ExistsError
	var changed *kodo.ChangedError
	var content *kodo.ContentChangedError
	var hash *kodo.HashError
	var doomed *kodo.DoomedError
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
		return diag.NewErrorDiagnostic(summaryObjectChanged, fmt.Sprintf("Object %s was deleted by somebody else since the plan. Nothing was stored. Plan again: Terraform then creates it anew.", name))
	case errors.As(err, &changed):
		return diag.NewErrorDiagnostic(summaryObjectChanged, fmt.Sprintf("Object %s was written by somebody else since the plan: it was to be the one put at %s, and is one put at %s with hash %s. "+
			"Nothing was stored. Plan again to see the difference.", name, changed.Want, changed.Have.PutTime, changed.Have.ETag))
	case errors.As(err, &content):
		return diag.NewAttributeErrorDiagnostic(plan.contentPath(), "Content Changed During Apply", fmt.Sprintf("The content of object %s is no longer what was planned: %s. "+
			"Nothing was stored. Plan again once the content stays as it is.", name, content))
	case errors.As(err, &hash):
		return diag.NewErrorDiagnostic("Stored Object Differs", fmt.Sprintf("Object %s may be stored with other content than was sent: Kodo answered the hash %s, and what was sent has the hash %s. "+
			"Nothing of it is recorded. Apply again: the object is then compared with the content. If it differs and is not managed here yet, that is refused: set overwrite = true, or delete the object first.",
			name, hash.Stored, hash.Sent))
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
