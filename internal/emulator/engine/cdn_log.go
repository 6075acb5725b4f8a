package engine

import (
	"strings"
	"time"

	"github.com/qiniu/terraform-provider-kodo/internal/emulator/store"
)

// CDNLog is a file of the CDN's log, as Kodo lists it. The emulator writes none: it
// lists those that it was given (fact:cdn-logs).
type CDNLog struct {
	Domain string `json:"domain"`
	Day    string `json:"day"` // such as "2026-03-01"
	Name   string `json:"name"`
	Size   int64  `json:"size"`  // bytes
	MTime  int64  `json:"mtime"` // unix seconds
	URL    string `json:"url"`
}

// AddCDNLog adds a file of the log.
func (e *Engine) AddCDNLog(file CDNLog) {
	e.cdn.mu.Lock()
	defer e.cdn.mu.Unlock()
	e.cdn.logs = append(e.cdn.logs, file)
}

// CDNLogs returns the files of some days' log of domains of the account.
func (e *Engine) CDNLogs(owner, day string, domains []string) (map[string][]CDNLog, error) {
	if _, err := time.Parse(time.DateOnly, day); err != nil {
		return nil, errorf(400080, "invalid date: %s", day)
	}
	found := map[string][]CDNLog{}
	for _, domain := range domains {
		err := e.view(func(tx *store.Tx) error {
			bucket, _, ok, err := bucketOfHost(tx, strings.ToLower(domain))
			if err == nil && (!ok || bucket.Owner != owner) {
				err = errorf(404001, "domain not found: %s", domain)
			}
			return err
		})
		if err != nil {
			return nil, err
		}
		found[domain] = []CDNLog{}
	}
	e.cdn.mu.Lock()
	defer e.cdn.mu.Unlock()
	for _, file := range e.cdn.logs {
		if files, asked := found[file.Domain]; asked && file.Day == day {
			found[file.Domain] = append(files, file)
		}
	}
	return found, nil
}
