package choose

import (
	"context"
	"fmt"
	"io"

	"github.com/handoff-go/handoff"
)

// Two waits on two channels, one of them in two cases: exactly one case is
// chosen.
//
// As printed it is right. Which of the two cases gets the value is left to
// chance, there and here, which is why the output does not say.
func Two(w io.Writer) {
	ctx := context.Background()
	first, second := handoff.Make[int](0), handoff.Make[int](0)
	done := handoff.Make[struct{}](0)
	go func() {
		defer done.Close()
		from := "the first"
		handoff.Select(ctx,
			first.OnRecv(nil),
			second.OnRecv(func(v int, ok bool) { from = "the second" }),
			second.OnRecv(func(v int, ok bool) { from = "the second" }),
		)
		fmt.Fprintln(w, "received from", from)
	}()
	second.Send(ctx, 1)
	done.Recv(ctx)
}

// Unready adds a default, which is chosen when no other case is ready: a select
// that never waits.
//
// As printed, the default is there as a comment only.
func Unready(w io.Writer) {
	ctx := context.Background()
	c := handoff.Make[int](1)
	onValue := c.OnRecv(func(v int, ok bool) { fmt.Fprintln(w, "received", v) })
	otherwise := handoff.Default(func() { fmt.Fprintln(w, "nothing there") })
	handoff.Select(ctx, onValue, otherwise)
	c.Send(ctx, 7)
	handoff.Select(ctx, onValue, otherwise)
}

// SendOrReceive mixes both directions in one select: two goroutines offer the
// same thing, to send or to receive, and it is settled who does which.
//
// The article only states that it can be done.
func SendOrReceive(w io.Writer) {
	ctx := context.Background()
	c, done := handoff.Make[string](0), handoff.Make[string](2)
	for range 2 {
		go func() {
			handoff.Select(ctx,
				c.OnSend("the ball", func() { done.Send(ctx, "gave") }),
				c.OnRecv(func(string, bool) { done.Send(ctx, "took") }),
			)
		}()
	}
	for range 2 {
		did, _ := done.Recv(ctx)
		fmt.Fprintln(w, "one", did)
	}
}
