package functions

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"path"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/function"

	"github.com/qiniu/terraform-provider-kodo/internal/kodo"
)

// NewObjectKey is object_key: a key for a file that somebody uploads.
func NewObjectKey() function.Function {
	return text{
		name:    "object_key",
		summary: "Key for an uploaded file",
		description: "Returns a key for a file of an owner, `<category>/<owner>/<year and month>/<digits>.<extension>`, such as `voices/user_123/202501/fe724364.mp3`. " +
			"The eight hexadecimal digits are a hash of the four arguments: the same arguments give the same key, others almost surely another, and the file's name is not told. " +
			"Year and month are those of the timestamp in UTC. The extension is the file name's in lower case, and `bin` where it has none of up to 16 letters and digits.",
		parameters: []function.Parameter{
			parameter("category", "First folder of the key, such as `voices`; it may hold slashes between its parts."),
			parameter("owner", "Whose file it is, such as `user_123`; without slashes."),
			parameter("timestamp", "When the file came, as an RFC 3339 instant such as `2025-01-15T08:00:00Z`."),
			parameter("filename", "Name of the file without its folder, such as `my-voice.mp3`."),
		},
		compute: func(_ context.Context, arguments []string) (string, *function.FuncError) {
			category, owner, filename := arguments[0], arguments[1], arguments[3]
			at, err := time.Parse(time.RFC3339, arguments[2])
			if at = at.UTC(); err != nil || at.Year() < 0 || at.Year() > 9999 { // in UTC it may be in another year
				err = errors.New("it must be an RFC 3339 instant of the years 0 to 9999 in UTC")
			}
			failed := function.ConcatFuncErrors(
				refused(0, checkSegments(category), "voices"),
				refused(1, checkSegment(owner), "user_123"),
				refused(2, err, "2025-01-15T08:00:00Z"),
				refused(3, checkSegment(filename), "my-voice.mp3"),
			)
			if failed != nil {
				return "", failed
			}
			key := path.Join(category, owner, at.Format("200601"), digits(arguments)+"."+extension(filename))
			if err := kodo.CheckKey(key); err != nil {
				return "", refused(0, err, "voices")
			}
			return key, nil
		},
	}
}

// checkSegments says why a text is no row of folders.
func checkSegments(s string) error {
	for segment := range strings.SplitSeq(s, "/") {
		if err := checkSegment(segment); err != nil {
			return err
		}
	}
	return nil
}

// checkSegment says why a text is no single part of a path. Control characters
// and the parts "." and ".." are legal in keys, but nobody means them.
func checkSegment(s string) error {
	switch {
	case s == "" || s == "." || s == "..":
		return errors.New("each part between slashes needs a name, and neither . nor .. is one")
	case strings.Contains(s, "/"):
		return errors.New("it must not hold a slash")
	case strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return errors.New("it must not hold control characters")
	}
	return nil
}

// digits is the hash of the arguments. Each goes in with its length before it,
// so that no two lists of arguments are the same bytes.
func digits(arguments []string) string {
	hash := sha256.New()
	for _, argument := range arguments {
		hash.Write(binary.BigEndian.AppendUint64(nil, uint64(len(argument))))
		hash.Write([]byte(argument))
	}
	return hex.EncodeToString(hash.Sum(nil)[:4])
}

// extension is the file name's without the dot, or "bin". A name that begins with
// its only dot has none.
func extension(filename string) string {
	const none, longest = "bin", 16
	ext := strings.ToLower(strings.TrimPrefix(path.Ext(strings.TrimLeft(filename, ".")), "."))
	plain := !strings.ContainsFunc(ext, func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') })
	if ext == "" || len(ext) > longest || !plain {
		return none
	}
	return ext
}
