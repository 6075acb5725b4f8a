package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
	"golang.org/x/sync/errgroup"

	"github.com/qiniu/terraform-provider-kodo/internal/kodo"
	"github.com/qiniu/terraform-provider-kodo/internal/provider"
)

// together counts the requests for many reads at once, through the protocol and
// by Terraform with a network that takes its time, and measures a lone one.
func (b *bench) together(ctx context.Context) (rows []row, err error) {
	e, err := b.emulator()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, e.stop()) }()
	if _, err := newBare(e).forms(ctx, b.objects, func(int) string { return "hello" }); err != nil {
		return nil, err
	}
	requests, took, err := b.readAtOnce(ctx, e)
	if err != nil {
		return nil, err
	}
	rows = append(rows, row{
		fmt.Sprintf("%d reads at once, through the protocol", b.objects), fmt.Sprintf("%d requests", requests), fmt.Sprintf("%d requests", b.objects),
		fmt.Sprintf("%.3f", float64(requests)/float64(b.objects)), "in " + seconds(took) + "; floor: a request for each",
	})
	lone, err := b.lone(ctx, e)
	if err != nil {
		return rows, err
	}
	rows = append(rows, lone)
	slow, err := b.refreshSlowly(ctx)
	return append(rows, slow), err
}

// readAtOnce imports objects through the protocol, and reads them all at once.
func (b *bench) readAtOnce(ctx context.Context, e *emulator) (requests int, took time.Duration, err error) {
	server := provider.NewServer(provider.New("bench")())
	if err := configure(ctx, server, e.endpoint); err != nil {
		return 0, 0, err
	}
	reads := make([]*tfprotov6.ReadResourceRequest, b.objects)
	for i := range reads {
		imported, err := server.ImportResourceState(ctx, &tfprotov6.ImportResourceStateRequest{TypeName: "kodo_object", ID: fmt.Sprintf("%s/bare/%d", bucket, i)})
		if err != nil || len(imported.ImportedResources) != 1 {
			return 0, 0, fmt.Errorf("import: %v, %w", imported, err)
		}
		one := imported.ImportedResources[0]
		reads[i] = &tfprotov6.ReadResourceRequest{TypeName: "kodo_object", CurrentState: one.State, CurrentIdentity: one.Identity, Private: one.Private}
	}
	before, err := e.requests()
	if err != nil {
		return 0, 0, err
	}
	began := time.Now()
	var all errgroup.Group
	for _, read := range reads {
		all.Go(func() error {
			resp, err := server.ReadResource(ctx, read)
			if err == nil && len(resp.Diagnostics) > 0 {
				err = errors.New(resp.Diagnostics[0].Detail)
			}
			return err
		})
	}
	if err := all.Wait(); err != nil {
		return 0, 0, err
	}
	took = time.Since(began)
	after, err := e.requests()
	return after - before, took, err
}

// configure gives the provider the endpoint and the keys of the emulator.
func configure(ctx context.Context, server tfprotov6.ProviderServer, endpoint string) error {
	schema, err := server.GetProviderSchema(ctx, &tfprotov6.GetProviderSchemaRequest{})
	if err != nil {
		return err
	}
	block, ok := schema.Provider.ValueType().(tftypes.Object)
	if !ok {
		return errors.New("the provider block is no object")
	}
	values := map[string]tftypes.Value{}
	for name, t := range block.AttributeTypes {
		values[name] = tftypes.NewValue(t, nil)
	}
	for name, value := range map[string]string{"endpoint": endpoint, "access_key": accessKey, "secret_key": secretKey} {
		values[name] = tftypes.NewValue(tftypes.String, value)
	}
	config, err := tfprotov6.NewDynamicValue(block, tftypes.NewValue(block, values))
	if err != nil {
		return err
	}
	resp, err := server.ConfigureProvider(ctx, &tfprotov6.ConfigureProviderRequest{Config: &config, TerraformVersion: "1.14.0"})
	if err == nil && len(resp.Diagnostics) > 0 {
		err = errors.New(resp.Diagnostics[0].Detail)
	}
	return err
}

// lone compares a stat of the client, alone, with a bare request. The difference
// is all that the client does, of which waiting for others would be a part.
func (b *bench) lone(ctx context.Context, e *emulator) (row, error) {
	client, err := kodo.New(kodo.Config{AccessKey: accessKey, SecretKey: secretKey, Endpoints: kodo.Endpoints{UC: e.endpoint, RS: e.endpoint}})
	if err != nil {
		return row{}, err
	}
	const looks = 200
	stat, err := median(looks, func() error { _, err := client.Stat(ctx, bucket, "bare/0"); return err })
	if err != nil {
		return row{}, err
	}
	bare := newBare(e)
	floor, err := median(looks, func() error {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, e.endpoint+"/_emulator/faults", nil)
		if err != nil {
			return err
		}
		return bare.do(req, nil)
	})
	return row{
		"one stat, alone", fmt.Sprintf("%.2f ms", milliseconds(stat)), fmt.Sprintf("%.2f ms", milliseconds(floor)),
		fmt.Sprintf("%+.2f ms", milliseconds(stat-floor)), "median; floor: bare request without a signature",
	}, err
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// median is what the one in the middle of so many takes.
func median(n int, do func() error) (time.Duration, error) {
	times := make([]time.Duration, n)
	for i := range times {
		began := time.Now()
		if err := do(); err != nil {
			return 0, err
		}
		times[i] = time.Since(began)
	}
	slices.Sort(times)
	return times[n/2], nil
}

// refreshSlowly lets Terraform refresh ten objects at a time, each request of
// which takes 50 ms.
func (b *bench) refreshSlowly(ctx context.Context) (r row, err error) {
	e, err := b.emulator("--latency", "50ms")
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, e.stop()) }()
	site, err := b.site(e, roleProvider, manyHCL(b.objects))
	if err != nil {
		return r, err
	}
	if _, err := site.terraform(ctx, "apply", "-auto-approve", "-parallelism=100"); err != nil {
		return r, err
	}
	refresh, err := site.terraform(ctx, "refresh", "-parallelism=10")
	if err != nil {
		return r, err
	}
	return row{
		fmt.Sprintf("refresh of %d objects, ten at a time, 50 ms", b.objects), fmt.Sprintf("%d requests", refresh.requests), fmt.Sprintf("%d requests", b.objects),
		fmt.Sprintf("%.3f", float64(refresh.requests)/float64(b.objects)), "in " + seconds(refresh.took) + "; floor: a request for each",
	}, nil
}
