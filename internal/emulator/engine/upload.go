package engine

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"time"

	"github.com/qiniu/terraform-provider-kodo/internal/emulator/store"
	"github.com/qiniu/terraform-provider-kodo/internal/qetag"
)

// The documented limits of a multipart upload (version 2).
const (
	uploadLifetime = 7 * 24 * time.Hour
	maxPartNumber  = 10000
	minPartSize    = 1 << 20 // bytes, of every part but the last
	maxPartSize    = 1 << 30
)

// UploadRef names a multipart upload as every request does. Bucket and Key must
// be those that the upload was begun with; otherwise it is 612 like an unknown
// ID (fact:upload-v2-other-key).
type UploadRef struct {
	Owner, Bucket string
	Key           *string // nil: the object will be named by its hash
	ID            string
}

// Upload is a multipart upload that was neither completed nor aborted.
type Upload struct {
	ID       string
	ExpireAt time.Time // by the engine's clock
}

// Part is a part of an upload.
type Part struct {
	Number  int
	Size    int64
	ETag    string // to be named when the upload is completed
	MD5     string // hexadecimal
	PutTime int64  // 100 ns since 1970
}

// uploadRecord and partRecord are what the store keeps.
type uploadRecord struct {
	Bucket   string
	Key      *string
	ExpireAt int64 // unix seconds
}

type partRecord struct {
	Digest  []byte
	Size    int64
	ETag    string
	MD5     string
	PutTime int64
}

// BeginUpload begins a multipart upload; ref.ID is not looked at.
func (e *Engine) BeginUpload(ref UploadRef) (upload Upload, err error) {
	if ref.Key != nil {
		if err := checkObject(&Object{Key: *ref.Key}); err != nil {
			return Upload{}, err
		}
	}
	err = e.update(func(tx *store.Tx) error {
		if err := checkOwner(tx, ref.Owner, ref.Bucket); err != nil {
			return err
		}
		if err := expireUploads(tx, e.Now()); err != nil {
			return err
		}
		now, err := e.tick(tx)
		if err != nil {
			return err
		}
		// IDs begin with the time, so that they ascend in the order of expiry.
		id := fmt.Sprintf("%016x", now) + hex.EncodeToString(random(8))
		expire := e.Now().Add(uploadLifetime).Unix()
		upload = Upload{ID: id, ExpireAt: time.Unix(expire, 0)}
		return write(tx, uploadKey(id), uploadRecord{ref.Bucket, ref.Key, expire}, nil)
	})
	return upload, err
}

func random(n int) []byte {
	b := make([]byte, n)
	rand.Read(b) //nolint:errcheck // Documented never to fail.
	return b
}

// UploadPart makes blob a part, in place of an earlier one of the same number.
// Sizes are checked only when the upload is completed (documented).
func (e *Engine) UploadPart(ref UploadRef, number int, blob *Blob) (part Part, err error) {
	if number < 1 || number > maxPartNumber {
		return Part{}, errorf(400, "invalid part number") // fact:upload-v2-texts
	}
	err = e.update(func(tx *store.Tx) error {
		if _, err := e.findUpload(tx, ref); err != nil {
			return err
		}
		now, err := e.tick(tx)
		if err != nil {
			return err
		}
		part = Part{Number: number, Size: blob.Size, ETag: blob.ETag, MD5: blob.MD5, PutTime: now}
		record := partRecord{blob.Digest[:], blob.Size, blob.ETag, blob.MD5, now}
		return write(tx, partKey(ref.ID, number), record, blob.extents())
	})
	return part, err
}

// PartPage is a page of an upload's parts in the order of their numbers.
type PartPage struct {
	Upload Upload
	Parts  []Part
	Next   int // the number to continue after, 0 at the end
}

