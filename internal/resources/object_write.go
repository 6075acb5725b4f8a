package resources

import (
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/qiniu/terraform-provider-kodo/internal/kodo"
)

// This file is how an object that is there becomes the planned one: its facets, and what is read back.

// A settling makes an object what its plan says beside the bytes, and reads it back.
type settling struct {
	plan *objectBase
	// state is what is known of the object, and becomes what is read.
	state *objectBase
	// differs says which facets are not as planned, and lifecycle what to ask for if that is among them.
	differs   difference
	lifecycle kodo.Lifecycle
	// fill takes what is read into the model that the state is a part of.
	fill func(kodo.Object)
	// The words are for writeFailed.
	summary, happened string
	advice            []string
}

// settle sends one request for each facet that differs, and reads the object back. After an error the state says how
// far it came.
//
// What somebody else has stored since is not ours: then the state keeps what was stored here, and the next plan shows
// the difference.
func (r *objects) settle(ctx context.Context, s settling) (diags diag.Diagnostics) {
	client, bucket, key, stored := r.provider.Client, s.state.Bucket.ValueString(), s.state.Key.ValueString(), s.state.ETag
	failed := func(err error) diag.Diagnostics {
		diags.Append(r.writeFailed(s.plan, s.summary, s.happened, err, s.advice...))
		return diags
	}
	differs := s.differs
	for range 2 { // once more if what was there first, of the same bytes, is another object
		if changes := s.plan.changes(differs, s.lifecycle); len(changes) > 0 {
			made, err := client.Change(ctx, bucket, key, s.state.putTime(), changes...)
			s.took(differs, made)
			if err != nil {
				if found, err := client.Stat(ctx, bucket, key); err == nil && found.ETag == stored.ValueString() {
					s.read(found)
				}
				return failed(err)
			}
		}
		found, err := client.Stat(ctx, bucket, key)
		if err != nil {
			s.state.PutTime = types.StringNull() // a change may have moved it
			return failed(err)
		}
		if found.ETag != stored.ValueString() {
			s.state.PutTime = types.StringNull()
			diags.AddWarning("Object Overwritten Since", fmt.Sprintf("Object %s was stored as planned, and somebody else has stored other content under its key since. "+
				"The next plan shows the difference.", s.plan.name()))
			return diags
		}
		s.read(found)
		if s.plan.isAsIn(found) {
			break
		}
		differs = difference{metadata: true, class: true, enabled: true}
	}
	return diags
}

// read takes what Kodo says of the object into the state, but not the days of a lifecycle: Kodo does not tell those.
func (s settling) read(found kodo.Object) {
	days := s.state.DeleteAfterDays
	s.fill(found)
	s.state.DeleteAfterDays = days
}

// took records the facets that Kodo does not tell, if the changes that were made are among them.
func (s settling) took(d difference, made int) {
	before := 0
	if d.metadata {
		before++
	}
	if d.lifecycle && made > before {
		s.state.DeleteAfterDays, s.state.Transition = s.plan.DeleteAfterDays, s.plan.Transition
	}
}

// alter settles an object, which may have just been moved, that is to change in its facets only: in those that differ, or
// in all of them, if its creation could not be finished.
func (r *objects) alter(ctx context.Context, s settling, moved, unfinished bool) (diags diag.Diagnostics) {
	s.summary, s.happened = summaryObjectNotChanged, "could not be changed"
	s.differs.lifecycle = s.differs.lifecycle && s.plan.DeletesAt.IsUnknown() // else it is there since before an import
	switch {
	case unfinished:
		found, err := r.provider.Client.Stat(ctx, s.plan.Bucket.ValueString(), s.plan.Key.ValueString())
		if err != nil {
			diags.Append(r.writeFailed(s.plan, s.summary, s.happened, err))
			return diags
		}
		s.differs, s.lifecycle = everyFacet(), s.plan.lifecycleOn(found)
	case moved && !s.differs.any(): // and read where it is
		return diags
	}
	return r.settle(ctx, s)
}

