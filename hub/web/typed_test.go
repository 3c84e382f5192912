package web_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/handoff-go/handoff"
	_ "github.com/handoff-go/handoff/codec/cbor"
	"github.com/handoff-go/handoff/hub/web"
)

// item and order are fixed in memory, of which the type text is cut short.
type item struct {
	Article [2]uint32
	Price   float64 `json:"price"`
	InStock bool    `json:"in_stock"`
}

type order struct {
	ID                                                                        uint64     `json:"id"`
	Items                                                                     [3]item    `json:"items"`
	Ratings                                                                   [4]int8    `json:"ratings"`
	Where                                                                     [2]float32 `json:"where"`
	AnExtraordinarilyLongNameSoThatTheWholeDoesNotFitIntoTheTypeTextOfTheWire int32      `json:"n"`
	AnotherExtraordinarilyLongNameOfTheSameKindAsTheOneAboveAsOneIsNotEnough  int16      `json:"m"`
}

const orderText = `{"id":7,"items":[{"Article":[1,2],"price":9.5,"in_stock":true},{"Article":[3,4],"price":0.1,"in_stock":false},` +
	`{"Article":[5,6],"price":-1e-07,"in_stock":true}],"ratings":[1,-2,3,-128],"where":[52.52,13.405],"n":-5,"m":6}`

func anOrder() order {
	return order{
		ID: 7, Items: [3]item{{[2]uint32{1, 2}, 9.5, true}, {[2]uint32{3, 4}, 0.1, false}, {[2]uint32{5, 6}, -1e-7, true}},
		Ratings: [4]int8{1, -2, 3, -128}, Where: [2]float32{52.52, 13.405},
		AnExtraordinarilyLongNameSoThatTheWholeDoesNotFitIntoTheTypeTextOfTheWire: -5,
		AnotherExtraordinarilyLongNameOfTheSameKindAsTheOneAboveAsOneIsNotEnough:  6,
	}
}

// TestFixedLayout: JSON sent with HTTP arrives at Go as the type, and the other
// way round.
func TestFixedLayout(t *testing.T) {
	h := serve(t, web.Options{})
	orders := open[order](h, "orders", handoff.Slots(4))
	for range 2 {
		h.want(200, `{"sent":1}`, "POST", c("orders")+"/send", orderText, asJSON)
		if got, err := orders.Recv(t.Context()); err != nil || got != anOrder() {
			t.Fatalf("%+v, %v", got, err)
		}
	}
	if err := orders.Send(t.Context(), anOrder()); err != nil {
		t.Fatal(err)
	}
	h.want(200, `{"value":`+orderText+`,"attempt":1}`, "POST", c("orders")+"/receive", "")

	a := h.want(400, "*", "POST", c("orders")+"/send", strings.Replace(orderText, "-1e-07", `"free"`, 1), asJSON)
	cause, field, message := a.cause(t)
	if cause != "type mismatch" || field != "orders.items[2].price" || message != `orders.items[2].price is "free", not a number` {
		t.Errorf("%s, %s, %s", cause, field, message)
	}
	h.want(415, "*", "POST", c("orders")+"/send", orderText, "Content-Type: text/plain")
	h.want(415, "*", "POST", c("orders")+"/send", orderText, "Content-Type: image/png")
	h.want(200, `{"sent":1}`, "POST", c("orders")+"/send", orderText) // as curl says it
	if got, err := orders.Recv(t.Context()); err != nil || got != anOrder() {
		t.Fatalf("%+v, %v", got, err)
	}
	s, _ := h.ask("GET", c("orders"), "").json(t)["schema"].(map[string]any)
	if p, _ := s["properties"].(map[string]any); len(p) != 6 {
		t.Errorf("schema %v", s)
	}
}

// TestNumbersAreNotRounded: in either direction.
func TestNumbersAreNotRounded(t *testing.T) {
	h := serve(t, web.Options{})
	type pair struct {
		I int64
		F float32
	}
	ch := open[pair](h, "pairs", handoff.Slots(4))
	want := pair{math.MaxInt64, float32(math.Inf(1))}
	if err := ch.Send(t.Context(), want); err != nil {
		t.Fatal(err)
	}
	text := `{"I":"9223372036854775807","F":"Infinity"}`
	h.want(200, `{"value":`+text+`,"attempt":1}`, "POST", c("pairs")+"/receive", "")
	h.want(200, `{"sent":1}`, "POST", c("pairs")+"/send", text, asJSON)
	if got, err := ch.Recv(t.Context()); err != nil || got != want {
		t.Errorf("%+v, %v", got, err)
	}
	for text, field := range map[string]string{
		`{"I":9223372036854775807,"F":1}`: "pairs.I", `{"I":0.5,"F":1}`: "pairs.I", `{"I":1,"F":16777217}`: "pairs.F", `{"I":1,"F":1e39}`: "pairs.F", `{"I":1}`: "pairs.F",
	} {
		if _, got, message := h.want(400, "*", "POST", c("pairs")+"/send", text, asJSON).cause(t); got != field {
			t.Errorf("%s: %s, %s", text, got, message)
		}
	}
	if n := ch.Sender.Len(); n != 0 {
		t.Errorf("%d values were sent all the same", n)
	}
}

