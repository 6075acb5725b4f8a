package policy_test

import (
	"testing"

	"github.com/qiniu/terraform-provider-kodo/internal/emulator/policy"
)

func TestMime(t *testing.T) {
	t.Parallel()
	const png = "\x89PNG\r\n\x1a\n"
	for _, tt := range []struct {
		detect                     int64
		given, fileName, key, head string
		want                       string
	}{
		{0, "a/b", "f.html", "k.css", png, "a/b"},
		{0, "", "f.HTML", "k.css", png, "text/html"},
		{0, "", "f", "k.css", png, "text/css"},
		{0, "", "f.unknown", "k", png, "image/png"},
		{0, "", "", "", "hello", "text/plain"},
		{0, "", "", "", "", "application/octet-stream"},
		{0, "", "", "", "\x00\x01", "application/octet-stream"},
		{1, "a/b", "f.html", "k.css", png, "image/png"},
		{1, "a/b", "f.css", "k.html", "hello", "text/css"},
		{1, "a/b", "f", "k.html", "\x00\x01", "text/html"},
		{1, "a/b", "f", "k", "hello", "text/plain"},
		{1, "a/b", "f", "k", "", "application/octet-stream"},
		{-1, "a/b", "f.html", "k.css", png, "a/b"},
		{-1, "", "f.html", "k.css", png, "application/octet-stream"},
	} {
		p := policy.Policy{DetectMime: tt.detect}
		if got := p.Mime(tt.given, tt.fileName, tt.key, []byte(tt.head)); got != tt.want {
			t.Errorf("detectMime %d: Mime(%q, %q, %q, %q) = %q, want %q", tt.detect, tt.given, tt.fileName, tt.key, tt.head, got, tt.want)
		}
	}
}

func TestMimeLimit(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		limit, mimeType string
		allowed         bool
	}{
		{"", "a/b", true},
		{"image/*", "image/png", true},
		{"image/*", "imagex/png", false},
		{"image/jpeg;image/png", "image/png", true},
		{"image/jpeg;image/png", "image/gif", false},
		{"!application/json;text/plain", "text/plain", false},
		{"!application/json;text/plain", "application/json", false},
		{"!application/json;text/plain", "image/png", true},
		{"!image/*", "image/png", false},
		{"*", "a/b", true},
		{"!", "a/b", true},
	} {
		err := policy.Policy{MimeLimit: tt.limit}.CheckMime(tt.mimeType)
		if tt.allowed != (err == nil) {
			t.Errorf("CheckMime(%q) with %q = %v, want allowed: %v", tt.mimeType, tt.limit, err, tt.allowed)
		}
		if err != nil && (status(err) != 403 || err.Error() != "limited mimeType: this file type ("+tt.mimeType+") is forbidden to upload") {
			t.Errorf("CheckMime(%q) = %d %v", tt.mimeType, status(err), err)
		}
	}
}
