package tfkodo

import (
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/qiniu/terraform-provider-kodo/internal/kodo"
)

// ObjectURL is the unsigned download URL of an object: at the domain if that is
// set, otherwise at the provider's domain, which serves no other bucket than the
// default one. It is null without a domain, and unknown while something that it
// depends on is.
func (p *Provider) ObjectURL(bucket, key, domain types.String) types.String {
	if domain.IsNull() && !p.Domain.IsNull() {
		switch {
		case bucket.IsUnknown() || p.Bucket.IsUnknown():
			return types.StringUnknown()
		case bucket.Equal(p.Bucket):
			domain = p.Domain
		}
	}
	switch {
	case domain.IsNull():
		return types.StringNull()
	case domain.IsUnknown() || key.IsUnknown() || p.Scheme.IsUnknown():
		return types.StringUnknown()
	}
	url, err := kodo.PublicURL(p.Scheme.ValueString(), domain.ValueString(), key.ValueString())
	if err != nil {
		return types.StringNull()
	}
	return types.StringValue(url)
}

// DomainNotKnown is the refusal of what needs an ObjectURL that is unknown.
func (*Provider) DomainNotKnown() diag.Diagnostic {
	return diag.NewErrorDiagnostic(summaryNotKnown, "The download domain, or its scheme, comes from arguments of the provider \"kodo\" that are not known yet. "+
		"Set domain here, with http:// or https:// in front, or apply the resources that they come from first, for example with -target.")
}
