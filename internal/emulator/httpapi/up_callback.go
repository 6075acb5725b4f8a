package httpapi

import (
	"context"
	"crypto/sha1"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/qiniu/terraform-provider-kodo/internal/emulator/auth"
	"github.com/qiniu/terraform-provider-kodo/internal/emulator/engine"
	"github.com/qiniu/terraform-provider-kodo/internal/emulator/outbound"
	"github.com/qiniu/terraform-provider-kodo/internal/emulator/policy"
)

// callbackFailed is the answer when nobody has answered the callback as it should.
// The object stays (fact:upload-callback-failed).
type callbackFailed struct {
	URL      string `json:"callback_url"`
	BodyType string `json:"callback_bodyType"`
	Body     string `json:"callback_body"`
	Token    string `json:"token"`
	Code     int    `json:"err_code"`
	Error    string `json:"error"`
	Hash     string `json:"hash"`
	Key      string `json:"key"`
}

// callBack tells the servers of the policy of an upload, one after the other until
// one has answered with 200 and JSON, which becomes the answer to the upload.
func (c *call) callBack(d *delivery, object engine.Object, vars policy.Vars) (any, error) {
	p := d.policy
	failed := callbackFailed{BodyType: p.CallbackBodyType, Hash: object.Hash, Key: object.Key}
	if failed.BodyType == "application/json" {
		failed.Body = policy.RenderJSON(p.CallbackBody, vars)
	} else {
		failed.BodyType = "application/x-www-form-urlencoded"
		failed.Body = policy.RenderForm(p.CallbackBody, vars)
	}
	// The client may leave, the object is there: the server hears of it.
	ctx := context.WithoutCancel(c.r.Context())
	for target := range strings.SplitSeq(p.CallbackURL, ";") {
		failed.URL = policy.RenderForm(target, withBodySHA1(vars, failed.Body))
		answer, err := c.s.config.Outbound.Post(ctx, outbound.Message{
			URL: failed.URL, Host: p.CallbackHost, ContentType: failed.BodyType, Body: []byte(failed.Body),
			Scheme: auth.QBox, AccessKey: d.owner,
		})
		switch {
		case err != nil:
			failed.Code, failed.Error = http.StatusBadGateway, err.Error()
		case answer.Status != http.StatusOK:
			failed.Code, failed.Error = answer.Status, fmt.Sprintf("the callback was answered with %d", answer.Status)
		case !json.Valid(answer.Body):
			failed.Code, failed.Error = http.StatusBadGateway, "the callback was not answered with JSON"
		case p.CallbackFetchKey != 0:
			return c.rename(d, object, answer.Body)
		default:
			return json.RawMessage(answer.Body), nil
		}
	}
	return coded{status: 579, value: failed}, nil
}

// withBodySHA1 adds the variable that URLs of callbacks may have, and nothing else
// (fact:upload-body-sha1).
func withBodySHA1(vars policy.Vars, body string) policy.Vars {
	return func(name string) any {
		if name != "bodySha1" {
			return vars(name)
		}
		sum := sha1.Sum([]byte(body))
		return hex.EncodeToString(sum[:])
	}
}

// rename gives an object the key that the answer to its callback names, and returns
// what that has for the client (fact:upload-callback-fetch-key).
func (c *call) rename(d *delivery, object engine.Object, answer []byte) (any, error) {
	var named struct {
		Key     *string
		Payload json.RawMessage
	}
	if err := json.Unmarshal(answer, &named); err != nil || named.Key == nil {
		return nil, &engine.Error{Code: 579, Message: "the callback was answered without a key"}
	}
	if *named.Key != object.Key {
		err := c.s.engine.MoveObject(engine.Copy{
			Owner: d.owner, FromBucket: object.Bucket, From: object.Key, ToBucket: object.Bucket, To: *named.Key,
			Force: d.policy.Overwrites(d.api),
		})
		if err != nil {
			return nil, err
		}
	}
	if len(named.Payload) == 0 {
		return uploaded{Hash: object.Hash, Key: *named.Key}, nil
	}
	return named.Payload, nil
}
