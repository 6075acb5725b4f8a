package acctest

import "github.com/hashicorp/terraform-plugin-go/tfprotov6"

// PlanAction checks the configuration of an action as a plan does, in which values
// may be unknown.
func (s *Session) PlanAction(typeName string, config Values) Diagnostics {
	s.t.Helper()
	server, diags := s.start()
	if diags.HasErrors() {
		return diags
	}
	return append(diags, server.planAction(typeName, config)...)
}

// InvokeAction plans an action, invokes it if nothing is wrong with it, and returns
// what it has told of its progress.
func (s *Session) InvokeAction(typeName string, config Values) (progress []string, diags Diagnostics) {
	s.t.Helper()
	if diags = s.PlanAction(typeName, config); diags.HasErrors() {
		return nil, diags
	}
	return s.InvokePlanned(typeName, config)
}

// InvokePlanned invokes an action whose configuration was planned before, perhaps
// with unknown values: Terraform does not validate it again.
func (s *Session) InvokePlanned(typeName string, config Values) (progress []string, diags Diagnostics) {
	s.t.Helper()
	server, diags := s.start()
	if diags.HasErrors() {
		return nil, diags
	}
	stream, err := server.actions().InvokeAction(s.Context, &tfprotov6.InvokeActionRequest{ActionType: typeName, Config: server.actionConfig(typeName, config)})
	server.must(err)
	completed := 0
	for event := range stream.Events {
		switch event := event.Type.(type) {
		case tfprotov6.ProgressInvokeActionEventType:
			progress = append(progress, event.Message)
		case tfprotov6.CompletedInvokeActionEventType:
			completed++
			diags = append(diags, event.Diagnostics...)
		}
	}
	if completed != 1 {
		diags = append(diags, broken("Provider did not complete the action", typeName, "%d events say that it is complete", completed)...)
	}
	return progress, diags
}

func (s *Server) planAction(typeName string, config Values) Diagnostics {
	s.t.Helper()
	value := s.actionConfig(typeName, config)
	valid, err := s.actions().ValidateActionConfig(s.ctx, &tfprotov6.ValidateActionConfigRequest{ActionType: typeName, Config: value})
	s.must(err)
	if diags := Diagnostics(valid.Diagnostics); diags.HasErrors() {
		return diags
	}
	planned, err := s.actions().PlanAction(s.ctx, &tfprotov6.PlanActionRequest{ActionType: typeName, Config: value})
	s.must(err)
	return append(valid.Diagnostics, planned.Diagnostics...)
}

func (s *Server) actionConfig(typeName string, config Values) *tfprotov6.DynamicValue {
	s.t.Helper()
	schema, ok := s.schema.ActionSchemas[typeName]
	if !ok {
		s.t.Fatalf("the provider has no action %s", typeName)
	}
	return s.dynamic(s.encode(schema.Schema.ValueType(), config))
}

func (s *Server) actions() tfprotov6.ActionServer {
	s.t.Helper()
	server, ok := s.provider.(tfprotov6.ActionServer)
	if !ok {
		s.t.Fatal("the provider has no actions")
	}
	return server
}
