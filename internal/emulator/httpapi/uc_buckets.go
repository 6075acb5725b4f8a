package httpapi

import (
	"errors"
	"slices"
	"strings"

	"github.com/qiniu/terraform-provider-kodo/internal/emulator/engine"
)

// buckets serves /buckets: all names at once, or pages with apiVersion=v4.
func (s *Server) buckets(c *call) (any, error) {
	if c.params.Get("apiVersion") == "v4" {
		return s.bucketPage(c)
	}
	all, err := c.visibleBuckets()
	if err != nil {
		return nil, err
	}
	wanted, err := parseTagCondition(c.params.Get("tagCondition"))
	if err != nil {
		return nil, err
	}
	names := []string{}
	for _, bucket := range all {
		if wanted.match(bucket.Tags) {
			names = append(names, bucket.Name)
		}
	}
	return names, nil
}

// visibleBuckets returns the buckets that a listing is about. shared=rw or
// false, or nothing, asks for those that the account may change, and shared=rd
// or true for those that it may read (as the official PHP SDK describes it).
// Nobody shares buckets here, so these are the same: the account's own. Any other
// value is refused (fact:bucket-list-shared).
func (c *call) visibleBuckets() ([]engine.Bucket, error) {
	if !slices.Contains([]string{"", "rw", "false", "rd", "true"}, c.params.Get("shared")) {
		return nil, invalidArgument()
	}
	all, err := c.s.engine.Buckets(c.owner)
	return slices.DeleteFunc(all, func(b engine.Bucket) bool { return c.fault.hidesBucket(b.Name) }), err
}

// inRegion returns the buckets of the region that the call asks for, all if it
// names none (fact:bucket-list-region).
func (c *call) inRegion(all []engine.Bucket) []engine.Bucket {
	region := c.params.Get("region")
	return slices.DeleteFunc(all, func(b engine.Bucket) bool { return region != "" && b.Region != region })
}

// tagCondition asks for tags: for one of the key, with the value unless that is
// empty. A bucket must have all of them (as the official Node.js SDK describes
// it).
type tagCondition []engine.Tag

// parseTagCondition parses the base64 of "key=<k>&value=<v>;key=<k>;…". Nothing
// in it is escaped; keys and values can hold neither "&" nor ";". What else there may
// be is fact:bucket-tag-condition.
func parseTagCondition(encoded string) (tagCondition, error) {
	text, err := decodeText(encoded)
	if err != nil || text == "" {
		return nil, err
	}
	var wanted tagCondition
	for one := range strings.SplitSeq(text, ";") {
		key, value, _ := strings.Cut(one, "&")
		key, hasKey := strings.CutPrefix(key, "key=")
		value, hasValue := strings.CutPrefix(value, "value=")
		if !hasKey || key == "" || !hasValue && value != "" || strings.Contains(value, "&") {
			return nil, invalidArgument()
		}
		wanted = append(wanted, engine.Tag{Key: key, Value: value})
	}
	return wanted, nil
}

func (wanted tagCondition) match(tags []engine.Tag) bool {
	for _, want := range wanted {
		if !slices.ContainsFunc(tags, func(tag engine.Tag) bool {
			return tag.Key == want.Key && (want.Value == "" || tag.Value == want.Value)
		}) {
			return false
		}
	}
	return true
}

// bucketPage is the answer of the listing that came with apiVersion=v4.
type bucketPage struct {
	NextMarker  string       `json:"next_marker"`
	IsTruncated bool         `json:"is_truncated"`
	Buckets     []bucketLine `json:"buckets"`
}

type bucketLine struct {
	Name    string `json:"name"`
	Region  string `json:"region"`
	Private bool   `json:"private"`
	Created string `json:"ctime"`
}

func (s *Server) bucketPage(c *call) (any, error) {
	if err := c.refuse("tagCondition"); err != nil {
		return nil, err
	}
	limit, err := c.number("limit", 20)
	if err != nil || limit < 1 || limit > 100 {
		return nil, invalidArgument()
	}
	all, err := c.visibleBuckets()
	if err != nil {
		return nil, err
	}
	marker := c.params.Get("marker")
	page := bucketPage{Buckets: []bucketLine{}}
	for _, bucket := range c.inRegion(all) {
		if bucket.Name <= marker {
			continue
		}
		if len(page.Buckets) == limit {
			page.IsTruncated = true
			page.NextMarker = page.Buckets[limit-1].Name
			break
		}
		page.Buckets = append(page.Buckets, bucketLine{
			Name: bucket.Name, Region: bucket.Region, Private: bucket.Private, Created: created(bucket),
		})
	}
	return page, nil
}

