package kodo

import (
	"context"
	"iter"
	"net/http"
	"net/url"
	"time"

	"github.com/qiniu/go-sdk/v7/storagev2/apis"
)

// A Bucket is what Kodo tells of a bucket.
type Bucket struct {
	Name      string
	Region    string
	Private   bool
	IndexPage bool      // serves index.html for a folder; not known in a listing
	Created   time.Time // zero if Kodo does not say
}

// CreateBucket makes a bucket in a region. A private one is private from its first moment. If an answer is lost, the
// bucket is looked for: one that is there now, is like the one asked for, and was not there before is ours.
func (c *Client) CreateBucket(ctx context.Context, name, regionID string, private bool) error {
	if err := CheckBucketName(name); err != nil {
		return err
	}
	if err := CheckRegion(regionID); err != nil {
		return err
	}
	path := "/mkbucketv3/" + name + "/region/" + regionID
	if private {
		path += "/private/true"
	}
	_, err := c.Bucket(ctx, name)
	if err != nil && !IsNoBucket(err) {
		return err
	}
	existed, lost := err == nil, false
	asked := call{op: "create bucket", service: serviceUC, bucket: name}
	err = c.retry(ctx, func() error {
		err := c.once(ctx, asked, func(ctx context.Context, at *apis.Options) error {
			return c.request(ctx, at, http.MethodPost, path, "", nil)
		})
		lost = lost || answerLost(err)
		return err
	})
	if err != nil && lost && !existed { // whatever the last attempt came to: an earlier one may have made it
		err = c.lookForCreated(ctx, err, Bucket{Name: name, Region: regionID, Private: private})
	}
	if err != nil {
		return err
	}
	c.own.created(name)
	return nil
}

// lookForCreated returns nil if the bucket is there as it was asked for, and otherwise why its creation failed.
func (c *Client) lookForCreated(ctx context.Context, cause error, want Bucket) error {
	ctx, cancel := aftermath(ctx)
	defer cancel()
	have, err := c.Bucket(ctx, want.Name)
	if err != nil || have.Region != want.Region || have.Private != want.Private {
		return cause
	}
	return nil
}

// Bucket returns what Kodo tells of one bucket.
func (c *Client) Bucket(ctx context.Context, name string) (Bucket, error) {
	// The SDK's type knows some of the fields by names that Kodo does not send.
	var info struct {
		Region      string `json:"region"`
		Zone        string `json:"zone"` // the older word for the region
		Private     int    `json:"private"`
		NoIndexPage int    `json:"no_index_page"`
		Created     string `json:"ctime"`
	}
	err := c.do(ctx, call{op: "bucket info", service: serviceUC, bucket: name},
		func(ctx context.Context, at *apis.Options) error {
			return c.request(ctx, at, http.MethodPost, "/v2/bucketInfo", url.Values{"bucket": {name}}.Encode(), &info)
		})
	if err != nil {
		return Bucket{}, err
	}
	b := Bucket{
		Name: name, Region: info.Region, Private: info.Private != 0, IndexPage: info.NoIndexPage == 0,
		Created: parseCreated(info.Created),
	}
	if b.Region == "" {
		b.Region = info.Zone
	}
	return b, nil
}

// Buckets yields all buckets of the account. After an error it ends.
func (c *Client) Buckets(ctx context.Context) iter.Seq2[Bucket, error] {
	const pageSize = 100 // the most that Kodo accepts
	return func(yield func(Bucket, error) bool) {
		marker := ""
		for {
			var page *apis.GetBucketsV4Response
			err := c.do(ctx, call{op: "list buckets", service: serviceUC},
				func(ctx context.Context, at *apis.Options) (err error) {
					page, err = c.storage.GetBucketsV4(ctx, &apis.GetBucketsV4Request{Limit: pageSize, Marker: marker}, at)
					return err
				})
			if err != nil {
				yield(Bucket{}, err)
				return
			}
			for _, b := range page.Buckets {
				if !yield(Bucket{Name: b.Name, Region: b.Region, Private: b.Private, Created: parseCreated(b.CreatedTime)}, nil) {
					return
				}
			}
			if !page.IsTruncated || page.NextMarker == "" {
				return
			}
			if page.NextMarker == marker {
				yield(Bucket{}, errMarkerStands)
				return
			}
			marker = page.NextMarker
		}
	}
}

// parseCreated reads Kodo's creation time, which may be empty.
func parseCreated(s string) time.Time {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return time.Time{}
	}
	return t
}

// DeleteBucket deletes an empty bucket; of one that holds objects Kodo answers 403 with the reason
// ReasonBucketNotEmpty. A bucket that is gone after an answer was lost was deleted by this call.
func (c *Client) DeleteBucket(ctx context.Context, name string) error {
	lost := false
	err := c.retry(ctx, func() error {
		err := c.once(ctx, call{op: "delete bucket", service: serviceUC, bucket: name},
			func(ctx context.Context, at *apis.Options) error {
				_, err := c.storage.DeleteBucket(ctx, &apis.DeleteBucketRequest{Bucket: name}, at)
				return err
			})
		if lost && IsNoBucket(err) {
			return nil
		}
		lost = lost || answerLost(err)
		return err
	})
	if err == nil {
		c.discovered.forget(name)
	}
	return err
}

// ReasonBucketNotEmpty is the Reason of the Error of deleting a bucket that holds objects.
const ReasonBucketNotEmpty = "BucketNotEmpty"

// BucketDomains returns the download domains that are bound to a bucket.
func (c *Client) BucketDomains(ctx context.Context, name string) ([]string, error) {
	var domains []string
	err := c.do(ctx, call{op: "bucket domains", service: serviceUC, bucket: name},
		func(ctx context.Context, at *apis.Options) error {
			answer, err := c.storage.GetBucketDomains(ctx, &apis.GetBucketDomainsRequest{BucketName: name}, at)
			if err == nil {
				domains = answer.Domains
			}
			return err
		})
	return domains, err
}

// SetBucketPrivate makes a bucket private or public.
func (c *Client) SetBucketPrivate(ctx context.Context, name string, private bool) error {
	return c.do(ctx, call{op: "set bucket private", service: serviceUC, bucket: name},
		func(ctx context.Context, at *apis.Options) error {
			_, err := c.storage.SetBucketPrivate(ctx, &apis.SetBucketPrivateRequest{Bucket: name, IsPrivate: number(private)}, at)
			return err
		})
}

// SetBucketIndexPage says whether a bucket serves index.html for a folder.
func (c *Client) SetBucketIndexPage(ctx context.Context, name string, on bool) error {
	return c.do(ctx, call{op: "set bucket index page", service: serviceUC, bucket: name},
		func(ctx context.Context, at *apis.Options) error {
			_, err := c.storage.DisableBucketIndexPage(ctx, &apis.DisableBucketIndexPageRequest{Bucket: name, NoIndexPage: number(!on)}, at)
			return err
		})
}

// number is how Kodo's calls say yes and no.
func number(yes bool) int64 {
	if yes {
		return 1
	}
	return 0
}
