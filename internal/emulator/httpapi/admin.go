package httpapi

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/qiniu/terraform-provider-kodo/internal/emulator/engine"
)

// adminPrefix begins the emulator's own calls, which no signature protects.
const adminPrefix = "/_emulator/"

// adminRoute serves the emulator's own calls.
func (s *Server) adminRoute(c *call) route {
	handlers := map[string]func(*call) (any, error){
		"GET health":       func(*call) (any, error) { return map[string]string{"status": "ok"}, nil },
		"GET requests":     func(*call) (any, error) { return s.Log.All(), nil },
		"DELETE requests":  func(*call) (any, error) { s.Log.Reset(); return nil, nil },
		"GET faults":       func(*call) (any, error) { return s.Faults.List(), nil },
		"POST faults":      s.addFault,
		"DELETE faults":    func(*call) (any, error) { s.Faults.Clear(); return nil, nil },
		"GET clock":        func(*call) (any, error) { return s.clock(), nil },
		"POST clock":       s.advanceClock,
		"GET cdn":          func(*call) (any, error) { return s.cdnSettings(), nil },
		"POST cdn":         s.changeCDN,
		"POST cdn/logs":    s.addCDNLog,
		"DELETE cdn/tasks": func(*call) (any, error) { return nil, s.engine.ForgetCDNTasks() },
	}
	name := c.r.Method + " " + strings.TrimPrefix(c.path, adminPrefix)
	handle, ok := handlers[name]
	if id, one := strings.CutPrefix(name, "DELETE faults/"); one {
		handle, ok = func(*call) (any, error) { return s.removeFault(id) }, true
	}
	if !ok {
		handle = func(*call) (any, error) { return nil, notImplemented(c.r.Method + " " + c.path) }
	}
	return route{targets: nowhere, handle: handle}
}

func (s *Server) addFault(c *call) (any, error) {
	var fault Fault
	if err := c.decodeAdmin(&fault); err != nil {
		return nil, err
	}
	id, err := s.Faults.Add(fault)
	if err != nil {
		return nil, badRequest(err)
	}
	return map[string]string{"id": id}, nil
}

func (s *Server) removeFault(id string) (any, error) {
	if !s.Faults.Remove(id) {
		return nil, &engine.Error{Code: http.StatusNotFound, Message: "no such fault"}
	}
	return nil, nil
}

// advanceClock moves the engine's clock; the answer says what it shows then.
func (s *Server) advanceClock(c *call) (any, error) {
	var request struct {
		Advance string `json:"advance"`
	}
	if err := c.decodeAdmin(&request); err != nil {
		return nil, err
	}
	d, err := time.ParseDuration(request.Advance)
	if err != nil {
		return nil, badRequest(fmt.Errorf(`advance must be a duration such as "24h": %w`, err))
	}
	if err := s.engine.Advance(d); err != nil {
		return nil, err
	}
	return s.clock(), nil
}

// clock is what the engine's clock shows.
func (s *Server) clock() any {
	return map[string]string{"now": s.engine.Now().UTC().Format(time.RFC3339Nano)}
}

// decodeAdmin reads a JSON body and refuses what it does not know, so that a
// mistyped fault is not taken for one that never strikes.
func (c *call) decodeAdmin(value any) error {
	decoder := json.NewDecoder(io.LimitReader(c.r.Body, maxManagementBody))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(value); err != nil {
		return badRequest(err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return badRequest(errors.New("one JSON value is expected"))
	}
	return nil
}

func badRequest(err error) error {
	return &engine.Error{Code: http.StatusBadRequest, Message: err.Error()}
}
