package resources

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/qiniu/terraform-provider-kodo/internal/kodo"
	"github.com/qiniu/terraform-provider-kodo/internal/qetag"
)

// This file is how a plan of kodo_object finds each value that the
// configuration leaves open.

// A planning is one plan of kodo_object. There is no state when the object is to be created.
type planning struct {
	resource     *object
	config, plan *objectModel
	state        *objectModel
	base         baseline
}

// unfinished reports whether the object is to be created, or was and had its taint taken away. Then what it has by chance
// is not kept.
func (p *planning) unfinished() bool { return p.state == nil || p.base.unfinished() }

// facets finds how the object is to be served and kept where the configuration does not say.
func (p *planning) facets() {
	config, plan := p.config, p.plan
	if config.ContentType.IsNull() {
		byKey := types.StringUnknown()
		if !config.Key.IsUnknown() {
			byKey = types.StringValue(kodo.ContentType(config.Key.ValueString()))
		}
		switch {
		case p.unfinished():
			plan.ContentType = byKey
		case plan.Key.Equal(types.StringValue(*p.base.Key)) || p.state.ContentType.ValueString() != kodo.ContentType(*p.base.Key):
			plan.ContentType = p.state.ContentType
		default: // the old key had given it
			plan.ContentType = byKey
		}
	}
	switch {
	case p.unfinished() && config.StorageClass.IsNull():
		plan.StorageClass = types.StringValue(kodo.Standard.String())
	case !p.unfinished():
		plan.keepClass(&config.objectFacets, &p.state.objectFacets)
	}
}

// keepClass keeps the class that the object has, if none is configured, or if it has come to it by a transition that
// is: to change it back would undo what the configuration asks for.
func (f *objectFacets) keepClass(config, state *objectFacets) {
	keep := config.StorageClass.IsNull()
	for argument, class := range transitions() {
		days := config.days(argument)
		keep = keep || state.StorageClass.ValueString() == class.String() && !days.IsNull() && !days.IsUnknown()
	}
	if keep {
		f.StorageClass = state.StorageClass
	}
}

// content makes the plan say what the bytes will make of the object. The
// etag and the size are known exactly when the bytes are.
func (p *planning) content(ctx context.Context) (diags diag.Diagnostics) {
	plan, config := p.plan, p.config
	plan.objectFacts = objectFacts{
		ETag: types.StringUnknown(), Size: types.Int64Unknown(), PutTime: types.StringUnknown(), MD5: types.StringUnknown(),
		DeletesAt: types.StringUnknown(), RestoreStatus: types.StringUnknown(), URL: plan.URL,
	}
	if !config.hasContent() {
		if p.state == nil {
			diags.AddAttributeError(path.Root("source"), "Content Missing", fmt.Sprintf("Object %s is to be created, so one of source, content, content_base64 and content_wo has to give its bytes. "+
				"For an empty object that is content = \"\".", plan.name()))
			return diags
		}
		p.sameBytes()
		diags.Append(p.written()...)
		return diags
	}
	if p.unlooked() {
		if p.sameByWord() {
			p.sameBytes()
		}
		return diags
	}
	if !config.contentKnown() {
		return diags
	}
	return p.localContent(ctx)
}

// unlooked reports whether the bytes are not looked at before the apply.
func (p *planning) unlooked() bool {
	return !p.config.ContentWO.IsNull() || !p.config.SourceHash.IsNull()
}

// written notices that somebody else has stored other bytes than those that were written or imported here last. There
// are none to store in their place: the plan shows it, and its apply only takes note of them.
func (p *planning) written() (diags diag.Diagnostics) {
	if p.base.ETag == p.state.ETag.ValueString() {
		return diags
	}
	p.plan.PutTime = types.StringUnknown()
	diags.AddWarning("Object Written By Somebody Else", fmt.Sprintf("Object %s had the ETag %s when it was written or imported here last, and has %s since %s. "+
		"The configuration gives no bytes to store in their place, so the apply changes nothing and accepts what is there. To have other content there, set source or content.",
		p.state.name(), p.base.ETag, p.state.ETag.ValueString(), p.state.PutTime.ValueString()))
	return diags
}

