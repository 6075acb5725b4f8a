package tfkodo

import (
	"context"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework-validators/listvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/setvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	datasource "github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-framework/types/basetypes"

	"github.com/qiniu/terraform-provider-kodo/internal/kodo"
)

// UploadToken is what the data source and the ephemeral resource
// kodo_upload_token have in common: the policy, and what comes of it.
type UploadToken struct {
	Deadline

	Bucket          types.String `tfsdk:"bucket"`
	Key             types.String `tfsdk:"key"`
	KeyPrefix       types.String `tfsdk:"key_prefix"`
	Region          types.String `tfsdk:"region"`
	FindUploadURL   types.Bool   `tfsdk:"find_upload_url"`
	InsertOnly      types.Bool   `tfsdk:"insert_only"`
	MinSize         types.Int64  `tfsdk:"min_size"`
	MaxSize         types.Int64  `tfsdk:"max_size"`
	MimeTypes       types.Set    `tfsdk:"mime_types"`
	DeniedMimeTypes types.Set    `tfsdk:"denied_mime_types"`
	StorageClass    types.String `tfsdk:"storage_class"`
	DeleteAfterDays types.Int64  `tfsdk:"delete_after_days"`
	SaveKey         types.String `tfsdk:"save_key"`
	ForceSaveKey    types.Bool   `tfsdk:"force_save_key"`
	DetectMime      types.String `tfsdk:"detect_mime"`
	EndUser         types.String `tfsdk:"end_user"`
	TrafficLimit    types.Int64  `tfsdk:"traffic_limit"`
	Callback        types.Object `tfsdk:"callback"`
	Return          types.Object `tfsdk:"return"`
	Persistent      types.Object `tfsdk:"persistent"`
	Token           types.String `tfsdk:"token"`
	UploadURL       types.String `tfsdk:"upload_url"`
}

type uploadCallback struct {
	URLs     types.List   `tfsdk:"urls"`
	Host     types.String `tfsdk:"host"`
	Body     types.String `tfsdk:"body"`
	BodyType types.String `tfsdk:"body_type"`
}

type uploadReturn struct {
	URL  types.String `tfsdk:"url"`
	Body types.String `tfsdk:"body"`
}

type uploadPersistent struct {
	Ops                types.String `tfsdk:"ops"`
	Pipeline           types.String `tfsdk:"pipeline"`
	NotifyURL          types.String `tfsdk:"notify_url"`
	Type               types.String `tfsdk:"type"`
	WorkflowTemplateID types.String `tfsdk:"workflow_template_id"`
}

// The words of detect_mime and persistent.type, each with Kodo's number.
func detectMimes() map[string]int {
	return map[string]int{"AUTO": kodo.DetectMimeDefault, "CONTENT": kodo.DetectMimeContent, "CLIENT": kodo.DetectMimeClient}
}

func persistentTypes() map[string]int { return map[string]int{"NORMAL": 0, "IDLE": 1} }

// UploadTokenAttributes are the attributes of an UploadToken.
func UploadTokenAttributes() map[string]datasource.Attribute {
	attributes := DeadlineAttributes("token")
	maps.Copy(attributes, uploadScopeAttributes())
	maps.Copy(attributes, uploadLimitAttributes())
	maps.Copy(attributes, uploadResultAttributes())
	attributes["token"] = datasource.StringAttribute{
		MarkdownDescription: "The upload token: whoever has it can make the uploads that it allows.",
		Computed:            true,
		Sensitive:           true,
	}
	attributes["upload_url"] = datasource.StringAttribute{
		MarkdownDescription: "Base URL to which uploads to the bucket are sent: the provider's endpoint, or that of the bucket's region. Null where `find_upload_url` is `false`.",
		Computed:            true,
	}
	return attributes
}

