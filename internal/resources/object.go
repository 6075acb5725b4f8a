package resources

import (
	"context"
	"fmt"
	"maps"

	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/qiniu/terraform-provider-kodo/internal/kodo"
	"github.com/qiniu/terraform-provider-kodo/internal/tfkodo"
)

var (
	_ resource.ResourceWithConfigure      = (*object)(nil)
	_ resource.ResourceWithIdentity       = (*object)(nil)
	_ resource.ResourceWithImportState    = (*object)(nil)
	_ resource.ResourceWithModifyPlan     = (*object)(nil)
	_ resource.ResourceWithMoveState      = (*object)(nil)
	_ resource.ResourceWithValidateConfig = (*object)(nil)
)

// NewObject is kodo_object: one object of a bucket, from a file or from text.
func NewObject() resource.Resource { return &object{} }

type object struct {
	objects
}

type objectModel struct {
	objectBase
	objectContent
}

func (*object) Metadata(_ context.Context, req resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_object"
	resp.ResourceBehavior.MutableIdentity = true
}

func (*object) Schema(ctx context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	attributes := map[string]schema.Attribute{
		"content_type": schema.StringAttribute{
			MarkdownDescription: fmt.Sprintf("Media type that downloads are answered with. Defaults to the type that belongs to the key's extension, the same on every operating system, "+
				"and to `%s` where there is none. At most %d characters, without `%%`. Changes in place, without sending the bytes.", kodo.DefaultContentType, kodo.MaxContentType),
			Optional:   true,
			Computed:   true,
			Validators: []validator.String{tfkodo.ContentType()},
		},
		"metadata": schema.MapAttribute{
			MarkdownDescription: fmt.Sprintf("Metadata of your own, which downloads carry as `x-qn-meta-…` headers: names of at most %d letters, digits, hyphens and underscores. Names and values of these and of the header arguments have at most %d bytes together. "+
				"Additions and changes are made in place, without sending the bytes; taking a name away sends them again, because Kodo has no other way.", kodo.MaxMetadataName, kodo.MaxMetadata),
			ElementType: types.StringType,
			Optional:    true,
			Validators:  []validator.Map{tfkodo.Metadata()},
		},
		"etag": schema.StringAttribute{
			MarkdownDescription: "Kodo's hash of the content (qetag). It is known in the plan when the bytes are.",
			Computed:            true,
		},
		"timeouts": timeoutsAttribute(ctx),
	}
	for _, more := range []map[string]schema.Attribute{
		placeAttributes(), contentAttributes(), headerAttributes(false), keptAttributes(), guardAttributes(), factAttributes(),
	} {
		maps.Copy(attributes, more)
	}
	resp.Schema = schema.Schema{
		MarkdownDescription: "One object in a Kodo bucket, from a file or from text. A change of the file is noticed by itself: " +
			"each plan hashes the bytes and compares them with what Kodo holds, so no `etag` or `source_hash` has to be written.",
		Attributes: attributes,
	}
}

