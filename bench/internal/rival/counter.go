package rival

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/handoff-go/handoff"
	"github.com/handoff-go/handoff/internal/bench/measure"
)

// adders is how many goroutines count.
const adders = 8

// counting is adders goroutines that add 1 to the same counter, n times in all.
func counting(n int, add func(n int), total func() int) measure.Sample {
	var workers []func()
	before := total()
	for i := range adders {
		workers = append(workers, func() { add(measure.Share(n, adders, i)) })
	}
	sample := measure.Together(workers...)
	check(total()-before == n, "a counter rose by %d in %d increments", total()-before, n)
	return sample
}

func counterOurs() func(int) measure.Sample {
	ctx, ch := context.Background(), handoff.Make[int](1)
	must(ch.Send(ctx, 0))
	add := func(n, by int) (v int) {
		for range n {
			var err error
			v, err = ch.Recv(ctx)
			must(err)
			must(ch.Send(ctx, v+by))
		}
		return v
	}
	return func(n int) measure.Sample {
		return counting(n, func(n int) { add(n, 1) }, func() int { return add(1, 0) })
	}
}

func counterGo() func(int) measure.Sample {
	ch := make(chan int, 1)
	ch <- 0
	add := func(n, by int) (v int) {
		for range n {
			v = <-ch
			ch <- v + by
		}
		return v
	}
	return func(n int) measure.Sample {
		return counting(n, func(n int) { add(n, 1) }, func() int { return add(1, 0) })
	}
}

func counterMutex() func(int) measure.Sample {
	var mu sync.Mutex
	v := 0 // guarded by mu
	add := func(n int) {
		for range n {
			mu.Lock()
			v++
			mu.Unlock()
		}
	}
	total := func() int {
		mu.Lock()
		defer mu.Unlock()
		return v
	}
	return func(n int) measure.Sample { return counting(n, add, total) }
}

func counterAtomic() func(int) measure.Sample {
	var v atomic.Int64
	add := func(n int) {
		for range n {
			v.Add(1)
		}
	}
	return func(n int) measure.Sample { return counting(n, add, func() int { return int(v.Load()) }) }
}
