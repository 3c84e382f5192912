package rival

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/handoff-go/handoff"
	"github.com/handoff-go/handoff/internal/bench/measure"
)

const (
	readers       = 8
	readsPerWrite = 100
)

// state is two words that must never be seen apart.
type state struct{ version, twin int }

// reading is what one reader saw.
type reading struct {
	last state
	torn bool // two words of different states, or a state older than the last
}

func (r *reading) see(s state) {
	r.torn = r.torn || s.version != s.twin || s.version < r.last.version
	r.last = s
}

// sharing is one writer beside readers, who read n times in all. Versions begin
// at 1; write(k) writes k of them.
func sharing(n int, write func(k int), read func(r *reading, n int)) measure.Sample {
	writes := n/readsPerWrite + 1
	workers := []func(){func() { write(writes) }}
	seen := make([]reading, readers)
	for i := range readers {
		workers = append(workers, func() {
			var r reading // not in the slice, where the readers would share a line
			read(&r, measure.Share(n, readers, i))
			seen[i] = r
		})
	}
	sample := measure.Together(workers...)
	for _, r := range seen {
		check(!r.torn, "a reader saw half a state, or an old one")
	}
	var r reading
	read(&r, 1)
	check(r.last == state{writes, writes}, "the last state is %+v after %d writes", r.last, writes)
	return sample
}

func stateOurs() func(int) measure.Sample {
	return func(n int) measure.Sample {
		ctx, ch := context.Background(), handoff.Make[state](1)
		must(ch.Send(ctx, state{}))
		return sharing(n, func(k int) {
			for i := range k {
				_, err := ch.Recv(ctx)
				must(err)
				must(ch.Send(ctx, state{i + 1, i + 1}))
			}
		}, func(r *reading, n int) {
			for range n {
				s, err := ch.Recv(ctx)
				must(err)
				must(ch.Send(ctx, s))
				r.see(s)
			}
		})
	}
}

func stateGo() func(int) measure.Sample {
	return func(n int) measure.Sample {
		ch := make(chan state, 1)
		ch <- state{}
		return sharing(n, func(k int) {
			for i := range k {
				<-ch
				ch <- state{i + 1, i + 1}
			}
		}, func(r *reading, n int) {
			for range n {
				s := <-ch
				ch <- s
				r.see(s)
			}
		})
	}
}

func stateMutex() func(int) measure.Sample {
	return func(n int) measure.Sample {
		var mu sync.Mutex
		var now state // guarded by mu
		return sharing(n, func(k int) {
			for i := range k {
				mu.Lock()
				now = state{i + 1, i + 1}
				mu.Unlock()
			}
		}, func(r *reading, n int) {
			for range n {
				mu.Lock()
				s := now
				mu.Unlock()
				r.see(s)
			}
		})
	}
}

func stateRWMutex() func(int) measure.Sample {
	return func(n int) measure.Sample {
		var mu sync.RWMutex
		var now state // guarded by mu
		return sharing(n, func(k int) {
			for i := range k {
				mu.Lock()
				now = state{i + 1, i + 1}
				mu.Unlock()
			}
		}, func(r *reading, n int) {
			for range n {
				mu.RLock()
				s := now
				mu.RUnlock()
				r.see(s)
			}
		})
	}
}

func stateAtomic() func(int) measure.Sample {
	return func(n int) measure.Sample {
		var now atomic.Pointer[state]
		now.Store(&state{})
		return sharing(n, func(k int) {
			for i := range k {
				now.Store(&state{i + 1, i + 1})
			}
		}, func(r *reading, n int) {
			for range n {
				r.see(*now.Load())
			}
		})
	}
}
