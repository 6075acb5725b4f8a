package httpapi

import (
	"strconv"

	"github.com/qiniu/terraform-provider-kodo/internal/emulator/engine"
)

// operation serves an operation on one object: /<op>/<entry>[/…].
func (s *Server) operation(c *call) (any, error) {
	arguments, err := c.allArguments()
	if err != nil {
		return nil, err
	}
	if c.command == "stat" && c.params.Get("needparts") == "true" {
		arguments = append(arguments, "needparts", "true")
	}
	return s.operate(c.owner, c.command, arguments)
}

// operations are those on one object, of a batch or alone.
var operations = map[string]func(s *Server, ref engine.ObjectRef, arguments []string) (any, error){
	"stat": (*Server).stat, "delete": (*Server).delete, "chgm": (*Server).changeMeta, "chtype": (*Server).changeClass,
	"chstatus": (*Server).changeStatus, "copy": (*Server).copy, "move": (*Server).move, "restoreAr": (*Server).restore,
	"deleteAfterDays": (*Server).deleteAfterDays, "lifecycle": (*Server).changeLifetime,
}

// operate does what one request or one line of a batch asks for. The arguments
// begin with the entry.
func (s *Server) operate(owner, op string, arguments []string) (any, error) {
	do, ok := operations[op]
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
	return do(s, engine.ObjectRef{Owner: owner, Bucket: bucket, Key: key}, arguments[1:])
}

// eachOption calls set with the pairs of a name and a value that end a path, in
// their order.
func eachOption(arguments []string, set func(name, value string) error) error {
	if len(arguments)%2 != 0 {
		return invalidArgument()
	}
	for i := 0; i < len(arguments); i += 2 {
		if err := set(arguments[i], arguments[i+1]); err != nil {
			return err
		}
	}
	return nil
}

// onlyOption returns the value of the one option that a path must end in.
func onlyOption(arguments []string, name string) (string, error) {
	if len(arguments) != 2 || arguments[0] != name {
		return "", invalidArgument()
	}
	return arguments[1], nil
}

// parseNumber parses a decimal number of a path.
func parseNumber(text string) (int, error) {
	n, err := strconv.ParseInt(text, 10, 32)
	if err != nil {
		return 0, invalidArgument()
	}
	return int(n), nil
}

// parseFlag parses "true" or "false"; the Python SDK writes them in capitals.
func parseFlag(text string) (bool, error) {
	flag, err := strconv.ParseBool(text)
	if err != nil {
		return false, invalidArgument()
	}
	return flag, nil
}

// objectInfo is an object in the answers of stat and list.
type objectInfo struct {
	Hash     string               `json:"hash"`
	Size     int64                `json:"fsize"`
	MimeType string               `json:"mimeType"`
	PutTime  int64                `json:"putTime"` // 100 ns
	Type     int                  `json:"type"`
	Restore  engine.RestoreStatus `json:"restoreStatus,omitempty"` // absent where an archive is frozen
	MD5      string               `json:"md5,omitempty"`
	EndUser  string               `json:"endUser,omitempty"`
	Meta     map[string]string    `json:"x-qn-meta,omitempty"`
	Parts    []int64              `json:"parts,omitempty"`
}

func infoOf(o engine.Object) objectInfo {
	return objectInfo{
		Hash: o.Hash, Size: o.Size, MimeType: o.MimeType, PutTime: o.PutTime, Type: o.FileType,
		Restore: o.Restore(), MD5: o.MD5, EndUser: o.EndUser, Meta: o.Meta, Parts: o.Parts,
	}
}

// objectStat is the answer of stat. The moments are unix seconds; their names are
// Kodo's, with capitals of all kinds.
type objectStat struct {
	objectInfo

	Status               int   `json:"status,omitempty"` // 1: disabled
	Expiration           int64 `json:"expiration,omitempty"`
	ToIA                 int64 `json:"transitionToIA,omitempty"`
	ToIntelligentTiering int64 `json:"transitionToIntelligentTiering,omitempty"`
	ToArchiveIR          int64 `json:"transitionToArchiveIR,omitempty"`
	ToArchive            int64 `json:"transitionToARCHIVE,omitempty"`
	ToDeepArchive        int64 `json:"transitionToDeepArchive,omitempty"`
}

// statusOf returns whether an object is disabled as Kodo writes it.
func statusOf(o engine.Object) int {
	if o.Disabled {
		return 1
	}
	return 0
}

// stat serves /stat/<entry>[/needparts/true].
func (s *Server) stat(ref engine.ObjectRef, arguments []string) (any, error) {
	needParts := false
	err := eachOption(arguments, func(name, value string) (err error) {
		if name != "needparts" {
			return invalidArgument()
		}
		needParts, err = parseFlag(value)
		return err
	})
	if err != nil {
		return nil, err
	}
	object, err := s.engine.Stat(ref.Owner, ref.Bucket, ref.Key)
	if err != nil {
		return nil, err
	}
	if !needParts {
		object.Parts = nil
	}
	return objectStat{
		objectInfo: infoOf(object), Status: statusOf(object), Expiration: object.DeletesAt,
		ToIA:                 object.Transitions[engine.IA],
		ToIntelligentTiering: object.Transitions[engine.IntelligentTiering],
		ToArchiveIR:          object.Transitions[engine.ArchiveIR],
		ToArchive:            object.Transitions[engine.Archive],
		ToDeepArchive:        object.Transitions[engine.DeepArchive],
	}, nil
}

// delete serves /delete/<entry>.
func (s *Server) delete(ref engine.ObjectRef, arguments []string) (any, error) {
	if len(arguments) > 0 {
		return nil, invalidArgument()
	}
	return nil, s.engine.Delete(ref.Owner, ref.Bucket, ref.Key)
}

// copy serves /copy/<entry>/<entry>[/force/<bool>].
func (s *Server) copy(ref engine.ObjectRef, arguments []string) (any, error) {
	transfer, err := parseTransfer(ref, arguments)
	if err != nil {
		return nil, err
	}
	return nil, s.engine.CopyObject(transfer)
}

// move serves /move/<entry>/<entry>[/force/<bool>].
func (s *Server) move(ref engine.ObjectRef, arguments []string) (any, error) {
	transfer, err := parseTransfer(ref, arguments)
	if err != nil {
		return nil, err
	}
	return nil, s.engine.MoveObject(transfer)
}

func parseTransfer(ref engine.ObjectRef, arguments []string) (engine.Copy, error) {
	if len(arguments) == 0 {
		return engine.Copy{}, invalidArgument()
	}
	bucket, key, err := decodeEntry(arguments[0])
	if err != nil {
		return engine.Copy{}, err
	}
	transfer := engine.Copy{Owner: ref.Owner, FromBucket: ref.Bucket, From: ref.Key, ToBucket: bucket, To: key}
	err = eachOption(arguments[1:], func(name, value string) (err error) {
		if name != "force" {
			return invalidArgument()
		}
		transfer.Force, err = parseFlag(value)
		return err
	})
	return transfer, err
}
