package kodo

import (
	"context"
	"crypto/tls"
	"errors"
	"net/http"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// Pauses between attempts grow from the first to the longest, each made shorter or longer by up to a half at random:
// with five retries about six seconds altogether.
const (
	firstPause   = 200 * time.Millisecond
	longestPause = 5 * time.Second
	pauseGrowth  = 2
)

// settling is how long Kodo's hosts may not know of a bucket yet that was created a moment ago.
const settling = 15 * time.Second

// retry makes attempts until one succeeds, fails for good, or the retries or the context are used up. The error is
// that of the last attempt.
func (c *Client) retry(ctx context.Context, attempt func() error) error {
	pauses := backoff.NewExponentialBackOff()
	pauses.InitialInterval, pauses.MaxInterval, pauses.Multiplier = c.firstPause, longestPause, pauseGrowth
	for n := 1; ; n++ {
		err := attempt()
		var failed *Error
		if err == nil || !errors.As(err, &failed) {
			return err
		}
		failed.Attempts = n
		if n > c.config.MaxRetries || !c.retryable(failed) {
			return err
		}
		if !pause(ctx, pauses.NextBackOff()) {
			if cause := context.Cause(ctx); !errors.Is(failed.Err, cause) { // the context may have ended the attempt itself
				failed.Err = errors.Join(failed.Err, cause)
			}
			return err
		}
	}
}

// pause reports whether the time has passed before the context was done.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// retryable reports whether another attempt may succeed where this one failed.
func (c *Client) retryable(e *Error) bool {
	switch e.Code {
	case 0:
		var certificate *tls.CertificateVerificationError
		return e.lost && !errors.As(e.Err, &certificate)
	case http.StatusNotAcceptable: // the bytes were damaged on their way
		return true
	case http.StatusTooManyRequests, codeCDNThrottled, codeCDNUserThrottled:
		return true
	case codeNotImplemented, codeBandwidthLimit, codeCallbackFailed:
		return false
	case codeNoSuchBucket:
		return c.own.createdSince(e.Bucket, time.Now().Add(-settling))
	case codeGone: // discovery's other word for a bucket that it does not know
		return e.Step == StepDiscovery && c.own.createdSince(e.Bucket, time.Now().Add(-settling))
	default:
		return e.Code/100 == 5 || e.Code/100 == 5000 // 5000xx are the CDN's, 571 and 573 are throttling, 599 a failure inside Kodo
	}
}

// answerLost reports whether the server may have done what was asked although the call failed.
func answerLost(err error) bool {
	var failed *Error
	if !errors.As(err, &failed) || failed.Step != StepCall {
		return false
	}
	switch failed.Code {
	case 0:
		return failed.lost
	case codeNotImplemented, codeBandwidthLimit, codeThrottledObject, codeThrottled:
		return false // refused before anything was done
	default:
		return failed.Code/100 == 5
	}
}
