package resources

import (
	"context"
	"errors"
	"fmt"
	"maps"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/qiniu/terraform-provider-kodo/internal/kodo"
	"github.com/qiniu/terraform-provider-kodo/internal/tfkodo"
)

var (
	_ resource.ResourceWithConfigure      = (*objectCopy)(nil)
	_ resource.ResourceWithIdentity       = (*objectCopy)(nil)
	_ resource.ResourceWithImportState    = (*objectCopy)(nil)
	_ resource.ResourceWithModifyPlan     = (*objectCopy)(nil)
	_ resource.ResourceWithValidateConfig = (*objectCopy)(nil)
)

// NewObjectCopy is kodo_object_copy: an object that Kodo copies from another one of the same region.
func NewObjectCopy() resource.Resource { return &objectCopy{} }

type objectCopy struct {
	objects
}

// copyModel is a copy. Its metadata are those of its own, laid over what it inherits; EffectiveMetadata are both.
type copyModel struct {
	objectBase
	SourceBucket      types.String `tfsdk:"source_bucket"`
	SourceKey         types.String `tfsdk:"source_key"`
	SourceETag        types.String `tfsdk:"source_etag"`
	EffectiveMetadata types.Map    `tfsdk:"effective_metadata"`
}

func (*objectCopy) Metadata(_ context.Context, req resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_object_copy"
	resp.ResourceBehavior.MutableIdentity = true
}

func (*objectCopy) Schema(ctx context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	attributes := map[string]schema.Attribute{
		"source_bucket": schema.StringAttribute{
			MarkdownDescription: "Bucket of the object that is copied, in the same region. Defaults to `bucket`, and is recorded when the copy is made. Another one copies in place, if its object has other content.",
			Optional:            true,
			Computed:            true,
			Validators:          []validator.String{tfkodo.BucketName()},
		},
		"source_key": schema.StringAttribute{
			MarkdownDescription: fmt.Sprintf("Key of the object that is copied, byte for byte: at most %d bytes of UTF-8. Another one copies in place, if its object has other content.", kodo.MaxKey),
			Required:            true,
			Validators:          []validator.String{tfkodo.ObjectKey()},
		},
		"source_etag": schema.StringAttribute{
			MarkdownDescription: "ETag of the source that the copy is to have. Where it is not set, each plan asks Kodo for the source's. Where the same apply makes or changes the source, pass it by value, as `kodo_object.original.etag`: " +
				"Kodo cannot know what is not there yet. The apply refuses to copy a source with another ETag.",
			Optional: true,
			Computed: true,
		},
		"content_type": schema.StringAttribute{
			MarkdownDescription: fmt.Sprintf("Media type that downloads of the copy are answered with. Defaults to the source's. At most %d characters, without `%%`. Changes in place, without copying again.", kodo.MaxContentType),
			Optional:            true,
			Computed:            true,
			Validators:          []validator.String{tfkodo.ContentType()},
		},
		"metadata": schema.MapAttribute{
			MarkdownDescription: "Metadata of the copy's own, laid over those that it inherits from the source. Additions and changes are made in place; taking a name away copies again, because Kodo has no other way.",
			ElementType:         types.StringType,
			Optional:            true,
			Validators:          []validator.Map{tfkodo.Metadata()},
		},
		"effective_metadata": schema.MapAttribute{
			MarkdownDescription: "All metadata of the copy: those that it inherits, and its own.",
			ElementType:         types.StringType,
			Computed:            true,
		},
		"etag": schema.StringAttribute{
			MarkdownDescription: "Kodo's hash of the copy's content (qetag). If it differs from the source's, the next apply copies again.",
			Computed:            true,
		},
		"timeouts": timeoutsAttribute(ctx),
	}
	for _, more := range []map[string]schema.Attribute{
		placeAttributes(), headerAttributes(true), keptAttributes(), guardAttributes(), factAttributes(),
	} {
		maps.Copy(attributes, more)
	}
	resp.Schema = schema.Schema{
		MarkdownDescription: "A copy of an object, made inside Kodo without its bytes passing through here, within one region and across buckets of the account. " +
			"When the source's content changes, or that of the copy, the next apply copies again. A source that is gone leaves the copy as it is, with a warning.",
		Attributes: attributes,
	}
}

