package httpapi

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

// FaultKind is what a fault does.
type FaultKind string

// The kinds of faults.
const (
	FaultStatus        FaultKind = "status"          // answer Status with Error; nothing else happens
	FaultDelay         FaultKind = "delay"           // wait for Delay, then go on as usual
	FaultDropBefore    FaultKind = "drop_before"     // close the connection; nothing else happens
	FaultApplyThenDrop FaultKind = "apply_then_drop" // do what was asked, then close the connection without an answer
	FaultTruncate      FaultKind = "truncate"        // do what was asked, then answer with half of the body and close the connection
	FaultWrongHash     FaultKind = "wrong_hash"      // do what was asked, then answer with the hashes of other content
	FaultNoReqid       FaultKind = "no_reqid"        // answer without X-Reqid and X-Log, as something between client and Kodo would
	FaultWrongRegion   FaultKind = "wrong_region"    // answer that the bucket is in another region; nothing else happens
	FaultClockSkew     FaultKind = "clock_skew"      // check signatures and deadlines by a clock that is ahead by Skew
	FaultRate          FaultKind = "rate"            // answer 573, or the CDN's 403024, to what exceeds Rate requests in a second
	FaultNoSpace       FaultKind = "no_space"        // answer as when the disk is full; nothing is stored
	FaultInvisible     FaultKind = "invisible"       // answer as if the bucket or the object were not there yet
	FaultEmptyPage     FaultKind = "empty_page"      // answer a listing with a page without entries, whose marker leads to them
)

// Fault makes requests fail. With a Delay any kind waits first, but no longer than
// the fault is in the list. This is the body of POST /_emulator/faults for one that
// strikes once:
//
//	{"match": {"service": "up"}, "times": 1, "do": "status", "status": 573}
//
// Without "times", or with 0, a fault strikes until DELETE /_emulator/faults or
// /_emulator/faults/<id>.
//
// FaultTruncate cuts answers, whose header promises the whole body. Requests that
// are cut need no fault: the client that sends one is refused with 400, or gets
// no answer if it is gone, and nothing of the request is stored.
//
// FaultInvisible hides an object if Match names a key, and the whole bucket if it
// does not: lone requests about it are refused, batches and listings answer
// without it. It never strikes the request that makes what it hides.
type Fault struct {
	Match  Match     `json:"match"`
	Skip   int       `json:"skip"`  // let so many matching requests pass first
	Times  int       `json:"times"` // strike so many times; 0 or absent: until cleared
	Do     FaultKind `json:"do"`
	Status int       `json:"status,omitempty"` // for FaultStatus: 200 to 999, or a code of the CDN
	Error  string    `json:"error,omitempty"`  // for FaultStatus, FaultWrongRegion and FaultRate: the text
	Delay  Delay     `json:"delay,omitempty"`
	Skew   Delay     `json:"skew,omitempty"` // for FaultClockSkew: may be negative; 0 or absent: an hour
	Rate   int       `json:"rate,omitempty"` // for FaultRate: requests that pass in each second; 0 or absent: 1
}

// Match selects requests. What is empty matches all. A request that is about
// several objects, a batch, matches if one of them does.
type Match struct {
	Service string  `json:"service,omitempty"` // uc, up, rs, rsf, io, api or cdn
	Method  string  `json:"method,omitempty"`
	Path    string  `json:"path,omitempty"` // a glob: * is any text, also with slashes, ? any character
	Bucket  string  `json:"bucket,omitempty"`
	Key     *string `json:"key,omitempty"` // a pointer, because the empty key is one
}

// Delay is a duration, written as Go does ("50ms").
type Delay time.Duration

// Duration returns d as time.Duration.
func (d Delay) Duration() time.Duration { return time.Duration(d) }

// MarshalText writes "50ms".
func (d Delay) MarshalText() ([]byte, error) { return []byte(d.Duration().String()), nil }

// UnmarshalText reads "50ms".
func (d *Delay) UnmarshalText(text []byte) error {
	parsed, err := time.ParseDuration(string(text))
	*d = Delay(parsed)
	return err
}

// FaultState is a fault and what it has done.
type FaultState struct {
	ID string `json:"id"`
	Fault
	Seen int `json:"seen"` // requests that matched
	Hits int `json:"hits"` // requests that it struck

	path    *regexp.Regexp
	removed chan struct{} // closed when it is out of the list
	second  time.Time     // for FaultRate: when the second began,
	passed  int           // and how many requests have passed since
}

// Faults is the list of faults. The zero Faults is empty.
type Faults struct {
	mu     sync.Mutex
	last   int
	states []*FaultState
}

// Add appends a fault. Where several match, the first that is not used up
// strikes.
func (f *Faults) Add(fault Fault) (id string, err error) {
	if err := fault.check(); err != nil {
		return "", err
	}
	fault.complete()
	f.mu.Lock()
	defer f.mu.Unlock()
	f.last++
	state := &FaultState{ID: strconv.Itoa(f.last), Fault: fault, path: compileGlob(fault.Match.Path), removed: make(chan struct{})}
	f.states = append(f.states, state)
	return state.ID, nil
}

