package rival

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/handoff-go/handoff"
	"github.com/handoff-go/handoff/internal/bench/measure"
)

// telling is one goroutine that publishes 1 to n, and one that is woken for
// what is new until it has seen n. What it has not fetched in time is replaced.
func telling(publish func(v int), next func() int) func(int) measure.Sample {
	return func(n int) measure.Sample {
		risen := true
		sample := measure.Together(func() {
			for i := range n {
				publish(i + 1)
			}
		}, func() {
			for last := 0; last < n; {
				v := next()
				risen = risen && v > last
				last = v
			}
		})
		check(risen, "a listener was told a value twice, or an older one")
		return sample
	}
}

// Only one goroutine publishes, so that a slot it has emptied stays empty.
func newestOurs() func(int) measure.Sample {
	ctx, ch := context.Background(), handoff.Make[int](1)
	return telling(func(v int) {
		for {
			ok, err := ch.TrySend(v)
			must(err)
			if ok {
				return
			}
			_, _, err = ch.TryRecv()
			must(err)
		}
	}, func() int {
		v, err := ch.Recv(ctx)
		must(err)
		return v
	})
}

func newestGo() func(int) measure.Sample {
	ch := make(chan int, 1)
	return telling(func(v int) {
		for {
			select {
			case ch <- v:
				return
			default:
			}
			select {
			case <-ch:
			default:
			}
		}
	}, func() int { return <-ch })
}

func newestCond() func(int) measure.Sample {
	var mu sync.Mutex
	fresh := sync.NewCond(&mu)
	value, unseen := 0, false // guarded by mu
	return telling(func(v int) {
		mu.Lock()
		value, unseen = v, true
		mu.Unlock()
		fresh.Signal()
	}, func() int {
		mu.Lock()
		defer mu.Unlock()
		for !unseen {
			fresh.Wait()
		}
		unseen = false
		return value
	})
}

// A bell that rings for a value which the listener has seen already is left
// out by looking again.
func newestBell() func(int) measure.Sample {
	var value atomic.Int64
	bell := make(chan struct{}, 1)
	seen := int64(0) // of the listener
	return func(n int) measure.Sample {
		value.Store(0)
		seen = 0
		select {
		case <-bell: // of the last value of the run before
		default:
		}
		return telling(func(v int) {
			value.Store(int64(v))
			select {
			case bell <- struct{}{}:
			default:
			}
		}, func() int {
			for {
				<-bell
				if v := value.Load(); v != seen {
					seen = v
					return int(v)
				}
			}
		})(n)
	}
}
