package handoff

import (
	"context"

	"github.com/handoff-go/handoff/internal/engine"
	"github.com/handoff-go/handoff/internal/fault"
)

// Send sends v and returns when custody has left the caller: v has a slot, or a
// receiver confirmed it.
//
// On a full channel, or one without slots and without a receiver, it waits, in
// turn with other senders. If a receiver holds the value without a slot being
// free (Take), Send waits for the settlement: nil after Done, ErrRejected after
// Reject, and it goes on waiting after Return.
//
// Errors: ErrClosed, ErrDetached, ErrTimeout after SendTimeout, ErrTooLarge, or
// the context's; the value is then still the caller's. While the value is held,
// giving up returns the cause and ErrInDoubt: the holder may still confirm it.
// The zero Sender waits until ctx ends.
func (s Sender[T]) Send(ctx context.Context, v T) error {
	at := s.s
	if at == nil {
		return opError("send", "", forever(ctx))
	}
	ctx = background(ctx)
	if at.c == nil {
		return at.fail("send", at.sendFar(ctx, v))
	}
	var h engine.Header
	if headersUsed.Load() {
		h = headerIn(ctx)
	}
	w, err := at.c.SendOrQueue(ctx, &at.a, &v, h, at.timeout)
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
		err = at.c.Sent(w)
	}
	if err != nil {
		return at.fail("send", err)
	}
	return nil
}

// TrySend sends v if that is possible without waiting. false, nil means that at
// one moment during the call it was not: never because of contention.
//
// A first waiting receiver that would hold the value counts only if a slot is
// free. The zero Sender is never ready. On a closed channel it returns
// ErrClosed. On a medium it is one round trip: ErrUnreachable if nothing has
// left, ErrInDoubt if the value may have arrived, or may yet.
func (s Sender[T]) TrySend(v T) (ok bool, err error) {
	at := s.s
	if at == nil {
		return false, nil
	}
	if at.c == nil {
		ok, err = at.trySendFar(v)
	} else {
		ok, err = at.c.TrySend(&at.a, &v, nil)
	}
	return ok, at.fail("send", err)
}

// SendAll sends the values in order, in one crossing for many, and returns how
// many left custody: those are vs[:n]. It is n < len(vs) only with an error, of
// which see Send; with ErrInDoubt it is vs[n] that is in doubt. A waiting
// SendAll passes what fits when its turn comes and then queues again behind the
// other senders. An empty vs returns 0, nil. vs must not be changed before it
// returns.
func (s Sender[T]) SendAll(ctx context.Context, vs []T) (n int, err error) {
	if len(vs) == 0 {
		return 0, nil
	}
	at := s.s
	if at == nil {
		return 0, opError("send", "", forever(ctx))
	}
	ctx = background(ctx)
	if at.c == nil {
		n, err = at.sendAllFar(ctx, vs)
	} else {
		n, err = at.c.SendAll(ctx, &at.a, vs, headerOf(ctx), at.timeout)
	}
	return n, at.fail("send", err)
}

// Close closes the channel, for everyone: it is the senders' last message.
// Values already accepted stay receivable; blocked and later sends get ErrClosed
// and keep their value. A second Close returns ErrClosed. Close of the zero
// Sender panics, as close of a nil channel does. On a medium it is one round
// trip: ErrUnreachable if nothing has left, ErrInDoubt if it may have closed.
func (s Sender[T]) Close() error {
	at := s.s
	if at == nil {
		panic("handoff: close of nil channel")
	}
	if at.c == nil {
		return at.fail("close", at.closeFar())
	}
	return at.fail("close", at.c.Close(&at.a))
}

// OnSend is a select case that sends v. do, which may be nil, runs when v has
// left custody. A case on a closed channel is ready: choosing it returns its
// index and ErrClosed. A case of the zero Sender is never chosen.
func (s Sender[T]) OnSend(v T, do func()) Case { return s.OnSendVar(&v, do) }

// OnSendVar is OnSend of *p, read each time a select begins: for a Selector
// whose operand changes from turn to turn. p must not be nil, and *p must not be
// changed while a select is under way.
func (s Sender[T]) OnSendVar(p *T, do func()) Case {
	at := s.s
	if at == nil {
		return Case{}
	}
	if at.c == nil {
		return at.sendCaseFar(p, do)
	}
	return at.onCase("send", &engine.SendCase[T]{C: at.c, A: &at.a, V: p, Do: do})
}

// OnStop is a select case that is ready once a receiver asked the senders to
// end, or the last receiver is gone; reason says why. It stays ready. A case of
// the zero Sender is never chosen. On a medium the news takes its time, so there
// a Default beside this case is ErrUnsupported: it could not be exact.
func (s Sender[T]) OnStop(do func(reason string)) Case {
	at := s.s
	if at == nil {
		return Case{}
	}
	if at.c == nil {
		return at.stopCaseFar(do)
	}
	return at.onCase("stop", &engine.StopCase[T]{C: at.c, A: &at.a, Do: do})
}

// Len returns the number of values ready to be taken. See [Chan.Len].
func (s Sender[T]) Len() int { return s.s.length() }

// Cap returns the exact number of slots.
func (s Sender[T]) Cap() int { return s.s.slots() }

// Name returns the channel's name, "" if it has none.
func (s Sender[T]) Name() string { return s.s.title() }

// Stats returns the channel's figures, with the moment they were true.
func (s Sender[T]) Stats() Stats { return s.s.stats() }

// Detach ends the attachment behind s, for all copies of its ends. See
// [Chan.Detach].
func (s Sender[T]) Detach() error { return s.s.detach() }

// length, slots, title, stats and detach serve both ends; at may be nil.

func (at *attachment[T]) length() int {
	switch {
	case at == nil || at.bad() != nil:
		return 0
	case at.c == nil:
		return at.far.stats().Len
	}
	return at.c.Len()
}

func (at *attachment[T]) slots() int {
	switch {
	case at == nil || at.bad() != nil:
		return 0
	case at.c == nil:
		return at.far.slots()
	}
	return at.c.Slots()
}

func (at *attachment[T]) title() string {
	if at == nil || at.about == nil {
		return ""
	}
	return at.about.name
}

func (at *attachment[T]) detach() error {
	if at == nil {
		return opError("detach", "", fault.Because(ErrNotFound, "the zero end has no channel"))
	}
	if bad := at.bad(); bad != nil {
		return at.fail("detach", bad)
	}
	var err error
	if at.c == nil {
		err = at.far.detach()
	} else {
		err = at.c.Detach(&at.a, "its holder detached")
	}
	if err == nil && at.about != nil && at.about.left != nil {
		at.about.left()
	}
	return at.fail("detach", err)
}
