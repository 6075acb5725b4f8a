package httpapi

import (
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/qiniu/terraform-provider-kodo/internal/emulator/engine"
)

// operation serves an operation on one object: /<op>/<entry>[/…].
func (s *Server) operation(c *call) (any, error) {
	var arguments []string
	for i := range c.arguments {
		argument, err := c.argument(i)
		if err != nil {
			return nil, err
		}
		arguments = append(arguments, argument)
	}
	if c.command == "stat" && c.params.Get("needparts") == "true" {
		arguments = append(arguments, "needparts", "true")
	}
	return s.operate(c.owner, c.command, arguments)
}

// operate does what one request or one line of a batch asks for. The arguments
// begin with the entry.
func (s *Server) operate(owner, op string, arguments []string) (any, error) {
	do, ok := map[string]func(owner, bucket, key string, options []string) (any, error){
		"stat": s.stat, "delete": s.delete, "chgm": s.changeMeta,
	}[op]
	if !ok {
		return nil, notImplemented(op)
	}
	if len(arguments) == 0 {
		return nil, invalidArgument()
	}
	bucket, key, err := decodeEntry(arguments[0])
	if err != nil {
		return nil, err
	}
	return do(owner, bucket, key, arguments[1:])
}

// objectInfo is an object in the answers of stat and list.
type objectInfo struct {
	Hash     string            `json:"hash"`
	Size     int64             `json:"fsize"`
	MimeType string            `json:"mimeType"`
	PutTime  int64             `json:"putTime"` // 100 ns
	Type     int               `json:"type"`
	MD5      string            `json:"md5,omitempty"`
	EndUser  string            `json:"endUser,omitempty"`
	Meta     map[string]string `json:"x-qn-meta,omitempty"`
	Parts    []int64           `json:"parts,omitempty"`
}

func infoOf(o engine.Object) objectInfo {
	return objectInfo{
		Hash: o.Hash, Size: o.Size, MimeType: o.MimeType, PutTime: o.PutTime, Type: o.FileType,
		MD5: o.MD5, EndUser: o.EndUser, Meta: o.Meta, Parts: o.Parts,
	}
}

// stat serves /stat/<entry>[/needparts/true].
func (s *Server) stat(owner, bucket, key string, options []string) (any, error) {
	needParts := false
	switch {
	case len(options) == 0:
	case len(options) == 2 && options[0] == "needparts":
		needParts = options[1] == "true"
	default:
		return nil, invalidArgument()
	}
	object, err := s.engine.Stat(owner, bucket, key)
	if err != nil {
		return nil, err
	}
	info := infoOf(object)
	if !needParts {
		info.Parts = nil
	}
	return info, nil
}

// delete serves /delete/<entry>.
func (s *Server) delete(owner, bucket, key string, options []string) (any, error) {
	if len(options) > 0 {
		return nil, invalidArgument()
	}
	return nil, s.engine.Delete(owner, bucket, key)
}

// changeMeta serves /chgm/<entry>[/mime/<m>][/x-qn-meta-<k>/<v>]…[/cond/<c>].
// All values are URL-safe base64. Some clients send an empty mime, which is
// taken for none (assumption).
func (s *Server) changeMeta(owner, bucket, key string, options []string) (any, error) {
	change := engine.MetaChange{Owner: owner, Bucket: bucket, Key: key, Meta: map[string]string{}}
	if len(options)%2 != 0 {
		return nil, invalidArgument()
	}
	for i := 0; i < len(options); i += 2 {
		value, err := decodeText(options[i+1])
		if err != nil {
			return nil, err
		}
		name, isMeta := metaName(options[i])
		switch {
		case isMeta:
			change.Meta[name] = value
		case options[i] == "mime":
			change.MimeType = value
		case options[i] == "cond":
			if change.Cond, err = parseCondition(value); err != nil {
				return nil, err
			}
		default:
			return nil, notImplemented("/chgm/…/" + options[i])
		}
	}
	return nil, s.engine.ChangeMeta(change)
}

// metaName cuts "x-qn-meta-" off, in whatever case clients write it.
func metaName(field string) (name string, ok bool) {
	const prefix = "x-qn-meta-"
	if len(field) < len(prefix) || !strings.EqualFold(field[:len(prefix)], prefix) {
		return "", false
	}
	return field[len(prefix):], true
}

func parseCondition(text string) (map[string]string, error) {
	values, err := url.ParseQuery(text)
	if err != nil {
		return nil, invalidArgument()
	}
	cond := map[string]string{}
	for name := range values {
		cond[name] = values.Get(name)
	}
	return cond, nil
}

const (
	maxBatch        = 1000
	statusPartially = 298 // some operations of a batch failed
)

// batchResult is the answer to one operation of a batch.
type batchResult struct {
	Code int `json:"code"`
	Data any `json:"data,omitempty"`
}

// batch serves POST /batch with op=…&op=…. The operations on one entry are
// done in their order; those on different entries do not see each other, and
// are done at the same time so that they share the store's commits.
func (s *Server) batch(c *call) (any, error) {
	ops := c.params["op"]
	if len(ops) == 0 || len(ops) > maxBatch {
		return nil, invalidArgument()
	}
	byEntry := map[string][]int{}
	for i, op := range ops {
		_, arguments := splitOperation(op)
		entry := ""
		if len(arguments) > 0 {
			entry = arguments[0]
		}
		byEntry[entry] = append(byEntry[entry], i)
	}
	results := make([]batchResult, len(ops))
	var workers errgroup.Group
	workers.SetLimit(64)
	for _, indexes := range byEntry {
		workers.Go(func() error {
			for _, i := range indexes {
				results[i] = c.batchOperation(ops[i])
			}
			return nil
		})
	}
	if err := workers.Wait(); err != nil {
		return nil, err
	}
	for _, result := range results {
		if result.Code != http.StatusOK {
			return coded{status: statusPartially, value: results}, nil
		}
	}
	return results, nil
}

func (c *call) batchOperation(op string) batchResult {
	name, arguments := splitOperation(op)
	err := c.unseenEntry(arguments)
	var value any
	if err == nil {
		value, err = c.s.operate(c.owner, name, arguments)
	}
	if err != nil {
		e := refusal(err)
		return batchResult{Code: e.Code, Data: errorBody{Error: e.Message, ErrorCode: e.ErrorCode}}
	}
	return batchResult{Code: http.StatusOK, Data: value}
}

// unseenEntry refuses an operation of a batch on what a fault hides.
func (c *call) unseenEntry(arguments []string) error {
	if len(arguments) == 0 {
		return nil
	}
	for _, t := range entryTarget(arguments[0]) {
		switch {
		case c.fault.hidesBucket(t.bucket):
			return noSuchBucket()
		case c.fault.hides(t.bucket, t.key):
			return noSuchObject()
		}
	}
	return nil
}

// splitOperation cuts "/stat/<entry>" or, as other clients write it,
// "stat/<entry>".
func splitOperation(op string) (name string, arguments []string) {
	segments := strings.Split(strings.TrimPrefix(op, "/"), "/")
	return segments[0], segments[1:]
}

// batchTargets returns every entry that a batch names.
func batchTargets(c *call) []target {
	var targets []target
	for _, op := range c.params["op"] {
		if _, arguments := splitOperation(op); len(arguments) > 0 {
			targets = append(targets, entryTarget(arguments[0])...)
		}
	}
	return targets
}
