// Command kodo-emulator is a local Qiniu Kodo: object storage that the official
// SDKs and the Terraform provider use unmodified, without an account and
// without a network.
//
//	go run github.com/qiniu/terraform-provider-kodo/cmd/kodo-emulator@latest --bucket assets:public
//
// It prints the environment that points the provider at it, and runs until it
// is interrupted. Without --data everything is gone when it ends.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/qiniu/terraform-provider-kodo/internal/emulator"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	tune()
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
	case errors.As(err, new(usageError)):
		fmt.Fprintf(os.Stderr, "kodo-emulator: %v\nRun it with --help for the flags.\n", err)
		os.Exit(2)
	case err != nil:
		fmt.Fprintf(os.Stderr, "kodo-emulator: %v\n", err)
		os.Exit(1)
	}
}

// tune has the garbage collected less often than usual, because little is alive
// and much passes through, but before the memory grows: unless the environment
// has a limit of its own (GOMEMLIMIT).
func tune() {
	const limit, percent = 40 << 20, 400
	if debug.SetMemoryLimit(-1) == math.MaxInt64 {
		debug.SetMemoryLimit(limit)
		debug.SetGCPercent(percent)
	}
}

// usageError is a command line that cannot be understood.
type usageError struct{ error }

// run starts the emulator, says so, and stops it when ctx ends.
func run(ctx context.Context, arguments []string, out, help io.Writer) error {
	options, err := parse(arguments, help)
	if err != nil {
		return err
	}
	e, err := emulator.New(options)
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("%w; choose another address with --listen, such as 127.0.0.1:0 for any free port", err)
	}
	if err != nil {
		return err
	}
	if err = announce(out, e, options); err == nil {
		<-ctx.Done()
	}
	return errors.Join(err, e.Close())
}

// announce prints what to export, the download address of each bucket that was
// asked for, and that the emulator is ready. All of it can be given to a shell:
// what is not an export is a comment.
func announce(out io.Writer, e *emulator.Emulator, options emulator.Options) error {
	account := e.Account()
	text := fmt.Sprintf("export QINIU_ACCESS_KEY=%s\nexport QINIU_SECRET_KEY=%s\nexport QINIU_ENDPOINT=%s\n",
		quote(account.AccessKey), quote(account.SecretKey), e.Endpoint())
	for _, bucket := range options.Buckets {
		host, err := e.DownloadHost(bucket.Name)
		if err != nil {
			return err
		}
		text += fmt.Sprintf("# Bucket %s: http://%s/\n", bucket.Name, host)
	}
	kept := "kept"
	if options.Data == "" {
		kept = "removed at the end"
	}
	_, err := fmt.Fprintf(out, "%s# Ready: a local Kodo at %s with its data in %s (%s). Stop it with Ctrl-C.\n", text, e.Endpoint(), e.Dir(), kept)
	return err
}

// quote writes a value for a shell.
func quote(value string) string {
	const plain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-./:="
	if value != "" && strings.Trim(value, plain) == "" {
		return value
	}
	return "'" + strings.ReplaceAll(value, "'", `'\''`) + "'"
}
