package tfkodo_test

import (
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/qiniu/terraform-provider-kodo/internal/tfkodo"
)

func TestStringValidators(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		rule    validator.String
		valid   []string
		invalid map[string]string // value to what the diagnostic says
	}{
		"BucketName": {
			tfkodo.BucketName(), []string{"assets", "a-1", strings.Repeat("a", 63)},
			map[string]string{"As": `"As"`, "-ab": `for example "assets-2024"`, strings.Repeat("a", 64): "3 to 63"},
		},
		"ObjectKey": {
			tfkodo.ObjectKey(), []string{"", "a/b c.txt", "文件", strings.Repeat("k", 750)},
			map[string]string{strings.Repeat("k", 751): "751"},
		},
		"Domain": {
			tfkodo.Domain(), []string{"cdn.example.com", "cdn.example.com:8080", "http://127.0.0.1:9797", "https://cdn.example.com"},
			map[string]string{"cdn.example.com/x": `for example "cdn.example.com"`, "ftp://cdn.example.com": "ftp", "": `""`},
		},
		"Region":      {tfkodo.Region(), []string{"z0", "cn-east-2"}, map[string]string{"": `for example "z0"`, "East China": "East China"}},
		"ContentType": {tfkodo.ContentType(), []string{"text/html; charset=utf-8"}, map[string]string{"text/html ": `"text/html "`, "": `""`}},
		"Base64":      {tfkodo.Base64(), []string{"", "aGVsbG8="}, map[string]string{"aGVsbG8": "illegal base64", "secret!!": "illegal base64"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			check := func(value types.String) diag.Diagnostics {
				var resp validator.StringResponse
				test.rule.ValidateString(t.Context(), validator.StringRequest{Path: path.Root("argument"), ConfigValue: value}, &resp)
				return resp.Diagnostics
			}
			for _, value := range test.valid {
				if diags := check(types.StringValue(value)); diags.HasError() {
					t.Errorf("%q is refused: %v", value, diags)
				}
			}
			for value, says := range test.invalid {
				diags := check(types.StringValue(value))
				if len(diags) != 1 || !strings.Contains(diags[0].Detail(), says) || !strings.HasPrefix(diags[0].Detail(), "Attribute argument must be ") {
					t.Errorf("%q gives %v, want one that says %q", value, diags, says)
				}
				if len(diags) == 1 && (strings.Contains(diags[0].Detail(), "secret") || len(diags[0].Detail()) > 400) {
					t.Errorf("the diagnostic repeats what it should not: %v", diags)
				}
			}
			if diags := append(check(types.StringNull()), check(types.StringUnknown())...); diags.HasError() {
				t.Errorf("null or unknown is refused: %v", diags)
			}
		})
	}
}

func TestBucketTags(t *testing.T) {
	t.Parallel()
	many := map[string]attr.Value{}
	for _, key := range strings.Split("abcdefghijk", "") {
		many[key] = types.StringValue("x")
	}
	for name, test := range map[string]struct {
		value types.Map
		on    path.Path // where an error is, if one is
		says  string
	}{
		"null":        {types.MapNull(types.StringType), path.Empty(), ""},
		"unknown":     {types.MapUnknown(types.StringType), path.Empty(), ""},
		"empty":       {tagsOf(nil), path.Empty(), ""},
		"good":        {tagsOf(map[string]attr.Value{"team": types.StringValue("web"), "later": types.StringUnknown()}), path.Empty(), ""},
		"eleven":      {tagsOf(many), path.Root("tags"), "11 tags"},
		"reserved":    {tagsOf(map[string]attr.Value{"kodo-x": types.StringUnknown()}), path.Root("tags").AtMapKey("kodo-x"), "kodo"},
		"empty value": {tagsOf(map[string]attr.Value{"team": types.StringValue("")}), path.Root("tags").AtMapKey("team"), "value"},
		"null value":  {tagsOf(map[string]attr.Value{"team": types.StringNull()}), path.Root("tags").AtMapKey("team"), "value"},
		"long value":  {tagsOf(map[string]attr.Value{"team": types.StringValue(strings.Repeat("v", 129))}), path.Root("tags").AtMapKey("team"), "129"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var resp validator.MapResponse
			tfkodo.BucketTags().ValidateMap(t.Context(), validator.MapRequest{Path: path.Root("tags"), ConfigValue: test.value}, &resp)
			if test.says == "" {
				if resp.Diagnostics.HasError() {
					t.Errorf("refused: %v", resp.Diagnostics)
				}
				return
			}
			if len(resp.Diagnostics) != 1 || !strings.Contains(resp.Diagnostics[0].Detail(), test.says) {
				t.Fatalf("diagnostics = %v, want one that says %q", resp.Diagnostics, test.says)
			}
			if with, ok := resp.Diagnostics[0].(diag.DiagnosticWithPath); !ok || !with.Path().Equal(test.on) {
				t.Errorf("the error is not on %s: %v", test.on, resp.Diagnostics[0])
			}
		})
	}
}

func tagsOf(elements map[string]attr.Value) types.Map {
	return types.MapValueMust(types.StringType, elements)
}
