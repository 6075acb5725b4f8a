package kodo

import (
	"context"
	"net/http"
	"time"

	"golang.org/x/time/rate"
)

// SetFirstPause says how long the Client waits before the second attempt at a call.
func (c *Client) SetFirstPause(d time.Duration) { c.firstPause = d }

// SetTransport replaces the network.
func (c *Client) SetTransport(t http.RoundTripper) { c.wire.base = t }

// SetResumeFrom says from which size on the upload of a file can be resumed.
func (c *Client) SetResumeFrom(size int64) { c.resumeFrom = size }

// PartSize returns the size of the parts of so many bytes.
func PartSize(size int64) int64 { return partSize(size) }

// SetCDNPace replaces what waits until so many URLs may be sent to the CDN.
func (c *Client) SetCDNPace(pace func(ctx context.Context, items int) error) { c.cdnPace = pace }

// SetFirstLook says how long the Client waits before the second look at tasks of the CDN.
func (c *Client) SetFirstLook(d time.Duration) { c.firstLook = d }

// NewCDNLimiter returns the limiter of a Client.
func NewCDNLimiter() *rate.Limiter { return newCDNLimiter() }
