package functions

import (
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/function"

	"github.com/qiniu/terraform-provider-kodo/internal/kodo"
)

// NewEncodeEntry is encode_entry: how Kodo's calls name an object.
func NewEncodeEntry() function.Function {
	return text{
		name:    "encode_entry",
		summary: "Encoded entry of an object",
		description: "Returns how Kodo's calls and processing commands name an object: `bucket:key` in URL-safe base64 with padding (`EncodedEntryURI`), " +
			"such as `YXNzZXRzOmEudHh0` for the key `a.txt` of the bucket `assets`.",
		parameters: entryParameters(),
		compute: func(_ context.Context, arguments []string) (string, *function.FuncError) {
			return encodeEntry(arguments)
		},
	}
}

// NewSaveas is saveas: the command that stores the result of a persistent operation.
func NewSaveas() function.Function {
	return text{
		name:    "saveas",
		summary: "Command that stores a processing result",
		description: "Returns the command `saveas/<entry>` that ends a persistent operation of an upload policy and says where its result is stored. " +
			"It comes without the bar before it: `\"avthumb/mp4|${provider::kodo::saveas(\"assets\", \"clip.mp4\")}\"`.",
		parameters: entryParameters(),
		compute: func(_ context.Context, arguments []string) (string, *function.FuncError) {
			encoded, failed := encodeEntry(arguments)
			return "saveas/" + encoded, failed
		},
	}
}

func entryParameters() []function.Parameter {
	return []function.Parameter{
		parameter("bucket", "Name of the bucket."),
		parameter("key", fmt.Sprintf("Key of the object: at most %d bytes of UTF-8, which may hold anything.", kodo.MaxKey)),
	}
}

func encodeEntry(arguments []string) (string, *function.FuncError) {
	bucket, key := arguments[0], arguments[1]
	failed := function.ConcatFuncErrors(
		refused(0, kodo.CheckBucketName(bucket), "assets-2024"),
		refused(1, kodo.CheckKey(key), "img/logo.svg"),
	)
	if failed != nil {
		return "", failed
	}
	return kodo.EncodeEntry(bucket, key), nil
}
