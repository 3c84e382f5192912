package hub

import (
	"testing"

	"github.com/handoff-go/handoff/driver"
	"github.com/handoff-go/handoff/internal/wire"
)

// TestLargeDeliveriesAreNotInTheWay: a value of another channel waits for a part of
// what a client that does not read has asked for, and not for all; what waits comes in
// its order, and what is cancelled meanwhile has an answer and goes back.
func TestLargeDeliveriesAreNotInTheWay(t *testing.T) {
	const many, long = 64, 64 << 10
	_, path := start(t, Options{})
	c := dial(t, path)
	c.Write(wire.AppendPreface(nil))
	c.say(hello)
	c.r.Preface()
	hear[*wire.Welcome](c)
	rights := uint8(wire.OpenSend | wire.OpenReceive)
	for i, name := range []string{"large", "small"} {
		c.say(&wire.Open{Channel: uint32(i + 1), Op: uint64(i + 1), Slots: many, Flags: rights, Name: name})
		hear[*wire.Opened](c)
	}
	send := func(channel uint32, op uint64, n int) {
		c.say(&wire.Send{Channel: channel, Op: op, Items: []driver.Item{{Value: make([]byte, n)}}})
		c.hearEnd(op, wire.CodeDone)
	}
	for op := range uint64(many) {
		send(1, 10+op, long)
	}
	send(2, 100, 1)

	const first = 1000
	for op := range uint64(many) {
		c.say(&wire.Receive{Type: wire.TypeRecv, Channel: 1, Op: first + op, Max: 1})
	}
	c.say(&wire.Receive{Type: wire.TypeRecv, Channel: 2, Op: 2000, Max: 1}, &wire.Order{Type: wire.TypeCancel, Channel: 1, Op: first + many - 1})
	before, next := 0, uint64(first)
	for {
		f := hear[*wire.Deliver](c)
		if f.Channel == 2 {
			break
		}
		if f.Op != next {
			t.Fatalf("delivery %d came where %d was due", f.Op, next)
		}
		before, next = before+long, next+1
		if next == first+many-1 {
			t.Fatal("the value of the other channel is the last")
		}
	}
	if before > 4*wire.Quantum {
		t.Errorf("a small value came behind %d bytes of another channel, of %d", before, many*long)
	}
	for ; next < first+many-1; next++ {
		if f := hear[*wire.Deliver](c); f.Op != next {
			t.Fatalf("delivery %d came where %d was due", f.Op, next)
		}
	}
	c.hearEnd(first+many-1, wire.CodeCancelled)
	for op := range uint64(many - 1) {
		c.say(&wire.Order{Type: wire.TypeTaken, Channel: 1, Op: first + op})
	}
	c.say(&wire.Receive{Type: wire.TypeRecv, Channel: 1, Op: 3000, Max: 1})
	if f := hear[*wire.Deliver](c); f.Op != 3000 {
		t.Errorf("%+v came where the value that went back was due", f.Op)
	}
}
