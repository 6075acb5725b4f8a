package kodo

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/qiniu/go-sdk/v7/client"
	"github.com/qiniu/go-sdk/v7/storagev2/apis"
)

// MaxDownload is the most that Download holds in memory, in bytes.
const MaxDownload = 16 << 20

// linkLife is how long the link of a download is good for. Each attempt has one of its own.
const linkLife = 15 * time.Minute

// Download returns the content of an object of at most MaxDownload bytes, from an unsigned link to it, such as a
// PublicURL, or, if that is "", from where Kodo serves the bucket itself. It signs the link, so that private buckets
// serve it too. Content whose hash is not the object's is a *DamagedError.
func (c *Client) Download(ctx context.Context, bucket string, object Object, link string) ([]byte, error) {
	if object.Size > MaxDownload {
		return nil, fmt.Errorf("it has %d bytes, and at most %d are held in memory", object.Size, MaxDownload)
	}
	get := call{op: "download", service: serviceOrigin, bucket: bucket, key: object.Key}
	var content []byte
	err := c.retry(ctx, func() error {
		from, path, err := c.origin(ctx, get, link)
		if err != nil {
			return err
		}
		return c.send(ctx, get, StepCall, from, func(ctx context.Context, at *apis.Options) error {
			base, err := at.OverwrittenEndpoints.GetEndpoints(ctx)
			if err == nil {
				content, err = c.get(ctx, base.Preferred[0]+path)
			}
			return err
		})
	})
	if err != nil {
		return nil, err
	}
	same, err := c.Same(ctx, bucket, object, bytes.NewReader(content))
	if err != nil {
		return nil, err
	}
	if !same {
		return nil, &DamagedError{Bucket: bucket, Object: object, Size: int64(len(content))}
	}
	return content, nil
}

// origin returns the hosts from which an object is downloaded, and its path there.
func (c *Client) origin(ctx context.Context, get call, link string) (from *hosts, path string, err error) {
	if link == "" {
		from, err = c.hosts(ctx, get)
		return from, "/" + escapeKey(get.key), err
	}
	scheme, rest, _ := strings.Cut(link, "://")
	host, path, _ := strings.Cut(rest, "/")
	return newHosts([]string{scheme + "://" + host}), "/" + path, nil
}

// get signs a link and follows it.
func (c *Client) get(ctx context.Context, link string) ([]byte, error) {
	signed := (&Signer{keys: c.credentials}).PrivateURL(link, time.Now().Add(linkLife))
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, signed, http.NoBody)
	if err != nil {
		return nil, err
	}
	return c.exchange(req)
}

// exchange sends a request that is signed already, and returns the answer's body. A refusal is the error that the SDK
// makes of one.
func (c *Client) exchange(req *http.Request) ([]byte, error) {
	resp, err := c.wire.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }() // it was read whole already
	content, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode == http.StatusOK {
		return content, err
	}
	refusal := &client.ErrorInfo{Code: resp.StatusCode}
	if json.Unmarshal(content, refusal) != nil {
		refusal.Err = http.StatusText(resp.StatusCode)
	}
	return nil, refusal
}

// A DamagedError is a download whose content is not that of the object.
type DamagedError struct {
	Bucket string
	Object Object // as it was to be
	Size   int64  // bytes that came
}

// Error implements error.
func (e *DamagedError) Error() string {
	return fmt.Sprintf("object %q of bucket %q was to have %d bytes with hash %s, and %d others came: it was changed meanwhile, or damaged on its way",
		e.Object.Key, e.Bucket, e.Object.Size, e.Object.ETag, e.Size)
}
