package functions

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/function"

	"github.com/qiniu/terraform-provider-kodo/internal/kodo"
)

// NewContentType is content_type: the content type that belongs to a key.
func NewContentType() function.Function {
	return text{
		name:    "content_type",
		summary: "Content type that belongs to a key",
		description: "Returns the content type that the key's extension stands for, by the table that `kodo_object` uses: the same on every operating system, " +
			"and `" + kodo.DefaultContentType + "` for what it does not know.",
		parameters: []function.Parameter{parameter("key", "Key of an object, or the name of a file.")},
		compute: func(_ context.Context, arguments []string) (string, *function.FuncError) {
			return kodo.ContentType(arguments[0]), nil
		},
	}
}
