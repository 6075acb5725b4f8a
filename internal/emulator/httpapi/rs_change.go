package httpapi

import (
	"net/url"
	"strings"

	"github.com/qiniu/terraform-provider-kodo/internal/emulator/engine"
)

// changeMeta serves /chgm/<entry> with any of /mime/<m>, /x-qn-meta-<k>/<v>,
// /<standard header>/<v> and /cond/<c>, in any order. All values are URL-safe
// base64. Some clients send an empty mime, which is taken for none
// (fact:object-chgm-empty-mime).
func (s *Server) changeMeta(ref engine.ObjectRef, arguments []string) (any, error) {
	change := engine.MetaChange{ObjectRef: ref, Meta: map[string]string{}}
	err := eachOption(arguments, func(option, encoded string) error {
		value, err := decodeText(encoded)
		if err != nil {
			return err
		}
		name, isMeta := metaName(option)
		header, isHeader := standardHeader(option)
		switch {
		case isMeta:
			change.Meta[name] = value
		case isHeader:
			change.Meta["!"+header] = value
		case option == "mime":
			change.MimeType = value
		case option == "cond":
			change.Cond, err = parseCondition(value)
			return err
		default:
			return invalidArgument()
		}
		return nil
	})
	if err != nil {
		return nil, err
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

// standardHeader returns the response header that a newer name of Kodo's for it
// sets. It is kept where "x-qn-meta-!<header>" is (fact:object-standard-headers).
func standardHeader(name string) (header string, ok bool) {
	header, ok = map[string]string{
		"cacheControl": "Cache-Control", "contentDisposition": "Content-Disposition",
		"contentLanguage": "Content-Language", "contentEncoding": "Content-Encoding", "expires": "Expires",
	}[name]
	return header, ok
}

// parseCondition parses the decoded value of a cond.
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

// decodeCondition decodes and parses the value of a cond.
func decodeCondition(encoded string) (map[string]string, error) {
	text, err := decodeText(encoded)
	if err != nil {
		return nil, err
	}
	return parseCondition(text)
}

// changeClass serves /chtype/<entry>/type/<class>.
func (s *Server) changeClass(ref engine.ObjectRef, arguments []string) (any, error) {
	value, err := onlyOption(arguments, "type")
	if err != nil {
		return nil, err
	}
	class, err := parseNumber(value)
	if err != nil {
		return nil, err
	}
	return nil, s.engine.ChangeClass(ref, class)
}

// restore serves /restoreAr/<entry>/freezeAfterDays/<days>.
func (s *Server) restore(ref engine.ObjectRef, arguments []string) (any, error) {
	value, err := onlyOption(arguments, "freezeAfterDays")
	if err != nil {
		return nil, err
	}
	days, err := parseNumber(value)
	if err != nil {
		return nil, err
	}
	return nil, s.engine.RestoreArchive(ref, days)
}

// changeStatus serves /chstatus/<entry>/status/<0 or 1>[/cond/<c>]: 1 disables.
func (s *Server) changeStatus(ref engine.ObjectRef, arguments []string) (any, error) {
	status := ""
	err := eachOption(arguments, func(name, value string) (err error) {
		switch name {
		case "status":
			status = value
		case "cond":
			ref.Cond, err = decodeCondition(value)
		default:
			err = invalidArgument()
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	if status != "0" && status != "1" {
		return nil, invalidArgument()
	}
	return nil, s.engine.ChangeStatus(ref, status == "1")
}

// deleteAfterDays serves /deleteAfterDays/<entry>/<days>; 0 takes the deletion
// back.
func (s *Server) deleteAfterDays(ref engine.ObjectRef, arguments []string) (any, error) {
	if len(arguments) != 1 {
		return nil, invalidArgument()
	}
	days, err := parseNumber(arguments[0])
	if err != nil || days < 0 {
		return nil, invalidArgument()
	}
	if days == 0 {
		days = engine.Cancel
	}
	return nil, s.engine.ChangeLifetime(ref, engine.Days{Delete: days})
}

// changeLifetime serves /lifecycle/<entry> with any of /to<class>AfterDays/<n>,
// /deleteAfterDays/<n> and /cond/<c>, in any order and any letter case, as in the
// documentation's own examples.
func (s *Server) changeLifetime(ref engine.ObjectRef, arguments []string) (any, error) {
	classes := map[string]int{
		"toiaafterdays": engine.IA, "tointelligenttieringafterdays": engine.IntelligentTiering,
		"toarchiveirafterdays": engine.ArchiveIR, "toarchiveafterdays": engine.Archive,
		"todeeparchiveafterdays": engine.DeepArchive,
	}
	days := engine.Days{To: map[int]int{}}
	err := eachOption(arguments, func(name, value string) (err error) {
		name = strings.ToLower(name)
		class, isClass := classes[name]
		switch {
		case isClass:
			days.To[class], err = parseNumber(value)
		case name == "deleteafterdays":
			days.Delete, err = parseNumber(value)
		case name == "cond":
			ref.Cond, err = decodeCondition(value)
		default:
			err = invalidArgument()
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return nil, s.engine.ChangeLifetime(ref, days)
}
