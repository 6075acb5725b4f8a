package provider

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
	"github.com/vmihailenco/msgpack/v5"

	"github.com/qiniu/terraform-provider-kodo/internal/tfkodo"
)

// This file packs large maps for the framework, which works for microseconds on each element of a map, a dozen times in
// each plan: a second for a directory of ten thousand files. To Terraform the attribute is a map of strings; to the
// framework it is one string that holds the bytes of the map as Terraform has sent them (decision 21).

// packedAttribute names the attribute of a resource type that is packed; "" for none.
func packedAttribute(typeName string) string {
	if typeName == "kodo_directory" {
		return "files"
	}
	return ""
}

// A packer is a server whose framework sees packed attributes. Configurations never have one: they are computed.
type packer struct {
	wholeServer
}

func (p packer) GetProviderSchema(ctx context.Context, req *tfprotov6.GetProviderSchemaRequest) (*tfprotov6.GetProviderSchemaResponse, error) {
	resp, err := p.wholeServer.GetProviderSchema(ctx, req)
	if err != nil {
		return nil, err
	}
	for typeName, schema := range resp.ResourceSchemas {
		for _, attribute := range schema.Block.Attributes {
			if attribute.Name == packedAttribute(typeName) {
				attribute.Type = tftypes.Map{ElementType: tftypes.String}
			}
		}
	}
	return resp, nil
}

func (p packer) UpgradeResourceState(ctx context.Context, req *tfprotov6.UpgradeResourceStateRequest) (*tfprotov6.UpgradeResourceStateResponse, error) {
	name := packedAttribute(req.TypeName)
	if name == "" || req.RawState == nil || req.RawState.JSON == nil {
		return p.wholeServer.UpgradeResourceState(ctx, req)
	}
	rest, elements, err := cutJSON(req.RawState.JSON, name)
	if err != nil {
		return nil, fmt.Errorf("the state of a %s: %w", req.TypeName, err)
	}
	cut := *req // An upgrade of an older schema would not see the attribute.
	cut.RawState = &tfprotov6.RawState{JSON: rest}
	resp, err := p.wholeServer.UpgradeResourceState(ctx, &cut)
	if err == nil && elements != nil {
		err = fillValue(&resp.UpgradedState, name, elements)
	}
	return resp, err
}

func (p packer) ReadResource(ctx context.Context, req *tfprotov6.ReadResourceRequest) (*tfprotov6.ReadResourceResponse, error) {
	name := packedAttribute(req.TypeName)
	if name == "" {
		return p.wholeServer.ReadResource(ctx, req)
	}
	packed := *req
	if err := packValue(&packed.CurrentState, name); err != nil {
		return nil, err
	}
	resp, err := p.wholeServer.ReadResource(ctx, &packed)
	if err == nil {
		err = unpackValue(&resp.NewState, name)
	}
	return resp, err
}

func (p packer) PlanResourceChange(ctx context.Context, req *tfprotov6.PlanResourceChangeRequest) (*tfprotov6.PlanResourceChangeResponse, error) {
	name := packedAttribute(req.TypeName)
	if name == "" {
		return p.wholeServer.PlanResourceChange(ctx, req)
	}
	packed := *req
	for _, value := range []**tfprotov6.DynamicValue{&packed.PriorState, &packed.ProposedNewState} {
		if err := packValue(value, name); err != nil {
			return nil, err
		}
	}
	resp, err := p.wholeServer.PlanResourceChange(ctx, &packed)
	if err == nil {
		err = unpackValue(&resp.PlannedState, name)
	}
	return resp, err
}

func (p packer) ApplyResourceChange(ctx context.Context, req *tfprotov6.ApplyResourceChangeRequest) (*tfprotov6.ApplyResourceChangeResponse, error) {
	name := packedAttribute(req.TypeName)
	if name == "" {
		return p.wholeServer.ApplyResourceChange(ctx, req)
	}
	packed := *req
	for _, value := range []**tfprotov6.DynamicValue{&packed.PriorState, &packed.PlannedState} {
		if err := packValue(value, name); err != nil {
			return nil, err
		}
	}
	resp, err := p.wholeServer.ApplyResourceChange(ctx, &packed)
	if err == nil {
		err = unpackValue(&resp.NewState, name)
	}
	return resp, err
}

