package kodo

import (
	"context"
	"errors"
	"maps"
)

// A Transfer makes an object of another one inside Kodo. Kodo does that within one region only.
type Transfer struct {
	FromBucket, FromKey string
	Bucket, Key         string // of the object that is made
	// From is when the source was put, ETag the hash that it has. What is 0 or "" is not compared: the source is then
	// the object that is there.
	From PutTime
	ETag string
	// Guard says which object may be replaced.
	Guard Guard
	// Again copies although there is an object of the same content already: that alone removes metadata from it.
	Again bool
}

// errOntoItself refuses a Transfer that would do nothing, and that Kodo might take for something else.
var errOntoItself = errors.New("an object cannot be copied or moved onto itself")

// Copy makes a copy of an object, with its content type, storage class and metadata but without its lifecycle. An
// object of the same content that is there already is adopted, as by Put; nothing is sent if it has all of these too,
// and otherwise it is copied over.
//
// It looks at both objects first and writes under the locks of both keys. Refusals are *ExistsError, *ChangedError,
// *DoomedError, *FrozenError, and *SourceChangedError if the source has not the hash that was asked for. IsGone tells
// that there is no source.
func (c *Client) Copy(ctx context.Context, t Transfer) (made Stored, err error) {
	err = c.guarded(ctx, t, func(source Object) error {
		have, err := Put{Bucket: t.Bucket, Key: t.Key, Guard: t.Guard}.allows(c.Stat(ctx, t.Bucket, t.Key))
		switch {
		case err != nil:
			return err
		case have != nil && have.ETag == source.ETag && !t.Again:
			made = Stored{ETag: have.ETag, Size: have.Size, Adopted: have}
			if have.servedLike(source) {
				return nil
			}
			t.Guard = IfPutTime(have.PutTime)
			return c.relocate(ctx, t, "copy", source)
		case have != nil && t.Guard == IfAbsent():
			return &ExistsError{Bucket: t.Bucket, Object: *have}
		}
		made = Stored{ETag: source.ETag, Size: source.Size}
		return c.relocate(ctx, t, "copy", source)
	})
	return made, err
}

// servedLike reports whether an object has all that a copy of another one would have beside the content.
func (o Object) servedLike(other Object) bool {
	return o.ContentType == other.ContentType && o.StorageClass == other.StorageClass && maps.Equal(o.Metadata, other.Metadata)
}

// Move gives an object another name, in its bucket or in another one. It looks at the object first and writes under
// the locks of both keys. Refusals are *ExistsError, *ChangedError, *DoomedError and *FrozenError.
//
// An object that this Client has stored or adopted for somebody else under the old name is left to them: then the new
// name gets a copy.
func (c *Client) Move(ctx context.Context, t Transfer) error {
	return c.guarded(ctx, t, func(source Object) error {
		command := "move"
		if c.own.claimed(t.FromBucket, t.FromKey) == held {
			command = "copy"
		}
		return c.relocate(ctx, t, command, source)
	})
}

// guarded looks at the source and lets do write the target, under the locks of both keys, and remembers what came of it.
func (c *Client) guarded(ctx context.Context, t Transfer, do func(source Object) error) error {
	if err := CheckKey(t.Key); err != nil {
		return err
	}
	unlock, err := c.lockBoth(ctx, name{t.FromBucket, t.FromKey}, name{t.Bucket, t.Key})
	if err != nil {
		return err
	}
	defer unlock()
	if c.own.claimed(t.Bucket, t.Key) == doomed && t.Guard.at == 0 {
		return &DoomedError{Bucket: t.Bucket, Key: t.Key}
	}
	source, err := c.source(ctx, t)
	if err == nil {
		err = do(source)
	}
	switch {
	case err == nil:
		c.own.claim(t.Bucket, t.Key, held)
	case t.Guard.at == 0:
		c.own.claim(t.Bucket, t.Key, refused)
	}
	return err
}

// lockBoth locks two keys, always in the same order, so that no two calls wait for each other.
func (c *Client) lockBoth(ctx context.Context, a, b name) (unlock func(), err error) {
	switch {
	case a == b:
		return nil, errOntoItself
	case b.bucket < a.bucket, b.bucket == a.bucket && b.key < a.key:
		a, b = b, a
	}
	unlockA, err := c.keys.lock(ctx, a.bucket, a.key)
	if err != nil {
		return nil, err
	}
	unlockB, err := c.keys.lock(ctx, b.bucket, b.key)
	if err != nil {
		unlockA()
		return nil, err
	}
	return func() { unlockB(); unlockA() }, nil
}

// source returns the object that is to be copied or moved, if it is the one that was meant.
func (c *Client) source(ctx context.Context, t Transfer) (source Object, err error) {
	if t.From != 0 {
		source, err = c.expect(ctx, t.FromBucket, t.FromKey, t.From)
	} else {
		source, err = c.Stat(ctx, t.FromBucket, t.FromKey)
	}
	switch {
	case err != nil:
		return Object{}, err
	case t.ETag != "" && t.ETag != source.ETag:
		return Object{}, &SourceChangedError{Bucket: t.FromBucket, Object: source, Want: t.ETag}
	case source.Frozen():
		return Object{}, &FrozenError{Bucket: t.FromBucket, Object: source}
	}
	return source, nil
}

// relocate sends the request that copies or moves, again where that is safe and useful, and finds out what a refusal
// means.
func (c *Client) relocate(ctx context.Context, t Transfer, command string, source Object) error {
	arguments := []string{EncodeEntry(t.Bucket, t.Key)}
	if t.Guard != IfAbsent() {
		arguments = append(arguments, "force", "true")
	}
	op := operationOn(command, command, t.FromBucket, t.FromKey, arguments...)
	lost := false
	err := c.retry(ctx, func() error {
		if lost {
			if arrived, err := c.arrived(ctx, t, command, source); arrived || err != nil {
				return err
			}
		}
		err := c.operateOnce(ctx, op, nil)
		lost = lost || answerLost(err)
		return err
	})
	code := CodeOf(err)
	if err == nil || !lost && code != codeExists && code != codeGone {
		return err
	}
	ctx, cancel := aftermath(ctx)
	defer cancel()
	if lost {
		if arrived, looked := c.arrived(ctx, t, command, source); arrived && looked == nil {
			return nil
		}
	}
	switch code {
	case codeGone:
		return &ChangedError{Bucket: t.FromBucket, Key: t.FromKey, Want: source.PutTime}
	case codeExists:
		if have, looked := c.statOnce(ctx, t.Bucket, t.Key); looked == nil {
			return &ExistsError{Bucket: t.Bucket, Object: have}
		}
	}
	return err
}

// arrived reports whether an attempt whose answer was lost did what it was to do. If the target is not what it was
// to be, and somebody else has written it since, the error says so.
func (c *Client) arrived(ctx context.Context, t Transfer, command string, source Object) (bool, error) {
	have, err := c.statOnce(ctx, t.Bucket, t.Key)
	if err == nil && have.ETag == source.ETag && have.PutTime != t.Guard.at {
		if command == "copy" {
			return true, nil
		}
		if _, err := c.statOnce(ctx, t.FromBucket, t.FromKey); IsGone(err) {
			return true, nil
		}
	}
	_, err = Put{Bucket: t.Bucket, Key: t.Key, Guard: t.Guard}.allows(have, err)
	return false, err
}
