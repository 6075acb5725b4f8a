package resources

import (
	"context"
	"fmt"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework-validators/resourcevalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/identityschema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/booldefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/qiniu/terraform-provider-kodo/internal/kodo"
	"github.com/qiniu/terraform-provider-kodo/internal/tfkodo"
)

var (
	_ resource.ResourceWithConfigure        = (*object)(nil)
	_ resource.ResourceWithConfigValidators = (*object)(nil)
	_ resource.ResourceWithIdentity         = (*object)(nil)
	_ resource.ResourceWithImportState      = (*object)(nil)
	_ resource.ResourceWithModifyPlan       = (*object)(nil)
)

// NewObject is kodo_object: one object of a bucket, from a file or from text.
func NewObject() resource.Resource { return &object{} }

type object struct {
	provider *tfkodo.Provider
}

type objectModel struct {
	Bucket        types.String   `tfsdk:"bucket"`
	Key           types.String   `tfsdk:"key"`
	Source        types.String   `tfsdk:"source"`
	Content       types.String   `tfsdk:"content"`
	ContentBase64 types.String   `tfsdk:"content_base64"`
	ContentType   types.String   `tfsdk:"content_type"`
	Domain        types.String   `tfsdk:"domain"`
	Overwrite     types.Bool     `tfsdk:"overwrite"`
	ETag          types.String   `tfsdk:"etag"`
	Size          types.Int64    `tfsdk:"size"`
	PutTime       types.String   `tfsdk:"put_time"`
	URL           types.String   `tfsdk:"url"`
	Timeouts      timeouts.Value `tfsdk:"timeouts"`
}

type objectIdentity struct {
	Bucket types.String `tfsdk:"bucket"`
	Key    types.String `tfsdk:"key"`
}

func (*object) Metadata(_ context.Context, req resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_object"
}

func (*object) Schema(ctx context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "One object in a Kodo bucket, from a file or from text. A change of the file is noticed by itself: " +
			"each plan hashes the bytes and compares them with what Kodo holds, so no `etag` or `source_hash` has to be written.",
		Attributes: map[string]schema.Attribute{
			// What and where.
			"bucket": schema.StringAttribute{
				MarkdownDescription: "Bucket that holds the object. Defaults to the provider's `bucket`, and is recorded when the object is created: a later change of the provider's moves nothing. Changing it replaces the object.",
				Optional:            true,
				Computed:            true,
				Validators:          []validator.String{tfkodo.BucketName()},
			},
			"key": schema.StringAttribute{
				MarkdownDescription: fmt.Sprintf("Key (name) of the object in the bucket, kept byte for byte: at most %d bytes of UTF-8, such as `css/site.css`. Changing it replaces the object.", kodo.MaxKey),
				Required:            true,
				Validators:          []validator.String{tfkodo.ObjectKey()},
				PlanModifiers:       []planmodifier.String{stringplanmodifier.RequiresReplace()},
			},

			// The bytes: at most one of these, one to create the object.
			"source": schema.StringAttribute{
				MarkdownDescription: "Path of a local file with the bytes; a leading `~/` is the home folder. The file is read in each plan and once more for the upload, " +
					"never by a refresh or a destroy. Only the bytes matter: another path to the same bytes sends nothing. Changed bytes are uploaded in place.",
				Optional:   true,
				Validators: []validator.String{stringvalidator.LengthAtLeast(1)},
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

			// How it is served.
			"content_type": schema.StringAttribute{
				MarkdownDescription: fmt.Sprintf("Media type that downloads are answered with. Defaults to the type that belongs to the key's extension, the same on every operating system, "+
					"and to `%s` where there is none. At most %d characters, without `%%`. Changes in place, without sending the bytes.", kodo.DefaultContentType, kodo.MaxContentType),
				Optional:   true,
				Computed:   true,
				Validators: []validator.String{tfkodo.ContentType()},
			},
			"domain": schema.StringAttribute{
				MarkdownDescription: "Download domain for `url`, as `host[:port]` or with `http://` or `https://` in front, such as `kodo_bucket.site.domains[0]`. " +
					"Defaults to the provider's `domain` for objects of the provider's `bucket`. Changes in place, without a request.",
				Optional:   true,
				Validators: []validator.String{tfkodo.Domain()},
			},

			// How it is guarded.
			"overwrite": schema.BoolAttribute{
				MarkdownDescription: "Whether creating this resource may replace an object with other content that is there already. Defaults to `false`: it is refused, also when the object appears at the last moment. " +
					"An object with the same content is adopted without a transfer either way; destroying the resource later deletes it. Changes in place, without a request.",
				Optional: true,
				Computed: true,
				Default:  booldefault.StaticBool(false),
			},

			// What Kodo says of it.
			"etag": schema.StringAttribute{
				MarkdownDescription: "Kodo's hash of the content (qetag). It is known in the plan when the bytes are.",
				Computed:            true,
			},
			"size": schema.Int64Attribute{
				MarkdownDescription: "Size of the content in bytes.",
				Computed:            true,
			},
			"put_time": schema.StringAttribute{
				MarkdownDescription: "When Kodo stored the object, as an RFC 3339 instant in UTC with seven decimals. It changes with each upload; " +
					"updates and deletes compare it first, so that what somebody else wrote since is not lost.",
				Computed: true,
			},
			"url": schema.StringAttribute{
				MarkdownDescription: "Download URL at `domain`, unsigned: in a private bucket it needs a signature. Null without a domain.",
				Computed:            true,
			},
			"timeouts": timeoutsAttribute(ctx),
		},
	}
}

