package slots

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/handoff-go/handoff"
)

// Deadlock sends on a channel without slots where nobody can receive, and finds
// that out in three ways.
//
// As printed, the send waits for a receive that stands behind it in the same
// goroutine: for ever, and the runtime reports it only if every other goroutine
// waits too.
func Deadlock(w io.Writer) {
	c := handoff.Make[int](0)

	ok, _ := c.TrySend(100)
	fmt.Fprintln(w, "a receiver waits:", ok)

	limited, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	err := c.Send(limited, 100)
	fmt.Fprintln(w, "given up when its context ended:", errors.Is(err, context.DeadlineExceeded))

	impatient := handoff.Make[int](0, handoff.SendTimeout(time.Millisecond))
	err = impatient.Send(context.Background(), 100)
	fmt.Fprintln(w, "given up after the channel's own time:", errors.Is(err, handoff.ErrTimeout))
}

// OneSlot is the cure for the deadlock: a slot keeps the value until the same
// goroutine receives it.
//
// As printed it is right, with three slots; one is enough.
func OneSlot(w io.Writer) {
	ctx := context.Background()
	c := handoff.Make[int](1)
	c.Send(ctx, 100)
	v, _ := c.Recv(ctx)
	fmt.Fprintln(w, "received", v)
}
