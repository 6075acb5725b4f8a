package resources

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/qiniu/terraform-provider-kodo/internal/kodo"
	"github.com/qiniu/terraform-provider-kodo/internal/qetag"
)

// This file is what kodo_object does with its local bytes: open them, compare
// them with the object in a plan, and upload them.

const (
	summaryContentNotReadable = "Content Not Readable"
	summaryContentNotCompared = "Content Not Compared"
	summaryObjectChanged      = "Object Changed Since The Plan"
)

// localContent is the bytes that a configuration gives to an object. It is
// closed after use, because it may be a file.
type localContent struct {
	kodo.Content
	close func() error
}

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

// openContent opens the bytes; a missing file is fs.ErrNotExist.
func (r *object) openContent(m *objectModel) (*localContent, error) {
	nothing := func() error { return nil }
	switch {
	case !m.Content.IsNull():
		return &localContent{strings.NewReader(m.Content.ValueString()), nothing}, nil
	case !m.ContentBase64.IsNull():
		decoded, err := base64.StdEncoding.DecodeString(m.ContentBase64.ValueString())
		return &localContent{bytes.NewReader(decoded), nothing}, err
	default:
		file, err := kodo.OpenFile(r.expandHome(m.Source.ValueString()))
		if err != nil {
			return nil, err
		}
		return &localContent{file, file.Close}, nil
	}
}

// expandHome replaces a leading ~ by the home folder, as a shell does.
func (r *object) expandHome(name string) string {
	if rest, ok := strings.CutPrefix(filepath.ToSlash(name), "~/"); ok {
		return filepath.Join(r.provider.Home, filepath.FromSlash(rest))
	}
	return name
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

	content, err := r.openContent(plan)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		diags.AddAttributeWarning(path.Root("source"), "Source Not There Yet", fmt.Sprintf("The file %q does not exist yet, so the plan cannot say what object %s will hold. "+
			"The apply reads the file, and fails if it is still missing then.", plan.Source.ValueString(), plan.name()))
		return diags
	case err != nil:
		diags.AddAttributeError(plan.contentPath(), summaryContentNotReadable, fmt.Sprintf("The content of object %s cannot be read: %s.", plan.name(), err))
		return diags
	}
	defer content.close() //nolint:errcheck // it was only read

	etag, err := qetag.ReadAt(ctx, content, content.Size())
	if err == nil && state != nil {
		etag, err = r.recordedHash(ctx, *state, content, etag)
	}
	if err != nil {
		diags.Append(r.provider.Diagnose(summaryContentNotCompared, fmt.Sprintf("the content of object %s could not be compared", plan.name()), err))
		return diags
	}
	switch {
	case etag == "":
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

// recordedHash returns the hash of local content in the form that the state
// has. Objects that other tools uploaded in parts of other sizes have a hash
// that depends on those, and only Kodo knows them: without a client it is "".
func (r *object) recordedHash(ctx context.Context, state objectModel, content kodo.Content, etag string) (string, error) {
	recorded := state.ETag.ValueString()
	if !qetag.IsV2(recorded) || state.Size.ValueInt64() != content.Size() {
		return etag, nil
	}
	if !r.provider.Known() {
		return "", nil
	}
	object := kodo.Object{Key: state.Key.ValueString(), ETag: recorded, Size: state.Size.ValueInt64()}
	same, err := r.provider.Client.Same(ctx, state.Bucket.ValueString(), object, content)
	if same {
		return recorded, err
	}
	return etag, err
}

// upload stores the local bytes as the object, if the guard allows it.
func (r *object) upload(ctx context.Context, plan objectModel, guard kodo.Guard) (stored kodo.Stored, diags diag.Diagnostics) {
	content, err := r.openContent(&plan)
	if err != nil {
		diags.AddAttributeError(plan.contentPath(), summaryContentNotReadable, fmt.Sprintf("The content of object %s cannot be read: %s. Nothing was sent.", plan.name(), err))
		return stored, diags
	}
	defer content.close() //nolint:errcheck // it was only read
	stored, err = r.provider.Client.Put(ctx, kodo.Put{
		Bucket: plan.Bucket.ValueString(), Key: plan.Key.ValueString(),
		Content: content, ContentType: plan.ContentType.ValueString(), ETag: plan.ETag.ValueString(), Guard: guard,
	})
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
	switch {
	case errors.As(err, &exists):
		return diag.NewErrorDiagnostic("Object Exists Already", fmt.Sprintf("Object %s exists already, not with what is planned (it has hash %s, %d bytes, put at %s), and was left as it is. "+
			"To manage that object here, import it: `terraform import <address> '%s/%s'`. If another resource of this configuration made it, a moved block hands it over. "+
			"To replace its content, set overwrite = true.",
			name, exists.Object.ETag, exists.Object.Size, exists.Object.PutTime, plan.Bucket.ValueString(), plan.Key.ValueString()))
	case errors.As(err, &changed) && changed.Have == nil:
		return diag.NewErrorDiagnostic(summaryObjectChanged, fmt.Sprintf("Object %s was deleted by somebody else since the plan. Nothing was sent. Plan again: Terraform then creates it anew.", name))
	case errors.As(err, &changed):
		return diag.NewErrorDiagnostic(summaryObjectChanged, fmt.Sprintf("Object %s was written by somebody else since the plan: it was to be the one put at %s, and is one put at %s with hash %s. "+
			"Nothing was sent. Plan again to see the difference.", name, changed.Want, changed.Have.PutTime, changed.Have.ETag))
	case errors.As(err, &content):
		return diag.NewAttributeErrorDiagnostic(plan.contentPath(), "Content Changed During Apply", fmt.Sprintf("The content of object %s is no longer what was planned: %s. "+
			"Nothing was stored. Plan again once the content stays as it is.", name, content))
	default:
		return r.provider.Diagnose(summary, fmt.Sprintf("object %s %s", name, happened), err, advice...)
	}
}
