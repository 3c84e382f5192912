package codec

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"sync"

	"github.com/handoff-go/handoff/internal/fault"
)

// Encoding is a format that carries nearly any type, under one fingerprint
// however the type evolves. JSON is one; others register themselves when their
// package is imported.
type Encoding struct {
	Format Format
	// Append adds to b the encoding of what v, a *T, points to. Equal values have
	// equal encodings, and what was encoded can be decoded.
	Append func(b []byte, v any) ([]byte, error)
	// Decode sets what v, a *T to the zero T, points to. It refuses whatever is
	// not the whole encoding of a T; fields it does not know it passes over. The
	// memory it takes is bounded by a multiple of len(b).
	Decode func(b []byte, v any) error

	// The rest says what is refused when a channel is opened, because it would be
	// lost on the way.

	// Tags are the keys of the struct tag that names a field, in order.
	Tags []string
	// Methods are those by which a type encodes and decodes itself, in the order in
	// which they are looked for.
	Methods []Method
	// Own are types the format knows by itself.
	Own []reflect.Type
	// Lacks are the kinds the format has no form for. Chan, Func and
	// UnsafePointer need not be in it.
	Lacks []reflect.Kind
	// Key reports whether a t can be the key of a map. Types with Methods can.
	Key func(t reflect.Type) bool
}

// Method is a method by which a type encodes itself, and its counterpart.
type Method struct {
	Name                   string       // "MarshalJSON"
	Marshaler, Unmarshaler reflect.Type // the interfaces of the two
}

// MethodOf is the Method called name, of the interfaces M and U.
func MethodOf[M, U any](name string) Method {
	return Method{name, reflect.TypeFor[M](), reflect.TypeFor[U]()}
}

var encodings = struct {
	sync.RWMutex // guards known
	known        map[Format]*Encoding
}{known: map[Format]*Encoding{JSON: &jsonEncoding}}

// packages says who brings the formats that are not part of this package.
var packages = map[Format]string{CBOR: "github.com/handoff-go/handoff/codec/cbor"}

// Register makes e known under its name. The package of a format calls it in its
// init; a second registration of one name panics, as it is a mistake of the
// program.
func Register(e *Encoding) {
	encodings.Lock()
	defer encodings.Unlock()
	if _, ok := encodings.known[e.Format]; ok || e.Format == Auto || e.Format == Encoded {
		panic(fmt.Sprintf("handoff/codec: format %q registered twice", e.Format))
	}
	encodings.known[e.Format] = e
}

// encodingOf returns the encoding called format; for Auto it is JSON.
func encodingOf(format Format) (*Encoding, error) {
	if format == Auto {
		format = JSON
	}
	encodings.RLock()
	defer encodings.RUnlock()
	if e := encodings.known[format]; e != nil {
		return e, nil
	}
	if p := packages[format]; p != "" {
		return nil, fault.Because(fault.ErrUnsupported, "codec %q is not part of this program: import _ %q", string(format), p)
	}
	return nil, fault.Because(fault.ErrUnsupported, "codec %q is not known, of %q", string(format), slices.Sorted(maps.Keys(encodings.known)))
}

// encoded carries a T in an Encoding.
type encoded[T any] struct {
	*Encoding
	fingerprint string
	unbound     bool // a T may nest without end
}

func newEncoded[T any](t reflect.Type, opts Options) (Codec[T], error) {
	e, err := encodingOf(opts.Format)
	if err != nil {
		return nil, err
	}
	unbound, err := e.carries(t)
	if err != nil {
		return nil, err
	}
	return encoded[T]{e, named(string(e.Format), opts.Schema), unbound}, nil
}

// named is the fingerprint of a codec under which types may evolve.
func named(codec, schema string) string {
	if schema == "" {
		return codec
	}
	return codec + ":" + schema
}

func (c encoded[T]) Fingerprint() string { return c.fingerprint }

func (c encoded[T]) Schema() string {
	if c.Format != JSON {
		return ""
	}
	return shapeOf(reflect.TypeFor[T]())
}

func (c encoded[T]) Append(b []byte, v *T) (_ []byte, err error) {
	defer caught(&err)
	if c.unbound {
		if err := c.depth(v); err != nil {
			return b, err
		}
	}
	longer, err := c.Encoding.Append(b, v)
	if err != nil {
		return b, fault.Because(fault.ErrUnsupported, "%v", err)
	}
	return longer, nil
}

func (c encoded[T]) Decode(b []byte, v *T) (err error) {
	defer caught(&err)
	var fresh T // what is there must not shine through
	if err := c.Encoding.Decode(b, &fresh); err != nil {
		return mismatch[T]("%v", err)
	}
	*v = fresh
	return nil
}
