package shape

import (
	"context"
	"runtime"
	"strings"

	"github.com/handoff-go/handoff"
	"github.com/handoff-go/handoff/internal/bench/measure"
)

// runtimeGroup is the file of the Go tree whose benchmarks these are, by the
// same names and of the same shape, written anew.
const runtimeGroup = "runtime/chan_test.go"

// Sizes of these benchmarks.
const (
	calls     = 100  // values that one goroutine sends before it receives them
	labor     = 100  // divisions between two values, in those called …Work
	syncLabor = 1000 // the same, in ChanSyncWork
)

// runtimes are all of them. Only work inside the loop has a goal: the others
// overlap with shapes that have theirs.
func runtimes() []*measure.Shape {
	all := makings()
	add := func(name string, ours, gos measure.Body) {
		all = append(all, against(runtimeGroup, name, 0, ours, gos))
	}
	add("ChanNonblocking", nonblockingOurs, nonblockingGo)
	add("SelectUncontended", uncontendedSelectOurs, uncontendedSelectGo)
	add("SelectSyncContended", syncSelectOurs, syncSelectGo)
	add("SelectAsyncContended", asyncSelectOurs, asyncSelectGo)
	add("SelectNonblock", nonblockOurs, nonblockGo)
	add("ChanUncontended", uncontendedOurs, uncontendedGo)
	add("ChanContended", contendedOurs, contendedGo)
	add("ChanSync", syncOurs(0), syncGo(0))
	add("ChanSyncWork", syncOurs(syncLabor), syncGo(syncLabor))
	add("ChanProdCons0", prodConsOurs(0, 0), prodConsGo(0, 0))
	add("ChanProdCons10", prodConsOurs(10, 0), prodConsGo(10, 0))
	add("ChanProdCons100", prodConsOurs(100, 0), prodConsGo(100, 0))
	add("ChanProdConsWork0", prodConsOurs(0, labor), prodConsGo(0, labor))
	add("ChanProdConsWork10", prodConsOurs(10, labor), prodConsGo(10, labor))
	add("ChanProdConsWork100", prodConsOurs(100, labor), prodConsGo(100, labor))
	add("SelectProdCons", selectProdConsOurs, selectProdConsGo)
	add("ReceiveDataFromClosedChan", drainClosedOurs, drainClosedGo)
	add("ChanCreation", creationOurs, creationGo)
	add("ChanSem", semOurs, semGo)
	add("ChanPopular", times(waiters, popularOurs), times(waiters, popularGo))
	add("ChanClosed", closedOurs, closedGo)
	for _, s := range all {
		if strings.Contains(s.Name, "Work") {
			s.Claim, s.Goal = claimWork, 1
		}
		if strings.HasPrefix(s.Name, "MakeChan") || s.Name == "ChanCreation" || s.Name == "ChanPopular" {
			s.NoAllocs = false
		}
	}
	return all
}

// procs is how many goroutines can run at once, which is how many these
// benchmarks start.
func procs() int { return runtime.GOMAXPROCS(0) }

// parallel shares n operations among as many goroutines as can run at once.
func parallel(n int, work func(n int)) measure.Sample {
	var workers []func()
	for i := range procs() {
		workers = append(workers, func() { work(measure.Share(n, procs(), i)) })
	}
	return measure.Together(workers...)
}

// times is b, of which many operations count as one.
func times(many int, b measure.Body) measure.Body {
	return func() func(int) measure.Sample {
		work := b()
		return func(n int) measure.Sample { return work(n * many) }
	}
}

// made keeps the compiler from leaving a channel out. A channel of the language
// is a pointer, so this allocates nothing.
var made any

// makings is a channel of 8 slots that is made and dropped. The one call through
// a function value is on both sides.
func makings() []*measure.Shape {
	making := func(name string, ours, gos func()) *measure.Shape {
		return against(runtimeGroup, "MakeChan/"+name, 0, repeated(ours), repeated(gos))
	}
	const k = 8
	return []*measure.Shape{
		making("Byte", func() { handoff.Make[byte](k) }, func() { made = make(chan byte, k) }),
		making("Int", func() { handoff.Make[int](k) }, func() { made = make(chan int, k) }),
		making("Ptr", func() { handoff.Make[*byte](k) }, func() { made = make(chan *byte, k) }),
		making("Struct/0", func() { handoff.Make[struct{}](k) }, func() { made = make(chan struct{}, k) }),
		making("Struct/32", func() { handoff.Make[[4]int64](k) }, func() { made = make(chan [4]int64, k) }),
		making("Struct/40", func() { handoff.Make[[5]int64](k) }, func() { made = make(chan [5]int64, k) }),
	}
}