func (*objectCopy) IdentitySchema(_ context.Context, _ resource.IdentitySchemaRequest, resp *resource.IdentitySchemaResponse) {
	resp.IdentitySchema = objectIdentitySchema()
}

func (r *objectCopy) Configure(_ context.Context, req resource.ConfigureRequest, resp *resource.ConfigureResponse) {
	r.provider = tfkodo.FromProviderData(req.ProviderData, &resp.Diagnostics)
}

func (*objectCopy) ValidateConfig(ctx context.Context, req resource.ValidateConfigRequest, resp *resource.ValidateConfigResponse) {
	var config copyModel
	resp.Diagnostics.Append(getModel(ctx, req.Config, &config)...)
	resp.Diagnostics.Append(config.validate()...)
}

func (r *objectCopy) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	if req.Plan.Raw.IsNull() {
		var doomed copyModel
		resp.Diagnostics.Append(getModel(ctx, req.State, &doomed)...)
		resp.Diagnostics.Append(r.planDestroy(&doomed.objectBase)...)
		return
	}
	p := copyPlanning{resource: r, config: &copyModel{}, plan: &copyModel{}}
	resp.Diagnostics.Append(getModel(ctx, req.Config, p.config)...)
	resp.Diagnostics.Append(getModel(ctx, req.Plan, p.plan)...)
	var before *objectBase
	if !req.State.Raw.IsNull() {
		p.state = &copyModel{}
		before = &p.state.objectBase
		resp.Diagnostics.Append(getModel(ctx, req.State, p.state)...)
		resp.Diagnostics.Append(r.planKey(before, false)...)
		base, _, diags := loadBaseline(ctx, req.Private, before)
		resp.Diagnostics.Append(diags...)
		p.base = base
	}
	if resp.Diagnostics.HasError() {
		return
	}
	moved := r.planPlace(ctx, &p.config.objectBase, &p.plan.objectBase, before, resp)
	if len(resp.RequiresReplace) > 0 {
		resp.Diagnostics.Append(before.prevented("replaced")...)
	}
	if resp.Diagnostics.HasError() {
		return
	}
	resp.Diagnostics.Append(p.source(ctx)...)
	if !resp.Diagnostics.HasError() {
		resp.Diagnostics.Append(p.facts(ctx, moved)...)
	}
	resp.Diagnostics.Append(setModel(ctx, &resp.Plan, p.plan)...)
}

func (r *objectCopy) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	var plan copyModel
	resp.Diagnostics.Append(getModel(ctx, req.Plan, &plan)...)
	ctx, cancel := withTimeout(ctx, plan.Timeouts.Create, &resp.Diagnostics)
	defer cancel()
	resp.Diagnostics.Append(r.provider.RequireClient("copy an object")...)
	if resp.Diagnostics.HasError() {
		return
	}
	guard := kodo.IfAbsent()
	if plan.Overwrite.ValueBool() {
		guard = kodo.Always()
	}
	stored, diags := r.copy(ctx, &plan, guard, false)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	if stored.Adopted != nil && !plan.Overwrite.ValueBool() {
		resp.Diagnostics.Append(adopted(&plan.objectBase, "not sent again"))
	}
	state := plan
	resp.Diagnostics.Append(r.settleCopy(ctx, &state, &plan, stored,
		"Terraform marks the copy as tainted and would replace it in the next apply. To let the next apply finish it instead, run `terraform untaint` with its address first.")...)
	base := unfinishedBaseline(&state.objectBase)
	if !resp.Diagnostics.HasError() {
		state.asPlanned(&plan)
		base = baselineOf(&state.objectBase)
	}
	resp.Diagnostics.Append(setModel(ctx, &resp.State, &state)...)
	resp.Diagnostics.Append(resp.Identity.Set(ctx, state.identity())...)
	resp.Diagnostics.Append(base.save(ctx, resp.Private)...)
}

