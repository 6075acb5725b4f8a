package resources

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/qiniu/terraform-provider-kodo/internal/kodo"
	"github.com/qiniu/terraform-provider-kodo/internal/site"
	"github.com/qiniu/terraform-provider-kodo/internal/tfkodo"
)

// This file is the model of kodo_directory, and the record of its objects in the private state.

var sourceDirPath = path.MatchRoot("source_dir")

type directoryModel struct {
	Bucket types.String `tfsdk:"bucket"`
	Prefix types.String `tfsdk:"prefix"`
	Domain types.String `tfsdk:"domain"`
	URL    types.String `tfsdk:"url"`

	SourceDir     types.String `tfsdk:"source_dir"`
	SourceHash    types.String `tfsdk:"source_hash"`
	Include       types.Set    `tfsdk:"include"`
	Exclude       types.Set    `tfsdk:"exclude"`
	IncludeHidden types.Bool   `tfsdk:"include_hidden"`
	Symlinks      types.String `tfsdk:"symlinks"`
	UploadLast    types.List   `tfsdk:"upload_last"`
	Rules         types.List   `tfsdk:"rule"`

	Overwrite         types.Bool     `tfsdk:"overwrite"`
	Delete            types.String   `tfsdk:"delete"`
	DeleteWholeBucket types.Bool     `tfsdk:"delete_whole_bucket"`
	RetainRemovedDays types.Int64    `tfsdk:"retain_removed_days"`
	DeletionPolicy    types.String   `tfsdk:"deletion_policy"`
	Track             types.String   `tfsdk:"track"`
	Timeouts          timeouts.Value `tfsdk:"timeouts"`

	directoryFactsModel
}

// directoryFactsModel are what follows from the directory and from what is in Kodo.
type directoryFactsModel struct {
	Files     types.String `tfsdk:"files"` // a map of strings to Terraform, which package provider packs
	Digest    types.String `tfsdk:"digest"`
	FileCount types.Int64  `tfsdk:"file_count"`
	TotalSize types.Int64  `tfsdk:"total_size"`

	directoryChangesModel
}

// directoryChangesModel are what the last apply has changed.
type directoryChangesModel struct {
	AddedKeys    types.List   `tfsdk:"added_keys"`
	ChangedKeys  types.List   `tfsdk:"changed_keys"`
	DeletedKeys  types.List   `tfsdk:"deleted_keys"`
	AddedCount   types.Int64  `tfsdk:"added_count"`
	ChangedCount types.Int64  `tfsdk:"changed_count"`
	DeletedCount types.Int64  `tfsdk:"deleted_count"`
	Preview      types.List   `tfsdk:"preview"`
	Revision     types.String `tfsdk:"revision"`
	Complete     types.Bool   `tfsdk:"complete"`
}

// unknownFacts are those of a directory that cannot be looked at yet.
func unknownFacts() directoryFactsModel {
	list := types.ListUnknown(types.StringType)
	return directoryFactsModel{
		Files: types.StringUnknown(), Digest: types.StringUnknown(), FileCount: types.Int64Unknown(), TotalSize: types.Int64Unknown(),
		directoryChangesModel: directoryChangesModel{
			AddedKeys: list, ChangedKeys: list, DeletedKeys: list, Preview: list, Revision: types.StringUnknown(),
			Complete: types.BoolValue(true), AddedCount: types.Int64Unknown(), ChangedCount: types.Int64Unknown(), DeletedCount: types.Int64Unknown(),
		},
	}
}

type directoryIdentity struct {
	Bucket types.String `tfsdk:"bucket"`
	Prefix types.String `tfsdk:"prefix"`
}

func (m *directoryModel) identity() directoryIdentity {
	return directoryIdentity{Bucket: m.Bucket, Prefix: m.Prefix}
}

