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
// provider with the same schema, and against the twin, which is what the
// framework costs; an apply also against the bare uploads.
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
	twinSite, err := b.site(e, roleTwin, manyHCL(b.objects))
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
		twin, err := twinSite.terraform(ctx, command.arguments...)
		if err != nil {
			return rows, err
		}
		uploads := ""
		if command.bare > 0 {
			uploads = " and bare uploads of " + seconds(command.bare)
		}
		name := fmt.Sprintf("%d objects, %s", b.objects, command.name)
		rows = append(rows, row{
			name, seconds(is.took), seconds(floor.took + command.bare),
			bound(ratio(is.took, floor.took+command.bare), is.provider.CPU, is.emulatorCPU),
			fmt.Sprintf("%d requests, peak %d MiB; %s; floor: floor provider%s", is.requests, is.provider.PeakKiB>>10, cpuNote(is.provider.CPU, is.emulatorCPU), uploads),
		}, row{
			name + ", beside the framework", seconds(is.took), seconds(twin.took + command.bare),
			bound(ratio(is.took, twin.took+command.bare), is.provider.CPU, is.emulatorCPU),
			fmt.Sprintf("CPU: provider %s, framework %s, floor provider %s; Terraform %s, %s and %s with each; floor: the framework with the same schema and as full a state%s",
				seconds(is.provider.CPU), seconds(twin.provider.CPU), seconds(floor.provider.CPU),
				seconds(is.terraformCPU), seconds(twin.terraformCPU), seconds(floor.terraformCPU), uploads),
		})
	}
	return rows, nil
}
