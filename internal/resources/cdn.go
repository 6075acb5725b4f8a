package resources

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/booldefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringdefault"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-log/tflog"

	"github.com/qiniu/terraform-provider-kodo/internal/kodo"
	"github.com/qiniu/terraform-provider-kodo/internal/tfkodo"
)

// This file is what kodo_cdn_refresh and kodo_cdn_prefetch have in common, which is all but the directories: what is
// new in the configuration, or was pending, is submitted once, and what the state says of it is remembered, not asked.

// The states of what was submitted, the worst of all tasks.
const (
	cdnProcessing = "PROCESSING"
	cdnSuccess    = "SUCCESS"
	cdnFailure    = "FAILURE"
	cdnUnknown    = "UNKNOWN"
)

// adviceCDN is what becomes of what is not done.
const adviceCDN = "The next apply submits what is pending, and nothing else."

// cdnModel is what both have.
type cdnModel struct {
	URLs              types.Set      `tfsdk:"urls"`
	Triggers          types.Map      `tfsdk:"triggers"`
	WaitForCompletion types.Bool     `tfsdk:"wait_for_completion"`
	OnFailure         types.String   `tfsdk:"on_failure"`
	PendingURLs       types.Set      `tfsdk:"pending_urls"`
	TaskIDs           types.Map      `tfsdk:"task_ids"`
	RequestIDs        types.List     `tfsdk:"request_ids"`
	State             types.String   `tfsdk:"state"`
	URLSurplusDay     types.Int64    `tfsdk:"url_surplus_day"`
	Timeouts          timeouts.Value `tfsdk:"timeouts"`
}

// cdnDirs is what a refresh has beside that.
type cdnDirs struct {
	Dirs          types.Set   `tfsdk:"dirs"`
	PendingDirs   types.Set   `tfsdk:"pending_dirs"`
	DirSurplusDay types.Int64 `tfsdk:"dir_surplus_day"`
}

// cdnTask is a model of either type, in its parts.
type cdnTask struct {
	*cdnModel
	*cdnDirs

	whole any // the model that the parts are of; a prefetch's has no directories
}

// cdnAttributes are those that both have. What is done to URLs is said by done, such as "refreshed".
func cdnAttributes(ctx context.Context, done string) map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"triggers": schema.MapAttribute{
			MarkdownDescription: "Any values, a change of which submits everything once more, such as the ETag of an object: what is " + done + " a second time has the same URL as the first time. Changes in place.",
			ElementType:         types.StringType,
			Optional:            true,
		},
		"wait_for_completion": schema.BoolAttribute{
			MarkdownDescription: tfkodo.DescribeCDNWait + " Changes in place, without a request.",
			Optional:            true,
			Computed:            true,
			Default:             booldefault.StaticBool(true),
		},
		"on_failure": schema.StringAttribute{
			MarkdownDescription: tfkodo.DescribeCDNOnFailure + " They are pending either way, and the next apply submits them once more. Changes in place, without a request.",
			Optional:            true,
			Computed:            true,
			Default:             stringdefault.StaticString(tfkodo.OnFailureError),
			Validators:          []validator.String{tfkodo.OnFailure()},
		},
		"pending_urls": schema.SetAttribute{
			MarkdownDescription: "Those of `urls` that the CDN has not accepted, or has failed to carry out. The next apply submits them, and nothing else.",
			ElementType:         types.StringType,
			Computed:            true,
		},
		"task_ids": schema.MapAttribute{
			MarkdownDescription: "The CDN's latest task for each URL that it has accepted, where it names one.",
			ElementType:         types.StringType,
			Computed:            true,
		},
		"request_ids": schema.ListAttribute{
			MarkdownDescription: "The CDN's ids of the requests that were submitted last, which its support asks for.",
			ElementType:         types.StringType,
			Computed:            true,
		},
		"state": schema.StringAttribute{
			MarkdownDescription: fmt.Sprintf("How far the CDN is with what it has accepted last: `%s`, `%s`, `%s` if any of it has failed, or `%s` if the CDN has no record of it. "+
				"While it is `%[1]s`, each refresh asks the CDN; later nobody asks again, and it does not matter that the CDN forgets. Null where nothing was accepted.",
				cdnProcessing, cdnSuccess, cdnFailure, cdnUnknown),
			Computed: true,
		},
		"url_surplus_day": schema.Int64Attribute{
			MarkdownDescription: "How many URLs of the account may still be " + done + " on the day of the last submission. Null where the CDN has not said.",
			Computed:            true,
		},
		"timeouts": timeoutsAttribute(ctx),
	}
}

