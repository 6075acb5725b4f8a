package tfkodo

import (
	"bytes"

	"github.com/vmihailenco/msgpack/v5"
)

// PackMap makes the one string of a large map that the framework sees instead of it (decision 21): the map as Terraform
// sends it, in MessagePack with its keys in order.
func PackMap(elements map[string]string) string {
	var packed bytes.Buffer
	out := msgpack.NewEncoder(&packed)
	out.SetSortMapKeys(true)
	if err := out.Encode(elements); err != nil { // strings can always be encoded
		panic(err)
	}
	return packed.String()
}

// UnpackMap undoes PackMap. It returns nil for what is no map of strings, such as no text at all.
func UnpackMap(packed string) map[string]string {
	var elements map[string]string
	if err := msgpack.Unmarshal([]byte(packed), &elements); err != nil {
		return nil
	}
	return elements
}
