package netchan_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/handoff-go/handoff"
	"github.com/handoff-go/handoff/driver"
	"github.com/handoff-go/handoff/hub"
	"github.com/handoff-go/handoff/internal/badline"
	"github.com/handoff-go/handoff/internal/wire"
)

// fate asks what became of an operation that ended in doubt.
func (p *pending) fate(t *testing.T) handoff.Fate {
	t.Helper()
	p.want(t, driver.ErrInDoubt)
	if tag := handoff.Tag(p.Err); tag == "" || !strings.Contains(p.Err.Error(), tag) {
		t.Fatalf("no tag %q in %v", tag, p.Err)
	}
	ctx, stop := context.WithTimeout(context.Background(), patience)
	defer stop()
	f, err := handoff.Outcome(ctx, p.Err)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// TestOutcomeAfterTheSession: of each operation that a session left in doubt its
// home knows what became of it.
func TestOutcomeAfterTheSession(t *testing.T) {
	const window = "resume=300ms"
	g := newGap(t, window, slots(1))
	waits := mustOpenURL(t, tcpURL(g.Address(), "waits", window), both)
	empty := mustOpenURL(t, tcpURL(g.Address(), "empty", window), both)
	waiting := waits.send("waits")
	waits.untilSending(t, 1)
	g.Mute(badline.Down, true) // from here on nothing is heard of the home
	done, closed := g.far.send("done"), waits.do(driver.OpClose)
	g.near.until(t, "in its slot", func(s driver.Stats) bool { return s.Len == 1 })
	chosen := g.far.start(driver.Op{Kind: driver.OpSelect, Cases: []driver.Case{
		{Channel: empty.Channel, Op: &driver.Op{Kind: driver.OpRecv, Max: 1}},
		{Channel: g.far.Channel, Op: &driver.Op{Kind: driver.OpSend, Items: items("chosen")}},
	}})
	g.near.recv(1).wantGot(t, "done") // makes room
	g.near.until(t, "chosen", func(s driver.Stats) bool { return s.Len == 1 })
	g.Mute(badline.Up, true)
	never := g.far.send("never")
	g.Cut(true)

	for _, p := range []*pending{done, closed, waiting, chosen, never} {
		p.want(t, driver.ErrInDoubt)
	}
	if _, err := handoff.Outcome(t.Context(), done.Err); !errors.Is(err, handoff.ErrUnreachable) {
		t.Errorf("of a home that does not answer: %v", err)
	}
	g.Mute(badline.Down, false)
	g.Mute(badline.Up, false)
	g.Up(g.home)
	if f := done.fate(t); f.N != 1 || f.Err != nil || f.Chosen != -1 {
		t.Errorf("done: %+v", f)
	}
	if f := closed.fate(t); f.Err != nil {
		t.Errorf("closed: %+v", f)
	}
	// The close reached it, or the end of its session did.
	if f := waiting.fate(t); f.N != 0 || !errors.Is(f.Err, handoff.ErrClosed) {
		t.Errorf("waiting: %+v", f)
	}
	if f := chosen.fate(t); f.N != 1 || f.Chosen != 1 || f.Err != nil {
		t.Errorf("chosen: %+v", f)
	}
	if f := never.fate(t); f.N != 0 || !errors.Is(f.Err, handoff.ErrUnreachable) {
		t.Errorf("never: %+v", f)
	}
	g.near.recv(1).wantGot(t, "chosen")
	if p := g.near.tryRecv().want(t, nil); !p.NotReady {
		t.Errorf("received %q", p.Got[0].Value)
	}
}

// TestOutcomeWaits: an operation that its caller has given up, and the home has
// not, is told of when it ends.
func TestOutcomeWaits(t *testing.T) {
	cfg := slots(1)
	cfg.CancelGrace = 20 * time.Millisecond
	g := newGap(t, "resume=1m", cfg)
	g.Mute(badline.Down, true)
	sent := g.far.send("a").giveUp(t)
	ctx, stop := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer stop()
	if _, err := handoff.Outcome(ctx, sent.Err); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("of what is under way: %v", err)
	}
	g.near.recv(1).wantGot(t, "a")
	g.Mute(badline.Down, false)
	if f := sent.fate(t); f.N != 1 || f.Err != nil {
		t.Errorf("%+v", f)
	}
}

// TestOutcomeOfAnotherHome: a home that was started anew knows nothing, and an
// error that no home knows of cannot be asked for.
func TestOutcomeOfAnotherHome(t *testing.T) {
	g := newGap(t, "resume=1m", slots(0))
	sent := g.far.send("a")
	g.near.untilSending(t, 1)
	_, anew := serveTCP(t, hub.Options{})
	g.Cut(true)
	g.Up(anew)
	sent.want(t, driver.ErrInDoubt)
	if _, err := handoff.Outcome(t.Context(), sent.Err); !errors.Is(err, handoff.ErrNotFound) {
		t.Errorf("of a home that was started anew: %v", err)
	}
	if _, err := handoff.Outcome(t.Context(), handoff.ErrInDoubt); !errors.Is(err, handoff.ErrUnsupported) {
		t.Errorf("of no operation: %v", err)
	}
}

// TestOutcomeOfAClaim: a send of a select over several homes, which was claimed when its
// session ended, is in doubt, and its home knows what became of it.
func TestOutcomeOfAClaim(t *testing.T) {
	for _, lost := range []bool{true, false} {
		_, home := serveTCP(t, hub.Options{})
		g := newTCPTurnstile(t, home)
		// The script stops at a frame of the claim: the GRANT, or else its CONFIRM.
		steps := []step{{"OFFER", theSender, true, anOffer}, {"CLAIM", theSender, false, ofType(wire.TypeClaim)},
			{"GRANT", theSender, true, ofType(wire.TypeGrant)}, {"CONFIRM", theSender, false, ofType(wire.TypeChosen)}}
		stop := 3
		if lost {
			stop = 2
		}
		play := newScript(stop, steps...)
		near := mustOpenURL(t, tcpURL(home, "c", ""), both)
		g.under(play, theSender)
		ch, err := handoff.Open[string](t.Context(), tcpURL(g.path, "c", "resume=300ms"))
		if err != nil {
			t.Fatal(err)
		}
		done := selecting(t.Context(), func(*int) []handoff.Case {
			return []handoff.Case{ch.OnSend("v", nil), handoff.OnNative(make(chan int), nil)}
		})
		near.untilSending(t, 1)
		got := near.recv(1)
		if !play.stopped() {
			t.Fatalf("%q did not come", steps[stop].name)
		}
		g.shut(true)
		play.goOn(true)
		c := soon(t, done)
		if c.i != 0 || !errors.Is(c.err, handoff.ErrInDoubt) || handoff.Tag(c.err) == "" {
			t.Fatalf("chosen %d, %v, tag %q", c.i, c.err, handoff.Tag(c.err))
		}
		g.under(nil, 0)
		g.shut(false)
		f, err := handoff.Outcome(t.Context(), c.err)
		if err != nil {
			t.Fatal(err)
		}
		if lost {
			if f.N != 0 || !errors.Is(f.Err, handoff.ErrDetached) {
				t.Errorf("its value was kept: %+v", f)
			}
			if near.send("other"); fmt.Sprint(got.values(t)) != "[other]" {
				t.Errorf("received %q", got.values(t))
			}
			continue
		}
		if f.N != 1 || f.Chosen != 0 || f.Err != nil {
			t.Errorf("its value was received: %+v", f)
		}
		got.wantGot(t, "v")
	}
}
