package datasources

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/qiniu/terraform-provider-kodo/internal/tfkodo"
)

var (
	_ datasource.DataSourceWithConfigure      = (*privateURL)(nil)
	_ datasource.DataSourceWithValidateConfig = (*privateURL)(nil)
)

// NewPrivateURL is kodo_private_url: a signed download link. It is the same
// in all plans of one window, and is kept in the state.
func NewPrivateURL() datasource.DataSource { return &privateURL{} }

type privateURL struct {
	provider *tfkodo.Provider
}

type privateURLModel struct {
	tfkodo.PrivateURL

	Window types.String `tfsdk:"window"`
}

func (*privateURL) Metadata(_ context.Context, req datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_private_url"
}

func (*privateURL) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	attributes := tfkodo.PrivateURLAttributes()
	attributes["window"] = tfkodo.WindowAttribute("link")
	resp.Schema = schema.Schema{
		MarkdownDescription: "A link by which anybody can download one object of a private bucket, until `expires_at`. " +
			"The link is kept in the state and is the same in all plans of one `window`. Where it need not be stored, use the ephemeral resource of the same name.",
		Attributes: attributes,
	}
}

func (d *privateURL) Configure(_ context.Context, req datasource.ConfigureRequest, resp *datasource.ConfigureResponse) {
	d.provider = tfkodo.FromProviderData(req.ProviderData, &resp.Diagnostics)
}

func (*privateURL) ValidateConfig(ctx context.Context, req datasource.ValidateConfigRequest, resp *datasource.ValidateConfigResponse) {
	var config privateURLModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	if !resp.Diagnostics.HasError() {
		resp.Diagnostics.Append(config.Check(config.Window)...)
	}
}

func (d *privateURL) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	var model privateURLModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &model)...)
	resp.Diagnostics.Append(d.provider.RequireSigner("sign a link")...)
	if resp.Diagnostics.HasError() {
		return
	}
	deadline, diags := model.Stable(d.provider.Now(), model.Window)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	resp.Diagnostics.Append(model.Sign(d.provider, deadline)...)
	if !resp.Diagnostics.HasError() {
		resp.Diagnostics.Append(resp.State.Set(ctx, model)...)
	}
}
