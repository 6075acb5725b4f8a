package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/qiniu/terraform-provider-kodo/internal/kodo"
)

// listing reads kodo_objects of a bucket of a hundred objects for each of many,
// against the client that follows the same listing and keeps nothing.
func (b *bench) listing(ctx context.Context) (rows []row, err error) {
	e, err := b.emulator()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, e.stop()) }()
	n := 100 * b.objects
	if _, err := newBare(e).forms(ctx, n, func(int) string { return "hello" }); err != nil {
		return nil, err
	}
	floor, err := listOnly(ctx, e, n)
	if err != nil {
		return nil, err
	}
	site, err := b.site(e, roleProvider, fmt.Sprintf("data \"kodo_objects\" \"all\" {\n  bucket = %q\n}\n\noutput \"n\" {\n  value = length(data.kodo_objects.all.objects)\n}\n", bucket))
	if err != nil {
		return nil, err
	}
	for _, command := range [][]string{{"apply", "-auto-approve"}, {"plan"}} {
		is, err := site.terraform(ctx, command...)
		if err != nil {
			return rows, err
		}
		rows = append(rows, row{
			fmt.Sprintf("%d objects listed, %s", n, command[0]), seconds(is.took), seconds(floor), ratio(is.took, floor),
			fmt.Sprintf("peak %d MiB; %s; floor: the listing alone", is.provider.PeakKiB>>10, cpuNote(is.provider.CPU, is.emulatorCPU)),
		})
	}
	return rows, nil
}

// listOnly follows the listing and counts.
func listOnly(ctx context.Context, e *emulator, want int) (time.Duration, error) {
	client, err := kodo.New(kodo.Config{AccessKey: accessKey, SecretKey: secretKey, Endpoints: kodo.Endpoints{RSF: e.endpoint}})
	if err != nil {
		return 0, err
	}
	began, n := time.Now(), 0
	for _, err := range client.Objects(ctx, bucket, kodo.ListOptions{}) {
		if err != nil {
			return 0, err
		}
		n++
	}
	if n != want {
		return 0, fmt.Errorf("%d objects were listed, not %d", n, want)
	}
	return time.Since(began), nil
}
