// Package cbor brings CBOR (RFC 8949) to package codec as the format "cbor":
//
//	import _ "github.com/handoff-go/handoff/codec/cbor"
//
//	ch, err := handoff.Open[Order](ctx, "unix:/run/shop.sock?chan=orders&codec=cbor")
//
// Encoding is deterministic (section 4.2.1 of the RFC): equal values have equal
// bytes. A time is text with its offset, as precise as it is; a type with
// MarshalBinary is a byte string; a nil slice and an empty one stay different.
// Struct tags "cbor" are obeyed, else "json".
//
// Decoding is strict: one whole item and nothing behind it, no indefinite
// lengths, no duplicate keys, text that is UTF-8, nesting of at most 1,100 levels.
// A length is believed only if so many bytes are there. Fields that the type does
// not have are passed over, so that types may evolve.
package cbor

import (
	"encoding"
	"errors"
	"math"
	"math/big"
	"reflect"
	"time"

	"github.com/fxamacker/cbor/v2"

	"github.com/handoff-go/handoff/codec"
)

// maxNested is beyond what codec lets a value nest, with room for tags.
const maxNested = 1100

var (
	encoder = must(encoderOptions().EncMode())
	decoder = must(decoderOptions().DecMode())
)

func must[M any](mode M, err error) M {
	if err != nil { // the options below contradict each other, which every test sees
		panic(err)
	}
	return mode
}

func encoderOptions() cbor.EncOptions {
	o := cbor.CoreDetEncOptions()
	o.Time = cbor.TimeRFC3339Nano
	o.TimeTag = cbor.EncTagRequired
	o.ByteArray = cbor.ByteArrayToByteSlice
	o.TextMarshaler = cbor.TextMarshalerTextString
	return o
}

func decoderOptions() cbor.DecOptions {
	return cbor.DecOptions{
		DupMapKey:         cbor.DupMapKeyEnforcedAPF,
		IndefLength:       cbor.IndefLengthForbidden,
		MaxNestedLevels:   maxNested,
		MaxArrayElements:  math.MaxInt32, // bounded by the bytes there are
		MaxMapPairs:       math.MaxInt32,
		FieldNameMatching: cbor.FieldNameMatchingCaseSensitive,
		TextUnmarshaler:   cbor.TextUnmarshalerTextString,
		// For what an interface takes.
		IntDec:               cbor.IntDecConvertSignedOrBigInt,
		MapKeyByteString:     cbor.MapKeyByteStringAllowed,
		UnrecognizedTagToAny: cbor.UnrecognizedTagContentToAny,
	}
}

// methods are what the library looks for, in its order.
var methods = []codec.Method{
	codec.MethodOf[cbor.Marshaler, cbor.Unmarshaler]("MarshalCBOR"),
	codec.MethodOf[encoding.BinaryMarshaler, encoding.BinaryUnmarshaler]("MarshalBinary"),
	codec.MethodOf[encoding.TextMarshaler, encoding.TextUnmarshaler]("MarshalText"),
}

func init() {
	codec.Register(&codec.Encoding{
		Format:  codec.CBOR,
		Append:  appendTo,
		Decode:  decoder.Unmarshal,
		Tags:    []string{"cbor", "json"},
		Methods: methods,
		Own:     []reflect.Type{reflect.TypeFor[time.Time](), reflect.TypeFor[big.Int]()},
		Lacks:   []reflect.Kind{reflect.Complex64, reflect.Complex128, reflect.Uintptr},
		Key:     isKey,
	})
}

// appendTo adds the encoding of what v points to, once it is certain that it can
// be decoded: the library does not look at the text it encodes, nor at how deep
// is what a type's own method returns.
func appendTo(b []byte, v any) ([]byte, error) {
	item, err := encoder.Marshal(v)
	if err != nil {
		return b, err
	}
	if err := decoder.Wellformed(item); err != nil {
		return b, err
	}
	if !textIsUTF8(item) {
		return b, errors.New("a string in it is not UTF-8, and CBOR text must be")
	}
	return append(b, item...), nil
}

// isKey reports whether a t can be the key of a map. Floats cannot: NaN would be
// a key twice.
func isKey(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.String, reflect.Bool, reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return true
	}
	if t == reflect.TypeFor[any]() || t == reflect.TypeFor[time.Time]() {
		return true
	}
	p := reflect.PointerTo(t)
	for _, m := range methods {
		if t.Implements(m.Marshaler) {
			return p.Implements(m.Unmarshaler)
		}
	}
	return false
}
