// Package codec turns values into bytes and back, for channels that leave the
// process.
//
// [For] chooses by the type:
//
//   - []byte and string, and types made of them, travel as they are. A nil
//     []byte arrives as an empty one.
//   - A type of fixed layout without pointers (numbers, bools, arrays and structs
//     of them) travels as its memory, with padding zeroed.
//   - A type with MarshalBinary and UnmarshalBinary travels by these.
//   - Every other type travels as JSON.
//
// A [Format] asks for JSON or CBOR whatever the type. CBOR needs an import of
// package codec/cbor, since this one imports the standard library only.
//
// A codec has a fingerprint, which both ends of a channel compare when they are
// opened: two ends that could misread each other do not open. For memory it is
// the layout with word size and byte order, for the others the name of the codec
// and of the schema, so that a type may evolve under one schema.
//
// What cannot cross a process boundary (chan, func, unsafe.Pointer, the ends of
// a channel) is refused by For, with the field's name, and so is what JSON or
// CBOR would lose without a word. What an interface holds is judged in the same
// way when it is sent, and arrives as the format's own: a struct as a map, in
// JSON a number as a float64. A value that nests deeper than 1,000 levels, or
// contains itself, is ErrUnsupported when it is sent. Nothing here panics,
// whatever the bytes, and the memory decoding takes is bounded by their number.
package codec

import (
	"reflect"

	"github.com/handoff-go/handoff/internal/fault"
)

// Codec encodes and decodes values of T. It may be used by several goroutines at
// once.
type Codec[T any] interface {
	// Fingerprint says how values are encoded. Two codecs with the same
	// fingerprint understand each other.
	Fingerprint() string
	// Append adds the encoded *v to b. It does not keep v. After an error the
	// bytes added are of no use; the value is still wholly the caller's.
	Append(b []byte, v *T) ([]byte, error)
	// Decode sets *v to the value encoded in b, which is v's from then on and
	// must not be written again: v may refer to it. Bytes that are not the
	// encoding of a T are ErrTypeMismatch, with *v being anything.
	Decode(b []byte, v *T) error
}

// Viewer is what a Codec is besides whose values are their own encoding.
type Viewer[T any] interface {
	// View returns the encoding of *v, which is v's own memory, or nil if it has none.
	View(v *T) []byte
}

// SchemaOf is what a home is told of values that c, a Codec, encodes, so that it can
// turn JSON into them; "" where the fingerprint says all there is to say. Its form
// is specified in docs/spec/wire.md.
func SchemaOf(c interface{ Fingerprint() string }) string {
	if s, ok := c.(interface{ Schema() string }); ok {
		return s.Schema()
	}
	return ""
}

// Format is how a value is encoded where its type leaves a choice.
type Format string

// The formats.
const (
	Auto Format = ""     // as the package comment says
	JSON Format = "json" // JSON, whatever the type
	CBOR Format = "cbor" // CBOR, whatever the type; package codec/cbor brings it

	// Encoded is for tools that carry values whose Go type they do not have: T is
	// []byte or string, every value is what another codec made or will read, and
	// Schema is that codec's fingerprint. With none the end opens any channel, and
	// a channel that it makes takes the type of the next end.
	Encoded Format = "encoded"
)

// Options are the wishes of whoever opens the channel.
type Options struct {
	Format Format
	// Schema names what is meant by the values. Ends with different schemas do
	// not open. It has no effect on raw values and on memory.
	Schema string
}

// For returns the codec of T. A T that cannot be carried is ErrUnsupported,
// naming the part that is to blame; a format that is not known is ErrUnsupported
// too.
func For[T any](opts Options) (Codec[T], error) {
	t := reflect.TypeFor[T]()
	switch opts.Format {
	case Auto:
	case Encoded:
		return newForeign[T](t, opts.Schema)
	default:
		return newEncoded[T](t, opts)
	}
	switch {
	case isEnd(t):
		return nil, refuse(t, typeName(t), "is the end of a channel")
	case t.Kind() == reflect.String:
		return text[T]{}, nil
	case isBytes(t):
		return raw[T]{}, nil
	case isFixed(t):
		return newMemory[T](t), nil
	case isBinary(t):
		return newBinary[T](t, opts.Schema)
	}
	return newEncoded[T](t, opts)
}

// isBytes reports whether t is []byte or a type made of it.
func isBytes(t reflect.Type) bool {
	return t.Kind() == reflect.Slice && t.Elem() == reflect.TypeFor[byte]()
}

// mismatch is the error of bytes that are not a T.
func mismatch[T any](format string, args ...any) error {
	return fault.Because(fault.ErrTypeMismatch, "%s: "+format, append([]any{reflect.TypeFor[T]()}, args...)...)
}