// bucketRow is a bucket in /v2/buckets and /v3/buckets. The numbers by which
// Kodo knows a bucket and its owner (id, itbl, uid) are not there: they cannot be
// made up. The rest is fact:bucket-rows.
type bucketRow struct {
	Name        string `json:"tbl"`
	Region      string `json:"region"`
	Zone        string `json:"zone"` // the region by its old name
	Global      bool   `json:"global"`
	Line        bool   `json:"line"`
	Created     string `json:"ctime"`
	Files       int64  `json:"file_num"`
	Bytes       int64  `json:"storage_size"`
	Permission  int    `json:"perm"`
	Private     int    `json:"private"`
	Versioning  bool   `json:"versioning"`
	NullKey     bool   `json:"allow_nullkey"`
	IsEncrypted bool   `json:"encryption_enabled"`
}

// bucketRows serves /v2/buckets and /v3/buckets.
func (s *Server) bucketRows(c *call) (any, error) {
	all, err := c.detailedBuckets()
	if err != nil {
		return nil, err
	}
	rows := []bucketRow{}
	for _, bucket := range all {
		usage, found, err := c.usage(bucket)
		if err != nil {
			return nil, err
		}
		if !found {
			continue
		}
		rows = append(rows, bucketRow{
			Name: bucket.Name, Region: bucket.Region, Zone: bucket.Region, Created: created(bucket),
			Files: usage.Files, Bytes: usage.Bytes, Private: number(bucket.Private), NullKey: true,
		})
	}
	return rows, nil
}

// bucketSummary is a bucket in /v2/bucketInfos.
type bucketSummary struct {
	Name string         `json:"name"`
	Info map[string]any `json:"info"`
}

// bucketInfos serves /v2/bucketInfos, with statistics if fs=true.
func (s *Server) bucketInfos(c *call) (any, error) {
	statistics, err := c.wantsStatistics()
	if err != nil {
		return nil, err
	}
	all, err := c.detailedBuckets()
	if err != nil {
		return nil, err
	}
	summaries := []bucketSummary{}
	for _, bucket := range all {
		info := infoOfBucket(bucket)
		if statistics {
			found, err := c.addStatistics(bucket, info)
			if err != nil {
				return nil, err
			}
			if !found {
				continue
			}
		}
		summaries = append(summaries, bucketSummary{bucket.Name, info})
	}
	return summaries, nil
}

// wantsStatistics reads the parameter fs, which asks for what a bucket holds at
// this time (fact:bucket-statistics).
func (c *call) wantsStatistics() (bool, error) {
	switch c.params.Get("fs") {
	case "", "false":
		return false, nil
	case "true":
		return true, nil
	}
	return false, invalidArgument()
}

// addStatistics adds them to what bucketInfo says, and reports false for a bucket
// that was dropped meanwhile.
func (c *call) addStatistics(bucket engine.Bucket, info map[string]any) (found bool, err error) {
	usage, found, err := c.usage(bucket)
	info["file_num"], info["storage_size"] = usage.Files, usage.Bytes
	return found, err
}

// detailedBuckets returns the buckets that a listing with details is about. What
// else is known to filter such a listing is refused rather than ignored: "zone"
// is an old spelling; global buckets and "lines" do not exist here, and how Kodo
// lists only those is not known.
func (c *call) detailedBuckets() ([]engine.Bucket, error) {
	if err := c.refuse("zone", "tagCondition"); err != nil {
		return nil, err
	}
	for _, name := range []string{"line", "global"} {
		if c.params.Get(name) == "false" {
			continue
		}
		if err := c.refuse(name); err != nil {
			return nil, err
		}
	}
	all, err := c.visibleBuckets()
	if err != nil {
		return nil, err
	}
	return c.inRegion(all), nil
}

// refuse answers a parameter that is not served here and is not empty with 501
// and its name.
func (c *call) refuse(names ...string) error {
	for _, name := range names {
		if c.params.Get(name) != "" {
			return notImplemented("/" + c.command + "?" + name + "=")
		}
	}
	return nil
}

// usage counts what a bucket holds, and reports false for one that was dropped
// since it was listed.
func (c *call) usage(bucket engine.Bucket) (engine.Usage, bool, error) {
	usage, err := c.s.engine.Usage(c.owner, bucket.Name)
	var refusal *engine.Error
	if errors.As(err, &refusal) && refusal.Code == 631 {
		return engine.Usage{}, false, nil
	}
	return usage, err == nil, err
}
