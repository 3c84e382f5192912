package netchan_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/handoff-go/handoff/driver"
	"github.com/handoff-go/handoff/hub"
	"github.com/handoff-go/handoff/internal/badline"
)

// lively is a home that asks its clients often.
var lively = hub.Options{Heartbeat: 20 * time.Millisecond}

// TestMutedLine: a line on which nothing moves any more, in one direction or both,
// is noticed by the side that hears nothing, and the session goes on over the next.
func TestMutedLine(t *testing.T) {
	for name, muted := range map[string][]badline.Direction{
		"up": {badline.Up}, "down": {badline.Down}, "both": {badline.Up, badline.Down},
	} {
		t.Run(name, func(t *testing.T) {
			g := newGapAt(t, "resume=1m&heartbeat=20ms", slots(1), lively)
			received := g.far.recv(1)
			g.near.untilReceiving(t, 1)
			for _, d := range muted {
				g.Mute(d, true)
			}
			sent := g.far.send("late") // into the slot, when the line is back
			g.told(t, "nothing was heard for 80ms")
			for _, d := range muted {
				g.Mute(d, false)
			}
			g.told(t, "resumed the connection")
			sent.want(t, nil)
			if it := received.wantGot(t, "late").Got[0]; it.Attempt != 1 {
				t.Errorf("attempt %d", it.Attempt)
			}
		})
	}
}

// TestMutedForGood: a home that is not heard of for longer than resume is gone, and
// the callers are told what can be known.
func TestMutedForGood(t *testing.T) {
	g := newGapAt(t, "resume=200ms&heartbeat=20ms", slots(0), lively)
	sent, received := g.far.send("a"), mustOpenURL(t, tcpURL(g.Address(), "other", "resume=200ms&heartbeat=20ms"), both).recv(1)
	g.near.untilSending(t, 1)
	g.Mute(badline.Up, true)
	g.Mute(badline.Down, true)
	sent.want(t, driver.ErrInDoubt)
	received.want(t, driver.ErrUnreachable)
	g.near.untilSending(t, 0)
}

// TestQuietLineStays: a line on which nobody has anything to say is kept.
func TestQuietLineStays(t *testing.T) {
	g := newGapAt(t, "resume=1m&heartbeat=10ms", slots(1), hub.Options{Heartbeat: 10 * time.Millisecond})
	_, before := g.Figures()
	for { // until both have asked often
		if _, moved := g.Figures(); moved[badline.Up]-before[badline.Up] > 500 && moved[badline.Down]-before[badline.Down] > 500 {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if n, _ := g.Figures(); n != 1 {
		t.Errorf("%d connections, told %q", n, g.reasons())
	}
}

// TestNoHeartbeat: without it a silent line is only slow.
func TestNoHeartbeat(t *testing.T) {
	g := newGapAt(t, "resume=1m&heartbeat=0", slots(1), lively)
	g.Mute(badline.Up, true)
	sent := g.far.send("a")
	time.Sleep(300 * time.Millisecond) // more than a silent line would have
	if n, _ := g.Figures(); n != 1 || sent.ended() {
		t.Errorf("%d connections, told %q", n, g.reasons())
	}
	g.Mute(badline.Up, false)
	sent.want(t, nil)
}

func TestMalformedHeartbeat(t *testing.T) {
	for _, parameters := range []string{"heartbeat=x", "heartbeat=-1s", "heartbeat=1ms", "heartbeat=2h", "heartbeat=1s&heartbeat=2s"} {
		_, err := openURL(t.Context(), tcpURL("localhost:1", "jobs", parameters), both)
		if !errors.Is(err, driver.ErrConflict) || !strings.Contains(err.Error(), "heartbeat") {
			t.Errorf("%s: %v", parameters, err)
		}
	}
}
