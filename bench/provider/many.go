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

// many applies, plans and destroys many small objects. The floors are a provider
// with the same schema whose calls return at once, the same with states that are
// as full, and the twin, which is what the framework costs besides; of an apply
// the bare uploads are part of each.
func (b *bench) many(ctx context.Context) (rows []row, err error) {
	e, err := b.emulator()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, e.stop()) }()
	own, err := b.site(e, roleProvider, manyHCL(b.objects))
	if err != nil {
		return nil, err
	}
	floors := []struct {
		role, of string
		site     *site
	}{
		{role: roleFloor, of: "floor provider"},
		{role: roleFullFloor, of: "floor provider with states as full"},
		{role: roleTwin, of: "the framework alone, with states as full"},
	}
	for i := range floors {
		if floors[i].site, err = b.site(e, floors[i].role, manyHCL(b.objects)); err != nil {
			return nil, err
		}
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
		is, err := own.terraform(ctx, command.arguments...)
		if err != nil {
			return rows, err
		}
		note := fmt.Sprintf("%d requests, peak %d MiB; %s, Terraform %s; floor: ", is.requests, is.provider.PeakKiB>>10, cpuNote(is.provider.CPU, is.emulatorCPU), seconds(is.terraformCPU))
		for _, f := range floors {
			floor, err := f.site.terraform(ctx, command.arguments...)
			if err != nil {
				return rows, err
			}
			took := floor.took + command.bare
			note += fmt.Sprintf("%s (CPU: %s, Terraform %s)", f.of, seconds(floor.provider.CPU), seconds(floor.terraformCPU))
			if command.bare > 0 {
				note += " and bare uploads of " + seconds(command.bare)
			}
			rows = append(rows, row{
				fmt.Sprintf("%d objects, %s", b.objects, command.name), seconds(is.took), seconds(took),
				bound(ratio(is.took, took), is.provider.CPU, is.emulatorCPU), note,
			})
			note = "floor: "
		}
	}
	return rows, nil
}
