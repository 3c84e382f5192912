package schema

import "math"

// JSONSchema describes the values as a JSON Schema does, ready to be marshalled.
func (m *Memory) JSONSchema() map[string]any { return m.root.describe() }

func (n *node) describe() map[string]any {
	switch n.kind {
	case boolKind:
		return map[string]any{"type": "boolean"}
	case intKind, uintKind:
		return n.describeInteger()
	case floatKind:
		return float64Schema
	case complexKind:
		return map[string]any{"type": "array", "items": float64Schema, "minItems": 2, "maxItems": 2}
	case arrayKind:
		return map[string]any{"type": "array", "items": n.elem.describe(), "minItems": n.count, "maxItems": n.count}
	}
	properties := map[string]any{}
	required := []string{}
	for _, f := range n.fields {
		if f.name != "" {
			properties[f.name] = f.describe()
			required = append(required, f.name)
		}
	}
	return map[string]any{"type": "object", "properties": properties, "required": required, "additionalProperties": false}
}

var float64Schema = map[string]any{"anyOf": []any{
	map[string]any{"type": "number"}, map[string]any{"enum": []string{"NaN", "Infinity", "-Infinity"}},
}}

func (n *node) describeInteger() map[string]any {
	if n.size == 8 {
		return map[string]any{"anyOf": []any{
			map[string]any{"type": "integer", "minimum": n.lowest(), "maximum": int64(maxExact)},
			map[string]any{"type": "string", "pattern": "^-?[0-9]+$"},
		}}
	}
	bits := n.size * 8
	most := int64(1)<<bits - 1
	if n.kind == intKind {
		most >>= 1
	}
	return map[string]any{"type": "integer", "minimum": n.lowest(), "maximum": most}
}

// lowest is the lowest number of n that a JSON number may be.
func (n *node) lowest() int64 {
	switch {
	case n.kind == uintKind:
		return 0
	case n.size == 8:
		return -maxExact
	}
	return math.MinInt64 >> (64 - 8*n.size)
}
