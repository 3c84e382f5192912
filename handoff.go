// Package handoff is Go's channel, carried past the edge of the process: one
// typed channel with exactly the laws a Go programmer knows (rendezvous or
// slots, first in first out, close, select, one-way ends), opened by URL on
// whatever lies between the two sides.
//
// What travels is not data but custody of data. At every moment a value is held
// by exactly one party: the sender, a slot, or a receiver. Send returning nil
// means that custody has left the caller; Send returning an error means that the
// caller still has it, with one named exception, [ErrInDoubt].
//
//	orders := handoff.Make[Order](4)            // in this process, like make(chan Order, 4)
//	orders, err := handoff.Open[Order](ctx, "unix:/run/shop.sock?chan=orders&slots=4") // needs package netchan
//
//	err := orders.Send(ctx, o)                  // returns when o has a slot or a receiver
//	o, err := orders.Recv(ctx)                  // takes and confirms
//	d, err := orders.Take(ctx)                  // takes and holds, until d.Done or d.Return
//
// The folder examples has the everyday forms as programs to read and to run.
//
// # Words
//
// A channel with n slots accepts up to n values before a receiver takes one; a
// channel without slots is a rendezvous, where a send waits for its receiver. A
// receiver that takes a value holds it until it is settled: confirmed (Done), given
// back to its place (Return), or refused (Reject). Recv takes and confirms in one.
// What lies between the two sides is the medium; on a medium, the process that keeps
// the channel is its home. One Make or Open is one attachment to a channel, shared
// by all copies of what it returned.
//
// # Departures from the language
//
// A send on a closed channel is an error and not a panic, and the value stays
// with the caller. Every such departure is listed with its reason in
// docs/divergence.md; the laws are in docs/laws.md.
//
// # Contexts
//
// A nil context means context.Background(). A context that has already ended
// never starts an operation, even one that could complete at once; one that ends
// while an operation waits ends it promptly and without effect. An operation
// that completed is never reported as cancelled. The error is ctx.Err() and
// context.Cause(ctx) to errors.Is.
//
// # Memory model
//
// What happens before a send happens before the receive of its value; the k-th
// confirmation on a channel with n slots happens before the k+n-th send returns;
// a close happens before a receive that reports it. Settling a delivery happens
// before its sender's Send returns, and before the next hand-out of a returned
// value.
package handoff

import (
	"context"
	"reflect"
	"runtime"
	"time"

	"github.com/handoff-go/handoff/internal/engine"
	"github.com/handoff-go/handoff/internal/fault"
)

// Chan is a channel: its two ends. It is a small value, comparable and meant to
// be copied; copies are the same channel. The fields are the one-way ends:
// ch.Sender can only send and close, ch.Receiver only receive.
//
// The zero Chan is the nil channel: its operations block until their context
// ends, and a select never chooses them.
type Chan[T any] struct {
	Sender[T]
	Receiver[T]
}

// Sender is the sending end of a channel: it sends, closes, and hears in a select
// that it is asked to stop. The zero Sender is never ready: what waits on it waits
// until its context ends.
type Sender[T any] struct{ s *attachment[T] }

// Receiver is the receiving end of a channel: it receives, takes, and may ask the
// senders to stop. The zero Receiver is never ready: what waits on it waits until
// its context ends.
type Receiver[T any] struct{ r *attachment[T] }

// attachment is what one Make or Open returned; copies of its ends share it.
type attachment[T any] struct {
	c       *engine.Chan[T] // the channel in this process, or nil
	far     *far[T]         // the channel on a medium, or nil
	a       engine.Attach
	timeout time.Duration // SendTimeout
	about   *about        // nil after a Make without options
}

// about is what only some attachments need to know.
type about struct {
	bad  error // why neither channel is there: every operation returns it
	name string
	left func() // called once when the attachment is detached; may be nil
}

// bad is why at has no channel; nil if it has one.
func (at *attachment[T]) bad() error {
	if at.about == nil {
		return nil
	}
	return at.about.bad
}

// Make makes a channel in this process with the given number of slots; 0 makes
// a rendezvous. Like make, it panics if slots is negative.
//
// Options that cannot be honoured do not panic: every operation on the channel
// then returns the error. The channel needs no closing and is collected when
// nobody holds it.
func Make[T any](slots int, opts ...Option) Chan[T] {
	if slots < 0 {
		panic("handoff.Make: slots out of range")
	}
	type both struct {
		channel    engine.Chan[T] // first: its first 64 bytes want a cache line of their own
		attachment attachment[T]
	}
	b := &both{}
	at := &b.attachment
	if len(opts) == 0 {
		b.channel.Init(engine.Config{Slots: slots}, nil)
		at.join(&b.channel, true, true)
		return at.ends()
	}
	o, err := gather(opts)
	if err == nil && o.slots >= 0 && o.slots != slots {
		err = fault.Because(ErrConflict, "Make with %d slots and Slots(%d)", slots, o.slots)
	}
	if err == nil {
		err = o.onlyHere()
	}
	var dead *grave
	if err == nil {
		dead, err = openGrave(context.Background(), o, reflect.TypeFor[Dead[T]]())
	}
	at.about, at.timeout = &about{name: o.name}, o.sendTimeout
	if err != nil {
		at.about.bad = err
		return at.ends()
	}
	b.channel.Init(o.config(slots), buryIn[T](dead, o.name))
	at.join(&b.channel, true, true)
	if dead != nil {
		// The dead letter is let go when the channel is, detached or not.
		at.about.left = dead.close
		runtime.AddCleanup(b, func(done func()) { done() }, dead.close)
	}
	return at.ends()
}

func (at *attachment[T]) join(c *engine.Chan[T], send, recv bool) {
	at.c = c
	c.AttachTo(&at.a, send, recv)
}

func (at *attachment[T]) ends() Chan[T] { return Chan[T]{Sender[T]{at}, Receiver[T]{at}} }

// forever is the channel nobody ever uses: a nil channel's wait.
func forever(ctx context.Context) error {
	if ctx == nil {
		select {}
	}
	<-ctx.Done()
	return fault.Cancelled(ctx)
}

// background stands in for a nil context.
func background(ctx context.Context) context.Context {
	if ctx == nil {
		return context.Background()
	}
	return ctx
}

// Len returns the number of values ready to be taken; values that are held are
// not among them. Far from the channel's home it is the last known figure. 0 for
// the zero Chan.
func (ch Chan[T]) Len() int { return ch.Receiver.r.length() }

// Cap returns the exact number of slots. 0 for the zero Chan.
func (ch Chan[T]) Cap() int { return ch.Receiver.r.slots() }

// Name returns the channel's name, "" if it has none.
func (ch Chan[T]) Name() string { return ch.Receiver.r.title() }

// Stats returns the channel's figures, with the moment they were true.
func (ch Chan[T]) Stats() Stats { return ch.Receiver.r.stats() }

// Detach ends the attachment behind ch, for all copies of its ends: operations
// that wait get ErrDetached, as do later ones; values held return to their place
// with their attempt raised. The channel stays open for others. A second Detach
// returns ErrDetached.
func (ch Chan[T]) Detach() error { return ch.Receiver.r.detach() }
