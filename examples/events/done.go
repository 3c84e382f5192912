package events

import (
	"context"
	"fmt"
	"io"
	"sync"

	"github.com/handoff-go/handoff"
)

// Done waits for the end of a goroutine's work by one event, sent.
//
// As printed it is right. The send is a rendezvous: the goroutine ends only when
// its event was noticed, so somebody must be there to notice it.
func Done(w io.Writer) {
	ctx := context.Background()
	done := handoff.Make[struct{}](0)
	go func(done handoff.Sender[struct{}]) {
		for i := range 3 {
			fmt.Fprintln(w, "working", i)
		}
		done.Send(ctx, struct{}{})
	}(done.Sender)
	done.Recv(ctx)
	fmt.Fprintln(w, "done")
}

// Closed ends the same work by a close, which needs nobody to be there and tells
// any number of waiters, now and later.
//
// As printed it is right, for its one waiter.
func Closed(w io.Writer) {
	ctx := context.Background()
	done := handoff.Make[struct{}](0)
	told := handoff.Make[int](3)
	var waiters sync.WaitGroup
	for id := range 3 {
		waiters.Go(func() {
			done.Recv(ctx)
			told.Send(ctx, id)
		})
	}
	go func(done handoff.Sender[struct{}]) {
		defer done.Close()
		for i := range 3 {
			fmt.Fprintln(w, "working", i)
		}
	}(done.Sender)
	waiters.Wait()
	done.Recv(ctx) // one more, later: it returns at once
	fmt.Fprintln(w, "waiters told:", told.Len())
}
