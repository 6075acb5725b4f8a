package kodo

import (
	"context"
	"encoding/json"
	"hash/crc32"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/qiniu/go-sdk/v7/storagev2/apis"
	"github.com/qiniu/go-sdk/v7/storagev2/uptoken"

	"github.com/qiniu/terraform-provider-kodo/internal/qetag"
)

// tokenLife is how long an upload token is good for. Kodo looks at it when a request ends, and each request has a
// token of its own, so it need not outlive the upload.
const tokenLife = time.Hour

// An upload is one transfer of content to a key.
type upload struct {
	Put
	insertOnly bool
	// confirm looks at the object before an attempt to make the content visible, if much time may have passed since the
	// last look. It reports whether the content is there already, by an attempt whose answer was lost. nil allows all.
	confirm func(ctx context.Context, etag string) (there bool, err error)
	// lost says that the answer to an attempt to make the content visible was lost, so that it may be there whatever
	// the last attempt came to.
	lost bool
	// record is for a later process that resumes the upload; nil if there is none.
	record *record
}

func (u *upload) call(op string) call {
	return call{op: op, service: serviceUp, bucket: u.Bucket, key: u.Key}
}

// token returns a fresh upload token for the upload's key and nothing else.
func (c *Client) token(u *upload) (uptoken.Provider, error) {
	policy, err := uptoken.NewPutPolicy(u.Bucket, time.Now().Add(tokenLife))
	if err != nil {
		return nil, err
	}
	policy.SetScope(entry(u.Bucket, u.Key)) // the SDK's own way takes the empty key for none, which forbids to overwrite
	policy.SetDetectMime(-1)                // the content type is what the caller says, not what Kodo makes of the content
	if u.insertOnly {
		policy.SetInsertOnly(1)
	}
	if u.StorageClass != Standard {
		policy.SetFileType(int64(u.StorageClass))
	}
	if u.DeleteAfterDays != 0 {
		if err := policy.Set("deleteAfterDays", u.DeleteAfterDays); err != nil {
			return nil, err
		}
	}
	return uptoken.NewSigner(policy, c.credentials), nil
}

// metadata returns the object's metadata as uploads send it.
func (u *upload) metadata() map[string]string {
	sent := make(map[string]string, len(u.Metadata))
	for name, value := range u.Metadata {
		sent[metadataPrefix+name] = value
	}
	return sent
}

// stored is what Kodo answers to a finished upload.
type stored struct {
	Hash string `json:"hash"`
	Key  string `json:"key"`
}

// upload sends the content, and returns the hash that it has as an object, also if it fails after that was known.
// Whatever Kodo answers, the error is nil only if Kodo's hash is that one.
func (c *Client) upload(ctx context.Context, u *upload) (etag string, err error) {
	var answer stored
	if u.Content.Size() <= qetag.BlockSize {
		etag, answer, err = c.uploadForm(ctx, u)
	} else {
		etag, answer, err = c.uploadParts(ctx, u)
	}
	if err != nil {
		return etag, err
	}
	if answer.Hash != etag {
		return etag, &HashError{Bucket: u.Bucket, Key: u.Key, Sent: etag, Stored: answer.Hash}
	}
	return etag, nil
}

// checkRead compares what was read with what was planned to be sent.
func (u *upload) checkRead(etag string) error {
	if u.ETag == "" {
		return checkUnchanged(u.Content)
	}
	if etag != u.ETag {
		return &ContentChangedError{Want: u.ETag, Have: etag}
	}
	return nil // the file may have changed again since, but what is sent is what was planned
}

// uploadForm sends content of at most one block in one request. It is the only way to store an empty object.
func (c *Client) uploadForm(ctx context.Context, u *upload) (etag string, answer stored, err error) {
	buf, err := c.buffers.lend(ctx, int(u.Content.Size()))
	if err != nil {
		return "", stored{}, err
	}
	failed := false
	defer func() { buf.giveBack(failed) }()
	if err := readPart(u.Content, buf.bytes, 0); err != nil {
		return "", stored{}, err
	}
	etag = qetag.Sum(buf.bytes)
	if err := u.checkRead(etag); err != nil {
		return etag, stored{}, err
	}
	looked := true // by put, a moment ago
	err = c.retry(ctx, func() error {
		if !looked && u.confirm != nil {
			if there, err := u.confirm(ctx, etag); there || err != nil {
				answer.Hash = etag
				return err
			}
		}
		looked = false
		err := c.once(ctx, u.call("upload"), func(ctx context.Context, at *apis.Options) error {
			answer = stored{}
			err := c.postForm(ctx, at, u, buf, &answer)
			failed = failed || err != nil
			return err
		})
		u.lost = u.lost || answerLost(err)
		return err
	})
	return etag, answer, err
}

// postForm sends content in one request.
func (c *Client) postForm(ctx context.Context, at *apis.Options, u *upload, content *buffer, answer *stored) error {
	token, err := c.token(u)
	if err != nil {
		return err
	}
	signed, err := token.GetUpToken(ctx)
	if err != nil {
		return err
	}
	fields := u.metadata()
	fields["key"], fields["token"] = u.Key, signed
	fields["crc32"] = strconv.FormatUint(uint64(crc32.ChecksumIEEE(content.bytes)), 10)
	f, err := newForm(fields, content.bytes, u.ContentType)
	if err != nil {
		return err
	}
	base, err := at.OverwrittenEndpoints.GetEndpoints(ctx)
	if err != nil {
		return err
	}
	body := func() io.ReadCloser {
		return struct {
			io.Reader
			io.Closer
		}{f.body(), content.hold()}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, base.Preferred[0]+"/", body())
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", f.contentType)
	req.ContentLength = int64(f.size())
	req.GetBody = func() (io.ReadCloser, error) { return body(), nil }
	text, err := c.exchange(req)
	if err != nil {
		return err
	}
	return json.Unmarshal(text, answer)
}
