package cbor

import (
	"encoding/hex"
	"errors"
	"math"
	"net/netip"
	"reflect"
	"runtime"
	"testing"
	"time"

	"github.com/handoff-go/handoff/internal/fault"
)

// memoryFor is what decoding n bytes may allocate: a small map in an interface
// costs most.
func memoryFor(n int) uint64 { return 1<<16 + 512*uint64(n) }

// FuzzDecode: any bytes are a value or ErrTypeMismatch, at a price the bytes
// justify; and a value that was decoded encodes to something that decodes to the
// same.
func FuzzDecode(f *testing.F) {
	for _, s := range []string{
		"", "a0", "a26269640165" + "4c696e6573" + "8161" + "61", "9bffffffffffffffff", "bb00000000ffffffff",
		"c074" + hex.EncodeToString([]byte("2013-03-21T20:04:00Z")), "c249010000000000000000", "d818456449455446", "fb7ff8000000000001",
		"a2616101616102", "820102", "5f4101ff", "f7", "f8ff",
	} {
		b, err := hex.DecodeString(s)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		stable[any](t, b)
		stable[[]any](t, b)
		stable[order](t, b)
		stable[point](t, b)
		stable[map[int8][]bool](t, b)
		stable[map[netip.Addr]*order](t, b)
		stable[[4]uint16](t, b)
		stable[float32](t, b)
		stable[string](t, b)
		stable[[]byte](t, b)
		stable[strange](t, b)
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
		// Bytes of others may hold what ours never do.
		if !errors.Is(err, fault.ErrUnsupported) {
			t.Fatalf("%T: %+v was decoded and does not encode: %v", v, v, err)
		}
		return
	}
	if err := c.Decode(append([]byte{}, first...), &w); err != nil {
		t.Fatalf("%T: %x was encoded and does not decode: %v", v, first, err)
	}
	if again, _ := c.Append(nil, &w); string(again) != string(first) {
		t.Fatalf("%T: %x becomes %x", v, first, again)
	}
}

// FuzzRoundTrip: what is sent arrives as it was, or is refused when it is sent.
func FuzzRoundTrip(f *testing.F) {
	f.Add([]byte("raw"), "text", int64(-1), 1.5, uint16(7), true)
	f.Add([]byte(nil), "a\xff", int64(math.MinInt64), math.Inf(1), uint16(0), false)
	f.Fuzz(func(t *testing.T, raw []byte, text string, n int64, x float64, u uint16, on bool) {
		if x != x {
			x = 0 // it arrives as NaN, which equals nothing
		}
		crosses(t, raw)
		crosses(t, text)
		crosses(t, n)
		crosses(t, x)
		crosses(t, []any{text, n, x, on, raw, nil, map[any]any{text: []any{}, n: on}})
		crosses(t, order{
			ID: int(n), Lines: []string{text}, Next: &order{By: map[string]int{text: int(u)}}, Raw: raw, Key: [4]byte{byte(u)},
			When: time.Unix(n%(1<<33), int64(u)).UTC(), Price: x,
		})
		crosses(t, map[int64]map[bool]string{n: {on: text}})
		crosses(t, point{X: int(n), Y: int(u)})
	})
}

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
		t.Fatalf("%T: %+v, sent as %x: %v", v, v, b, err)
	}
	if !reflect.DeepEqual(got, v) {
		t.Fatalf("%+v arrives as %+v", v, got)
	}
}
