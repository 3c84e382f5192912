package drivertest

import (
	"time"

	"github.com/handoff-go/handoff/driver"
	"github.com/handoff-go/handoff/internal/ticket"
)

// claimLaws hold a ticket claimed while something happens to the other cases of
// its select. The claim stands for a home in another process that has asked and
// not yet decided.
var claimLaws = []Law{
	{
		Name:   "L6/a-claimed-select-is-passed-over",
		Says:   "while a home has claimed a select, nobody else completes one of its cases; at the release it looks again and takes what is there",
		Source: "DESIGN 3 (one waiting); L6",
		Needs:  []Feature{FeatureSelect, FeatureClaims},
		Run:    lawClaimedPassedOver,
	}, {
		Name:   "L6/a-claimed-select-keeps-its-place",
		Says:   "a select that was claimed and released keeps its place in every line, though one behind it was served meanwhile",
		Source: "DESIGN 3 (one waiting); L3",
		Needs:  []Feature{FeatureSelect, FeatureClaims},
		Run:    lawClaimedKeepsPlace,
	}, {
		Name:   "L6/a-confirmed-claim-wins-alone",
		Says:   "a claim that is confirmed is the select's one choice: whoever came to its other cases meanwhile still waits, and can be met by others",
		Source: "DESIGN 3 (one waiting); L6, L7",
		Needs:  []Feature{FeatureSelect, FeatureClaims},
		Run:    lawConfirmedAlone,
	}, {
		Name:   "L6/a-winner-leaves-nothing-to-claim",
		Says:   "a select that was won by one of its channels is withdrawn from its remote case, which can no longer claim it",
		Source: "DESIGN 3 (one waiting)",
		Needs:  []Feature{FeatureSelect, FeatureClaims},
		Run:    lawWonIsWithdrawn,
	}, {
		Name:   "L6/close-during-a-claim",
		Says:   "a close during a claim ends the select at the release, and not before",
		Source: "DESIGN 3 (one waiting); L5",
		Needs:  []Feature{FeatureSelect, FeatureClaims},
		Run:    lawCloseDuringClaim,
	}, {
		Name:   "L8/cancel-during-a-claim",
		Says:   "a select cancelled while claimed waits for the home's decision: released it is cancelled, confirmed it is won",
		Source: "DESIGN 3 (one waiting); L8",
		Needs:  []Feature{FeatureSelect, FeatureClaims, FeatureCancel},
		Run:    lawCancelDuringClaim,
	}, {
		Name:   "L6/timer-during-a-claim",
		Says:   "a timer case that fires during a claim wins at the release, and loses to a confirmation",
		Source: "DESIGN 3 (one waiting)",
		Needs:  []Feature{FeatureSelect, FeatureClaims, FeatureAfter},
		Run:    lawTimerDuringClaim,
	}, {
		Name:   "L6/native-cases-are-disarmed-while-claimed",
		Says:   "while a home has claimed a select, its native cases consume nothing; after the release they do",
		Source: "DESIGN 3 (one waiting); L7",
		Needs:  []Feature{FeatureSelect, FeatureClaims, FeatureNative},
		Run:    lawNativeDuringClaim,
	}, {
		Name:   "L6/two-claimed-selects-meet-later",
		Says:   "two selects that could meet, both claimed, meet when both are released",
		Source: "DESIGN 3 (one waiting)",
		Needs:  []Feature{FeatureSelect, FeatureClaims, FeatureRendezvous},
		Run:    lawTwoClaimed,
	},
}

// remoteArm is a case of a claimant that does what the law says.
func (e *Env) remoteArm() (*Claimant, arm) {
	c := e.newClaimant(claimsManual)
	return c, arm{c: e.H.Remote(c), by: c}
}

// claimed runs f only in the plain run: the law has a claimant of its own.
func (e *Env) claimedOnly() bool { return e.claims == claimsNone }

func lawClaimedPassedOver(e *Env) {
	if !e.claimedOnly() {
		return
	}
	e.each([]int{0, 1}, func(slots int) {
		ch := e.Chan(slots)
		c, remote := e.remoteArm()
		v := 0
		op := e.Sel(recvArm(ch, &v), remote)
		o := c.Claim(e)
		if slots == 0 {
			e.Full(ch) // the only receiver is spoken for
		}
		s := e.Send(ch, 5)
		op.Blocked()
		if slots == 0 {
			s.Blocked()
		} else {
			s.Succeeded()
			e.Len(ch, 1)
		}
		o.Release(e)
		if op.Chose(0); v != 5 {
			e.Fatalf("the select got %d", v)
		}
		s.Succeeded()

		e.sendQueue(ch, slots, 0)
		op = e.Sel(remote, sendArm(ch, 7))
		o = c.Claim(e)
		for i := range slots {
			e.Receives(ch, i)
		}
		e.Empty(ch) // the waiting sender is spoken for
		op.Blocked()
		r := e.Recv(ch)
		r.Blocked()
		o.Release(e)
		op.Chose(1)
		r.Got(7)
	})
}

func lawClaimedKeepsPlace(e *Env) {
	if !e.claimedOnly() {
		return
	}
	ch := e.Chan(e.few(0))
	c, remote := e.remoteArm()
	v := 0
	op := e.Sel(recvArm(ch, &v), remote)
	second, third := e.Recv(ch), e.Recv(ch)
	o := c.Claim(e)
	e.Sends(ch, 1)
	second.Got(1)
	op.Blocked()
	o.Release(e)
	op.Blocked()
	third.Blocked()
	e.Sends(ch, 2)
	if op.Chose(0); v != 2 {
		e.Fatalf("the select got %d, want 2", v)
	}
	third.Blocked()
	e.Sends(ch, 3)
	third.Got(3)
}

