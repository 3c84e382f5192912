package schema_test

import (
	"encoding/json"
	"errors"
	"net/netip"
	"testing"
	"time"

	"github.com/handoff-go/handoff/codec"
	"github.com/handoff-go/handoff/internal/schema"
)

type head struct {
	ID   uint64 `json:"id"`
	Note *string
}

type line struct {
	Name  string  `json:"name"`
	Price float64 `json:"price"`
	Count int8    `json:"count"`
}

// invoice is a type that travels as JSON.
type invoice struct {
	head
	Items  []line          `json:"items"`
	Pair   [2]float32      `json:"pair"`
	By     map[string]bool `json:"by"`
	Any    any             `json:"any"`
	At     time.Time       `json:"at"`
	From   netip.Addr      `json:"from"`
	Raw    []byte          `json:"raw"`
	Quoted int             `json:"quoted,string"`
	Hidden int             `json:"-"`
	Next   *invoice        `json:"next"`
}

func shapeOfInvoice(t testing.TB) (*schema.JSON, codec.Codec[invoice]) {
	t.Helper()
	c, err := codec.For[invoice](codec.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s, err := schema.ParseJSON(codec.SchemaOf(c))
	if err != nil {
		t.Fatal(err)
	}
	return s, c
}

func invoices() []invoice {
	note := "x"
	return []invoice{
		{},
		{
			head: head{1<<64 - 1, &note}, Items: []line{{"a", 0.1, -128}, {}}, Pair: [2]float32{0.1, 3e38}, By: map[string]bool{"k": true},
			Any: []any{1.5, nil, "s"}, At: time.Now(), From: netip.MustParseAddr("::1"), Raw: []byte{1}, Quoted: 7, Next: &invoice{},
		},
	}
}

// TestCheckTakesWhatGoWrites: every value that Go encodes passes.
func TestCheckTakesWhatGoWrites(t *testing.T) {
	s, c := shapeOfInvoice(t)
	for _, v := range invoices() {
		text, err := c.Append(nil, &v)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Check("v", text); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestCheckNamesTheField(t *testing.T) {
	s, _ := shapeOfInvoice(t)
	for text, want := range map[string]string{
		`{"items":[{"price":1},{},{"price":"dear"}]}`: "order.items[2].price is a string, not number",
		`{"ITEMS":[{"count":128}]}`:                   "order.ITEMS[0].count is 128, which is out of range",
		`{"items":[{"count":1.0}]}`:                   "order.items[0].count is 1.0, and the type is an integer: write it with digits only",
		`{"id":18446744073709551616}`:                 "order.id is 18446744073709551616, which is out of range",
		`{"id":-0}`:                                   "order.id is -0, which is out of range",
		`{"id":null}`:                                 "order.id is null, not integer",
		`{"items":{}}`:                                "order.items is an object, not array or null",
		`{"pair":[1]}`:                                "order.pair has 1 elements, which is not how many the type has",
		`{"pair":[1,16777217]}`:                       "order.pair[1] is 16777217, which a float32 cannot have: the nearest is 1.6777216e+07",
		`{"by":{"k":1}}`:                              "order.by.k is a number, not boolean",
		`{"from":7}`:                                  "order.from is a number, not string",
		`{"raw":"?"}`:                                 "order.raw is not base64",
		`[]`:                                          "order is an array, not object",
		`{"Note":5}`:                                  "order.Note is a number, not string or null",
	} {
		err := s.Check("order", []byte(text))
		if bad := (*schema.Mismatch)(nil); !errors.As(err, &bad) || err.Error() != want {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
	for _, text := range []string{`{}`, `{"id":18446744073709551615}`, `{"unknown":[{}]}`, `{"items":null,"Note":null}`, `{"items":[{"count":-128,"price":1e3}]}`} {
		if err := s.Check("order", []byte(text)); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
	for _, bad := range []string{``, `[]`, `null`, `{"type":5}`, `{"properties":7}`, `{"items":true}`} {
		if s, err := schema.ParseJSON(bad); err == nil {
			t.Errorf("%s is %+v", bad, s)
		}
	}
}

// TestShapesAreBounded: a type that unfolds without end in sight is described as
// far as that is short.
func TestShapesAreBounded(t *testing.T) {
	type a struct{ S string }
	type b struct{ A, B, C, D, E, F, G, H, I, J a }
	type d struct{ A, B, C, D, E, F, G, H, I, J b }
	type e struct{ A, B, C, D, E, F, G, H, I, J d }
	type f struct{ A, B, C, D, E, F, G, H, I, J e }
	type wide struct{ A, B, C, D, E, F, G, H, I, J f }
	c, err := codec.For[wide](codec.Options{})
	if err != nil {
		t.Fatal(err)
	}
	text := codec.SchemaOf(c)
	s, err := schema.ParseJSON(text)
	if err != nil || len(text) > 1<<16-1 {
		t.Fatalf("%d bytes, %v", len(text), err)
	}
	if err := s.Check("w", []byte(`{"A":{"A":{"A":{"A":{"A":{"S":5}}}}}}`)); err == nil {
		t.Error("the part that is described is not checked")
	}
	if err := s.Check("w", []byte(`{"J":{"J":{"J":{"J":{"J":{"S":5}}}}}}`)); err != nil {
		t.Error(err)
	}
}

// readable is what of an invoice has no method of its own: all of it is checked.
type readable struct {
	head
	Items []line             `json:"items"`
	Pair  [2]float32         `json:"pair"`
	By    map[string][]uint8 `json:"by"`
	Deep  [][]*int64         `json:"deep"`
	Flag  bool               `json:"flag"`
}

// FuzzCheck: what passes is read by Go without an error, and so is not lost.
func FuzzCheck(f *testing.F) {
	c, err := codec.For[readable](codec.Options{})
	if err != nil {
		f.Fatal(err)
	}
	s, err := schema.ParseJSON(codec.SchemaOf(c))
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte(`{"id":1,"Note":"x","items":[{"name":"a","price":0.1,"count":-1}],"pair":[1,2.5],"by":{"k":"AQ=="},"deep":[[1,null],null],"flag":true}`))
	f.Add([]byte(`{"id":-0,"ITEMS":[{"price":-0.0}],"deep":[[-9223372036854775808]],"by":{"":"\n"}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		if !json.Valid(text) || s.Check("v", text) != nil {
			return
		}
		var v readable
		if err := c.Decode(text, &v); err != nil {
			t.Fatalf("%s passes, and Go says %v", text, err)
		}
	})
}
