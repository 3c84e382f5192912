package codec

import (
	"errors"
	"math"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/handoff-go/handoff/internal/fault"
)

type (
	line  string
	chunk []byte
	flags struct {
		A bool
		N int64
		B bool
		_ [3]byte
		P [2]struct {
			On bool
			X  uint16
		}
	}
	order struct {
		ID    int
		Lines []string
		When  time.Time
		Next  *order
		By    map[string]int
	}
)

// roundTrip checks that v crosses and that the fingerprint starts as said.
func roundTrip[T any](t *testing.T, v T, fingerprint string) {
	t.Helper()
	c, err := For[T](Options{})
	if err != nil {
		t.Errorf("%T: %v", v, err)
		return
	}
	if !strings.HasPrefix(c.Fingerprint(), fingerprint) {
		t.Errorf("%T has the fingerprint %q, want %q", v, c.Fingerprint(), fingerprint)
	}
	b, err := c.Append([]byte("before"), &v)
	if err != nil || !strings.HasPrefix(string(b), "before") {
		t.Errorf("%T: %q, %v", v, b, err)
		return
	}
	var got T
	if err := c.Decode(b[len("before"):], &got); err != nil {
		t.Errorf("%T: %v", v, err)
	}
	if !reflect.DeepEqual(got, v) {
		t.Errorf("%+v arrives as %+v", v, got)
	}
}

func TestRoundTrip(t *testing.T) {
	roundTrip(t, []byte("raw\x00\xff"), "raw:bytes")
	roundTrip(t, chunk("raw"), "raw:bytes")
	roundTrip(t, "text\xff", "raw:string")
	roundTrip(t, line("text"), "raw:string")
	roundTrip(t, "", "raw:string")
	roundTrip(t, int64(42), "mem:")
	roundTrip(t, struct{}{}, "mem:")
	roundTrip(t, math.NaN() > 0, "mem:")
	roundTrip(t, [3]complex128{1, 2i}, "mem:")
	f := flags{A: true, N: -1}
	f.P[1].On, f.P[1].X = true, 7
	roundTrip(t, f, "mem:")
	roundTrip(t, [1000]flags{999: f}, "mem:")
	roundTrip(t, time.Now().UTC().Round(0), "binary:time.Time")
	roundTrip(t, netip.MustParseAddr("10.0.0.1"), "binary:net/netip.Addr")
	roundTrip(t, order{ID: 1, Lines: []string{"é\ufffd", `\ufffd`}, Next: &order{ID: 2}, By: map[string]int{"x": 1}}, "json")
	roundTrip(t, &order{ID: 1}, "json")
	roundTrip(t, map[string][]int{"a": {1}}, "json")
	roundTrip(t, []int{1, 2}, "json")
}

func TestFingerprints(t *testing.T) {
	print := func(c interface{ Fingerprint() string }, err error) string {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return c.Fingerprint()
	}
	schema := Options{Schema: "order/1"}
	same := [][2]string{
		{print(For[int64](Options{})), print(For[time.Duration](Options{}))},
		{print(For[order](schema)), print(For[map[string]any](schema))},
		{print(For[time.Time](Options{Schema: "t"})), "binary:t"},
		{print(For[int](Options{Format: JSON})), "json"},
	}
	for _, s := range same {
		if s[0] != s[1] {
			t.Errorf("%q and %q differ", s[0], s[1])
		}
	}
	other := []string{
		print(For[string](Options{})), print(For[[]byte](Options{})), print(For[int32](Options{})), print(For[uint32](Options{})),
		print(For[struct{ X, Y int32 }](Options{})), print(For[struct{ Y, X int32 }](Options{})), print(For[[2]int32](Options{})),
		print(For[order](Options{})), print(For[order](schema)), print(For[order](Options{Schema: "order/2"})),
		print(For[time.Time](Options{})), print(For[netip.Addr](Options{})),
	}
	seen := map[string]bool{}
	for _, s := range other {
		if seen[s] {
			t.Errorf("%q twice", s)
		}
		seen[s] = true
		if len(s) > 240 {
			t.Errorf("%q is too long", s)
		}
	}
	type long struct {
		A0, A1, A2, A3, A4, A5, A6, A7, A8, A9 [10]struct{ Latitude, Longitude, Height float64 }
		Last                                   int8
	}
	type longer struct {
		A0, A1, A2, A3, A4, A5, A6, A7, A8, A9 [10]struct{ Latitude, Longitude, Height float64 }
		Last                                   uint8
	}
	a, b := print(For[long](Options{})), print(For[longer](Options{}))
	if a == b || len(a) > 240 {
		t.Errorf("long fingerprints %q and %q", a, b)
	}
}

