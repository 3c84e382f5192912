package schema_test

import (
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/handoff-go/handoff/codec"
	"github.com/handoff-go/handoff/internal/schema"
)

type item struct {
	Name  [4]byte
	Price float64 `json:"price"`
	Gone  bool
}

type order struct {
	ID    uint64  `json:"id"`
	Count int8    `json:"count,omitempty"`
	Items [3]item `json:"items"`
	Rate  float32
	_     [3]byte
	Cache int32 `json:"-"`
	Wave  complex64
}

// memoryOf returns the layout of a T as a home learns it.
func memoryOf[T any](t *testing.T) (*schema.Memory, codec.Codec[T]) {
	t.Helper()
	c, err := codec.For[T](codec.Options{})
	if err != nil {
		t.Fatal(err)
	}
	m, err := schema.Parse(c.Fingerprint(), codec.SchemaOf(c))
	if err != nil {
		t.Fatal(err)
	}
	return m, c
}

func example() order {
	o := order{ID: 1 << 63, Count: -128, Rate: 0.1, Wave: 1 - 2i}
	for i := range o.Items {
		o.Items[i] = item{Name: [4]byte{'a', 'b', 'c', byte(i)}, Price: float64(i) + 0.1, Gone: i == 1}
	}
	return o
}

const exampleText = `{"id":"9223372036854775808","count":-128,"items":[` +
	`{"Name":[97,98,99,0],"price":0.1,"Gone":false},{"Name":[97,98,99,1],"price":1.1,"Gone":true},{"Name":[97,98,99,2],"price":2.1,"Gone":false}],` +
	`"Rate":0.1,"Wave":[1,-2]}`

// TestAsGoHasIt: the memory made of JSON is what Go's own codec makes and reads,
// and the way back gives the JSON.
func TestAsGoHasIt(t *testing.T) {
	m, c := memoryOf[order](t)
	want := example()
	mem, err := c.Append(nil, &want)
	if err != nil {
		t.Fatal(err)
	}
	text, err := m.AppendJSON(nil, mem)
	if err != nil || string(text) != exampleText {
		t.Fatalf("%s, %v; want %s", text, err, exampleText)
	}
	made, err := m.FromJSON("order", text)
	if err != nil {
		t.Fatal(err)
	}
	if string(made) != string(mem) {
		t.Errorf("%x, want %x", made, mem)
	}
	var got order
	if err := c.Decode(made, &got); err != nil || got != want {
		t.Errorf("%+v, %v; want %+v", got, err, want)
	}
}

func TestMismatchNamesTheField(t *testing.T) {
	m, _ := memoryOf[order](t)
	for _, c := range []struct{ from, to, want string }{
		{`"price":2.1`, `"price":"dear"`, `order.items[2].price is "dear", not a number`},
		{`"price":2.1`, `"price":null`, `order.items[2].price is null, not a number`},
		{`"price":2.1`, `"price":0.123456789012345678`, `order.items[2].price is 0.123456789012345678, which a float64 cannot have: the nearest is 0.12345678901234568`},
		{`"price":2.1`, `"price":1e999`, `order.items[2].price is 1e999, which a float64 cannot have: the nearest is +Inf`},
		{`"price":2.1`, `"price":1e-999`, `order.items[2].price is 1e-999, which a float64 cannot have: the nearest is 0`},
		{`"price":2.1,`, ``, `order.items[2].price is missing`},
		{`"price":2.1`, `"cost":2.1`, `order.items[2].cost is not a field of the type`},
		{`"price":2.1`, `"Price":2.1`, `order.items[2].Price is not a field of the type`},
		{`"price":2.1`, `"price":2.1,"price":2.1`, `order.items[2].price is there twice`},
		{`"Rate":0.1`, `"Rate":16777217`, `order.Rate is 16777217, which a float32 cannot have: the nearest is 1.6777216e+07`},
		{`"Rate":0.1`, `"Rate":0.1,"Cache":1`, `order.Cache is not a field of the type`},
		{`"Rate":0.1`, `"Rate":0.1,"_":1`, `order._ is not a field of the type`},
		{`"count":-128`, `"count":-129`, `order.count is -129, which is out of the range of int8`},
		{`"count":-128`, `"count":1.5`, `order.count is 1.5, which has a fraction, and the type an integer`},
		{`"count":-128`, `"count":1e99999999999999999999`, `order.count is 1e99999999999999999999, which is out of range`},
		{`"count":-128`, `"count":true`, `order.count is true, not an integer`},
		{`"9223372036854775808"`, `9223372036854775808`, `order.id is 9223372036854775808, which many readers of JSON would round: write it as a string of digits`},
		{`"9223372036854775808"`, `9007199254740992`, `order.id is 9007199254740992, which many readers of JSON would round: write it as a string of digits`},
		{`"9223372036854775808"`, `"18446744073709551616"`, `order.id is 18446744073709551616, which is out of the range of uint64`},
		{`"9223372036854775808"`, `-1`, `order.id is -1, which is out of the range of uint64`},
		{`"9223372036854775808"`, `"0x10"`, `order.id is "0x10", not an integer`},
		{`[97,98,99,0]`, `[97,98,99]`, `order.items[0].Name has 3 elements, not 4`},
		{`[97,98,99,0]`, `[97,98,99,0,0]`, `order.items[0].Name has more than 4 elements`},
		{`[97,98,99,0]`, `[97,98,99,256]`, `order.items[0].Name[3] is 256, which is out of the range of uint8`},
		{`[97,98,99,0]`, `"abc"`, `order.items[0].Name is a string, not an array`},
		{`[1,-2]`, `[1]`, `order.Wave has 1 elements, not 2`},
		{`"Gone":true`, `"Gone":1`, `order.items[1].Gone is a number, not true or false`},
		{`[1,-2]}`, `[1,-2]} {}`, `order is followed by something else`},
		{`[1,-2]}`, `[1,-2]`, `order is missing: the JSON ends before it`},
	} {
		text := strings.Replace(exampleText, c.from, c.to, 1)
		mem, err := m.FromJSON("order", []byte(text))
		var bad *schema.Mismatch
		if !errors.As(err, &bad) || err.Error() != c.want || mem != nil {
			t.Errorf("%s for %s: %v, want %s", c.to, c.from, err, c.want)
		}
	}
}

