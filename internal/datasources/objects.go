package datasources

import (
	"context"
	"fmt"
	"slices"

	"github.com/bmatcuk/doublestar/v4"
	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework-validators/setvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/qiniu/terraform-provider-kodo/internal/kodo"
	"github.com/qiniu/terraform-provider-kodo/internal/tfkodo"
)

var (
	_ datasource.DataSourceWithConfigure      = (*objects)(nil)
	_ datasource.DataSourceWithValidateConfig = (*objects)(nil)
)

// NewObjects is kodo_objects: the objects of a bucket, listed or looked up by keys.
func NewObjects() datasource.DataSource { return &objects{} }

type objects struct {
	provider *tfkodo.Provider
}

type objectsModel struct {
	Bucket         types.String `tfsdk:"bucket"`
	Prefix         types.String `tfsdk:"prefix"`
	Delimiter      types.String `tfsdk:"delimiter"`
	StartAfter     types.String `tfsdk:"start_after"`
	Limit          types.Int64  `tfsdk:"limit"`
	MatchGlob      types.String `tfsdk:"match_glob"`
	Keys           types.Set    `tfsdk:"keys"`
	Objects        types.List   `tfsdk:"objects"`
	CommonPrefixes types.List   `tfsdk:"common_prefixes"`
	MissingKeys    types.List   `tfsdk:"missing_keys"`
}

func (*objects) Metadata(_ context.Context, req datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_objects"
}

func (*objects) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "Objects of a bucket: a listing by `prefix`, or exactly those that `keys` names. All pages are read.",
		Attributes: map[string]schema.Attribute{
			"bucket": schema.StringAttribute{
				MarkdownDescription: "Bucket that holds the objects. Defaults to the provider's `bucket`.",
				Optional:            true,
				Computed:            true,
				Validators:          []validator.String{tfkodo.BucketName()},
			},
			"prefix": schema.StringAttribute{
				MarkdownDescription: "Only objects whose key begins with this, such as `img/`. By default all.",
				Optional:            true,
				Validators:          []validator.String{tfkodo.ObjectKey()},
			},
			"delimiter": schema.StringAttribute{
				MarkdownDescription: "Objects whose key holds this after the prefix are told in `common_prefixes` by their common beginning, mostly `/`: the listing then is that of one folder.",
				Optional:            true,
				Validators:          []validator.String{stringvalidator.LengthAtLeast(1)},
			},
			"start_after": schema.StringAttribute{
				MarkdownDescription: "Only objects whose key is behind this one in the order of bytes. It need not exist.",
				Optional:            true,
				Validators:          []validator.String{stringvalidator.LengthAtLeast(1), tfkodo.ObjectKey()},
			},
			"limit": schema.Int64Attribute{
				MarkdownDescription: "Greatest number of objects and common prefixes. By default all are told.",
				Optional:            true,
				Validators:          []validator.Int64{int64validator.AtLeast(1)},
			},
			"match_glob": schema.StringAttribute{
				MarkdownDescription: "Only objects whose whole key matches this pattern: `*` is any text without a slash, `**` with slashes, `?` one character, `[a-z]` one of a class, `{a,b}` either. " +
					"Kodo does not know patterns, so everything under `prefix` is read: set that too.",
				Optional:   true,
				Validators: []validator.String{glob()},
			},
			"keys": schema.SetAttribute{
				MarkdownDescription: "Exactly these keys are looked up, a thousand for each request. Conflicts with all other arguments but `bucket`.",
				ElementType:         types.StringType,
				Optional:            true,
				Validators:          []validator.Set{setvalidator.ValueStringsAre(tfkodo.ObjectKey())},
			},
			"objects": schema.ListNestedAttribute{
				MarkdownDescription: "The objects, in the order of their keys' bytes.",
				Computed:            true,
				NestedObject:        listedObject(),
			},
			"common_prefixes": schema.ListAttribute{
				MarkdownDescription: "The common prefixes that `delimiter` makes, each ending with it, in the order of their bytes.",
				ElementType:         types.StringType,
				Computed:            true,
			},
			"missing_keys": schema.ListAttribute{
				MarkdownDescription: "Which of `keys` do not exist, in the order of their bytes.",
				ElementType:         types.StringType,
				Computed:            true,
			},
		},
	}
}

