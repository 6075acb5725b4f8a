package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"

	"github.com/qiniu/terraform-provider-kodo/internal/emulator"
)

// parse reads the command line. Help goes to the writer, and flag.ErrHelp comes
// back then.
func parse(arguments []string, help io.Writer) (emulator.Options, error) {
	var options emulator.Options
	var accessKeys, secretKeys []string
	var noSync bool
	flags := flag.NewFlagSet("kodo-emulator", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // Errors are printed once, by main.
	flags.StringVar(&options.Listen, "listen", "127.0.0.1:9797", "`address` to listen on; port 0 is any free one")
	flags.StringVar(&options.Data, "data", "", "`folder` to keep everything in (default a temporary one)")
	flags.BoolVar(&noSync, "no-sync", false, "with --data, do not wait for the disk: faster, but a crash of the machine may lose it all")
	flags.DurationVar(&options.Latency, "latency", 0, "`time` to add to every request, such as 50ms")
	flags.BoolVar(&options.Strict, "strict", false, "accept signatures only as documented, and none of the official clients' habits")
	flags.BoolVar(&options.AllowRemote, "allow-remote", false, "let callbacks, notifications and fetches go to other machines, not only to loopback addresses")
	flags.BoolVar(&options.CDN.Stale, "stale-cdn", false, "keep what is downloaded by a --domain, and serve it again until it is refreshed")
	flags.DurationVar(&options.CDN.Delay, "cdn-delay", 0, "`time` that a refresh or a prefetch of the CDN takes, such as 5m")
	flags.Func("access-key", "access `key` of an account, followed by its --secret-key; repeatable", appendTo(&accessKeys))
	flags.Func("secret-key", "secret `key` of the account", appendTo(&secretKeys))
	flags.Func("bucket", "`name[:public]` of a bucket of the first account that should exist; repeatable", func(text string) error {
		bucket, err := parseBucket(text)
		options.Buckets = append(options.Buckets, bucket)
		return err
	})
	flags.Func("domain", "`bucket=host[:port]` by which a bucket's objects are downloaded, also of one that is created later; repeatable", func(text string) error {
		bucket, host, ok := strings.Cut(text, "=")
		if !ok || bucket == "" || host == "" {
			return errors.New("must be bucket=host or bucket=host:port")
		}
		options.Domains = append(options.Domains, emulator.DomainSpec{Bucket: bucket, Host: host})
		return nil
	})
	err := flags.Parse(arguments)
	switch {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprintln(help, "A local Qiniu Kodo. Flags:") //nolint:errcheck // Nobody to tell.
		flags.SetOutput(help)
		flags.PrintDefaults()
		return emulator.Options{}, err
	case err != nil:
		return emulator.Options{}, usageError{err}
	case flags.NArg() > 0:
		return emulator.Options{}, usageError{fmt.Errorf("unexpected argument %q", flags.Arg(0))}
	case options.Latency < 0 || options.CDN.Delay < 0:
		return emulator.Options{}, usageError{errors.New("--latency and --cdn-delay must not be negative")}
	}
	options.Sync = options.Data != "" && !noSync
	options.Accounts, err = accounts(accessKeys, secretKeys)
	return options, err
}

func appendTo(list *[]string) func(string) error {
	return func(text string) error {
		if text == "" {
			return errors.New("must not be empty")
		}
		*list = append(*list, text)
		return nil
	}
}

func parseBucket(text string) (emulator.BucketSpec, error) {
	name, kind, qualified := strings.Cut(text, ":")
	if qualified && kind != "public" && kind != "private" {
		return emulator.BucketSpec{}, fmt.Errorf("a bucket is name, name:public or name:private, not %q", text)
	}
	return emulator.BucketSpec{Name: name, Public: kind == "public"}, nil
}

// accounts pairs the keys in the order of the flags.
func accounts(accessKeys, secretKeys []string) ([]emulator.Account, error) {
	if len(accessKeys) != len(secretKeys) {
		return nil, usageError{fmt.Errorf("%d --access-key and %d --secret-key: they must come in pairs", len(accessKeys), len(secretKeys))}
	}
	var pairs []emulator.Account
	for i := range accessKeys {
		pairs = append(pairs, emulator.Account{AccessKey: accessKeys[i], SecretKey: secretKeys[i]})
	}
	return pairs, nil
}
