package datasources_test

import (
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/qiniu/terraform-provider-kodo/internal/acctest"
)

const tokenType = "kodo_upload_token"

// policyOf is the policy of a token, as JSON.
func policyOf(t *testing.T, token any) string {
	t.Helper()
	text, ok := token.(string)
	parts := strings.Split(text, ":")
	if !ok || len(parts) != 3 || parts[0] != acctest.AccessKey {
		t.Fatalf("token = %v; want one of %s", token, acctest.AccessKey)
	}
	policy, err := base64.URLEncoding.DecodeString(parts[2])
	if err != nil {
		t.Fatal(err)
	}
	return string(policy)
}

// Every argument has its place in the policy, written out here as Kodo reads it.
func TestUploadTokenPolicy(t *testing.T) {
	t.Parallel()
	h := acctest.New(t)
	server := h.Server(nil)
	const until = `"deadline":1893456000`
	for name, tt := range map[string]struct {
		config acctest.Values
		want   string
	}{
		"bucket":      {acctest.Values{}, `{"scope":"assets",` + until + `}`},
		"key":         {acctest.Values{"key": "a:b/é"}, `{"scope":"assets:a:b/é",` + until + `}`},
		"empty key":   {acctest.Values{"key": ""}, `{"scope":"assets:",` + until + `}`},
		"insert only": {acctest.Values{"key": "a", "insert_only": true}, `{"scope":"assets:a",` + until + `,"insertOnly":1}`},
		"prefix":      {acctest.Values{"key_prefix": "u/"}, `{"scope":"assets:u/",` + until + `,"isPrefixalScope":1}`},
		"limits": {
			acctest.Values{"min_size": 1, "max_size": 10485760, "mime_types": []any{"image/*", "video/mp4"}, "traffic_limit": 819200},
			`{"scope":"assets",` + until + `,"fsizeMin":1,"fsizeLimit":10485760,"mimeLimit":"image/*;video/mp4","trafficLimit":819200}`,
		},
		"denied":     {acctest.Values{"denied_mime_types": []any{"text/html"}, "detect_mime": "CONTENT"}, `{"scope":"assets",` + until + `,"detectMime":1,"mimeLimit":"!text/html"}`},
		"client":     {acctest.Values{"detect_mime": "CLIENT"}, `{"scope":"assets",` + until + `,"detectMime":-1}`},
		"storage":    {acctest.Values{"storage_class": "ARCHIVE_IR", "delete_after_days": 7}, `{"scope":"assets",` + until + `,"fileType":4,"deleteAfterDays":7}`},
		"save key":   {acctest.Values{"save_key": "u/$(etag)$(ext)", "force_save_key": true}, `{"scope":"assets",` + until + `,"forceSaveKey":true,"saveKey":"u/$(etag)$(ext)"}`},
		"end user":   {acctest.Values{"end_user": "u&<42>"}, `{"scope":"assets",` + until + `,"endUser":"u&<42>"}`},
		"callback":   {acctest.Values{"callback": acctest.Values{"urls": []any{"https://a.example.com/x", "http://b.example.com"}, "host": "c.example.com", "body": `{"k":$(key)}`, "body_type": "application/json"}}, `{"scope":"assets",` + until + `,"callbackUrl":"https://a.example.com/x;http://b.example.com","callbackHost":"c.example.com","callbackBody":"{\"k\":$(key)}","callbackBodyType":"application/json"}`},
		"return":     {acctest.Values{"return": acctest.Values{"url": "https://a.example.com/done", "body": `{"k":$(key)}`}}, `{"scope":"assets",` + until + `,"returnUrl":"https://a.example.com/done","returnBody":"{\"k\":$(key)}"}`},
		"persistent": {acctest.Values{"persistent": acctest.Values{"ops": "avthumb/mp4", "pipeline": "p", "notify_url": "https://a.example.com/n", "type": "IDLE"}}, `{"scope":"assets",` + until + `,"persistentOps":"avthumb/mp4","persistentNotifyUrl":"https://a.example.com/n","persistentPipeline":"p","persistentType":1}`},
		"workflow":   {acctest.Values{"persistent": acctest.Values{"workflow_template_id": "t1"}}, `{"scope":"assets",` + until + `,"persistentWorkflowTemplateID":"t1"}`},
	} {
		t.Run(name, func(t *testing.T) {
			config := acctest.Values{"bucket": "assets", "expires_at": "2030-01-01T00:00:00Z"}.With(tt.config)
			got, diags := server.ReadData(tokenType, config)
			if diags.HasErrors() {
				t.Fatal(diags)
			}
			if diff := cmp.Diff(tt.want, policyOf(t, got["token"])); diff != "" {
				t.Errorf("policy (-want +got):\n%s", diff)
			}
			if got["upload_url"] != h.Endpoint() || got["expires_at"] != "2030-01-01T00:00:00Z" {
				t.Errorf("upload_url = %v, expires_at = %v", got["upload_url"], got["expires_at"])
			}
		})
	}
	if asked := h.Requests(); len(asked) != 0 {
		t.Errorf("a configured endpoint needs no question, but Kodo was asked %v", asked)
	}
}