func (*object) IdentitySchema(_ context.Context, _ resource.IdentitySchemaRequest, resp *resource.IdentitySchemaResponse) {
	resp.IdentitySchema = identityschema.Schema{
		Attributes: map[string]identityschema.Attribute{
			"bucket": identityschema.StringAttribute{Description: "Bucket that holds the object.", RequiredForImport: true},
			"key":    identityschema.StringAttribute{Description: "Key of the object.", RequiredForImport: true},
		},
	}
}

func (r *object) Configure(_ context.Context, req resource.ConfigureRequest, resp *resource.ConfigureResponse) {
	r.provider = tfkodo.FromProviderData(req.ProviderData, &resp.Diagnostics)
}

func (*object) ConfigValidators(context.Context) []resource.ConfigValidator {
	return []resource.ConfigValidator{
		resourcevalidator.Conflicting(path.MatchRoot("source"), path.MatchRoot("content"), path.MatchRoot("content_base64")),
	}
}

// ModifyPlan makes the plan tell the truth: it finds the bucket, hashes the
// local bytes, and leaves unknown only what the apply alone can know.
func (r *object) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	if req.Plan.Raw.IsNull() {
		var doomed objectModel
		resp.Diagnostics.Append(req.State.Get(ctx, &doomed)...)
		resp.Diagnostics.Append(r.planKey(doomed, true)...)
		return
	}
	var config, plan objectModel
	var state *objectModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	if !req.State.Raw.IsNull() {
		state = &objectModel{}
		resp.Diagnostics.Append(req.State.Get(ctx, state)...)
		resp.Diagnostics.Append(r.planKey(*state, false)...)
	}
	if resp.Diagnostics.HasError() {
		return
	}

	plan.Bucket = r.planBucket(config, state)
	if plan.Bucket.IsNull() {
		resp.Diagnostics.AddAttributeError(path.Root("bucket"), "Bucket Missing", fmt.Sprintf(
			"Object %q needs a bucket: set bucket, for example bucket = kodo_bucket.assets.name, or set bucket in the provider block or QINIU_BUCKET_NAME.", plan.Key.ValueString()))
		return
	}
	if state != nil && !plan.Bucket.Equal(state.Bucket) {
		resp.RequiresReplace.Append(path.Root("bucket"))
	}
	plan.ContentType = planContentType(config, state)
	resp.Diagnostics.Append(r.planContent(ctx, &plan, state)...)
	plan.URL = r.url(plan)
	resp.Diagnostics.Append(resp.Plan.Set(ctx, plan)...)
}

func (r *object) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	var plan objectModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
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
	stored, diags := r.upload(ctx, plan, guard)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	if stored.Adopted != nil && !plan.Overwrite.ValueBool() {
		resp.Diagnostics.AddWarning("Existing Object Adopted", fmt.Sprintf("Object %s existed already, with exactly the content of this configuration. "+
			"Nothing was sent, and this resource manages the object from now on: destroying it deletes the object. "+
			"If a resource of another provider block manages it as well, move it with a moved block instead.", plan.name()))
	}

	// From here on the object is stored, so whatever fails, the state has it.
	state := plan
	state.take(stored)
	resp.Diagnostics.Append(r.finish(ctx, &state, plan, summaryObjectNotFinished, "was stored, but could not be finished",
		"Terraform marks the object as tainted and would replace it in the next apply. To let the next apply finish it instead, run `terraform untaint` with its address first.")...)
	resp.Diagnostics.Append(resp.State.Set(ctx, state)...)
	resp.Diagnostics.Append(resp.Identity.Set(ctx, objectIdentity{Bucket: state.Bucket, Key: state.Key})...)
}

