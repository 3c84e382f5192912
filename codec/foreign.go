package codec

import (
	"reflect"

	"github.com/handoff-go/handoff/internal/fault"
)

// newForeign is the codec of values that are encoded already: those of T, with
// the fingerprint of whatever they encode.
func newForeign[T any](t reflect.Type, fingerprint string) (Codec[T], error) {
	switch {
	case isEnd(t):
	case t.Kind() == reflect.String:
		return foreign[T]{text[T]{}, fingerprint}, nil
	case isBytes(t):
		return foreign[T]{raw[T]{}, fingerprint}, nil
	}
	return nil, fault.Because(fault.ErrUnsupported, "codec %q carries []byte and string, not %v", Encoded, t)
}

// foreign carries a T as it is, under another codec's name.
type foreign[T any] struct {
	Codec[T]
	fingerprint string
}

func (c foreign[T]) Fingerprint() string { return c.fingerprint }
