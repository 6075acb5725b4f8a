package kodo

import (
	"context"
	"encoding/base64"
	"net/http"
	"strings"

	"github.com/qiniu/go-sdk/v7/storagev2/apis"
)

// An operation is one thing that Kodo does to one object of the service rs: a request of its own, or one line of a
// batch.
type operation struct {
	name        string // for errors, such as "stat"
	method      string
	bucket, key string
	line        string // "stat/<entry>", as a batch wants it; behind a slash it is the path of a request
	query       string // of a request of its own: an option, which is the rest of the line in a batch
}

// operationOn returns an operation on an object. The arguments follow the object in the path, and are encoded already.
func operationOn(name, command, bucket, key string, arguments ...string) operation {
	line := append([]string{command, EncodeEntry(bucket, key)}, arguments...)
	return operation{name: name, method: http.MethodPost, bucket: bucket, key: key, line: strings.Join(line, "/")}
}

// lineOfBatch is the whole line.
func (o operation) lineOfBatch() string {
	if o.query == "" {
		return o.line
	}
	return o.line + "/" + strings.ReplaceAll(o.query, "=", "/")
}

// operateAlone makes one attempt at an operation as a request of its own.
func (c *Client) operateAlone(ctx context.Context, o operation, out any) error {
	return c.once(ctx, call{op: o.name, service: serviceRS, bucket: o.bucket, key: o.key},
		func(ctx context.Context, at *apis.Options) error {
			return c.request(ctx, at, o.method, "/"+o.line, o.query, out)
		})
}

// entry is how Kodo's calls name an object.
func entry(bucket, key string) string { return bucket + ":" + key }

// EncodeEntry is the entry of an object as a segment of a path: URL-safe base64 with padding, which the documentation
// calls EncodedEntryURI.
func EncodeEntry(bucket, key string) string { return encodeSegment(entry(bucket, key)) }

// encodeSegment makes any text a segment of a path, in the way that Kodo reads.
func encodeSegment(text string) string { return base64.URLEncoding.EncodeToString([]byte(text)) }
