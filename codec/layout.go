package codec

import (
	"encoding/binary"
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"github.com/handoff-go/handoff/internal/schema"
)

// isFixed reports whether a t is nothing but its own memory: no pointer in it
// and no part whose meaning is bound to a process.
func isFixed(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Bool, reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr,
		reflect.Float32, reflect.Float64, reflect.Complex64, reflect.Complex128:
		return true
	case reflect.Array:
		return t.Len() == 0 && !isEnd(t.Elem()) && carriable(t.Elem()) || isFixed(t.Elem())
	case reflect.Struct:
		if isEnd(t) {
			return false
		}
		for i := range t.NumField() {
			if !isFixed(t.Field(i).Type) {
				return false
			}
		}
		return true
	}
	return false
}

// carriable keeps an array of no elements from hiding what is refused.
func carriable(t reflect.Type) bool {
	_, err := jsonEncoding.carries(t)
	return err == nil
}

// layout says what is special in the memory of a fixed type. Everything that is
// not padding and not a bool may hold any bits.
type layout struct {
	size  int
	pads  []span // bytes without meaning
	bools []int  // offsets of bytes that are 0 or 1
	parts []part // arrays with something special in their elements
}

// span is n bytes at an offset.
type span struct{ at, n int }

// part is count elements, one behind the other, at an offset.
type part struct {
	at, count int
	elem      *layout
}

// plain reports whether all bits of the memory mean something.
func (l *layout) plain() bool { return len(l.pads) == 0 && len(l.bools) == 0 && len(l.parts) == 0 }

// layoutOf returns the layout of a fixed type.
func layoutOf(t reflect.Type) *layout {
	l := &layout{size: int(t.Size())}
	l.add(t, 0)
	return l
}

// add notes what is special in a t that lies at at.
func (l *layout) add(t reflect.Type, at int) {
	switch t.Kind() {
	case reflect.Bool:
		l.bools = append(l.bools, at)
	case reflect.Array:
		if elem := layoutOf(t.Elem()); t.Len() > 0 && !elem.plain() {
			l.parts = append(l.parts, part{at, t.Len(), elem})
		}
	case reflect.Struct:
		end := 0
		for i := range t.NumField() {
			f := t.Field(i)
			from := int(f.Offset)
			l.pad(at+end, from-end)
			end = from + int(f.Type.Size())
			if f.Name == "_" {
				l.pad(at+from, end-from)
			} else {
				l.add(f.Type, at+from)
			}
		}
		l.pad(at+end, int(t.Size())-end)
	}
}

func (l *layout) pad(at, n int) {
	if n > 0 {
		l.pads = append(l.pads, span{at, n})
	}
}

// clean zeroes the padding in b, the memory of one value.
func (l *layout) clean(b []byte) {
	for _, p := range l.pads {
		clear(b[p.at : p.at+p.n])
	}
	for _, p := range l.parts {
		for i := range p.count {
			p.elem.clean(b[p.at+i*p.elem.size:][:p.elem.size])
		}
	}
}

// valid returns the offset of the first bool in b that is neither true nor
// false, or -1.
func (l *layout) valid(b []byte) int {
	for _, at := range l.bools {
		if b[at] > 1 {
			return at
		}
	}
	for _, p := range l.parts {
		for i := range p.count {
			from := p.at + i*p.elem.size
			if at := p.elem.valid(b[from:][:p.elem.size]); at >= 0 {
				return from + at
			}
		}
	}
	return -1
}

// fingerprint describes the layout of t: byte order, size and every field with
// its offset. A long one is cut and made unique by its hash.
func fingerprint(t reflect.Type) string { return schema.Text(written(t, false)) }

// announced is the schema of t: its layout in full, with the names its fields
// have in JSON. It is "" where the fingerprint says as much.
func announced(t reflect.Type) string {
	if s := written(t, true); s != fingerprint(t) {
		return s
	}
	return ""
}

func written(t reflect.Type, names bool) string {
	var b strings.Builder
	order := "le"
	if binary.NativeEndian.Uint16([]byte{1, 0}) != 1 {
		order = "be"
	}
	fmt.Fprintf(&b, "mem:%s:%d:", order, t.Size())
	describe(&b, t, names)
	return b.String()
}

// describe writes t without the names of types, which may differ between two
// programs that mean the same, but with those of fields, which tell fields of
// one type apart. With names it adds those of JSON where they are others.
func describe(b *strings.Builder, t reflect.Type, names bool) {
	switch t.Kind() {
	case reflect.Array:
		fmt.Fprintf(b, "[%d]", t.Len())
		describe(b, t.Elem(), names)
	case reflect.Struct:
		b.WriteByte('{')
		for i := range t.NumField() {
			f := t.Field(i)
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteString(f.Name)
			if name := jsonName(f); names && name != f.Name {
				b.WriteString(strconv.Quote(name))
			}
			fmt.Fprintf(b, "@%d ", f.Offset)
			describe(b, f.Type, names)
		}
		b.WriteByte('}')
	case reflect.Int, reflect.Uint, reflect.Uintptr:
		// Their size differs between machines and makes the difference.
		fmt.Fprintf(b, "%s%d", t.Kind(), t.Size()*8)
	default:
		b.WriteString(t.Kind().String())
	}
}

// jsonName is what f is called in JSON, "" if it is left out.
func jsonName(f reflect.StructField) string {
	tag := f.Tag.Get("json")
	name, _, _ := strings.Cut(tag, ",")
	switch {
	case tag == "-":
		return ""
	case name == "":
		return f.Name
	}
	return name
}
