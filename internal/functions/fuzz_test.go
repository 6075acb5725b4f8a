package functions_test

import (
	"encoding/base64"
	"net/url"
	"path"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/function"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/qiniu/terraform-provider-kodo/internal/functions"
)

// run runs a function by itself, as often as a fuzzer likes. Terraform's strings
// are UTF-8, so others are no input.
func run(t *testing.T, f function.Function, arguments ...string) (result string, ok bool) {
	t.Helper()
	values := make([]attr.Value, len(arguments))
	for i, argument := range arguments {
		if !utf8.ValidString(argument) {
			return "", false
		}
		values[i] = types.StringValue(argument)
	}
	resp := function.RunResponse{Result: function.NewResultData(types.StringUnknown())}
	f.Run(t.Context(), function.RunRequest{Arguments: function.NewArgumentsData(values)}, &resp)
	if resp.Error != nil {
		return "", false
	}
	text, is := resp.Result.Value().(types.String)
	if !is || text.IsUnknown() {
		t.Fatalf("the result is %v", resp.Result.Value())
	}
	return text.ValueString(), true
}

// A URL is one of the domain whose path is the key again, and nothing else.
func FuzzPublicURL(f *testing.F) {
	for _, key := range []string{"", "a b.txt", "/a//b", "..", "a/../b", "?q#f", "100%", "%2F", "日本.png", "😀", "a+b", "a:b", "\n"} {
		f.Add(key)
	}
	f.Fuzz(func(t *testing.T, key string) {
		text, ok := run(t, functions.NewPublicURL(), "https://cdn.example.com", key)
		if !ok {
			return
		}
		u, err := url.Parse(text)
		if err != nil || u.Host != "cdn.example.com" || u.Path != "/"+key || u.RawQuery != "" || u.Fragment != "" {
			t.Errorf("the URL of %q is %q: %+v, %v", key, text, u, err)
		}
	})
}

// An entry decodes to the bucket and the key.
func FuzzEntry(f *testing.F) {
	for _, key := range []string{"", "a.txt", "a:b", "日本", "\x00"} {
		f.Add("assets", key)
	}
	f.Fuzz(func(t *testing.T, bucket, key string) {
		entry, ok := run(t, functions.NewEncodeEntry(), bucket, key)
		if !ok {
			return
		}
		decoded, err := base64.URLEncoding.DecodeString(entry)
		if err != nil || string(decoded) != bucket+":"+key {
			t.Errorf("the entry of %q and %q is %q: %q, %v", bucket, key, entry, decoded, err)
		}
		if saveas, ok := run(t, functions.NewSaveas(), bucket, key); !ok || saveas != "saveas/"+entry {
			t.Errorf("saveas of %q and %q is %q, %t", bucket, key, saveas, ok)
		}
	})
}

// A key is a clean path of the form that is promised, the same each time.
func FuzzObjectKey(f *testing.F) {
	form := regexp.MustCompile(`/\d{6}/[0-9a-f]{8}\.[0-9a-z]{1,16}$`)
	f.Add("voices", "user_123", "2025-01-15T08:00:00Z", "my-voice.mp3")
	f.Add("a/b", "ü", "0001-01-01T00:00:00+14:00", ".tar.gz")
	f.Add("a", "b", "9999-12-31T12:00:00-12:00", "c") // in UTC in a year of five digits
	f.Add("a", "b", "0000-01-01T00:00:00+14:00", "c") // and in one before all others
	f.Add("..", ".", "9999-12-31T23:59:59-12:00", "a.\x00")
	f.Fuzz(func(t *testing.T, category, owner, timestamp, filename string) {
		key, ok := run(t, functions.NewObjectKey(), category, owner, timestamp, filename)
		if !ok {
			return
		}
		if !form.MatchString(key) || !strings.HasPrefix(key, category+"/"+owner+"/") || path.Clean(key) != key || !utf8.ValidString(key) || len(key) > 750 {
			t.Errorf("the key of %q, %q, %q and %q is %q", category, owner, timestamp, filename, key)
		}
		if again, _ := run(t, functions.NewObjectKey(), category, owner, timestamp, filename); again != key {
			t.Errorf("the key of %q is %q and then %q", filename, key, again)
		}
	})
}
