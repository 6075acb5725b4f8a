package kodo

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"
)

// A CDNState is how far a task of the CDN is, in its own words.
type CDNState string

// The states of a task.
const (
	CDNProcessing CDNState = "processing"
	CDNSuccess    CDNState = "success"
	CDNFailure    CDNState = "failure"
)

// A CDNTask is what the CDN does, or has done, to one URL or directory.
type CDNTask struct {
	RequestID string   `json:"requestId"`
	TaskID    string   `json:"taskId"`
	URL       string   `json:"url"`
	State     CDNState `json:"state"`
	Detail    string   `json:"stateDetail"`
}

// cdnTasksRequest asks for tasks. The page is longer than any request that was accepted.
type cdnTasksRequest struct {
	RequestID string   `json:"requestId,omitempty"`
	URLs      []string `json:"urls,omitempty"`
	PageNo    int      `json:"pageNo"`
	PageSize  int      `json:"pageSize"`
}

// CDNTasks returns the tasks of a request that SubmitToCDN made, none if the CDN does not know of them any more, or
// not yet.
func (c *Client) CDNTasks(ctx context.Context, op CDNOperation, requestID string) ([]CDNTask, error) {
	return c.cdnTasks(ctx, op, cdnTasksRequest{RequestID: requestID})
}

func (c *Client) cdnTasks(ctx context.Context, op CDNOperation, request cdnTasksRequest) ([]CDNTask, error) {
	request.PageSize = 100
	var answer struct {
		Items []CDNTask `json:"items"`
	}
	err := c.retry(ctx, func() error {
		return c.askCDN(ctx, "list tasks of "+string(op), string(op)+"/list", request, &answer)
	})
	return answer.Items, err
}

// The pauses between looks at tasks: what takes minutes is not looked at every second, and what is done at once, as by
// an emulator, is seen at once.
const (
	firstLook   = time.Second
	longestLook = 10 * time.Second
	lookGrowth  = 2
)

// looksForUnknown is how often the CDN is asked for a request that it knows nothing of, before it is taken for one that
// it has forgotten: half a minute, in which even a slow list should have it.
const looksForUnknown = 6

// AwaitCDN looks at the tasks of requests until none is processing, and returns them. Requests that the CDN does not
// know of have none. After an error, such as that of a context that is done, it returns what it saw last.
//
// progress, unless it is nil, is told after each look how many requests are done.
func (c *Client) AwaitCDN(ctx context.Context, op CDNOperation, requestIDs []string, progress func(done, total int)) ([]CDNTask, error) {
	seen := make(map[string][]CDNTask, len(requestIDs))
	open := slices.Clone(requestIDs)
	wait := c.firstLook
	for look := 1; ; look++ {
		for _, id := range slices.Clone(open) {
			tasks, err := c.CDNTasks(ctx, op, id)
			if err != nil {
				return all(requestIDs, seen), err
			}
			seen[id] = tasks
			if !unsettled(tasks, look) {
				open = slices.DeleteFunc(open, func(other string) bool { return other == id })
			}
		}
		if progress != nil {
			progress(len(requestIDs)-len(open), len(requestIDs))
		}
		if len(open) == 0 {
			return all(requestIDs, seen), nil
		}
		if !pause(ctx, wait) {
			return all(requestIDs, seen), context.Cause(ctx)
		}
		wait = min(wait*lookGrowth, longestLook)
	}
}

// unsettled reports whether tasks are to be looked at again.
func unsettled(tasks []CDNTask, look int) bool {
	if len(tasks) == 0 {
		return look < looksForUnknown
	}
	return slices.ContainsFunc(tasks, func(task CDNTask) bool { return task.State == CDNProcessing })
}

func all(requestIDs []string, seen map[string][]CDNTask) (tasks []CDNTask) {
	for _, id := range requestIDs {
		tasks = append(tasks, seen[id]...)
	}
	return tasks
}

// A CDNLog is a file of the CDN's log of one domain.
type CDNLog struct {
	Domain string
	Name   string
	Size   int64     // bytes
	Time   time.Time // when it was changed last
	URL    string    // signed: whoever has it can read the file
}

// CDNLogs returns the files of a day's log, such as "2026-03-01" in Beijing, of domains, which are host[:port]: in the
// order of their domains and names.
func (c *Client) CDNLogs(ctx context.Context, domains []string, day string) ([]CDNLog, error) {
	var answer struct {
		Data map[string][]struct {
			Name  string `json:"name"`
			Size  int64  `json:"size"`
			MTime int64  `json:"mtime"`
			URL   string `json:"url"`
		} `json:"data"`
	}
	err := c.retry(ctx, func() error {
		return c.askCDN(ctx, "list logs", "log/list", map[string]string{"day": day, "domains": strings.Join(domains, ";")}, &answer)
	})
	var logs []CDNLog
	for domain, files := range answer.Data {
		for _, f := range files {
			logs = append(logs, CDNLog{Domain: domain, Name: f.Name, Size: f.Size, Time: time.Unix(f.MTime, 0).UTC(), URL: f.URL})
		}
	}
	slices.SortFunc(logs, func(a, b CDNLog) int { return cmp.Or(cmp.Compare(a.Domain, b.Domain), cmp.Compare(a.Name, b.Name)) })
	return logs, err
}
