package resources

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"time"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/identityschema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/booldefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/listplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/qiniu/terraform-provider-kodo/internal/kodo"
	"github.com/qiniu/terraform-provider-kodo/internal/tfkodo"
)

var (
	_ resource.ResourceWithConfigure   = (*bucket)(nil)
	_ resource.ResourceWithIdentity    = (*bucket)(nil)
	_ resource.ResourceWithImportState = (*bucket)(nil)
)

// NewBucket is kodo_bucket: one bucket of the account.
func NewBucket() resource.Resource { return &bucket{} }

type bucket struct {
	provider *tfkodo.Provider
}

type bucketModel struct {
	Name         types.String   `tfsdk:"name"`
	Region       types.String   `tfsdk:"region"`
	Private      types.Bool     `tfsdk:"private"`
	IndexPage    types.Bool     `tfsdk:"index_page"`
	Tags         types.Map      `tfsdk:"tags"`
	ForceDestroy types.Bool     `tfsdk:"force_destroy"`
	Domains      types.List     `tfsdk:"domains"`
	CreatedAt    types.String   `tfsdk:"created_at"`
	Timeouts     timeouts.Value `tfsdk:"timeouts"`
}

type bucketIdentity struct {
	Name types.String `tfsdk:"name"`
}

func (*bucket) Metadata(_ context.Context, req resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_bucket"
}

func (*bucket) Schema(ctx context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "A Kodo bucket: a named container of objects in one region.",
		Attributes: map[string]schema.Attribute{
			"name": schema.StringAttribute{
				MarkdownDescription: fmt.Sprintf("Name of the bucket: %d to %d lower-case letters, digits and hyphens, beginning and ending with a letter or a digit. "+
					"Names are unique in all of Kodo. Changing it replaces the bucket.", kodo.MinBucketName, kodo.MaxBucketName),
				Required:      true,
				Validators:    []validator.String{tfkodo.BucketName()},
				PlanModifiers: []planmodifier.String{stringplanmodifier.RequiresReplace()},
			},
			"region": schema.StringAttribute{
				MarkdownDescription: "Region that keeps the bucket's objects, such as `z0` (East China), `z1` (North China), `z2` (South China), `cn-east-2`, " +
					"`na0` (North America) or `as0` (Southeast Asia). Changing it replaces the bucket.",
				Required:      true,
				Validators:    []validator.String{tfkodo.Region()},
				PlanModifiers: []planmodifier.String{stringplanmodifier.RequiresReplace()},
			},
			"private": schema.BoolAttribute{
				MarkdownDescription: "Whether objects can be downloaded with a signed URL only. Defaults to `true`: the bucket is private from the moment it is made, never public first. Changes in place.",
				Optional:            true,
				Computed:            true,
				Default:             booldefault.StaticBool(true),
			},
			"index_page": schema.BoolAttribute{
				MarkdownDescription: "Whether a request for a folder (`/`, `/docs/`) is answered with its `index.html`. Defaults to `false`. Changes in place.",
				Optional:            true,
				Computed:            true,
				Default:             booldefault.StaticBool(false),
			},
			"tags": schema.MapAttribute{
				MarkdownDescription: fmt.Sprintf("Tags of the bucket: at most %d; a key has 1 to %d bytes and does not begin with `kodo`, a value has 1 to %d bytes; both hold letters, digits, spaces and `+ - = . _ : / @`. "+
					"Tags that are not listed here are removed. Changes in place.", kodo.MaxBucketTags, kodo.MaxTagKey, kodo.MaxTagValue),
				ElementType: types.StringType,
				Optional:    true,
				Validators:  []validator.Map{tfkodo.BucketTags()},
			},
			"force_destroy": schema.BoolAttribute{
				MarkdownDescription: "Whether destroying the bucket first deletes every object in it, whoever put it there. Defaults to `false`: a bucket that still holds objects is not destroyed. " +
					"Takes effect once it has been applied. Changes in place, without a request.",
				Optional: true,
				Computed: true,
				Default:  booldefault.StaticBool(false),
			},
			"domains": schema.ListAttribute{
				MarkdownDescription: "Download domains bound to the bucket, Kodo's own test domain first. A domain is `host` or `host:port`.",
				ElementType:         types.StringType,
				Computed:            true,
				PlanModifiers:       []planmodifier.List{listplanmodifier.UseStateForUnknown()},
			},
			"created_at": schema.StringAttribute{
				MarkdownDescription: "When the bucket was made, as an RFC 3339 instant in UTC. Null where Kodo does not say.",
				Computed:            true,
				PlanModifiers:       []planmodifier.String{stringplanmodifier.UseStateForUnknown()},
			},
			"timeouts": timeoutsAttribute(ctx),
		},
	}
}

