package closing

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/handoff-go/handoff"
)

// Drained receives what was sent before the close, and then the close, as often
// as it is asked for.
//
// As printed it is right: values and then zeros, with ok to tell them apart. Here
// the difference is an error, which cannot be overlooked as a zero can.
func Drained(w io.Writer) {
	ctx := context.Background()
	c := handoff.Make[int](3)
	c.SendAll(ctx, []int{10, 20})
	c.Close()
	for range c.Cap() + 1 {
		v, err := c.Recv(ctx)
		fmt.Fprintln(w, v, "closed:", errors.Is(err, handoff.ErrClosed))
	}
}

// AfterClose sends on a closed channel: an error, and the value stays with its
// sender.
//
// In the language it is a panic, and so is a second close; and a sender that was
// waiting when somebody closed panics too.
func AfterClose(w io.Writer) {
	ctx := context.Background()
	c := handoff.Make[int](0)
	waiting := handoff.Make[error](0)
	go func() { waiting.Send(ctx, c.Send(ctx, 1)) }()
	c.Close()
	fmt.Fprintln(w, "a sender that came before or after:", errors.Is(recv(ctx, waiting), handoff.ErrClosed))
	fmt.Fprintln(w, "a second close:", errors.Is(c.Close(), handoff.ErrClosed))
}

func recv(ctx context.Context, c handoff.Chan[error]) error {
	sent, err := c.Recv(ctx)
	return errors.Join(sent, err)
}

// NilBlocks sends and receives on the zero channel, which is never ready.
//
// The article only states it. In the language such a wait is for ever; here the
// context ends it. A close of the zero channel panics in both.
func NilBlocks(w io.Writer) {
	var c handoff.Chan[int]
	ok, err := c.TrySend(1)
	fmt.Fprintln(w, "ready to send:", ok, err)
	_, ok, err = c.TryRecv()
	fmt.Fprintln(w, "ready to receive:", ok, err)

	limited, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	fmt.Fprintln(w, "waited until the context ended:", errors.Is(c.Send(limited, 1), context.DeadlineExceeded))
}
