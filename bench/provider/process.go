package main

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/qiniu/terraform-provider-kodo/internal/workspace"
)

// The emulator's default account, and the bucket of every measurement.
const (
	accessKey = "kodo-emulator-access-key"
	secretKey = "kodo-emulator-secret-key"
	bucket    = "bench"
)

// emulator is a local Kodo that runs beside this program.
type emulator struct {
	cmd      *exec.Cmd
	endpoint string
}

func (b *bench) emulator(arguments ...string) (*emulator, error) {
	e := &emulator{cmd: exec.Command(b.program("kodo-emulator"), append([]string{"--listen", "127.0.0.1:0", "--bucket", bucket + ":public"}, arguments...)...)}
	e.cmd.Stderr = os.Stderr
	stdout, err := e.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := e.cmd.Start(); err != nil {
		return nil, err
	}
	for lines := bufio.NewScanner(stdout); lines.Scan(); {
		if _, endpoint, ok := strings.Cut(lines.Text(), "QINIU_ENDPOINT="); ok {
			e.endpoint = endpoint
		}
		if strings.Contains(lines.Text(), "# Ready") {
			go io.Copy(io.Discard, stdout) //nolint:errcheck // It says no more.
			return e, nil
		}
	}
	return nil, fmt.Errorf("the emulator ended before it was ready: %w", e.cmd.Wait())
}

func (e *emulator) stop() error {
	if err := e.cmd.Process.Signal(os.Interrupt); err != nil {
		return err
	}
	return e.cmd.Wait()
}

// cpu is the CPU time of the emulator so far; 0 where there is no /proc.
func (e *emulator) cpu() time.Duration {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", e.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(stat), ") ") // The name may hold anything.
	fields := strings.Fields(rest)
	const utime, stime, hertz = 11, 12, 100
	user, _ := strconv.Atoi(fields[utime])
	system, _ := strconv.Atoi(fields[stime])
	return time.Duration(user+system) * time.Second / hertz
}

// ownCPU is the CPU time of this process so far.
func ownCPU() time.Duration { return cpuOf(syscall.RUSAGE_SELF) }

// endedCPU is the CPU time of the programs that this process has started and that have ended, and of those that they had
// started themselves.
func endedCPU() time.Duration { return cpuOf(syscall.RUSAGE_CHILDREN) }

func cpuOf(who int) time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(who, &usage); err != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// requests is how many requests the emulator has served so far.
func (e *emulator) requests() (n int, err error) {
	resp, err := http.Get(e.endpoint + "/_emulator/requests")
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, resp.Body.Close()) }()
	var all []json.RawMessage
	err = json.NewDecoder(resp.Body).Decode(&all)
	return len(all), err
}

// site is a configuration that Terraform can apply.
type site struct {
	*workspace.Workspace

	usageDir string
	emulator *emulator
}

// measured is what one command of Terraform took.
type measured struct {
	took         time.Duration
	provider     usage         // of all its processes: CPU added, the highest peak
	terraformCPU time.Duration // without the provider's
	emulatorCPU  time.Duration
	requests     int // that the emulator has served
}

// site writes the configuration; what serves it is one of the roles.
func (b *bench) site(e *emulator, role, hcl string) (*site, error) {
	dir, err := b.folder()
	if err != nil {
		return nil, err
	}
	usageDir, err := b.folder()
	if err != nil {
		return nil, err
	}
	text := "terraform {\n  required_providers {\n    kodo = {\n      source = \"qiniu/kodo\"\n    }\n  }\n}\n\nprovider \"kodo\" {}\n\n" + hcl
	if err := os.WriteFile(filepath.Join(dir, "main.tf"), []byte(text), 0o600); err != nil {
		return nil, err
	}
	ws, err := workspace.New(dir, b.bin, b.terraform)
	if err != nil {
		return nil, err
	}
	ws.Setenv(map[string]string{
		"QINIU_ENDPOINT": e.endpoint, "QINIU_ACCESS_KEY": accessKey, "QINIU_SECRET_KEY": secretKey,
		roleVariable: role, usageVariable: usageDir,
	})
	return &site{ws, usageDir, e}, nil
}

// terraform runs a command and measures it.
func (s *site) terraform(ctx context.Context, arguments ...string) (m measured, err error) {
	before, err := s.emulator.requests()
	if err != nil {
		return m, err
	}
	ended, cpu, began := endedCPU(), s.emulator.cpu(), time.Now()
	if _, err := s.Run(ctx, append(arguments, "-no-color", "-input=false")...); err != nil {
		return m, err
	}
	m.took, m.emulatorCPU, m.terraformCPU = time.Since(began), s.emulator.cpu()-cpu, endedCPU()-ended
	after, err := s.emulator.requests()
	if err != nil {
		return m, err
	}
	m.requests = after - before
	files, err := os.ReadDir(s.usageDir)
	if err != nil {
		return m, err
	}
	for _, file := range files {
		path := filepath.Join(s.usageDir, file.Name())
		text, err := os.ReadFile(path)
		var one usage
		if err := errors.Join(err, json.Unmarshal(text, &one), os.Remove(path)); err != nil {
			return m, err
		}
		m.provider.CPU += one.CPU
		m.terraformCPU -= one.CPU
		m.provider.PeakKiB = max(m.provider.PeakKiB, one.PeakKiB)
		m.provider.Creates = append(m.provider.Creates, one.Creates...)
	}
	if len(files) == 0 {
		return m, errors.New("no process of the provider left its usage")
	}
	return m, nil
}

// medianOf runs a command so many times, an odd number, and returns what the one in the middle took.
func (s *site) medianOf(ctx context.Context, times int, arguments ...string) (measured, error) {
	all := make([]measured, times)
	for i := range all {
		m, err := s.terraform(ctx, arguments...)
		if err != nil {
			return m, err
		}
		all[i] = m
	}
	slices.SortFunc(all, func(a, b measured) int { return cmp.Compare(a.took, b.took) })
	return all[times/2], nil
}

// random is bytes that no disk compresses, the same in every run.
type random struct{ source *rand.ChaCha8 }

func newRandom() random { return random{rand.NewChaCha8([32]byte{1})} }

func (r random) fill(block []byte) {
	r.source.Read(block) //nolint:errcheck // It never fails.
}
