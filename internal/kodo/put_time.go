package kodo

import (
	"fmt"
	"math"
	"time"
)

// PutTime is when an object was last put, in Kodo's unit: 100 ns since 1970. It tells two uploads of one key apart.
type PutTime int64

const (
	ticksPerSecond = int64(time.Second / tick)
	tick           = 100 * time.Nanosecond
	putTimeLayout  = "2006-01-02T15:04:05.0000000Z07:00"
)

// Time returns the instant, in UTC.
func (t PutTime) Time() time.Time {
	seconds, rest := int64(t)/ticksPerSecond, int64(t)%ticksPerSecond
	return time.Unix(seconds, rest*int64(tick)).UTC()
}

// String returns the instant as RFC 3339 in UTC with seven decimals, which is exact.
func (t PutTime) String() string {
	return t.Time().Format(putTimeLayout)
}

// ParsePutTime reads an instant in RFC 3339 that is a whole number of 100 ns.
func ParsePutTime(s string) (PutTime, error) {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return 0, fmt.Errorf("%q is not an instant in RFC 3339: %w", s, err)
	}
	if t.Nanosecond()%int(tick) != 0 {
		return 0, fmt.Errorf("%q is not a whole number of 100 ns", s)
	}
	if seconds := t.Unix(); seconds > math.MaxInt64/ticksPerSecond-1 || seconds < math.MinInt64/ticksPerSecond+1 {
		return 0, fmt.Errorf("%q is out of range", s)
	}
	return PutTime(t.Unix()*ticksPerSecond + int64(t.Nanosecond())/int64(tick)), nil
}
