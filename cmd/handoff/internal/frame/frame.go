// Package frame cuts a stream of bytes into values, and joins values to a stream
// so that they can be told apart again.
package frame

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"
)

// Form is how values lie in a stream.
type Form int

const (
	// Lines: each value ends with a line feed, but the last may lack it.
	Lines Form = iota
	// Null: each value ends with a NUL, but the last may lack it.
	Null
	// JSON: lines, each of them one JSON text.
	JSON
	// Prefixed: each value follows its length in bytes, a big-endian u32.
	Prefixed
	// Raw: the whole stream is one value, and values are written one behind the
	// other with nothing between.
	Raw
)

// Unit is what people call a value of the form.
func (f Form) Unit() string {
	if f == Lines || f == JSON {
		return "line"
	}
	return "value"
}

// Check reports whether v can be written in the form and read again as what it
// is; the error says what else could carry it.
func (f Form) Check(v []byte) error {
	switch f {
	case Lines:
		if bytes.IndexByte(v, '\n') >= 0 {
			return errors.New("it has a line feed in it, and would be read as several lines: use --null, --length-prefixed or --raw")
		}
	case Null:
		if bytes.IndexByte(v, 0) >= 0 {
			return errors.New("it has a NUL in it, and would be read as several values: use --length-prefixed or --raw")
		}
	case JSON:
		return CheckJSON(v)
	case Prefixed:
		if uint64(len(v)) > 1<<32-1 {
			return fmt.Errorf("it has %d bytes, more than a u32 can say", len(v))
		}
	}
	return nil
}

// CheckJSON reports whether v is one JSON text in UTF-8.
func CheckJSON(v []byte) error {
	switch {
	case !utf8.Valid(v):
		return errors.New("it is not JSON: not UTF-8")
	case json.Valid(v):
		return nil
	}
	var any json.RawMessage
	err := json.Unmarshal(v, &any)
	if err == nil {
		err = errors.New("more than one text")
	}
	return fmt.Errorf("it is not JSON: %w", err)
}
