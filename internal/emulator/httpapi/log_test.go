package httpapi

import (
	"strconv"
	"testing"
)

func TestLogForgetsTheOldest(t *testing.T) {
	t.Parallel()
	var log Log
	for i := range 400_000 {
		log.add(Request{Path: strconv.Itoa(i)})
	}
	all := log.All()
	if len(all) < 100_000 || len(all) > 300_000 {
		t.Fatalf("%d requests are remembered, want 100 000 to 300 000", len(all))
	}
	for i, request := range all {
		if want := strconv.Itoa(400_000 - len(all) + i); request.Path != want {
			t.Fatalf("request %d is %s, want %s", i, request.Path, want)
		}
	}
	if log.Reset(); len(log.All()) != 0 {
		t.Error("Reset has left requests")
	}
}
