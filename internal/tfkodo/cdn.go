package tfkodo

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/qiniu/terraform-provider-kodo/internal/kodo"
)

// A CDNJob is what a resource or an action has the CDN do.
type CDNJob struct {
	Operation  kodo.CDNOperation
	URLs, Dirs []string
	Wait       bool // until the CDN is done
	// Earlier are the ids of requests that were not done when they were seen last. They are waited for too.
	Earlier []string
	// Warn is whether what is not done is a warning and no error.
	Warn bool
	// Say is told how far it is, in sentences; it may be nil.
	Say func(message string)
	// Advice ends the diagnostic about what is not done.
	Advice string
}

// CDNResult is what came of a CDNJob.
type CDNResult struct {
	kodo.CDNSubmission

	// Tasks are those that the CDN was seen to have, if that was waited for.
	Tasks  []kodo.CDNTask
	Looked bool // whether the CDN was asked for them to the end
}

// waitForCDN is how long a job waits where nothing else is said. The CDN says of itself that it takes 5 to 10 minutes.
const waitForCDN = 30 * time.Minute

// RunCDN does a job. What is not done comes back as a diagnostic that says what is, and what is to be done.
func (p *Provider) RunCDN(ctx context.Context, job CDNJob) (result CDNResult, diags diag.Diagnostics) {
	say := job.Say
	if say == nil {
		say = func(string) {}
	}
	result.CDNSubmission = p.Client.SubmitToCDN(ctx, job.Operation, job.URLs, job.Dirs, func(settled, total int) {
		say(fmt.Sprintf("%d of %s submitted to the CDN for %s.", settled, job.counted(total), job.Operation))
	})
	var waited error
	if requests := append(job.Earlier, result.Requests()...); job.Wait && len(requests) > 0 && ctx.Err() == nil {
		result.Tasks, waited = p.awaitCDN(ctx, job.Operation, requests, say)
		result.Looked = waited == nil
	}
	if left := result.left(); left != "" {
		say(left)
	}
	diags.Append(p.cdnUnderWay(result)...)
	diags.Append(p.cdnNotAwaited(job, waited)...)
	diags.Append(p.cdnNotDone(job, result)...)
	return result, diags
}

func (p *Provider) awaitCDN(ctx context.Context, op kodo.CDNOperation, requests []string, say func(string)) ([]kodo.CDNTask, error) {
	if _, limited := ctx.Deadline(); !limited {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, waitForCDN)
		defer cancel()
	}
	return p.Client.AwaitCDN(ctx, op, requests, func(done, total int) {
		say(fmt.Sprintf("The CDN is done with %d of %s.", done, counted(total, "request", "requests")))
	})
}

// Requests returns the ids of the requests that were accepted, each once.
func (r CDNResult) Requests() []string {
	var ids []string
	seen := map[string]bool{"": true} // which names none
	for _, o := range r.Outcomes {
		if o.Err == nil && !seen[o.RequestID] {
			seen[o.RequestID] = true
			ids = append(ids, o.RequestID)
		}
	}
	return ids
}

// left says what may still be done today.
func (r CDNResult) left() string {
	var quotas []string
	if r.URLSurplus >= 0 {
		quotas = append(quotas, counted(int(r.URLSurplus), "URL", "URLs"))
	}
	if r.DirSurplus >= 0 {
		quotas = append(quotas, counted(int(r.DirSurplus), "directory", "directories"))
	}
	if len(quotas) == 0 {
		return ""
	}
	return "Left of the account's quota of today: " + strings.Join(quotas, ", ") + "."
}

// LatestCDNTasks returns the last task for each URL and directory: what failed may have been done since.
func LatestCDNTasks(tasks []kodo.CDNTask) []kodo.CDNTask {
	last := map[string]int{}
	for i, task := range tasks {
		last[kodo.CDNName(task.URL)] = i
	}
	var latest []kodo.CDNTask
	for i, task := range tasks {
		if last[kodo.CDNName(task.URL)] == i {
			latest = append(latest, task)
		}
	}
	return latest
}

// cdnFailed returns the URLs and directories that the CDN has failed to carry out.
func cdnFailed(tasks []kodo.CDNTask) (names []string) {
	for _, task := range LatestCDNTasks(tasks) {
		if task.State == kodo.CDNFailure {
			names = append(names, task.URL)
		}
	}
	return names
}

// cdnUnderWay tells of what the CDN was at already: whether it serves what was uploaded since then is open.
func (p *Provider) cdnUnderWay(result CDNResult) diag.Diagnostics {
	var names []string
	for _, o := range result.Outcomes {
		if o.UnderWay {
			names = append(names, o.URL)
		}
	}
	if len(names) == 0 {
		return nil
	}
	return diag.Diagnostics{diag.NewWarningDiagnostic("CDN Task Under Way Already", fmt.Sprintf(
		"The CDN was at these already, because of an earlier request, and takes no second one until it is done: %s. They count as accepted. "+
			"If their content was changed after that request, parts of the CDN may go on with what was there before: let the next apply submit them once more, by a change of triggers.", someOf(names)))}
}

