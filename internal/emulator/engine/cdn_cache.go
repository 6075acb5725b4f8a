package engine

import (
	"errors"
	"io/fs"
	"strings"

	"github.com/qiniu/terraform-provider-kodo/internal/emulator/store"
)

// OpenCached returns what the CDN serves for a key of a bucket by one of its domains:
// what it has kept, or what the bucket has now, which it keeps from then on
// (fact:cdn-cache-key). The caller closes the content.
func (e *Engine) OpenCached(domain string, bucket Bucket, key string) (*Content, error) {
	domain = strings.ToLower(domain)
	if err := e.settleCDNIfDue(); err != nil {
		return nil, err
	}
	content, err := e.openCopy(domain, bucket.Name, key)
	if !errors.Is(err, fs.ErrNotExist) {
		return content, err
	}
	err = e.update(func(tx *store.Tx) error {
		return e.keepCopy(tx, domain, bucket, key)
	})
	if err != nil {
		return nil, err
	}
	return e.openCopy(domain, bucket.Name, key)
}

// openCopy returns what the CDN has kept, fs.ErrNotExist if that is nothing.
func (e *Engine) openCopy(domain, bucket, key string) (*Content, error) {
	var object Object
	reader, err := e.store.Open(copyKey(domain, key), func(tx *store.Tx) (err error) {
		if entry, ok := tx.Get(copyKey(domain, key)); ok {
			object, _, err = decodeObject(bucket, key, entry, false)
		}
		return err
	})
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, err
	case err != nil:
		return nil, internal(err)
	}
	return &Content{Object: object, ReadSeekCloser: reader}, nil
}

// keepCopy has the CDN keep what the bucket has under a key now: the same bytes in
// the store, which stay there when the object is overwritten.
func (e *Engine) keepCopy(tx *store.Tx, domain string, bucket Bucket, key string) error {
	object, extents, err := e.needObject(tx, bucket.Name, key)
	if page, ok := bucket.IndexPage(key); refusalCode(err) == 612 && ok {
		object, extents, err = e.needObject(tx, bucket.Name, page)
	}
	if err == nil && object.frozen() {
		err = errorf(403, frozenText)
	}
	if err != nil {
		return err
	}
	return write(tx, copyKey(domain, key), object, extents)
}

// dropCopies has the CDN forget a key, or all below it.
func dropCopies(tx *store.Tx, domain, key string, dir bool) error {
	if !dir {
		return tx.Delete(copyKey(domain, key))
	}
	var below []string
	for name := range tx.Scan(copyKey(domain, key), "") {
		below = append(below, name)
	}
	for _, name := range below {
		if err := tx.Delete(name); err != nil {
			return err
		}
	}
	return nil
}

func copyKey(domain, key string) string { return "m" + domain + "\x00" + key }