func (*bucket) IdentitySchema(_ context.Context, _ resource.IdentitySchemaRequest, resp *resource.IdentitySchemaResponse) {
	resp.IdentitySchema = identityschema.Schema{
		Attributes: map[string]identityschema.Attribute{
			"name": identityschema.StringAttribute{Description: "Name of the bucket.", RequiredForImport: true},
		},
	}
}

func (r *bucket) Configure(_ context.Context, req resource.ConfigureRequest, resp *resource.ConfigureResponse) {
	r.provider = tfkodo.FromProviderData(req.ProviderData, &resp.Diagnostics)
}

func (r *bucket) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	var plan bucketModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	ctx, cancel := withTimeout(ctx, plan.Timeouts.Create, &resp.Diagnostics)
	defer cancel()
	resp.Diagnostics.Append(r.provider.RequireClient("create a bucket")...)
	if resp.Diagnostics.HasError() {
		return
	}
	name, want := plan.Name.ValueString(), plan.spec()

	if err := r.provider.Client.CreateBucket(ctx, name, plan.Region.ValueString(), want.private); err != nil {
		resp.Diagnostics.Append(r.provider.Diagnose("Bucket Not Created", fmt.Sprintf("bucket %q could not be created", name), err))
		return
	}

	// From here on the bucket exists, so whatever fails, the state has it.
	state := plan
	state.Domains, state.CreatedAt = types.ListNull(types.StringType), types.StringNull()
	if err := r.finish(ctx, &state, want); err != nil {
		resp.Diagnostics.Append(r.provider.Diagnose("Bucket Created But Not Finished", fmt.Sprintf("bucket %q was created, but could not be finished", name), err,
			"Terraform marks the bucket as tainted and would replace it in the next apply. To let the next apply finish it instead, run `terraform untaint` with its address first."))
	}
	resp.Diagnostics.Append(resp.State.Set(ctx, state)...)
	resp.Diagnostics.Append(resp.Identity.Set(ctx, bucketIdentity{Name: state.Name})...)
	resp.Diagnostics.Append(resp.Private.SetKey(ctx, seenBy, r.account())...)
}

func (r *bucket) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	var state bucketModel
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	// First, because a bucket that is gone needs one too: Terraform before 1.12 brings none, and the framework demands one.
	resp.Diagnostics.Append(resp.Identity.Set(ctx, bucketIdentity{Name: state.Name})...)
	ctx, cancel := withTimeout(ctx, state.Timeouts.Read, &resp.Diagnostics)
	defer cancel()
	if resp.Diagnostics.HasError() {
		return
	}
	if !r.provider.Known() {
		resp.Diagnostics.Append(r.provider.StateKept(fmt.Sprintf("bucket %q", state.Name.ValueString())))
		return
	}

	if err := r.refresh(ctx, &state); err != nil {
		resp.Diagnostics.Append(r.failed(ctx, "Bucket Not Read", "read", state, err, req.Private)...)
		if !resp.Diagnostics.HasError() {
			resp.State.RemoveResource(ctx)
		}
		return
	}
	resp.Diagnostics.Append(resp.State.Set(ctx, state)...)
	resp.Diagnostics.Append(resp.Private.SetKey(ctx, seenBy, r.account())...)
}

func (r *bucket) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	var plan, state bucketModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	ctx, cancel := withTimeout(ctx, plan.Timeouts.Update, &resp.Diagnostics)
	defer cancel()
	resp.Diagnostics.Append(r.provider.RequireClient("change a bucket")...)
	if resp.Diagnostics.HasError() {
		return
	}

	// What was sent before a failure is in the state, the rest is as it was.
	if err := r.converge(ctx, &state, plan.spec()); err != nil {
		resp.Diagnostics.Append(r.provider.Diagnose("Bucket Not Changed", fmt.Sprintf("bucket %q could not be changed", state.Name.ValueString()), err))
	} else {
		state.ForceDestroy, state.Timeouts = plan.ForceDestroy, plan.Timeouts
		state.Tags = plan.Tags // {} and null are the same to Kodo, not to Terraform
		// The plan has promised them as they were. What was bound since is the next plan's to show.
		state.Domains, state.CreatedAt = plan.Domains, plan.CreatedAt
	}
	resp.Diagnostics.Append(resp.State.Set(ctx, state)...)
	resp.Diagnostics.Append(resp.Identity.Set(ctx, bucketIdentity{Name: state.Name})...)
}

