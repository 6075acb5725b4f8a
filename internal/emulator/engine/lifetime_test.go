package engine_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/qiniu/terraform-provider-kodo/internal/emulator/engine"
)

// The clock of newEngine shows 2026-03-01 12:00 UTC, 20:00 in Beijing.

func TestChangeLifetime(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		days []engine.Days
		want engine.Lifetime
	}{
		"delete": {[]engine.Days{{Delete: 3}}, engine.Lifetime{DeletesAt: beijing(2026, 3, 5)}},
		"all": {
			[]engine.Days{{To: map[int]int{1: 1, 5: 2, 4: 3, 2: 4, 3: 5}, Delete: 6}},
			engine.Lifetime{DeletesAt: beijing(2026, 3, 8), Transitions: map[int]int64{
				1: beijing(2026, 3, 3), 5: beijing(2026, 3, 4), 4: beijing(2026, 3, 5), 2: beijing(2026, 3, 6), 3: beijing(2026, 3, 7),
			}},
		},
		"absent stays": {
			[]engine.Days{{To: map[int]int{1: 1}, Delete: 6}, {To: map[int]int{2: 30, 1: 0}}},
			engine.Lifetime{DeletesAt: beijing(2026, 3, 8), Transitions: map[int]int64{1: beijing(2026, 3, 3), 2: beijing(2026, 4, 1)}},
		},
		"cancel": {
			[]engine.Days{{To: map[int]int{1: 1, 2: 30}, Delete: 60}, {To: map[int]int{2: engine.Cancel, 3: engine.Cancel}, Delete: engine.Cancel}},
			engine.Lifetime{Transitions: map[int]int64{1: beijing(2026, 3, 3)}},
		},
		"cancel all": {[]engine.Days{{To: map[int]int{1: 1}}, {To: map[int]int{1: engine.Cancel}}}, engine.Lifetime{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newEngine(t)
			before := mustPut(t, e, "key", "hello")
			for _, days := range test.days {
				if err := e.ChangeLifetime(at("key", nil), days); err != nil {
					t.Fatal(err)
				}
			}
			want := before
			want.Lifetime = test.want
			if diff := cmp.Diff(want, mustStat(t, e, "key")); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// beijing is a midnight in Beijing in unix seconds.
func beijing(year int, month time.Month, day int) int64 {
	return time.Date(year, month, day, 0, 0, 0, 0, time.FixedZone("CST", 8*60*60)).Unix()
}

// The documented example: uploaded on 1 January 2015 at 10:00 and deleted after
// three days, an object is gone on 5 January at 00:00. Either side of a midnight
// counts from its own day.
func TestLifetimeEndsAtMidnightInBeijing(t *testing.T) {
	t.Parallel()
	cst := time.FixedZone("CST", 8*60*60)
	for _, test := range []struct {
		now  time.Time
		days int
		want int64 // as "date -d '… +0800' +%s" prints it
	}{
		{time.Date(2015, 1, 1, 10, 0, 0, 0, cst), 3, 1420387200},           // 2015-01-05 00:00
		{time.Date(2023, 3, 16, 17, 0, 0, 0, cst), 30, 1681574400},         // 2023-04-16 00:00
		{time.Date(2023, 3, 16, 17, 0, 0, 0, cst), 365, 1710518400},        // 2024-03-16 00:00
		{time.Date(2026, 3, 1, 23, 59, 59, 999999999, cst), 1, 1772467200}, // 2026-03-03 00:00
		{time.Date(2026, 3, 2, 0, 0, 0, 0, cst), 1, 1772553600},            // 2026-03-04 00:00
		{time.Date(2026, 3, 1, 16, 0, 0, 0, time.UTC), 1, 1772553600},      // the same moment
	} {
		t.Run(fmt.Sprint(test.now, test.days), func(t *testing.T) {
			t.Parallel()
			e := open(t, engine.Options{Dir: t.TempDir(), Now: func() time.Time { return test.now }})
			createBucket(t, e, "bucket-1")
			mustPut(t, e, "key", "hello")
			if err := e.ChangeLifetime(at("key", nil), engine.Days{Delete: test.days}); err != nil {
				t.Fatal(err)
			}
			if got := mustStat(t, e, "key").DeletesAt; got != test.want {
				t.Errorf("deletes at %d, want %d", got, test.want)
			}
		})
	}
}
