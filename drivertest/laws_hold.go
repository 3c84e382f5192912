package drivertest

import (
	"errors"

	"github.com/handoff-go/handoff/driver"
)

var holdLaws = []Law{
	{
		Name:   "L13/take-holds-until-settled",
		Says:   "a taken value is with its taker: it is not received by others, and its slot is not free, until it is settled",
		Source: "L1, L2, L13",
		Needs:  []Feature{FeatureHold, FeatureStats},
		Run:    lawTakeHolds,
	}, {
		Name:   "L13/take-commits-a-sender-without-a-slot",
		Says:   "a sender whose value was taken without a slot is committed to that taker and waits for the settlement",
		Source: "L13 sentence 1",
		Needs:  []Feature{FeatureHold, FeatureRendezvous},
		Run:    lawTakeCommits,
	}, {
		Name:   "L13/return-offers-again",
		Says:   "a returned value is offered again in its place while its sender goes on waiting",
		Source: "L13 sentence 2",
		Needs:  []Feature{FeatureHold, FeatureRendezvous},
		Run:    lawReturnOffers,
	}, {
		Name:   "L13/return-wakes-a-waiting-receiver",
		Says:   "a returned value goes to the receiver that waits first",
		Source: "L13, L3, L4",
		Needs:  []Feature{FeatureHold},
		Run:    lawReturnWakes,
	}, {
		Name:   "L13/reject-ends-the-send",
		Says:   "rejecting a value without a slot ends its Send with ErrRejected and the reason; the sender has it back and nobody receives it",
		Source: "L13 sentence 2",
		Needs:  []Feature{FeatureHold, FeatureRendezvous},
		Run:    lawRejectEnds,
	}, {
		Name:   "L13/attempts-are-counted",
		Says:   "the attempt is 1 the first time and one more after every return",
		Source: "DESIGN 2",
		Needs:  []Feature{FeatureHold},
		Run:    lawAttempts,
	}, {
		Name:   "L13/a-delivery-is-settled-once",
		Says:   "after a settlement every further one is ErrSettled and without effect, also when the value was handed out again meanwhile",
		Source: "DESIGN 2; L13",
		Needs:  []Feature{FeatureHold},
		Run:    lawSettledOnce,
	}, {
		Name:   "L13/a-waiting-take-is-handed-the-value",
		Says:   "a send that meets a waiting Take returns at once if a slot is free for the held value, else it waits for the settlement",
		Source: "L2, L13",
		Needs:  []Feature{FeatureHold},
		Run:    lawWaitingTake,
	}, {
		Name:   "L13/deliveries-end-at-close",
		Says:   "ranging over deliveries yields every value, and ends when the channel is closed and all are settled",
		Source: "DESIGN 2",
		Needs:  []Feature{FeatureHold},
		Run:    lawDeliveries,
	}, {
		Name:   "L13/take-into-holds-what-is-there",
		Says:   "TakeInto waits for one value and holds what is there, each settled on its own",
		Source: "DESIGN 2",
		Needs:  []Feature{FeatureHold, FeatureBatch},
		Run:    lawTakeInto,
	}, {
		Name:   "L13/headers-travel",
		Says:   "what WithHeader put beside a value arrives with its delivery, through slots, waits and returns",
		Source: "DESIGN 2",
		Needs:  []Feature{FeatureHold, FeatureHeader},
		Run:    lawHeaders,
	},
}

// held fails the law unless Stats says that len values are ready and held taken.
func (e *Env) held(ch Chan[int], ready, held int) {
	e.Helper()
	if s := ch.Stats(); s.Len != ready || s.Held != held {
		e.Fatalf("Len %d and Held %d, want %d and %d", s.Len, s.Held, ready, held)
	}
}

// settled fails the law if err is an error, and lets what it caused happen.
func (e *Env) settled(what string, err error) {
	e.Helper()
	e.OK(what, err)
	e.Settle()
}

func lawTakeHolds(e *Env) {
	for _, slots := range []int{1, 3} {
		ch := e.Chan(slots)
		for i := range slots {
			e.Sends(ch, i)
		}
		d := e.Holds(ch, 0, 1)
		e.held(ch, slots-1, 1)
		e.Full(ch)
		for i := 1; i < slots; i++ {
			e.Receives(ch, i)
		}
		e.Empty(ch)
		e.held(ch, 0, 1)
		e.settled("Done", d.Done())
		e.held(ch, 0, 0)
		for i := range slots {
			e.Sends(ch, i)
		}
		e.Full(ch)
	}
}

