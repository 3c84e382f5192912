package events

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/handoff-go/handoff"
)

// DataAndEnd uses one channel for two things: a value there, and the end of its
// use back.
//
// As printed it is right, but only for one value: with a second one on its way
// the last receive could take that instead of the end. See Confirmed for the
// form that needs no second event.
func DataAndEnd(w io.Writer) {
	ctx := context.Background()
	c := handoff.Make[int](0)
	go func(c handoff.Chan[int]) {
		defer c.Close()
		v, _ := c.Recv(ctx)
		fmt.Fprintln(w, "used", v)
	}(c)
	c.Send(ctx, 100) // returns when the value is received, which is before it is used
	_, err := c.Recv(ctx)
	fmt.Fprintln(w, "ended:", errors.Is(err, handoff.ErrClosed))
}

// Confirmed has the receiver hold the value while it uses it, so that the send
// itself returns when the work is done.
//
// The language has no such thing: there a send ends when the value is received,
// and every further answer needs a channel of its own.
func Confirmed(w io.Writer) {
	ctx := context.Background()
	c := handoff.Make[int](0)
	go func(in handoff.Receiver[int]) {
		d, _ := in.Take(ctx)
		fmt.Fprintln(w, "used", d.Value)
		d.Done()
	}(c.Receiver)
	fmt.Fprintln(w, "confirmed:", c.Send(ctx, 100) == nil)
}
