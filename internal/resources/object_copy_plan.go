package resources

import (
	"context"
	"fmt"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/qiniu/terraform-provider-kodo/internal/kodo"
)

// This file is how a plan of kodo_object_copy finds each value that the
// configuration leaves open.

const summarySourceMissing = "Source Missing"

// A copyPlanning is one plan of kodo_object_copy. There is no state when the copy is to be made.
type copyPlanning struct {
	resource            *objectCopy
	config, plan, state *copyModel
	base                baseline
	found               *kodo.Object // the source, where the plan asked for it
	gone                bool         // there is no source any more
}

// source finds which content the copy is to have.
func (p *copyPlanning) source(ctx context.Context) (diags diag.Diagnostics) {
	plan, config, r := p.plan, p.config, p.resource
	if config.SourceBucket.IsNull() {
		plan.SourceBucket = plan.Bucket
		if p.state != nil && !p.state.SourceBucket.IsNull() {
			plan.SourceBucket = p.state.SourceBucket
		}
	}
	if plan.SourceBucket.Equal(plan.Bucket) && plan.SourceKey.Equal(plan.Key) && !plan.Key.IsUnknown() {
		diags.AddAttributeError(path.Root("source_key"), "Copy Onto Itself", fmt.Sprintf("Object %s cannot be a copy of itself: source_key, or source_bucket, has to name another object.", plan.name()))
		return diags
	}
	if !config.SourceETag.IsNull() {
		return diags
	}
	plan.SourceETag = types.StringUnknown()
	if plan.SourceBucket.IsUnknown() || plan.SourceKey.IsUnknown() {
		return diags
	}
	if !r.provider.Known() {
		if p.state != nil {
			plan.SourceETag = p.state.SourceETag
		}
		return diags
	}
	found, err := r.provider.Client.Stat(ctx, plan.SourceBucket.ValueString(), plan.SourceKey.ValueString())
	switch {
	case kodo.IsGone(err) && p.state != nil:
		p.gone = true
		plan.SourceETag = p.state.SourceETag
		diags.AddWarning(summarySourceMissing, fmt.Sprintf("Object %s, of which object %s is a copy, does not exist any more. The copy stays as it is.", plan.sourceName(), plan.name()))
	case kodo.IsGone(err), kodo.IsNoBucket(err) && p.state == nil && plan.SourceBucket.Equal(plan.Bucket): // the same apply may make its own bucket
		diags.AddWarning("Source Not There Yet", fmt.Sprintf("Object %s, which is to be copied to %s, does not exist yet. The apply copies it, and fails if it is still missing then. "+
			"If the same apply makes it, pass its ETag as source_etag, so that it is made first.", plan.sourceName(), plan.name()))
	case err != nil:
		diags.Append(r.provider.Diagnose("Source Not Read", fmt.Sprintf("object %s, which is to be copied to %s, could not be read", plan.sourceName(), plan.name()), err))
	default:
		p.found = &found
		plan.SourceETag = types.StringValue(found.ETag)
	}
	return diags
}

// facts says what the source, and the configuration, make of the copy. The put time is known exactly when nothing will
// be written.
func (p *copyPlanning) facts(ctx context.Context, moved bool) (diags diag.Diagnostics) {
	plan, url := p.plan, p.plan.URL
	if p.state == nil {
		diags.Append(p.copied(ctx)...)
		return diags
	}
	p.keep()
	// There may be nothing to copy; and an import knows the copy, but not what it was copied from.
	if !p.gone && !plan.SourceETag.IsNull() && !plan.SourceETag.Equal(p.state.ETag) {
		diags.Append(p.copied(ctx)...)
		return diags
	}
	plan.objectFacts, plan.EffectiveMetadata = p.state.objectFacts, p.state.EffectiveMetadata
	plan.URL = url
	differs := plan.differenceFrom(p.state)
	d, diags := p.resource.owed(ctx, p.base, &plan.objectBase, &p.state.objectBase, differs)
	diags.Append(p.state.refuseFrozen(differs)...)
	switch removed := strings.Join(d.removed, ", "); {
	case removed != "" && p.gone:
		diags.AddError(summaryNotRemovable, fmt.Sprintf("%s of object %s cannot be taken away: Kodo can only do that by copying again, and object %s does not exist any more. Name another source, or keep the values.", removed, plan.name(), plan.sourceName()))
	case removed != "":
		diags.AddWarning("Object Copied Again", fmt.Sprintf("%s of object %s is to be there no more. Kodo has no call for that, so the apply copies from object %s again.", removed, plan.name(), plan.sourceName()))
		diags.Append(p.copied(ctx)...)
	case d.perhapsRemoved:
		diags.Append(p.copied(ctx)...)
	case moved || d.any():
		plan.changed(d)
		if d.metadata {
			plan.EffectiveMetadata = types.MapUnknown(types.StringType)
		}
	}
	return diags
}

