package kodo

// A PutPolicy is what an upload token allows, in the words of Kodo's wire format: numbers are 0 and texts empty where
// the policy says nothing. The order of the fields is that of the published tokens.
type PutPolicy struct {
	// Scope is the bucket, or an entry of it: see ScopeOf.
	Scope    string `json:"scope"`
	Deadline int64  `json:"deadline"` // unix seconds: no object comes into being after it

	IsPrefixalScope int `json:"isPrefixalScope,omitempty"` // 1: the key in Scope is a prefix
	InsertOnly      int `json:"insertOnly,omitempty"`      // 1: never replaces an object

	EndUser    string `json:"endUser,omitempty"`
	ReturnURL  string `json:"returnUrl,omitempty"`
	ReturnBody string `json:"returnBody,omitempty"`

	CallbackURL      string `json:"callbackUrl,omitempty"` // joined by ";"
	CallbackHost     string `json:"callbackHost,omitempty"`
	CallbackBody     string `json:"callbackBody,omitempty"`
	CallbackBodyType string `json:"callbackBodyType,omitempty"`

	PersistentOps                string `json:"persistentOps,omitempty"`
	PersistentNotifyURL          string `json:"persistentNotifyUrl,omitempty"`
	PersistentPipeline           string `json:"persistentPipeline,omitempty"`
	PersistentType               int    `json:"persistentType,omitempty"` // 1: when Kodo is idle
	PersistentWorkflowTemplateID string `json:"persistentWorkflowTemplateID,omitempty"`

	ForceSaveKey bool   `json:"forceSaveKey,omitempty"`
	SaveKey      string `json:"saveKey,omitempty"`

	FsizeMin   int64  `json:"fsizeMin,omitempty"`   // bytes
	FsizeLimit int64  `json:"fsizeLimit,omitempty"` // bytes
	DetectMime int    `json:"detectMime,omitempty"`
	MimeLimit  string `json:"mimeLimit,omitempty"` // patterns joined by ";", behind a "!" those that are refused

	FileType        StorageClass `json:"fileType,omitempty"`
	DeleteAfterDays int64        `json:"deleteAfterDays,omitempty"`
	TrafficLimit    int64        `json:"trafficLimit,omitempty"` // bits a second
}

// The bounds of PutPolicy.TrafficLimit in bits a second: 100 KB/s and 100 MB/s.
const (
	MinTrafficLimit = 819_200
	MaxTrafficLimit = 838_860_800
)

// The values of PutPolicy.DetectMime.
const (
	DetectMimeDefault = 0  // the client's word, then the extension of the file's name and of the key, then the content
	DetectMimeContent = 1  // the content, then the extensions: the client's word does not count
	DetectMimeClient  = -1 // the client's word alone
)

// ScopeOf returns the scope of a policy for one key of a bucket, which may be empty, or for every key that begins with
// it. A bucket's name alone is the scope for all keys, none of which may be replaced.
func ScopeOf(bucket, key string) string { return entry(bucket, key) }
