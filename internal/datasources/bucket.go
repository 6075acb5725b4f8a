package datasources

import (
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/qiniu/terraform-provider-kodo/internal/kodo"
	"github.com/qiniu/terraform-provider-kodo/internal/tfkodo"
)

var _ datasource.DataSourceWithConfigure = (*bucket)(nil)

// NewBucket is kodo_bucket: what Kodo says of one bucket.
func NewBucket() datasource.DataSource { return &bucket{} }

type bucket struct {
	provider *tfkodo.Provider
}

// bucketModel is what kodo_bucket and kodo_buckets tell of a bucket.
type bucketModel struct {
	Name      types.String `tfsdk:"name"`
	Region    types.String `tfsdk:"region"`
	Private   types.Bool   `tfsdk:"private"`
	IndexPage types.Bool   `tfsdk:"index_page"`
	Tags      types.Map    `tfsdk:"tags"`
	Domains   types.List   `tfsdk:"domains"`
	CreatedAt types.String `tfsdk:"created_at"`
}

func (*bucket) Metadata(_ context.Context, req datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_bucket"
}

func (*bucket) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	attributes := bucketAttributes()
	attributes["name"] = schema.StringAttribute{
		MarkdownDescription: "Name of the bucket.",
		Required:            true,
		Validators:          []validator.String{tfkodo.BucketName()},
	}
	resp.Schema = schema.Schema{
		MarkdownDescription: "What Kodo says of one bucket. A bucket that does not exist, or belongs to another account, is an error.",
		Attributes:          attributes,
	}
}

func bucketAttributes() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"name":       schema.StringAttribute{MarkdownDescription: "Name of the bucket.", Computed: true},
		"region":     schema.StringAttribute{MarkdownDescription: "Region that keeps the bucket's objects, such as `z0`.", Computed: true},
		"private":    schema.BoolAttribute{MarkdownDescription: "Whether objects can be downloaded with a signed URL only.", Computed: true},
		"index_page": schema.BoolAttribute{MarkdownDescription: "Whether a request for a folder is answered with its `index.html`.", Computed: true},
		"tags":       schema.MapAttribute{MarkdownDescription: "Tags of the bucket.", ElementType: types.StringType, Computed: true},
		"domains": schema.ListAttribute{
			MarkdownDescription: "Download domains bound to the bucket, Kodo's own test domain first. A domain is `host` or `host:port`.",
			ElementType:         types.StringType,
			Computed:            true,
		},
		"created_at": schema.StringAttribute{MarkdownDescription: "When the bucket was made, as an RFC 3339 instant in UTC. Null where Kodo does not say.", Computed: true},
	}
}

func (d *bucket) Configure(_ context.Context, req datasource.ConfigureRequest, resp *datasource.ConfigureResponse) {
	d.provider = tfkodo.FromProviderData(req.ProviderData, &resp.Diagnostics)
}

func (d *bucket) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	var config bucketModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	resp.Diagnostics.Append(d.provider.RequireClient("read a bucket")...)
	if resp.Diagnostics.HasError() {
		return
	}
	name := config.Name.ValueString()
	model, err := readBucket(ctx, d.provider.Client, name)
	switch {
	case kodo.IsNoBucket(err):
		resp.Diagnostics.Append(d.provider.Diagnose("Bucket Not Found", fmt.Sprintf("there is no bucket %q of this account", name), err, tfkodo.MadeFirst(err, tfkodo.ReferenceToBucketName)...))
	case err != nil:
		resp.Diagnostics.Append(d.provider.Diagnose("Bucket Not Read", fmt.Sprintf("bucket %q could not be read", name), err))
	default:
		resp.Diagnostics.Append(resp.State.Set(ctx, model)...)
	}
}

// readBucket asks for all that Kodo says of a bucket, in three requests.
func readBucket(ctx context.Context, client *kodo.Client, name string) (bucketModel, error) {
	found, err := client.Bucket(ctx, name)
	if err != nil {
		return bucketModel{}, err
	}
	domains, err := client.BucketDomains(ctx, name)
	if err != nil {
		return bucketModel{}, err
	}
	tags, err := client.BucketTags(ctx, name)
	if err != nil {
		return bucketModel{}, err
	}
	return bucketModel{
		Name: types.StringValue(found.Name), Region: types.StringValue(found.Region), Private: types.BoolValue(found.Private),
		IndexPage: types.BoolValue(found.IndexPage), Tags: textMap(tags), Domains: textList(domains), CreatedAt: instantOrNull(found.Created),
	}, nil
}
