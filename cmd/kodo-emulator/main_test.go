package main_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// program is the built command.
var program string

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "kodo-emulator-test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	program = filepath.Join(dir, "kodo-emulator")
	if out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// process is the program while it runs.
type process struct {
	t        *testing.T
	cmd      *exec.Cmd
	lines    []string // of stdout, up to the ready line
	endpoint string
	stderr   bytes.Buffer
}

// start runs the program on a free port and waits until it is ready.
func start(t *testing.T, arguments ...string) *process {
	t.Helper()
	p := &process{t: t, cmd: exec.Command(program, append([]string{"--listen", "127.0.0.1:0"}, arguments...)...)}
	p.cmd.Env = append(os.Environ(), "TMPDIR="+t.TempDir())
	p.cmd.Stderr = &p.stderr
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if p.cmd.ProcessState == nil {
			if err := p.stop(syscall.SIGKILL); err == nil {
				t.Error("the program ended by itself")
			}
		}
	})
	scanner := bufio.NewScanner(stdout)
	for scanner.Scan() {
		p.lines = append(p.lines, scanner.Text())
		if value, ok := strings.CutPrefix(scanner.Text(), "export QINIU_ENDPOINT="); ok {
			p.endpoint = value
		}
		if strings.HasPrefix(scanner.Text(), "# Ready") {
			return p
		}
	}
	t.Fatalf("the program ended before it was ready: %v, %s", p.cmd.Wait(), p.stderr.String())
	return nil
}

// stop sends a signal and returns the program's end.
func (p *process) stop(signal syscall.Signal) error {
	p.t.Helper()
	if err := p.cmd.Process.Signal(signal); err != nil {
		p.t.Fatal(err)
	}
	return p.cmd.Wait()
}

func get(t *testing.T, url string) (*http.Response, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err == nil {
		res.Body.Close()
	}
	return res, err
}

func TestPrintsWhatToExport(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	p := start(t, "--data", data, "--access-key", "ak1", "--secret-key", "s'k 1", "--access-key=ak2", "--secret-key=sk2", "--bucket=assets:public")
	if len(p.lines) != 5 || !regexp.MustCompile(`^# Bucket assets: http://127\.0\.0\.1:[0-9]+/$`).MatchString(p.lines[3]) {
		t.Fatalf("output %q, want the address of the bucket in its fourth line", p.lines)
	}
	want := []string{
		"export QINIU_ACCESS_KEY=ak1",
		`export QINIU_SECRET_KEY='s'\''k 1'`,
		"export QINIU_ENDPOINT=" + p.endpoint,
		p.lines[3],
		fmt.Sprintf("# Ready: a local Kodo at %s with its data in %s (kept). Stop it with Ctrl-C.", p.endpoint, data),
	}
	if diff := cmp.Diff(want, p.lines); diff != "" {
		t.Errorf("output (-want +got)\n%s", diff)
	}
	if !regexp.MustCompile(`^http://127\.0\.0\.1:[0-9]+$`).MatchString(p.endpoint) {
		t.Errorf("endpoint %q", p.endpoint)
	}
	for path, want := range map[string]int{
		"/_emulator/health": 200, "/v4/query?ak=ak1&bucket=assets": 200, "/v4/query?ak=ak2&bucket=assets": 631, "/v4/query?ak=ak3&bucket=assets": 612,
	} {
		if res, err := get(t, p.endpoint+path); err != nil || res.StatusCode != want {
			t.Errorf("GET %s = %v, %v, want %d", path, res, err, want)
		}
	}
	if err := p.stop(syscall.SIGTERM); err != nil || p.stderr.Len() > 0 {
		t.Errorf("after SIGTERM: %v %s, want a clean end", err, p.stderr.String())
	}
	if _, err := os.Stat(data); err != nil {
		t.Errorf("the data folder is gone: %v", err)
	}
}

func TestTemporaryFolderIsRemoved(t *testing.T) {
	t.Parallel()
	p := start(t)
	folder := regexp.MustCompile(`with its data in (.*) \(removed at the end\)`).FindStringSubmatch(p.lines[len(p.lines)-1])
	if folder == nil {
		t.Fatalf("output %q does not say where the data is", p.lines)
	}
	if _, err := os.Stat(folder[1]); err != nil {
		t.Errorf("while it runs: %v", err)
	}
	if err := p.stop(syscall.SIGINT); err != nil {
		t.Errorf("after SIGINT: %v, want a clean end", err)
	}
	if _, err := os.Stat(folder[1]); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("after the end: %v, want the folder gone", err)
	}
}

