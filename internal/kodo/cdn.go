package kodo

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"

	"github.com/qiniu/go-sdk/v7/auth"
	"github.com/qiniu/go-sdk/v7/client"
	"github.com/qiniu/go-sdk/v7/storagev2/apis"
	"golang.org/x/time/rate"
)

// publicCDN is the host of the CDN in Qiniu's public cloud.
const publicCDN = "https://fusion.qiniuapi.com"

// The CDN answers with codes of its own in the body, whatever the HTTP status. These are the ones that matter here
// (documented; the meaning of a code for a request of several URLs is not).
const (
	codeCDNInvalidURL    = 400031
	codeCDNInvalidHost   = 400032
	codeCDNURLQuota      = 400034
	codeCDNUnderWay      = 400037
	codeCDNThrottled     = 403022 // all of the CDN
	codeCDNUserThrottled = 403024
)

// A CDNOperation is what the CDN can do to URLs.
type CDNOperation string

const (
	// CDNRefresh has the CDN forget what it keeps of URLs and directories.
	CDNRefresh CDNOperation = "refresh"
	// CDNPrefetch has the CDN fetch URLs before anybody asks for them.
	CDNPrefetch CDNOperation = "prefetch"
)

// What the CDN takes in one request, and URLs and directories in one second (documented, March 2026).
const (
	MaxCDNURLs = 20
	MaxCDNDirs = 5
	maxCDNRate = 240
)

// newCDNLimiter keeps to the CDN's rate. It fills up at such a pace that no second sees more, whenever it begins: a
// whole request at once, and what comes after it.
func newCDNLimiter() *rate.Limiter { return rate.NewLimiter(maxCDNRate-MaxCDNURLs, MaxCDNURLs) }

// cdnResult is what all answers of the CDN have in common.
type cdnResult struct {
	Code      int    `json:"code"`
	Error     string `json:"error"`
	RequestID string `json:"requestId"`
}

// askCDN makes one attempt at a call of the CDN, and reads the answer into out, also that of a refusal.
func (c *Client) askCDN(ctx context.Context, op, path string, question, out any) error {
	body, err := json.Marshal(question)
	if err != nil {
		return err
	}
	return c.once(ctx, call{op: op, service: serviceCDN}, func(ctx context.Context, at *apis.Options) error {
		base, err := at.OverwrittenEndpoints.GetEndpoints(ctx)
		if err != nil {
			return err
		}
		answer, refusal := c.postToCDN(ctx, base.Preferred[0]+"/v2/tune/"+path, body)
		if answer == nil {
			return refusal
		}
		return errors.Join(refusal, json.Unmarshal(answer, out))
	})
}

// postToCDN sends a request and returns the answer, if it is one of the CDN, and an error unless all went well.
func (c *Client) postToCDN(ctx context.Context, url string, body []byte) (answer []byte, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	if err := c.credentials.AddToken(auth.TokenQBox, req); err != nil {
		return nil, err
	}
	resp, err := c.wire.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }() // it was read whole already
	if answer, err = io.ReadAll(resp.Body); err != nil {
		return nil, err
	}
	var result cdnResult
	readable := json.Unmarshal(answer, &result) == nil
	seen := exchangeIn(ctx)
	if readable && result.Code != 0 { // the mark of the CDN, whose code says more than the status
		seen.kodo, seen.status = true, result.Code
		if seen.requestID == "" {
			seen.requestID = result.RequestID
		}
	}
	switch {
	case readable && result.Code == http.StatusOK:
		return answer, nil
	case readable && result.Code != 0:
		return answer, &client.ErrorInfo{Code: result.Code, Err: result.Error}
	case readable && result.Error != "":
		return nil, &client.ErrorInfo{Code: resp.StatusCode, Err: result.Error}
	case resp.StatusCode == http.StatusOK:
		return nil, errors.New("it has no code")
	}
	return nil, &client.ErrorInfo{Code: resp.StatusCode, Err: http.StatusText(resp.StatusCode)}
}
