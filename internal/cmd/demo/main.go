//go:build unix

// Demo publishes a real site to a local Kodo with the provider of this checkout
// and checks every byte of it, as a visitor gets it. It works in a temporary
// folder, leaves nothing running and ends with 1 if anything is not as it
// should be. With -keep the site stays up and its address is printed.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	keep := flag.Bool("keep", false, "leave the site up and print its address")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	err := run(ctx, options{keep: *keep, temp: os.TempDir(), out: os.Stdout, progress: os.Stderr})
	interrupted := errors.Is(ctx.Err(), context.Canceled)
	stop()
	switch {
	case interrupted:
		fmt.Fprintln(os.Stderr, "demo: interrupted; nothing is left running")
		os.Exit(130)
	case err != nil:
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}
