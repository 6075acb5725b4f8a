package resources

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/booldefault"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/qiniu/terraform-provider-kodo/internal/kodo"
	"github.com/qiniu/terraform-provider-kodo/internal/tfkodo"
)

// This file is how an object is served and kept, beside its bytes: what can change in place, each facet by one request
// of its own.

// objectFacets is the part of a model that says how the object is served and kept.
type objectFacets struct {
	tfkodo.Headers

	ContentType     types.String `tfsdk:"content_type"`
	Metadata        types.Map    `tfsdk:"metadata"`
	StorageClass    types.String `tfsdk:"storage_class"`
	DeleteAfterDays types.Int64  `tfsdk:"delete_after_days"`
	Transition      types.Object `tfsdk:"transition"`
	Enabled         types.Bool   `tfsdk:"enabled"`
}

// headerAttributes are the arguments of headers. In a copy those that are not set are the source's.
func headerAttributes(inherited bool) map[string]schema.Attribute {
	attributes := map[string]schema.Attribute{}
	for name, text := range map[string]string{
		"cache_control":       "`Cache-Control` of downloads, such as `public, max-age=3600`.",
		"content_disposition": "`Content-Disposition` of downloads, such as `attachment; filename=\"report.pdf\"`.",
		"content_encoding":    "`Content-Encoding` of downloads, such as `gzip`, for bytes that are compressed already.",
		"content_language":    "`Content-Language` of downloads, such as `zh-CN`.",
		"expires":             "`Expires` of downloads, an HTTP date such as `Wed, 21 Oct 2026 07:28:00 GMT`.",
	} {
		text += " A change is made in place, without sending the bytes"
		if inherited {
			text += ". Defaults to the source's."
		} else {
			text += "; taking it away sends them again, because Kodo has no other way."
		}
		attributes[name] = schema.StringAttribute{
			MarkdownDescription: text, Optional: true, Computed: inherited,
			Validators: []validator.String{tfkodo.HeaderValue()},
		}
	}
	return attributes
}

// keptAttributes say how Kodo keeps the object.
func keptAttributes() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"storage_class": schema.StringAttribute{
			MarkdownDescription: "Storage class: `" + strings.Join(kodo.StorageClasses(), "`, `") + "`. Where it is not set, a new object is `STANDARD`, a copy is of its source's class, and what Kodo makes of it later is accepted. " +
				"Changes in place, without sending the bytes. An object in `ARCHIVE` or `DEEP_ARCHIVE` is frozen: it cannot be moved, and its class, content type and metadata cannot change, until it is restored.",
			Optional: true, Computed: true,
			Validators: []validator.String{stringvalidator.OneOf(kodo.StorageClasses()...)},
		},
		"delete_after_days": schema.Int64Attribute{
			MarkdownDescription: "After how many days Kodo deletes the object by itself, at least 1; `deletes_at` says when. Kodo counts from the upload, and after a change here from that change. Never by default. Changes in place, without sending the bytes.",
			Optional:            true,
			Validators:          []validator.Int64{int64validator.AtLeast(1)},
		},
		"transition": schema.SingleNestedAttribute{
			MarkdownDescription: "After how many days Kodo moves the object to colder storage classes by itself. Never by default. Colder classes need more days, and `delete_after_days` needs the most. Changes in place, without sending the bytes.",
			Optional:            true,
			Attributes:          transitionAttributes(),
		},
		"enabled": schema.BoolAttribute{
			MarkdownDescription: "Whether the object can be downloaded. Defaults to `true`. A disabled object can only be had with a signature. Changes in place, without sending the bytes.",
			Optional:            true,
			Computed:            true,
			Default:             booldefault.StaticBool(true),
		},
	}
}

// transitions are the arguments in transition, and the class that each leads to.
func transitions() map[string]kodo.StorageClass {
	return map[string]kodo.StorageClass{
		"ia_days":                  kodo.InfrequentAccess,
		"intelligent_tiering_days": kodo.IntelligentTiering,
		"archive_ir_days":          kodo.ArchiveInstantRetrieval,
		"archive_days":             kodo.Archive,
		"deep_archive_days":        kodo.DeepArchive,
	}
}

func transitionAttributes() map[string]schema.Attribute {
	attributes := map[string]schema.Attribute{}
	for name, class := range transitions() {
		attributes[name] = schema.Int64Attribute{
			MarkdownDescription: fmt.Sprintf("Days until the object becomes `%s`, at least 1.", class),
			Optional:            true,
			Validators:          []validator.Int64{int64validator.AtLeast(1)},
		}
	}
	return attributes
}

// transitionTypes is the type of transition.
func transitionTypes() map[string]attr.Type {
	all := map[string]attr.Type{}
	for name := range transitions() {
		all[name] = types.Int64Type
	}
	return all
}

