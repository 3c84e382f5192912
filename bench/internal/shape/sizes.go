package shape

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/handoff-go/handoff"
	"github.com/handoff-go/handoff/bench/internal/measure"
	"github.com/handoff-go/handoff/internal/park"
)

// sizes is memory: what a channel takes on which nothing waits, and what a
// goroutine that waits takes beside what any goroutine does.
func sizes() []*measure.Shape {
	sized := func(name string, most float64, ours, gos measure.Body) *measure.Shape {
		s := against("memory", name, 0, ours, gos)
		s.Unit, s.Most, s.N, s.Rounds, s.NoAllocs = "B", most, 10_000, 3, false
		return s
	}
	waits := 128.0
	if !park.Fast {
		waits = 0 // the goal is of the fast form
	}
	return []*measure.Shape{
		sized("an idle channel without slots, bytes", 256, idleOurs, idleGo),
		sized("a parked receiver, beside its goroutine, bytes", waits, waitOurs, waitGo),
	}
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

func idleOurs() func(int) measure.Sample {
	return func(n int) measure.Sample {
		chs := make([]handoff.Chan[int], n)
		return grown(func() any {
			for i := range chs {
				chs[i] = handoff.Make[int](0)
			}
			return chs
		})
	}
}

func idleGo() func(int) measure.Sample {
	return func(n int) measure.Sample {
		chs := make([]chan int, n)
		return grown(func() any {
			for i := range chs {
				chs[i] = make(chan int)
			}
			return chs
		})
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
