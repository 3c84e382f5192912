package shape

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/handoff-go/handoff"
	"github.com/handoff-go/handoff/internal/bench/measure"
	"github.com/handoff-go/handoff/internal/park"
)

// sizes is memory: what a channel takes on which nothing waits, and what a
// goroutine that waits takes beside what any goroutine does.
func sizes() []*measure.Shape {
	sized := func(claim, name string, most float64, ours, gos measure.Body) *measure.Shape {
		s := against("memory", name, 0, ours, gos)
		s.Claim, s.Unit, s.Most, s.N, s.Rounds, s.NoAllocs = claim, "B", most, 10_000, 3, false
		return s
	}
	const slots = 128
	all := []*measure.Shape{
		sized(claimIdle, "an idle channel without slots, bytes", 256, idleOurs(0), idleGo(0)),
		sized(claimIdle, fmt.Sprintf("an idle channel with %d slots of 8 bytes, bytes", slots), 256+slots*8, idleOurs(slots), idleGo(slots)),
		sized(claimParked, "a parked receiver, beside its goroutine, bytes", 128, waitOurs, waitGo),
	}
	if parked := all[2]; !park.Fast { // the goal is of the fast form
		parked.Claim, parked.Most = "", 0
	}
	return all
}

// heap is how much of it is in use.
func heap() int64 {
	runtime.GC()
	runtime.GC() // what the first one only made ready to be swept
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// grown is by how much the heap grows when make runs; what it returns is in use
// until then.
func grown(make func() any) measure.Sample {
	before := heap()
	made := make()
	size := heap() - before
	runtime.KeepAlive(made)
	return measure.Sample{Elapsed: time.Duration(max(size, 0))}
}

func idleOurs(slots int) measure.Body {
	return func() func(int) measure.Sample {
		return func(n int) measure.Sample {
			chs := make([]handoff.Chan[int], n)
			return grown(func() any {
				for i := range chs {
					chs[i] = handoff.Make[int](slots)
				}
				return chs
			})
		}
	}
}

func idleGo(slots int) measure.Body {
	return func() func(int) measure.Sample {
		return func(n int) measure.Sample {
			chs := make([]chan int, n)
			return grown(func() any {
				for i := range chs {
					chs[i] = make(chan int, slots)
				}
				return chs
			})
		}
	}
}

// waiting is by how much the heap grows when n goroutines wait, beyond what they
// take while they run.
func waiting(n int, wait func(), end func()) measure.Sample {
	var at, begin atomic.Int64
	var wg sync.WaitGroup
	for range n {
		wg.Go(func() {
			at.Add(1)
			for begin.Load() == 0 {
				runtime.Gosched()
			}
			at.Add(1)
			wait()
		})
	}
	for at.Load() < int64(n) {
		runtime.Gosched()
	}
	s := grown(func() any {
		begin.Store(1)
		parkedAll(&at, 2*n)
		return nil
	})
	end()
	wg.Wait()
	return s
}

func waitOurs() func(int) measure.Sample {
	ctx := context.Background()
	return func(n int) measure.Sample {
		ch := handoff.Make[int](0)
		return waiting(n, func() { ch.Recv(ctx) }, func() { must(ch.Close()) })
	}
}

func waitGo() func(int) measure.Sample {
	return func(n int) measure.Sample {
		ch := make(chan int)
		return waiting(n, func() { <-ch }, func() { close(ch) })
	}
}
