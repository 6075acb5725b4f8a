package main

import (
	"bufio"
	"bytes"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// The emulator's default account.
const (
	accessKey = "kodo-emulator-access-key"
	secretKey = "kodo-emulator-secret-key"
)

func sign(data string) string {
	mac := hmac.New(sha1.New, []byte(secretKey))
	mac.Write([]byte(data))
	return accessKey + ":" + base64.URLEncoding.EncodeToString(mac.Sum(nil))
}

// uploadToken is good for every new key of the bucket.
func uploadToken() string {
	policy := fmt.Sprintf(`{"scope":"bench","deadline":%d}`, time.Now().Add(time.Hour).Unix())
	encoded := base64.URLEncoding.EncodeToString([]byte(policy))
	return sign(encoded) + ":" + encoded
}

// client is one connection that sends requests as they stand. It costs next to
// nothing beside a server, which net/http's client does not.
type client struct {
	conn   net.Conn
	answer *bufio.Reader
}

func dial(host string) (*client, error) {
	conn, err := net.Dial("tcp", host)
	if err != nil {
		return nil, err
	}
	return &client{conn: conn, answer: bufio.NewReader(conn)}, nil
}

// send sends a request in pieces and returns the body of its answer.
func (c *client) send(pieces ...[]byte) ([]byte, error) {
	buffers := net.Buffers(pieces)
	if _, err := buffers.WriteTo(c.conn); err != nil {
		return nil, err
	}
	answer, err := http.ReadResponse(c.answer, nil)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s %s", answer.Status, body)
	}
	return body, err
}

// call sends a request and decodes its answer into value, if that is not nil.
func (c *client) call(method, target, authorization string, body []byte, value any) ([]byte, error) {
	head := fmt.Appendf(nil, "%s %s HTTP/1.1\r\nHost: %s\r\nAuthorization: %s\r\nContent-Length: %d\r\n\r\n",
		method, target, c.conn.RemoteAddr(), authorization, len(body))
	answer, err := c.send(head, body)
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", method, target, err)
	}
	if value == nil {
		return answer, nil
	}
	return answer, json.NewDecoder(bytes.NewReader(answer)).Decode(value)
}

// get sends a signed management call.
func (c *client) get(target string, value any) ([]byte, error) {
	signature := sign("GET " + target + "\nHost: " + c.conn.RemoteAddr().String() + "\n\n")
	return c.call(http.MethodGet, target, "Qiniu "+signature, nil, value)
}

func (c *client) close() {
	c.conn.Close() //nolint:errcheck // Nothing more is asked of it.
}