func (r *object) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	var state objectModel
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	// First, because an object that is gone needs one too: Terraform before 1.12 brings none, and the framework demands one.
	resp.Diagnostics.Append(resp.Identity.Set(ctx, objectIdentity{Bucket: state.Bucket, Key: state.Key})...)
	ctx, cancel := withTimeout(ctx, state.Timeouts.Read, &resp.Diagnostics)
	defer cancel()
	if resp.Diagnostics.HasError() {
		return
	}
	if !r.provider.Known() {
		resp.Diagnostics.Append(r.provider.StateKept("object " + state.name()))
		return
	}

	err := r.refresh(ctx, &state)
	switch {
	case kodo.IsGone(err):
		resp.State.RemoveResource(ctx)
	case err != nil:
		resp.Diagnostics.Append(r.provider.Diagnose("Object Not Read", fmt.Sprintf("object %s could not be read", state.name()), err, withoutBucket(err)...))
	default:
		resp.Diagnostics.Append(resp.State.Set(ctx, state)...)
	}
}

func (r *object) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	var plan, prior objectModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	resp.Diagnostics.Append(req.State.Get(ctx, &prior)...)
	ctx, cancel := withTimeout(ctx, plan.Timeouts.Update, &resp.Diagnostics)
	defer cancel()
	resp.Diagnostics.Append(r.provider.RequireClient("change an object")...)
	if resp.Diagnostics.HasError() {
		return
	}
	state := plan
	newBytes := !plan.ETag.Equal(prior.ETag)
	newType := !plan.ContentType.Equal(prior.ContentType)
	summary, happened := "Object Not Changed", "could not be changed"
	if (newBytes || newType) && prior.PutTime.IsNull() {
		resp.Diagnostics.AddError(summary, fmt.Sprintf("The state does not know when object %s was put, because it could not be read back after it was stored. "+
			"So it cannot be told from what somebody else may have written since, and nothing was sent. Plan again with a refresh.", plan.name()))
		return
	}

	if newBytes {
		stored, diags := r.upload(ctx, plan, kodo.IfPutTime(prior.putTime()))
		resp.Diagnostics.Append(diags...)
		if resp.Diagnostics.HasError() {
			return
		}
		state.take(stored)
		summary, happened = summaryObjectNotFinished, "was stored, but could not be finished"
	} else {
		state.keep(prior)
	}
	// A new path to the same bytes, and what Kodo does not keep, need no request.
	if newBytes || newType {
		resp.Diagnostics.Append(r.finish(ctx, &state, plan, summary, happened)...)
	}
	resp.Diagnostics.Append(resp.State.Set(ctx, state)...)
	resp.Diagnostics.Append(resp.Identity.Set(ctx, objectIdentity{Bucket: state.Bucket, Key: state.Key})...)
}

func (r *object) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	var state objectModel
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	ctx, cancel := withTimeout(ctx, state.Timeouts.Delete, &resp.Diagnostics)
	defer cancel()
	resp.Diagnostics.Append(r.provider.RequireClient("delete an object")...)
	if resp.Diagnostics.HasError() {
		return
	}

	removal, err := r.provider.Client.Remove(ctx, state.Bucket.ValueString(), state.Key.ValueString(), state.putTime(), state.ETag.ValueString())
	if err != nil {
		resp.Diagnostics.Append(r.provider.Diagnose("Object Not Deleted", fmt.Sprintf("object %s could not be deleted", state.name()), err, withoutBucket(err)...))
		return
	}
	switch removal {
	case kodo.Changed:
		resp.Diagnostics.AddWarning("Changed Object Left In Place", fmt.Sprintf("Object %s was written by somebody else since the plan, so it was not deleted. "+
			"It is no longer managed here. Delete it by hand, or import it, if it should not stay.", state.name()))
	case kodo.Contested:
		resp.Diagnostics.AddError("Object Not Deleted", fmt.Sprintf("Object %s was left, because another resource of this same apply was to be stored under its key, and was refused or failed: "+
			"deleting it now would leave neither. If that resource is this one under a new address, a moved block hands the object over; "+
			"if it is to replace the object, set overwrite = true there.", state.name()))
	case kodo.Kept:
		resp.Diagnostics.AddWarning("Object Left To Its New Address", fmt.Sprintf("Object %s was written or adopted by another resource in this same apply, so it was not deleted: "+
			"that resource manages it now. A moved block spares the detour when an address is renamed.", state.name()))
	}
}

