package shape

import (
	"context"
	"fmt"
	"time"

	"github.com/handoff-go/handoff"
	"github.com/handoff-go/handoff/internal/bench/measure"
)

// latencies is a ping-pong of which every round trip is timed by itself, so that
// the slow ones show. The clock is within each figure, on both sides alike.
func latencies() []*measure.Shape {
	var all []*measure.Shape
	for _, k := range []int{0, 1} {
		s := against("ping-pong, each round trip timed, clock included", fmt.Sprintf("cap %d", k), 0, tripsOurs(k), tripsGo(k))
		all = append(all, s)
	}
	return all
}

// trips does n of them at one end, times each, and has echo answer at the other.
func trips(n int, trip func(), echo func(n int)) measure.Sample {
	each := make([]time.Duration, n)
	s := measure.Together(func() {
		last := time.Now()
		for i := range each {
			trip()
			now := time.Now()
			each[i] = now.Sub(last)
			last = now
		}
	}, func() { echo(n) })
	s.Each = each
	return s
}

func tripsOurs(slots int) measure.Body {
	return func() func(int) measure.Sample {
		ctx, to, fro := context.Background(), handoff.Make[int](slots), handoff.Make[int](slots)
		return func(n int) measure.Sample {
			return trips(n, func() {
				must(to.Send(ctx, 1))
				_, err := fro.Recv(ctx)
				must(err)
			}, func(n int) {
				for range n {
					v, err := to.Recv(ctx)
					must(err)
					must(fro.Send(ctx, v))
				}
			})
		}
	}
}

func tripsGo(slots int) measure.Body {
	return func() func(int) measure.Sample {
		to, fro := make(chan int, slots), make(chan int, slots)
		return func(n int) measure.Sample {
			return trips(n, func() {
				to <- 1
				<-fro
			}, func(n int) {
				for range n {
					fro <- <-to
				}
			})
		}
	}
}