func repeated(do func()) measure.Body {
	return func() func(int) measure.Sample {
		return func(n int) measure.Sample {
			return measure.Alone(func() {
				for range n {
					do()
				}
			})
		}
	}
}

// An operation finds an empty channel that all ask.
func nonblockingOurs() func(int) measure.Sample {
	ch := handoff.Make[int](0)
	return func(n int) measure.Sample {
		return parallel(n, func(n int) {
			for range n {
				if _, ok, _ := ch.TryRecv(); ok {
					panic("a value from nowhere")
				}
			}
		})
	}
}

func nonblockingGo() func(int) measure.Sample {
	ch := make(chan int)
	return func(n int) measure.Sample {
		return parallel(n, func(n int) {
			for range n {
				select {
				case <-ch:
					panic("a value from nowhere")
				default:
				}
			}
		})
	}
}

// An operation is two polls that receive and two that send, on channels of the
// goroutine's own, of which one can.
func nonblockOurs() func(int) measure.Sample {
	return func(n int) measure.Sample {
		return parallel(n, func(n int) {
			a, b, c, d := handoff.Make[int](0), handoff.Make[int](0), handoff.Make[int](1), handoff.Make[int](1)
			for range n {
				a.TryRecv()
				b.TrySend(0)
				c.TryRecv()
				d.TrySend(0)
			}
		})
	}
}

func nonblockGo() func(int) measure.Sample {
	return func(n int) measure.Sample {
		return parallel(n, func(n int) {
			a, b, c, d := make(chan int), make(chan int), make(chan int, 1), make(chan int, 1)
			for range n {
				select {
				case <-a:
				default:
				}
				select {
				case b <- 0:
				default:
				}
				select {
				case <-c:
				default:
				}
				select {
				case d <- 0:
				default:
				}
			}
		})
	}
}

// An operation asks a closed channel.
func closedOurs() func(int) measure.Sample {
	ch := handoff.Make[int](0)
	must(ch.Close())
	return func(n int) measure.Sample {
		return parallel(n, func(n int) {
			for range n {
				if _, _, err := ch.TryRecv(); err == nil {
					panic("it is not closed")
				}
			}
		})
	}
}

func closedGo() func(int) measure.Sample {
	ch := make(chan int)
	close(ch)
	return func(n int) measure.Sample {
		return parallel(n, func(n int) {
			for range n {
				select {
				case <-ch:
				default:
					panic("it is not closed")
				}
			}
		})
	}
}

// An operation receives one of the values that a closed channel still has.
func drainClosedOurs() func(int) measure.Sample {
	ctx := context.Background()
	return func(n int) measure.Sample {
		ch := handoff.Make[struct{}](n)
		for range n {
			must(ch.Send(ctx, struct{}{}))
		}
		must(ch.Close())
		return measure.Alone(func() {
			for range n {
				_, err := ch.Recv(ctx)
				must(err)
			}
		})
	}
}

func drainClosedGo() func(int) measure.Sample {
	return func(n int) measure.Sample {
		ch := make(chan struct{}, n)
		for range n {
			ch <- struct{}{}
		}
		close(ch)
		return measure.Alone(func() {
			for range n {
				<-ch
			}
		})
	}
}

// An operation makes a channel, sends over it and receives.
func creationOurs() func(int) measure.Sample {
	ctx := context.Background()
	return func(n int) measure.Sample {
		return parallel(n, func(n int) {
			for range n {
				ch := handoff.Make[int](1)
				must(ch.Send(ctx, 0))
				_, err := ch.Recv(ctx)
				must(err)
			}
		})
	}
}

func creationGo() func(int) measure.Sample {
	return func(n int) measure.Sample {
		return parallel(n, func(n int) {
			for range n {
				ch := make(chan int, 1)
				ch <- 0
				<-ch
			}
		})
	}
}
