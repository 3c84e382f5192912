package hub

import (
	"strings"
	"testing"

	"github.com/handoff-go/handoff/codec"
	"github.com/handoff-go/handoff/driver"
	"github.com/handoff-go/handoff/internal/wire"
)

// opening asks for a channel and returns the answer's code, with its text.
func (c *raw) opening(op uint64, f wire.Open) (wire.Code, string) {
	c.t.Helper()
	f.Flags = wire.OpenSend | wire.OpenReceive
	return c.asking(op, f)
}

// asking opens as f says.
func (c *raw) asking(op uint64, f wire.Open) (wire.Code, string) {
	c.t.Helper()
	f.Channel, f.Op = uint32(op), op
	c.say(&f)
	h, body, err := c.r.Next()
	if err != nil {
		c.t.Fatal(err)
	}
	if h.Type == wire.TypeOpened {
		return wire.CodeDone, ""
	}
	end, err := wire.ParseEnd(h, body)
	if err != nil {
		c.t.Fatal(err)
	}
	return end.Code, end.Text
}

// TestDeadLetter: what a client rejects, and has a slot, goes to another channel
// of the hub, in its frame.
func TestDeadLetter(t *testing.T) {
	_, path := start(t, Options{})
	c := dial(t, path).greet()
	if code, text := c.opening(2, wire.Open{Name: "orders", Slots: 1, Type: "raw", DeadLetter: "chan=lost&slots=1"}); code != wire.CodeDone {
		t.Fatal(code, text)
	}
	if code, text := c.opening(3, wire.Open{Name: "lost", Slots: -1, Type: codec.DeadFingerprint("raw")}); code != wire.CodeDone {
		t.Fatal(code, text)
	}
	headed := []driver.Item{{Value: []byte("v"), Header: map[string]string{"a": "b"}}}
	c.say(&wire.Send{Channel: 2, Op: 4, Items: headed}, &wire.Receive{Type: wire.TypeTake, Channel: 2, Op: 5, Max: 1})
	c.hearEnd(4, wire.CodeDone)
	hold := hear[*wire.Deliver](c).Items[0].Hold
	c.say(&wire.Order{Type: wire.TypeTaken, Channel: 2, Op: 5}, &wire.Settle{Channel: 2, Op: 6, How: wire.HowReject, Hold: hold, Reason: "why"})
	c.hearEnd(6, wire.CodeDone)
	c.say(&wire.Receive{Type: wire.TypeRecv, Channel: 3, Op: 7, Max: 1})
	it := hear[*wire.Deliver](c).Items[0]
	fate, value, err := codec.CutFate(it.Value)
	if err != nil || string(value) != "v" || fate != (codec.Fate{Reason: "why", Attempts: 1, From: "orders"}) || it.Header["a"] != "b" {
		t.Errorf("%+v %q %v, %v", fate, value, it.Header, err)
	}
}

func TestDeadLetterRefusals(t *testing.T) {
	_, path := start(t, Options{})
	c := dial(t, path).greet()
	must := func(op uint64, f wire.Open) {
		t.Helper()
		if code, text := c.opening(op, f); code != wire.CodeDone {
			t.Fatal(code, text)
		}
	}
	must(2, wire.Open{Name: "a", Slots: 1, DeadLetter: "chan=dead&slots=3", Type: "raw"})
	must(3, wire.Open{Name: "bare"})
	must(4, wire.Open{Name: "small", Slots: 1, MaxValue: 10})
	op := uint64(5)
	for _, test := range []struct {
		name, letter string
		code         wire.Code
		says         string
	}{
		{"its own", "chan=x&slots=1", wire.CodeConflict, "its own"},
		{"no room", "chan=new", wire.CodeConflict, "room"},
		{"a rendezvous", "chan=bare", wire.CodeConflict, "room"},
		{"too small", "chan=small", wire.CodeConflict, "maxvalue"},
		{"a chain", "chan=a", wire.CodeTypeMismatch, ""},
		{"other slots", "chan=dead&slots=4", wire.CodeConflict, "slots"},
		{"no name", "slots=1", wire.CodeConflict, "name"},
		{"a parameter", "chan=dead&x=1", wire.CodeConflict, "x"},
		{"twice", "chan=dead&chan=dead", wire.CodeConflict, "chan"},
		{"bad slots", "chan=dead&slots=-1", wire.CodeConflict, "slots"},
		{"no query", "%", wire.CodeConflict, "%"},
	} {
		code, text := c.opening(op, wire.Open{Name: "x", Slots: 1, Type: "raw", DeadLetter: test.letter})
		if op++; code != test.code || !strings.Contains(text, test.says) {
			t.Errorf("%s: %v, %q", test.name, code, text)
		}
	}
	if code, text := c.opening(op, wire.Open{Name: "x", Slots: 1, Type: "json", DeadLetter: "chan=dead"}); code != wire.CodeTypeMismatch || !strings.Contains(text, "dead:raw") {
		t.Errorf("a dead letter of another type: %v, %q", code, text)
	}
	if code, _ := c.opening(op+1, wire.Open{Name: "y", Slots: 1, DeadLetter: "chan=a"}); code != wire.CodeConflict {
		t.Errorf("a dead letter of a dead letter: %v", code)
	}
	if code, _ := c.opening(op+2, wire.Open{Name: "a", Slots: -1, DeadLetter: "chan=other&slots=3"}); code != wire.CodeConflict {
		t.Errorf("another dead letter than the channel has: %v", code)
	}
}
