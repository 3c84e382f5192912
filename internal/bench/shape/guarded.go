package shape

import (
	"context"
	"fmt"

	"github.com/handoff-go/handoff"
	"github.com/handoff-go/handoff/internal/bench/measure"
)

// guarded is Send and Recv under a context that may end, which in the language
// takes a select with ctx.Done().
func guarded() []*measure.Shape {
	const group = "guarded by a context"
	all := claimed(claimReady, against(group, "ready: send+receive, one goroutine, cap 128", 0.5,
		guardedAloneOurs(128), guardedAloneGo(128)))
	for _, k := range []int{0, 1} {
		all = append(all, claimed(claimBlocking,
			against(group, fmt.Sprintf("blocking: 1→1 cap %d", k), 1, guardedOurs(k), guardedGo(k)))...)
	}
	return all
}

// guard is a context that could be cancelled, and is not as long as the run
// lasts.
var guard, _ = context.WithCancel(context.Background())

func guardedAloneOurs(slots int) measure.Body {
	return func() func(int) measure.Sample {
		ctx, ch := guard, handoff.Make[int](slots)
		return func(n int) measure.Sample {
			return measure.Alone(func() {
				for i := range n {
					must(ch.Send(ctx, i))
					_, err := ch.Recv(ctx)
					must(err)
				}
			})
		}
	}
}

func guardedAloneGo(slots int) measure.Body {
	return func() func(int) measure.Sample {
		ctx, ch := guard, make(chan int, slots)
		return func(n int) measure.Sample {
			return measure.Alone(func() {
				for i := range n {
					must(guardedSend(ctx, ch, i))
					must(guardedRecv(ctx, ch))
				}
			})
		}
	}
}

func guardedOurs(slots int) measure.Body {
	return func() func(int) measure.Sample {
		ctx, ch := guard, handoff.Make[int](slots)
		return func(n int) measure.Sample {
			return measure.Together(func() {
				for i := range n {
					must(ch.Send(ctx, i))
				}
			}, func() {
				for range n {
					_, err := ch.Recv(ctx)
					must(err)
				}
			})
		}
	}
}

func guardedGo(slots int) measure.Body {
	return func() func(int) measure.Sample {
		ctx, ch := guard, make(chan int, slots)
		return func(n int) measure.Sample {
			return measure.Together(func() {
				for i := range n {
					must(guardedSend(ctx, ch, i))
				}
			}, func() {
				for range n {
					must(guardedRecv(ctx, ch))
				}
			})
		}
	}
}

// guardedSend and guardedRecv are small enough to be inlined.

func guardedSend(ctx context.Context, ch chan<- int, v int) error {
	select {
	case ch <- v:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func guardedRecv(ctx context.Context, ch <-chan int) error {
	select {
	case <-ch:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
