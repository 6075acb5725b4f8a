package engine

import (
	"encoding/hex"
	"errors"
	"net"
	"net/url"
	"path"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/qiniu/terraform-provider-kodo/internal/emulator/store"
)

// CDN says how the CDN in front of the buckets' domains behaves. The zero CDN has
// Kodo's quotas, and is done with a task as soon as it has taken it.
type CDN struct {
	// Stale is whether what is downloaded by a bound domain is kept, and served again
	// until it is refreshed, whatever becomes of the object.
	Stale bool
	// Delay is how long a task takes by the engine's clock (fact:cdn-delay).
	Delay time.Duration
	// Quotas of an account in a day of Beijing; 0 means Kodo's default, below 0 none.
	URLsPerDay, DirsPerDay, PrefetchesPerDay int
	// NoDirs is whether accounts lack the permission to refresh directories.
	NoDirs bool
	// Fail is a pattern of path.Match, in which * stands for slashes too: the tasks of the URLs
	// that it matches fail.
	Fail string
}

// The defaults of CDN, as documented; an older page has 10 directories.
const (
	defaultURLsPerDay       = 500
	defaultDirsPerDay       = 11
	defaultPrefetchesPerDay = 100
)

// What the CDN accepts in one request and in one second, as documented in March 2026
// (fact:cdn-request-limits).
const (
	maxCDNURLs = 20
	maxCDNDirs = 5
	maxCDNRate = 240
)

// CDNQuota is how much of something an account may have done in a day.
type CDNQuota struct{ Day, Surplus int }

// CDNAnswer is what comes of a request to the CDN.
type CDNAnswer struct {
	Request                  string            // its id
	Tasks                    map[string]string // the ids of the tasks by URL
	InvalidURLs, InvalidDirs []string
	URLs, Dirs, Prefetches   CDNQuota
}

// cdnUsage is what an account has had done in a day.
type cdnUsage struct {
	Day                    int64 // of Beijing
	URLs, Dirs, Prefetches int
}

// cdnControl is what the engine keeps of the CDN in memory. The zero cdnControl is
// ready.
type cdnControl struct {
	mu       sync.Mutex
	settings CDN
	logs     []CDNLog
	seconds  map[string]cdnSecond // by account
}

// cdnSecond counts what came in a second.
type cdnSecond struct {
	second int64
	items  int
}

// passes counts what an account asks for, and reports whether that is within the
// rate (fact:cdn-rate).
func (c *cdnControl) passes(owner string, items int, now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	current := c.seconds[owner]
	if current.second != now.Unix() {
		current = cdnSecond{second: now.Unix()}
	}
	if current.items+items > maxCDNRate {
		return false
	}
	current.items += items
	if c.seconds == nil {
		c.seconds = map[string]cdnSecond{}
	}
	c.seconds[owner] = current
	return true
}

// CDN returns how the CDN behaves.
func (e *Engine) CDN() CDN {
	e.cdn.mu.Lock()
	defer e.cdn.mu.Unlock()
	return e.cdn.settings
}

// SetCDN changes how the CDN behaves from now on. It is not kept in the data folder.
func (e *Engine) SetCDN(settings CDN) error {
	if _, err := path.Match(settings.Fail, ""); err != nil || settings.Delay < 0 {
		return errorf(400, "the delay must not be negative, and fail a pattern")
	}
	e.cdn.mu.Lock()
	defer e.cdn.mu.Unlock()
	e.cdn.settings = settings
	return nil
}

// SubmitCDN makes a task of each URL and each directory, all of them or none
// (fact:cdn-all-or-nothing). A refusal has one of the CDN's own codes of six digits,
// and an answer all the same, which says what is invalid and what the quotas are.
func (e *Engine) SubmitCDN(owner string, kind CDNKind, urls, dirs []string) (CDNAnswer, error) {
	settings := e.CDN()
	answer := CDNAnswer{Request: hex.EncodeToString(random(12))}
	early := e.checkCDN(settings, owner, urls, dirs)
	var refused error
	err := e.update(func(tx *store.Tx) error {
		answer.Tasks, answer.InvalidURLs, answer.InvalidDirs = map[string]string{}, nil, nil
		if err := e.settleCDN(tx); err != nil {
			return err
		}
		usage, err := e.cdnUsage(tx, owner)
		if err != nil {
			return err
		}
		taken := usage
		if refused = early; refused == nil {
			refused, err = e.admitCDN(tx, settings, owner, kind, urls, dirs, &taken, &answer)
		}
		if err == nil && refused == nil {
			err = e.makeTasks(tx, settings, owner, kind, urls, dirs, &answer)
		}
		if err != nil {
			return err
		}
		if refused != nil {
			taken = usage
		}
		answer.URLs, answer.Dirs, answer.Prefetches = settings.surplus(taken)
		return write(tx, cdnUsageKey(owner), taken, nil)
	})
	if err == nil && refused != nil {
		err = refused
	}
	return answer, err
}

// checkCDN refuses what no look at the store is needed for. Its texts, and those of
// admitCDN, are fact:cdn-texts; only the codes are documented.
func (e *Engine) checkCDN(settings CDN, owner string, urls, dirs []string) error {
	switch n := len(urls) + len(dirs); {
	case n == 0:
		return errorf(400000, "bad request: there is neither a url nor a dir")
	case len(urls) > maxCDNURLs || len(dirs) > maxCDNDirs:
		return errorf(400039, "too many urls or dirs per request: at most %d and %d", maxCDNURLs, maxCDNDirs)
	case !e.cdn.passes(owner, n, e.Now()):
		return errorf(403024, "user qps limit exceeded")
	case len(dirs) > 0 && settings.NoDirs:
		return errorf(400038, "no permission to refresh dirs")
	}
	return nil
}

