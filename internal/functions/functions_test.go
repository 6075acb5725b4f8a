package functions_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"

	"github.com/qiniu/terraform-provider-kodo/internal/acctest"
)

// call calls a function of a provider that was never configured, as Terraform may.
func call(t *testing.T, name string, arguments ...string) (string, *tfprotov6.FunctionError) {
	t.Helper()
	server := providerserver.NewProtocol6(acctest.New(t).NewProvider()())()
	request := &tfprotov6.CallFunctionRequest{Name: name}
	for _, argument := range arguments {
		value, err := tfprotov6.NewDynamicValue(tftypes.String, tftypes.NewValue(tftypes.String, argument))
		if err != nil {
			t.Fatal(err)
		}
		request.Arguments = append(request.Arguments, &value)
	}
	response, err := server.CallFunction(t.Context(), request)
	if err != nil {
		t.Fatal(err)
	}
	if response.Error != nil {
		return "", response.Error
	}
	value, err := response.Result.Unmarshal(tftypes.String)
	if err != nil {
		t.Fatal(err)
	}
	var result string
	if err := value.As(&result); err != nil {
		t.Fatal(err)
	}
	return result, nil
}

// The hashes are those that Kodo's documentation and the tests of its official
// clients publish, the entries those of its documentation; the other expectations
// were worked out by hand, the digits of keys with Python's hashlib.
func TestFunctions(t *testing.T) {
	t.Parallel()
	block := filepath.Join(t.TempDir(), "zeros")
	if err := os.WriteFile(block, make([]byte, 4<<20+1), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		function  string
		arguments []string
		want      string
	}{
		"hash of a text":             {"qetag", []string{"hello"}, "Fqr0xh3cxeii2r7eDztILNmuqUNN"},
		"hash of nothing":            {"qetag", []string{""}, "Fto5o-5ea0sNMlW_75VgGJCv2AcJ"},
		"hash of a file of 2 blocks": {"file_qetag", []string{block}, "lhCFgki5yzon0rjN9uJusf6qtsF6"},
		"entry":                      {"encode_entry", []string{"newdocs", "find_man.txt"}, "bmV3ZG9jczpmaW5kX21hbi50eHQ="},
		"entry with a colon":         {"encode_entry", []string{"newdocs", "find.man:txt"}, "bmV3ZG9jczpmaW5kLm1hbjp0eHQ="},
		"entry of the empty key":     {"encode_entry", []string{"newdocs", ""}, "bmV3ZG9jczo="},
		"saveas":                     {"saveas", []string{"newdocs", "find_man.txt"}, "saveas/bmV3ZG9jczpmaW5kX21hbi50eHQ="},
		"URL":                        {"public_url", []string{"cdn.example.com", "img/logo.svg"}, "https://cdn.example.com/img/logo.svg"},
		"URL of an odd key":          {"public_url", []string{"http://cdn.example.com:8080", "/a b//%+?#&é"}, "http://cdn.example.com:8080//a%20b//%25%2B%3F%23%26%C3%A9"},
		"type":                       {"content_type", []string{"a/b.CSS"}, "text/css"},
		"type of no extension":       {"content_type", []string{"LICENSE"}, "application/octet-stream"},
		"key":                        {"object_key", []string{"voices", "user_123", "2025-01-15T08:00:00Z", "my-voice.mp3"}, "voices/user_123/202501/fe724364.mp3"},
		"key by UTC":                 {"object_key", []string{"a/b", "u", "2025-02-01T01:00:00+08:00", "x.tar.GZ"}, "a/b/u/202501/35d8361a.gz"},
		"key of no extension":        {"object_key", []string{"a", "u", "2025-02-01T01:00:00Z", "Makefile"}, "a/u/202502/8e01903a.bin"},
		"key of a dot file":          {"object_key", []string{"a", "u", "2025-02-01T01:00:00Z", ".env"}, "a/u/202502/7801f9bf.bin"},
		"key of an odd extension":    {"object_key", []string{"a", "u", "2025-02-01T01:00:00Z", "x.m p3"}, "a/u/202502/28f4ff47.bin"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, failed := call(t, tt.function, tt.arguments...)
			if failed != nil || got != tt.want {
				t.Errorf("%s(%q) = %q, %v; want %q", tt.function, tt.arguments, got, failed, tt.want)
			}
		})
	}
}

