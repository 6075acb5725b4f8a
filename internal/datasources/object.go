package datasources

import (
	"context"
	"encoding/base64"
	"fmt"
	"maps"
	"strings"
	"unicode/utf8"

	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/qiniu/terraform-provider-kodo/internal/kodo"
	"github.com/qiniu/terraform-provider-kodo/internal/tfkodo"
)

var _ datasource.DataSourceWithConfigure = (*object)(nil)

// NewObject is kodo_object: what Kodo says of one object, and its content if asked.
func NewObject() datasource.DataSource { return &object{} }

type object struct {
	provider *tfkodo.Provider
}

type objectModel struct {
	objectFields
	tfkodo.Headers

	Metadata     types.Map    `tfsdk:"metadata"`
	Bucket       types.String `tfsdk:"bucket"`
	Domain       types.String `tfsdk:"domain"`
	DownloadBody types.Bool   `tfsdk:"download_body"`
	AllowBinary  types.Bool   `tfsdk:"allow_binary"`
	MaxBodyBytes types.Int64  `tfsdk:"max_body_bytes"`
	DeletesAt    types.String `tfsdk:"deletes_at"`
	Transitions  types.Map    `tfsdk:"transitions"`
	Parts        types.List   `tfsdk:"parts"`
	URL          types.String `tfsdk:"url"`
	Body         types.String `tfsdk:"body"`
	BodyBase64   types.String `tfsdk:"body_base64"`
}

const defaultMaxBodyBytes = 1 << 20

func (*object) Metadata(_ context.Context, req datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_object"
}

func (*object) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	attributes := objectFieldAttributes()
	for _, header := range (&tfkodo.Headers{}).All() {
		attributes[header.Argument] = schema.StringAttribute{
			MarkdownDescription: fmt.Sprintf("`%s` of downloads, null if none is set.", strings.TrimPrefix(header.Name, tfkodo.HeaderMark)),
			Computed:            true,
		}
	}
	maps.Copy(attributes, map[string]schema.Attribute{
		"bucket": schema.StringAttribute{
			MarkdownDescription: "Bucket that holds the object. Defaults to the provider's `bucket`.",
			Optional:            true,
			Computed:            true,
			Validators:          []validator.String{tfkodo.BucketName()},
		},
		"key": schema.StringAttribute{
			MarkdownDescription: "Key of the object.",
			Required:            true,
			Validators:          []validator.String{tfkodo.ObjectKey()},
		},
		"domain": schema.StringAttribute{
			MarkdownDescription: "Download domain for `url` and for the body, as `host[:port]` or with `http://` or `https://` in front. " +
				"Defaults to the provider's `domain` for objects of the provider's `bucket`; without one `url` is null, and the body comes from where Kodo itself serves the bucket.",
			Optional:   true,
			Validators: []validator.String{tfkodo.Domain()},
		},
		"download_body": schema.BoolAttribute{
			MarkdownDescription: "Whether the content is downloaded into `body` and `body_base64`, also from a private bucket, and compared with `etag`. Defaults to `false`.",
			Optional:            true,
		},
		"allow_binary": schema.BoolAttribute{
			MarkdownDescription: "Whether downloaded content need not be text: then `body` is null where it is not UTF-8. Defaults to `false`, and such content is an error.",
			Optional:            true,
		},
		"max_body_bytes": schema.Int64Attribute{
			MarkdownDescription: fmt.Sprintf("Greatest size in bytes of content that is downloaded, up to %d; more is an error. Defaults to %d.", kodo.MaxDownload, defaultMaxBodyBytes),
			Optional:            true,
			Validators:          []validator.Int64{int64validator.Between(0, kodo.MaxDownload)},
		},
		"metadata": schema.MapAttribute{
			MarkdownDescription: "Metadata of the object, by names without Kodo's prefix `x-qn-meta-`. Headers of downloads that have no attribute of their own are here as `!Name`.",
			ElementType:         types.StringType,
			Computed:            true,
		},
		"deletes_at": schema.StringAttribute{
			MarkdownDescription: "When Kodo deletes the object by itself, as an RFC 3339 instant; null if it does not.",
			Computed:            true,
		},
		"transitions": schema.MapAttribute{
			MarkdownDescription: "When Kodo moves the object to other storage classes by itself: RFC 3339 instants by the name of the class.",
			ElementType:         types.StringType,
			Computed:            true,
		},
		"parts": schema.ListAttribute{
			MarkdownDescription: "Sizes in bytes of the parts in which the content was uploaded; empty where Kodo does not know of any.",
			ElementType:         types.Int64Type,
			Computed:            true,
		},
		"url": schema.StringAttribute{
			MarkdownDescription: "Download URL at the domain, unsigned: in a private bucket it needs a signature. Null without a domain.",
			Computed:            true,
		},
		"body": schema.StringAttribute{
			MarkdownDescription: "Content as text, with `download_body`. Terraform writes some accented letters in another way than the object may; `body_base64` is exact.",
			Computed:            true,
		},
		"body_base64": schema.StringAttribute{
			MarkdownDescription: "Content in base64, byte for byte, with `download_body`.",
			Computed:            true,
		},
	})
	resp.Schema = schema.Schema{
		MarkdownDescription: "What Kodo says of one object, and its content if that is asked for. An object that does not exist is an error.",
		Attributes:          attributes,
	}
}