// uploadScopeAttributes say which bucket and which keys may be written to.
func uploadScopeAttributes() map[string]datasource.Attribute {
	return map[string]datasource.Attribute{
		"bucket": datasource.StringAttribute{
			MarkdownDescription: "Bucket to which the uploads go. Defaults to the provider's `bucket`.",
			Optional:            true,
			Computed:            true,
			Validators:          []validator.String{BucketName()},
		},
		"key": datasource.StringAttribute{
			MarkdownDescription: fmt.Sprintf("The one key that may be uploaded, of at most %d bytes, and overwritten unless `insert_only` is set. "+
				"Without `key` and `key_prefix` every key may be uploaded and none overwritten.", kodo.MaxKey),
			Optional:   true,
			Validators: []validator.String{ObjectKey()},
		},
		"key_prefix": datasource.StringAttribute{
			MarkdownDescription: "Beginning of the keys that may be uploaded, such as `users/42/`. None of them is overwritten. Conflicts with `key`.",
			Optional:            true,
			Validators:          []validator.String{stringvalidator.LengthAtLeast(1), ObjectKey()},
		},
		"insert_only": datasource.BoolAttribute{
			MarkdownDescription: "Whether even `key` may only be created and not overwritten. Defaults to `false`.",
			Optional:            true,
		},
		"region": datasource.StringAttribute{
			MarkdownDescription: "Region of the bucket, such as `kodo_bucket.uploads.region`: with it `upload_url` is known without asking Kodo.",
			Optional:            true,
			Validators:          []validator.String{Region()},
		},
		"find_upload_url": datasource.BoolAttribute{
			MarkdownDescription: "Whether Kodo is asked for the bucket's region where neither `region` nor the provider's endpoint says where to upload. " +
				"Defaults to `true`. With `false` nothing is ever asked and `upload_url` is null.",
			Optional: true,
		},
		"save_key": datasource.StringAttribute{
			MarkdownDescription: "Template of the key for uploads that name none, with Kodo's variables, such as `uploads/$(year)/$(etag)$(ext)`.",
			Optional:            true,
			Validators:          []validator.String{stringvalidator.LengthAtLeast(1)},
		},
		"force_save_key": datasource.BoolAttribute{
			MarkdownDescription: "Whether `save_key` counts even where an upload names a key. Defaults to `false`.",
			Optional:            true,
		},
	}
}

// uploadLimitAttributes say what may be uploaded, and what is made of it.
func uploadLimitAttributes() map[string]datasource.Attribute {
	mime := func(which string) datasource.Attribute {
		return datasource.SetAttribute{
			MarkdownDescription: fmt.Sprintf("Media types that are %s, such as `image/png` or `image/*`.", which),
			ElementType:         types.StringType,
			Optional:            true,
			Validators:          []validator.Set{setvalidator.SizeAtLeast(1), setvalidator.ValueStringsAre(mimePattern())},
		}
	}
	return map[string]datasource.Attribute{
		"min_size": datasource.Int64Attribute{
			MarkdownDescription: "Least size of an upload in bytes.",
			Optional:            true,
			Validators:          []validator.Int64{int64validator.AtLeast(1)},
		},
		"max_size": datasource.Int64Attribute{
			MarkdownDescription: "Greatest size of an upload in bytes.",
			Optional:            true,
			Validators:          []validator.Int64{int64validator.AtLeast(1)},
		},
		"mime_types":        mime("accepted; all others are refused"),
		"denied_mime_types": mime("refused; all others are accepted. Conflicts with `mime_types`"),
		"detect_mime": datasource.StringAttribute{
			MarkdownDescription: "How Kodo finds the media type: `AUTO` (the default) believes the uploader, then the extensions of file name and key, then the content; " +
				"`CONTENT` looks at the content first and never believes the uploader, which limits of media types need against one who lies; `CLIENT` believes the uploader alone.",
			Optional:   true,
			Validators: []validator.String{oneOf(detectMimes())},
		},
		"storage_class": datasource.StringAttribute{
			MarkdownDescription: fmt.Sprintf("Storage class of what is uploaded: one of `%s`. Defaults to `STANDARD`.", strings.Join(kodo.StorageClasses(), "`, `")),
			Optional:            true,
			Validators:          []validator.String{stringvalidator.OneOf(kodo.StorageClasses()...)},
		},
		"delete_after_days": datasource.Int64Attribute{
			MarkdownDescription: "Days after which Kodo deletes what was uploaded.",
			Optional:            true,
			Validators:          []validator.Int64{int64validator.AtLeast(1)},
		},
		"end_user": datasource.StringAttribute{
			MarkdownDescription: "Name of the uploader for your own records: Kodo keeps it with the object, and templates have it as `$(endUser)`.",
			Optional:            true,
		},
		"traffic_limit": datasource.Int64Attribute{
			MarkdownDescription: fmt.Sprintf("Greatest speed of each upload in bits a second, from %d (100 KB/s) to %d (100 MB/s).", kodo.MinTrafficLimit, kodo.MaxTrafficLimit),
			Optional:            true,
			Validators:          []validator.Int64{int64validator.Between(kodo.MinTrafficLimit, kodo.MaxTrafficLimit)},
		},
	}
}

