package resources

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/qiniu/terraform-provider-kodo/internal/kodo"
	"github.com/qiniu/terraform-provider-kodo/internal/site"
)

// This file is how a plan of kodo_directory finds what will be done.

// planPlace refuses a plan that destroys one address of a directory and keeps another, as kodo_object does: in the
// state they have the same objects, so that the one's delete would take them from the other.
func (r *directory) planPlace(m *directoryModel, destroy bool) (diags diag.Diagnostics) {
	if !r.provider.Known() || destroy && m.DeletionPolicy.ValueString() == deletionAbandon {
		return nil
	}
	// No key is like this one: it is not UTF-8.
	if r.provider.Client.PlanKey(m.Bucket.ValueString(), m.Prefix.ValueString()+"\xff", destroy) {
		diags.AddError("Directory Managed Twice", fmt.Sprintf("Directory %s is in the state under two addresses, one of which is to be destroyed: that would delete the objects of the other. "+
			"Take the address that is not in the configuration any more out of the state with `terraform state rm`, and plan again.", m.name()))
	}
	return diags
}

// A directoryPlanning is one plan of kodo_directory. There is no state when the directory was never published.
type directoryPlanning struct {
	resource    *directory
	plan, state *directoryModel
	record      *site.Record
}

// bucket finds the bucket where the configuration says none.
func (p *directoryPlanning) bucket(config *directoryModel) (diags diag.Diagnostics) {
	switch {
	case !config.Bucket.IsNull():
	case p.state != nil:
		p.plan.Bucket = p.state.Bucket
	default:
		p.plan.Bucket = p.resource.provider.Bucket
	}
	if p.plan.Bucket.IsNull() {
		diags.AddAttributeError(path.Root("bucket"), "Bucket Missing", fmt.Sprintf(
			"The directory %q needs a bucket: set bucket, for example bucket = kodo_bucket.site.name, or set bucket in the provider block or QINIU_BUCKET_NAME.", p.plan.SourceDir.ValueString()))
	}
	return diags
}

// replaced says which arguments put the directory somewhere else.
func (p *directoryPlanning) replaced() (paths path.Paths) {
	if p.state == nil {
		return nil
	}
	if !p.plan.Bucket.Equal(p.state.Bucket) {
		paths.Append(path.Root("bucket"))
	}
	if !p.plan.Prefix.Equal(p.state.Prefix) {
		paths.Append(path.Root("prefix"))
	}
	return paths
}

// run makes the plan say what will be done, as far as that can be known.
func (p *directoryPlanning) run(ctx context.Context, replaced bool) (diags diag.Diagnostics) {
	plan := p.plan
	plan.URL = p.resource.url(plan)
	plan.directoryFactsModel = unknownFacts()
	diags.Append(plan.validate()...)
	if diags.HasError() || replaced { // what a replacement will be is planned as a creation
		return diags
	}
	if !isKnown(ctx, plan.arguments()...) {
		return diags
	}
	switch {
	case plan.SourceDir.IsNull() && p.state == nil:
		diags.AddAttributeError(path.Root("source_dir"), "Directory Missing", fmt.Sprintf("Directory %s is to be published, so source_dir has to say what, for example source_dir = \"${path.module}/public\".", plan.name()))
		return diags
	case plan.SourceDir.IsNull(): // it was imported, and nothing says what it is to be
		p.unchanged()
		return diags
	case !plan.SourceHash.IsNull():
		same, d := p.sameByWord(ctx)
		if diags.Append(d...); same {
			p.unchanged()
		}
		return diags
	}
	files, err := p.resource.files(ctx, plan)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		diags.AddAttributeWarning(path.Root("source_dir"), "Directory Not There Yet", fmt.Sprintf("There is no directory %q yet, so the plan cannot say what will be published. The apply reads it, and fails if it is still missing then. "+
			"With source_hash the plan says as much without this warning.", plan.SourceDir.ValueString()))
		return diags
	case err != nil:
		diags.AddAttributeError(path.Root("source_dir"), summaryDirectoryNotReadable, directoryNotReadable(plan, err))
		return diags
	}
	diags.Append(p.compare(ctx, files)...)
	return diags
}

// arguments are all that decide what is published under which keys, and how.
func (m *directoryModel) arguments() []attr.Value {
	return []attr.Value{
		m.SourceDir, m.Prefix, m.SourceHash, m.Include, m.Exclude, m.IncludeHidden, m.Symlinks, m.UploadLast, m.Rules,
		m.Overwrite, m.Delete, m.DeleteWholeBucket, m.RetainRemovedDays, m.Track,
	}
}

// isKnown reports whether nothing in values is unknown.
func isKnown(ctx context.Context, all ...attr.Value) bool {
	for _, value := range all {
		if v, err := value.ToTerraformValue(ctx); err != nil || !v.IsFullyKnown() {
			return false
		}
	}
	return true
}

// sameByWord reports whether the hash that the configuration gives says that the directory is the one that was
// published last, in the same way, and Kodo still has it.
func (p *directoryPlanning) sameByWord(ctx context.Context) (same bool, diags diag.Diagnostics) {
	if p.state == nil {
		return false, nil
	}
	is, was := p.plan.arguments(), p.state.arguments()
	for i, value := range is {
		if !value.Equal(was[i]) {
			return false, nil
		}
	}
	rules, diags := p.plan.rules(ctx)
	return !p.record.Drifted(p.plan.Prefix.ValueString(), rules), diags
}