// contentAttributes give the bytes: at most one of them, one to create the object.
func contentAttributes() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"source": schema.StringAttribute{
			MarkdownDescription: "Path of a local file with the bytes; a leading `~/` is the home folder. The file is read in each plan and once more for the upload, " +
				"never by a refresh or a destroy. Only the bytes matter: another path to the same bytes sends nothing. Changed bytes are uploaded in place.",
			Optional:   true,
			Validators: []validator.String{stringvalidator.LengthAtLeast(1)},
		},
		"source_hash": schema.StringAttribute{
			MarkdownDescription: "Any text that changes when the file of `source` does, for a file that is made during the apply: the plan then does not read the file. " +
				"Pass it from what makes the file, such as `terraform_data.build.id`. Another value uploads the file, unless its bytes are what Kodo has. Changes in place.",
			Optional:   true,
			Validators: []validator.String{stringvalidator.LengthAtLeast(1), stringvalidator.AlsoRequires(path.MatchRoot("source"))},
		},
		"content": schema.StringAttribute{
			MarkdownDescription: "The bytes as text (UTF-8). `\"\"` is an empty object. Changes in place.",
			Optional:            true,
		},
		"content_base64": schema.StringAttribute{
			MarkdownDescription: "The bytes as standard base64 with padding, such as the result of `filebase64`. Changes in place.",
			Optional:            true,
			Validators:          []validator.String{tfkodo.Base64()},
		},
		"content_wo": schema.StringAttribute{
			MarkdownDescription: "The bytes as secret text (UTF-8), which neither the plan nor the state holds. Needs Terraform 1.11 or OpenTofu 1.11, and `content_wo_version`.",
			Optional:            true,
			WriteOnly:           true,
			Validators:          []validator.String{stringvalidator.AlsoRequires(path.MatchRoot("content_wo_version"))},
		},
		"content_wo_version": schema.Int64Attribute{
			MarkdownDescription: "Version of `content_wo`: raise it when the text changes, for nothing else shows that. Changes in place.",
			Optional:            true,
			Validators:          []validator.Int64{int64validator.AlsoRequires(path.MatchRoot("content_wo"))},
		},
	}
}

func (*object) IdentitySchema(_ context.Context, _ resource.IdentitySchemaRequest, resp *resource.IdentitySchemaResponse) {
	resp.IdentitySchema = objectIdentitySchema()
}

func (r *object) Configure(_ context.Context, req resource.ConfigureRequest, resp *resource.ConfigureResponse) {
	r.provider = tfkodo.FromProviderData(req.ProviderData, &resp.Diagnostics)
}

func (*object) ValidateConfig(ctx context.Context, req resource.ValidateConfigRequest, resp *resource.ValidateConfigResponse) {
	var config objectModel
	resp.Diagnostics.Append(getModel(ctx, req.Config, &config)...)
	resp.Diagnostics.Append(config.validateContent()...)
	resp.Diagnostics.Append(config.validate()...)
}

// ModifyPlan makes the plan tell the truth: it finds the bucket, hashes the
// local bytes, and leaves unknown only what the apply alone can know.
func (r *object) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	if req.Plan.Raw.IsNull() {
		var doomed objectModel
		resp.Diagnostics.Append(getModel(ctx, req.State, &doomed)...)
		resp.Diagnostics.Append(r.planDestroy(&doomed.objectBase)...)
		return
	}
	p := planning{resource: r, config: &objectModel{}, plan: &objectModel{}}
	resp.Diagnostics.Append(getModel(ctx, req.Config, p.config)...)
	resp.Diagnostics.Append(getModel(ctx, req.Plan, p.plan)...)
	var before *objectBase
	if !req.State.Raw.IsNull() {
		p.state = &objectModel{}
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
	if resp.Diagnostics.HasError() {
		return
	}
	p.facets()
	resp.Diagnostics.Append(p.content(ctx)...)
	if len(resp.RequiresReplace) > 0 {
		resp.Diagnostics.Append(p.replaced()...)
	} else if !resp.Diagnostics.HasError() {
		resp.Diagnostics.Append(p.writes(ctx, moved)...)
	}
	resp.Diagnostics.Append(setModel(ctx, &resp.Plan, p.plan)...)
}

