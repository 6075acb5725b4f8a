package tfkodo

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-framework-validators/helpers/validatordiag"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/qiniu/terraform-provider-kodo/internal/kodo"
)

// BucketName is Kodo's rule for names of buckets.
func BucketName() validator.String {
	return StringRule(fmt.Sprintf(`must be the name of a bucket: %d to %d lower case letters, digits and hyphens, `+
		`with a letter or a digit at both ends, for example "assets-2024"`, kodo.MinBucketName, kodo.MaxBucketName), kodo.CheckBucketName)
}

// ObjectKey is Kodo's rule for keys of objects.
func ObjectKey() validator.String {
	return HiddenStringRule(fmt.Sprintf(`must be the key of an object: at most %d bytes of UTF-8, for example "css/site.css"`, kodo.MaxKey), kodo.CheckKey)
}

// Domain accepts the one form that a download domain has everywhere.
func Domain() validator.String {
	return HiddenStringRule(`must be a download domain: a host with or without port, and with or without http:// or https://, `+
		`for example "cdn.example.com" or "http://127.0.0.1:9797"`, checkDomain)
}

// checkDomain repeats a wrong domain, but not one that holds a password.
func checkDomain(s string) error {
	switch {
	case strings.Contains(s, "@"):
		return errors.New("a domain with a user name or a password")
	case kodo.CheckDomain(s) != nil:
		return fmt.Errorf("%q", s)
	}
	return nil
}

// Region is Kodo's rule for the names of regions.
func Region() validator.String {
	return StringRule(`must be the name of a region, for example "z0" or "cn-east-2"`, kodo.CheckRegion)
}

// ContentType accepts a media type.
func ContentType() validator.String {
	return StringRule(`must be a media type of 1 to 200 printable ASCII characters other than %, without a space at either end, `+
		`for example "text/html; charset=utf-8"`, kodo.CheckContentType)
}

// HeaderValue accepts the value of a header of downloads.
func HeaderValue() validator.String {
	return StringRule(`must be the value of an HTTP header: printable ASCII, or what is encoded as such, without a space at either end, `+
		`for example "public, max-age=3600"`, kodo.CheckHeaderValue)
}

// Base64 accepts standard base64 with padding, what Terraform's base64encode
// and filebase64 return.
func Base64() validator.String {
	return HiddenStringRule(`must be standard base64 with padding, for example the result of filebase64("logo.png")`, func(s string) error {
		_, err := base64.StdEncoding.DecodeString(s)
		return err
	})
}

// Duration accepts a positive duration of at least a second, as Go writes it.
func Duration() validator.String {
	return StringRule(`must be a duration of at least one second, for example "90s" or "24h"`, func(s string) error {
		d, err := time.ParseDuration(s)
		if err == nil && d < time.Second {
			err = errors.New("less than a second")
		}
		return err
	})
}

// Instant accepts an RFC 3339 instant.
func Instant() validator.String {
	return StringRule(`must be an RFC 3339 instant, for example "2027-01-31T00:00:00Z"`, func(s string) error {
		_, err := time.Parse(time.RFC3339, s)
		return err
	})
}

// httpURL accepts an absolute URL that Kodo can call.
func httpURL() validator.String {
	return HiddenStringRule(`must be an absolute URL of http or https, for example "https://example.com/uploaded"`, func(s string) error {
		u, err := url.Parse(s)
		switch {
		case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
			return errors.New("something else")
		case strings.Contains(s, ";"):
			return errors.New("a URL with a semicolon, at which Kodo cuts")
		}
		return nil
	})
}

// mimePattern accepts a media type whose second half may be a star.
func mimePattern() validator.String {
	return StringRule(`must be a media type, or its first half and a star, for example "image/png" or "image/*"`, func(s string) error {
		if !regexp.MustCompile(`^[A-Za-z0-9!#$&^_.+-]+/([A-Za-z0-9!#$&^_.+-]+|\*)$`).MatchString(s) || s[0] == '!' {
			return errors.New("no such pattern")
		}
		return nil
	})
}

// oneOf accepts the words that a table translates.
func oneOf(words map[string]int) validator.String {
	return stringvalidator.OneOf(slices.Sorted(maps.Keys(words))...)
}

