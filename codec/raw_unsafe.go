package codec

import "unsafe"

// This file converts between T and the []byte or string it is made of. T may be
// a type of its own (type Line string), and only For has looked at its kind, so
// the compiler cannot know that the conversion is the identity; it is, because a
// defined type has the memory of its underlying type.

// raw carries a T made of []byte as it is.
type raw[T any] struct{}

func (raw[T]) Fingerprint() string { return "raw:bytes" }

func (raw[T]) Append(b []byte, v *T) ([]byte, error) {
	return append(b, *(*[]byte)(unsafe.Pointer(v))...), nil
}

func (raw[T]) View(v *T) []byte { return *(*[]byte)(unsafe.Pointer(v)) }

func (raw[T]) Decode(b []byte, v *T) error {
	if b == nil {
		b = []byte{}
	}
	*(*[]byte)(unsafe.Pointer(v)) = b
	return nil
}

// text carries a T made of string as it is.
type text[T any] struct{}

func (text[T]) Fingerprint() string { return "raw:string" }

func (text[T]) Append(b []byte, v *T) ([]byte, error) {
	return append(b, *(*string)(unsafe.Pointer(v))...), nil
}

func (text[T]) Decode(b []byte, v *T) error {
	*(*string)(unsafe.Pointer(v)) = string(b)
	return nil
}
