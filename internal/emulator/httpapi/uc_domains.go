package httpapi

import "github.com/qiniu/terraform-provider-kodo/internal/emulator/engine"

// domainNames serves /v2/domains and the older /v6/domain/list: the names of the
// download domains, the one that every bucket has from the beginning first.
func (s *Server) domainNames(c *call) (any, error) {
	bucket, err := c.bucket()
	if err != nil {
		return nil, err
	}
	return s.domainsOf(bucket)
}

func (s *Server) domainsOf(bucket engine.Bucket) ([]string, error) {
	own, err := s.config.Origins.Address(bucket)
	if err != nil {
		return nil, err
	}
	return append([]string{own}, bucket.Domains...), nil
}

// domain is a domain in /v3/domains and /v7/domain/list.
type domain struct {
	Domain      string   `json:"domain"`
	Bucket      string   `json:"tbl"`
	Owner       int      `json:"uid"`
	Refresh     bool     `json:"refresh"`
	Created     int64    `json:"ctime"`
	Updated     int64    `json:"utime"`
	Type        int      `json:"domaintype"` // 0 CDN, 1 source
	Scope       int      `json:"apiscope"`
	FreezeTypes []string `json:"freeze_types"`
	Global      bool     `json:"global"`
}

// domains serves /v3/domains and the older /v7/domain/list, the same with details
// (fact:bucket-domain-lists).
func (s *Server) domains(c *call) (any, error) {
	bucket, err := c.bucket()
	if err != nil {
		return nil, err
	}
	names, err := s.domainsOf(bucket)
	if err != nil {
		return nil, err
	}
	domains := make([]domain, len(names))
	for i, name := range names {
		domains[i] = domain{
			Domain: name, Bucket: bucket.Name, Type: 1,
			Created: bucket.Created.Unix(), Updated: bucket.Created.Unix(),
		}
	}
	return domains, nil
}

// publish serves POST /publish, which binds a domain to a bucket
// (fact:bucket-publish).
func (s *Server) publish(c *call) (any, error) {
	return nil, s.engine.BindDomain(c.owner, c.params.Get("tbl"), c.params.Get("domain"))
}

// domainList serves /v6/domain/list and /v7/domain/list.
func (s *Server) domainList(c *call) (any, error) {
	switch {
	case len(c.arguments) != 1 || c.arguments[0] != "list":
		return nil, notImplemented(c.r.Method + " " + c.path)
	case c.command == "v6/domain":
		return s.domainNames(c)
	}
	return s.domains(c)
}
