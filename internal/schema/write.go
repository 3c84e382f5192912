package schema

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
)

// AppendJSON adds the JSON of a value to b.
func (m *Memory) AppendJSON(b, mem []byte) ([]byte, error) {
	if len(mem) != m.root.size {
		return b, fmt.Errorf("%d bytes, and the layout has %d", len(mem), m.root.size)
	}
	return m.append(b, m.root, mem), nil
}

func (m *Memory) append(b []byte, n *node, mem []byte) []byte {
	switch n.kind {
	case structKind:
		b = append(b, '{')
		first := true
		for _, f := range n.fields {
			if f.name == "" {
				continue
			}
			if !first {
				b = append(b, ',')
			}
			first = false
			name, _ := json.Marshal(f.name) // a string always can be
			b = append(append(b, name...), ':')
			b = m.append(b, f.node, mem[f.at:][:f.size])
		}
		return append(b, '}')
	case arrayKind:
		return m.list(b, n.count, n.elem, mem)
	case complexKind:
		return m.list(b, 2, &node{kind: floatKind, size: n.size / 2}, mem)
	}
	return m.appendLeaf(b, n, mem)
}

func (m *Memory) list(b []byte, count int, elem *node, mem []byte) []byte {
	b = append(b, '[')
	for i := range count {
		if i > 0 {
			b = append(b, ',')
		}
		b = m.append(b, elem, mem[i*elem.size:][:elem.size])
	}
	return append(b, ']')
}

func (m *Memory) appendLeaf(b []byte, n *node, mem []byte) []byte {
	word := m.get(mem)
	switch n.kind {
	case boolKind:
		return strconv.AppendBool(b, word != 0)
	case intKind:
		shift := 64 - 8*n.size
		i := int64(word<<shift) >> shift
		if i > maxExact || i < -maxExact {
			return strconv.AppendQuote(b, strconv.FormatInt(i, 10))
		}
		return strconv.AppendInt(b, i, 10)
	case uintKind:
		if word > maxExact {
			return strconv.AppendQuote(b, strconv.FormatUint(word, 10))
		}
		return strconv.AppendUint(b, word, 10)
	}
	f := math.Float64frombits(word)
	if n.size == 4 {
		f = float64(math.Float32frombits(uint32(word)))
	}
	return appendFloat(b, f, n.size*8)
}

func appendFloat(b []byte, f float64, bits int) []byte {
	switch {
	case math.IsNaN(f):
		return append(b, `"NaN"`...)
	case math.IsInf(f, 1):
		return append(b, `"Infinity"`...)
	case math.IsInf(f, -1):
		return append(b, `"-Infinity"`...)
	}
	return strconv.AppendFloat(b, f, 'g', -1, bits)
}
