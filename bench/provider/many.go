package main

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// manyHCL is the configuration of so many small objects.
func manyHCL(n int) string {
	return fmt.Sprintf("resource \"kodo_object\" \"o\" {\n  count   = %d\n  bucket  = %q\n  key     = \"many/${count.index}.txt\"\n  content = \"object ${count.index}\"\n}\n", n, bucket)
}

// many applies, plans and destroys many small objects, against the floor
// provider with the same schema; an apply also against the bare uploads.
func (b *bench) many(ctx context.Context) (rows []row, err error) {
	e, err := b.emulator()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, e.stop()) }()
	floorSite, err := b.site(e, roleFloor, manyHCL(b.objects))
	if err != nil {
		return nil, err
	}
	site, err := b.site(e, roleProvider, manyHCL(b.objects))
	if err != nil {
		return nil, err
	}
	uploads, err := newBare(e).forms(ctx, b.objects, func(i int) string { return fmt.Sprintf("object %d", i) })
	if err != nil {
		return nil, err
	}
	for _, command := range []struct {
		name      string
		bare      time.Duration
		arguments []string
	}{
		{"apply", uploads, []string{"apply", "-auto-approve"}},
		{"plan without a change", 0, []string{"plan"}},
		{"destroy", 0, []string{"destroy", "-auto-approve"}},
	} {
		floor, err := floorSite.terraform(ctx, command.arguments...)
		if err != nil {
			return rows, err
		}
		is, err := site.terraform(ctx, command.arguments...)
		if err != nil {
			return rows, err
		}
		note := fmt.Sprintf("%d requests, peak %d MiB; %s; floor: floor provider", is.requests, is.provider.PeakKiB>>10, cpuNote(is.provider.CPU, is.emulatorCPU))
		if command.bare > 0 {
			note += " and bare uploads of " + seconds(command.bare)
		}
		rows = append(rows, row{
			fmt.Sprintf("%d objects, %s", b.objects, command.name), seconds(is.took), seconds(floor.took + command.bare),
			bound(ratio(is.took, floor.took+command.bare), is.provider.CPU, is.emulatorCPU), note,
		})
	}
	return rows, nil
}
