package resources

import (
	"context"
	"fmt"
	"maps"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework-validators/listvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/setvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/booldefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/listdefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringdefault"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/qiniu/terraform-provider-kodo/internal/kodo"
	"github.com/qiniu/terraform-provider-kodo/internal/site"
	"github.com/qiniu/terraform-provider-kodo/internal/tfkodo"
)

// This file is the schema of kodo_directory.

// The words of its arguments.
const (
	symlinksFollow = "FOLLOW"
	symlinksSkip   = "SKIP"
	symlinksError  = "ERROR"

	deleteManaged = "MANAGED"
	deleteAll     = "ALL"
	deleteNone    = "NONE"

	trackFiles  = "FILES"
	trackDigest = "DIGEST"
)

const (
	// mostListed is how many keys of one kind are told where the files are not tracked one by one.
	mostListed = 1000
	// previewed is how many changes the preview names.
	previewed = 20
)

// uploadLast are by default the files that a visitor, or a browser on its own, asks for first.
func uploadLast() types.List {
	return texts([]string{"**/*.webmanifest", "**/manifest.json", "**/*.html", "**/*.htm", "**/sw.js", "**/service-worker.js"})
}

// texts is a list of strings.
func texts(of []string) types.List {
	elements := make([]attr.Value, len(of))
	for i, text := range of {
		elements[i] = types.StringValue(text)
	}
	return types.ListValueMust(types.StringType, elements)
}

func directoryAttributes(ctx context.Context) map[string]schema.Attribute {
	all := map[string]schema.Attribute{"timeouts": timeoutsAttribute(ctx)}
	for _, more := range []map[string]schema.Attribute{
		directoryPlace(), directorySelection(), directoryGuards(), directoryFacts(), directoryChanges(),
	} {
		maps.Copy(all, more)
	}
	return all
}

// directoryPlace says where the objects are.
func directoryPlace() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"bucket": schema.StringAttribute{
			MarkdownDescription: "Bucket that holds the objects. Defaults to the provider's `bucket`, and is recorded when the resource is created: a later change of the provider's moves nothing. Another bucket replaces the resource.",
			Optional:            true,
			Computed:            true,
			Validators:          []validator.String{tfkodo.BucketName()},
		},
		"prefix": schema.StringAttribute{
			MarkdownDescription: "What the keys of all objects begin with, such as `docs/`: the file `css/site.css` then has the key `docs/css/site.css`. It ends in a slash. Defaults to `\"\"`, for keys that are the files' names. " +
				"Another prefix replaces the resource; with `deletion_policy = \"ABANDON\"` the objects of the old one stay.",
			Optional:   true,
			Computed:   true,
			Default:    stringdefault.StaticString(""),
			Validators: []validator.String{tfkodo.StringRule(`must be empty or end in a slash, and be UTF-8 of at most 750 bytes, for example "docs/"`, site.CheckPrefix)},
		},
		"domain": schema.StringAttribute{
			MarkdownDescription: "Download domain for `url`, as `host[:port]` or with `http://` or `https://` in front, such as `kodo_bucket.site.domains[0]`. " +
				"Defaults to the provider's `domain` for the provider's `bucket`. Changes in place, without a request.",
			Optional:   true,
			Validators: []validator.String{tfkodo.Domain()},
		},
		"url": schema.StringAttribute{
			MarkdownDescription: "Download URL of the prefix at `domain`, unsigned. Null without a domain.",
			Computed:            true,
		},
	}
}

// patterns accepts names below the directory.
func patterns() validator.String {
	return tfkodo.StringRule(`must be a pattern of names below source_dir, with slashes on every system, where * stands for anything but a slash and ** for anything, for example "**/*.map" or "drafts/**"`, site.CheckPattern)
}