func (d *object) Configure(_ context.Context, req datasource.ConfigureRequest, resp *datasource.ConfigureResponse) {
	d.provider = tfkodo.FromProviderData(req.ProviderData, &resp.Diagnostics)
}

func (d *object) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	var model objectModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &model)...)
	resp.Diagnostics.Append(d.provider.RequireClient("read an object")...)
	if resp.Diagnostics.HasError() {
		return
	}
	resp.Diagnostics.Append(d.provider.DefaultBucket(&model.Bucket)...)
	if resp.Diagnostics.HasError() {
		return
	}
	resp.Diagnostics.Append(d.read(ctx, &model)...)
	if !resp.Diagnostics.HasError() {
		resp.Diagnostics.Append(resp.State.Set(ctx, model)...)
	}
}

// read asks Kodo for the object, its parts, and its content if that is wanted.
func (d *object) read(ctx context.Context, m *objectModel) (diags diag.Diagnostics) {
	bucket, key := m.Bucket.ValueString(), m.Key.ValueString()
	name := fmt.Sprintf("%q in bucket %q", key, bucket)
	found, parts, err := d.provider.Client.StatParts(ctx, bucket, key)
	switch {
	case kodo.IsGone(err):
		diags.Append(d.provider.Diagnose("Object Not Found", fmt.Sprintf("there is no object %s", name), err, tfkodo.MadeFirst(err, tfkodo.ReferenceToKey)...))
		return diags
	case err != nil:
		diags.Append(d.provider.Diagnose("Object Not Read", fmt.Sprintf("object %s could not be read", name), err, tfkodo.MadeFirst(err, tfkodo.ReferenceToBucket)...))
		return diags
	}
	m.fill(found, parts)
	if m.URL = d.provider.ObjectURL(m.Bucket, m.Key, m.Domain); m.URL.IsUnknown() {
		diags.Append(d.provider.DomainNotKnown())
		return diags
	}
	if m.DownloadBody.ValueBool() {
		diags.Append(d.download(ctx, m, found)...)
	}
	return diags
}

func (m *objectModel) fill(found kodo.Object, parts []int64) {
	m.objectFields = fieldsOf(found)
	m.Metadata = textMap(m.Take(found.Metadata))
	m.DeletesAt = instantOrNull(found.Expires)
	transitions := map[string]attr.Value{}
	for class, at := range found.Transitions {
		transitions[class.String()] = instantOrNull(at)
	}
	m.Transitions = types.MapValueMust(types.StringType, transitions)
	sizes := make([]attr.Value, len(parts))
	for i, size := range parts {
		sizes[i] = types.Int64Value(size)
	}
	m.Parts = types.ListValueMust(types.Int64Type, sizes)
	m.Body, m.BodyBase64 = types.StringNull(), types.StringNull()
}

// download fills in the body.
func (d *object) download(ctx context.Context, m *objectModel, found kodo.Object) (diags diag.Diagnostics) {
	name := fmt.Sprintf("%q in bucket %q", found.Key, m.Bucket.ValueString())
	limit := int64(defaultMaxBodyBytes)
	if !m.MaxBodyBytes.IsNull() {
		limit = m.MaxBodyBytes.ValueInt64()
	}
	at := path.Root("download_body")
	switch {
	case found.Size > limit:
		diags.AddAttributeError(path.Root("max_body_bytes"), "Object Too Large", fmt.Sprintf(
			"Object %s has %d bytes, and at most %d are downloaded. Set max_body_bytes to %d or more, up to %d, or leave download_body out.",
			name, found.Size, limit, found.Size, kodo.MaxDownload))
		return diags
	case found.Frozen():
		diags.AddAttributeError(at, "Object Frozen", fmt.Sprintf(
			"Object %s is in the storage class %s and must be restored before it can be downloaded. Restore it, or leave download_body out.", name, found.StorageClass))
		return diags
	}
	content, err := d.provider.Client.Download(ctx, m.Bucket.ValueString(), found, m.URL.ValueString())
	if err != nil {
		diags.Append(d.provider.Diagnose("Object Not Downloaded", fmt.Sprintf("the content of object %s could not be downloaded", name), err))
		return diags
	}
	m.BodyBase64 = types.StringValue(base64.StdEncoding.EncodeToString(content))
	switch {
	case utf8.Valid(content):
		m.Body = types.StringValue(string(content))
	case !m.AllowBinary.ValueBool():
		diags.AddAttributeError(at, "Object Is No Text", fmt.Sprintf(
			"The content of object %s is not UTF-8, so it cannot be in body. Set allow_binary = true and read body_base64, or leave download_body out.", name))
	}
	return diags
}
