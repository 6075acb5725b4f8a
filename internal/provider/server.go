package provider

import (
	"context"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6/tf6server"
)

// This file is what stands between Terraform and the framework: it keeps many objects in one configuration from
// costing more memory and time than they must (decision 17).

// Serve serves until Terraform, which has started this process, ends it; with debug, until it is interrupted, for
// whoever attaches to it.
func Serve(newServer func() tfprotov6.ProviderServer, debug bool) error {
	var options []tf6server.ServeOpt
	if debug {
		options = append(options, tf6server.WithManagedDebug())
	} else if err := dropUnreadLogs(os.Environ(), os.Setenv); err != nil {
		return err
	}
	ballast := make([]byte, ballastBytes)
	defer runtime.KeepAlive(ballast)
	return tf6server.Serve("registry.terraform.io/qiniu/kodo", newServer, options...)
}

// ballastBytes are counted by the garbage collector and never touched, so they take addresses and no memory. Garbage
// is collected when it has grown as large as what lives: beside a few MiB that is after each second object of a plan,
// and half of the provider's time. With the ballast it is that much later, and a large heap does not grow by more.
const ballastBytes = 16 << 20

// logLevel is the variable with the level of this provider's own log.
const (
	logLevel = "TF_LOG_PROVIDER_KODO"
	logOff   = "OFF"
)

// dropUnreadLogs turns the logs of this process off if nobody has asked for any: whoever does, by TF_LOG,
// TF_LOG_PROVIDER or one of their kind, has the same variable set here. Otherwise the framework writes some hundred
// lines for each object, and Terraform reads each of them and throws it away.
func dropUnreadLogs(environ []string, setenv func(name, value string) error) error {
	if slices.ContainsFunc(environ, func(variable string) bool { return strings.HasPrefix(variable, "TF_LOG") }) {
		return nil
	}
	for _, level := range []string{"TF_LOG_SDK", "TF_LOG_SDK_PROTO", "TF_LOG_SDK_FRAMEWORK", logLevel} {
		if err := setenv(level, logOff); err != nil {
			return err
		}
	}
	return nil
}

// NewServer is a provider as Terraform speaks to it.
func NewServer(p provider.Provider) tfprotov6.ProviderServer {
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	framework, ok := providerserver.NewProtocol6(p)().(wholeServer)
	if !ok {
		panic("the framework serves no list resources or actions any more")
	}
	s := &server{wholeServer: packer{framework}, ended: ended}
	s.schemas = sync.OnceValues(func() (*tfprotov6.GetProviderSchemaResponse, error) {
		return s.GetProviderSchema(context.Background(), &tfprotov6.GetProviderSchemaRequest{})
	})
	return s
}

// A wholeServer serves all kinds of types. Terraform looks for the last two by the server's type, so that a server
// without them has no such types, without an error.
type wholeServer interface {
	tfprotov6.ProviderServer
	tfprotov6.ListResourceServer
	tfprotov6.ActionServer
}

// A server forgets the context of each call when the call is over. The framework keeps those of all calls, with a dozen
// loggers each, until the process ends: that is a gigabyte for a plan of ten thousand objects.
type server struct {
	wholeServer
	ended   context.Context // of every call that is over
	schemas func() (*tfprotov6.GetProviderSchemaResponse, error)
}

func (s *server) ValidateResourceConfig(ctx context.Context, req *tfprotov6.ValidateResourceConfigRequest) (*tfprotov6.ValidateResourceConfigResponse, error) {
	return call(ctx, s.ended, req, s.wholeServer.ValidateResourceConfig)
}

func (s *server) UpgradeResourceState(ctx context.Context, req *tfprotov6.UpgradeResourceStateRequest) (*tfprotov6.UpgradeResourceStateResponse, error) {
	if state := s.current(req); state != nil {
		return &tfprotov6.UpgradeResourceStateResponse{UpgradedState: state}, nil
	}
	return call(ctx, s.ended, req, s.wholeServer.UpgradeResourceState)
}

// current is a state that needs no upgrade, which a destroy asks for three times for each object:
// all that happens to it is that JSON becomes MessagePack, and the framework takes twice as long (decision 24). It is nil
// for what the framework has more to say of: a state of another version or another schema, and a type with blocks, which
// the framework adds where they are missing.
func (s *server) current(req *tfprotov6.UpgradeResourceStateRequest) *tfprotov6.DynamicValue {
	all, err := s.schemas()
	if err != nil || req.RawState == nil {
		return nil
	}
	schema := all.ResourceSchemas[req.TypeName]
	if schema == nil || schema.Version != req.Version || len(schema.Block.BlockTypes) > 0 {
		return nil
	}
	valueType := schema.ValueType()
	value, err := req.RawState.Unmarshal(valueType)
	if err != nil {
		return nil
	}
	state, err := tfprotov6.NewDynamicValue(valueType, value)
	if err != nil {
		return nil
	}
	return &state
}

func (s *server) ReadResource(ctx context.Context, req *tfprotov6.ReadResourceRequest) (*tfprotov6.ReadResourceResponse, error) {
	return call(ctx, s.ended, req, s.wholeServer.ReadResource)
}

func (s *server) PlanResourceChange(ctx context.Context, req *tfprotov6.PlanResourceChangeRequest) (*tfprotov6.PlanResourceChangeResponse, error) {
	return call(ctx, s.ended, req, s.wholeServer.PlanResourceChange)
}

func (s *server) ApplyResourceChange(ctx context.Context, req *tfprotov6.ApplyResourceChangeRequest) (*tfprotov6.ApplyResourceChangeResponse, error) {
	return call(ctx, s.ended, req, s.wholeServer.ApplyResourceChange)
}

// call makes one call, whose context is another one afterwards.
func call[Req, Resp any](ctx, ended context.Context, req Req, handle func(context.Context, Req) (Resp, error)) (Resp, error) {
	var c callContext
	c.is.Store(&ctx)
	defer c.is.Store(&ended)
	return handle(&c, req)
}

// A callContext is a context that can be exchanged for another, so that whoever keeps it does not keep what it held.
type callContext struct {
	is atomic.Pointer[context.Context]
}

func (c *callContext) Deadline() (deadline time.Time, ok bool) { return (*c.is.Load()).Deadline() }
func (c *callContext) Done() <-chan struct{}                   { return (*c.is.Load()).Done() }
func (c *callContext) Err() error                              { return (*c.is.Load()).Err() }
func (c *callContext) Value(key any) any                       { return (*c.is.Load()).Value(key) }
