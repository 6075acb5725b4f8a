package kodo

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// A CDNSubmission is what came of URLs and directories that the CDN was asked to refresh or prefetch.
type CDNSubmission struct {
	Outcomes []CDNOutcome // one for each, in the order in which they were submitted
	// What the account may still have done today, -1 where the CDN did not say.
	URLSurplus, DirSurplus int64
}

// A CDNOutcome is what came of one URL or directory.
type CDNOutcome struct {
	URL       string
	Dir       bool
	RequestID string // of the request that the CDN accepted it with, by which CDNTasks finds it
	TaskID    string // "" if the CDN named none
	// UnderWay is whether the CDN was at it already: it goes on, and begins nothing new.
	UnderWay bool
	// Err is why it was not accepted, perhaps because it was not sent after the refusal of another; nil if it was.
	Err error
}

// Failed returns the outcomes that were not accepted.
func (s CDNSubmission) Failed() []CDNOutcome {
	return slices.DeleteFunc(slices.Clone(s.Outcomes), func(o CDNOutcome) bool { return o.Err == nil })
}

// SubmitToCDN asks the CDN to refresh URLs and directories, or to prefetch URLs, in as many requests as it takes and
// not faster than the CDN allows. Requests that fail for a moment are repeated; one of which a URL is refused is sent
// again without it. What is refused for want of quota or of permission is not tried again, nor are others of its kind.
//
// progress, unless it is nil, is told after each request how many of all are settled.
func (c *Client) SubmitToCDN(ctx context.Context, op CDNOperation, urls, dirs []string, progress func(settled, total int)) CDNSubmission {
	s := &cdnSubmission{client: c, op: op, progress: progress, total: len(urls) + len(dirs)}
	s.URLSurplus, s.DirSurplus = -1, -1
	s.all(ctx, urls, false, MaxCDNURLs)
	s.all(ctx, dirs, true, MaxCDNDirs)
	return s.CDNSubmission
}

// cdnSubmission is a submission under way.
type cdnSubmission struct {
	CDNSubmission

	client   *Client
	op       CDNOperation
	progress func(settled, total int)
	total    int
	broken   error // why nothing more is sent at all
}

// all submits one list, until something ends it.
func (s *cdnSubmission) all(ctx context.Context, list []string, dir bool, size int) {
	stopped := s.broken
	for batch := range slices.Chunk(list, size) {
		if stopped == nil {
			stopped = s.batch(ctx, batch, dir)
		} else {
			s.settle(batch, CDNOutcome{Dir: dir, Err: stopped})
		}
	}
}

// batch submits what fits into one request, and returns why nothing else of its list is to be sent.
func (s *cdnSubmission) batch(ctx context.Context, batch []string, dir bool) error {
	answer, err := s.client.submitOnce(ctx, s.op, batch, dir)
	s.note(answer)
	code := CodeOf(err)
	invalid := append(answer.InvalidURLs, answer.InvalidDirs...)
	good := slices.DeleteFunc(slices.Clone(batch), func(link string) bool { return slices.Contains(invalid, link) })
	bad := slices.DeleteFunc(slices.Clone(batch), func(link string) bool { return !slices.Contains(invalid, link) })
	switch {
	case err == nil:
		s.settle(bad, CDNOutcome{Dir: dir, Err: s.invalid(answer)})
		s.accepted(good, dir, answer)
		return nil
	case code == codeCDNUnderWay && len(batch) == 1:
		s.underWay(ctx, batch[0], dir)
		return nil
	case (code == codeCDNInvalidURL || code == codeCDNInvalidHost) && len(bad) > 0:
		s.settle(bad, CDNOutcome{Dir: dir, Err: err})
		if len(good) == 0 {
			return nil
		}
		return s.batch(ctx, good, dir)
	case code == codeCDNUnderWay || code == codeCDNInvalidURL || code == codeCDNInvalidHost:
		if len(batch) > 1 { // which of them it is, halves find out
			return s.halves(ctx, batch, dir)
		}
		s.settle(batch, CDNOutcome{Dir: dir, Err: err})
		return nil
	}
	s.settle(batch, CDNOutcome{Dir: dir, Err: err})
	if code != codeCDNURLQuota { // of which directories know nothing
		s.broken = err
	}
	return err
}

