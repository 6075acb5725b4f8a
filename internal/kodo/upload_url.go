package kodo

import "context"

// UploadURL returns the base URL to which uploads to a bucket are sent: the endpoint that the Client is configured
// with, that of the region if one is named, or what Kodo says of the bucket. Only for the last is anything sent.
func (c *Client) UploadURL(ctx context.Context, bucket, region string) (url string, err error) {
	if _, given := c.endpoints[serviceUp]; !given && region != "" {
		return "https://up-" + region + ".qiniup.com", nil // documented for every region, old and new
	}
	find := call{op: "find upload host", service: serviceUp, bucket: bucket}
	err = c.retry(ctx, func() error {
		hosts, err := c.hosts(ctx, find)
		if err == nil {
			url = hosts.current().url
		}
		return err
	})
	return url, err
}
