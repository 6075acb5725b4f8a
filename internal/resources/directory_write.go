package resources

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/qiniu/terraform-provider-kodo/internal/site"
	"github.com/qiniu/terraform-provider-kodo/internal/tfkodo"
)

// This file is how what is in Kodo becomes the planned directory, and what is said of it.

// A directoryWriting is one apply of kodo_directory. There is no prior model when the directory was never published.
type directoryWriting struct {
	resource    *directory
	plan, prior *directoryModel
	record      *site.Record
}

// publish makes what is in Kodo the directory, and returns the state of that. It is nil, with an error, if nothing was
// tried.
func (w *directoryWriting) publish(ctx context.Context) (state *directoryModel, diags diag.Diagnostics) {
	r, plan := w.resource, w.plan
	if w.prior != nil && (plan.SourceDir.IsNull() || !plan.SourceHash.IsNull() && !plan.Digest.IsUnknown()) {
		return plan, nil // the directory is not looked at
	}
	files, err := r.files(ctx, plan)
	if err != nil {
		diags.AddAttributeError(path.Root("source_dir"), summaryDirectoryNotReadable, directoryNotReadable(plan, err))
		return nil, diags
	}
	todo, _, err := r.todo(ctx, plan, w.prior, w.record, files)
	if err != nil {
		diags.Append(r.provider.Diagnose("Directory Not Compared", fmt.Sprintf("directory %s could not be compared with what is in Kodo", plan.name()), err, withoutBucket(err)...))
		return nil, diags
	}
	if diags.Append(w.expect(todo)...); diags.HasError() {
		return nil, diags
	}
	out := todo.Publish(ctx, r.provider.Client, plan.Bucket.ValueString(), w.record)
	state = w.state(todo, out)
	diags.Append(w.explain(out)...)
	return state, diags
}

// expect holds what is to be done against the plan: nothing is done that the plan did not show.
func (w *directoryWriting) expect(todo *site.Plan) (diags diag.Diagnostics) {
	plan := w.plan
	if !plan.DeletedKeys.IsUnknown() && !plan.DeletedKeys.IsNull() {
		todo.Keep(textsOf(plan.DeletedKeys.Elements()))
	}
	changed := false
	switch {
	case !plan.Files.IsUnknown() && !plan.Files.IsNull():
		todo.Expect(tfkodo.UnpackMap(plan.Files.ValueString()))
	case !plan.Digest.IsUnknown():
		changed = plan.Digest.ValueString() != todo.Digest() || plan.DeletedKeys.IsNull() && plan.DeletedCount.ValueInt64() != int64(len(todo.Deleted))
	}
	if changed {
		diags.AddAttributeError(path.Root("source_dir"), "Directory Changed Since The Plan", fmt.Sprintf("The directory %q, or what is under its prefix, is no longer what was planned. Nothing was sent. Plan again.", plan.SourceDir.ValueString()))
	}
	return diags
}

// state is what a publication has come to.
func (w *directoryWriting) state(todo *site.Plan, out *site.Outcome) *directoryModel {
	state := *w.plan
	state.Revision = types.StringValue(time.Now().UTC().Format(time.RFC3339Nano))
	if out.Complete() {
		state.fill(w.record)
		state.setChanges(todo.Added, todo.Changed, todo.Deleted)
		if w.prior != nil && !todo.Visible() { // the changes before it are still the last ones
			state.directoryChangesModel = w.prior.directoryChangesModel
		}
		state.Complete = types.BoolValue(true)
		state.asPlanned(w.plan)
		return &state
	}
	if w.prior != nil { // the arguments that are not fulfilled differ in the next plan again
		state = *w.prior
		if out.Wrote {
			state.Revision = types.StringValue(time.Now().UTC().Format(time.RFC3339Nano))
		}
	}
	state.SourceHash = types.StringNull() // its directory was not published
	state.fill(w.record)
	state.setChanges(w.record.Changes())
	state.Complete = types.BoolValue(false)
	return &state
}