func lawTakeCommits(e *Env) {
	ch := e.Chan(0)
	s := e.Send(ch, 1)
	d := e.Holds(ch, 1, 1)
	s.Blocked()
	e.Empty(ch)
	r := e.Recv(ch)
	r.Blocked() // the held value is not there for anybody else
	e.settled("Done", d.Done())
	s.Succeeded()
	r.Blocked()
	e.Sends(ch, 2)
	r.Got(2)
}

func lawReturnOffers(e *Env) {
	ch := e.Chan(0)
	s := e.Send(ch, 1)
	late := e.Send(ch, 2)
	for attempt := 1; attempt < 5; attempt++ {
		d := e.Holds(ch, 1, attempt)
		e.settled("Return", d.Return())
		s.Blocked()
		late.Blocked()
	}
	e.Receives(ch, 1)
	s.Succeeded()
	e.Receives(ch, 2)
	late.Succeeded()
}

func lawReturnWakes(e *Env) {
	e.each([]int{0, 1, 2}, func(slots int) {
		ch := e.Chan(slots)
		s := e.Send(ch, 1)
		d := e.Holds(ch, 1, 1)
		first, second := e.Take(ch), e.Recv(ch)
		first.Blocked()
		e.settled("Return", d.Return())
		if first.Got(1); first.D.Attempt != 2 {
			e.Fatalf("attempt %d, want 2", first.D.Attempt)
		}
		second.Blocked()
		e.settled("Return", first.D.Return())
		second.Got(1)
		s.Succeeded()
	})
}

func lawRejectEnds(e *Env) {
	ch := e.Chan(0)
	s := e.Send(ch, 1)
	d := e.Holds(ch, 1, 1)
	e.settled("Reject", d.Reject("not today"))
	s.Failed(driver.ErrRejected)
	if e.H.ReasonOf != nil && e.H.ReasonOf(s.Err) != "not today" {
		e.Fatalf("the reason that arrived: %q in %v", e.H.ReasonOf(s.Err), s.Err)
	}
	e.Empty(ch)
	s = e.Send(ch, 2)
	e.Receives(ch, 2)
	s.Succeeded()
}

func lawAttempts(e *Env) {
	e.each([]int{0, 2}, func(slots int) {
		ch := e.Chan(slots)
		e.Send(ch, 7)
		for attempt := 1; attempt <= 5; attempt++ {
			d := e.Holds(ch, 7, attempt)
			if attempt == 5 {
				e.settled("Done", d.Done())
				break
			}
			e.settled("Return", d.Return())
		}
		e.Send(ch, 8)
		d := e.Holds(ch, 8, 1)
		e.settled("Done", d.Done())
		if e.H.Has[FeatureStats] {
			if s := ch.Stats(); s.Redelivered != 4 || s.Sent != 2 || s.Received != 2 {
				e.Fatalf("sent %d, received %d, redelivered %d; want 2, 2, 4", s.Sent, s.Received, s.Redelivered)
			}
		}
	})
}

func lawSettledOnce(e *Env) {
	again := func(d Delivery[int]) {
		e.Helper()
		e.Is("Done", d.Done(), driver.ErrSettled)
		e.Is("Return", d.Return(), driver.ErrSettled)
		e.Is("Reject", d.Reject("no"), driver.ErrSettled)
		if e.H.Has[FeatureHoldTime] {
			e.Is("ReturnAfter", d.ReturnAfter(1), driver.ErrSettled)
			e.Is("Extend", d.Extend(1), driver.ErrSettled)
		}
		e.Settle()
	}
	e.each([]int{0, 2}, func(slots int) {
		ch := e.Chan(slots)
		s := e.Send(ch, 1)
		first := e.Holds(ch, 1, 1)
		e.settled("Return", first.Return())
		again(first)
		second := e.Holds(ch, 1, 2) // the same value, another hold
		again(first)
		e.Empty(ch)
		e.settled("Done", second.Done())
		s.Succeeded()
		again(first)
		again(second)
		s = e.Send(ch, 2) // a record that is used again is not mixed up
		third := e.Holds(ch, 2, 1)
		again(first)
		again(second)
		e.settled("Reject", third.Reject("no"))
		again(third)
		s.Ended()
		e.Empty(ch)
	})
}

