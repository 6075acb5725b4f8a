package tfkodo

import (
	datasource "github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	ephemeral "github.com/hashicorp/terraform-plugin-framework/ephemeral/schema"
)

// EphemeralAttributes are the attributes of a data source as those of its
// ephemeral twin: the same arguments, checked by the same rules and described in
// the same words. Kinds of attributes that no twins have are left out, which the
// framework notices as soon as a model is read.
func EphemeralAttributes(attributes map[string]datasource.Attribute) map[string]ephemeral.Attribute {
	twins := make(map[string]ephemeral.Attribute, len(attributes))
	for name, attribute := range attributes {
		switch a := attribute.(type) {
		case datasource.StringAttribute:
			twins[name] = ephemeral.StringAttribute{
				MarkdownDescription: a.MarkdownDescription, Required: a.Required, Optional: a.Optional, Computed: a.Computed,
				Sensitive: a.Sensitive, Validators: a.Validators,
			}
		case datasource.BoolAttribute:
			twins[name] = ephemeral.BoolAttribute{
				MarkdownDescription: a.MarkdownDescription, Required: a.Required, Optional: a.Optional, Computed: a.Computed,
				Sensitive: a.Sensitive, Validators: a.Validators,
			}
		case datasource.Int64Attribute:
			twins[name] = ephemeral.Int64Attribute{
				MarkdownDescription: a.MarkdownDescription, Required: a.Required, Optional: a.Optional, Computed: a.Computed,
				Sensitive: a.Sensitive, Validators: a.Validators,
			}
		case datasource.ListAttribute:
			twins[name] = ephemeral.ListAttribute{
				MarkdownDescription: a.MarkdownDescription, Required: a.Required, Optional: a.Optional, Computed: a.Computed,
				Sensitive: a.Sensitive, Validators: a.Validators, ElementType: a.ElementType,
			}
		case datasource.SetAttribute:
			twins[name] = ephemeral.SetAttribute{
				MarkdownDescription: a.MarkdownDescription, Required: a.Required, Optional: a.Optional, Computed: a.Computed,
				Sensitive: a.Sensitive, Validators: a.Validators, ElementType: a.ElementType,
			}
		case datasource.SingleNestedAttribute:
			twins[name] = ephemeral.SingleNestedAttribute{
				MarkdownDescription: a.MarkdownDescription, Required: a.Required, Optional: a.Optional, Computed: a.Computed,
				Sensitive: a.Sensitive, Validators: a.Validators, Attributes: EphemeralAttributes(a.Attributes),
			}
		}
	}
	return twins
}
