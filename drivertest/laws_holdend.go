package drivertest

import (
	"context"
	"errors"

	"github.com/handoff-go/handoff/driver"
)

var errRejected = driver.ErrRejected

var holdEndLaws = []Law{
	{
		Name:   "L13/after-close-a-value-without-a-slot-goes-home",
		Says:   "after Close a returned value without a slot goes home: its Send gets ErrClosed; confirmed it is nil, rejected ErrRejected",
		Source: "L13 sentence 3",
		Needs:  []Feature{FeatureHold, FeatureRendezvous},
		Run:    lawGoesHome,
	}, {
		Name:   "L13/after-close-a-value-in-a-slot-comes-again",
		Says:   "after Close a returned value that has a slot is handed out again, and only then is closed seen",
		Source: "L5, L13",
		Needs:  []Feature{FeatureHold},
		Run:    lawSlotComesAgain,
	}, {
		Name:   "L13/cancel-during-a-hold-is-doubt",
		Says:   "a Send cancelled while its value is held returns at once, being the cause and ErrInDoubt; cancelled after a return it is the cause alone",
		Source: "L13 sentence 4; L8",
		Needs:  []Feature{FeatureHold, FeatureCancel, FeatureRendezvous},
		Run:    lawCancelInHold,
	}, {
		Name:   "L13/an-abandoned-value-stays-with-its-holder",
		Says:   "after its sender gave up the holder may still confirm; its Return gets ErrAbandoned, and the value is never offered again",
		Source: "L13 sentence 4",
		Needs:  []Feature{FeatureHold, FeatureCancel, FeatureRendezvous},
		Run:    lawAbandoned,
	}, {
		Name:   "L13/a-select-whose-send-is-held-has-chosen",
		Says:   "Take commits a select's send case: the select chooses nothing else, returns when the value is settled, and then runs its function",
		Source: "L13 sentence 1; L6",
		Needs:  []Feature{FeatureHold, FeatureSelect, FeatureRendezvous},
		Run:    lawSelectSendHeld,
	}, {
		Name:   "L13/a-select-whose-send-is-refused",
		Says:   "a select whose committed send is rejected, or cancelled during the hold, returns that case's index with the error, and runs nothing",
		Source: "L13; DESIGN 2",
		Needs:  []Feature{FeatureHold, FeatureSelect, FeatureCancel, FeatureRendezvous},
		Run:    lawSelectSendRefused,
	}, {
		Name:   "L13/a-take-case-holds",
		Says:   "a take case of a select holds its value as Take does",
		Source: "L13; DESIGN 2",
		Needs:  []Feature{FeatureHold, FeatureSelect},
		Run:    lawTakeCase,
	}, {
		Name:   "L13/a-panic-in-a-take-case-returns-the-value",
		Says:   "a panic in the function of a take case returns the value with its attempt raised; without a function it is returned at once",
		Source: "L13 last sentence",
		Needs:  []Feature{FeatureHold, FeatureSelect},
		Run:    lawTakeCasePanics,
	}, {
		Name:   "L13/settlements-and-cancels-agree-in-a-storm",
		Says:   "when senders give up while their values are settled, a value is confirmed, returned or in doubt, and each side's answer fits the other's",
		Source: "L1, L8, L13",
		Needs:  []Feature{FeatureHold, FeatureCancel, FeatureRendezvous},
		Storm:  true,
		Run:    lawSettleRace,
	},
}

func lawGoesHome(e *Env) {
	ch := e.Chan(0)
	ops := e.sendQueue(ch, 0, 4)
	var ds []Delivery[int]
	for i := range 3 {
		ds = append(ds, e.Holds(ch, i, 1))
	}
	e.OK("Close", ch.Close())
	e.Settle()
	ops[3].Failed(driver.ErrClosed) // nobody had it
	for _, op := range ops[:3] {
		op.Blocked()
	}
	e.settled("Return", ds[0].Return())
	ops[0].Failed(driver.ErrClosed)
	e.settled("Done", ds[1].Done())
	ops[1].Succeeded()
	e.settled("Reject", ds[2].Reject("no"))
	ops[2].Failed(driver.ErrRejected)
	e.Drained(ch)

	ch = e.Chan(0) // given back before the close
	s := e.Send(ch, 1)
	d := e.Holds(ch, 1, 1)
	e.settled("Return", d.Return())
	e.OK("Close", ch.Close())
	e.Settle()
	s.Failed(driver.ErrClosed)
	e.Drained(ch)
}