func lawWaitingTake(e *Env) {
	e.each([]int{0, 1}, func(slots int) {
		ch := e.Chan(slots)
		r1, r2 := e.Take(ch), e.Take(ch)
		s1 := e.Send(ch, 1)
		r1.Got(1)
		s2 := e.Send(ch, 2)
		r2.Got(2)
		s2.Blocked()
		if slots == 0 {
			s1.Blocked()
			e.settled("Done", r2.D.Done())
			s2.Succeeded()
			s1.Blocked()
			e.settled("Done", r1.D.Done())
			s1.Succeeded()
			return
		}
		s1.Succeeded()
		e.settled("Done", r1.D.Done()) // frees the slot for 2, held without one
		s2.Succeeded()
		e.Full(ch)
		e.settled("Done", r2.D.Done())
		e.Sends(ch, 3)
	})
}

func lawDeliveries(e *Env) {
	ch := e.Chan(3)
	for i := range 3 {
		e.Sends(ch, i)
	}
	e.OK("Close", ch.Close())
	n, returned := 0, false
	for d, err := range ch.Deliveries(e.Ctx) {
		if e.OK("Deliveries", err); d.Value != n {
			e.Fatalf("yielded %d, want %d", d.Value, n)
		}
		if n == 1 && !returned {
			returned = true
			e.OK("Return", d.Return())
			continue
		}
		e.OK("Done", d.Done())
		n++
	}
	if n != 3 {
		e.Fatalf("%d values of 3", n)
	}
	if !e.H.Has[FeatureCancel] {
		return
	}
	ctx, cancel := e.ending()
	cancel()
	yields := 0
	for _, err := range e.Chan(1).Deliveries(ctx) {
		e.Is("Deliveries", err, ctx.Err())
		yields++
	}
	if yields != 1 {
		e.Fatalf("the end of the context was yielded %d times", yields)
	}
}

func lawTakeInto(e *Env) {
	ch := e.Chan(4)
	var ds []Delivery[int]
	takeInto := func(n int) *Op {
		return e.Start("TakeInto", []wait{{on: ch, takes: true}}, func(op *Op) {
			buf := make([]Delivery[int], n)
			op.N, op.Err = ch.TakeInto(e.Ctx, buf)
			ds = buf[:op.N]
		})
	}
	op := takeInto(3)
	op.Blocked()
	e.Sends(ch, 0)
	op.Succeeded()
	if len(ds) != 1 || ds[0].Value != 0 {
		e.Fatalf("a waiting TakeInto held %d values", len(ds))
	}
	e.settled("Done", ds[0].Done())
	for i := range 4 {
		e.Sends(ch, i)
	}
	takeInto(3).Succeeded()
	if len(ds) != 3 {
		e.Fatalf("TakeInto(3) of 4 held %d", len(ds))
	}
	for i, d := range ds {
		if d.Value != i || d.Attempt != 1 {
			e.Fatalf("delivery %d is of %d, attempt %d", i, d.Value, d.Attempt)
		}
	}
	e.settled("Return", ds[1].Return())
	e.settled("Done", ds[0].Done())
	e.Receives(ch, 1)
	e.settled("Return", ds[2].Return())
	e.Receives(ch, 2)
	e.Receives(ch, 3)
}

func lawHeaders(e *Env) {
	e.each([]int{0, 1, 3}, func(slots int) {
		ch := e.Chan(slots)
		for i, value := range []string{"a", "b", "c"} {
			ctx := e.H.WithHeader(e.Ctx, "key", value)
			if i == 2 {
				ctx = e.H.WithHeader(ctx, "more", "x")
			}
			e.SendCtx(ctx, ch, i)
		}
		e.Send(ch, 3)
		for i, want := range []map[string]string{{"key": "a"}, {"key": "b"}, {"key": "c", "more": "x"}, {}} {
			d := e.Holds(ch, i, 1)
			if i == 1 {
				e.settled("Return", d.Return())
				d = e.Holds(ch, i, 2)
			}
			if len(d.Header) != len(want) || d.Header["key"] != want["key"] || d.Header["more"] != want["more"] {
				e.Fatalf("value %d arrived with header %v, want %v", i, d.Header, want)
			}
			e.settled("Done", d.Done())
		}
	})
}

// isDoubt reports whether err says that the outcome is in doubt.
func isDoubt(err error) bool { return errors.Is(err, driver.ErrInDoubt) }
