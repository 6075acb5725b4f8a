package policy_test

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/qiniu/terraform-provider-kodo/internal/emulator/policy"
)

func example() policy.Upload {
	key := "dir/\"k\" & <é>"
	return policy.Upload{
		Bucket: "b", Key: &key, ETag: "Fqr0", Size: 50464, MimeType: "image/jpeg", FileName: "photo.of me.JPG", EndUser: "u",
		Custom: map[string]string{"x:a": "1 + 1\n", "x:empty": ""},
	}
}

func vars() policy.Vars {
	value := example().Value
	return func(name string) any {
		if name == "info" {
			return json.RawMessage(`{"w":1,"t":"a"}`)
		}
		return value(name)
	}
}

func TestRenderJSON(t *testing.T) {
	t.Parallel()
	for template, want := range map[string]string{
		`{"key":$(key),"n":$(fsize),"x":$(x:a)}`:                `{"key":"dir/\"k\" & <é>","n":50464,"x":"1 + 1\n"}`,
		`{"key":"$(key)","n":"$(fsize)","x":"-$(x:a)-$(etag)"}`: `{"key":"dir/\"k\" & <é>","n":"50464","x":"-1 + 1\n-Fqr0"}`,
		`{"a":$(x:missing),"b":$(nonsense),"c":"$(x:missing)"}`: `{"a":null,"b":null,"c":""}`,
		`{"a":$(x:empty),"b":"$(x:empty)"}`:                     `{"a":"","b":""}`,
		`{"a":${bucket},"b":"${endUser}"}`:                      `{"a":"b","b":"u"}`,
		`{"a":$(info),"b":"$(info)"}`:                           `{"a":{"w":1,"t":"a"},"b":"{\"w\":1,\"t\":\"a\"}"}`,
		`{"quote \" $(bucket)":"\\","$(bucket)":$(bucket)}`:     `{"quote \" b":"\\","b":"b"}`,
		`{"$(fname)":"$(fprefix)|$(ext)|$(suffix)"}`:            `{"photo.of me.JPG":"photo.of me|.JPG|.JPG"}`,
		`{"year":$(year),"mon":$(mon)}`:                         `{"year":null,"mon":null}`,
		`$(`:                                                    `$(`,
		`$(a"b)$()$[bucket]$`:                                   `$(a"b)$[bucket]$`,
	} {
		if got := policy.RenderJSON(template, vars()); got != want {
			t.Errorf("RenderJSON(%s)\n got %s\nwant %s", template, got, want)
		}
	}
}

func TestRenderForm(t *testing.T) {
	t.Parallel()
	got := policy.RenderForm("key=$(key)&a=$(x:a)&size=$(fsize)&no=$(x:no)&info=$(info)", vars())
	want := "key=dir%2F%22k%22+%26+%3C%C3%A9%3E&a=1+%2B+1%0A&size=50464&no=&info=%7B%22w%22%3A1%2C%22t%22%3A%22a%22%7D"
	if got != want {
		t.Errorf("RenderForm()\n got %s\nwant %s", got, want)
	}
}

func TestRenderText(t *testing.T) {
	t.Parallel()
	// 17:04 UTC is after midnight in Beijing.
	dated := vars().WithTime(time.Date(2026, 12, 31, 17, 4, 5, 0, time.UTC))
	got := policy.RenderText("$(year)-$(mon)-$(day) $(hour):$(min):$(sec)/$(etag)$(ext)/$(x:no)$(key)", dated)
	if want := "2027-01-01 01:04:05/Fqr0.JPG/dir/\"k\" & <é>"; got != want {
		t.Errorf("RenderText() = %q, want %q", got, want)
	}
}

// TestUploadWithoutNames is about an upload of which only the content is known.
func TestUploadWithoutNames(t *testing.T) {
	t.Parallel()
	upload := policy.Upload{Bucket: "b", ETag: "Fqr0", MimeType: "image/jpeg"}
	want := map[string]any{
		"bucket": "b", "key": nil, "etag": "Fqr0", "fsize": int64(0), "mimeType": "image/jpeg", "endUser": nil, "persistentId": nil,
		"fname": nil, "fprefix": nil, "ext": ".jpg", "suffix": nil, "x:a": nil, "avinfo": nil, "exif.Model": nil, "": nil,
	}
	got := map[string]any{}
	for name := range want {
		got[name] = upload.Value(name)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("values (-want +got)\n%s", diff)
	}
}

// FuzzRender looks for templates of which the renderers make something else than
// what they are for.
func FuzzRender(f *testing.F) {
	f.Add(`{"a":$(key),"b":"$(x:v)"}`, "k")
	f.Add(`{"\"$(key)":${x:v}}`, "\"\\\x00\xff")
	f.Add(`$($(key))$(`, "$(bucket)")
	f.Fuzz(func(t *testing.T, template, value string) {
		same := func(string) any { return value }
		if json.Valid([]byte(policy.RenderJSON(template, func(string) any { return "" }))) {
			if got := policy.RenderJSON(template, same); !json.Valid([]byte(got)) {
				t.Errorf("RenderJSON(%q) with %q = %q", template, value, got)
			}
		}
		if !strings.Contains(template, "$") {
			if got := policy.RenderText(template, same); got != template {
				t.Errorf("RenderText(%q) = %q", template, got)
			}
		}
		if got, err := url.ParseQuery(policy.RenderForm("v=$(key)", same)); err != nil || got.Get("v") != value {
			t.Errorf("RenderForm with %q = %q, %v", value, got, err)
		}
	})
}