// halves submits a batch as two.
func (s *cdnSubmission) halves(ctx context.Context, batch []string, dir bool) error {
	half := len(batch) / 2
	if err := s.batch(ctx, batch[:half], dir); err != nil {
		s.settle(batch[half:], CDNOutcome{Dir: dir, Err: err})
		return err
	}
	return s.batch(ctx, batch[half:], dir)
}

// invalid is the refusal of URLs that an answer calls invalid although it is no refusal.
func (s *cdnSubmission) invalid(answer cdnAccepted) error {
	return &Error{
		Op: string(s.op), Step: StepCall, Service: string(serviceCDN), Host: s.client.endpoints[serviceCDN].current().name(),
		Attempts: 1, Code: codeCDNInvalidURL, Message: "named among the invalid ones", RequestID: answer.RequestID,
	}
}

func (s *cdnSubmission) accepted(batch []string, dir bool, answer cdnAccepted) {
	for _, link := range batch {
		s.Outcomes = append(s.Outcomes, CDNOutcome{URL: link, Dir: dir, RequestID: answer.RequestID, TaskID: answer.TaskIDs[link]})
	}
	s.report()
}

// underWay takes over the task that the CDN has for a URL already, if it can be found.
func (s *cdnSubmission) underWay(ctx context.Context, link string, dir bool) {
	outcome := CDNOutcome{Dir: dir, UnderWay: true}
	tasks, err := s.client.cdnTasks(ctx, s.op, cdnTasksRequest{URLs: []string{link}})
	for _, task := range tasks {
		if err == nil && task.URL == link && task.State == CDNProcessing {
			outcome.RequestID, outcome.TaskID = task.RequestID, task.TaskID
		}
	}
	s.settle([]string{link}, outcome)
}

// settle notes the same outcome for several.
func (s *cdnSubmission) settle(batch []string, outcome CDNOutcome) {
	if len(batch) == 0 {
		return
	}
	for _, link := range batch {
		outcome.URL = link
		s.Outcomes = append(s.Outcomes, outcome)
	}
	s.report()
}

func (s *cdnSubmission) report() {
	if s.progress != nil {
		s.progress(len(s.Outcomes), s.total)
	}
}

// note keeps what an answer says of the quotas.
func (s *cdnSubmission) note(answer cdnAccepted) {
	for _, surplus := range []*int64{answer.URLSurplusDay, answer.SurplusDay} {
		if surplus != nil {
			s.URLSurplus = *surplus
		}
	}
	if answer.DirSurplusDay != nil {
		s.DirSurplus = *answer.DirSurplusDay
	}
}

// cdnAccepted is the CDN's answer to a refresh or a prefetch.
type cdnAccepted struct {
	cdnResult
	TaskIDs       map[string]string `json:"taskIds"`
	InvalidURLs   []string          `json:"invalidUrls"`
	InvalidDirs   []string          `json:"invalidDirs"`
	URLSurplusDay *int64            `json:"urlSurplusDay"` // of a refresh
	DirSurplusDay *int64            `json:"dirSurplusDay"`
	SurplusDay    *int64            `json:"surplusDay"` // of a prefetch
}

// submitOnce sends one request, again if it fails for a moment.
func (c *Client) submitOnce(ctx context.Context, op CDNOperation, batch []string, dir bool) (answer cdnAccepted, err error) {
	question := map[string][]string{"urls": batch}
	if dir {
		question = map[string][]string{"dirs": batch}
	}
	err = c.retry(ctx, func() error {
		answer = cdnAccepted{}
		if err := c.cdnPace(ctx, len(batch)); err != nil {
			if cause := context.Cause(ctx); cause == nil {
				err = errors.Join(context.DeadlineExceeded, fmt.Errorf("the deadline is before the CDN's rate allows it: %w", err))
			}
			return &Error{Op: string(op), Step: StepCall, Service: string(serviceCDN), Attempts: 1, Err: err}
		}
		return c.askCDN(ctx, string(op), string(op), question, &answer)
	})
	return answer, err
}