// unchanged says that everything stays as it is.
func (p *directoryPlanning) unchanged() {
	p.plan.directoryFactsModel = p.state.directoryFactsModel
	p.plan.Complete = types.BoolValue(true)
	if !p.plan.Track.Equal(p.state.Track) {
		p.plan.fill(p.record)
		p.plan.Preview = types.ListNull(types.StringType)
	}
}

const summaryDirectoryNotReadable = "Directory Not Readable"

func directoryNotReadable(m *directoryModel, err error) string {
	var problems site.Problems
	if errors.As(err, &problems) {
		return fmt.Sprintf("The directory %q holds what cannot be published:\n%s\nLeave it out with exclude, or make it a readable file.", m.SourceDir.ValueString(), problems)
	}
	return fmt.Sprintf("The directory %q cannot be read: %s.", m.SourceDir.ValueString(), err)
}

// files are those of the directory, with their hashes.
func (r *directory) files(ctx context.Context, m *directoryModel) ([]site.File, error) {
	files, err := m.source(r.provider.Home).Files(ctx)
	if err != nil {
		return nil, err
	}
	return files, r.provider.Hashes.Sum(ctx, files)
}

// compare compares the directory with what is there.
func (p *directoryPlanning) compare(ctx context.Context, files []site.File) (diags diag.Diagnostics) {
	r, plan := p.resource, p.plan
	if len(files) == 0 && len(p.record.Have) > 0 {
		diags.AddAttributeWarning(path.Root("source_dir"), "Directory Empty", fmt.Sprintf("The directory %q holds no file that would be published, so everything that was published from it is removed.", plan.SourceDir.ValueString()))
	}
	todo, complete, err := r.todo(ctx, plan, p.state, p.record, files)
	if err != nil {
		diags.Append(r.provider.Diagnose("Directory Not Compared", fmt.Sprintf("directory %s could not be compared with what is in Kodo", plan.name()), err, withoutBucket(err)...))
		return diags
	}
	if !complete { // what is to be deleted is not known yet
		return diags
	}
	if err := todo.Check(); err != nil {
		diags.AddAttributeError(path.Root("rule"), "Metadata Not Accepted", fmt.Sprintf("Kodo does not accept the metadata and headers that the rules give together to these files, or to others like them:\n%s", err))
		return diags
	}
	if r.provider.Known() && !plan.Bucket.IsUnknown() {
		diags.Append(p.look(ctx, todo)...)
	}
	p.show(todo)
	return diags
}

// todo says what has to be done to publish files. It is not complete if nobody can say yet what is to be deleted.
func (r *directory) todo(ctx context.Context, plan, prior *directoryModel, record *site.Record, files []site.File) (todo *site.Plan, complete bool, err error) {
	settings, diags := plan.settings(ctx, prior)
	if diags.HasError() {
		return nil, false, errors.New(diags[0].Detail())
	}
	asked := r.provider.Known() && !plan.Bucket.IsUnknown()
	if settings.Removal == site.RemoveAll && (prior == nil || prior.Delete.ValueString() != deleteAll) {
		if !asked {
			return nil, false, nil
		}
		found, err := r.list(ctx, plan.Bucket.ValueString(), plan.Prefix.ValueString())
		switch {
		case err == nil:
			record.SeeAll(found)
		case !kodo.IsNoBucket(err): // a bucket that this same apply makes is empty
			return nil, false, err
		}
	}
	var same map[string]string
	if asked {
		if same, err = site.SameContent(ctx, r.provider.Client, plan.Bucket.ValueString(), record, files); err != nil {
			return nil, false, err
		}
	}
	return site.Compare(record, files, settings, same), true, nil
}

// look finds objects of somebody else under the keys of new files.
func (p *directoryPlanning) look(ctx context.Context, todo *site.Plan) (diags diag.Diagnostics) {
	r, plan := p.resource, p.plan
	_, conflicts, err := todo.Look(ctx, r.provider.Client, plan.Bucket.ValueString())
	switch {
	case kodo.IsNoBucket(err): // the same apply makes it, or says why not
	case err != nil:
		diags.Append(r.provider.Diagnose("Directory Not Compared", fmt.Sprintf("directory %s could not be compared with what is in Kodo", plan.name()), err))
	case len(conflicts) > 0:
		names := make([]string, len(conflicts))
		for i, object := range conflicts {
			names[i] = fmt.Sprintf("%q (hash %s, %d bytes, put at %s)", object.Key, object.ETag, object.Size, object.PutTime)
		}
		diags.AddError("Objects Exist Already", fmt.Sprintf("Under the keys of %d new files of directory %s there are objects with other content, which nothing here has put there:\n%s\n"+
			"To replace them, set overwrite = true. To manage what is there, import it: `terraform import <address> '%s/%s'`. To leave them alone, exclude the files or choose another prefix.",
			len(conflicts), plan.name(), firstOf(names), plan.Bucket.ValueString(), plan.Prefix.ValueString()))
	}
	return diags
}

// show takes what will be done into the plan.
func (p *directoryPlanning) show(todo *site.Plan) {
	plan := p.plan
	same := p.state != nil && !todo.Visible()
	if same {
		p.unchanged()
		if len(todo.Forgotten()) == 0 {
			return
		}
	}
	plan.FileCount, plan.TotalSize = types.Int64Value(int64(todo.Count())), types.Int64Value(todo.Size())
	if !same {
		plan.setChanges(todo.Added, todo.Changed, todo.Deleted)
		plan.Revision, plan.Complete = types.StringUnknown(), types.BoolValue(true)
	}
	plan.setFiles(todo.ETags())
	plan.Digest = types.StringValue(todo.Digest())
}
