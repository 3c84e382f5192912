package handoff

import (
	"context"
	"errors"
	"iter"

	"github.com/handoff-go/handoff/internal/custody"
	"github.com/handoff-go/handoff/internal/engine"
	"github.com/handoff-go/handoff/internal/fault"
)

// Recv takes the next value and confirms it. On an empty channel it waits, in
// turn with other receivers. ErrClosed means that the channel is closed, every
// value was confirmed, and none can come back. With any error no value was
// taken, but for ErrTypeMismatch: on a medium that is a value which is not a T
// after all; it is lost, and an event tells it. The zero Receiver waits until ctx
// ends.
func (r Receiver[T]) Recv(ctx context.Context) (v T, err error) {
	at := r.r
	if at == nil {
		return v, opError("recv", "", forever(ctx))
	}
	ctx = background(ctx)
	if at.c == nil {
		v, err = at.recvFar(ctx)
		return v, at.fail("recv", err)
	}
	w, err := at.c.RecvOrQueue(ctx, &at.a, &v)
	if w != nil { // the engine's Wait, without a call that would have to be returned from
		if bell := w.Bell(); bell == nil {
			w.Park()
		} else if done := ctx.Done(); done == nil {
			<-bell
		} else {
			select {
			case <-bell:
				at.c.Waited(ctx, w)
			case <-done:
				at.c.GiveUp(ctx, w)
			}
		}
		err = at.c.Received(w, &v)
	}
	if err != nil {
		return v, at.fail("recv", err)
	}
	custody.Taken(&v)
	return v, nil
}

// TryRecv is Recv if that is possible without waiting. false, nil means that at
// one moment during the call it was not. The zero Receiver is never ready. On a
// medium it is one round trip, and may fail with ErrUnreachable.
func (r Receiver[T]) TryRecv() (v T, ok bool, err error) {
	at := r.r
	if at == nil {
		return v, false, nil
	}
	if at.c == nil {
		v, ok, err = at.tryRecvFar()
		return v, ok, at.fail("recv", err)
	}
	if ok, err = at.c.TryRecv(&at.a, &v); ok {
		custody.Taken(&v)
	}
	return v, ok, at.fail("recv", err)
}

// RecvInto waits for the first value only, then takes what is there, in order,
// up to len(buf), and confirms all of it. An empty buf returns 0, nil. With an
// error n is 0, but for ErrTypeMismatch, which see at Recv: the values that could
// be read are in buf[:n]. The zero Receiver waits until ctx ends.
func (r Receiver[T]) RecvInto(ctx context.Context, buf []T) (n int, err error) {
	if len(buf) == 0 {
		return 0, nil
	}
	at := r.r
	if at == nil {
		return 0, opError("recv", "", forever(ctx))
	}
	ctx = background(ctx)
	if at.c == nil {
		n, err = at.recvIntoFar(ctx, buf)
		return n, at.fail("recv", err)
	}
	n, err = at.c.RecvInto(ctx, &at.a, buf)
	for i := range buf[:n] {
		custody.Taken(&buf[i])
	}
	return n, at.fail("recv", err)
}

// All yields the values until the channel is closed and drained. Each is
// confirmed before the body runs. An error other than the close is yielded once,
// with the zero value, and ends the loop.
func (r Receiver[T]) All(ctx context.Context) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for {
			v, err := r.Recv(ctx)
			if errors.Is(err, ErrClosed) {
				return
			}
			if !yield(v, err) || err != nil {
				return
			}
		}
	}
}

// Take takes the next value and holds it: custody is the caller's only after
// Done. A value that is held keeps its slot, or its sender waiting. Errors as
// for Recv.
func (r Receiver[T]) Take(ctx context.Context) (Delivery[T], error) {
	at := r.r
	if at == nil {
		return Delivery[T]{}, opError("take", "", forever(ctx))
	}
	ctx = background(ctx)
	if at.c == nil {
		d, err := at.takeFar(ctx)
		return d, at.fail("take", err)
	}
	g := at.c.Take(ctx, &at.a)
	if g.Err != nil {
		return Delivery[T]{}, at.fail("take", g.Err)
	}
	custody.Taken(&g.Val)
	return at.delivery(&g), nil
}

