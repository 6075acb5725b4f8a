package kodo

import (
	"context"
	"encoding/json"
	"io"

	"github.com/qiniu/go-sdk/v7/auth"
	"github.com/qiniu/go-sdk/v7/storagev2/apis"
	"github.com/qiniu/go-sdk/v7/storagev2/http_client"
	"github.com/qiniu/go-sdk/v7/storagev2/region"
)

// request sends what the SDK has no call for, signed, and reads the answer into out unless that is nil.
func (c *Client) request(ctx context.Context, at *apis.Options, method, path, query string, out any) error {
	return c.ask(ctx, at, &http_client.Request{Method: method, Path: path, RawQuery: query}, out)
}

// ask is request with whatever else a request may have. What is the same for all is filled in.
func (c *Client) ask(ctx context.Context, at *apis.Options, req *http_client.Request, out any) error {
	req.ServiceNames, req.Endpoints, req.AuthType = []region.ServiceName{region.ServiceBucket}, at.OverwrittenEndpoints, auth.TokenQiniu
	resp, err := c.http.Do(ctx, req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }() // it was read whole already
	if out == nil {
		return nil
	}
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	return decode(answer, out)
}

// decode reads an answer into out, and refuses one that lacks what an answer must have.
func decode(answer []byte, out any) error {
	if err := json.Unmarshal(answer, out); err != nil {
		return err
	}
	if checked, ok := out.(interface{ check() error }); ok {
		return checked.check()
	}
	return nil
}
