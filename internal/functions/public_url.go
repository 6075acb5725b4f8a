package functions

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/function"

	"github.com/qiniu/terraform-provider-kodo/internal/kodo"
)

// NewPublicURL is public_url: where an object of a public bucket is downloaded.
func NewPublicURL() function.Function {
	return text{
		name:    "public_url",
		summary: "Download URL of an object",
		description: "Returns the URL at which a download domain serves a key, escaped so that every key reaches the object that it names, " +
			"such as `https://cdn.example.com/a%20b.txt`. It is not signed: in a private bucket use `kodo_private_url`.",
		parameters: []function.Parameter{
			parameter("domain", "Download domain, as `host`, `host:port`, or either with `http://` or `https://` before it. Without a scheme it gets `https`."),
			parameter("key", "Key of the object."),
		},
		compute: func(_ context.Context, arguments []string) (string, *function.FuncError) {
			domain, key := arguments[0], arguments[1]
			failed := function.ConcatFuncErrors(
				refused(0, kodo.CheckDomain(domain), "cdn.example.com"),
				refused(1, kodo.CheckKey(key), "img/logo.svg"),
			)
			if failed != nil {
				return "", failed
			}
			url, err := kodo.PublicURL("https", domain, key)
			return url, refused(0, err, "cdn.example.com")
		},
	}
}
