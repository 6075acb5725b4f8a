package kodo

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
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
	parts    []part
	progress *progress
}

// A part is a piece of the content.
type part struct {
	qetag.Part
	read bool   // by this process, so that the digest is that of the content
	etag string // by which Kodo knows it; "" if it has to be sent
}

// uploadParts sends content in parts, in parallel. If it fails, what was stored is kept for a later process that can
// resume it, and given up at once otherwise.
func (c *Client) uploadParts(ctx context.Context, u *upload) (etag string, answer stored, err error) {
	m := &multipart{upload: u, partSize: partSize(u.Content.Size())}
	if err := c.openParts(ctx, m); err != nil {
		return "", stored{}, err
	}
	defer func() { c.closeParts(ctx, m, err) }()
	etag, answer, err = c.transfer(ctx, m)
	if err != nil && !u.lost && c.forgotten(ctx, m, err) {
		etag, answer, err = c.transfer(ctx, m)
	}
	return etag, answer, err
}

// transfer sends the parts that Kodo does not have, and makes all of them an object.
func (c *Client) transfer(ctx context.Context, m *multipart) (etag string, answer stored, err error) {
	if err := c.sendParts(ctx, m); err != nil {
		return "", stored{}, err
	}
	parts := make([]qetag.Part, len(m.parts))
	for i, p := range m.parts {
		parts[i] = p.Part
	}
	etag = qetag.FromParts(parts)
	if err := m.checkRead(etag); err != nil {
		return etag, stored{}, err
	}
	answer, err = c.complete(ctx, m, etag)
	return etag, answer, err
}

// beginParts asks for a new upload, of which Kodo has no part.
func (c *Client) beginParts(ctx context.Context, m *multipart) error {
	err := c.do(ctx, m.call("begin upload"), func(ctx context.Context, at *apis.Options) error {
		token, err := c.token(m.upload)
		if err != nil {
			return err
		}
		answer, err := c.storage.ResumableUploadV2InitiateMultipartUpload(ctx,
			&apis.ResumableUploadV2InitiateMultipartUploadRequest{BucketName: m.Bucket, ObjectName: &m.Key, UpToken: token}, at)
		if err == nil {
			m.id = answer.UploadId
		}
		return err
	})
	m.reset(c)
	return err
}

// reset forgets all parts.
func (m *multipart) reset(c *Client) {
	m.parts = make([]part, (m.Content.Size()+m.partSize-1)/m.partSize)
	m.progress = c.newProgress(m.upload)
}

// sendParts sends all parts, as many at a time as the Client may have requests in flight and buffers allow.
func (c *Client) sendParts(ctx context.Context, m *multipart) error {
	g, group := errgroup.WithContext(ctx) // group is done when Wait returns
	g.SetLimit(c.config.Concurrency)
	for i := range m.parts {
		if group.Err() != nil {
			break
		}
		if p := &m.parts[i]; !p.read || p.etag == "" {
			g.Go(func() error { return c.sendPart(group, m, i) })
		}
	}
	if err := g.Wait(); err != nil {
		return err
	}
	return context.Cause(ctx)
}

