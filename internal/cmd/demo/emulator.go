//go:build unix

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/qiniu/terraform-provider-kodo/internal/kodo"
)

const (
	startLimit = 20 * time.Second
	stopLimit  = 10 * time.Second
)

// emulator is the program cmd/kodo-emulator while it runs.
type emulator struct {
	cmd     *exec.Cmd
	ended   chan struct{}     // closed when the program has ended
	exports map[string]string // what the program printed to be exported
}

// startEmulator starts the program on a free port and waits until it has
// printed what to export. Its output and its data are below the folder work.
func startEmulator(ctx context.Context, program, work string) (*emulator, error) {
	// A file, not a pipe: the emulator outlives a demo that keeps it.
	log, err := os.Create(filepath.Join(work, "emulator.log"))
	if err != nil {
		return nil, err
	}
	defer log.Close()
	cmd := exec.Command(program, "--listen", "127.0.0.1:0", "--data", filepath.Join(work, "data"), "--no-sync")
	cmd.Stdout, cmd.Stderr = log, log
	// In a session of its own, so that an interrupt from the terminal does not
	// end it before the demo has finished with it, nor the terminal's end.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	e := &emulator{cmd: cmd, ended: make(chan struct{})}
	go func() {
		_ = cmd.Wait() // how it ended is in its ProcessState
		close(e.ended)
	}()

	if err := e.awaitExports(ctx, log.Name()); err != nil {
		return nil, errors.Join(err, e.stop())
	}
	return e, nil
}

func (e *emulator) awaitExports(ctx context.Context, log string) error {
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	for {
		text, err := os.ReadFile(log)
		if err != nil {
			return err
		}
		e.exports = parseExports(string(text))
		if e.exports["QINIU_ENDPOINT"] != "" && e.exports["QINIU_ACCESS_KEY"] != "" && e.exports["QINIU_SECRET_KEY"] != "" {
			return nil
		}
		select {
		case <-e.ended:
			return fmt.Errorf("the emulator ended at once (%s):\n%s", e.cmd.ProcessState, text)
		case <-ctx.Done():
			return fmt.Errorf("the emulator did not say what to export: %w\n%s", ctx.Err(), text)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// parseExports reads the lines "export NAME=value" of a text, of which the last
// may not be whole yet.
func parseExports(text string) map[string]string {
	exports := make(map[string]string)
	lines := strings.SplitAfter(text, "\n")
	for _, line := range lines {
		assignment, ok := strings.CutPrefix(strings.TrimSpace(line), "export ")
		if !ok || !strings.HasSuffix(line, "\n") {
			continue
		}
		name, value, _ := strings.Cut(assignment, "=")
		exports[name] = strings.Trim(value, `"'`)
	}
	return exports
}

func (e *emulator) endpoint() string { return e.exports["QINIU_ENDPOINT"] }

func (e *emulator) pid() int { return e.cmd.Process.Pid }

// client returns a client of the emulator with the keys that it printed.
func (e *emulator) client() (*kodo.Client, error) {
	url := e.endpoint()
	return kodo.New(kodo.Config{
		AccessKey: e.exports["QINIU_ACCESS_KEY"],
		SecretKey: e.exports["QINIU_SECRET_KEY"],
		Endpoints: kodo.Endpoints{UC: url, Up: url, RS: url, RSF: url, IO: url, API: url, CDN: url},
	})
}

// stop ends the program and returns once it has ended.
func (e *emulator) stop() error {
	if err := e.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	select {
	case <-e.ended:
		return nil
	case <-time.After(stopLimit):
		return errors.Join(fmt.Errorf("the emulator did not end within %s and was killed", stopLimit), e.cmd.Process.Kill())
	}
}

// request is one entry of the emulator's request log.
type request struct {
	Method  string `json:"method"`
	Service string `json:"service"`
	Path    string `json:"path"`
	Status  int    `json:"status"`
}

type requests []request

func (rs requests) count(match func(request) bool) int {
	n := 0
	for _, r := range rs {
		if match(r) {
			n++
		}
	}
	return n
}

func (rs requests) String() string {
	var b strings.Builder
	for _, r := range rs {
		fmt.Fprintf(&b, "%s %s %s: %d\n", r.Method, r.Service, r.Path, r.Status)
	}
	return b.String()
}

// requests returns what the server was asked since it started or forgot.
func (e *emulator) requests(ctx context.Context) (requests, error) {
	var log requests
	err := e.admin(ctx, http.MethodGet, &log)
	return log, err
}

func (e *emulator) forgetRequests(ctx context.Context) error {
	return e.admin(ctx, http.MethodDelete, nil)
}

func (e *emulator) admin(ctx context.Context, method string, answer any) error {
	req, err := http.NewRequestWithContext(ctx, method, e.endpoint()+"/_emulator/requests", nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode/100 != 2 {
		return fmt.Errorf("%s %s: %s", method, req.URL, resp.Status)
	}
	if answer == nil {
		return nil
	}
	return json.NewDecoder(resp.Body).Decode(answer)
}
