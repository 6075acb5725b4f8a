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
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/qiniu/terraform-provider-kodo/internal/kodo"
)

// This file is what kodo_object does with its local bytes: open them and
// upload them, and say why they are not the object's.

// objectContent is the part of a model that gives the bytes. ContentWO is in configurations only.
type objectContent struct {
	Source           types.String `tfsdk:"source"`
	SourceHash       types.String `tfsdk:"source_hash"`
	Content          types.String `tfsdk:"content"`
	ContentBase64    types.String `tfsdk:"content_base64"`
	ContentWO        types.String `tfsdk:"content_wo"`
	ContentWOVersion types.Int64  `tfsdk:"content_wo_version"`
}

// validateContent refuses bytes that are given twice. An argument that is not known yet may turn out to be null.
func (m *objectContent) validateContent() (diags diag.Diagnostics) {
	var given []string
	for _, argument := range []struct {
		name  string
		value types.String
	}{{"source", m.Source}, {"content", m.Content}, {"content_base64", m.ContentBase64}, {"content_wo", m.ContentWO}} {
		if !argument.value.IsNull() && !argument.value.IsUnknown() {
			given = append(given, argument.name)
		}
	}
	if len(given) > 1 {
		diags.AddAttributeError(path.Root(given[0]), "Invalid Attribute Combination",
			fmt.Sprintf("The bytes of an object are given once, and here %s are set: leave only one of them.", strings.Join(given, " and ")))
	}
	return diags
}

// hasContent reports whether an argument gives the bytes, or may turn out to.
func (m *objectContent) hasContent() bool {
	return !m.Source.IsNull() || !m.Content.IsNull() || !m.ContentBase64.IsNull() || !m.ContentWO.IsNull()
}

// contentKnown reports whether the bytes can be looked at: during a plan they
// may still come from another resource.
func (m *objectContent) contentKnown() bool {
	return !m.Source.IsUnknown() && !m.Content.IsUnknown() && !m.ContentBase64.IsUnknown() && !m.ContentWO.IsUnknown()
}

// contentPath is the argument that gives the bytes, for diagnostics.
func (m *objectContent) contentPath() path.Path {
	switch {
	case !m.Content.IsNull():
		return path.Root("content")
	case !m.ContentBase64.IsNull():
		return path.Root("content_base64")
	case !m.ContentWO.IsNull():
		return path.Root("content_wo")
	default:
		return path.Root("source")
	}
}

// openContent opens the bytes, until they are closed; a missing file is
// fs.ErrNotExist. A file stays a *kodo.File, which can tell that it changed.
func (r *object) openContent(m *objectContent) (content kodo.Content, closeIt func(), err error) {
	nothing := func() {}
	switch {
	case !m.Content.IsNull():
		return strings.NewReader(m.Content.ValueString()), nothing, nil
	case !m.ContentWO.IsNull():
		return strings.NewReader(m.ContentWO.ValueString()), nothing, nil
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

// upload stores the local bytes as the object, if the guard allows it; again also if the object holds them already.
// What an object that held them already keeps beside its bytes is as it was, unless changes could not make that what is
// planned: then it gets them too.
func (r *object) upload(ctx context.Context, plan *objectModel, guard kodo.Guard, again bool) (stored kodo.Stored, diags diag.Diagnostics) {
	content, closeIt, err := r.openContent(&plan.objectContent)
	if err != nil {
		diags.AddAttributeError(plan.contentPath(), summaryContentNotReadable, fmt.Sprintf("The content of object %s cannot be read: %s. Nothing was sent.", plan.name(), err))
		return stored, diags
	}
	defer closeIt()
	put := plan.spec(content, guard)
	put.Again = again
	stored, err = r.provider.Client.Put(ctx, put)
	if found := stored.Adopted; err == nil && found != nil {
		sent := "not sent again"
		if why := plan.bytesOver(*found); why != "" {
			sent = "sent again, because " + why
			put.ETag, put.Guard, put.Again = "", kodo.IfPutTime(found.PutTime), true
			stored, err = r.provider.Client.Put(ctx, put)
		}
		if err == nil && guard == kodo.IfAbsent() {
			diags.Append(adopted(&plan.objectBase, sent))
		}
	}
	var changed *kodo.ContentChangedError
	switch {
	case errors.As(err, &changed):
		diags.AddAttributeError(plan.contentPath(), "Content Changed During Apply", fmt.Sprintf("The content of object %s is no longer what was planned: %s. "+
			"Nothing was stored. Plan again once the content stays as it is.", plan.name(), changed))
	case err != nil:
		diags.Append(r.writeFailed(&plan.objectBase, "Object Not Stored", "could not be stored", err))
	}
	return stored, diags
}

// bytesOver says why only the bytes make what the model says of an object that has them already, "" if changes do.
func (m *objectModel) bytesOver(found kodo.Object) string {
	switch {
	case hasMore(found.Metadata, m.metadata()):
		return "it had metadata that are not configured, which Kodo does not take away otherwise"
	case found.Frozen() && !m.isStoredAs(found):
		return fmt.Sprintf("it was frozen in the storage class %s with another class, content type or metadata than configured, which Kodo does not change there", found.StorageClass)
	default:
		return ""
	}
}

// hasMore reports whether metadata hold names that are not wanted.
func hasMore(have, want map[string]string) bool {
	for name := range have {
		if _, ok := want[name]; !ok {
			return true
		}
	}
	return false
}
