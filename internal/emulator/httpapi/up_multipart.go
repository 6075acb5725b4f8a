package httpapi

import (
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/qiniu/terraform-provider-kodo/internal/emulator/engine"
)

// upload is a call of the multipart interface, version 2:
// /buckets/<bucket>/objects/<key>/uploads[/<id>[/<part number>]].
type upload struct {
	grant
	engine.UploadRef

	rest []string // the segments after "uploads"
}

// multipart serves all calls of the multipart interface.
func (s *Server) multipart(c *call) (any, error) {
	if len(c.arguments) < 3 || len(c.arguments) > 5 || c.arguments[2] != "uploads" {
		return nil, notImplemented(c.r.Method + " " + c.path)
	}
	serve, ok := map[string]func(*call, upload) (any, error){
		"POST 0": s.beginUpload, "PUT 2": s.uploadPart, "POST 1": s.completeUpload,
		"DELETE 1": s.abortUpload, "GET 1": s.listParts,
	}[c.r.Method+" "+strconv.Itoa(len(c.arguments)-3)]
	if !ok {
		return nil, &engine.Error{Code: http.StatusMethodNotAllowed, Message: "method not allowed"}
	}
	bucket, err := c.argument(0)
	if err != nil {
		return nil, err
	}
	key, err := uploadKey(c.arguments[1])
	if err != nil {
		return nil, err
	}
	granted, err := c.grant(headerToken(c.r))
	if err != nil {
		return nil, err
	}
	if err := granted.covers(bucket, key); err != nil {
		return nil, err
	}
	u := upload{
		grant:     granted,
		UploadRef: engine.UploadRef{Owner: granted.owner, Bucket: bucket, Key: key},
		rest:      c.arguments[3:],
	}
	if len(u.rest) > 0 {
		if u.ID, err = c.argument(3); err != nil {
			return nil, err
		}
	}
	return serve(c, u)
}

// uploadKey decodes the key of a path: "~" is no key, an empty segment the
// empty key.
func uploadKey(segment string) (*string, error) {
	if segment == "~" {
		return nil, nil //nolint:nilnil // No key is a value here.
	}
	// The segment may come with its padding escaped.
	key, err := decodeText(strings.ReplaceAll(strings.ReplaceAll(segment, "%3D", "="), "%3d", "="))
	if err != nil {
		return nil, err
	}
	return &key, nil
}

// covers checks that a token is for the bucket and the key of a path.
func (g grant) covers(bucket string, key *string) error {
	if bucket != g.policy.Bucket() {
		// Assumption: the text, which Kodo has for keys.
		return &engine.Error{Code: http.StatusForbidden, Message: "bucket doesn't match with scope"}
	}
	if key == nil {
		return g.policy.CheckNoKey()
	}
	return g.policy.CheckKey(*key)
}

func uploadTarget(c *call) []target {
	bucket, err := c.argument(0)
	if err != nil {
		return nil
	}
	if len(c.arguments) < 2 {
		return []target{{bucket: bucket}}
	}
	key, err := uploadKey(c.arguments[1])
	if err != nil || key == nil {
		return []target{{bucket: bucket}}
	}
	return []target{{bucket: bucket, key: *key, keyed: true, made: true}}
}

type begunUpload struct {
	ID       string `json:"uploadId"`
	ExpireAt int64  `json:"expireAt"` // unix seconds
}

func (s *Server) beginUpload(_ *call, u upload) (any, error) {
	begun, err := s.engine.BeginUpload(u.UploadRef)
	if err != nil {
		return nil, err
	}
	return begunUpload{ID: begun.ID, ExpireAt: begun.ExpireAt.Unix()}, nil
}

type uploadedPart struct {
	ETag string `json:"etag"`
	MD5  string `json:"md5"`
}

// uploadPart stores a part. A dead upload is refused only after its bytes have
// come, as the client could not read the answer before.
func (s *Server) uploadPart(c *call, u upload) (any, error) {
	number, err := strconv.Atoi(u.rest[1])
	if err != nil {
		return nil, invalidArgument()
	}
	blob, err := s.engine.NewBlob(c.r.Body)
	if err != nil {
		return nil, err
	}
	defer blob.Discard()
	if want := c.r.Header.Get("Content-MD5"); want != "" && !strings.EqualFold(want, blob.MD5) {
		// Assumption: the status, which is that of a wrong CRC32.
		return nil, &engine.Error{Code: http.StatusNotAcceptable, Message: "Content-MD5 mismatch"}
	}
	part, err := s.engine.UploadPart(u.UploadRef, number, blob)
	if err != nil {
		return nil, err
	}
	return uploadedPart{ETag: part.ETag, MD5: part.MD5}, nil
}

