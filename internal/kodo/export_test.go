package kodo

import "time"

// SetFirstPause says how long the Client waits before the second attempt at a call.
func (c *Client) SetFirstPause(d time.Duration) { c.firstPause = d }