// TestNumbers: forms of one number are one number.
func TestNumbers(t *testing.T) {
	type numbers struct {
		I int64
		F float64
	}
	m, c := memoryOf[numbers](t)
	for text, want := range map[string]numbers{
		`{"I":3.0,"F":3}`: {3, 3}, `{"I":3e2,"F":-0}`: {300, math.Copysign(0, -1)}, `{"I":300e-2,"F":1e22}`: {3, 1e22}, `{"I":0e5,"F":0.00}`: {0, 0},
		`{"I":9007199254740991,"F":9007199254740992}`:   {1<<53 - 1, 1 << 53},
		`{"I":"-9223372036854775808","F":5e-324}`:       {math.MinInt64, 5e-324},
		`{"F":"-Infinity","I":"7"}`:                     {7, math.Inf(-1)},
		` { "I" : -9007199254740991 , "F" : 1.5E+3 }  `: {-(1<<53 - 1), 1500},
	} {
		mem, err := m.FromJSON("n", []byte(text))
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		var got numbers
		if err := c.Decode(mem, &got); err != nil || got != want || math.Signbit(got.F) != math.Signbit(want.F) {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
	}
}

func TestTheLayoutIsNotTrusted(t *testing.T) {
	long := "mem:le:80:{" + strings.Repeat("A", 300) + "@0 [10]int64}"
	for text, announced := range map[string]string{
		"mem:le:8:int32": "", "mem:xx:8:int64": "", "mem:le:8:int64,": "", "mem:le:08:int64": "", "json": "", "mem:le:8:{A@0 int32,B@5 int32}": "",
		"mem:le:16:{A@0 int64,A@8 int64}": "", "mem:le:0:[2147483647]{}": "", "mem:le:0:[1048576][1048576]{}": "", "mem:le:8:{A@0 int64": "",
		"mem:le:8:" + strings.Repeat("[1]", 200) + "int64": "", "mem:le:9223372036854775807:[2147483647][2147483647]int64": "",
		schema.Text(long): "", "mem:le:8:{A@0 int64}": `mem:le:8:{B"A"@0 int64}`, "mem:le:8:{B@0 int64}": `mem:le:8:{B"A@0 int64}`, "mem:le:8:string": "",
	} {
		if m, err := schema.Parse(text, announced); err == nil {
			t.Errorf("%.80q with %q is %+v", text, announced, m)
		}
	}
	if m, err := schema.Parse(schema.Text(long), long); err != nil || m.Size() != 80 {
		t.Errorf("a long one, announced: %v, %v", m, err)
	}
	// As a machine of 32 bits and big endians has it.
	m, err := schema.Parse("mem:be:12:{A@0 int32,B@4 int64}", "")
	if err != nil {
		t.Fatal(err)
	}
	if mem, err := m.FromJSON("x", []byte(`{"A":1,"B":2}`)); err != nil || string(mem) != "\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x02" {
		t.Errorf("%x, %v", mem, err)
	}
}

// FuzzFromJSON: any text is a value, which then reads back as itself, or a
// mismatch.
func FuzzFromJSON(f *testing.F) {
	c, err := codec.For[order](codec.Options{})
	if err != nil {
		f.Fatal(err)
	}
	m, err := schema.Parse(c.Fingerprint(), codec.SchemaOf(c))
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte(exampleText))
	f.Fuzz(func(t *testing.T, text []byte) {
		mem, err := m.FromJSON("order", text)
		if err != nil {
			if bad := (*schema.Mismatch)(nil); !errors.As(err, &bad) {
				t.Fatal(err)
			}
			return
		}
		again, err := m.AppendJSON(nil, mem)
		if err != nil || !json.Valid(again) {
			t.Fatalf("%s, %v", again, err)
		}
		if mem2, err := m.FromJSON("order", again); err != nil || string(mem2) != string(mem) {
			t.Fatalf("%s reads back as %x, %v; want %x", again, mem2, err, mem)
		}
	})
}

// FuzzParse: any text is a layout whose values can be described, or an error.
func FuzzParse(f *testing.F) {
	c, _ := codec.For[order](codec.Options{})
	f.Add(c.Fingerprint(), codec.SchemaOf(c))
	f.Add("mem:le:8:{A@0 int64}", "")
	f.Add("mem:le:8:[1]{A@0 [2]float32}", "")
	f.Fuzz(func(t *testing.T, text, announced string) {
		m, err := schema.Parse(text, announced)
		if err != nil || m.Size() > 1<<16 {
			return
		}
		if b, err := m.AppendJSON(nil, make([]byte, m.Size())); err != nil || !json.Valid(b) {
			t.Fatalf("%q: %s, %v", text, b, err)
		}
		if _, err := json.Marshal(m.JSONSchema()); err != nil {
			t.Fatal(err)
		}
	})
}
