package httpapi

import (
	"github.com/qiniu/terraform-provider-kodo/internal/emulator/engine"
)

// discoveryTTL is how long clients may remember hosts, in seconds. It is small
// because they keep them on disk, and a restarted emulator may be elsewhere.
const discoveryTTL = 10

// Hosts are named without a scheme: clients put in front what their own
// configuration says.
type (
	hosts struct {
		Domains []string `json:"domains"`
		Old     []string `json:"old,omitempty"`
	}
	s3Hosts struct {
		RegionAlias string   `json:"region_alias"`
		Domains     []string `json:"domains"`
	}
	regionHosts struct {
		Region      string   `json:"region,omitempty"`      // in /v4/query
		ID          string   `json:"id,omitempty"`          // in /regions
		Description string   `json:"description,omitempty"` // in /regions
		TTL         int      `json:"ttl"`
		IO          hosts    `json:"io"`
		IOSrc       *hosts   `json:"io_src,omitempty"`
		Up          hosts    `json:"up"`
		RS          hosts    `json:"rs"`
		RSF         hosts    `json:"rsf"`
		API         hosts    `json:"api"`
		UC          hosts    `json:"uc"`
		S3          *s3Hosts `json:"s3,omitempty"`
	}

	mainAndBackup struct {
		Main   []string `json:"main"`
		Backup []string `json:"backup"`
	}
	v2Hosts map[string]mainAndBackup
)

// queryV4 serves GET /v4/query?ak=&bucket=, which is not signed.
func (s *Server) queryV4(c *call) (any, error) {
	bucket, origin, err := s.discover(c)
	if err != nil {
		return nil, err
	}
	region := s.regionHosts()
	region.Region = bucket.Region
	region.IOSrc = &hosts{Domains: []string{origin}}
	region.S3 = &s3Hosts{RegionAlias: s3Alias(bucket.Region), Domains: []string{s.config.Host}}
	return map[string]any{"hosts": []regionHosts{region}}, nil
}

// queryV2 serves GET /v2/query?ak=&bucket=, which is not signed.
func (s *Server) queryV2(c *call) (any, error) {
	bucket, origin, err := s.discover(c)
	if err != nil {
		return nil, err
	}
	own := mainAndBackup{Main: []string{s.config.Host}, Backup: []string{}}
	return map[string]any{
		"region": bucket.Region, "ttl": discoveryTTL,
		"io":     v2Hosts{"src": own},
		"io_src": v2Hosts{"src": {Main: []string{origin}, Backup: []string{}}},
		"up":     v2Hosts{"acc": own, "old_acc": own, "src": own, "old_src": own},
		"rs":     v2Hosts{"acc": own},
		"rsf":    v2Hosts{"acc": own},
		"api":    v2Hosts{"acc": own},
		"uc":     v2Hosts{"acc": own},
	}, nil
}

// queryV1 serves GET /v1/query?ak=&bucket=, which is not signed: whole URLs of the
// hosts for uploads and downloads, as the first clients that asked for them read
// it.
func (s *Server) queryV1(c *call) (any, error) {
	if _, _, err := s.discover(c); err != nil {
		return nil, err
	}
	by := func(scheme string) map[string][]string {
		own := []string{scheme + "://" + s.config.Host}
		return map[string][]string{"io": own, "up": own}
	}
	return map[string]any{"ttl": discoveryTTL, "http": by("http"), "https": by("https")}, nil
}

// discover finds the bucket that a query is about. Kodo answers 612 for an
// access key that it does not know (fact:request-access-key).
func (s *Server) discover(c *call) (bucket engine.Bucket, origin string, err error) {
	accessKey := c.params.Get("ak")
	if !s.verifier.Known(accessKey) {
		return engine.Bucket{}, "", &engine.Error{Code: 612, Message: "app/accesskey is not found"}
	}
	bucket, err = s.engine.Bucket(accessKey, c.params.Get("bucket"))
	if err != nil {
		return engine.Bucket{}, "", err
	}
	origin, err = s.config.Origins.Address(bucket)
	return bucket, origin, err
}

// regions serves GET /regions.
func (s *Server) regions(*call) (any, error) {
	known := engine.Regions()
	regions := make([]regionHosts, len(known))
	for i, region := range known {
		regions[i] = s.regionHosts()
		regions[i].ID, regions[i].Description = region.ID, region.Description
		regions[i].S3 = &s3Hosts{RegionAlias: s3Alias(region.ID), Domains: []string{s.config.Host}}
	}
	return map[string]any{"regions": regions}, nil
}

func (s *Server) regionHosts() regionHosts {
	own := hosts{Domains: []string{s.config.Host}}
	return regionHosts{TTL: discoveryTTL, IO: own, Up: own, RS: own, RSF: own, API: own, UC: own}
}

// s3Alias is a region's name in the S3 interface.
func s3Alias(region string) string {
	switch region {
	case "z0":
		return "cn-east-1"
	case "z1":
		return "cn-north-1"
	case "z2":
		return "cn-south-1"
	case "na0":
		return "us-north-1"
	case "as0":
		return "ap-southeast-1"
	}
	return region
}
