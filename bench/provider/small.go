package main

import (
	"bufio"
	"context"
	"crypto/sha1"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"

	"github.com/qiniu/terraform-provider-kodo/internal/qetag"
)

// small measures the content hash, and the start of the provider.
func (b *bench) small(ctx context.Context) (rows []row, err error) {
	path, err := b.file("hash", b.mib)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.Remove(path)) }()
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	var floor, took time.Duration
	for range 2 { // the better of two
		began := time.Now()
		if _, err := io.CopyBuffer(struct{ io.Writer }{sha1.New()}, io.NewSectionReader(f, 0, int64(b.mib)<<20), make([]byte, 1<<20)); err != nil {
			return nil, err
		}
		floor = better(floor, time.Since(began))
		began = time.Now()
		if _, err := qetag.ReadAt(ctx, f, int64(b.mib)<<20); err != nil {
			return nil, err
		}
		took = better(took, time.Since(began))
	}
	rows = append(rows, row{
		fmt.Sprintf("qetag of a file of %d MiB", b.mib), mibPerSecond(b.mib, took), mibPerSecond(b.mib, floor),
		fmt.Sprintf("%.2f", floor.Seconds()/took.Seconds()), fmt.Sprintf("%d cores; floor: crypto/sha1 on one core", runtime.GOMAXPROCS(0)),
	})
	start, err := b.start(ctx, roleProvider)
	if err != nil {
		return rows, err
	}
	nothing, err := b.start(ctx, roleNothing)
	return append(rows, row{
		"start of the provider", fmt.Sprintf("%.0f ms", milliseconds(start)), fmt.Sprintf("%.0f ms", milliseconds(nothing)),
		ratio(start, nothing), "until it serves, the best of five; floor: this same program, which only says a word",
	}), err
}

func better(a, b time.Duration) time.Duration {
	if a == 0 {
		return b
	}
	return min(a, b)
}

// start is what it takes from the start of the program in a role until it says its first line.
func (b *bench) start(ctx context.Context, role string) (least time.Duration, err error) {
	for range 5 {
		cmd := exec.CommandContext(ctx, b.program("terraform-provider-kodo"))
		cmd.Env = append(os.Environ(), roleVariable+"="+role, usageVariable+"="+b.dir,
			"TF_PLUGIN_MAGIC_COOKIE=d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2", "PLUGIN_PROTOCOL_VERSIONS=6")
		stdout, err := cmd.StdoutPipe()
		if err != nil {
			return 0, err
		}
		began := time.Now()
		if err := cmd.Start(); err != nil {
			return 0, err
		}
		line, err := bufio.NewReader(stdout).ReadString('\n')
		took := time.Since(began)
		if err != nil || strings.TrimSpace(line) == "" {
			return 0, fmt.Errorf("the program in the role %s said %q: %w", role, line, err)
		}
		if err := cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
			return 0, err
		}
		if err := cmd.Wait(); err != nil && !errors.As(err, new(*exec.ExitError)) {
			return 0, err
		}
		least = better(least, took)
	}
	return least, nil
}
