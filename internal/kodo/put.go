package kodo

import (
	"context"
	"errors"
	"fmt"
)

// A Guard says which object a Put may replace. The zero Guard is IfAbsent.
type Guard struct {
	always bool
	at     PutTime
}

// IfAbsent lets a Put create an object, and replace none: not even one that appears at the last moment.
func IfAbsent() Guard { return Guard{} }

// Always lets a Put replace whatever there is.
func Always() Guard { return Guard{always: true} }

// IfPutTime lets a Put replace the object that was put at that time, and nothing else. It is for the last known put
// time of an object, never 0. Kodo's upload has no condition on what it replaces, so for one request a writer in
// another process could still lose its object.
func IfPutTime(t PutTime) Guard { return Guard{at: t} }

// A Put is content to be stored as an object.
type Put struct {
	Bucket, Key string
	Content     Content
	ContentType string
	// What else the object begins with: it travels in the upload itself. Without a transfer it stays what it was.
	StorageClass    StorageClass
	Metadata        map[string]string // names as Kodo keeps them, see CheckMetadata
	DeleteAfterDays int               // 0 for never
	// ETag is the v1 hash of the content that was planned to be stored, "" if nobody knows it. Content with another
	// hash is not stored.
	ETag  string
	Guard Guard
	// Again sends the content although the object that is there has it already: that alone takes metadata away. It goes
	// with IfPutTime.
	Again bool
}

// check refuses what Kodo would not store.
func (p Put) check() error {
	err := errors.Join(CheckKey(p.Key), CheckContentType(p.ContentType), CheckMetadata(p.Metadata))
	if p.DeleteAfterDays < 0 {
		err = errors.Join(err, fmt.Errorf("an object cannot be deleted after %d days", p.DeleteAfterDays))
	}
	return err
}

// Stored is what came of a Put.
type Stored struct {
	ETag string // as Kodo answered it, verified against the bytes that were sent
	Size int64
	// Adopted is the object that held the content already, as it was found; nil if the content was stored now. A Put
	// has sent nothing, so that its content type, storage class, metadata and expiry are what they were.
	Adopted *Object
}

// Put stores content as an object, unless its Guard forbids or the object holds that content already.
//
// It looks at the object first and writes under a lock of the key. Refusals are *ExistsError, *ChangedError and
// *DoomedError; *ContentChangedError means that the content is not the planned one. In these cases nothing has changed
// on the server. If the answer to a write is lost, the object is looked at once more: Put succeeds if the content is
// there.
//
// The Client remembers every key that it stored or adopted, or was to create and could not, so that Remove leaves it.
func (c *Client) Put(ctx context.Context, p Put) (Stored, error) {
	return c.putAfter(ctx, p, nil)
}

// putAfter is Put after a look at the object, unless there was none.
func (c *Client) putAfter(ctx context.Context, p Put, seen *look) (Stored, error) {
	if err := p.check(); err != nil {
		return Stored{}, err
	}
	unlock, err := c.keys.lock(ctx, p.Bucket, p.Key)
	if err != nil {
		return Stored{}, err
	}
	defer unlock()
	claimed := c.own.claimed(p.Bucket, p.Key)
	if claimed == doomed && p.Guard.at == 0 {
		return Stored{}, &DoomedError{Bucket: p.Bucket, Key: p.Key}
	}
	if seen == nil || claimed != unclaimed { // another Put may have come between the look and the lock
		have, err := c.Stat(ctx, p.Bucket, p.Key)
		seen = &look{have, err}
	}
	done, err := c.put(ctx, p, *seen)
	switch {
	case err == nil:
		c.own.claim(p.Bucket, p.Key, held)
	case p.Guard.at == 0: // whatever the reason: what is there is all there is
		c.own.claim(p.Bucket, p.Key, refused)
	}
	return done, err
}

// A look is what a stat has come to.
type look struct {
	object Object
	err    error
}

func (c *Client) put(ctx context.Context, p Put, seen look) (Stored, error) {
	u := &upload{Put: p, insertOnly: p.Guard == IfAbsent(), record: c.newRecord(p)}
	have, err := p.allows(seen.object, seen.err)
	if err != nil {
		return Stored{}, err
	}
	if have != nil {
		// Where a hash was planned, only an object with that very hash is what was planned.
		same := have.ETag == p.ETag
		if p.ETag == "" {
			same, err = c.Same(ctx, p.Bucket, *have, p.Content)
		}
		switch {
		case err != nil:
			return Stored{}, err
		case same && !p.Again:
			c.discard(ctx, u)
			return Stored{ETag: have.ETag, Size: have.Size, Adopted: have}, nil
		case p.Guard == IfAbsent():
			return Stored{}, &ExistsError{Bucket: p.Bucket, Object: *have}
		}
	}
	if p.Guard.at != 0 {
		u.confirm = func(ctx context.Context, etag string) (bool, error) {
			have, err := c.statOnce(ctx, p.Bucket, p.Key)
			if err == nil && have.ETag == etag && have.PutTime != p.Guard.at {
				return true, nil
			}
			_, err = p.allows(have, err)
			return false, err
		}
	}
	etag, err := c.upload(ctx, u)
	if err != nil {
		return c.settle(ctx, u, etag, err)
	}
	return Stored{ETag: etag, Size: p.Content.Size()}, nil
}

// allows judges what a look at the object has come to.
func (p Put) allows(have Object, err error) (*Object, error) {
	gone := IsGone(err)
	if err != nil && !gone {
		return nil, err
	}
	if want := p.Guard.at; want != 0 && (gone || have.PutTime != want) {
		changed := &ChangedError{Bucket: p.Bucket, Key: p.Key, Want: want}
		if !gone {
			changed.Have = &have
		}
		return nil, changed
	}
	if gone {
		return nil, nil
	}
	return &have, nil
}

// settle finds out what a failed upload left behind: our content after all, or the object of somebody else who was
// faster. etag is the hash of our content, "" if it was not read to its end.
func (c *Client) settle(ctx context.Context, u *upload, etag string, cause error) (Stored, error) {
	code := CodeOf(cause)
	inDoubt := u.lost || answerLost(cause) || code == codeGone // a completed upload is no longer known by its id
	if etag == "" || !inDoubt && code != codeExists {
		return Stored{}, cause
	}
	ctx, cancel := aftermath(ctx)
	defer cancel()
	have, err := c.Stat(ctx, u.Bucket, u.Key)
	switch {
	case err != nil:
		return Stored{}, cause
	case have.ETag == etag && have.PutTime != u.Guard.at:
		u.record.remove()
		return Stored{ETag: etag, Size: have.Size}, nil
	case code == codeExists:
		return Stored{}, &ExistsError{Bucket: u.Bucket, Object: have}
	default:
		return Stored{}, cause
	}
}