// directorySelection says which files are published, and in what order.
func directorySelection() map[string]schema.Attribute {
	const names = "Patterns of names relative to `source_dir`, with `/` on every system: `*` stands for anything but a slash, `**` for any number of folders, `{a,b}` for one of several. "
	return map[string]schema.Attribute{
		"source_dir": schema.StringAttribute{
			MarkdownDescription: "Local directory with the files; a leading `~/` is the home folder. It is read in each plan and each apply, never by a refresh or a destroy. A directory that is not there yet when the plan is made, because the same apply makes it, is planned with everything unknown and a warning. " +
				"Names are kept byte for byte, case included, and must be UTF-8. Empty folders leave no trace. What is neither a file nor a folder, cannot be read, or is a symbolic link that leads nowhere or back to a folder above it, is refused unless it is excluded. Changes in place: only what the files hold matters.",
			Optional:   true,
			Validators: []validator.String{stringvalidator.LengthAtLeast(1)},
		},
		"source_hash": schema.StringAttribute{
			MarkdownDescription: "Any text that changes when the directory does, for one that is made during the apply: the plan then does not read it. Pass it from what makes the directory, such as `terraform_data.build.id`. " +
				"Another value compares and publishes the directory in the apply. Changes in place.",
			Optional:   true,
			Validators: []validator.String{stringvalidator.LengthAtLeast(1), stringvalidator.AlsoRequires(sourceDirPath)},
		},
		"include": schema.SetAttribute{
			MarkdownDescription: names + "Files that match one of them are published; by default all are. Changes in place.",
			ElementType:         types.StringType,
			Optional:            true,
			Validators:          []validator.Set{setvalidator.SizeAtLeast(1), setvalidator.ValueStringsAre(patterns())},
		},
		"exclude": schema.SetAttribute{
			MarkdownDescription: names + "Files that match one of them, or are in a folder that does, are not published. Changes in place.",
			ElementType:         types.StringType,
			Optional:            true,
			Validators:          []validator.Set{setvalidator.ValueStringsAre(patterns())},
		},
		"include_hidden": schema.BoolAttribute{
			MarkdownDescription: "Whether files and folders whose names begin with a dot are published, such as `.git` and `.env`. Defaults to `false`; `.well-known` is published in any case. Changes in place.",
			Optional:            true,
			Computed:            true,
			Default:             booldefault.StaticBool(false),
		},
		"symlinks": schema.StringAttribute{
			MarkdownDescription: "What becomes of symbolic links: `FOLLOW` (the default) publishes what they lead to under the name of the link, `SKIP` leaves them out, `ERROR` refuses them. Changes in place.",
			Optional:            true,
			Computed:            true,
			Default:             stringdefault.StaticString(symlinksFollow),
			Validators:          []validator.String{stringvalidator.OneOf(symlinksFollow, symlinksSkip, symlinksError)},
		},
		"upload_last": schema.ListAttribute{
			MarkdownDescription: names + "Files that match are sent after all others have arrived, those of the first pattern first; where several match the last one counts. If anything before them fails, they are not sent: nobody gets a page whose assets are not there yet. " +
				"Defaults to web manifests, then `**/*.html` and `**/*.htm`, then `**/sw.js` and `**/service-worker.js`. Changes in place, without a request.",
			ElementType: types.StringType,
			Optional:    true,
			Computed:    true,
			Default:     listdefault.StaticValue(uploadLast()),
			Validators:  []validator.List{listvalidator.ValueStringsAre(patterns())},
		},
	}
}

// directoryRules say how files are served and kept.
func directoryRules() schema.Block {
	attributes := headerAttributes(false)
	attributes["pattern"] = schema.StringAttribute{
		MarkdownDescription: "Which files the rule is for: a pattern of names relative to `source_dir`, such as `assets/**` or `**/*.{woff,woff2}`.",
		Required:            true,
		Validators:          []validator.String{patterns()},
	}
	attributes["content_type"] = schema.StringAttribute{
		MarkdownDescription: fmt.Sprintf("Media type that downloads are answered with. Where no rule says one, it is that of the key's extension for a new file, `%s` if that says nothing, and stays what it is for others.", kodo.DefaultContentType),
		Optional:            true,
		Validators:          []validator.String{tfkodo.ContentType()},
	}
	attributes["storage_class"] = schema.StringAttribute{
		MarkdownDescription: "Storage class: `" + strings.Join(kodo.StorageClasses(), "`, `") + "`. Where no rule says one, a new file is `STANDARD`, and others stay what they are.",
		Optional:            true,
		Validators:          []validator.String{stringvalidator.OneOf(kodo.StorageClasses()...)},
	}
	attributes["metadata"] = schema.MapAttribute{
		MarkdownDescription: fmt.Sprintf("Metadata of your own, which downloads carry as `x-qn-meta-…` headers. Rules add to each other, name by name. Names and values, with those of the headers, have at most %d bytes together for one file.", kodo.MaxMetadata),
		ElementType:         types.StringType,
		Optional:            true,
		Validators:          []validator.Map{tfkodo.Metadata()},
	}
	return schema.ListNestedBlock{
		MarkdownDescription: "How files are served and kept. Rules are merged in their order: where several say the same of a file, the last one wins. A file whose object in Kodo has other headers, content type or storage class than its rules say is shown as changed; " +
			"what no rule says is left as it is. Changes are made in place, without sending the bytes; only taking a header or a name of `metadata` away sends them again, because Kodo has no other way.",
		NestedObject: schema.NestedBlockObject{Attributes: attributes},
	}
}

