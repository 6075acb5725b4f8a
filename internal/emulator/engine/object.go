package engine

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"strconv"
	"strings"
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
}

// Put is an object to be made from a blob.
type Put struct {
	Owner, Bucket string
	Key           *string // nil: the object is named by its hash
	Blob          *Blob
	MimeType      string // application/octet-stream when empty
	EndUser       string
	FileType      int
	Meta          map[string]string
	InsertOnly    bool // refuse to replace an object of other content
}

// PutObject makes or replaces an object. Where InsertOnly meets an object of the
// same content, that object is returned, unchanged (fact:object-insert-same);
// where it meets another one, 614 "file exists".
func (e *Engine) PutObject(put Put) (Object, error) {
	object := Object{
		Bucket: put.Bucket, Hash: put.Blob.ETag, Size: put.Blob.Size, MD5: put.Blob.MD5,
		MimeType: put.MimeType, EndUser: put.EndUser, FileType: put.FileType, Meta: put.Meta,
	}
	object.Key = object.Hash
	if put.Key != nil {
		object.Key = *put.Key
	}
	if err := checkObject(&object); err != nil {
		return Object{}, err
	}
	var stored Object
	err := e.update(func(tx *store.Tx) error {
		if _, err := ownBucket(tx, put.Owner, put.Bucket); err != nil {
			return err
		}
		var err error
		stored, err = e.insert(tx, object, put.Blob.extents(), put.InsertOnly)
		return err
	})
	if err != nil {
		return Object{}, err
	}
	return stored, nil
}

