package drivertest

import (
	"context"
	"errors"
	"fmt"

	"github.com/handoff-go/handoff/driver"
)

// waitable is what Settle asks for its figures.
type waitable interface{ Stats() Stats }

// wait says what an operation may wait for.
type wait struct {
	on    waitable
	sends bool
	takes bool // and would hold it
}

// Op is an operation started by a law, on a goroutine of its own.
type Op struct {
	e     *Env
	what  string
	waits []wait
	brief bool // does not wait, whatever the state of its channels
	done  chan struct{}

	// Of a select with a case of a manual claimant.
	by  *Claimant
	ctx context.Context

	// Results, for reading once it has ended.
	V   int
	N   int
	Err error
	D   Delivery[int]
	Buf []int
}

// Start runs f on a goroutine and settles.
func (e *Env) Start(what string, waits []wait, f func(op *Op)) *Op {
	e.Helper()
	op := e.launch(what, waits, f)
	e.Settle()
	return op
}

// launch is Start without settling.
func (e *Env) launch(what string, waits []wait, f func(op *Op)) *Op {
	op := &Op{e: e, what: what, waits: waits, done: make(chan struct{})}
	e.mu.Lock()
	e.ops = append(e.ops, op)
	e.mu.Unlock()
	go func() {
		defer close(op.done)
		f(op)
	}()
	return op
}

// Send starts a send of v.
func (e *Env) Send(ch Chan[int], v int) *Op { e.Helper(); return e.SendCtx(e.Ctx, ch, v) }

// SendCtx starts a send of v under ctx.
func (e *Env) SendCtx(ctx context.Context, ch Chan[int], v int) *Op {
	e.Helper()
	return e.Start(fmt.Sprintf("Send(%d)", v), []wait{{on: ch, sends: true}}, func(op *Op) { op.Err = ch.Send(ctx, v) })
}

// SendAll starts a SendAll.
func (e *Env) SendAll(ch Chan[int], vs ...int) *Op { e.Helper(); return e.SendAllCtx(e.Ctx, ch, vs...) }

// SendAllCtx starts a SendAll under ctx.
func (e *Env) SendAllCtx(ctx context.Context, ch Chan[int], vs ...int) *Op {
	e.Helper()
	return e.Start(fmt.Sprintf("SendAll(%v)", vs), []wait{{on: ch, sends: true}}, func(op *Op) { op.N, op.Err = ch.SendAll(ctx, vs) })
}

// Recv starts a receive.
func (e *Env) Recv(ch Chan[int]) *Op { e.Helper(); return e.RecvCtx(e.Ctx, ch) }

// RecvCtx starts a receive under ctx.
func (e *Env) RecvCtx(ctx context.Context, ch Chan[int]) *Op {
	e.Helper()
	return e.Start("Recv", []wait{{on: ch}}, func(op *Op) { op.V, op.Err = ch.Recv(ctx) })
}

// RecvInto starts a RecvInto with room for n.
func (e *Env) RecvInto(ch Chan[int], n int) *Op {
	e.Helper()
	return e.Start(fmt.Sprintf("RecvInto(%d)", n), []wait{{on: ch}}, func(op *Op) {
		buf := make([]int, n)
		op.N, op.Err = ch.RecvInto(e.Ctx, buf)
		op.Buf = buf[:op.N]
	})
}

// Take starts a Take.
func (e *Env) Take(ch Chan[int]) *Op { e.Helper(); return e.TakeCtx(e.Ctx, ch) }

// TakeCtx starts a Take under ctx.
func (e *Env) TakeCtx(ctx context.Context, ch Chan[int]) *Op {
	e.Helper()
	return e.Start("Take", []wait{{on: ch, takes: true}}, func(op *Op) {
		op.D, op.Err = ch.Take(ctx)
		op.V = op.D.Value
	})
}

// arm is a case with what it may wait for.
type arm struct {
	c  Case
	w  []wait
	by *Claimant // whose case it is
}

func sendArm(ch Chan[int], v int) arm {
	return arm{c: ch.OnSend(v, nil), w: []wait{{on: ch, sends: true}}}
}

// recvArm stores what it got in *v, if v is not nil; -1 for closed.
func recvArm(ch Chan[int], v *int) arm {
	return arm{c: ch.OnRecv(func(got int, ok bool) {
		if v == nil {
			return
		}
		if !ok {
			got = closedValue
		}
		*v = got
	}), w: []wait{{on: ch}}}
}

func takeArm(ch Chan[int], d *Delivery[int]) arm {
	return arm{c: ch.OnTake(func(got Delivery[int], ok bool) {
		if ok {
			*d = got
		}
	}), w: []wait{{on: ch, takes: true}}}
}

// closedValue stands for "closed" where a law records values.
const closedValue = -1 << 30

// Sel starts a select over arms. The result's N is the chosen index.
func (e *Env) Sel(arms ...arm) *Op { e.Helper(); return e.SelCtx(e.Ctx, arms...) }

