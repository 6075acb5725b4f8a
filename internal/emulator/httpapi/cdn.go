package httpapi

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/qiniu/terraform-provider-kodo/internal/emulator/engine"
)

// tune serves /v2/tune/…, the CDN's calls. They have JSON both ways, and refuse by a
// code of six digits in an answer with status 200 (fact:cdn-status).
func (s *Server) tune(c *call) (any, error) {
	switch strings.Join(c.arguments, "/") {
	case "refresh":
		return s.refresh(c)
	case "prefetch":
		return s.prefetch(c)
	case "refresh/list":
		return s.cdnTasks(c, engine.CDNRefresh)
	case "prefetch/list":
		return s.cdnTasks(c, engine.CDNPrefetch)
	case "log/list":
		return s.cdnLogs(c)
	}
	return nil, notImplemented(c.r.Method + " " + c.path)
}

// cdnResult is what every answer of the CDN begins with.
type cdnResult struct {
	Code  int    `json:"code"`
	Error string `json:"error"`
}

// cdnOutcome tells a refusal, which is part of the answer, from a failure.
func cdnOutcome(err error) (cdnResult, error) {
	if err == nil {
		return cdnResult{Code: http.StatusOK, Error: "success"}, nil
	}
	if refused := refusal(err); isCDNCode(refused.Code) {
		return cdnResult{Code: refused.Code, Error: refused.Message}, nil
	}
	return cdnResult{}, err
}

// isCDNCode reports whether a code is one of the CDN's own and no HTTP status.
func isCDNCode(code int) bool { return code >= 100_000 }

// decodeCDN reads the body of a call.
func (c *call) decodeCDN(value any) error {
	if err := json.Unmarshal(c.body, value); err != nil {
		return &engine.Error{Code: 400000, Message: "bad request: " + err.Error()}
	}
	return nil
}

// refresh serves POST /v2/tune/refresh.
func (s *Server) refresh(c *call) (any, error) {
	var request struct{ URLs, Dirs []string }
	err := c.decodeCDN(&request)
	var done engine.CDNAnswer
	if err == nil {
		done, err = s.engine.SubmitCDN(c.owner, engine.CDNRefresh, request.URLs, request.Dirs)
	}
	result, err := cdnOutcome(err)
	if err != nil {
		return nil, err
	}
	return struct {
		cdnResult
		RequestID     string            `json:"requestId"`
		TaskIDs       map[string]string `json:"taskIds"`
		InvalidURLs   []string          `json:"invalidUrls"`
		InvalidDirs   []string          `json:"invalidDirs"`
		URLQuotaDay   int               `json:"urlQuotaDay"`
		URLSurplusDay int               `json:"urlSurplusDay"`
		DirQuotaDay   int               `json:"dirQuotaDay"`
		DirSurplusDay int               `json:"dirSurplusDay"`
	}{
		result, done.Request, done.Tasks, done.InvalidURLs, done.InvalidDirs,
		done.URLs.Day, done.URLs.Surplus, done.Dirs.Day, done.Dirs.Surplus,
	}, nil
}

// prefetch serves POST /v2/tune/prefetch.
func (s *Server) prefetch(c *call) (any, error) {
	var request struct{ URLs []string }
	err := c.decodeCDN(&request)
	var done engine.CDNAnswer
	if err == nil {
		done, err = s.engine.SubmitCDN(c.owner, engine.CDNPrefetch, request.URLs, nil)
	}
	result, err := cdnOutcome(err)
	if err != nil {
		return nil, err
	}
	return struct {
		cdnResult
		RequestID   string            `json:"requestId"`
		TaskIDs     map[string]string `json:"taskIds"`
		InvalidURLs []string          `json:"invalidUrls"`
		QuotaDay    int               `json:"quotaDay"`
		SurplusDay  int               `json:"surplusDay"`
	}{result, done.Request, done.Tasks, done.InvalidURLs, done.Prefetches.Day, done.Prefetches.Surplus}, nil
}

// cdnItem is a task as the lists show it.
type cdnItem struct {
	RequestID   string          `json:"requestId"`
	TaskID      string          `json:"taskId"`
	URL         string          `json:"url"`
	State       engine.CDNState `json:"state"`
	StateDetail string          `json:"stateDetail"`
	CreateAt    string          `json:"createAt"`
	BeginAt     string          `json:"beginAt"`
	EndAt       string          `json:"endAt"`
	IsDir       string          `json:"isDir,omitempty"`
}

