package drivertest

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

var cancelLaws = []Law{
	{
		Name:   "L8/cancel-ends-a-blocked-operation",
		Says:   "the end of its context ends a blocked operation without effect; the error is both ctx.Err() and context.Cause",
		Source: "L8; research 41, 42",
		Needs:  []Feature{FeatureCancel},
		Run:    lawCancelEnds,
	}, {
		Name:   "L8/ended-context-never-starts",
		Says:   "an operation whose context has already ended has no effect, even when it could succeed at once",
		Source: "L8; research 41",
		Needs:  []Feature{FeatureCancel},
		Run:    lawEndedNeverStarts,
	}, {
		Name:   "L8/completed-is-never-reported-as-cancelled",
		Says:   "an operation that was completed before its context ended says so, though its goroutine has not yet run",
		Source: "L8; research 41",
		Needs:  []Feature{FeatureCancel},
		Run:    lawCompletedWins,
	}, {
		Name:   "L8/completed-by-a-slot-is-never-reported-as-cancelled",
		Says:   "a receive that waits is completed by the value that got a slot, and says so, if its context ends right after; where both are of one process",
		Source: "L8, L4; research 41",
		Needs:  []Feature{FeatureCancel},
		Run:    func(e *Env) { completedReceive(e, 1) },
	}, {
		Name:   "L8/cancel-and-completion-agree",
		Says:   "when a context ends at the moment an operation completes, both sides say the same of it",
		Source: "L8; research 41; pitfall 2",
		Needs:  []Feature{FeatureCancel},
		Storm:  true,
		Run:    lawCancelAgrees,
	}, {
		Name:   "L8/a-cancelled-waiter-passes-the-wake-on",
		Says:   "a value or room that comes when the first waiter gives up goes to the next waiter; it is not lost with the one who left",
		Source: "L8; research 42; pitfall 2",
		Needs:  []Feature{FeatureCancel},
		Storm:  true,
		Run:    lawWakePassedOn,
	}, {
		Name:   "L8/deadline-is-an-end-like-any-other",
		Says:   "a deadline that passes ends a blocked operation with context.DeadlineExceeded, when it passes",
		Source: "L8; research 43",
		Needs:  []Feature{FeatureCancel},
		Timed:  true,
		Run:    lawDeadline,
	}, {
		Name:   "L8/cancel-is-prompt-among-many",
		Says:   "a thousand waiters that are cancelled at once all end, and the line is empty afterwards",
		Source: "research 42",
		Needs:  []Feature{FeatureCancel},
		Run:    lawCancelMany,
	},
}

var errWhy = errors.New("because the law says so")

func lawCancelEnds(e *Env) {
	e.each([]int{0, 1, 2}, func(slots int) {
		ch := e.Chan(slots)
		ctx, cancel := context.WithCancelCause(e.Ctx)
		r := e.RecvCtx(ctx, ch)
		r.Blocked()
		cancel(errWhy)
		e.Settle()
		r.Failed(context.Canceled, errWhy)
		e.sendQueue(ch, slots, 0) // the receiver that left takes nothing
		e.Full(ch)
		ctx, cancel = context.WithCancelCause(e.Ctx)
		s := e.SendCtx(ctx, ch, 99)
		s.Blocked()
		cancel(errWhy)
		e.Settle()
		s.Failed(context.Canceled, errWhy)
		for i := range slots {
			e.Receives(ch, i)
		}
		e.Empty(ch) // the sender that left sends nothing
	})
}

func lawEndedNeverStarts(e *Env) {
	ch := e.Chan(2)
	e.Sends(ch, 1)
	ctx, cancel := context.WithCancelCause(e.Ctx)
	cancel(errWhy)
	for range 20 {
		e.SendCtx(ctx, ch, 2).Failed(context.Canceled, errWhy)
		e.RecvCtx(ctx, ch).Failed(context.Canceled, errWhy)
		if e.H.Has[FeatureHold] {
			e.TakeCtx(ctx, ch).Failed(context.Canceled, errWhy)
		}
		if e.H.Has[FeatureBatch] {
			op := e.SendAllCtx(ctx, ch, 2, 3).Failed(context.Canceled, errWhy)
			if op.N != 0 {
				e.Fatalf("a SendAll that never started returned %d", op.N)
			}
		}
	}
	e.Receives(ch, 1)
	e.Empty(ch)
}

