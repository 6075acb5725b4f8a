package httpapi

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestLogKeepsWhatItIsGiven(t *testing.T) {
	t.Parallel()
	requests := []Request{
		{Method: "POST", Service: "up", Path: "/", Status: 200},
		{Method: "GET", Service: "io", Path: "/a%20b/ c/", Status: 0},
		{Path: ""},
	}
	var log Log
	for _, request := range requests {
		log.add(request)
	}
	if diff := cmp.Diff(requests, log.All()); diff != "" {
		t.Errorf("All (-want +got)\n%s", diff)
	}
	if log.Reset(); len(log.All()) != 0 {
		t.Error("Reset has left requests")
	}
}

func TestLogForgetsTheOldest(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		requests, path int // how many, and the length of their paths
		least, most    int // remembered
	}{
		"short paths": {requests: 400_000, path: 10, least: 100_000, most: 105_000},
		"long paths":  {requests: 40_000, path: 1000, least: 16_000, most: 17_000},
		"huge paths":  {requests: 40, path: 1 << 20, least: 15, most: 17},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var log Log
			padding := strings.Repeat("/", tt.path-7)
			for i := range tt.requests {
				log.add(Request{Path: fmt.Sprintf("%07d", i) + padding})
			}
			all := log.All()
			if len(all) < tt.least || len(all) > tt.most {
				t.Fatalf("%d requests are remembered, want %d to %d", len(all), tt.least, tt.most)
			}
			for i, request := range all {
				if want := fmt.Sprintf("%07d", tt.requests-len(all)+i) + padding; request.Path != want {
					t.Fatalf("request %d is %.20s, want %.20s", i, request.Path, want)
				}
			}
		})
	}
}
