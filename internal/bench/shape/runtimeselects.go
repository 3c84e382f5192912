package shape

import (
	"context"

	"github.com/handoff-go/handoff"
	"github.com/handoff-go/handoff/internal/bench/measure"
)

// The benchmarks of runtime/chan_test.go with a select in them.

// An operation takes the one value there is from either of two channels, and
// puts it into the other.
func swapOurs(a, b handoff.Chan[int], n int) {
	ctx := context.Background()
	s := handoff.NewSelector(a.OnRecv(nil), b.OnRecv(nil))
	for range n {
		from, err := s.Select(ctx)
		must(err)
		if from == 0 {
			must(b.Send(ctx, 0))
		} else {
			must(a.Send(ctx, 0))
		}
	}
}

func swapGo(a, b chan int, n int) {
	for range n {
		select {
		case <-a:
			b <- 0
		case <-b:
			a <- 0
		}
	}
}

// Each goroutine has channels of its own.
func uncontendedSelectOurs() func(int) measure.Sample {
	return func(n int) measure.Sample {
		return parallel(n, func(n int) {
			a, b := handoff.Make[int](1), handoff.Make[int](1)
			must(a.Send(context.Background(), 0))
			swapOurs(a, b, n)
		})
	}
}

func uncontendedSelectGo() func(int) measure.Sample {
	return func(n int) measure.Sample {
		return parallel(n, func(n int) {
			a, b := make(chan int, 1), make(chan int, 1)
			a <- 0
			swapGo(a, b, n)
		})
	}
}

// All share two channels, with a value for each.
func asyncSelectOurs() func(int) measure.Sample {
	return func(n int) measure.Sample {
		a, b := handoff.Make[int](procs()), handoff.Make[int](procs())
		sendOurs(a.Sender, procs())
		return parallel(n, func(n int) { swapOurs(a, b, n) })
	}
}

func asyncSelectGo() func(int) measure.Sample {
	return func(n int) measure.Sample {
		a, b := make(chan int, procs()), make(chan int, procs())
		sendGo(a, procs())
		return parallel(n, func(n int) { swapGo(a, b, n) })
	}
}

// As many goroutines as can run receive from three channels without slots, and
// each has one that sends to whichever of them is taken, until it is done.
func syncSelectOurs() func(int) measure.Sample {
	ctx, a, b, c := context.Background(), handoff.Make[int](0), handoff.Make[int](0), handoff.Make[int](0)
	return func(n int) measure.Sample {
		var workers []func()
		for i := range procs() {
			done := handoff.Make[int](0)
			recv := handoff.NewSelector(a.OnRecv(nil), b.OnRecv(nil), c.OnRecv(nil))
			send := handoff.NewSelector(a.OnSend(0, nil), b.OnSend(0, nil), c.OnSend(0, nil), done.OnRecv(nil))
			workers = append(workers, func() {
				for range measure.Share(n, procs(), i) {
					_, err := recv.Select(ctx)
					must(err)
				}
				must(done.Close())
			}, func() {
				for chosen := 0; chosen != 3; {
					var err error
					chosen, err = send.Select(ctx)
					must(err)
				}
			})
		}
		return measure.Together(workers...)
	}
}

func syncSelectGo() func(int) measure.Sample {
	a, b, c := make(chan int), make(chan int), make(chan int)
	return func(n int) measure.Sample {
		var workers []func()
		for i := range procs() {
			done := make(chan int)
			workers = append(workers, func() {
				for range measure.Share(n, procs(), i) {
					select {
					case <-a:
					case <-b:
					case <-c:
					}
				}
				close(done)
			}, func() {
				for {
					select {
					case a <- 0:
					case b <- 0:
					case c <- 0:
					case <-done:
						return
					}
				}
			})
		}
		return measure.Together(workers...)
	}
}

// Producers and consumers that work between two values, with an end that never
// comes in every select.
func selectProdConsOurs() func(int) measure.Sample {
	ctx, ch, end := context.Background(), handoff.Make[int](128), handoff.Make[bool](0)
	return func(n int) measure.Sample {
		return pairs(n, func(n int) {
			s := handoff.NewSelector(ch.OnSend(1, nil), end.OnRecv(nil))
			for range n {
				work(labor)
				_, err := s.Select(ctx)
				must(err)
			}
		}, func(n int) {
			s := handoff.NewSelector(ch.OnRecv(nil), end.OnRecv(nil))
			for range n {
				_, err := s.Select(ctx)
				must(err)
				work(labor)
			}
		})
	}
}

func selectProdConsGo() func(int) measure.Sample {
	ch, end := make(chan int, 128), make(chan bool)
	return func(n int) measure.Sample {
		return pairs(n, func(n int) {
			for range n {
				work(labor)
				select {
				case ch <- 1:
				case <-end:
				}
			}
		}, func(n int) {
			for range n {
				select {
				case <-ch:
				case <-end:
				}
				work(labor)
			}
		})
	}
}