func lawCompletedWins(e *Env) {
	e.each([]int{0}, func(slots int) { completedReceive(e, slots) })
	e.each([]int{0, 1}, func(slots int) { completedSend(e, slots) })
}

// alone runs f on the only processor there is meanwhile: whom it wakes in this
// process does not run before it waits.
func alone(f func()) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	f()
}

func completedReceive(e *Env, slots int) {
	for range 20 {
		ch := e.Chan(slots)
		ctx, cancel := e.ending()
		r := e.RecvCtx(ctx, ch)
		var ok bool
		var err error
		alone(func() { // the receiver has not run since
			ok, err = ch.TrySend(7)
			cancel()
		})
		if !ok || err != nil {
			e.Fatalf("TrySend = %v, %v", ok, err)
		}
		r.Got(7)
	}
}

func completedSend(e *Env, slots int) {
	for range 20 {
		ch := e.Chan(slots)
		ctx, cancel := e.ending()
		for i := range slots {
			e.Sends(ch, i)
		}
		s := e.SendCtx(ctx, ch, 50)
		var ok bool
		var err error
		alone(func() {
			_, ok, err = ch.TryRecv()
			cancel()
		})
		if !ok || err != nil {
			e.Fatalf("TryRecv = %v, %v", ok, err)
		}
		s.Succeeded()
		if slots == 1 {
			e.Receives(ch, 50)
		}
	}
}

func lawCancelAgrees(e *Env) {
	e.each([]int{0, 1}, func(slots int) {
		for range e.Scale(6000) {
			ch := e.Chan(slots)
			ctx, cancel := e.ending()
			var sent, received atomic.Bool
			e.Together(3, func(who int) {
				switch who {
				case 0:
					cancel()
				case 1:
					sent.Store(ch.Send(ctx, 1) == nil)
				case 2:
					_, err := ch.Recv(ctx)
					received.Store(err == nil)
				}
			})
			_, left, _ := ch.TryRecv()
			if sent.Load() != (received.Load() || left) {
				e.Fatalf("sent: %v, received: %v, in a slot: %v", sent.Load(), received.Load(), left)
			}
		}
	})
}

func lawWakePassedOn(e *Env) {
	e.each([]int{0, 1}, func(slots int) {
		for range e.Scale(4000) {
			ch := e.Chan(slots)
			ctx, cancel := e.ending()
			got := make(chan int, 2)
			var wg sync.WaitGroup
			wg.Add(2)
			go func() { // gives up at about the moment the value comes
				defer wg.Done()
				if v, err := ch.Recv(ctx); err == nil {
					got <- v
				}
			}()
			go func() {
				defer wg.Done()
				if v, err := ch.Recv(e.Ctx); err == nil {
					got <- v
				}
			}()
			runtime.Gosched()
			go cancel()
			e.OK("Send", ch.Send(e.Ctx, 1)) // for whoever is left
			<-got
			e.OK("Close", ch.Close())
			e.join(&wg)
			if len(got) != 0 {
				e.Fatalf("one value, received twice")
			}
		}
	})
}

func lawDeadline(e *Env) {
	e.each([]int{0, 1}, func(slots int) {
		ch := e.Chan(slots)
		ctx, cancel := context.WithTimeout(e.Ctx, 100*time.Millisecond)
		defer cancel()
		start := time.Now()
		r := e.RecvCtx(ctx, ch)
		e.Advance(50 * time.Millisecond)
		r.Blocked()
		e.Advance(60 * time.Millisecond)
		r.Failed(context.DeadlineExceeded)
		if took := time.Since(start); took < 100*time.Millisecond {
			e.Fatalf("a deadline of 100 ms passed after %v", took)
		}
	})
}

