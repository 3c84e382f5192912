package codec

import (
	"encoding"
	"fmt"
	"reflect"

	"github.com/handoff-go/handoff/internal/fault"
)

// isBinary reports whether a T encodes itself: MarshalBinary or AppendBinary on
// T or *T, and UnmarshalBinary on *T.
func isBinary(t reflect.Type) bool {
	p := reflect.PointerTo(t)
	return has[encoding.BinaryUnmarshaler](p) && (has[encoding.BinaryMarshaler](p) || has[encoding.BinaryAppender](p))
}

// binaryCodec carries a T by its own methods.
type binaryCodec[T any] struct{ fingerprint string }

// newBinary names the type in the fingerprint, with the path of its package,
// where no schema is given: the form is a type's own, and only it knows whether
// it evolves.
func newBinary[T any](t reflect.Type, schema string) (Codec[T], error) {
	for _, name := range []string{"AppendBinary", "MarshalBinary"} {
		if promoted(t, name) {
			return nil, refuse(t, typeName(t), lossyMethod(name))
		}
	}
	if schema == "" {
		schema = t.String()
		if t.Name() != "" {
			schema = t.PkgPath() + "." + t.Name()
		}
	}
	return binaryCodec[T]{named("binary", schema)}, nil
}

func (c binaryCodec[T]) Fingerprint() string { return c.fingerprint }

func (c binaryCodec[T]) Append(b []byte, v *T) (_ []byte, err error) {
	start := len(b)
	defer caught(&err)
	if a, ok := any(v).(encoding.BinaryAppender); ok {
		b, err = a.AppendBinary(b)
	} else {
		var own []byte
		own, err = any(v).(encoding.BinaryMarshaler).MarshalBinary()
		b = append(b, own...)
	}
	if err != nil {
		return b[:start], fault.Because(fault.ErrUnsupported, "%T: %v", *v, err)
	}
	return b, nil
}

func (c binaryCodec[T]) Decode(b []byte, v *T) (err error) {
	defer caught(&err)
	var fresh T
	if err := any(&fresh).(encoding.BinaryUnmarshaler).UnmarshalBinary(b); err != nil {
		return mismatch[T]("%v", err)
	}
	*v = fresh
	return nil
}

// caught turns a panic of a value's own method into an error: bytes from another
// process must not end this one.
func caught(err *error) {
	if p := recover(); p != nil {
		*err = fault.Because(fault.ErrTypeMismatch, "panic in the value's own codec: %v", fmt.Sprint(p))
	}
}