// fill takes how Kodo serves and keeps the object, apart from the metadata that are no headers.
func (f *objectFacets) fill(found kodo.Object) {
	f.ContentType = types.StringValue(found.ContentType)
	f.StorageClass = types.StringValue(found.StorageClass.String())
	f.Enabled = types.BoolValue(!found.Disabled)
	if found.Expires.IsZero() { // somebody cancelled it, or it never was
		f.DeleteAfterDays = types.Int64Null()
	}
	f.Transition = f.standing(found)
	f.Take(found.Metadata)
}

// standing is transition without what somebody has cancelled.
func (f *objectFacets) standing(found kodo.Object) types.Object {
	if f.Transition.IsNull() || f.Transition.IsUnknown() {
		return f.Transition
	}
	days := f.Transition.Attributes() // a copy
	for argument, class := range transitions() {
		if !found.Follows(class) {
			days[argument] = types.Int64Null()
		}
	}
	return types.ObjectValueMust(transitionTypes(), days)
}

// userMetadata is the part of Kodo's metadata that are no headers.
func userMetadata(all map[string]string) map[string]attr.Value {
	user := map[string]attr.Value{}
	for name, value := range all {
		if !strings.HasPrefix(name, tfkodo.HeaderMark) {
			user[name] = types.StringValue(value)
		}
	}
	return user
}

// metadata is what Kodo is to keep: the headers, and the user's own.
func (f *objectFacets) metadata() map[string]string {
	all := map[string]string{}
	for name, value := range f.Metadata.Elements() {
		if text, ok := value.(types.String); ok && !text.IsNull() && !text.IsUnknown() {
			all[name] = text.ValueString()
		}
	}
	for _, h := range f.All() {
		if !h.Value.IsNull() && !h.Value.IsUnknown() {
			all[h.Name] = h.Value.ValueString()
		}
	}
	return all
}

// storageClass is the planned class; STANDARD where the plan has none.
func (f *objectFacets) storageClass() kodo.StorageClass {
	class, err := kodo.ParseStorageClass(f.StorageClass.ValueString())
	if err != nil {
		return kodo.Standard
	}
	return class
}

// days is the transition to a class: null, unknown or a number.
func (f *objectFacets) days(argument string) types.Int64 {
	switch days, ok := f.Transition.Attributes()[argument].(types.Int64); {
	case f.Transition.IsUnknown():
		return types.Int64Unknown()
	case ok:
		return days
	default:
		return types.Int64Null()
	}
}

// lifecycle is what has to be asked for so that a lifecycle as before becomes this one.
func (f *objectFacets) lifecycle(before objectFacets) kodo.Lifecycle {
	l := kodo.Lifecycle{Delete: daysFrom(before.DeleteAfterDays, f.DeleteAfterDays), To: map[kodo.StorageClass]int{}}
	for argument, class := range transitions() {
		days := daysFrom(before.days(argument), f.days(argument))
		if f.begins(argument, before) {
			days = daysOrCancel(f.days(argument))
		}
		if days != 0 {
			l.To[class] = days
		}
	}
	return l
}

// begins reports whether a transition has to be asked for anew, because the object becomes warmer again than where it
// leads: whether it stands does not show in an object that is as cold as that.
func (f *objectFacets) begins(argument string, before objectFacets) bool {
	class, days := transitions()[argument], f.days(argument)
	return !days.IsNull() && !days.IsUnknown() && before.storageClass().Reaches(class) && !f.storageClass().Reaches(class)
}

// lifecycleOn is what has to be asked for so that an object has this lifecycle, and nothing of what it has by now.
func (f *objectFacets) lifecycleOn(found kodo.Object) kodo.Lifecycle {
	l := f.lifecycle(objectFacets{})
	if f.DeleteAfterDays.IsNull() && !found.Expires.IsZero() {
		l.Delete = kodo.Cancel
	}
	for class := range found.Transitions {
		if l.To[class] == 0 {
			l.To[class] = kodo.Cancel
		}
	}
	return l
}

// daysFrom is 0 for what stays as it is.
func daysFrom(before, after types.Int64) int {
	if before.Equal(after) {
		return 0
	}
	return daysOrCancel(after)
}

func daysOrCancel(days types.Int64) int {
	if days.IsNull() {
		return kodo.Cancel
	}
	return int(days.ValueInt64())
}

// validate judges what only several arguments together can break.
func (f *objectFacets) validate() (diags diag.Diagnostics) {
	if err := kodo.CheckMetadata(f.metadata()); err != nil && f.validAlone() {
		diags.AddAttributeError(path.Root("metadata"), "Metadata Not Accepted", fmt.Sprintf("Kodo does not accept the metadata and header arguments together: %s.", err))
	}
	if err := f.lifecycle(objectFacets{}).Check(); err != nil {
		diags.AddAttributeError(path.Root("transition"), "Lifecycle Not Accepted", fmt.Sprintf("Kodo does not accept transition and delete_after_days together: %s. "+
			"Accepted is, for example, transition = { ia_days = 30, archive_days = 90 } with delete_after_days = 365.", err))
	}
	return diags
}

