package schema

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// JSON says what values in JSON must look like, for a reader that has types. It
// knows the part of JSON Schema that types need.
type JSON struct{ root *shape }

// shape is one schema. What it does not say is free.
type shape struct {
	Type       oneOrMore         `json:"type"`
	Properties map[string]*shape `json:"properties"`
	Values     *shape            `json:"additionalProperties"`
	Items      *shape            `json:"items"`
	MinItems   *int              `json:"minItems"`
	MaxItems   *int              `json:"maxItems"`
	Minimum    *json.Number      `json:"minimum"`
	Maximum    *json.Number      `json:"maximum"`
	Format     string            `json:"format"` // float and double
	Encoding   string            `json:"contentEncoding"`
}

// oneOrMore is a name, or a list of names.
type oneOrMore []string

// UnmarshalJSON implements json.Unmarshaler.
func (o *oneOrMore) UnmarshalJSON(b []byte) error {
	var one string
	if json.Unmarshal(b, &one) == nil {
		*o = oneOrMore{one}
		return nil
	}
	return json.Unmarshal(b, (*[]string)(o))
}

// IsJSON reports whether a type text is one of JSON.
func IsJSON(text string) bool {
	how, _, _ := strings.Cut(text, ":")
	return how == "json"
}

// ParseJSON reads the schema that was announced for a channel of JSON.
func ParseJSON(announced string) (*JSON, error) {
	s := &JSON{}
	if err := json.Unmarshal([]byte(announced), &s.root); err != nil || s.root == nil {
		return nil, fmt.Errorf("not a JSON Schema: %v", err)
	}
	return s, nil
}

// Check compares text, which is JSON, with what it must be. A difference is a
// *Mismatch, whose path begins with path.
func (s *JSON) Check(path string, text []byte) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	return caught(func() {
		r := &reader{Decoder: d}
		r.shaped(s.root, path, r.token(path))
		if _, err := d.Token(); !errors.Is(err, io.EOF) {
			refuse(path, "is followed by something else")
		}
	})
}

// shaped reads the value that begins with t.
func (r *reader) shaped(s *shape, path string, t json.Token) {
	if s == nil {
		s = &shape{}
	}
	kind := kindOf(t)
	fits := len(s.Type) == 0 || slices.Contains(s.Type, kind) || kind == "number" && slices.Contains(s.Type, "integer")
	if !fits {
		refuse(path, "is %s, not %s", spoken(t), strings.Join(s.Type, " or "))
	}
	switch t := t.(type) {
	case json.Number:
		s.number(path, t)
	case string:
		if _, err := base64.StdEncoding.DecodeString(t); s.Encoding == "base64" && err != nil {
			refuse(path, "is not base64")
		}
	case json.Delim:
		if t == '{' {
			r.shapedFields(s, path)
		} else {
			r.shapedItems(s, path)
		}
	}
}

// kindOf is what JSON Schema calls t.
func kindOf(t json.Token) string {
	switch t := t.(type) {
	case nil:
		return "null"
	case bool:
		return "boolean"
	case json.Number:
		return "number"
	case string:
		return "string"
	case json.Delim:
		if t == '{' {
			return "object"
		}
	}
	return "array"
}

func (r *reader) shapedFields(s *shape, path string) {
	for r.More() {
		key, _ := r.token(path).(string)
		at := path + "." + key
		r.shaped(s.field(key), at, r.token(at))
	}
	r.token(path) // }
}

// field is the schema of the field called name: exactly, or else whatever the case
// of its letters, as readers in Go have it.
func (s *shape) field(name string) *shape {
	if f, ok := s.Properties[name]; ok {
		return f
	}
	for other, f := range s.Properties {
		if strings.EqualFold(other, name) {
			return f
		}
	}
	return s.Values
}

func (r *reader) shapedItems(s *shape, path string) {
	n := 0
	for ; r.More(); n++ {
		at := fmt.Sprintf("%s[%d]", path, n)
		r.shaped(s.Items, at, r.token(at))
	}
	r.token(path) // ]
	if s.MinItems != nil && n < *s.MinItems || s.MaxItems != nil && n > *s.MaxItems {
		refuse(path, "has %d elements, which is not how many the type has", n)
	}
}

// number judges a number. The value travels as it is written, so it must be
// written as its reader wants it, and any size is exact.
func (s *shape) number(path string, n json.Number) {
	if slices.Contains(s.Type, "integer") && !slices.Contains(s.Type, "number") {
		if strings.ContainsAny(string(n), ".eE") {
			refuse(path, "is %.40s, and the type is an integer: write it with digits only", n)
		}
		if s.Minimum != nil && (less(string(n), string(*s.Minimum)) || n == "-0" && *s.Minimum == "0") || s.Maximum != nil && less(string(*s.Maximum), string(n)) {
			refuse(path, "is %.40s, which is out of range", n)
		}
	}
	switch s.Format {
	case "float":
		float(path, n, 32)
	case "double":
		float(path, n, 64)
	}
}

// less compares two integers of any size, written with digits only.
func less(a, b string) bool {
	a, b = canonical(a), canonical(b)
	below, above := strings.HasPrefix(a, "-"), strings.HasPrefix(b, "-")
	switch {
	case below != above:
		return below
	case below:
		a, b = b[1:], a[1:]
	}
	if len(a) != len(b) {
		return len(a) < len(b)
	}
	return a < b
}

// canonical is an integer of JSON, in which only a minus before a zero means
// nothing.
func canonical(n string) string {
	if n == "-0" {
		return "0"
	}
	return n
}

// describeRange is the range of integers of so many bits.
func describeRange(bits int, signed bool) (low, high json.Number) {
	if !signed {
		return "0", json.Number(strconv.FormatUint(1<<bits-1, 10))
	}
	return json.Number(strconv.FormatInt(-1<<(bits-1), 10)), json.Number(strconv.FormatInt(1<<(bits-1)-1, 10))
}

// Integer is the schema of an integer of so many bits.
func Integer(bits int, signed bool) map[string]any {
	low, high := describeRange(bits, signed)
	return map[string]any{"type": "integer", "minimum": low, "maximum": high}
}
