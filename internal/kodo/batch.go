package kodo

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"

	"github.com/qiniu/go-sdk/v7/client"
	"github.com/qiniu/go-sdk/v7/storagev2/apis"
	"github.com/qiniu/go-sdk/v7/storagev2/http_client"
)

// maxBatch is the number of operations that Kodo takes in one batch.
const maxBatch = 1000

// batchAnswer is what Kodo says of one operation of a batch.
type batchAnswer struct {
	Code int             `json:"code"`
	Data json.RawMessage `json:"data"` // an answer, or an error, as a request of its own would have brought
}

// batchOnce makes one attempt at up to 1000 operations on objects of one bucket, in their order, and returns what came
// of each. If the batch as a whole failed, err says why, and nothing came of any.
func (c *Client) batchOnce(ctx context.Context, operations []operation) (results []result, err error) {
	lines := make([]string, len(operations))
	for i, o := range operations {
		lines[i] = o.lineOfBatch()
	}
	whole := call{op: "batch", service: serviceRS, bucket: operations[0].bucket}
	err = c.once(ctx, whole, func(ctx context.Context, at *apis.Options) error {
		// The SDK's own call knows only some of what a stat answers.
		var answers []batchAnswer
		req := &http_client.Request{Method: http.MethodPost, Path: "/batch", RequestBody: http_client.GetFormRequestBody(url.Values{"op": lines})}
		if err := c.ask(ctx, at, req, &answers); err != nil {
			return err
		}
		if len(answers) != len(operations) {
			return fmt.Errorf("%d answers to %d operations", len(answers), len(operations))
		}
		results = make([]result, len(operations))
		for i, answer := range answers {
			if answer.Code == 0 {
				return fmt.Errorf("an answer without a code to operation %d", i)
			}
			results[i] = result{answered: operations[i].answered(exchangeIn(ctx), answer), data: answer.Data}
		}
		return nil
	})
	return results, err
}

// answered says how an operation of a batch was answered, in the words of one that failed.
func (o operation) answered(seen *exchange, answer batchAnswer) Error {
	e := Error{
		Op: o.name, Step: StepCall, Service: string(serviceRS), Host: seen.host, Bucket: o.bucket, Key: o.key, Attempts: 1,
		Code: answer.Code, RequestID: seen.markedID(),
	}
	var refusal client.ErrorInfo
	if !e.succeeded() && json.Unmarshal(answer.Data, &refusal) == nil {
		e.Message, e.Reason = clip(refusal.Err), refusal.ErrorCode
	}
	return e
}

// succeeded reports whether what an answer in a batch says is no failure.
func (e *Error) succeeded() bool { return e.Code/100 == http.StatusOK/100 }

// A result is what came of an operation of a batch.
type result struct {
	answered Error
	data     json.RawMessage
}

// into reads the answer into out, unless that is nil. Its errors are those of a request of its own.
func (r result) into(out any) error {
	failed := r.answered
	if !failed.succeeded() {
		return &failed
	}
	if out == nil {
		return nil
	}
	if err := decode(r.data, out); err != nil {
		failed.Message, failed.Err = unreadable, err
		return &failed
	}
	return nil
}
