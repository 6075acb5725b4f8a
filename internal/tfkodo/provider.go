// Package tfkodo holds what two or more kinds of Terraform types (resources,
// data sources, actions, …) share: the client they get from the provider, the
// words in which they report a failure, and the validators of Kodo's rules.
//
// It must never know a particular Terraform type, and never read the
// environment: everything that was configured arrives in a Provider.
package tfkodo

import (
	"fmt"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/qiniu/terraform-provider-kodo/internal/kodo"
	"github.com/qiniu/terraform-provider-kodo/internal/site"
)

// Provider is what the configured provider hands to every type.
//
// During a plan some arguments of the provider block may come from resources
// that do not exist yet. Then Client is nil and Unknown says why; a type asks
// Known before it uses Client.
type Provider struct {
	// Client speaks to Kodo. It is nil while something that it needs is not known yet.
	Client *kodo.Client

	// Signer signs for the account without a request. It is nil while the keys are not known yet.
	Signer *kodo.Signer

	// Hashes are those of local files that were read already.
	Hashes *site.Hashes

	// Now is the clock by which deadlines of tokens and links are reckoned.
	Now func() time.Time

	// Unknown names the arguments of the provider block that Client needs and
	// that are not known yet, such as "secret_key" or "endpoints.up".
	Unknown []string

	// Bucket is the default bucket of new resources: null without one, and
	// perhaps unknown.
	Bucket types.String

	// Domain is the download domain of Bucket, and of no other bucket: null
	// without one, and perhaps unknown.
	Domain types.String

	// Scheme is what a download domain without a scheme gets: "https", or
	// "http" where the endpoint is http. It is unknown while the endpoint is.
	Scheme types.String

	// Home is the home folder, for paths of configurations that begin with "~".
	// It is empty where the system knows none.
	Home string

	// KeySource says where the pair of keys was found, in words that follow
	// "the keys come from".
	KeySource string
}

// FromProviderData returns what the provider's Configure has stored, for the
// Configure method of a type. It is nil, without an error, before the provider
// has been configured: Terraform validates configurations that way.
func FromProviderData(data any, diags *diag.Diagnostics) *Provider {
	if data == nil {
		return nil
	}
	p, ok := data.(*Provider)
	if !ok {
		diags.AddError("Unexpected Provider Data", fmt.Sprintf(
			"The provider's data is a %T, not a *tfkodo.Provider. This is a bug in the provider, please report it to its developers.", data))
		return nil
	}
	return p
}

// Known reports whether everything that the client needs is known, so that
// Client can be used.
func (p *Provider) Known() bool {
	return p != nil && p.Client != nil
}

// StateKept is the warning with which Read returns the prior state of a thing,
// such as "the bucket", without having asked Kodo, because there is no client yet.
func (p *Provider) StateKept(thing string) diag.Diagnostic {
	return diag.NewWarningDiagnostic(summaryNotKnown, fmt.Sprintf(
		"%s So Kodo was not asked about %s, and its state is kept as it was recorded last. The next plan in which they are known compares it again.",
		p.notKnown(), thing))
}

// RequireClient is for work that cannot be done without a client, such as
// "import a bucket": an error while there is none yet, otherwise nothing.
func (p *Provider) RequireClient(work string) diag.Diagnostics {
	if p.Known() {
		return nil
	}
	return diag.Diagnostics{diag.NewErrorDiagnostic(summaryNotKnown, fmt.Sprintf(
		"%s Without them it is not possible to %s. Apply the resources that these values come from first, "+
			"for example with -target, and then plan again.", p.notKnown(), work))}
}

const summaryNotKnown = "Provider Configuration Not Known Yet"

func (p *Provider) notKnown() string {
	if p == nil || len(p.Unknown) == 0 {
		return "The provider \"kodo\" is not configured yet."
	}
	return fmt.Sprintf("These arguments of the provider \"kodo\" are not known yet: %s.", strings.Join(p.Unknown, ", "))
}

// RequireSigner is RequireClient for work that needs the keys and nothing else.
func (p *Provider) RequireSigner(work string) diag.Diagnostics {
	if p != nil && p.Signer != nil {
		return nil
	}
	return p.RequireClient(work)
}

// DefaultBucket sets an argument bucket that the configuration leaves out to the
// default bucket, and refuses where there is none or it is not known yet.
func (p *Provider) DefaultBucket(bucket *types.String) (diags diag.Diagnostics) {
	switch {
	case !bucket.IsNull():
	case p.Bucket.IsUnknown():
		diags.AddAttributeError(path.Root("bucket"), summaryNotKnown,
			"The default bucket of the provider \"kodo\" is not known yet. Set bucket here, or apply the resource that it comes from first, for example with -target.")
	case p.Bucket.IsNull():
		diags.AddAttributeError(path.Root("bucket"), "Bucket Missing",
			"There is no default bucket: set bucket, for example bucket = kodo_bucket.assets.name, or set bucket in the provider block or QINIU_BUCKET_NAME.")
	default:
		*bucket = p.Bucket
	}
	return diags
}
