package engine

import (
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/qiniu/terraform-provider-kodo/internal/emulator/store"
)

// cdnRetention is how long the CDN knows of a task (fact:cdn-retention).
const cdnRetention = 7 * 24 * time.Hour

// CDNKind is what a task of the CDN does.
type CDNKind string

// The kinds of tasks.
const (
	CDNRefresh  CDNKind = "refresh"  // forget what is kept of a URL or a directory
	CDNPrefetch CDNKind = "prefetch" // fetch a URL
)

// CDNState is how far a task is, in Kodo's words.
type CDNState string

// The states of a task.
const (
	CDNProcessing CDNState = "processing"
	CDNSuccess    CDNState = "success"
	CDNFailure    CDNState = "failure"
)

// CDNTask is what the CDN was asked to do to one URL.
type CDNTask struct {
	ID      string `json:"-"`
	Owner   string
	Request string // the id of the request
	Kind    CDNKind
	URL     string
	Dir     bool
	State   CDNState
	Detail  string // why it failed
	Created int64  // nanoseconds since 1970
	Ends    int64
}

// processing returns the URLs of an account that are worked on.
func processing(tx *store.Tx, owner string, kind CDNKind) (map[string]bool, error) {
	busy := map[string]bool{}
	for _, entry := range tx.Scan(cdnDueKeys, "") {
		var task CDNTask
		if _, _, err := read(tx, cdnTaskKey(string(entry.Meta)), &task); err != nil {
			return nil, err
		}
		if task.Owner == owner && task.Kind == kind {
			busy[task.URL] = true
		}
	}
	return busy, nil
}

// makeTasks makes a task for each URL, and carries out at once what takes no time.
func (e *Engine) makeTasks(tx *store.Tx, settings CDN, owner string, kind CDNKind, urls, dirs []string, answer *CDNAnswer) error {
	now := e.Now()
	add := func(text string, dir bool) error {
		tick, err := e.tick(tx)
		if err != nil {
			return err
		}
		id := fmt.Sprintf("%016x%s", tick, hex.EncodeToString(random(4)))
		answer.Tasks[text] = id
		task := CDNTask{
			Owner: owner, Request: answer.Request, Kind: kind, URL: text, Dir: dir, State: CDNProcessing,
			Created: now.UnixNano(), Ends: now.Add(settings.Delay).UnixNano(),
		}
		if err := write(tx, cdnTaskKey(id), task, nil); err != nil {
			return err
		}
		return tx.Put(cdnDueKey(task.Ends, id), []byte(id), nil)
	}
	for _, text := range urls {
		if err := add(text, false); err != nil {
			return err
		}
	}
	for _, text := range dirs {
		if err := add(text, true); err != nil {
			return err
		}
	}
	return e.settleCDN(tx)
}

// settleCDNIfDue is settleCDN for those who come often: it commits only if a task is due.
func (e *Engine) settleCDNIfDue() error {
	due := false
	err := e.view(func(tx *store.Tx) error {
		for key := range tx.Scan(cdnDueKeys, "") {
			due = cdnDueMoment(key) <= e.Now().UnixNano()
			break
		}
		return nil
	})
	if err != nil || !due {
		return err
	}
	return e.update(e.settleCDN)
}

// settleCDN ends the tasks that are due, and forgets those that are too old.
func (e *Engine) settleCDN(tx *store.Tx) error {
	now := e.Now()
	var due, ids, old []string
	for key, entry := range tx.Scan(cdnDueKeys, "") {
		if cdnDueMoment(key) > now.UnixNano() {
			break
		}
		due, ids = append(due, key), append(ids, string(entry.Meta))
	}
	for i, id := range ids {
		if err := e.endTask(tx, id); err != nil {
			return err
		}
		if err := tx.Delete(due[i]); err != nil {
			return err
		}
	}
	for key, entry := range tx.Scan(cdnTaskKey(""), "") {
		var task CDNTask
		if err := json.Unmarshal(entry.Meta, &task); err != nil {
			return fmt.Errorf("decode the entry %q: %w", key, err)
		}
		if task.State == CDNProcessing || now.UnixNano()-task.Created < int64(cdnRetention) {
			break
		}
		old = append(old, key)
	}
	for _, key := range old {
		if err := tx.Delete(key); err != nil {
			return err
		}
	}
	return nil
}

