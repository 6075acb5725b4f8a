package datasources

import (
	"fmt"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/qiniu/terraform-provider-kodo/internal/kodo"
	"github.com/qiniu/terraform-provider-kodo/internal/tfkodo"
)

// This file is how the objects of kodo_objects become a value. There may be
// 100 000 of them, so each costs as little as the framework allows: decision 19.

// listedAttributes are what is told of each object.
func listedAttributes() map[string]schema.Attribute {
	attributes := objectFieldAttributes()
	attributes["key"] = schema.StringAttribute{MarkdownDescription: "Key of the object.", Computed: true}
	attributes["headers"] = schema.MapAttribute{
		MarkdownDescription: "Headers of downloads that are set for the object, by their names, such as `Cache-Control`.",
		ElementType:         types.StringType,
		Computed:            true,
	}
	attributes["metadata"] = schema.MapAttribute{
		MarkdownDescription: "Metadata of the object, by names without Kodo's prefix `x-qn-meta-`.",
		ElementType:         types.StringType,
		Computed:            true,
	}
	return attributes
}

// listedObject is an object as the schema has it. Its type is said, though it is
// the one that it would have: the framework otherwise makes it anew for each
// attribute of each object.
func listedObject() schema.NestedAttributeObject {
	return schema.NestedAttributeObject{Attributes: listedAttributes(), CustomType: types.ObjectType{AttrTypes: listedTypes()}}
}

func listedTypes() map[string]attr.Type {
	all := map[string]attr.Type{}
	for name, attribute := range listedAttributes() {
		all[name] = attribute.GetType()
	}
	return all
}

// A listing is the objects that were found, as values already: a struct for each
// would be taken apart by reflection, at twice the cost of all the rest.
type listing struct {
	types   map[string]attr.Type
	first   string // the key of the first object
	objects []attr.Value
}

func newListing() *listing { return &listing{types: listedTypes()} }

// add puts an object behind the others.
func (l *listing) add(o kodo.Object) {
	if len(l.objects) == 0 {
		l.first = o.Key
	}
	headers, metadata := map[string]string{}, map[string]string{}
	for name, value := range o.Metadata {
		if header, ok := strings.CutPrefix(name, tfkodo.HeaderMark); ok {
			headers[header] = value
		} else {
			metadata[name] = value
		}
	}
	f := fieldsOf(o)
	l.objects = append(l.objects, types.ObjectValueMust(l.types, map[string]attr.Value{
		"key": f.Key, "etag": f.ETag, "size": f.Size, "content_type": f.ContentType, "md5": f.MD5, "put_time": f.PutTime,
		"storage_class": f.StorageClass, "enabled": f.Enabled, "restore_status": f.RestoreStatus, "end_user": f.EndUser,
		"headers": textMap(headers), "metadata": textMap(metadata),
	}))
}

// list is the value, never null.
func (l *listing) list() types.List {
	return types.ListValueMust(types.ObjectType{AttrTypes: l.types}, l.objects)
}

// manyObjects is from where on a listing is more than a configuration should hold.
const manyObjects = 50_000

// warning is due where a configuration should not hold so many objects.
func (l *listing) warning(bucket, prefix string) string {
	return fmt.Sprintf("The listing of bucket %q has %d objects, which make every plan slow and the state large. "+
		"Narrow it, for example with prefix = %q, or set limit.", bucket, len(l.objects), narrower(prefix, l.first))
}

// narrower is a longer prefix that a key has: its next folder, or its next character.
func narrower(prefix, key string) string {
	rest := strings.TrimPrefix(key, prefix)
	if folder, _, ok := strings.Cut(rest, "/"); ok {
		return prefix + folder + "/"
	}
	for i := range rest {
		if i > 0 {
			return prefix + rest[:i]
		}
	}
	return key
}
