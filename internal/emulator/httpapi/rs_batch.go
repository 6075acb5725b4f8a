package httpapi

import (
	"net/http"
	"strings"
	"sync"
)

const (
	maxBatch        = 1000
	statusPartially = 298 // some operations of a batch failed
)

// batchResult is the answer to one operation of a batch.
type batchResult struct {
	Code int `json:"code"`
	Data any `json:"data,omitempty"`
}

// batchWorkers is how many operations of a batch are done at the same time.
const batchWorkers = 64

// batch serves POST /batch with op=…&op=…. Operations that have to do with each
// other are done in their order (fact:object-batch-order); the others are done at
// the same time, so that they share the store's commits.
func (s *Server) batch(c *call) (any, error) {
	ops := c.params["op"]
	if len(ops) == 0 || len(ops) > maxBatch {
		return nil, invalidArgument()
	}
	results := make([]batchResult, len(ops))
	all := chains(ops)
	waiting := make(chan []int, len(all))
	for _, chain := range all {
		waiting <- chain
	}
	close(waiting)
	var workers sync.WaitGroup
	for range min(batchWorkers, len(all)) {
		workers.Go(func() {
			for chain := range waiting {
				for _, i := range chain {
					results[i] = c.batchOperation(ops[i])
				}
			}
		})
	}
	workers.Wait()
	for _, result := range results {
		if result.Code != http.StatusOK {
			return coded{status: statusPartially, value: results}, nil
		}
	}
	return results, nil
}

func (c *call) batchOperation(op string) batchResult {
	name, arguments := splitOperation(op)
	err := c.unseenEntry(entriesOf(name, arguments))
	var value any
	if err == nil {
		value, err = c.s.operate(c.owner, name, arguments)
	}
	if err != nil {
		e := refusal(err)
		return batchResult{Code: e.Code, Data: errorBody{Error: e.Message, ErrorCode: e.ErrorCode}}
	}
	return batchResult{Code: http.StatusOK, Data: value}
}

// unseenEntry refuses an operation of a batch on what a fault hides.
func (c *call) unseenEntry(entries []target) error {
	for _, t := range entries {
		switch {
		case c.fault.hidesBucket(t.bucket):
			return noSuchBucket()
		case !t.made && c.fault.hides(t.bucket, t.key):
			return noSuchObject()
		}
	}
	return nil
}

// chains divides the operations of a batch, by their indexes, into chains that do
// not see each other: two operations on one object are in one chain, and so are
// those on objects that a copy or a move joins.
func chains(ops []string) map[int][]int {
	next := make([]int, len(ops)) // a later operation of the same chain, the last one's is its own
	end := func(i int) int {
		for next[i] != i {
			next[i] = next[next[i]]
			i = next[i]
		}
		return i
	}
	latest := map[target]int{}
	for i, op := range ops {
		next[i] = i
		for _, entry := range entriesOf(splitOperation(op)) {
			entry.made = false
			if earlier, ok := latest[entry]; ok {
				next[end(earlier)] = i
			}
			latest[entry] = i
		}
	}
	byEnd := map[int][]int{}
	for i := range ops {
		byEnd[end(i)] = append(byEnd[end(i)], i)
	}
	return byEnd
}

// splitOperation cuts "/stat/<entry>" or, as other clients write it,
// "stat/<entry>".
func splitOperation(op string) (name string, arguments []string) {
	segments := strings.Split(strings.TrimPrefix(op, "/"), "/")
	return segments[0], segments[1:]
}

// batchTargets returns every entry that a batch names.
func batchTargets(c *call) []target {
	var targets []target
	for _, op := range c.params["op"] {
		targets = append(targets, entriesOf(splitOperation(op))...)
	}
	return targets
}
