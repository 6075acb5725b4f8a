package engine

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/qiniu/terraform-provider-kodo/internal/emulator/store"
)

// Region is a place where buckets can be.
type Region struct{ ID, Description string }

// Regions returns Kodo's regions, as documented in November 2025. The first is
// where a bucket is made when the request names none.
func Regions() []Region {
	return []Region{
		{"z0", "华东-浙江"},
		{"cn-east-2", "华东-浙江2"},
		{"z1", "华北-河北"},
		{"z2", "华南-广东"},
		{"cn-northwest-1", "西北-陕西1"},
		{"na0", "北美-洛杉矶"},
		{"as0", "亚太-新加坡"},
		{"ap-southeast-2", "亚太-河内"},
		{"ap-southeast-3", "亚太-胡志明"},
	}
}

// Bucket is a bucket and its settings.
type Bucket struct {
	Name        string
	Owner       string
	Region      string // a Region's ID
	Private     bool   // downloads need a signature
	NoIndexPage bool   // index.html is not served for a folder
	Created     time.Time
	Domains     []string // in the order in which they were bound
	Tags        []Tag
	Remark      string          `json:",omitempty"`
	Protected   bool            `json:",omitempty"` // images are shown by their styles only (fact:bucket-protected)
	MaxAge      int64           `json:",omitempty"` // seconds for which a client may cache, see CacheSeconds
	Referer     Referer         `json:",omitzero"`
	CORS        []CORSRule      `json:",omitempty"`
	Rules       []LifecycleRule `json:",omitempty"` // in the order in which they were added
	RulesRun    int64           `json:",omitempty"` // the day of Beijing on which they were run last
	Events      []EventRule     `json:",omitempty"` // in the order in which they were added
	Port        int             // the TCP port of the bucket's own download listener, 0 before it had one
}

// Tag is a label of a bucket.
type Tag struct{ Key, Value string }

// CacheSeconds is how long a client may cache the bucket's objects that do not say
// it themselves. What is not positive stands for the default (documented).
func (b Bucket) CacheSeconds() int64 {
	if b.MaxAge <= 0 {
		return 31536000
	}
	return b.MaxAge
}

// CreateBucket makes a bucket; region may be empty. Names are unique over all
// accounts. Kodo answers 614 for a taken name, with a text that says whether the
// bucket is the account's own (fact:bucket-name-taken), and 630 above the account's
// limit. A new bucket serves no index pages (fact:bucket-index-default).
func (e *Engine) CreateBucket(owner, name, region string, private bool) (Bucket, error) {
	if region == "" {
		region = Regions()[0].ID
	}
	known := slices.ContainsFunc(Regions(), func(r Region) bool { return r.ID == region })
	if !validBucketName(name) || !known {
		return Bucket{}, errorf(400, "invalid arguments")
	}
	bucket := Bucket{
		Name: name, Owner: owner, Region: region, Private: private,
		NoIndexPage: true, Created: e.Now().UTC(),
	}
	err := e.update(func(tx *store.Tx) error {
		var taken Bucket
		_, ok, err := read(tx, bucketKey(name), &taken)
		switch {
		case err != nil:
			return err
		case ok && taken.Owner == owner:
			return errorf(614, "the bucket already exists and you own it.")
		case ok:
			return errorf(614, "the bucket already exists")
		}
		if e.bucketLimit > 0 {
			own, err := bucketsOf(tx, owner)
			if err != nil {
				return err
			}
			if len(own) >= e.bucketLimit {
				return errorf(630, "too many buckets")
			}
		}
		bucket.Domains = nil
		for _, host := range e.domains[name] {
			if _, taken := tx.Get(domainKey(strings.ToLower(host))); taken {
				continue
			}
			if err := bind(tx, &bucket, host); err != nil {
				return err
			}
		}
		return write(tx, bucketKey(name), bucket, nil)
	})
	if err != nil {
		return Bucket{}, err
	}
	return bucket, nil
}

// IndexPage returns the key that is served in the place of one that names a folder
// and no object, if the bucket serves index pages.
func (b Bucket) IndexPage(key string) (page string, ok bool) {
	folder := key == "" || strings.HasSuffix(key, "/")
	return key + "index.html", folder && !b.NoIndexPage
}

// validBucketName applies the documented rule: 3 to 63 of a-z, 0-9 and "-",
// beginning and ending with a letter or digit.
func validBucketName(name string) bool {
	if len(name) < 3 || len(name) > 63 || name[0] == '-' || name[len(name)-1] == '-' {
		return false
	}
	return strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == ""
}

