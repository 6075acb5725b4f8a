package kodo

import "time"

// Hurry makes a Client's pauses between attempts too short to wait for in a test.
func (c *Client) Hurry() { c.firstPause = time.Millisecond }