func lawCancelMany(e *Env) {
	e.each([]int{0, 1}, func(slots int) {
		ch := e.Chan(slots)
		ctx, cancel := e.ending()
		var ops []*Op
		for range min(1000, e.Scale(1000)) {
			ops = append(ops, e.launch("Recv", []wait{{on: ch}}, func(op *Op) { op.V, op.Err = ch.Recv(ctx) }))
		}
		e.Settle()
		cancel()
		e.Settle()
		for _, op := range ops {
			op.Failed(context.Canceled)
		}
		r := e.Recv(ch)
		e.Sends(ch, 1)
		r.Got(1)
		if e.H.Has[FeatureWaitCounts] {
			if s := ch.Stats(); s.ReceiversWaiting != 0 || s.SendersWaiting != 0 {
				e.Fatalf("%d receivers and %d senders said to wait on a quiet channel", s.ReceiversWaiting, s.SendersWaiting)
			}
		}
	})
}

var nilLaws = []Law{
	{
		Name:   "L9/nil-blocks-for-ever",
		Says:   "send and receive on the zero channel wait until their context ends; tries are not ready",
		Source: "L9; research 20; chan/select3.go",
		Needs:  []Feature{FeatureCancel},
		Run:    lawNilBlocks,
	}, {
		Name:   "L9/nil-has-no-length",
		Says:   "Len and Cap of the zero channel are 0",
		Source: "research 9; chancap.go",
		Run: func(e *Env) {
			ch := e.H.Nil()
			if ch.Len() != 0 || ch.Cap() != 0 {
				e.Fatalf("Len = %d, Cap = %d", ch.Len(), ch.Cap())
			}
		},
	}, {
		Name:   "L9/nil-is-never-chosen",
		Says:   "a case on the zero channel is never chosen, beside a ready case, a waiting one and a default",
		Source: "L9; research 20",
		Needs:  []Feature{FeatureSelect, FeatureDefault},
		Run:    lawNilNeverChosen,
	},
}

func lawNilBlocks(e *Env) {
	ch := e.H.Nil()
	e.Full(ch)
	e.Empty(ch)
	ctx, cancel := context.WithCancelCause(e.Ctx)
	ops := []*Op{
		e.Start("Send on nil", nil, func(op *Op) { op.Err = ch.Send(ctx, 1) }),
		e.Start("Recv on nil", nil, func(op *Op) { op.V, op.Err = ch.Recv(ctx) }),
	}
	if e.H.Has[FeatureHold] {
		ops = append(ops, e.Start("Take on nil", nil, func(op *Op) { op.D, op.Err = ch.Take(ctx) }))
	}
	if e.H.Has[FeatureBatch] {
		ops = append(ops, e.Start("SendAll on nil", nil, func(op *Op) { op.N, op.Err = ch.SendAll(ctx, []int{1}) }),
			e.Start("RecvInto on nil", nil, func(op *Op) { op.N, op.Err = ch.RecvInto(ctx, make([]int, 1)) }))
	}
	e.Advance(10 * time.Millisecond)
	for _, op := range ops {
		op.Blocked()
	}
	cancel(errWhy)
	e.Settle()
	for _, op := range ops {
		op.Failed(context.Canceled, errWhy)
	}
}

func lawNilNeverChosen(e *Env) {
	ch, none := e.Chan(1), e.H.Nil()
	for range 50 {
		i, err := e.Select(e.Ctx, none.OnRecv(nil), ch.OnSend(1, nil), none.OnSend(1, nil))
		if e.OK("Select", err); i != 1 {
			e.Fatalf("chose %d", i)
		}
		e.Receives(ch, 1)
		i, err = e.Select(e.Ctx, none.OnRecv(nil), none.OnSend(1, nil), e.H.Default(nil))
		if e.OK("Select", err); i != 2 {
			e.Fatalf("chose %d, want the default", i)
		}
	}
	op := e.Sel(arm{c: none.OnRecv(nil)}, recvArm(ch, nil), arm{c: none.OnSend(1, nil)})
	op.Blocked()
	e.Sends(ch, 1)
	op.Chose(1)
}
