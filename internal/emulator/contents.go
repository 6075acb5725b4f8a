package emulator

import (
	"bytes"
	"errors"
	"io"

	"github.com/qiniu/terraform-provider-kodo/internal/emulator/engine"
)

// Put stores an object in a bucket of any account, past the wire: as if
// somebody else had written it. mimeType may be empty.
func (e *Emulator) Put(bucket, key, mimeType string, content []byte) error {
	found, err := e.engine.AnyBucket(bucket)
	if err != nil {
		return err
	}
	blob, err := e.engine.NewBlob(bytes.NewReader(content))
	if err != nil {
		return err
	}
	defer blob.Discard()
	_, err = e.engine.PutObject(engine.Put{Owner: found.Owner, Bucket: bucket, Key: &key, Blob: blob, MimeType: mimeType})
	return err
}

// Content returns the bytes of an object of any account.
func (e *Emulator) Content(bucket, key string) (content []byte, err error) {
	opened, err := e.engine.OpenContent(bucket, key)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, opened.Close()) }()
	return io.ReadAll(opened)
}

// Keys returns the keys of a bucket of any account in their order.
func (e *Emulator) Keys(bucket string) ([]string, error) {
	found, err := e.engine.AnyBucket(bucket)
	if err != nil {
		return nil, err
	}
	request := engine.ListRequest{Owner: found.Owner, Bucket: bucket}
	var keys []string
	for {
		page, err := e.engine.List(request)
		if err != nil {
			return nil, err
		}
		for _, object := range page.Items {
			keys = append(keys, object.Key)
		}
		if request.Marker = page.Marker; request.Marker == "" {
			return keys, nil
		}
	}
}
