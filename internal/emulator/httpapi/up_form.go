package httpapi

import (
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"strings"

	"github.com/qiniu/terraform-provider-kodo/internal/emulator/engine"
	"github.com/qiniu/terraform-provider-kodo/internal/emulator/policy"
)

// uploadForm is what a form upload has sent, its parts in whatever order.
type uploadForm struct {
	words

	token  string
	accept string       // the content type of the answer
	blob   *engine.Blob // nil: there was no file
	head   []byte       // the first bytes of the content

	granted   grant // that of the token grantedBy
	grantedBy string
}

// formUpload serves POST /, multipart/form-data.
func (s *Server) formUpload(c *call) (any, error) {
	form, err := c.readForm()
	if form.blob != nil {
		defer form.blob.Discard()
	}
	if arrival := c.arrive(form.targets); arrival != nil {
		return nil, arrival
	}
	var value any
	if err == nil {
		value, err = c.deliverForm(form)
	}
	p := form.granted.policy
	if p.ReturnURL != "" && p.CallbackURL == "" {
		return c.redirect(p.ReturnURL, value, err)
	}
	if answer, ok := value.(coded); ok || err != nil {
		return answer, err
	}
	return coded{status: http.StatusOK, contentType: form.accept, value: value}, nil
}

// deliverForm makes an object of a form that has come in whole.
func (c *call) deliverForm(form *uploadForm) (any, error) {
	if err := c.grantForm(form); err != nil {
		return nil, err
	}
	if form.blob == nil {
		return nil, &engine.Error{Code: http.StatusBadRequest, Message: "file is not specified in multipart"}
	}
	if err := form.checkCRC32(form.blob); err != nil {
		return nil, err
	}
	return c.deliver(&delivery{
		grant: form.granted, words: form.words, api: policy.Form, head: form.head, store: c.s.storing(form.blob),
	})
}

// grantForm verifies the token of a form as far as it is not yet, for a form may have
// it before its file and after it. The deadline counts when the object comes into
// being.
func (c *call) grantForm(form *uploadForm) error {
	if form.grantedBy != "" && form.grantedBy == form.token {
		return c.verifier().Expired(form.granted.policy.Deadline)
	}
	granted, err := c.grant(form.token)
	if err != nil {
		return err
	}
	form.granted, form.grantedBy = granted, form.token
	return nil
}

// readForm reads the parts as they come: the file goes to the disk at once, for the
// token may be in a part after it. If it was before it, a file that the policy does
// not allow is not read. The form is as far as it was read when there is an error.
func (c *call) readForm() (*uploadForm, error) {
	r := c.r
	form := &uploadForm{token: headerToken(r)}
	parts, err := partsOf(r)
	if err != nil {
		return form, badRequest(err)
	}
	room := int64(maxFormFields)
	for {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			// The form is whole. The body is, when it ends where it said that it would.
			_, err := io.Copy(io.Discard, r.Body)
			return form, err
		}
		if err == nil {
			err = c.readPart(form, part, &room)
		}
		switch {
		case err != nil && knownRefusal(err) == nil:
			return form, badRequest(err) // What mime/multipart cannot read.
		case err != nil:
			return form, err
		}
	}
}

// partsOf returns a reader of a form that says io.EOF only after the final
// boundary. That of mime/multipart also says it where a body ends in the header
// of a part, and forgets the parts that would have come. So here the body ends in
// an error, and before that in a line break, which final boundaries may lack.
func partsOf(r *http.Request) (*multipart.Reader, error) {
	followed := r.WithContext(r.Context())
	followed.Body = io.NopCloser(io.MultiReader(r.Body, strings.NewReader("\r\n"), noFinalBoundary{}))
	return followed.MultipartReader()
}

// noFinalBoundary comes after the body of a form.
type noFinalBoundary struct{}

func (noFinalBoundary) Read([]byte) (int, error) {
	return 0, errors.New("the form ends before its final boundary")
}

// maxFormFields bounds all fields of a form but the file, in bytes.
const maxFormFields = 1 << 20

func (c *call) readPart(form *uploadForm, part *multipart.Part, room *int64) error {
	name := part.FormName()
	if name == "file" {
		return c.readFile(form, part)
	}
	raw, err := io.ReadAll(io.LimitReader(part, *room+1))
	if err != nil {
		return err
	}
	if *room -= int64(len(raw)); *room < 0 {
		return &engine.Error{Code: http.StatusRequestEntityTooLarge, Message: "form fields too large"}
	}
	value := string(raw)
	switch name {
	case "token":
		form.token = value
	case "key":
		form.key = &value
	case "crc32":
		form.crc32 = value
	case "accept":
		form.accept = value
	default:
		form.add(name, value)
	}
	return nil
}

func (c *call) readFile(form *uploadForm, part *multipart.Part) error {
	if form.blob != nil {
		return &engine.Error{Code: http.StatusBadRequest, Message: "more than one file in multipart"}
	}
	if form.token != "" {
		if err := c.grantForm(form); err != nil {
			return err
		}
	}
	var err error
	form.blob, form.head, err = form.granted.receive(c.s, part)
	form.fileName, form.mimeType = part.FileName(), part.Header.Get("Content-Type")
	return err
}

// targets returns what the form is about, as far as that can be read.
func (f *uploadForm) targets() []target {
	p, ok := policyOf(f.token)
	switch {
	case !ok:
		return nil
	case f.key == nil:
		return []target{{bucket: p.Bucket()}}
	}
	return []target{{bucket: p.Bucket(), key: *f.key, keyed: true, made: true}}
}
