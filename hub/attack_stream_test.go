package hub

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/handoff-go/handoff/driver"
	"github.com/handoff-go/handoff/internal/wire"
)

// pings are n PINGs that ask for an answer.
func pings(n int) []byte { return bytes.Repeat((&wire.Ping{}).Append(nil), n) }

// beating is hello of a client that takes part in heartbeats.
func beating() *wire.Hello {
	h := *hello
	h.Features |= wire.FeaturePing
	return &h
}

// TestAttackPingFlood: who pings and does not read costs the home one answer that
// waits, and keeps nobody from anything. All that one read brought has one answer.
func TestAttackPingFlood(t *testing.T) {
	h, address := startTCP(t, TCP{}, Options{Heartbeat: time.Hour})
	witness := call(t, address).greet()
	c := call(t, address)
	c.welcome(beating())
	c.attach()
	flood := pings(1 << 13)
	for range 1 << 7 {
		if _, err := c.Write(flood); err != nil {
			t.Fatal(err)
		}
		for s := range sessions(h) {
			if s.out.Full(1 << 10) {
				t.Fatal("answers pile up")
			}
		}
	}
	serves(t, witness, 2)
	c.say(order(wire.TypeStats, 2))
	for n := 1; ; n++ {
		h, body, err := c.r.Next()
		if err != nil || n > 1<<14 {
			t.Fatalf("answer %d of a flood: %v", n, err)
		}
		if f, err := wire.Parse(h, body); err != nil || h.Type != wire.TypePing && h.Type != wire.TypeFigures {
			t.Fatalf("%+v, %v", f, err)
		}
		if h.Type == wire.TypeFigures {
			break
		}
	}
}

// TestPingWithoutFeature is a frame that is not allowed.
func TestPingWithoutFeature(t *testing.T) {
	_, path := start(t, Options{Heartbeat: time.Hour})
	c := dial(t, path).greet()
	c.say(&wire.Ping{})
	if bye := hear[*wire.Bye](c); bye.Code != wire.CodeProtocol {
		t.Errorf("%v", bye)
	}
	c = dial(t, path)
	c.welcome(beating())
	c.say(&wire.Ping{})
	if f := hear[*wire.Ping](c); !f.Answer {
		t.Error("a question answers a question")
	}
}

// The large values of the tests below: more than one write may carry of a channel, and
// more of them than a socket takes that nobody reads.
const (
	manyLarge = 32
	large     = wire.Quantum / 2
)

// filled is a home with manyLarge values in the slots of the channel jobs, numbered, and
// somebody who looks at it.
func filled(t *testing.T) (path string, witness *raw) {
	_, path = start(t, Options{})
	witness = dial(t, path)
	witness.welcome(hello)
	witness.say(&wire.Open{Channel: 1, Op: 1, Slots: manyLarge, Flags: wire.OpenSend | wire.OpenReceive, Name: "jobs"})
	hear[*wire.Opened](witness)
	for i := range manyLarge {
		f := &wire.Send{Channel: 1, Op: uint64(i) + 2, Items: []driver.Item{{Value: numbered(i)}}}
		witness.say(f)
		witness.hearEnd(f.Op, wire.CodeDone)
	}
	return path, witness
}

func numbered(i int) []byte { return append(fmt.Appendf(nil, "%04d", i), make([]byte, large)...) }

// attach opens the channel jobs, as it is, for a client that is welcome.
func (c *raw) attach() *raw {
	c.t.Helper()
	c.say(&wire.Open{Channel: 1, Op: 1, Slots: -1, Flags: wire.OpenSend | wire.OpenReceive, Name: "jobs"})
	hear[*wire.Opened](c)
	return c
}

// take is a TAKE of so many values.
func take(op uint64, most uint32) *wire.Receive {
	return &wire.Receive{Type: wire.TypeTake, Channel: 1, Op: op, Max: most}
}

// part reads the next frame, which must be a part of a delivery that begins with the
// n-th value, at that attempt. It returns how many values came up to here.
func (c *raw) part(op uint64, n, attempt int) (so int, more bool) {
	c.t.Helper()
	f := hear[*wire.Deliver](c)
	for _, it := range f.Items {
		if f.Op != op || it.Attempt != attempt || !bytes.Equal(it.Value, numbered(n)) {
			c.t.Fatalf("delivery %d, attempt %d, %.4q, want value %d of delivery %d, attempt %d", f.Op, it.Attempt, it.Value, n, op, attempt)
		}
		n++
	}
	return n, f.Flags&wire.FlagMore != 0
}