// cdnTasks serves POST /v2/tune/refresh/list and /v2/tune/prefetch/list.
func (s *Server) cdnTasks(c *call, kind engine.CDNKind) (any, error) {
	request := struct {
		RequestID, TaskID, IsDir, State, StartTime, EndTime string
		URLs                                                []string
		PageNo, PageSize                                    int
	}{PageSize: 100}
	err := c.decodeCDN(&request)
	filter := engine.CDNFilter{
		Owner: c.owner, Kind: kind, Request: request.RequestID, Task: request.TaskID, URLs: request.URLs, State: engine.CDNState(request.State),
	}
	if dir := request.IsDir == "yes"; dir || request.IsDir == "no" {
		filter.Dir = &dir
	}
	var tasks []engine.CDNTask
	if err == nil {
		filter.From, err = cdnTime(request.StartTime)
	}
	if err == nil {
		filter.To, err = cdnTime(request.EndTime)
	}
	if err == nil && (request.PageNo < 0 || request.PageSize < 1) {
		err = &engine.Error{Code: 400000, Message: "bad request: invalid page"}
	}
	if err == nil {
		tasks, err = s.engine.CDNTasks(filter)
	}
	result, err := cdnOutcome(err)
	if err != nil {
		return nil, err
	}
	items := []cdnItem{}
	for i, task := range tasks {
		if i/max(1, request.PageSize) == request.PageNo {
			items = append(items, cdnItemOf(task))
		}
	}
	return struct {
		cdnResult
		Total int       `json:"total"`
		Items []cdnItem `json:"items"`
	}{result, len(tasks), items}, nil
}

// cdnTimes is how the CDN writes a time, in Beijing's (fact:cdn-times).
const cdnTimes = "2006-01-02 15:04:05"

func beijing() *time.Location { return time.FixedZone("Beijing", 8*60*60) }

// cdnTime reads a time of the CDN, the zero one if there is none.
func cdnTime(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	t, err := time.ParseInLocation(cdnTimes, text, beijing())
	if err != nil {
		return time.Time{}, &engine.Error{Code: 400080, Message: "invalid date: " + text}
	}
	return t, nil
}

func cdnItemOf(task engine.CDNTask) cdnItem {
	at := func(moment int64) string { return time.Unix(0, moment).In(beijing()).Format(cdnTimes) }
	item := cdnItem{
		RequestID: task.Request, TaskID: task.ID, URL: task.URL, State: task.State, StateDetail: task.Detail,
		CreateAt: at(task.Created), BeginAt: at(task.Created),
	}
	if task.State != engine.CDNProcessing {
		item.EndAt = at(task.Ends)
	}
	if task.Kind == engine.CDNRefresh {
		item.IsDir = "no"
		if task.Dir {
			item.IsDir = "yes"
		}
	}
	return item
}

// cdnLogs serves POST /v2/tune/log/list.
func (s *Server) cdnLogs(c *call) (any, error) {
	var request struct{ Day, Domains string }
	err := c.decodeCDN(&request)
	var found map[string][]engine.CDNLog
	if err == nil {
		found, err = s.engine.CDNLogs(c.owner, request.Day, strings.Split(request.Domains, ";"))
	}
	result, err := cdnOutcome(err)
	switch {
	case err != nil:
		return nil, err
	case result.Code == http.StatusOK:
		result.Error = "" // fact:cdn-log-text
	}
	type file struct {
		Name  string `json:"name"`
		Size  int64  `json:"size"`
		MTime int64  `json:"mtime"`
		URL   string `json:"url"`
	}
	data := map[string][]file{}
	for domain, files := range found {
		data[domain] = []file{}
		for _, f := range files {
			data[domain] = append(data[domain], file{f.Name, f.Size, f.MTime, f.URL})
		}
	}
	return struct {
		cdnResult
		Data map[string][]file `json:"data"`
	}{result, data}, nil
}

// cdnSettings are the engine's in the emulator's own words.
type cdnSettings struct {
	Stale            bool   `json:"stale"`
	Delay            Delay  `json:"delay"`
	URLsPerDay       int    `json:"urls_per_day"`
	DirsPerDay       int    `json:"dirs_per_day"`
	PrefetchesPerDay int    `json:"prefetches_per_day"`
	NoDirs           bool   `json:"no_dirs"`
	Fail             string `json:"fail"`
}

func (s *Server) cdnSettings() cdnSettings {
	now := s.engine.CDN()
	return cdnSettings{now.Stale, Delay(now.Delay), now.URLsPerDay, now.DirsPerDay, now.PrefetchesPerDay, now.NoDirs, now.Fail}
}

// changeCDN changes the settings that the body names, and answers all of them.
func (s *Server) changeCDN(c *call) (any, error) {
	change := s.cdnSettings()
	if err := c.decodeAdmin(&change); err != nil {
		return nil, err
	}
	err := s.engine.SetCDN(engine.CDN{
		Stale: change.Stale, Delay: change.Delay.Duration(), URLsPerDay: change.URLsPerDay, DirsPerDay: change.DirsPerDay,
		PrefetchesPerDay: change.PrefetchesPerDay, NoDirs: change.NoDirs, Fail: change.Fail,
	})
	if err != nil {
		return nil, err
	}
	return s.cdnSettings(), nil
}

// addCDNLog adds a file to the log that the CDN lists.
func (s *Server) addCDNLog(c *call) (any, error) {
	var file engine.CDNLog
	if err := c.decodeAdmin(&file); err != nil {
		return nil, err
	}
	s.engine.AddCDNLog(file)
	return nil, nil
}
