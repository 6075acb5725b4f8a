package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/qiniu/terraform-provider-kodo/internal/provider"
)

// This file is the program as Terraform starts it: the provider, with a clock on
// its calls, the floor, or the twin.

const (
	roleVariable  = "KODO_BENCH_ROLE"  // what Terraform's provider is
	usageVariable = "KODO_BENCH_USAGE" // the folder in which each process leaves its usage
	madeVariable  = "KODO_BENCH_MADE"  // the file in which the provider leaves the last object that it made, for the floor to make the same
	roleProvider  = "provider"
	roleFloor     = "floor"
	roleFullFloor = "full floor" // which fills its states as the provider does
	roleTwin      = "twin"
	roleNothing   = "nothing" // says a word and ends
)

// usage is what one process of a provider needed.
type usage struct {
	CPU     time.Duration
	PeakKiB int
	Creates []time.Duration // the time inside each call that creates
}

// serve is the provider until Terraform ends it.
func serve(role string) error {
	if role == roleNothing {
		_, err := fmt.Println("started")
		return err
	}
	began := ownCPU()
	clock := &clock{ProviderServer: provider.NewServer(provider.New("bench")())}
	var served tfprotov6.ProviderServer = clock
	switch role {
	case roleFloor, roleFullFloor:
		served = &floor{ProviderServer: clock.ProviderServer, full: role == roleFullFloor}
	case roleTwin:
		served = provider.NewServer(twin{provider.New("bench")()})
	}
	if err := provider.Serve(func() tfprotov6.ProviderServer { return served }, false); err != nil {
		return err
	}
	peak, err := peakKiB("self")
	if err != nil {
		return err
	}
	text, err := json.Marshal(usage{CPU: ownCPU() - began, PeakKiB: peak, Creates: clock.creates})
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(os.Getenv(usageVariable), strconv.Itoa(os.Getpid())), text, 0o600)
}

// peakKiB is the most memory that a process has had resident.
func peakKiB(process string) (int, error) {
	status, err := os.ReadFile("/proc/" + process + "/status")
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			return strconv.Atoi(strings.TrimSuffix(strings.TrimSpace(rest), " kB"))
		}
	}
	return 0, fmt.Errorf("process %s has no VmHWM", process)
}

// clock is a provider whose calls that create are timed.
type clock struct {
	tfprotov6.ProviderServer

	mu      sync.Mutex
	creates []time.Duration
}

func (c *clock) ApplyResourceChange(ctx context.Context, req *tfprotov6.ApplyResourceChangeRequest) (*tfprotov6.ApplyResourceChangeResponse, error) {
	began := time.Now()
	resp, err := c.ProviderServer.ApplyResourceChange(ctx, req)
	if prior, e := req.PriorState.IsNull(); e == nil && prior {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.creates = append(c.creates, time.Since(began))
		if file := os.Getenv(madeVariable); file != "" && err == nil && resp.NewState != nil {
			err = os.WriteFile(file, resp.NewState.MsgPack, 0o600)
		}
	}
	return resp, err
}

// floor has the provider's schema, and calls that return at once.
type floor struct {
	tfprotov6.ProviderServer

	full   bool // whether what was unknown becomes a text, and not null
	once   sync.Once
	schema *tfprotov6.GetProviderSchemaResponse
	err    error
}

func (f *floor) object(ctx context.Context, typeName string) (*tfprotov6.Schema, error) {
	f.once.Do(func() { f.schema, f.err = f.GetProviderSchema(ctx, &tfprotov6.GetProviderSchemaRequest{}) })
	if f.err != nil {
		return nil, f.err
	}
	return f.schema.ResourceSchemas[typeName], nil
}

func (*floor) ConfigureProvider(context.Context, *tfprotov6.ConfigureProviderRequest) (*tfprotov6.ConfigureProviderResponse, error) {
	return &tfprotov6.ConfigureProviderResponse{}, nil
}

func (*floor) ValidateResourceConfig(context.Context, *tfprotov6.ValidateResourceConfigRequest) (*tfprotov6.ValidateResourceConfigResponse, error) {
	return &tfprotov6.ValidateResourceConfigResponse{}, nil
}