// all checks that every value is in its place, and comes at that attempt.
func (c *raw) all(op uint64, attempt int) {
	c.t.Helper()
	c.say(take(op, manyLarge))
	for n, more := 0, true; more; {
		if n, more = c.part(op, n, attempt); !more && n != manyLarge {
			c.t.Errorf("%d values, want %d", n, manyLarge)
		}
	}
}

// TestCancelBetweenParts: who cancels a delivery of which a part has come is told its end
// in the place of the rest, and all of it goes back unseen.
func TestCancelBetweenParts(t *testing.T) {
	path, witness := filled(t)
	c := dial(t, path)
	c.welcome(hello)
	c.attach().say(take(2, manyLarge))
	n, more := c.part(2, 0, 1)
	c.say(order(wire.TypeCancel, 2))
	for n < manyLarge && more {
		h, body, err := c.r.Next()
		if err != nil {
			t.Fatal(err)
		}
		if h.Type != wire.TypeDeliver {
			end, err := wire.ParseEnd(h, body)
			if err != nil || end.Op != 2 || end.Code != wire.CodeCancelled {
				t.Fatalf("%+v, %v", end, err)
			}
			break
		}
		f, err := wire.ParseDeliver(h, body)
		if err != nil {
			t.Fatal(err)
		}
		n, more = n+len(f.Items), f.Flags&wire.FlagMore != 0
	}
	if n == manyLarge {
		t.Fatal("all of it came before CANCEL: the test shows nothing")
	}
	c.say(order(wire.TypeStats, 3))
	if f := hear[*wire.Figures](c); f.Stats.Len != manyLarge || f.Stats.Held != 0 {
		t.Errorf("%+v", f.Stats)
	}
	witness.all(100, 1)
}

// TestDetachBetweenParts: the same by DETACH, which ends the delivery first. As nobody
// said by CANCEL that it was not seen, it counts as seen.
func TestDetachBetweenParts(t *testing.T) {
	path, witness := filled(t)
	c := dial(t, path)
	c.welcome(hello)
	c.attach().say(take(2, manyLarge))
	n, more := c.part(2, 0, 1)
	c.say(order(wire.TypeDetach, 3))
	var ends []uint64
	for len(ends) < 2 {
		h, body, err := c.r.Next()
		if err != nil {
			t.Fatal(err)
		}
		if h.Type == wire.TypeDeliver {
			f, err := wire.ParseDeliver(h, body)
			if err != nil || len(ends) > 0 || !more {
				t.Fatalf("a delivery behind its end: %v, %v", ends, err)
			}
			n, more = n+len(f.Items), f.Flags&wire.FlagMore != 0
			continue
		}
		end, err := wire.ParseEnd(h, body)
		if want := map[uint64]wire.Code{2: wire.CodeDetached, 3: wire.CodeDone}; err != nil || end.Code != want[end.Op] {
			t.Fatalf("%+v, %v", end, err)
		}
		ends = append(ends, end.Op)
	}
	if ends[0] != 2 || n == manyLarge {
		t.Errorf("ends of %v behind %d values", ends, n)
	}
	c.say(order(wire.TypeTaken, 2)) // of what has gone back: it comes too late
	if bye := hear[*wire.Bye](c); bye.Code != wire.CodeProtocol {
		t.Errorf("%v", bye)
	}
	witness.all(100, 2)
}

// TestPartsOverResume: what of a delivery waits for the next write when the connection
// breaks comes over the next one, once and in its order.
func TestPartsOverResume(t *testing.T) {
	path, _ := filled(t)
	hello := patient(1, time.Minute)
	c := dial(t, path)
	c.welcome(hello)
	c.attach().say(take(2, manyLarge))
	n, more := c.part(2, 0, 1)
	for epoch := uint32(2); more; epoch++ {
		c.Close()
		next := dial(t, path)
		next.welcome(again(hello, epoch, c.r.Received()))
		next.r.Unread(nil, c.r.Received())
		c = next
		if n, more = c.part(2, n, 1); !more && n != manyLarge {
			t.Errorf("%d values came, want %d", n, manyLarge)
		}
	}
	c.say(order(wire.TypeTaken, 2), order(wire.TypeStats, 3))
	if f := hear[*wire.Figures](c); f.Stats.Held != manyLarge || f.Stats.Redelivered != 0 {
		t.Errorf("%+v", f.Stats)
	}
}