// sameByWord reports whether the version or the hash that the configuration gives says that the bytes are those that
// were written here last, and Kodo still has those. After an import there is nothing to compare with: what is given
// first is taken to describe what is there.
func (p *planning) sameByWord() bool {
	if p.state == nil || p.base.ETag != p.state.ETag.ValueString() {
		return false
	}
	if !p.config.ContentWO.IsNull() {
		version := p.config.ContentWOVersion
		return !version.IsUnknown() && (version.Equal(p.state.ContentWOVersion) || p.base.Imported && p.state.ContentWOVersion.IsNull())
	}
	hash := p.config.SourceHash
	return !hash.IsUnknown() && (hash.Equal(p.state.SourceHash) || p.base.Imported && p.state.SourceHash.IsNull())
}

// localContent compares the local bytes with what Kodo has.
func (p *planning) localContent(ctx context.Context) (diags diag.Diagnostics) {
	plan, r := p.plan, p.resource
	content, closeIt, err := r.openContent(&plan.objectContent)
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

	etag, err := r.localHash(ctx, p.state, content)
	if err != nil {
		diags.Append(r.provider.Diagnose("Content Not Compared", fmt.Sprintf("the content of object %s could not be compared", plan.name()), err))
		return diags
	}
	switch {
	case etag == "": // not known before the apply
	case p.state != nil && etag == p.state.ETag.ValueString():
		p.sameBytes()
	default:
		plan.ETag, plan.Size = types.StringValue(etag), types.Int64Value(content.Size())
	}
	return diags
}

// sameBytes says that the bytes stay what they are.
func (p *planning) sameBytes() {
	url := p.plan.URL
	p.plan.objectFacts = p.state.objectFacts
	p.plan.URL = url
}

// newBytes reports whether the bytes change, or may turn out to.
func (p *planning) newBytes() bool { return p.state == nil || !p.plan.ETag.Equal(p.state.ETag) }

// replaced refuses a replacement, by an object in another region, that would leave none.
func (p *planning) replaced() (diags diag.Diagnostics) {
	diags.Append(p.state.prevented("replaced")...)
	if !p.config.hasContent() {
		diags.AddAttributeError(path.Root("bucket"), "Bucket In Another Region", fmt.Sprintf("Object %s cannot be replaced by one in bucket %q: that is in another region, to which Kodo moves nothing, and the configuration gives no bytes to create the object from. "+
			"Set source or content, or choose a bucket of the same region.", p.state.name(), p.plan.Bucket.ValueString()))
	}
	return diags
}

// writes leaves unknown what only the writes can know, and refuses what they could not do. The put time is known
// exactly when nothing will be written.
func (p *planning) writes(ctx context.Context, moved bool) (diags diag.Diagnostics) {
	plan := p.plan
	if p.state == nil || p.newBytes() {
		return plan.warnOfDisabled()
	}
	differs := plan.differenceFrom(p.state.objectFacets)
	d, diags := p.resource.owed(ctx, p.base, &plan.objectBase, &p.state.objectBase, differs)
	if !moved && !d.any() {
		return diags
	}
	plan.changed(d)
	diags.Append(p.state.refuseFrozen(differs)...)
	if len(d.removed) == 0 && !d.perhapsRemoved {
		return diags
	}
	plan.MD5, plan.DeletesAt, plan.RestoreStatus = types.StringUnknown(), types.StringUnknown(), types.StringUnknown()
	switch {
	case p.unlooked():
		plan.ETag, plan.Size = types.StringUnknown(), types.Int64Unknown()
	case qetag.IsV2(plan.ETag.ValueString()):
		plan.ETag = types.StringUnknown() // it depends on parts that will be others
	}
	removed := strings.Join(d.removed, ", ")
	switch {
	case removed == "":
	case !p.config.hasContent():
		diags.AddError(summaryNotRemovable, fmt.Sprintf("%s of object %s cannot be taken away: Kodo can only do that by storing the bytes again, and the configuration does not give them. "+
			"Set source or content, or keep the values.", removed, plan.name()))
	default:
		size := ""
		if !plan.Size.IsUnknown() {
			size = fmt.Sprintf(" (%d bytes)", plan.Size.ValueInt64())
		}
		diags.AddWarning("Object Sent Again", fmt.Sprintf("%s of object %s is to be there no more. Kodo has no call for that, so the apply sends the bytes again%s.", removed, plan.name(), size))
	}
	diags.Append(plan.warnOfDisabled()...)
	return diags
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
