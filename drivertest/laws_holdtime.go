package drivertest

import (
	"time"

	"github.com/handoff-go/handoff/driver"
)

// tick is the unit of the laws about time. In a bubble it costs nothing.
const tick = 100 * time.Millisecond

var holdTimeLaws = []Law{
	{
		Name:   "L13/a-hold-is-bounded-by-max-hold",
		Says:   "a hold that lasts longer than MaxHold ends: the value is offered again with its attempt raised, later settlement is ErrSettled",
		Source: "L13 sentence 8",
		Needs:  []Feature{FeatureHold, FeatureHoldTime},
		Timed:  true,
		Run:    lawMaxHold,
	}, {
		Name:   "L13/extend-renews-a-hold",
		Says:   "Extend lets a hold last that long from now, as often as it is called",
		Source: "L13 sentence 8",
		Needs:  []Feature{FeatureHold, FeatureHoldTime},
		Timed:  true,
		Run:    lawExtend,
	}, {
		Name:   "L13/without-max-hold-a-hold-lasts",
		Says:   "without MaxHold a hold has no end in a process, and Extend changes nothing",
		Source: "L13 sentence 8",
		Needs:  []Feature{FeatureHold, FeatureHoldTime, FeatureSharedHeap},
		Timed:  true,
		Run: func(e *Env) {
			ch := e.Chan(1)
			e.Sends(ch, 1)
			d := e.Holds(ch, 1, 1)
			e.settled("Extend", d.Extend(tick))
			e.Advance(10 * tick)
			e.Empty(ch)
			e.settled("Done", d.Done())
		},
	}, {
		Name:   "L13/return-after-rests",
		Says:   "a value returned after a delay is not offered before it is over; those behind it may be taken meanwhile; then it is offered in its place",
		Source: "DESIGN 2",
		Needs:  []Feature{FeatureHold, FeatureHoldTime},
		Timed:  true,
		Run:    lawReturnAfter,
	}, {
		Name:   "L5/closed-waits-for-a-resting-value",
		Says:   "after Close a value in a slot that rests is still to come, and closed is not seen; one without a slot goes home at once",
		Source: "L5, L13",
		Needs:  []Feature{FeatureHold, FeatureHoldTime, FeatureRendezvous},
		Timed:  true,
		Run:    lawRestingAndClose,
	},
}

func lawMaxHold(e *Env) {
	e.each([]int{0, 1}, func(slots int) {
		ch := e.Make(Spec{Slots: slots, MaxHold: 2 * tick})
		s := e.Send(ch, 1)
		d := e.Holds(ch, 1, 1)
		r := e.Take(ch)
		e.Advance(tick)
		r.Blocked()
		e.Advance(2 * tick)
		if r.Got(1); r.D.Attempt != 2 {
			e.Fatalf("attempt %d, want 2", r.D.Attempt)
		}
		for _, settle := range []func() error{d.Done, d.Return} {
			e.Is("late settlement", settle(), driver.ErrSettled)
		}
		e.Is("late Extend", d.Extend(tick), driver.ErrSettled)
		e.settled("Done", r.D.Done())
		s.Succeeded()
		e.Advance(5 * tick) // a hold that was settled does not lapse
		e.Empty(ch)
	})
}

func lawExtend(e *Env) {
	ch := e.Make(Spec{Slots: 1, MaxHold: 2 * tick})
	e.Sends(ch, 1)
	d := e.Holds(ch, 1, 1)
	for range 4 {
		e.settled("Extend", d.Extend(3*tick))
		e.Advance(2 * tick)
		e.Empty(ch)
	}
	e.Advance(2 * tick)
	e.Receives(ch, 1)
	e.Is("Done", d.Done(), driver.ErrSettled)
}

