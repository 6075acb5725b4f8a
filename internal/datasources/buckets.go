package datasources

import (
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"golang.org/x/sync/errgroup"

	"github.com/qiniu/terraform-provider-kodo/internal/kodo"
	"github.com/qiniu/terraform-provider-kodo/internal/tfkodo"
)

var _ datasource.DataSourceWithConfigure = (*buckets)(nil)

// NewBuckets is kodo_buckets: the buckets of the account.
func NewBuckets() datasource.DataSource { return &buckets{} }

type buckets struct {
	provider *tfkodo.Provider
}

type bucketsModel struct {
	Region  types.String  `tfsdk:"region"`
	Tags    types.Map     `tfsdk:"tags"`
	Buckets []bucketModel `tfsdk:"buckets"`
}

func (*buckets) Metadata(_ context.Context, req datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_buckets"
}

func (*buckets) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "Buckets of the account, with what Kodo says of each: three requests for every bucket that the filters by region leave.",
		Attributes: map[string]schema.Attribute{
			"region": schema.StringAttribute{
				MarkdownDescription: "Only buckets in this region, such as `z0`. By default all.",
				Optional:            true,
				Validators:          []validator.String{tfkodo.Region()},
			},
			"tags": schema.MapAttribute{
				MarkdownDescription: "Only buckets that have all of these tags, with these values. By default all.",
				ElementType:         types.StringType,
				Optional:            true,
			},
			"buckets": schema.ListNestedAttribute{
				MarkdownDescription: "The buckets, in the order in which Kodo lists them.",
				Computed:            true,
				NestedObject:        schema.NestedAttributeObject{Attributes: bucketAttributes()},
			},
		},
	}
}

func (d *buckets) Configure(_ context.Context, req datasource.ConfigureRequest, resp *datasource.ConfigureResponse) {
	d.provider = tfkodo.FromProviderData(req.ProviderData, &resp.Diagnostics)
}

func (d *buckets) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	var model bucketsModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &model)...)
	resp.Diagnostics.Append(d.provider.RequireClient("list buckets")...)
	if resp.Diagnostics.HasError() {
		return
	}
	resp.Diagnostics.Append(d.read(ctx, &model)...)
	if !resp.Diagnostics.HasError() {
		resp.Diagnostics.Append(resp.State.Set(ctx, model)...)
	}
}

func (d *buckets) read(ctx context.Context, m *bucketsModel) (diags diag.Diagnostics) {
	want := map[string]string{}
	diags.Append(m.Tags.ElementsAs(ctx, &want, false)...)
	if diags.HasError() {
		return diags
	}
	var names []string
	for found, err := range d.provider.Client.Buckets(ctx) {
		if err != nil {
			diags.Append(d.provider.Diagnose("Buckets Not Listed", "the buckets of the account could not be listed", err))
			return diags
		}
		if m.Region.IsNull() || found.Region == m.Region.ValueString() {
			names = append(names, found.Name)
		}
	}
	all, err := d.readAll(ctx, names)
	if err != nil {
		diags.Append(d.provider.Diagnose("Buckets Not Read", "the buckets of the account could not be read", err))
		return diags
	}
	m.Buckets = []bucketModel{} // none is an empty list, not null
	for _, b := range all {
		if b != nil && hasTags(*b, want) {
			m.Buckets = append(m.Buckets, *b)
		}
	}
	return diags
}

// readAll reads the buckets, several at a time; the client bounds how many. One that
// is gone by now is nil.
func (d *buckets) readAll(ctx context.Context, names []string) ([]*bucketModel, error) {
	all := make([]*bucketModel, len(names))
	g, ctx := errgroup.WithContext(ctx)
	for i, name := range names {
		g.Go(func() error {
			b, err := readBucket(ctx, d.provider.Client, name)
			switch {
			case kodo.IsNoBucket(err):
				return nil
			case err != nil:
				return fmt.Errorf("bucket %q: %w", name, err)
			}
			all[i] = &b
			return nil
		})
	}
	return all, g.Wait()
}

// hasTags reports whether a bucket has all of the tags.
func hasTags(b bucketModel, want map[string]string) bool {
	have := b.Tags.Elements()
	for key, value := range want {
		if tag, ok := have[key]; !ok || !tag.Equal(types.StringValue(value)) {
			return false
		}
	}
	return true
}
