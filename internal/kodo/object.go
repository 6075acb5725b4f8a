package kodo

import (
	"context"
	"net/url"

	"github.com/qiniu/go-sdk/v7/storagev2/apis"
)

// An Object is what Kodo tells of an object without its content.
type Object struct {
	Key         string
	ETag        string // Kodo's content hash, see package qetag
	Size        int64  // bytes
	ContentType string
	MD5         string  // lower-case hexadecimal; "" unless Kodo knows it
	PutTime     PutTime // of its latest upload
	Metadata    map[string]string
}

// Stat returns an object. IsGone tells whether an error says that there is none.
func (c *Client) Stat(ctx context.Context, bucket, key string) (object Object, err error) {
	err = c.retry(ctx, func() error {
		object, err = c.statOnce(ctx, bucket, key)
		return err
	})
	return object, err
}

func (c *Client) statOnce(ctx context.Context, bucket, key string) (Object, error) {
	answer, err := c.askStat(ctx, bucket, key, false)
	if err != nil {
		return Object{}, err
	}
	return Object{
		Key: key, ETag: answer.Hash, Size: answer.Size, ContentType: answer.MimeType, MD5: answer.Md5,
		PutTime: PutTime(answer.PutTime), Metadata: answer.Metadata,
	}, nil
}

// PartSizes returns the sizes in bytes of the parts in which an object was uploaded; none if Kodo does not know.
func (c *Client) PartSizes(ctx context.Context, bucket, key string) (sizes []int64, err error) {
	err = c.retry(ctx, func() error {
		answer, err := c.askStat(ctx, bucket, key, true)
		if err == nil {
			sizes = answer.Parts
		}
		return err
	})
	return sizes, err
}

func (c *Client) askStat(ctx context.Context, bucket, key string, parts bool) (*apis.StatObjectResponse, error) {
	var answer *apis.StatObjectResponse
	err := c.once(ctx, call{op: "stat", service: serviceRS, bucket: bucket, key: key},
		func(ctx context.Context, at *apis.Options) (err error) {
			answer, err = c.storage.StatObject(ctx, &apis.StatObjectRequest{Entry: entry(bucket, key), NeedParts: parts}, at)
			return err
		})
	return answer, err
}

// SetContentType changes the content type of the object that was put at that time, or, if the time is 0, of the one
// that is there. The refusal of any other is a *ChangedError.
func (c *Client) SetContentType(ctx context.Context, bucket, key, contentType string, at PutTime) error {
	if err := CheckContentType(contentType); err != nil {
		return err
	}
	unlock, err := c.keys.lock(ctx, bucket, key)
	if err != nil {
		return err
	}
	defer unlock()
	have, err := c.allowed(ctx, Put{Bucket: bucket, Key: key, Guard: IfPutTime(at)})
	if err != nil {
		return err
	}
	if have == nil { // only if no put time was given
		return &ChangedError{Bucket: bucket, Key: key}
	}
	return c.do(ctx, call{op: "change content type", service: serviceRS, bucket: bucket, key: key},
		func(ctx context.Context, at *apis.Options) error {
			_, err := c.storage.ModifyObjectMetadata(ctx, &apis.ModifyObjectMetadataRequest{
				Entry: entry(bucket, key), MimeType: contentType, Condition: url.Values{"hash": {have.ETag}}.Encode(),
			}, at)
			return err
		})
}