func lawSlotComesAgain(e *Env) {
	ch := e.Chan(2)
	e.Sends(ch, 0)
	e.Sends(ch, 1)
	a, b := e.Holds(ch, 0, 1), e.Holds(ch, 1, 1)
	e.OK("Close", ch.Close())
	e.Empty(ch)
	e.settled("Return", b.Return())
	e.settled("Return", a.Return())
	c := e.Holds(ch, 0, 2)
	e.settled("Return", c.Return())
	e.Receives(ch, 0)
	d := e.Holds(ch, 1, 2)
	r := e.Recv(ch)
	r.Blocked()
	e.settled("Done", d.Done())
	r.Failed(driver.ErrClosed)
	e.Drained(ch)
}

func lawCancelInHold(e *Env) {
	ch := e.Chan(0)
	ctx, cancel := context.WithCancelCause(e.Ctx)
	s := e.SendCtx(ctx, ch, 1)
	d := e.Holds(ch, 1, 1)
	cancel(errWhy)
	e.Settle()
	s.Failed(context.Canceled, errWhy, driver.ErrInDoubt)
	e.settled("Done", d.Done())
	e.Empty(ch)

	ctx, cancel = context.WithCancelCause(e.Ctx)
	s = e.SendCtx(ctx, ch, 2)
	d = e.Holds(ch, 2, 1)
	e.settled("Return", d.Return())
	cancel(errWhy)
	e.Settle()
	if s.Failed(context.Canceled, errWhy); isDoubt(s.Err) {
		e.Fatalf("nobody holds the value, and the Send says %v", s.Err)
	}
	e.Empty(ch)
}

func lawAbandoned(e *Env) {
	ch := e.Chan(0)
	for _, doneAfter := range []bool{false, true} {
		ctx, cancel := e.ending()
		s := e.SendCtx(ctx, ch, 1)
		d := e.Holds(ch, 1, 1)
		cancel()
		e.Settle()
		s.Failed(driver.ErrInDoubt)
		r := e.Recv(ch)
		e.Is("Return", d.Return(), driver.ErrAbandoned)
		e.Settle()
		r.Blocked()
		if doneAfter {
			e.settled("Done", d.Done())
			e.Is("Done", d.Done(), driver.ErrSettled)
		}
		e.Sends(ch, 2)
		r.Got(2)
	}
}

func lawSelectSendHeld(e *Env) {
	ch, other := e.Chan(0), e.Chan(0)
	ran := 0
	sel := func(v int) *Op {
		return e.Sel(arm{c: ch.OnSend(v, func() { ran++ }), w: []wait{{on: ch, sends: true}}}, recvArm(other, nil))
	}
	op := sel(1)
	d := e.Holds(ch, 1, 1)
	op.Blocked()
	e.Full(other) // the select has chosen: it receives no more
	e.settled("Return", d.Return())
	op.Blocked()
	e.Full(other)
	d = e.Holds(ch, 1, 2)
	if ran != 0 {
		e.Fatalf("the function ran before the value was settled")
	}
	e.settled("Done", d.Done())
	if op.Chose(0); ran != 1 {
		e.Fatalf("the function ran %d times", ran)
	}
	r := e.Take(ch) // a Take that waits first
	op = sel(2)
	r.Got(2)
	op.Blocked()
	e.settled("Done", r.D.Done())
	op.Chose(0)
}

func lawSelectSendRefused(e *Env) {
	ch, other := e.Chan(0), e.Chan(0)
	ran := false
	send := arm{c: ch.OnSend(1, func() { ran = true }), w: []wait{{on: ch, sends: true}}}
	op := e.Sel(recvArm(other, nil), send)
	d := e.Holds(ch, 1, 1)
	e.settled("Reject", d.Reject("no"))
	if op.Failed(driver.ErrRejected); op.N != 1 {
		e.Fatalf("index %d, want 1", op.N)
	}
	ctx, cancel := context.WithCancelCause(e.Ctx)
	op = e.SelCtx(ctx, recvArm(other, nil), send)
	d = e.Holds(ch, 1, 1)
	cancel(errWhy)
	e.Settle()
	if op.Failed(context.Canceled, errWhy, driver.ErrInDoubt); op.N != 1 {
		e.Fatalf("index %d, want 1", op.N)
	}
	e.Is("Return", d.Return(), driver.ErrAbandoned)
	if ran {
		e.Fatalf("a function ran beside an error")
	}
	e.Empty(ch)
}

