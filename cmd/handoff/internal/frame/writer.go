package frame

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"io"
)

// Writer writes values.
type Writer struct {
	out  io.Writer
	form Form
	b    []byte
}

// NewWriter makes a Writer of values to w.
func NewWriter(w io.Writer, form Form) *Writer { return &Writer{out: w, form: form} }

// Write writes v in one write, so that nothing is left in a buffer. The caller
// has asked the form's Check.
func (w *Writer) Write(v []byte) error {
	w.b = w.form.Append(w.b[:0], v)
	_, err := w.out.Write(w.b)
	return err
}

// Append appends v as it lies in a stream of the form to b.
func (f Form) Append(b, v []byte) []byte {
	switch f {
	case Raw:
		return append(b, v...)
	case Prefixed:
		return append(binary.BigEndian.AppendUint32(b, uint32(len(v))), v...)
	case Null:
		return append(append(b, v...), 0)
	case JSON:
		if bytes.IndexByte(v, '\n') >= 0 { // a text over several lines
			var one bytes.Buffer
			if json.Compact(&one, v) == nil {
				v = one.Bytes()
			}
		}
	}
	return append(append(b, v...), '\n')
}
