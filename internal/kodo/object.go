package kodo

import (
	"context"
	"errors"
	"net/http"
	"time"
)

// An Object is what Kodo tells of an object without its content.
type Object struct {
	Key          string
	ETag         string // Kodo's content hash, see package qetag
	Size         int64  // bytes
	ContentType  string
	MD5          string  // lower-case hexadecimal; "" unless Kodo knows it
	PutTime      PutTime // of its latest upload
	StorageClass StorageClass
	Disabled     bool // it cannot be downloaded without a signature
	Restore      RestoreStatus
	Expires      time.Time // when Kodo deletes it; zero if it does not
	// Transitions says when Kodo moves it to other storage classes. Listings do not tell these and Expires.
	Transitions map[StorageClass]time.Time
	// Metadata holds what was given by the name without Kodo's prefix x-qn-meta-. Names that begin with "!" are headers
	// of downloads, such as "!Cache-Control".
	Metadata map[string]string
	EndUser  string // whom the upload token named; mostly ""
}

// Frozen reports whether the object must be restored before it can be read, copied or changed.
func (o Object) Frozen() bool {
	return (o.StorageClass == Archive || o.StorageClass == DeepArchive) && o.Restore != Restored
}

// A RestoreStatus says how far the restoring of an object in an archive is.
type RestoreStatus int

// The restore statuses. Objects that are not in an archive, or are frozen in one, are NotRestored.
const (
	NotRestored RestoreStatus = iota
	Restoring
	Restored
)

// String returns the name that configurations use, such as "RESTORING"; "" for NotRestored.
func (s RestoreStatus) String() string {
	switch s {
	case Restoring:
		return "RESTORING"
	case Restored:
		return "RESTORED"
	default:
		return ""
	}
}

// objectAnswer is an object in Kodo's answers. The SDK's own type lacks one of the transitions.
type objectAnswer struct {
	Key           string            `json:"key"` // in listings only
	Hash          string            `json:"hash"`
	Size          int64             `json:"fsize"`
	MimeType      string            `json:"mimeType"`
	MD5           string            `json:"md5"`
	PutTime       PutTime           `json:"putTime"`
	Type          StorageClass      `json:"type"`
	Status        int               `json:"status"`
	RestoreStatus RestoreStatus     `json:"restoreStatus"`
	EndUser       string            `json:"endUser"`
	Parts         []int64           `json:"parts"` // only if asked for
	Metadata      map[string]string `json:"x-qn-meta"`

	Expiration           int64 `json:"expiration"` // this and the following in seconds since 1970, 0 if not set
	ToIA                 int64 `json:"transitionToIA"`
	ToIntelligentTiering int64 `json:"transitionToIntelligentTiering"`
	ToArchiveIR          int64 `json:"transitionToArchiveIR"`
	ToArchive            int64 `json:"transitionToARCHIVE"`
	ToDeepArchive        int64 `json:"transitionToDeepArchive"`
}

const statusDisabled = 1

// errNoObject refuses an answer that lacks what every object has.
var errNoObject = errors.New("the answer describes no object")

func (a *objectAnswer) check() error {
	if a.Hash == "" || a.PutTime == 0 {
		return errNoObject
	}
	return nil
}

// object returns what the answer says of the object of a key.
func (a objectAnswer) object(key string) Object {
	o := Object{
		Key: key, ETag: a.Hash, Size: a.Size, ContentType: a.MimeType, MD5: a.MD5, PutTime: a.PutTime,
		StorageClass: a.Type, Disabled: a.Status == statusDisabled, Restore: a.RestoreStatus,
		Metadata: a.Metadata, EndUser: a.EndUser,
	}
	if a.Expiration > 0 {
		o.Expires = time.Unix(a.Expiration, 0).UTC()
	}
	for _, transition := range []struct {
		to StorageClass
		at int64
	}{
		{InfrequentAccess, a.ToIA}, {IntelligentTiering, a.ToIntelligentTiering}, {ArchiveInstantRetrieval, a.ToArchiveIR},
		{Archive, a.ToArchive}, {DeepArchive, a.ToDeepArchive},
	} {
		if transition.at <= 0 {
			continue
		}
		if o.Transitions == nil {
			o.Transitions = make(map[StorageClass]time.Time)
		}
		o.Transitions[transition.to] = time.Unix(transition.at, 0).UTC()
	}
	return o
}

// Stat returns an object. IsGone tells whether an error says that there is none.
func (c *Client) Stat(ctx context.Context, bucket, key string) (object Object, err error) {
	err = c.retry(ctx, func() error {
		object, err = c.statOnce(ctx, bucket, key)
		return err
	})
	return object, err
}

func (c *Client) statOnce(ctx context.Context, bucket, key string) (Object, error) {
	var answer objectAnswer
	if err := c.operateOnce(ctx, statOf(bucket, key), &answer); err != nil {
		return Object{}, err
	}
	return answer.object(key), nil
}

func statOf(bucket, key string) operation {
	stat := operationOn("stat", "stat", bucket, key)
	stat.method = http.MethodGet
	return stat
}

// PartSizes returns the sizes in bytes of the parts in which an object was uploaded; none if Kodo does not know.
func (c *Client) PartSizes(ctx context.Context, bucket, key string) ([]int64, error) {
	_, sizes, err := c.StatParts(ctx, bucket, key)
	return sizes, err
}

// StatParts is Stat and PartSizes in one.
func (c *Client) StatParts(ctx context.Context, bucket, key string) (object Object, sizes []int64, err error) {
	stat := statOf(bucket, key)
	stat.query = "needparts=true"
	err = c.retry(ctx, func() error {
		var answer objectAnswer
		err := c.operateOnce(ctx, stat, &answer)
		object, sizes = answer.object(key), answer.Parts
		return err
	})
	return object, sizes, err
}
