package tfkodo

import (
	"context"
	"fmt"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework-validators/helpers/validatordiag"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/qiniu/terraform-provider-kodo/internal/kodo"
)

// This file is what the resources and the actions of the CDN say of their common arguments, and refuse of them.

// What an argument on_failure may be.
const (
	OnFailureError = "ERROR"
	OnFailureWarn  = "WARN"
)

// OnFailure accepts what on_failure may be.
func OnFailure() validator.String { return stringvalidator.OneOf(OnFailureError, OnFailureWarn) }

// CDNURLs accepts a set of URLs for the CDN.
func CDNURLs() validator.Set {
	return cdnLinks{
		description: `must name each URL that the CDN serves once, with its scheme, host and path, escaped and without stars, for example ["https://cdn.example.com/css/site.css"]`,
		check:       kodo.CheckCDNURL,
	}
}

// CDNDirs accepts a set of directories for the CDN.
func CDNDirs() validator.Set {
	return cdnLinks{
		description: `must name each directory that the CDN serves once, as a URL with its scheme and host that ends in a slash, escaped, for example ["https://cdn.example.com/css/"]`,
		check:       kodo.CheckCDNDir,
	}
}

// cdnLinks refuses a set as a whole, since the path of an element holds the element, and that perhaps a password.
type cdnLinks struct {
	description string
	check       func(string) error
}

func (r cdnLinks) Description(context.Context) string { return r.description }

func (r cdnLinks) MarkdownDescription(context.Context) string { return r.description }

func (r cdnLinks) ValidateSet(_ context.Context, req validator.SetRequest, resp *validator.SetResponse) {
	seen := map[string]string{}
	for _, element := range req.ConfigValue.Elements() {
		text, ok := element.(types.String)
		if !ok || text.IsUnknown() {
			continue
		}
		link := text.ValueString()
		other, twice := seen[kodo.CDNName(link)]
		seen[kodo.CDNName(link)] = link
		got := ""
		switch err := r.check(link); {
		case text.IsNull():
			got = "null"
		case err != nil && strings.Contains(link, "@"): // which may come after a password
			got = err.Error()
		case err != nil:
			got = fmt.Sprintf("%q: %s", link, err)
		case twice:
			got = fmt.Sprintf("%q and %q, which are the same to the CDN", other, link)
		default:
			continue
		}
		resp.Diagnostics.Append(validatordiag.InvalidAttributeValueDiagnostic(req.Path, r.description, got))
	}
}

// CheckCDN refuses what CDNURLs and CDNDirs refuse, of values that were not known
// when the configuration was validated. Terraform validates the arguments of a
// resource again in the plan, those of an action it does not.
func CheckCDN(ctx context.Context, urls, dirs types.Set) diag.Diagnostics {
	var resp validator.SetResponse
	CDNURLs().ValidateSet(ctx, validator.SetRequest{Path: path.Root("urls"), ConfigValue: urls}, &resp)
	CDNDirs().ValidateSet(ctx, validator.SetRequest{Path: path.Root("dirs"), ConfigValue: dirs}, &resp)
	return resp.Diagnostics
}

// The descriptions of the arguments that resources and actions have in common.
const (
	DescribeCDNURLs = "each with its scheme, host and path as a browser asks for it: escaped, without stars, and exactly the spelling under which the CDN keeps it. " +
		"The host is a CDN domain of the account."
	DescribeCDNDirs = "each a URL that ends in `/`, for all below it (`/*` means the same). The account needs the permission of Qiniu for it, and has a quota of about ten in a day."
	DescribeCDNWait = "Whether to wait until the CDN is done, which takes it 5 to 10 minutes, and to see whether it has failed. Defaults to `true`. " +
		"Waits for 30 minutes at most, or as long as `timeouts` says. Interrupting the apply ends the waiting at once, and the CDN goes on."
	DescribeCDNOnFailure = "What comes of URLs that are not accepted, for example because the quota of the day is used up, or that the CDN fails to carry out: `ERROR` or `WARN`. Defaults to `ERROR`."
)
