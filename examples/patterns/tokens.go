package patterns

import (
	"context"
	"fmt"
	"io"
	"sync"
	"sync/atomic"

	"github.com/handoff-go/handoff"
)

// Pool keeps used buffers in slots for the next who needs one: taken if one is
// there, put back if there is room. There is no goroutine, so none to stop.
//
// The article only names it.
func Pool(w io.Writer) {
	p := pool{free: handoff.Make[[]byte](2)}
	for range 2 {
		a, b, c := p.get(), p.get(), p.get()
		p.put(a)
		p.put(b)
		p.put(c) // no slot is free: the collector has it
	}
	fmt.Fprintln(w, "six were asked for, made:", p.made)
}

type pool struct {
	free handoff.Chan[[]byte]
	made int
}

func (p *pool) get() []byte {
	if b, ok, _ := p.free.TryRecv(); ok {
		return b
	}
	p.made++
	return make([]byte, 0, 4096)
}

func (p *pool) put(b []byte) { p.free.TrySend(b[:0]) }

// Semaphore lets no more goroutines work at once than there are slots: to send
// is to enter, to receive is to leave.
//
// The article only describes it.
func Semaphore(w io.Writer) {
	ctx := context.Background()
	inside := handoff.Make[struct{}](3)
	var now, most atomic.Int32
	var workers sync.WaitGroup
	for range 12 {
		workers.Go(func() {
			inside.Send(ctx, struct{}{})
			defer inside.Recv(ctx)
			n := now.Add(1)
			for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
			}
			now.Add(-1)
		})
	}
	workers.Wait()
	fmt.Fprintln(w, "all worked, never more than three at once:", most.Load() <= 3)
}