// DropBucket removes an empty bucket with its settings and domains
// (fact:bucket-drop-not-empty). Uploads that were never completed do not
// keep the bucket and are aborted (fact:bucket-drop-uploads).
func (e *Engine) DropBucket(owner, name string) error {
	if err := e.settle(context.Background()); err != nil { // Expired objects do not keep the bucket.
		return err
	}
	return e.update(func(tx *store.Tx) error {
		bucket, err := ownBucket(tx, owner, name)
		if err != nil {
			return err
		}
		for range tx.Scan(objectsOf(name), "") {
			return &Error{Code: 403, Message: "drop non empty bucket is not allowed", ErrorCode: "BucketNotEmpty"}
		}
		for _, host := range bucket.Domains {
			if err := tx.Delete(domainKey(host)); err != nil {
				return err
			}
		}
		if err := abortUploadsOf(tx, name); err != nil {
			return err
		}
		if err := tx.Delete(quotaKey(name)); err != nil {
			return err
		}
		return tx.Delete(bucketKey(name))
	})
}

// Bucket returns one of the owner's buckets. A bucket that does not exist and a
// bucket of another account are both 631 (fact:bucket-of-another).
func (e *Engine) Bucket(owner, name string) (bucket Bucket, err error) {
	err = e.view(func(tx *store.Tx) error {
		bucket, err = ownBucket(tx, owner, name)
		return err
	})
	return bucket, err
}

// Buckets returns the owner's buckets in the order of their names.
func (e *Engine) Buckets(owner string) (buckets []Bucket, err error) {
	err = e.view(func(tx *store.Tx) error {
		buckets, err = bucketsOf(tx, owner)
		return err
	})
	return buckets, err
}

// Usage is what a bucket holds.
type Usage struct {
	Files int64
	Bytes int64 // the sum of the objects' sizes, whatever they share in the store
}

// usageStep is how many objects Usage looks at in one view: some 10 ms.
const usageStep = 10_000

// Usage counts the objects of one of the owner's buckets, in memory for one
// object. One that changes meanwhile may count as it was or as it is: writers must
// not wait for a large bucket to be counted, so each view sees a part of it.
func (e *Engine) Usage(owner, name string) (Usage, error) {
	if err := e.settle(context.Background()); err != nil { // Expired objects do not count.
		return Usage{}, err
	}
	var usage Usage
	for from, more := "", true; more; {
		err := e.view(func(tx *store.Tx) error {
			if err := checkOwner(tx, owner, name); err != nil {
				return err
			}
			var err error
			from, err = usage.add(tx, name, from, usageStep)
			more = from != ""
			return err
		})
		if err != nil {
			return Usage{}, err
		}
	}
	return usage, nil
}

// add counts up to limit objects of a bucket, beginning at the store key from, and
// returns where to go on, "" at the end.
func (u *Usage) add(tx *store.Tx, bucket, from string, limit int) (next string, err error) {
	for key, entry := range tx.Scan(objectsOf(bucket), from) {
		if limit == 0 {
			return key, nil
		}
		object, _, err := decodeObject(bucket, key, entry, false)
		if err != nil {
			return "", err
		}
		limit--
		u.Files++
		u.Bytes += object.Size
	}
	return "", nil
}

// AnyBucket returns a bucket whoever owns it, for downloads and discovery.
func (e *Engine) AnyBucket(name string) (bucket Bucket, err error) {
	err = e.view(func(tx *store.Tx) error {
		bucket, err = anyBucket(tx, name)
		return err
	})
	return bucket, err
}

// BucketByDomain returns the bucket that host is bound to, and whether there is
// one. host is compared without regard to case, with its port if it has one.
func (e *Engine) BucketByDomain(host string) (bucket Bucket, found bool, err error) {
	err = e.view(func(tx *store.Tx) error {
		entry, ok := tx.Get(domainKey(strings.ToLower(host)))
		if !ok {
			return nil
		}
		bucket, err = anyBucket(tx, string(entry.Meta))
		found = err == nil
		return err
	})
	return bucket, found, err
}

// BindDomain makes host, which may have a port, a download domain of the bucket.
// Binding it again changes nothing; a host of another bucket is refused
// (fact:bucket-domain-taken).
func (e *Engine) BindDomain(owner, name, host string) error {
	return e.update(func(tx *store.Tx) error {
		bucket, err := ownBucket(tx, owner, name)
		if err != nil {
			return err
		}
		if err := bind(tx, &bucket, host); err != nil {
			return err
		}
		return write(tx, bucketKey(name), bucket, nil)
	})
}

// CanBind reports whether a bucket could have this name, and this host, which may
// have a port, as its domain.
func CanBind(name, host string) bool { return validBucketName(name) && validDomain(host) }

func validDomain(host string) bool {
	return host != "" && strings.Trim(strings.ToLower(host), domainCharacters) == ""
}

