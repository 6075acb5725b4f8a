package ephemerals

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/ephemeral"
	"github.com/hashicorp/terraform-plugin-framework/ephemeral/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/qiniu/terraform-provider-kodo/internal/tfkodo"
)

var (
	_ ephemeral.EphemeralResourceWithConfigure      = (*uploadToken)(nil)
	_ ephemeral.EphemeralResourceWithValidateConfig = (*uploadToken)(nil)
)

// NewUploadToken is kodo_upload_token: a token with which others can upload,
// fresh each time.
func NewUploadToken() ephemeral.EphemeralResource { return &uploadToken{} }

type uploadToken struct {
	provider *tfkodo.Provider
}

func (*uploadToken) Metadata(_ context.Context, req ephemeral.MetadataRequest, resp *ephemeral.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_upload_token"
}

func (*uploadToken) Schema(_ context.Context, _ ephemeral.SchemaRequest, resp *ephemeral.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "A token with which somebody else, such as a browser, can upload to a bucket without its keys: only what its policy allows, and until `expires_at`. " +
			"It is made anew each time and stored neither in the plan nor in the state.",
		Attributes: tfkodo.EphemeralAttributes(tfkodo.UploadTokenAttributes()),
	}
}

func (e *uploadToken) Configure(_ context.Context, req ephemeral.ConfigureRequest, resp *ephemeral.ConfigureResponse) {
	e.provider = tfkodo.FromProviderData(req.ProviderData, &resp.Diagnostics)
}

func (*uploadToken) ValidateConfig(ctx context.Context, req ephemeral.ValidateConfigRequest, resp *ephemeral.ValidateConfigResponse) {
	var config tfkodo.UploadToken
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	if !resp.Diagnostics.HasError() {
		resp.Diagnostics.Append(config.Check(ctx, types.StringNull())...)
	}
}

func (e *uploadToken) Open(ctx context.Context, req ephemeral.OpenRequest, resp *ephemeral.OpenResponse) {
	var model tfkodo.UploadToken
	resp.Diagnostics.Append(req.Config.Get(ctx, &model)...)
	resp.Diagnostics.Append(e.provider.RequireSigner("sign an upload token")...)
	if resp.Diagnostics.HasError() {
		return
	}
	deadline, diags := model.Fresh(e.provider.Now())
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	resp.Diagnostics.Append(model.Sign(ctx, e.provider, deadline)...)
	if !resp.Diagnostics.HasError() {
		resp.Diagnostics.Append(resp.Result.Set(ctx, model)...)
	}
}
