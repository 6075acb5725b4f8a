package tfkodo

import (
	"fmt"
	"time"

	datasource "github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

const (
	defaultExpiresIn = time.Hour
	defaultWindow    = time.Hour
)

// Deadline is until when something signed is good: for a time from now on, or
// until an instant.
type Deadline struct {
	ExpiresIn types.String `tfsdk:"expires_in"`
	ExpiresAt types.String `tfsdk:"expires_at"`
}

// DeadlineAttributes are the arguments of a Deadline, for what is signed, such
// as "token".
func DeadlineAttributes(thing string) map[string]datasource.Attribute {
	return map[string]datasource.Attribute{
		"expires_in": datasource.StringAttribute{
			MarkdownDescription: fmt.Sprintf("How long the %s is good for: a duration such as `\"30m\"` or `\"24h\"`. Defaults to `\"1h\"`. Conflicts with `expires_at`.", thing),
			Optional:            true,
			Validators:          []validator.String{Duration()},
		},
		"expires_at": datasource.StringAttribute{
			MarkdownDescription: fmt.Sprintf("Instant until which the %s is good, as RFC 3339 such as `2027-01-31T00:00:00Z`. "+
				"Conflicts with `expires_in`; where it is not set, it is what that comes to.", thing),
			Optional:   true,
			Computed:   true,
			Validators: []validator.String{Instant()},
		},
	}
}

// WindowAttribute is the argument window of a data source, for what is signed.
func WindowAttribute(thing string) datasource.Attribute {
	return datasource.StringAttribute{
		MarkdownDescription: fmt.Sprintf("How long the %[1]s stays the same from plan to plan: a duration such as `\"10m\"`, by default `\"1h\"`. `expires_in` is counted from the next full multiple of it since 1970, "+
			"so that the %[1]s is the same in all plans of one window and is good for `expires_in` at least, and for `expires_in` and one window at most. Conflicts with `expires_at`.", thing),
		Optional:   true,
		Validators: []validator.String{Duration()},
	}
}

// Check refuses a deadline that is given in two ways. A data source gives its
// window, others a null one.
func (d Deadline) Check(window types.String) (diags diag.Diagnostics) {
	if d.ExpiresAt.IsNull() {
		return nil
	}
	if !d.ExpiresIn.IsNull() {
		diags.Append(Conflict("expires_in", "expires_at"))
	}
	if !window.IsNull() {
		diags.Append(Conflict("window", "expires_at"))
	}
	return diags
}

// Fresh is the deadline reckoned from now.
func (d Deadline) Fresh(now time.Time) (time.Time, diag.Diagnostics) { return d.reckon(now, now) }

// Stable is the deadline reckoned from the end of the window that now is in, so
// that it is the same throughout.
func (d Deadline) Stable(now time.Time, window types.String) (time.Time, diag.Diagnostics) {
	width := int64(durationOr(window, defaultWindow))
	windows := (now.UnixNano() + width - 1) / width // that have begun since 1970
	return d.reckon(now, time.Unix(0, windows*width))
}

// reckon returns the deadline in whole seconds, rounded up.
func (d Deadline) reckon(now, from time.Time) (time.Time, diag.Diagnostics) {
	deadline := from.Add(durationOr(d.ExpiresIn, defaultExpiresIn))
	if !d.ExpiresAt.IsNull() {
		deadline, _ = time.Parse(time.RFC3339, d.ExpiresAt.ValueString()) // Instant has checked it
	}
	if !deadline.After(now) {
		return time.Time{}, diag.Diagnostics{diag.NewAttributeErrorDiagnostic(path.Root("expires_at"), "Deadline In The Past", fmt.Sprintf(
			"expires_at is %s, and it is %s now: nothing could be done with what is signed. Set a later instant, or expires_in.",
			d.ExpiresAt.ValueString(), now.UTC().Format(time.RFC3339)))}
	}
	return deadline.Add(time.Second - 1).Truncate(time.Second).UTC(), nil
}

// Fill says what the deadline has come to, and keeps the instant as it is written
// in the configuration.
func (d *Deadline) Fill(deadline time.Time) {
	if d.ExpiresAt.IsNull() {
		d.ExpiresAt = types.StringValue(deadline.Format(time.RFC3339))
	}
}

// durationOr is a duration that Duration has checked, or the default of an
// argument that is not set.
func durationOr(value types.String, otherwise time.Duration) time.Duration {
	d, err := time.ParseDuration(value.ValueString())
	if err != nil {
		return otherwise
	}
	return d
}

// Conflict is the refusal of an argument beside another.
func Conflict(name, other string) diag.Diagnostic {
	return diag.NewAttributeErrorDiagnostic(path.Root(name), "Invalid Attribute Combination", fmt.Sprintf("%s cannot be set beside %s: leave one of them out.", name, other))
}