// bind makes host a domain of the bucket, whose record the caller writes.
func bind(tx *store.Tx, bucket *Bucket, host string) error {
	host = strings.ToLower(host)
	if !validDomain(host) {
		return errorf(400, "invalid arguments")
	}
	if entry, ok := tx.Get(domainKey(host)); ok {
		if string(entry.Meta) == bucket.Name {
			return nil
		}
		return errorf(614, "the domain is bound to another bucket")
	}
	bucket.Domains = append(bucket.Domains, host)
	return tx.Put(domainKey(host), []byte(bucket.Name), nil)
}

// domainCharacters are those of a host with its port, also of an IPv6 address.
const domainCharacters = "abcdefghijklmnopqrstuvwxyz0123456789-.:[]"

// UpdateBucket changes the settings of a bucket, all at once; those that other
// methods change stay as they are. change may be called more than once, each time with the
// bucket as it is, and it may refuse with an error of its own.
func (e *Engine) UpdateBucket(owner, name string, change func(*Bucket) error) (bucket Bucket, err error) {
	var refused error
	err = e.update(func(tx *store.Tx) error {
		refused = nil
		before, err := ownBucket(tx, owner, name)
		if err != nil {
			return err
		}
		after := before
		after.Domains, after.Tags = slices.Clone(before.Domains), slices.Clone(before.Tags)
		if refused = change(&after); refused != nil {
			return refused
		}
		if err := checkSettings(&after); err != nil {
			return err
		}
		// What else there is belongs to other operations.
		after.Name, after.Owner, after.Region = before.Name, before.Owner, before.Region
		after.Created, after.Domains = before.Created, before.Domains
		bucket = after
		return write(tx, bucketKey(name), after, nil)
	})
	switch {
	case refused != nil:
		return Bucket{}, refused
	case err != nil:
		return Bucket{}, err
	}
	return bucket, nil
}

// checkTags applies Kodo's limits, documented in the API specification: a key of
// 1 to 64 bytes that does not begin with "kodo", a value of 1 to 128 bytes, both
// of letters, digits, space and + - = . _ : / @. How many there may be, and the
// texts, are fact:bucket-tag-limits.
func checkTags(tags []Tag) error {
	const maxTags = 10
	if len(tags) > maxTags {
		return errorf(400, "too many tags: a bucket has at most %d", maxTags)
	}
	seen := map[string]bool{}
	for _, tag := range tags {
		switch {
		case len(tag.Key) == 0 || len(tag.Key) > 64 || !tagText(tag.Key) || strings.HasPrefix(tag.Key, "kodo"):
			return errorf(400, "invalid tag key %q", tag.Key)
		case len(tag.Value) == 0 || len(tag.Value) > 128 || !tagText(tag.Value):
			return errorf(400, "invalid tag value %q", tag.Value)
		case seen[tag.Key]:
			return errorf(400, "duplicate tag key %q", tag.Key)
		}
		seen[tag.Key] = true
	}
	return nil
}

func tagText(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool {
		letter := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
		return !letter && !strings.ContainsRune(" +-=._:/@", r)
	})
}

// anyBucket reads a bucket, or refuses with 631.
func anyBucket(tx *store.Tx, name string) (Bucket, error) {
	var bucket Bucket
	_, ok, err := read(tx, bucketKey(name), &bucket)
	if err == nil && !ok {
		err = errorf(631, "no such bucket")
	}
	return bucket, err
}

// ownBucket is anyBucket for the owner only.
func ownBucket(tx *store.Tx, owner, name string) (Bucket, error) {
	bucket, err := anyBucket(tx, name)
	if err == nil && bucket.Owner != owner {
		return Bucket{}, errorf(631, "no such bucket")
	}
	return bucket, err
}

// checkOwner refuses with 631 whoever does not own a bucket. It reads no more of the
// bucket than that, because each look at an object asks.
func checkOwner(tx *store.Tx, owner, name string) error {
	var bucket struct{ Owner string }
	_, ok, err := read(tx, bucketKey(name), &bucket)
	if err == nil && (!ok || bucket.Owner != owner) {
		err = errorf(631, "no such bucket")
	}
	return err
}

func bucketsOf(tx *store.Tx, owner string) (own []Bucket, err error) {
	err = eachBucket(tx, func(bucket Bucket) {
		if bucket.Owner == owner {
			own = append(own, bucket)
		}
	})
	return own, err
}

// eachBucket visits the buckets of all accounts in the order of their names.
func eachBucket(tx *store.Tx, visit func(Bucket)) error {
	for key, entry := range tx.Scan(bucketKey(""), "") {
		var bucket Bucket
		if err := json.Unmarshal(entry.Meta, &bucket); err != nil {
			return fmt.Errorf("decode the entry %q: %w", key, err)
		}
		visit(bucket)
	}
	return nil
}