func TestRefusedCommandLines(t *testing.T) {
	t.Parallel()
	p := start(t)
	data := t.TempDir()
	locked := start(t, "--data", data)
	tests := map[string]struct {
		arguments []string
		code      int
		text      string
	}{
		"unknown flag":      {[]string{"--port=1"}, 2, "flag provided but not defined: -port"},
		"argument":          {[]string{"serve"}, 2, `unexpected argument "serve"`},
		"keys not in pairs": {[]string{"--access-key=a"}, 2, "they must come in pairs"},
		"empty key":         {[]string{"--access-key=", "--secret-key=s"}, 2, "must not be empty"},
		"key given twice":   {[]string{"--listen=127.0.0.1:0", "--access-key=a", "--secret-key=s", "--access-key=a", "--secret-key=s"}, 1, `access key "a" is given twice`},
		"bucket kind":       {[]string{"--bucket=a:open"}, 2, `name, name:public or name:private, not "a:open"`},
		"bucket name":       {[]string{"--listen=127.0.0.1:0", "--bucket=A"}, 1, `create the bucket "A": 400 invalid arguments`},
		"domain":            {[]string{"--domain=host"}, 2, "must be bucket=host or bucket=host:port"},
		"domain's bucket":   {[]string{"--listen=127.0.0.1:0", "--domain=b=host"}, 1, `bind host to the bucket "b": 631 no such bucket`},
		"latency":           {[]string{"--latency=fast"}, 2, `invalid value "fast" for flag -latency`},
		"negative latency":  {[]string{"--latency=-1s"}, 2, "--latency and --cdn-delay must not be negative"},
		"port in use":       {[]string{"--listen", strings.TrimPrefix(p.endpoint, "http://")}, 1, "address already in use; choose another address with --listen"},
		"data in use":       {[]string{"--listen=127.0.0.1:0", "--data", data}, 1, data},
		"help":              {[]string{"--help"}, 0, "name[:public]"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			cmd := exec.CommandContext(ctx, program, tt.arguments...)
			cmd.Env = append(os.Environ(), "TMPDIR="+t.TempDir())
			var stdout, stderr bytes.Buffer
			cmd.Stdout, cmd.Stderr = &stdout, &stderr
			err := cmd.Run()
			if code := cmd.ProcessState.ExitCode(); code != tt.code || stdout.Len() > 0 || !strings.Contains(stderr.String(), tt.text) {
				t.Errorf("%v, stdout %q, stderr %q; want code %d and %q", err, stdout.String(), stderr.String(), tt.code, tt.text)
			}
		})
	}
	if locked.cmd.ProcessState != nil {
		t.Error("the program that has the folder has ended")
	}
}

func TestLatency(t *testing.T) {
	t.Parallel()
	p := start(t, "--latency", "50ms", "--bucket", "assets")
	begin := time.Now()
	if _, err := get(t, p.endpoint+"/v4/query?ak=kodo-emulator-access-key&bucket=assets"); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(begin); took < 50*time.Millisecond {
		t.Errorf("a request took %v, want at least 50ms", took)
	}
}

// TestStrict signs a form as some clients do, without its body.
func TestStrict(t *testing.T) {
	t.Parallel()
	const authorization = "QBox kodo-emulator-access-key:ogjI-Vl3kXo-sYomhwVxzof2gNk=" // Of "/buckets\n", made with Python's hmac module.
	for argument, want := range map[string]int{"--strict=false": 200, "--strict": 401} {
		p := start(t, argument)
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.endpoint+"/buckets", strings.NewReader("shared=rd"))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Authorization", authorization)
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != want {
			t.Errorf("%s: %s, want %d", argument, res.Status, want)
		}
	}
}

// TestStaleCDN has the flags of the CDN reach it, and takes a domain of a bucket that
// is not there yet.
func TestStaleCDN(t *testing.T) {
	t.Parallel()
	p := start(t, "--listen=127.0.0.1:0", "--domain=later=www.example.com", "--stale-cdn", "--cdn-delay=5m")
	res, err := http.Get(p.endpoint + "/_emulator/cdn")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	if want := `{"stale":true,"delay":"5m0s","urls_per_day":0,"dirs_per_day":0,"prefetches_per_day":0,"no_dirs":false,"fail":""}`; string(body) != want {
		t.Errorf("the CDN is %s, want %s", body, want)
	}
}
