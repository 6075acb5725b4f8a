// Schema prints the provider's schema as `terraform providers schema -json`
// would, but asks the provider server directly. It needs no Terraform binary,
// and what it prints does not depend on which one is installed: an older
// Terraform leaves out identities, actions and list resources.
//
// Its output is committed as testdata/schema.json. The documentation is made
// from that file, and its diff is where a change of the provider's surface is
// reviewed.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"

	tfjson "github.com/hashicorp/terraform-json"

	"github.com/qiniu/terraform-provider-kodo/internal/provider"
)

func main() {
	text, err := render(context.Background())
	if err != nil {
		fmt.Fprintln(os.Stderr, "schema:", err)
		os.Exit(1)
	}
	if _, err := os.Stdout.Write(text); err != nil {
		fmt.Fprintln(os.Stderr, "schema:", err)
		os.Exit(1)
	}
}

// render returns the schema as indented JSON that ends in a newline. Its keys
// are sorted, so that equal schemas are equal bytes.
func render(ctx context.Context) ([]byte, error) {
	server := provider.NewServer(provider.New("dev")())
	schema, err := server.GetProviderSchema(ctx, &tfprotov6.GetProviderSchemaRequest{})
	if err != nil {
		return nil, fmt.Errorf("get the provider schema: %w", err)
	}
	identities, err := server.GetResourceIdentitySchemas(ctx, &tfprotov6.GetResourceIdentitySchemasRequest{})
	if err != nil {
		return nil, fmt.Errorf("get the identity schemas: %w", err)
	}
	if err := firstError(append(schema.Diagnostics, identities.Diagnostics...)); err != nil {
		return nil, err
	}

	converted, err := providerSchema(schema, identities)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	// The documentation generator looks the provider up under its short name.
	err = enc.Encode(tfjson.ProviderSchemas{
		FormatVersion: "1.0",
		Schemas:       map[string]*tfjson.ProviderSchema{"kodo": converted},
	})
	return out.Bytes(), err
}

func firstError(diags []*tfprotov6.Diagnostic) error {
	for _, d := range diags {
		if d.Severity == tfprotov6.DiagnosticSeverityError {
			return errors.New(d.Summary + ": " + d.Detail)
		}
	}
	return nil
}
