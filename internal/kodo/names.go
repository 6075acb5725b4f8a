package kodo

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"
)

// Kodo's limits: of texts in bytes, and of the number of a bucket's tags.
const (
	MinBucketName  = 3
	MaxBucketName  = 63
	MaxKey         = 750
	MaxTagKey      = 64
	MaxTagValue    = 128
	MaxBucketTags  = 10
	MaxContentType = 200

	// MaxMetadataName counts without the "!" of a response header; MaxMetadata is that of all names and values.
	MaxMetadataName = 50
	MaxMetadata     = 1024
)

// metadataPrefix is what Kodo's calls have before the name of a metadatum; the answer to a stat does not.
const metadataPrefix = "x-qn-meta-"

// CheckBucketName says why Kodo would not create a bucket of this name.
func CheckBucketName(name string) error {
	switch {
	case len(name) < MinBucketName || len(name) > MaxBucketName:
		return fmt.Errorf("a bucket name has %d to %d characters, this one has %d", MinBucketName, MaxBucketName, len(name))
	case !only(name, isBucketByte):
		return errors.New("a bucket name holds lower-case letters a to z, digits and hyphens only")
	case name[0] == '-' || name[len(name)-1] == '-':
		return errors.New("a bucket name begins and ends with a letter or a digit")
	}
	return nil
}

func isBucketByte(b byte) bool {
	return 'a' <= b && b <= 'z' || '0' <= b && b <= '9' || b == '-'
}

// checkBucketInURL keeps a name from changing the meaning of a URL. It is wider than CheckBucketName, because buckets
// of long ago may have other names; no bucket at all is for calls that concern none.
func checkBucketInURL(name string) error {
	if only(name, func(b byte) bool {
		return isBucketByte(b) || 'A' <= b && b <= 'Z' || b == '_' || b == '.'
	}) {
		return nil
	}
	return fmt.Errorf("%q is no name of a bucket", name)
}

func only(s string, allowed func(byte) bool) bool {
	for i := range len(s) {
		if !allowed(s[i]) {
			return false
		}
	}
	return true
}

// CheckRegion says why a text cannot be the id of a region. Regions come and go, so it knows none by name.
func CheckRegion(id string) error {
	if id == "" || !only(id, isBucketByte) {
		return errors.New("a region id holds lower-case letters a to z, digits and hyphens, such as z0 or cn-east-2")
	}
	return nil
}

// CheckKey says why Kodo would not store an object under this key. The empty key is legal.
func CheckKey(key string) error {
	switch {
	case len(key) > MaxKey:
		return fmt.Errorf("a key has at most %d bytes of UTF-8, this one has %d", MaxKey, len(key))
	case !utf8.ValidString(key):
		return errors.New("a key must be UTF-8")
	}
	return nil
}

func isTagText(s string) bool {
	return s != "" && only(s, func(b byte) bool {
		return isBucketByte(b) || 'A' <= b && b <= 'Z' || strings.IndexByte(" +-=._:/@", b) >= 0
	})
}

// CheckTag says why Kodo would not accept a tag of a bucket.
func CheckTag(key, value string) error {
	switch {
	case len(key) > MaxTagKey:
		return fmt.Errorf("the key of a tag has at most %d bytes, %q has %d", MaxTagKey, key, len(key))
	case strings.HasPrefix(key, "kodo"):
		return fmt.Errorf("the key of a tag must not begin with kodo, as %q does: Kodo reserves that", key)
	case !isTagText(key):
		return fmt.Errorf("the key of a tag holds letters, digits, spaces and + - = . _ : / @, at least one; %q does not", key)
	case len(value) > MaxTagValue:
		return fmt.Errorf("the value of a tag has at most %d bytes, that of %q has %d", MaxTagValue, key, len(value))
	case !isTagText(value):
		return fmt.Errorf("the value of a tag holds letters, digits, spaces and + - = . _ : / @, at least one; that of %q does not", key)
	}
	return nil
}

// CheckContentType says why a text cannot be the content type of an object. It need not be a registered media type:
// Kodo stores what other tools call one, such as "image".
func CheckContentType(contentType string) error {
	switch {
	case contentType == "":
		return errors.New("a content type is not empty")
	case len(contentType) > MaxContentType:
		return fmt.Errorf("a content type has at most %d characters, this one has %d", MaxContentType, len(contentType))
	case !only(contentType, func(b byte) bool { return ' ' <= b && b <= '~' && b != '%' }):
		return errors.New("a content type holds printable ASCII characters other than %")
	case strings.TrimSpace(contentType) != contentType: // no header keeps them
		return errors.New("a content type does not begin or end with a space")
	}
	return nil
}

// CheckHeaderValue says why a text cannot be the value of a header of downloads.
func CheckHeaderValue(value string) error {
	switch {
	case value == "":
		return errors.New("a header has a value")
	case !only(value, func(b byte) bool { return ' ' <= b && b <= '~' }):
		return errors.New("a header holds printable ASCII characters")
	case strings.TrimSpace(value) != value: // no header keeps them
		return errors.New("a header does not begin or end with a space")
	}
	return nil
}

// CheckMetadata says why Kodo would not keep metadata of an object. Its names are those that a stat answers with,
// without the "x-qn-meta-" of Kodo's calls; a "!" before a name sets that header of downloads, such as
// "!Cache-Control".
func CheckMetadata(metadata map[string]string) error {
	total := 0
	for _, name := range slices.Sorted(maps.Keys(metadata)) {
		value := metadata[name]
		bare, header := strings.CutPrefix(name, "!")
		switch {
		case bare == "" || len(bare) > MaxMetadataName:
			return fmt.Errorf("the name of a metadatum has 1 to %d characters, %q has %d", MaxMetadataName, name, len(bare))
		case !only(bare, func(b byte) bool { return isBucketByte(b) || 'A' <= b && b <= 'Z' || b == '_' }):
			return fmt.Errorf("the name of a metadatum holds letters, digits, hyphens and underscores only, %q does not", name)
		case !utf8.ValidString(value):
			return fmt.Errorf("the value of the metadatum %q must be UTF-8", name)
		case header && strings.ContainsAny(value, "\r\n\x00"):
			return fmt.Errorf("the value of the header %q must be one line", bare)
		}
		total += len(name) + len(value)
	}
	if total > MaxMetadata {
		return fmt.Errorf("the names and values of metadata have at most %d bytes altogether, these have %d", MaxMetadata, total)
	}
	return nil
}