// explain says what was not done, and what was done that one should know.
func (w *directoryWriting) explain(out *site.Outcome) (diags diag.Diagnostics) {
	plan := w.plan
	if out.Adopted > 0 {
		diags.AddWarning("Existing Objects Adopted", fmt.Sprintf("%d objects of directory %s existed already, with exactly the content of their files. Nothing was sent for them, and this resource manages them from now on: destroying it deletes them.", out.Adopted, plan.name()))
	}
	if len(out.Overwritten) > 0 {
		diags.AddWarning("Objects Overwritten Since", fmt.Sprintf("Somebody else has changed objects of directory %s after they were stored:\n%s\nThe next plan shows the difference.", plan.name(), firstOf(quoted(out.Overwritten))))
	}
	diags.Append(leftInPlace(plan, out)...)
	if out.Complete() {
		return diags
	}
	advice := []string{"The state has what is there now. Files of upload_last and deletions wait until everything before them is done. Apply again to do the rest."}
	if w.prior == nil {
		advice = append(advice, "Terraform marks the resource as tainted, and would delete everything and publish it anew in the next apply. To let that go on instead, run `terraform untaint` with its address first.")
	}
	diags.Append(w.resource.unfinished("Directory Not Published Completely", fmt.Sprintf("directory %s could not be published completely", plan.name()), out, advice...))
	return diags
}

// removed says what a destroy has come to.
func (r *directory) removed(state *directoryModel, record *site.Record, out *site.Outcome) (diags diag.Diagnostics) {
	diags.Append(leftInPlace(state, out)...)
	if !out.Complete() {
		diags.Append(r.unfinished("Directory Not Deleted Completely", fmt.Sprintf("directory %s could not be deleted completely", state.name()), out, "The state has what is still there. Apply again to delete the rest."))
		return diags
	}
	if theirs := record.Keys(); len(theirs) > 0 {
		diags.AddWarning("Imported Objects Left In Place", fmt.Sprintf("%d objects of directory %s were imported, and nothing was published over them from here, so they were not deleted:\n%s", len(theirs), state.name(), firstOf(quoted(theirs))))
	}
	return diags
}

// leftInPlace says which objects were not deleted.
func leftInPlace(m *directoryModel, out *site.Outcome) (diags diag.Diagnostics) {
	if len(out.Left) > 0 {
		diags.AddWarning("Changed Objects Left In Place", fmt.Sprintf("Somebody else has written objects of directory %s since the plan, so they were not deleted and are no longer managed here:\n%s\nDelete them by hand if they should not stay.", m.name(), firstOf(quoted(out.Left))))
	}
	if len(out.Kept) > 0 {
		diags.AddWarning("Objects Left To Another Resource", fmt.Sprintf("Objects of directory %s were stored or adopted by another resource in this same apply, so they were not deleted: that resource manages them now.\n%s", m.name(), firstOf(quoted(out.Kept))))
	}
	return diags
}

// unfinished says what failed: the first failure in full, and others by name.
func (r *directory) unfinished(summary, happened string, out *site.Outcome, advice ...string) diag.Diagnostic {
	err := out.Stopped
	if len(out.Failures) > 0 {
		first := out.Failures[0]
		err = first.Err
		if n := len(out.Failures); n == 1 {
			happened += fmt.Sprintf(": %q failed", first.Key)
		} else {
			happened += fmt.Sprintf(": %d files failed, among them %q", n, first.Key)
		}
		if rest := out.Failures[1:]; len(rest) > 0 {
			names := make([]string, len(rest))
			for i, failure := range rest {
				names[i] = fmt.Sprintf("%q: %s", failure.Key, failure.Err)
			}
			advice = append([]string{"The others:\n" + firstOf(names)}, advice...)
		}
	}
	if out.Untried > 0 {
		advice = append(advice, fmt.Sprintf("Files that were not tried because of that: %d.", out.Untried))
	}
	return r.provider.Diagnose(summary, happened, err, append(advice, withoutBucket(err)...)...)
}

func quoted(keys []string) []string {
	all := make([]string, len(keys))
	for i, key := range keys {
		all[i] = fmt.Sprintf("%q", key)
	}
	return all
}

// firstOf are lines, the first of them if there are many.
func firstOf(lines []string) string {
	if more := len(lines) - previewed; more > 0 {
		lines = append(lines[:previewed:previewed], fmt.Sprintf("… and %d more", more))
	}
	return strings.Join(lines, "\n")
}
