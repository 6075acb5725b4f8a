package resources

import (
	"fmt"
	"time"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/resource/identityschema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/booldefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringdefault"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/qiniu/terraform-provider-kodo/internal/kodo"
	"github.com/qiniu/terraform-provider-kodo/internal/tfkodo"
)

// This file is what every resource that is one object of a bucket has in common: where the object is, how it is
// guarded, and what Kodo says of it. How it is served and kept is in object_facets.go.

// objects is what kodo_object and kodo_object_copy do in the same way.
type objects struct {
	provider *tfkodo.Provider
}

// objectBase is the part of a model that each object has.
type objectBase struct {
	Bucket types.String `tfsdk:"bucket"`
	Key    types.String `tfsdk:"key"`
	Domain types.String `tfsdk:"domain"`

	objectFacets

	Overwrite      types.Bool     `tfsdk:"overwrite"`
	DeletionPolicy types.String   `tfsdk:"deletion_policy"`
	Timeouts       timeouts.Value `tfsdk:"timeouts"`

	objectFacts
}

// objectFacts are what Kodo says of an object, and where it can be had.
type objectFacts struct {
	ETag          types.String `tfsdk:"etag"`
	Size          types.Int64  `tfsdk:"size"`
	PutTime       types.String `tfsdk:"put_time"`
	MD5           types.String `tfsdk:"md5"`
	DeletesAt     types.String `tfsdk:"deletes_at"`
	RestoreStatus types.String `tfsdk:"restore_status"`
	URL           types.String `tfsdk:"url"`
}

type objectIdentity struct {
	Bucket types.String `tfsdk:"bucket"`
	Key    types.String `tfsdk:"key"`
}

func objectIdentitySchema() identityschema.Schema {
	return identityschema.Schema{
		Attributes: map[string]identityschema.Attribute{
			"bucket": identityschema.StringAttribute{Description: "Bucket that holds the object.", RequiredForImport: true},
			"key":    identityschema.StringAttribute{Description: "Key of the object.", RequiredForImport: true},
		},
	}
}

// What becomes of the object when its resource is destroyed.
const (
	deletionDelete  = "DELETE"
	deletionAbandon = "ABANDON"
	deletionPrevent = "PREVENT"
)

// placeAttributes say where the object is.
func placeAttributes() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"bucket": schema.StringAttribute{
			MarkdownDescription: "Bucket that holds the object. Defaults to the provider's `bucket`, and is recorded when the object is created: a later change of the provider's moves nothing. " +
				"Another bucket of the same region moves the object in place, inside Kodo; a bucket of another region replaces it.",
			Optional:   true,
			Computed:   true,
			Validators: []validator.String{tfkodo.BucketName()},
		},
		"key": schema.StringAttribute{
			MarkdownDescription: fmt.Sprintf("Key (name) of the object in the bucket, kept byte for byte: at most %d bytes of UTF-8, such as `css/site.css`. "+
				"Another key moves the object in place, inside Kodo, unless there is an object of that key already and `overwrite` is `false`.", kodo.MaxKey),
			Required:   true,
			Validators: []validator.String{tfkodo.ObjectKey()},
		},
		"domain": schema.StringAttribute{
			MarkdownDescription: "Download domain for `url`, as `host[:port]` or with `http://` or `https://` in front, such as `kodo_bucket.site.domains[0]`. " +
				"Defaults to the provider's `domain` for objects of the provider's `bucket`. Changes in place, without a request.",
			Optional:   true,
			Validators: []validator.String{tfkodo.Domain()},
		},
	}
}

// guardAttributes say which objects are not touched.
func guardAttributes() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"overwrite": schema.BoolAttribute{
			MarkdownDescription: "Whether creating or moving this object may replace an object with other content that is there already. Defaults to `false`: it is refused, also when the object appears at the last moment. " +
				"An object with the same content is adopted without a transfer when the resource is created; destroying the resource later deletes it. Changes in place, without a request.",
			Optional: true,
			Computed: true,
			Default:  booldefault.StaticBool(false),
		},
		"deletion_policy": schema.StringAttribute{
			MarkdownDescription: "What becomes of the object when the resource is destroyed or replaced: `DELETE` (the default) deletes it, `ABANDON` leaves it in the bucket, " +
				"`PREVENT` refuses to destroy or replace the resource. What counts is the policy in the state, so a change of it takes an apply of its own first. Changes in place, without a request.",
			Optional:   true,
			Computed:   true,
			Default:    stringdefault.StaticString(deletionDelete),
			Validators: []validator.String{stringvalidator.OneOf(deletionDelete, deletionAbandon, deletionPrevent)},
		},
	}
}

// factAttributes are what Kodo says of the object.
func factAttributes() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"size": schema.Int64Attribute{
			MarkdownDescription: "Size of the content in bytes.",
			Computed:            true,
		},
		"put_time": schema.StringAttribute{
			MarkdownDescription: "When Kodo stored the object, as an RFC 3339 instant in UTC with seven decimals. It changes with each upload; " +
				"updates and deletes compare it first, so that what somebody else wrote since is not lost.",
			Computed: true,
		},
		"md5": schema.StringAttribute{
			MarkdownDescription: "MD5 of the content in hexadecimal, where Kodo knows it: mostly for objects of up to 4 MiB. Null otherwise.",
			Computed:            true,
		},
		"deletes_at": schema.StringAttribute{
			MarkdownDescription: "When Kodo deletes the object by itself, as an RFC 3339 instant in UTC. Null if it does not.",
			Computed:            true,
		},
		"restore_status": schema.StringAttribute{
			MarkdownDescription: "How far restoring the object from an archive is: `RESTORING`, or `RESTORED` while it can be read. Null otherwise.",
			Computed:            true,
		},
		"url": schema.StringAttribute{
			MarkdownDescription: "Download URL at `domain`, unsigned: in a private bucket it needs a signature. Null without a domain.",
			Computed:            true,
		},
	}
}

// fill takes what Kodo says of the object, apart from its metadata: whose keys count is the resource's to say.
func (m *objectBase) fill(found kodo.Object) {
	m.objectFacets.fill(found)
	m.ETag = types.StringValue(found.ETag)
	m.Size = types.Int64Value(found.Size)
	m.PutTime = types.StringValue(found.PutTime.String())
	m.MD5 = known(found.MD5)
	m.DeletesAt = types.StringNull()
	if !found.Expires.IsZero() {
		m.DeletesAt = types.StringValue(found.Expires.Format(time.RFC3339))
	}
	m.RestoreStatus = known(found.Restore.String())
}

// known is a text that Kodo may not have: "" is null.
func known(text string) types.String {
	if text == "" {
		return types.StringNull()
	}
	return types.StringValue(text)
}

// identity is what tells the object from all others.
func (m *objectBase) identity() objectIdentity {
	return objectIdentity{Bucket: m.Bucket, Key: m.Key}
}

// putTime is 0 where the state has none.
func (m *objectBase) putTime() kodo.PutTime {
	t, err := kodo.ParsePutTime(m.PutTime.ValueString())
	if err != nil {
		return 0
	}
	return t
}

// name is the object as messages call it.
func (m *objectBase) name() string {
	return fmt.Sprintf("%q in bucket %q", m.Key.ValueString(), m.Bucket.ValueString())
}