// parseDirectoryID reads the bucket and, behind the first slash, the prefix: names of buckets hold no slash.
func parseDirectoryID(id string) (directoryIdentity, error) {
	bucket, prefix, found := strings.Cut(id, "/")
	if !found {
		return directoryIdentity{}, errors.New("it has no slash")
	}
	err := errors.Join(kodo.CheckBucketName(bucket), site.CheckPrefix(prefix))
	return directoryIdentity{Bucket: types.StringValue(bucket), Prefix: types.StringValue(prefix)}, err
}

// name is the directory as messages call it.
func (m *directoryModel) name() string {
	if m.Prefix.ValueString() == "" {
		return fmt.Sprintf("at the root of bucket %q", m.Bucket.ValueString())
	}
	return fmt.Sprintf("%q in bucket %q", m.Prefix.ValueString(), m.Bucket.ValueString())
}

// A directoryRule is one rule block.
type directoryRule struct {
	tfkodo.Headers

	Pattern      types.String `tfsdk:"pattern"`
	ContentType  types.String `tfsdk:"content_type"`
	StorageClass types.String `tfsdk:"storage_class"`
	Metadata     types.Map    `tfsdk:"metadata"`
}

// facets are the same as those of an object.
func (r *directoryRule) facets() objectFacets {
	return objectFacets{Headers: r.Headers, ContentType: r.ContentType, StorageClass: r.StorageClass, Metadata: r.Metadata}
}

// rules are the rule blocks, of which everything is known.
func (m *directoryModel) rules(ctx context.Context) (rules site.Rules, diags diag.Diagnostics) {
	var blocks []directoryRule
	diags.Append(m.Rules.ElementsAs(ctx, &blocks, false)...)
	for _, block := range blocks {
		facets := block.facets()
		rule := site.Rule{Pattern: block.Pattern.ValueString(), ContentType: block.ContentType.ValueString(), Metadata: facets.metadata()}
		if !block.StorageClass.IsNull() {
			class := facets.storageClass()
			rule.StorageClass = &class
		}
		rules = append(rules, rule)
	}
	return rules, diags
}

// source is which files are published.
func (m *directoryModel) source(home string) site.Source {
	s := site.Source{
		Dir: m.SourceDir.ValueString(), Prefix: m.Prefix.ValueString(), Hidden: m.IncludeHidden.ValueBool(),
		Include: textsOf(m.Include.Elements()), Exclude: textsOf(m.Exclude.Elements()),
	}
	if rest, ok := strings.CutPrefix(s.Dir, "~/"); ok && home != "" {
		s.Dir = filepath.Join(home, rest)
	}
	switch m.Symlinks.ValueString() {
	case symlinksSkip:
		s.Symlinks = site.SkipSymlinks
	case symlinksError:
		s.Symlinks = site.RefuseSymlinks
	}
	return s
}

// settings are how the directory is published. There is no prior model when it never was.
func (m *directoryModel) settings(ctx context.Context, prior *directoryModel) (s site.Settings, diags diag.Diagnostics) {
	s = site.Settings{
		Last: textsOf(m.UploadLast.Elements()), Overwrite: m.Overwrite.ValueBool(), RetainDays: int(m.RetainRemovedDays.ValueInt64()),
	}
	switch m.Delete.ValueString() {
	case deleteAll:
		s.Removal = site.RemoveAll
	case deleteNone:
		s.Removal = site.RemoveNone
	}
	rules, diags := m.rules(ctx)
	s.Rules = rules
	if prior != nil {
		before, d := prior.rules(ctx)
		diags.Append(d...)
		s.Before = before
	}
	return s, diags
}

// textsOf are the strings in a list or set of which everything is known.
func textsOf(elements []attr.Value) (of []string) {
	for _, element := range elements {
		if text, ok := element.(types.String); ok {
			of = append(of, text.ValueString())
		}
	}
	return of
}

