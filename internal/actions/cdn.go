package actions

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/action/timeouts"
	"github.com/hashicorp/terraform-plugin-framework/action"
	"github.com/hashicorp/terraform-plugin-framework/action/schema"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/qiniu/terraform-provider-kodo/internal/kodo"
	"github.com/qiniu/terraform-provider-kodo/internal/tfkodo"
)

// This file is what the actions kodo_cdn_refresh and kodo_cdn_prefetch have in common.

// cdnModel is what both have.
type cdnModel struct {
	URLs              types.Set      `tfsdk:"urls"`
	WaitForCompletion types.Bool     `tfsdk:"wait_for_completion"`
	OnFailure         types.String   `tfsdk:"on_failure"`
	Timeouts          timeouts.Value `tfsdk:"timeouts"`
}

// cdnAttributes are those that both have.
func cdnAttributes(ctx context.Context) map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"wait_for_completion": schema.BoolAttribute{
			MarkdownDescription: tfkodo.DescribeCDNWait,
			Optional:            true,
		},
		"on_failure": schema.StringAttribute{
			MarkdownDescription: tfkodo.DescribeCDNOnFailure + " An action remembers nothing: what is to be done again has to be asked for again.",
			Optional:            true,
			Validators:          []validator.String{tfkodo.OnFailure()},
		},
		"timeouts": timeoutsAttribute(ctx),
	}
}

// cdnAction is an action of either type.
type cdnAction struct {
	provider  *tfkodo.Provider
	operation kodo.CDNOperation
	work      string // such as "refresh the CDN"
}

func (a *cdnAction) Configure(_ context.Context, req action.ConfigureRequest, resp *action.ConfigureResponse) {
	a.provider = tfkodo.FromProviderData(req.ProviderData, &resp.Diagnostics)
}

// run has the CDN do what the model asks for, and tells Terraform how far it is.
func (a *cdnAction) run(ctx context.Context, m cdnModel, dirs types.Set, resp *action.InvokeResponse) {
	ctx, cancel := withTimeout(ctx, m.Timeouts, &resp.Diagnostics)
	defer cancel()
	resp.Diagnostics.Append(a.provider.RequireClient(a.work)...)
	if resp.Diagnostics.HasError() {
		return
	}
	resp.Diagnostics.Append(tfkodo.CheckCDN(ctx, m.URLs, dirs)...)
	job, diags := m.spec(ctx, dirs)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	job.Operation = a.operation
	job.Say = func(message string) { resp.SendProgress(action.InvokeProgressEvent{Message: message}) }
	if len(job.URLs)+len(job.Dirs) == 0 {
		job.Say("There is nothing to submit to the CDN.")
		return
	}
	_, diags = a.provider.RunCDN(ctx, job)
	resp.Diagnostics.Append(diags...)
}

// spec is what the CDN is asked for.
func (m cdnModel) spec(ctx context.Context, dirs types.Set) (job tfkodo.CDNJob, diags diag.Diagnostics) {
	diags.Append(m.URLs.ElementsAs(ctx, &job.URLs, false)...)
	diags.Append(dirs.ElementsAs(ctx, &job.Dirs, false)...)
	job.Wait = m.WaitForCompletion.IsNull() || m.WaitForCompletion.ValueBool()
	job.Warn = m.OnFailure.ValueString() == tfkodo.OnFailureWarn
	job.Advice = "Nothing of it is in the state: invoke the action again for what is not done."
	return job, diags
}