// cdnNotAwaited tells why the end was not seen. Being interrupted is no failure: the CDN goes on.
func (p *Provider) cdnNotAwaited(job CDNJob, waited error) diag.Diagnostics {
	switch {
	case waited == nil:
		return nil
	case errors.Is(waited, context.Canceled):
		return diag.Diagnostics{diag.NewWarningDiagnostic("CDN Not Awaited",
			"Waiting for the CDN was interrupted. What it has accepted it carries out all the same, and it is not submitted again.")}
	}
	return job.severe(p.Diagnose("CDN Not Awaited", "the CDN has accepted what was submitted, and was not seen to carry it out", waited,
		"It is not submitted again. "+job.Advice))
}

// cdnNotDone tells what was not accepted or failed, each reason once.
func (p *Provider) cdnNotDone(job CDNJob, result CDNResult) diag.Diagnostics {
	failed := cdnFailed(result.Tasks)
	reasons, names := cdnReasons(result.Failed())
	if len(failed) == 0 && len(reasons) == 0 {
		return nil
	}
	isFailed := map[string]bool{}
	for _, name := range failed {
		isFailed[name] = true
	}
	var accepted []string
	for _, o := range result.Outcomes {
		if o.Err == nil && !isFailed[o.URL] {
			accepted = append(accepted, o.URL)
		}
	}
	paragraphs := []string{fmt.Sprintf("Of %s, the CDN has accepted %d%s.", job.counted(len(result.Outcomes)), len(accepted), listed(accepted))}
	for _, reason := range reasons {
		sentences := append([]string{fmt.Sprintf("%d not accepted%s.", len(names[reason]), listed(names[reason]))}, p.explain(reason)...)
		paragraphs = append(paragraphs, strings.Join(append(sentences, p.cdnHint(reason)), " "))
	}
	if len(failed) > 0 {
		paragraphs = append(paragraphs, fmt.Sprintf("%d accepted, but the CDN has failed to carry it out%s.", len(failed), listed(failed)))
	}
	paragraphs = append(paragraphs, job.Advice)
	summary := "CDN Not Refreshed"
	if job.Operation == kodo.CDNPrefetch {
		summary = "CDN Not Prefetched"
	}
	return job.severe(diag.NewErrorDiagnostic(summary, strings.TrimSpace(strings.Join(paragraphs, "\n\n"))))
}

// severe makes a warning of an error, if the job says so.
func (j CDNJob) severe(d diag.Diagnostic) diag.Diagnostics {
	if j.Warn {
		d = diag.NewWarningDiagnostic(d.Summary(), d.Detail())
	}
	return diag.Diagnostics{d}
}

// cdnReasons groups what was not accepted by the reason, in the order in which the reasons came up.
func cdnReasons(outcomes []kodo.CDNOutcome) (reasons []error, names map[error][]string) {
	names = map[error][]string{}
	for _, o := range outcomes {
		known := slices.IndexFunc(reasons, func(err error) bool {
			return err == o.Err || kodo.CodeOf(err) == kodo.CodeOf(o.Err) && kodo.CodeOf(err) != 0 //nolint:errorlint // the very same error
		})
		if known < 0 {
			known, reasons = len(reasons), append(reasons, o.Err)
		}
		names[reasons[known]] = append(names[reasons[known]], o.URL)
	}
	return reasons, names
}

// cdnHint is the hint for a refusal by the CDN, with when a quota returns: the days of Kodo are those of Beijing.
func (p *Provider) cdnHint(reason error) string {
	advice := hint(reason)
	switch kodo.CodeOf(reason) {
	case 400033, 400034, 400035:
		beijing := time.FixedZone("Beijing", 8*60*60)
		year, month, day := p.Now().In(beijing).Date()
		returns := time.Date(year, month, day+1, 0, 0, 0, 0, beijing)
		advice += " It returns at midnight in Beijing, " + returns.Format(time.RFC3339) + "."
	}
	return advice
}

// counted is how many a job is about, with their noun.
func (j CDNJob) counted(n int) string {
	switch {
	case len(j.Dirs) == 0:
		return counted(n, "URL", "URLs")
	case len(j.URLs) == 0:
		return counted(n, "directory", "directories")
	}
	return counted(n, "URL or directory", "URLs and directories")
}

// counted is a number with its noun.
func counted(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + many
}

// listed is someOf after a colon, nothing for nothing.
func listed(names []string) string {
	if len(names) == 0 {
		return ""
	}
	return ": " + someOf(names)
}

// someOf quotes the first names and counts the others.
func someOf(names []string) string {
	const shown = 10
	quoted := make([]string, 0, shown)
	for _, name := range names[:min(shown, len(names))] {
		quoted = append(quoted, strconv.Quote(name))
	}
	text := strings.Join(quoted, ", ")
	if more := len(names) - shown; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}
