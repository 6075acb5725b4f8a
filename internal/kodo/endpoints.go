package kodo

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync/atomic"
)

// A service is one of Kodo's families of hosts.
type service string

const (
	serviceUC  service = "uc"  // buckets, and discovery of the other services' hosts
	serviceUp  service = "up"  // uploads
	serviceRS  service = "rs"  // objects
	serviceRSF service = "rsf" // listings
	serviceCDN service = "cdn" // refresh, prefetch and logs; one host for all buckets
	// serviceOrigin is where a bucket's objects are downloaded without any domain of its owner's. It is found by
	// discovery alone: its host says which bucket is meant.
	serviceOrigin service = "io_src"
)

// Endpoints are the base URLs of Kodo's services, such as "http://127.0.0.1:9797". A service without one is found by
// asking UC for the hosts of the bucket; UC and CDN without one are Qiniu's public cloud.
type Endpoints struct {
	UC, Up, RS, RSF, IO, API, CDN string
}

// publicUC are the hosts of the service UC in Qiniu's public cloud, in the order of preference.
func publicUC() []string {
	return []string{"https://uc.qiniuapi.com", "https://kodo-config.qiniuapi.com", "https://uc.qbox.me"}
}

// CheckEndpoint says what is wrong with a base URL.
func CheckEndpoint(endpoint string) error {
	_, err := parseBase(endpoint)
	return err
}

// hosts returns the services that need no discovery, and whether discovered hosts are spoken to without TLS: that
// follows UC, which names them.
func (e Endpoints) hosts() (map[service]*hosts, bool, error) {
	all := map[service]*hosts{serviceUC: newHosts(publicUC()), serviceCDN: newHosts([]string{publicCDN})}
	insecure := false
	for _, given := range []struct {
		service  service
		endpoint string
	}{
		{serviceUC, e.UC}, {serviceUp, e.Up}, {serviceRS, e.RS}, {serviceRSF, e.RSF},
		{"io", e.IO}, {"api", e.API}, {serviceCDN, e.CDN},
	} {
		if given.endpoint == "" {
			continue
		}
		base, err := parseBase(given.endpoint)
		if err != nil {
			return nil, false, fmt.Errorf("endpoint of the service %s: %w", given.service, err)
		}
		all[given.service] = newHosts([]string{base.String()})
		if given.service == serviceUC {
			insecure = base.Scheme == "http"
		}
	}
	return all, insecure, nil
}

// parseBase reads http(s)://host[:port].
func parseBase(base string) (*url.URL, error) {
	if strings.Contains(base, "@") {
		return nil, errors.New("it must hold no user name and no password") // and is not repeated
	}
	u, err := url.Parse(strings.TrimSuffix(base, "/"))
	switch {
	case err != nil:
		return nil, fmt.Errorf("%q is not a URL", base)
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, fmt.Errorf("%q must begin with http:// or https://", base)
	case u.Hostname() == "" || strings.HasSuffix(u.Host, ":"):
		return nil, fmt.Errorf("%q names no host", base)
	case !only(u.Host, isHostByte):
		return nil, fmt.Errorf("the host of %q holds characters other than letters, digits, hyphens and dots", base)
	case u.Path != "" || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || strings.Contains(base, "#"):
		return nil, fmt.Errorf("%q must be a scheme, a host and perhaps a port, and nothing else", base)
	}
	return u, nil
}

func isHostByte(b byte) bool {
	return isBucketByte(b) || 'A' <= b && b <= 'Z' || strings.IndexByte("._:[]", b) >= 0
}

// hosts are the base URLs of one service. A host that fails gives way to the next one, for all callers.
type hosts struct {
	urls  []string
	first atomic.Uint32
}

type host struct {
	url   string
	index uint32
}

func newHosts(urls []string) *hosts {
	return &hosts{urls: urls}
}

func (h *hosts) current() host {
	i := h.first.Load()
	return host{h.urls[int(i)%len(h.urls)], i}
}

// avoid moves on to the next host, unless somebody else has done so already.
func (h *hosts) avoid(failed host) {
	h.first.CompareAndSwap(failed.index, failed.index+1)
}

// name returns the host without its scheme.
func (h host) name() string {
	_, name, found := strings.Cut(h.url, "://")
	if !found {
		return h.url
	}
	return name
}