// validate judges what only several arguments together can break.
func (m *directoryModel) validate() (diags diag.Diagnostics) {
	whole := m.Prefix.IsNull() || !m.Prefix.IsUnknown() && m.Prefix.ValueString() == ""
	if m.Delete.ValueString() == deleteAll && whole && !m.DeleteWholeBucket.IsUnknown() && !m.DeleteWholeBucket.ValueBool() {
		diags.AddAttributeError(path.Root("delete"), "Whole Bucket At Stake", "With delete = \"ALL\" and an empty prefix, every object of the bucket that has no file in source_dir is deleted, whoever put it there. "+
			"Set a prefix, for example prefix = \"site/\"; or, if the whole bucket is meant, delete_whole_bucket = true.")
	}
	if m.Delete.ValueString() == deleteNone && !m.RetainRemovedDays.IsNull() {
		diags.AddAttributeError(path.Root("retain_removed_days"), "Nothing To Retain", "With delete = \"NONE\" the objects of removed files stay for ever, so retain_removed_days has no meaning. Leave it out, or set delete = \"MANAGED\".")
	}
	return diags
}

// prevented refuses what the deletion policy in the state forbids.
func (m *directoryModel) prevented(done string) (diags diag.Diagnostics) {
	if m.DeletionPolicy.ValueString() == deletionPrevent {
		diags.AddAttributeError(path.Root("deletion_policy"), "Deletion Prevented", fmt.Sprintf("Directory %s cannot be %s, because its deletion_policy is PREVENT. "+
			"To let it go, set deletion_policy to DELETE, or to ABANDON to leave the objects in the bucket, and apply that first.", m.name(), done))
	}
	return diags
}

// fill takes what is there into the model.
func (m *directoryModel) fill(r *site.Record) {
	m.setFiles(r.ETags())
	m.Digest = types.StringValue(r.Digest())
	m.FileCount, m.TotalSize = types.Int64Value(int64(len(r.Have))), types.Int64Value(r.Size())
}

// setFiles takes the hashes of all files, by keys, into the model.
func (m *directoryModel) setFiles(etags map[string]string) {
	m.Files = types.StringNull()
	if m.Track.ValueString() == trackFiles {
		m.Files = types.StringValue(tfkodo.PackMap(etags))
	}
}

// setChanges takes what has changed, or will, into the model, whose files are counted already. The revision is the
// caller's. Of a first publication no keys are listed: files has them all, and the next plan of ten thousand files
// would show each of them as taken from the list.
func (m *directoryModel) setChanges(added, changed, deleted []string) {
	digest := m.Track.ValueString() == trackDigest
	list := func(keys []string) types.List {
		if digest && len(keys) > mostListed {
			return types.ListNull(types.StringType)
		}
		return texts(keys)
	}
	listed := added
	if len(changed)+len(deleted) == 0 && int64(len(added)) == m.FileCount.ValueInt64() {
		listed = nil
	}
	m.AddedKeys, m.ChangedKeys, m.DeletedKeys = list(listed), list(changed), list(deleted)
	m.AddedCount, m.ChangedCount, m.DeletedCount = types.Int64Value(int64(len(added))), types.Int64Value(int64(len(changed))), types.Int64Value(int64(len(deleted)))
	m.Preview = types.ListNull(types.StringType)
	if digest {
		var preview []string
		for _, kind := range []struct {
			sign string
			keys []string
		}{{"+ ", added}, {"~ ", changed}, {"- ", deleted}} {
			for _, key := range kind.keys {
				if len(preview) < previewed {
					preview = append(preview, kind.sign+key)
				}
			}
		}
		m.Preview = texts(preview)
	}
}

// noChanges says that nothing was changed from here yet.
func (m *directoryModel) noChanges() {
	m.setChanges(nil, nil, nil)
	m.Revision, m.Complete = types.StringNull(), types.BoolValue(true)
}

// recordKey is where the private state has the record.
const recordKey = "record"

// A recordSource says where a record comes from. Terraform loses the private state when the provider ends during an
// apply: then the record is made of the hashes in the state, or lost where those are not there either.
type recordSource int

const (
	recordKept recordSource = iota
	recordRebuilt
	recordLost
	recordNone // the directory was imported a moment ago
)

