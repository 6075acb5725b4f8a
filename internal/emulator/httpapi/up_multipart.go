package httpapi

import (
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/qiniu/terraform-provider-kodo/internal/emulator/engine"
	"github.com/qiniu/terraform-provider-kodo/internal/emulator/policy"
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
	if bucket != g.policy.Bucket() { // fact:upload-v2-texts
		return &engine.Error{Code: http.StatusForbidden, Message: "bucket doesn't match with scope"}
	}
	switch {
	case g.policy.SavesKey(key): // That one is looked at in the end.
		return nil
	case key == nil:
		return g.policy.CheckNoKey()
	}
	return g.policy.CheckKey(policy.V2, *key)
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
		// fact:upload-v2-md5
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
	Custom   map[string]string `json:"customVars"`

	CacheControl       string `json:"cacheControl"`
	ContentLanguage    string `json:"contentLanguage"`
	ContentEncoding    string `json:"contentEncoding"`
	ContentDisposition string `json:"contentDisposition"`
	Expires            string `json:"expires"`
}

// words returns what a completion says of the object with a key.
func (c completion) words(key *string) words {
	said := words{key: key, fileName: c.FileName, mimeType: c.MimeType}
	for _, fields := range []map[string]string{c.Metadata, c.Custom, {
		"cacheControl": c.CacheControl, "contentLanguage": c.ContentLanguage, "contentEncoding": c.ContentEncoding,
		"contentDisposition": c.ContentDisposition, "expires": c.Expires,
	}} {
		for field, value := range fields {
			said.add(field, value)
		}
	}
	return said
}

func (s *Server) completeUpload(c *call, u upload) (any, error) {
	body, err := readCompletion(c)
	if err != nil {
		return nil, err
	}
	complete := engine.Complete{UploadRef: u.UploadRef}
	for _, part := range body.Parts {
		complete.Parts = append(complete.Parts, engine.PartRef{Number: part.Number, ETag: part.ETag})
	}
	d := &delivery{grant: u.grant, words: body.words(u.Key), api: policy.V2}
	d.store = func(put engine.Put) (engine.Object, error) {
		complete.Object = put
		return s.engine.CompleteUpload(complete)
	}
	if d.needsHead() && len(complete.Parts) > 0 {
		if d.head, err = s.engine.PartHead(u.UploadRef, complete.Parts[0].Number); err != nil {
			return nil, err
		}
	}
	return c.deliver(d)
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