// endTask does what a task is for.
func (e *Engine) endTask(tx *store.Tx, id string) error {
	var task CDNTask
	_, found, err := read(tx, cdnTaskKey(id), &task)
	if err != nil || !found {
		return err
	}
	task.State, task.Detail = CDNSuccess, ""
	host, key, _ := splitCDNURL(task.URL, task.Dir)
	bucket, domain, bound, err := bucketOfHost(tx, host)
	switch {
	case err != nil:
		return err
	case !bound || matchesAnywhere(e.CDN().Fail, task.URL):
		task.State, task.Detail = CDNFailure, "the task failed"
	case task.Kind == CDNRefresh:
		err = dropCopies(tx, domain, key, task.Dir)
	default: // fact:cdn-prefetch-missing
		if _, kept := tx.Get(copyKey(domain, key)); kept {
			break // fact:cdn-prefetch-kept
		}
		if err = e.keepCopy(tx, domain, bucket, key); refusalCode(err) != 0 {
			task.State, task.Detail, err = CDNFailure, err.Error(), nil
		}
	}
	if err != nil {
		return err
	}
	return write(tx, cdnTaskKey(id), task, nil)
}

// matchesAnywhere is path.Match for patterns whose stars stand for slashes too.
func matchesAnywhere(pattern, text string) bool {
	const slash = "\x00"
	matched, err := path.Match(strings.ReplaceAll(pattern, "/", slash), strings.ReplaceAll(text, "/", slash))
	return err == nil && matched
}

// CDNFilter selects tasks. What is empty selects all.
type CDNFilter struct {
	Owner         string
	Kind          CDNKind
	Request, Task string
	URLs          []string
	Dir           *bool
	State         CDNState
	From, To      time.Time
}

// CDNTasks returns the tasks that the CDN still knows, the newest last.
func (e *Engine) CDNTasks(filter CDNFilter) (tasks []CDNTask, err error) {
	if err := e.update(e.settleCDN); err != nil { // Old ones are forgotten, too.
		return nil, err
	}
	err = e.view(func(tx *store.Tx) error {
		tasks = nil
		for key, entry := range tx.Scan(cdnTaskKey(""), "") {
			task := CDNTask{ID: key[len(cdnTaskKey("")):]}
			if err := json.Unmarshal(entry.Meta, &task); err != nil {
				return fmt.Errorf("decode the entry %q: %w", key, err)
			}
			if filter.selects(task) {
				tasks = append(tasks, task)
			}
		}
		return nil
	})
	return tasks, err
}

// selects reports whether a task is one of those that are asked for.
func (f CDNFilter) selects(task CDNTask) bool {
	return task.Owner == f.Owner && task.Kind == f.Kind &&
		(f.Request == "" || f.Request == task.Request) &&
		(f.Task == "" || f.Task == task.ID) &&
		(len(f.URLs) == 0 || slices.Contains(f.URLs, task.URL)) &&
		(f.Dir == nil || *f.Dir == task.Dir) &&
		(f.State == "" || f.State == task.State) &&
		(f.From.IsZero() || task.Created >= f.From.UnixNano()) &&
		(f.To.IsZero() || task.Created <= f.To.UnixNano())
}

// ForgetCDNTasks does to all tasks at once what their age does to them.
func (e *Engine) ForgetCDNTasks() error {
	return e.update(func(tx *store.Tx) error {
		var keys []string
		for _, prefix := range []string{cdnTaskKey(""), cdnDueKeys} {
			for key := range tx.Scan(prefix, "") {
				keys = append(keys, key)
			}
		}
		for _, key := range keys {
			if err := tx.Delete(key); err != nil {
				return err
			}
		}
		return nil
	})
}

func cdnTaskKey(id string) string { return "h" + id }

// cdnDueKeys begins the keys of the index of tasks that are worked on.
const cdnDueKeys = "n"

func cdnDueKey(moment int64, id string) string {
	return string(binary.BigEndian.AppendUint64([]byte(cdnDueKeys), uint64(moment))) + id
}

func cdnDueMoment(key string) int64 {
	return int64(binary.BigEndian.Uint64([]byte(key[len(cdnDueKeys):])))
}
