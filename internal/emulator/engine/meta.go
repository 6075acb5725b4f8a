package engine

import (
	"maps"
	"strconv"
	"strings"
	"unicode/utf8"
)

// MetaChange is a change of an object's content type and metadata.
type MetaChange struct {
	ObjectRef

	MimeType string            // empty: stays
	Meta     map[string]string // added to what is there, replacing equal names
}

// ChangeMeta changes an object's content type and metadata. Metadata that is not
// named stays, and nothing can remove it (fact:object-chgm-merges). The put time
// stays too (fact:object-change-put-time).
func (e *Engine) ChangeMeta(change MetaChange) error {
	return e.change(change.ObjectRef, func(object *Object) error {
		if object.frozen() {
			return errFrozen()
		}
		if change.MimeType != "" {
			object.MimeType = change.MimeType
		}
		object.Meta = mergeMeta(object.Meta, change.Meta)
		return checkMetadata(object.MimeType, object.Meta)
	})
}

// mergeMeta returns old with the names of added. The name of a response header is
// the same in any letter case: a download can send it only once.
func mergeMeta(old, added map[string]string) map[string]string {
	if len(added) == 0 {
		return old
	}
	merged := map[string]string{}
	maps.Copy(merged, old)
	for name := range added {
		if strings.HasPrefix(name, "!") {
			maps.DeleteFunc(merged, func(other, _ string) bool { return strings.EqualFold(other, name) })
		}
	}
	maps.Copy(merged, added)
	return merged
}

// ChangeStatus disables or enables an object. Doing it again is refused
// (fact:object-status-again).
func (e *Engine) ChangeStatus(ref ObjectRef, disabled bool) error {
	event := EventEnable
	if disabled {
		event = EventDisable
	}
	return e.changeTelling(ref, event, func(object *Object) error {
		switch {
		case disabled && object.Disabled:
			return errorf(400, "already disabled")
		case !disabled && !object.Disabled:
			return errorf(400, "already enabled")
		}
		object.Disabled = disabled
		return nil
	})
}

// satisfies checks a condition, of which Kodo documents the four names
// (fact:object-cond).
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

// checkMetadata applies the limits (fact:object-meta-limits): a content type of at most 200
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
