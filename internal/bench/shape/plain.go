package shape

import (
	"context"
	"fmt"

	"github.com/handoff-go/handoff"
	"github.com/handoff-go/handoff/internal/bench/measure"
)

// crowds are the numbers of senders and receivers.
var crowds = []struct{ senders, receivers int }{{1, 1}, {8, 1}, {1, 8}, {8, 8}, {100, 100}}

// slots are the capacities at which crowds meet.
var slots = []int{0, 1, 128, 4096}

// plain is Send and Recv without anything around them.
func plain() []*measure.Shape {
	all := claimed(claimAlone, against("plain", "send+receive, one goroutine, cap 128", 0.75, aloneOurs(128), aloneGo(128)))
	for _, c := range crowds {
		for _, k := range slots {
			all = append(all, claimed(claimCrowds, against("plain", fmt.Sprintf("%d→%d cap %d", c.senders, c.receivers, k), 1,
				crowdOurs(c.senders, c.receivers, k), crowdGo(c.senders, c.receivers, k)))...)
		}
	}
	return all
}

// An operation is a send and its receive.
func aloneOurs(slots int) measure.Body {
	return func() func(int) measure.Sample {
		ctx, ch := context.Background(), handoff.Make[int](slots)
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

func aloneGo(slots int) measure.Body {
	return func() func(int) measure.Sample {
		ch := make(chan int, slots)
		return func(n int) measure.Sample {
			return measure.Alone(func() {
				for i := range n {
					ch <- i
					<-ch
				}
			})
		}
	}
}

// An operation is one value from any sender to any receiver.
func crowdOurs(senders, receivers, slots int) measure.Body {
	return func() func(int) measure.Sample {
		ch := handoff.Make[int](slots)
		return func(n int) measure.Sample {
			var workers []func()
			for i := range senders {
				workers = append(workers, func() { sendOurs(ch.Sender, measure.Share(n, senders, i)) })
			}
			for i := range receivers {
				workers = append(workers, func() { recvOurs(ch.Receiver, measure.Share(n, receivers, i)) })
			}
			return measure.Together(workers...)
		}
	}
}

func sendOurs(ch handoff.Sender[int], n int) {
	ctx := context.Background()
	for i := range n {
		must(ch.Send(ctx, i))
	}
}

func recvOurs(ch handoff.Receiver[int], n int) {
	ctx := context.Background()
	for range n {
		_, err := ch.Recv(ctx)
		must(err)
	}
}

func crowdGo(senders, receivers, slots int) measure.Body {
	return func() func(int) measure.Sample {
		ch := make(chan int, slots)
		return func(n int) measure.Sample {
			var workers []func()
			for i := range senders {
				workers = append(workers, func() { sendGo(ch, measure.Share(n, senders, i)) })
			}
			for i := range receivers {
				workers = append(workers, func() { recvGo(ch, measure.Share(n, receivers, i)) })
			}
			return measure.Together(workers...)
		}
	}
}

func sendGo(ch chan<- int, n int) {
	for i := range n {
		ch <- i
	}
}

func recvGo(ch <-chan int, n int) {
	for range n {
		<-ch
	}
}

// pingPongs is one value going to and fro; an operation is there and back.
func pingPongs() []*measure.Shape {
	all := claimed(claimPingPong, against("plain", "ping-pong cap 0", 0.9, pingPongOurs(0), pingPongGo(0)))
	return append(all, against("plain", "ping-pong cap 1", 1, pingPongOurs(1), pingPongGo(1)))
}

func pingPongOurs(slots int) measure.Body {
	return func() func(int) measure.Sample {
		ctx, to, fro := context.Background(), handoff.Make[int](slots), handoff.Make[int](slots)
		return func(n int) measure.Sample {
			return measure.Together(func() {
				for i := range n {
					must(to.Send(ctx, i))
					_, err := fro.Recv(ctx)
					must(err)
				}
			}, func() {
				for range n {
					v, err := to.Recv(ctx)
					must(err)
					must(fro.Send(ctx, v))
				}
			})
		}
	}
}

func pingPongGo(slots int) measure.Body {
	return func() func(int) measure.Sample {
		to, fro := make(chan int, slots), make(chan int, slots)
		return func(n int) measure.Sample {
			return measure.Together(func() {
				for i := range n {
					to <- i
					<-fro
				}
			}, func() {
				for range n {
					fro <- <-to
				}
			})
		}
	}
}
