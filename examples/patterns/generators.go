package patterns

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/handoff-go/handoff"
)

// Factory starts a goroutine and returns the end by which its caller learns that
// it is done.
//
// As printed it is right: whether and when the caller waits is its own affair,
// as a close waits for nobody.
func Factory(w io.Writer) {
	done := start(func() { fmt.Fprintln(w, "working") })
	_, err := done.Recv(context.Background())
	fmt.Fprintln(w, "done:", errors.Is(err, handoff.ErrClosed))
}

func start(work func()) handoff.Receiver[struct{}] {
	done := handoff.Make[struct{}](0)
	go func() {
		defer done.Close()
		work()
	}()
	return done.Receiver
}

// IDs numbers things for any number of callers, and can be stopped: by a
// receiver, who asks, while the generator closes.
//
// As printed, nobody can stop the generator: it waits for ever with a number
// that nobody wants. To close the channel would not help, for then its send
// panics; a receiver cannot even do that.
func IDs(w io.Writer) {
	ctx := context.Background()
	ids := numbers()
	x, _ := ids.Recv(ctx)
	y, _ := ids.Recv(ctx)
	fmt.Fprintln(w, x, y)
	ids.Stop("two will do")
	for range ids.All(ctx) { // one may have been on its way
	}
	fmt.Fprintln(w, "the generator has closed")
}

func numbers() handoff.Receiver[int] {
	ids := handoff.Make[int](0)
	go func() {
		defer ids.Close()
		next, more := 0, true
		turn := handoff.NewSelector(
			ids.OnStop(func(string) { more = false }),
			ids.OnSendVar(&next, func() { next++ }),
		)
		for more {
			turn.SelectFirst(context.Background())
		}
	}()
	return ids.Receiver
}

// Keys makes keys some of which are ready before they are asked for, until the
// context ends: the other way to stop a generator.
//
// The article only names it.
func Keys(w io.Writer) {
	ctx, cancel := context.WithCancel(context.Background())
	keys := named(ctx, "order-", 4)
	for range 3 {
		key, _ := keys.Recv(ctx)
		fmt.Fprintln(w, key)
	}
	cancel()
	ready := 0
	for range keys.All(context.Background()) { // those in slots, and one that was being sent
		ready++
	}
	fmt.Fprintln(w, "closed, and of those ahead five at most:", ready <= 5)
}

func named(ctx context.Context, prefix string, ahead int) handoff.Receiver[string] {
	keys := handoff.Make[string](ahead)
	go func() {
		defer keys.Close()
		for n := 0; keys.Send(ctx, fmt.Sprintf("%s%04d", prefix, n)) == nil; n++ {
		}
	}()
	return keys.Receiver
}