func (r *object) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	var plan, config objectModel
	resp.Diagnostics.Append(getModel(ctx, req.Plan, &plan)...)
	resp.Diagnostics.Append(getModel(ctx, req.Config, &config)...)
	ctx, cancel := withTimeout(ctx, plan.Timeouts.Create, &resp.Diagnostics)
	defer cancel()
	resp.Diagnostics.Append(r.provider.RequireClient("create an object")...)
	if resp.Diagnostics.HasError() {
		return
	}
	guard := kodo.IfAbsent()
	if plan.Overwrite.ValueBool() {
		guard = kodo.Always()
	}
	plan.ContentWO = config.ContentWO
	stored, diags := r.upload(ctx, &plan, guard, false)
	plan.ContentWO = types.StringNull()
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	// From here on the object is stored, so whatever fails, the state has it.
	state := plan
	state.DeleteAfterDays, state.Transition = types.Int64Null(), types.ObjectNull(transitionTypes())
	state.take(stored, &plan)
	s := r.afterUpload(&state, &plan, stored)
	s.advice = []string{"Terraform marks the object as tainted and would replace it in the next apply. To let the next apply finish it instead, run `terraform untaint` with its address first."}
	base := unfinishedBaseline(&state.objectBase)
	if resp.Diagnostics.Append(r.settle(ctx, s)...); !resp.Diagnostics.HasError() {
		state.asPlanned(&plan)
		base = baselineOf(&state.objectBase)
	}
	resp.Diagnostics.Append(setModel(ctx, &resp.State, &state)...)
	resp.Diagnostics.Append(resp.Identity.Set(ctx, state.identity())...)
	resp.Diagnostics.Append(base.save(ctx, resp.Private)...)
}

func (r *object) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	var state objectModel
	resp.Diagnostics.Append(getModel(ctx, req.State, &state)...)
	r.read(ctx, &state.objectBase, state.fill, &state, req, resp)
}

func (r *object) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	var plan, prior, config objectModel
	resp.Diagnostics.Append(getModel(ctx, req.Plan, &plan)...)
	resp.Diagnostics.Append(getModel(ctx, req.State, &prior)...)
	resp.Diagnostics.Append(getModel(ctx, req.Config, &config)...)
	ctx, cancel := withTimeout(ctx, plan.Timeouts.Update, &resp.Diagnostics)
	defer cancel()
	resp.Diagnostics.Append(r.provider.RequireClient("change an object")...)
	if resp.Diagnostics.HasError() {
		return
	}
	base, _, diags := loadBaseline(ctx, req.Private, &prior.objectBase)
	if resp.Diagnostics.Append(diags...); resp.Diagnostics.HasError() {
		return
	}
	state := prior // what is done of the plan
	if plan.PutTime.IsUnknown() {
		plan.ContentWO = config.ContentWO
		resp.Diagnostics.Append(r.change(ctx, &state, &plan, base.unfinished())...)
		plan.ContentWO, state.ContentWO = types.StringNull(), types.StringNull()
	}
	if !resp.Diagnostics.HasError() { // what is not written needs no request
		state.asPlanned(&plan)
		resp.Diagnostics.Append(baselineOf(&state.objectBase).save(ctx, resp.Private)...)
	}
	resp.Diagnostics.Append(setModel(ctx, &resp.State, &state)...)
	resp.Diagnostics.Append(resp.Identity.Set(ctx, state.identity())...)
}

func (r *object) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	var state objectModel
	resp.Diagnostics.Append(getModel(ctx, req.State, &state)...)
	if !resp.Diagnostics.HasError() {
		resp.Diagnostics.Append(r.remove(ctx, &state.objectBase)...)
	}
}

func (r *object) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	r.importState(ctx, req, resp)
}

func (*object) MoveState(context.Context) []resource.StateMover {
	return []resource.StateMover{{StateMover: moveObjectState}}
}

// fill takes what Kodo says of the object into the model.
func (m *objectModel) fill(found kodo.Object) {
	m.objectBase.fill(found)
	if user := userMetadata(found.Metadata); len(user) > 0 || !m.Metadata.IsNull() { // {} and null are the same to Kodo, not to Terraform
		m.Metadata = types.MapValueMust(types.StringType, user)
	}
}

// spec is what the model asks Kodo to store.
func (m *objectModel) spec(content kodo.Content, guard kodo.Guard) kodo.Put {
	return kodo.Put{
		Bucket: m.Bucket.ValueString(), Key: m.Key.ValueString(),
		Content: content, ContentType: m.ContentType.ValueString(), ETag: m.ETag.ValueString(), Guard: guard,
		StorageClass: m.storageClass(), Metadata: m.metadata(), DeleteAfterDays: int(m.DeleteAfterDays.ValueInt64()),
	}
}
