package wire

import (
	"bytes"
	"reflect"
	"testing"
)

// FuzzParse: any bytes are a frame or an error. A frame that was read, written
// again and read again is the same, and its Length is true.
func FuzzParse(f *testing.F) {
	for _, b := range golden(f) {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		r := NewReader(bytes.NewReader(b), DefaultMaxBody)
		for {
			h, body, err := r.Next()
			if err != nil {
				return
			}
			frame, err := Parse(h, body)
			if err != nil {
				continue
			}
			again := frame.Append(nil)
			if len(again) != frame.Length() {
				t.Fatalf("%v: Length %d, %d bytes", h.Type, frame.Length(), len(again))
			}
			h2, err := ParseHeader(again)
			if err != nil {
				t.Fatal(err)
			}
			frame2, err := Parse(h2, again[HeaderLength:])
			if err != nil {
				t.Fatalf("%v does not read back: %v", h.Type, err)
			}
			if !reflect.DeepEqual(frame, frame2) {
				t.Fatalf("%v\n%+v\nreads back as\n%+v", h.Type, frame, frame2)
			}
		}
	})
}
