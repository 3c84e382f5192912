package leaks

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/handoff-go/handoff"
)

// Receivers releases ten receivers that nobody has a value for: by closing.
//
// As printed there is no cure: the ten wait for ever, whatever the collector
// does, and as main goes on the runtime reports no deadlock.
func Receivers(w io.Writer) {
	ctx := context.Background()
	c := handoff.Make[int](0)
	var released atomic.Int32
	var all sync.WaitGroup
	for range 10 {
		all.Go(func() {
			if _, err := c.Recv(ctx); errors.Is(err, handoff.ErrClosed) {
				released.Add(1)
			}
		})
	}
	c.Close() // whoever makes the channel sees to it, on every way out
	all.Wait()
	fmt.Fprintln(w, "receivers released:", released.Load())
}

// SendersMet lets a hundred senders end by receiving what they send.
//
// As printed, five hundred goroutines wait for ever; and in its cure, a receiving
// loop on a channel that nobody closes, it is the receiver that does. Here the
// channel is closed when the last sender is done, which ends the loop too.
func SendersMet(w io.Writer) {
	ctx := context.Background()
	c := handoff.Make[int](0)
	var senders sync.WaitGroup
	for range 100 {
		senders.Go(func() { c.Send(ctx, 1) })
	}
	var closer sync.WaitGroup
	closer.Go(func() {
		senders.Wait()
		c.Close()
	})
	sum := 0
	for v := range c.All(ctx) {
		sum += v
	}
	closer.Wait()
	fmt.Fprintln(w, "received", sum)
}

// SendersTimeout lets senders that nobody meets give up after a time, with their
// value.
//
// The article only describes it. In the language it takes a select with a timer
// around every send; here it is a property of the channel, or of the context.
func SendersTimeout(w io.Writer) {
	c := handoff.Make[int](0, handoff.SendTimeout(10*time.Millisecond))
	fmt.Fprintln(w, "gave up after the channel's time:", abandoned(context.Background(), c.Sender, handoff.ErrTimeout))

	patient := handoff.Make[int](0)
	limited, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	fmt.Fprintln(w, "gave up when the context ended:", abandoned(limited, patient.Sender, context.DeadlineExceeded))
}

// abandoned sends from fifty goroutines and counts those that gave up for want.
func abandoned(ctx context.Context, out handoff.Sender[int], want error) int32 {
	var gaveUp atomic.Int32
	var senders sync.WaitGroup
	for range 50 {
		senders.Go(func() {
			if errors.Is(out.Send(ctx, 1), want) {
				gaveUp.Add(1)
			}
		})
	}
	senders.Wait()
	return gaveUp.Load()
}
