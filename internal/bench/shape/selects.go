package shape

import (
	"context"
	"fmt"

	"github.com/handoff-go/handoff"
	"github.com/handoff-go/handoff/internal/bench/measure"
)

// selects is the reusable select against the language's.
func selects() []*measure.Shape {
	const group = "select"
	all := []*measure.Shape{
		against(group, "2 cases, both ready", 1, readyOurs(2), readyGo2),
		against(group, "4 cases, all ready", 1, readyOurs(4), readyGo4),
	}
	all = append(all, claimed(claimSelect,
		against(group, "2 cases, blocking, cap 0", 1, blockingOurs(2), blockingGo2),
		against(group, "4 cases, blocking, cap 0", 1, blockingOurs(4), blockingGo4),
		against(group, "8 cases, blocking, cap 0", 1, blockingOurs(8), blockingGo8),
		against(group, "64 cases, blocking, cap 0", 1, blockingOurs(64), blockingGo64),
		against(group, "2 cases and default, none ready", 1, defaultOurs, defaultGo))...)
	all = append(all, claimed(claimBoth, against(group, "2 cases on both sides, cap 0", 0.8, bothOurs, bothGo))...)
	return append(all, oneShot(group, "one-shot Select, 2 cases, both ready"))
}

// An operation takes a value from one of k channels that all have one, and puts
// it back. Our values arrive through a callback, the language's in a variable.
func readyOurs(k int) measure.Body {
	return func() func(int) measure.Sample {
		ctx := context.Background()
		chs, cases := make([]handoff.Chan[int], k), make([]handoff.Case, k)
		got := 0
		for i := range chs {
			chs[i] = handoff.Make[int](1)
			must(chs[i].Send(ctx, i))
			cases[i] = chs[i].OnRecv(func(v int, _ bool) { got = v })
		}
		s := handoff.NewSelector(cases...)
		return func(n int) measure.Sample {
			return measure.Alone(func() {
				for range n {
					i, err := s.Select(ctx)
					must(err)
					must(chs[i].Send(ctx, got))
				}
			})
		}
	}
}

func full(k int) []chan int {
	chs := make([]chan int, k)
	for i := range chs {
		chs[i] = make(chan int, 1)
		chs[i] <- i
	}
	return chs
}

func readyGo2() func(int) measure.Sample {
	chs := full(2)
	a, b := chs[0], chs[1]
	return func(n int) measure.Sample {
		return measure.Alone(func() {
			for range n {
				select {
				case v := <-a:
					a <- v
				case v := <-b:
					b <- v
				}
			}
		})
	}
}

func readyGo4() func(int) measure.Sample {
	chs := full(4)
	a, b, c, d := chs[0], chs[1], chs[2], chs[3]
	return func(n int) measure.Sample {
		return measure.Alone(func() {
			for range n {
				select {
				case v := <-a:
					a <- v
				case v := <-b:
					b <- v
				case v := <-c:
					c <- v
				case v := <-d:
					d <- v
				}
			}
		})
	}
}

// An operation is one value, sent to the channels in turn, received by select.
func blockingOurs(k int) measure.Body {
	return func() func(int) measure.Sample {
		ctx := context.Background()
		chs, cases := make([]handoff.Chan[int], k), make([]handoff.Case, k)
		sum := 0
		for i := range chs {
			chs[i] = handoff.Make[int](0)
			cases[i] = chs[i].OnRecv(func(v int, _ bool) { sum += v })
		}
		s := handoff.NewSelector(cases...)
		return func(n int) measure.Sample {
			return measure.Together(func() {
				for i := range n {
					must(chs[i%k].Send(ctx, i))
				}
			}, func() {
				for range n {
					_, err := s.Select(ctx)
					must(err)
				}
			})
		}
	}
}

func empty(k int) []chan int {
	chs := make([]chan int, k)
	for i := range chs {
		chs[i] = make(chan int)
	}
	return chs
}

