package codec

import (
	"reflect"
	"sync"

	"github.com/handoff-go/handoff/internal/fault"
)

// maxDepth is how deep a value may nest: pointers, slices, maps, structs and
// interfaces, one in the other. What is encoded is never too deep to be decoded,
// and a value that contains itself is refused instead of filling the stack.
const maxDepth = 1000

// depth refuses what v points to if it nests too deep, or holds in an interface
// what e would not carry in a field.
func (e *Encoding) depth(v any) error {
	return e.look(reflect.ValueOf(v), maxDepth)
}

func (e *Encoding) look(v reflect.Value, left int) error {
	if left == 0 {
		return fault.Because(fault.ErrUnsupported, "it nests deeper than %d levels, or contains itself", maxDepth)
	}
	if isLeaf(v.Kind()) {
		return nil
	}
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			return e.look(v.Elem(), left-1)
		}
	case reflect.Interface:
		return e.lookInside(v, left)
	}
	if itself, _ := e.itself(v.Type()); itself {
		return nil
	}
	switch v.Kind() {
	case reflect.Slice, reflect.Array:
		if isLeaf(v.Type().Elem().Kind()) {
			return nil
		}
		for i := range v.Len() {
			if err := e.look(v.Index(i), left-1); err != nil {
				return err
			}
		}
	case reflect.Map:
		return e.lookAtMap(v, left)
	case reflect.Struct:
		for i := range v.NumField() {
			if err := e.look(v.Field(i), left-1); err != nil {
				return err
			}
		}
	}
	return nil
}

// lookInside looks at what an interface holds.
func (e *Encoding) lookInside(v reflect.Value, left int) error {
	if v.IsNil() {
		return nil
	}
	if err := e.carriesInAny(v.Elem().Type()); err != nil {
		return err
	}
	return e.look(v.Elem(), left-1)
}

func (e *Encoding) lookAtMap(v reflect.Value, left int) error {
	keys := v.Type().Key().Kind() == reflect.Interface
	if !keys && isLeaf(v.Type().Elem().Kind()) {
		return nil
	}
	for i := v.MapRange(); i.Next(); {
		if keys && (i.Key().IsNil() || !e.Key(i.Key().Elem().Type())) {
			return fault.Because(fault.ErrUnsupported, "%v cannot be the key of a map in %s", i.Key(), e.name())
		}
		if err := e.look(i.Value(), left-1); err != nil {
			return err
		}
	}
	return nil
}

// isLeaf reports whether a value of kind k holds no other.
func isLeaf(k reflect.Kind) bool { return k <= reflect.Complex128 || k == reflect.String }

// verdicts remembers what was found about types that were met in interfaces.
var verdicts sync.Map // of verdictKey to error or nil

type verdictKey struct {
	e *Encoding
	t reflect.Type
}

// carriesInAny is carries for the type of what an interface holds. It is found
// out once for a type.
func (e *Encoding) carriesInAny(t reflect.Type) error {
	if isLeaf(t.Kind()) {
		return nil
	}
	key := verdictKey{e, t}
	if v, ok := verdicts.Load(key); ok {
		err, _ := v.(error)
		return err
	}
	_, err := e.carries(t)
	verdicts.Store(key, err)
	return err
}
