package shape

import (
	"context"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/handoff-go/handoff"
	"github.com/handoff-go/handoff/internal/bench/measure"
)

// heaps is pointers that travel while much is alive and the collector is at work
// all the time: it marks, so that storing a pointer costs more, and it takes its
// part of the machine, which is in the CPU time.
func heaps() []*measure.Shape {
	shaped := func(name string, ours, gos func(all []*leaf) func(n int) measure.Sample) *measure.Shape {
		s := against("pointers, with a live heap of 1 GiB that is collected meanwhile", name, 1, heaped(ours), heaped(gos))
		s.Claim, s.N, s.Long = claimHeap, 400_000, true
		return s
	}
	return []*measure.Shape{
		shaped("send+receive, one goroutine, cap 128", leafAloneOurs, leafAloneGo),
		shaped("1→1 cap 0", leafPairOurs(0), leafPairGo(0)),
		shaped("1→1 cap 128", leafPairOurs(128), leafPairGo(128)),
		shaped("select, 2 cases, blocking, cap 0", leafSelectOurs, leafSelectGo),
	}
}

// leaf is 64 pointers, of which some lead to others.
type leaf struct{ to [64]*leaf }

// leafSize is that of a leaf.
const leafSize = 64 * strconv.IntSize / 8

// heapSize is a power of two, of which a test takes a smaller one.
var heapSize = 1 << 30

// grow makes so many leaves.
func grow() []*leaf {
	all := make([]*leaf, heapSize/leafSize)
	for i := range all {
		all[i] = new(leaf)
		all[i].to[0], all[i].to[63] = all[i/2], all[i/3]
	}
	return all
}

// heaped has work done while a heap is alive and is being collected.
func heaped(make func(all []*leaf) func(n int) measure.Sample) measure.Body {
	return func() func(int) measure.Sample {
		all := grow()
		work := make(all)
		return func(n int) measure.Sample {
			var enough atomic.Bool
			var collector sync.WaitGroup
			collector.Go(func() {
				for !enough.Load() {
					runtime.GC()
				}
			})
			s := work(n)
			enough.Store(true)
			collector.Wait()
			runtime.KeepAlive(all)
			return s
		}
	}
}

func leafAloneOurs(all []*leaf) func(int) measure.Sample {
	ctx, ch := context.Background(), handoff.Make[*leaf](128)
	return func(n int) measure.Sample {
		return measure.Alone(func() {
			for i := range n {
				must(ch.Send(ctx, all[i&(len(all)-1)]))
				_, err := ch.Recv(ctx)
				must(err)
			}
		})
	}
}

func leafAloneGo(all []*leaf) func(int) measure.Sample {
	ch := make(chan *leaf, 128)
	return func(n int) measure.Sample {
		return measure.Alone(func() {
			for i := range n {
				ch <- all[i&(len(all)-1)]
				<-ch
			}
		})
	}
}

func leafPairOurs(slots int) func(all []*leaf) func(int) measure.Sample {
	return func(all []*leaf) func(int) measure.Sample {
		ctx, ch := context.Background(), handoff.Make[*leaf](slots)
		return func(n int) measure.Sample {
			return measure.Together(func() {
				for i := range n {
					must(ch.Send(ctx, all[i&(len(all)-1)]))
				}
			}, func() {
				for range n {
					_, err := ch.Recv(ctx)
					must(err)
				}
			})
		}
	}
}

func leafPairGo(slots int) func(all []*leaf) func(int) measure.Sample {
	return func(all []*leaf) func(int) measure.Sample {
		ch := make(chan *leaf, slots)
		return func(n int) measure.Sample {
			return measure.Together(func() {
				for i := range n {
					ch <- all[i&(len(all)-1)]
				}
			}, func() {
				for range n {
					<-ch
				}
			})
		}
	}
}

func leafSelectOurs(all []*leaf) func(int) measure.Sample {
	ctx, a, b := context.Background(), handoff.Make[*leaf](0), handoff.Make[*leaf](0)
	s := handoff.NewSelector(a.OnRecv(nil), b.OnRecv(nil))
	return func(n int) measure.Sample {
		return measure.Together(func() {
			for i := range n {
				if i%2 == 0 {
					must(a.Send(ctx, all[i&(len(all)-1)]))
				} else {
					must(b.Send(ctx, all[i&(len(all)-1)]))
				}
			}
		}, func() {
			for range n {
				_, err := s.Select(ctx)
				must(err)
			}
		})
	}
}

func leafSelectGo(all []*leaf) func(int) measure.Sample {
	a, b := make(chan *leaf), make(chan *leaf)
	return func(n int) measure.Sample {
		return measure.Together(func() {
			for i := range n {
				if i%2 == 0 {
					a <- all[i&(len(all)-1)]
				} else {
					b <- all[i&(len(all)-1)]
				}
			}
		}, func() {
			for range n {
				select {
				case <-a:
				case <-b:
				}
			}
		})
	}
}