func (r *object) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	resp.Diagnostics.Append(r.provider.RequireClient("import an object")...)
	if resp.Diagnostics.HasError() {
		return
	}
	var identity objectIdentity
	if req.ID == "" && !req.Identity.Raw.IsNull() {
		resp.Diagnostics.Append(req.Identity.Get(ctx, &identity)...)
	} else {
		// Names of buckets hold no slash, keys may hold anything.
		bucket, key, found := strings.Cut(req.ID, "/")
		if !found || kodo.CheckBucketName(bucket) != nil || kodo.CheckKey(key) != nil {
			resp.Diagnostics.AddError(summaryImportID, fmt.Sprintf("%q does not name an object. "+
				"The ID is the bucket, a slash and the key, for example assets/css/site.css; the key may hold more slashes.", req.ID))
			return
		}
		identity = objectIdentity{Bucket: types.StringValue(bucket), Key: types.StringValue(key)}
	}
	resp.Diagnostics.Append(beginObject(ctx, &resp.State, identity)...)
}

// beginObject begins the state of an object that is there, in a state or in a list.
func beginObject(ctx context.Context, state interface {
	SetAttribute(ctx context.Context, at path.Path, value any) diag.Diagnostics
}, identity objectIdentity) (diags diag.Diagnostics) {
	for name, value := range map[string]any{"bucket": identity.Bucket, "key": identity.Key, "overwrite": false} {
		diags.Append(state.SetAttribute(ctx, path.Root(name), value)...)
	}
	return diags
}

// refresh reads the object into the model: the one way from Kodo to the state.
func (r *object) refresh(ctx context.Context, m *objectModel) error {
	found, err := r.provider.Client.Stat(ctx, m.Bucket.ValueString(), m.Key.ValueString())
	if err != nil {
		return err
	}
	m.fill(found)
	if url := r.url(*m); !url.IsUnknown() {
		m.URL = url
	}
	return nil
}

// fill takes what Kodo says of the object into the model.
func (m *objectModel) fill(found kodo.Object) {
	m.ETag = types.StringValue(found.ETag)
	m.Size = types.Int64Value(found.Size)
	m.ContentType = types.StringValue(found.ContentType)
	m.PutTime = types.StringValue(found.PutTime.String())
}

// spec is what the model asks Kodo to store.
func (m *objectModel) spec(content kodo.Content, guard kodo.Guard) kodo.Put {
	return kodo.Put{
		Bucket: m.Bucket.ValueString(), Key: m.Key.ValueString(),
		Content: content, ContentType: m.ContentType.ValueString(), ETag: m.ETag.ValueString(), Guard: guard,
	}
}

// finish makes the content type of a stored object the planned one, and reads
// the object back. The words are for writeFailed.
//
// What somebody else has stored since is not ours: then the model keeps what
// was stored here, and the next plan shows the difference.
func (r *object) finish(ctx context.Context, m *objectModel, plan objectModel, summary, happened string, advice ...string) (diags diag.Diagnostics) {
	stored := m.ETag
	for range 2 { // once more if what was there first, of the same bytes, has another type
		if !m.ContentType.Equal(plan.ContentType) {
			err := r.provider.Client.Change(ctx, m.Bucket.ValueString(), m.Key.ValueString(), m.putTime(), kodo.SetMetadata(plan.ContentType.ValueString(), nil))
			if err != nil {
				diags.Append(r.writeFailed(plan, summary, happened, err, advice...))
				return diags
			}
		}
		read := *m
		if err := r.refresh(ctx, &read); err != nil {
			diags.Append(r.writeFailed(plan, summary, happened, err, advice...))
			return diags
		}
		if !read.ETag.Equal(stored) {
			m.ContentType, m.PutTime = plan.ContentType, types.StringNull()
			diags.AddWarning("Object Overwritten Since", fmt.Sprintf("Object %s was stored as planned, and somebody else has stored other content under its key since. "+
				"The next plan shows the difference.", plan.name()))
			return diags
		}
		*m = read
		if m.ContentType.Equal(plan.ContentType) {
			break
		}
	}
	return diags
}

// take is fill for an upload's answer, which lacks the put time. A new object
// has the content type that it was given.
func (m *objectModel) take(stored kodo.Stored) {
	m.ETag, m.Size, m.PutTime = types.StringValue(stored.ETag), types.Int64Value(stored.Size), types.StringNull()
	if stored.Adopted != nil {
		m.fill(*stored.Adopted)
	}
}

// keep takes what Kodo said of the object before.
func (m *objectModel) keep(prior objectModel) {
	m.ETag, m.Size, m.ContentType, m.PutTime = prior.ETag, prior.Size, prior.ContentType, prior.PutTime
}

// putTime is 0 where the state has none.
func (m *objectModel) putTime() kodo.PutTime {
	t, err := kodo.ParsePutTime(m.PutTime.ValueString())
	if err != nil {
		return 0
	}
	return t
}

// name is the object as messages call it.
func (m *objectModel) name() string {
	return fmt.Sprintf("%q in bucket %q", m.Key.ValueString(), m.Bucket.ValueString())
}