// TestOtherTypes: what needs no schema, and what would need one.
func TestOtherTypes(t *testing.T) {
	h := serve(t, web.Options{})
	type note struct {
		Text string   `json:"text"`
		Tags []string `json:"tags"`
	}
	notes := open[note](h, "notes", handoff.Slots(4))
	h.want(200, `{"sent":1}`, "POST", c("notes")+"/send", ` {"text": "<hi>", "tags": ["a"]}`+"\n")
	if got, err := notes.Recv(t.Context()); err != nil || got.Text != "<hi>" || len(got.Tags) != 1 {
		t.Errorf("%+v, %v", got, err)
	}
	if err := notes.Send(t.Context(), note{"x\u2028", nil}); err != nil {
		t.Fatal(err)
	}
	h.want(200, `{"value":{"text":"x\u2028","tags":null},"attempt":1}`, "POST", c("notes")+"/receive", "")
	for _, bad := range []string{`{`, `{} {}`, "\"\xff\"", ``} {
		h.want(400, "*", "POST", c("notes")+"/send", bad, asJSON)
	}
	// What Go could not read is refused, and not lost at its receiver.
	_, field, message := h.want(400, "*", "POST", c("notes")+"/send", `{"text":"x","tags":["a",5]}`, asJSON).cause(t)
	if field != "notes.tags[1]" || message != "notes.tags[1] is a number, not string" {
		t.Errorf("%s: %s", field, message)
	}
	s, _ := h.ask("GET", c("notes"), "").json(t)["schema"].(map[string]any)
	if p, _ := s["properties"].(map[string]any); len(p) != 2 {
		t.Errorf("schema %v", s)
	}

	raw := open[[]byte](h, "bytes", handoff.Slots(4))
	h.want(200, `{"sent":1}`, "POST", c("bytes")+"/send", `"AP8="`, asJSON)
	h.want(200, `{"sent":1}`, "POST", c("bytes")+"/send", "\x00\xff", "Content-Type: application/octet-stream")
	h.want(400, "*", "POST", c("bytes")+"/send", `"?"`, asJSON)
	h.want(415, "*", "POST", c("bytes")+"/send", "x", "Content-Type: text/plain")
	for range 2 {
		if got, err := raw.Recv(t.Context()); err != nil || string(got) != "\x00\xff" {
			t.Errorf("%q, %v", got, err)
		}
	}
	if err := raw.Send(t.Context(), []byte{0, 255}); err != nil {
		t.Fatal(err)
	}
	h.want(200, `{"value":"AP8=","attempt":1}`, "POST", c("bytes")+"/receive", "")

	words := open[string](h, "words", handoff.Slots(4))
	h.want(400, "*", "POST", c("words")+"/send", "\xff", "Content-Type: text/plain")
	h.want(400, "*", "POST", c("words")+"/send", "5", asJSON)
	h.want(400, "*", "POST", c("words")+"/send", "null", asJSON)
	if err := words.Send(t.Context(), "\xff"); err != nil {
		t.Fatal(err)
	}
	h.want(406, "*", "POST", c("words")+"/receive", "") // it goes back
	h.want(200, "\xff", "POST", c("words")+"/receive", "", "Accept: application/octet-stream")

	for name, open := range map[string]func(){
		"times": func() { _ = open[time.Time](h, "times", handoff.Slots(2)).Send(t.Context(), time.Now()) },
		"cbor":  func() { _ = open[note](h, "cbor", handoff.Codec("cbor"), handoff.Slots(2)).Send(t.Context(), note{}) },
	} {
		open()
		cause, _, message := h.want(415, "*", "POST", c(name)+"/send", `{}`, asJSON).cause(t)
		if cause != "unsupported" || !strings.Contains(message, "no schema") {
			t.Errorf("%s: %s: %s", name, cause, message)
		}
		h.want(415, "*", "POST", c(name)+"/send", `{}`, "Content-Type: application/octet-stream")
		if cause, _, _ := h.want(406, "*", "POST", c(name)+"/receive", "").cause(t); cause != "not acceptable" {
			t.Errorf("%s: %s", name, cause)
		}
		if a := h.want(200, "*", "POST", c(name)+"/receive", "", "Accept: application/octet-stream"); a.header.Get("Handoff-Attempt") != "2" {
			t.Errorf("%s: %v", name, a.header)
		}
	}
}

// TestWhoComesFirst: a channel that a receiver over HTTP made takes the type of
// whoever says one first.
func TestWhoComesFirst(t *testing.T) {
	h := serve(t, web.Options{})
	got := make(chan answer, 1)
	go func() {
		a, _ := h.request(t.Context(), "POST", c("pairs")+"/receive?timeout=1m", "")
		got <- a
	}()
	h.until("pairs", is("receivers_waiting", 1))
	type pair struct{ X, Y int32 }
	if err := open[pair](h, "pairs").Send(t.Context(), pair{1, -2}); err != nil {
		t.Fatal(err)
	}
	if a := <-got; a.text != `{"value":{"X":1,"Y":-2},"attempt":1}` {
		t.Errorf("%d %s", a.status, a.text)
	}
	// And the other way round a Go program that means something else is told.
	h.want(200, `{"sent":1}`, "POST", c("words")+"/send?slots=1", "x")
	_, err := handoff.Open[pair](t.Context(), h.unix+"words")
	if err == nil || !strings.Contains(err.Error(), "it carries text") {
		t.Errorf("%v", err)
	}
}
