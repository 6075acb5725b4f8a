package httpapi

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"github.com/qiniu/terraform-provider-kodo/internal/emulator/engine"
)

// setPrivate serves POST /private, with query or form.
func (s *Server) setPrivate(c *call) (any, error) {
	private, err := c.flag("private")
	if err != nil {
		return nil, err
	}
	return nil, c.updateBucket(func(b *engine.Bucket) { b.Private = private })
}

// setNoIndexPage serves POST /noIndexPage, with query or form.
func (s *Server) setNoIndexPage(c *call) (any, error) {
	noIndexPage, err := c.flag("noIndexPage")
	if err != nil {
		return nil, err
	}
	return nil, c.updateBucket(func(b *engine.Bucket) { b.NoIndexPage = noIndexPage })
}

// setMaxAge serves POST /maxAge. Any whole number is kept, also one that stands
// for the default (fact:bucket-max-age-kept).
func (s *Server) setMaxAge(c *call) (any, error) {
	maxAge, err := strconv.ParseInt(c.params.Get("maxAge"), 10, 64)
	if err != nil {
		return nil, invalidArgument()
	}
	return nil, c.updateBucket(func(b *engine.Bucket) { b.MaxAge = maxAge })
}

// setReferer serves POST /referAntiLeech, with query or form. pattern is a list
// separated by semicolons.
func (s *Server) setReferer(c *call) (any, error) {
	mode, err := c.number("mode", -1)
	if err != nil {
		return nil, err
	}
	referer := engine.Referer{Mode: engine.RefererMode(mode)}
	if referer.AllowEmpty, err = c.optionalFlag("norefer"); err != nil {
		return nil, err
	}
	if referer.Source, err = c.optionalFlag("source_enabled"); err != nil {
		return nil, err
	}
	for pattern := range strings.SplitSeq(c.params.Get("pattern"), ";") {
		if pattern != "" {
			referer.Patterns = append(referer.Patterns, pattern)
		}
	}
	return nil, c.updateBucket(func(b *engine.Bucket) { b.Referer = referer })
}

// setAccessMode serves POST /accessMode/<bucket>/mode/<0|1>, the protection of
// images.
func (s *Server) setAccessMode(c *call) (any, error) {
	if len(c.arguments) != 3 || c.arguments[1] != "mode" || (c.arguments[2] != "0" && c.arguments[2] != "1") {
		return nil, invalidArgument()
	}
	return nil, c.updateNamed(func(b *engine.Bucket) { b.Protected = c.arguments[2] == "1" })
}

// setRemark serves PUT /buckets/<bucket>?remark.
func (s *Server) setRemark(c *call) (any, error) {
	var body struct {
		Remark string `json:"remark"`
	}
	if err := json.Unmarshal(c.body, &body); err != nil {
		return nil, invalidArgument()
	}
	return nil, c.updateNamed(func(b *engine.Bucket) { b.Remark = body.Remark })
}

// quota is the answer of /getbucketquota.
type quota struct {
	Size  int64 `json:"size"` // bytes
	Count int64 `json:"count"`
}

// setQuota serves POST /setbucketquota/<bucket>[/size/<n>][/count/<n>].
func (s *Server) setQuota(c *call) (any, error) {
	name, err := c.argument(0)
	if err != nil {
		return nil, err
	}
	var change engine.Quota
	options := c.arguments[1:]
	if len(options)%2 != 0 {
		return nil, invalidArgument()
	}
	for i := 0; i < len(options); i += 2 {
		number, err := strconv.ParseInt(options[i+1], 10, 64)
		if err != nil {
			return nil, invalidArgument()
		}
		switch options[i] {
		case "size":
			change.Bytes = number
		case "count":
			change.Files = number
		default:
			return nil, invalidArgument()
		}
	}
	return nil, s.engine.SetQuota(c.owner, name, change)
}

// getQuota serves /getbucketquota/<bucket>.
func (s *Server) getQuota(c *call) (any, error) {
	name, err := c.argument(0)
	if err != nil {
		return nil, err
	}
	found, err := s.engine.Quota(c.owner, name)
	if err != nil {
		return nil, err
	}
	return quota{Size: found.Bytes, Count: found.Files}, nil
}

// setCORS serves POST /corsRules/set/<bucket>, which replaces all rules.
func (s *Server) setCORS(c *call) (any, error) {
	var rules []engine.CORSRule
	if err := json.Unmarshal(c.body, &rules); err != nil {
		return nil, invalidArgument()
	}
	return nil, c.updateNamed(func(b *engine.Bucket) { b.CORS = rules })
}

// getCORS serves /corsRules/get/<bucket>. Members that were never sent are there
// as empty lists (fact:bucket-cors-as-is).
func (s *Server) getCORS(c *call) (any, error) {
	name, err := c.argument(0)
	if err != nil {
		return nil, err
	}
	bucket, err := s.engine.Bucket(c.owner, name)
	if err != nil {
		return nil, err
	}
	rules := []engine.CORSRule{}
	for _, rule := range bucket.CORS {
		for _, list := range []*[]string{&rule.Origins, &rule.Methods, &rule.Headers, &rule.Exposed} {
			if *list == nil {
				*list = []string{}
			}
		}
		rules = append(rules, rule)
	}
	return rules, nil
}

// updateBucket changes the settings of the bucket that the parameter names.
func (c *call) updateBucket(change func(*engine.Bucket)) error {
	return c.update(c.params.Get("bucket"), change)
}

// updateNamed changes the settings of the bucket that the path names.
func (c *call) updateNamed(change func(*engine.Bucket)) error {
	name, err := c.argument(0)
	if err != nil {
		return err
	}
	return c.update(name, change)
}

func (c *call) update(bucket string, change func(*engine.Bucket)) error {
	_, err := c.s.engine.UpdateBucket(c.owner, bucket, func(b *engine.Bucket) error {
		change(b)
		return nil
	})
	return err
}

// tags is the body of /bucketTagging, in both directions.
type tags struct {
	Tags []tag `json:"Tags"`
}

type tag struct {
	Key   string `json:"Key"`
	Value string `json:"Value"`
}

// tagging serves GET, PUT and DELETE /bucketTagging. PUT replaces all.
func (s *Server) tagging(c *call) (any, error) {
	switch c.r.Method {
	case http.MethodDelete:
		return nil, c.updateBucket(func(b *engine.Bucket) { b.Tags = nil })
	case http.MethodPut:
		var sent tags
		if err := json.Unmarshal(c.body, &sent); err != nil {
			return nil, invalidArgument()
		}
		return nil, c.updateBucket(func(b *engine.Bucket) {
			b.Tags = nil
			for _, t := range sent.Tags {
				b.Tags = append(b.Tags, engine.Tag{Key: t.Key, Value: t.Value})
			}
		})
	}
	bucket, err := c.bucket()
	if err != nil {
		return nil, err
	}
	answer := tags{Tags: []tag{}}
	for _, t := range bucket.Tags {
		answer.Tags = append(answer.Tags, tag{Key: t.Key, Value: t.Value})
	}
	return answer, nil
}
