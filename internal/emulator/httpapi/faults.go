package httpapi

import (
	"errors"
	"fmt"
	"regexp"
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
)

// Fault makes requests fail. With a Delay any kind waits first. This is the body
// of POST /_emulator/faults for one that strikes once:
//
//	{"match": {"service": "up"}, "times": 1, "do": "status", "status": 573}
//
// Without "times", or with 0, a fault strikes until DELETE /_emulator/faults.
//
// FaultTruncate cuts answers, whose header promises the whole body. Requests that
// are cut need no fault: the client that sends one is refused with 400, or gets
// no answer if it is gone, and nothing of the request is stored.
type Fault struct {
	Match  Match     `json:"match"`
	Skip   int       `json:"skip"`  // let so many matching requests pass first
	Times  int       `json:"times"` // strike so many times; 0 or absent: until cleared
	Do     FaultKind `json:"do"`
	Status int       `json:"status,omitempty"` // for FaultStatus: 200 to 999
	Error  string    `json:"error,omitempty"`  // for FaultStatus: the text
	Delay  Delay     `json:"delay,omitempty"`
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

	path *regexp.Regexp
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
	if fault.Do == FaultStatus && fault.Error == "" {
		fault.Error = fmt.Sprintf("fault injected: status %d", fault.Status)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.last++
	state := &FaultState{ID: strconv.Itoa(f.last), Fault: fault, path: compileGlob(fault.Match.Path)}
	f.states = append(f.states, state)
	return state.ID, nil
}

func (f Fault) check() error {
	switch f.Do {
	case FaultStatus:
		if f.Status < 200 || f.Status > 999 {
			return fmt.Errorf("status is %d, but must be 200 to 999", f.Status)
		}
	case FaultDelay:
		if f.Delay <= 0 {
			return errors.New(`delay must be positive, such as "50ms"`)
		}
	case FaultDropBefore, FaultApplyThenDrop, FaultTruncate:
	default:
		return fmt.Errorf("do is %q, but must be status, delay, drop_before, apply_then_drop or truncate", f.Do)
	}
	if f.Skip < 0 || f.Times < 0 || f.Delay < 0 {
		return errors.New("skip, times and delay must not be negative")
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
	f.mu.Lock()
	defer f.mu.Unlock()
	f.states = nil
}

// next returns the fault that strikes a request, if any. targets is called when a
// fault asks for a bucket or a key.
func (f *Faults) next(service, method, path string, targets func() []target) *Fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, state := range f.states {
		if !state.path.MatchString(path) || !state.Match.matches(service, method, targets) {
			continue
		}
		state.Seen++
		if state.Seen <= state.Skip || (state.Times > 0 && state.Hits >= state.Times) {
			continue
		}
		state.Hits++
		fault := state.Fault
		return &fault
	}
	return nil
}

func (m Match) matches(service, method string, targets func() []target) bool {
	if m.Service != "" && m.Service != service || m.Method != "" && m.Method != method {
		return false
	}
	if m.Bucket == "" && m.Key == nil {
		return true
	}
	for _, t := range targets() {
		if (m.Bucket == "" || m.Bucket == t.bucket) && (m.Key == nil || t.keyed && *m.Key == t.key) {
			return true
		}
	}
	return false
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
