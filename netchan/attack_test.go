package netchan

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/handoff-go/handoff/driver"
	"github.com/handoff-go/handoff/internal/wire"
)

// The attacks of a hostile home, by frames. See greeted for what is under way.

// ordered counts what the home heard of t for an operation, once it hears no more.
func (v *victim) ordered(t wire.Type, op uint64) (n int) {
	for _, f := range v.orders {
		if f.Type == t && f.Op == op {
			n++
		}
	}
	return n
}

func said(frames ...wire.Frame) (b []byte) {
	for _, f := range frames {
		b = f.Append(b)
	}
	return b
}

func delivered(op uint64, flags uint8, values ...string) *wire.Deliver {
	f := &wire.Deliver{Channel: 1, Op: op, Flags: flags}
	for _, v := range values {
		f.Items = append(f.Items, driver.Item{Attempt: 1, Value: []byte(v)})
	}
	return f
}

func ended(op uint64, code wire.Code) *wire.End { return &wire.End{Channel: 1, Op: op, Code: code} }

// TestAttackByHome: what has no end, is too large or comes twice ends the link.
func TestAttackByHome(t *testing.T) {
	huge := strings.Repeat("x", fuzzMaxValue+1)
	value := func(op uint64, v string) *wire.Chosen {
		return &wire.Chosen{Channel: 1, Op: op, Flags: wire.ChosenValue, Item: driver.Item{Value: []byte(v)}}
	}
	for _, test := range []struct {
		name string
		b    []byte
		says string
	}{
		{"parts without end", bytes.Repeat(said(delivered(2, wire.FlagMore, "v")), 1<<16), "more values than were asked for"},
		{"and for a receive that was cancelled", bytes.Repeat(said(delivered(10, wire.FlagMore, "v")), 1<<16), "more values than were asked for"},
		{"a value too large for its channel", said(delivered(2, 0, "v", huge)), "longer than its channel"},
		{"chosen", said(value(5, huge)), "one that cannot be"},
		{"chosen by who has no ticket", said(value(7, huge)), "one that cannot be"},
		{"chosen twice, while another home has the ticket", said(value(7, "v"), value(7, "v")), "for the second time"},
		{"and ended", said(value(7, "v"), ended(7, wire.CodeCancelled)), "of what has ended"},
		{"and claimed", said(value(7, "v"), &wire.Order{Type: wire.TypeClaim, Channel: 1, Op: 7}), "out of turn"},
		{"values out of the custody of a receiver", said(&wire.End{Channel: 1, Op: 2, Code: wire.CodeCancelled, N: 1}), "more values than were sent"},
		{"figures for an answer to DETACH", said(&wire.Figures{Channel: 1, Op: 15}), "something else"},
	} {
		t.Run(test.name, func(t *testing.T) {
			v := greeted(t, manner{})
			v.hears(test.b)
			if why := v.link.dead.Error(); !strings.Contains(why, "broke the rules") || !strings.Contains(why, test.says) {
				t.Errorf("it ended with %q, want %q", why, test.says)
			}
		})
	}
}

// TestAttackPingFloodByHome: a home that pings and does not read costs one answer that
// waits, and what else it says is heard.
func TestAttackPingFloodByHome(t *testing.T) {
	v := greeted(t, manner{deaf: true})
	<-v.heard
	flood := bytes.Repeat(said(&wire.Ping{}), 1<<10)
	for range 1 << 8 {
		if _, err := v.home.Write(flood); err != nil {
			t.Fatal(err)
		}
		if v.link.out.Full(8 << 10) { // what is under way is less
			t.Fatal("answers pile up")
		}
	}
	v.home.Write(said(&wire.End{Channel: 1, Op: 1, N: 1}))
	if op := <-v.finished; op != v.ops[9] && op != v.ops[11] && op != v.ops[12] && op != v.ops[0] {
		t.Errorf("operation of kind %d ended", op.Kind)
	}
	v.home.Close()
	<-v.link.over
}

// TestPingOfNobody: where there are no heartbeats a PING is not allowed.
func TestPingOfNobody(t *testing.T) {
	v := greeted(t, manner{still: true})
	v.hears(said(&wire.Ping{}))
	if why := v.link.dead.Error(); !strings.Contains(why, "no heartbeats") {
		t.Error(why)
	}
}

// TestLateDeliver: values that cross DETACH or CANCEL, between two parts of them or
// before the first, are nobody's here: no TAKEN says otherwise, whatever the home says
// of their end.
func TestLateDeliver(t *testing.T) {
	part, last := delivered(3, wire.FlagMore, "a"), delivered(3, 0, "b")
	detached := ended(19, wire.CodeDone) // the answer to DETACH, the last that was begun
	for _, test := range []struct {
		name          string
		before, after []byte
		detach        bool
	}{
		{"whole, behind CANCEL", nil, said(part, last), false},
		{"whole, behind DETACH", nil, said(part, last, detached), true},
		{"a part before CANCEL", said(part), said(last), false},
		{"a part before CANCEL, and its end", said(part), said(ended(3, wire.CodeCancelled)), false},
		{"a part before DETACH, and its end", said(part), said(ended(3, wire.CodeDetached), detached), true},
		{"its end, behind DETACH", nil, said(ended(3, wire.CodeDetached), detached), true},
	} {
		t.Run(test.name, func(t *testing.T) {
			v := greeted(t, manner{})
			v.home.Write(test.before)
			if test.detach {
				v.at.part(nil)
			} else {
				v.at.Cancel(v.ops[2], context.Canceled)
			}
			v.home.Write(append(test.after, said(&wire.Ping{})...))
			<-v.answered // all of it was handled
			v.link.leave()
			v.ends()
			if why := v.link.dead.Error(); strings.Contains(why, "broke the rules") {
				t.Error(why)
			}
			if taken, cancelled := v.ordered(wire.TypeTaken, 3), v.ordered(wire.TypeCancel, 3); taken != 0 || cancelled != 1 {
				t.Errorf("%d TAKEN and %d CANCEL", taken, cancelled)
			}
			if got := v.ops[2].Got; len(got) != 0 {
				t.Errorf("received %d values", len(got))
			}
		})
	}
}
