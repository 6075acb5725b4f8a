package engine

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"unicode/utf8"

	"github.com/qiniu/terraform-provider-kodo/internal/emulator/store"
)

// Object is an object without its bytes.
type Object struct {
	Bucket   string            `json:"-"`
	Key      string            `json:"-"`
	Hash     string            `json:"hash"` // v1, or v2 where it was uploaded in parts of other sizes than 4 MiB
	Size     int64             `json:"size"` // bytes
	MimeType string            `json:"mime"`
	FileType int               `json:"type,omitempty"` // storage class, 0 (standard) to 5
	MD5      string            `json:"md5,omitempty"`  // hexadecimal; empty for a multipart upload, as with Kodo
	EndUser  string            `json:"user,omitempty"`
	PutTime  int64             `json:"put"`            // 100 ns since 1970, different for every write
	Meta     map[string]string `json:"meta,omitempty"` // names as given, without "x-qn-meta-"; "!Name" sets a response header

	// Parts are the sizes of the parts of a multipart upload, from which a v2
	// hash can be recomputed; nil for other uploads. Only Stat, Lookup, a
	// completed upload, and List if asked, fill it.
	Parts []int64 `json:"-"`

	Multipart bool `json:"multipart,omitempty"` // uploaded in parts, even if in one
	Disabled  bool `json:"disabled,omitempty"`  // downloads need a signature, also from a public bucket

	Lifetime
}

// ObjectRef names the object of one of the owner's buckets that is to change.
type ObjectRef struct {
	Owner, Bucket, Key string
	// Cond must hold, or nothing changes: the names hash, mime, fsize and
	// putTime with the values that the object must have.
	Cond map[string]string
}

// Put is an object to be made from a blob.
type Put struct {
	Owner, Bucket   string
	Key             *string // nil: the object is named by its hash
	Blob            *Blob   // nil where the content is made of what was uploaded before
	MimeType        string  // application/octet-stream when empty
	EndUser         string
	FileType        int
	DeleteAfterDays int // 0: the object stays
	Meta            map[string]string
	InsertOnly      bool // refuse to replace an object of other content
	// Judge, unless nil, sees the object when its content is known, before it is
	// made. It may give it another key and content type, or refuse it. It may be
	// called more than once, and waits for nothing.
	Judge func(*Object) error
}

// object returns what a put says of its object before the content is known.
func (p Put) object() (Object, error) {
	object := Object{Bucket: p.Bucket, MimeType: p.MimeType, EndUser: p.EndUser, FileType: p.FileType, Meta: p.Meta}
	if p.Key != nil {
		object.Key = *p.Key
	}
	return object, checkObject(&object)
}

// PutObject makes or replaces an object. Where InsertOnly meets an object of the
// same content, that object is returned, unchanged (fact:object-insert-same);
// where it meets another one, 614 "file exists".
func (e *Engine) PutObject(put Put) (stored Object, err error) {
	object, err := put.object()
	if err != nil {
		return Object{}, err
	}
	object.Hash, object.Size, object.MD5 = put.Blob.ETag, put.Blob.Size, put.Blob.MD5
	err = e.updateTelling(func(tx *store.Tx, tell teller) error {
		var err error
		stored, err = e.upload(tx, tell, put, object, put.Blob.extents())
		return err
	})
	if err != nil {
		return Object{}, err
	}
	return stored, nil
}

// upload writes the object of a put whose content is known by now. The bucket's
// rules come first: what they do to the object is part of the upload.
func (e *Engine) upload(tx *store.Tx, tell teller, put Put, object Object, extents []store.Extent) (Object, error) {
	bucket, err := ownBucket(tx, put.Owner, put.Bucket)
	if err != nil {
		return Object{}, err
	}
	if put.Key == nil {
		object.Key = object.Hash
	}
	if put.Judge != nil {
		if err := put.Judge(&object); err != nil {
			return Object{}, err
		}
		if err := checkObject(&object); err != nil {
			return Object{}, err
		}
	}
	if put.DeleteAfterDays > 0 {
		object.plan(Days{Delete: put.DeleteAfterDays}, e.Now())
	}
	bucket.uploaded(&object)
	event := EventMkfile
	if put.Blob != nil {
		event = EventPut
	}
	stored, err := e.insert(tx, object, extents, put.InsertOnly)
	tell(Event{Name: event, Object: stored}, bucket)
	return stored, err
}

