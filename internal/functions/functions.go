// Package functions holds the provider's functions, one file for each: what
// they are called, what they take, and what they make of it.
//
// A function computes from its arguments alone. It must never know the
// configured provider, ask a server, or look at the clock: Terraform calls it in
// every plan and every apply, and wants the same result each time.
package functions

import (
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/function"
)

// text is a function from texts to a text, as all of the provider's are.
type text struct {
	name        string
	summary     string
	description string
	parameters  []function.Parameter // all of them texts
	// compute is given one argument for each parameter, never null or unknown.
	compute func(ctx context.Context, arguments []string) (string, *function.FuncError)
}

var _ function.Function = text{}

func (f text) Metadata(_ context.Context, _ function.MetadataRequest, resp *function.MetadataResponse) {
	resp.Name = f.name
}

func (f text) Definition(_ context.Context, _ function.DefinitionRequest, resp *function.DefinitionResponse) {
	resp.Definition = function.Definition{
		Summary:             f.summary,
		MarkdownDescription: f.description,
		Parameters:          f.parameters,
		Return:              function.StringReturn{},
	}
}

func (f text) Run(ctx context.Context, req function.RunRequest, resp *function.RunResponse) {
	arguments := make([]string, len(f.parameters))
	targets := make([]any, len(arguments))
	for i := range arguments {
		targets[i] = &arguments[i]
	}
	if resp.Error = req.Arguments.Get(ctx, targets...); resp.Error != nil {
		return
	}
	result, failed := f.compute(ctx, arguments)
	if failed != nil {
		resp.Error = failed
		return
	}
	resp.Error = resp.Result.Set(ctx, result)
}

// parameter is an argument of a text function.
func parameter(name, description string) function.Parameter {
	return function.StringParameter{Name: name, MarkdownDescription: description}
}

// refused says why the argument at a position, counted from 0, is not accepted,
// and names one that would be; nil without an error. Terraform puts the name of the
// parameter before such a text, and a period after it.
func refused(position int64, err error, accepted string) *function.FuncError {
	if err == nil {
		return nil
	}
	return function.NewArgumentFuncError(position, fmt.Sprintf("%s; %q would be accepted", err, accepted))
}
