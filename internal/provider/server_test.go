package provider_test

import (
	"context"
	"errors"
	"maps"
	"runtime"
	"testing"
	"weak"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	framework "github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/qiniu/terraform-provider-kodo/internal/provider"
)

// TestContextsForgotten makes calls, and finds nothing left of their contexts.
func TestContextsForgotten(t *testing.T) {
	t.Parallel()
	var read context.Context
	server := provider.NewServer(&only{read: func(ctx context.Context) { read = ctx }})
	value := thing(t)
	for name, call := range map[string]func(context.Context) error{
		"validate": func(ctx context.Context) error {
			_, err := server.ValidateResourceConfig(ctx, &tfprotov6.ValidateResourceConfigRequest{TypeName: "only_thing", Config: value})
			return err
		},
		"upgrade": func(ctx context.Context) error {
			_, err := server.UpgradeResourceState(ctx, &tfprotov6.UpgradeResourceStateRequest{TypeName: "only_thing", RawState: &tfprotov6.RawState{JSON: []byte(`{"name":"a"}`)}})
			return err
		},
		"read": func(ctx context.Context) error {
			_, err := server.ReadResource(ctx, &tfprotov6.ReadResourceRequest{TypeName: "only_thing", CurrentState: value})
			return err
		},
		"plan": func(ctx context.Context) error {
			_, err := server.PlanResourceChange(ctx, &tfprotov6.PlanResourceChangeRequest{TypeName: "only_thing", Config: value, PriorState: value, ProposedNewState: value})
			return err
		},
		"apply": func(ctx context.Context) error {
			_, err := server.ApplyResourceChange(ctx, &tfprotov6.ApplyResourceChangeRequest{TypeName: "only_thing", Config: value, PriorState: value, PlannedState: value})
			return err
		},
	} {
		left := carry(t, name, call)
		runtime.GC()
		if left.Value() != nil {
			t.Errorf("%s: the context of a call that is over is still held", name)
		}
	}
	runtime.KeepAlive(server)
	if read == nil || !errors.Is(read.Err(), context.Canceled) {
		t.Errorf("the context of a read that is over says %v, want that it is cancelled", read)
	}
}

// carry makes a call whose context carries something, and returns that.
func carry(t *testing.T, name string, call func(context.Context) error) weak.Pointer[[1024]byte] {
	t.Helper()
	type key struct{}
	load := new([1024]byte)
	ctx, cancel := context.WithCancel(context.WithValue(t.Context(), key{}, load))
	defer cancel()
	if err := call(ctx); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return weak.Make(load)
}

// TestCallCancelled interrupts a call, as Terraform does when its user has enough.
func TestCallCancelled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	server := provider.NewServer(&only{read: func(ctx context.Context) {
		cancel()
		<-ctx.Done()
	}})
	if _, err := server.ReadResource(ctx, &tfprotov6.ReadResourceRequest{TypeName: "only_thing", CurrentState: thing(t)}); err != nil {
		t.Fatal(err)
	}
}

// TestUnreadLogsDropped: logs are off unless a variable of the process asks for any.
func TestUnreadLogsDropped(t *testing.T) {
	t.Parallel()
	for variable, dropped := range map[string]bool{
		"TERM=dumb":                    true,
		"TF_LOG=WARN":                  false,
		"TF_LOG_PROVIDER=TRACE":        false,
		"TF_LOG_SDK_FRAMEWORK=DEBUG":   false,
		"TF_LOG_PATH=terraform.log":    false,
		"MY_TF_LOG=TRACE":              true,
		"TF_CLI_CONFIG_FILE=/dev/null": true,
	} {
		set := map[string]string{}
		err := provider.DropUnreadLogs([]string{"HOME=/root", variable}, func(name, value string) error {
			set[name] = value
			return nil
		})
		want := map[string]string{}
		if dropped {
			want = map[string]string{"TF_LOG_SDK": "OFF", "TF_LOG_SDK_PROTO": "OFF", "TF_LOG_SDK_FRAMEWORK": "OFF", "TF_LOG_PROVIDER_KODO": "OFF"}
		}
		if err != nil || !maps.Equal(set, want) {
			t.Errorf("with %s: set %v, %v; want %v", variable, set, err, want)
		}
	}
	failed := errors.New("no room")
	if err := provider.DropUnreadLogs(nil, func(string, string) error { return failed }); !errors.Is(err, failed) {
		t.Errorf("a variable that cannot be set: %v", err)
	}
}

// thingType is the type of the only resource of the provider only.
var thingType = tftypes.Object{AttributeTypes: map[string]tftypes.Type{"name": tftypes.String}}

// thing is one of those resources.
func thing(t *testing.T) *tfprotov6.DynamicValue {
	t.Helper()
	v, err := tfprotov6.NewDynamicValue(thingType, tftypes.NewValue(thingType, map[string]tftypes.Value{"name": tftypes.NewValue(tftypes.String, "a")}))
	if err != nil {
		t.Fatal(err)
	}
	return &v
}

// only is a provider with one type of resource, which keeps whatever it is given.
type only struct {
	read func(context.Context)
}

func (p *only) Metadata(_ context.Context, _ framework.MetadataRequest, resp *framework.MetadataResponse) {
	resp.TypeName = "only"
}
func (*only) Schema(context.Context, framework.SchemaRequest, *framework.SchemaResponse)          {}
func (*only) Configure(context.Context, framework.ConfigureRequest, *framework.ConfigureResponse) {}
func (*only) DataSources(context.Context) []func() datasource.DataSource                          { return nil }
func (p *only) Resources(context.Context) []func() resource.Resource {
	return []func() resource.Resource{func() resource.Resource { return &onlyThing{p} }}
}

type onlyThing struct{ provider *only }

func (*onlyThing) Metadata(_ context.Context, _ resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = "only_thing"
}

func (*onlyThing) Schema(_ context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	resp.Schema = schema.Schema{Attributes: map[string]schema.Attribute{"name": schema.StringAttribute{Required: true}}}
}

func (r *onlyThing) Read(ctx context.Context, _ resource.ReadRequest, _ *resource.ReadResponse) {
	r.provider.read(ctx)
}
func (*onlyThing) Create(context.Context, resource.CreateRequest, *resource.CreateResponse) {}
func (*onlyThing) Update(context.Context, resource.UpdateRequest, *resource.UpdateResponse) {}
func (*onlyThing) Delete(context.Context, resource.DeleteRequest, *resource.DeleteResponse) {}
