//go:build unix

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/qiniu/terraform-provider-kodo/internal/workspace"
)

type options struct {
	keep     bool
	temp     string    // the work folder is made in it
	out      io.Writer // one line for each step
	progress io.Writer // what a long build has to say
}

// demo is one run. Its fields are set by the steps, in their order.
type demo struct {
	options
	work     string // everything that the run writes is below it
	emulator *emulator
	site     *site
	tf       *workspace.Workspace
	http     *http.Client
}

// step does one thing, or fails, and says in half a line what it did.
type step struct {
	name string
	do   func(context.Context) (string, error)
}

func run(ctx context.Context, opts options) (err error) {
	work, err := os.MkdirTemp(opts.temp, "kodo-demo-")
	if err != nil {
		return err
	}
	d := &demo{options: opts, work: work, http: &http.Client{Timeout: time.Minute}}
	defer func() {
		if err == nil && d.keep {
			return
		}
		err = errors.Join(err, d.cleanUp())
	}()

	steps := []step{
		{"build", d.build},
		{"start", d.start},
		{"apply", d.apply},
		{"fetch", d.fetch},
		{"plan", d.planAgain},
		{"change", d.change},
	}
	if !d.keep {
		steps = append(steps, step{"destroy", d.destroy})
	}
	for _, step := range steps {
		began := time.Now()
		what, err := step.do(ctx)
		if err != nil {
			return fmt.Errorf("%s: %w", step.name, err)
		}
		d.say("%-8s %6.1f s   %s", step.name, time.Since(began).Seconds(), what)
	}
	if d.keep {
		d.say("\nThe site is up:  %s\nTo end it:       kill %d && rm -r %s", d.site.address(), d.emulator.pid(), d.work)
	}
	return nil
}

func (d *demo) say(format string, args ...any) {
	fmt.Fprintf(d.out, format+"\n", args...)
}

func (d *demo) cleanUp() error {
	var stopped error
	if d.emulator != nil {
		stopped = d.emulator.stop()
	}
	return errors.Join(stopped, os.RemoveAll(d.work))
}

func (d *demo) bin() string { return filepath.Join(d.work, "bin") }

// build compiles the provider and the emulator and copies the configuration.
func (d *demo) build(ctx context.Context) (string, error) {
	root, err := workspace.Root()
	if err != nil {
		return "", err
	}
	if err := workspace.Build(ctx, root, d.bin(), ".", "./cmd/kodo-emulator"); err != nil {
		return "", err
	}
	binary, err := workspace.Binary(ctx, root, d.progress)
	if err != nil {
		return "", err
	}
	config := filepath.Join(d.work, "config")
	if err := os.CopyFS(config, os.DirFS(filepath.Join(root, "examples", "demo"))); err != nil {
		return "", err
	}
	if d.site, err = newSite(filepath.Join(config, "site")); err != nil {
		return "", err
	}
	if d.tf, err = workspace.New(config, d.bin(), binary); err != nil {
		return "", err
	}
	version, err := d.tf.Version(ctx)
	return fmt.Sprintf("the provider and the emulator; %s (%s)", version, binary), err
}

// start starts the emulator as a program of its own, as a user does.
func (d *demo) start(ctx context.Context) (string, error) {
	var err error
	if d.emulator, err = startEmulator(ctx, filepath.Join(d.bin(), "kodo-emulator"), d.work); err != nil {
		return "", err
	}
	d.tf.Setenv(d.emulator.exports)
	return "a local Kodo at " + d.emulator.endpoint(), nil
}

func (d *demo) apply(ctx context.Context) (string, error) {
	if err := d.tf.Apply(ctx); err != nil {
		return "", err
	}
	if err := d.tf.Output(ctx, "files", &d.site.urls); err != nil {
		return "", err
	}
	sent, err := d.emulator.requests(ctx)
	if err != nil {
		return "", err
	}
	parts := sent.count(func(r request) bool { return r.Service == "up" && r.Method == http.MethodPut })
	if parts < 2 {
		return "", fmt.Errorf("%s went up in %d parts, want some: it is larger than 4 MiB", foghorn, parts)
	}
	files, size, err := d.site.total()
	return fmt.Sprintf("a bucket and %d objects, %.1f MB; the largest went up in %d parts", files, float64(size)/1e6, parts), err
}

func (d *demo) fetch(ctx context.Context) (string, error) {
	files, size, err := d.site.compare(ctx, d.http)
	return fmt.Sprintf("%d files over HTTP, %.1f MB: every byte is the same", files, float64(size)/1e6), err
}

func (d *demo) planAgain(ctx context.Context) (string, error) {
	plan, err := d.tf.Plan(ctx)
	if err != nil {
		return "", err
	}
	if plan != "" {
		return "", fmt.Errorf("the second plan is not empty:\n%s", plan)
	}
	return "once more: nothing to change", nil
}

// change edits one file and shows, by the requests that the server saw, that
// nothing else was uploaded. A form upload's path does not name its key, so
// what it stored is seen by fetching everything once more.
func (d *demo) change(ctx context.Context) (string, error) {
	const edited = "visit/index.html"
	if err := d.site.edit(edited); err != nil {
		return "", err
	}
	if err := d.emulator.forgetRequests(ctx); err != nil {
		return "", err
	}
	if err := d.tf.Apply(ctx); err != nil {
		return "", err
	}
	sent, err := d.emulator.requests(ctx)
	if err != nil {
		return "", err
	}
	if uploads := sent.count(func(r request) bool { return r.Service == "up" }); uploads != 1 {
		return "", fmt.Errorf("%d requests to the upload service after one file was edited, want 1:\n%s", uploads, sent)
	}
	files, _, err := d.site.compare(ctx, d.http)
	return fmt.Sprintf("%s edited: 1 upload, all %d files on the server are the local ones again", edited, files), err
}

func (d *demo) destroy(ctx context.Context) (string, error) {
	if err := d.tf.Destroy(ctx); err != nil {
		return "", err
	}
	client, err := d.emulator.client()
	if err != nil {
		return "", err
	}
	var left []string
	for bucket, err := range client.Buckets(ctx) {
		if err != nil {
			return "", err
		}
		left = append(left, bucket.Name)
	}
	if len(left) > 0 {
		return "", fmt.Errorf("buckets are left on the server: %s", strings.Join(left, ", "))
	}
	return "everything; the server is empty", nil
}
