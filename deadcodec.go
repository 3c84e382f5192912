package handoff

import (
	"reflect"

	"github.com/handoff-go/handoff/codec"
	"github.com/handoff-go/handoff/internal/fault"
)

// A dead letter crosses a process as what became of its value, and then the value
// as its own channel carries it: so a home, which knows no type, can bury it.

// deadCodec carries the dead letters of a T.
type deadCodec[T any] struct{ value codec.Codec[T] }

// encoder is a codec of dead letters, whatever their type.
type encoder interface {
	Fingerprint() string
	appendAny(b []byte, dead any) ([]byte, error)
}

// farCodec returns the codec of T.
func farCodec[T any](o codec.Options) (codec.Codec[T], error) {
	if dead, ok := any(*new(T)).(interface {
		codecOf(codec.Options) (encoder, error)
	}); ok {
		c, err := dead.codecOf(o)
		if err != nil {
			return nil, err
		}
		return c.(codec.Codec[T]), nil
	}
	return codec.For[T](o)
}

// deadEncoder returns the codec of typ, a Dead.
func deadEncoder(typ reflect.Type, o codec.Options) (encoder, error) {
	return reflect.Zero(typ).Interface().(interface {
		codecOf(codec.Options) (encoder, error)
	}).codecOf(o)
}

// codecOf returns the codec of the dead letters of T.
func (Dead[T]) codecOf(o codec.Options) (encoder, error) {
	c, err := codec.For[T](o)
	if err != nil {
		return nil, err
	}
	return deadCodec[T]{c}, nil
}

func (c deadCodec[T]) Fingerprint() string { return codec.DeadFingerprint(c.value.Fingerprint()) }

func (c deadCodec[T]) Schema() string { return codec.SchemaOf(c.value) }

func (c deadCodec[T]) Append(b []byte, v *Dead[T]) ([]byte, error) {
	return c.value.Append(codec.AppendFate(b, codec.Fate{Reason: v.Reason, Attempts: v.Attempts, From: v.From}), &v.Value)
}

func (c deadCodec[T]) appendAny(b []byte, dead any) ([]byte, error) {
	v, ok := dead.(Dead[T])
	if !ok {
		return b, fault.Because(ErrTypeMismatch, "%T", dead)
	}
	return c.Append(b, &v)
}

func (c deadCodec[T]) Decode(b []byte, v *Dead[T]) error {
	f, value, err := codec.CutFate(b)
	if err != nil {
		return err
	}
	v.Reason, v.Attempts, v.From = f.Reason, f.Attempts, f.From
	return c.value.Decode(value, &v.Value)
}
