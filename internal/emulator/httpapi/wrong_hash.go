package httpapi

import (
	"bytes"
	"encoding/json"
)

// What FaultWrongHash answers for every hash: those of the text "other content".
const (
	wrongETag = "FvxDb-9JL9kX7I_64Wx0AT2Bga-V"
	wrongMD5  = "0c84751f0ca9c6886bb09f2dd1a66faa"
)

// withWrongHashes returns an answer with other hashes in it, wherever they are:
// "hash" and "etag", which hold Kodo's own, and "md5".
func withWrongHashes(answer any) (any, error) {
	if values, ok := answer.(lines); ok {
		for i := range values {
			value, err := withWrongHashes(values[i])
			if err != nil {
				return nil, err
			}
			values[i] = value
		}
		return values, nil
	}
	text, err := json.Marshal(answer)
	if err != nil {
		return nil, err
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber() // Put times are too large for a float64.
	var value any
	if err := decoder.Decode(&value); err != nil {
		return nil, err
	}
	setWrongHashes(value)
	return value, nil
}

func setWrongHashes(value any) {
	switch value := value.(type) {
	case []any:
		for _, one := range value {
			setWrongHashes(one)
		}
	case map[string]any:
		for name, one := range value {
			_, isText := one.(string)
			switch {
			case isText && (name == "hash" || name == "etag"):
				value[name] = wrongETag
			case isText && name == "md5":
				value[name] = wrongMD5
			default:
				setWrongHashes(one)
			}
		}
	}
}
