package acctest

import (
	"fmt"
	"maps"
	"math/big"

	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// Values are the arguments of a block of a configuration, or the attributes of
// an object of a state, by name. A name that is not there is null.
//
// A value is nil for null, Unknown{}, a string, a bool, an int or int64, a
// []any or []string for a list or a set, a map[string]any or
// map[string]string for a map or an object. Values that come back are nil,
// Unknown{}, string, bool, int64, float64, []any and map[string]any.
type Values map[string]any

// With returns the values with some of them changed.
func (v Values) With(changes Values) Values {
	changed := maps.Clone(v)
	maps.Copy(changed, changes)
	return changed
}

// Unknown is a value that is not known yet.
type Unknown struct{}

// Encode makes a protocol value of the type out of a Go value.
func Encode(t tftypes.Type, v any) (tftypes.Value, error) {
	switch v := v.(type) {
	case nil:
		return tftypes.NewValue(t, nil), nil
	case Unknown:
		return tftypes.NewValue(t, tftypes.UnknownValue), nil
	case int:
		return encodeAs(t, int64(v))
	case []string:
		wide := make([]any, len(v))
		for i, text := range v {
			wide[i] = text
		}
		return Encode(t, wide)
	case map[string]string:
		wide := make(map[string]any, len(v))
		for name, text := range v {
			wide[name] = text
		}
		return Encode(t, wide)
	case []any:
		return encodeList(t, v)
	case Values:
		return Encode(t, map[string]any(v))
	case map[string]any:
		return encodeMap(t, v)
	default:
		return encodeAs(t, v)
	}
}

func encodeAs(t tftypes.Type, v any) (tftypes.Value, error) {
	if err := tftypes.ValidateValue(t, v); err != nil {
		return tftypes.Value{}, err
	}
	return tftypes.NewValue(t, v), nil
}

func encodeList(t tftypes.Type, list []any) (tftypes.Value, error) {
	var element tftypes.Type
	switch t := t.(type) {
	case tftypes.List:
		element = t.ElementType
	case tftypes.Set:
		element = t.ElementType
	default:
		return tftypes.Value{}, fmt.Errorf("a list is no %s", t)
	}
	elements := make([]tftypes.Value, len(list))
	for i, v := range list {
		var err error
		if elements[i], err = Encode(element, v); err != nil {
			return tftypes.Value{}, fmt.Errorf("element %d: %w", i, err)
		}
	}
	return encodeAs(t, elements)
}

func encodeMap(t tftypes.Type, entries map[string]any) (tftypes.Value, error) {
	values := map[string]tftypes.Value{}
	switch t := t.(type) {
	case tftypes.Map:
		for name, v := range entries {
			value, err := Encode(t.ElementType, v)
			if err != nil {
				return tftypes.Value{}, fmt.Errorf("entry %q: %w", name, err)
			}
			values[name] = value
		}
	case tftypes.Object:
		for name := range entries {
			if _, ok := t.AttributeTypes[name]; !ok {
				return tftypes.Value{}, fmt.Errorf("there is no attribute %q", name)
			}
		}
		for name, attribute := range t.AttributeTypes {
			value, err := Encode(attribute, entries[name])
			if err != nil {
				return tftypes.Value{}, fmt.Errorf("attribute %q: %w", name, err)
			}
			values[name] = value
		}
	default:
		return tftypes.Value{}, fmt.Errorf("a map is no %s", t)
	}
	return encodeAs(t, values)
}

// decode makes a Go value of a protocol value.
func decode(v tftypes.Value) (any, error) {
	switch {
	case v.IsNull():
		return nil, nil
	case !v.IsKnown():
		return Unknown{}, nil
	}
	switch t := v.Type(); {
	case t.Is(tftypes.String):
		var s string
		err := v.As(&s)
		return s, err
	case t.Is(tftypes.Bool):
		var b bool
		err := v.As(&b)
		return b, err
	case t.Is(tftypes.Number):
		var n big.Float
		err := v.As(&n)
		if i, accuracy := n.Int64(); accuracy == big.Exact {
			return i, err
		}
		f, _ := n.Float64()
		return f, err
	case t.Is(tftypes.List{}), t.Is(tftypes.Set{}):
		return decodeList(v)
	default:
		return decodeMap(v)
	}
}

func decodeList(v tftypes.Value) (any, error) {
	var elements []tftypes.Value
	if err := v.As(&elements); err != nil {
		return nil, err
	}
	list := make([]any, len(elements))
	for i, element := range elements {
		var err error
		if list[i], err = decode(element); err != nil {
			return nil, err
		}
	}
	return list, nil
}

func decodeMap(v tftypes.Value) (any, error) {
	var entries map[string]tftypes.Value
	if err := v.As(&entries); err != nil {
		return nil, err
	}
	values := make(map[string]any, len(entries))
	for name, entry := range entries {
		var err error
		if values[name], err = decode(entry); err != nil {
			return nil, err
		}
	}
	return values, nil
}

// values shows the attributes of an object.
func values(object tftypes.Value) (Values, error) {
	decoded, err := decode(object)
	attributes, _ := decoded.(map[string]any)
	return attributes, err
}
