package resources

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// This file is what the private state remembers of an object, and what a plan makes of that: Kodo does not tell what
// was asked of it.

// A baseline is what the private state remembers of the last apply that did all it was to do, or else of the import:
// the hash of the bytes that were written, adopted or found, and under which key. A creation that could not be finished,
// or another copy, has a hash only.
type baseline struct {
	ETag     string  `json:"etag"`
	Key      *string `json:"key,omitempty"`
	Imported bool    `json:"imported"` // since then nothing was applied
}

// baselineOf is that of a state.
func baselineOf(state *objectBase) baseline {
	return baseline{ETag: state.ETag.ValueString(), Key: state.Key.ValueStringPointer()}
}

// unfinishedBaseline is that of an object that was created or copied again, and could not be finished.
func unfinishedBaseline(state *objectBase) baseline {
	return baseline{ETag: state.ETag.ValueString()}
}

// unfinished reports whether the object was created or copied again, and that could not be finished. What it has by
// chance, from an object that was adopted or copied, is then not what was asked for.
func (b baseline) unfinished() bool { return b.Key == nil }

const baselineKey = "baseline"

// privateSetter is the part of the framework's private state that a resource writes.
type privateSetter interface {
	SetKey(ctx context.Context, key string, value []byte) diag.Diagnostics
}

func (b baseline) save(ctx context.Context, private privateSetter) (diags diag.Diagnostics) {
	text, err := json.Marshal(b)
	if err != nil {
		diags.AddError("Private State Not Written", err.Error())
		return diags
	}
	return private.SetKey(ctx, baselineKey, text)
}

// loadBaseline returns the baseline of an object, or, if there is none yet, that of its state: it was not read since it
// was moved here from another type.
func loadBaseline(ctx context.Context, private privateState, state *objectBase) (b baseline, ok bool, diags diag.Diagnostics) {
	text, diags := private.GetKey(ctx, baselineKey)
	if diags.HasError() || len(text) == 0 || json.Unmarshal(text, &b) != nil {
		return baselineOf(state), false, diags
	}
	return b, true, diags
}

// begin saves the baseline of an object that has none: it was imported, or moved here from another type.
func begin(ctx context.Context, had privateState, private privateSetter, state *objectBase) diag.Diagnostics {
	base, ok, diags := loadBaseline(ctx, had, state)
	if ok || diags.HasError() {
		return diags
	}
	base.Imported = true
	return base.save(ctx, private)
}

// owed is what an apply has to change, out of how the plan differs from the state: not the lifecycle of an imported
// object that has one, but everything if the creation could not be finished.
func (r *objects) owed(ctx context.Context, base baseline, plan, state *objectBase, d difference) (_ difference, diags diag.Diagnostics) {
	if d.lifecycle && base.Imported {
		d.lifecycle = !r.lifecycleKept(ctx, plan, state, &diags)
	}
	if base.unfinished() {
		every := everyFacet()
		every.removed, every.perhapsRemoved = d.removed, d.perhapsRemoved
		return every, diags
	}
	return d, diags
}

// lifecycleKept reports whether Kodo has a lifecycle for all that is configured for an imported object. After how many
// days Kodo does not tell, so the configuration is taken at its word, unless the state knows other days.
func (r *objects) lifecycleKept(ctx context.Context, plan, state *objectBase, diags *diag.Diagnostics) bool {
	if !r.provider.Known() {
		return false
	}
	found, err := r.provider.Client.Stat(ctx, state.Bucket.ValueString(), state.Key.ValueString())
	if err != nil {
		diags.Append(r.provider.Diagnose("Object Not Read", fmt.Sprintf("the lifecycle of object %s could not be read", state.name()), err, withoutBucket(err)...))
		return false
	}
	kept := func(was, is types.Int64, has bool) bool {
		return is.Equal(was) || has && was.IsNull() && !is.IsUnknown()
	}
	all := kept(state.DeleteAfterDays, plan.DeleteAfterDays, !found.Expires.IsZero())
	for argument, class := range transitions() {
		_, has := found.Transitions[class]
		all = all && kept(state.days(argument), plan.days(argument), has)
	}
	return all
}

// changed leaves unknown what only the changes of these facets can know.
func (f *objectFacts) changed(d difference) {
	f.PutTime = types.StringUnknown()
	if d.lifecycle {
		f.DeletesAt = types.StringUnknown()
	}
	if d.class {
		f.RestoreStatus = types.StringUnknown()
	}
}