// StringRule makes a validator of a rule. The description completes the
// sentence that begins with the attribute's name, and holds an accepted
// example. Null and unknown values pass.
func StringRule(description string, check func(string) error) validator.String {
	return stringRule{description: description, check: check}
}

// HiddenStringRule is a StringRule for values that are too secret or too long
// to be repeated: the diagnostic holds what check says instead of the value.
func HiddenStringRule(description string, check func(string) error) validator.String {
	return stringRule{description: description, check: check, hidden: true}
}

type stringRule struct {
	description string
	check       func(string) error
	hidden      bool
}

func (r stringRule) Description(context.Context) string { return r.description }

func (r stringRule) MarkdownDescription(context.Context) string { return r.description }

func (r stringRule) ValidateString(_ context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	if req.ConfigValue.IsNull() || req.ConfigValue.IsUnknown() {
		return
	}
	err := r.check(req.ConfigValue.ValueString())
	if err == nil {
		return
	}
	got := req.ConfigValue.String()
	if r.hidden {
		got = err.Error()
	}
	resp.Diagnostics.Append(validatordiag.InvalidAttributeValueDiagnostic(req.Path, r.description, got))
}

// Metadata is Kodo's rule for the metadata of an object that are no headers.
func Metadata() validator.Map { return metadata{} }

type metadata struct{}

func (metadata) Description(context.Context) string {
	return fmt.Sprintf(`must be accepted by Kodo as metadata: names of letters, digits, hyphens and underscores, and no more than %d bytes altogether, `+
		`for example { owner = "harbour" }`, kodo.MaxMetadata)
}

func (r metadata) MarkdownDescription(ctx context.Context) string { return r.Description(ctx) }

func (r metadata) ValidateMap(ctx context.Context, req validator.MapRequest, resp *validator.MapResponse) {
	if req.ConfigValue.IsNull() || req.ConfigValue.IsUnknown() {
		return
	}
	known := map[string]string{}
	for key, value := range req.ConfigValue.Elements() {
		refuse := func(says string) {
			resp.Diagnostics.Append(validatordiag.InvalidAttributeValueDiagnostic(req.Path.AtMapKey(key), r.Description(ctx), says))
		}
		text, _ := value.(types.String)
		switch {
		case strings.HasPrefix(key, "!"):
			refuse(fmt.Sprintf("%q, which Kodo takes for a response header: headers are arguments of their own, such as cache_control", key))
		case text.IsNull():
			refuse(fmt.Sprintf("null for %q: leave the name out instead", key))
		default:
			known[key] = text.ValueString() // "" while it is unknown: the name can be judged already
		}
	}
	if resp.Diagnostics.HasError() {
		return
	}
	if err := kodo.CheckMetadata(known); err != nil {
		resp.Diagnostics.Append(validatordiag.InvalidAttributeValueDiagnostic(req.Path, r.Description(ctx), err.Error()))
	}
}

// BucketTags is Kodo's rule for the tags of a bucket.
func BucketTags() validator.Map { return bucketTags{} }

type bucketTags struct{}

func (bucketTags) Description(context.Context) string {
	return fmt.Sprintf(`must be accepted by Kodo as a tag, of which a bucket has at most %d, for example { team = "web" }`, kodo.MaxBucketTags)
}

func (r bucketTags) MarkdownDescription(ctx context.Context) string { return r.Description(ctx) }

func (r bucketTags) ValidateMap(ctx context.Context, req validator.MapRequest, resp *validator.MapResponse) {
	if req.ConfigValue.IsNull() || req.ConfigValue.IsUnknown() {
		return
	}
	tags := req.ConfigValue.Elements()
	if len(tags) > kodo.MaxBucketTags {
		resp.Diagnostics.Append(validatordiag.InvalidAttributeValueDiagnostic(req.Path, r.Description(ctx), fmt.Sprintf("%d tags", len(tags))))
	}
	for key, value := range tags {
		text, ok := value.(types.String)
		if !ok || text.IsUnknown() {
			text = types.StringValue("unknown") // a value that passes: the key can be judged already
		}
		if err := kodo.CheckTag(key, text.ValueString()); err != nil {
			resp.Diagnostics.Append(validatordiag.InvalidAttributeValueDiagnostic(req.Path.AtMapKey(key), r.Description(ctx), err.Error()))
		}
	}
}
