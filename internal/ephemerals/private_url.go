package ephemerals

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/ephemeral"
	"github.com/hashicorp/terraform-plugin-framework/ephemeral/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/qiniu/terraform-provider-kodo/internal/tfkodo"
)

var (
	_ ephemeral.EphemeralResourceWithConfigure      = (*privateURL)(nil)
	_ ephemeral.EphemeralResourceWithValidateConfig = (*privateURL)(nil)
)

// NewPrivateURL is kodo_private_url: a signed download link, fresh each time.
func NewPrivateURL() ephemeral.EphemeralResource { return &privateURL{} }

type privateURL struct {
	provider *tfkodo.Provider
}

func (*privateURL) Metadata(_ context.Context, req ephemeral.MetadataRequest, resp *ephemeral.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_private_url"
}

func (*privateURL) Schema(_ context.Context, _ ephemeral.SchemaRequest, resp *ephemeral.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "A link by which anybody can download one object of a private bucket, until `expires_at`. " +
			"It is made anew each time and stored neither in the plan nor in the state.",
		Attributes: tfkodo.EphemeralAttributes(tfkodo.PrivateURLAttributes()),
	}
}

func (e *privateURL) Configure(_ context.Context, req ephemeral.ConfigureRequest, resp *ephemeral.ConfigureResponse) {
	e.provider = tfkodo.FromProviderData(req.ProviderData, &resp.Diagnostics)
}

func (*privateURL) ValidateConfig(ctx context.Context, req ephemeral.ValidateConfigRequest, resp *ephemeral.ValidateConfigResponse) {
	var config tfkodo.PrivateURL
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	if !resp.Diagnostics.HasError() {
		resp.Diagnostics.Append(config.Check(types.StringNull())...)
	}
}

func (e *privateURL) Open(ctx context.Context, req ephemeral.OpenRequest, resp *ephemeral.OpenResponse) {
	var model tfkodo.PrivateURL
	resp.Diagnostics.Append(req.Config.Get(ctx, &model)...)
	resp.Diagnostics.Append(e.provider.RequireSigner("sign a link")...)
	if resp.Diagnostics.HasError() {
		return
	}
	deadline, diags := model.Fresh(e.provider.Now())
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	resp.Diagnostics.Append(model.Sign(e.provider, deadline)...)
	if !resp.Diagnostics.HasError() {
		resp.Diagnostics.Append(resp.Result.Set(ctx, model)...)
	}
}
