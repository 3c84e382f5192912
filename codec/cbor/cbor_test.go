package cbor

import (
	"encoding/hex"
	"errors"
	"math"
	"math/big"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/handoff-go/handoff/codec"
	"github.com/handoff-go/handoff/internal/fault"
)

type (
	order struct {
		ID    int `cbor:"id"`
		Lines []string
		When  time.Time
		Next  *order
		By    map[string]int
		Raw   []byte
		Key   [4]byte
		Price float64
		From  netip.Addr
	}
	point struct {
		_    struct{} `cbor:",toarray"`
		X, Y int
	}
	// level and strange encode themselves as text and as CBOR.
	level   int
	strange struct{ raw []byte }
)

func (l level) MarshalText() ([]byte, error)       { return []byte(strings.Repeat("+", int(l))), nil }
func (l *level) UnmarshalText(b []byte) error      { *l = level(len(b)); return nil }
func (s strange) MarshalCBOR() ([]byte, error)     { return s.raw, nil }
func (s *strange) UnmarshalCBOR(data []byte) error { s.raw = append([]byte(nil), data...); return nil }

func options() codec.Options { return codec.Options{Format: codec.CBOR} }

func mustFor[T any](t testing.TB) codec.Codec[T] {
	c, err := codec.For[T](options())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func roundTrip[T any](t *testing.T, v T) {
	t.Helper()
	c := mustFor[T](t)
	b, err := c.Append([]byte("before"), &v)
	if err != nil {
		t.Errorf("%T: %v", v, err)
		return
	}
	var got T
	if err := c.Decode(b[len("before"):], &got); err != nil {
		t.Errorf("%T: %x: %v", v, b, err)
	}
	if !reflect.DeepEqual(got, v) {
		t.Errorf("%#v arrives as %#v", v, got)
	}
}

func TestRoundTrip(t *testing.T) {
	zone := time.FixedZone("", 3600)
	roundTrip(t, order{
		ID: -1, Lines: []string{"é", ""}, When: time.Date(2026, 1, 2, 3, 4, 5, 123456789, time.UTC), Next: &order{Lines: []string{}},
		By: map[string]int{"x": 1, "": 2}, Raw: []byte{0xff}, Key: [4]byte{1}, Price: 0.1, From: netip.MustParseAddr("::1"),
	})
	roundTrip(t, order{})
	roundTrip(t, []byte("bytes"))
	roundTrip(t, "text")
	roundTrip(t, 42)
	roundTrip(t, point{X: 1, Y: -2})
	roundTrip(t, uint64(math.MaxUint64))
	roundTrip(t, math.Inf(-1))
	roundTrip(t, [][]int{nil, {}, {1}})
	roundTrip(t, map[int][]bool{-1: {true}})
	roundTrip(t, map[netip.Addr]string{netip.MustParseAddr("10.0.0.1"): "a"})
	roundTrip(t, map[level]level{1: 2})
	roundTrip(t, *new(big.Int).Lsh(big.NewInt(1), 100))
	roundTrip(t, []any{int64(1), int64(-1), "a", nil, true, 1.5, []byte{1}, map[any]any{"k": []any{}}, time.Unix(1, 0).UTC()})
	roundTrip(t, any(map[any]any{int64(1): "a", "b": int64(2)}))
	roundTrip(t, make([]int, 200_000)) // beyond the library's own limit

	// A time keeps its instant and its offset.
	c, was := mustFor[time.Time](t), time.Date(2026, 1, 2, 3, 4, 5, 6, zone)
	b, _ := c.Append(nil, &was)
	var is time.Time
	if err := c.Decode(b, &is); err != nil || is.Format(time.RFC3339Nano) != was.Format(time.RFC3339Nano) {
		t.Errorf("%v arrives as %v, %v", was, is, err)
	}
}

// TestBytes: the encoding is the RFC's deterministic one, and stays as it is.
func TestBytes(t *testing.T) {
	for _, c := range []struct {
		got  []byte
		want string
	}{
		{appended(t, map[string]int{"b": 1, "a": 2, "aa": 3}), "a3616102616201626161" + "03"},
		{appended(t, point{X: 1, Y: 2}), "820102"},
		{appended(t, struct{ A, B int }{1, 2}), "a2614101614202"},
		{appended(t, 1.5), "f93e00"},
		{appended(t, []byte(nil)), "f6"},
		{appended(t, []byte{}), "40"},
		{appended(t, [2]byte{1, 2}), "420102"},
		{appended(t, time.Unix(0, 1).UTC()), "c0" + "781e" + hex.EncodeToString([]byte("1970-01-01T00:00:00.000000001Z"))},
	} {
		if got := hex.EncodeToString(c.got); got != c.want {
			t.Errorf("got %s, want %s", got, c.want)
		}
	}
}

func appended[T any](t testing.TB, v T) []byte {
	b, err := mustFor[T](t).Append(nil, &v)
	if err != nil {
		t.Error(err)
	}
	return b
}

func TestFingerprint(t *testing.T) {
	if got := mustFor[order](t).Fingerprint(); got != "cbor" {
		t.Errorf("got %q", got)
	}
	c, err := codec.For[order](codec.Options{Format: codec.CBOR, Schema: "order/1"})
	if err != nil || c.Fingerprint() != "cbor:order/1" {
		t.Errorf("got %v, %v", c, err)
	}
}

// TestEvolves: fields may come and go.
func TestEvolves(t *testing.T) {
	b := appended(t, struct{ Old, Both int }{1, 2})
	var v struct{ Both, New int }
	if err := mustFor[struct{ Both, New int }](t).Decode(b, &v); err != nil || v.Both != 2 {
		t.Errorf("%+v, %v", v, err)
	}
}

func TestBadBytes(t *testing.T) {
	for _, c := range []struct{ what, hex string }{
		{"nothing", ""},
		{"half an item", "8201"},
		{"two items", "8080"},
		{"a key twice", "a2614101614102"},
		{"an unknown key twice", "a2615a01615a02"},
		{"an indefinite array", "9fff"},
		{"an array longer than any memory", "9b7fffffffffffffff"},
		{"a map longer than any memory", "bb7fffffffffffffff"},
		{"text longer than any memory", "7b7fffffffffffffff"},
		{"text that is not UTF-8", "a1654c696e65738161ff"},
		{"a number for a struct", "01"},
		{"a deep nest", strings.Repeat("81", 5000) + "01"},
		{"a deep nest in an unknown field", "a1615a" + strings.Repeat("81", 5000) + "01"},
		{"deep tags", strings.Repeat("c6", 5000) + "01"},
		{"a time that is none", "a16457" + "68656e" + "c061" + "78"},
		{"a reserved head", "1c"},
	} {
		b, err := hex.DecodeString(c.hex)
		if err != nil {
			t.Fatal(c.what, err)
		}
		if err := mustFor[order](t).Decode(b, new(order)); !errors.Is(err, fault.ErrTypeMismatch) {
			t.Errorf("%s: %v", c.what, err)
		}
		mustFor[any](t).Decode(b, new(any)) // must not panic
	}
	// An attacker pays for what he makes us allocate.
	for _, s := range []string{"9a00ffffff", "ba00ffffff", "5affffffff", strings.Repeat("9a00ffffff", 100)} {
		b, _ := hex.DecodeString(s)
		if n := testing.AllocsPerRun(1, func() { mustFor[any](t).Decode(b, new(any)) }); n > 1000 {
			t.Errorf("%s: %v allocations", s, n)
		}
	}
}

func TestRefusals(t *testing.T) {
	type Order struct{ Notify func() }
	type Hidden struct{ secret string }
	type Fine struct {
		Skip func()         `cbor:"-"`
		Also chan int       `json:"-"`
		Any  map[any]any    `cbor:"1,keyasint"`
		M    map[bool]level `json:"m"`
	}
	tests := []struct {
		err  error
		want string
	}{
		{refusal[Order](), "Order.Notify is a func"},
		{refusal[chan int](), "chan int is a chan"},
		{refusal[Hidden](), "Hidden.secret is not exported"},
		{refusal[[]complex64](), "is of a kind that CBOR does not know"},
		{refusal[uintptr](), "is of a kind that CBOR does not know"},
		{refusal[map[float64]int](), "cannot be the key of a map in CBOR"},
		{refusal[map[[2]int]string](), "cannot be the key of a map in CBOR"},
		{refusal[struct {
			time.Time
			Name string
		}](), "would drop the other fields"},
	}
	for _, test := range tests {
		if !errors.Is(test.err, fault.ErrUnsupported) || !strings.Contains(test.err.Error(), test.want) {
			t.Errorf("got %v, want it to say %q", test.err, test.want)
		}
	}
	if err := refusal[Fine](); err != nil {
		t.Error(err)
	}
}

func refusal[T any]() error {
	_, err := codec.For[T](options())
	return err
}

// TestLossIsRefused: what could not be decoded as it was is not encoded.
func TestLossIsRefused(t *testing.T) {
	type node struct{ Next *node }
	ring := &node{}
	ring.Next = ring
	var self any
	self = &self
	long := &node{}
	for range 2000 {
		long = &node{long}
	}
	for what, err := range map[string]error{
		"text that is not UTF-8":   sendError(t, []string{"a\xff"}),
		"a key that is not UTF-8":  sendError(t, map[string]int{"a\xff": 1}),
		"a chan in an interface":   sendError(t, any(make(chan int))),
		"a secret in an interface": sendError(t, []any{struct{ secret int }{1}}),
		"a ring":                   sendError(t, ring),
		"an interface in itself":   sendError(t, self),
		"a long list":              sendError(t, long),
		"a key of many parts":      sendError(t, map[any]any{[2]int{}: 1}),
		"a year of five digits":    sendError(t, time.Date(12345, 1, 1, 0, 0, 0, 0, time.UTC)),
		"no CBOR at all":           sendError(t, strange{[]byte{0x1c}}),
		"CBOR that is too deep":    sendError(t, strange{append([]byte(strings.Repeat("\x81", 5000)), 1)}),
		"own CBOR with bad text":   sendError(t, strange{[]byte{0x61, 0xff}}),
	} {
		if !errors.Is(err, fault.ErrUnsupported) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func sendError[T any](t *testing.T, v T) error {
	_, err := mustFor[T](t).Append(nil, &v)
	return err
}
