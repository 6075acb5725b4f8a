// Command emulator measures the local Kodo as a program of its own: how fast it
// takes uploads, how it does with a million objects, and what memory all of it
// needs. Each row holds the figure against a floor that is measured in the same
// run on the same machine, since a figure alone says more about the machine.
//
//	go run ./bench/emulator [-objects 1000000] [-run million] [-program path]
//
// It prints a row on each line: name | value | floor | ratio | note. The load
// comes from this program, whose CPU time is told apart from the emulator's.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

func main() {
	if len(os.Args) == 2 && os.Args[1] == floorServer {
		fmt.Fprintln(os.Stderr, serveFloor(os.Stdout))
		os.Exit(1)
	}
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "bench/emulator:", err)
		os.Exit(1)
	}
}

// row is a measured figure beside its floor.
type row struct{ name, value, floor, ratio, note string }

func (r row) String() string {
	return strings.Join([]string{r.name, r.value, r.floor, r.ratio, r.note}, " | ")
}

// bench is what the measurements share.
type bench struct {
	program string // the emulator
	dir     string // a folder of our own
	objects int    // how many the large bucket has
}

func run() (err error) {
	program := flag.String("program", "", "the emulator's `path`; built from this checkout when empty")
	objects := flag.Int("objects", 1_000_000, "`number` of objects in the large bucket")
	only := flag.String("run", "", "the one measurement to take: forms, parts or million")
	flag.Parse()
	dir, err := os.MkdirTemp("", "kodo-bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	b := &bench{program: *program, dir: dir, objects: *objects}
	if b.program == "" {
		b.program = filepath.Join(dir, "kodo-emulator")
		build := exec.Command("go", "build", "-o", b.program, "github.com/qiniu/terraform-provider-kodo/cmd/kodo-emulator")
		build.Stderr = os.Stderr
		if err := build.Run(); err != nil {
			return fmt.Errorf("build the emulator: %w", err)
		}
	}
	for _, measurement := range []struct {
		name string
		take func() ([]row, error)
	}{{"forms", b.forms}, {"parts", b.parts}, {"million", b.million}} {
		if *only != "" && *only != measurement.name {
			continue
		}
		rows, err := measurement.take()
		for _, r := range rows {
			fmt.Println(r)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", measurement.name, err)
		}
	}
	return nil
}
