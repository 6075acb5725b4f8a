package kodo

import (
	"net/http"
	"time"
)

// SetFirstPause says how long the Client waits before the second attempt at a call.
func (c *Client) SetFirstPause(d time.Duration) { c.firstPause = d }

// SetTransport replaces the network.
func (c *Client) SetTransport(t http.RoundTripper) { c.wire.base = t }

// SetResumeFrom says from which size on the upload of a file can be resumed.
func (c *Client) SetResumeFrom(size int64) { c.resumeFrom = size }

// PartSize returns the size of the parts of so many bytes.
func PartSize(size int64) int64 { return partSize(size) }
