package kodo

import (
	"context"
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"sync"
	"time"

	"github.com/qiniu/go-sdk/v7/storagev2/apis"
	"github.com/qiniu/go-sdk/v7/storagev2/apis/resumable_upload_v2_complete_multipart_upload"
	"golang.org/x/sync/errgroup"

	"github.com/qiniu/terraform-provider-kodo/internal/qetag"
)

const (
	// minPartSize keeps the hash of the object in the form v1, which does not depend on the parts.
	minPartSize = qetag.BlockSize
	maxParts    = 10000
)

// partSize returns the size of the parts of content: as small as Kodo's limit of their number allows.
func partSize(size int64) int64 {
	return max(minPartSize, (size+maxParts-1)/maxParts)
}

// A multipart is an upload in parts, in progress.
type multipart struct {
	*upload
	id       string
	partSize int64
	parts    []qetag.Part
	done     []resumable_upload_v2_complete_multipart_upload.PartInfo
}

// uploadParts sends content in parts, in parallel. If it fails, the parts that were stored are given up at once.
func (c *Client) uploadParts(ctx context.Context, u *upload) (etag string, answer stored, err error) {
	m, err := c.beginParts(ctx, u)
	if err != nil {
		return "", stored{}, err
	}
	defer func() {
		if err != nil {
			c.abort(ctx, m) // one that was completed after all is not known any more, and its object stays
		}
	}()
	if err := c.sendParts(ctx, m); err != nil {
		return "", stored{}, err
	}
	etag = qetag.FromParts(m.parts)
	if err := u.checkRead(etag); err != nil {
		return etag, stored{}, err
	}
	answer, err = c.complete(ctx, m, etag)
	return etag, answer, err
}

func (c *Client) beginParts(ctx context.Context, u *upload) (*multipart, error) {
	m := &multipart{upload: u, partSize: partSize(u.Content.Size())}
	err := c.do(ctx, u.call("begin upload"), func(ctx context.Context, at *apis.Options) error {
		token, err := c.token(u)
		if err != nil {
			return err
		}
		answer, err := c.storage.ResumableUploadV2InitiateMultipartUpload(ctx,
			&apis.ResumableUploadV2InitiateMultipartUploadRequest{BucketName: u.Bucket, ObjectName: &u.Key, UpToken: token}, at)
		if err == nil {
			m.id = answer.UploadId
		}
		return err
	})
	n := (u.Content.Size() + m.partSize - 1) / m.partSize
	m.parts = make([]qetag.Part, n)
	m.done = make([]resumable_upload_v2_complete_multipart_upload.PartInfo, n)
	return m, err
}

// sendParts sends all parts, as many at a time as the Client may have requests in flight and buffers allow.
func (c *Client) sendParts(ctx context.Context, m *multipart) error {
	g, group := errgroup.WithContext(ctx) // group is done when Wait returns
	g.SetLimit(c.config.Concurrency)
	for i := range m.parts {
		if group.Err() != nil {
			break
		}
		g.Go(func() error { return c.sendPart(group, m, i) })
	}
	if err := g.Wait(); err != nil {
		return err
	}
	return context.Cause(ctx)
}

// sendPart reads one part once, hashes it and sends it.
func (c *Client) sendPart(ctx context.Context, m *multipart, i int) error {
	offset := int64(i) * m.partSize
	size := min(m.partSize, m.Content.Size()-offset)
	buf, err := c.buffers.lend(ctx, int(size))
	if err != nil {
		return err
	}
	reusable := true
	defer func() { buf.giveBack(reusable) }()
	if err := readPart(m.Content, buf.bytes, offset); err != nil {
		return err
	}
	var hash [md5.Size]byte
	var both sync.WaitGroup
	both.Go(func() { hash = md5.Sum(buf.bytes) })
	h := qetag.New()
	_, _ = h.Write(buf.bytes)
	both.Wait()
	m.parts[i] = qetag.Part{Size: size, Digest: h.Digest()}
	sum := hex.EncodeToString(hash[:])

	return c.do(ctx, m.call(fmt.Sprintf("upload part %d", i+1)), func(ctx context.Context, at *apis.Options) error {
		token, err := c.token(m.upload)
		if err != nil {
			return err
		}
		body := newBody(buf.bytes)
		answer, err := c.storage.ResumableUploadV2UploadPart(ctx, &apis.ResumableUploadV2UploadPartRequest{
			BucketName: m.Bucket, ObjectName: &m.Key, UploadId: m.id, PartNumber: int64(i + 1),
			UpToken: token, Md5: sum, Body: body,
		}, at)
		reusable = reusable && err == nil && body.closed.Load()
		if err != nil {
			return err
		}
		m.done[i] = resumable_upload_v2_complete_multipart_upload.PartInfo{PartNumber: int64(i + 1), Etag: answer.Etag}
		return nil
	})
}

// complete makes the parts an object. After a lost answer the upload may be unknown because it was completed: that is
// the caller's to find out.
func (c *Client) complete(ctx context.Context, m *multipart, etag string) (answer stored, err error) {
	err = c.retry(ctx, func() error {
		if m.confirm != nil {
			there, err := m.confirm(ctx, etag)
			if err != nil {
				return err
			}
			if there {
				c.abort(ctx, m) // of no use any more; one that was completed is not known
				answer.Hash = etag
				return nil
			}
		}
		err := c.once(ctx, m.call("complete upload"), func(ctx context.Context, at *apis.Options) error {
			token, err := c.token(m.upload)
			if err != nil {
				return err
			}
			answer = stored{}
			_, err = c.storage.ResumableUploadV2CompleteMultipartUpload(ctx, &apis.ResumableUploadV2CompleteMultipartUploadRequest{
				BucketName: m.Bucket, ObjectName: &m.Key, UploadId: m.id, UpToken: token, Parts: m.done,
				MimeType: m.ContentType, Metadata: m.metadata(), ResponseBody: &answer,
			}, at)
			return err
		})
		m.lost = m.lost || answerLost(err)
		return err
	})
	return answer, err
}

// abort gives up an upload that failed. That it cannot is not worth telling: Kodo does it by itself after some days.
func (c *Client) abort(ctx context.Context, m *multipart) {
	ctx, cancel := aftermath(ctx)
	defer cancel()
	_ = c.once(ctx, m.call("abort upload"), func(ctx context.Context, at *apis.Options) error {
		token, err := c.token(m.upload)
		if err != nil {
			return err
		}
		_, err = c.storage.ResumableUploadV2AbortMultipartUpload(ctx, &apis.ResumableUploadV2AbortMultipartUploadRequest{
			BucketName: m.Bucket, ObjectName: &m.Key, UploadId: m.id, UpToken: token,
		}, at)
		return err
	})
}

// What has to be found out or cleared away after a failure has its own time: a cancelled operation must return soon.
const (
	aftermathTime          = 10 * time.Second
	aftermathWhenCancelled = 1250 * time.Millisecond // twice this, for an abort and a stat
)

// aftermath returns a context for what follows a failure, which goes on when ctx is done.
func aftermath(ctx context.Context) (context.Context, context.CancelFunc) {
	limit := aftermathTime
	if ctx.Err() != nil {
		limit = aftermathWhenCancelled
	}
	return context.WithTimeout(context.WithoutCancel(ctx), limit)
}
