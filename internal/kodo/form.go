package kodo

import (
	"bytes"
	"io"
	"maps"
	formdata "mime/multipart"
	"net/textproto"
	"slices"
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

// body returns one reading of the form.
func (f form) body() io.Reader {
	return io.MultiReader(bytes.NewReader(f.head), bytes.NewReader(f.content), bytes.NewReader(f.tail))
}
