// Package schema reads the type text of a channel of memory, and turns JSON into
// that memory and back for whoever has no Go type of it.
//
// What a type text and an announced schema look like is specified in
// docs/spec/wire.md, what becomes of JSON in docs/spec/http.md.
package schema

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"strings"
)

// maxText is how long a type text may be and still be written out.
const maxText = 240

// Text is the type text of a layout that is written out in full: itself, or, if
// it is long, its beginning made unique by its hash.
func Text(full string) string {
	if len(full) <= maxText {
		return full
	}
	return fmt.Sprintf("%s…%x", strings.ToValidUTF8(full[:maxText-70], ""), sha256.Sum256([]byte(full)))
}

// IsMemory reports whether a type text is one of memory.
func IsMemory(text string) bool { return strings.HasPrefix(text, "mem:") }

// Limits on what a peer may announce.
const (
	maxDepth  = 100
	maxLeaves = 1 << 20 // numbers and bools in one value
	maxSize   = 1 << 30
)

// Memory is a fixed layout.
type Memory struct {
	order binary.ByteOrder
	root  *node
}

// Size is how many bytes a value has.
func (m *Memory) Size() int { return m.root.size }

// kind says what a node is.
type kind uint8

const (
	boolKind kind = iota
	intKind
	uintKind
	floatKind
	complexKind
	arrayKind
	structKind
)

// node is a part of a layout.
type node struct {
	kind   kind
	size   int
	align  int
	leaves int
	count  int   // of an array
	elem   *node // of an array
	fields []field
}

// field is a field of a struct. One that JSON does not have has no name.
type field struct {
	name string
	at   int
	*node
}

// Parse reads a type text of memory. announced is its schema, which says it in
// full where text is cut and has the names of fields in JSON; "" if there is none.
func Parse(text, announced string) (*Memory, error) {
	full := announced
	if full == "" {
		full = text
	}
	if strings.Contains(text, "…") && announced == "" {
		return nil, fmt.Errorf("the layout is cut short, and no opener announced it in full")
	}
	// Alignment differs between machines, and the text does not say it: what makes
	// all offsets and the size come out is right.
	var err error
	for _, most := range []int{8, 4} {
		var m *Memory
		var plain string
		if m, plain, err = parse(full, most); err != nil {
			continue
		}
		if Text(plain) != text {
			return nil, fmt.Errorf("the schema is not that of %q", text)
		}
		return m, nil
	}
	return nil, err
}

func parse(full string, maxAlign int) (*Memory, string, error) {
	p := &parser{rest: full, maxAlign: maxAlign}
	m := &Memory{}
	switch {
	case p.skip("mem:le:"):
		m.order = binary.LittleEndian
	case p.skip("mem:be:"):
		m.order = binary.BigEndian
	default:
		return nil, "", fmt.Errorf("not the layout of memory")
	}
	size := p.number()
	p.want(":")
	m.root = p.node(0)
	switch {
	case p.err != nil:
		return nil, "", p.err
	case p.rest != "":
		return nil, "", fmt.Errorf("%d bytes behind the layout", len(p.rest))
	case m.root.size != size:
		return nil, "", fmt.Errorf("a layout of %d bytes that says %d", m.root.size, size)
	}
	return m, p.plain.String(), nil
}

// leaf are the kinds without parts.
var leaves = map[string]node{
	"bool": {kind: boolKind, size: 1},
	"int8": {kind: intKind, size: 1}, "int16": {kind: intKind, size: 2}, "int32": {kind: intKind, size: 4}, "int64": {kind: intKind, size: 8},
	"uint8": {kind: uintKind, size: 1}, "uint16": {kind: uintKind, size: 2}, "uint32": {kind: uintKind, size: 4}, "uint64": {kind: uintKind, size: 8},
	"uintptr32": {kind: uintKind, size: 4}, "uintptr64": {kind: uintKind, size: 8},
	"float32": {kind: floatKind, size: 4}, "float64": {kind: floatKind, size: 8},
	"complex64": {kind: complexKind, size: 8, align: 4}, "complex128": {kind: complexKind, size: 16, align: 8},
}

// node reads one layout.
func (p *parser) node(depth int) *node {
	switch {
	case p.err != nil:
		return &node{}
	case depth > maxDepth:
		p.fail("it nests too deep")
	case p.skip("["):
		return p.array(depth)
	case p.skip("{"):
		return p.structure(depth)
	}
	n, ok := leaves[p.word()]
	if !ok {
		p.fail("an unknown kind")
		return &node{}
	}
	if n.align == 0 {
		n.align = n.size
	}
	n.align = min(n.align, p.maxAlign)
	n.leaves = 1
	return &n
}

func (p *parser) array(depth int) *node {
	n := &node{kind: arrayKind, count: p.number()}
	p.want("]")
	n.elem = p.node(depth + 1)
	n.align = n.elem.align
	n.size, n.leaves = p.times(n.count, n.elem.size, maxSize), p.times(n.count, max(n.elem.leaves, 1), maxLeaves)
	return n
}

// times is n elements of size, unless that is over the limit.
func (p *parser) times(n, size, limit int) int {
	if size > 0 && n > limit/size {
		p.fail("it is too large")
		return 0
	}
	return n * size
}

func (p *parser) structure(depth int) *node {
	n := &node{kind: structKind, align: 1}
	named := map[string]bool{}
	end := 0
	for !p.skip("}") && p.err == nil {
		if len(n.fields) > 0 {
			p.want(",")
		}
		f := p.field(depth)
		if p.err != nil {
			break
		}
		if want := roundUp(end, f.align); f.at != want {
			p.fail("a field at offset %d instead of %d", f.at, want)
		}
		if f.name != "" && named[f.name] {
			p.fail("two fields called %q", f.name)
		}
		named[f.name] = true
		end = f.at + f.size
		n.align, n.leaves = max(n.align, f.align), n.leaves+max(f.leaves, 1)
		n.fields = append(n.fields, f)
		if end > maxSize || n.leaves > maxLeaves {
			p.fail("it is too large")
		}
	}
	// A pointer behind the last field must not point out of the struct.
	if last := len(n.fields) - 1; last >= 0 && end > 0 && n.fields[last].size == 0 {
		end++
	}
	n.size = roundUp(end, n.align)
	return n
}

func roundUp(n, to int) int { return (n + to - 1) / to * to }

// field reads NAME@OFFSET LAYOUT, or NAME"JSON"@OFFSET LAYOUT.
func (p *parser) field(depth int) field {
	f := field{name: p.name()}
	if f.name == "_" {
		f.name = ""
	}
	if quoted, ok := p.quoted(); ok {
		f.name = quoted
	}
	p.want("@")
	f.at = p.number()
	p.want(" ")
	f.node = p.node(depth + 1)
	return f
}

// maxNumber bounds sizes, offsets and counts before they are multiplied.
const maxNumber = math.MaxInt32
