package engine

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"time"

	"github.com/qiniu/terraform-provider-kodo/internal/emulator/store"
)

// ListRequest asks for one page of a bucket's objects.
type ListRequest struct {
	Owner, Bucket string
	Prefix        string // only keys that begin with it
	Delimiter     string // keys that hold it after the prefix are reported as their common prefix
	Marker        string // what the page before returned; empty for the first page
	Limit         int    // 1 to 1000 items and common prefixes together; 0 means 1000
	NeedParts     bool   // fill in Object.Parts
}

// ListPage is a page: both lists in the byte order of the keys.
type ListPage struct {
	Items          []Object
	CommonPrefixes []string
	Marker         string // empty on the last page
}

// List returns a page of objects. It takes time and memory for the page and not
// for the bucket: it begins at the marker and jumps over a common prefix,
// however many keys share it.
func (e *Engine) List(request ListRequest) (ListPage, error) {
	const maxLimit = 1000
	if request.Limit == 0 {
		request.Limit = maxLimit
	}
	if request.Limit < 0 || request.Limit > maxLimit {
		return ListPage{}, errorf(400, "invalid list limit") // fact:object-list-limit
	}
	from := ""
	if request.Marker != "" {
		m, err := parseMarker(request.Marker)
		if err != nil {
			return ListPage{}, err
		}
		if from = *m.K; m.C != beforeKey {
			from = request.after(from)
		}
	}
	var page ListPage
	err := e.view(func(tx *store.Tx) error {
		if err := checkOwner(tx, request.Owner, request.Bucket); err != nil {
			return err
		}
		var err error
		page, err = request.page(tx, from, e.Now())
		return err
	})
	if err != nil {
		return ListPage{}, err
	}
	return page, nil
}

// page collects a page of the keys that are not less than from, as it is now.
func (r ListRequest) page(tx *store.Tx, from string, now time.Time) (ListPage, error) {
	var page ListPage
	var last string
	bucket := objectsOf(r.Bucket)
	for {
		jump := ""
		for storeKey, entry := range tx.Scan(bucket+r.Prefix, bucket+from) {
			if len(page.Items)+len(page.CommonPrefixes) == r.Limit {
				page.Marker = MarkerAfter(last)
				return page, nil
			}
			key := storeKey[len(bucket):]
			object, _, err := decodeObject(r.Bucket, key, entry, r.NeedParts)
			if err != nil {
				return ListPage{}, err
			}
			if !object.at(now) {
				continue
			}
			last = key
			if common := r.commonPrefix(last); common != "" {
				page.CommonPrefixes = append(page.CommonPrefixes, common)
				jump = r.after(last)
				break
			}
			page.Items = append(page.Items, object)
		}
		if jump == "" {
			return page, nil
		}
		from = jump
	}
}

// commonPrefix returns key up to and including the first delimiter after the
// prefix, or "" for a key that is an item of its own. So a key that equals the
// prefix is an item, even if it ends in the delimiter.
func (r ListRequest) commonPrefix(key string) string {
	rest, ok := strings.CutPrefix(key, r.Prefix)
	if !ok || r.Delimiter == "" {
		return ""
	}
	folder, _, ok := strings.Cut(rest, r.Delimiter)
	if !ok {
		return ""
	}
	return r.Prefix + folder + r.Delimiter
}

// after returns the least key that a listing which has reported key has not
// covered. A common prefix is covered with all of its keys: this also keeps it
// from being reported again on the next page.
func (r ListRequest) after(key string) string {
	common := r.commonPrefix(key)
	if common == "" {
		return key + "\x00"
	}
	// Keys are UTF-8, so no byte of one is 0xff and the increment cannot overflow.
	end := len(common) - 1
	return common[:end] + string([]byte{common[end] + 1})
}

// marker is what a Kodo marker holds in base64, {"c":0,"k":"<last key>"}, as seen
// in answers of the live service. Clients hand it back as it came. What "c" is
// there for is not known (fact:object-list-marker).
type marker struct {
	C int     `json:"c"`
	K *string `json:"k"`
}

// beforeKey is the "c" of a marker of our own: the key is still to be listed.
const beforeKey = 1

func (m marker) String() string {
	text, err := json.Marshal(m)
	if err != nil {
		panic(err) // A number and a string can always be encoded.
	}
	return base64.URLEncoding.EncodeToString(text)
}

// MarkerAfter returns the marker of a listing that goes on after an item, or after
// a common prefix with all that it stands for.
func MarkerAfter(last string) string { return marker{K: &last}.String() }

// FirstMarker returns the marker of a listing that begins.
func FirstMarker() string { return marker{C: beforeKey, K: new(string)}.String() }

// parseMarker decodes a marker, in either base64 alphabet, with or without padding;
// what is none is 640 (documented).
func parseMarker(text string) (marker, error) {
	plain := strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(text, "="))
	var m marker
	decoded, err := base64.RawStdEncoding.DecodeString(plain)
	if err == nil {
		err = json.Unmarshal(decoded, &m)
	}
	if err != nil || m.K == nil {
		return marker{}, errorf(640, "invalid list marker")
	}
	return m, nil
}
