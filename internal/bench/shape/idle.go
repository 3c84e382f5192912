package shape

import (
	"context"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/handoff-go/handoff"
	"github.com/handoff-go/handoff/internal/bench/measure"
)

// idles is the CPU time of a process in which all wait: half of a thousand
// goroutines for a value, and half in a select. The goal is none; what is allowed
// is a thousandth of a core, since the runtime itself wakes now and then.
func idles() []*measure.Shape {
	s := against("idle", "1,000 goroutines wait, half of them in selects, µs of CPU in a second", 0, restOurs, restGo)
	s.Claim, s.Unit, s.Most, s.N, s.Rounds, s.NoAllocs = claimCPU, "µs", 1000, 1, 3, false
	if !measure.KnowsCPU {
		s.Claim, s.Most = "", 0
	}
	return []*measure.Shape{s}
}

// restFor is how long all wait; a test has less time.
var restFor = time.Second

// rest measures the time in which half of waiters wait by recv and half by sel,
// until end ends them all.
func rest(recv, sel, end func()) measure.Sample {
	var at atomic.Int64
	var wg sync.WaitGroup
	for i := range waiters {
		wg.Go(func() {
			at.Add(1)
			if i%2 == 0 {
				recv()
			} else {
				sel()
			}
		})
	}
	parkedAll(&at, waiters)
	debug.FreeOSMemory() // or what shapes before this one left is given back meanwhile
	s := measure.Alone(func() { time.Sleep(restFor) })
	end()
	wg.Wait()
	return measure.Sample{Elapsed: time.Duration(s.CPU.Microseconds())}
}

func restOurs() func(int) measure.Sample {
	ctx := context.Background()
	return func(int) measure.Sample {
		a, b := handoff.Make[int](0), handoff.Make[int](0)
		return rest(func() { a.Recv(ctx) }, func() {
			_, err := handoff.Select(ctx, a.OnRecv(nil), b.OnRecv(nil))
			must(err)
		}, func() { must(a.Close()) })
	}
}

func restGo() func(int) measure.Sample {
	return func(int) measure.Sample {
		a, b := make(chan int), make(chan int)
		return rest(func() { <-a }, func() {
			select {
			case <-a:
			case <-b:
			}
		}, func() { close(a) })
	}
}