// complete fills in what a fault of its kind does not say.
func (f *Fault) complete() {
	switch {
	case f.Do == FaultStatus && f.Error == "":
		f.Error = fmt.Sprintf("fault injected: status %d", f.Status)
	case f.Do == FaultRate && f.Error == "":
		f.Error = "out of quota" // fact:request-rate
	}
	if f.Do == FaultClockSkew && f.Skew == 0 {
		f.Skew = Delay(time.Hour)
	}
	if f.Do == FaultRate && f.Rate == 0 {
		f.Rate = 1
	}
}

func (f Fault) check() error {
	switch f.Do {
	case FaultStatus:
		if (f.Status < 200 || f.Status > 999) && !isCDNCode(f.Status) {
			return fmt.Errorf("status is %d, but must be 200 to 999, or a code of the CDN such as 403024", f.Status)
		}
	case FaultDelay:
		if f.Delay <= 0 {
			return errors.New(`delay must be positive, such as "50ms"`)
		}
	case FaultInvisible:
		if f.Match.Bucket == "" {
			return errors.New("match.bucket must say what is invisible")
		}
	case FaultDropBefore, FaultApplyThenDrop, FaultTruncate, FaultWrongHash, FaultNoReqid, FaultWrongRegion,
		FaultClockSkew, FaultRate, FaultNoSpace, FaultEmptyPage:
	default:
		return fmt.Errorf("do is %q, but must be status, delay, drop_before, apply_then_drop, truncate, wrong_hash, "+
			"no_reqid, wrong_region, clock_skew, rate, no_space, invisible or empty_page", f.Do)
	}
	if f.Skip < 0 || f.Times < 0 || f.Delay < 0 || f.Rate < 0 {
		return errors.New("skip, times, delay and rate must not be negative")
	}
	if !utf8.ValidString(f.Match.Path) {
		return errors.New("match.path must be UTF-8")
	}
	return nil
}

// List returns the faults in their order.
func (f *Faults) List() []FaultState {
	f.mu.Lock()
	defer f.mu.Unlock()
	states := make([]FaultState, len(f.states))
	for i, state := range f.states {
		states[i] = *state
	}
	return states
}

// Clear removes all faults.
func (f *Faults) Clear() {
	f.remove(func(*FaultState) bool { return true })
}

// Remove removes a fault, and reports whether there was one.
func (f *Faults) Remove(id string) bool {
	return f.remove(func(state *FaultState) bool { return state.ID == id }) > 0
}

// remove removes some faults, and returns how many. Requests that wait because of them go on.
func (f *Faults) remove(some func(*FaultState) bool) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	before := len(f.states)
	f.states = slices.DeleteFunc(f.states, func(state *FaultState) bool {
		if !some(state) {
			return false
		}
		close(state.removed)
		return true
	})
	return before - len(f.states)
}

// next returns the fault that strikes a request, if any, and what is closed when it is removed. targets is called when
// a fault asks for a bucket or a key.
func (f *Faults) next(service, method, path string, targets func() []target) (fault *Fault, removed <-chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, state := range f.states {
		if !state.path.MatchString(path) || !state.matches(service, method, targets) {
			continue
		}
		state.Seen++
		if state.Seen <= state.Skip || (state.Times > 0 && state.Hits >= state.Times) {
			continue
		}
		if state.Do == FaultRate && state.passes(time.Now()) {
			continue
		}
		state.Hits++
		strikes := state.Fault
		return &strikes, state.removed
	}
	return nil, nil
}

// passes counts a request that Rate allows.
func (f *FaultState) passes(now time.Time) bool {
	if now.Sub(f.second) >= time.Second {
		f.second, f.passed = now, 0
	}
	f.passed++
	return f.passed <= f.Rate
}

func (f Fault) matches(service, method string, targets func() []target) bool {
	m := f.Match
	if m.Service != "" && m.Service != service || m.Method != "" && m.Method != method {
		return false
	}
	if m.Bucket == "" && m.Key == nil {
		return true
	}
	return slices.ContainsFunc(targets(), func(t target) bool {
		if f.Do == FaultInvisible {
			return m.hides(t)
		}
		return !t.allBuckets() && (m.Bucket == "" || m.Bucket == t.bucket) && (m.Key == nil || t.keyed && *m.Key == t.key)
	})
}

// hides reports whether a request that is about t would see what is invisible.
func (m Match) hides(t target) bool {
	switch {
	case t.allBuckets():
		return m.Key == nil
	case t.bucket != m.Bucket, t.made && t.keyed == (m.Key != nil):
		return false
	}
	return m.Key == nil || t.listed || t.keyed && *m.Key == t.key
}

// hides reports whether the fault hides an object. It may be nil.
func (f *Fault) hides(bucket, key string) bool {
	return f != nil && f.Do == FaultInvisible && f.Match.Bucket == bucket && (f.Match.Key == nil || *f.Match.Key == key)
}

// hidesBucket reports whether the fault hides a whole bucket. It may be nil.
func (f *Fault) hidesBucket(bucket string) bool {
	return f != nil && f.Do == FaultInvisible && f.Match.Key == nil && f.Match.Bucket == bucket
}

// compileGlob turns a glob into an expression that matches the whole path.
func compileGlob(glob string) *regexp.Regexp {
	if glob == "" {
		glob = "*"
	}
	pattern := regexp.QuoteMeta(glob)
	pattern = strings.ReplaceAll(pattern, `\*`, `.*`)
	pattern = strings.ReplaceAll(pattern, `\?`, `.`)
	return regexp.MustCompile(`(?s)^` + pattern + `$`)
}
