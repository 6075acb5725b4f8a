package kodo

import (
	"fmt"
	"strings"
)

// CheckDomain says why a text is no download domain: host[:port] or http(s)://host[:port].
func CheckDomain(domain string) error {
	_, err := domainBase("https", domain)
	return err
}

// PublicURL returns the URL of a key at a download domain, which is host[:port] or http(s)://host[:port]. The scheme
// is for a domain that has none.
func PublicURL(scheme, domain, key string) (string, error) {
	base, err := domainBase(scheme, domain)
	if err != nil {
		return "", err
	}
	return base + "/" + escapeKey(key), nil
}

func domainBase(scheme, domain string) (string, error) {
	if !strings.Contains(domain, "://") {
		domain = scheme + "://" + domain
	}
	base, err := parseBase(domain)
	if err != nil {
		return "", fmt.Errorf("a domain is host[:port] or http(s)://host[:port]: %w", err)
	}
	return base.String(), nil
}

// escapeKey escapes every byte of a key that is not plain in every URL. The slash stays, because that is where
// browsers look for the folder of relative links.
func escapeKey(key string) string {
	const digits = "0123456789ABCDEF"
	var b strings.Builder
	b.Grow(len(key))
	for i := range len(key) {
		switch c := key[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', strings.IndexByte("-_.~/", c) >= 0:
			b.WriteByte(c)
		default:
			b.Write([]byte{'%', digits[c>>4], digits[c&15]})
		}
	}
	return b.String()
}
