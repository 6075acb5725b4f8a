// Command bench takes every measurement and prints one table, in which each
// figure stands beside a floor of the same run. It writes the table, with the
// date and the machine, to bench/RESULTS.md.
//
//	go run ./bench [-quick] [-out bench/RESULTS.md]
package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"strings"
	"time"
)

// measurement is a program that prints a row on each line: name | value | floor | ratio | note.
type measurement struct {
	title string
	pkg   string
	quick []string // arguments for a run that only shows that everything works
}

var measurements = [...]measurement{
	{"The provider", "./bench/provider", []string{"-mib=64", "-objects=50", "-files=500"}},
	{"The emulator", "./bench/emulator", []string{"-objects=20000"}},
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	quick := flag.Bool("quick", false, "take small measurements, which say nothing, and write no file")
	out := flag.String("out", "bench/RESULTS.md", "the `file` to write")
	flag.Parse()
	var table bytes.Buffer
	fmt.Fprintf(&table, "# Benchmarks\n\nWritten by `make bench` on %s: %s.\n\nA ratio is the figure over its floor in times, and the other way round in throughput; the note says what the floor is.\n",
		time.Now().UTC().Format(time.DateOnly), machine())
	for _, m := range measurements {
		arguments := []string{"run", m.pkg}
		if *quick {
			arguments = append(arguments, m.quick...)
		}
		fmt.Fprintf(&table, "\n## %s\n\n| what | figure | floor | ratio | note |\n|---|---|---|---|---|\n", m.title)
		if err := rows(ctx, &table, arguments); err != nil {
			return fmt.Errorf("%s: %w", m.pkg, err)
		}
	}
	if _, err := os.Stdout.Write(table.Bytes()); err != nil || *quick {
		return err
	}
	return os.WriteFile(*out, table.Bytes(), 0o644)
}

// rows adds what the program prints to the table, and shows each row as it comes.
func rows(ctx context.Context, table *bytes.Buffer, arguments []string) error {
	cmd := exec.CommandContext(ctx, "go", arguments...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.Stderr = os.Stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	lines := bufio.NewScanner(stdout)
	for lines.Scan() {
		fmt.Fprintln(os.Stderr, lines.Text())
		fmt.Fprintf(table, "| %s |\n", lines.Text())
	}
	return errors.Join(lines.Err(), cmd.Wait())
}

// machine is what the figures were taken on, without its name, and whether it had other work.
func machine() string {
	model := "an unknown CPU"
	if info, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(info)) {
			if name, value, _ := strings.Cut(line, ":"); strings.TrimSpace(name) == "model name" {
				model = strings.TrimSpace(value)
				break
			}
		}
	}
	busy := ""
	if load, err := os.ReadFile("/proc/loadavg"); err == nil {
		one, _, _ := strings.Cut(string(load), " ")
		busy = ", with a load of " + one + " when it began"
	}
	return fmt.Sprintf("%d cores of %s, %s/%s, %s%s", runtime.NumCPU(), model, runtime.GOOS, runtime.GOARCH, runtime.Version(), busy)
}