func glob() validator.String {
	return tfkodo.StringRule("must be a pattern, for example \"img/**/*.png\"", func(s string) error {
		if !doublestar.ValidatePattern(s) {
			return doublestar.ErrBadPattern
		}
		return nil
	})
}

func (d *objects) Configure(_ context.Context, req datasource.ConfigureRequest, resp *datasource.ConfigureResponse) {
	d.provider = tfkodo.FromProviderData(req.ProviderData, &resp.Diagnostics)
}

// ValidateConfig refuses keys beside what only a listing knows.
func (*objects) ValidateConfig(ctx context.Context, req datasource.ValidateConfigRequest, resp *datasource.ValidateConfigResponse) {
	var m objectsModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	if resp.Diagnostics.HasError() || m.Keys.IsNull() {
		return
	}
	for name, value := range map[string]attr.Value{
		"prefix": m.Prefix, "delimiter": m.Delimiter, "start_after": m.StartAfter, "limit": m.Limit, "match_glob": m.MatchGlob,
	} {
		if !value.IsNull() {
			resp.Diagnostics.Append(tfkodo.Conflict(name, "keys"))
		}
	}
}

func (d *objects) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	var m objectsModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	resp.Diagnostics.Append(d.provider.RequireClient("list objects")...)
	if resp.Diagnostics.HasError() {
		return
	}
	resp.Diagnostics.Append(d.provider.DefaultBucket(&m.Bucket)...)
	if resp.Diagnostics.HasError() {
		return
	}
	read := d.list
	if !m.Keys.IsNull() {
		read = d.lookUp
	}
	resp.Diagnostics.Append(read(ctx, &m)...)
	if !resp.Diagnostics.HasError() {
		resp.Diagnostics.Append(resp.State.Set(ctx, m)...)
	}
}

// list follows the listing to its end, or to the limit.
func (d *objects) list(ctx context.Context, m *objectsModel) (diags diag.Diagnostics) {
	options := kodo.ListOptions{Prefix: m.Prefix.ValueString(), Delimiter: m.Delimiter.ValueString(), StartAfter: m.StartAfter.ValueString()}
	limit, pattern := int(m.Limit.ValueInt64()), m.MatchGlob.ValueString()
	if pattern == "" {
		options.Limit = limit // otherwise what Kodo tells is not yet what counts
	}
	found := newListing()
	var prefixes []string
	for entry, err := range d.provider.Client.Entries(ctx, m.Bucket.ValueString(), options) {
		if err != nil {
			diags.Append(d.provider.Diagnose("Objects Not Listed", fmt.Sprintf("the objects of bucket %q could not be listed", m.Bucket.ValueString()), err, tfkodo.MadeFirst(err, tfkodo.ReferenceToBucket)...))
			return diags
		}
		switch {
		case entry.CommonPrefix != "":
			prefixes = append(prefixes, entry.CommonPrefix)
		case pattern == "" || doublestar.MatchUnvalidated(pattern, entry.Object.Key):
			found.add(entry.Object)
		}
		if limit > 0 && len(found.objects)+len(prefixes) == limit {
			break
		}
	}
	if len(found.objects) > manyObjects {
		diags.AddWarning("Many Objects Listed", found.warning(m.Bucket.ValueString(), options.Prefix))
	}
	slices.Sort(prefixes) // in order within each page only
	m.Objects, m.CommonPrefixes, m.MissingKeys = found.list(), textList(slices.Compact(prefixes)), textList(nil)
	return diags
}

// lookUp asks for the keys.
func (d *objects) lookUp(ctx context.Context, m *objectsModel) (diags diag.Diagnostics) {
	var keys []string
	diags.Append(m.Keys.ElementsAs(ctx, &keys, false)...)
	if diags.HasError() {
		return diags
	}
	slices.Sort(keys)
	byKey, err := d.provider.Client.StatAll(ctx, m.Bucket.ValueString(), keys)
	if err != nil {
		diags.Append(d.provider.Diagnose("Objects Not Read", fmt.Sprintf("the objects of bucket %q could not be read", m.Bucket.ValueString()), err, tfkodo.MadeFirst(err, tfkodo.ReferenceToBucket)...))
		return diags
	}
	found := newListing()
	var missing []string
	for _, key := range keys {
		if object, ok := byKey[key]; ok {
			found.add(object)
		} else {
			missing = append(missing, key)
		}
	}
	m.Objects, m.CommonPrefixes, m.MissingKeys = found.list(), textList(nil), textList(missing)
	return diags
}
