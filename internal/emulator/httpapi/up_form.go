package httpapi

import (
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"strconv"
	"strings"

	"github.com/qiniu/terraform-provider-kodo/internal/emulator/engine"
	"github.com/qiniu/terraform-provider-kodo/internal/emulator/policy"
)

// uploadForm is what a form upload has sent, its parts in whatever order.
type uploadForm struct {
	token    string
	key      *string // nil: absent, which is not the same as empty
	crc32    string
	accept   string
	meta     map[string]string
	blob     *engine.Blob // nil: there was no file
	fileName string
	fileMime string
	head     []byte // the first bytes of the content
}

// formUpload serves POST /, multipart/form-data.
func (s *Server) formUpload(c *call) (any, error) {
	form, err := s.readForm(c.r)
	if form.blob != nil {
		defer form.blob.Discard()
	}
	if arrival := c.arrive(form.targets); arrival != nil {
		return nil, arrival
	}
	if err != nil {
		return nil, err
	}
	granted, err := c.grant(form.token)
	if err != nil {
		return nil, err
	}
	put, err := form.put(granted)
	if err != nil {
		return nil, err
	}
	object, err := s.engine.PutObject(put)
	if err != nil {
		return nil, err
	}
	return coded{status: http.StatusOK, contentType: form.accept, value: uploadedAs(object)}, nil
}

// readForm reads the parts as they come: the file goes to the disk at once,
// for the token may be in a part after it. The form is as far as it was read
// when there is an error.
func (s *Server) readForm(r *http.Request) (*uploadForm, error) {
	form := &uploadForm{token: headerToken(r), meta: map[string]string{}}
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
			err = s.readPart(form, part, &room)
		}
		if err != nil {
			var broken *brokenBodyError
			var refused *engine.Error
			if errors.As(err, &broken) || errors.As(err, &refused) {
				return form, err
			}
			return form, badRequest(err) // What mime/multipart cannot read.
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

func (s *Server) readPart(form *uploadForm, part *multipart.Part, room *int64) error {
	name := part.FormName()
	if name == "file" {
		return s.readFile(form, part)
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
		// Custom variables ("x:…") only matter where a policy renders them.
		addMeta(form.meta, name, value)
	}
	return nil
}

func (s *Server) readFile(form *uploadForm, part *multipart.Part) error {
	if form.blob != nil {
		return &engine.Error{Code: http.StatusBadRequest, Message: "more than one file in multipart"}
	}
	content := &headKeeper{Reader: part}
	blob, err := s.engine.NewBlob(content)
	if err != nil {
		return err
	}
	form.blob, form.head = blob, content.head
	form.fileName, form.fileMime = part.FileName(), part.Header.Get("Content-Type")
	return nil
}

// targets returns what the form is about, as far as that can be read.
func (f *uploadForm) targets() []target {
	token, err := policy.ParseToken(f.token)
	if err != nil {
		return nil
	}
	p, err := policy.Parse(token.Policy)
	if err != nil {
		return nil
	}
	if f.key == nil {
		return []target{{bucket: p.Bucket()}}
	}
	return []target{{bucket: p.Bucket(), key: *f.key, keyed: true, made: true}}
}

// put checks the form against its policy.
func (f *uploadForm) put(granted grant) (engine.Put, error) {
	if f.blob == nil {
		return engine.Put{}, &engine.Error{Code: http.StatusBadRequest, Message: "file is not specified in multipart"}
	}
	key := f.blob.ETag
	if f.key != nil {
		key = *f.key
	}
	if err := granted.policy.CheckKey(key); err != nil {
		return engine.Put{}, err
	}
	if err := granted.policy.CheckSize(f.blob.Size); err != nil {
		return engine.Put{}, err
	}
	if f.crc32 != "" {
		want, err := strconv.ParseUint(f.crc32, 10, 32)
		if err != nil {
			return engine.Put{}, invalidArgument()
		}
		if uint32(want) != f.blob.CRC32 {
			return engine.Put{}, &engine.Error{Code: http.StatusNotAcceptable, Message: "CRC32 mismatch"}
		}
	}
	return engine.Put{
		Owner: granted.owner, Bucket: granted.policy.Bucket(), Key: f.key, Blob: f.blob,
		MimeType: mimeOf(granted.policy, f.fileMime, f.fileName, key, f.head), Meta: f.meta,
		EndUser: granted.policy.EndUser, InsertOnly: !granted.policy.Overwrites(),
		FileType: int(granted.policy.FileType), DeleteAfterDays: int(granted.policy.DeleteAfterDays),
	}, nil
}

// headKeeper remembers the first bytes that it reads.
type headKeeper struct {
	io.Reader
	head []byte
}

func (k *headKeeper) Read(p []byte) (int, error) {
	const enough = 512 // What http.DetectContentType looks at.
	n, err := k.Reader.Read(p)
	if missing := enough - len(k.head); missing > 0 {
		k.head = append(k.head, p[:min(n, missing)]...)
	}
	return n, err
}