// directoryGuards say which objects are not touched.
func directoryGuards() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"overwrite": schema.BoolAttribute{
			MarkdownDescription: "Whether a new file may replace an object with other content that somebody else has put under its key. Defaults to `false`: the plan names all such objects and refuses them, and an object that appears at the last moment is refused too. " +
				"An object with the same content is adopted without a transfer; destroying the resource later deletes it. Changes in place, without a request.",
			Optional: true,
			Computed: true,
			Default:  booldefault.StaticBool(false),
		},
		"delete": schema.StringAttribute{
			MarkdownDescription: "What becomes of objects whose files are not in the directory: `MANAGED` (the default) deletes those that were published from here, `ALL` deletes every object under `prefix` whoever put it there, `NONE` leaves them in the bucket, where they are no longer managed. Changes in place.",
			Optional:            true,
			Computed:            true,
			Default:             stringdefault.StaticString(deleteManaged),
			Validators:          []validator.String{stringvalidator.OneOf(deleteManaged, deleteAll, deleteNone)},
		},
		"delete_whole_bucket": schema.BoolAttribute{
			MarkdownDescription: "Confirms that `delete = \"ALL\"` is meant for the whole bucket, which it is where `prefix` is empty. Defaults to `false`. Changes in place, without a request.",
			Optional:            true,
			Computed:            true,
			Default:             booldefault.StaticBool(false),
		},
		"retain_removed_days": schema.Int64Attribute{
			MarkdownDescription: "After how many days Kodo deletes the objects of removed files by itself, at least 1, so that visitors of older pages still get what those need. By default they are deleted in the apply. Changes in place, for what is removed from then on.",
			Optional:            true,
			Validators:          []validator.Int64{int64validator.AtLeast(1)},
		},
		"deletion_policy": schema.StringAttribute{
			MarkdownDescription: "What becomes of the objects when the resource is destroyed or replaced: `DELETE` (the default) deletes them, `ABANDON` leaves them in the bucket, " +
				"`PREVENT` refuses to destroy or replace the resource. What counts is the policy in the state, so a change of it takes an apply of its own first. Changes in place, without a request.",
			Optional:   true,
			Computed:   true,
			Default:    stringdefault.StaticString(deletionDelete),
			Validators: []validator.String{stringvalidator.OneOf(deletionDelete, deletionAbandon, deletionPrevent)},
		},
		"track": schema.StringAttribute{
			MarkdownDescription: fmt.Sprintf("`FILES` (the default) shows each file in `files`. `DIGEST` keeps them out of the plan and the visible state, for directories of more than some 20 000 files, whose plans nobody can read and Terraform is slow at: "+
				"then the plan shows `digest`, the counts and a `preview` of %d names, and a list of more than %d keys is null. Changes in place, without a request.", previewed, mostListed),
			Optional:   true,
			Computed:   true,
			Default:    stringdefault.StaticString(trackFiles),
			Validators: []validator.String{stringvalidator.OneOf(trackFiles, trackDigest)},
		},
	}
}

// directoryFacts say what is published.
func directoryFacts() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		// A map of strings to Terraform, which package provider packs: the framework is slow at large ones.
		"files": schema.StringAttribute{
			MarkdownDescription: "Kodo's hash (qetag) of each object, by key. Null with `track = \"DIGEST\"`.",
			Computed:            true,
		},
		"digest": schema.StringAttribute{
			MarkdownDescription: "SHA-256 over all keys, hashes, content types, storage classes and metadata, in hexadecimal: it changes when any of them does.",
			Computed:            true,
		},
		"file_count": schema.Int64Attribute{MarkdownDescription: "Number of objects.", Computed: true},
		"total_size": schema.Int64Attribute{MarkdownDescription: "Size of all objects in bytes.", Computed: true},
	}
}

// directoryChanges say what the last apply that succeeded has changed.
func directoryChanges() map[string]schema.Attribute {
	changes := map[string]schema.Attribute{
		"revision": schema.StringAttribute{
			MarkdownDescription: "Text that is another one after each apply that changed anything, such as `2026-11-26T08:15:30.123456789Z`. As a trigger it tells that something changed also if it is the same keys twice in a row.",
			Computed:            true,
		},
		"complete": schema.BoolAttribute{
			MarkdownDescription: "Whether the last apply has done everything. After one that has not, the next one does the rest.",
			Computed:            true,
		},
		"preview": schema.ListAttribute{
			MarkdownDescription: fmt.Sprintf("With `track = \"DIGEST\"` the first %d changes, such as `+ css/site.css`, `~ index.html` and `- old.html`. Null otherwise.", previewed),
			ElementType:         types.StringType,
			Computed:            true,
		},
	}
	for kind, says := range map[string]string{
		"added":   "new files; of a first publication none, because `files` has them all",
		"changed": "files that were there before and have other content, headers or another storage class since",
		"deleted": "objects that are no longer there, or expire by `retain_removed_days`, because their files were removed",
	} {
		changes[kind+"_keys"] = schema.ListAttribute{
			MarkdownDescription: fmt.Sprintf("Keys of %s. They are in order and known in the plan, add up over applies that fail, and stay until the next apply that changes anything. With `track = \"DIGEST\"` null if there are more than %d.", says, mostListed),
			ElementType:         types.StringType,
			Computed:            true,
		}
		changes[kind+"_count"] = schema.Int64Attribute{
			MarkdownDescription: fmt.Sprintf("How many keys are %s, also where `%[1]s_keys` does not list them.", kind),
			Computed:            true,
		}
	}
	return changes
}
