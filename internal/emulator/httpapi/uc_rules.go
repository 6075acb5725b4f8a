package httpapi

import (
	"net/http"

	"github.com/qiniu/terraform-provider-kodo/internal/emulator/engine"
)

// The calls of this file take their parameters from the query and from a form.

// addRule serves POST /rules/add.
func (s *Server) addRule(c *call) (any, error) {
	rule, err := c.lifecycleRule()
	if err != nil {
		return nil, err
	}
	return nil, s.engine.AddRule(c.owner, c.params.Get("bucket"), rule)
}

// updateRule serves POST /rules/update. What is not sent is 0, and the prefix
// empty, as if it were sent so (fact:bucket-rule-update).
func (s *Server) updateRule(c *call) (any, error) {
	rule, err := c.lifecycleRule()
	if err != nil {
		return nil, err
	}
	return nil, s.engine.UpdateRule(c.owner, c.params.Get("bucket"), rule)
}

// deleteRule serves POST /rules/delete.
func (s *Server) deleteRule(c *call) (any, error) {
	return nil, s.engine.DeleteRule(c.owner, c.params.Get("bucket"), c.params.Get("name"))
}

// getRules serves /rules/get, which answers null when there are none.
func (s *Server) getRules(c *call) (any, error) {
	bucket, err := c.bucket()
	if err != nil {
		return nil, err
	}
	return coded{status: http.StatusOK, value: bucket.Rules}, nil
}

func (c *call) lifecycleRule() (engine.LifecycleRule, error) {
	rule := engine.LifecycleRule{Name: c.params.Get("name"), Prefix: c.params.Get("prefix")}
	for name, days := range map[string]*int{
		"delete_after_days":                 &rule.Delete,
		"to_line_after_days":                &rule.ToIA,
		"to_intelligent_tiering_after_days": &rule.ToIntelligentTiering,
		"to_archive_ir_after_days":          &rule.ToArchiveIR,
		"to_archive_after_days":             &rule.ToArchive,
		"to_deep_archive_after_days":        &rule.ToDeepArchive,
		"history_delete_after_days":         &rule.HistoryDelete,
		"history_to_line_after_days":        &rule.HistoryToIA,
	} {
		var err error
		if *days, err = c.number(name, 0); err != nil {
			return engine.LifecycleRule{}, err
		}
	}
	return rule, nil
}

// addEventRule serves POST /events/add.
func (s *Server) addEventRule(c *call) (any, error) {
	return nil, s.engine.AddEventRule(c.owner, c.params.Get("bucket"), c.eventRule())
}

// updateEventRule serves POST /events/update.
func (s *Server) updateEventRule(c *call) (any, error) {
	return nil, s.engine.UpdateEventRule(c.owner, c.params.Get("bucket"), c.eventRule())
}

// deleteEventRule serves POST /events/delete.
func (s *Server) deleteEventRule(c *call) (any, error) {
	return nil, s.engine.DeleteEventRule(c.owner, c.params.Get("bucket"), c.params.Get("name"))
}

// eventRule reads a rule. Most clients send access_key, the Go SDK accessKey
// (fact:bucket-event-spellings).
func (c *call) eventRule() engine.EventRule {
	accessKey := c.params.Get("access_key")
	if accessKey == "" {
		accessKey = c.params.Get("accessKey")
	}
	return engine.EventRule{
		Name: c.params.Get("name"), Prefix: c.params.Get("prefix"), Suffix: c.params.Get("suffix"),
		Events: c.params["event"], URLs: c.params["callbackURL"], Host: c.params.Get("host"), AccessKey: accessKey,
	}
}

// eventRule is a rule in the answer of /events/get, in both spellings
// (fact:bucket-event-spellings).
type eventRule struct {
	Name        string   `json:"name"`
	Prefix      string   `json:"prefix"`
	Suffix      string   `json:"suffix"`
	Events      []string `json:"events"`
	GoEvents    []string `json:"event"`
	URLs        []string `json:"callback_urls"`
	GoURLs      []string `json:"callbackURL"`
	AccessKey   string   `json:"access_key"`
	GoAccessKey string   `json:"accessKey"`
	Host        string   `json:"host"`
}

// getEventRules serves /events/get, which answers null when there are none.
func (s *Server) getEventRules(c *call) (any, error) {
	bucket, err := c.bucket()
	if err != nil {
		return nil, err
	}
	var rules []eventRule
	for _, rule := range bucket.Events {
		rules = append(rules, eventRule{
			Name: rule.Name, Prefix: rule.Prefix, Suffix: rule.Suffix,
			Events: rule.Events, GoEvents: rule.Events, URLs: rule.URLs, GoURLs: rule.URLs,
			AccessKey: rule.AccessKey, GoAccessKey: rule.AccessKey, Host: rule.Host,
		})
	}
	return coded{status: http.StatusOK, value: rules}, nil
}