// insert writes a new object over whatever its key names, resetting everything
// that the former object had (fact:object-overwrite-resets), or answers as
// PutObject says for insertOnly. Content is the same if its hash is
// (fact:object-insert-same-hash): not so the same bytes in parts that give them a
// v2 hash.
func (e *Engine) insert(tx *store.Tx, object Object, extents []store.Extent, insertOnly bool) (Object, error) {
	if insertOnly {
		existing, _, found, err := e.findObject(tx, object.Bucket, object.Key)
		switch {
		case err != nil:
			return Object{}, err
		case found && existing.Hash == object.Hash && existing.Size == object.Size:
			return existing, nil
		case found:
			return Object{}, errorf(614, "file exists")
		}
	}
	var err error
	if object.PutTime, err = e.tick(tx); err != nil {
		return Object{}, err
	}
	return object, keepObject(tx, object, extents)
}

// keepObject writes an object with its extents, over whatever its key names, and
// notes when the clock has something to do to it. With moveObject and removeObject it
// is the only place that changes objects, so that a quota holds whatever the operation:
// growth beyond it is refused (fact:bucket-quota-refusal), and all else may stay above it.
func keepObject(tx *store.Tx, object Object, extents []store.Extent) error {
	if err := recount(tx, object.Bucket, object.usage(), object.Key); err != nil {
		return err
	}
	return writeObject(tx, object, extents)
}

// moveObject is keepObject for one that an object with another key becomes.
func moveObject(tx *store.Tx, from, to Object, extents []store.Extent) error {
	var err error
	if from.Bucket == to.Bucket { // It does not grow, so both keys count as one change.
		err = recount(tx, to.Bucket, to.usage(), slices.Compact([]string{from.Key, to.Key})...)
	} else if err = recount(tx, from.Bucket, Usage{}, from.Key); err == nil {
		err = recount(tx, to.Bucket, to.usage(), to.Key)
	}
	if err != nil {
		return err
	}
	if err := tx.Delete(objectKey(from.Bucket, from.Key)); err != nil {
		return err
	}
	return writeObject(tx, to, extents)
}

func (o Object) usage() Usage { return Usage{Files: 1, Bytes: o.Size} }

func writeObject(tx *store.Tx, object Object, extents []store.Extent) error {
	if moment, ok := object.due(); ok {
		if err := tx.Put(dueKey(moment, object.Bucket, object.Key), nil, nil); err != nil {
			return err
		}
	}
	return write(tx, objectKey(object.Bucket, object.Key), object, extents)
}

// removeObject deletes the object of a key, if there is one.
func removeObject(tx *store.Tx, bucket, key string) error {
	if err := recount(tx, bucket, Usage{}, key); err != nil {
		return err
	}
	return tx.Delete(objectKey(bucket, key))
}

// checkObject applies the limits of keys, content types and metadata, and fills in
// the default content type.
func checkObject(object *Object) error {
	if err := checkKey(object.Key); err != nil {
		return err
	}
	if object.MimeType == "" {
		object.MimeType = "application/octet-stream"
	}
	if object.FileType < 0 || object.FileType > 5 {
		return errorf(400, "invalid file type")
	}
	return checkMetadata(object.MimeType, object.Meta)
}

// checkKey applies Kodo's limits of keys (fact:object-key-limits).
func checkKey(key string) error {
	const maxKey = 750
	if !utf8.ValidString(key) {
		return errorf(400, "key must be utf8 encoding")
	}
	if len(key) > maxKey {
		return errorf(400, "key is longer than %d bytes", maxKey)
	}
	return nil
}

// Stat returns an object of one of the owner's buckets. The bucket is looked at
// first (fact:object-key-after-bucket).
func (e *Engine) Stat(owner, bucket, key string) (object Object, err error) {
	err = e.view(func(tx *store.Tx) error {
		if err := checkOwner(tx, owner, bucket); err != nil {
			return err
		}
		object, _, err = e.needObject(tx, bucket, key)
		return err
	})
	return object, err
}