// admitCDN judges each URL, and then whether there is quota for all of them, which
// it takes.
func (e *Engine) admitCDN(tx *store.Tx, settings CDN, owner string, kind CDNKind, urls, dirs []string, taken *cdnUsage, answer *CDNAnswer) (refusal, err error) {
	judge := func(list []string, dir bool) (invalid []string, err error) {
		for _, text := range list {
			refused, err := e.checkCDNURL(tx, owner, text, dir)
			if err != nil {
				return nil, err
			}
			if refused != nil {
				refusal, invalid = refused, append(invalid, text)
			}
		}
		return invalid, nil
	}
	if answer.InvalidURLs, err = judge(urls, false); err != nil {
		return nil, err
	}
	if answer.InvalidDirs, err = judge(dirs, true); err != nil || refusal != nil {
		return refusal, err
	}
	busy, err := processing(tx, owner, kind)
	if err != nil {
		return nil, err
	}
	for _, list := range [][]string{urls, dirs} {
		for _, text := range list {
			if busy[text] {
				return errorf(400037, "the url is in process: %s", text), nil
			}
		}
	}
	return taken.take(settings, kind, len(urls), len(dirs)), nil
}

// take counts what a request asks for, and refuses what is too much.
func (u *cdnUsage) take(settings CDN, kind CDNKind, urls, dirs int) error {
	if kind == CDNPrefetch {
		u.Prefetches += urls
	} else {
		u.URLs, u.Dirs = u.URLs+urls, u.Dirs+dirs
	}
	ofURLs, ofDirs, ofPrefetches := settings.surplus(*u)
	switch {
	case ofPrefetches.Surplus < 0:
		return errorf(400033, "prefetch url limit error")
	case ofURLs.Surplus < 0:
		return errorf(400034, "refresh url limit error")
	case ofDirs.Surplus < 0:
		return errorf(400035, "refresh dir limit error")
	}
	return nil
}

// surplus is what an account has left after a usage.
func (c CDN) surplus(used cdnUsage) (urls, dirs, prefetches CDNQuota) {
	of := func(day, otherwise, used int) CDNQuota {
		if day == 0 {
			day = otherwise
		}
		day = max(day, 0)
		return CDNQuota{Day: day, Surplus: day - used}
	}
	return of(c.URLsPerDay, defaultURLsPerDay, used.URLs), of(c.DirsPerDay, defaultDirsPerDay, used.Dirs),
		of(c.PrefetchesPerDay, defaultPrefetchesPerDay, used.Prefetches)
}

// cdnUsage is what an account has had done today; the day begins at midnight in
// Beijing (fact:cdn-quota-day).
func (e *Engine) cdnUsage(tx *store.Tx, owner string) (cdnUsage, error) {
	usage, today := cdnUsage{}, beijingDay(e.Now())
	if _, _, err := read(tx, cdnUsageKey(owner), &usage); err != nil {
		return cdnUsage{}, err
	}
	if usage.Day != today {
		usage = cdnUsage{Day: today}
	}
	return usage, nil
}

// checkCDNURL refuses a URL that is none, and one whose host is no domain of the
// account. It returns failures of the store apart.
func (e *Engine) checkCDNURL(tx *store.Tx, owner, text string, dir bool) (refusal, err error) {
	host, key, ok := splitCDNURL(text, dir)
	switch {
	case !ok || dir && key != "" && !strings.HasSuffix(key, "/") || strings.Contains(key, "*"):
		return errorf(400031, "invalid url: %s", text), nil
	default:
		bucket, _, found, err := bucketOfHost(tx, host)
		if err == nil && (!found || bucket.Owner != owner) {
			refusal = errorf(400032, "invalid host: %s", host)
		}
		return refusal, err
	}
}

// splitCDNURL returns the host of a URL, with its port if it has one, and the key
// that it is for. The scheme and the query do not count (fact:cdn-cache-key), and a
// directory may end in a star (documented).
func splitCDNURL(text string, dir bool) (host, key string, ok bool) {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || !strings.HasPrefix(u.Path, "/") {
		return "", "", false
	}
	key = u.Path[1:]
	if dir && (key == "*" || strings.HasSuffix(key, "/*")) {
		key = strings.TrimSuffix(key, "*")
	}
	return strings.ToLower(u.Host), key, true
}

// bucketOfHost finds the bucket that is downloaded by a host: one that is bound to
// it, with its port or without, or the address of its own listener, which the lists
// of its domains name as well. domain is the host as it is bound.
func bucketOfHost(tx *store.Tx, host string) (bucket Bucket, domain string, found bool, err error) {
	name, port, splitErr := net.SplitHostPort(host)
	if splitErr != nil {
		name = host
	}
	for _, domain := range []string{host, name} {
		if entry, ok := tx.Get(domainKey(domain)); ok {
			bucket, err = anyBucket(tx, string(entry.Meta))
			return bucket, domain, err == nil, err
		}
	}
	if name != "127.0.0.1" {
		return Bucket{}, "", false, nil
	}
	err = eachBucket(tx, func(b Bucket) {
		if strconv.Itoa(b.Port) == port {
			bucket, domain, found = b, host, true
		}
	})
	return bucket, domain, found, err
}

// refusalCode is the code of a refusal, and 0 for anything else.
func refusalCode(err error) int {
	var refused *Error
	if errors.As(err, &refused) {
		return refused.Code
	}
	return 0
}

func cdnUsageKey(owner string) string { return "g" + owner }
