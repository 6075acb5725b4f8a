package kodo

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/qiniu/terraform-provider-kodo/internal/qetag"
)

// resumeFrom is the size in bytes from which on the upload of a file can be resumed.
const resumeFrom = 64 << 20

const (
	recordName = "kodo-upload-" // and what tells uploads apart
	// recordLife is how long Kodo keeps an upload that is not completed.
	recordLife = 7 * 24 * time.Hour
)

// A record is a file with what a later process needs to go on with an upload, should this one end, however suddenly.
// Each line is JSON: the first one says what is being uploaded, the others say which parts Kodo has. They are appended
// as parts are stored, so a line that was cut is the last one, and does not count. A record holds no token.
//
// A record is a help and no duty: where it cannot be written, the upload cannot be resumed. A nil *record keeps nothing.
type record struct {
	path string
	is   recordedUpload // but for the upload's id

	mu   sync.Mutex
	file *os.File // nil if nothing is recorded
}

// recordedUpload is the first line of a record. The upload of another process is the same if all but its id is equal.
type recordedUpload struct {
	Version  int       `json:"version"`
	Account  string    `json:"account"` // digest of the access key
	Bucket   string    `json:"bucket"`
	Key      string    `json:"key"`
	File     FileState `json:"file"`
	ETag     string    `json:"etag"` // that was planned, "" if none was
	PartSize int64     `json:"part_size"`
	ID       string    `json:"upload_id"`
}

type recordedPart struct {
	Number int    `json:"number"`
	Size   int64  `json:"size"`
	SHA1   []byte `json:"sha1"` // qetag.Digest
	ETag   string `json:"etag"`
}

// newRecord returns the record of an upload, whether its file exists or not; nil if there is to be none.
func (c *Client) newRecord(p Put) *record {
	file, ok := p.Content.(*File)
	if !ok || c.config.ResumeDir == "" || file.Size() < c.resumeFrom {
		return nil
	}
	account := c.AccessKeyDigest()
	sum := sha256.Sum256([]byte(strings.Join([]string{account, p.Bucket, p.Key}, "\x00")))
	return &record{
		path: filepath.Join(c.config.ResumeDir, recordName+hex.EncodeToString(sum[:12])),
		is: recordedUpload{
			Version: 1, Account: account, Bucket: p.Bucket, Key: p.Key, File: file.state(), ETag: p.ETag, PartSize: partSize(file.Size()),
		},
	}
}

// read returns what an earlier process has recorded. Without an id there is nothing.
func (r *record) read() (was recordedUpload, parts []recordedPart) {
	if r == nil {
		return was, nil
	}
	content, err := os.ReadFile(r.path)
	if err != nil {
		return was, nil
	}
	lines := bufio.NewScanner(bytes.NewReader(content))
	if !lines.Scan() || json.Unmarshal(lines.Bytes(), &was) != nil {
		return recordedUpload{}, nil
	}
	for lines.Scan() {
		var p recordedPart
		if json.Unmarshal(lines.Bytes(), &p) != nil || len(p.SHA1) != len(qetag.Digest{}) {
			break
		}
		parts = append(parts, p)
	}
	return was, parts
}

// begin replaces the file by one of an upload and the parts that Kodo has of it.
func (r *record) begin(m *multipart) {
	if r == nil {
		return
	}
	r.sweep()
	is := r.is
	is.ID = m.id
	var lines bytes.Buffer
	out := json.NewEncoder(&lines)
	err := out.Encode(is)
	for i, p := range m.parts {
		if p.etag != "" {
			err = errors.Join(err, out.Encode(recorded(i+1, p)))
		}
	}
	if err != nil || r.replace(lines.Bytes()) != nil {
		return
	}
	if file, err := os.OpenFile(r.path, os.O_WRONLY|os.O_APPEND, 0); err == nil {
		r.file = file
	}
}