// ListParts returns up to limit parts (0 means 1000, the most) with numbers
// greater than after.
func (e *Engine) ListParts(ref UploadRef, after, limit int) (page PartPage, err error) {
	const maxLimit = 1000
	if limit == 0 {
		limit = maxLimit
	}
	if limit < 0 || limit > maxLimit || after < 0 {
		return PartPage{}, errorf(400, "invalid argument") // fact:upload-v2-texts
	}
	err = e.view(func(tx *store.Tx) error {
		record, err := e.findUpload(tx, ref)
		if err != nil {
			return err
		}
		page = PartPage{Upload: Upload{ID: ref.ID, ExpireAt: time.Unix(record.ExpireAt, 0)}}
		if after >= maxPartNumber {
			return nil
		}
		for key, entry := range tx.Scan(partsOf(ref.ID), partKey(ref.ID, after+1)) {
			if len(page.Parts) == limit {
				page.Next = page.Parts[limit-1].Number
				return nil
			}
			var record partRecord
			if err := json.Unmarshal(entry.Meta, &record); err != nil {
				return fmt.Errorf("decode the entry %q: %w", key, err)
			}
			page.Parts = append(page.Parts, Part{
				Number: partNumber(key), Size: record.Size, ETag: record.ETag, MD5: record.MD5, PutTime: record.PutTime,
			})
		}
		return nil
	})
	return page, err
}