// TakeInto waits for the first value only, then takes what is there, up to
// len(buf), and holds all of it. An empty buf returns 0, nil. Of a blocked
// SendAll without slots it takes one value at a time. A value that is not a T
// after all is rejected; then n may be positive beside ErrTypeMismatch. The zero
// Receiver waits until ctx ends.
func (r Receiver[T]) TakeInto(ctx context.Context, buf []Delivery[T]) (n int, err error) {
	if len(buf) == 0 {
		return 0, nil
	}
	at := r.r
	if at == nil {
		return 0, opError("take", "", forever(ctx))
	}
	ctx = background(ctx)
	if at.c == nil {
		n, err = at.takeIntoFar(ctx, buf)
		return n, at.fail("take", err)
	}
	got := make([]engine.Got[T], len(buf))
	n, err = at.c.TakeInto(ctx, &at.a, got)
	for i := range got[:n] {
		custody.Taken(&got[i].Val)
		buf[i] = at.delivery(&got[i])
	}
	return n, at.fail("take", err)
}

// Deliveries yields held values until the channel is closed and drained. The
// body settles each one; one it does not settle stays held, and may keep the loop
// from ending, for it could come back. An error other than the close is yielded
// once and ends the loop.
func (r Receiver[T]) Deliveries(ctx context.Context) iter.Seq2[Delivery[T], error] {
	return func(yield func(Delivery[T], error) bool) {
		for {
			d, err := r.Take(ctx)
			if errors.Is(err, ErrClosed) {
				return
			}
			if !yield(d, err) || err != nil {
				return
			}
		}
	}
}

// Stop asks the senders to end, for reason. It does not close the channel: how
// many values there are is the receiver's to say, when to close the sender's.
// Senders see it in OnStop. The first reason stays; later calls return nil. On a
// closed channel it returns ErrClosed, after Detach ErrDetached, on the zero
// Receiver ErrNotFound, and on a medium that does not answer ErrUnreachable, or
// ErrInDoubt if the stop may have arrived.
func (r Receiver[T]) Stop(reason string) error {
	at := r.r
	if at == nil {
		return opError("stop", "", fault.Because(ErrNotFound, "the zero end has no channel"))
	}
	if at.c == nil {
		return at.fail("stop", at.stopFar(reason))
	}
	return at.fail("stop", at.c.Stop(&at.a, reason))
}

// OnRecv is a select case that receives and confirms. do gets ok false and the
// zero value when the channel is closed and drained; it may be nil. A case of
// the zero Receiver is never chosen.
func (r Receiver[T]) OnRecv(do func(v T, ok bool)) Case {
	at := r.r
	if at == nil {
		return Case{}
	}
	if at.c == nil {
		return at.recvCaseFar(do)
	}
	return at.onCase("recv", &engine.RecvCase[T]{C: at.c, A: &at.a, Do: func(g *engine.Got[T], ok bool) {
		if ok {
			custody.Taken(&g.Val)
		}
		if do != nil {
			do(g.Val, ok)
		}
	}})
}

// OnTake is a select case that takes and holds. The delivery is do's to settle;
// if do panics, the value returns to its place. With a nil do the value would be
// held by nobody, so it is returned at once. A case of the zero Receiver is
// never chosen.
func (r Receiver[T]) OnTake(do func(d Delivery[T], ok bool)) Case {
	at := r.r
	if at == nil {
		return Case{}
	}
	if at.c == nil {
		return at.takeCaseFar(do)
	}
	return at.onCase("take", &engine.TakeCase[T]{C: at.c, A: &at.a, Do: func(g *engine.Got[T], ok bool) {
		if !ok {
			handTaken(Delivery[T]{}, false, do)
			return
		}
		custody.Taken(&g.Val)
		handTaken(at.delivery(g), true, do)
	}})
}

// handTaken gives do what a take case has taken, if ok. A panic of do, or its
// absence, returns the value to its place.
func handTaken[T any](d Delivery[T], ok bool, do func(d Delivery[T], ok bool)) {
	if !ok {
		if do != nil {
			do(d, false)
		}
		return
	}
	settled := false
	defer func() {
		if !settled {
			d.Return()
		}
	}()
	if do != nil {
		do(d, true)
		settled = true
	}
}

// Len returns the number of values ready to be taken. See [Chan.Len].
func (r Receiver[T]) Len() int { return r.r.length() }

// Cap returns the exact number of slots.
func (r Receiver[T]) Cap() int { return r.r.slots() }

// Name returns the channel's name, "" if it has none.
func (r Receiver[T]) Name() string { return r.r.title() }

// Stats returns the channel's figures, with the moment they were true.
func (r Receiver[T]) Stats() Stats { return r.r.stats() }

// Detach ends the attachment behind r, for all copies of its ends. See
// [Chan.Detach].
func (r Receiver[T]) Detach() error { return r.r.detach() }