func (f *floor) UpgradeResourceState(ctx context.Context, req *tfprotov6.UpgradeResourceStateRequest) (*tfprotov6.UpgradeResourceStateResponse, error) {
	schema, err := f.object(ctx, req.TypeName)
	if err != nil {
		return nil, err
	}
	value, err := req.RawState.Unmarshal(schema.ValueType())
	if err != nil {
		return nil, err
	}
	state, err := tfprotov6.NewDynamicValue(schema.ValueType(), value)
	return &tfprotov6.UpgradeResourceStateResponse{UpgradedState: &state}, err
}

func (*floor) ReadResource(_ context.Context, req *tfprotov6.ReadResourceRequest) (*tfprotov6.ReadResourceResponse, error) {
	return &tfprotov6.ReadResourceResponse{NewState: req.CurrentState, NewIdentity: req.CurrentIdentity, Private: req.Private}, nil
}

// PlanResourceChange leaves unknown what is computed and new, or plans what the provider has made.
func (f *floor) PlanResourceChange(ctx context.Context, req *tfprotov6.PlanResourceChangeRequest) (*tfprotov6.PlanResourceChangeResponse, error) {
	planned := req.ProposedNewState
	if file := os.Getenv(madeVariable); file != "" {
		if destroyed, err := planned.IsNull(); err != nil || !destroyed {
			made, err := os.ReadFile(file)
			return &tfprotov6.PlanResourceChangeResponse{PlannedState: &tfprotov6.DynamicValue{MsgPack: made}, PlannedPrivate: req.PriorPrivate, PlannedIdentity: req.PriorIdentity}, err
		}
	}
	if prior, err := req.PriorState.IsNull(); err != nil || prior {
		schema, err := f.object(ctx, req.TypeName)
		if err != nil {
			return nil, err
		}
		computed := map[string]bool{}
		for _, attribute := range schema.Block.Attributes {
			computed[attribute.Name] = attribute.Computed
		}
		if planned, err = change(schema.ValueType(), planned, func(name string, v tftypes.Value) any {
			if computed[name] && v.IsNull() {
				return tftypes.UnknownValue
			}
			return v
		}); err != nil {
			return nil, err
		}
	}
	return &tfprotov6.PlanResourceChangeResponse{PlannedState: planned, PlannedPrivate: req.PriorPrivate, PlannedIdentity: req.PriorIdentity}, nil
}

// ApplyResourceChange makes what was unknown null, or a text.
func (f *floor) ApplyResourceChange(ctx context.Context, req *tfprotov6.ApplyResourceChangeRequest) (*tfprotov6.ApplyResourceChangeResponse, error) {
	made := req.PlannedState
	if destroyed, err := made.IsNull(); err != nil || !destroyed {
		schema, err := f.object(ctx, req.TypeName)
		if err != nil {
			return nil, err
		}
		if made, err = change(schema.ValueType(), made, func(_ string, v tftypes.Value) any {
			if v.IsKnown() {
				return v
			}
			return known(v, f.full)
		}); err != nil {
			return nil, err
		}
	}
	return &tfprotov6.ApplyResourceChangeResponse{NewState: made, Private: req.PlannedPrivate, NewIdentity: req.PlannedIdentity}, nil
}

// fact is as long as a hash or a time of Kodo's: the more there is in a state, the more Terraform itself has to do.
const fact = "Fto5o-5ea0sNMlW_75VgGJCv2AcJ"

// known is what an unknown value becomes: null, or where it is a text and that is wanted, a fact.
func known(v tftypes.Value, full bool) any {
	if full && v.Type().Is(tftypes.String) {
		return fact
	}
	return nil
}

// change changes the attributes of an object. What comes back for one is a value
// as tftypes.NewValue takes it.
func change(t tftypes.Type, object *tfprotov6.DynamicValue, to func(name string, v tftypes.Value) any) (*tfprotov6.DynamicValue, error) {
	value, err := object.Unmarshal(t)
	if err != nil {
		return nil, err
	}
	var attributes map[string]tftypes.Value
	if err := value.As(&attributes); err != nil {
		return nil, err
	}
	changed := make(map[string]tftypes.Value, len(attributes))
	for name, v := range attributes {
		switch to := to(name, v).(type) {
		case tftypes.Value:
			changed[name] = to
		default:
			changed[name] = tftypes.NewValue(v.Type(), to)
		}
	}
	made, err := tfprotov6.NewDynamicValue(t, tftypes.NewValue(t, changed))
	return &made, err
}