func lawTakeCase(e *Env) {
	e.each([]int{0, 1}, func(slots int) {
		ch, other := e.Chan(slots), e.Chan(1)
		s := e.Send(ch, 1)
		var d Delivery[int]
		e.Sel(recvArm(other, nil), takeArm(ch, &d)).Chose(1) // found ready
		if d.Value != 1 || d.Attempt != 1 {
			e.Fatalf("took %d, attempt %d", d.Value, d.Attempt)
		}
		e.Empty(ch)
		e.settled("Return", d.Return())
		op := e.Sel(takeArm(ch, &d), recvArm(other, nil))
		if op.Chose(0); d.Attempt != 2 {
			e.Fatalf("attempt %d, want 2", d.Attempt)
		}
		e.settled("Done", d.Done())
		s.Succeeded()
		op = e.Sel(takeArm(ch, &d), recvArm(other, nil)) // waits
		op.Blocked()
		s = e.Send(ch, 3)
		if op.Chose(0); d.Value != 3 {
			e.Fatalf("took %d, want 3", d.Value)
		}
		e.settled("Done", d.Done())
		s.Succeeded()
		e.OK("Close", ch.Close())
		closed := false
		op = e.Sel(arm{c: ch.OnTake(func(_ Delivery[int], ok bool) { closed = !ok })})
		if op.Chose(0); !closed {
			e.Fatalf("a take case on a closed channel ran with ok true")
		}
	})
}

func lawTakeCasePanics(e *Env) {
	e.each([]int{0, 1}, func(slots int) {
		ch := e.Chan(slots)
		s := e.Send(ch, 1)
		func() {
			defer func() {
				if p := recover(); p != "as wanted" {
					e.Errorf("the panic that arrived: %v", p)
				}
			}()
			e.Select(e.Ctx, ch.OnTake(func(Delivery[int], bool) { panic("as wanted") }))
		}()
		e.Settle()
		d := e.Holds(ch, 1, 2)
		e.settled("Return", d.Return())
		i, err := e.Select(e.Ctx, ch.OnTake(nil))
		if e.OK("Select", err); i != 0 {
			e.Fatalf("chose %d", i)
		}
		d = e.Holds(ch, 1, 4)
		e.settled("Done", d.Done())
		s.Succeeded()
	})
}

// lawSettleRace has one sender give up at about the moment its holder settles.
func lawSettleRace(e *Env) {
	ch := e.Chan(0)
	for i := range e.Scale(4000) {
		ctx, cancel := e.ending()
		var sent, settled error
		how := i % 3
		e.Together(3, func(who int) {
			switch who {
			case 0:
				cancel()
			case 1:
				sent = ch.Send(ctx, i)
			case 2:
				d, err := ch.Take(ctx)
				if err != nil {
					settled = err
					return
				}
				settled = []func() error{d.Done, d.Return, func() error { return d.Reject("no") }}[how]()
				if settled == nil && how == 1 {
					settled = errReturned
				}
			}
		})
		cancelled := errors.Is(sent, context.Canceled)
		var fits bool
		switch {
		case errors.Is(settled, context.Canceled): // nothing was taken
			fits = cancelled && !isDoubt(sent)
		case settled == nil && how == 0:
			fits = sent == nil || cancelled && isDoubt(sent)
		case settled == nil && how == 2:
			fits = errors.Is(sent, driver.ErrRejected) || cancelled && isDoubt(sent)
		case errors.Is(settled, errReturned): // offered again, and then cancelled
			fits = cancelled && !isDoubt(sent)
		case errors.Is(settled, driver.ErrAbandoned):
			fits = cancelled && isDoubt(sent)
		}
		if !fits {
			e.Fatalf("turn %d: the sender got %v, the holder %v", i, sent, settled)
		}
		if v, ok, _ := ch.TryRecv(); ok {
			e.Fatalf("turn %d: value %d is still offered", i, v)
		}
	}
}

var errReturned = errors.New("returned")