func (r *bucket) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	var state bucketModel
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	ctx, cancel := withTimeout(ctx, state.Timeouts.Delete, &resp.Diagnostics)
	defer cancel()
	resp.Diagnostics.Append(r.provider.RequireClient("delete a bucket")...)
	if resp.Diagnostics.HasError() {
		return
	}

	if err := r.destroy(ctx, state); err != nil {
		resp.Diagnostics.Append(r.failed(ctx, "Bucket Not Destroyed", "destroyed", state, err, req.Private)...)
	}
}

func (r *bucket) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	resp.Diagnostics.Append(r.provider.RequireClient("import a bucket")...)
	if resp.Diagnostics.HasError() {
		return
	}
	// By identity there is no ID, and otherwise there is no identity.
	if err := kodo.CheckBucketName(req.ID); err != nil && (req.ID != "" || req.Identity.Raw.IsNull()) {
		resp.Diagnostics.AddError(summaryImportID, fmt.Sprintf("%q does not name a bucket: %s. The ID is the name of the bucket, for example assets.", req.ID, err))
		return
	}
	resource.ImportStatePassthroughWithIdentity(ctx, path.Root("name"), path.Root("name"), req, resp)
	resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root("force_destroy"), false)...)
}

// refresh reads the bucket into the model: the one way from Kodo to the state.
func (r *bucket) refresh(ctx context.Context, m *bucketModel) error {
	client, name := r.provider.Client, m.Name.ValueString()
	info, err := client.Bucket(ctx, name)
	if err != nil {
		return err
	}
	domains, err := client.BucketDomains(ctx, name)
	if err != nil {
		return err
	}
	tags, err := client.BucketTags(ctx, name)
	if err != nil {
		return err
	}
	m.fill(info, domains, tags)
	return nil
}

// fill takes what Kodo says of the bucket into the model.
func (m *bucketModel) fill(info kodo.Bucket, domains []string, tags map[string]string) {
	m.Region = types.StringValue(info.Region)
	m.Private = types.BoolValue(info.Private)
	m.IndexPage = types.BoolValue(info.IndexPage)
	m.CreatedAt = types.StringNull()
	if !info.Created.IsZero() {
		m.CreatedAt = types.StringValue(info.Created.UTC().Format(time.RFC3339))
	}
	elements := make([]attr.Value, len(domains))
	for i, domain := range domains {
		elements[i] = types.StringValue(domain)
	}
	m.Domains = types.ListValueMust(types.StringType, elements)
	if len(tags) > 0 || !m.Tags.IsNull() { // {} and null are the same to Kodo, not to Terraform
		elements := make(map[string]attr.Value, len(tags))
		for key, value := range tags {
			elements[key] = types.StringValue(value)
		}
		m.Tags = types.MapValueMust(types.StringType, elements)
	}
}

// bucketFacets is what can change on a bucket that exists. Each facet has a
// call of its own, and only the facets that differ are sent.
type bucketFacets struct {
	private   bool
	indexPage bool
	tags      map[string]string
}

func (f bucketFacets) equal(g bucketFacets) bool {
	return f.private == g.private && f.indexPage == g.indexPage && maps.Equal(f.tags, g.tags)
}

// spec is what the model asks Kodo for.
func (m bucketModel) spec() bucketFacets {
	tags := make(map[string]string, len(m.Tags.Elements()))
	for key, value := range m.Tags.Elements() {
		if s, ok := value.(types.String); ok {
			tags[key] = s.ValueString()
		}
	}
	return bucketFacets{private: m.Private.ValueBool(), indexPage: m.IndexPage.ValueBool(), tags: tags}
}

// finish brings a bucket that was just created to what is wanted: tags and the
// index page have calls of their own.
func (r *bucket) finish(ctx context.Context, m *bucketModel, want bucketFacets) error {
	if err := r.refresh(ctx, m); err != nil {
		return err
	}
	return r.converge(ctx, m, want)
}