// Delete removes an object, also a frozen one (fact:object-frozen-delete).
func (e *Engine) Delete(owner, bucket, key string) error {
	return e.updateTelling(func(tx *store.Tx, tell teller) error {
		own, err := ownBucket(tx, owner, bucket)
		if err != nil {
			return err
		}
		object, _, err := e.needObject(tx, bucket, key)
		if err != nil {
			return err
		}
		tell(Event{Name: EventDelete, Object: object}, own)
		return removeObject(tx, bucket, key)
	})
}

// change lets alter change the record of an object. alter may be called more than
// once, each time with the object as it is.
func (e *Engine) change(ref ObjectRef, alter func(*Object) error) error {
	return e.changeTelling(ref, "", alter)
}

// changeTelling is change for one that is an event.
func (e *Engine) changeTelling(ref ObjectRef, event string, alter func(*Object) error) error {
	return e.updateTelling(func(tx *store.Tx, tell teller) error {
		bucket, err := ownBucket(tx, ref.Owner, ref.Bucket)
		if err != nil {
			return err
		}
		object, extents, err := e.needObject(tx, ref.Bucket, ref.Key)
		if err != nil {
			return err
		}
		if err := object.satisfies(ref.Cond); err != nil {
			return err
		}
		if err := alter(&object); err != nil {
			return err
		}
		tell(Event{Name: event, Object: object}, bucket)
		return keepObject(tx, object, extents)
	})
}

// Content is an object and its bytes. What it reads stays the same while the
// object is replaced or deleted. It is not safe for concurrent use.
type Content struct {
	Object Object
	io.ReadSeekCloser
}

// OpenContent returns an object of any bucket for reading, for downloads; a frozen
// one is refused. No file is opened before the first byte is read. The caller
// closes the content.
func (e *Engine) OpenContent(bucket, key string) (*Content, error) {
	var object Object
	reader, err := e.store.Open(objectKey(bucket, key), func(tx *store.Tx) (err error) {
		if _, err := anyBucket(tx, bucket); err != nil {
			return err
		}
		object, _, err = e.needObject(tx, bucket, key)
		if err == nil && object.frozen() {
			err = errorf(403, frozenText) // fact:object-frozen
		}
		return err
	})
	if err != nil {
		return nil, internal(err)
	}
	return &Content{Object: object, ReadSeekCloser: reader}, nil
}

// needObject reads an object with its extents, or refuses with 612.
func (e *Engine) needObject(tx *store.Tx, bucket, key string) (Object, []store.Extent, error) {
	object, extents, found, err := e.findObject(tx, bucket, key)
	if err == nil && !found {
		err = errorf(612, "no such file or directory")
	}
	return object, extents, err
}

// findObject reads an object with its extents as it is by now, and reports whether
// there is one.
func (e *Engine) findObject(tx *store.Tx, bucket, key string) (Object, []store.Extent, bool, error) {
	entry, found := tx.Get(objectKey(bucket, key))
	if !found {
		return Object{}, nil, false, nil
	}
	object, extents, err := decodeObject(bucket, key, entry, true)
	if err != nil || !object.at(e.Now()) {
		return Object{}, nil, false, err
	}
	return object, extents, true, nil
}

// decodeObject decodes an object's entry as it was written: at says what has become
// of it by now. The extents and the sizes of its parts come only if needed, since
// an upload in 10 000 parts has as many.
func decodeObject(bucket, key string, entry store.Entry, extents bool) (Object, []store.Extent, error) {
	object := Object{Bucket: bucket, Key: key}
	if err := json.Unmarshal(entry.Meta, &object); err != nil {
		return Object{}, nil, fmt.Errorf("decode the object %q of %s: %w", key, bucket, err)
	}
	if !extents {
		return object, nil, nil
	}
	list, err := entry.Extents()
	if err != nil {
		return Object{}, nil, fmt.Errorf("decode the object %q of %s: %w", key, bucket, err)
	}
	if object.Multipart {
		for _, extent := range list { // Each part was one blob, and each blob is one extent.
			object.Parts = append(object.Parts, extent.Size)
		}
	}
	return object, list, nil
}