// cdnResource is a resource of either type.
type cdnResource struct {
	provider  *tfkodo.Provider
	operation kodo.CDNOperation
	work      string         // such as "refresh the CDN"
	model     func() cdnTask // an empty one
}

func (r *cdnResource) Configure(_ context.Context, req resource.ConfigureRequest, resp *resource.ConfigureResponse) {
	r.provider = tfkodo.FromProviderData(req.ProviderData, &resp.Diagnostics)
}

// ModifyPlan leaves what a submission decides unknown, and what none will change as it is.
func (r *cdnResource) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	if req.Plan.Raw.IsNull() || req.State.Raw.IsNull() {
		return // a destruction sends nothing, and a creation decides everything
	}
	plan, prior := r.model(), r.model()
	resp.Diagnostics.Append(req.Plan.Get(ctx, plan.whole)...)
	resp.Diagnostics.Append(req.State.Get(ctx, prior.whole)...)
	if resp.Diagnostics.HasError() {
		return
	}
	urls, dirs := plan.due(&prior)
	if len(urls)+len(dirs) > 0 || plan.URLs.IsUnknown() || plan.Dirs.IsUnknown() {
		plan.undecided()
	} else {
		plan.keep(prior)
	}
	resp.Diagnostics.Append(resp.Plan.Set(ctx, plan.whole)...)
}

func (r *cdnResource) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	plan := r.model()
	resp.Diagnostics.Append(req.Plan.Get(ctx, plan.whole)...)
	ctx, cancel := withTimeout(ctx, plan.Timeouts.Create, &resp.Diagnostics)
	defer cancel()
	resp.Diagnostics.Append(r.provider.RequireClient(r.work)...)
	if resp.Diagnostics.HasError() {
		return
	}
	advice := "Terraform marks the resource as tainted, and the next apply would submit everything once more. To have it submit only what is pending, run `terraform untaint` with its address first."
	if plan.OnFailure.ValueString() == tfkodo.OnFailureWarn {
		advice = adviceCDN
	}
	resp.Diagnostics.Append(r.submit(ctx, plan, nil, advice)...)
	resp.Diagnostics.Append(resp.State.Set(ctx, plan.whole)...)
}

// Read asks about tasks that were not done when they were last seen. Whatever the CDN says, or does not say any more,
// nothing is submitted again because of it but what has failed.
func (r *cdnResource) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	state := r.model()
	resp.Diagnostics.Append(req.State.Get(ctx, state.whole)...)
	ctx, cancel := withTimeout(ctx, state.Timeouts.Read, &resp.Diagnostics)
	defer cancel()
	if resp.Diagnostics.HasError() || state.State.ValueString() != cdnProcessing {
		return
	}
	if !r.provider.Known() {
		resp.Diagnostics.Append(r.provider.StateKept("tasks of the CDN"))
		return
	}
	var tasks []kodo.CDNTask
	for _, id := range stringsOf(state.RequestIDs.Elements()) {
		found, err := r.provider.Client.CDNTasks(ctx, r.operation, id)
		if err != nil {
			d := r.provider.Diagnose("CDN Tasks Not Read", "the CDN could not be asked how far it is, and the state stays as it was recorded last", err)
			resp.Diagnostics.AddWarning(d.Summary(), d.Detail())
			return
		}
		tasks = append(tasks, found...)
	}
	state.fill(tasks)
	resp.Diagnostics.Append(resp.State.Set(ctx, state.whole)...)
}

