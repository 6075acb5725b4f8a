package resources

import (
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/identityschema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/qiniu/terraform-provider-kodo/internal/site"
	"github.com/qiniu/terraform-provider-kodo/internal/tfkodo"
)

var (
	_ resource.ResourceWithConfigure      = (*directory)(nil)
	_ resource.ResourceWithIdentity       = (*directory)(nil)
	_ resource.ResourceWithImportState    = (*directory)(nil)
	_ resource.ResourceWithModifyPlan     = (*directory)(nil)
	_ resource.ResourceWithValidateConfig = (*directory)(nil)
)

// NewDirectory is kodo_directory: the files of a local directory as objects under a prefix.
func NewDirectory() resource.Resource { return &directory{} }

type directory struct {
	provider *tfkodo.Provider
}

func (*directory) Metadata(_ context.Context, req resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_directory"
}

func (*directory) Schema(ctx context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "The files of a local directory as objects of a bucket, such as a whole web site, as one resource. Each plan hashes the files and shows which of them will be added, changed and removed; " +
			"each apply sends just those, the pages after everything that they need, and deletes last.",
		Attributes: directoryAttributes(ctx),
		Blocks: map[string]schema.Block{
			"rule": directoryRules(),
		},
	}
}

func (*directory) IdentitySchema(_ context.Context, _ resource.IdentitySchemaRequest, resp *resource.IdentitySchemaResponse) {
	resp.IdentitySchema = identityschema.Schema{
		Attributes: map[string]identityschema.Attribute{
			"bucket": identityschema.StringAttribute{Description: "Bucket that holds the objects.", RequiredForImport: true},
			"prefix": identityschema.StringAttribute{Description: "What the keys of all objects begin with: nothing, or a text that ends in a slash.", RequiredForImport: true},
		},
	}
}

func (r *directory) Configure(_ context.Context, req resource.ConfigureRequest, resp *resource.ConfigureResponse) {
	r.provider = tfkodo.FromProviderData(req.ProviderData, &resp.Diagnostics)
}

func (*directory) ValidateConfig(ctx context.Context, req resource.ValidateConfigRequest, resp *resource.ValidateConfigResponse) {
	var config directoryModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	resp.Diagnostics.Append(config.validate()...)
}

// ModifyPlan looks through the directory and says what will be done.
func (r *directory) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	if req.Plan.Raw.IsNull() {
		var doomed directoryModel
		resp.Diagnostics.Append(req.State.Get(ctx, &doomed)...)
		resp.Diagnostics.Append(r.planPlace(&doomed, true)...)
		resp.Diagnostics.Append(doomed.prevented("destroyed")...)
		return
	}
	p := directoryPlanning{resource: r, plan: &directoryModel{}, record: site.NewRecord()}
	resp.Diagnostics.Append(req.Plan.Get(ctx, p.plan)...)
	if !req.State.Raw.IsNull() {
		p.state = &directoryModel{}
		resp.Diagnostics.Append(req.State.Get(ctx, p.state)...)
		resp.Diagnostics.Append(r.planPlace(p.state, false)...)
		record, diags := p.state.requireRecord(ctx, req.Private)
		resp.Diagnostics.Append(diags...)
		p.record = record
	}
	if resp.Diagnostics.HasError() {
		return
	}
	if p.plan.Bucket.IsUnknown() {
		var config directoryModel
		resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
		resp.Diagnostics.Append(p.bucket(&config)...)
	}
	resp.RequiresReplace = append(resp.RequiresReplace, p.replaced()...)
	if len(resp.RequiresReplace) > 0 {
		resp.Diagnostics.Append(p.state.prevented("replaced")...)
	}
	if resp.Diagnostics.HasError() {
		return
	}
	resp.Diagnostics.Append(p.run(ctx, len(resp.RequiresReplace) > 0)...)
	resp.Diagnostics.Append(resp.Plan.Set(ctx, p.plan)...)
}

func (r *directory) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	var plan directoryModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	ctx, cancel := withTimeout(ctx, plan.Timeouts.Create, &resp.Diagnostics)
	defer cancel()
	resp.Diagnostics.Append(r.provider.RequireClient("publish a directory")...)
	if resp.Diagnostics.HasError() {
		return
	}
	w := directoryWriting{resource: r, plan: &plan, record: site.NewRecord()}
	state, diags := w.publish(ctx)
	resp.Diagnostics.Append(diags...)
	if state == nil { // nothing was tried
		return
	}
	resp.Diagnostics.Append(resp.State.Set(ctx, state)...)
	resp.Diagnostics.Append(resp.Identity.Set(ctx, state.identity())...)
	resp.Diagnostics.Append(saveRecord(ctx, resp.Private, w.record)...)
}

