package hub

import (
	"strings"
	"testing"

	"github.com/handoff-go/handoff/internal/wire"
)

// TestMaxChannelsCountsDeadLetters: a channel and the dead letter that is made for
// it have room together, or neither is made.
func TestMaxChannelsCountsDeadLetters(t *testing.T) {
	h, path := start(t, Options{MaxChannels: 2})
	c := dial(t, path).greet() // makes one
	if code, text := c.opening(2, wire.Open{Name: "a", Slots: 1, DeadLetter: "chan=lost&slots=1"}); code != wire.CodeFull {
		t.Errorf("the third of 2 channels: %v, %q", code, text)
	}
	if n := len(h.names.named); n != 1 {
		t.Errorf("%d channels", n)
	}
	if code, text := c.opening(3, wire.Open{Name: "a", Slots: 1}); code != wire.CodeDone {
		t.Errorf("the second of 2 channels: %v, %q", code, text)
	}
}

// TestMaxAllSlots: slots take memory when they are made, so they are bounded
// together, those of dead letters included.
func TestMaxAllSlots(t *testing.T) {
	_, path := start(t, Options{MaxAllSlots: 10})
	c := dial(t, path).greet() // with 2
	for i, test := range []struct {
		name, letter string
		slots        int32
		code         wire.Code
	}{
		{"a", "", 9, wire.CodeFull},
		{"a", "chan=lost&slots=5", 4, wire.CodeFull},
		{"a", "chan=lost&slots=4", 4, wire.CodeDone},
		{"b", "", 1, wire.CodeFull},
		{"a", "", 4, wire.CodeDone}, // it is there
		{"b", "", 0, wire.CodeDone},
	} {
		open := wire.Open{Name: test.name, Slots: test.slots, DeadLetter: test.letter}
		if code, text := c.opening(uint64(i+2), open); code != test.code {
			t.Errorf("%+v: %v, %q", test, code, text)
		}
	}
}

// TestTypeMismatchIsSpoken: who opens with another type reads what both are called.
func TestTypeMismatchIsSpoken(t *testing.T) {
	_, path := start(t, Options{})
	c := dial(t, path).greet()
	op := uint64(2)
	for _, types := range [][2]string{
		{"raw:string", `text ("raw:string")`},
		{"raw:bytes", `bytes ("raw:bytes")`},
		{"mem:le:8:int64", `int64 ("mem:le:8:int64")`},
		{"mem:be:24:[3]float64", `[3]float64 ("mem:be:24:[3]float64")`},
		{"mem:le:8:{A@0 int32,B@4 int32}", `the memory of a struct ("mem:`},
		{"json:job", `"json:job"`},
		{"mem:", `"mem:"`},
	} {
		if code, text := c.opening(op, wire.Open{Name: types[0], Type: types[0]}); code != wire.CodeDone {
			t.Fatal(code, text)
		}
		code, text := c.opening(op+1, wire.Open{Name: types[0], Slots: -1, Type: "other"})
		if want := "it carries " + types[1]; code != wire.CodeTypeMismatch || !strings.HasPrefix(text, want) || !strings.HasSuffix(text, `, not "other"`) {
			t.Errorf("%v, %q, want %s", code, text, want)
		}
		op += 2
	}
}
