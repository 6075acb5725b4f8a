package kodo

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/qiniu/go-sdk/v7/storagev2/apis"
	"github.com/qiniu/go-sdk/v7/storagev2/apis/set_bucket_taggings"
)

// BucketTags returns the tags of a bucket; one without tags has an empty map.
func (c *Client) BucketTags(ctx context.Context, name string) (map[string]string, error) {
	tags := make(map[string]string)
	err := c.do(ctx, call{op: "bucket tags", service: serviceUC, bucket: name},
		func(ctx context.Context, at *apis.Options) error {
			answer, err := c.storage.GetBucketTaggings(ctx, &apis.GetBucketTaggingsRequest{BucketName: name}, at)
			if err != nil {
				return err
			}
			for _, tag := range answer.Tags {
				tags[tag.Key] = tag.Value
			}
			return nil
		})
	if err != nil {
		return nil, err
	}
	return tags, nil
}

// SetBucketTags replaces all tags of a bucket; no tags remove them.
func (c *Client) SetBucketTags(ctx context.Context, name string, tags map[string]string) error {
	if len(tags) == 0 {
		return c.do(ctx, call{op: "delete bucket tags", service: serviceUC, bucket: name},
			func(ctx context.Context, at *apis.Options) error {
				_, err := c.storage.DeleteBucketTaggings(ctx, &apis.DeleteBucketTaggingsRequest{BucketName: name}, at)
				return err
			})
	}
	if len(tags) > MaxBucketTags {
		return fmt.Errorf("a bucket has at most %d tags, these are %d", MaxBucketTags, len(tags))
	}
	request := &apis.SetBucketTaggingsRequest{Bucket: name}
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		if err := CheckTag(key, tags[key]); err != nil {
			return err
		}
		request.Tags = append(request.Tags, set_bucket_taggings.TagInfo{Key: key, Value: tags[key]})
	}
	return c.do(ctx, call{op: "set bucket tags", service: serviceUC, bucket: name},
		func(ctx context.Context, at *apis.Options) error {
			_, err := c.storage.SetBucketTaggings(ctx, request, at)
			return err
		})
}
