// Package actions holds the actions, one file for each Terraform type: what is
// done once, when a resource changes or somebody asks for it, and leaves nothing
// in the state.
//
// Everything that an action does, a resource or a data source can do too, since
// only Terraform 1.14 and newer have actions. The package must never know how Kodo
// is spoken to: that is the client's, in package kodo.
package actions

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/action/timeouts"
	"github.com/hashicorp/terraform-plugin-framework/action/schema"
	"github.com/hashicorp/terraform-plugin-framework/diag"
)

// timeoutsAttribute is the argument timeouts of every action.
func timeoutsAttribute(ctx context.Context) schema.Attribute {
	all := timeouts.Attributes(ctx)
	if nested, ok := all.(schema.SingleNestedAttribute); ok {
		nested.MarkdownDescription = "How long the action may take altogether, its retries included."
		return nested
	}
	return all
}

// withTimeout bounds the context by the timeout of a configuration. Where none is
// set there is no deadline.
func withTimeout(ctx context.Context, t timeouts.Value, diags *diag.Diagnostics) (context.Context, context.CancelFunc) {
	limit, d := t.Invoke(ctx, 0)
	diags.Append(d...)
	if limit == 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, limit)
}
