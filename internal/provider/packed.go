package provider

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
	"github.com/vmihailenco/msgpack/v5"
)

// This file packs large maps for the framework, which works for microseconds on each element of a map, a dozen times in
// each plan: a second for a directory of ten thousand files. To Terraform the attribute is a map of strings; to the
// framework it is one string, the same map as JSON (decision 21).

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
	text, err := packJSON(req.RawState.JSON, name)
	if err != nil {
		return nil, fmt.Errorf("the state of a %s: %w", req.TypeName, err)
	}
	packed := *req
	packed.RawState = &tfprotov6.RawState{JSON: text}
	resp, err := p.wholeServer.UpgradeResourceState(ctx, &packed)
	if err == nil {
		err = unpackValue(&resp.UpgradedState, name)
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

// packJSON packs an attribute of an object as a state file has it.
func packJSON(object []byte, name string) ([]byte, error) {
	var attributes map[string]json.RawMessage
	if err := json.Unmarshal(object, &attributes); err != nil {
		return nil, err
	}
	var elements map[string]string
	if err := json.Unmarshal(attributes[name], &elements); err != nil || elements == nil {
		return object, nil //nolint:nilerr // It is null or packed already, or the framework says what is wrong.
	}
	text, err := json.Marshal(elements)
	if err != nil {
		return nil, err
	}
	if attributes[name], err = json.Marshal(string(text)); err != nil {
		return nil, err
	}
	return json.Marshal(attributes)
}

// packValue packs an attribute of an object.
func packValue(value **tfprotov6.DynamicValue, name string) error {
	return repack(value, name, func(in *msgpack.Decoder, out *msgpack.Encoder) error {
		var elements map[string]string
		if err := in.Decode(&elements); err != nil {
			return err
		}
		text, err := json.Marshal(elements)
		if err != nil {
			return err
		}
		return out.EncodeString(string(text))
	})
}

// unpackValue undoes packValue.
func unpackValue(value **tfprotov6.DynamicValue, name string) error {
	return repack(value, name, func(in *msgpack.Decoder, out *msgpack.Encoder) error {
		text, err := in.DecodeBytes()
		if err != nil {
			return err
		}
		var elements map[string]string
		if err := json.Unmarshal(text, &elements); err != nil {
			return err
		}
		return out.Encode(elements)
	})
}

// repack changes one attribute of an object, unless it or the object is null or unknown.
func repack(value **tfprotov6.DynamicValue, name string, change func(in *msgpack.Decoder, out *msgpack.Encoder) error) error {
	if *value == nil || len((*value).MsgPack) == 0 {
		return nil
	}
	in := msgpack.NewDecoder(bytes.NewReader((*value).MsgPack))
	if known, err := isKnown(in); !known || err != nil {
		return err
	}
	var packed bytes.Buffer
	out := msgpack.NewEncoder(&packed)
	out.SetSortMapKeys(true)
	n, err := in.DecodeMapLen()
	if err != nil {
		return err
	}
	if err := out.EncodeMapLen(n); err != nil {
		return err
	}
	for range n {
		key, err := in.DecodeString()
		if err != nil {
			return err
		}
		if err := out.EncodeString(key); err != nil {
			return err
		}
		known, err := isKnown(in)
		switch {
		case err != nil:
			return err
		case key == name && known:
			err = change(in, out)
		default:
			var raw msgpack.RawMessage
			if raw, err = in.DecodeRaw(); err == nil {
				err = out.Encode(raw)
			}
		}
		if err != nil {
			return fmt.Errorf("the attribute %s: %w", key, err)
		}
	}
	*value = &tfprotov6.DynamicValue{MsgPack: packed.Bytes()}
	return nil
}

// isKnown reports whether what comes next is a value: neither nil nor an extension, which stands for an unknown one.
func isKnown(in *msgpack.Decoder) (bool, error) {
	code, err := in.PeekCode()
	return err == nil && code != msgpackNil && !isExtension(code), err
}

// Codes of MessagePack, https://github.com/msgpack/msgpack/blob/master/spec.md#formats.
const msgpackNil = 0xc0

func isExtension(code byte) bool { return 0xc7 <= code && code <= 0xc9 || 0xd4 <= code && code <= 0xd8 }
