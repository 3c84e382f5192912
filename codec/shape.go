package codec

import (
	"encoding"
	"encoding/json"
	"reflect"
	"strings"
	"time"

	"github.com/handoff-go/handoff/internal/schema"
)

// shapeOf describes what JSON a t reads, as a JSON Schema. Whatever decodes itself
// is not described, nor is what lies in a t inside itself.
func shapeOf(t reflect.Type) string {
	s := &shaper{inside: map[reflect.Type]bool{}, left: maxShapes}
	text, err := json.Marshal(s.shape(t))
	if err != nil {
		return ""
	}
	return string(text)
}

// maxShapes is how many parts of a type are described, as a type may have a
// thousand times as many as its declaration has words.
const maxShapes = 1000

// shaper describes types.
type shaper struct {
	inside map[reflect.Type]bool // those it is describing
	left   int                   // of maxShapes
}

func (s *shaper) shape(t reflect.Type) map[string]any {
	s.left--
	switch {
	case t == reflect.TypeFor[time.Time]():
		return map[string]any{"type": "string", "format": "date-time"}
	case has[json.Unmarshaler](reflect.PointerTo(t)) || s.inside[t] || s.left < 0:
		return map[string]any{}
	case has[encoding.TextUnmarshaler](reflect.PointerTo(t)):
		return map[string]any{"type": "string"}
	}
	s.inside[t] = true
	defer delete(s.inside, t)
	return s.plain(t)
}

// plain describes a t that has no method of its own.
func (s *shaper) plain(t reflect.Type) map[string]any {
	switch t.Kind() {
	case reflect.Bool:
		return map[string]any{"type": "boolean"}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return schema.Integer(t.Bits(), true)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		return schema.Integer(t.Bits(), false)
	case reflect.Float32:
		return map[string]any{"type": "number", "format": "float"}
	case reflect.Float64:
		return map[string]any{"type": "number", "format": "double"}
	case reflect.String:
		if t == reflect.TypeFor[json.Number]() {
			return map[string]any{}
		}
		return map[string]any{"type": "string"}
	case reflect.Pointer:
		return nullable(s.shape(t.Elem()))
	case reflect.Slice:
		if isBytes(t) {
			return map[string]any{"type": []string{"string", "null"}, "contentEncoding": "base64"}
		}
		return map[string]any{"type": []string{"array", "null"}, "items": s.shape(t.Elem())}
	case reflect.Array:
		return map[string]any{"type": "array", "items": s.shape(t.Elem()), "minItems": t.Len(), "maxItems": t.Len()}
	case reflect.Map:
		return map[string]any{"type": []string{"object", "null"}, "additionalProperties": s.shape(t.Elem())}
	case reflect.Struct:
		properties := map[string]any{}
		s.fields(t, properties)
		return map[string]any{"type": "object", "properties": properties}
	}
	return map[string]any{} // an interface
}

// nullable is a schema that null fits too.
func nullable(shape map[string]any) map[string]any {
	if one, ok := shape["type"].(string); ok {
		shape["type"] = []string{one, "null"}
	}
	return shape
}

// fields describes the fields of t, and of the structs embedded in it.
func (s *shaper) fields(t reflect.Type, properties map[string]any) {
	for i := range t.NumField() {
		f := t.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if embedded := embeddedStruct(f, name); embedded != nil {
			s.fields(embedded, properties)
			continue
		}
		key := jsonName(f)
		switch {
		case key == "" || !f.IsExported():
		case strings.Contains(","+options+",", ",string,"):
			properties[key] = map[string]any{}
		default:
			properties[key] = s.shape(f.Type)
		}
	}
}