func lawReturnAfter(e *Env) {
	e.each([]int{0, 1, 3}, func(slots int) {
		ch := e.Chan(slots)
		e.sendQueue(ch, slots, 4-min(4, slots))
		d := e.Holds(ch, 0, 1)
		e.settled("ReturnAfter", d.ReturnAfter(2*tick))
		e.Receives(ch, 1)
		e.Advance(tick)
		e.Receives(ch, 2)
		e.Is("Done", d.Done(), driver.ErrSettled)
		e.Advance(2 * tick)
		again := e.Holds(ch, 0, 2)
		e.settled("ReturnAfter", again.ReturnAfter(0))
		e.Receives(ch, 0)
		e.Receives(ch, 3)
		e.Empty(ch)
	})
}

func lawRestingAndClose(e *Env) {
	ch := e.Chan(1)
	e.Sends(ch, 1)
	d := e.Holds(ch, 1, 1)
	e.settled("ReturnAfter", d.ReturnAfter(2*tick))
	e.OK("Close", ch.Close())
	r := e.Recv(ch)
	e.Advance(tick)
	r.Blocked()
	e.Empty(ch)
	e.Advance(2 * tick)
	r.Got(1)
	e.Drained(ch)

	ch = e.Chan(0)
	s := e.Send(ch, 2)
	d = e.Holds(ch, 2, 1)
	e.settled("ReturnAfter", d.ReturnAfter(2*tick))
	s.Blocked()
	e.OK("Close", ch.Close())
	e.Settle()
	s.Failed(driver.ErrClosed)
	e.Drained(ch)
}

var sendTimeoutLaws = []Law{
	{
		Name:   "L13/send-timeout-gives-up",
		Says:   "a Send nobody meets within SendTimeout is ErrTimeout and has no effect; one that is met in time is not",
		Source: "DESIGN 2",
		Needs:  []Feature{FeatureSendTimeout},
		Timed:  true,
		Run:    lawSendTimeout,
	}, {
		Name:   "L13/send-timeout-during-a-hold-is-doubt",
		Says:   "SendTimeout during a hold returns at once, being ErrTimeout and ErrInDoubt",
		Source: "L13 sentence 4",
		Needs:  []Feature{FeatureSendTimeout, FeatureHold, FeatureRendezvous},
		Timed:  true,
		Run: func(e *Env) {
			ch := e.Make(Spec{SendTimeout: 2 * tick})
			s := e.Send(ch, 1)
			d := e.Holds(ch, 1, 1)
			e.Advance(3 * tick)
			s.Failed(driver.ErrTimeout, driver.ErrInDoubt)
			e.Is("Return", d.Return(), driver.ErrAbandoned)
			e.Empty(ch)
		},
	}, {
		Name:   "L13/send-timeout-of-a-batch",
		Says:   "a SendAll that times out returns how many values left custody, and ErrTimeout",
		Source: "DESIGN 2; research 44",
		Needs:  []Feature{FeatureSendTimeout, FeatureBatch},
		Timed:  true,
		Run: func(e *Env) {
			ch := e.Make(Spec{Slots: 2, SendTimeout: 2 * tick})
			op := e.SendAll(ch, 0, 1, 2, 3)
			op.Blocked()
			e.Advance(3 * tick)
			if op.Failed(driver.ErrTimeout); op.N != 2 {
				e.Fatalf("SendAll returned %d, want 2", op.N)
			}
			e.Receives(ch, 0)
			e.Receives(ch, 1)
			e.Empty(ch)
		},
	},
}

func lawSendTimeout(e *Env) {
	e.each([]int{0, 1}, func(slots int) {
		ch := e.Make(Spec{Slots: slots, SendTimeout: 2 * tick})
		for i := range slots {
			e.Send(ch, i).Succeeded()
		}
		early, late := e.Send(ch, 10), e.Send(ch, 11)
		e.Advance(tick)
		early.Blocked()
		for i := range slots {
			e.Receives(ch, i)
		}
		if slots == 0 {
			e.Receives(ch, 10)
		}
		early.Succeeded()
		e.Advance(2 * tick)
		late.Failed(driver.ErrTimeout)
		if slots > 0 {
			e.Receives(ch, 10)
		}
		e.Empty(ch)
		r := e.Recv(ch) // receivers have no such limit
		e.Advance(5 * tick)
		r.Blocked()
		e.Send(ch, 12).Succeeded()
		r.Got(12)
	})
}
