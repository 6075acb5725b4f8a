package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// process is a server that runs beside this program.
type process struct {
	cmd  *exec.Cmd
	host string        // host:port
	took time.Duration // from the start until it was ready
}

// start runs a server that says its endpoint in a line that contains mark, and
// that it is ready in one that contains ready.
func start(ready, mark, path string, arguments ...string) (*process, error) {
	p := &process{cmd: exec.Command(path, arguments...)}
	p.cmd.Stderr = os.Stderr
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	began := time.Now()
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	lines := bufio.NewScanner(stdout)
	for lines.Scan() {
		if _, host, ok := strings.Cut(lines.Text(), mark); ok {
			p.host = host
		}
		if strings.Contains(lines.Text(), ready) {
			p.took = time.Since(began)
			go io.Copy(io.Discard, stdout) //nolint:errcheck // It says no more.
			return p, nil
		}
	}
	return nil, fmt.Errorf("%s ended before it was ready: %w", path, p.cmd.Wait())
}

// emulator starts the emulator with one public bucket, "bench". It never syncs.
func (b *bench) emulator(arguments ...string) (*process, error) {
	return start("# Ready", "QINIU_ENDPOINT=http://", b.program,
		append([]string{"--listen", "127.0.0.1:0", "--bucket", "bench:public"}, arguments...)...)
}

// stop interrupts the process and waits until it has ended.
func (p *process) stop() error {
	if err := p.cmd.Process.Signal(os.Interrupt); err != nil {
		return err
	}
	return p.cmd.Wait()
}

// kill ends the process as kill -9 does.
func (p *process) kill() error {
	if err := p.cmd.Process.Kill(); err != nil {
		return err
	}
	if err := p.cmd.Wait(); !errors.As(err, new(*exec.ExitError)) {
		return fmt.Errorf("after kill: %w", err)
	}
	return nil
}

// peak returns the most memory that the process has had resident since the last
// call, pages of mapped files included, in MiB; 0 where there is no /proc.
func (p *process) peak() int {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	kib := 0
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kib, _ = strconv.Atoi(strings.TrimSuffix(strings.TrimSpace(rest), " kB"))
		}
	}
	// Begins the next peak; proc(5).
	if err := os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", p.cmd.Process.Pid), []byte("5"), 0); err != nil {
		return 0
	}
	return kib >> 10
}

// cpu returns the CPU time of the process so far; 0 where there is no /proc.
func (p *process) cpu() time.Duration {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
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

// ownCPU returns the CPU time of this program so far.
func ownCPU() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
