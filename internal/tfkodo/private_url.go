package tfkodo

import (
	"maps"
	"time"

	datasource "github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/qiniu/terraform-provider-kodo/internal/kodo"
)

// PrivateURL is what the data source and the ephemeral resource kodo_private_url
// have in common: what is linked to, and the link.
type PrivateURL struct {
	Deadline

	Bucket    types.String `tfsdk:"bucket"`
	Key       types.String `tfsdk:"key"`
	Domain    types.String `tfsdk:"domain"`
	URL       types.String `tfsdk:"url"`
	AttName   types.String `tfsdk:"attname"`
	Query     types.String `tfsdk:"query"`
	SignedURL types.String `tfsdk:"signed_url"`
}

// PrivateURLAttributes are the attributes of a PrivateURL.
func PrivateURLAttributes() map[string]datasource.Attribute {
	attributes := DeadlineAttributes("link")
	maps.Copy(attributes, map[string]datasource.Attribute{
		"bucket": datasource.StringAttribute{
			MarkdownDescription: "Bucket that holds the object: it decides whether the provider's `domain` serves it. Defaults to the provider's `bucket`. Not needed where `domain` is set.",
			Optional:            true,
			Validators:          []validator.String{BucketName()},
		},
		"key": datasource.StringAttribute{
			MarkdownDescription: "Key of the object, as it is: it is escaped here. One of `key` and `url` is needed.",
			Optional:            true,
			Validators:          []validator.String{ObjectKey()},
		},
		"domain": datasource.StringAttribute{
			MarkdownDescription: "Download domain, as `host[:port]` or with `http://` or `https://` in front, such as `kodo_bucket.assets.domains[0]`. " +
				"Defaults to the provider's `domain` for the provider's `bucket`.",
			Optional:   true,
			Validators: []validator.String{Domain()},
		},
		"url": datasource.StringAttribute{
			MarkdownDescription: "The whole link without its signature, escaped already, such as the `url` of `kodo_object`. Conflicts with `bucket`, `key` and `domain`.",
			Optional:            true,
			Validators:          []validator.String{HiddenStringRule(`must be an escaped download URL, for example "https://cdn.example.com/a%20b.pdf"`, kodo.CheckLink)},
		},
		"attname": datasource.StringAttribute{
			MarkdownDescription: "Name under which a browser saves the download, as it is: it is escaped here.",
			Optional:            true,
		},
		"query": datasource.StringAttribute{
			MarkdownDescription: "Further query of the link, such as the image processing `imageView2/2/w/200`. It is signed as it is given, so it must be escaped already.",
			Optional:            true,
			Validators:          []validator.String{HiddenStringRule(`must be an escaped query without its question mark, for example "imageView2/2/w/200"`, kodo.CheckLinkQuery)},
		},
		"signed_url": datasource.StringAttribute{
			MarkdownDescription: "The signed link: whoever has it can download the object until `expires_at`.",
			Computed:            true,
			Sensitive:           true,
		},
	})
	return attributes
}

// Check refuses arguments that contradict each other, as far as they are known. A
// data source gives its window, others a null one.
func (u PrivateURL) Check(window types.String) diag.Diagnostics {
	diags := u.Deadline.Check(window)
	if u.URL.IsNull() {
		if u.Key.IsNull() {
			diags.AddAttributeError(path.Root("key"), "Invalid Attribute Combination",
				`Nothing is linked to: set key, for example key = "reports/2027.pdf", or url.`)
		}
		return diags
	}
	for _, argument := range []struct {
		name  string
		value types.String
	}{{"bucket", u.Bucket}, {"key", u.Key}, {"domain", u.Domain}} {
		if !argument.value.IsNull() {
			diags.Append(Conflict(argument.name, "url"))
		}
	}
	return diags
}

// Sign makes the link.
func (u *PrivateURL) Sign(p *Provider, deadline time.Time) diag.Diagnostics {
	diags := p.RequireSigner("sign a link")
	if diags.HasError() {
		return diags
	}
	link := u.URL
	if link.IsNull() {
		bucket := u.Bucket
		if bucket.IsNull() {
			bucket = p.Bucket
		}
		link = p.ObjectURL(bucket, u.Key, u.Domain)
	}
	switch {
	case link.IsUnknown():
		diags.Append(p.DomainNotKnown())
		return diags
	case link.IsNull():
		diags.AddAttributeError(path.Root("domain"), "Domain Missing", "A link needs a download domain, and the provider's domain serves only the provider's bucket. "+
			"Set domain, for example domain = kodo_bucket.assets.domains[0].")
		return diags
	}
	target := link.ValueString()
	if query := u.Query.ValueString(); query != "" {
		target = kodo.AddLinkQuery(target, query)
	}
	if name := u.AttName.ValueString(); name != "" {
		target = kodo.AddLinkQuery(target, "attname="+kodo.EscapeQuery(name))
	}
	u.SignedURL = types.StringValue(p.Signer.PrivateURL(target, deadline))
	u.Fill(deadline)
	return diags
}