func blockingGo2() func(int) measure.Sample {
	chs := empty(2)
	a, b := chs[0], chs[1]
	sum := 0
	return func(n int) measure.Sample {
		return measure.Together(func() {
			for i := range n {
				chs[i%2] <- i
			}
		}, func() {
			for range n {
				select {
				case v := <-a:
					sum += v
				case v := <-b:
					sum += v
				}
			}
		})
	}
}

func blockingGo4() func(int) measure.Sample {
	chs := empty(4)
	a, b, c, d := chs[0], chs[1], chs[2], chs[3]
	sum := 0
	return func(n int) measure.Sample {
		return measure.Together(func() {
			for i := range n {
				chs[i%4] <- i
			}
		}, func() {
			for range n {
				select {
				case v := <-a:
					sum += v
				case v := <-b:
					sum += v
				case v := <-c:
					sum += v
				case v := <-d:
					sum += v
				}
			}
		})
	}
}

// An operation finds nothing. Two cases beside the default, since the compiler
// makes of one a simpler thing.
func defaultOurs() func(int) measure.Sample {
	ctx, a, b := context.Background(), handoff.Make[int](1), handoff.Make[int](1)
	s := handoff.NewSelector(a.OnRecv(nil), b.OnRecv(nil), handoff.Default(nil))
	return func(n int) measure.Sample {
		return measure.Alone(func() {
			for range n {
				i, err := s.Select(ctx)
				must(err)
				if i != 2 {
					panic(fmt.Sprint("a value from nowhere, case ", i))
				}
			}
		})
	}
}

func defaultGo() func(int) measure.Sample {
	a, b := make(chan int, 1), make(chan int, 1)
	return func(n int) measure.Sample {
		return measure.Alone(func() {
			for range n {
				select {
				case <-a:
					panic("a value from nowhere")
				case <-b:
					panic("a value from nowhere")
				default:
				}
			}
		})
	}
}

// An operation is one value over either of two channels, both sides in a select.
func bothOurs() func(int) measure.Sample {
	ctx, a, b := context.Background(), handoff.Make[int](0), handoff.Make[int](0)
	var v, sum int
	add := func(v int, _ bool) { sum += v }
	send := handoff.NewSelector(a.OnSendVar(&v, nil), b.OnSendVar(&v, nil))
	recv := handoff.NewSelector(a.OnRecv(add), b.OnRecv(add))
	return func(n int) measure.Sample {
		return measure.Together(func() {
			for v = range n {
				_, err := send.Select(ctx)
				must(err)
			}
		}, func() {
			for range n {
				_, err := recv.Select(ctx)
				must(err)
			}
		})
	}
}

func bothGo() func(int) measure.Sample {
	a, b := make(chan int), make(chan int)
	sum := 0
	return func(n int) measure.Sample {
		return measure.Together(func() {
			for v := range n {
				select {
				case a <- v:
				case b <- v:
				}
			}
		}, func() {
			for range n {
				select {
				case v := <-a:
					sum += v
				case v := <-b:
					sum += v
				}
			}
		})
	}
}

// oneShot is the select that is made anew each time. It allocates, and says so,
// so it has no goal; the row is there to show what a Selector saves.
func oneShot(group, name string) *measure.Shape {
	s := against(group, name, 0, oneShotOurs, readyGo2)
	s.NoAllocs = false
	return s
}

func oneShotOurs() func(int) measure.Sample {
	ctx := context.Background()
	chs := [2]handoff.Chan[int]{handoff.Make[int](1), handoff.Make[int](1)}
	must(chs[0].Send(ctx, 0))
	must(chs[1].Send(ctx, 1))
	got := 0
	take := func(v int, _ bool) { got = v }
	return func(n int) measure.Sample {
		return measure.Alone(func() {
			for range n {
				i, err := handoff.Select(ctx, chs[0].OnRecv(take), chs[1].OnRecv(take))
				must(err)
				must(chs[i].Send(ctx, got))
			}
		})
	}
}
