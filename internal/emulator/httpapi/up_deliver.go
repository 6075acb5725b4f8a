package httpapi

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/qiniu/terraform-provider-kodo/internal/emulator/engine"
	"github.com/qiniu/terraform-provider-kodo/internal/emulator/policy"
)

// delivery is content that has come in whole, by whichever interface.
type delivery struct {
	grant
	words

	api   policy.API
	head  []byte                                      // the first bytes
	store func(put engine.Put) (engine.Object, error) // makes the object
}

// needsHead reports whether the content type depends on the content.
func (d *delivery) needsHead() bool { return d.mimeType == "" || d.policy.DetectMime == 1 }

// deliver makes an object of a delivery, as the policy wants it, and returns the
// answer that the policy wants.
func (c *call) deliver(d *delivery) (any, error) {
	p := d.policy
	put := engine.Put{
		Owner: d.owner, Bucket: p.Bucket(), Key: d.key, EndUser: p.EndUser,
		FileType: int(p.FileType), DeleteAfterDays: int(p.DeleteAfterDays), Meta: d.meta, InsertOnly: !p.Overwrites(d.api),
		Judge: func(o *engine.Object) error {
			if err := d.judge(o, c.s.engine.Now()); err != nil {
				return refusal(err)
			}
			return nil
		},
	}
	if p.SavesKey(d.key) {
		put.Key = nil // What the client says does not count.
	}
	object, err := d.store(put)
	if err != nil {
		return nil, err
	}
	return c.answerUpload(d, object)
}

// judge gives an object the key and the content type that the policy wants for it,
// and refuses what the policy does not allow.
func (d *delivery) judge(o *engine.Object, now time.Time) error {
	p := d.policy
	o.MimeType = p.Mime(d.mimeType, d.fileName, o.Key, d.head)
	if p.SavesKey(d.key) {
		about := d.about(*o)
		about.Key = d.key
		o.Key = policy.RenderText(p.SaveKey, withUUID(about.Value).WithTime(now))
		o.MimeType = p.Mime(d.mimeType, d.fileName, o.Key, d.head)
	}
	if err := p.CheckKey(d.api, o.Key); err != nil {
		return err
	}
	if err := p.CheckSize(o.Size); err != nil {
		return err
	}
	return p.CheckMime(o.MimeType)
}

// about is what magic variables tell of an object that is uploaded.
func (d *delivery) about(o engine.Object) policy.Upload {
	return policy.Upload{
		Bucket: d.policy.Bucket(), Key: &o.Key, ETag: o.Hash, Size: o.Size, MimeType: o.MimeType,
		FileName: d.fileName, EndUser: d.policy.EndUser, Custom: d.custom,
	}
}

// withUUID adds the variable uuid, which has another value each time.
func withUUID(vars policy.Vars) policy.Vars {
	return func(name string) any {
		if name != "uuid" {
			return vars(name)
		}
		var b [16]byte
		rand.Read(b[:]) //nolint:errcheck // It never fails.
		b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
		return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
	}
}

// uploaded is the answer to an upload whose policy says nothing about it.
type uploaded struct {
	Hash         string `json:"hash"`
	Key          string `json:"key"`
	PersistentID string `json:"persistentId,omitempty"`
}

// answerUpload has done what is to be done after an upload, and returns the answer:
// what a callback says, before what the policy renders.
func (c *call) answerUpload(d *delivery, object engine.Object) (any, error) {
	p := d.policy
	about := d.about(object)
	if p.PersistentOps != "" || p.PersistentWorkflowTemplateID != "" {
		var err error
		about.PersistentID, err = c.s.engine.AddTask(engine.Task{
			Owner: d.owner, Bucket: object.Bucket, Key: object.Key, Operations: p.PersistentOps,
			Template: p.PersistentWorkflowTemplateID, NotifyURL: p.PersistentNotifyURL, Pipeline: p.PersistentPipeline,
		})
		if err != nil {
			return nil, err
		}
	}
	vars := c.s.withImage(withUUID(about.Value), object)
	switch {
	case p.CallbackURL != "":
		return c.callBack(d, object, vars)
	case p.ReturnBody != "":
		return json.RawMessage(policy.RenderJSON(p.ReturnBody, vars)), nil
	}
	return uploaded{Hash: object.Hash, Key: object.Key, PersistentID: about.PersistentID}, nil
}

// redirect sends the browser that has uploaded by a form to the page that its policy
// names, with the answer in the query.
func (c *call) redirect(page string, value any, err error) (any, error) {
	query := url.Values{}
	if err != nil {
		refused := refusal(err)
		query.Set("code", fmt.Sprint(refused.Code))
		query.Set("error", refused.Message)
	} else {
		var answer bytes.Buffer
		encoder := json.NewEncoder(&answer)
		encoder.SetEscapeHTML(false)
		if err := encoder.Encode(value); err != nil {
			return nil, err
		}
		query.Set("upload_ret", base64.URLEncoding.EncodeToString(bytes.TrimSpace(answer.Bytes())))
	}
	separator := "?"
	if strings.Contains(page, "?") {
		separator = "&"
	}
	c.w.Header().Set("Location", page+separator+query.Encode())
	return coded{status: http.StatusSeeOther, value: struct{}{}}, nil
}
