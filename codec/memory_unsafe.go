package codec

import (
	"reflect"
	"unsafe"
)

// memory carries a T of fixed layout as its memory.
//
// The unsafe part is to look at a T as bytes. That is sound because isFixed has
// made sure that T holds no pointer, so that the collector does not care what is
// written there, and because Decode lets only bytes in that are some T: every
// bool is 0 or 1, and of the other kinds every bit pattern is a value.
type memory[T any] struct {
	*layout
	fingerprint string
	schema      string
}

func newMemory[T any](t reflect.Type) Codec[T] {
	m := memory[T]{layoutOf(t), fingerprint(t), announced(t)}
	if m.size > 0 && len(m.pads) == 0 && len(m.parts) == 0 {
		return exact[T]{m}
	}
	return m
}

// exact is memory without padding, which may be sent as it lies: of padding, which
// would tell what was there before, Append sends zeros instead.
type exact[T any] struct{ memory[T] }

// View implements Viewer.
func (exact[T]) View(v *T) []byte { return bytesOf(v) }

// bytesOf is the memory of *v.
func bytesOf[T any](v *T) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(v)), unsafe.Sizeof(*v))
}

func (m memory[T]) Fingerprint() string { return m.fingerprint }

func (m memory[T]) Schema() string { return m.schema }

func (m memory[T]) Append(b []byte, v *T) ([]byte, error) {
	start := len(b)
	b = append(b, bytesOf(v)...)
	m.clean(b[start:])
	return b, nil
}

func (m memory[T]) Decode(b []byte, v *T) error {
	if len(b) != m.size {
		return mismatch[T]("%d bytes, want %d", len(b), m.size)
	}
	if at := m.valid(b); at >= 0 {
		return mismatch[T]("the bool at offset %d is %d", at, b[at])
	}
	copy(bytesOf(v), b)
	return nil
}
