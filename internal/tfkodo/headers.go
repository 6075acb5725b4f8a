package tfkodo

import (
	"maps"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/types"
)

// Headers are the arguments that set response headers of downloads. Kodo keeps
// them among an object's metadata, each under its name behind a "!".
type Headers struct {
	CacheControl       types.String `tfsdk:"cache_control"`
	ContentDisposition types.String `tfsdk:"content_disposition"`
	ContentEncoding    types.String `tfsdk:"content_encoding"`
	ContentLanguage    types.String `tfsdk:"content_language"`
	Expires            types.String `tfsdk:"expires"`
}

// HeaderMark is before the name of a header in Kodo's metadata.
const HeaderMark = "!"

// A Header is one of the arguments of Headers.
type Header struct {
	Argument string        // such as "cache_control"
	Name     string        // in Kodo's metadata, such as "!Cache-Control"
	Value    *types.String // in the Headers
}

// All are the arguments, always in the same order.
func (h *Headers) All() []Header {
	return []Header{
		{"cache_control", "!Cache-Control", &h.CacheControl},
		{"content_disposition", "!Content-Disposition", &h.ContentDisposition},
		{"content_encoding", "!Content-Encoding", &h.ContentEncoding},
		{"content_language", "!Content-Language", &h.ContentLanguage},
		{"expires", "!Expires", &h.Expires},
	}
}

// Take takes the headers out of Kodo's metadata, null for those that are not
// among them, and returns the rest. Names of headers may be in any case.
func (h *Headers) Take(metadata map[string]string) (rest map[string]string) {
	rest = maps.Clone(metadata)
	for _, header := range h.All() {
		*header.Value = types.StringNull()
		for name, value := range metadata {
			if strings.EqualFold(name, header.Name) {
				*header.Value = types.StringValue(value)
				delete(rest, name)
			}
		}
	}
	return rest
}
