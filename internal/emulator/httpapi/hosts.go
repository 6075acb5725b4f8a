package httpapi

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"github.com/qiniu/terraform-provider-kodo/internal/emulator/engine"
)

// place is what the host of a request says about it.
type place struct {
	download bool   // a download domain: serves downloads and nothing else
	bucket   string // whose; empty when the domain is like one but belongs to nobody
	domain   string // the bound domain, if it is one: what comes in by others has no CDN in front
	region   string // of one of Kodo's own hosts that are a region's; otherwise empty
	foreign  bool   // a host of somebody else, for which the server is asked to be a proxy
}

// placeOf lets the Host decide before the path. Requests come in by the address
// of the server or by any name that leads to it, from clients that have it for a
// proxy (they send absolute URLs), and by the names of Kodo's own hosts.
func (s *Server) placeOf(r *http.Request) (place, error) {
	if local, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr); ok {
		if bucket, origin := s.config.Origins.Bucket(local); origin {
			return place{download: true, bucket: bucket}, nil
		}
	}
	if r.Host == s.config.Host {
		return place{}, nil
	}
	name := strings.ToLower(r.Host)
	if host, _, err := net.SplitHostPort(name); err == nil {
		name = host
	}
	for _, host := range []string{r.Host, name} {
		bound, found, err := s.engine.BucketByDomain(host)
		if err != nil {
			return place{}, err
		}
		if found {
			return place{download: true, bucket: bound.Name, domain: host}, nil
		}
	}
	if bucket, ok := strings.CutSuffix(name, ".localhost"); ok {
		return place{download: true, bucket: bucket}, nil
	}
	if bucket, ok := s.originOf(r.Host); ok {
		return place{download: true, bucket: bucket}, nil
	}
	region, official := officialHost(name)
	return place{region: region, foreign: r.URL.IsAbs() && !official && !isLoopback(name)}, nil
}

// originOf returns the bucket whose download listener has this address, for
// clients that reach it through the server as their proxy.
func (s *Server) originOf(host string) (bucket string, ok bool) {
	address, err := netip.ParseAddrPort(host)
	if err != nil || !address.Addr().IsLoopback() {
		return "", false
	}
	bucket, _ = s.config.Origins.Bucket(net.TCPAddrFromAddrPort(address))
	return bucket, bucket != ""
}

func isLoopback(name string) bool {
	address, err := netip.ParseAddr(strings.Trim(name, "[]"))
	return name == "localhost" || err == nil && address.IsLoopback()
}

// officialHost reports whether name is one of Kodo's hosts, and the region that it
// belongs to, if it is one that takes uploads: those alone are known to refuse the
// buckets of other regions. Which service a request is for, its path says.
func officialHost(name string) (region string, ok bool) {
	first, domain, _ := strings.Cut(name, ".")
	if slices.Contains(officialDomains(first), domain) {
		region = engine.Regions()[0].ID // The oldest region's hosts do not name it.
	} else {
		first, region, _ = strings.Cut(first, "-")
		if !slices.Contains(officialDomains(first), domain) ||
			!slices.ContainsFunc(engine.Regions(), func(r engine.Region) bool { return r.ID == region }) {
			return "", false
		}
	}
	if first != "up" && first != "upload" {
		region = ""
	}
	return region, true
}

// officialDomains returns the domains in which Kodo has hosts of this name, as the
// clients and their tables of regions know them.
func officialDomains(first string) []string {
	switch first {
	case "uc":
		return []string{"qiniuapi.com", "qbox.me"}
	case "kodo-config", "fusion":
		return []string{"qiniuapi.com"}
	case "rs", "rsf", "api":
		return []string{"qiniuapi.com", "qbox.me", "qiniu.com"}
	case "up", "upload":
		return []string{"qiniup.com", "qbox.me", "qiniu.com"}
	case "iovip":
		return []string{"qiniuio.com", "qbox.me"}
	}
	return nil
}

// foreignRoute refuses to be a proxy to hosts that are neither Kodo's nor a
// bucket's.
func foreignRoute(host string) route {
	return route{service: serviceIO, targets: nowhere, handle: func(*call) (any, error) {
		return nil, &engine.Error{
			Code:    http.StatusBadGateway,
			Message: fmt.Sprintf("%s is neither a host of Kodo nor a domain of a bucket, and this emulator reaches no others", host),
		}
	}}
}

// tunnelRoute refuses CONNECT, by which proxies are asked for https.
func tunnelRoute() route {
	return route{service: serviceIO, targets: nowhere, handle: func(*call) (any, error) {
		return nil, &engine.Error{
			Code:    http.StatusNotImplemented,
			Message: "CONNECT is not implemented: this emulator speaks http only, so tell the client not to use https",
		}
	}}
}