func lawConfirmedAlone(e *Env) {
	if !e.claimedOnly() || !e.H.Has[FeatureRendezvous] {
		return
	}
	in, out := e.Chan(0), e.Chan(0)
	c, remote := e.remoteArm()
	v := 0
	op := e.Sel(recvArm(in, &v), remote, sendArm(out, 9))
	o := c.Claim(e)
	s, r := e.Send(in, 5), e.Recv(out)
	o.Confirm(e)
	if op.Chose(1); v != 0 {
		e.Fatalf("a select won by a home also received %d", v)
	}
	s.Blocked()
	r.Blocked()
	e.Receives(in, 5)
	s.Succeeded()
	e.Sends(out, 6)
	r.Got(6)
}

func lawWonIsWithdrawn(e *Env) {
	if !e.claimedOnly() {
		return
	}
	for range 20 {
		ch := e.Chan(1)
		c, remote := e.remoteArm()
		op := e.Sel(recvArm(ch, nil), remote)
		tk := c.offered(e).tk
		ok, err := ch.TrySend(1) // wins; the select's goroutine need not have run yet
		if !ok || err != nil {
			e.Fatalf("TrySend = %v, %v", ok, err)
		}
		if !op.ended() && tk.State() == ticket.Waiting {
			e.Fatalf("a select that was won can still be claimed")
		}
		op.Chose(0)
		c.mu.Lock()
		left := len(c.offers)
		c.mu.Unlock()
		if left != 0 {
			e.Fatalf("the select has returned, and its ticket is still on offer")
		}
	}
}

func lawCloseDuringClaim(e *Env) {
	if !e.claimedOnly() {
		return
	}
	e.each([]int{0, 1}, func(slots int) {
		ch := e.Chan(slots)
		c, remote := e.remoteArm()
		v := 0
		op := e.Sel(recvArm(ch, &v), remote)
		o := c.Claim(e)
		e.OK("Close", ch.Close())
		e.Settle()
		op.Blocked()
		o.Release(e)
		if op.Chose(0); v != closedValue {
			e.Fatalf("the select got %d from a closed channel", v)
		}
		ch = e.Chan(slots)
		e.sendQueue(ch, slots, 0)
		op = e.Sel(remote, sendArm(ch, 50))
		o = c.Claim(e)
		e.OK("Close", ch.Close())
		e.Settle()
		op.Blocked()
		o.Release(e)
		if op.Failed(driver.ErrClosed); op.N != 1 {
			e.Fatalf("the select returned index %d", op.N)
		}
		for i := range slots {
			e.Receives(ch, i)
		}
		e.Drained(ch)
	})
}

func lawCancelDuringClaim(e *Env) {
	if !e.claimedOnly() {
		return
	}
	for _, confirmed := range []bool{false, true} {
		ch := e.Chan(e.few(0))
		c, remote := e.remoteArm()
		ctx, cancel := e.ending()
		op := e.SelCtx(ctx, recvArm(ch, nil), remote)
		o := c.Claim(e)
		cancel()
		e.Settle()
		op.Blocked()
		if confirmed {
			o.Confirm(e)
			op.Chose(1)
			continue
		}
		o.Release(e)
		if op.Failed(ctx.Err()); op.N != -1 {
			e.Fatalf("a cancelled select returned index %d", op.N)
		}
		r := e.Recv(ch)
		e.Sends(ch, 1)
		r.Got(1)
	}
}

func lawTimerDuringClaim(e *Env) {
	if !e.claimedOnly() {
		return
	}
	for _, confirmed := range []bool{false, true} {
		ch := e.Chan(1)
		c, remote := e.remoteArm()
		op := e.Sel(recvArm(ch, nil), remote, arm{c: e.H.After(50*time.Millisecond, nil)})
		o := c.Claim(e)
		e.Advance(100 * time.Millisecond)
		op.Blocked()
		if confirmed {
			o.Confirm(e)
			op.Chose(1)
		} else {
			o.Release(e)
			op.Chose(2)
		}
	}
}

func lawNativeDuringClaim(e *Env) {
	if !e.claimedOnly() {
		return
	}
	for _, confirmed := range []bool{false, true} {
		native := make(chan int, 1)
		ch := e.Chan(1)
		c, remote := e.remoteArm()
		v := 0
		op := e.Sel(recvArm(ch, nil), remote, arm{c: e.H.OnNative(native, func(x int, _ bool) { v = x })})
		o := c.Claim(e)
		native <- 4
		e.Settle()
		op.Blocked()
		if len(native) != 1 {
			e.Fatalf("a claimed select consumed a native value")
		}
		if confirmed {
			o.Confirm(e)
			op.Chose(1)
			if len(native) != 1 {
				e.Fatalf("a select won by a home consumed a native value")
			}
			continue
		}
		o.Release(e)
		if op.Chose(2); v != 4 {
			e.Fatalf("the native case got %d", v)
		}
	}
}

func lawTwoClaimed(e *Env) {
	if !e.claimedOnly() {
		return
	}
	for _, firstReleased := range []int{0, 1} {
		ch := e.Chan(0)
		c1, remote1 := e.remoteArm()
		c2, remote2 := e.remoteArm()
		v := 0
		sender := e.Sel(sendArm(ch, 5), remote1)
		o1 := c1.Claim(e)
		receiver := e.Sel(recvArm(ch, &v), remote2)
		receiver.Blocked()
		o2 := c2.Claim(e)
		both := []*offer{o1, o2}
		both[firstReleased].Release(e)
		sender.Blocked()
		receiver.Blocked()
		both[1-firstReleased].Release(e)
		sender.Chose(0)
		if receiver.Chose(0); v != 5 {
			e.Fatalf("received %d", v)
		}
	}
}
