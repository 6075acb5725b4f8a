package datasources

import (
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/qiniu/terraform-provider-kodo/internal/kodo"
)

// objectFields is what kodo_object and kodo_objects both tell of an object under
// the same names: all that a listing knows, but for the metadata.
type objectFields struct {
	Key           types.String `tfsdk:"key"`
	ETag          types.String `tfsdk:"etag"`
	Size          types.Int64  `tfsdk:"size"`
	ContentType   types.String `tfsdk:"content_type"`
	MD5           types.String `tfsdk:"md5"`
	PutTime       types.String `tfsdk:"put_time"`
	StorageClass  types.String `tfsdk:"storage_class"`
	Enabled       types.Bool   `tfsdk:"enabled"`
	RestoreStatus types.String `tfsdk:"restore_status"`
	EndUser       types.String `tfsdk:"end_user"`
}

// objectFieldAttributes are the attributes of objectFields but for the key.
func objectFieldAttributes() map[string]schema.Attribute {
	text := func(description string) schema.Attribute {
		return schema.StringAttribute{MarkdownDescription: description, Computed: true}
	}
	return map[string]schema.Attribute{
		"etag":           text("Kodo's hash of the content (qetag)."),
		"size":           schema.Int64Attribute{MarkdownDescription: "Size of the content in bytes.", Computed: true},
		"content_type":   text("Media type that downloads are answered with."),
		"md5":            text("MD5 of the content in hexadecimal. Null where Kodo does not know it, as for most uploads in parts."),
		"put_time":       text("When the content was stored, as an RFC 3339 instant in UTC with seven decimals."),
		"storage_class":  text("Storage class: one of `" + strings.Join(kodo.StorageClasses(), "`, `") + "`, or the number of one that this provider does not know."),
		"enabled":        schema.BoolAttribute{MarkdownDescription: "Whether the object can be downloaded without a signature.", Computed: true},
		"restore_status": text("`RESTORING` while an object in an archive is restored, `RESTORED` while it can be read; otherwise null."),
		"end_user":       text("Whom the token of the upload named as its user; null if nobody."),
	}
}

// fieldsOf is what Kodo says of an object.
func fieldsOf(o kodo.Object) objectFields {
	return objectFields{
		Key: types.StringValue(o.Key), ETag: types.StringValue(o.ETag), Size: types.Int64Value(o.Size),
		ContentType: types.StringValue(o.ContentType), MD5: textOrNull(o.MD5), PutTime: types.StringValue(o.PutTime.String()),
		StorageClass: types.StringValue(o.StorageClass.String()), Enabled: types.BoolValue(!o.Disabled),
		RestoreStatus: textOrNull(o.Restore.String()), EndUser: textOrNull(o.EndUser),
	}
}

// textOrNull is null for what Kodo leaves empty.
func textOrNull(s string) types.String {
	if s == "" {
		return types.StringNull()
	}
	return types.StringValue(s)
}

// instantOrNull is null for what Kodo leaves unset.
func instantOrNull(t time.Time) types.String {
	if t.IsZero() {
		return types.StringNull()
	}
	return types.StringValue(t.UTC().Format(time.RFC3339))
}

// textMap is a map of texts, never null.
func textMap(texts map[string]string) types.Map {
	values := make(map[string]attr.Value, len(texts))
	for name, text := range texts {
		values[name] = types.StringValue(text)
	}
	return types.MapValueMust(types.StringType, values)
}

// textList is a list of texts, never null.
func textList(texts []string) types.List {
	values := make([]attr.Value, len(texts))
	for i, text := range texts {
		values[i] = types.StringValue(text)
	}
	return types.ListValueMust(types.StringType, values)
}