func (r *objectCopy) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	var state copyModel
	resp.Diagnostics.Append(getModel(ctx, req.State, &state)...)
	r.read(ctx, &state.objectBase, state.fill, &state, req, resp)
}

func (r *objectCopy) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	var plan, prior copyModel
	resp.Diagnostics.Append(getModel(ctx, req.Plan, &plan)...)
	resp.Diagnostics.Append(getModel(ctx, req.State, &prior)...)
	ctx, cancel := withTimeout(ctx, plan.Timeouts.Update, &resp.Diagnostics)
	defer cancel()
	resp.Diagnostics.Append(r.provider.RequireClient("change a copy of an object")...)
	if resp.Diagnostics.HasError() {
		return
	}
	base, _, diags := loadBaseline(ctx, req.Private, &prior.objectBase)
	if resp.Diagnostics.Append(diags...); resp.Diagnostics.HasError() {
		return
	}
	state, copied := prior, false // what is done of the plan
	if plan.PutTime.IsUnknown() {
		copied, diags = r.change(ctx, &state, &plan, base.unfinished())
		resp.Diagnostics.Append(diags...)
	}
	switch {
	case !resp.Diagnostics.HasError():
		state.asPlanned(&plan)
		resp.Diagnostics.Append(baselineOf(&state.objectBase).save(ctx, resp.Private)...)
	case copied:
		resp.Diagnostics.Append(unfinishedBaseline(&state.objectBase).save(ctx, resp.Private)...)
	}
	resp.Diagnostics.Append(setModel(ctx, &resp.State, &state)...)
	resp.Diagnostics.Append(resp.Identity.Set(ctx, state.identity())...)
}

func (r *objectCopy) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	var state copyModel
	resp.Diagnostics.Append(getModel(ctx, req.State, &state)...)
	if !resp.Diagnostics.HasError() {
		resp.Diagnostics.Append(r.remove(ctx, &state.objectBase)...)
	}
}

func (r *objectCopy) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	r.importState(ctx, req, resp)
}

// fill takes what Kodo says of the copy into the model. Of the metadata, its own are those that it names.
func (m *copyModel) fill(found kodo.Object) {
	m.objectBase.fill(found)
	user := userMetadata(found.Metadata)
	m.EffectiveMetadata = types.MapValueMust(types.StringType, user)
	if !m.Metadata.IsNull() && !m.Metadata.IsUnknown() {
		m.Metadata = overlay(m.EffectiveMetadata, m.Metadata)
	}
}

// copy makes the copy, if the guard allows it; again also if there is an object of the same content.
func (r *objectCopy) copy(ctx context.Context, plan *copyModel, guard kodo.Guard, again bool) (stored kodo.Stored, diags diag.Diagnostics) {
	stored, err := r.provider.Client.Copy(ctx, kodo.Transfer{
		FromBucket: plan.SourceBucket.ValueString(), FromKey: plan.SourceKey.ValueString(), ETag: plan.SourceETag.ValueString(),
		Bucket: plan.Bucket.ValueString(), Key: plan.Key.ValueString(), Guard: guard, Again: again,
	})
	var other *kodo.SourceChangedError
	switch {
	case errors.As(err, &other):
		diags.AddError("Source Changed Since The Plan", fmt.Sprintf("Object %s, which is to be copied to %s, has the ETag %s and was planned to have %s. Nothing was copied. Plan again.",
			plan.sourceName(), plan.name(), other.Object.ETag, other.Want))
	case kodo.IsGone(err):
		diags.AddError(summarySourceMissing, fmt.Sprintf("Object %s, which is to be copied to %s, does not exist. Nothing was copied. If the same apply makes it, pass its ETag as source_etag, so that it is made first.",
			plan.sourceName(), plan.name()))
	case err != nil:
		diags.Append(r.writeFailed(&plan.objectBase, "Object Not Copied", "could not be copied from "+plan.sourceName(), err))
	}
	return stored, diags
}