func (p packer) GenerateResourceConfig(ctx context.Context, req *tfprotov6.GenerateResourceConfigRequest) (*tfprotov6.GenerateResourceConfigResponse, error) {
	name := packedAttribute(req.TypeName)
	if name == "" {
		return p.wholeServer.GenerateResourceConfig(ctx, req)
	}
	packed := *req
	if err := packValue(&packed.State, name); err != nil {
		return nil, err
	}
	resp, err := p.wholeServer.GenerateResourceConfig(ctx, &packed)
	if err == nil {
		err = unpackValue(&resp.Config, name)
	}
	return resp, err
}

// cutJSON takes an attribute out of an object as a state file has it, and returns it as MessagePack; nil if it is null.
func cutJSON(object []byte, name string) (rest []byte, cut msgpack.RawMessage, err error) {
	var attributes map[string]json.RawMessage
	if err := json.Unmarshal(object, &attributes); err != nil {
		return nil, nil, err
	}
	value, ok := attributes[name]
	if !ok {
		return object, nil, nil
	}
	var elements map[string]string
	if err := json.Unmarshal(value, &elements); err != nil {
		return nil, nil, fmt.Errorf("the attribute %s: %w", name, err)
	}
	delete(attributes, name)
	rest, err = json.Marshal(attributes)
	if elements == nil {
		return rest, nil, err
	}
	return rest, msgpack.RawMessage(tfkodo.PackMap(elements)), err
}

// packValue packs an attribute of an object, unless it is null or unknown.
func packValue(value **tfprotov6.DynamicValue, name string) error {
	return change(value, name, func(raw msgpack.RawMessage) (any, error) {
		if !isKnown(raw) {
			return raw, nil
		}
		return string(raw), nil
	})
}

// unpackValue undoes packValue.
func unpackValue(value **tfprotov6.DynamicValue, name string) error {
	return change(value, name, func(raw msgpack.RawMessage) (any, error) {
		if !isKnown(raw) {
			return raw, nil
		}
		var packed msgpack.RawMessage
		err := msgpack.Unmarshal(raw, (*[]byte)(&packed))
		return packed, err
	})
}

// fillValue puts the value of an attribute into an object.
func fillValue(value **tfprotov6.DynamicValue, name string, with msgpack.RawMessage) error {
	return change(value, name, func(msgpack.RawMessage) (any, error) { return with, nil })
}

// change changes one attribute of an object, unless that is null or unknown.
func change(value **tfprotov6.DynamicValue, name string, to func(raw msgpack.RawMessage) (any, error)) error {
	if *value == nil || !isKnown((*value).MsgPack) {
		return nil
	}
	in := msgpack.NewDecoder(bytes.NewReader((*value).MsgPack))
	n, err := in.DecodeMapLen()
	if err != nil {
		return err
	}
	changed := bytes.NewBuffer(make([]byte, 0, len((*value).MsgPack)))
	out := msgpack.NewEncoder(changed)
	if err := out.EncodeMapLen(n); err != nil {
		return err
	}
	for range n {
		key, err := in.DecodeString()
		if err != nil {
			return err
		}
		raw, err := in.DecodeRaw()
		if err != nil {
			return fmt.Errorf("the attribute %s: %w", key, err)
		}
		var v any = raw
		if key == name {
			if v, err = to(raw); err != nil {
				return fmt.Errorf("the attribute %s: %w", key, err)
			}
		}
		if err := errors.Join(out.EncodeString(key), out.Encode(v)); err != nil {
			return err
		}
	}
	*value = &tfprotov6.DynamicValue{MsgPack: changed.Bytes()}
	return nil
}

// isKnown reports whether MessagePack is that of a value: of neither nil nor an extension, which stands for an unknown
// one.
func isKnown(raw []byte) bool {
	return len(raw) > 0 && raw[0] != msgpackNil && !isExtension(raw[0])
}

// Codes of MessagePack, https://github.com/msgpack/msgpack/blob/master/spec.md#formats.
const msgpackNil = 0xc0

func isExtension(code byte) bool { return 0xc7 <= code && code <= 0xc9 || 0xd4 <= code && code <= 0xd8 }