// completion is the body that completes an upload. Python sends null for what
// is not set.
type completion struct {
	Parts []struct {
		Number int    `json:"partNumber"`
		ETag   string `json:"etag"`
	} `json:"parts"`
	FileName string            `json:"fname"`
	MimeType string            `json:"mimeType"`
	Metadata map[string]string `json:"metadata"`

	CacheControl       string `json:"cacheControl"`
	ContentLanguage    string `json:"contentLanguage"`
	ContentEncoding    string `json:"contentEncoding"`
	ContentDisposition string `json:"contentDisposition"`
	Expires            string `json:"expires"`
}

// meta returns the metadata, with the response headers among it.
func (c completion) meta() map[string]string {
	meta := map[string]string{}
	for field, value := range c.Metadata {
		if name, ok := metaName(field); ok {
			meta[name] = value
		}
	}
	for field, value := range map[string]string{
		"cacheControl": c.CacheControl, "contentLanguage": c.ContentLanguage, "contentEncoding": c.ContentEncoding,
		"contentDisposition": c.ContentDisposition, "expires": c.Expires,
	} {
		addMeta(meta, field, value)
	}
	return meta
}

func (s *Server) completeUpload(c *call, u upload) (any, error) {
	body, err := readCompletion(c)
	if err != nil {
		return nil, err
	}
	key := ""
	if u.Key != nil {
		key = *u.Key
	}
	complete := engine.Complete{
		UploadRef: u.UploadRef,
		Object: engine.Put{
			MimeType: mimeOf(u.policy, body.MimeType, body.FileName, key, nil), Meta: body.meta(),
			EndUser: u.policy.EndUser, InsertOnly: !u.policy.Overwrites(),
			FileType: int(u.policy.FileType), DeleteAfterDays: int(u.policy.DeleteAfterDays),
		},
	}
	for _, part := range body.Parts {
		complete.Parts = append(complete.Parts, engine.PartRef{Number: part.Number, ETag: part.ETag})
	}
	if err := s.checkParts(u, complete.Parts); err != nil {
		return nil, err
	}
	object, err := s.engine.CompleteUpload(complete)
	if err != nil {
		return nil, err
	}
	return uploadedAs(object), nil
}

func readCompletion(c *call) (completion, error) {
	raw, err := io.ReadAll(io.LimitReader(c.r.Body, maxManagementBody))
	if err != nil {
		return completion{}, err
	}
	var body completion
	if json.Unmarshal(raw, &body) != nil {
		return completion{}, invalidArgument()
	}
	return body, nil
}

// checkParts holds the size of the object-to-be against the policy. What the
// parts say now is what they say when the upload is completed: their etags are
// checked then, and so are parts that do not exist.
func (s *Server) checkParts(u upload, refs []engine.PartRef) error {
	if u.policy.FsizeMin <= 0 && u.policy.FsizeLimit <= 0 {
		return nil
	}
	missing := map[int]bool{}
	for _, ref := range refs {
		missing[ref.Number] = true
	}
	var size int64
	for after := 0; ; {
		page, err := s.engine.ListParts(u.UploadRef, after, 0)
		if err != nil {
			return err
		}
		for _, part := range page.Parts {
			if missing[part.Number] {
				delete(missing, part.Number)
				size += part.Size
			}
		}
		if after = page.Next; after > 0 {
			continue
		}
		if len(refs) == 0 || len(missing) > 0 {
			return nil
		}
		return u.policy.CheckSize(size)
	}
}

func (s *Server) abortUpload(_ *call, u upload) (any, error) {
	return nil, s.engine.AbortUpload(u.UploadRef)
}

type partList struct {
	begunUpload

	Marker int          `json:"partNumberMarker"` // 0 at the end
	Parts  []listedPart `json:"parts"`
}

type listedPart struct {
	Size    int64  `json:"size"`
	ETag    string `json:"etag"`
	Number  int    `json:"partNumber"`
	PutTime int64  `json:"putTime"` // unix seconds
}

// listParts serves GET, with either spelling of the marker that clients use.
func (s *Server) listParts(c *call, u upload) (any, error) {
	limit, err := c.number("max-parts", 0)
	if err != nil {
		return nil, err
	}
	after, err := c.number("part-number-marker", 0)
	if err == nil && after == 0 {
		after, err = c.number("part-number_marker", 0)
	}
	if err != nil {
		return nil, err
	}
	page, err := s.engine.ListParts(u.UploadRef, after, limit)
	if err != nil {
		return nil, err
	}
	list := partList{
		begunUpload: begunUpload{ID: page.Upload.ID, ExpireAt: page.Upload.ExpireAt.Unix()},
		Marker:      page.Next,
		Parts:       []listedPart{},
	}
	for _, part := range page.Parts {
		list.Parts = append(list.Parts, listedPart{
			Size: part.Size, ETag: part.ETag, Number: part.Number, PutTime: part.PutTime / 1e7,
		})
	}
	return list, nil
}
