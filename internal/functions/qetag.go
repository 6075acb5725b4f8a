package functions

import (
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/function"

	"github.com/qiniu/terraform-provider-kodo/internal/kodo"
	"github.com/qiniu/terraform-provider-kodo/internal/qetag"
)

// NewQetag is qetag: the hash that Kodo gives to a text.
func NewQetag() function.Function {
	return text{
		name:    "qetag",
		summary: "Kodo's content hash of a text",
		description: "Returns the hash (qetag) that Kodo gives to an object whose content is the text in UTF-8, such as `Fqr0xh3cxeii2r7eDztILNmuqUNN` for `hello`: " +
			"28 characters, the `etag` of `kodo_object`.",
		parameters: []function.Parameter{parameter("text", "Text to hash.")},
		compute: func(_ context.Context, arguments []string) (string, *function.FuncError) {
			return qetag.Sum([]byte(arguments[0])), nil
		},
	}
}

// NewFileQetag is file_qetag: the hash that Kodo gives to the content of a file.
func NewFileQetag() function.Function {
	return text{
		name:    "file_qetag",
		summary: "Kodo's content hash of a file",
		description: "Returns the hash (qetag) that Kodo gives to an object with the content of the file. Files of any size are read in little memory, on all cores. " +
			"The file must be there when Terraform plans and stay the same until the apply is over, which Terraform checks; for files that the same apply makes, use `source_hash` of `kodo_object`. " +
			"`kodo_object` itself needs no such hash to notice a change.",
		parameters: []function.Parameter{parameter("path", "Path of a regular file, such as `\"${path.module}/site/app.js\"`. `pathexpand` replaces a leading `~`.")},
		compute: func(ctx context.Context, arguments []string) (etag string, failed *function.FuncError) {
			file, err := kodo.OpenFile(arguments[0])
			if err == nil {
				defer func() { _ = file.Close() }() // it was only read
				etag, err = qetag.ReadAt(ctx, file, file.Size())
			}
			if err != nil {
				return "", function.NewArgumentFuncError(0, fmt.Sprintf("the file cannot be read: %s", err))
			}
			return etag, nil
		},
	}
}