// uploadResultAttributes say who is told of an upload, and what is done with it.
func uploadResultAttributes() map[string]datasource.Attribute {
	text := func(description string, rules ...validator.String) datasource.StringAttribute {
		return datasource.StringAttribute{MarkdownDescription: description, Optional: true, Validators: rules}
	}
	body := text("Template of the body, with Kodo's variables, such as `{\"key\":$(key),\"size\":$(fsize)}`.", stringvalidator.LengthAtLeast(1))
	callbackBody := body
	callbackBody.Optional, callbackBody.Required = false, true
	return map[string]datasource.Attribute{
		"callback": datasource.SingleNestedAttribute{
			MarkdownDescription: "Tells your server of each upload before its uploader: what the server answers, JSON, is the uploader's answer. Conflicts with `return`.",
			Optional:            true,
			Attributes: map[string]datasource.Attribute{
				"urls": datasource.ListAttribute{
					MarkdownDescription: "URLs of the server, `http://…` or `https://…`, tried in their order until one answers with 200.",
					ElementType:         types.StringType,
					Required:            true,
					Validators:          []validator.List{listvalidator.SizeAtLeast(1), listvalidator.ValueStringsAre(httpURL())},
				},
				"host": text("Host header of the request, where it is not that of the URL.", stringvalidator.LengthAtLeast(1)),
				"body": callbackBody,
				"body_type": text("Media type of the body: `application/x-www-form-urlencoded` (the default) or `application/json`.",
					stringvalidator.OneOf("application/x-www-form-urlencoded", "application/json")),
			},
		},
		"return": datasource.SingleNestedAttribute{
			MarkdownDescription: "What the uploader is answered: at least one of both.",
			Optional:            true,
			Attributes: map[string]datasource.Attribute{
				"url":  text("URL to which a browser's form is redirected after the upload, with the answer in `upload_ret`.", httpURL()),
				"body": body,
			},
		},
		"persistent": datasource.SingleNestedAttribute{
			MarkdownDescription: "What is done with each upload afterwards, such as transcoding: exactly one of `ops` and `workflow_template_id`. " +
				"Not possible in the storage classes `ARCHIVE` and `DEEP_ARCHIVE`.",
			Optional: true,
			Attributes: map[string]datasource.Attribute{
				"ops": text("Processing commands joined by `;`, such as `avthumb/mp4|${provider::kodo::saveas(\"acme-assets\", \"clip.mp4\")}`.",
					stringvalidator.LengthAtLeast(1)),
				"pipeline":             text("Name of the queue that does the work.", stringvalidator.LengthAtLeast(1)),
				"notify_url":           text("URL that is told of the result.", httpURL()),
				"type":                 text("`NORMAL` (the default), or `IDLE` to wait until there is nothing else to do.", oneOf(persistentTypes())),
				"workflow_template_id": text("Id of a workflow template, instead of `ops`.", stringvalidator.LengthAtLeast(1)),
			},
		},
	}
}