// insert writes a new object over whatever its key names, resetting everything
// that the former object had (assumption), or answers as PutObject says for
// insertOnly. Content is the same if its hash is (assumption): not so the same
// bytes in parts that give them a v2 hash.
func (e *Engine) insert(tx *store.Tx, object Object, extents []store.Extent, insertOnly bool) (Object, error) {
	if insertOnly {
		existing, _, found, err := findObject(tx, object.Bucket, object.Key)
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

// checkObject applies the documented limits of keys, content types and metadata,
// and fills in the default content type. The texts for a long key and for
// metadata are assumptions.
func checkObject(object *Object) error {
	const maxKey = 750
	if !utf8.ValidString(object.Key) {
		return errorf(400, "key must be utf8 encoding")
	}
	if len(object.Key) > maxKey {
		return errorf(400, "key is longer than %d bytes", maxKey)
	}
	if object.MimeType == "" {
		object.MimeType = "application/octet-stream"
	}
	if object.FileType < 0 || object.FileType > 5 {
		return errorf(400, "invalid file type")
	}
	return checkMetadata(object.MimeType, object.Meta)
}

// checkMetadata applies the documented limits: a content type of at most 200
// characters without "%"; metadata names of at most 50 of A-Z, a-z, 0-9, "_" and
// "-", after an optional "!" for a response header; names and values together at
// most 1024 bytes.
func checkMetadata(mimeType string, meta map[string]string) error {
	if utf8.RuneCountInString(mimeType) > 200 || strings.Contains(mimeType, "%") {
		return errorf(400, "invalid mimeType")
	}
	total := 0
	for name, value := range meta {
		plain := strings.TrimPrefix(name, "!")
		if plain == "" || len(plain) > 50 || strings.Trim(plain, metaNameCharacters) != "" {
			return errorf(400, "invalid metadata name %q", name)
		}
		total += len(name) + len(value)
	}
	if total > 1024 {
		return errorf(400, "metadata exceeds 1024 bytes")
	}
	return nil
}

const metaNameCharacters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"

// Stat returns an object of one of the owner's buckets. The bucket is looked at
// first (fact:object-key-after-bucket).
func (e *Engine) Stat(owner, bucket, key string) (object Object, err error) {
	err = e.view(func(tx *store.Tx) error {
		if _, err := ownBucket(tx, owner, bucket); err != nil {
			return err
		}
		object, _, err = needObject(tx, bucket, key)
		return err
	})
	return object, err
}

// Delete removes an object.
func (e *Engine) Delete(owner, bucket, key string) error {
	return e.update(func(tx *store.Tx) error {
		if _, err := ownBucket(tx, owner, bucket); err != nil {
			return err
		}
		if _, _, err := needObject(tx, bucket, key); err != nil {
			return err
		}
		return removeObject(tx, bucket, key)
	})
}

// MetaChange is a change of an object's content type and metadata.
type MetaChange struct {
	Owner, Bucket, Key string
	MimeType           string            // empty: stays
	Meta               map[string]string // added to what is there, replacing equal names
	// Cond must hold, or nothing changes: the names hash, mime, fsize and
	// putTime with the values that the object must have.
	Cond map[string]string
}

// ChangeMeta changes an object's content type and metadata. Metadata that is not
// named stays, and nothing can remove it (both seen by the official SDKs'
// tests). The put time stays too (assumption).
func (e *Engine) ChangeMeta(change MetaChange) error {
	return e.update(func(tx *store.Tx) error {
		if _, err := ownBucket(tx, change.Owner, change.Bucket); err != nil {
			return err
		}
		object, extents, err := needObject(tx, change.Bucket, change.Key)
		if err != nil {
			return err
		}
		if err := object.satisfies(change.Cond); err != nil {
			return err
		}
		if change.MimeType != "" {
			object.MimeType = change.MimeType
		}
		if len(change.Meta) > 0 {
			merged := map[string]string{}
			maps.Copy(merged, object.Meta)
			maps.Copy(merged, change.Meta)
			object.Meta = merged
		}
		if err := checkMetadata(object.MimeType, object.Meta); err != nil {
			return err
		}
		return keepObject(tx, object, extents)
	})
}

// satisfies checks a condition. The four names are documented; that an unmet
// condition is 608 (documented as "content modified") and an unknown name 400
// are assumptions.
func (o Object) satisfies(cond map[string]string) error {
	for name, want := range cond {
		var have string
		switch name {
		case "hash":
			have = o.Hash
		case "mime":
			have = o.MimeType
		case "fsize":
			have = strconv.FormatInt(o.Size, 10)
		case "putTime":
			have = strconv.FormatInt(o.PutTime, 10)
		default:
			return errorf(400, "invalid cond")
		}
		if have != want {
			return errorf(608, "cond not match")
		}
	}
	return nil
}

// Content is an object and its bytes. What it reads stays the same while the
// object is replaced or deleted. It is not safe for concurrent use.
type Content struct {
	Object Object
	io.ReadSeekCloser
}

// OpenContent returns an object of any bucket for reading, for downloads. No file
// is opened before the first byte is read. The caller closes the content.
func (e *Engine) OpenContent(bucket, key string) (*Content, error) {
	var object Object
	reader, err := e.store.Open(objectKey(bucket, key), func(tx *store.Tx) (err error) {
		if _, err := anyBucket(tx, bucket); err != nil {
			return err
		}
		object, _, err = needObject(tx, bucket, key)
		return err
	})
	if err != nil {
		return nil, internal(err)
	}
	return &Content{Object: object, ReadSeekCloser: reader}, nil
}

// needObject reads an object with its extents, or refuses with 612.
func needObject(tx *store.Tx, bucket, key string) (Object, []store.Extent, error) {
	object, extents, found, err := findObject(tx, bucket, key)
	if err == nil && !found {
		err = errorf(612, "no such file or directory")
	}
	return object, extents, err
}

// findObject reads an object with its extents, and reports whether there is one.
func findObject(tx *store.Tx, bucket, key string) (Object, []store.Extent, bool, error) {
	entry, found := tx.Get(objectKey(bucket, key))
	if !found {
		return Object{}, nil, false, nil
	}
	object, extents, err := decodeObject(bucket, key, entry, true)
	return object, extents, err == nil, err
}

// decodeObject decodes an object's entry, with its extents and the sizes of its
// parts if needed: an upload in 10 000 parts has as many extents.
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