// Contradictions and wrong values are refused on the argument, before anything is
// signed, and by both kinds alike.
func TestUploadTokenRefusals(t *testing.T) {
	t.Parallel()
	server := acctest.New(t).Server(nil)
	callback := acctest.Values{"urls": []any{"https://a.example.com"}, "body": "k=$(key)"}
	for name, tt := range map[string]struct {
		config acctest.Values
		path   string
	}{
		"key and prefix":        {acctest.Values{"key": "a", "key_prefix": "b"}, "key"},
		"empty prefix":          {acctest.Values{"key_prefix": ""}, "key_prefix"},
		"long key":              {acctest.Values{"key": strings.Repeat("k", 751)}, "key"},
		"two deadlines":         {acctest.Values{"expires_in": "1h", "expires_at": "2030-01-01T00:00:00Z"}, "expires_in"},
		"no duration":           {acctest.Values{"expires_in": "1 day"}, "expires_in"},
		"no instant":            {acctest.Values{"expires_at": "tomorrow"}, "expires_at"},
		"past deadline":         {acctest.Values{"expires_at": "2020-01-01T00:00:00Z"}, "expires_at"},
		"sizes":                 {acctest.Values{"min_size": 11, "max_size": 10}, "min_size"},
		"both lists of types":   {acctest.Values{"mime_types": []any{"image/*"}, "denied_mime_types": []any{"text/*"}}, "denied_mime_types"},
		"no media type":         {acctest.Values{"mime_types": []any{"png"}}, "mime_types"},
		"two media types":       {acctest.Values{"mime_types": []any{"image/png;text/html"}}, "mime_types"},
		"denied by hand":        {acctest.Values{"mime_types": []any{"!image/png"}}, "mime_types"},
		"storage class":         {acctest.Values{"storage_class": "standard"}, "storage_class"},
		"traffic":               {acctest.Values{"traffic_limit": 1}, "traffic_limit"},
		"force without key":     {acctest.Values{"force_save_key": true}, "force_save_key"},
		"save key beside key":   {acctest.Values{"key": "a", "save_key": "b"}, "save_key"},
		"callback and return":   {acctest.Values{"callback": callback, "return": acctest.Values{"body": "{}"}}, "return"},
		"callback without body": {acctest.Values{"callback": acctest.Values{"urls": []any{"https://a.example.com"}}}, "callback.body"},
		"callback without URL":  {acctest.Values{"callback": callback.With(acctest.Values{"urls": []any{}})}, "callback.urls"},
		"callback to a file":    {acctest.Values{"callback": callback.With(acctest.Values{"urls": []any{"file:///etc"}})}, "callback.urls"},
		"empty return":          {acctest.Values{"return": acctest.Values{}}, "return"},
		"ops and workflow":      {acctest.Values{"persistent": acctest.Values{"ops": "a", "workflow_template_id": "b"}}, "persistent"},
		"empty persistent":      {acctest.Values{"persistent": acctest.Values{"pipeline": "p"}}, "persistent"},
		"persistent archive":    {acctest.Values{"persistent": acctest.Values{"ops": "a"}, "storage_class": "ARCHIVE"}, "persistent"},
	} {
		config := acctest.Values{"bucket": "assets"}.With(tt.config)
		for kind, ask := range map[string]func(string, acctest.Values) (acctest.Values, acctest.Diagnostics){
			"data source": server.ReadData, "ephemeral resource": server.OpenEphemeral,
		} {
			t.Run(name+" "+kind, func(t *testing.T) {
				got, diags := ask(tokenType, config)
				if !diags.HasErrors() {
					t.Fatalf("no refusal but %v", got)
				}
				want := tftypes.NewAttributePath()
				for step := range strings.SplitSeq(tt.path, ".") {
					want = want.WithAttributeName(step)
				}
				if at := diags.Errors()[0].Attribute; !strings.HasPrefix(at.String(), want.String()) {
					t.Errorf("refused at %s, not %s: %s", at, want, diags)
				}
			})
		}
	}
}

// What is unknown is no contradiction.
func TestUploadTokenUnknown(t *testing.T) {
	t.Parallel()
	server := acctest.New(t).Server(nil)
	unknown := acctest.Unknown{}
	diags := server.ValidateData(tokenType, acctest.Values{
		"bucket": unknown, "key": unknown, "min_size": 5, "max_size": unknown, "mime_types": unknown, "force_save_key": unknown,
		"expires_in": unknown, "return": unknown, "persistent": acctest.Values{"ops": unknown}, "storage_class": unknown,
	})
	if diags.HasErrors() {
		t.Error(diags)
	}
}

