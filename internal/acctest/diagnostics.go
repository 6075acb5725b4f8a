package acctest

import (
	"fmt"
	"strings"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
)

// Diagnostics are the errors and warnings of one or more requests.
type Diagnostics []*tfprotov6.Diagnostic

// HasErrors reports whether any of them is an error.
func (d Diagnostics) HasErrors() bool { return len(d.Errors()) > 0 }

// Errors are those that are errors.
func (d Diagnostics) Errors() Diagnostics { return d.of(tfprotov6.DiagnosticSeverityError) }

// Warnings are those that are warnings.
func (d Diagnostics) Warnings() Diagnostics { return d.of(tfprotov6.DiagnosticSeverityWarning) }

func (d Diagnostics) of(severity tfprotov6.DiagnosticSeverity) Diagnostics {
	var some Diagnostics
	for _, diagnostic := range d {
		if diagnostic.Severity == severity {
			some = append(some, diagnostic)
		}
	}
	return some
}

// String shows each on a line: severity, attribute, summary, detail.
func (d Diagnostics) String() string {
	lines := make([]string, len(d))
	for i, diagnostic := range d {
		lines[i] = fmt.Sprintf("%s %s: %s: %s", diagnostic.Severity, diagnostic.Attribute, diagnostic.Summary, diagnostic.Detail)
	}
	return strings.Join(lines, "\n")
}
