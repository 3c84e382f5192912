package codec

import (
	"errors"
	"math"
	"net/netip"
	"reflect"
	"runtime"
	"testing"
	"time"
	"unsafe"

	"github.com/handoff-go/handoff/internal/fault"
)

// memoryFor is what decoding n bytes may allocate: the any of an element of two
// bytes costs most, and a list grows by doubling.
func memoryFor(n int) uint64 { return 1<<16 + 512*uint64(n) }

// FuzzDecode: any bytes are a value or ErrTypeMismatch, at a price the bytes
// justify; and a value that was decoded encodes to something that decodes to the
// same.
func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"ID":1,"Lines":["a"],"When":"2020-01-01T00:00:00Z"}`))
	f.Add([]byte(`{"a":[1,{"b":[]},null]}`))
	f.Add(make([]byte, unsafe.Sizeof(flags{})))
	f.Add([]byte{1})
	f.Fuzz(func(t *testing.T, b []byte) {
		stable[flags](t, b)
		stable[bool](t, b)
		stable[order](t, b)
		stable[string](t, b)
		stable[chunk](t, b)
		stable[map[int8][]bool](t, b)
		stable[[]any](t, b)
		stable[map[netip.Addr]*order](t, b)
		if _, _, err := CutFate(b); err != nil && !errors.Is(err, fault.ErrTypeMismatch) {
			t.Fatal(err)
		}
		// The codec of a type of its own is not ours to judge: only its errors are.
		for _, err := range []error{
			mustFor[time.Time](t).Decode(b, new(time.Time)),
			mustFor[netip.Prefix](t).Decode(b, new(netip.Prefix)),
			mustFor[wild](t).Decode(b, new(wild)),
		} {
			if err != nil && !errors.Is(err, fault.ErrTypeMismatch) {
				t.Fatal(err)
			}
		}
	})
}

func stable[T any](t *testing.T, b []byte) {
	c := mustFor[T](t)
	var v, w T
	var before, after runtime.MemStats
	given := append([]byte{}, b...)
	runtime.ReadMemStats(&before)
	err := c.Decode(given, &v)
	runtime.ReadMemStats(&after)
	if used := after.TotalAlloc - before.TotalAlloc; used > memoryFor(len(b)) {
		t.Fatalf("%T: %d bytes take %d bytes of memory", v, len(b), used)
	}
	if err != nil {
		if !errors.Is(err, fault.ErrTypeMismatch) {
			t.Fatalf("%T: %v", v, err)
		}
		return
	}
	first, err := c.Append(nil, &v)
	if err != nil {
		t.Fatalf("%T: %+v was decoded and does not encode: %v", v, v, err)
	}
	if err := c.Decode(append([]byte{}, first...), &w); err != nil {
		t.Fatalf("%T: %v", v, err)
	}
	if again, _ := c.Append(nil, &w); string(again) != string(first) {
		t.Fatalf("%T: %q becomes %q", v, first, again)
	}
}

// FuzzRoundTrip: what is sent arrives as it was, or is refused when it is sent.
// It goes through every codec.
func FuzzRoundTrip(f *testing.F) {
	f.Add([]byte("raw"), "text", int64(-1), 1.5, uint16(7), true)
	f.Add([]byte(nil), "a\xff\ufffd\\ufffd", int64(math.MinInt64), math.Inf(1), uint16(0), false)
	f.Fuzz(func(t *testing.T, raw []byte, text string, n int64, x float64, u uint16, on bool) {
		if raw == nil {
			raw = []byte{} // nil arrives as empty
		}
		crosses(t, raw)
		crosses(t, text)
		v := flags{A: on, N: n, B: !on}
		v.P[1].On, v.P[1].X = on, u
		crosses(t, v)
		crosses(t, [2]complex128{complex(0, float64(n))})
		crosses(t, time.Unix(n%(1<<40), int64(u)).UTC())
		crosses(t, order{
			ID: int(n), Lines: []string{text, ""}, Next: &order{Lines: nil, By: map[string]int{text: int(u)}},
			When: time.Unix(n%(1<<33), 0).UTC(),
		})
		crosses(t, []any{text, x, on, nil, map[string]any{text: []any{}}})
		deadCrosses(t, Fate{Reason: text, Attempts: int(u), From: text}, raw)
	})
}

// crosses checks that v arrives as it is or is ErrUnsupported.
func crosses[T any](t *testing.T, v T) {
	c := mustFor[T](t)
	b, err := c.Append([]byte{9}, &v)
	if errors.Is(err, fault.ErrUnsupported) {
		return
	}
	if err != nil {
		t.Fatalf("%T: %v", v, err)
	}
	var got T
	if err := c.Decode(b[1:], &got); err != nil {
		t.Fatalf("%T: %+v, sent as %q: %v", v, v, b, err)
	}
	if !reflect.DeepEqual(got, v) {
		t.Fatalf("%+v arrives as %+v", v, got)
	}
}

// deadCrosses checks that what became of a value arrives, and the value's bytes.
func deadCrosses(t *testing.T, f Fate, value []byte) {
	got, rest, err := CutFate(append(AppendFate(nil, f), value...))
	if err != nil || string(rest) != string(value) || got.Attempts != f.Attempts || len(f.From) <= maxFateText && got != f {
		t.Fatalf("%+v with %q arrives as %+v with %q, %v", f, value, got, rest, err)
	}
}
