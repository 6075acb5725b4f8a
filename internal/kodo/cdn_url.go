package kodo

import (
	"errors"
	"net/url"
	"strings"
)

// CheckCDNURL says why a text is no URL that the CDN can refresh or prefetch: it must be http(s)://host[:port]/… with
// its path and query escaped already, and name one thing, without stars.
func CheckCDNURL(link string) error {
	if err := checkCDNLink(link); err != nil {
		return err
	}
	if strings.Contains(link, "*") {
		return errors.New("it must name one thing: for all below a folder, name the folder among the directories")
	}
	return nil
}

// CheckCDNDir says why a text is no directory that the CDN can refresh: a URL that ends in "/", or in "/*", which is
// the same to the CDN.
func CheckCDNDir(link string) error {
	if err := checkCDNLink(link); err != nil {
		return err
	}
	switch {
	case strings.Contains(link, "?"):
		return errors.New("it must have no query")
	case !strings.HasSuffix(link, "/") && !strings.HasSuffix(link, "/*"):
		return errors.New("it must end in /")
	case strings.Contains(strings.TrimSuffix(link, "/*"), "*"):
		return errors.New("a star is possible at its very end alone, after a /")
	}
	return nil
}

func checkCDNLink(link string) error {
	u, err := parseLink(link)
	if err != nil {
		return err
	}
	if u.Path == "" {
		return errors.New("it must have a path, at least a / after the host")
	}
	return nil
}

// CDNName is what a URL or directory is to the CDN: equal for those that are spelled differently and mean the same.
func CDNName(link string) string {
	u, err := url.Parse(link)
	if err != nil {
		return link
	}
	host := strings.ToLower(u.Host)
	host = strings.TrimSuffix(host, map[string]string{"http": ":80", "https": ":443"}[u.Scheme])
	name := u.Scheme + "://" + host + u.Path
	if strings.HasSuffix(name, "/*") {
		name = strings.TrimSuffix(name, "*")
	}
	if u.RawQuery != "" {
		name += "?" + u.RawQuery
	}
	return name
}
