package drivertest

import (
	"slices"
	"sync"

	"github.com/handoff-go/handoff/driver"
)

var silenceLaws = []Law{
	{
		Name:   "L11/errors-name-operation-and-channel",
		Says:   "every error says which operation failed on which channel",
		Source: "L11; DESIGN 2",
		Needs:  []Feature{FeatureOpError},
		Run:    lawOpError,
	}, {
		Name:   "L11/events-tell-what-no-error-can",
		Says:   "redeliveries, rejections, dropped values, abandoned sends and stops are told as events that name the channel",
		Source: "L11",
		Needs:  []Feature{FeatureEvents, FeatureHold, FeatureStop, FeatureCancel, FeatureRendezvous},
		Run:    lawEvents,
	}, {
		Name:   "L11/stats-balance",
		Says:   "at rest the figures balance: sent = received + in slots + held in slots + rejected, and nobody is counted as waiting who does not",
		Source: "L11; research 51",
		Needs:  []Feature{FeatureStats, FeatureWaitCounts},
		Run:    lawStats,
	},
}

func lawOpError(e *Env) {
	ch := e.Make(Spec{Slots: 1, Name: "orders"})
	check := func(what string, err error, op string, target error) {
		e.Helper()
		e.Is(what, err, target)
		if gotOp, name, ok := e.H.OpOf(err); !ok || gotOp != op || name != "orders" {
			e.Fatalf("%s: the error says operation %q on channel %q (%v): %v", what, gotOp, name, ok, err)
		}
	}
	if e.H.Has[FeatureCancel] {
		ctx, cancel := e.ending()
		cancel()
		check("Recv", e.RecvCtx(ctx, ch).Ended().Err, "recv", ctx.Err())
		check("Send", e.SendCtx(ctx, ch, 1).Ended().Err, "send", ctx.Err())
	}
	if e.H.Has[FeatureHold] {
		e.Sends(ch, 1)
		d := e.Holds(ch, 1, 1)
		e.settled("Done", d.Done())
		check("Done", d.Done(), "done", driver.ErrSettled)
		check("Return", d.Return(), "return", driver.ErrSettled)
		check("Reject", d.Reject("no"), "reject", driver.ErrSettled)
	}
	e.OK("Close", ch.Close())
	check("Send", e.Send(ch, 1).Ended().Err, "send", driver.ErrClosed)
	_, err := ch.TrySend(1)
	check("TrySend", err, "send", driver.ErrClosed)
	check("Recv", e.Recv(ch).Ended().Err, "recv", driver.ErrClosed)
	check("second Close", ch.Close(), "close", driver.ErrClosed)
	if e.H.Has[FeatureSelect] {
		_, err := e.Select(e.Ctx, ch.OnSend(1, nil))
		check("Select", err, "send", driver.ErrClosed)
	}
}

func lawEvents(e *Env) {
	var mu sync.Mutex
	var name string
	open := func(slots int) Chan[int] {
		mu.Lock()
		defer mu.Unlock()
		if name = "law-events"; !e.H.Far {
			return e.Make(Spec{Slots: slots, Name: name})
		}
		ch := e.Make(Spec{Slots: slots}) // whose home tells of it by the name it has there
		name = ch.(interface{ Name() string }).Name()
		return ch
	}
	ch := open(0)
	var kinds []string
	defer e.H.Events(func(ev Event) {
		mu.Lock()
		defer mu.Unlock()
		if ev.Channel == name || e.bubble && ev.Channel == "" {
			kinds = append(kinds, ev.Kind)
		}
	})()
	told := func(want string) {
		e.Helper()
		e.Settle()
		mu.Lock()
		defer mu.Unlock()
		if !slices.Contains(kinds, want) {
			e.Fatalf("no event %q; told were %v", want, kinds)
		}
		kinds = nil
	}
	s := e.Send(ch, 1)
	d := e.Holds(ch, 1, 1)
	e.settled("Return", d.Return())
	d = e.Holds(ch, 1, 2)
	told("redelivered")
	e.settled("Reject", d.Reject("no"))
	told("rejected")
	s.Failed(driver.ErrRejected)
	ctx, cancel := e.ending()
	s = e.SendCtx(ctx, ch, 2)
	d = e.Holds(ch, 2, 1)
	cancel()
	s.Failed(driver.ErrInDoubt)
	told("abandoned")
	e.settled("Done", d.Done())
	e.settled("Stop", ch.Stop("enough"))
	told("stopped")
	ch = open(1)
	e.Sends(ch, 3)
	d = e.Holds(ch, 3, 1)
	e.settled("Reject", d.Reject("no"))
	told("dropped")
	e.Sends(ch, 4) // its slot is free
	e.Receives(ch, 4)
}

func lawStats(e *Env) {
	e.each([]int{0, 3}, func(slots int) {
		ch := e.Chan(slots)
		waiting := func(senders, receivers int) {
			e.Helper()
			if s := ch.Stats(); s.SendersWaiting != senders || s.ReceiversWaiting != receivers {
				e.Fatalf("%d senders and %d receivers said to wait, want %d and %d", s.SendersWaiting, s.ReceiversWaiting, senders, receivers)
			}
		}
		waiting(0, 0)
		r1, r2 := e.Recv(ch), e.Recv(ch)
		waiting(0, 2)
		e.Sends(ch, 1)
		e.Sends(ch, 2)
		r1.Got(1)
		r2.Got(2)
		waiting(0, 0)
		e.sendQueue(ch, slots, 3)
		waiting(3, 0)
		e.Receives(ch, 0)
		waiting(2, 0)
		s := ch.Stats()
		if got, want := s.Sent, uint64(2+slots+1); got != want {
			e.Fatalf("Sent = %d, want %d", got, want)
		}
		if s.Received != 3 || s.Len != slots || s.Slots != slots || s.Closed {
			e.Fatalf("Received %d, Len %d, Slots %d, Closed %v", s.Received, s.Len, s.Slots, s.Closed)
		}
		e.OK("Close", ch.Close())
		e.Settle()
		waiting(0, 0)
		for i := range slots {
			e.Receives(ch, i+1)
		}
		if s = ch.Stats(); s.Sent != s.Received || !s.Closed || s.Len != 0 {
			e.Fatalf("at the end: %+v", s)
		}
	})
}