// Check refuses arguments that contradict each other, as far as they are known. A
// data source gives its window, others a null one.
func (t UploadToken) Check(ctx context.Context, window types.String) diag.Diagnostics {
	diags := t.Deadline.Check(window)
	set := func(v interface{ IsNull() bool }) bool { return !v.IsNull() }
	if set(t.Key) && set(t.KeyPrefix) {
		diags.Append(Conflict("key", "key_prefix"))
	}
	if set(t.MimeTypes) && set(t.DeniedMimeTypes) {
		diags.Append(Conflict("denied_mime_types", "mime_types"))
	}
	if set(t.Callback) && set(t.Return) {
		diags.Append(Conflict("return", "callback"))
	}
	if low, high := t.MinSize, t.MaxSize; !low.IsUnknown() && !high.IsNull() && !high.IsUnknown() && low.ValueInt64() > high.ValueInt64() {
		diags.AddAttributeError(path.Root("min_size"), "Invalid Attribute Combination", fmt.Sprintf(
			"min_size is %d and max_size is %d: no upload is of both. Set max_size to %d or more.", low.ValueInt64(), high.ValueInt64(), low.ValueInt64()))
	}
	if t.ForceSaveKey.ValueBool() && t.SaveKey.IsNull() {
		diags.AddAttributeError(path.Root("force_save_key"), "Invalid Attribute Combination",
			`force_save_key is set without a save_key that could be forced: set save_key, for example "uploads/$(etag)$(ext)".`)
	}
	if set(t.Key) && set(t.SaveKey) {
		diags.AddAttributeError(path.Root("save_key"), "Invalid Attribute Combination",
			"save_key is for uploads that may choose their key, and key allows no choice. Leave save_key out, or use key_prefix.")
	}
	diags.Append(t.checkReturn(ctx)...)
	diags.Append(t.checkPersistent(ctx)...)
	return diags
}

func (t UploadToken) checkReturn(ctx context.Context) diag.Diagnostics {
	var r uploadReturn
	diags := decode(ctx, t.Return, &r)
	if isKnown(t.Return) && r.URL.IsNull() && r.Body.IsNull() {
		diags.AddAttributeError(path.Root("return"), "Invalid Attribute Combination", `return says nothing: set url, body or both, for example body = "{\"key\":$(key)}".`)
	}
	return diags
}

func (t UploadToken) checkPersistent(ctx context.Context) diag.Diagnostics {
	if !isKnown(t.Persistent) {
		return nil
	}
	var p uploadPersistent
	diags := decode(ctx, t.Persistent, &p)
	at := path.Root("persistent")
	if p.Ops.IsNull() == p.WorkflowTemplateID.IsNull() && !p.Ops.IsUnknown() && !p.WorkflowTemplateID.IsUnknown() {
		diags.AddAttributeError(at, "Invalid Attribute Combination",
			`persistent needs exactly one of ops and workflow_template_id, for example ops = "avthumb/mp4".`)
	}
	switch class := t.StorageClass.ValueString(); class {
	case kodo.Archive.String(), kodo.DeepArchive.String():
		diags.AddAttributeError(at, "Invalid Attribute Combination", fmt.Sprintf(
			"persistent cannot be done with objects of the storage class %s, which cannot be read. Use another storage_class, or a lifecycle that moves them later.", class))
	}
	return diags
}

// Policy is the policy of an UploadToken that Check accepts, up to a deadline.
func (t UploadToken) Policy(ctx context.Context, deadline time.Time) (kodo.PutPolicy, diag.Diagnostics) {
	policy := kodo.PutPolicy{
		Scope: t.Bucket.ValueString(), Deadline: deadline.Unix(),
		EndUser: t.EndUser.ValueString(), SaveKey: t.SaveKey.ValueString(), ForceSaveKey: t.ForceSaveKey.ValueBool(),
		FsizeMin: t.MinSize.ValueInt64(), FsizeLimit: t.MaxSize.ValueInt64(), TrafficLimit: t.TrafficLimit.ValueInt64(),
		DetectMime: detectMimes()[t.DetectMime.ValueString()], DeleteAfterDays: t.DeleteAfterDays.ValueInt64(),
	}
	switch {
	case !t.Key.IsNull():
		policy.Scope = kodo.ScopeOf(t.Bucket.ValueString(), t.Key.ValueString())
	case !t.KeyPrefix.IsNull():
		policy.Scope, policy.IsPrefixalScope = kodo.ScopeOf(t.Bucket.ValueString(), t.KeyPrefix.ValueString()), 1
	}
	if t.InsertOnly.ValueBool() {
		policy.InsertOnly = 1
	}
	var diags diag.Diagnostics
	if !t.StorageClass.IsNull() {
		policy.FileType, _ = kodo.ParseStorageClass(t.StorageClass.ValueString()) // its validator knows the names
	}
	var accepted, denied []string
	diags.Append(t.MimeTypes.ElementsAs(ctx, &accepted, false)...)
	diags.Append(t.DeniedMimeTypes.ElementsAs(ctx, &denied, false)...)
	policy.MimeLimit = strings.Join(accepted, ";")
	if len(denied) > 0 {
		policy.MimeLimit = "!" + strings.Join(denied, ";")
	}
	diags.Append(t.addResults(ctx, &policy)...)
	return policy, diags
}

