package shape

import (
	"context"
	"fmt"

	"github.com/handoff-go/handoff"
	"github.com/handoff-go/handoff/internal/bench/measure"
)

// ended is the most usual select of all: an operation, or the end, which is one
// channel in the selects of many goroutines.
func ended() []*measure.Shape {
	var all []*measure.Shape
	for _, k := range []int{2, 8, 64} {
		all = append(all, claimed(claimDone, against("select", fmt.Sprintf("one shared done channel in the selects of %d goroutines, cap 1", k), 0.8,
			endedOurs(k), endedGo(k)))...)
	}
	return all
}

// An operation is a send and a receive, each in a select beside the end; every
// goroutine has a channel of its own.
func endedOurs(k int) measure.Body {
	return func() func(int) measure.Sample {
		ctx, done := context.Background(), handoff.Make[int](0)
		type side struct{ send, recv *handoff.Selector }
		sides := make([]side, k)
		for i := range sides {
			ch := handoff.Make[int](1)
			sides[i] = side{
				handoff.NewSelector(ch.OnSend(i, nil), done.OnRecv(nil)),
				handoff.NewSelector(ch.OnRecv(nil), done.OnRecv(nil)),
			}
		}
		return func(n int) measure.Sample {
			var workers []func()
			for i, s := range sides {
				workers = append(workers, func() {
					for range measure.Share(n, k, i) {
						_, err := s.send.Select(ctx)
						must(err)
						_, err = s.recv.Select(ctx)
						must(err)
					}
				})
			}
			return measure.Together(workers...)
		}
	}
}

func endedGo(k int) measure.Body {
	return func() func(int) measure.Sample {
		done := make(chan int)
		chs := make([]chan int, k)
		for i := range chs {
			chs[i] = make(chan int, 1)
		}
		return func(n int) measure.Sample {
			var workers []func()
			for i, ch := range chs {
				workers = append(workers, func() {
					for range measure.Share(n, k, i) {
						select {
						case ch <- i:
						case <-done:
						}
						select {
						case <-ch:
						case <-done:
						}
					}
				})
			}
			return measure.Together(workers...)
		}
	}
}
