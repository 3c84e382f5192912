package shape

import (
	"context"

	"github.com/handoff-go/handoff"
	"github.com/handoff-go/handoff/internal/bench/measure"
)

// The benchmarks of runtime/chan_test.go that send and receive without a select.

// burstOurs is n times: calls values sent, and as many received.
func burstOurs(ch handoff.Chan[int], n int) {
	for range n {
		sendOurs(ch.Sender, calls)
		recvOurs(ch.Receiver, calls)
	}
}

func burstGo(ch chan int, n int) {
	for range n {
		sendGo(ch, calls)
		recvGo(ch, calls)
	}
}

// Each goroutine has a channel of its own.
func uncontendedOurs() func(int) measure.Sample {
	return func(n int) measure.Sample {
		return parallel(n, func(n int) { burstOurs(handoff.Make[int](calls), n) })
	}
}

func uncontendedGo() func(int) measure.Sample {
	return func(n int) measure.Sample {
		return parallel(n, func(n int) { burstGo(make(chan int, calls), n) })
	}
}

// All goroutines share one channel.
func contendedOurs() func(int) measure.Sample {
	ch := handoff.Make[int](calls * procs())
	return func(n int) measure.Sample {
		return parallel(n, func(n int) { burstOurs(ch, n) })
	}
}

func contendedGo() func(int) measure.Sample {
	ch := make(chan int, calls*procs())
	return func(n int) measure.Sample {
		return parallel(n, func(n int) { burstGo(ch, n) })
	}
}

// Two goroutines take turns over one channel without slots, and work after each
// send and each receive. An operation is one value.
func syncOurs(labor int) measure.Body {
	return func() func(int) measure.Sample {
		ctx, ch := context.Background(), handoff.Make[int](0)
		send := func() {
			must(ch.Send(ctx, 0))
			work(labor)
		}
		recv := func() {
			_, err := ch.Recv(ctx)
			must(err)
			work(labor)
		}
		return func(n int) measure.Sample { return turns(n, send, recv) }
	}
}

func syncGo(labor int) measure.Body {
	return func() func(int) measure.Sample {
		ch := make(chan int)
		send := func() {
			ch <- 0
			work(labor)
		}
		recv := func() {
			<-ch
			work(labor)
		}
		return func(n int) measure.Sample { return turns(n, send, recv) }
	}
}

// turns has n values go to and fro between two goroutines.
func turns(n int, send, recv func()) measure.Sample {
	return measure.Together(func() {
		for i := range n {
			if i%2 == 0 {
				send()
			} else {
				recv()
			}
		}
	}, func() {
		for i := range n {
			if i%2 == 0 {
				recv()
			} else {
				send()
			}
		}
	})
}

// As many producers as consumers, as many as can run at once, each of which
// works between two values.
func prodConsOurs(slots, labor int) measure.Body {
	return func() func(int) measure.Sample {
		ctx, ch := context.Background(), handoff.Make[int](slots)
		return func(n int) measure.Sample {
			return pairs(n, func(n int) {
				for range n {
					work(labor)
					must(ch.Send(ctx, 1))
				}
			}, func(n int) {
				for range n {
					_, err := ch.Recv(ctx)
					must(err)
					work(labor)
				}
			})
		}
	}
}

func prodConsGo(slots, labor int) measure.Body {
	return func() func(int) measure.Sample {
		ch := make(chan int, slots)
		return func(n int) measure.Sample {
			return pairs(n, func(n int) {
				for range n {
					work(labor)
					ch <- 1
				}
			}, func(n int) {
				for range n {
					<-ch
					work(labor)
				}
			})
		}
	}
}

// pairs shares n values among producers, and among as many consumers.
func pairs(n int, produce, consume func(n int)) measure.Sample {
	var workers []func()
	for i := range procs() {
		share := measure.Share(n, procs(), i)
		workers = append(workers, func() { produce(share) }, func() { consume(share) })
	}
	return measure.Together(workers...)
}

// A semaphore with a place for each goroutine that can run; an operation takes a
// place and gives it back.
func semOurs() func(int) measure.Sample {
	ctx, sem := context.Background(), handoff.Make[struct{}](procs())
	return func(n int) measure.Sample {
		return parallel(n, func(n int) {
			for range n {
				must(sem.Send(ctx, struct{}{}))
				_, err := sem.Recv(ctx)
				must(err)
			}
		})
	}
}

func semGo() func(int) measure.Sample {
	sem := make(chan struct{}, procs())
	return func(n int) measure.Sample {
		return parallel(n, func(n int) {
			for range n {
				sem <- struct{}{}
				<-sem
			}
		})
	}
}
