package kodo

import (
	"bytes"
	"io"
	"maps"
	formdata "mime/multipart"
	"net/textproto"
	"slices"
	"sync/atomic"
)

// A form is the body of an upload in one request: fields, and the content as the file.
//
// The SDK's own is of unknown length, so that it leaves in many small writes, and is put together in goroutines of its
// own. That is a third of what a small file costs.
type form struct {
	contentType string
	head, tail  []byte
	content     []byte
}

// fileName is the name of the file in each form. Kodo demands one; a constant cannot break the form as a key might.
const fileName = "content"

func newForm(fields map[string]string, content []byte, contentType string) (form, error) {
	var text bytes.Buffer
	w := formdata.NewWriter(&text)
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if err := w.WriteField(name, fields[name]); err != nil {
			return form{}, err
		}
	}
	// The file is the last part: Kodo reads the fields before it.
	if _, err := w.CreatePart(textproto.MIMEHeader{
		"Content-Disposition": {`form-data; name="file"; filename="` + fileName + `"`},
		"Content-Type":        {contentType},
	}); err != nil {
		return form{}, err
	}
	head := bytes.Clone(text.Bytes())
	text.Reset()
	err := w.Close()
	return form{contentType: w.FormDataContentType(), head: head, content: content, tail: text.Bytes()}, err
}

// size returns the length of the body in bytes.
func (f form) size() int { return len(f.head) + len(f.content) + len(f.tail) }

// A formBody is one reading of a form. A transport may go on reading after the answer, until it closes the body.
type formBody struct {
	io.Reader
	reading *atomic.Int64 // bodies that are not closed yet
	closed  atomic.Bool
}

func (f form) body(reading *atomic.Int64) *formBody {
	reading.Add(1)
	return &formBody{
		Reader:  io.MultiReader(bytes.NewReader(f.head), bytes.NewReader(f.content), bytes.NewReader(f.tail)),
		reading: reading,
	}
}

// Close implements io.Closer.
func (b *formBody) Close() error {
	if b.closed.CompareAndSwap(false, true) {
		b.reading.Add(-1)
	}
	return nil
}
