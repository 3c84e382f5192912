package codec

import (
	"encoding"
	"encoding/json"
	"reflect"
	"strings"

	"github.com/handoff-go/handoff/internal/fault"
)

// rootPackage holds the ends of channels, which this package cannot import.
const rootPackage = "github.com/handoff-go/handoff"

// isEnd reports whether t is an end of a channel or belongs to one.
func isEnd(t reflect.Type) bool {
	if t.PkgPath() != rootPackage {
		return false
	}
	name, _, _ := strings.Cut(t.Name(), "[")
	switch name {
	case "Chan", "Sender", "Receiver", "Delivery", "Case", "Selector":
		return true
	}
	return false
}

// typeName is what a path starts with.
func typeName(t reflect.Type) string {
	if name := t.Name(); name != "" {
		return name
	}
	return t.String()
}

func refuse(t reflect.Type, path, why string) error {
	if path == typeName(t) {
		return fault.Because(fault.ErrUnsupported, "%s %s", path, why)
	}
	return fault.Because(fault.ErrUnsupported, "%s %s (a %v)", path, why, t)
}

// walker looks through a type for what JSON cannot carry without loss.
type walker struct {
	seen map[reflect.Type]bool // types that were looked at, or are being
}

// check returns the first part of t that cannot be carried, named by its path.
func (w *walker) check(t reflect.Type, path string) error {
	if isEnd(t) {
		return refuse(t, path, "is the end of a channel")
	}
	switch t.Kind() {
	case reflect.Chan:
		return refuse(t, path, "is a chan")
	case reflect.Func:
		return refuse(t, path, "is a func")
	case reflect.UnsafePointer:
		return refuse(t, path, "is an unsafe.Pointer")
	}
	if w.seen[t] || encodesItself(t) {
		return nil
	}
	w.seen[t] = true
	switch t.Kind() {
	case reflect.Complex64, reflect.Complex128:
		return refuse(t, path, "is complex, which JSON does not know")
	case reflect.Interface:
		if t.NumMethod() > 0 {
			return refuse(t, path, "is an interface with methods, whose value JSON cannot restore")
		}
	case reflect.Pointer:
		return w.check(t.Elem(), path)
	case reflect.Slice, reflect.Array:
		return w.check(t.Elem(), path+"[]")
	case reflect.Map:
		if err := w.checkKey(t.Key(), path+"[key]"); err != nil {
			return err
		}
		return w.check(t.Elem(), path+"[]")
	case reflect.Struct:
		return w.checkFields(t, path)
	}
	return nil
}

// checkKey looks at the key of a map: JSON has text for keys.
func (w *walker) checkKey(t reflect.Type, path string) error {
	switch t.Kind() {
	case reflect.String, reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		return nil
	}
	if has[encoding.TextMarshaler](t) && has[encoding.TextUnmarshaler](reflect.PointerTo(t)) {
		return nil
	}
	if err := w.check(t, path); err != nil {
		return err
	}
	return refuse(t, path, "cannot be the key of a JSON object")
}

func (w *walker) checkFields(t reflect.Type, path string) error {
	names := map[string]bool{}
	for i := range t.NumField() {
		f := t.Field(i)
		name := path + "." + f.Name
		tag := f.Tag.Get("json")
		switch {
		case tag == "-" || f.Name == "_" || f.Type.Size() == 0 && !f.IsExported():
			continue // left out on purpose, or nothing to lose
		case f.IsExported():
		case f.Anonymous && f.Type.Kind() == reflect.Struct:
			// Its exported fields are encoded as if they were t's.
		default:
			return refuse(f.Type, name, `is not exported, and JSON would drop it (say json:"-" if it may)`)
		}
		if key := jsonKey(f); names[key] {
			return refuse(f.Type, name, "shares its JSON name with another field, and JSON would drop both")
		} else if key != "" {
			names[key] = true
		}
		if err := w.check(f.Type, name); err != nil {
			return err
		}
	}
	return nil
}

// jsonKey is the name of f in a JSON object, "" where the fields of f stand for
// it.
func jsonKey(f reflect.StructField) string {
	if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name != "" {
		return name
	}
	if f.Anonymous {
		return ""
	}
	return f.Name
}

// encodesItself reports whether encoding/json leaves t to its own methods.
func encodesItself(t reflect.Type) bool {
	p := reflect.PointerTo(t)
	return has[json.Marshaler](p) && has[json.Unmarshaler](p) ||
		has[encoding.TextMarshaler](p) && has[encoding.TextUnmarshaler](p)
}

// has reports whether t implements I.
func has[I any](t reflect.Type) bool { return t.Implements(reflect.TypeFor[I]()) }
