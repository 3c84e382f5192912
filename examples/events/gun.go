package events

import (
	"context"
	"fmt"
	"io"
	"slices"
	"sync"

	"github.com/handoff-go/handoff"
)

// StartingGun lets one close wake everybody who waits.
//
// As printed, the starter sleeps for a second and hopes that the runners stand
// ready by then; one that does not misses nothing but the moment. Here each
// runner says that it is ready, and the gun waits for all of them.
func StartingGun(w io.Writer) {
	ctx := context.Background()
	const runners = 3
	ready, gun := handoff.Make[int](0), handoff.Make[struct{}](0)
	running := handoff.Make[int](runners)
	var race sync.WaitGroup
	for id := range runners {
		race.Go(func() {
			ready.Send(ctx, id)
			gun.Recv(ctx)
			running.Send(ctx, id)
		})
	}
	for range runners {
		ready.Recv(ctx)
	}
	fmt.Fprintln(w, "ready, and running before the gun:", running.Len())
	gun.Close()
	race.Wait()
	ran := make([]int, runners)
	running.RecvInto(ctx, ran)
	slices.Sort(ran)
	fmt.Fprintln(w, "ran:", ran)
}

// Tokens is the other way to wake waiters: one value for each, one after the
// other.
//
// The article only describes it. A value wakes one receiver, a close all.
func Tokens(w io.Writer) {
	ctx := context.Background()
	const runners = 3
	tokens, started := handoff.Make[int](0), handoff.Make[int](0)
	var race sync.WaitGroup
	for range runners {
		race.Go(func() {
			token, _ := tokens.Recv(ctx)
			started.Send(ctx, token)
		})
	}
	for i := range runners {
		tokens.Send(ctx, i)
		token, _ := started.Recv(ctx)
		fmt.Fprintln(w, "token", token, "started one, still waiting:", runners-i-1)
	}
	race.Wait()
}