// change makes the object the planned one: it moves it, sends bytes, or changes facets, as far as they differ; all of
// them, if its creation could not be finished. After an error the state says how far it came.
func (r *object) change(ctx context.Context, state, plan *objectModel, unfinished bool) (diags diag.Diagnostics) {
	differs := plan.differenceFrom(state.objectFacets)
	lifecycle := plan.lifecycle(state.objectFacets)
	again := len(differs.removed) > 0
	if state.PutTime.IsNull() {
		diags.Append(putTimeMissing(&state.objectBase))
		return diags
	}
	moved, d := r.moveThere(ctx, &state.objectBase, &plan.objectBase, state.fill)
	if diags.Append(d...); diags.HasError() {
		return diags
	}
	if again || !plan.ETag.Equal(state.ETag) {
		stored, d := r.upload(ctx, plan, kodo.IfPutTime(state.putTime()), again)
		if diags.Append(d...); diags.HasError() {
			return diags
		}
		state.objectContent = plan.objectContent
		state.take(stored, plan)
		diags.Append(r.settle(ctx, r.afterUpload(state, plan, stored))...)
		return diags
	}
	s := settling{plan: &plan.objectBase, state: &state.objectBase, differs: differs, lifecycle: lifecycle, fill: state.fill}
	diags.Append(r.alter(ctx, s, moved, unfinished)...)
	return diags
}

// afterUpload is what is left to do for an object whose bytes are there. What was sent now has everything but
// transitions, and is enabled; an object that held the bytes already has whatever it had.
func (r *object) afterUpload(state, plan *objectModel, stored kodo.Stored) settling {
	s := settling{
		plan: &plan.objectBase, state: &state.objectBase, fill: state.fill,
		summary: summaryObjectNotFinished, happened: "was stored, but could not be finished",
	}
	if stored.Adopted != nil {
		s.differs, s.lifecycle = everyFacet(), plan.lifecycleOn(*stored.Adopted)
		return s
	}
	fresh := plan.objectFacets
	fresh.Transition, fresh.Enabled = types.ObjectNull(transitionTypes()), types.BoolValue(true)
	s.differs, s.lifecycle = plan.differenceFrom(fresh), plan.lifecycle(fresh)
	return s
}

// take is fill for an upload's answer, which lacks the put time. A new object
// is kept as it was sent: enabled, and without transitions.
func (m *objectModel) take(stored kodo.Stored, plan *objectModel) {
	m.objectFacts = objectFacts{ETag: types.StringValue(stored.ETag), Size: types.Int64Value(stored.Size), URL: m.URL}
	if stored.Adopted != nil {
		m.fill(*stored.Adopted)
		return
	}
	m.objectFacets = plan.objectFacets
	m.Transition, m.Enabled = types.ObjectNull(transitionTypes()), types.BoolValue(true)
}

// asPlanned takes the plan into the state of an object that is made as planned. What Kodo says otherwise by now is the
// next plan's to show.
func (m *objectModel) asPlanned(plan *objectModel) {
	facts := m.objectFacts
	*m = *plan
	m.objectFacts = facts.asPlanned(plan.objectFacts)
}

// asPlanned prefers what was known in the plan.
func (f objectFacts) asPlanned(plan objectFacts) objectFacts {
	for _, fact := range []struct{ actual, planned *types.String }{
		{&f.ETag, &plan.ETag}, {&f.PutTime, &plan.PutTime}, {&f.MD5, &plan.MD5}, {&f.DeletesAt, &plan.DeletesAt},
		{&f.RestoreStatus, &plan.RestoreStatus}, {&f.URL, &plan.URL},
	} {
		if !fact.planned.IsUnknown() {
			*fact.actual = *fact.planned
		}
	}
	if !plan.Size.IsUnknown() {
		f.Size = plan.Size
	}
	return f
}
