package httpapi

import (
	"time"

	"github.com/qiniu/terraform-provider-kodo/internal/emulator/engine"
)

// createBucket serves POST /mkbucketv3/<bucket>[/region/<id>][/private/true].
func (s *Server) createBucket(c *call) (any, error) {
	name, err := c.argument(0)
	if err != nil {
		return nil, err
	}
	var region string
	var private bool
	options := c.arguments[1:]
	if len(options)%2 != 0 {
		return nil, invalidArgument()
	}
	for i := 0; i < len(options); i += 2 {
		switch value := options[i+1]; options[i] {
		case "region":
			region = value
		case "private":
			if value != "true" && value != "false" {
				return nil, invalidArgument()
			}
			private = value == "true"
		default: // "nodomain" among them.
			return nil, notImplemented("/mkbucketv3/…/" + options[i])
		}
	}
	_, err = s.engine.CreateBucket(c.owner, name, region, private)
	return nil, err
}

// dropBucket serves POST /drop/<bucket>.
func (s *Server) dropBucket(c *call) (any, error) {
	name, err := c.argument(0)
	if err != nil {
		return nil, err
	}
	if err := s.engine.DropBucket(c.owner, name); err != nil {
		return nil, err
	}
	s.config.Origins.Drop(name)
	return nil, nil
}

// created is a time that can be parsed: some clients fail where it is empty.
func created(bucket engine.Bucket) string { return bucket.Created.UTC().Format(time.RFC3339) }

// bucketInfo serves /v2/bucketInfo, with statistics if fs=true.
func (s *Server) bucketInfo(c *call) (any, error) {
	statistics, err := c.wantsStatistics()
	if err != nil {
		return nil, err
	}
	bucket, err := c.bucket()
	if err != nil {
		return nil, err
	}
	info := infoOfBucket(bucket)
	if statistics {
		if _, err := c.addStatistics(bucket, info); err != nil {
			return nil, err
		}
	}
	return info, nil
}

// infoOfBucket returns what bucketInfo and bucketInfos say of a bucket. Fields
// that the Go SDK spells in another way than the service are there in both
// spellings (fact:bucket-info-spellings).
func infoOfBucket(bucket engine.Bucket) map[string]any {
	referer := bucket.Referer
	lists := map[engine.RefererMode]any{referer.Mode: referer.Patterns}
	return map[string]any{
		"private":       number(bucket.Private),
		"no_index_page": number(bucket.NoIndexPage),
		"region":        bucket.Region,
		"zone":          bucket.Region,
		"ctime":         created(bucket),

		"protected": number(bucket.Protected),
		"remark":    bucket.Remark,
		"max_age":   bucket.MaxAge,

		"anti_leech_mode": referer.Mode, "source_enabled": referer.Source,
		"refer_wl": lists[engine.RefererAllow], "refer_bl": lists[engine.RefererDeny],
		"no_refer": referer.AllowEmpty, "allow_empty_referer": referer.AllowEmpty,

		// Settings that cannot be changed here, as a new bucket has them.
		"source": "", "host": "", "expires": 0, "separator": "", "styles": nil,
		"token_anti_leech": 0, "token_anti_leech_mode": 0,
		"mac_key": "", "mac_key2": "", "global": false, "perm": 0, "versioning": false,
		"allow_nullkey": true, "encryption_enabled": false,
	}
}

// number is how Kodo writes most switches of a bucket.
func number(on bool) int {
	if on {
		return 1
	}
	return 0
}

// bucket returns the bucket that the parameter bucket or tbl names.
func (c *call) bucket() (engine.Bucket, error) {
	name := c.params.Get("bucket")
	if name == "" {
		name = c.params.Get("tbl")
	}
	return c.s.engine.Bucket(c.owner, name)
}
