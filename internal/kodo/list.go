package kodo

import (
	"context"
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
	Prefix string // only keys that begin with it
	Limit  int    // so many at most; 0 is all
}

// Objects yields the objects of a bucket in the order of their keys' bytes, holding one page of 1000 at a time.
// After an error it ends.
func (c *Client) Objects(ctx context.Context, bucket string, options ListOptions) iter.Seq2[Object, error] {
	return func(yield func(Object, error) bool) {
		for page, err := range c.pages(ctx, bucket, options) {
			if err != nil {
				yield(Object{}, err)
				return
			}
			for _, object := range page {
				if !yield(object, nil) {
					return
				}
			}
		}
	}
}

// listAnswer is one page. The SDK's own type lacks what objectAnswer knows.
type listAnswer struct {
	Items  []objectAnswer `json:"items"`
	Marker string         `json:"marker"` // "" on the last page
}

// pages yields a listing's pages. A page may be empty and yet not the last one: only a missing marker says that.
func (c *Client) pages(ctx context.Context, bucket string, options ListOptions) iter.Seq2[[]Object, error] {
	return func(yield func([]Object, error) bool) {
		marker, left := "", options.Limit
		for {
			limit := pageSize
			if options.Limit > 0 {
				limit = min(left, pageSize)
			}
			var answer listAnswer
			query := url.Values{"bucket": {bucket}, "prefix": {options.Prefix}, "marker": {marker}, "limit": {strconv.Itoa(limit)}}
			err := c.do(ctx, call{op: "list", service: serviceRSF, bucket: bucket},
				func(ctx context.Context, at *apis.Options) error {
					answer = listAnswer{}
					return c.request(ctx, at, http.MethodGet, "/list", query.Encode(), &answer)
				})
			if err != nil {
				yield(nil, err)
				return
			}
			page := make([]Object, len(answer.Items))
			for i, item := range answer.Items {
				page[i] = item.object(item.Key)
			}
			if !yield(page, nil) || answer.Marker == "" {
				return
			}
			if left -= len(page); options.Limit > 0 && left <= 0 {
				return
			}
			if answer.Marker == marker {
				yield(nil, errMarkerStands)
				return
			}
			marker = answer.Marker
		}
	}
}

// EmptyBucket deletes every object of a bucket, whoever wrote it, 1000 at a time, and returns how many it deleted
// also if it fails or is cancelled in between.
func (c *Client) EmptyBucket(ctx context.Context, name string) (deleted int, err error) {
	for page, err := range c.pages(ctx, name, ListOptions{}) {
		if err != nil {
			return deleted, err
		}
		if len(page) == 0 {
			continue
		}
		n, err := c.deleteAll(ctx, name, page)
		deleted += n
		if err != nil {
			return deleted, err
		}
	}
	return deleted, nil
}

// deleteAll deletes up to 1000 objects in one batch. An object that is gone already is no error.
func (c *Client) deleteAll(ctx context.Context, bucket string, objects []Object) (deleted int, err error) {
	operations := make([]operation, len(objects))
	for i, object := range objects {
		operations[i] = operationOn("delete", "delete", bucket, object.Key)
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
