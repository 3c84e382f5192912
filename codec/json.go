package codec

import (
	"bytes"
	"encoding"
	"encoding/json"
	"errors"
	"reflect"
)

// jsonEncoding is JSON as encoding/json does it.
var jsonEncoding = Encoding{
	Format: JSON,
	Append: appendJSON,
	Decode: func(b []byte, v any) error { return json.Unmarshal(b, v) },
	Tags:   []string{"json"},
	Methods: []Method{
		MethodOf[json.Marshaler, json.Unmarshaler]("MarshalJSON"),
		MethodOf[encoding.TextMarshaler, encoding.TextUnmarshaler]("MarshalText"),
	},
	Lacks: []reflect.Kind{reflect.Complex64, reflect.Complex128},
	Key:   isJSONKey,
}

func appendJSON(b []byte, v any) ([]byte, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return b, err
	}
	if replaced(text) {
		return b, errors.New("a string in it is not UTF-8, and JSON would change it")
	}
	return append(b, text...), nil
}

// replacement is what encoding/json writes for bytes that are not UTF-8. The
// character itself, where a string holds it, it writes as it is.
var replacement = []byte(`\ufffd`)

// replaced reports whether bytes that are not UTF-8 were replaced in text.
func replaced(text []byte) bool {
	for from := 0; ; {
		i := bytes.Index(text[from:], replacement)
		if i < 0 {
			return false
		}
		i += from
		escapes := 0 // backslashes before it: an odd number makes it plain letters
		for i-escapes > 0 && text[i-escapes-1] == '\\' {
			escapes++
		}
		if escapes%2 == 0 {
			return true
		}
		from = i + len(replacement)
	}
}

// isJSONKey reports whether a t can be the key of a JSON object: JSON has text
// for keys.
func isJSONKey(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.String, reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		return true
	}
	return has[encoding.TextMarshaler](t) && has[encoding.TextUnmarshaler](reflect.PointerTo(t))
}