// converge sends each facet in which the bucket differs from what is wanted,
// and reads the bucket back. After an error the model says how far it came.
// Access goes first, so that what is to be closed is closed before anything else.
func (r *bucket) converge(ctx context.Context, m *bucketModel, want bucketFacets) error {
	client, name, have := r.provider.Client, m.Name.ValueString(), m.spec()
	if have.equal(want) {
		return nil
	}
	if have.private != want.private {
		if err := client.SetBucketPrivate(ctx, name, want.private); err != nil {
			return err
		}
		m.Private = types.BoolValue(want.private)
	}
	if have.indexPage != want.indexPage {
		if err := client.SetBucketIndexPage(ctx, name, want.indexPage); err != nil {
			return err
		}
		m.IndexPage = types.BoolValue(want.indexPage)
	}
	if !maps.Equal(have.tags, want.tags) {
		if err := client.SetBucketTags(ctx, name, want.tags); err != nil {
			return err
		}
	}
	return r.settle(ctx, m, want)
}

// settleLimit is how long Kodo may take to show a change that it has accepted.
const settleLimit = 6 * time.Second

// settle reads the bucket until Kodo shows what was written. Its servers agree
// on a bucket's access after a moment, not at once.
func (r *bucket) settle(ctx context.Context, m *bucketModel, want bucketFacets) error {
	written := time.Now()
	for pause := 100 * time.Millisecond; ; pause *= 2 {
		if err := r.refresh(ctx, m); err != nil {
			return err
		}
		if m.spec().equal(want) {
			return nil
		}
		if time.Since(written) > settleLimit {
			return errors.New("the change was accepted, but Kodo still shows the bucket as it was before; plan again after a minute")
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
	}
}

// destroy drops the bucket, with force_destroy after everything in it.
func (r *bucket) destroy(ctx context.Context, m bucketModel) error {
	if m.ForceDestroy.ValueBool() {
		if _, err := r.provider.Client.EmptyBucket(ctx, m.Name.ValueString()); err != nil {
			return err
		}
	}
	return r.provider.Client.DeleteBucket(ctx, m.Name.ValueString())
}

// failed says in diagnostics why a call failed. There are none when it failed
// because the bucket no longer exists.
//
// Kodo answers 631 for a bucket of another account as it does for one that was
// dropped. So it takes two things to believe that a bucket is gone: a listing
// of the account's buckets that does not have it, and the keys that saw it last.
func (r *bucket) failed(ctx context.Context, summary, done string, m bucketModel, failure error, private privateState) diag.Diagnostics {
	name := m.Name.ValueString()
	diagnose := func(err error, advice ...string) diag.Diagnostics {
		return diag.Diagnostics{r.provider.Diagnose(summary, fmt.Sprintf("bucket %q could not be %s", name, done), err, advice...)}
	}
	var refusal *kodo.Error
	switch {
	case !errors.As(failure, &refusal):
		return diagnose(failure)
	case refusal.Reason == kodo.ReasonBucketNotEmpty && m.ForceDestroy.ValueBool():
		return diagnose(failure, "Its objects were deleted, but others were written while that went on. Stop what writes to the bucket, and destroy again.")
	case refusal.Reason == kodo.ReasonBucketNotEmpty:
		return diagnose(failure, "Delete its objects first. Or set force_destroy = true, apply, and destroy again: that deletes every object in the bucket, whoever put it there.")
	case !kodo.IsNoBucket(failure):
		return diagnose(failure)
	}
	for bucket, err := range r.provider.Client.Buckets(ctx) {
		if err != nil {
			return diagnose(err)
		}
		if bucket.Name == name {
			return diagnose(failure)
		}
	}
	account, diags := private.GetKey(ctx, seenBy)
	if diags.HasError() {
		return diags
	}
	if account == nil { // an import: nothing is in the state yet
		return diagnose(failure)
	}
	if !bytes.Equal(account, r.account()) {
		return diagnose(failure, "The bucket is not among the buckets of these keys, and these are not the keys that saw it last. "+
			"If it was really dropped, take it out of the state with `terraform state rm` and its address.")
	}
	return nil
}

// seenBy is the key of the private state that says which account saw the bucket last.
const seenBy = "seen_by"

// account identifies the keys, as JSON for the private state.
func (r *bucket) account() []byte {
	return []byte(strconv.Quote(r.provider.Client.AccessKeyDigest()))
}