func (r *cdnResource) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	plan, prior := r.model(), r.model()
	resp.Diagnostics.Append(req.Plan.Get(ctx, plan.whole)...)
	resp.Diagnostics.Append(req.State.Get(ctx, prior.whole)...)
	ctx, cancel := withTimeout(ctx, plan.Timeouts.Update, &resp.Diagnostics)
	defer cancel()
	resp.Diagnostics.Append(r.provider.RequireClient(r.work)...)
	if resp.Diagnostics.HasError() {
		return
	}
	resp.Diagnostics.Append(r.submit(ctx, plan, &prior, adviceCDN)...)
	resp.Diagnostics.Append(resp.State.Set(ctx, plan.whole)...)
}

// Delete has nothing to undo: what the CDN has forgotten or fetched stays so.
func (*cdnResource) Delete(context.Context, resource.DeleteRequest, *resource.DeleteResponse) {}

// submit has the CDN do what is due, and fills the plan with what came of it. The advice ends the diagnostic of what is
// not done.
func (r *cdnResource) submit(ctx context.Context, plan cdnTask, prior *cdnTask, advice string) diag.Diagnostics {
	plan.undecided()
	if prior != nil {
		plan.keep(*prior)
	} else {
		plan.nothing()
	}
	job := plan.spec(prior)
	if len(job.URLs)+len(job.Dirs) == 0 {
		return nil
	}
	job.Operation, job.Advice = r.operation, advice
	if plan.State.ValueString() == cdnProcessing {
		job.Earlier = stringsOf(plan.RequestIDs.Elements())
	}
	job.Say = func(message string) { tflog.Info(ctx, message) }
	result, diags := r.provider.RunCDN(ctx, job)
	plan.submitted(job, result)
	return diags
}

// fill takes what the CDN says of its tasks into the model: what has failed is pending again.
func (m cdnTask) fill(tasks []kodo.CDNTask) {
	state, failed := cdnUnknown, map[string]bool{}
	for _, task := range tfkodo.LatestCDNTasks(tasks) {
		switch {
		case task.State == kodo.CDNFailure:
			state, failed[kodo.CDNName(task.URL)] = cdnFailure, true
		case task.State != kodo.CDNSuccess && state != cdnFailure:
			state = cdnProcessing
		case state == cdnUnknown:
			state = cdnSuccess
		}
	}
	m.State = types.StringValue(state)
	pending := func(set, pending types.Set) types.Set {
		again := slices.DeleteFunc(stringsOf(set.Elements()), func(name string) bool { return !failed[kodo.CDNName(name)] })
		return setOf(append(stringsOf(pending.Elements()), again...))
	}
	m.PendingURLs = pending(m.URLs, m.PendingURLs)
	m.PendingDirs = pending(m.Dirs, m.PendingDirs)
}

// spec is what the CDN is asked for.
func (m cdnTask) spec(prior *cdnTask) tfkodo.CDNJob {
	urls, dirs := m.due(prior)
	return tfkodo.CDNJob{
		URLs: urls, Dirs: dirs, Wait: m.WaitForCompletion.ValueBool(), Warn: m.OnFailure.ValueString() == tfkodo.OnFailureWarn,
	}
}

// due is what the plan has to submit: everything when it is made and when its triggers have changed, otherwise what is
// new, and what is pending. What is not known yet is new.
func (m cdnTask) due(prior *cdnTask) (urls, dirs []string) {
	if prior == nil || !m.Triggers.Equal(prior.Triggers) {
		return stringsOf(m.URLs.Elements()), stringsOf(m.Dirs.Elements())
	}
	return added(m.URLs, prior.URLs, prior.PendingURLs), added(m.Dirs, prior.Dirs, prior.PendingDirs)
}

