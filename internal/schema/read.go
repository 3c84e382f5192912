package schema

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
)

// Mismatch is JSON that is not of the layout.
type Mismatch struct {
	Field string // path from the value, as order.items[2].price
	Why   string
}

func (m *Mismatch) Error() string { return m.Field + " " + m.Why }

// FromJSON returns the memory of the value that text is, which path names. What
// is wrong with it is a *Mismatch.
func (m *Memory) FromJSON(path string, text []byte) (mem []byte, err error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	err = caught(func() {
		mem = make([]byte, m.root.size)
		r := &reader{d, m}
		r.value(m.root, mem, path)
		if _, err := d.Token(); err != io.EOF {
			refuse(path, "is followed by something else")
		}
	})
	if err != nil {
		return nil, err
	}
	return mem, nil
}

// caught is the mismatch that do finds.
func caught(do func()) (err error) {
	defer func() {
		if p := recover(); p != nil {
			bad, ok := p.(*Mismatch)
			if !ok {
				panic(p)
			}
			err = bad
		}
	}()
	do()
	return nil
}

// reader reads one value. A mismatch is a panic, as it ends everything.
type reader struct {
	*json.Decoder
	m *Memory
}

func refuse(path, format string, args ...any) {
	panic(&Mismatch{path, fmt.Sprintf(format, args...)})
}

// token returns the next token of the value path.
func (r *reader) token(path string) json.Token {
	t, err := r.Token()
	if err != nil {
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			refuse(path, "is missing: the JSON ends before it")
		}
		refuse(path, "is not JSON: %v", err)
	}
	return t
}

func (r *reader) value(n *node, mem []byte, path string) {
	switch n.kind {
	case structKind:
		r.structure(n, mem, path)
	case arrayKind:
		r.array(n.count, path, func(i int, path string) { r.value(n.elem, mem[i*n.elem.size:][:n.elem.size], path) })
	case complexKind:
		half := &node{kind: floatKind, size: n.size / 2}
		r.array(2, path, func(i int, path string) { r.value(half, mem[i*half.size:][:half.size], path) })
	default:
		r.leaf(n, mem, path, r.token(path))
	}
}

func (r *reader) structure(n *node, mem []byte, path string) {
	if t := r.token(path); t != json.Delim('{') {
		refuse(path, "is %s, not an object", spoken(t))
	}
	seen := make([]bool, len(n.fields))
	for r.More() {
		key, _ := r.token(path).(string)
		i := n.field(key)
		at := path + "." + key
		switch {
		case i < 0:
			refuse(at, "is not a field of the type")
		case seen[i]:
			refuse(at, "is there twice")
		}
		seen[i] = true
		f := n.fields[i]
		r.value(f.node, mem[f.at:][:f.size], at)
	}
	r.token(path) // }
	for i, f := range n.fields {
		if f.name != "" && !seen[i] {
			refuse(path+"."+f.name, "is missing")
		}
	}
}

// field returns the index of the field called name, or -1.
func (n *node) field(name string) int {
	for i := range n.fields {
		if name != "" && n.fields[i].name == name {
			return i
		}
	}
	return -1
}

func (r *reader) array(count int, path string, elem func(i int, path string)) {
	if t := r.token(path); t != json.Delim('[') {
		refuse(path, "is %s, not an array", spoken(t))
	}
	i := 0
	for ; r.More(); i++ {
		if i == count {
			refuse(path, "has more than %d elements", count)
		}
		elem(i, fmt.Sprintf("%s[%d]", path, i))
	}
	r.token(path) // ]
	if i < count {
		refuse(path, "has %d elements, not %d", i, count)
	}
}

func (r *reader) leaf(n *node, mem []byte, path string, t json.Token) {
	bits := n.size * 8
	var word uint64
	switch n.kind {
	case boolKind:
		b, ok := t.(bool)
		if !ok {
			refuse(path, "is %s, not true or false", spoken(t))
		}
		if b {
			word = 1
		}
	case intKind, uintKind:
		text := integer(path, t)
		if n.kind == intKind {
			i, err := strconv.ParseInt(text, 10, bits)
			if err != nil {
				refuse(path, "is %s, which is out of the range of int%d", text, bits)
			}
			word = uint64(i)
			break
		}
		u, err := strconv.ParseUint(text, 10, bits)
		if err != nil {
			refuse(path, "is %s, which is out of the range of uint%d", text, bits)
		}
		word = u
	case floatKind:
		f := float(path, t, bits)
		if word = math.Float64bits(f); bits == 32 {
			word = uint64(math.Float32bits(float32(f)))
		}
	}
	r.m.put(mem, word)
}

// put stores word in mem, which is as long as it.
func (m *Memory) put(mem []byte, word uint64) {
	switch len(mem) {
	case 1:
		mem[0] = byte(word)
	case 2:
		m.order.PutUint16(mem, uint16(word))
	case 4:
		m.order.PutUint32(mem, uint32(word))
	case 8:
		m.order.PutUint64(mem, word)
	}
}

// get is the reverse of put.
func (m *Memory) get(mem []byte) uint64 {
	switch len(mem) {
	case 1:
		return uint64(mem[0])
	case 2:
		return uint64(m.order.Uint16(mem))
	case 4:
		return uint64(m.order.Uint32(mem))
	}
	return m.order.Uint64(mem)
}

// spoken says what t is.
func spoken(t json.Token) string {
	switch t := t.(type) {
	case nil:
		return "null"
	case bool:
		return strconv.FormatBool(t)
	case json.Number:
		return "a number"
	case string:
		return "a string"
	case json.Delim:
		if t == '{' {
			return "an object"
		}
	}
	return "an array"
}
