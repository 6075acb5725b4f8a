package policy

import (
	"path"
	"strings"
	"time"
)

// Upload is what the magic variables of a policy are about.
type Upload struct {
	Bucket       string
	Key          *string // nil as long as there is none
	ETag         string
	Size         int64
	MimeType     string
	FileName     string            // empty if the client gives none
	EndUser      string            // of the policy
	PersistentID string            // empty if nothing is to be processed
	Custom       map[string]string // custom variables, by names that begin with "x:"
}

// Value returns the value of a variable, see Vars. What an upload does not have, or
// may not be named, has none.
func (u Upload) Value(name string) any {
	if strings.HasPrefix(name, "x:") {
		value, ok := u.Custom[name]
		if !ok {
			return nil
		}
		return value
	}
	text := ""
	switch name {
	case "bucket":
		text = u.Bucket
	case "key":
		if u.Key == nil {
			return nil
		}
		return *u.Key
	case "etag":
		text = u.ETag
	case "fsize":
		return u.Size
	case "mimeType":
		text = u.MimeType
	case "endUser":
		text = u.EndUser
	case "persistentId":
		text = u.PersistentID
	case "fname":
		text = u.FileName
	case "fprefix":
		text = strings.TrimSuffix(u.FileName, path.Ext(u.FileName))
	case "suffix":
		text = path.Ext(u.FileName)
	case "ext":
		if text = path.Ext(u.FileName); text == "" {
			text = extensionByMime(u.MimeType)
		}
	}
	if text == "" {
		return nil
	}
	return text
}

// WithTime adds the variables for when it is, in Beijing. They are known where a
// key is made, and nowhere else (documented).
func (v Vars) WithTime(now time.Time) Vars {
	beijing := now.In(time.FixedZone("CST", 8*60*60))
	return func(name string) any {
		layout, ok := map[string]string{
			"year": "2006", "mon": "01", "day": "02", "hour": "15", "min": "04", "sec": "05",
		}[name]
		if !ok {
			return v(name)
		}
		return beijing.Format(layout)
	}
}

// extensionByMime returns the extension, with its dot, of the names of files of a
// content type, of which mimeByExtension has several for some (fact:upload-ext).
func extensionByMime(mimeType string) string {
	for _, extension := range []string{
		".html", ".css", ".txt", ".md", ".csv", ".js", ".json", ".xml", ".pdf", ".zip", ".gz", ".wasm", ".png",
		".jpg", ".gif", ".svg", ".webp", ".ico", ".mp3", ".mp4", ".woff", ".woff2", ".ttf",
	} {
		if mimeByExtension(extension) == mimeType {
			return extension
		}
	}
	return ""
}