// added are the elements of a set that were not there, or are pending.
func added(set, before, pending types.Set) []string {
	done := map[string]bool{}
	for _, name := range stringsOf(before.Elements()) {
		done[name] = true
	}
	for _, name := range stringsOf(pending.Elements()) {
		done[name] = false
	}
	return slices.DeleteFunc(stringsOf(set.Elements()), func(name string) bool { return done[name] })
}

// undecided has a submission decide everything that is computed.
func (m cdnTask) undecided() {
	m.PendingURLs, m.PendingDirs = types.SetUnknown(types.StringType), types.SetUnknown(types.StringType)
	m.TaskIDs, m.RequestIDs = types.MapUnknown(types.StringType), types.ListUnknown(types.StringType)
	m.State, m.URLSurplusDay, m.DirSurplusDay = types.StringUnknown(), types.Int64Unknown(), types.Int64Unknown()
}

// nothing is the model before anything was submitted.
func (m cdnTask) nothing() {
	m.PendingURLs, m.PendingDirs = setOf(nil), setOf(nil)
	m.TaskIDs, m.RequestIDs = types.MapValueMust(types.StringType, nil), texts(nil)
	m.State, m.URLSurplusDay, m.DirSurplusDay = types.StringNull(), types.Int64Null(), types.Int64Null()
}

// keep takes what is computed from the prior model, without what the configuration does not name any more.
func (m cdnTask) keep(prior cdnTask) {
	names := map[string]bool{}
	for _, name := range append(stringsOf(m.URLs.Elements()), stringsOf(m.Dirs.Elements())...) {
		names[name] = true
	}
	kept := func(set types.Set) types.Set {
		return setOf(slices.DeleteFunc(stringsOf(set.Elements()), func(name string) bool { return !names[name] }))
	}
	m.PendingURLs, m.PendingDirs = kept(prior.PendingURLs), kept(prior.PendingDirs)
	tasks := prior.TaskIDs.Elements()
	maps.DeleteFunc(tasks, func(name string, _ attr.Value) bool { return !names[name] })
	m.TaskIDs, m.RequestIDs = types.MapValueMust(types.StringType, tasks), prior.RequestIDs
	m.State, m.URLSurplusDay, m.DirSurplusDay = prior.State, prior.URLSurplusDay, prior.DirSurplusDay
}

// submitted takes what came of a submission into the model. Requests before it that are still under way stay in sight.
func (m cdnTask) submitted(job tfkodo.CDNJob, result tfkodo.CDNResult) {
	tasks := m.TaskIDs.Elements()
	pending := map[bool][]string{}
	for _, o := range result.Outcomes {
		switch {
		case o.Err != nil:
			pending[o.Dir] = append(pending[o.Dir], o.URL)
		case o.TaskID != "":
			tasks[o.URL] = types.StringValue(o.TaskID)
		}
	}
	m.PendingURLs, m.PendingDirs = setOf(pending[false]), setOf(pending[true])
	m.TaskIDs = types.MapValueMust(types.StringType, tasks)
	if requests := append(job.Earlier, result.Requests()...); len(requests) > 0 {
		m.RequestIDs, m.State = texts(requests), types.StringValue(cdnProcessing)
	}
	if result.Looked {
		m.fill(result.Tasks)
	}
	m.URLSurplusDay, m.DirSurplusDay = surplus(result.URLSurplus), surplus(result.DirSurplus)
}

// surplus is a quota, null where the CDN has not said it.
func surplus(n int64) types.Int64 {
	if n < 0 {
		return types.Int64Null()
	}
	return types.Int64Value(n)
}

// stringsOf are the strings of a set or a list.
func stringsOf(elements []attr.Value) []string {
	all := make([]string, 0, len(elements))
	for _, element := range elements {
		if text, ok := element.(types.String); ok {
			all = append(all, text.ValueString())
		}
	}
	return all
}

func setOf(names []string) types.Set {
	slices.Sort(names)
	return types.SetValueMust(types.StringType, values(slices.Compact(names)))
}

func values(names []string) []attr.Value {
	all := make([]attr.Value, len(names))
	for i, name := range names {
		all[i] = types.StringValue(name)
	}
	return all
}