// SelCtx starts a select under ctx.
func (e *Env) SelCtx(ctx context.Context, arms ...arm) *Op {
	e.Helper()
	var cases []Case
	var waits []wait
	var by *Claimant
	for _, a := range arms {
		cases = append(cases, a.c)
		waits = append(waits, a.w...)
		if a.by != nil {
			by = a.by
		}
	}
	op := e.launch("Select", waits, func(op *Op) { op.N, op.Err = e.Select(ctx, cases...) })
	op.by, op.ctx = by, ctx
	e.Settle()
	return op
}

func (op *Op) ended() bool {
	select {
	case <-op.done:
		return true
	default:
		return false
	}
}

// Blocked fails the law if the operation has ended.
func (op *Op) Blocked() *Op {
	op.e.Helper()
	if op.ended() {
		op.e.Fatalf("%s should wait, but ended: value %d, n %d, error %v", op.what, op.V, op.N, op.Err)
	}
	return op
}

// Ended fails the law unless the operation has ended, in whatever way.
func (op *Op) Ended() *Op {
	op.e.Helper()
	if op.e.bubble {
		op.e.Settle()
		if !op.ended() {
			op.e.Fatalf("%s should have ended, but waits", op.what)
		}
		return op
	}
	if !op.e.within(op.done) {
		op.e.Fatalf("%s should have ended, but waits", op.what)
	}
	return op
}

// Succeeded fails the law unless the operation ended without an error.
func (op *Op) Succeeded() *Op {
	op.e.Helper()
	op.Ended()
	if op.Err != nil {
		op.e.Fatalf("%s: unexpected error: %v", op.what, op.Err)
	}
	return op
}

// Got fails the law unless the operation ended with value v.
func (op *Op) Got(v int) *Op {
	op.e.Helper()
	op.Succeeded()
	if op.V != v {
		op.e.Fatalf("%s got %d, want %d", op.what, op.V, v)
	}
	return op
}

// Chose fails the law unless the select ended with case i and no error.
func (op *Op) Chose(i int) *Op {
	op.e.Helper()
	op.Succeeded()
	if op.N != i {
		op.e.Fatalf("%s chose case %d, want %d", op.what, op.N, i)
	}
	return op
}

// Failed fails the law unless the operation ended with an error that is all of
// targets.
func (op *Op) Failed(targets ...error) *Op {
	op.e.Helper()
	op.Ended()
	op.e.Is(op.what, op.Err, targets...)
	return op
}

// Is fails the law unless err is all of targets.
func (e *Env) Is(what string, err error, targets ...error) {
	e.Helper()
	if err == nil {
		e.Fatalf("%s: no error, want %v", what, targets)
	}
	for _, target := range targets {
		if !errors.Is(err, target) {
			e.Fatalf("%s: error %q, want %q", what, err, target)
		}
	}
}

// OK fails the law if err is an error.
func (e *Env) OK(what string, err error) {
	e.Helper()
	if err != nil {
		e.Fatalf("%s: %v", what, err)
	}
}

// Sends fails the law unless v can be sent at once.
func (e *Env) Sends(ch Chan[int], v int) {
	e.Helper()
	if ok, err := ch.TrySend(v); !ok || err != nil {
		e.Fatalf("TrySend(%d) = %v, %v; want ready", v, ok, err)
	}
	e.Settle()
}

// Full fails the law unless a TrySend finds the channel not ready.
func (e *Env) Full(ch Chan[int]) {
	e.Helper()
	if ok, err := ch.TrySend(-77); ok || err != nil {
		e.Fatalf("TrySend = %v, %v; want not ready", ok, err)
	}
	e.Settle()
}

// Receives fails the law unless v can be received at once.
func (e *Env) Receives(ch Chan[int], v int) {
	e.Helper()
	got, ok, err := ch.TryRecv()
	if !ok || err != nil {
		e.Fatalf("TryRecv = %d, %v, %v; want %d", got, ok, err, v)
	}
	if got != v {
		e.Fatalf("TryRecv got %d, want %d", got, v)
	}
	e.Settle()
}

// Empty fails the law unless a TryRecv finds the channel open and not ready.
func (e *Env) Empty(ch Chan[int]) {
	e.Helper()
	if v, ok, err := ch.TryRecv(); ok || err != nil {
		e.Fatalf("TryRecv = %d, %v, %v; want not ready", v, ok, err)
	}
	e.Settle()
}

// Drained fails the law unless the channel is closed and has nothing left.
func (e *Env) Drained(ch Chan[int]) {
	e.Helper()
	v, ok, err := ch.TryRecv()
	if ok || !errors.Is(err, driver.ErrClosed) {
		e.Fatalf("TryRecv = %d, %v, %v; want %v", v, ok, err, driver.ErrClosed)
	}
	e.Settle()
}

// Holds fails the law unless v can be taken at once; it returns the delivery.
func (e *Env) Holds(ch Chan[int], v, attempt int) Delivery[int] {
	e.Helper()
	op := e.Take(ch).Got(v)
	if op.D.Attempt != attempt {
		e.Fatalf("Take of %d: attempt %d, want %d", v, op.D.Attempt, attempt)
	}
	return op.D
}

// Len fails the law unless the figures are these.
func (e *Env) Len(ch Chan[int], want int) {
	e.Helper()
	if n := ch.Len(); n != want {
		e.Fatalf("Len = %d, want %d", n, want)
	}
}
