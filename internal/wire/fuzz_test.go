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

// FuzzOutcomes: of any bytes the ends among their frames are outcomes, each of which
// can be told.
func FuzzOutcomes(f *testing.F) {
	var all []byte
	for _, b := range golden(f) {
		f.Add(b)
		all = append(all, b...)
	}
	f.Add(all)
	f.Add(all[:len(all)-1])
	f.Fuzz(func(t *testing.T, b []byte) {
		ended := map[uint64]bool{}
		r := NewReader(bytes.NewReader(b), len(b))
		for {
			h, body, err := r.Next()
			if err != nil {
				break
			}
			switch frame, _ := Parse(h, body); frame := frame.(type) {
			case *End:
				ended[frame.Op] = true
			case *Chosen:
				ended[frame.Op] = true
			}
		}
		outcomes := Outcomes(b)
		if len(outcomes) != len(ended) {
			t.Errorf("%d outcomes of %d ends", len(outcomes), len(ended))
		}
		for op, fate := range outcomes {
			fate.Op = op
			told := fate.Append(nil)
			h, err := ParseHeader(told)
			if err != nil {
				t.Fatal(err)
			}
			if heard, err := ParseFate(h, told[HeaderLength:]); !ended[op] || err != nil || *heard != fate {
				t.Errorf("%+v is heard as %+v, %v", fate, heard, err)
			}
		}
	})
}