// validAlone reports whether headers and metadata are each accepted, which their own validators say.
func (f *objectFacets) validAlone() bool {
	for _, h := range f.All() {
		if !h.Value.IsNull() && !h.Value.IsUnknown() && kodo.CheckHeaderValue(h.Value.ValueString()) != nil {
			return false
		}
	}
	own := objectFacets{Metadata: f.Metadata}
	return kodo.CheckMetadata(own.metadata()) == nil
}

// A difference says which facets of an object change, or may turn out to.
type difference struct {
	metadata, class, lifecycle, enabled bool
	// removed names the arguments and the keys of metadata that are to be there no more.
	removed []string
	// perhapsRemoved says that the metadata are not known yet.
	perhapsRemoved bool
}

// everyFacet is the difference from an object of which nothing is known.
func everyFacet() difference {
	return difference{metadata: true, class: true, lifecycle: true, enabled: true}
}

func (d difference) any() bool {
	return d.metadata || d.class || d.lifecycle || d.enabled || len(d.removed) > 0
}

// differenceFrom compares with how the object was.
func (f *objectFacets) differenceFrom(before objectFacets) difference {
	d := difference{
		metadata:       !f.ContentType.Equal(before.ContentType),
		class:          !f.StorageClass.Equal(before.StorageClass),
		lifecycle:      !f.DeleteAfterDays.Equal(before.DeleteAfterDays),
		enabled:        !f.Enabled.Equal(before.Enabled),
		perhapsRemoved: f.Metadata.IsUnknown() && len(before.Metadata.Elements()) > 0,
	}
	for argument := range transitions() {
		d.lifecycle = d.lifecycle || !f.days(argument).Equal(before.days(argument)) || f.begins(argument, before)
	}
	had := before.All()
	for i, h := range f.All() {
		switch {
		case h.Value.Equal(*had[i].Value):
		case h.Value.IsNull():
			d.removed = append(d.removed, h.Argument)
		default:
			d.metadata = true
			d.perhapsRemoved = d.perhapsRemoved || h.Value.IsUnknown() && !had[i].Value.IsNull()
		}
	}
	if f.Metadata.IsUnknown() {
		d.metadata = true
		return d
	}
	was, is := before.Metadata.Elements(), f.Metadata.Elements()
	for _, key := range slices.Sorted(maps.Keys(was)) {
		if _, ok := is[key]; !ok {
			d.removed = append(d.removed, fmt.Sprintf("metadata[%q]", key))
		}
	}
	for key, value := range is {
		d.metadata = d.metadata || !value.Equal(was[key])
	}
	return d
}

// changes are the requests that make the object as this model says. What is there no more goes with the bytes.
func (f *objectFacets) changes(d difference, lifecycle kodo.Lifecycle) (changes []kodo.Change) {
	if d.metadata {
		changes = append(changes, kodo.SetMetadata(f.ContentType.ValueString(), f.metadata()))
	}
	if d.lifecycle {
		changes = append(changes, kodo.SetLifecycle(lifecycle))
	}
	if d.class { // after what a frozen object does not allow
		changes = append(changes, kodo.SetStorageClass(f.storageClass()))
	}
	if d.enabled {
		changes = append(changes, kodo.SetEnabled(f.Enabled.ValueBool()))
	}
	return changes
}

// isAsIn reports whether an object is served and kept as this model says, as far as Kodo tells.
func (f *objectFacets) isAsIn(found kodo.Object) bool {
	return f.isStoredAs(found) && f.Enabled.ValueBool() == !found.Disabled
}

// isStoredAs reports whether an object has all that Kodo does not change where it is frozen.
func (f *objectFacets) isStoredAs(found kodo.Object) bool {
	for name, value := range f.metadata() {
		if have, ok := found.Metadata[name]; !ok || have != value {
			return false
		}
	}
	return f.ContentType.ValueString() == found.ContentType && f.storageClass() == found.StorageClass
}

// refuseFrozen refuses changes of an object that Kodo does not make in an archive. New bytes would bring them along, and
// metadata that are taken away mean new bytes.
func (m *objectBase) refuseFrozen(d difference) (diags diag.Diagnostics) {
	if m.frozen() && (d.metadata || d.class) && len(d.removed) == 0 {
		diags.AddError(summaryObjectFrozen, fmt.Sprintf("Object %s is frozen in the storage class %s, where Kodo changes neither class, content type nor metadata. %s Then plan again. "+
			"To store it anew instead, run `terraform taint` with its address, and apply: Kodo may charge the rest of the archive's minimum storage time.",
			m.name(), m.StorageClass.ValueString(), thaw(m.RestoreStatus.ValueString())))
	}
	return diags
}

// warnOfDisabled says that an object is stored enabled and disabled a moment later.
func (m *objectBase) warnOfDisabled() (diags diag.Diagnostics) {
	if !m.Enabled.IsUnknown() && !m.Enabled.ValueBool() {
		diags.AddAttributeWarning(path.Root("enabled"), "Enabled For A Moment", fmt.Sprintf("Object %s is to be disabled. Kodo stores objects enabled, so it can be downloaded for a moment until the request that disables it.", m.name()))
	}
	return diags
}