// keep plans what the copy has already, where the configuration does not say.
func (p *copyPlanning) keep() {
	plan, config, state := p.plan, p.config, p.state
	had, asked := state.All(), config.All()
	for i, h := range plan.All() {
		if asked[i].Value.IsNull() {
			*h.Value = *had[i].Value
		}
	}
	if config.ContentType.IsNull() {
		plan.ContentType = state.ContentType
	}
	if config.StorageClass.IsNull() || !p.base.unfinished() { // else it has the source's by chance
		plan.keepClass(&config.objectFacets, &state.objectFacets)
	}
}

// copied plans a copy that is made, or made anew: it has the source's content, and inherits what is not configured.
func (p *copyPlanning) copied(ctx context.Context) (diags diag.Diagnostics) {
	plan, config, r := p.plan, p.config, p.resource
	diags = plan.warnOfDisabled()
	unknown := types.StringUnknown()
	plan.objectFacts = objectFacts{
		ETag: plan.SourceETag, Size: types.Int64Unknown(), PutTime: unknown, MD5: unknown, DeletesAt: unknown, RestoreStatus: unknown, URL: plan.URL,
	}
	plan.EffectiveMetadata = types.MapUnknown(types.StringType)
	asked := config.All()
	for i, h := range plan.All() {
		if asked[i].Value.IsNull() {
			*h.Value = unknown
		}
	}
	if config.ContentType.IsNull() {
		plan.ContentType = unknown
	}
	if plan.StorageClass = config.StorageClass; config.StorageClass.IsNull() { // whatever a transition has made of the old one
		plan.StorageClass = unknown
	}
	if p.found != nil {
		plan.Size = types.Int64Value(p.found.Size)
		if p.found.Frozen() {
			diags.AddError(summaryObjectFrozen, fmt.Sprintf("Object %s cannot be copied to %s: it is frozen in the storage class %s. %s Then plan again.",
				plan.sourceName(), plan.name(), p.found.StorageClass, thaw(p.found.Restore.String())))
			return diags
		}
		diags.Append(p.frozenAtOnce(*p.found)...)
	}
	if plan.Bucket.IsUnknown() || plan.SourceBucket.IsUnknown() || plan.Bucket.Equal(plan.SourceBucket) || !r.provider.Known() {
		return diags
	}
	regions, err := r.regions(ctx, plan.SourceBucket.ValueString(), plan.Bucket.ValueString())
	switch {
	case kodo.IsNoBucket(err): // one of them may be made by this same apply
	case err != nil:
		diags.Append(r.provider.Diagnose("Region Not Found", fmt.Sprintf("the regions of the buckets %q and %q could not be compared", plan.SourceBucket.ValueString(), plan.Bucket.ValueString()), err))
	case regions[0] != regions[1]:
		diags.AddAttributeError(path.Root("source_bucket"), "Source In Another Region", fmt.Sprintf("Object %s is in region %s and cannot be copied to bucket %q in region %s: Kodo copies within one region only.",
			plan.sourceName(), regions[0], plan.Bucket.ValueString(), regions[1]))
	}
	return diags
}

// frozenAtOnce refuses a copy that is to be served otherwise than its source, which is in an archive, restored for now:
// the copy is not.
func (p *copyPlanning) frozenAtOnce(source kodo.Object) (diags diag.Diagnostics) {
	var inherited copyModel
	inherited.fill(source)
	wanted := *p.plan
	wanted.inherit(source)
	d := wanted.differenceFrom(&inherited)
	if source.Restore = kodo.NotRestored; source.Frozen() && !wanted.Metadata.IsUnknown() && (d.metadata || d.class) {
		diags.AddError(summaryObjectFrozen, fmt.Sprintf("Object %s is to be a copy of %s with a storage class, content type or metadata of its own. Kodo cannot give it those: it freezes a copy at once, because its source is in the storage class %s. "+
			"Leave these arguments out, or give the source another storage class while it is restored.", p.plan.name(), p.plan.sourceName(), source.StorageClass))
	}
	return diags
}

// inherit takes what a copy has where the plan did not know.
func (m *copyModel) inherit(found kodo.Object) {
	var has objectFacets
	has.fill(found)
	had := has.All()
	for i, h := range m.All() {
		if h.Value.IsUnknown() {
			*h.Value = *had[i].Value
		}
	}
	if m.ContentType.IsUnknown() {
		m.ContentType = has.ContentType
	}
	if m.StorageClass.IsUnknown() {
		m.StorageClass = has.StorageClass
	}
}

// differenceFrom compares with how the copy was. What it inherits counts as its own if it is what the copy is to have.
func (m *copyModel) differenceFrom(before *copyModel) difference {
	was := before.objectFacets
	if !m.Metadata.IsUnknown() && !before.EffectiveMetadata.IsNull() {
		was.Metadata = overlay(before.EffectiveMetadata, before.Metadata, m.Metadata)
	}
	return m.objectFacets.differenceFrom(was)
}

// overlay is the part of all metadata that some name.
func overlay(all types.Map, names ...types.Map) types.Map {
	part := map[string]attr.Value{}
	for _, named := range names {
		for name := range named.Elements() {
			if value, ok := all.Elements()[name]; ok {
				part[name] = value
			}
		}
	}
	return types.MapValueMust(types.StringType, part)
}
