package kodo

import (
	"context"
	"maps"
	"net/url"
	"slices"
	"strconv"
)

// A Change is one request that changes an object in place, without its content.
type Change struct {
	name    string // for errors, such as "change storage class"
	command string
	// arguments of the operation, without a condition.
	arguments []string
	// conditional operations are refused by Kodo if the content is not the expected one.
	conditional bool
	// thawed operations are refused by Kodo for a frozen object.
	thawed bool
	// done reports whether the object is so already: then nothing is sent.
	done func(Object) bool
	err  error // why Kodo would not accept it
}

// SetMetadata changes the content type, unless it is "", and adds or replaces the metadata of these names. Kodo has no
// call that removes metadata: other names stay.
func SetMetadata(contentType string, metadata map[string]string) Change {
	c := Change{
		name: "change metadata", command: "chgm", conditional: true, thawed: true, err: CheckMetadata(metadata),
		done: func(o Object) bool {
			for name, value := range metadata {
				if have, ok := o.Metadata[name]; !ok || have != value {
					return false
				}
			}
			return contentType == "" || contentType == o.ContentType
		},
	}
	if contentType != "" { // an empty one might be taken at its word
		if err := CheckContentType(contentType); err != nil {
			c.err = err
		}
		c.arguments = append(c.arguments, "mime", encodeSegment(contentType))
	}
	for _, name := range slices.Sorted(maps.Keys(metadata)) {
		c.arguments = append(c.arguments, metadataPrefix+name, encodeSegment(metadata[name]))
	}
	return c
}

// SetStorageClass changes the storage class.
func SetStorageClass(class StorageClass) Change {
	return Change{
		name: "change storage class", command: "chtype", thawed: true, arguments: []string{"type", strconv.Itoa(int(class))},
		done: func(o Object) bool { return o.StorageClass == class },
	}
}

// SetEnabled says whether the object can be downloaded without a signature.
func SetEnabled(enabled bool) Change {
	return Change{
		name: "change status", command: "chstatus", conditional: true,
		arguments: []string{"status", strconv.FormatInt(number(!enabled), 10)},
		done:      func(o Object) bool { return o.Disabled != enabled },
	}
}

// SetLifecycle says what is to become of the object.
func SetLifecycle(days Lifecycle) Change {
	return Change{
		name: "change lifecycle", command: "lifecycle", conditional: true, arguments: days.arguments(), err: days.Check(),
		done: func(o Object) bool { return days.cancelsNothingOf(o) },
	}
}

// Change makes changes of the object that was put at that time, or, if the time is 0, of the one that is there. It
// looks at the object under the lock of its key, and sends one request for each change that is not there already.
//
// The refusal of any other object is a *ChangedError, that of a frozen one a *FrozenError. What an attempt whose answer
// was lost has come to is found out by another look. After an error made says how many of the changes are made or were
// there already.
func (c *Client) Change(ctx context.Context, bucket, key string, at PutTime, changes ...Change) (made int, err error) {
	for _, change := range changes {
		if change.err != nil {
			return 0, change.err
		}
	}
	unlock, err := c.keys.lock(ctx, bucket, key)
	if err != nil {
		return 0, err
	}
	defer unlock()
	have, err := c.expect(ctx, bucket, key, at)
	if err != nil {
		return 0, err
	}
	for i, change := range changes {
		if change.done(have) {
			continue
		}
		if change.thawed && have.Frozen() {
			return i, &FrozenError{Bucket: bucket, Object: have}
		}
		if err := c.change(ctx, bucket, have, change); err != nil {
			return i, err
		}
	}
	return len(changes), nil
}

// expect returns the object that was put at that time, or, if the time is 0, the one that is there.
func (c *Client) expect(ctx context.Context, bucket, key string, at PutTime) (Object, error) {
	have, err := c.Stat(ctx, bucket, key)
	switch {
	case IsGone(err):
		return Object{}, &ChangedError{Bucket: bucket, Key: key, Want: at}
	case err != nil:
		return Object{}, err
	case at != 0 && have.PutTime != at:
		return Object{}, &ChangedError{Bucket: bucket, Key: key, Want: at, Have: &have}
	}
	return have, nil
}

// change makes one change of an object.
func (c *Client) change(ctx context.Context, bucket string, have Object, change Change) error {
	arguments := change.arguments
	if change.conditional {
		arguments = append(slices.Clip(arguments), "cond", encodeSegment(url.Values{"hash": {have.ETag}}.Encode()))
	}
	op := operationOn(change.name, change.command, bucket, have.Key, arguments...)
	err := c.retry(ctx, func() error { return c.operateOnce(ctx, op, nil) })
	if err == nil || CodeOf(err) == 0 && !answerLost(err) {
		return err
	}
	return c.afterRefusal(ctx, bucket, have, change, err)
}

// afterRefusal finds out why a change was refused: Kodo's codes do not tell an object that is so already, an object of
// somebody else and a frozen one apart.
func (c *Client) afterRefusal(ctx context.Context, bucket string, had Object, change Change, cause error) error {
	ctx, cancel := aftermath(ctx)
	defer cancel()
	now, err := c.Stat(ctx, bucket, had.Key)
	switch {
	case IsGone(err):
		return &ChangedError{Bucket: bucket, Key: had.Key, Want: had.PutTime}
	case err != nil:
		return cause
	case now.ETag != had.ETag:
		return &ChangedError{Bucket: bucket, Key: had.Key, Want: had.PutTime, Have: &now}
	case change.done(now):
		return nil
	case change.thawed && now.Frozen():
		return &FrozenError{Bucket: bucket, Object: now}
	}
	return cause
}
