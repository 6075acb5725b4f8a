package site

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/qiniu/terraform-provider-kodo/internal/kodo"
)

// recordVersion is that of the form below. A record of another version is not read.
const recordVersion = 1

// recordJSON is a Record as JSON. Entries are packed, some 40 bytes for each: a site may have 100 000 of them, and
// whoever keeps the text keeps all of it in memory.
type recordJSON struct {
	Version int                 `json:"v"`
	Facets  []*Facets           `json:"f"`
	Have    []byte              `json:"h"`
	Was     []byte              `json:"w,omitempty"`
	Left    map[string]leftover `json:"l,omitempty"`
}

// MarshalJSON implements json.Marshaler.
func (r *Record) MarshalJSON() ([]byte, error) {
	p := packer{numbers: map[*Facets]int{}, texts: map[string]int{}}
	j := recordJSON{Version: recordVersion, Left: r.left}
	j.Have, j.Was = p.pack(r.Have), p.pack(r.was)
	j.Facets = p.facets
	return json.Marshal(j)
}

// UnmarshalJSON implements json.Unmarshaler.
func (r *Record) UnmarshalJSON(text []byte) (err error) {
	var j recordJSON
	if err := json.Unmarshal(text, &j); err != nil {
		return err
	}
	if j.Version != recordVersion {
		return fmt.Errorf("a record of version %d", j.Version)
	}
	*r = *NewRecord()
	maps.Copy(r.left, j.Left)
	if r.Have, err = unpack(j.Have, j.Facets, false); err != nil {
		return err
	}
	r.was, err = unpack(j.Was, j.Facets, true)
	return err
}

// A packer packs entries: for each, what its key has in common with the one before, the rest of the key, the hash, and
// numbers, all of them varints.
type packer struct {
	facets  []*Facets
	numbers map[*Facets]int // their places
	texts   map[string]int  // those of equal ones
}

// The first byte of an entry. Hashes are 21 bytes as Kodo writes them; anything else is kept as it is.
const (
	packedNone   = 0
	packedHash   = 1
	packedText   = 2
	packedTheirs = 4 // added to the others
)

const (
	hashSize   = 21 // of a qetag before it is base64
	packedSize = 40 // of an entry, about
)

func (p *packer) pack(entries map[string]Entry) (packed []byte) {
	last := ""
	for _, key := range slices.Sorted(maps.Keys(entries)) {
		e := entries[key]
		common := 0
		for common < len(last) && common < len(key) && last[common] == key[common] {
			common++
		}
		packed = binary.AppendUvarint(packed, uint64(common))
		packed = appendText(packed, key[common:])
		last = key
		if e.ETag == "" {
			packed = append(packed, packedNone)
			continue
		}
		var flags byte
		if e.Theirs {
			flags = packedTheirs
		}
		if hash, err := base64.URLEncoding.DecodeString(e.ETag); err == nil && len(hash) == hashSize {
			packed = append(append(packed, packedHash|flags), hash...)
		} else {
			packed = appendText(append(packed, packedText|flags), e.ETag)
		}
		packed = binary.AppendUvarint(packed, uint64(e.Size))
		packed = binary.AppendUvarint(packed, uint64(e.PutTime))
		packed = binary.AppendUvarint(packed, uint64(p.number(e.Facets)))
	}
	return packed
}

func appendText(packed []byte, text string) []byte {
	return append(binary.AppendUvarint(packed, uint64(len(text))), text...)
}

// number returns the place of facets among all.
func (p *packer) number(f *Facets) int {
	if n, ok := p.numbers[f]; ok {
		return n
	}
	text := f.text()
	n, ok := p.texts[text]
	if !ok {
		n = len(p.facets)
		p.texts[text] = n
		p.facets = append(p.facets, f)
	}
	p.numbers[f] = n
	return n
}

var errPacked = errors.New("the record is damaged")

// A reader reads what a packer has packed. After the end everything is zero, and bad is set.
type reader struct {
	rest []byte
	bad  bool
}

// unpack reads entries; keys of nothing are among them only where that is allowed.
func unpack(packed []byte, facets []*Facets, nothing bool) (map[string]Entry, error) {
	entries := make(map[string]Entry, len(packed)/packedSize)
	r, key := reader{rest: packed}, []byte(nil)
	for len(r.rest) > 0 {
		common := r.number()
		if common > uint64(len(key)) {
			return nil, errPacked
		}
		key = append(key[:common], r.take(r.number())...)
		var e Entry
		switch kind := r.take(1); {
		case r.bad:
		case kind[0]&packedHash != 0:
			e.ETag, e.Theirs = r.hash(), kind[0]&packedTheirs != 0
		case kind[0]&packedText != 0:
			e.ETag, e.Theirs = r.text(), kind[0]&packedTheirs != 0
		}
		if e.ETag == "" && !nothing {
			return nil, errPacked
		}
		if e.ETag != "" {
			e.Size, e.PutTime = int64(r.number()), kodo.PutTime(r.number())
			n := r.number()
			if n >= uint64(len(facets)) {
				return nil, errPacked
			}
			e.Facets = facets[n]
		}
		if r.bad {
			return nil, errPacked
		}
		entries[string(key)] = e
	}
	return entries, nil
}

func (r *reader) number() uint64 {
	n, size := binary.Uvarint(r.rest)
	if size <= 0 {
		r.bad, r.rest = true, nil
		return 0
	}
	r.rest = r.rest[size:]
	return n
}

func (r *reader) take(n uint64) []byte {
	if n > uint64(len(r.rest)) {
		r.bad, r.rest = true, nil
		return nil
	}
	taken := r.rest[:n]
	r.rest = r.rest[n:]
	return taken
}

func (r *reader) hash() string {
	var text [hashSize / 3 * 4]byte
	base64.URLEncoding.Encode(text[:], r.take(hashSize))
	return string(text[:])
}

func (r *reader) text() string { return string(r.take(r.number())) }