// sendPart reads one part once, hashes it, and sends it unless Kodo has it.
func (c *Client) sendPart(ctx context.Context, m *multipart, i int) error {
	offset := int64(i) * m.partSize
	size := min(m.partSize, m.Content.Size()-offset)
	buf, err := c.buffers.lend(ctx, int(size))
	if err != nil {
		return err
	}
	failed := false
	defer func() { buf.giveBack(failed) }()
	if err := readPart(m.Content, buf.bytes, offset); err != nil {
		return err
	}
	var hash [md5.Size]byte
	var both sync.WaitGroup
	both.Go(func() { hash = md5.Sum(buf.bytes) })
	h := qetag.New()
	_, _ = h.Write(buf.bytes)
	both.Wait()
	sum := hex.EncodeToString(hash[:])

	p, have := &m.parts[i], qetag.Part{Size: size, Digest: h.Digest()}
	if p.etag != "" && p.Part == have { // sent by an earlier process, and still the content
		p.read = true
		m.progress.add(ctx, size)
		return nil
	}
	*p = part{Part: have, read: true}
	err = c.do(ctx, m.call(fmt.Sprintf("upload part %d", i+1)), func(ctx context.Context, at *apis.Options) error {
		token, err := c.token(m.upload)
		if err != nil {
			return err
		}
		body := struct {
			*bytes.Reader
			io.Closer
		}{bytes.NewReader(buf.bytes), buf.hold()}
		answer, err := c.storage.ResumableUploadV2UploadPart(ctx, &apis.ResumableUploadV2UploadPartRequest{
			BucketName: m.Bucket, ObjectName: &m.Key, UploadId: m.id, PartNumber: int64(i + 1),
			UpToken: token, Md5: sum, Body: body,
		}, at)
		failed = failed || err != nil
		if err == nil {
			p.etag = answer.Etag
		}
		return err
	})
	if err == nil {
		m.record.add(i+1, *p)
		m.progress.add(ctx, size)
	}
	return err
}

// complete makes the parts an object. After a lost answer the upload may be unknown because it was completed: that is
// the caller's to find out.
func (c *Client) complete(ctx context.Context, m *multipart, etag string) (answer stored, err error) {
	parts := make([]resumable_upload_v2_complete_multipart_upload.PartInfo, len(m.parts))
	for i, p := range m.parts {
		parts[i] = resumable_upload_v2_complete_multipart_upload.PartInfo{PartNumber: int64(i + 1), Etag: p.etag}
	}
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
				BucketName: m.Bucket, ObjectName: &m.Key, UploadId: m.id, UpToken: token, Parts: parts,
				MimeType: m.ContentType, Metadata: m.metadata(), ResponseBody: &answer,
			}, at)
			return err
		})
		m.lost = m.lost || answerLost(err)
		return err
	})
	return answer, err
}

// forgotten reports whether an upload failed because the server does not have what it was sent. What it lacks is to be
// sent again; an upload that it does not know at all is begun anew.
func (c *Client) forgotten(ctx context.Context, m *multipart, err error) bool {
	if code := CodeOf(err); code != http.StatusBadRequest && code != codeGone {
		return false
	}
	has, err := c.listParts(ctx, m)
	switch {
	case CodeOf(err) == codeGone:
		if c.beginParts(ctx, m) != nil {
			return false
		}
		m.record.begin(m)
		return true
	case err != nil:
		return false
	}
	lacks := false
	for i := range m.parts {
		p := &m.parts[i]
		if p.etag != "" && has[i+1] != (listedPart{p.etag, p.Size}) {
			p.etag, lacks = "", true
			m.progress.add(ctx, -p.Size)
		}
	}
	return lacks
}

// A listedPart is what Kodo says of a part that it has.
type listedPart struct {
	etag string
	size int64
}

// listParts returns the parts that Kodo has, by their numbers.
func (c *Client) listParts(ctx context.Context, m *multipart) (map[int]listedPart, error) {
	has := make(map[int]listedPart)
	for marker := int64(0); ; {
		var page *apis.ResumableUploadV2ListPartsResponse
		err := c.do(ctx, m.call("list parts"), func(ctx context.Context, at *apis.Options) error {
			token, err := c.token(m.upload)
			if err != nil {
				return err
			}
			page, err = c.storage.ResumableUploadV2ListParts(ctx, &apis.ResumableUploadV2ListPartsRequest{
				BucketName: m.Bucket, ObjectName: &m.Key, UploadId: m.id, PartNumberMarker: marker, UpToken: token,
			}, at)
			return err
		})
		if err != nil {
			return nil, err
		}
		for _, p := range page.Parts {
			has[int(p.PartNumber)] = listedPart{p.Etag, p.Size}
		}
		if page.PartNumberMarker <= marker {
			return has, nil
		}
		marker = page.PartNumberMarker
	}
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