// A refusal names the argument that is wrong, and what would be accepted.
func TestRefusals(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("k", 751)
	for name, tt := range map[string]struct {
		function  string
		arguments []string
		position  int64
		want      string // part of the text
	}{
		"no file":              {"file_qetag", []string{"no/such/file"}, 0, "no such file"},
		"a folder":             {"file_qetag", []string{t.TempDir()}, 0, "is not a regular file"},
		"bucket":               {"encode_entry", []string{"B", "k"}, 0, `"assets-2024" would be accepted`},
		"long key":             {"encode_entry", []string{"newdocs", long}, 1, "this one has 751"},
		"bucket of saveas":     {"saveas", []string{"", "k"}, 0, "this one has 0"},
		"domain with a path":   {"public_url", []string{"cdn.example.com/x", "k"}, 0, "host[:port]"},
		"long key in a URL":    {"public_url", []string{"cdn.example.com", long}, 1, "this one has 751"},
		"empty category":       {"object_key", []string{"", "u", "2025-01-15T08:00:00Z", "f"}, 0, `"voices" would be accepted`},
		"category with a hole": {"object_key", []string{"a//b", "u", "2025-01-15T08:00:00Z", "f"}, 0, "needs a name"},
		"category going up":    {"object_key", []string{"a/..", "u", "2025-01-15T08:00:00Z", "f"}, 0, "neither . nor .. is one"},
		"owner with a slash":   {"object_key", []string{"a", "u/v", "2025-01-15T08:00:00Z", "f"}, 1, "must not hold a slash"},
		"timestamp":            {"object_key", []string{"a", "u", "yesterday", "f"}, 2, "RFC 3339"},
		"file name with tab":   {"object_key", []string{"a", "u", "2025-01-15T08:00:00Z", "f\t"}, 3, "control characters"},
		"key too long":         {"object_key", []string{long, "u", "2025-01-15T08:00:00Z", "f"}, 0, "at most 750 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, failed := call(t, tt.function, tt.arguments...)
			if failed == nil {
				t.Fatalf("%s(%q) = %q; want a refusal", tt.function, tt.arguments, got)
			}
			if failed.FunctionArgument == nil || *failed.FunctionArgument != tt.position || !strings.Contains(failed.Text, tt.want) {
				t.Errorf("%s(%q) = argument %v: %s; want argument %d: …%s…", tt.function, tt.arguments, failed.FunctionArgument, failed.Text, tt.position, tt.want)
			}
		})
	}
}

// Different arguments give different digits, also where their texts joined are the
// same.
func TestObjectKeyDigits(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, arguments := range [][]string{
		{"a", "bc", "2025-01-15T08:00:00Z", "f.txt"},
		{"ab", "c", "2025-01-15T08:00:00Z", "f.txt"},
		{"a", "bc", "2025-01-15T08:00:01Z", "f.txt"},
		{"a", "bc", "2025-01-15T08:00:00Z", "g.txt"},
	} {
		key, failed := call(t, "object_key", arguments...)
		if failed != nil {
			t.Fatal(failed)
		}
		digits := key[strings.LastIndex(key, "/")+1:]
		if seen[digits] {
			t.Errorf("object_key(%q) = %q, with digits that other arguments gave as well", arguments, key)
		}
		seen[digits] = true
	}
}

// TestAccFunctions calls one function of each shape from a real configuration.
func TestAccFunctions(t *testing.T) {
	t.Parallel()
	h := acctest.New(t)
	h.Test(resource.TestStep{
		Config: h.Config(`
output "hash" { value = provider::kodo::qetag("hello") }
output "ops"  { value = "avthumb/mp4|${provider::kodo::saveas("newdocs", "find_man.txt")}" }
`),
		ConfigStateChecks: []statecheck.StateCheck{
			statecheck.ExpectKnownOutputValue("hash", knownvalue.StringExact("Fqr0xh3cxeii2r7eDztILNmuqUNN")),
			statecheck.ExpectKnownOutputValue("ops", knownvalue.StringExact("avthumb/mp4|saveas/bmV3ZG9jczpmaW5kX21hbi50eHQ=")),
		},
	})
}