// PartHead returns the first bytes of a part, for its content to be guessed; none of
// one that was not uploaded.
func (e *Engine) PartHead(ref UploadRef, number int) ([]byte, error) {
	reader, err := e.store.Open(partKey(ref.ID, number), func(tx *store.Tx) error {
		_, err := e.findUpload(tx, ref)
		return err
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, internal(err)
	}
	head, err := io.ReadAll(io.LimitReader(reader, HeadSize))
	return head, internal(errors.Join(err, reader.Close()))
}

// AbortUpload forgets an upload and its parts.
func (e *Engine) AbortUpload(ref UploadRef) error {
	return e.update(func(tx *store.Tx) error {
		if _, err := e.findUpload(tx, ref); err != nil {
			return err
		}
		return removeUpload(tx, ref.ID)
	})
}

// Complete says what object an upload becomes.
type Complete struct {
	UploadRef

	Parts []PartRef // in ascending order of numbers, with gaps if so wished
	// Object says all else of the object. Owner and Bucket are the upload's, and so
	// is Key unless it is set.
	Object Put
}

// PartRef names an uploaded part.
type PartRef struct {
	Number int
	ETag   string
}

// CompleteUpload makes an object of the parts, in the same moment in which the
// upload ends; parts that are not named are dropped. Where InsertOnly meets an
// object of the same content, that one is returned and the upload ends too;
// where it meets another one, 614 and the upload stays.
func (e *Engine) CompleteUpload(complete Complete) (stored Object, err error) {
	put := complete.Object
	put.Owner, put.Bucket = complete.Owner, complete.Bucket
	if put.Key == nil {
		put.Key = complete.Key
	}
	object, err := put.object()
	if err != nil {
		return Object{}, err
	}
	object.Multipart = true
	if err := checkPartRefs(complete.Parts); err != nil {
		return Object{}, err
	}
	err = e.updateTelling(func(tx *store.Tx, tell teller) error {
		if _, err := e.findUpload(tx, complete.UploadRef); err != nil {
			return err
		}
		made := object
		extents, err := assemble(tx, complete, &made)
		if err != nil {
			return err
		}
		if stored, err = e.upload(tx, tell, put, made, extents); err != nil {
			return err
		}
		return removeUpload(tx, complete.ID)
	})
	return stored, err
}

// checkPartRefs applies the rules that need no stored part. The text for no parts
// at all is seen by the official SDKs' tests (fact:upload-v2-texts).
func checkPartRefs(parts []PartRef) error {
	if len(parts) == 0 {
		return errorf(400, "parts param can't be empty")
	}
	previous := 0
	for _, part := range parts {
		if part.Number <= previous || part.Number > maxPartNumber {
			return errorf(400, "part numbers must ascend from 1 to %d", maxPartNumber)
		}
		previous = part.Number
	}
	return nil
}

// assemble fills in what an object has from its parts and returns their extents:
// no byte is copied. The limits are documented, the texts are not
// (fact:upload-v2-texts). The last part must have a byte, since Kodo makes no empty
// object this way.
func assemble(tx *store.Tx, complete Complete, object *Object) ([]store.Extent, error) {
	extents := make([]store.Extent, 0, len(complete.Parts))
	hashed := make([]qetag.Part, 0, len(complete.Parts))
	for i, ref := range complete.Parts {
		var part partRecord
		entry, found, err := read(tx, partKey(complete.ID, ref.Number), &part)
		if err != nil {
			return nil, err
		}
		last := i == len(complete.Parts)-1
		switch {
		case !found || part.ETag != ref.ETag:
			return nil, errorf(400, "invalid part %d: no part of this number and etag was uploaded", ref.Number)
		case part.Size > maxPartSize:
			return nil, errorf(400, "invalid part %d: larger than %d bytes", ref.Number, maxPartSize)
		case part.Size < minPartSize && !last, part.Size == 0:
			return nil, errorf(400, "invalid part %d: only the last part may be smaller than %d bytes, but not empty", ref.Number, minPartSize)
		}
		of, err := entry.Extents()
		if err != nil {
			return nil, err
		}
		extents = append(extents, of...)
		hashed = append(hashed, qetag.Part{Size: part.Size, Digest: qetag.Digest(part.Digest)})
		object.Size += part.Size
		object.Parts = append(object.Parts, part.Size)
	}
	object.Hash = qetag.FromParts(hashed)
	return extents, nil
}

// findUpload reads an upload, or refuses as Kodo does once it was completed,
// aborted or has expired: 612 with this text, on which the official SDKs begin
// again.
func (e *Engine) findUpload(tx *store.Tx, ref UploadRef) (uploadRecord, error) {
	if err := checkOwner(tx, ref.Owner, ref.Bucket); err != nil {
		return uploadRecord{}, err
	}
	var record uploadRecord
	_, found, err := read(tx, uploadKey(ref.ID), &record)
	if err != nil {
		return uploadRecord{}, err
	}
	sameKey := (record.Key == nil) == (ref.Key == nil) && (ref.Key == nil || *record.Key == *ref.Key)
	if !found || record.Bucket != ref.Bucket || !sameKey || e.Now().Unix() >= record.ExpireAt {
		return uploadRecord{}, errorf(612, "no such uploadId")
	}
	return record, nil
}

// expireUploads removes the uploads whose time has come, oldest first.
func expireUploads(tx *store.Tx, now time.Time) error {
	return removeUploads(tx, func(record uploadRecord) (remove, more bool) {
		expired := now.Unix() >= record.ExpireAt
		return expired, expired
	})
}

// abortUploadsOf removes the uploads to a bucket.
func abortUploadsOf(tx *store.Tx, bucket string) error {
	return removeUploads(tx, func(record uploadRecord) (remove, more bool) {
		return record.Bucket == bucket, true
	})
}

func removeUploads(tx *store.Tx, choose func(uploadRecord) (remove, more bool)) error {
	return removeOldest(tx, uploadKey(""), choose, func(key string) error { return removeUpload(tx, key[len(uploadKey("")):]) })
}

// removeOldest goes through the entries of a prefix from the first on, as long as
// choose wants more, and then removes those that it has chosen.
func removeOldest[T any](tx *store.Tx, prefix string, choose func(T) (remove, more bool), drop func(key string) error) error {
	var chosen []string
	for key, entry := range tx.Scan(prefix, "") {
		var record T
		if err := json.Unmarshal(entry.Meta, &record); err != nil {
			return fmt.Errorf("decode the entry %q: %w", key, err)
		}
		remove, more := choose(record)
		if remove {
			chosen = append(chosen, key)
		}
		if !more {
			break
		}
	}
	for _, key := range chosen {
		if err := drop(key); err != nil {
			return err
		}
	}
	return nil
}

// removeUpload deletes an upload with its parts. Their bytes stay as far as an
// object refers to them by now.
func removeUpload(tx *store.Tx, id string) error {
	var parts []string // The entries must not change while they are scanned.
	for key := range tx.Scan(partsOf(id), "") {
		parts = append(parts, key)
	}
	for _, part := range parts {
		if err := tx.Delete(part); err != nil {
			return err
		}
	}
	return tx.Delete(uploadKey(id))
}