func TestRefusals(t *testing.T) {
	type Inner struct{ Call func() }
	type Order struct{ Notify func() }
	type Deep struct{ Orders map[string][]*Inner }
	type Hidden struct{ secret string }
	type Shape struct{ S interface{ Area() int } }
	// Built here because vet, rightly, does not let it stand in the source.
	twice := reflect.StructOf([]reflect.StructField{
		{Name: "A", Type: reflect.TypeFor[int](), Tag: `json:"x"`},
		{Name: "B", Type: reflect.TypeFor[int](), Tag: `json:"x"`},
	})
	type Fine struct {
		Skip func()             `json:"-"`
		Any  any                `json:"any"`
		M    map[netip.Addr]int `json:"m"`
		_    struct{}
	}
	tests := []struct {
		err  error
		want string
	}{
		{refusal[Order](), "Order.Notify is a func"},
		{refusal[Deep](), "Deep.Orders[][].Call is a func"},
		{refusal[chan int](), "chan int is a chan"},
		{refusal[func()](), "func() is a func"},
		{refusal[unsafe.Pointer](), "Pointer is an unsafe.Pointer"},
		{refusal[[0]chan int](), "[0]chan int[] is a chan"},
		{refusal[struct{ C <-chan int }](), "C is a chan"},
		{refusal[Hidden](), "Hidden.secret is not exported"},
		{refusal[Shape](), "Shape.S is an interface with methods"},
		{refusedType(twice), "B shares its JSON name"},
		{refusal[map[[2]int]string](), "cannot be the key"},
		{refusal[struct {
			base
			Name string
		}](), "Name shares its JSON name"},
		{refusal[Loop](), "Loop.hoop.Loop embeds itself"},
		{refusal[struct{ V half }](), "V has MarshalText and not its counterpart"},
		{refusal[stamped](), "stamped has the AppendBinary of a type embedded in it"},
		{refusal[[]stamped](), "has the MarshalJSON of a type embedded in it"},
		{refusal[[]complex64](), "is of a kind that JSON does not know"},
	}
	for _, test := range tests {
		if !errors.Is(test.err, fault.ErrUnsupported) || !strings.Contains(test.err.Error(), test.want) {
			t.Errorf("got %v, want it to say %q", test.err, test.want)
		}
	}
	if err := refusal[Fine](); err != nil {
		t.Error(err)
	}
	if _, err := For[int](Options{Format: "morse"}); !errors.Is(err, fault.ErrUnsupported) {
		t.Errorf("an unknown format: %v", err)
	}
	_, err := For[int](Options{Format: CBOR})
	if !errors.Is(err, fault.ErrUnsupported) || !strings.Contains(err.Error(), `import _ "github.com/handoff-go/handoff/codec/cbor"`) {
		t.Errorf("a format whose package is not imported: %v", err)
	}
}

type (
	base    struct{ ID, Name string }
	Loop    struct{ hoop }
	hoop    struct{ *Loop }
	half    string
	stamped struct {
		time.Time
		Name string
	}
)

// box and overrides encode themselves, and lose nothing.
type (
	box[T any] struct {
		V  T
		OK bool
	}
	overrides struct {
		time.Time
		Name string
	}
)

func (b box[T]) MarshalJSON() ([]byte, error)     { return []byte("1"), nil }
func (b *box[T]) UnmarshalJSON([]byte) error      { return nil }
func (o overrides) MarshalJSON() ([]byte, error)  { return []byte("1"), nil }
func (o *overrides) UnmarshalJSON(b []byte) error { return nil }

