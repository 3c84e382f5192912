package shape

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/handoff-go/handoff"
	"github.com/handoff-go/handoff/internal/bench/measure"
)

// crowded is channels on which very many wait.
func crowded() []*measure.Shape {
	const group = "very many waiters"
	big := func(claim, name string, n int, ours, gos measure.Body) *measure.Shape {
		s := against(group, name, 1, ours, gos)
		s.Claim, s.N, s.NoAllocs = claim, n, false
		return s
	}
	hundredThousand := big("", "100,000 parked senders are received, per value", 100_000, parkedOurs, parkedGo)
	million := big(claimMillion, "1,000,000 parked senders are received, per value", 1_000_000, parkedOurs, parkedGo)
	hundredThousand.Long, million.Long, million.Last = true, true, true
	return []*measure.Shape{
		big(claimClose, "close with 10,000 receivers waiting, per receiver", 10_000, closeOurs, closeGo),
		hundredThousand,
		million,
		big(claimPopular, "1,000 waiters on one popular channel, each woken by its own, per value", 20_000, popularOurs, popularGo),
	}
}

// parkedAll returns once n goroutines that add to at right before they wait are,
// as far as anybody can tell, waiting.
func parkedAll(at *atomic.Int64, n int) {
	for at.Load() < int64(n) {
		runtime.Gosched()
	}
	time.Sleep(5 * time.Millisecond)
}

// timed times work and the end of all in wg.
func timed(wg *sync.WaitGroup, work func()) measure.Sample {
	return measure.Alone(func() {
		work()
		wg.Wait()
	})
}

func closeOurs() func(int) measure.Sample {
	ctx := context.Background()
	return func(n int) measure.Sample {
		ch := handoff.Make[int](0)
		var at atomic.Int64
		var wg sync.WaitGroup
		for range n {
			wg.Go(func() {
				at.Add(1)
				ch.Recv(ctx)
			})
		}
		parkedAll(&at, n)
		return timed(&wg, func() { must(ch.Close()) })
	}
}

func closeGo() func(int) measure.Sample {
	return func(n int) measure.Sample {
		ch := make(chan int)
		var at atomic.Int64
		var wg sync.WaitGroup
		for range n {
			wg.Go(func() {
				at.Add(1)
				<-ch
			})
		}
		parkedAll(&at, n)
		return timed(&wg, func() { close(ch) })
	}
}

func parkedOurs() func(int) measure.Sample {
	ctx := context.Background()
	return func(n int) measure.Sample {
		ch := handoff.Make[int](0)
		var at atomic.Int64
		var wg sync.WaitGroup
		for i := range n {
			wg.Go(func() {
				at.Add(1)
				must(ch.Send(ctx, i))
			})
		}
		parkedAll(&at, n)
		return timed(&wg, func() { recvOurs(ch.Receiver, n) })
	}
}

func parkedGo() func(int) measure.Sample {
	return func(n int) measure.Sample {
		ch := make(chan int)
		var at atomic.Int64
		var wg sync.WaitGroup
		for i := range n {
			wg.Go(func() {
				at.Add(1)
				ch <- i
			})
		}
		parkedAll(&at, n)
		return timed(&wg, func() { recvGo(ch, n) })
	}
}

// waiters is how many wait on the popular channel.
const waiters = 1000

// As the runtime's BenchmarkChanPopular: each waits in a select on the popular
// channel and on one of its own, which alone is ever sent to.
func popularOurs() func(int) measure.Sample {
	ctx, popular := context.Background(), handoff.Make[bool](0)
	return func(n int) measure.Sample {
		rounds := n / waiters
		own := make([]handoff.Chan[bool], waiters)
		workers := []func(){func() {
			for range rounds {
				for _, ch := range own {
					must(ch.Send(ctx, true))
				}
			}
		}}
		for i := range own {
			own[i] = handoff.Make[bool](0)
			s := handoff.NewSelector(popular.OnRecv(nil), own[i].OnRecv(nil))
			workers = append(workers, func() {
				for range rounds {
					_, err := s.Select(ctx)
					must(err)
				}
			})
		}
		return measure.Together(workers...)
	}
}

func popularGo() func(int) measure.Sample {
	popular := make(chan bool)
	return func(n int) measure.Sample {
		rounds := n / waiters
		own := make([]chan bool, waiters)
		workers := []func(){func() {
			for range rounds {
				for _, ch := range own {
					ch <- true
				}
			}
		}}
		for i := range own {
			ch := make(chan bool)
			own[i] = ch
			workers = append(workers, func() {
				for range rounds {
					select {
					case <-popular:
					case <-ch:
					}
				}
			})
		}
		return measure.Together(workers...)
	}
}