func (t UploadToken) addResults(ctx context.Context, policy *kodo.PutPolicy) diag.Diagnostics {
	var callback uploadCallback
	var answer uploadReturn
	var persistent uploadPersistent
	diags := decode(ctx, t.Callback, &callback)
	diags.Append(decode(ctx, t.Return, &answer)...)
	diags.Append(decode(ctx, t.Persistent, &persistent)...)
	var urls []string
	if isKnown(t.Callback) {
		diags.Append(callback.URLs.ElementsAs(ctx, &urls, false)...)
	}
	policy.CallbackURL, policy.CallbackHost = strings.Join(urls, ";"), callback.Host.ValueString()
	policy.CallbackBody, policy.CallbackBodyType = callback.Body.ValueString(), callback.BodyType.ValueString()
	policy.ReturnURL, policy.ReturnBody = answer.URL.ValueString(), answer.Body.ValueString()
	policy.PersistentOps, policy.PersistentPipeline = persistent.Ops.ValueString(), persistent.Pipeline.ValueString()
	policy.PersistentNotifyURL = persistent.NotifyURL.ValueString()
	policy.PersistentType = persistentTypes()[persistent.Type.ValueString()]
	policy.PersistentWorkflowTemplateID = persistent.WorkflowTemplateID.ValueString()
	return diags
}

// Sign makes the token, and finds out where to upload with it.
func (t *UploadToken) Sign(ctx context.Context, p *Provider, deadline time.Time) diag.Diagnostics {
	diags := p.RequireSigner("sign an upload token")
	diags.Append(p.DefaultBucket(&t.Bucket)...)
	if diags.HasError() {
		return diags
	}
	policy, more := t.Policy(ctx, deadline)
	diags.Append(more...)
	if diags.HasError() {
		return diags
	}
	token, err := p.Signer.UploadToken(policy)
	if err != nil {
		diags.AddError("Upload Token Not Made", fmt.Sprintf("The policy cannot be written: %s.", err))
		return diags
	}
	t.Token, t.UploadURL = types.StringValue(token), types.StringNull()
	t.Fill(deadline)
	if !t.FindUploadURL.IsNull() && !t.FindUploadURL.ValueBool() {
		return diags
	}
	diags.Append(p.RequireClient("find out where to upload (find_upload_url = false does without)")...)
	if diags.HasError() {
		return diags
	}
	url, err := p.Client.UploadURL(ctx, t.Bucket.ValueString(), t.Region.ValueString())
	if err != nil {
		diags.Append(p.Diagnose("Upload URL Not Found", fmt.Sprintf("the upload host of bucket %q could not be found", t.Bucket.ValueString()), err, MadeFirst(err, ReferenceToBucket)...))
		return diags
	}
	t.UploadURL = types.StringValue(url)
	return diags
}

func isKnown(o types.Object) bool { return !o.IsNull() && !o.IsUnknown() }

// decode reads a nested attribute into its model, and leaves it as it is where the
// attribute is not set or not known.
func decode(ctx context.Context, o types.Object, model any) diag.Diagnostics {
	if !isKnown(o) {
		return nil
	}
	return o.As(ctx, model, basetypes.ObjectAsOptions{})
}