// sourceName is the source as messages call it.
func (m *copyModel) sourceName() string {
	return fmt.Sprintf("%q in bucket %q", m.SourceKey.ValueString(), m.SourceBucket.ValueString())
}

// change makes the copy the planned one: it moves it, copies again, or changes facets, as far as they differ; all of
// them, if making it could not be finished. After an error the state says how far it came.
func (r *objectCopy) change(ctx context.Context, state, plan *copyModel, unfinished bool) (copied bool, diags diag.Diagnostics) {
	differs := plan.differenceFrom(state)
	lifecycle, again := plan.lifecycle(state.objectFacets), len(differs.removed) > 0
	if state.PutTime.IsNull() {
		diags.Append(putTimeMissing(&state.objectBase))
		return false, diags
	}
	moved, d := r.moveThere(ctx, &state.objectBase, &plan.objectBase, state.fill)
	if diags.Append(d...); diags.HasError() {
		return false, diags
	}
	if again || !plan.ETag.Equal(state.ETag) {
		stored, d := r.copy(ctx, plan, kodo.IfPutTime(state.putTime()), again)
		if diags.Append(d...); diags.HasError() {
			return false, diags
		}
		diags.Append(r.settleCopy(ctx, state, plan, stored)...)
		return true, diags
	}
	s := settling{plan: &plan.objectBase, state: &state.objectBase, differs: differs, lifecycle: lifecycle, fill: state.fill}
	diags.Append(r.alter(ctx, s, moved, unfinished)...)
	return false, diags
}

// settleCopy reads a copy that was just made, takes what it inherits into the plan, and makes the rest as planned.
func (r *objectCopy) settleCopy(ctx context.Context, state, plan *copyModel, stored kodo.Stored, advice ...string) (diags diag.Diagnostics) {
	const happened = "was copied, but could not be finished"
	state.SourceBucket, state.SourceKey, state.SourceETag = plan.SourceBucket, plan.SourceKey, types.StringValue(stored.ETag)
	state.Metadata = plan.Metadata
	state.fill(kodo.Object{ETag: stored.ETag, Size: stored.Size})
	state.ContentType, state.StorageClass, state.PutTime = types.StringNull(), types.StringNull(), types.StringNull() // until it is read
	state.Transition = types.ObjectNull(transitionTypes())
	found, err := r.provider.Client.Stat(ctx, plan.Bucket.ValueString(), plan.Key.ValueString())
	if err == nil && found.ETag != stored.ETag {
		err = &kodo.ChangedError{Bucket: plan.Bucket.ValueString(), Key: plan.Key.ValueString(), Have: &found}
	}
	if err != nil {
		diags.Append(r.writeFailed(&plan.objectBase, summaryObjectNotFinished, happened, err, advice...))
		return diags
	}
	state.fill(found)
	plan.inherit(found)
	s := settling{
		plan: &plan.objectBase, state: &state.objectBase, fill: state.fill,
		differs: plan.differenceFrom(state), lifecycle: plan.lifecycleOn(found),
		summary: summaryObjectNotFinished, happened: happened, advice: advice,
	}
	s.differs.lifecycle = true
	diags.Append(r.settle(ctx, s)...)
	return diags
}

// asPlanned takes the plan into the state of a copy that is made as planned.
func (m *copyModel) asPlanned(plan *copyModel) {
	made := *m
	*m = *plan
	m.objectFacts = made.objectFacts.asPlanned(plan.objectFacts)
	if plan.SourceETag.IsUnknown() {
		m.SourceETag = made.SourceETag
	}
	if plan.EffectiveMetadata.IsUnknown() {
		m.EffectiveMetadata = made.EffectiveMetadata
	}
}