// loadRecord returns the record of a directory: one without objects if it is lost, or there is none yet.
func (m *directoryModel) loadRecord(ctx context.Context, private privateState) (record *site.Record, from recordSource, diags diag.Diagnostics) {
	text, diags := private.GetKey(ctx, recordKey)
	switch {
	case diags.HasError():
		return nil, 0, diags
	case len(text) > 0:
		record = &site.Record{}
		if err := record.UnmarshalJSON(text); err != nil {
			diags.AddError("Private State Not Read", fmt.Sprintf("The record of the directory's objects in the private state cannot be read: %s. "+
				"Take the resource out of the state with `terraform state rm` and its address, and import it.", err))
		}
		return record, recordKept, diags
	case !m.Files.IsNull():
		return m.rebuilt(), recordRebuilt, nil
	case !m.Digest.IsNull():
		return site.NewRecord(), recordLost, nil
	default:
		return site.NewRecord(), recordNone, nil
	}
}

// rebuilt is the record as far as the visible state tells.
func (m *directoryModel) rebuilt() *site.Record {
	etags := tfkodo.UnpackMap(m.Files.ValueString())
	if m.Complete.ValueBool() {
		return site.Rebuild(etags, nil, nil, nil)
	}
	added := textsOf(m.AddedKeys.Elements())
	if len(added) == 0 && m.AddedCount.ValueInt64() > 0 { // a first publication, whose keys are not listed
		added = slices.Collect(maps.Keys(etags))
	}
	return site.Rebuild(etags, added, textsOf(m.ChangedKeys.Elements()), textsOf(m.DeletedKeys.Elements()))
}

// requireRecord is loadRecord for what cannot be done without one.
func (m *directoryModel) requireRecord(ctx context.Context, private privateState) (*site.Record, diag.Diagnostics) {
	record, from, diags := m.loadRecord(ctx, private)
	if from == recordLost {
		diags.AddError("Record Lost", fmt.Sprintf("Terraform has lost the record of what was published as directory %s, because the provider was ended during an apply. Plan again with a refresh.", m.name()))
	}
	return record, diags
}

func saveRecord(ctx context.Context, private privateSetter, record *site.Record) (diags diag.Diagnostics) {
	text, err := record.MarshalJSON()
	if err != nil {
		diags.AddError("Private State Not Written", err.Error())
		return diags
	}
	return private.SetKey(ctx, recordKey, text)
}

// list returns every object under a prefix.
func (r *directory) list(ctx context.Context, bucket, prefix string) (map[string]kodo.Object, error) {
	found := map[string]kodo.Object{}
	for object, err := range r.provider.Client.Objects(ctx, bucket, kodo.ListOptions{Prefix: prefix}) {
		if err != nil {
			return nil, err
		}
		found[object.Key] = object
	}
	return found, nil
}

// asPlanned takes everything that was known in the plan.
func (m *directoryModel) asPlanned(plan *directoryModel) {
	facts := m.directoryFactsModel
	*m = *plan
	for _, fact := range []struct{ actual, planned *types.List }{
		{&facts.AddedKeys, &plan.AddedKeys}, {&facts.ChangedKeys, &plan.ChangedKeys}, {&facts.DeletedKeys, &plan.DeletedKeys}, {&facts.Preview, &plan.Preview},
	} {
		if !fact.planned.IsUnknown() {
			*fact.actual = *fact.planned
		}
	}
	for _, fact := range []struct{ actual, planned *types.Int64 }{
		{&facts.FileCount, &plan.FileCount}, {&facts.TotalSize, &plan.TotalSize},
		{&facts.AddedCount, &plan.AddedCount}, {&facts.ChangedCount, &plan.ChangedCount}, {&facts.DeletedCount, &plan.DeletedCount},
	} {
		if !fact.planned.IsUnknown() {
			*fact.actual = *fact.planned
		}
	}
	for _, fact := range []struct{ actual, planned *types.String }{{&facts.Digest, &plan.Digest}, {&facts.Revision, &plan.Revision}} {
		if !fact.planned.IsUnknown() {
			*fact.actual = *fact.planned
		}
	}
	if !plan.Files.IsUnknown() {
		facts.Files = plan.Files
	}
	m.directoryFactsModel = facts
}
