package datasources

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/qiniu/terraform-provider-kodo/internal/tfkodo"
)

var (
	_ datasource.DataSourceWithConfigure      = (*uploadToken)(nil)
	_ datasource.DataSourceWithValidateConfig = (*uploadToken)(nil)
)

// NewUploadToken is kodo_upload_token: a token with which others can upload. It
// is the same in all plans of one window, and is kept in the state.
func NewUploadToken() datasource.DataSource { return &uploadToken{} }

type uploadToken struct {
	provider *tfkodo.Provider
}

type uploadTokenModel struct {
	tfkodo.UploadToken

	Window types.String `tfsdk:"window"`
}

func (*uploadToken) Metadata(_ context.Context, req datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_upload_token"
}

func (*uploadToken) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	attributes := tfkodo.UploadTokenAttributes()
	attributes["window"] = tfkodo.WindowAttribute("token")
	resp.Schema = schema.Schema{
		MarkdownDescription: "A token with which somebody else, such as a browser, can upload to a bucket without its keys: only what its policy allows, and until `expires_at`. " +
			"The token is kept in the state and is the same in all plans of one `window`. Where it need not be stored, use the ephemeral resource of the same name.",
		Attributes: attributes,
	}
}

func (d *uploadToken) Configure(_ context.Context, req datasource.ConfigureRequest, resp *datasource.ConfigureResponse) {
	d.provider = tfkodo.FromProviderData(req.ProviderData, &resp.Diagnostics)
}

func (*uploadToken) ValidateConfig(ctx context.Context, req datasource.ValidateConfigRequest, resp *datasource.ValidateConfigResponse) {
	var config uploadTokenModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	if !resp.Diagnostics.HasError() {
		resp.Diagnostics.Append(config.Check(ctx, config.Window)...)
	}
}

func (d *uploadToken) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	var model uploadTokenModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &model)...)
	resp.Diagnostics.Append(d.provider.RequireSigner("sign an upload token")...)
	if resp.Diagnostics.HasError() {
		return
	}
	deadline, diags := model.Stable(d.provider.Now(), model.Window)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	resp.Diagnostics.Append(model.Sign(ctx, d.provider, deadline)...)
	if !resp.Diagnostics.HasError() {
		resp.Diagnostics.Append(resp.State.Set(ctx, model)...)
	}
}
