// Package resources holds the managed resources, one file for each Terraform
// type. A file reads from top to bottom: what the type is called, what its
// arguments are, what Terraform asks of it, how an answer becomes a model (fill)
// and a model a request (spec), and last what only this type needs.
//
// It must never know how Kodo is spoken to: that is the client's, in package kodo.
package resources

import (
	"context"
	"time"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
)

// summaryImportID is the summary of every import id that names nothing.
const summaryImportID = "Import ID Not Accepted"

// privateState is the part of the framework's private state that a resource
// reads. The framework does not export the type.
type privateState interface {
	GetKey(ctx context.Context, key string) ([]byte, diag.Diagnostics)
}

// timeoutsAttribute is the argument timeouts of every resource.
func timeoutsAttribute(ctx context.Context) schema.Attribute {
	all := timeouts.AttributesAll(ctx)
	if nested, ok := all.(schema.SingleNestedAttribute); ok {
		nested.MarkdownDescription = "How long each operation may take altogether, its retries included. By default there is no limit: what is slow but moves is not stopped. " +
			"Changes in place, without a request."
		return nested
	}
	return all
}

// withTimeout bounds the context by one of the timeouts of a configuration,
// such as model.Timeouts.Create. Where none is set there is no deadline: what is
// slow but moves is not stopped.
func withTimeout(ctx context.Context, timeout func(context.Context, time.Duration) (time.Duration, diag.Diagnostics), diags *diag.Diagnostics) (context.Context, context.CancelFunc) {
	limit, d := timeout(ctx, 0)
	diags.Append(d...)
	if limit == 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, limit)
}
