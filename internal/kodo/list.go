package kodo

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"iter"
	"net/http"
	"net/url"
	"strconv"

	"github.com/qiniu/go-sdk/v7/storagev2/apis"
)

// pageSize is the most that Kodo accepts for a page of a listing.
const pageSize = 1000

// errMarkerStands ends a listing that would go on for ever.
var errMarkerStands = errors.New("the listing does not advance: the server answered the marker that it was given")

// ListOptions say which objects are listed.
type ListOptions struct {
	Prefix     string // only keys that begin with it
	Delimiter  string // keys that hold it after the prefix are told by their common prefix, which ends with it
	StartAfter string // only keys behind this one; it need not exist
	Limit      int    // so many at most, with common prefixes; 0 is all
}

// An Entry of a listing is an object, or the common prefix of some.
type Entry struct {
	Object       Object
	CommonPrefix string // "" for an object
}

// Objects yields the objects of a bucket in the order of their keys' bytes, holding one page of 1000 at a time.
// After an error it ends.
func (c *Client) Objects(ctx context.Context, bucket string, options ListOptions) iter.Seq2[Object, error] {
	options.Delimiter = "" // no object hides behind a common prefix
	return func(yield func(Object, error) bool) {
		for entry, err := range c.Entries(ctx, bucket, options) {
			if !yield(entry.Object, err) {
				return
			}
		}
	}
}

// Entries yields the objects of a bucket and their common prefixes, each in the order of their bytes within a page of
// up to 1000, of which it holds one at a time. After an error it ends.
func (c *Client) Entries(ctx context.Context, bucket string, options ListOptions) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		for page, err := range c.pages(ctx, bucket, options) {
			if err != nil {
				yield(Entry{}, err)
				return
			}
			for _, item := range page.Items {
				if !yield(Entry{Object: item.object(item.Key)}, nil) {
					return
				}
			}
			for _, prefix := range page.CommonPrefixes {
				if !yield(Entry{CommonPrefix: prefix}, nil) {
					return
				}
			}
		}
	}
}

// listAnswer is one page. The SDK's own type lacks what objectAnswer knows.
type listAnswer struct {
	Items          []objectAnswer `json:"items"`
	CommonPrefixes []string       `json:"commonPrefixes"`
	Marker         string         `json:"marker"` // "" on the last page
}

func (a *listAnswer) check() error {
	for i := range a.Items {
		if err := a.Items[i].check(); err != nil {
			return err
		}
	}
	return nil
}

// pages yields a listing's pages. A page may be empty and yet not the last one: only a missing marker says that.
func (c *Client) pages(ctx context.Context, bucket string, options ListOptions) iter.Seq2[listAnswer, error] {
	return func(yield func(listAnswer, error) bool) {
		marker, left := markerAfter(options.StartAfter), options.Limit
		for {
			limit := pageSize
			if options.Limit > 0 {
				limit = min(left, pageSize)
			}
			var page listAnswer
			query := url.Values{
				"bucket": {bucket}, "prefix": {options.Prefix}, "delimiter": {options.Delimiter}, "marker": {marker}, "limit": {strconv.Itoa(limit)},
			}
			err := c.do(ctx, call{op: "list", service: serviceRSF, bucket: bucket},
				func(ctx context.Context, at *apis.Options) error {
					page = listAnswer{}
					return c.request(ctx, at, http.MethodGet, "/list", query.Encode(), &page)
				})
			if err != nil {
				yield(listAnswer{}, err)
				return
			}
			if !yield(page, nil) || page.Marker == "" {
				return
			}
			if left -= len(page.Items) + len(page.CommonPrefixes); options.Limit > 0 && left <= 0 {
				return
			}
			if page.Marker == marker {
				yield(listAnswer{}, errMarkerStands)
				return
			}
			marker = page.Marker
		}
	}
}

// markerAfter returns the marker of a page that ended with a key. Kodo's own are of this form.
func markerAfter(key string) string {
	if key == "" {
		return ""
	}
	marker, err := json.Marshal(struct {
		C int    `json:"c"`
		K string `json:"k"`
	}{K: key})
	if err != nil {
		return "" // a string always becomes JSON
	}
	return base64.URLEncoding.EncodeToString(marker)
}

// EmptyBucket deletes every object of a bucket, whoever wrote it, 1000 at a time, and returns how many it deleted
// also if it fails or is cancelled in between.
func (c *Client) EmptyBucket(ctx context.Context, name string) (deleted int, err error) {
	for page, err := range c.pages(ctx, name, ListOptions{}) {
		if err != nil {
			return deleted, err
		}
		if len(page.Items) == 0 {
			continue
		}
		n, err := c.deleteAll(ctx, name, page.Items)
		deleted += n
		if err != nil {
			return deleted, err
		}
	}
	return deleted, nil
}

// deleteAll deletes up to 1000 objects in one batch. An object that is gone already is no error.
func (c *Client) deleteAll(ctx context.Context, bucket string, objects []objectAnswer) (deleted int, err error) {
	operations := make([]operation, len(objects))
	for i, object := range objects {
		operations[i] = deleteOf(bucket, object.Key)
	}
	var results []result
	lost := false
	err = c.retry(ctx, func() (err error) {
		results, err = c.batchOnce(ctx, operations)
		lost = lost || answerLost(err)
		return err
	})
	if err != nil {
		return 0, err
	}
	for _, result := range results {
		switch failed := result.into(nil); {
		case failed == nil, IsGone(failed) && lost:
			deleted++
		case IsGone(failed):
		case err == nil:
			err = failed
		}
	}
	return deleted, err
}
