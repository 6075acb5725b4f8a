package policy

import (
	"fmt"
	"net/http"
	"path"
	"strings"
)

// binaryType is the content type of what nothing is known of.
const binaryType = "application/octet-stream"

// Mime returns the content type of an upload: what the client says, what the
// extensions of its file name and of the key stand for, or what the first bytes of
// the content look like. detectMime says what counts:
//
//	 0  the client, the file name, the key, the content, in this order
//	 1  the content, the file name, the key; not the client
//	-1  the client alone
//
// Content that looks like no more than text is told by the names if they can
// (fact:upload-detect-content).
func (p Policy) Mime(given, fileName, key string, head []byte) string {
	byName := mimeByExtension(path.Ext(fileName))
	if byName == "" {
		byName = mimeByExtension(path.Ext(key))
	}
	switch {
	case given != "" && p.DetectMime != 1:
		return given
	case p.DetectMime == -1:
		return binaryType
	case p.DetectMime == 0 && byName != "":
		return byName
	}
	byContent := binaryType
	if len(head) > 0 {
		byContent, _, _ = strings.Cut(http.DetectContentType(head), ";")
	}
	if byName != "" && (byContent == binaryType || byContent == "text/plain") {
		return byName
	}
	return byContent
}

// CheckMime refuses a content type that mimeLimit does not allow: a list of types
// separated by ";", in which "image/*" stands for all images, and all others than
// those of the list if it begins with "!".
func (p Policy) CheckMime(mimeType string) error {
	if p.MimeLimit == "" {
		return nil
	}
	list, negated := strings.CutPrefix(p.MimeLimit, "!")
	listed := false
	for pattern := range strings.SplitSeq(list, ";") {
		class, wild := strings.CutSuffix(pattern, "*")
		listed = listed || pattern == mimeType || (wild && strings.HasPrefix(mimeType, class))
	}
	if listed == negated {
		return &Error{
			Status: http.StatusForbidden,
			Text:   fmt.Sprintf("limited mimeType: this file type (%s) is forbidden to upload", mimeType),
		}
	}
	return nil
}

// mimeByExtension is a table of its own, because that of package mime differs
// from machine to machine.
func mimeByExtension(extension string) string {
	switch strings.ToLower(extension) {
	case ".html", ".htm":
		return "text/html"
	case ".css":
		return "text/css"
	case ".txt":
		return "text/plain"
	case ".md":
		return "text/markdown"
	case ".csv":
		return "text/csv"
	case ".js", ".mjs":
		return "application/javascript"
	case ".json":
		return "application/json"
	case ".xml":
		return "application/xml"
	case ".pdf":
		return "application/pdf"
	case ".zip":
		return "application/zip"
	case ".gz":
		return "application/gzip"
	case ".wasm":
		return "application/wasm"
	case ".png":
		return "image/png"
	case ".jpg", ".jpeg":
		return "image/jpeg"
	case ".gif":
		return "image/gif"
	case ".svg":
		return "image/svg+xml"
	case ".webp":
		return "image/webp"
	case ".ico":
		return "image/x-icon"
	case ".mp3":
		return "audio/mpeg"
	case ".mp4":
		return "video/mp4"
	case ".woff":
		return "font/woff"
	case ".woff2":
		return "font/woff2"
	case ".ttf":
		return "font/ttf"
	}
	return ""
}
