package codec

import (
	"reflect"
	"slices"
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

// carries refuses a t of which e would lose something. unbound says that it is
// not the type alone that says how deep a t nests.
func (e *Encoding) carries(t reflect.Type) (unbound bool, err error) {
	w := walker{Encoding: e, seen: map[reflect.Type]bool{}}
	err = w.check(t, typeName(t))
	return w.unbound, err
}

// walker looks through a type for what an encoding cannot carry without loss.
type walker struct {
	*Encoding
	seen    map[reflect.Type]bool // types that are being looked at, and true: that were
	unbound bool                  // met a type that contains itself, or an interface
}

// check returns the first part of t that cannot be carried, named by its path.
func (w *walker) check(t reflect.Type, path string) error {
	if why := carriedByNone(t); why != "" {
		return refuse(t, path, why)
	}
	if done, met := w.seen[t]; met {
		w.unbound = w.unbound || !done
		return nil
	}
	if itself, half := w.itself(t); half != "" {
		return refuse(t, path, half)
	} else if itself {
		return nil
	}
	w.seen[t] = false
	defer func() { w.seen[t] = true }()
	return w.checkParts(t, path)
}

// carriedByNone says what no encoding can carry.
func carriedByNone(t reflect.Type) string {
	switch {
	case isEnd(t):
		return "is the end of a channel"
	case t.Kind() == reflect.Chan:
		return "is a chan"
	case t.Kind() == reflect.Func:
		return "is a func"
	case t.Kind() == reflect.UnsafePointer:
		return "is an unsafe.Pointer"
	}
	return ""
}

// checkParts looks at what t consists of.
func (w *walker) checkParts(t reflect.Type, path string) error {
	if slices.Contains(w.Lacks, t.Kind()) {
		return refuse(t, path, "is of a kind that "+w.name()+" does not know")
	}
	switch t.Kind() {
	case reflect.Interface:
		w.unbound = true
		if t.NumMethod() > 0 {
			return refuse(t, path, "is an interface with methods, whose value "+w.name()+" cannot restore")
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
		return w.checkFields(t, path, fields{map[string]bool{}, map[reflect.Type]bool{t: true}})
	}
	return nil
}

// checkKey looks at the key of a map.
func (w *walker) checkKey(t reflect.Type, path string) error {
	if w.Key(t) {
		return nil
	}
	if err := w.check(t, path); err != nil {
		return err
	}
	return refuse(t, path, "cannot be the key of a map in "+w.name())
}

// fields are the names given so far in the encoding of one struct, with those of
// the structs embedded in it, which are encoded as if they were its own.
type fields struct {
	names  map[string]bool
	inside map[reflect.Type]bool // the struct, and those embedded that are being looked at
}

func (w *walker) checkFields(t reflect.Type, path string, all fields) error {
	for i := range t.NumField() {
		f := t.Field(i)
		name := path + "." + f.Name
		tag, tagged := w.tag(f)
		embedded := embeddedStruct(f, tagged)
		switch {
		case tag == "-" || f.Name == "_" || f.Type.Size() == 0 && !f.IsExported():
			continue // left out on purpose, or nothing to lose
		case f.IsExported(), embedded != nil && f.Type == embedded:
		default:
			return refuse(f.Type, name, "is not exported, and "+w.name()+" would drop it (say "+w.Tags[0]+`:"-" if it may)`)
		}
		if embedded != nil {
			if err := w.checkEmbedded(embedded, name, all); err != nil {
				return err
			}
			continue
		}
		key := tagged
		if key == "" {
			key = f.Name
		}
		if all.names[key] {
			return refuse(f.Type, name, "shares its "+w.name()+" name with another field, and one or both would be dropped")
		}
		all.names[key] = true
		if err := w.check(f.Type, name); err != nil {
			return err
		}
	}
	return nil
}

// checkEmbedded looks at a struct embedded in another.
func (w *walker) checkEmbedded(t reflect.Type, path string, all fields) error {
	if all.inside[t] {
		return refuse(t, path, "embeds itself, and "+w.name()+" would drop it")
	}
	if why := carriedByNone(t); why != "" {
		return refuse(t, path, why)
	}
	all.inside[t] = true
	defer delete(all.inside, t)
	return w.checkFields(t, path, all)
}

// tag returns the tag of f and the name in it.
func (w *walker) tag(f reflect.StructField) (tag, name string) {
	for _, key := range w.Tags {
		if tag = f.Tag.Get(key); tag != "" {
			break
		}
	}
	name, _, _ = strings.Cut(tag, ",")
	return tag, name
}

// embeddedStruct returns the struct whose fields are encoded in place of f, nil
// if f is encoded as one field.
func embeddedStruct(f reflect.StructField, tagged string) reflect.Type {
	t := f.Type
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if !f.Anonymous || tagged != "" || t.Kind() != reflect.Struct {
		return nil
	}
	return t
}

// name is that of the format, as it is written.
func (e *Encoding) name() string { return strings.ToUpper(string(e.Format)) }

// itself reports whether e leaves t to its own methods. half says that these
// would not carry it whole.
func (e *Encoding) itself(t reflect.Type) (is bool, half string) {
	if slices.Contains(e.Own, t) {
		return true, ""
	}
	p := reflect.PointerTo(t)
	for _, m := range e.Methods {
		switch {
		case !p.Implements(m.Marshaler):
		case !p.Implements(m.Unmarshaler):
			return false, "has " + m.Name + " and not its counterpart, and could not be read back"
		case promoted(t, m.Name):
			return false, lossyMethod(m.Name)
		default:
			return true, ""
		}
	}
	return false, ""
}

// lossyMethod says what is wrong with a promoted method.
func lossyMethod(name string) string {
	return "has the " + name + " of a type embedded in it, which would drop the other fields (give it its own)"
}

// has reports whether t implements I.
func has[I any](t reflect.Type) bool { return t.Implements(reflect.TypeFor[I]()) }
