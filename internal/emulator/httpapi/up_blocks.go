package httpapi

import (
	"encoding/base64"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/qiniu/terraform-provider-kodo/internal/emulator/engine"
	"github.com/qiniu/terraform-provider-kodo/internal/emulator/policy"
)

// putChunk is the answer to mkblk and bput.
type putChunk struct {
	Context  string `json:"ctx"`
	Checksum string `json:"checksum"` // SHA-1 of the chunk, URL-safe base64
	CRC32    uint32 `json:"crc32"`
	Offset   int64  `json:"offset"`
	Host     string `json:"host"` // where to go on
	ExpireAt int64  `json:"expired_at"`
}

func (c *call) chunk(chunk engine.Chunk, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	return putChunk{
		Context: chunk.Context, Checksum: base64.URLEncoding.EncodeToString(chunk.Digest[:]), CRC32: chunk.CRC32,
		Offset: chunk.Offset, Host: "http://" + c.r.Host, ExpireAt: chunk.ExpireAt.Unix(),
	}, nil
}

// makeBlock serves POST /mkblk/<size>, with the first chunk of a block.
func (s *Server) makeBlock(c *call) (any, error) {
	granted, err := c.grant(headerToken(c.r))
	if err != nil {
		return nil, err
	}
	size, err := c.lastNumber(1)
	if err != nil {
		return nil, err
	}
	return c.chunk(s.engine.MakeBlock(granted.owner, size, c.r.Body))
}

// putBlock serves POST /bput/<context>/<offset>, with the next chunk.
func (s *Server) putBlock(c *call) (any, error) {
	granted, err := c.grant(headerToken(c.r))
	if err != nil {
		return nil, err
	}
	offset, err := c.lastNumber(2)
	if err != nil {
		return nil, err
	}
	context, err := c.argument(0)
	if err != nil {
		return nil, err
	}
	return c.chunk(s.engine.PutChunk(granted.owner, context, offset, c.r.Body))
}

// lastNumber returns the last of so many arguments, which is a number.
func (c *call) lastNumber(of int) (int64, error) {
	if len(c.arguments) != of {
		return 0, invalidArgument()
	}
	n, err := strconv.ParseInt(c.arguments[of-1], 10, 64)
	if err != nil || n < 0 {
		return 0, invalidArgument()
	}
	return n, nil
}

// makeFile serves POST /mkfile/<size>[/key/<key>][/…], whose body names the
// contexts of the blocks, separated by commas.
func (s *Server) makeFile(c *call) (any, error) {
	size, said, err := c.pathWords()
	if err != nil {
		return nil, err
	}
	granted, err := c.grant(headerToken(c.r))
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(io.LimitReader(c.r.Body, maxManagementBody+1))
	if err != nil {
		return nil, err
	}
	if len(body) > maxManagementBody {
		return nil, &engine.Error{Code: http.StatusRequestEntityTooLarge, Message: "request body too large"}
	}
	file := engine.MakeFile{Size: size}
	if text := strings.TrimSpace(string(body)); text != "" {
		file.Contexts = strings.Split(text, ",")
	}
	d := &delivery{grant: granted, words: said, api: policy.V1}
	d.store = func(put engine.Put) (engine.Object, error) {
		file.Object = put
		return s.engine.MakeFile(file)
	}
	if d.needsHead() && len(file.Contexts) > 0 {
		if d.head, err = s.engine.BlockHead(granted.owner, file.Contexts[0]); err != nil {
			return nil, err
		}
	}
	return c.deliver(d)
}