// replace puts a file that is whole in the record's place, readable by its owner only.
func (r *record) replace(content []byte) error {
	dir := filepath.Dir(r.path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	file, err := os.CreateTemp(dir, recordName+"*.new")
	if err != nil {
		return err
	}
	_, err = file.Write(content)
	if err = errors.Join(err, file.Close()); err == nil {
		err = os.Rename(file.Name(), r.path)
	}
	if err != nil {
		_ = os.Remove(file.Name()) // what is left is swept away later
	}
	return err
}

// sweep removes the records of uploads that nobody has resumed as long as Kodo kept them.
func (r *record) sweep() {
	old, _ := filepath.Glob(filepath.Join(filepath.Dir(r.path), recordName+"*"))
	for _, path := range old {
		if info, err := os.Stat(path); err == nil && time.Since(info.ModTime()) > recordLife {
			_ = os.Remove(path)
		}
	}
}

func recorded(number int, p part) recordedPart {
	return recordedPart{Number: number, Size: p.Size, SHA1: p.Digest[:], ETag: p.etag}
}

// add records a part that Kodo has.
func (r *record) add(number int, p part) {
	if r == nil {
		return
	}
	line, err := json.Marshal(recorded(number, p))
	r.mu.Lock()
	defer r.mu.Unlock()
	if err != nil || r.file == nil {
		return
	}
	if _, err := r.file.Write(append(line, '\n')); err != nil { // what was written so far still counts
		_ = r.file.Close()
		r.file = nil
	}
}

// keep leaves the record to a later process. It reports whether there is one.
func (r *record) keep() bool {
	if r == nil || r.file == nil {
		return false
	}
	return r.file.Close() == nil
}

// remove ends the record.
func (r *record) remove() {
	if r == nil {
		return
	}
	if r.file != nil {
		_ = r.file.Close()
		r.file = nil
	}
	_ = os.Remove(r.path)
}

// openParts goes on with an upload that an earlier process has left, if there is one of the same content. Otherwise it
// begins a new one.
func (c *Client) openParts(ctx context.Context, m *multipart) error {
	was, sent := m.record.read()
	if was.ID != "" {
		m.id, was.ID = was.ID, ""
		if was == m.record.is {
			resumed, err := c.resumeParts(ctx, m, sent)
			if resumed || err != nil {
				return err
			}
		}
		c.abort(ctx, m) // nobody will complete it
	}
	if err := c.beginParts(ctx, m); err != nil {
		return err
	}
	m.record.begin(m)
	return nil
}

// resumeParts takes up the parts that were sent before, as far as Kodo still has them. Each is read again, because the
// hash of the whole is needed, and sent again if it is not the same any more.
func (c *Client) resumeParts(ctx context.Context, m *multipart, sent []recordedPart) (resumed bool, err error) {
	has, err := c.listParts(ctx, m)
	if err != nil {
		if c.mayPass(ctx, err) {
			return false, err // the record stays
		}
		return false, nil
	}
	m.reset(c)
	for _, p := range sent {
		if p.Number >= 1 && p.Number <= len(m.parts) && has[p.Number] == (listedPart{p.ETag, p.Size}) {
			m.parts[p.Number-1] = part{Part: qetag.Part{Size: p.Size, Digest: qetag.Digest(p.SHA1)}, etag: p.ETag}
		}
	}
	m.record.begin(m)
	return true, nil
}

// closeParts ends an upload: what failed in a way that may pass is left to a later process, if it is recorded.
func (c *Client) closeParts(ctx context.Context, m *multipart, err error) {
	if err != nil {
		if c.mayPass(ctx, err) && m.record.keep() {
			return
		}
		c.abort(ctx, m) // one that was completed after all is not known any more, and its object stays
	}
	m.record.remove()
}

// discard ends an upload that an earlier process has left, because there is nothing to upload any more.
func (c *Client) discard(ctx context.Context, u *upload) {
	if was, _ := u.record.read(); was.ID != "" {
		c.abort(ctx, &multipart{upload: u, id: was.ID})
		u.record.remove()
	}
}

// mayPass reports whether a failure has a reason that may be gone later, with the same content: a 401 has, if it was
// a clock.
func (c *Client) mayPass(ctx context.Context, err error) bool {
	var failed *Error
	return ctx.Err() != nil || errors.As(err, &failed) && (c.retryable(failed) || failed.Code == http.StatusUnauthorized)
}