func (r *directory) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	var state directoryModel
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	// First, because Terraform before 1.12 brings none, and the framework demands one.
	resp.Diagnostics.Append(resp.Identity.Set(ctx, state.identity())...)
	ctx, cancel := withTimeout(ctx, state.Timeouts.Read, &resp.Diagnostics)
	defer cancel()
	record, from, diags := state.loadRecord(ctx, req.Private)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	if !r.provider.Known() {
		resp.Diagnostics.Append(r.provider.StateKept("directory " + state.name()))
		return
	}
	if from == recordLost {
		resp.Diagnostics.AddWarning("Record Lost", fmt.Sprintf("Terraform has lost the record of what was published as directory %s, because the provider was ended during an apply. "+
			"Everything under the prefix is taken for imported: what is not in source_dir is left in the bucket, unless delete is ALL.", state.name()))
	}
	if err := r.refresh(ctx, &state, record, from); err != nil {
		resp.Diagnostics.Append(r.provider.Diagnose("Directory Not Read", fmt.Sprintf("the objects of directory %s could not be read", state.name()), err, withoutBucket(err)...))
		return
	}
	if from == recordNone && len(record.Have) == 0 {
		resp.State.RemoveResource(ctx)
		return
	}
	resp.Diagnostics.Append(resp.State.Set(ctx, state)...)
	if from != recordKept || record.Changed() {
		resp.Diagnostics.Append(saveRecord(ctx, resp.Private, record)...)
	}
}

func (r *directory) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	var plan, prior directoryModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	resp.Diagnostics.Append(req.State.Get(ctx, &prior)...)
	ctx, cancel := withTimeout(ctx, plan.Timeouts.Update, &resp.Diagnostics)
	defer cancel()
	record, diags := prior.requireRecord(ctx, req.Private)
	resp.Diagnostics.Append(diags...)
	resp.Diagnostics.Append(r.provider.RequireClient("publish a directory")...)
	if resp.Diagnostics.HasError() {
		return
	}
	w := directoryWriting{resource: r, plan: &plan, prior: &prior, record: record}
	state, diags := w.publish(ctx)
	resp.Diagnostics.Append(diags...)
	if state == nil { // nothing was tried
		return
	}
	resp.Diagnostics.Append(resp.State.Set(ctx, state)...)
	resp.Diagnostics.Append(resp.Identity.Set(ctx, state.identity())...)
	resp.Diagnostics.Append(saveRecord(ctx, resp.Private, w.record)...)
}

func (r *directory) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	var state directoryModel
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	ctx, cancel := withTimeout(ctx, state.Timeouts.Delete, &resp.Diagnostics)
	defer cancel()
	if resp.Diagnostics.HasError() || state.DeletionPolicy.ValueString() == deletionAbandon {
		return
	}
	record, diags := state.requireRecord(ctx, req.Private)
	resp.Diagnostics.Append(diags...)
	resp.Diagnostics.Append(state.prevented("deleted")...)
	resp.Diagnostics.Append(r.provider.RequireClient("delete a directory")...)
	if resp.Diagnostics.HasError() {
		return
	}
	out := record.Remove(ctx, r.provider.Client, state.Bucket.ValueString(), state.Delete.ValueString() == deleteAll)
	resp.Diagnostics.Append(r.removed(&state, record, out)...)
	if resp.Diagnostics.HasError() { // what is left is still there
		state.fill(record)
		resp.Diagnostics.Append(resp.State.Set(ctx, state)...)
		resp.Diagnostics.Append(saveRecord(ctx, resp.Private, record)...)
	}
}

func (r *directory) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	resp.Diagnostics.Append(r.provider.RequireClient("import a directory")...)
	if resp.Diagnostics.HasError() {
		return
	}
	var identity directoryIdentity
	if req.ID == "" && !req.Identity.Raw.IsNull() {
		resp.Diagnostics.Append(req.Identity.Get(ctx, &identity)...)
	} else {
		id, err := parseDirectoryID(req.ID)
		if err != nil {
			resp.Diagnostics.AddError(summaryImportID, fmt.Sprintf("%q does not name a directory: %s. "+
				"The ID is the bucket, a slash and the prefix, for example assets/docs/; for a whole bucket it is assets/.", req.ID, err))
			return
		}
		identity = id
	}
	for name, value := range map[string]any{
		"bucket": identity.Bucket, "prefix": identity.Prefix, "include_hidden": false, "symlinks": symlinksFollow, "upload_last": uploadLast(),
		"overwrite": false, "delete": deleteManaged, "delete_whole_bucket": false, "deletion_policy": deletionDelete, "track": trackFiles,
	} {
		resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root(name), value)...)
	}
}

// refresh reads what there is into the record and the model: where there is no record, everything under the prefix.
func (r *directory) refresh(ctx context.Context, m *directoryModel, record *site.Record, from recordSource) error {
	bucket, before := m.Bucket.ValueString(), m.Digest.ValueString()
	imported := from == recordNone || from == recordLost
	if imported || m.Delete.ValueString() == deleteAll {
		found, err := r.list(ctx, bucket, m.Prefix.ValueString())
		if err != nil {
			return err
		}
		if imported {
			record.Import(found)
		} else {
			record.SeeAll(found)
		}
	} else if err := record.Refresh(ctx, r.provider.Client, bucket); err != nil {
		return err
	}
	if from == recordRebuilt && record.Digest() == before {
		record.Trust()
	}
	if from != recordKept || record.Changed() {
		m.fill(record)
	}
	if from == recordNone {
		m.noChanges()
	}
	if url := r.url(m); !url.IsUnknown() {
		m.URL = url
	}
	return nil
}

func (r *directory) url(m *directoryModel) types.String {
	return r.provider.ObjectURL(m.Bucket, m.Prefix, m.Domain)
}