// The deadline is the end of the window and expires_in: the same throughout a
// window, and never less than expires_in from now.
func TestUploadTokenWindow(t *testing.T) {
	t.Parallel()
	h := acctest.New(t)
	for _, tt := range []struct{ now, window, want string }{
		{"2026-11-25T10:00:01Z", "1h", "2026-11-25T11:30:00Z"},
		{"2026-11-25T10:59:59Z", "1h", "2026-11-25T11:30:00Z"},
		{"2026-11-25T11:00:00Z", "1h", "2026-11-25T11:30:00Z"},
		{"2026-11-25T11:00:01Z", "1h", "2026-11-25T12:30:00Z"},
		{"2026-11-25T10:00:01Z", "10m", "2026-11-25T10:40:00Z"},
		{"1970-01-01T00:07:01Z", "7m", "1970-01-01T00:44:00Z"},
	} {
		now, err := time.Parse(time.RFC3339, tt.now)
		if err != nil {
			t.Fatal(err)
		}
		h.SetClock(func() time.Time { return now })
		config := acctest.Values{"bucket": "assets", "expires_in": "30m", "window": tt.window}
		got, diags := h.Server(nil).ReadData(tokenType, config)
		if diags.HasErrors() || got["expires_at"] != tt.want {
			t.Errorf("at %s, window %s: expires_at = %v, %v; want %s", tt.now, tt.window, got["expires_at"], diags, tt.want)
		}
	}
	now := time.Date(2026, 11, 25, 10, 0, 1, 500, time.UTC)
	h.SetClock(func() time.Time { return now })
	got, diags := h.Server(nil).OpenEphemeral(tokenType, acctest.Values{"bucket": "assets", "expires_in": "30m"})
	if diags.HasErrors() || got["expires_at"] != "2026-11-25T10:30:02Z" {
		t.Errorf("ephemeral: expires_at = %v, %v; want 30 minutes from now, rounded up to a second", got["expires_at"], diags)
	}
}

// Without an endpoint of the provider, the region says where to upload, and
// otherwise Kodo is asked, unless the configuration wants none of it.
func TestUploadTokenURL(t *testing.T) {
	t.Parallel()
	h := acctest.New(t, "assets")
	offline := h.Server(acctest.Values{"endpoint": nil, "endpoints": acctest.Values{"uc": "http://127.0.0.1:1"}, "max_retries": 0})
	discovering := h.Server(acctest.Values{"endpoint": nil, "endpoints": acctest.Values{"uc": h.Endpoint()}})
	for name, tt := range map[string]struct {
		server *acctest.Server
		config acctest.Values
		want   any
	}{
		"region":     {offline, acctest.Values{"region": "cn-east-2"}, "https://up-cn-east-2.qiniup.com"},
		"not wanted": {offline, acctest.Values{"find_upload_url": false}, nil},
		"discovered": {discovering, acctest.Values{}, h.Endpoint()},
	} {
		got, diags := tt.server.ReadData(tokenType, acctest.Values{"bucket": "assets"}.With(tt.config))
		if diags.HasErrors() || got["upload_url"] != tt.want {
			t.Errorf("%s: upload_url = %v, %v; want %v", name, got["upload_url"], diags, tt.want)
		}
	}
	for name, tt := range map[string]struct {
		server *acctest.Server
		bucket string
		want   string
	}{
		"unreachable":    {offline, "assets", "Upload URL Not Found"},
		"missing bucket": {discovering, "no-such-bucket", "Upload URL Not Found"},
	} {
		_, diags := tt.server.ReadData(tokenType, acctest.Values{"bucket": tt.bucket})
		if !diags.HasErrors() || diags.Errors()[0].Summary != tt.want || !strings.Contains(diags.Errors()[0].Detail, tt.bucket) {
			t.Errorf("%s: %s; want %s that names the bucket", name, diags, tt.want)
		}
	}
}

// The provider's bucket is the default; without one the refusal says so. While the
// endpoint is not known yet, tokens can be signed all the same.
func TestUploadTokenProvider(t *testing.T) {
	t.Parallel()
	h := acctest.New(t)
	got, diags := h.Server(acctest.Values{"bucket": "assets"}).ReadData(tokenType, acctest.Values{})
	if diags.HasErrors() || got["bucket"] != "assets" {
		t.Errorf("default bucket: %v, %v", got["bucket"], diags)
	}
	if _, diags := h.Server(nil).ReadData(tokenType, acctest.Values{}); !diags.HasErrors() || diags.Errors()[0].Summary != "Bucket Missing" {
		t.Errorf("no bucket: %s", diags)
	}
	unknownEndpoint := h.Server(acctest.Values{"endpoint": acctest.Unknown{}})
	if _, diags := unknownEndpoint.ReadData(tokenType, acctest.Values{"bucket": "assets", "find_upload_url": false}); diags.HasErrors() {
		t.Errorf("unknown endpoint: %s", diags)
	}
	unknownKey := h.Server(acctest.Values{"secret_key": acctest.Unknown{}})
	if _, diags := unknownKey.ReadData(tokenType, acctest.Values{"bucket": "assets", "find_upload_url": false}); !diags.HasErrors() ||
		diags.Errors()[0].Summary != "Provider Configuration Not Known Yet" {
		t.Errorf("unknown key: %s", diags)
	}
}
