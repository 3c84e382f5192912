package shape

import (
	"context"
	"fmt"
	"time"

	"github.com/handoff-go/handoff"
	"github.com/handoff-go/handoff/internal/bench/measure"
)

// working is one sender and one receiver that do something between two values:
// as much on both sides, like the runtime's own …Work benchmarks, or the receiver
// alone.
func working() []*measure.Shape {
	const group = "with work between two values"
	busy := loops(200 * time.Nanosecond)
	all := claimed(claimRunning, against(group, "1→1 cap 0, the receiver works 200 ns a value", 0.6,
		workOurs(0, 0, busy), workGo(0, 0, busy)))
	all[0].Rivals = append(all[0].Rivals, measure.Contender{Name: "floor: a word, both spin", Body: floorWord(busy)})
	const same = 100 // as the runtime's benchmarks have it
	for _, k := range []int{0, 10, 100} {
		all = append(all, claimed(claimWork, against(group, fmt.Sprintf("1→1 cap %d, both work %d divisions a value", k, same), 1,
			workOurs(k, same, same), workGo(k, same, same)))...)
	}
	return all
}

// sink keeps work from being left out. Nothing is ever stored in it, or many
// goroutines would share a cache line that is no part of what is measured.
var sink int

// work is n divisions.
func work(n int) {
	foo := 0
	for range n {
		foo /= foo + 1
	}
	if foo != 0 {
		sink = foo
	}
}

// loops returns how much work takes about d, at its fastest in some tries.
func loops(d time.Duration) int {
	const n = 1000
	best := time.Hour
	for range 20 {
		begin := time.Now()
		work(n)
		best = min(best, time.Since(begin))
	}
	return max(1, int(n*d/max(best, 1)))
}

func workOurs(slots, sender, receiver int) measure.Body {
	return func() func(int) measure.Sample {
		ctx, ch := context.Background(), handoff.Make[int](slots)
		return func(n int) measure.Sample {
			return measure.Together(func() {
				for i := range n {
					must(ch.Send(ctx, i))
					work(sender)
				}
			}, func() {
				for range n {
					_, err := ch.Recv(ctx)
					must(err)
					work(receiver)
				}
			})
		}
	}
}

func workGo(slots, sender, receiver int) measure.Body {
	return func() func(int) measure.Sample {
		ch := make(chan int, slots)
		return func(n int) measure.Sample {
			return measure.Together(func() {
				for i := range n {
					ch <- i
					work(sender)
				}
			}, func() {
				for range n {
					<-ch
					work(receiver)
				}
			})
		}
	}
}