// TestOwnMethods: a method is its type's own, however the type is made.
func TestOwnMethods(t *testing.T) {
	for what, err := range map[string]error{
		"generic":            refusal[[]box[string]](),
		"generic of generic": refusal[[]box[box[int]]](),
		"overriding":         refusal[[]overrides](),
		"one part only":      refusal[[]struct{ time.Time }](),
	} {
		if err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	if refusal[[]struct {
		*stamped
		N int
	}]() == nil {
		t.Error("what loses the rest, behind a pointer, is not refused")
	}
}

func (half) MarshalText() ([]byte, error) { return nil, nil }

// refusedType is refusal for a type made at run time.
func refusedType(t reflect.Type) error {
	_, err := jsonEncoding.carries(t)
	return err
}

func refusal[T any]() error {
	_, err := For[T](Options{})
	return err
}

// TestPaddingIsZero: what lies between the fields of a value is not carried.
func TestPaddingIsZero(t *testing.T) {
	c := mustFor[flags](t)
	var a, b flags
	for i := range bytesOf(&a) {
		bytesOf(&a)[i] = 1
		bytesOf(&b)[i] = 1
	}
	for _, p := range layoutOf(reflect.TypeFor[flags]()).pads {
		for i := range p.n {
			bytesOf(&b)[p.at+i] = 0xee
		}
	}
	x, _ := c.Append(nil, &a)
	y, _ := c.Append(nil, &b)
	if string(x) != string(y) {
		t.Errorf("padding is carried:\n%x\n%x", x, y)
	}
	if x[1] != 0 {
		t.Error("the padding behind the first bool is not zero")
	}
}

func TestBadBytes(t *testing.T) {
	good, _ := mustFor[flags](t).Append(nil, &flags{})
	bad := append([]byte(nil), good...)
	bad[unsafe.Offsetof(flags{}.P)] = 2
	for _, err := range []error{
		mustFor[flags](t).Decode(good[1:], new(flags)),
		mustFor[flags](t).Decode(bad, new(flags)),
		mustFor[bool](t).Decode([]byte{2}, new(bool)),
		mustFor[order](t).Decode([]byte(`{"ID":"x"}`), new(order)),
		mustFor[order](t).Decode([]byte(`{}{}`), new(order)),
		mustFor[time.Time](t).Decode([]byte{99}, new(time.Time)),
		mustFor[wild](t).Decode([]byte{99}, new(wild)),
	} {
		if !errors.Is(err, fault.ErrTypeMismatch) {
			t.Errorf("got %v", err)
		}
	}
}

// wild is a type whose own codec panics.
type wild struct{ _ *int }

func (wild) MarshalBinary() ([]byte, error)     { panic("marshal") }
func (*wild) UnmarshalBinary(data []byte) error { panic("unmarshal") }

func TestLossIsRefused(t *testing.T) {
	if _, err := mustFor[[]string](t).Append(nil, &[]string{"a\xff"}); !errors.Is(err, fault.ErrUnsupported) {
		t.Errorf("a string that is not UTF-8 in JSON: %v", err)
	}
	if _, err := mustFor[[]float64](t).Append(nil, &[]float64{math.NaN()}); !errors.Is(err, fault.ErrUnsupported) {
		t.Errorf("NaN in JSON: %v", err)
	}
	type node struct{ Next *node }
	ring := &node{}
	ring.Next = ring
	if _, err := mustFor[*node](t).Append(nil, &ring); !errors.Is(err, fault.ErrUnsupported) {
		t.Errorf("a value that contains itself: %v", err)
	}
	var hidden any = []any{struct{ secret int }{1}}
	if _, err := mustFor[any](t).Append(nil, &hidden); !errors.Is(err, fault.ErrUnsupported) {
		t.Errorf("a field JSON would drop, in an interface: %v", err)
	}
	if _, err := mustFor[wild](t).Append(nil, new(wild)); err == nil {
		t.Error("a panic of a value's own codec is no error")
	}
}

func TestDecodeForgetsWhatWasThere(t *testing.T) {
	v := order{ID: 7, Lines: []string{"old"}}
	if err := mustFor[order](t).Decode([]byte(`{}`), &v); err != nil || v.ID != 0 || v.Lines != nil {
		t.Errorf("%+v, %v", v, err)
	}
}

func mustFor[T any](t testing.TB) Codec[T] {
	c, err := For[T](Options{})
	if err != nil {
		t.Fatal(err)
	}
	return c
}
