package codec

import (
	"bytes"
	"encoding/json"
	"reflect"

	"github.com/handoff-go/handoff/internal/fault"
)

// jsonCodec carries a T as encoding/json does.
type jsonCodec[T any] struct{ fingerprint string }

func newJSON[T any](t reflect.Type, schema string) (Codec[T], error) {
	w := walker{seen: map[reflect.Type]bool{}}
	if err := w.check(t, typeName(t)); err != nil {
		return nil, err
	}
	return jsonCodec[T]{named("json", schema)}, nil
}

// named is the fingerprint of a codec under which types may evolve.
func named(codec, schema string) string {
	if schema == "" {
		return codec
	}
	return codec + ":" + schema
}

func (c jsonCodec[T]) Fingerprint() string { return c.fingerprint }

func (c jsonCodec[T]) Append(b []byte, v *T) (_ []byte, err error) {
	defer caught(&err)
	text, err := json.Marshal(v)
	if err != nil {
		return b, fault.Because(fault.ErrUnsupported, "%v", err)
	}
	if replaced(text) {
		return b, fault.Because(fault.ErrUnsupported, "a string in the %T is not UTF-8, and JSON would change it", *v)
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

func (c jsonCodec[T]) Decode(b []byte, v *T) (err error) {
	defer caught(&err)
	var fresh T // what is there must not shine through
	if err := json.Unmarshal(b, &fresh); err != nil {
		return mismatch[T]("%v", err)
	}
	*v = fresh
	return nil
}

// Dynamic is what For returns for a struct that travels as JSON, without being
// made for its type at compile time: for senders that know the type only at run
// time. t is checked as For would.
func Dynamic(t reflect.Type, opts Options) (fingerprint string, appendTo func(b []byte, v any) ([]byte, error), err error) {
	w := walker{seen: map[reflect.Type]bool{}}
	if err := w.check(t, typeName(t)); err != nil {
		return "", nil, err
	}
	c := jsonCodec[any]{named("json", opts.Schema)}
	return c.fingerprint, func(b []byte, v any) ([]byte, error) { return c.Append(b, &v) }, nil
}
