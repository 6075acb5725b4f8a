package httpapi

import (
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/qiniu/terraform-provider-kodo/internal/emulator/engine"
)

// fetch is a call of /fetch: what to get, and where to put it.
type fetch struct {
	url, host string
	bucket    string
	key       *string // nil: the hash of the content
}

// fetched is the answer to a fetch.
type fetched struct {
	Hash     string `json:"hash"`
	Key      string `json:"key"`
	Size     int64  `json:"fsize"`
	MimeType string `json:"mimeType"`
}

// fetch serves POST /fetch/<url>/to/<entry>[/host/<host>], all of them URL-safe
// base64; an entry that is only a bucket leaves the key to Kodo. It overwrites. A
// source that does not have the content is 404, and one that cannot be had for
// any other reason 478.
func (s *Server) fetch(c *call) (any, error) {
	request, err := c.parseFetch()
	if err != nil {
		return nil, err
	}
	if _, err := s.engine.Bucket(c.owner, request.bucket); err != nil {
		return nil, err
	}
	source, err := s.config.Outbound.Get(c.r.Context(), request.url, request.host)
	if err != nil {
		return nil, sourceFailed(err)
	}
	defer source.Body.Close()
	switch source.StatusCode {
	case http.StatusOK:
	case http.StatusNotFound: // fact:request-fetch-texts
		return nil, &engine.Error{Code: http.StatusNotFound, Message: "the source does not have the file"}
	default:
		return nil, sourceFailed(fmt.Errorf("the source answered %s", source.Status))
	}
	blob, err := s.engine.NewBlob(sourceReader{source.Body})
	if err != nil {
		return nil, err
	}
	defer blob.Discard()
	mimeType := source.Header.Get("Content-Type") // fact:request-fetch-mime
	if mimeType == "" {
		mimeType = "application/octet-stream"
	}
	object, err := s.engine.PutObject(engine.Put{
		Owner: c.owner, Bucket: request.bucket, Key: request.key, Blob: blob, MimeType: mimeType,
	})
	if err != nil {
		return nil, err
	}
	return fetched{Hash: object.Hash, Key: object.Key, Size: object.Size, MimeType: object.MimeType}, nil
}

// parseFetch reads the arguments of /fetch.
func (c *call) parseFetch() (fetch, error) {
	arguments, err := c.allArguments()
	if err != nil {
		return fetch{}, err
	}
	if len(arguments) != 3 && len(arguments) != 5 || arguments[1] != "to" || len(arguments) == 5 && arguments[3] != "host" {
		return fetch{}, invalidArgument()
	}
	var request fetch
	if request.url, err = decodeText(arguments[0]); err != nil {
		return fetch{}, err
	}
	if request.bucket, request.key, err = decodeTarget(arguments[2]); err != nil {
		return fetch{}, err
	}
	if len(arguments) == 5 {
		request.host, err = decodeText(arguments[4])
	}
	return request, err
}

// decodeTarget decodes an entry that may be only a bucket.
func decodeTarget(segment string) (bucket string, key *string, err error) {
	text, err := decodeText(segment)
	if err != nil {
		return "", nil, err
	}
	if !strings.Contains(text, ":") {
		return text, nil, nil
	}
	bucket, name, err := decodeEntry(segment)
	return bucket, &name, err
}

// fetchTarget is what a fetch makes.
func fetchTarget(c *call) []target {
	request, err := c.parseFetch()
	switch {
	case err != nil:
		return nil
	case request.key == nil:
		return []target{{bucket: request.bucket}}
	}
	return []target{{bucket: request.bucket, key: *request.key, keyed: true, made: true}}
}

// sourceReader tells a source that breaks off from a failure of our own.
type sourceReader struct{ io.Reader }

func (r sourceReader) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	if err != nil && err != io.EOF { //nolint:errorlint // Readers return io.EOF itself.
		err = sourceFailed(err)
	}
	return n, err
}

// sourceFailed is Kodo's code for a source that fails, with the reason, which Kodo
// does not tell (fact:request-fetch-texts).
func sourceFailed(err error) error {
	return &engine.Error{Code: 478, Message: "cannot fetch the source: " + err.Error()}
}
